//! Remedies for programs, rules and settings.

pub(super) mod edit;
pub(super) mod hosts;
pub(super) mod rule;
pub(super) mod servers;

use crate::distribution::{Manager, Package};
use crate::host_root::HostRoot;
use crate::program::ProgramFault;
use crate::remedy::Remedy;
use crate::shell;
use edit::Lines;
use names::config::nsswitch;
use std::fs;
use std::path::Path;

/// Where our helper is installed, and keyutils'.
pub(crate) const HELPERS: [&str; 2] = ["/usr/libexec/key-dns/key.dns_resolver", "/sbin/key.dns_resolver"];
/// The program that the kernel runs.
pub(crate) const REQUEST_KEY: &str = "/sbin/request-key";
/// Our program for that, to which a link at that path leads.
const OWN_REQUEST_KEY: &str = "/usr/libexec/key-dns/request-key";
/// Our rule file.
pub(crate) const RULE_FILE: &str = "/etc/request-key.d/dns_resolver.conf";

/// The helper that a rule should name: ours if it is installed, otherwise keyutils'.
#[must_use]
pub(crate) fn helper(look: &HostRoot) -> Option<&'static str> {
    HELPERS.into_iter().find(|path| look.exists(path))
}

/// Makes a program executable again.
#[must_use]
pub(crate) fn program(look: &HostRoot, path: &str, obstacle: &ProgramFault) -> Remedy {
    let manager = Manager::of(look);
    match obstacle {
        ProgramFault::NotExecutable { path, .. } => {
            Remedy::command_or(shell::command("chmod a+rx", &[path]), "make it executable for everybody")
        }
        ProgramFault::NoExec(path) => Remedy::advice(format!(
            "mount the file system that contains {path} with exec, or move it to another one"
        )),
        // No package manager puts a file in the place of a directory, and install(1) copies into it.
        ProgramFault::NotAFile(path) => Remedy::advice(format!(
            "move away what is at {path}; key-dns doctor then shows how to restore it"
        )),
        ProgramFault::Library { library, .. } if library.starts_with("libkeyutils.") => {
            manager.bring_back(Package::KeyutilsLibrary, look)
        }
        ProgramFault::Interpreter { interpreter, .. } if manager.owner(interpreter, look).is_some() => {
            let owner = manager.owner(interpreter, look).unwrap_or_default();
            manager.reinstall(&owner)
        }
        _ => bring_back(look, path),
    }
}

/// The package of the program at a path: of a link, the one of its target.
#[must_use]
pub(crate) fn owner(look: &HostRoot, path: &str) -> Option<String> {
    let manager = Manager::of(look);
    match look.link(path) {
        Ok(target) if target.is_absolute() => manager.owner(target.to_str()?, look),
        Ok(_) => None,
        Err(_) => manager.owner(path, look),
    }
}

/// Restores a program's file.
fn bring_back(look: &HostRoot, path: &str) -> Remedy {
    let manager = Manager::of(look);
    let leads_to_ours =
        path == REQUEST_KEY && look.link(path).is_ok_and(|to| to == Path::new(OWN_REQUEST_KEY));
    if path == HELPERS[0] || leads_to_ours {
        let ours = if leads_to_ours { OWN_REQUEST_KEY } else { path };
        // It is the running program, which no archive of packages need have.
        let own = fs::read_link("/proc/self/exe").ok().filter(|own| own.exists());
        let command =
            own.and_then(|own| shell::command("install -D -m 755", &[own.as_path(), Path::new(ours)]));
        return Remedy::command_or(command, format!("install key-dns as {ours}"));
    }
    // A package replaces a link that leads nowhere by its own file.
    if let Some(owner) = owner(look, path).or_else(|| manager.owner(path, look)) {
        return manager.reinstall(&owner);
    }
    if let Some(diverter) = manager.diverter(path, look) {
        // No package brings a file to this path. That of key-dns makes a link when it is installed.
        let link = path == REQUEST_KEY && look.exists(OWN_REQUEST_KEY) && !look.exists(path);
        let command = format!("test -e {path} || ln -sfn {OWN_REQUEST_KEY} {path}");
        return Remedy::command_or(
            link.then_some(command),
            format!("restore {path}, which is diverted ({diverter}; dpkg-divert --list {path})"),
        );
    }
    if path == HELPERS[1] || path == REQUEST_KEY {
        return manager.bring_back(Package::Keyutils, look);
    }
    // An administrator's own program: only they know where it comes from.
    Remedy::advice(format!("restore {path}, or change the rule to name another program"))
}

