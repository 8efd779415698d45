//! The system calls that remain once everything is open: a filter for seccomp(2).
//!
//! It is a constant, in which the key and the process are filled in. A call that is not in it raises SIGSYS, whose
//! handler (`rescue`) answers the key.

use crate::key::KeySerial;
use nix::errno::Errno;
use nix::libc::{self, c_int, c_long, sock_filter, sock_fprog};
use nix::libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_MISC, BPF_RET, BPF_TAX, BPF_W,
};

/// What the kernel calls the architecture that we are built for (linux/audit.h); `None` where the filter was never
/// tried.
const ARCHITECTURE: Option<u32> = if cfg!(target_arch = "x86_64") { Some(0xc000_003e) } else { None };

/// Calls that are allowed whatever their arguments are, the most frequent first.
///
/// Descriptors are those that are open, memory is our own, and a socket can only be one of those below.
const CALLS: &[c_long] = &[
    // DNS: wait, send, receive, and the sockets' errors.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_connect,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_shutdown,
    libc::SYS_close,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    // The hosts file is read anew for each name.
    libc::SYS_lseek,
    // A pipe to the process that asks NSS modules, the pipe's other end for it, and its own end.
    libc::SYS_pipe2,
    libc::SYS_sendmsg,
    libc::SYS_fcntl,
    libc::SYS_wait4,
    // Memory, time, random numbers.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_futex,
    // Signals and the end.
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls that are allowed where one of the lines holds, each with all of its conditions.
const WITH_CONDITIONS: &[(c_long, &[&[Condition]])] = &[
    (
        libc::SYS_socket,
        &[
            // Local ones are for syslog, where it has been started anew.
            &[KIND.is(libc::SOCK_DGRAM, KINDS), PROTOCOL.equals(0), FAMILY.is_one_of(&[INET, INET6, UNIX])],
            &[KIND.is(libc::SOCK_STREAM, KINDS), PROTOCOL.equals(TCP), FAMILY.is_one_of(&[INET, INET6])],
        ],
    ),
    // All that an answer takes, in either way.
    (
        libc::SYS_keyctl,
        &[&[
            THE_KEY,
            NO_KEYRING,
            OPERATION.is_one_of(&[
                libc::KEYCTL_SET_TIMEOUT,
                libc::KEYCTL_INSTANTIATE,
                libc::KEYCTL_REJECT,
                libc::KEYCTL_ASSUME_AUTHORITY,
            ]),
        ]],
    ),
    // Memory that holds no code.
    (libc::SYS_mmap, &[&[Argument(2).is(0, libc::PROT_EXEC)]]),
    // The standard library's way to make a socket non-blocking.
    (libc::SYS_ioctl, &[&[Argument(1).equals(FIONBIO)]]),
    // abort(3)
    (libc::SYS_tgkill, &[&[Argument(0).equals(PROCESS)]]),
];

/// asm-generic/ioctls.h
const FIONBIO: u32 = 0x5421;

const FAMILY: Argument = Argument(0);
const KIND: Argument = Argument(1);
const KINDS: c_int = !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK);
const PROTOCOL: Argument = Argument(2);
const TCP: u32 = libc::IPPROTO_TCP.cast_unsigned();
const INET: u32 = libc::AF_INET.cast_unsigned();
const INET6: u32 = libc::AF_INET6.cast_unsigned();
const UNIX: u32 = libc::AF_UNIX.cast_unsigned();
const OPERATION: Argument = Argument(0);
const THE_KEY: Condition = Argument(1).equals(KEY);
const NO_KEYRING: Condition = Argument(4).equals(0);

/// Stand for numbers that are known when the process runs. No other constant of the filter is one of them.
const KEY: u32 = 0x4b45_5921;
const PROCESS: u32 = 0x5049_4421;

/// Installs the filter for good: of all keys this one alone can be answered, and none without one.
///
/// # Errors
/// As `seccomp(2)`: EACCES without `no_new_privs`, ENOSYS or EINVAL from a kernel without it; ENOTSUP where there
/// is no filter for the architecture.
pub fn install(key: Option<KeySerial>) -> Result<(), Errno> {
    if ARCHITECTURE.is_none() {
        return Err(Errno::ENOTSUP);
    }
    let mut code = FILTER.code;
    for instruction in &mut code {
        match instruction.k {
            KEY => instruction.k = key.map_or(0, |key| key.get().cast_unsigned()),
            PROCESS => instruction.k = std::process::id(),
            _ => {}
        }
    }
    let program = sock_fprog { len: FILTER.length, filter: code.as_mut_ptr() };
    // SAFETY: the pointer is to a program that outlives the call, which copies it, and whose `len` is no more than
    // there is of it.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    Errno::result(result).map(drop)
}

/// An argument of a call, as far as an `int` goes, which is all that these calls look at.
#[derive(Clone, Copy)]
struct Argument(u32);

/// That an argument, as far as the mask goes, has one of some values.
#[derive(Clone, Copy)]
struct Condition {
    argument: Argument,
    mask: u32,
    values: Values,
}

