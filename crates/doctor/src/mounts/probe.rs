//! Probing mounts, each in a child process: a mount whose server is gone may block whatever touches it forever.

use crate::child;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::statfs::statfs;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The subcommand that probes one mount.
pub const SUBCOMMAND: &str = "probe-mount";
/// Time limit for one mount. An NFS server under load takes tens of milliseconds.
pub const LIMIT: Duration = Duration::from_millis(2500);
/// How many are touched at once.
const AT_ONCE: usize = 32;
const POLL: Duration = Duration::from_millis(2);
/// The first call that a mount may not answer.
const FIRST_CALL: &str = "statfs";
/// A number that the file system has for what is mounted, in the lines of the process that touches it.
const INODE: &str = "inode";

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It answered.
    Answers(Duration),
    /// A call failed.
    Fails {
        /// The call.
        call: String,
        /// Its error.
        errno: Errno,
    },
    /// Nothing happened; the waiting process was told to end.
    Silent {
        /// The call that did not return.
        call: String,
    },
    /// It could not be probed.
    Untried(String),
}

/// What is known of a mount after its probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The result.
    pub outcome: ProbeOutcome,
    /// Its inode number, as the kernel remembers it even if nobody answers any more.
    pub inode: Option<u64>,
}

impl Probed {
    fn untried(why: String) -> Self {
        Self { outcome: ProbeOutcome::Untried(why), inode: None }
    }
}

/// What to probe, and as which user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path.
    pub path: PathBuf,
    /// A user and group other than ours: FUSE lets nobody but its owner in, not even root.
    pub user: Option<(u32, u32)>,
}

/// Touches all of them, and waits for at most [`LIMIT`] for each. One that is `silent` is so without being touched.
pub fn probe(targets: &[Target], silent: impl Fn(&Target) -> bool) -> Vec<Probed> {
    targets.chunks(AT_ONCE).flat_map(|targets| some(targets, &silent)).collect()
}

fn some(targets: &[Target], silent: impl Fn(&Target) -> bool) -> Vec<Probed> {
    let start = Instant::now();
    let begin = |target| if silent(target) { State::silent() } else { State::start(target) };
    let mut waiting: Vec<State> = targets.iter().map(begin).collect();
    while waiting.iter().any(|state| matches!(state, State::Running(_))) {
        let over = start.elapsed() >= LIMIT;
        for state in &mut waiting {
            state.look(start, over);
        }
        sleep(POLL);
    }
    let ended = waiting.into_iter().map(|state| match state {
        State::Ended(probed) => probed,
        State::Running(_) => Probed::untried("it was abandoned".to_owned()),
    });
    ended.collect()
}

enum State {
    Running(Child),
    Ended(Probed),
}

impl State {
    fn silent() -> Self {
        Self::Ended(Probed { outcome: ProbeOutcome::Silent { call: FIRST_CALL.to_owned() }, inode: None })
    }

    fn start(target: &Target) -> Self {
        // This executable, also where it was replaced meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(child::OWN_NAME).arg(SUBCOMMAND).arg("--").arg(&target.path);
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
            Err(error) => Self::Ended(Probed::untried(format!("can't start a process: {error}"))),
        }
    }

    fn look(&mut self, start: Instant, over: bool) {
        let Self::Running(child) = self else { return };
        match child.try_wait() {
            Ok(Some(_)) => *self = Self::Ended(parse(&said(child), start.elapsed(), true)),
            Ok(None) if over => {
                let text = said(child);
                // A process that waits uninterruptibly stays until that wait ends; nothing here waits for it.
                let _ = child.kill();
                *self = Self::Ended(parse(&text, start.elapsed(), false));
            }
            Ok(None) => {}
            Err(error) => *self = Self::Ended(Probed::untried(error.to_string())),
        }
    }
}

