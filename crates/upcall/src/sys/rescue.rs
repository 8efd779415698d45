//! The last resort: a key that is answered even when the program can't go on.
//!
//! A caller of `request_key()` waits without a time limit, so a helper that hangs or dies must still answer.
//! Signal handlers do it here: for the alarm that bounds the whole lookup, for a request to end, and for
//! the signals of a crash (a panic aborts, so it is one of them). A handler runs whatever the main
//! thread is doing, also inside a system call; it makes raw system calls on static data only.
//!
//! A process that is stopped runs no handler, nor does one that waits uninterruptibly itself (D state, say for a dead
//! file server under `/etc`): [`kill_timer`] ends it, unless the wait is one that even SIGKILL does not end.

use super::kill_timer;
use key::keyctl::{SHORTEST_TIMEOUT, raw, serial};
use key::{KeySerial, RejectErrno};
use nix::errno::Errno as Libc;
use nix::libc::{self, c_int, c_ulong};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::unistd::{Pid, alarm};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What a rescued key is instantiated with: EAGAIN, as for everything that breaks on our side. A rejection with it
/// would not be remembered, and ENOKEY stands in its place.
const PAYLOAD: &[u8] = b"#dnserror=11\0";
/// How long that lasts, in seconds.
const LASTS: c_ulong = SHORTEST_TIMEOUT as c_ulong;

/// The signals that mean "no more time", "please end", and "crashed".
const SIGNALS: [Signal; 13] = [
    Signal::SIGALRM,
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGABRT,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGTRAP,
    Signal::SIGSYS,
    Signal::SIGXCPU,
];

/// The key to answer; unset before a handler may do anything.
static KEY: OnceLock<KeySerial> = OnceLock::new();
/// Set by whoever answers first, the ordinary way or a handler.
static CLAIMED: AtomicBool = AtomicBool::new(false);
/// Whether the handlers are set.
static ARMED: AtomicBool = AtomicBool::new(false);
/// Whether a rejection is the key's only error: its type is another than `dns_resolver`, or not known yet. A payload
/// would be data to whoever reads a key of another type.
static REJECT: AtomicBool = AtomicBool::new(true);
/// Whether messages are `request-key`'s rather than the helper's.
static AS_REQUEST_KEY: AtomicBool = AtomicBool::new(false);
/// Where a handler's one message goes.
static TO_STDERR: AtomicBool = AtomicBool::new(false);
/// The process, or as a negative number the process group, that a request to end is passed on to; 0 for none.
static PROGRAM: AtomicI32 = AtomicI32::new(0);
/// A connection to syslog, if there is one.
static LOG: AtomicI32 = AtomicI32::new(-1);
/// Whether the process may make no other.
static LOG_KEPT: AtomicBool = AtomicBool::new(false);

/// From now on the key is rejected with ENOKEY when the program crashes, is asked to end, or has not answered within
/// `seconds`, and answered with EAGAIN once [`allow_payload`] is called. Without a key there is nothing to answer, and
/// the process just ends.
///
/// Signals that mean none of that wait for ever, so that they don't end the process either.
///
/// # Errors
/// As `sigaction(2)`; the handlers set until then stay.
pub(crate) fn arm(key: Option<KeySerial>, seconds: u32, to_stderr: bool) -> nix::Result<()> {
    REJECT.store(true, Ordering::Relaxed);
    AS_REQUEST_KEY.store(false, Ordering::Relaxed);
    set_handlers(key, seconds, to_stderr)
}

/// The key's type is known to be `dns_resolver`.
pub(crate) fn allow_payload() {
    REJECT.store(false, Ordering::Relaxed);
}

/// As [`arm`], for a key that may be of any type: it is rejected.
///
/// # Errors
/// As [`arm`].
pub(crate) fn arm_rejecting(key: KeySerial, seconds: u32) -> nix::Result<()> {
    REJECT.store(true, Ordering::Relaxed);
    AS_REQUEST_KEY.store(true, Ordering::Relaxed);
    set_handlers(Some(key), seconds, false)
}

