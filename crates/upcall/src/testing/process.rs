//! A process of a test's own, for what changes the whole process.

use std::env;
use std::process::{self, Command, Output};

/// Set in such a process.
const MARK: &str = "UPCALL_TEST_IN_OWN_PROCESS";

/// Runs `scene` in another process: this executable anew, which runs the test `name` alone and comes here again. What
/// it writes to standard error, and its status, are returned.
///
/// The scene's value is the exit status, if it comes to that.
pub(crate) fn in_own_process(name: &str, scene: impl FnOnce() -> i32) -> Output {
    if env::var_os(MARK).is_some() {
        process::exit(scene());
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(MARK, "1");
    command.output().unwrap()
}
