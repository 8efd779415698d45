//! What was logged: the latest upcalls, and denials by SELinux or AppArmor.

use crate::child::{self, Ended};
use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::report::{Finding, Step};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::time::Duration;

/// The name of the step.
pub(crate) const NAME: &str = "logs";
/// Time limit for reading the journal.
const LIMIT: Duration = Duration::from_secs(2);
/// Lines that are shown.
const LINES: usize = 5;
/// How much of the end of a log is read.
const TAIL: u64 = 256 << 10;
/// How much of the kernel's log is read.
const KERNEL_LOG: usize = 1 << 20;
/// Where syslog daemons write.
const FILES: [&str; 4] = ["/var/log/syslog", "/var/log/messages", "/var/log/daemon.log", "/var/log/auth.log"];
/// The idents of the lines that are wanted.
const WRITERS: [&str; 2] = ["key.dns_resolver", "request-key"];

/// Checks the logs.
#[must_use]
pub(crate) fn check(look: &HostRoot) -> Step {
    let mut step = Step::new(NAME);
    let lines = upcalls(&mut step, look);
    for line in &lines {
        step.fact(line.as_str());
    }
    step.sum(match lines.last() {
        Some(last) => format!("latest message from an upcall: {last}"),
        None => "no messages from upcalls".to_owned(),
    });
    if look.is_host() && !look.exists("/dev/log") {
        step.fact("nothing listens on /dev/log: the helper's messages are lost");
    }
    access_control(&mut step, look);
    step
}

