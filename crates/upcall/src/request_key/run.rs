//! Runs a rule's program, and decides what counts as its answer.

use super::failure::RuleFailure;
use super::files::RuleLocation;
use super::macros::{Argument, MacroValues};
use super::rules::Program;
use crate::guard::Guard;
use crate::log::Log;
use crate::sys::rescue::PassedOn;
use crate::sys::{process, rescue};
use nix::errno::Errno as Libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// This executable.
const OWN: &str = "/proc/self/exe";
/// The time limit of a piped program, from its start to its exit.
pub(super) const PIPE_TIME: Duration = Duration::from_secs(60);
/// How long after that time limit the guard answers, should this process hang as well.
const LAST_RESORT: Duration = Duration::from_secs(10);
/// How long to wait for a killed program to end. One that waits uninterruptibly itself, say for a dead file server, ends
/// when that wait does.
const KILL_TIME: Duration = Duration::from_secs(1);
/// How long to wait for the messages of a piped program after it has exited and its output is closed.
const SLICE: Duration = Duration::from_millis(250);
/// How many lines of a piped program's standard error are logged, and how long one may be.
const LINES: usize = 50;
const LINE: usize = 512;

/// A program with its arguments expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its path.
    pub path: OsString,
    /// Its arguments, its own name first.
    pub args: Vec<OsString>,
}

impl Call {
    /// Expands the arguments of `program`. `contents` reads the key of a `%{TYPE:DESCRIPTION}`.
    ///
    /// # Errors
    /// If such a key does not exist, or is not text.
    pub fn new(
        program: &Program<'_>,
        values: &MacroValues<'_>,
        contents: impl Fn(&[u8], &[u8]) -> io::Result<Vec<u8>>,
    ) -> Result<Self, RuleFailure> {
        let mut args = vec![OsString::from_vec(program.name().to_vec())];
        for argument in program.arguments() {
            let text = values.expand(argument, |key_type, description| {
                let name = || [key_type, description].map(|part| part.escape_ascii().to_string()).join(":");
                let bytes = contents(key_type, description)
                    .map_err(|source| RuleFailure::Contents { name: name(), source })?;
                let printable = bytes.iter().all(|&byte| matches!(byte, b' '..=b'~'));
                if printable { Ok(bytes) } else { Err(RuleFailure::NotPrintable(name())) }
            })?;
            args.push(OsString::from_vec(text.into_owned()));
        }
        Ok(Self { path: OsString::from_vec(program.path.to_vec()), args })
    }

    /// As debug mode shows it.
    #[must_use]
    pub fn unexpanded(program: &Program<'_>, values: &MacroValues<'_>) -> Self {
        let contents = |key_type: &[u8], description: &[u8]| -> Result<_, std::convert::Infallible> {
            Ok([b"%{", key_type, b":", description, b"}"].concat())
        };
        let own = OsString::from_vec(program.name().to_vec());
        let args = program.arguments().map(|argument: Argument<'_>| {
            let Ok(text) = values.expand(argument, contents);
            OsString::from_vec(text.into_owned())
        });
        Self {
            path: OsString::from_vec(program.path.to_vec()),
            args: std::iter::once(own).chain(args).collect(),
        }
    }

    /// Starts the program, with the pipes and the process group of `command`. A termination signal is forwarded from
    /// its first moment on, to the process or group that `target` makes of its process ID.
    ///
    /// The guard's time limit holds until execve(2) has succeeded, which may wait for a file server. It is lifted then.
    fn start(
        &self,
        mut command: Command,
        target: fn(Pid) -> Pid,
        guard: &Guard,
    ) -> Result<(Child, PassedOn), RuleFailure> {
        let held = rescue::hold_requests_to_end();
        let child = process::start(&self.path, &self.args, &mut command).map_err(RuleFailure::Start)?;
        guard.no_deadline();
        let forwarding = rescue::pass_on_to(target(pid(&child)));
        drop(held);
        Ok((child, forwarding))
    }

    fn command(&self) -> Command {
        Command::new(&self.path)
    }
}

/// Whether `call` is this very executable: by device and inode, or as root's copy in the same directory.
///
/// Packages contain a copy, because security policies distinguish the two faces by their files. Where such a policy is
/// in force, the copy counts as another program, which runs under its own part of the policy.
#[must_use]
pub(super) fn is_this_executable(call: &Call) -> bool {
    let path = Path::new(&call.path);
    let (Ok(theirs), Ok(ours)) = (path.metadata(), Path::new(OWN).metadata()) else {
        return false;
    };
    if (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()) {
        return true;
    }
    let build = |facts: &Metadata| (facts.uid(), facts.size(), facts.mtime(), facts.mtime_nsec());
    build(&theirs) == build(&ours)
        && ours.uid() == 0
        && fs::read_link(OWN).is_ok_and(|own| own.parent() == path.parent())
        && !is_labelled(fs::read("/proc/self/attr/current"))
}

