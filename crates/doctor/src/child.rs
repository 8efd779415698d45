//! Something that may never come back, done in a process that can be left behind.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use std::io::{self, PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The name that this executable is called under to do what is asked of it.
pub(crate) const OWN_NAME: &str = "key-dns";
/// This executable, also where it was replaced or deleted meanwhile.
const SELF: &str = "/proc/self/exe";
/// How often to look whether a process has ended, at first and at most.
const POLL: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// How such a process ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// In time.
    Done {
        /// Its exit status.
        status: ExitStatus,
        /// What it wrote to standard output.
        output: Vec<u8>,
        /// How long it took.
        took: Duration,
    },
    /// Not within the limit. It was told to end and is waited for no longer.
    Abandoned {
        /// Its process id.
        pid: u32,
    },
}

/// Whether what is written to standard error counts as output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// It is lost.
    Drop,
    /// It is part of the output.
    Keep,
}

/// This executable, to be run as `key-dns ARGS…`.
#[must_use]
pub(crate) fn this_program(args: &[&str]) -> Command {
    let mut command = Command::new(SELF);
    command.arg0(OWN_NAME).args(args);
    command
}

/// Has this process, which is such a one, end when the one that waits for it does: nobody else would end it. Root waits for
/// processes of other users, too.
pub(crate) fn end_with_parent() {
    // Where it fails, it ends once what it waits for does.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
}

/// Runs a command and waits for at most `limit`. Its output must fit in a pipe (64 KiB).
///
/// # Errors
/// Where it can't be started, or its output not be read.
pub(crate) fn run(command: Command, limit: Duration) -> io::Result<Ended> {
    run_watching(command, limit, Errors::Drop, || {})
}

/// The same, calling `look` every now and then while it runs.
///
/// # Errors
/// As [`run`].
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
    // The writing ends that the command holds.
    drop(command);
    let mut pause = POLL[0];
    loop {
        if let Some(status) = child.try_wait()? {
            let took = start.elapsed();
            return Ok(Ended::Done { status, output: output(reader)?, took });
        }
        if start.elapsed() >= limit {
            // One that waits uninterruptibly stays until that wait ends; nobody waits for it here.
            let _ = child.kill();
            return Ok(Ended::Abandoned { pid: child.id() });
        }
        sleep(pause);
        pause = (pause * 2).min(POLL[1]);
        look();
    }
}

/// What a process that has ended wrote. A process of its own that lives on could hold the pipe open, so no more is
/// read than what is there.
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
    fn what_a_process_says_is_read_when_it_ends() {
        match sh("echo hello; exit 3", 10_000) {
            Ended::Done { status, output, .. } => {
                assert_eq!((status.code(), output.as_slice()), (Some(3), b"hello\n".as_slice()));
            }
            other @ Ended::Abandoned { .. } => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_process_that_does_not_end_is_left_behind() {
        assert!(matches!(sh("exec sleep 100", 50), Ended::Abandoned { .. }));
    }

    #[test]
    fn a_pipe_that_someone_else_holds_open_is_not_waited_for() {
        match sh("(exec sleep 2 2>&-) & echo hello", 10_000) {
            Ended::Done { output, took, .. } => {
                assert_eq!(output, b"hello\n");
                assert!(took < Duration::from_secs(2), "{took:?}");
            }
            other @ Ended::Abandoned { .. } => panic!("{other:?}"),
        }
    }
}
