//! Requesting a key from the kernel, and the result.

use super::machine::{HELPER, KEYUTILS_HELPER, Machine};
use super::{run, until};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The errors that keys are answered with, in the words of strerror(3).
pub mod error {
    pub const ENODATA: &str = "No data available";
    pub const EAGAIN: &str = "Resource temporarily unavailable";
    pub const ECONNREFUSED: &str = "Connection refused";
    pub const EINVAL: &str = "Invalid argument";
}

/// The result of a `request_key()` call.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The contents of the key, or what reading it failed with (strerror(3)); a call that brings no key
    /// at all is `request_key: ` and the error.
    pub payload: Result<Vec<u8>, String>,
    /// The time that the key has left, as `/proc/keys` shows it: `59s`, `4m`, `perm`, `expd`.
    pub left: String,
    /// How long the call took.
    pub took: Duration,
}

impl Seen {
    /// The payload as text, which ends with a NUL in the key.
    #[track_caller]
    pub fn text(&self) -> String {
        match &self.payload {
            Ok(bytes) => String::from_utf8(bytes.clone()).expect("a payload that is text"),
            Err(error) => panic!("no payload: {error}"),
        }
    }

    /// The error on reading the key.
    #[track_caller]
    pub fn error(&self) -> &str {
        match &self.payload {
            Ok(bytes) => panic!("a payload where there should be none: {}", bytes.escape_ascii()),
            Err(error) => error,
        }
    }

    /// Seconds left; the kernel rounds minutes and more down.
    #[track_caller]
    pub fn seconds(&self) -> u64 {
        self.range().0
    }

    /// Fails the test unless the key was given this many seconds to live.
    ///
    /// One second is set as two: the first one ends with the second of the clock in which it began.
    #[track_caller]
    pub fn lasts(&self, seconds: u64) {
        let (least, most) = self.range();
        let seconds = seconds.max(2);
        // The kernel cuts to whole seconds when the timeout is set and again when it is shown.
        let gone = self.took.as_secs() + 2;
        assert!(
            least <= seconds && seconds.saturating_sub(gone) <= most,
            "{} left of {seconds} s, after {:?}",
            self.left,
            self.took
        );
    }

    /// Fails the test unless the answer is this text, for so many seconds.
    #[track_caller]
    pub fn is(&self, text: &str, seconds: u64) {
        assert_eq!(self.text(), text);
        self.lasts(seconds);
    }

    /// Fails the test unless the answer is this error, for so many seconds.
    #[track_caller]
    pub fn fails(&self, error: &str, seconds: u64) {
        assert_eq!(self.error(), error);
        self.lasts(seconds);
    }

    /// The least and the most seconds that may be left.
    #[track_caller]
    fn range(&self) -> (u64, u64) {
        if self.left == "expd" {
            return (0, 0);
        }
        let (number, unit) = self.left.split_at(self.left.len().saturating_sub(1));
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            "w" => 604_800,
            _ => panic!("{:?} is no time; {:?}", self.left, self.payload),
        };
        let least = number.parse::<u64>().unwrap() * factor;
        (least, least + factor - 1)
    }

    /// Whether the key was gone before it could be read, as one of a second soon is.
    fn missed(&self) -> bool {
        match &self.payload {
            Ok(_) => false,
            Err(error) => {
                let gone = error.trim_start_matches("request_key: ");
                gone == "Key has expired" || error == "Required key not available"
            }
        }
    }
}

/// The requester, and the request.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub key_type: &'a str,
    pub name: &'a [u8],
    pub callout: &'a [u8],
    /// The user who asks, by number.
    pub user: u32,
}

impl<'a> Ask<'a> {
    pub fn new(name: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { key_type: "dns_resolver", name: name.as_ref(), callout: b"", user: 0 }
    }

