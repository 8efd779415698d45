//! What `/proc` shows of a helper that waits for a name server.

use nix::libc;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// What `/proc` has of the helper, while it waits for an answer.
pub struct Helper {
    pub pid: u32,
    status: String,
    limits: String,
    /// What they are of, sorted.
    pub descriptors: Vec<String>,
}

impl Helper {
    /// The one that confines itself once its query is out, and then waits in `epoll_wait(2)`; there may be none yet, and
    /// one that is done.
    #[track_caller]
    pub fn waiting() -> Self {
        let start = Instant::now();
        loop {
            let waiting: Vec<u32> = processes().filter(|&pid| waits(pid)).collect();
            match waiting.as_slice() {
                [] => {}
                [pid] => return Self::of(*pid),
                more => panic!("processes that wait: {more:?}"),
            }
            assert!(start.elapsed() < Duration::from_secs(20), "none waits");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn of(pid: u32) -> Self {
        let read = |file| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let folder = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let mut descriptors: Vec<String> =
            folder.map(|entry| fs::read_link(entry.unwrap().path()).unwrap().display().to_string()).collect();
        descriptors.sort();
        Self { pid, status: read("status"), limits: read("limits"), descriptors }
    }

    #[track_caller]
    pub fn value(&self, key: &str) -> String {
        let value = self.status.lines().find_map(|line| line.strip_prefix(&format!("{key}:")));
        let value = value.unwrap_or_else(|| panic!("no {key}")).trim().replace('\t', " ");
        println!("    {key}: {value}");
        value
    }

    /// The soft and the hard limit.
    #[track_caller]
    pub fn limit(&self, name: &str) -> [String; 2] {
        let line = self.limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let mut words = line.split_whitespace();
        let limit = [words.next().unwrap().to_owned(), words.next().unwrap().to_owned()];
        println!("    {name}: {limit:?}");
        limit
    }
}

/// Those that answer a key, as the helper or as `request-key`.
fn processes() -> impl Iterator<Item = u32> {
    // The kernel keeps 15 bytes of a name.
    let names = ["key.dns_resolver", "request-key"].map(|name| name.get(..15).unwrap_or(name));
    fs::read_dir("/proc").unwrap().filter_map(move |entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        names.contains(&name.trim_end()).then_some(pid)
    })
}

/// Whether a process waits in `epoll_wait(2)`.
fn waits(pid: u32) -> bool {
    // One that has ended has no file.
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split_whitespace().next().and_then(|number| number.parse().ok());
    // Newer architectures have the one call alone.
    #[cfg(target_arch = "x86_64")]
    let calls = [libc::SYS_epoll_wait, libc::SYS_epoll_pwait];
    #[cfg(not(target_arch = "x86_64"))]
    let calls = [libc::SYS_epoll_pwait];
    number.is_some_and(|number| calls.contains(&number))
}
