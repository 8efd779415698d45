//! What has to be in order before `main`.

use crate::sys::rescue;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::libc;
use nix::sys::stat::Mode;
use std::os::fd::{BorrowedFd, IntoRawFd, RawFd};

/// The C library calls it before `main`.
///
/// In an upcall the first three descriptors are closed. The standard library opens `/dev/null` in their place before
/// `main`, and aborts if there is none, as in a bare initramfs; the key would then stay unanswered. And a signal would
/// end the process before the handlers that answer the key are installed, so signals are blocked until then.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

extern "C" fn before_main() {
    for descriptor in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        keep_standard_descriptor(descriptor);
    }
}

/// Opens something harmless in the place of a standard descriptor that is closed.
fn keep_standard_descriptor(descriptor: RawFd) {
    // SAFETY: the descriptor is only queried, and may be closed.
    let standard = unsafe { BorrowedFd::borrow_raw(descriptor) };
    if fcntl(standard, FcntlArg::F_GETFD).is_ok() {
        return;
    }
    if descriptor == libc::STDIN_FILENO {
        rescue::hold_signals();
    }
    // A directory can be neither read nor written. O_PATH would not do: poll(2), with which the standard library checks
    // whether the descriptor is open, would report it as closed.
    if let Ok(harmless) = open("/dev/null", OFlag::O_RDWR, Mode::empty())
        .or_else(|_| open("/", OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()))
    {
        // The lowest free descriptor is this one. It stays open until the end.
        let _ = harmless.into_raw_fd();
    }
}
