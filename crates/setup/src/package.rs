//! What packages have taken over. Their files have the paths of setup's and, built from the same version, their content.

use crate::host_root::HostRoot;
use crate::plan::HELPER;
use std::fs;
use std::path::Path;

const LISTS: &str = "/var/lib/dpkg/info";
/// Files that only the RPMs have (packaging/rpm/key-dns.spec). rpm itself can't be asked everywhere: a container that sets
/// up its host has none.
const OF_RPM: &str = "/usr/share/key-dns/dns_resolver.conf";
const OF_REQUEST_KEY_RPM: &str = "/usr/share/bash-completion/completions/request-key";

/// Whether `program`, the helper or `request-key`, belongs to a package of that host.
pub(crate) fn has(root: &HostRoot, program: &str) -> bool {
    let is_helper = program == HELPER;
    let list = if is_helper { "key-dns.list" } else { "key-dns-request-key.list" };
    let list = fs::read_to_string(root.follow(&Path::new(LISTS).join(list)));
    list.is_ok_and(|text| text.lines().any(|line| line == program))
        || (root.has(OF_RPM) && (is_helper || root.has(OF_REQUEST_KEY_RPM)))
}
