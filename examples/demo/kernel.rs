//! The same through the kernel, which is temporarily told to run this helper for the demo's names.

use crate::Tally;
use crate::helper::{Helper, NAME, version};
use crate::initial::{has_the_kernel_s_root, in_initial_namespaces};
use crate::page::{Page, time};
use crate::questions::{self, Payload, QUESTIONS, Question};
use crate::undo::{self, Step};
use crate::world::{DOMAIN, World};
use key::keyctl;
use nix::errno::Errno;
use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The program that the kernel runs for every key.
const REQUEST_KEY: &str = "/sbin/request-key";
/// Where that program's rules are.
const RULES: &str = "/etc/request-key.d";
/// The first words of a temporary file; the process that made it follows.
const MARK: &str = "# There for a moment, for the demo of key-dns in process ";

/// The questions that are repeated. None whose answer expires within a second or so: a busy machine might read the key
/// too late.
const AGAIN: [&str; 6] = [
    "mon1.key-dns-demo.test",
    "mon3.key-dns-demo.test",
    "afsdb:cell.key-dns-demo.test",
    "mons.key-dns-demo.test",
    "mon.backup.key-dns-demo.test",
    "nosuch.key-dns-demo.test",
];

/// Why this can't be done here, if it can't.
pub(crate) fn obstacle() -> Option<String> {
    if fs::metadata("/proc/self").map_or(1, |process| process.uid()) != 0 {
        return Some("it takes root to have the kernel run this helper".to_owned());
    }
    if !in_initial_namespaces() {
        return Some("the kernel runs helpers in its initial namespaces, and this is not there".to_owned());
    }
    if !has_the_kernel_s_root() {
        return Some("the kernel runs helpers from its own root directory, and this is a chroot".to_owned());
    }
    if !Path::new("/sys/module/dns_resolver").exists() {
        return Some(
            "the kernel has no dns_resolver keys; `modprobe dns_resolver` may bring them".to_owned(),
        );
    }
    None
}

/// Makes requests to the kernel, and shows the results.
pub(crate) fn show(page: &Page, world: &World, helper: &Helper, tally: &mut Tally) {
    // All keys end with this session, including rejected ones, and those that nobody else could read.
    if let Err(error) = keyctl::join_new_session() {
        page.skipped(&format!("there is no session keyring to be had: {error}"));
        return;
    }
    match install(helper) {
        Ok(Installed { file, line, how }) => {
            let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
            page.pair("kernel", &format!("Linux {}", release.trim()));
            page.pair("upcall", how);
            page.pair(file.0, &file.1);
            page.pair("", &line);
        }
        Err(reason) => {
            page.skipped(&reason);
            return;
        }
    }
    for question in QUESTIONS.iter().filter(|question| AGAIN.contains(&question.description)) {
        let fault = put(page, world, question, tally.right + tally.wrong + 1);
        tally.count(fault.as_ref());
    }
    if undo::put_back() {
        page.blank();
        page.text("What was installed is gone again, and so are the keys.");
    }
}

/// What was installed temporarily.
struct Installed {
    how: &'static str,
    /// The kind of file, and its path.
    file: (&'static str, String),
    /// The line that it is there for.
    line: String,
}

/// Makes the kernel run this helper for the demo's names. The error says why that is not done.
fn install(helper: &Helper) -> Result<Installed, String> {
    let program = helper.folder.join(NAME);
    let (shown, settings) = (program.display().to_string(), helper.settings.display());
    if shown.contains(|character: char| character.is_whitespace() || matches!(character, '%' | '\'')) {
        return Err(format!("a rule can't name {shown}; set TMPDIR to a plain path"));
    }
    fs::copy(&helper.program, &program).map_err(|error| format!("can't write {shown}: {error}"))?;
    version(&program)
        .map_err(|error| format!("{error}; set TMPDIR to a folder that programs may be run from"))?;
    let request_key = Path::new(REQUEST_KEY);
    if owner(request_key).is_some_and(|process| !is_demo(process)) {
        // A demo that was killed left it behind.
        fs::remove_file(request_key).map_err(|error| format!("{REQUEST_KEY}: {error}"))?;
    }
    if request_key.symlink_metadata().is_ok() {
        let rule = format!("create dns_resolver *.{DOMAIN} * {shown} -c {settings} %k");
        let path = Path::new(RULES).join("key-dns-demo.conf");
        if !Path::new(RULES).is_dir() {
            return Err(format!("{REQUEST_KEY} is there, but no {RULES} for a rule"));
        }
        place(&path, &format!("{MARK}{}\n{rule}\n", std::process::id()), 0o644)?;
        Ok(Installed {
            how: "the /sbin/request-key of this machine, with one more rule for the moment",
            file: ("rule", path.display().to_string()),
            line: rule,
        })
    } else {
        let command = format!("exec {shown} -c {settings} \"$2\"");
        let script = format!("#!/bin/sh\n{MARK}{}\n{command}\n", std::process::id());
        place(request_key, &script, 0o755)?;
        Ok(Installed {
            how: "this machine has no /sbin/request-key, so it gets a script of that name for the moment",
            file: ("script", REQUEST_KEY.to_owned()),
            line: command,
        })
    }
}

/// Creates a file that is removed at the end. One that a killed demo left behind is replaced.
fn place(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    match owner(path) {
        Some(process) if is_demo(process) => return Err(format!("process {process} shows the demo already")),
        Some(_) => drop(fs::remove_file(path)),
        None => {}
    }
    let file = undo::doing(Step::RemoveFile(path.to_owned()), || {
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
    });
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("can't write {}: {error}", path.display()))
}