fn set_handlers(key: Option<KeySerial>, seconds: u32, to_stderr: bool) -> nix::Result<()> {
    if let Some(key) = key {
        let _ = KEY.set(key);
    }
    TO_STDERR.store(to_stderr, Ordering::Relaxed);
    if ARMED.swap(true, Ordering::Relaxed) {
        // The time that has begun goes on.
        return Ok(());
    }
    set_limit(seconds);
    let action = SigAction::new(
        SigHandler::SigAction(on_signal),
        // On the stack that the standard library sets up for its own handler of stack overflows.
        SaFlags::SA_ONSTACK,
        SigSet::all(),
    );
    for signal in SIGNALS {
        // SAFETY: the handler makes only async-signal-safe calls (signal-safety(7)), and leaves errno as it was where it
        // returns.
        unsafe { sigaction(signal, &action) }?;
    }
    match key {
        Some(_) => set_mask(!SIGNALS.iter().fold(0, |set, &signal| set | 1 << (signal as u32 - 1))),
        None => let_signals_through(),
    }
    Ok(())
}

/// Has all signals wait, until handlers are set.
pub(crate) fn hold_signals() {
    set_mask(!0);
}

/// Lets all signals through, in a process that has no key to answer.
pub fn let_signals_through() {
    set_mask(0);
}

/// Sets which signals wait: bit N - 1 is signal N. Not by sigprocmask(3), which spares those that the C library uses.
fn set_mask(set: u64) {
    // SAFETY: the pointer is to as many bytes as the length says; a null pointer means that nothing is returned.
    unsafe {
        let null = std::ptr::null_mut::<u64>();
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const set, null, size_of::<u64>());
    }
}

/// From now on a handler's message goes to syslog by this connection, also where `/dev/log` is out of reach.
pub(crate) fn log_to(socket: &'static UnixDatagram) {
    LOG.store(socket.as_raw_fd(), Ordering::Relaxed);
}

/// From now on a handler's message goes by that connection alone: to open a socket would be a system call that the
/// process is refused.
pub(crate) fn log_no_other_way() {
    LOG_KEPT.store(true, Ordering::Relaxed);
}

/// Sets the signals' ordinary actions again, in a process that has no key to answer.
pub(crate) fn disarm() {
    alarm::cancel();
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in SIGNALS {
        // SAFETY: the ordinary action runs no code of ours.
        let _ = unsafe { sigaction(signal, &action) };
    }
    let_signals_through();
}

/// Moves the alarm: from now on `seconds` are left. A process that has a key and can't answer it then is killed.
pub(crate) fn set_limit(seconds: u32) {
    let seconds = seconds.max(1);
    alarm::set(seconds);
    if KEY.get().is_some() {
        kill_timer::set_after_alarm(seconds);
    }
}

/// Stops the alarm: what follows takes as long as it takes.
pub(crate) fn no_limit() {
    alarm::cancel();
    kill_timer::stop();
}

/// Until this goes, requests to end wait.
#[derive(Debug)]
#[must_use]
pub(crate) struct Held(SigSet);

impl Drop for Held {
    fn drop(&mut self) {
        // Only a wrong first argument makes it fail.
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.0), None);
    }
}

/// From now on requests to end wait, so that none comes between the start of a program and [`pass_on_to`].
pub(crate) fn hold_requests_to_end() -> Held {
    let mut before = SigSet::empty();
    let requests = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect();
    let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&requests), Some(&mut before));
    Held(before)
}

/// Until this goes, a request to end is passed on to a program.
#[derive(Debug)]
#[must_use]
pub(crate) struct PassedOn(());

impl Drop for PassedOn {
    fn drop(&mut self) {
        PROGRAM.store(0, Ordering::Relaxed);
    }
}

/// From now on a request to end is passed on to this process, or process group, which answers the key or leaves it to
/// whoever waits for its end. keyutils' `request-key` has become the program by then, and gets nothing itself.
pub(crate) fn pass_on_to(program: Pid) -> PassedOn {
    PROGRAM.store(program.as_raw(), Ordering::Relaxed);
    PassedOn(())
}

/// Takes the right to answer the key. `false` if a handler has it, which then ends the process.
///
/// From here on signals wait, so that none ends the process between its claim and the answer.
#[must_use]
pub(crate) fn claim() -> bool {
    // Only a wrong first argument makes it fail.
    let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&signals()), None);
    take()
}

