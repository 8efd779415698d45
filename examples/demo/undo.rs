//! The demo's changes to the machine, undone at its end, whatever ends it.

use key::keyctl;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// One change to undo.
pub(crate) enum Step {
    /// Removes a directory and everything in it.
    RemoveFolder(PathBuf),
    /// Removes a file.
    RemoveFile(PathBuf),
    /// Drops a key from the kernel's cache.
    Invalidate(i32),
}

static STEPS: Mutex<Vec<Step>> = Mutex::new(Vec::new());

/// Records what to do at the end.
pub(crate) fn later(step: Step) {
    STEPS.lock().unwrap_or_else(PoisonError::into_inner).push(step);
}

/// Changes something, and records how to undo it. No signal is handled in between.
pub(crate) fn doing<T>(step: Step, change: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let mut steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    let changed = change()?;
    steps.push(step);
    Ok(changed)
}

/// Undoes everything, the latest change first. `false`, with the reason on stderr, if something remains.
pub(crate) fn put_back() -> bool {
    let mut steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = true;
    while let Some(step) = steps.pop() {
        let (what, done) = match step {
            Step::RemoveFolder(path) => (path.display().to_string(), fs::remove_dir_all(&path)),
            Step::RemoveFile(path) => (path.display().to_string(), fs::remove_file(&path)),
            Step::Invalidate(key) => (format!("key {key}"), invalidate(key)),
        };
        match done {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let _ = writeln!(io::stderr(), "can't remove {what}: {error}");
                all = false;
            }
            Ok(()) => {}
        }
    }
    all
}

/// Drops a key, unless that is unnecessary: it is gone, has expired, or is out of reach here, in the main thread's own
/// session keyring, which ends with the process.
fn invalidate(key: i32) -> io::Result<()> {
    let done = [Errno::ENOKEY, Errno::EKEYEXPIRED, Errno::EKEYREVOKED, Errno::EACCES];
    keyctl::invalidate(key).or_else(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(errno) if done.contains(&errno) => Ok(()),
        _ => Err(error),
    })
}

/// From now on a termination signal, or a panic, undoes everything first. Threads that are started later leave such
/// signals alone.
pub(crate) fn on_signals() {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    if signals.thread_block().is_ok() {
        std::thread::spawn(move || {
            let signal = signals.wait();
            if put_back() {
                let _ = writeln!(io::stderr(), "\nThe demo was told to end. Everything is as it was before.");
            }
            std::process::exit(signal.map_or(1, |signal| 128 + signal as i32));
        });
    }
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        put_back();
    }));
}
