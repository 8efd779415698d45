//! One query to one server, by hickory's UDP and TCP streams.

use super::message::is_reply_to;
use crate::confine::Confinement;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime,
};
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpStream;
use hickory_resolver::net::xfer::DnsStreamHandle;
use hickory_resolver::proto::op::SerialMessage;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};

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
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// What is entered before the first byte is read: by UDP as soon as the query is sent, by TCP before the
    /// connection is made.
    pub confinement: Confinement,
}

impl Transport for Network {
    async fn exchange(&self, server: SocketAddr, protocol: Protocol, query: &[u8]) -> io::Result<Vec<u8>> {
        let message = SerialMessage::new(query.to_vec(), server);
        match protocol {
            Protocol::Udp => {
                let socket = self.connect_udp(server)?;
                let (mut stream, mut sender) = UdpStream::<Self>::with_bound(socket.clone(), server);
                sender.send(message).map_err(into_io)?;
                let mut error = pin!(socket.error());
                loop {
                    let received = match select(stream.next(), &mut error).await {
                        Either::Left((received, _)) => received,
                        Either::Right((error, _)) => return Err(error),
                    };
                    let Some(received) = received else { break };
                    let (bytes, _) = received?.into_parts();
                    if is_reply_to(query, &bytes) {
                        return Ok(bytes);
                    }
                }
            }
            Protocol::Tcp => {
                self.confinement.enter();
                let (stream, mut sender) = TcpClientStream::new(server, None, None, self.clone());
                let mut stream = stream.await.map_err(into_io)?;
                sender.send(message).map_err(into_io)?;
                while let Some(received) = stream.next().await {
                    let (bytes, _) = received.map_err(into_io)?.into_parts();
                    if is_reply_to(query, &bytes) {
                        return Ok(bytes);
                    }
                }
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
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

impl Network {
    /// A socket of its own for each query. It is not bound, so that the kernel picks the port, at random among the
    /// ephemeral ones; hickory's own choice could take the port of a service for the moment.
    fn connect_udp(&self, server: SocketAddr) -> io::Result<Connected> {
        let family = if server.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = std::net::UdpSocket::from(socket(family, SockType::Datagram, flags, None)?);
        socket.connect(server)?;
        Ok(Connected {
            socket: Arc::new(UdpSocket::from_std(socket)?),
            confinement: self.confinement.clone(),
        })
    }
}

type Connecting<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// tokio's sockets, but connected: a port that nobody listens on then says so at once (ECONNREFUSED), and
/// the kernel drops what comes from anyone but the server.
impl RuntimeProvider for Network {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = Connected;
    type Tcp = AsyncIoTokioAsStd<TcpStream>;

    fn create_handle(&self) -> TokioHandle {
        TokioHandle::default()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Connecting<Self::Tcp> {
        TokioRuntimeProvider::new().connect_tcp(server, local, timeout)
    }

    fn bind_udp(&self, _: SocketAddr, server: SocketAddr) -> Connecting<Connected> {
        let socket = self.connect_udp(server);
        Box::pin(async move { socket })
    }
}

/// A connected socket that can be watched for errors while it is read from: who waits to read is not woken by
/// one (EPOLLERR without EPOLLIN).
#[derive(Clone)]
pub struct Connected {
    socket: Arc<UdpSocket>,
    confinement: Confinement,
}

impl Connected {
    /// Waits for an error, such as ECONNREFUSED by an ICMP message.
    async fn error(&self) -> io::Error {
        loop {
            if let Err(error) = self.socket.ready(Interest::ERROR).await {
                return error;
            }
            match self.socket.take_error() {
                Ok(Some(error)) | Err(error) => return error,
                // A reader has had it; what is left to do is to forget that there was one.
                Ok(None) => {
                    let _ = self
                        .socket
                        .try_io(Interest::ERROR, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
                }
            }
        }
    }
}

impl DnsUdpSocket for Connected {
    type Time = TokioTime;

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.confinement.enter();
        DnsUdpSocket::poll_recv_from(&*self.socket, cx, buffer)
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        server: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        DnsUdpSocket::poll_send_to(&*self.socket, cx, bytes, server)
    }
}
