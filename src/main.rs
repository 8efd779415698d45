//! The `key-dns` executable: one program, its face chosen by the name it is called under.

use std::process::ExitCode;

// musl's own gives each larger piece to the kernel and asks for it back: some forty system calls in one upcall.
#[cfg(target_env = "musl")]
#[global_allocator]
static MEMORY: upcall::Memory = upcall::Memory::new();

fn main() -> ExitCode {
    key_dns::run(std::env::args_os().collect())
}
