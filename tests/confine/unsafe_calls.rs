//! System calls that no crate makes safely.

use nix::errno::Errno;
use nix::libc::{self, c_long};
use std::os::fd::{FromRawFd, OwnedFd};

/// A system call with up to six numbers. What is written to of them is in the room of a `World`, if anything.
pub fn call(number: c_long, [one, two, three, four, five, six]: [c_long; 6]) -> Result<c_long, Errno> {
    // SAFETY: those who call this give numbers, null pointers, addresses that are only read, or those of room that is made
    // for it and holds any bytes.
    Errno::result(unsafe { libc::syscall(number, one, two, three, four, five, six) })
}

/// A descriptor that was just opened.
pub fn own(number: c_long) -> OwnedFd {
    // SAFETY: those who call this have it from the kernel, and nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(i32::try_from(number).unwrap()) }
}

/// A process that ends at once.
pub fn fork() -> Result<(), Errno> {
    // SAFETY: the child makes no call but the one that ends it.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => nix::sys::wait::waitpid(child, None).map(drop),
        // SAFETY: it takes no pointer.
        nix::unistd::ForkResult::Child => unsafe { libc::_exit(0) },
    }
}

/// Memory with these rights: where it is.
pub fn map(length: usize, rights: i32) -> Result<c_long, Errno> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping somewhere, which nobody uses.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), length, rights, flags, -1, 0) };
    if memory == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(memory as c_long) }
}

/// `getpid(2)` by way of the 32-bit entry.
#[cfg(target_arch = "x86_64")]
pub fn by_32_bit_entry() -> Result<(), Errno> {
    let mut result: u64 = 20;
    // SAFETY: the call changes nothing but its result; the entry takes r8 to r11 for its own.
    unsafe {
        std::arch::asm!("int 0x80", inlateout("rax") result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    if result == u64::from(std::process::id()) { Ok(()) } else { Err(Errno::ENOSYS) }
}
