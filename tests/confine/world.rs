//! What attempts are made on, ready before a process is confined.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};

/// The number of a key that is answered; there need be none.
pub const KEY: i32 = 0x1234_5678;

/// Files, sockets and another process. Who started this one clears up after it.
pub struct World {
    pub file: PathBuf,
    pub open_file: File,
    /// A port that a confined process may connect to, and one that it may not.
    pub allowed: TcpListener,
    pub other: TcpListener,
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
        Self {
            open_file: File::options().append(true).open(&file).unwrap(),
            file,
            allowed: listen(),
            other: listen(),
            _receiver: UnixDatagram::bind_addr(&abstract_socket).unwrap(),
            abstract_socket,
            sleeper: Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap(),
        }
    }

    /// Another process, of the user that this one was at first.
    pub fn process(&self) -> i32 {
        i32::try_from(self.sleeper.id()).unwrap()
    }

    /// Where an attempt of the process with this number has its file: in a folder that is root's.
    pub fn file_of(number: u32) -> PathBuf {
        PathBuf::from(format!("/run/key-dns-attempt-{number}"))
    }
}
