//! This machine, borrowed for a test: its request-key rules, its `/etc`, its kernel.
//!
//! Everything a test changes is put back when the [`Machine`] goes, also by a panic; and what a killed test run left
//! behind, before the next one begins.

use super::{executable, run, scratch};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where our rule expects the helper.
pub const HELPER: &str = "/usr/libexec/key-dns/key.dns_resolver";
/// What the kernel calls.
pub const UPCALL: &str = "/sbin/request-key";
/// The rules that are read last.
pub const RULES: &str = "/etc/request-key.conf";
/// The folder of the others.
pub const RULES_FOLDER: &str = "/etc/request-key.d";
/// Where rules go.
pub const RULE: &str = "/etc/request-key.d/dns_resolver.conf";
/// keyutils' helper.
pub const KEYUTILS_HELPER: &str = "/sbin/key.dns_resolver";

const STATE: &str = "/run/key-dns-tests";
const SETTINGS: &str = "/etc/keyutils/key.dns_resolver.conf";

static MACHINE: Mutex<()> = Mutex::new(());

/// The machine while a test has it.
pub struct Machine {
    _turn: MutexGuard<'static, ()>,
    _lock: fs::File,
    files: usize,
}

/// What a `request_key()` call brought.
#[derive(Debug)]
pub struct Seen {
    /// The contents of the key, or what reading it failed with (strerror(3)); a call that brings no key
    /// at all is `request_key: ` and the error.
    pub payload: Result<Vec<u8>, String>,
    /// The time that the key has left, as `/proc/keys` shows it: `59s`, `4m`, `perm`.
    pub left: String,
    /// How long the call took.
    pub took: Duration,
}

impl Seen {
    /// The payload as text.
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

    /// Seconds left; minutes and more are rounded down by the kernel.
    #[track_caller]
    pub fn seconds(&self) -> u64 {
        let (number, unit) = self.left.split_at(self.left.len() - 1);
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            "w" => 604_800,
            _ => panic!("{} is no time", self.left),
        };
        number.parse::<u64>().unwrap() * factor
    }
}

/// The errors that keys are answered with, in the words of strerror(3).
pub mod error {
    pub const ENODATA: &str = "No data available";
    pub const EAGAIN: &str = "Resource temporarily unavailable";
    pub const ECONNREFUSED: &str = "Connection refused";
    pub const EINVAL: &str = "Invalid argument";
}

/// Why this machine can't run such a test, if it can't.
fn obstacle() -> Option<String> {
    let id = run("id", &["-u"]);
    if id.stdout != b"0\n" {
        return Some("it needs root, to install a request-key rule".to_owned());
    }
    let missing: Vec<&str> = ["/sbin/request-key", "/bin/keyctl", KEYUTILS_HELPER]
        .into_iter()
        .filter(|path| !Path::new(path).exists())
        .collect();
    if !missing.is_empty() {
        return Some(format!("it needs keyutils: {} not found", missing.join(", ")));
    }
    if fs::read_link("/proc/self/ns/mnt").ok() != fs::read_link("/proc/2/ns/mnt").ok() {
        return Some("it must run in the initial mount namespace, where the kernel's upcall runs".to_owned());
    }
    let probe = run("keyctl", &["request", "dns_resolver", "key-dns-probe.invalid"]);
    if String::from_utf8_lossy(&probe.stderr).contains("Operation not supported") {
        return Some("the kernel has no dns_resolver keys".to_owned());
    }
    None
}

impl Machine {
    /// The machine for one test, with our helper installed, no settings, a hosts file with `localhost` alone, and
    /// names resolved by `files dns`; `None`, with the reason on stderr, where it can't be had. In CI, that fails.
    pub fn take() -> Option<Self> {
        let turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = obstacle() {
            assert!(std::env::var_os("CI").is_none(), "this test can't run: {reason}");
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
            return None;
        }
        fs::create_dir_all(STATE).unwrap();
        let lock = fs::File::create(Path::new(STATE).join("lock")).unwrap();
        lock.lock().unwrap();
        let mut machine = Self { _turn: turn, _lock: lock, files: 0 };
        machine.put_back();
        machine.program(HELPER, &executable());
        let rule = Path::new(env!("CARGO_MANIFEST_DIR")).join("request-key.d/dns_resolver.conf");
        machine.file(RULE, fs::read(rule).unwrap());
        machine.file("/etc/hosts", "127.0.0.1 localhost\n");
        machine.file("/etc/nsswitch.conf", "hosts: files dns\n");
        machine.file("/etc/resolv.conf", "");
        Some(machine)
    }

