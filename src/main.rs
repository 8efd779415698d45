//! The `key-dns` executable: one program, its face chosen by the name it is called under.

use std::process::ExitCode;

fn main() -> ExitCode {
    key_dns::run(std::env::args_os().collect())
}