/// The process that created a temporary file.
fn owner(path: &Path) -> Option<u32> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(MARK)?.parse().ok())
}

/// Whether a process is running the demo.
fn is_demo(process: u32) -> bool {
    let program = |process: &str| fs::read_link(format!("/proc/{process}/exe")).ok();
    let name = |process: &str| Some(program(process)?.file_name()?.to_owned());
    name(&process.to_string()).is_some_and(|found| Some(found) == name("self"))
}

/// Makes one request to the kernel, and shows the result.
fn put(page: &Page, world: &World, question: &Question, number: usize) -> Option<String> {
    page.numbered(number, question.title);
    page.pair("asked", &question.asked());
    let (key, took) = match request(question, world) {
        Ok(answer) => answer,
        Err(error) => {
            let fault = format!("request_key(2) failed: {error}");
            page.list("DNS says", &world.said(question.name()));
            page.verdict("key", "none", Some(&fault), Duration::ZERO);
            return Some(fault);
        }
    };
    undo::later(Step::Invalidate(key));
    page.list("DNS says", &world.said(question.name()));
    let line = line_of(key);
    let payload = match keyctl::read(key) {
        Ok(bytes) => Payload::read(&bytes),
        Err(error) => Payload::Error(error.raw_os_error().unwrap_or_default()),
    };
    let expiry = line.as_deref().and_then(|line| expires(line, question.expiry));
    let fault = match expiry {
        Some(expiry) => question.fault(&payload, expiry),
        None => Some(format!("expected a key that expires in {} s", question.expiry)),
    };
    page.pair("/proc/keys", &line.unwrap_or_default());
    let read = match &payload {
        Payload::Error(number) => format!("fails with {}", questions::error(*number)),
        answer => answer.shown(),
    };
    page.verdict("reading it", &read, fault.as_deref(), took);
    world.forget();
    let start = Instant::now();
    let again = ask(question);
    let took = start.elapsed();
    let fault = fault.or_else(|| {
        let kept = again.as_ref().is_ok_and(|&again| again == key) && !world.was_asked(question.name());
        (!kept).then(|| "asked again, the kernel did not have the key at hand".to_owned())
    });
    if fault.is_none() {
        page.pair("asked again", &format!("the same key after {}, without helper and DNS", time(took)));
    }
    fault
}

/// The key for a question, and how long the kernel took, including the helper.
fn request(question: &Question, world: &World) -> io::Result<(i32, Duration)> {
    world.forget();
    let start = Instant::now();
    let key = ask(question)?;
    if world.was_asked(question.name()) {
        return Ok((key, start.elapsed()));
    }
    // A demo that was killed left the key behind.
    keyctl::invalidate(key)?;
    let start = Instant::now();
    let key = ask(question)?;
    Ok((key, start.elapsed()))
}

/// request_key(2). While a key that was just invalidated has not been collected, it fails with EKEYREVOKED.
fn ask(question: &Question) -> io::Result<i32> {
    let (description, callout) = (CString::new(question.description)?, CString::new(question.callout)?);
    let start = Instant::now();
    loop {
        match keyctl::request(&description, &callout) {
            Err(error)
                if error.raw_os_error() == Some(Errno::EKEYREVOKED as i32)
                    && start.elapsed() < Duration::from_secs(5) =>
            {
                sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// What the kernel shows for a key.
fn line_of(key: i32) -> Option<String> {
    let keys = fs::read_to_string("/proc/keys").ok()?;
    let id = format!("{key:08x} ");
    keys.lines().find(|line| line.starts_with(&id)).map(str::to_owned)
}

/// The expected expiry, if the time left is consistent with it within ten seconds. The kernel shows whole minutes and
/// hours, rounded down.
fn expires(line: &str, expected: u32) -> Option<u32> {
    let left = line.split_whitespace().nth(3)?;
    let (number, unit) = left.split_at_checked(left.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    let least = number.parse::<u32>().ok()?.checked_mul(unit)?;
    (least <= expected && least + unit + 10 > expected).then_some(expected)
}
