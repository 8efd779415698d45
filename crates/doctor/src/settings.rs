//! The files that say how names are looked up, and the mistakes in them.

use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::repair;
use crate::report::{Finding, Step};
use names::config;
use names::config::{gai, nsswitch, resolv};
use names::file::Warning;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use upcall::{DEFAULT_PATH, Settings};

/// The name of the step.
pub(crate) const NAME: &str = "settings";

/// Reads them all. `path` is the file that the rule gives with `-c`.
#[must_use]
pub(crate) fn check(look: &HostRoot, path: Option<&str>) -> (Step, Settings) {
    let mut step = Step::new(NAME);
    let mut read = Vec::new();
    let own = path.unwrap_or(DEFAULT_PATH);
    let mut settings = Settings::default();
    if let Some(text) = contents(&mut step, look, own, path.is_some(), &mut read) {
        let (found, warnings) = Settings::parse(&text);
        settings = found;
        warn(&mut step, look, own, &warnings);
        let changed = settings.to_string();
        let defaults = Settings::default().to_string();
        let changed = changed.lines().filter(|line| !defaults.lines().any(|default| default == *line));
        changed.for_each(|line| step.fact(format!("{own}: {line}")));
    }
    if let Some(text) = contents(&mut step, look, nsswitch::PATH, false, &mut read) {
        warn(&mut step, look, nsswitch::PATH, &nsswitch::parse(&text).1);
    }
    if let Some(text) = contents(&mut step, look, resolv::PATH, false, &mut read) {
        warn(&mut step, look, resolv::PATH, &resolv::ResolvConf::parse(&text).1);
    }
    if let Some(text) = contents(&mut step, look, gai::PATH, false, &mut read) {
        warn(&mut step, look, gai::PATH, &gai::parse(&text).1);
    }
    if let Some(text) = contents(&mut step, look, config::HOSTS, false, &mut read) {
        warn(&mut step, look, config::HOSTS, &hosts(&text));
    }
    step.sum(if read.is_empty() {
        "none of the files exists; the defaults apply".to_owned()
    } else {
        read.join(", ")
    });
    (step, settings)
}

/// The bytes of a file. A missing file does not matter, unless it was `named`.
fn contents(
    step: &mut Step,
    look: &HostRoot,
    path: &str,
    named: bool,
    read: &mut Vec<String>,
) -> Option<Vec<u8>> {
    let error = match names::file::read_bytes(&look.path(path)) {
        Ok(text) => {
            read.push(path.to_owned());
            return Some(text);
        }
        Err(error) => error,
    };
    let absent = error.kind() == io::ErrorKind::NotFound;
    if absent && !named {
        return None;
    }
    if error.kind() == io::ErrorKind::PermissionDenied && !nix::unistd::geteuid().is_root() {
        step.unseen(path, "only root can read it");
    } else if named {
        step.find(Finding::broken(
            "settings-unreadable",
            format!("the rule names the settings {path}, which can't be read: every name fails with EAGAIN"),
            format!("{path}: {error}"),
            // A link may lead to what is not mounted now.
            Remedy::command_or(
                empty(path).filter(|_| look.link(path).is_err() && absent),
                format!("make {path} a readable file"),
            ),
        ));
    } else {
        step.find(Finding::warn(
            "file-unreadable",
            format!("{path} can't be read; names are looked up as if it did not exist"),
            format!("{path}: {error}"),
            Remedy::advice(format!("make {path} a readable file, or remove it")),
        ));
    }
    None
}

/// The invalid lines of a hosts file: hosts(5) requires an address and at least one name.
fn hosts(text: &[u8]) -> Vec<Warning> {
    let text = String::from_utf8_lossy(text);
    let warning = |(number, line): (usize, &str)| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?;
        // An address with a scope is one.
        let bare = address.split('%').next().unwrap_or_default();
        let message = if bare.parse::<IpAddr>().is_err() {
            format!("{address:?} is not an address; line ignored")
        } else if words.next().is_none() {
            "there is no name after the address; line ignored".to_owned()
        } else {
            return None;
        };
        Some(Warning::new(number, message))
    };
    (1..).zip(text.lines()).filter_map(warning).collect()
}

/// The command that makes an empty file, if there is none.
fn empty(path: &str) -> Option<String> {
    let path = crate::shell::quoted(path)?;
    Some(format!("test -e {path} || install -D -m 644 /dev/null {path}"))
}

fn warn(step: &mut Step, look: &HostRoot, path: &str, warnings: &[Warning]) {
    for warning in warnings {
        step.find(Finding::warn(
            "bad-line",
            format!("a line of {path} does not have the intended effect"),
            warning.at(Path::new(path)),
            match path {
                // Such a line may contain other things, which have their effect.
                nsswitch::PATH | resolv::PATH | gai::PATH => {
                    Remedy::advice(format!("correct line {} of {path}", warning.line))
                }
                _ => repair::comment_out(look, Path::new(path), warning.line),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;

    #[test]
    fn invalid_hosts_lines_are_reported_with_their_number() {
        let text =
            "127.0.0.1 localhost\n# 300.1.1.1 x\n300.1.1.1 a\nfe80::1%lo b\n\n10.0.0.1 # c\nd 10.0.0.2\n";
        let look = tree("settings-hosts", &[("etc/hosts", text)]);
        let (step, _) = check(&look, None);
        let told: Vec<&str> = step.findings.iter().map(|finding| finding.evidence.as_str()).collect();
        assert_eq!(
            told,
            [
                "/etc/hosts:3: \"300.1.1.1\" is not an address; line ignored",
                "/etc/hosts:6: there is no name after the address; line ignored",
                "/etc/hosts:7: \"d\" is not an address; line ignored",
            ]
        );
        let command = step.findings[0].remedy.command().unwrap();
        assert_eq!(command, "sed -i 's|^300[.]1[.]1[.]1 a$|# &|' /etc/hosts");
    }

    #[test]
    fn invalid_lines_and_missing_settings_files_are_found() {
        let look = tree(
            "settings",
            &[
                ("etc/keyutils/key.dns_resolver.conf", "deadline = 7\nbogus = 1\n"),
                ("etc/nsswitch.conf", "hosts: files dns\n"),
            ],
        );
        let (step, settings) = check(&look, None);
        assert_eq!(settings.lookup.deadline, 7);
        assert_eq!(step.summary, "/etc/keyutils/key.dns_resolver.conf, /etc/nsswitch.conf");
        let finding = &step.findings[0];
        assert!(finding.evidence.starts_with("/etc/keyutils/key.dns_resolver.conf:2: "), "{finding:?}");
        assert_eq!(
            finding.remedy.command(),
            Some("sed -i 's|^bogus = 1$|# &|' /etc/keyutils/key.dns_resolver.conf")
        );
        let (step, _) = check(&look, Some("/etc/other.conf"));
        assert_eq!((step.findings[0].id, step.is_broken()), ("settings-unreadable", true));
        assert!(step.findings[0].remedy.command().is_some());
        std::os::unix::fs::symlink("/nowhere/x.conf", look.path("/etc/other.conf")).unwrap();
        let (step, _) = check(&look, Some("/etc/other.conf"));
        assert_eq!(step.findings[0].remedy.command(), None, "it would take the place of the link");
    }
}
