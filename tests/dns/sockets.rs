//! Sockets on loopback: bound, silent, or refused.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// A UDP and a TCP socket on the same address and port.
#[derive(Debug)]
pub struct Bound {
    pub(super) udp: UdpSocket,
    pub(super) tcp: TcpListener,
}

impl Bound {
    /// Binds `addr`; port 0 is one that both transports have free. For another
    /// port that is in use it tries for half a second, as a child process that a
    /// test is just starting may hold the sockets of a dropped server till its exec.
    pub fn at(addr: SocketAddr) -> io::Result<Self> {
        retry(|| Self::bind(addr))
    }

    /// Binds all these addresses, on one port that is free on each of them.
    pub fn together(addresses: &[&str]) -> Vec<Self> {
        let bind = |port, ip: &&str| Self::bind(SocketAddr::new(ip.parse().unwrap(), port));
        let all = retry(|| {
            let first = bind(0, &addresses[0])?;
            let port = first.addr().port();
            let others = addresses[1..].iter().map(|ip| bind(port, ip));
            [Ok(first)].into_iter().chain(others).collect()
        });
        all.expect("bind the addresses")
    }

    fn bind(addr: SocketAddr) -> io::Result<Self> {
        assert!(addr.ip().is_loopback(), "{addr} is not on loopback");
        let udp = UdpSocket::bind(addr)?;
        // The usual buffer holds some two hundred questions, and on a busy machine more come before they are read. An
        // ordinary user gets what the system allows.
        let _ = nix::sys::socket::setsockopt(&udp, nix::sys::socket::sockopt::RcvBufForce, &(4 << 20))
            .or_else(|_| nix::sys::socket::setsockopt(&udp, nix::sys::socket::sockopt::RcvBuf, &(4 << 20)));
        let tcp = TcpListener::bind(udp.local_addr()?)?;
        Ok(Self { udp, tcp })
    }

    pub fn addr(&self) -> SocketAddr {
        self.udp.local_addr().unwrap()
    }
}

/// Again, some times, while the address is in use.
fn retry<T>(mut bind: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..100 {
        match bind() {
            Err(error) if error.kind() == ErrorKind::AddrInUse => sleep(Duration::from_millis(5)),
            result => return result,
        }
    }
    bind()
}

/// Sockets nobody reads from: a datagram gets no answer, and a connection is made
/// but silent. No thread and no log; see [`Server::silent`].
#[derive(Debug)]
pub struct Silent(Bound);

impl Silent {
    /// On a free port of 127.0.0.1.
    pub fn start() -> Self {
        Self(Bound::at((Ipv4Addr::LOCALHOST, 0).into()).expect("bind"))
    }

    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }
}

/// An address where nothing listens: datagrams and connections are refused
/// (ECONNREFUSED). The port is none the kernel would give to another socket.
pub fn refusing_address() -> SocketAddr {
    refusing_address_on("127.83.0.1")
}

/// As [`refusing_address`], on this loopback address.
pub fn refusing_address_on(ip: &str) -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(7000);
    let ip: IpAddr = ip.parse().unwrap();
    let next = || SocketAddr::new(ip, NEXT.fetch_add(1, Ordering::Relaxed));
    let mut tries = std::iter::repeat_with(next).take(1000);
    tries.find(|&addr| refuses(addr)).expect("a free port")
}

/// Whether both a datagram and a connection to `addr` are refused.
pub fn refuses(addr: SocketAddr) -> bool {
    let any = SocketAddr::new(addr.ip(), 0);
    let udp = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(addr)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        socket.send(&[])?;
        socket.recv(&mut [0])
    });
    let refused =
        |error: Option<io::Error>| error.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused);
    refused(udp.err()) && refused(TcpStream::connect(addr).err())
}