/// What the process has said so far: lines that always fit into its pipe.
fn said(child: &mut Child) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        let flags = fcntl(&pipe, FcntlArg::F_GETFL).map(OFlag::from_bits_truncate);
        if flags.and_then(|flags| fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))).is_ok() {
            let _ = pipe.read_to_end(&mut bytes);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The meaning of its lines, whether or not it has `ended` by itself.
fn parse(text: &str, took: Duration, ended: bool) -> Probed {
    let number = |line: &str| line.strip_prefix(INODE)?.trim().parse().ok();
    let inode = text.lines().find_map(number);
    let words: Vec<&str> = text.lines().last().unwrap_or_default().split(' ').collect();
    let outcome = match (words.as_slice(), ended) {
        (["ok"], _) => ProbeOutcome::Answers(took),
        ([call, errno], true) if *call != INODE && errno.parse::<i32>().is_ok() => ProbeOutcome::Fails {
            call: (*call).to_owned(),
            errno: Errno::from_raw(errno.parse().unwrap_or_default()),
        },
        (_, true) => ProbeOutcome::Untried("the process that probed it exited early".to_owned()),
        ([call], false) if !call.is_empty() => ProbeOutcome::Silent { call: (*call).to_owned() },
        (_, false) => ProbeOutcome::Silent { call: "statx".to_owned() },
    };
    Probed { outcome, inode }
}

/// Probes the mount at `path` for the process that started this one, and writes the result to standard output.
///
/// # Errors
/// As for [`touch`].
pub fn touch_for_parent(path: &Path) -> io::Result<()> {
    child::end_with_parent();
    touch(path, io::stdout())
}

/// Probes the mount at `path`, which may hang forever, and reports each call before it is made, and its error.
///
/// # Errors
/// If that can't be written.
fn touch(path: &Path, mut out: impl io::Write) -> io::Result<()> {
    let facts = |sync: libc::c_int| {
        // rustix does not have these two for each architecture.
        let flags = AtFlags::from_bits_retain(sync.cast_unsigned());
        statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | flags, StatxFlags::BASIC_STATS)
    };
    if let Ok(facts) = facts(libc::AT_STATX_DONT_SYNC) {
        writeln!(out, "{INODE} {}", facts.stx_ino)?;
    }
    writeln!(out, "{FIRST_CALL}")?;
    out.flush()?;
    if let Err(errno) = statfs(path) {
        return writeln!(out, "statfs {}", errno as i32);
    }
    // The attributes of a root are cached, and a different server may know how full it is.
    writeln!(out, "statx")?;
    out.flush()?;
    match facts(libc::AT_STATX_FORCE_SYNC) {
        Ok(_) => writeln!(out, "ok"),
        Err(errno) => writeln!(out, "statx {}", errno.raw_os_error()),
    }
}

/// The path from here of a path of another process.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_probe_is_parsed() {
        let read = |text: &str, ended| {
            let Probed { outcome, inode } = parse(text, Duration::ZERO, ended);
            (outcome, inode)
        };
        let fails = |call: &str, errno| ProbeOutcome::Fails { call: call.to_owned(), errno };
        let silent = |call: &str| ProbeOutcome::Silent { call: call.to_owned() };
        assert_eq!(
            read("inode 7\nstatfs\nstatx\nok\n", true),
            (ProbeOutcome::Answers(Duration::ZERO), Some(7))
        );
        assert_eq!(read("inode 7\nstatfs\nstatfs 107\n", true), (fails("statfs", Errno::ENOTCONN), Some(7)));
        assert_eq!(read("statfs\nstatx\nstatx 116\n", true), (fails("statx", Errno::ESTALE), None));
        assert_eq!(read("inode 7\nstatfs\nstatx\n", false), (silent("statx"), Some(7)));
        assert_eq!(read("inode 7\nstatfs\n", false), (silent("statfs"), Some(7)));
        assert_eq!(read("", false), (silent("statx"), None));
        assert!(matches!(read("inode 7\n", true), (ProbeOutcome::Untried(_), Some(7))));
        assert!(matches!(read("", true), (ProbeOutcome::Untried(_), None)));
    }

    #[test]
    fn probing_a_directory_succeeds() {
        let mut said = Vec::new();
        touch(Path::new("/"), &mut said).unwrap();
        let text = String::from_utf8(said).unwrap();
        assert!(text.starts_with("inode ") && text.ends_with("\nstatfs\nstatx\nok\n"), "{text}");
    }
}
