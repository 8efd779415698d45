//! This machine, borrowed for a test: its request-key rules, its `/etc`, its kernel.
//!
//! Everything a test changes is restored when the [`Machine`] is dropped, even by a panic; and what a killed test run
//! left behind, before the next one begins.

#[allow(unused_imports)]
pub use super::asking::{Seen, error};
use super::initial::{has_the_kernel_s_root, in_initial_namespaces};
use super::syslog::{self, Syslog};
use super::{copy_program, executable, run, scratch, skip, usual_umask};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where our rule expects the helper.
pub const HELPER: &str = "/usr/libexec/key-dns/key.dns_resolver";
/// The program that the kernel runs.
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
/// The helper's settings.
pub const SETTINGS: &str = "/etc/keyutils/key.dns_resolver.conf";

static MACHINE: Mutex<()> = Mutex::new(());

/// The machine, while a test has it.
pub struct Machine {
    _turn: MutexGuard<'static, ()>,
    _lock: fs::File,
    files: usize,
    /// What was mounted where since the last mark, in order.
    last: Vec<(String, PathBuf)>,
    /// The paths that were taken away.
    away: Vec<PathBuf>,
    /// The machine's own rule files, and their content.
    pub others_rules: Vec<(PathBuf, Vec<u8>)>,
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
    if !in_initial_namespaces() {
        return Some("it must run in the initial namespaces, where the kernel's upcall runs".to_owned());
    }
    if !has_the_kernel_s_root() {
        return Some("it must run from the kernel's root directory, not in a chroot".to_owned());
    }
    let load = || std::process::Command::new("modprobe").arg("dns_resolver").status();
    if !Path::new("/sys/module/dns_resolver").exists() && !load().is_ok_and(|status| status.success()) {
        return Some("the kernel has no dns_resolver keys".to_owned());
    }
    None
}

impl Machine {
    /// The machine for one test, with our helper installed, no settings, a hosts file with only `localhost`, and names
    /// resolved by `files dns`; `None`, with the reason on stderr, if it can't be had. In CI, that fails.
    pub fn take() -> Option<Self> {
        let mut machine = Self::take_as_it_is()?;
        machine.program(HELPER, &executable());
        let rule = Path::new(env!("CARGO_MANIFEST_DIR")).join("request-key.d/dns_resolver.conf");
        machine.only_rules(&fs::read(rule).unwrap());
        machine.file("/etc/hosts", "127.0.0.1 localhost\n");
        machine.file("/etc/nsswitch.conf", "hosts: files dns\n");
        machine.file("/etc/resolv.conf", "");
        Some(machine)
    }

    /// The machine, with nothing changed yet.
    pub fn take_as_it_is() -> Option<Self> {
        let turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = obstacle() {
            skip(&reason);
            return None;
        }
        usual_umask();
        fs::create_dir_all(STATE).unwrap();
        let lock = fs::File::create(Path::new(STATE).join("lock")).unwrap();
        lock.lock().unwrap();
        let mut machine = Self {
            _turn: turn,
            _lock: lock,
            files: 0,
            last: Vec::new(),
            away: Vec::new(),
            others_rules: Vec::new(),
        };
        machine.put_back();
        Some(machine)
    }

