//! The `key-dns` executable, which dispatches on `argv[0]`.

use std::process::ExitCode;

// musl's own allocator returns each larger block to the kernel at once: some forty system calls in one upcall.
#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: upcall::Memory = upcall::Memory::new();

fn main() -> ExitCode {
    key_dns::run(std::env::args_os().collect())
}
