//! For the tests of all crates: a test that can't run here says so, and is counted at the end of `cargo test`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::sync::Mutex;
use std::{env, fs, thread};

/// What this process has said.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Reports on stderr which test can't run here, and why. In CI, that fails the test.
///
/// The last of the suites, `zzz_skipped`, counts all of them.
///
/// # Panics
/// In CI, and where the list of skipped tests can't be written.
#[track_caller]
pub fn skip(reason: &str) {
    assert!(env::var_os("CI").is_none(), "this test can't run: {reason}");
    let suite = suite();
    let thread = thread::current();
    // The harness gives a thread the name of its test, but with one thread for all of them.
    let test = thread.name().filter(|name| *name != "main").map_or_else(
        || format!("{suite}: line {}", std::panic::Location::caller().line()),
        |name| format!("{suite}: {name}"),
    );
    let line = format!("{reason}\t{test}\n");
    // A test that tries many inputs says it once.
    if !SAID.lock().unwrap().insert(line.clone()) {
        return;
    }
    // Not eprintln!, whose output the test harness hides if the test passes.
    let _ = writeln!(io::stderr(), "skipped: {test}: {reason}");
    let list = list();
    fs::create_dir_all(list.parent().unwrap()).unwrap();
    let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
    list.write_all(line.as_bytes()).unwrap();
}

/// The list of what was skipped by the `cargo test` that runs this suite: `REASON<tab>SUITE: TEST` in each line.
///
/// # Panics
/// If the executable is not where cargo puts tests.
#[must_use]
pub fn list() -> PathBuf {
    let parent = std::os::unix::process::parent_id();
    let executable = env::current_exe().unwrap();
    // PROFILE/deps/SUITE-HASH; what tests write goes to PROFILE/../tmp (CARGO_TARGET_TMPDIR).
    executable.ancestors().nth(3).unwrap().join("tmp").join(format!("skipped-{parent}"))
}

/// The name of the suite, or of the crate whose unit tests these are: its executable has that name, and a hash.
fn suite() -> String {
    let executable = env::current_exe().unwrap_or_default();
    let name = executable.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-').map_or(name.as_ref(), |(suite, _)| suite).to_owned()
}

/// Whether this host reaches itself; skips the test if not, as in a network namespace in which nothing is set up.
///
/// # Panics
/// As for [`skip`].
#[track_caller]
#[must_use]
pub fn has_loopback() -> bool {
    let reached = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.connect(socket.local_addr()?));
    if let Err(error) = &reached {
        skip(&format!("it needs the loopback interface: {error}"));
    }
    reached.is_ok()
}
