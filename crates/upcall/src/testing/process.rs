//! A process of a test's own, for tests that change the whole process.

use std::env;
use std::process::{self, Command, Output};

/// Set in such a process to the message from the test.
const MARK: &str = "UPCALL_TEST_IN_OWN_PROCESS";

/// Runs `scene` in another process: this executable, which runs only the test `name` and gets here again. Returns its
/// output and its status.
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
    // If a panic aborts, the harness runs each test in yet another process, unless it is told what this one was told.
    command.args(
        env::args().filter(|arg| ["-Zunstable-options", "--force-run-in-process"].contains(&arg.as_str())),
    );
    command.output().unwrap()
}

/// The message from the test that this process belongs to, if it belongs to one.
pub(crate) fn told() -> Option<String> {
    env::var(MARK).ok()
}