#[derive(Clone, Copy)]
enum Values {
    One([u32; 1]),
    Any(&'static [u32]),
}

impl Values {
    const fn list(&self) -> &[u32] {
        match self {
            Self::One(value) => value,
            Self::Any(values) => values,
        }
    }
}

impl Argument {
    const fn equals(self, value: u32) -> Condition {
        Condition { argument: self, mask: !0, values: Values::One([value]) }
    }

    const fn is(self, value: c_int, mask: c_int) -> Condition {
        Condition { argument: self, mask: mask.cast_unsigned(), values: Values::One([value.cast_unsigned()]) }
    }

    const fn is_one_of(self, values: &'static [u32]) -> Condition {
        Condition { argument: self, mask: !0, values: Values::Any(values) }
    }

    /// Where the filter finds it (linux/seccomp.h, `struct seccomp_data`).
    const fn place(self) -> u32 {
        16 + 8 * self.0 + if cfg!(target_endian = "big") { 4 } else { 0 }
    }
}

/// Where the filter finds the call's number and the architecture.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// More than the filter has.
const MOST: usize = 100;

/// A filter, its unused rest included.
struct Filter {
    code: [sock_filter; MOST],
    length: u16,
}

const FILTER: Filter = Filter::new();

/// The filter is written from its end, so that what an instruction leads to is always there already: at a number
/// counted from the end.
#[allow(clippy::indexing_slicing)] // in a constant: what is out of bounds does not compile
impl Filter {
    const fn new() -> Self {
        let mut filter = Self { code: [instruction(BPF_RET | BPF_K, 0, 0, 0); MOST], length: 0 };
        let refuse = filter.push(instruction(BPF_RET | BPF_K, 0, 0, libc::SECCOMP_RET_TRAP));
        let allow = filter.push(instruction(BPF_RET | BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW));
        let mut next = refuse;
        let mut index = WITH_CONDITIONS.len();
        while index > 0 {
            index -= 1;
            let (number, lines) = WITH_CONDITIONS[index];
            let line = filter.lines(lines, allow, refuse);
            next = filter.go_on(call(number), line, next);
        }
        index = CALLS.len();
        while index > 0 {
            index -= 1;
            next = filter.go_on(call(CALLS[index]), allow, next);
        }
        // When a filter is installed, the kernel tries each of some 900 numbers on it, to remember those that are
        // always allowed (kernel/seccomp.c, `seccomp_cache_prepare()`), which takes longer than the few dozen calls
        // that are still to come. It gives up on an instruction that it can't follow; this one does no harm.
        filter.push(instruction(BPF_MISC | BPF_TAX, 0, 0, 0));
        next = filter.load(NUMBER);
        if let Some(architecture) = ARCHITECTURE {
            filter.go_on(architecture, next, refuse);
        }
        filter.load(ARCH);
        filter.turn_round();
        filter
    }

    /// Allows what fits one of the lines, and refuses the rest.
    const fn lines(&mut self, lines: &[&[Condition]], allow: u16, refuse: u16) -> u16 {
        let mut next = refuse;
        let mut index = lines.len();
        while index > 0 {
            index -= 1;
            next = self.line(lines[index], allow, next);
        }
        next
    }

    /// Allows what fits all conditions; else the next line decides.
    const fn line(&mut self, conditions: &[Condition], allow: u16, next: u16) -> u16 {
        let mut then = allow;
        let mut index = conditions.len();
        while index > 0 {
            index -= 1;
            let Condition { argument, mask, values } = conditions[index];
            let values = values.list();
            let mut other = next;
            let mut number = values.len();
            while number > 0 {
                number -= 1;
                other = self.go_on(values[number], then, other);
            }
            if mask != !0 {
                self.push(instruction(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask));
            }
            then = self.load(argument.place());
        }
        then
    }

    const fn load(&mut self, place: u32) -> u16 {
        self.push(instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, place))
    }

    /// Goes on at one of two instructions, depending on whether what was loaded is this value.
    #[allow(clippy::cast_possible_truncation)] // as the line before shows
    const fn go_on(&mut self, value: u32, equal: u16, other: u16) -> u16 {
        let (equal, other) = (self.length - 1 - equal, self.length - 1 - other);
        assert!(equal <= u8::MAX as u16 && other <= u8::MAX as u16);
        self.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, equal as u8, other as u8, value))
    }

    const fn push(&mut self, instruction: sock_filter) -> u16 {
        self.code[self.length as usize] = instruction;
        self.length += 1;
        self.length - 1
    }

    const fn turn_round(&mut self) {
        let (mut first, mut last) = (0, self.length as usize - 1);
        while first < last {
            let instruction = self.code[first];
            self.code[first] = self.code[last];
            self.code[last] = instruction;
            first += 1;
            last -= 1;
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // no code is longer
const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

/// A call's number as the filter sees it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // they are small
const fn call(number: c_long) -> u32 {
    number as u32
}
