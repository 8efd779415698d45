//! One query to one server.

use crate::protocol::Protocol;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt, TryFutureExt};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::xfer::DnsStreamHandle;
use hickory_resolver::proto::op::SerialMessage;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, socket};
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The largest datagram that is read: more than three times the size that we advertise.
const MAX_DATAGRAM: usize = 4096;

/// Carries a query to a server and its answer back: the network, or in tests and fuzzing a script.
pub trait Transport {
    /// Sends `query`, a complete message, at the first poll, and passes on every message from the server to this
    /// query's socket, whatever it is, until the stream is dropped.
    ///
    /// # Errors
    /// Those of the sockets, which end the stream: ECONNREFUSED if nothing listens, ENETUNREACH and the like without a
    /// route, `UnexpectedEof` if the server closes the connection.
    fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: Vec<u8>,
    ) -> impl Stream<Item = io::Result<Vec<u8>>>;
}

impl<T: Transport> Transport for &T {
    fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: Vec<u8>,
    ) -> impl Stream<Item = io::Result<Vec<u8>>> {
        T::exchange(self, server, protocol, query)
    }
}

/// The network of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network;

impl Transport for Network {
    fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: Vec<u8>,
    ) -> impl Stream<Item = io::Result<Vec<u8>>> {
        match protocol {
            Protocol::Udp => async move { by_udp(server, &query) }.try_flatten_stream().left_stream(),
            Protocol::Tcp => by_tcp(server, query).try_flatten_stream().right_stream(),
        }
    }
}

/// Uses a new socket for each query. It is connected: so a port on which nothing listens reports that at once
/// (ECONNREFUSED), and the kernel drops packets from anyone but the server. It is not bound, so the kernel picks a
/// random ephemeral port.
fn by_udp(server: SocketAddr, query: &[u8]) -> io::Result<impl Stream<Item = io::Result<Vec<u8>>> + use<>> {
    let family = if server.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = std::net::UdpSocket::from(socket(family, SockType::Datagram, flags, None)?);
    socket.connect(server)?;
    // Before the socket is registered with the event loop, which would wait for it: so the first poll of a lookup sends
    // its query.
    socket.send(query)?;
    let socket = UdpSocket::from_std(socket)?;
    Ok(stream::try_unfold((socket, vec![0; MAX_DATAGRAM]), async |(socket, mut buffer)| {
        let datagram = receive(&socket, &mut buffer).await?;
        Ok(Some((datagram, (socket, buffer))))
    }))
}

async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Vec<u8>> {
    loop {
        // An ICMP message is an error (EPOLLERR) without anything to read.
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        let interest = if ready.is_error() { Interest::ERROR } else { Interest::READABLE };
        let received = socket.try_io(interest, || {
            recv(socket.as_raw_fd(), buffer, MsgFlags::empty()).map_err(io::Error::from)
        });
        match received {
            Ok(length) => return Ok(buffer.get(..length).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn by_tcp(server: SocketAddr, query: Vec<u8>) -> io::Result<impl Stream<Item = io::Result<Vec<u8>>>> {
    let (connection, mut sender) = TcpClientStream::new(server, None, None, TokioRuntimeProvider::new());
    let connection = connection.await.map_err(into_io)?;
    sender.send(SerialMessage::new(query, server)).map_err(into_io)?;
    let messages = connection.map(move |received| {
        // The connection stays open as long as somebody may send.
        let _ = &sender;
        received.map(|message| message.into_parts().0).map_err(into_io)
    });
    Ok(messages.chain(stream::iter([Err(io::ErrorKind::UnexpectedEof.into())])))
}

fn into_io(error: NetError) -> io::Error {
    match error {
        NetError::Io(error) => match error.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(error.kind(), error.to_string()),
        },
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
