//! The start of the process, in the place of the standard library's.
//!
//! That one reads `/proc/self/maps` for a guard against stack overflow, which is a tenth of all instructions of an
//! upcall, and gives up where there is no `/dev/null`; a key would stay unanswered then. What else it does is
//! done here: the first three descriptors are in use, a write to a closed pipe is an error instead of a signal,
//! and signal handlers have a stack of their own.

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::libc::{self, c_int};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::stat::Mode;
use std::cell::UnsafeCell;
use std::env::ArgsOs;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, IntoRawFd};
use std::process::ExitCode;

/// Defines the entry point of an executable: `main`, as the C library calls it.
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        // SAFETY: there is no other function of this name, and its type is one that C gives it.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn main() -> core::ffi::c_int {
            $crate::sys::start::run(|arguments| $run(arguments))
        }
    };
}

/// Runs the program with its arguments, and gives its exit status to the C library.
pub fn run(program: impl FnOnce(ArgsOs) -> ExitCode) -> c_int {
    keep_standard_descriptors();
    // SAFETY: a signal that is ignored runs no code of ours.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    set_signal_stack();
    let code = program(std::env::args_os());
    // What could not be written by now is nobody's to hear of.
    let _ = io::stdout().flush();
    // The number in an exit code can only be compared.
    (0..=u8::MAX).find(|&number| ExitCode::from(number) == code).map_or(1, c_int::from)
}

/// Opens `/dev/null` in the place of a standard descriptor that is closed, as all three are in an upcall. A file
/// opened later would be taken for it otherwise.
fn keep_standard_descriptors() {
    for descriptor in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: the descriptor is only asked about, and may be closed.
        let standard = unsafe { BorrowedFd::borrow_raw(descriptor) };
        if fcntl(standard, FcntlArg::F_GETFD).is_err()
            && let Ok(null) = open("/dev/null", OFlag::O_RDWR, Mode::empty())
        {
            // The lowest that is free is this one. It stays open to the end.
            let _ = null.into_raw_fd();
        }
    }
}

/// What a handler of ours needs, and what the kernel puts there (AVX-512 and later extensions included).
const STACK: usize = 1 << 15;

/// Memory for the stack of signal handlers, which only the kernel uses.
#[repr(align(16))]
struct Stack(UnsafeCell<[u8; STACK]>);

// SAFETY: no code of this program reads or writes it.
unsafe impl Sync for Stack {}

static SIGNAL_STACK: Stack = Stack(UnsafeCell::new([0; STACK]));

/// Gives signal handlers a stack that is there also when the program's own has overflowed.
fn set_signal_stack() {
    let stack = libc::stack_t { ss_sp: SIGNAL_STACK.0.get().cast(), ss_flags: 0, ss_size: STACK };
    // SAFETY: the memory is static, as long as is said, and used for nothing else; the old stack is not asked for.
    let _ = unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
}
