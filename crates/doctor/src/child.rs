//! Child processes that may never end, and can be abandoned.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use std::io::{self, PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The name under which this executable runs such a task.
pub(crate) const OWN_NAME: &str = "key-dns";
/// This executable, even if it has been replaced or deleted meanwhile.
const SELF: &str = "/proc/self/exe";
/// How often to check whether a process has ended, at first and at most.
const POLL: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// The outcome of such a process.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It ended in time.
    Done {
        /// Its exit status.
        status: ExitStatus,
        /// What it wrote to standard output.
        output: Vec<u8>,
        /// How long it took.
        took: Duration,
    },
    /// It did not end in time. It was told to end, and is not waited for any longer.
    Abandoned {
        /// Its process id.
        pid: u32,
    },
}

/// Whether standard error counts as output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// It is discarded.
    Drop,
    /// It is part of the output.
    Keep,
}

/// A command that runs this executable as `key-dns ARGS…`.
#[must_use]
pub(crate) fn this_program(args: &[&str]) -> Command {
    let mut command = Command::new(SELF);
    command.arg0(OWN_NAME).args(args);
    command
}

/// Makes this process, which is such a child, end when its parent does: nothing else would end it. Even for processes of
/// other users, root waits.
pub(crate) fn end_with_parent() {
    // If that fails, it ends once what it waits for does.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
}

/// Runs a command and waits at most `limit`. Its output must fit into a pipe (64 KiB).
///
/// # Errors
/// If it can't be started, or its output can't be read.
pub(crate) fn run(command: Command, limit: Duration) -> io::Result<Ended> {
    run_watching(command, limit, Errors::Drop, || {})
}

/// The same, calling `look` now and then while it runs.
///
/// # Errors
/// As for [`run`].
pub(crate) fn run_watching(
    mut command: Command,
    limit: Duration,
    errors: Errors,
    mut look: impl FnMut(),
) -> io::Result<Ended> {
    let start = Instant::now();
    let (reader, writer) = io::pipe()?;
    match errors {
        Errors::Keep => command.stderr(writer.try_clone()?),
        Errors::Drop => command.stderr(Stdio::null()),
    };
    let mut child = command.stdin(Stdio::null()).stdout(writer).spawn()?;
    // The write ends that the command holds.
    drop(command);
    let mut pause = POLL[0];
    loop {
        if let Some(status) = child.try_wait()? {
            let took = start.elapsed();
            return Ok(Ended::Done { status, output: output(reader)?, took });
        }
        if start.elapsed() >= limit {
            // A process that waits uninterruptibly stays until that wait ends; nothing here waits for it.
            let _ = child.kill();
            return Ok(Ended::Abandoned { pid: child.id() });
        }
        sleep(pause);
        pause = (pause * 2).min(POLL[1]);
        look();
    }
}

/// The output of a process that has ended. A child of its own could hold the pipe open, so only what is there is read.
fn output(mut pipe: PipeReader) -> io::Result<Vec<u8>> {
    let flags = OFlag::from_bits_truncate(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    let mut output = Vec::new();
    match pipe.read_to_end(&mut output) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: u64) -> Ended {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, Duration::from_millis(limit)).unwrap()
    }

    #[test]
    fn the_output_of_a_process_is_read_when_it_ends() {
        match sh("echo hello; exit 3", 10_000) {
            Ended::Done { status, output, .. } => {
                assert_eq!((status.code(), output.as_slice()), (Some(3), b"hello\n".as_slice()));
            }
            other @ Ended::Abandoned { .. } => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_process_that_does_not_end_is_abandoned() {
        assert!(matches!(sh("exec sleep 100", 50), Ended::Abandoned { .. }));
    }

    #[test]
    fn a_pipe_held_open_by_another_process_does_not_block() {
        let start = Instant::now();
        match sh("(exec sleep 60 2>&-) & echo hello", 10_000) {
            Ended::Done { output, .. } => assert_eq!(output, b"hello\n"),
            other @ Ended::Abandoned { .. } => panic!("{other:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
    }
}
