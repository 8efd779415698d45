//! The `key-dns` executable: one program, its face chosen by the name it is called under.
fn main() -> std::process::ExitCode {
    key_dns::face::run(std::env::args_os())
}
