//! What attempts are made on, ready before a process is confined.

use crate::unsafe_calls::{call, map, own};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use std::ffi::{CStr, CString};
use std::fs::{self, File, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a key that is answered; there need be none.
pub const KEY: i32 = 0x1234_5678;

/// The name of a key in the process's keyring.
pub const KEY_NAME: &CStr = c"key-dns-attempt";

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
    /// What is connected to a syslog daemon, and the daemon's side.
    pub log: UnixDatagram,
    _daemon: UnixDatagram,
    /// What is connected to a process that asks NSS modules, and its side.
    pub modules: OwnedFd,
    _modules: OwnedFd,
    pub to_read: File,
    pub abstract_socket: UnixAddr,
    _receiver: UnixDatagram,
    /// What waits to be accepted.
    _caller: TcpStream,
    sleeper: Child,
    /// That process as a descriptor, and where its stack is.
    held: OwnedFd,
    pub stack: i64,
    /// The name of the file, and where there is none yet in the same folder; a name of ours without a folder.
    pub path: CString,
    pub new: CString,
    pub name: CString,
    namespace: File,
    /// The number of the key.
    pub key: i64,
    /// A page of memory.
    pub page: i64,
}

impl World {
    pub fn new() -> Self {
        let number = process::id();
        let file = Self::file_of(number);
        fs::write(&file, "x").unwrap();
        let name = format!("key-dns-attempt-{number}");
        let abstract_socket = UnixAddr::from_abstract_name(name).unwrap();
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let allowed = listen();
        let sleeper = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let c_string = |path: &Path| CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
        let key = [c"user".as_ptr() as i64, KEY_NAME.as_ptr() as i64, c"x".as_ptr() as i64, 1, -2, 0];
        let local = Self::local_of(number);
        let bound = UnixDatagram::bind(&local).unwrap();
        fs::set_permissions(&local, Permissions::from_mode(0o666)).unwrap();
        let (log, daemon) = UnixDatagram::pair().unwrap();
        let (modules, their_modules) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        Self {
            log,
            _daemon: daemon,
            modules,
            _modules: their_modules,
            socket: UdpSocket::bind("127.0.0.1:0").unwrap(),
            receiver: UdpSocket::bind("127.0.0.1:0").unwrap(),
            local,
            _local: bound,
            to_read: File::open(&file).unwrap(),
            open_file: File::options().append(true).open(&file).unwrap(),
            file,
            _caller: TcpStream::connect(allowed.local_addr().unwrap()).unwrap(),
            allowed,
            other: listen(),
            _receiver: UnixDatagram::bind_addr(&abstract_socket).unwrap(),
            abstract_socket,
            held: held(sleeper.id()),
            stack: stack(sleeper.id()),
            sleeper,
            path: c_string(&Self::file_of(number)),
            new: c_string(&Self::new_of(number)[0]),
            name: CString::new(format!("key-dns-attempt-{number}")).unwrap(),
            namespace: File::open("/proc/self/ns/net").unwrap(),
            key: call(nix::libc::SYS_add_key, key).unwrap(),
            page: map(4096, nix::libc::PROT_READ).unwrap(),
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

    /// The descriptor of the connection to syslog.
    pub fn log(&self) -> i64 {
        self.log.as_raw_fd().into()
    }

    /// Another process, of the user that this one was at first.
    pub fn process(&self) -> i32 {
        i32::try_from(self.sleeper.id()).unwrap()
    }

    /// That process as a descriptor.
    pub fn held(&self) -> i64 {
        self.held.as_raw_fd().into()
    }

    /// The descriptor of a socket that listens.
    pub fn listener(&self) -> i64 {
        self.allowed.as_raw_fd().into()
    }

    /// The descriptor of the namespace that it is in.
    pub fn namespace(&self) -> i64 {
        self.namespace.as_raw_fd().into()
    }

    /// Memory that begins with these words and goes on with zeros, to the end of the process: where it is.
    #[allow(clippy::unused_self)]
    pub fn room(&self, words: &[u64]) -> i64 {
        let room: &'static [AtomicU64; 64] = Box::leak(Box::new([const { AtomicU64::new(0) }; 64]));
        for (place, word) in room.iter().zip(words) {
            place.store(*word, Ordering::Relaxed);
        }
        room.as_ptr() as i64
    }

    /// A filter of one instruction, which returns this.
    pub fn filter(&self, result: u64) -> i64 {
        // BPF_RET | BPF_K of linux/bpf_common.h, in the first of 16 bits.
        let instruction = if cfg!(target_endian = "little") { 6 | result << 32 } else { 6 << 48 | result };
        let length = if cfg!(target_endian = "little") { 1 } else { 1 << 48 };
        self.room(&[length, self.room(&[instruction]).cast_unsigned()])
    }

    /// What an attempt of the process with this number may make.
    pub fn new_of(number: u32) -> [PathBuf; 1] {
        [PathBuf::from(format!("/run/key-dns-attempt-{number}.new"))]
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

/// A process as a descriptor.
fn held(process: u32) -> OwnedFd {
    let number = call(nix::libc::SYS_pidfd_open, [process.into(), 0, 0, 0, 0, 0]).unwrap();
    own(number)
}

/// The lowest address of a process's stack.
fn stack(process: u32) -> i64 {
    // A process that is started has the memory of this one, also for a moment after spawn() has returned. With its own
    // memory it gets its name, and then its stack.
    loop {
        let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap();
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        if name == "sleep\n"
            && let Some(line) = maps.lines().find(|line| line.ends_with("[stack]"))
        {
            let (start, _) = line.split_once('-').unwrap();
            return i64::from_str_radix(start, 16).unwrap();
        }
    }
}
