//! System calls that no crate makes safely.

use nix::errno::Errno;
use nix::libc::{self, c_long};

/// A system call with up to four numbers. None of them is a pointer to anything that is written to.
pub fn call(number: c_long, [one, two, three, four]: [c_long; 4]) -> Result<c_long, Errno> {
    // SAFETY: those who call this give numbers, null pointers or addresses that are only read.
    Errno::result(unsafe { libc::syscall(number, one, two, three, four, 0, 0) })
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

/// Memory with these rights.
pub fn map(length: usize, rights: i32) -> Result<(), Errno> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping somewhere, which nobody uses.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), length, rights, flags, -1, 0) };
    if memory == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(()) }
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