/// The latest lines of upcalls, from the journal or from syslog's files.
fn upcalls(step: &mut Step, look: &HostRoot) -> Vec<String> {
    if look.exists("/run/systemd/journal/socket") && look.is_host() {
        let mut command = Command::new("journalctl");
        command.args([
            "--quiet",
            "--no-pager",
            "--output=short-iso",
            "--since=-1h",
            &format!("--lines={LINES}"),
        ]);
        command.args(WRITERS.iter().flat_map(|writer| ["-t", writer]));
        match child::run(command, LIMIT) {
            Ok(Ended::Done { status, output, .. }) if status.success() => {
                let text = String::from_utf8_lossy(&output);
                return text.lines().map(str::to_owned).collect();
            }
            Ok(Ended::Abandoned { .. }) => step.unseen("the journal", "journalctl takes too long"),
            Ok(Ended::Done { status, .. }) => {
                step.unseen("the journal", format!("journalctl ended with {status}"));
            }
            Err(error) => step.unseen("the journal", format!("journalctl: {error}")),
        }
    }
    let mut found = Vec::new();
    for path in FILES {
        match tail(look, path) {
            Ok(text) => {
                let ours = |line: &&str| WRITERS.iter().any(|writer| line.contains(&format!(" {writer}[")));
                found.extend(text.lines().filter(ours).map(str::to_owned));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => step.unseen(path, error.kind().to_string()),
        }
    }
    let more = found.len().saturating_sub(LINES);
    found.split_off(more)
}

/// The end of a file.
fn tail(look: &HostRoot, path: &str) -> io::Result<String> {
    let mut file = File::open(look.path(path))?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether SELinux or AppArmor is enabled, and what they denied to our programs.
fn access_control(step: &mut Step, look: &HostRoot) {
    let selinux = look.word("/sys/fs/selinux/enforce");
    let apparmor = look.word("/sys/module/apparmor/parameters/enabled").is_some_and(|word| word == "Y");
    match selinux.as_deref() {
        Some("1") => step.fact("SELinux is enforcing"),
        Some(_) => step.fact("SELinux is permissive"),
        None => step.fact("SELinux is not present"),
    }
    step.fact(if apparmor { "AppArmor is enabled" } else { "AppArmor is not present" });
    if selinux.is_none() && !apparmor {
        return;
    }
    let mut texts = Vec::new();
    match tail(look, "/var/log/audit/audit.log") {
        Ok(text) => texts.push(("/var/log/audit/audit.log", text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match kernel_log(look) {
            Ok(text) => texts.push(("the kernel's log", text)),
            Err(error) => {
                step.unseen("denials by SELinux and AppArmor", format!("/dev/kmsg: {}", error.kind()));
            }
        },
        Err(error) => step
            .unseen("denials by SELinux and AppArmor", format!("/var/log/audit/audit.log: {}", error.kind())),
    }
    let denied = texts
        .iter()
        .find_map(|(place, text)| Some((place, text.lines().rev().find(|line| is_denial(line))?)));
    let Some((place, line)) = denied else { return };
    let remedy = if line.contains("avc:") {
        "if it still happens: check the labels (restorecon -n -v /sbin/request-key \
         /usr/libexec/key-dns/key.dns_resolver /etc/request-key.d), and install the policy of key-dns"
            .to_owned()
    } else {
        let profile = line.split("profile=\"").nth(1).and_then(|rest| rest.split('"').next());
        format!(
            "if it still happens: have the profile {} allow it, or install that of key-dns",
            profile.unwrap_or("/sbin/request-key")
        )
    };
    step.find(Finding::warn(
        "access-denied",
        "SELinux or AppArmor refused something to the programs of an upcall",
        format!("{place}: {line}"),
        Remedy::Advice(remedy),
    ));
}

fn is_denial(line: &str) -> bool {
    let denied = line.contains("avc:  denied") || line.contains("apparmor=\"DENIED\"");
    let field = |name: &str, writer: &str| line.contains(&format!("{name}=\"{writer}"));
    let ours = |writer: &str| field("comm", writer) || line.contains(&format!("/{writer}\""));
    // The kernel truncates a process's name to 15 characters.
    denied
        && ["request-key", "key.dns_resolve", "key.dns_resolver", "key-dns"].iter().any(|writer| ours(writer))
}

/// The kernel's log, up to now.
fn kernel_log(look: &HostRoot) -> io::Result<String> {
    let mut file =
        OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(look.path("/dev/kmsg"))?;
    let mut text = String::new();
    let mut record = [0; 8192];
    while text.len() < KERNEL_LOG {
        match file.read(&mut record) {
            Ok(0) => break,
            Ok(length) => text.push_str(&String::from_utf8_lossy(record.get(..length).unwrap_or_default())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            // What was overwritten meanwhile.
            Err(error) if error.raw_os_error() == Some(nix::libc::EPIPE) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;

    #[test]
    fn the_last_lines_of_upcalls_are_shown() {
        let look = tree(
            "logs",
            &[(
                "var/log/syslog",
                "Nov 1 host cron[1]: x\nNov 1 host key.dns_resolver[7]: a.example: no such name\nNov 1 host other[2]: y\n",
            )],
        );
        let step = check(&look);
        assert_eq!(
            step.summary,
            "latest message from an upcall: Nov 1 host key.dns_resolver[7]: a.example: no such name"
        );
        assert_eq!(step.findings, []);
    }

    #[test]
    fn denials_of_selinux_and_apparmor_are_found() {
        let avc = "type=AVC msg=audit(1.1:1): avc:  denied  { execute } for  pid=1 comm=\"request-key\" path=\"/x\"\n";
        let aa = "audit: type=1400 apparmor=\"DENIED\" operation=\"open\" profile=\"/usr/sbin/request-key\" \
            comm=\"request-key\"\n";
        let other =
            "type=AVC msg=audit(1.1:1): avc:  denied  { read } for  pid=1 comm=\"httpd\" path=\"/x\"\n";
        for (line, remedy) in
            [(avc, Some("restorecon")), (aa, Some("the profile /usr/sbin/request-key")), (other, None)]
        {
            let look = tree("denials", &[("sys/fs/selinux/enforce", "1"), ("var/log/audit/audit.log", line)]);
            let step = check(&look);
            let found = step.findings.first().and_then(|finding| finding.remedy.words());
            assert_eq!(found.is_some(), remedy.is_some(), "{line}");
            assert!(found.unwrap_or_default().contains(remedy.unwrap_or_default()), "{found:?}");
        }
        let off = tree("nodenials", &[("var/log/audit/audit.log", avc)]);
        assert_eq!(check(&off).findings, []);
    }
}