    /// Answers keys with keyutils' helper instead of ours.
    pub fn use_keyutils(&mut self) {
        self.rule(&format!("create dns_resolver * * {KEYUTILS_HELPER} %k"));
    }

    /// The one rule for our keys.
    pub fn rule(&mut self, rule: &str) {
        self.file(RULE, format!("{rule}\n"));
    }

    /// The helper's settings.
    pub fn settings(&mut self, text: impl AsRef<[u8]>) {
        self.file(SETTINGS, text);
    }

    /// The name servers, without search list and with one attempt of one second.
    pub fn name_servers(&mut self, addresses: &[&str]) {
        let mut text = "search .\noptions timeout:1 attempts:1\n".to_owned();
        for address in addresses {
            text.push_str(&format!("nameserver {address}\n"));
        }
        self.file("/etc/resolv.conf", text);
    }

    /// Gives the file at `path` these contents.
    pub fn file(&mut self, path: &str, contents: impl AsRef<[u8]>) {
        self.files += 1;
        let copy = PathBuf::from(STATE).join(format!("file{}", self.files));
        fs::write(&copy, contents).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).unwrap();
        self.shadow(path, &copy);
    }

    /// Puts a program at `path`.
    pub fn program(&mut self, path: &str, program: &Path) {
        self.files += 1;
        let copy = PathBuf::from(STATE).join(format!("program{}", self.files));
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        self.shadow(path, &copy);
    }

    /// Puts one program at all of these paths: one file under several names.
    pub fn one_program(&mut self, paths: &[&str], program: &Path) {
        self.files += 1;
        let copy = PathBuf::from(STATE).join(format!("program{}", self.files));
        fs::copy(program, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
        for path in paths {
            self.shadow(path, &copy);
        }
    }

    /// Lets our executable be what the kernel calls, and the helper, in one file.
    pub fn use_our_request_key(&mut self) {
        self.one_program(&[UPCALL, HELPER], &executable());
    }

    /// Takes the file or folder at `path` away.
    pub fn absent(&mut self, path: &str) {
        let aside = format!("{path}.key-dns-tests");
        self.undo(&format!("mv -f {aside} {path}"));
        assert!(run("mv", &["-f", path, &aside]).status.success());
    }

    /// Makes the folder of `path`, and takes both away at the end.
    pub fn absent_at_end(&mut self, path: &str) {
        let folder = Path::new(path).parent().unwrap();
        self.undo(&format!("rm -rf {}", folder.display()));
        fs::create_dir_all(folder).unwrap();
    }

    /// Makes a link at `path`, where there is nothing.
    pub fn link(&mut self, path: &str, target: &str) {
        self.undo(&format!("rm -f {path}"));
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Gives the file at `path` to this owner, with this mode.
    pub fn owner_and_mode(&mut self, path: &str, owner: u32, mode: u32) {
        std::os::unix::fs::chown(path, Some(owner), None).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Puts a script at `path`.
    pub fn script(&mut self, path: &str, text: &str) {
        let script = scratch("script");
        fs::write(&script, text).unwrap();
        self.program(path, &script);
    }

    /// Takes away what is at `path`.
    pub fn hide(&mut self, path: &str) {
        let aside = format!("{path}.key-dns-tests");
        self.undo(&format!("mv -f {aside} {path}"));
        fs::rename(path, &aside).unwrap();
    }

    /// Puts a pipe that nobody writes to at `path`: opening it never ends.
    pub fn stuck(&mut self, path: &str) {
        self.files += 1;
        let pipe = PathBuf::from(STATE).join(format!("pipe{}", self.files));
        assert!(run("mkfifo", &[pipe.to_str().unwrap()]).status.success());
        self.shadow(path, &pipe);
    }

    /// Listens at `/dev/log` in place of whoever does.
    pub fn syslog(&mut self) -> Syslog {
        let path = Path::new("/dev/log");
        if path.symlink_metadata().is_ok() {
            let aside = format!("{STATE}/log");
            self.undo(&format!("mv -f {aside} /dev/log"));
            assert!(run("mv", &["-f", "/dev/log", &aside]).status.success());
        }
        self.undo("rm -f /dev/log");
        Syslog(UnixDatagram::bind(path).unwrap())
    }

    /// Mounts `copy` over `path`, which is made first where there is none.
    fn shadow(&mut self, path: &str, copy: &Path) {
        let mut missing = Vec::new();
        let mut at = Path::new(path);
        while !at.exists() {
            missing.push(at.to_owned());
            at = at.parent().unwrap();
        }
        for folder in missing.iter().skip(1).rev() {
            self.undo(&format!("rmdir {}", folder.display()));
            fs::create_dir(folder).unwrap();
        }
        if !missing.is_empty() {
            self.undo(&format!("rm -f {path}"));
            fs::write(path, "").unwrap();
        }
        self.undo(&format!("umount -l {path}"));
        let copy = copy.to_str().unwrap();
        let mount = run("mount", &["--bind", copy, path]);
        assert!(mount.status.success(), "mount: {}", String::from_utf8_lossy(&mount.stderr));
    }

    /// Notes how to take back what is done next.
    fn undo(&self, command: &str) {
        let path = Path::new(STATE).join("undo");
        let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{command}").unwrap();
        file.sync_all().unwrap();
    }

    fn put_back(&mut self) {
        let path = Path::new(STATE).join("undo");
        let Ok(undo) = fs::read_to_string(&path) else {
            return;
        };
        for command in undo.lines().rev() {
            let done = run("sh", &["-c", command]);
            if !done.status.success() {
                eprintln!("{command}: {}", String::from_utf8_lossy(&done.stderr));
            }
        }
        fs::remove_file(path).unwrap();
        for entry in fs::read_dir(STATE).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "lock" {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Asks the kernel for a key, as `keyctl request2 dns_resolver NAME CALLOUT @s` in a new session, and
    /// reads it.
    pub fn ask(&self, name: impl AsRef<[u8]>, callout: &str) -> Seen {
        self.ask_for("dns_resolver", name, callout)
    }

    /// As [`Machine::ask`], for a key of any type.
    pub fn ask_for(&self, key_type: &str, name: impl AsRef<[u8]>, callout: &str) -> Seen {
        const SCRIPT: &str = r#"
            id=$(keyctl request2 "$3" "$1" "$2" @s 2>&1) || { echo "error $id"; exit; }
            grep "^$(printf %08x "$id") " /proc/keys | sed 's/^/key /'
            if bytes=$(keyctl pipe "$id" 2>&1 | od -An -v -tx1 | tr -d ' \n') && keyctl pipe "$id" >/dev/null 2>&1
            then echo "payload $bytes"
            else echo "error $(keyctl pipe "$id" 2>&1 >/dev/null)"
            fi"#;
        let name = std::ffi::OsStr::from_bytes(name.as_ref());
        let start = Instant::now();
        let output = Command::new("keyctl")
            .args(["session", "-", "/bin/sh", "-c", SCRIPT, "sh"])
            .arg(name)
            .arg(callout)
            .arg(key_type)
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let took = start.elapsed();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = |word: &str| text.lines().find_map(|line| line.strip_prefix(word));
        let left = line("key ").map(|key| key.split_whitespace().nth(3).unwrap().to_owned());
        let payload = match (line("payload "), line("error ")) {
            (Some(hex), _) => Ok(unhex(hex)),
            (None, Some(error)) => Err(match error.strip_prefix("keyctl_read_alloc: ") {
                Some(reading) => reading.to_owned(),
                None => error.to_owned(),
            }),
            (None, None) => panic!("keyctl said: {text} {}", String::from_utf8_lossy(&output.stderr)),
        };
        Seen { payload, left: left.unwrap_or_default(), took }
    }

    /// The process ids of running helpers.
    pub fn helpers(&self) -> Vec<u32> {
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            line.starts_with(HELPER.as_bytes()).then_some(pid)
        });
        processes.collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.put_back();
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// A listener at `/dev/log`.
pub struct Syslog(UnixDatagram);

impl Syslog {
    /// The next message; fails the test when none comes in three seconds.
    #[track_caller]
    pub fn next(&self) -> String {
        self.try_next(Duration::from_secs(3)).expect("a message in the log")
    }

    /// The next message, if one comes within `time`.
    pub fn try_next(&self, time: Duration) -> Option<String> {
        let mut buffer = [0; 65536];
        self.0.set_read_timeout(Some(time)).unwrap();
        let length = self.0.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }
}
