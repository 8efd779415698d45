//! What attempts are made on, ready before a process is confined.

use std::fs::{self, File, Permissions};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};

/// The number of a key that is answered; there need be none.
pub const KEY: i32 = 0x1234_5678;

/// Files, sockets and another process. The parent process cleans them up.
pub struct World {
    pub file: PathBuf,
    pub open_file: File,
    /// A port that a confined process may connect to, and one that it may not.
    pub allowed: TcpListener,
    pub other: TcpListener,
    /// A socket of UDP, and one to send to.
    pub socket: UdpSocket,
    receiver: UdpSocket,
    /// Where a local socket is that anybody may send to.
    pub local: PathBuf,
    _local: UnixDatagram,
    pub to_read: File,
    pub abstract_socket: UnixAddr,
    _receiver: UnixDatagram,
    sleeper: Child,
}

impl World {
    pub fn new() -> Self {
        let number = process::id();
        let file = Self::file_of(number);
        fs::write(&file, "x").unwrap();
        let name = format!("key-dns-attempt-{number}");
        let abstract_socket = UnixAddr::from_abstract_name(name).unwrap();
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let local = Self::local_of(number);
        let bound = UnixDatagram::bind(&local).unwrap();
        fs::set_permissions(&local, Permissions::from_mode(0o666)).unwrap();
        Self {
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
            receiver: UdpSocket::bind("127.0.0.1:0").unwrap(),
            local,
            _local: bound,
            to_read: File::open(&file).unwrap(),
            open_file: File::options().append(true).open(&file).unwrap(),
            file,
            allowed: listen(),
            other: listen(),
            _receiver: UnixDatagram::bind_addr(&abstract_socket).unwrap(),
            abstract_socket,
            sleeper: Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap(),
        }
    }

    /// Where a datagram can be sent.
    pub fn peer(&self) -> SocketAddr {
        self.receiver.local_addr().unwrap()
    }

    /// The descriptor of the UDP socket.
    pub fn udp(&self) -> i64 {
        self.socket.as_raw_fd().into()
    }

    /// Another process, of the user that this one was at first.
    pub fn process(&self) -> i32 {
        i32::try_from(self.sleeper.id()).unwrap()
    }

    /// Where an attempt of the process with this number has its socket.
    pub fn local_of(number: u32) -> PathBuf {
        PathBuf::from(format!("/run/key-dns-attempt-{number}.socket"))
    }

    /// Where an attempt of the process with this number has its file: in a folder that is root's.
    pub fn file_of(number: u32) -> PathBuf {
        PathBuf::from(format!("/run/key-dns-attempt-{number}"))
    }
}
