//! What a confined process is refused, and by which part of the confinement.

#[cfg(target_arch = "x86_64")]
use crate::unsafe_calls::by_32_bit_entry;
use crate::unsafe_calls::{call, fork, map};
use crate::world::{KEY, World};
use key::KeySerial;
use nix::errno::Errno;
use nix::libc::{self, c_long};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, connect, listen, sendmsg,
    sendto, socket,
};
use nix::unistd::{Pid, Uid, execv, setuid};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::thread;
use upcall::{Needs, become_nobody, confine, restrict_by_landlock};

/// How a process is confined before it makes an attempt.
pub const WAYS: [&str; 4] = ["free", "confined", "landlock", "user"];

/// How an attempt ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    Fails(Errno),
    Killed(Signal),
}
use End::{Done, Fails, Killed};

/// The number of no key.
const NO_KEY: c_long = 0x7fff_ffff;
/// By seccomp.
const REFUSED: End = Killed(Signal::SIGSYS);
const NO_ACCESS: End = Fails(Errno::EACCES);
const NO_RIGHT: End = Fails(Errno::EPERM);

struct Attempt {
    what: &'static str,
    make: fn(&World) -> Result<(), Errno>,
    /// The outcome in a confined process.
    confined: End,
    /// The outcome with only Landlock, and with only the change of user.
    landlock: End,
    user: End,
}

const fn attempt(
    what: &'static str,
    make: fn(&World) -> Result<(), Errno>,
    confined: End,
    landlock: End,
    user: End,
) -> Attempt {
    Attempt { what, make, confined, landlock, user }
}