    /// Replaces what is at `path` by a separate file, which commands can then change, move and remove.
    pub fn replace(&mut self, path: &str, contents: impl AsRef<[u8]>, mode: u32) {
        self.take_away(path);
        let path = Path::new(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if mode & 0o111 == 0 {
            fs::write(path, contents).unwrap();
        } else {
            let program = scratch("program");
            fs::write(&program, contents).unwrap();
            copy_program(&program, path);
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Leaves nothing at `path`. Anything that appears there is removed at the end, and the original restored.
    pub fn take_away(&mut self, path: &str) {
        let path = Path::new(path);
        if self.away.iter().any(|away| away == path) {
            // What is there now is the test's own.
            assert!(run("rm", &["-rf", path.to_str().unwrap()]).status.success());
            return;
        }
        self.away.push(path.to_owned());
        if path.symlink_metadata().is_err() {
            let missing = path.ancestors().take_while(|folder| folder.symlink_metadata().is_err());
            self.undo(&format!("rm -rf {}", missing.last().unwrap().display()));
            return;
        }
        let aside = format!("{}.key-dns-tests", path.display());
        assert!(Path::new(&aside).symlink_metadata().is_err(), "{aside} is there already");
        // Nothing is removed before the original is known to be safe.
        let path_text = path.display();
        self.undo(&format!(
            "if [ -e {aside} ] || [ -L {aside} ]; then rm -rf {path_text} && mv -f -T {aside} {path_text}; fi"
        ));
        fs::rename(path, &aside).unwrap();
    }

    /// Runs one command now, and another at the end.
    pub fn command(&mut self, now: &str, at_end: &str) {
        self.undo(at_end);
        let done = run("sh", &["-c", now]);
        assert!(done.status.success(), "{now}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Leaves only our rule file in `/etc/request-key.d`, with this text.
    fn only_rules(&mut self, text: &[u8]) {
        for entry in fs::read_dir("/etc/request-key.d").into_iter().flatten() {
            let path = entry.unwrap().path();
            self.others_rules.push((path.clone(), fs::read(&path).unwrap_or_default()));
            self.file(path.to_str().unwrap(), "");
        }
        self.file(RULE, text);
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

    /// Has the helper repeat no query before its timeout: on a busy machine, an answer may be later than the helper waits
    /// for it otherwise.
    pub fn no_hedge(&mut self) {
        self.settings("hedge = 10000\n");
    }

    /// The name servers, without search list and with one attempt of one second.
    pub fn name_servers(&mut self, addresses: &[&str]) {
        let mut text = "search .\noptions timeout:1 attempts:1\n".to_owned();
        for address in addresses {
            text.extend(["nameserver ", address, "\n"]);
        }
        self.file("/etc/resolv.conf", text);
    }

    /// Sets the content of the file at `path`.
    pub fn file(&mut self, path: &str, contents: impl AsRef<[u8]>) {
        // One mount is enough: thousands of them make every other one slow.
        if let Some((_, copy)) = self.last.iter().rev().find(|(known, _)| known == path)
            && copy.file_name().is_some_and(|name| name.to_string_lossy().starts_with("file"))
        {
            let metadata = fs::metadata(copy).unwrap();
            if metadata.permissions().mode() & 0o777 == 0o644 && metadata.uid() == 0 {
                return fs::write(copy, contents).unwrap();
            }
        }
        self.files += 1;
        let copy = PathBuf::from(STATE).join(format!("file{}", self.files));
        fs::write(&copy, contents).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o644)).unwrap();
        self.shadow(path, &copy);
    }

    /// Puts a program at `path`.
    pub fn program(&mut self, path: &str, program: &Path) {
        self.one_program(&[path], program);
    }

    /// Puts one program at all of these paths: one file under several names.
    pub fn one_program(&mut self, paths: &[&str], program: &Path) {
        self.files += 1;
        let copy = PathBuf::from(STATE).join(format!("program{}", self.files));
        copy_program(program, &copy);
        for path in paths {
            self.shadow(path, &copy);
        }
    }

    /// Makes our executable both what the kernel runs and the helper, in one file.
    pub fn use_our_request_key(&mut self) {
        self.one_program(&[UPCALL, HELPER], &executable());
    }

    /// Removes the file or directory at `path`.
    pub fn absent(&mut self, path: &str) {
        let aside = format!("{path}.key-dns-tests");
        self.undo(&format!("mv -f {aside} {path}"));
        assert!(run("mv", &["-f", path, &aside]).status.success());
    }

    /// Creates the directory of `path`, and removes both at the end.
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

    /// Removes what is at `path`.
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
        // Anybody else on this machine who opened it is released at the end.
        self.undo(&format!(": <>{}", pipe.display()));
        self.shadow(path, &pipe);
    }

    /// Puts a file at `path` that not even root can read.
    pub fn unreadable(&mut self, path: &str) {
        self.shadow(path, Path::new("/proc/sys/net/ipv4/route/flush"));
    }

    /// Makes every packet to `address`, one of the loopback network, fail with EHOSTUNREACH.
    pub fn unreachable(&mut self, address: &str) {
        assert!(address.starts_with("127."));
        let route = ["route", "add", "unreachable", address, "table", "local"];
        self.undo(&format!("ip {}", route.join(" ").replace("add", "del")));
        assert!(run("ip", &route).status.success());
    }

    /// Listens at `/dev/log` in place of whoever does.
    pub fn syslog(&mut self) -> Syslog {
        self.no_syslog();
        Syslog::listen()
    }

    /// Leaves nothing at `/dev/log`.
    pub fn no_syslog(&mut self) {
        if Path::new(syslog::PATH).symlink_metadata().is_ok() {
            let aside = format!("{STATE}/log");
            self.undo(&format!("mv -f {aside} {}", syslog::PATH));
            assert!(run("mv", &["-f", syslog::PATH, &aside]).status.success());
        }
        self.undo(&format!("rm -f {}", syslog::PATH));
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
        self.last.push((path.to_owned(), copy.to_owned()));
        let copy = copy.to_str().unwrap();
        let mount = run("mount", &["--bind", copy, path]);
        assert!(mount.status.success(), "mount: {}", String::from_utf8_lossy(&mount.stderr));
    }

    /// Records how to undo what is done next.
    fn undo(&self, command: &str) {
        let path = Path::new(STATE).join("undo");
        let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{command}").unwrap();
    }

    /// The position of the following changes; see [`Machine::rewind`].
    pub fn mark(&mut self) -> usize {
        self.last.clear();
        fs::read_to_string(Path::new(STATE).join("undo")).unwrap_or_default().lines().count()
    }

    /// Undoes all changes since `mark`.
    pub fn rewind(&mut self, mark: usize) {
        self.last.clear();
        let path = Path::new(STATE).join("undo");
        let undo = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = undo.lines().collect();
        for command in lines[mark..].iter().rev() {
            let done = run("sh", &["-c", command]);
            assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        }
        fs::write(&path, lines[..mark].iter().flat_map(|line| [&**line, "\n"]).collect::<String>()).unwrap();
    }

    /// Puts a file as it is at `path`.
    pub fn place(&mut self, path: &str, file: &Path) {
        self.shadow(path, file);
    }

    /// Restores everything that was changed, and keeps the machine.
    pub fn give_back(&mut self) {
        self.put_back();
        self.away.clear();
    }

    fn put_back(&mut self) {
        self.last.clear();
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
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.put_back();
    }
}
