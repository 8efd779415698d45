//! Processes of earlier looks that were told to end, and can't: a FUSE daemon that has taken a request, and does not answer
//! it, holds whoever asked (fs/fuse/dev.c, `request_wait_answer()`). A look that is repeated would add one each time.

use super::probe::{SUBCOMMAND, Target};
use crate::child::OWN_NAME;
use nix::unistd::geteuid;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A process that waits for a path.
#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    path: PathBuf,
    user: u32,
}

/// Those that there are now.
#[derive(Debug, Default)]
pub(super) struct LeftBehind(Vec<Waiting>);

impl LeftBehind {
    pub(super) fn look() -> Self {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        Self(processes.filter_map(|process| waiting(&process.path())).collect())
    }

    /// Whether one waits that was started as one for this target would be.
    pub(super) fn has(&self, target: &Target) -> bool {
        let user = target.user.map_or_else(|| geteuid().as_raw(), |(user, _)| user);
        self.0.iter().any(|waiting| waiting.path == target.path && waiting.user == user)
    }
}

/// What a process waits for, if it is one of these and sees the same mounts.
fn waiting(process: &Path) -> Option<Waiting> {
    process.file_name()?.to_str()?.parse::<u32>().ok()?;
    let path = path_of(&fs::read(process.join("cmdline")).ok()?)?;
    if !was_killed(&fs::read_to_string(process.join("status")).ok()?)
        || fs::read_link(process.join("ns/mnt")).ok()? != fs::read_link("/proc/self/ns/mnt").ok()?
    {
        return None;
    }
    Some(Waiting { path, user: fs::metadata(process).ok()?.uid() })
}

/// The path that a command line of ours has (`State::start` in `probe`).
fn path_of(command_line: &[u8]) -> Option<PathBuf> {
    let words: Vec<&[u8]> = command_line.strip_suffix(b"\0")?.split(|&byte| byte == 0).collect();
    match words.as_slice() {
        [name, subcommand, b"--", path]
            if *name == OWN_NAME.as_bytes() && *subcommand == SUBCOMMAND.as_bytes() =>
        {
            Some(PathBuf::from(OsStr::from_bytes(path)))
        }
        _ => None,
    }
}

/// Whether SIGKILL is pending for a process (proc_pid_status(5)): it waits uninterruptibly, or will in a moment, as on a busy
/// machine it may not have run since.
fn was_killed(status: &str) -> bool {
    const SIGKILL: u64 = 1 << (9 - 1);
    ["SigPnd:", "ShdPnd:"].iter().any(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & SIGKILL != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_process_is_recognized_by_its_command_line() {
        let path = |line: &[u8]| path_of(line);
        assert_eq!(path(b"key-dns\0probe-mount\0--\0/mnt/a b\0"), Some(PathBuf::from("/mnt/a b")));
        assert_eq!(
            path(b"key-dns\0probe-mount\0--\0/mnt/\xff\0"),
            Some(OsStr::from_bytes(b"/mnt/\xff").into())
        );
        for other in [
            &b"key-dns\0probe-mount\0--\0"[..],
            b"key-dns\0doctor\0--\0/mnt\0",
            b"cat\0probe-mount\0--\0/mnt\0",
            b"key-dns\0probe-mount\0--\0/mnt\0/mnt\0",
            b"",
        ] {
            assert_eq!(path(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_probe_is_left_behind_if_it_was_killed_and_still_waits() {
        let status = |state: &str, own: &str, shared: &str| {
            was_killed(&format!("Name:\tkey-dns\nState:\t{state}\nSigPnd:\t{own}\nShdPnd:\t{shared}\n"))
        };
        let (none, kill) = ("0000000000000000", "0000000000000100");
        assert!(status("D (disk sleep)", kill, kill));
        assert!(status("D (disk sleep)", none, kill));
        // One that has not run since.
        assert!(status("R (running)", none, kill));
        // One that has just begun.
        assert!(!status("D (disk sleep)", none, none));
        assert!(!was_killed(""));
    }
}
