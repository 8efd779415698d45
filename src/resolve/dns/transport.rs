//! One query to one server, by hickory's UDP and TCP streams.

use super::message::is_reply_to;
use futures_util::StreamExt;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime,
};
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpStream;
use hickory_resolver::net::xfer::DnsStreamHandle;
use hickory_resolver::proto::op::SerialMessage;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{Interest, ReadBuf};
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

/// The network of this host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network;

impl Transport for Network {
    async fn exchange(&self, server: SocketAddr, protocol: Protocol, query: &[u8]) -> io::Result<Vec<u8>> {
        let message = SerialMessage::new(query.to_vec(), server);
        match protocol {
            Protocol::Udp => {
                // The kernel picks the port, at random among the ephemeral ones: hickory's own choice
                // could take the port of a service for the moment.
                let (stream, mut sender) = UdpStream::new(server, None, None, true, Sockets);
                let mut stream = stream.await.map_err(into_io)?;
                sender.send(message).map_err(into_io)?;
                while let Some(received) = stream.next().await {
                    let (bytes, _) = received?.into_parts();
                    if is_reply_to(query, &bytes) {
                        return Ok(bytes);
                    }
                }
            }
            Protocol::Tcp => {
                let (stream, mut sender) = TcpClientStream::new(server, None, None, Sockets);
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

/// tokio's sockets, but connected.
#[derive(Clone, Copy)]
struct Sockets;

type Connecting<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl RuntimeProvider for Sockets {
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

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> Connecting<Connected> {
        Box::pin(async move {
            let socket = UdpSocket::bind(local).await?;
            socket.connect(server).await?;
            Ok(Connected::new(socket))
        })
    }
}

/// A UDP socket with one peer: the kernel drops what comes from anyone else, and a port that nobody
/// listens on says so at once (ECONNREFUSED).
///
/// Such an error makes the socket ready for nothing but itself (EPOLLERR, net/core/datagram.c,
/// `datagram_poll()`), which tokio does not count as readable, so it is waited for beside the data.
struct Connected {
    socket: Arc<UdpSocket>,
    error: Mutex<Connecting<()>>,
}

impl Connected {
    fn new(socket: UdpSocket) -> Self {
        let socket = Arc::new(socket);
        let watched = Arc::clone(&socket);
        let error = async move {
            let pending = || match watched.take_error()? {
                Some(error) => Err(error),
                None => Err(io::ErrorKind::WouldBlock.into()),
            };
            watched.async_io(Interest::ERROR, pending).await
        };
        Self { socket, error: Mutex::new(Box::pin(error)) }
    }
}

impl DnsUdpSocket for Connected {
    type Time = TokioTime;

    fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(buffer);
        if let Poll::Ready(received) = self.socket.poll_recv_from(context, &mut buffer) {
            return Poll::Ready(received.map(|peer| (buffer.filled().len(), peer)));
        }
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        match error.as_mut().poll(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    fn poll_send_to(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
        server: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_send_to(context, bytes, server)
    }
}
