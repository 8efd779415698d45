//! Child processes that must not share our rights.

use crate::sys::rescue;
use crate::sys::user::become_nobody;
use key::keyctl::raw;
use nix::errno::Errno;
use nix::libc::{self, c_char};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::{ForkResult, Pid, fork, setpgid};
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// CPU seconds for a program that such a process starts.
const TIME: rlim_t = 10;
/// Memory for it.
const MEMORY: rlim_t = 1 << 30;

/// Starts a copy of this process that does `work` and exits. It has no rights: it has a UID of its own, so nobody else
/// can trace or stop it, no groups or capabilities, no way to gain any, no descriptors but the first three and `kept`,
/// and a process group and a session keyring of its own without authority over our key.
///
/// If we are not root ourselves, or root of a user namespace that has no such UID, there are no rights to drop, and the
/// user stays.
///
/// # Errors
/// If no process can be started.
pub(crate) fn apart(kept: OwnedFd, work: impl FnOnce(OwnedFd)) -> io::Result<Pid> {
    // SAFETY: this process has one thread, so the copy is complete, and may do anything.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            if shed(&kept).is_ok() {
                work(kept);
            }
            // SAFETY: _exit(2) takes no pointer. What the original has to do at its exit is not for the copy to do.
            unsafe { libc::_exit(1) }
        }
    }
}

fn shed(kept: &OwnedFd) -> io::Result<()> {
    rescue::disarm();
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    let kept = kept.as_raw_fd().unsigned_abs();
    // SAFETY: close_range(2) takes no pointer; the descriptors are now another process's, except for the one that is
    // kept. A kernel without it (before 5.9) leaves them open here; programs don't inherit them, because all are
    // close-on-exec.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, kept.saturating_sub(1), 0);
        libc::syscall(libc::SYS_close_range, kept.saturating_add(1), u32::MAX, 0);
    }
    // SAFETY: no pointers: authority over no key, and a new anonymous session keyring.
    unsafe {
        let _ = raw(libc::KEYCTL_ASSUME_AUTHORITY, [0; 4]);
        if raw(libc::KEYCTL_JOIN_SESSION_KEYRING, [0; 4]) < 0 && Errno::last() != Errno::ENOSYS {
            return Err(io::Error::last_os_error());
        }
    }
    prctl::set_no_new_privs()?;
    match become_nobody() {
        // Root of a user namespace without such a user has no rights outside of it.
        Err(Errno::EINVAL) => {}
        became => became?,
    }
    // Until it executes something, even if the host is configured otherwise (/proc/sys/fs/suid_dumpable).
    prctl::set_dumpable(false)?;
    Ok(())
}

/// Receives a message from a socket of this process, with the descriptor that comes with it. Of several, the first.
///
/// # Errors
/// As for `recvmsg(2)`.
pub(crate) fn receive(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = nix::cmsg_space!([i32; 1]);
    let mut parts = [IoSliceMut::new(buffer)];
    let socket = socket.as_fd().as_raw_fd();
    let received = recvmsg::<()>(socket, &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut descriptor = None;
    for message in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = message {
            for number in numbers {
                // SAFETY: the kernel has just opened it for us, and nobody else knows of it.
                let received = unsafe { OwnedFd::from_raw_fd(number) };
                descriptor.get_or_insert(received);
            }
        }
    }
    Ok((received.bytes, descriptor))
}

/// The arguments in the form that execv(3) takes: pointers, with a null at the end.
struct Arguments {
    pointers: Vec<*const c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers are to strings that the value itself owns and nobody changes.
unsafe impl Send for Arguments {}
// SAFETY: as above.
unsafe impl Sync for Arguments {}

impl Arguments {
    fn new(words: &[OsString]) -> io::Result<Self> {
        let strings =
            words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let pointers = strings.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect();
        Ok(Self { pointers, _strings: strings })
    }
}

/// Starts a rule's program by this path, with these arguments, its name first; of `command`, only the pipes and the
/// process group are used.
///
/// The program finds SIGPIPE ignored, as under keyutils' `request-key`, and is killed if this process ends first:
/// nobody else would wait for it, and the kernel gives the key up.
///
/// # Errors
/// If it can't be started. A file in no executable format is not run by a shell, as execvp(3) would.
pub(crate) fn start(path: &OsStr, words: &[OsString], command: &mut Command) -> io::Result<Child> {
    let path = CString::new(path.as_bytes())?;
    let arguments = Arguments::new(words)?;
    let execute = move || {
        prepare()?;
        let arguments = &arguments;
        // SAFETY: the path and the arguments end with a NUL, the pointers with a null, and all outlive the call.
        unsafe { libc::execv(path.as_ptr(), arguments.pointers.as_ptr()) };
        Err(io::Error::last_os_error())
    };
    // SAFETY: between fork and exec the closure makes system calls only; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(execute) };
    command.spawn()
}

/// Sends a signal to one thread of this process.
#[cfg(test)]
pub(crate) fn signal_thread(thread: Pid, signal: Signal) {
    // SAFETY: tgkill(2) takes no pointer.
    let result =
        unsafe { libc::syscall(libc::SYS_tgkill, Pid::this().as_raw(), thread.as_raw(), signal as i32) };
    assert_eq!(result, 0);
}

fn prepare() -> io::Result<()> {
    // Termination signals are blocked until now. One that came meanwhile is for the program, not for our handlers.
    rescue::disarm();
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let ignored = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: an ignored signal runs none of our code.
    unsafe { sigaction(Signal::SIGPIPE, &ignored) }?;
    Ok(())
}

/// Makes the command end with the thread that starts it, and limits its resources.
pub(crate) fn bounded(command: &mut Command) {
    // SAFETY: between fork and exec the closure makes system calls only; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(bound) };
}

fn bound() -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    for (resource, limit) in
        [(Resource::RLIMIT_CORE, 0), (Resource::RLIMIT_CPU, TIME), (Resource::RLIMIT_AS, MEMORY)]
    {
        let limit = limit.min(getrlimit(resource)?.1);
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}