/// Whether a security module confines this process, by its attribute (proc_pid_attr(5)); otherwise AppArmor reports
/// `unconfined`, and without any module reading the attribute is invalid. If it may not be read, the process is
/// confined.
fn is_labelled(label: io::Result<Vec<u8>>) -> bool {
    match label {
        Ok(label) => !matches!(label.trim_ascii(), b"" | b"unconfined"),
        Err(error) => !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound),
    }
}

/// Runs a program that answers the key itself, and waits for it to exit.
///
/// It could also replace this process, but then nobody would be left to answer if it crashes, or exits without an
/// answer. Once it has started, it takes as long as it takes.
///
/// # Errors
/// If it can't be started.
pub(super) fn run(call: &Call, guard: &Guard) -> Result<ExitStatus, RuleFailure> {
    let (mut child, forwarding) = call.start(call.command(), |program| program, guard)?;
    // Until it is waited for, its process ID is its own, and a signal can't hit another process.
    while waitid(Id::Pid(pid(&child)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Libc::EINTR) {}
    drop(forwarding);
    child.wait().map_err(|source| RuleFailure::Internal { doing: "waiting for it", source })
}

/// The output of a piped program.
#[derive(Debug, Default)]
struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs a program that reads the callout info on its standard input and writes the payload, at most `limit` bytes, to
/// its standard output. Its time limit for all of that, once it has started, is `time`. Its standard error is logged with
/// `place`.
///
/// # Errors
/// If it can't be started, exits with a status other than 0 or not in time, or writes too much. It has then been
/// killed, with everything it started.
pub(super) fn pipe(
    call: &Call,
    callout: &[u8],
    limit: usize,
    time: Duration,
    place: &RuleLocation<'_>,
    guard: &Guard,
    log: &Log,
) -> Result<Vec<u8>, RuleFailure> {
    let mut command = call.command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    // To all of its group, which is its own.
    let (mut child, forwarding) = call.start(command, |program| Pid::from_raw(-program.as_raw()), guard)?;
    guard.set_limit(u32::try_from((time + LAST_RESORT).as_secs()).unwrap_or(u32::MAX));
    let mut output = Output::default();
    let deadline = Deadline::after(time);
    let outcome = converse(&mut child, callout, limit, &mut output, deadline)
        .and_then(|()| end_of(&mut child, deadline));
    let outcome = match outcome {
        // Its output may be incomplete: whoever still has the pipe could be a daemon, or be about to write.
        Err(RuleFailure::TimedOut(time)) if has_ended(&child) => Err(RuleFailure::HeldOpen(time)),
        outcome => outcome,
    };
    drop(forwarding);
    if outcome.is_err() {
        put_down(&mut child);
    }
    for complaint in complaints(&output.stderr) {
        log.info(format_args!("{place}: {complaint}"));
    }
    match outcome? {
        status if status.success() => Ok(output.stdout),
        status => Err(RuleFailure::Ended(status)),
    }
}

/// When a program must have exited.
#[derive(Clone, Copy)]
struct Deadline {
    end: Instant,
    time: Duration,
}

impl Deadline {
    /// `time` from now on.
    fn after(time: Duration) -> Self {
        Self { end: Instant::now() + time, time }
    }

    /// The remaining time.
    ///
    /// # Errors
    /// [`RuleFailure::TimedOut`] if none remains.
    fn left(self) -> Result<Duration, RuleFailure> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(RuleFailure::TimedOut(self.time)) } else { Ok(left) }
    }
}

/// Feeds the callout info in and reads the output until everyone who has it has closed it, as keyutils does.
///
/// Messages are not part of the payload: what a program leaves behind in the background may keep that pipe open.
fn converse(
    child: &mut Child,
    callout: &[u8],
    limit: usize,
    output: &mut Output,
    deadline: Deadline,
) -> Result<(), RuleFailure> {
    let mut stdin = child.stdin.take().filter(|_| !callout.is_empty());
    drop(child.stdin.take());
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let mut unsent = callout;
    let broken = |doing| move |source| RuleFailure::Internal { doing, source };
    while stdout.is_some() || stderr.is_some() {
        let left = deadline.left()?;
        let slice = if stdout.is_some() { left } else { left.min(SLICE) };
        let [input, out, err] = wait_for(stdin.as_ref(), stdout.as_ref(), stderr.as_ref(), slice)
            .map_err(|errno| broken("waiting for its output")(errno.into()))?;
        if stdout.is_none() && !err && has_ended(child) {
            return Ok(());
        }
        if input && let Some(pipe) = &mut stdin {
            unsent = unsent.get(feed(pipe, unsent)..).unwrap_or_default();
            if unsent.is_empty() {
                stdin = None;
            }
        }
        if out && take(&mut stdout, &mut output.stdout).map_err(broken("reading its output"))? {
            stdout = None;
        }
        if output.stdout.len() > limit {
            return Err(RuleFailure::TooMuch(limit));
        }
        if err {
            if take(&mut stderr, &mut output.stderr).map_err(broken("reading its messages"))? {
                stderr = None;
            }
            output.stderr.truncate(LINES * LINE);
        }
    }
    Ok(())
}

