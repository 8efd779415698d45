//! Commands that mend programs and rules.

pub(super) mod servers;

use crate::distribution::{Manager, Package};
use crate::host_root::HostRoot;
use crate::program::ProgramFault;
use std::fs;
use std::path::Path;

/// Where our helper is installed, and keyutils'.
pub(crate) const HELPERS: [&str; 2] = ["/usr/libexec/key-dns/key.dns_resolver", "/sbin/key.dns_resolver"];
/// The rule file of ours.
pub(crate) const RULE_FILE: &str = "/etc/request-key.d/dns_resolver.conf";

/// The helper that a rule should name: ours where it is installed, otherwise keyutils', and ours where there is none.
#[must_use]
pub(crate) fn helper(look: &HostRoot) -> &'static str {
    HELPERS.into_iter().find(|path| look.exists(path)).unwrap_or(HELPERS[0])
}

/// The command that makes a program executable again.
#[must_use]
pub(crate) fn program(look: &HostRoot, path: &str, obstacle: &ProgramFault) -> String {
    let manager = Manager::of(look);
    match obstacle {
        ProgramFault::NotExecutable { path, .. } => format!("chmod 755 {path}"),
        ProgramFault::NoExec(path) => format!("mount -o remount,exec \"$(findmnt -n -o TARGET -T {path})\""),
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

/// The command that brings back a program's file.
fn bring_back(look: &HostRoot, path: &str) -> String {
    let manager = Manager::of(look);
    if let Some(owner) = manager.owner(path, look) {
        return manager.reinstall(&owner);
    }
    if path == HELPERS[0] {
        // What is running knows how to be the helper.
        let own = fs::read_link("/proc/self/exe").unwrap_or_default();
        return format!("install -D -m 755 {} {path}", own.display());
    }
    manager.bring_back(Package::Keyutils, look)
}

/// The command that adds a rule for our keys.
#[must_use]
pub(crate) fn add_rule(look: &HostRoot) -> String {
    let rule = format!("create dns_resolver * * {} %k", helper(look));
    format!("mkdir -p /etc/request-key.d && echo '{rule}' >>{RULE_FILE}")
}

/// The command that has a rule run the helper as it should.
#[must_use]
pub(crate) fn mend_rule(look: &HostRoot, file: &Path, line: usize) -> String {
    let helper = helper(look);
    format!(r"sed -Ei '{line}s|^(\s*(\S+\s+){{4}}).*|\1{helper} %k|' {}", file.display())
}

/// The command that makes a comment of a line.
#[must_use]
pub(crate) fn comment_out(file: &Path, line: usize) -> String {
    format!("sed -i '{line}s/^/# /' {}", file.display())
}
