//! What the tests on a real machine share.

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// Methods of the machine need it to be held, whether or not they look at it.
#![allow(clippy::unused_self)]

pub mod asking;
pub mod debian;
pub mod machine;
pub mod nss;
pub mod schema;
pub mod syslog;
pub mod world;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The executable under test: what `KEY_DNS_EXECUTABLE` names, or the one that cargo has built with the tests.
pub fn executable() -> PathBuf {
    match std::env::var_os("KEY_DNS_EXECUTABLE") {
        Some(path) => std::fs::canonicalize(path).unwrap(),
        None => built_with_the_tests().join("key-dns"),
    }
}

/// The folder of cargo's profile, which the tests are built in too.
pub fn built_with_the_tests() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// Whether the executable under test needs no dynamic loader: it names none (PT_INTERP).
pub fn is_static() -> bool {
    let bytes = std::fs::read(executable()).unwrap();
    !bytes.windows(8).any(|window| window == b"/ld-linu" || window == b"/ld-musl")
}

/// Whether there is this compiler.
pub fn has_compiler(compiler: &str) -> bool {
    Command::new(compiler).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Where the tests may write.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// Says on stderr why a test can't run here. In CI, that fails it.
#[track_caller]
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "this test can't run: {reason}");
    // Not by eprintln!, which the test harness keeps to itself where the test passes.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// What a run of a program that prints text ended with.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Its output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command that prints text to its end.
pub fn finish(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command to its end.
pub fn run(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Output {
    let program = program.as_ref();
    let output = Command::new(program).args(args).output();
    output.unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}