/// Which of the pipes are ready to be written or read; none if the time is over.
fn wait_for(
    stdin: Option<&impl AsFd>,
    stdout: Option<&impl AsFd>,
    stderr: Option<&impl AsFd>,
    time: Duration,
) -> nix::Result<[bool; 3]> {
    let mut ready = [false; 3];
    let mut fds = Vec::with_capacity(3);
    let mut places = Vec::with_capacity(3);
    let pipes = [
        (stdin.map(AsFd::as_fd), PollFlags::POLLOUT),
        (stdout.map(AsFd::as_fd), PollFlags::POLLIN),
        (stderr.map(AsFd::as_fd), PollFlags::POLLIN),
    ];
    for ((fd, events), place) in pipes.into_iter().zip(&mut ready) {
        if let Some(fd) = fd {
            fds.push(PollFd::new(fd, events));
            places.push(place);
        }
    }
    let timeout =
        PollTimeout::try_from(time.saturating_add(Duration::from_millis(1))).unwrap_or(PollTimeout::MAX);
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Libc::EINTR) => {}
        Err(errno) => return Err(errno),
    }
    for (fd, place) in fds.iter().zip(places) {
        *place = fd.any().unwrap_or(false);
    }
    Ok(ready)
}

/// Writes the first part of `unsent` to a pipe that is ready. Returns how much is done.
fn feed(pipe: &mut impl Write, unsent: &[u8]) -> usize {
    // A pipe accepts this much without blocking (pipe(7), PIPE_BUF).
    match pipe.write(unsent.get(..4096).unwrap_or(unsent)) {
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
        // The program need not read everything, or anything.
        Err(_) => unsent.len(),
    }
}

/// Reads what a pipe has; `true` at its end.
fn take(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<bool> {
    let Some(pipe) = pipe else {
        return Ok(true);
    };
    let mut buffer = [0; 4096];
    match pipe.read(&mut buffer) {
        Ok(0) => Ok(true),
        Ok(count) => {
            into.extend_from_slice(buffer.get(..count).unwrap_or_default());
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

/// The status of a program that has closed its output. It may still take a moment to exit.
fn end_of(child: &mut Child, deadline: Deadline) -> Result<ExitStatus, RuleFailure> {
    let mut pause = Duration::from_micros(50);
    while !has_ended(child) {
        std::thread::sleep(deadline.left()?.min(pause));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    child.wait().map_err(|source| RuleFailure::Internal { doing: "waiting for it", source })
}

/// Whether a program has exited. Its process ID is not reused before it is waited for.
fn has_ended(child: &Child) -> bool {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let state = waitid(Id::Pid(pid(child)), flags);
    // A child that no longer exists has exited as well.
    state.map_or_else(|errno| errno == Libc::ECHILD, |state| state != WaitStatus::StillAlive)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Kills a program and the rest of its process group. If it does not end, the key is not to wait for it: whoever adopts
/// it reaps it.
fn put_down(child: &mut Child) {
    // It may have exited by itself.
    let _ = killpg(pid(child), Signal::SIGKILL);
    let _ = end_of(child, Deadline::after(KILL_TIME));
}

/// What is logged of a program's standard error: one entry per line, escaped.
fn complaints(text: &[u8]) -> Vec<String> {
    let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let shown = |line: &[u8]| {
        let start = line.get(..LINE).unwrap_or(line);
        String::from_utf8_lossy(start).escape_debug().to_string()
    };
    let mut complaints: Vec<String> = lines.by_ref().take(LINES).map(shown).collect();
    if lines.next().is_some() {
        complaints.push("(more of this is not logged)".to_owned());
    }
    complaints
}

/// How many bytes a key of this type can hold, within the limit for a piped program's output.
#[must_use]
pub(super) fn largest_payload(key_type: &[u8]) -> usize {
    match key_type {
        // security/keys/big_key.c, big_key_preparse(), and KEYCTL_INSTANTIATE's own limit
        b"big_key" => (1 << 20) - 1,
        // The others take at most 32767 (security/keys/user_defined.c, user_preparse()).
        _ => 32767,
    }
}

#[cfg(test)]
mod tests;
