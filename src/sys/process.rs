//! Processes that are started by us and must not share our rights.

use super::keyctl::raw;
use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The user and group that own nothing (nobody, nogroup).
const NOBODY: u32 = 65534;

/// Sees to it that the command runs with no rights: as nobody without groups or capabilities, unable to gain
/// any, with no descriptor but the first three, in a session keyring of its own without authority over our
/// key, and that it ends when we do.
///
/// Where we are not root ourselves, there are no rights to drop, and the user stays.
pub fn without_rights(command: &mut Command) {
    if geteuid().is_root() {
        // The standard library drops the groups as well, where it sets a user.
        command.gid(NOBODY).uid(NOBODY);
    }
    // SAFETY: between fork and exec the closure makes system calls only; it neither allocates nor takes a
    // lock.
    unsafe { command.pre_exec(confine) };
}

fn confine() -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    prctl::set_no_new_privs()?;
    // SAFETY: close_range(2) takes no pointer; descriptors are only marked, and used by nobody here after exec.
    // A kernel without it (before 5.11) leaves those that are not marked already, as all of ours are.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    // SAFETY: no pointers: authority over no key, and a new anonymous session keyring.
    unsafe {
        raw(libc::KEYCTL_ASSUME_AUTHORITY, [0; 4]);
        if raw(libc::KEYCTL_JOIN_SESSION_KEYRING, [0; 4]) < 0 && Errno::last() != Errno::ENOSYS {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
