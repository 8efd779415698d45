//! One query to one server.

use crate::message::is_reply_to;
use futures_util::StreamExt;
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

/// The largest datagram that is read: more than three times of what we say that we take.
const MAX_DATAGRAM: usize = 4096;

/// How a query travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One datagram each way.
    Udp,
    /// A connection, for answers of any size.
    Tcp,
}

/// Carries a query to a server and its answer back: the network, and in tests and fuzzing a script.
pub trait Transport {
    /// Sends `query`, a whole message, and waits for the answer to it, however long; messages that are not
    /// the answer ([`is_reply_to`]) are passed over.
    ///
    /// # Errors
    /// As the sockets: ECONNREFUSED where nothing listens, ENETUNREACH and such without a route,
    /// `UnexpectedEof` where the server closes the connection.
    fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: &[u8],
    ) -> impl Future<Output = io::Result<Vec<u8>>>;
}

impl<T: Transport> Transport for &T {
    fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: &[u8],
    ) -> impl Future<Output = io::Result<Vec<u8>>> {
        T::exchange(self, server, protocol, query)
    }
}

/// The network of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network;

impl Transport for Network {
    async fn exchange(&self, server: SocketAddr, protocol: Protocol, query: &[u8]) -> io::Result<Vec<u8>> {
        match protocol {
            Protocol::Udp => by_udp(server, query).await,
            Protocol::Tcp => by_tcp(server, query).await,
        }
    }
}

/// Asks by a socket of its own. It is connected: a port that nobody listens on then says so at once (ECONNREFUSED), and
/// the kernel drops what comes from anyone but the server. It is not bound, so that the kernel picks the port, at
/// random among the ephemeral ones.
async fn by_udp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let family = if server.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = std::net::UdpSocket::from(socket(family, SockType::Datagram, flags, None)?);
    socket.connect(server)?;
    // Before the event loop has the socket, which would wait for it: so the first poll of a lookup sends its question.
    socket.send(query)?;
    let socket = UdpSocket::from_std(socket)?;
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        // An ICMP message is an error (EPOLLERR) without anything to be read.
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        let interest = if ready.is_error() { Interest::ERROR } else { Interest::READABLE };
        let received = socket.try_io(interest, || {
            recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()).map_err(io::Error::from)
        });
        match received {
            Ok(length) => {
                let reply = buffer.get(..length).unwrap_or_default();
                if is_reply_to(query, reply) {
                    return Ok(reply.to_vec());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn by_tcp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let (stream, mut sender) = TcpClientStream::new(server, None, None, TokioRuntimeProvider::new());
    let mut stream = stream.await.map_err(into_io)?;
    sender.send(SerialMessage::new(query.to_vec(), server)).map_err(into_io)?;
    while let Some(received) = stream.next().await {
        let (bytes, _) = received.map_err(into_io)?.into_parts();
        if is_reply_to(query, &bytes) {
            return Ok(bytes);
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
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