    /// Calls `keyctl request2 TYPE NAME CALLOUT @s` in a new session, and reads the key.
    ///
    /// A key with a lifetime of one second may be gone before it is read: see [`caught`].
    pub fn once(&self) -> Seen {
        const SCRIPT: &str = r#"
            if ! id=$(keyctl request2 "$1" "$2" "$3" @s); then
                # A negative key is linked as well.
                for id in $(keyctl rlist @s 2>/dev/null); do
                    grep "^$(printf %08x "$id") " /proc/keys >&2
                done
                exit
            fi
            keyctl pipe "$id"
            grep "^$(printf %08x "$id") " /proc/keys >&2"#;
        let user = self.user.to_string();
        let mut command = Command::new(if self.user == 0 { "keyctl" } else { "setpriv" });
        if self.user != 0 {
            command.args(["--reuid", &user, "--", "keyctl"]);
        }
        command.args(["session", "-", "/bin/sh", "-c", SCRIPT, "sh"]);
        command.arg(self.key_type).args([self.name, self.callout].map(OsStr::from_bytes));
        command.env("LC_ALL", "C");
        let start = Instant::now();
        let output = in_time(command);
        let took = start.elapsed();

        let messages = String::from_utf8_lossy(&output.stderr);
        let line = |word: &str| messages.lines().find(|line| line.starts_with(word));
        let payload = match (line("request_key: "), line("keyctl_read_alloc: ")) {
            (Some(failed), _) => Err(failed.to_owned()),
            (None, Some(failed)) => Err(failed.trim_start_matches("keyctl_read_alloc: ").to_owned()),
            (None, None) => Ok(output.stdout),
        };
        let keys = messages.lines().map(|line| line.split(' ').filter(|word| !word.is_empty()));
        let left = keys.filter_map(|mut words| {
            let hex = words.next()?;
            let serial = hex.len() == 8 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            words.nth(2).filter(|_| serial)
        });
        let left = left.map(str::to_owned).next().unwrap_or_else(|| "expd".to_owned());
        Seen { payload, left, took }
    }
}

/// The result of the first run of `ask` that is in time to see the key.
pub fn caught(mut ask: impl FnMut() -> Seen) -> Seen {
    let mut tries = 0;
    loop {
        let seen = ask();
        if !seen.missed() || tries == 20 {
            return seen;
        }
        tries += 1;
    }
}

/// Runs a command that the kernel may let wait for a helper forever.
fn in_time(mut command: Command) -> Output {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(command.output()));
    if let Ok(output) = receiver.recv_timeout(Duration::from_secs(60)) {
        return output.unwrap();
    }
    for helper in helpers() {
        // It may have exited by itself.
        let _ = signal::kill(Pid::from_raw(helper.cast_signed()), Signal::SIGKILL);
    }
    panic!("no answer in a minute");
}

/// What answers keys, as the executable of a process. A rule may be run in the process of `request-key` itself.
const PROGRAMS: [&str; 4] = [HELPER, KEYUTILS_HELPER, "/sbin/request-key", "/libexec/key-dns/request-key"];

/// The process ids of running helpers, without those that others run in mount namespaces of their own.
pub fn helpers() -> Vec<u32> {
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let ours = namespace("self");
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let is_helper = PROGRAMS.iter().any(|helper| program.ends_with(&helper[1..]));
        (is_helper && namespace(&pid.to_string()) == ours).then_some(pid)
    });
    processes.collect()
}

/// The process id of the one helper that runs. What else this machine may look up at the same time is waited for.
#[track_caller]
pub fn helper() -> u32 {
    let mut helpers = Vec::new();
    until(Duration::from_secs(2), || {
        helpers = self::helpers();
        helpers.len() == 1
    });
    assert_eq!(helpers.len(), 1, "helpers that run: {helpers:?}");
    helpers[0]
}

/// The process ID of the one helper, once it waits for something.
pub fn sleeping_helper() -> u32 {
    let mut asleep = 0;
    for _ in 0..1000 {
        thread::sleep(Duration::from_millis(20));
        let state =
            helpers().first().and_then(|helper| fs::read_to_string(format!("/proc/{helper}/stat")).ok());
        asleep = if state.is_some_and(|state| state.contains(") S ")) { asleep + 1 } else { 0 };
        if asleep == 10 {
            break;
        }
    }
    helper()
}

impl Machine {
    /// The rule for our keys: our helper with these arguments.
    pub fn arguments(&mut self, arguments: &str) {
        self.rule(&format!("create dns_resolver * * {HELPER} {arguments}"));
    }

    /// Requests a key of ours from the kernel.
    pub fn ask(&self, name: impl AsRef<[u8]>, callout: impl AsRef<[u8]>) -> Seen {
        caught(|| Ask { callout: callout.as_ref(), ..Ask::new(&name) }.once())
    }

    /// Requests a key of any type from the kernel.
    pub fn ask_for(&self, key_type: &str, name: impl AsRef<[u8]>, callout: impl AsRef<[u8]>) -> Seen {
        caught(|| Ask { key_type, callout: callout.as_ref(), ..Ask::new(&name) }.once())
    }

    /// The process ids of running helpers.
    pub fn helpers(&self) -> Vec<u32> {
        helpers()
    }
}
