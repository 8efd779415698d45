//! Touching mounts, each in a process of its own: one whose server is gone may hold whoever touches it for ever.

use nix::errno::Errno;
use nix::sys::stat::lstat;
use nix::sys::statfs::statfs;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The subcommand that touches one mount.
pub const SUBCOMMAND: &str = "probe-mount";
/// How long a mount may take. An NFS server under load takes tens of milliseconds.
pub const LIMIT: Duration = Duration::from_secs(3);
/// How many are touched at once.
const AT_ONCE: usize = 32;
const POLL: Duration = Duration::from_millis(2);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It answered.
    Answers(Duration),
    /// A call failed.
    Fails {
        /// Which call.
        call: String,
        /// With what.
        errno: Errno,
    },
    /// Nothing came; the process that waits was told to end.
    Silent {
        /// Its number.
        pid: u32,
    },
    /// It could not be tried.
    Untried(String),
}

/// What is to be touched, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path.
    pub path: PathBuf,
    /// Another user and group than ours: FUSE lets nobody but its owner in, not even root.
    pub user: Option<(u32, u32)>,
}

/// Touches all of them, and waits for at most [`LIMIT`] for each.
pub fn probe(targets: &[Target]) -> Vec<ProbeOutcome> {
    targets.chunks(AT_ONCE).flat_map(some).collect()
}

fn some(targets: &[Target]) -> Vec<ProbeOutcome> {
    let start = Instant::now();
    let mut waiting: Vec<State> = targets.iter().map(State::start).collect();
    while waiting.iter().any(|state| matches!(state, State::Running(_))) {
        let over = start.elapsed() >= LIMIT;
        for state in &mut waiting {
            state.look(start, over);
        }
        sleep(POLL);
    }
    let ended = waiting.into_iter().map(|state| match state {
        State::Ended(outcome) => outcome,
        State::Running(child) => ProbeOutcome::Silent { pid: child.id() },
    });
    ended.collect()
}

enum State {
    Running(Child),
    Ended(ProbeOutcome),
}

impl State {
    fn start(target: &Target) -> Self {
        // This executable, also where it was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(crate::child::OWN_NAME).arg(SUBCOMMAND).arg("--").arg(&target.path);
        if let Some((user, group)) = target.user {
            command.gid(group).uid(user);
        }
        let started = command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => Self::Running(child),
            Err(error) => Self::Ended(ProbeOutcome::Untried(format!("can't start a process: {error}"))),
        }
    }

    fn look(&mut self, start: Instant, over: bool) {
        let Self::Running(child) = self else { return };
        match child.try_wait() {
            Ok(Some(_)) => *self = Self::Ended(read(child, start.elapsed())),
            Ok(None) if over => {
                // One that waits uninterruptibly stays until that wait ends; nobody waits for it here.
                let _ = child.kill();
                *self = Self::Ended(ProbeOutcome::Silent { pid: child.id() });
            }
            Ok(None) => {}
            Err(error) => *self = Self::Ended(ProbeOutcome::Untried(error.to_string())),
        }
    }
}

/// What the process said: a line that always fits in its pipe.
fn read(child: &mut Child, took: Duration) -> ProbeOutcome {
    let mut said = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        let _ = pipe.read_to_string(&mut said);
    }
    let failed = || {
        let (call, errno) = said.trim().split_once(' ')?;
        Some(ProbeOutcome::Fails { call: call.to_owned(), errno: Errno::from_raw(errno.parse().ok()?) })
    };
    match said.trim() {
        "ok" => ProbeOutcome::Answers(took),
        _ => failed()
            .unwrap_or_else(|| ProbeOutcome::Untried("the process that tried it ended early".to_owned())),
    }
}

/// Touches the mount at `path`, which may take for ever, and says what came of it.
///
/// # Errors
/// Where that can't be written.
pub fn touch(path: &Path, mut out: impl io::Write) -> io::Result<()> {
    // The attributes of a root may be remembered; how full it is has to be asked of the server.
    let touched = statfs(path)
        .map_err(|errno| ("statfs", errno))
        .and_then(|_| lstat(path).map_err(|errno| ("lstat", errno)));
    match touched {
        Ok(_) => writeln!(out, "ok"),
        Err((call, errno)) => writeln!(out, "{call} {}", errno as i32),
    }
}

/// Where a path of another process is found from here.
#[must_use]
pub fn path_of(pid: Option<u32>, path: &Path) -> PathBuf {
    match pid {
        None => path.to_owned(),
        Some(pid) => {
            let mut whole = OsString::from(format!("/proc/{pid}/root"));
            whole.push(path);
            whole.into()
        }
    }
}