/// The claim itself, which handlers make too.
fn take() -> bool {
    !CLAIMED.swap(true, Ordering::AcqRel)
}

/// Gives the right back: the key is not answered after all.
pub(crate) fn unclaim() {
    CLAIMED.store(false, Ordering::Release);
    let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&signals()), None);
}

fn signals() -> SigSet {
    SIGNALS.into_iter().collect()
}

/// The number of the system call that seccomp refused, where that is what the signal means (sigaction(2)).
fn refused_call(signal: c_int, info: *const libc::siginfo_t) -> Option<u32> {
    /// `si_code` of such a signal (linux/signal.h, `SYS_SECCOMP`).
    const BY_SECCOMP: c_int = 1;
    /// As the kernel has it: the common start, padding to a whole word, the address of the call, its number.
    #[repr(C)]
    struct Refusal {
        start: [c_int; 3],
        address: *const libc::c_void,
        number: c_int,
    }
    if signal != libc::SIGSYS || info.is_null() {
        return None;
    }
    // SAFETY: the kernel gives a handler with SA_SIGINFO a siginfo_t, which is larger than `Refusal`, as well
    // aligned, and any bytes are a value of it.
    let Refusal { start: [_, _, code], number, .. } = unsafe { info.cast::<Refusal>().read() };
    (code == BY_SECCOMP).then_some(number.unsigned_abs())
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let told_to_end = matches!(signal, libc::SIGTERM | libc::SIGINT | libc::SIGHUP | libc::SIGQUIT);
    let program = PROGRAM.load(Ordering::Relaxed);
    if told_to_end && program != 0 {
        let before = Libc::last_raw();
        // SAFETY: kill(2) is async-signal-safe and takes no pointer.
        unsafe { libc::kill(program, signal) };
        Libc::set_raw(before);
        return;
    }
    let crashed = !told_to_end && signal != libc::SIGALRM;
    let mut line = Line::new();
    // Facility daemon or authpriv, severity error (RFC 3164 §4.1.1).
    line.push(if AS_REQUEST_KEY.load(Ordering::Relaxed) {
        b"<83>request-key[".as_slice()
    } else {
        b"<27>key.dns_resolver["
    });
    line.number(std::process::id());
    line.push(b"]: ");
    let head = line.length;
    let mut status = i32::from(crashed);
    if let Some(key) = KEY.get() {
        line.push(b"key ");
        line.number(key.get().unsigned_abs());
        line.push(b": ");
    }
    line.push(match signal {
        libc::SIGALRM => b"not done in time".as_slice(),
        libc::SIGTERM | libc::SIGINT | libc::SIGHUP | libc::SIGQUIT => b"told to end",
        _ => b"crashed",
    });
    if let Some(number) = refused_call(signal, info) {
        line.push(b", by the system call ");
        line.number(number);
        line.push(b", which it has no need of");
    }
    line.push(b" (signal ");
    line.number(signal.unsigned_abs());
    line.push(b")");
    if take() {
        if let Some(key) = KEY.get() {
            match answer(*key) {
                Ok(answer) => {
                    line.push(match answer {
                        Rescue::Error => b"; answered with EAGAIN (11)".as_slice(),
                        Rescue::Rejection => b"; rejected with ENOKEY (126)",
                    });
                    status = 0;
                }
                Err(errno) => {
                    line.push(b"; it could not be answered: errno ");
                    line.number((errno as i32).unsigned_abs());
                    status = 1;
                }
            }
        } else {
            status = 1;
        }
        line.send(head);
    }
    // SAFETY: _exit(2) is async-signal-safe and takes no pointer.
    unsafe { libc::_exit(status) }
}

/// What a handler has put into the key.
enum Rescue {
    /// The error, as a payload.
    Error,
    /// A rejection.
    Rejection,
}