/// Every row succeeds in an unconfined process, which is root.
const ATTEMPTS: &[Attempt] = &[
    attempt("read a file", |_| of(File::open("/etc/shadow")), REFUSED, NO_ACCESS, NO_ACCESS),
    attempt("write a file", |w| of(File::create(&w.file)), REFUSED, NO_ACCESS, NO_ACCESS),
    attempt("write to an open file", |w| of((&w.open_file).write(b"x")), Killed(Signal::SIGXFSZ), Done, Done),
    attempt("remove a file", |w| of(fs::remove_file(&w.file)), REFUSED, NO_ACCESS, NO_ACCESS),
    attempt("list a folder", |_| of(fs::read_dir("/proc/1/fd")), REFUSED, NO_ACCESS, NO_ACCESS),
    attempt("look at a file", |_| of(fs::metadata("/etc/passwd")), REFUSED, Done, Done),
    attempt("execute a program", |_| execv(c"/bin/true", &[c"true"]).map(|_| ()), REFUSED, NO_ACCESS, Done),
    attempt("make a process", |_| fork(), REFUSED, Done, Done),
    attempt(
        "make a thread",
        |_| of(thread::Builder::new().spawn(|| ()).map(thread::JoinHandle::join)),
        REFUSED,
        Done,
        Done,
    ),
    attempt("a netlink socket", |_| open(AddressFamily::Netlink, SockType::Raw, None), REFUSED, Done, Done),
    attempt("a packet socket", |_| open(AddressFamily::Packet, SockType::Raw, None), REFUSED, Done, NO_RIGHT),
    attempt(
        "a raw IP socket",
        |_| open(AddressFamily::Inet, SockType::Raw, Some(SockProtocol::Icmp)),
        REFUSED,
        Done,
        NO_RIGHT,
    ),
    attempt("a local stream", |_| of(UnixStream::pair()), REFUSED, Done, Done),
    attempt("take a UDP port", |_| of(UdpSocket::bind("127.0.0.1:0")), REFUSED, Done, Done),
    attempt("listen for TCP", |_| listening(), REFUSED, Done, Done),
    attempt("connect to another TCP port", |w| connected(&w.other), NO_ACCESS, NO_ACCESS, Done),
    attempt("an abstract socket", to_abstract, NO_RIGHT, NO_RIGHT, Done),
    attempt(
        "signal a process",
        |w| kill(Pid::from_raw(w.process()), Signal::SIGURG),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt(
        "trace a process",
        |w| number(libc::SYS_ptrace, [0x4206, w.process().into(), 0, 0]),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt("describe another key", |_| number(libc::SYS_keyctl, [6, -3, 0, 0]), REFUSED, Done, Done),
    attempt("a new session keyring", |_| number(libc::SYS_keyctl, [1, 0, 0, 0]), REFUSED, Done, Done),
    attempt("become root", |_| setuid(Uid::from_raw(0)), REFUSED, Done, NO_RIGHT),
    attempt("raise a limit", |_| setrlimit(Resource::RLIMIT_CORE, 1 << 20, 1 << 20), REFUSED, Done, Done),
    attempt("memory for code", |_| map(4096, libc::PROT_READ | libc::PROT_EXEC), REFUSED, Done, Done),
    attempt("300 MiB of memory", |_| map(300 << 20, libc::PROT_READ), Fails(Errno::ENOMEM), Done, Done),
    attempt("a user namespace", |_| number(libc::SYS_unshare, [0x1000_0000, 0, 0, 0]), REFUSED, Done, Done),
    attempt("change the root", |_| of(std::os::unix::fs::chroot("/")), REFUSED, Done, NO_RIGHT),
    attempt("an io_uring", |_| number(libc::SYS_io_uring_setup, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt(
        "a file in memory",
        |_| number(libc::SYS_memfd_create, [c"x".as_ptr() as c_long, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("enter an io_uring", |_| reach(libc::SYS_io_uring_enter, [-1, 0, 0, 0]), REFUSED, Done, Done),
    attempt(
        "register with an io_uring",
        |_| reach(libc::SYS_io_uring_register, [-1, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "read another's memory",
        |w| reach(libc::SYS_process_vm_readv, [w.process().into(), 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "write another's memory",
        |w| reach(libc::SYS_process_vm_writev, [w.process().into(), 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "hold a process",
        |w| reach(libc::SYS_pidfd_open, [w.process().into(), 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "signal a held process",
        |_| reach(libc::SYS_pidfd_send_signal, [-1, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "take another's descriptor",
        |_| reach(libc::SYS_pidfd_getfd, [-1, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("add a key", |_| reach(libc::SYS_add_key, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("request a key", |_| reach(libc::SYS_request_key, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("change a key's owner", |_| reach(libc::SYS_keyctl, [4, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("change a key's rights", |_| reach(libc::SYS_keyctl, [5, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("revoke a key", |_| reach(libc::SYS_keyctl, [3, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("link a key", |_| reach(libc::SYS_keyctl, [8, NO_KEY, NO_KEY, 0]), REFUSED, Done, Done),
    attempt("unlink a key", |_| reach(libc::SYS_keyctl, [9, NO_KEY, NO_KEY, 0]), REFUSED, Done, Done),
    attempt("search for a key", |_| reach(libc::SYS_keyctl, [10, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("read a key", |_| reach(libc::SYS_keyctl, [11, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("invalidate a key", |_| reach(libc::SYS_keyctl, [21, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("restrict a keyring", |_| reach(libc::SYS_keyctl, [29, NO_KEY, 0, 0]), REFUSED, Done, Done),
    attempt("another's timeout", |_| reach(libc::SYS_keyctl, [15, NO_KEY, 1, 0]), REFUSED, Done, Done),
    attempt("open a file by openat2", |_| reach(libc::SYS_openat2, [-100, 0, 0, 0]), REFUSED, Done, Done),
    attempt(
        "a handle of a file",
        |_| reach(libc::SYS_name_to_handle_at, [-100, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("try a file's rights", |_| reach(libc::SYS_faccessat, [-100, 0, 0, 0]), REFUSED, Done, Done),
    attempt("make a folder", |_| reach(libc::SYS_mkdirat, [-100, 0, 0, 0]), REFUSED, Done, Done),
    attempt("make a link", |_| reach(libc::SYS_symlinkat, [0, -100, 0, 0]), REFUSED, Done, Done),
    attempt("rename a file", |_| reach(libc::SYS_renameat2, [-100, 0, -100, 0]), REFUSED, Done, Done),
    attempt("change a file's rights", |_| reach(libc::SYS_fchmodat, [-100, 0, 0, 0]), REFUSED, Done, Done),
    attempt("change a file's owner", |_| reach(libc::SYS_fchownat, [-100, 0, 0, 0]), REFUSED, Done, Done),
    attempt("change the folder", |_| reach(libc::SYS_chdir, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("become dumpable", |_| reach(libc::SYS_prctl, [4, 1, 0, 0]), REFUSED, Done, Done),
    attempt("another filter", |_| reach(libc::SYS_seccomp, [2, 0, 0, 0]), REFUSED, Done, Done),
    attempt(
        "another Landlock",
        |_| reach(libc::SYS_landlock_create_ruleset, [0, 0, 1, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("enter a namespace", |_| reach(libc::SYS_setns, [-1, 0, 0, 0]), REFUSED, Done, Done),
    attempt("make a process by clone3", |_| reach(libc::SYS_clone3, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("make memory code", |_| reach(libc::SYS_mprotect, [0, 0, 4, 0]), REFUSED, Done, Done),
    attempt("shared memory", |_| reach(libc::SYS_shmget, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("a queue of messages", |_| reach(libc::SYS_mq_open, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("watch files", |_| reach(libc::SYS_inotify_init1, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("a timer", |_| reach(libc::SYS_timerfd_create, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("accept a connection", |_| reach(libc::SYS_accept4, [-1, 0, 0, 0]), REFUSED, Done, Done),
    attempt("another personality", |_| reach(libc::SYS_personality, [0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("type into a terminal", |_| reach(libc::SYS_ioctl, [-1, 0x5412, 0, 0]), REFUSED, Done, Done),
    attempt(
        "signals to another's process",
        |w| reach(libc::SYS_fcntl, [w.udp(), 8, w.process().into(), 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "signals of its own socket",
        |w| reach(libc::SYS_fcntl, [w.udp(), 10, 10, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("a lease of a file", |w| reach(libc::SYS_fcntl, [w.udp(), 1024, 0, 0]), REFUSED, Done, NO_ACCESS),
    attempt("broadcasts", |w| reach(libc::SYS_setsockopt, [w.udp(), 1, 6, 0]), REFUSED, Done, Done),
    attempt(
        "a filter for a socket",
        |w| reach(libc::SYS_setsockopt, [w.udp(), 1, 26, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "an interface for a socket",
        |w| reach(libc::SYS_setsockopt, [w.udp(), 1, 25, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "defer a TCP handshake",
        |w| reach(libc::SYS_setsockopt, [w.udp(), 6, 30, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "another congestion control",
        |w| reach(libc::SYS_setsockopt, [w.udp(), 6, 13, 0]),
        REFUSED,
        Done,
        Done,
    ),
    // Landlock looks at connect(2) alone.
    attempt(BY_FAST_OPEN, fast_open, REFUSED, Done, Done),
    attempt("a flag of sendmsg", |w| by_message(w, MsgFlags::MSG_OOB), REFUSED, Done, Done),
    attempt("an address for sendto", |w| of(w.socket.send_to(b"x", w.peer())), REFUSED, Done, Done),
    // What is left, and stands in docs/security.md.
    attempt(
        "UDP to anywhere",
        |w| of(w.socket.connect(w.peer()).and_then(|()| w.socket.send(b"x"))),
        Done,
        Done,
        Done,
    ),
    attempt("UDP to anywhere by sendmsg", |w| by_message(w, MsgFlags::empty()), Done, Done, Done),
    attempt(
        "a datagram to a local socket",
        |w| of(UnixDatagram::unbound().and_then(|s| s.connect(&w.local))),
        Done,
        Done,
        Done,
    ),
    attempt("read an open file", |w| of((&w.to_read).read(&mut [0])), Done, Done, Done),
    attempt("TCP to a name server's port", |w| connected(&w.allowed), Done, Done, Done),
    attempt("look at a socket", |w| of(w.socket.local_addr()), Done, Done, Done),
    attempt("a signal to itself", |_| reach(libc::SYS_tgkill, [id(), id(), 0, 0]), Done, Done, Done),
    #[cfg(target_arch = "x86_64")]
    attempt("a 32-bit system call", |_| by_32_bit_entry(), REFUSED, Done, Done),
];

fn of<T>(outcome: io::Result<T>) -> Result<(), Errno> {
    outcome.map(drop).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap()))
}

fn number(call_number: c_long, arguments: [c_long; 4]) -> Result<(), Errno> {
    match call(call_number, arguments) {
        // An io_uring without a description of it: as far as it gets.
        Err(Errno::EFAULT | Errno::EINVAL) if call_number == libc::SYS_io_uring_setup => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// A call that gets as far as its invalid arguments.
fn reach(call_number: c_long, arguments: [c_long; 4]) -> Result<(), Errno> {
    match call(call_number, arguments) {
        Err(errno @ (Errno::EPERM | Errno::EACCES | Errno::ENOSYS)) => Err(errno),
        _ => Ok(()),
    }
}

fn id() -> c_long {
    std::process::id().into()
}

const BY_FAST_OPEN: &str = "TCP by MSG_FASTOPEN";

fn fast_open(world: &World) -> Result<(), Errno> {
    let SocketAddr::V4(address) = world.other.local_addr().unwrap() else { unreachable!() };
    let flags = MsgFlags::from_bits_retain(libc::MSG_FASTOPEN);
    sendto(tcp().as_raw_fd(), b"x", &SockaddrIn::from(address), flags).map(drop)
}

fn by_message(world: &World, flags: MsgFlags) -> Result<(), Errno> {
    let SocketAddr::V4(address) = world.peer() else { unreachable!() };
    let sent = sendmsg(
        world.socket.as_raw_fd(),
        &[IoSlice::new(b"x")],
        &[],
        flags,
        Some(&SockaddrIn::from(address)),
    );
    match sent {
        // UDP has no such data.
        Err(Errno::EOPNOTSUPP) if flags == MsgFlags::MSG_OOB => Ok(()),
        sent => sent.map(drop),
    }
}

fn open(family: AddressFamily, kind: SockType, protocol: Option<SockProtocol>) -> Result<(), Errno> {
    socket(family, kind, SockFlag::empty(), protocol).map(drop)
}

fn tcp() -> OwnedFd {
    socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), Some(SockProtocol::Tcp)).unwrap()
}

fn connected(listener: &TcpListener) -> Result<(), Errno> {
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
    connect(tcp().as_raw_fd(), &SockaddrIn::from(address))
}

fn listening() -> Result<(), Errno> {
    listen(&tcp(), Backlog::new(1).unwrap())
}

fn to_abstract(world: &World) -> Result<(), Errno> {
    let socket = UnixDatagram::unbound().unwrap();
    of(socket.connect_addr(&world.abstract_socket))
}

/// Makes one attempt in this process. The outcome is the exit status, which a killed process does not have.
pub fn make(way: &str, index: &str) -> ! {
    let attempt = &ATTEMPTS[index.parse::<usize>().unwrap()];
    let world = World::new();
    let ports = vec![world.allowed.local_addr().unwrap().port()];
    match way {
        "confined" => {
            let key = KeySerial::new(KEY);
            assert_eq!(confine(&Needs { key, ports }), []);
            // What it is to be able to do, it can.
            connected(&world.allowed).unwrap();
        }
        "landlock" => restrict_by_landlock(&ports).unwrap(),
        "user" => become_nobody().unwrap(),
        _ => {}
    }
    let status = (attempt.make)(&world).map_or_else(|errno| errno as i32, |()| 0);
    std::process::exit(status)
}

/// The outcome of the attempt of this number, made in a child process.
fn ends(way: &str, index: usize) -> End {
    let this = std::env::current_exe().unwrap();
    let number = index.to_string();
    let mut command = Command::new(this);
    let child = command.args(["--attempt", way, &number]).process_group(0).spawn().unwrap();
    let number = child.id();
    let group = Pid::from_raw(i32::try_from(number).unwrap());
    let output = child.wait_with_output().unwrap();
    let _ = killpg(group, Signal::SIGKILL);
    let _ = fs::remove_file(World::file_of(number));
    let _ = fs::remove_file(World::local_of(number));
    end(output.status)
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(0), _) => Done,
        (Some(errno), _) => Fails(Errno::from_raw(errno)),
        (None, signal) => Killed(Signal::try_from(signal.unwrap()).unwrap()),
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Done => f.pad("done"),
            Fails(errno) => f.pad(&format!("{errno:?}")),
            Killed(signal) => f.pad(signal.as_str()),
        }
    }
}

/// The outcome of an attempt in each of [`WAYS`], and the expected one.
pub struct Tried {
    pub what: &'static str,
    pub seen: [End; 4],
    pub expected: [End; 4],
}

/// What a confined process can do of it.
pub fn left() -> Vec<&'static str> {
    ATTEMPTS.iter().filter(|attempt| attempt.confined == Done).map(|attempt| attempt.what).collect()
}

/// Makes all attempts, one after the other.
pub fn all() -> impl Iterator<Item = Tried> {
    ATTEMPTS.iter().enumerate().map(|(index, attempt)| {
        let seen = WAYS.map(|way| ends(way, index));
        // Some kernels have closed this way past Landlock, Debian's 6.12.117 among them.
        let closed = attempt.what == BY_FAST_OPEN && seen[2] == Fails(Errno::EACCES);
        let landlock = if closed { seen[2] } else { attempt.landlock };
        Tried { what: attempt.what, seen, expected: [Done, attempt.confined, landlock, attempt.user] }
    })
}
