//! What has to be in order before `main`.

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::libc;
use nix::sys::stat::Mode;
use std::os::fd::{BorrowedFd, IntoRawFd};

/// The C library calls it before `main`.
///
/// In an upcall the first three descriptors are closed. The standard library opens `/dev/null` in their place before
/// `main`, and gives up where there is none, as in a bare initramfs; the key would stay unanswered then.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = keep_standard_descriptors;

/// Opens something harmless in the place of a standard descriptor that is closed.
extern "C" fn keep_standard_descriptors() {
    for descriptor in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: the descriptor is only asked about, and may be closed.
        let standard = unsafe { BorrowedFd::borrow_raw(descriptor) };
        if fcntl(standard, FcntlArg::F_GETFD).is_err()
            // A folder can be neither read nor written. Not by O_PATH: poll(2), by which the standard library looks
            // whether the descriptor is open, would say that it is not.
            && let Ok(harmless) = open("/dev/null", OFlag::O_RDWR, Mode::empty())
                .or_else(|_| open("/", OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()))
        {
            // The lowest that is free is this one. It stays open to the end.
            let _ = harmless.into_raw_fd();
        }
    }
}