/// Instantiates the key with the error, or failing that rejects it.
fn answer(key: KeySerial) -> Result<Rescue, Libc> {
    const ERRNO: c_ulong = RejectErrno::ENOKEY.number() as c_ulong;
    let id = serial(key.get());
    // SAFETY: no pointers, but for PAYLOAD, which is static and as long as the length given.
    unsafe {
        let _ = raw(libc::KEYCTL_ASSUME_AUTHORITY, [id, 0, 0, 0]);
        let mut reject = REJECT.load(Ordering::Relaxed);
        if !reject {
            let _ = raw(libc::KEYCTL_SET_TIMEOUT, [id, LASTS, 0, 0]);
            let payload = [id, PAYLOAD.as_ptr() as c_ulong, PAYLOAD.len() as c_ulong, 0];
            reject = raw(libc::KEYCTL_INSTANTIATE, payload) < 0;
        }
        if reject && raw(libc::KEYCTL_REJECT, [id, LASTS, ERRNO, 0]) < 0 {
            return Err(Libc::last());
        }
        Ok(if reject { Rescue::Rejection } else { Rescue::Error })
    }
}

/// A line of text that needs no allocation.
struct Line {
    bytes: [u8; 200],
    length: usize,
}

impl Line {
    const fn new() -> Self {
        Self { bytes: [0; 200], length: 0 }
    }

    fn push(&mut self, text: &[u8]) {
        for (place, &byte) in self.bytes.iter_mut().skip(self.length).zip(text) {
            *place = byte;
            self.length += 1;
        }
    }

    fn number(&mut self, number: u32) {
        if number > 9 {
            self.number(number / 10);
        }
        let digit = u8::try_from(number % 10).unwrap_or_default();
        self.push(&[b'0' + digit]);
    }

    /// To `/dev/log`, or without the first `head` bytes (the syslog header) to stderr; never waits.
    fn send(&mut self, head: usize) {
        if TO_STDERR.load(Ordering::Relaxed) {
            self.push(b"\n");
            let text = self.bytes.get(head..self.length).unwrap_or_default();
            // SAFETY: the pointer and the length are those of a slice that outlives the call.
            unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
            return;
        }
        let text = self.bytes.get(..self.length).unwrap_or_default();
        let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        let connected = LOG.load(Ordering::Relaxed);
        // SAFETY: the pointer and the length are those of a slice that outlives the call. The descriptor is one of
        // ours, or -1, which fails.
        if unsafe { libc::send(connected, text.as_ptr().cast(), text.len(), flags) } >= 0 {
            return;
        }
        if LOG_KEPT.load(Ordering::Relaxed) {
            return;
        }
        let mut address = libc::sockaddr_un {
            sun_family: 1, // AF_UNIX
            sun_path: [0; 108],
        };
        for (place, &byte) in address.sun_path.iter_mut().zip(b"/dev/log") {
            *place = libc::c_char::from_ne_bytes([byte]);
        }
        // SAFETY: the address and its size, and the text and its length, belong together and outlive the
        // calls. A descriptor of -1 makes the later calls fail with EBADF.
        unsafe {
            let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
            let socket = libc::socket(libc::AF_UNIX, kind, 0);
            let size = libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).unwrap_or_default();
            if libc::connect(socket, (&raw const address).cast(), size) == 0 {
                libc::send(socket, text.as_ptr().cast(), text.len(), flags);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_its_end_and_holds_numbers_in_decimal() {
        let mut line = Line::new();
        line.number(1_073_741_824);
        assert_eq!(&line.bytes[..line.length], b"1073741824");
        line.push(&[b'x'; 500]);
        assert_eq!(line.length, 200);
    }

    #[test]
    fn only_a_call_that_seccomp_refused_is_told() {
        let told = |signal, code, number: c_int| {
            // After three numbers, and an address where an address may be: asm-generic/siginfo.h, `_sigsys`.
            let place = if cfg!(target_pointer_width = "64") { 6 } else { 4 };
            // SAFETY: zeros are a value of it, and the number of the call lies within it.
            let info = unsafe {
                let mut info: libc::siginfo_t = std::mem::zeroed();
                info.si_code = code;
                (&raw mut info).cast::<c_int>().add(place).write(number);
                info
            };
            refused_call(signal, &raw const info)
        };
        assert_eq!(told(libc::SIGSYS, 1, 59), Some(59));
        assert_eq!(told(libc::SIGSYS, 0, 59), None);
        assert_eq!(told(libc::SIGSEGV, 1, 59), None);
        assert_eq!(refused_call(libc::SIGSYS, std::ptr::null()), None);
    }
}