/// Comments out an invalid line.
#[must_use]
pub(crate) fn comment_out(look: &HostRoot, file: &Path, number: usize) -> Remedy {
    let path = file.display().to_string();
    let command = Lines::read(look, &path).and_then(|lines| lines.comment_out(number));
    Remedy::command_or(command, format!("correct or remove line {number} of {path}"))
}

/// Adds a source of names after the others.
#[must_use]
pub(crate) fn source(look: &HostRoot, name: &str) -> Remedy {
    let lines = Lines::read(look, nsswitch::PATH);
    let mut found =
        lines.iter().flat_map(Lines::all).filter(|(_, line)| line.trim_start().starts_with("hosts:"));
    let command = match (found.next(), found.next(), &lines) {
        // Neither an action nor a comment, after which it would have no effect.
        (Some((number, line)), None, Some(lines)) if !line.contains(['[', '#']) => {
            lines.replace(number, &format!("{} {name}", line.trim_end()))
        }
        _ => None,
    };
    Remedy::command_or(command, format!("add {name} to the hosts: line of {}", nsswitch::PATH))
}

/// Sets a setting.
#[must_use]
pub(crate) fn set(look: &HostRoot, path: &str, key: &str, value: &str) -> Remedy {
    let new = format!("{key} = {value}");
    let lines = Lines::read(look, path);
    let has = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let there: Vec<usize> =
        lines.iter().flat_map(Lines::all).filter(|(_, line)| has(line)).map(|(number, _)| number).collect();
    let command = match (there.as_slice(), &lines) {
        ([], _) => edit::append(look, path, &new),
        ([number], Some(lines)) if !lines.all().any(|(at, line)| at == *number && line.contains('#')) => {
            lines.replace(*number, &new)
        }
        _ => None,
    };
    Remedy::command_or(command, format!("set {new} in {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use std::os::unix::fs::symlink;

    const DIVERSIONS: (&str, &str) = (
        "var/lib/dpkg/diversions",
        "/sbin/request-key\n/sbin/request-key.distrib\nkey-dns-request-key\n/usr/sbin/request-key\n\
         /usr/sbin/request-key.distrib.usr-is-merged\nkey-dns-request-key\n",
    );
    const LISTS: [(&str, &str); 2] = [
        ("var/lib/dpkg/info/keyutils.list", "/sbin/request-key\n"),
        ("var/lib/dpkg/info/key-dns-request-key.list", "/usr/libexec/key-dns/request-key\n"),
    ];

    #[test]
    fn nothing_is_installed_into_a_directory_at_the_path_of_a_program() {
        let look = tree("directory", &[]);
        for path in [HELPERS[0], REQUEST_KEY] {
            let remedy = program(&look, path, &ProgramFault::NotAFile(path.to_owned()));
            assert!(remedy.words().unwrap().contains(path));
        }
    }

    #[test]
    fn what_was_diverted_is_not_brought_back_by_the_package_that_lost_it() {
        let missing = ProgramFault::Missing(REQUEST_KEY.to_owned());
        let files = [DIVERSIONS, LISTS[0], LISTS[1], ("usr/libexec/key-dns/request-key", "x")];
        let look = tree("diverted-link", &files);
        let link = "test -e /sbin/request-key || ln -sfn /usr/libexec/key-dns/request-key /sbin/request-key";
        assert_eq!(program(&look, REQUEST_KEY, &missing), Remedy::Command(link.to_owned()));

        let look = tree("diverted-program", &files[..3]);
        std::fs::create_dir(look.path("/sbin")).unwrap();
        symlink(OWN_REQUEST_KEY, look.path(REQUEST_KEY)).unwrap();
        let remedy = program(&look, REQUEST_KEY, &missing);
        let command = remedy.command().unwrap();
        assert!(
            command.starts_with("install -D -m 755 /")
                && command.ends_with(" /usr/libexec/key-dns/request-key")
        );

        let local = (DIVERSIONS.0, "/sbin/request-key\n/sbin/request-key.real\n:\n");
        let look = tree("diverted-locally", &[local, LISTS[0]]);
        let words =
            "restore /sbin/request-key, which is diverted (local; dpkg-divert --list /sbin/request-key)";
        assert_eq!(program(&look, REQUEST_KEY, &missing), Remedy::advice(words));

        let look = tree("not-diverted", &[LISTS[0]]);
        let reinstall = "apt-get install -y --no-remove --reinstall keyutils";
        assert_eq!(program(&look, REQUEST_KEY, &missing), Remedy::Command(reinstall.to_owned()));
    }
}
