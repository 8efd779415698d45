//! What a confined process is refused, and by which part of the confinement.

#[cfg(target_arch = "x86_64")]
use crate::unsafe_calls::by_32_bit_entry;
use crate::unsafe_calls::{call, fork, map};
use crate::world::{KEY, KEY_NAME, World};
use key::KeySerial;
use nix::errno::Errno;
use nix::libc::{self, c_long};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, UnixAddr,
    connect, listen, sendmsg, sendto, socket,
};
use nix::unistd::{Pid, Uid, execv, setuid};
use std::ffi::CStr;
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

/// The process's own keyring, and the folder that it is in.
const PROCESS: c_long = -2;
const HERE: c_long = libc::AT_FDCWD as c_long;
/// By seccomp.
const REFUSED: End = Killed(Signal::SIGSYS);
const NO_ACCESS: End = Fails(Errno::EACCES);
const NO_RIGHT: End = Fails(Errno::EPERM);

struct Attempt {
    what: &'static str,
    make: fn(&World) -> Result<(), Errno>,
    /// How it ends in a confined process.
    confined: End,
    /// How it ends where Landlock is all there is, and where the change of user is.
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

/// Every row is done by a free process, which is root.
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
    attempt("an abstract socket", to_abstract, REFUSED, NO_RIGHT, Done),
    attempt(
        "signal a process",
        |w| kill(Pid::from_raw(w.process()), Signal::SIGURG),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt(
        "trace a process",
        |w| number(libc::SYS_ptrace, [0x4206, w.process().into(), 0, 0, 0, 0]),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt("describe another key", |w| keyctl(6, [w.key, 0, 0, 0]), REFUSED, Done, Done),
    attempt("a new session keyring", |_| keyctl(1, [0; 4]), REFUSED, Done, Done),
    attempt("become root", |_| setuid(Uid::from_raw(0)), REFUSED, Done, NO_RIGHT),
    attempt("raise a limit", |_| setrlimit(Resource::RLIMIT_CORE, 1 << 20, 1 << 20), REFUSED, Done, Done),
    attempt(
        "memory for code",
        |_| map(4096, libc::PROT_READ | libc::PROT_EXEC).map(drop),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "300 MiB of memory",
        |_| map(300 << 20, libc::PROT_READ).map(drop),
        Fails(Errno::ENOMEM),
        Done,
        Done,
    ),
    attempt(
        "a user namespace",
        |_| number(libc::SYS_unshare, [0x1000_0000, 0, 0, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("change the root", |_| of(std::os::unix::fs::chroot("/")), REFUSED, Done, NO_RIGHT),
    attempt(
        "an io_uring",
        |w| number(libc::SYS_io_uring_setup, [4, w.room(&[]), 0, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "a file in memory",
        |_| number(libc::SYS_memfd_create, [text(c"x"), 0, 0, 0, 0, 0]),
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
    attempt("read another's memory", |w| memory(w, libc::SYS_process_vm_readv), REFUSED, NO_RIGHT, NO_RIGHT),
    attempt(
        "write another's memory",
        |w| memory(w, libc::SYS_process_vm_writev),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt(
        "hold a process",
        |w| number(libc::SYS_pidfd_open, [w.process().into(), 0, 0, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "signal a held process",
        |w| number(libc::SYS_pidfd_send_signal, [w.held(), Signal::SIGURG as c_long, 0, 0, 0, 0]),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt(
        "take another's descriptor",
        |w| number(libc::SYS_pidfd_getfd, [w.held(), 0, 0, 0, 0, 0]),
        REFUSED,
        NO_RIGHT,
        NO_RIGHT,
    ),
    attempt(
        "add a key",
        |_| number(libc::SYS_add_key, [text(c"user"), text(c"another"), text(c"x"), 1, PROCESS, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "request a key",
        |_| number(libc::SYS_request_key, [text(c"user"), text(KEY_NAME), 0, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("change a key's owner", |w| keyctl(4, [w.key, -1, 12345, 0]), REFUSED, Done, NO_ACCESS),
    attempt("change a key's rights", |w| keyctl(5, [w.key, 0x3f00_0000, 0, 0]), REFUSED, Done, NO_ACCESS),
    attempt("revoke a key", |w| keyctl(3, [w.key, 0, 0, 0]), REFUSED, Done, Done),
    attempt("link a key", |w| keyctl(8, [w.key, PROCESS, 0, 0]), REFUSED, Done, Done),
    attempt("unlink a key", |w| keyctl(9, [w.key, PROCESS, 0, 0]), REFUSED, Done, Done),
    attempt(
        "search for a key",
        |_| keyctl(10, [PROCESS, text(c"user"), text(KEY_NAME), 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("read a key", |w| keyctl(11, [w.key, w.room(&[]), 100, 0]), REFUSED, Done, Done),
    attempt("invalidate a key", |w| keyctl(21, [w.key, 0, 0, 0]), REFUSED, Done, Done),
    attempt("restrict a keyring", |_| keyctl(29, [PROCESS, 0, 0, 0]), REFUSED, Done, Done),
    attempt("another's timeout", |w| keyctl(15, [w.key, 1, 0, 0]), REFUSED, Done, Done),
    attempt(
        "open a file by openat2",
        |w| number(libc::SYS_openat2, [HERE, text(c"/etc/shadow"), w.room(&[]), 24, 0, 0]),
        REFUSED,
        NO_ACCESS,
        NO_ACCESS,
    ),
    attempt(
        "a handle of a file",
        |_| reach(libc::SYS_name_to_handle_at, [-100, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "try a file's rights",
        |_| number(libc::SYS_faccessat, [HERE, text(c"/etc/passwd"), 4, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "make a folder",
        |w| number(libc::SYS_mkdirat, [HERE, text(&w.new), 0o700, 0, 0, 0]),
        REFUSED,
        NO_ACCESS,
        NO_ACCESS,
    ),
    attempt(
        "make a link",
        |w| number(libc::SYS_symlinkat, [text(c"x"), HERE, text(&w.new), 0, 0, 0]),
        REFUSED,
        NO_ACCESS,
        NO_ACCESS,
    ),
    attempt(
        "rename a file",
        |w| number(libc::SYS_renameat2, [HERE, text(&w.path), HERE, text(&w.new), 0, 0]),
        REFUSED,
        NO_ACCESS,
        NO_ACCESS,
    ),
    attempt(
        "change a file's rights",
        |w| number(libc::SYS_fchmodat, [HERE, text(&w.path), 0o600, 0, 0, 0]),
        REFUSED,
        Done,
        NO_RIGHT,
    ),
    attempt(
        "change a file's owner",
        |w| number(libc::SYS_fchownat, [HERE, text(&w.path), 12345, -1, 0, 0]),
        REFUSED,
        Done,
        NO_RIGHT,
    ),
    attempt(
        "change the folder",
        |_| number(libc::SYS_chdir, [text(c"/etc"), 0, 0, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("become dumpable", |_| number(libc::SYS_prctl, [4, 1, 0, 0, 0, 0]), REFUSED, Done, Done),
    attempt(
        "another filter",
        |w| number(libc::SYS_seccomp, [1, 0, w.filter(0x7fff_0000), 0, 0, 0]),
        REFUSED,
        Done,
        NO_ACCESS,
    ),
    attempt(
        "another Landlock",
        |_| number(libc::SYS_landlock_create_ruleset, [0, 0, 1, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "enter a namespace",
        |w| number(libc::SYS_setns, [w.namespace(), 0, 0, 0, 0, 0]),
        REFUSED,
        Done,
        NO_RIGHT,
    ),
    attempt(
        "make a process by clone3",
        |w| {
            number(
                libc::SYS_clone3,
                [w.room(&[0, 0, 0, 0, libc::SIGCHLD.unsigned_abs().into()]), 64, 0, 0, 0, 0],
            )
        },
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "make memory code",
        |w| number(libc::SYS_mprotect, [w.page, 4096, 5, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("shared memory", |_| shared_memory(), REFUSED, Done, Done),
    attempt("a queue of messages", queue, REFUSED, NO_ACCESS, Done),
    attempt("watch files", |_| number(libc::SYS_inotify_init1, [0; 6]), REFUSED, Done, Done),
    attempt("a timer", |_| number(libc::SYS_timerfd_create, [1, 0, 0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("accept a connection", |w| of(w.allowed.accept()), REFUSED, Done, Done),
    attempt(
        "another personality",
        |_| number(libc::SYS_personality, [0x4_0000, 0, 0, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("type into a terminal", |_| reach(libc::SYS_ioctl, [-1, 0x5412, 0, 0]), REFUSED, Done, Done),
    attempt(
        "signals to another's process",
        |w| number(libc::SYS_fcntl, [w.udp(), 8, w.process().into(), 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt(
        "signals of its own socket",
        |w| number(libc::SYS_fcntl, [w.udp(), 10, 10, 0, 0, 0]),
        REFUSED,
        Done,
        Done,
    ),
    attempt("a lease of a file", |w| reach(libc::SYS_fcntl, [w.udp(), 1024, 0, 0]), REFUSED, Done, NO_ACCESS),
    attempt("broadcasts", |w| option(w.udp(), 1, 6, w.room(&[1]), 4), REFUSED, Done, Done),
    attempt("a filter for a socket", |w| option(w.udp(), 1, 26, w.filter(0), 16), REFUSED, Done, Done),
    attempt("an interface for a socket", |w| option(w.udp(), 1, 25, text(c"lo"), 3), REFUSED, Done, Done),
    attempt("defer a TCP handshake", |w| option(w.listener(), 6, 9, w.room(&[1]), 4), REFUSED, Done, Done),
    attempt(
        "another congestion control",
        |w| option(w.listener(), 6, 13, text(c"reno"), 4),
        REFUSED,
        Done,
        Done,
    ),
    // Landlock looks at connect(2) alone.
    attempt(BY_FAST_OPEN, fast_open, REFUSED, Done, Done),
    attempt("a flag of sendmsg", |w| by_message(w, MsgFlags::MSG_OOB), REFUSED, Done, Done),
    attempt("an address for sendto", |w| of(w.socket.send_to(b"x", w.peer())), REFUSED, Done, Done),
    attempt("an address for sendmsg", |w| by_message(w, MsgFlags::empty()), REFUSED, Done, Done),
    attempt(
        "a datagram to a local socket",
        |w| of(UnixDatagram::unbound().and_then(|s| s.connect(&w.local))),
        REFUSED,
        Done,
        Done,
    ),
    attempt("the log's connection elsewhere", |w| of(w.log.connect(&w.local)), REFUSED, Done, Done),
    attempt("a copy of the log's connection", |w| of(w.log.try_clone()), REFUSED, Done, Done),
    attempt("another copy of it", |w| number(libc::SYS_fcntl, [w.log(), 0, 0, 0, 0, 0]), REFUSED, Done, Done),
    attempt("the log's datagram elsewhere", |w| of(w.log.send_to(b"x", &w.local)), REFUSED, Done, Done),
    attempt("the log's message elsewhere", log_elsewhere, REFUSED, Done, Done),
    // What is left, and stands in docs/security.md.
    attempt(
        "UDP to anywhere",
        |w| of(w.socket.connect(w.peer()).and_then(|()| w.socket.send(b"x"))),
        Done,
        Done,
        Done,
    ),
    attempt("a line to syslog", |w| of(w.log.send(b"<30>forged")), Done, Done, Done),
    attempt("a descriptor for the modules", to_modules, Done, Done, Done),
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

fn number(call_number: c_long, arguments: [c_long; 6]) -> Result<(), Errno> {
    call(call_number, arguments).map(drop)
}

fn keyctl(operation: c_long, [one, two, three, four]: [c_long; 4]) -> Result<(), Errno> {
    number(libc::SYS_keyctl, [operation, one, two, three, four, 0])
}

fn option(socket: c_long, level: c_long, name: c_long, value: c_long, length: c_long) -> Result<(), Errno> {
    number(libc::SYS_setsockopt, [socket, level, name, value, length, 0])
}

/// Where a text is.
fn text(text: &CStr) -> c_long {
    text.as_ptr() as c_long
}

/// Reads or writes a byte of another process.
fn memory(world: &World, call_number: c_long) -> Result<(), Errno> {
    let byte = world.room(&[]);
    let ours = world.room(&[byte.cast_unsigned(), 1]);
    let theirs = world.room(&[world.stack.cast_unsigned(), 1]);
    number(call_number, [world.process().into(), ours, 1, theirs, 1, 0])
}

fn shared_memory() -> Result<(), Errno> {
    let id = call(libc::SYS_shmget, [0, 4096, 0o600, 0, 0, 0])?;
    number(libc::SYS_shmctl, [id, 0, 0, 0, 0, 0])
}

fn queue(world: &World) -> Result<(), Errno> {
    // O_CREAT and O_RDWR; the name has no slash for the kernel.
    let name = text(world.name.as_c_str());
    number(libc::SYS_mq_open, [name, 0x42, 0o600, 0, 0, 0])?;
    number(libc::SYS_mq_unlink, [name, 0, 0, 0, 0, 0])
}

/// A call that gets as far as its arguments, which are no good.
fn reach(call_number: c_long, [one, two, three, four]: [c_long; 4]) -> Result<(), Errno> {
    match call(call_number, [one, two, three, four, 0, 0]) {
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

fn log_elsewhere(world: &World) -> Result<(), Errno> {
    let address = UnixAddr::new(&world.local).unwrap();
    let flags = MsgFlags::empty();
    sendmsg(world.log.as_raw_fd(), &[IoSlice::new(b"x")], &[], flags, Some(&address)).map(drop)
}

fn to_modules(world: &World) -> Result<(), Errno> {
    let descriptors = [world.to_read.as_raw_fd()];
    let with = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(world.modules.as_raw_fd(), &[IoSlice::new(b"x")], &with, MsgFlags::empty(), None).map(drop)
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

/// Makes one attempt in this process. How it ended is the exit status, which a killed process has none of.
pub fn make(way: &str, index: &str) -> ! {
    let attempt = &ATTEMPTS[index.parse::<usize>().unwrap()];
    let world = World::new();
    let ports = vec![world.allowed.local_addr().unwrap().port()];
    match way {
        "confined" => {
            let key = KeySerial::new(KEY);
            let log = Some(world.log.as_raw_fd());
            let modules = Some(world.modules.as_raw_fd());
            assert_eq!(confine(&Needs { key, ports, log, modules }), []);
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

/// How the attempt of this number ends, made in a process of its own.
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
    for left in World::new_of(number) {
        let _ = fs::remove_dir(&left).or_else(|_| fs::remove_file(&left));
    }
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

/// How an attempt ended in each of [`WAYS`], and how it should.
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
