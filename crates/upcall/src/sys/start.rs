//! What has to be in order before `main`.

use crate::sys::rescue;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::libc;
use nix::sys::stat::Mode;
use std::os::fd::{BorrowedFd, IntoRawFd, RawFd};

/// The C library calls it before `main`.
///
/// In an upcall the first three descriptors are closed. The standard library opens `/dev/null` in their place before
/// `main`, and gives up where there is none, as in a bare initramfs; the key would stay unanswered then. And a signal
/// would end the process before the handlers are set that answer the key, so signals wait until then.
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
    // SAFETY: the descriptor is only asked about, and may be closed.
    let standard = unsafe { BorrowedFd::borrow_raw(descriptor) };
    if fcntl(standard, FcntlArg::F_GETFD).is_ok() {
        return;
    }
    if descriptor == libc::STDIN_FILENO {
        rescue::hold_signals();
    }
    // A folder can be neither read nor written. Not by O_PATH: poll(2), by which the standard library looks whether the
    // descriptor is open, would say that it is not.
    if let Ok(harmless) = open("/dev/null", OFlag::O_RDWR, Mode::empty())
        .or_else(|_| open("/", OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()))
    {
        // The lowest that is free is this one. It stays open to the end.
        let _ = harmless.into_raw_fd();
    }
}
