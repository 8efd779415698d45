//! A process of a test's own, for what changes the whole process.

use std::env;
use std::process::{self, Command, Output};

/// Set in such a process, to what the test tells it.
const MARK: &str = "UPCALL_TEST_IN_OWN_PROCESS";

/// Runs `scene` in another process: this executable anew, which runs the test `name` alone and comes here again. What
/// it writes, and its status, are returned.
///
/// The scene's value is the exit status, if it comes to that.
pub(crate) fn in_own_process(name: &str, scene: impl FnOnce() -> i32) -> Output {
    if told().is_some() {
        process::exit(scene());
    }
    alone(name, "")
}

/// Runs the test `name` in another process, in which [`told`] has `message`.
pub(crate) fn alone(name: &str, message: &str) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(MARK, message);
    // Where a panic aborts, the harness runs each test in another process yet, unless it is told what this one was told.
    command.args(
        env::args().filter(|arg| ["-Zunstable-options", "--force-run-in-process"].contains(&arg.as_str())),
    );
    command.output().unwrap()
}

/// What this process was told by the test that it is part of, if it is one of a test's own.
pub(crate) fn told() -> Option<String> {
    env::var(MARK).ok()
}
