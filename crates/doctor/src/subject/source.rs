//! Mount sources and names: one grammar.

use super::ceph;
use super::types::{Consumer, KeyRequest, NoSubject, Subject};
use crate::host_root::HostRoot;
use names::{literal, name};
use std::net::IpAddr;

/// Where a cluster's monitors are listed.
const CEPH_CONF: &str = "/etc/ceph/ceph.conf";

/// Options that contain hosts, and who looks those up.
const OPTIONS: [(&str, Option<Consumer>); 8] = [
    ("mon_addr", Some(Consumer::Ceph)),
    ("mon_host", Some(Consumer::Ceph)),
    ("mon host", Some(Consumer::Ceph)),
    ("addr", None),
    ("ip", Some(Consumer::Cifs)),
    ("server", None),
    ("device", None),
    ("What", None),
];

/// URL schemes, and who looks their host up.
const SCHEMES: [(&str, Consumer); 6] = [
    ("nfs", Consumer::Nfs),
    ("nfs4", Consumer::Nfs),
    ("smb", Consumer::Cifs),
    ("cifs", Consumer::Cifs),
    ("ceph", Consumer::Ceph),
    ("cephfs", Consumer::Ceph),
];

/// Parses a source; for a known file system, only in its own forms.
pub(super) fn read(
    source: &str,
    consumer: Option<Consumer>,
    options: &str,
    look: Option<&HostRoot>,
) -> Result<Subject, NoSubject> {
    let no_host = |why| NoSubject::NoHost(source.to_owned(), why);
    if source.is_empty() {
        return Err(no_host("it is empty"));
    }
    if consumer.is_none()
        && let Some(subject) = wrapped(source, look)
    {
        return subject;
    }
    if let Some(rest) = source.strip_prefix("//").or_else(|| source.strip_prefix("\\\\")) {
        return unc(source, rest);
    }
    if let Some(volume) = source.strip_prefix(['%', '#']) {
        return match volume.split_once(':') {
            Some((cell, _)) if fits(cell) => Ok(Subject::of_cell(cell)),
            _ => Err(no_host("an AFS source with a cell is %CELL:VOLUME")),
        };
    }
    if source.split_once('=').is_some_and(|(head, _)| head.contains('@')) {
        return of_named_file_system(source, options, look);
    }
    match source.split_once(":/") {
        Some((hosts, _)) => before_path(source, hosts, consumer),
        None if consumer.is_none() => alone(source),
        None => Err(no_host("there is no host before a \":/\"")),
    }
}

/// Something that contains a source: an option with its name, a URL, a volume handle, `sshfs#…`.
fn wrapped(text: &str, look: Option<&HostRoot>) -> Option<Result<Subject, NoSubject>> {
    if let Some(rest) = text.strip_prefix("sshfs#") {
        return Some(own_lookup(rest));
    }
    if let Some((option, value)) = text.split_once('=')
        && let Some((_, consumer)) =
            OPTIONS.iter().find(|(known, _)| *known == option.trim_start_matches("-o").trim())
    {
        let value = value.trim().trim_matches(['"', '\'']);
        return Some(match consumer {
            Some(Consumer::Ceph) => of_list(text, value, Consumer::Ceph),
            _ if value.contains('/') => read(value, None, "", look),
            consumer => of_list(text, value, consumer.unwrap_or(Consumer::Anyone)),
        });
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return Some(url(text, scheme, rest));
    }
    volume_handle(text)
}

/// `sshfs` and similar programs pass the host to a program of their own.
fn own_lookup(source: &str) -> Result<Subject, NoSubject> {
    let hosts = source.split_once(':').map_or(source, |(hosts, _)| hosts);
    match host(without_user(hosts)) {
        Some(host) => Err(NoSubject::OwnLookup { program: "sshfs", host: host.to_owned() }),
        None => Err(NoSubject::no_form(source, "sshfs mounts USER@HOST:PATH")),
    }
}

fn url(text: &str, scheme: &str, rest: &str) -> Result<Subject, NoSubject> {
    let authority = rest.split('/').next().unwrap_or_default();
    let known = SCHEMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(scheme));
    let consumer = known.map_or(Consumer::Anyone, |(_, consumer)| *consumer);
    if ["ssh", "sftp"].iter().any(|own| own.eq_ignore_ascii_case(scheme)) {
        return own_lookup(authority);
    }
    of_list(text, without_user(authority), consumer)
}

/// `USER@FSID.NAME=/PATH` has its monitors in the option `mon_addr`, separated by slashes, or in ceph.conf.
fn of_named_file_system(source: &str, options: &str, look: Option<&HostRoot>) -> Result<Subject, NoSubject> {
    if let Some(option) = options.split(',').find(|option| option.starts_with("mon_addr=")) {
        return read(option, None, "", None);
    }
    let text = look.and_then(|look| look.text(CEPH_CONF).ok()).unwrap_or_default();
    let Some(monitors) = ceph::mon_host(&text) else {
        return Err(NoSubject::NoHost(
            source.to_owned(),
            "its monitors are in the option mon_addr or in /etc/ceph/ceph.conf (mon_host); give them, or the mount point",
        ));
    };
    let subject = read(&format!("mon_host={monitors}"), None, "", None)?;
    Ok(Subject { origin: Some(format!("{CEPH_CONF}: mon_host = {monitors}")), ..subject })
}

/// The names that Kubernetes' drivers give volumes.
fn volume_handle(text: &str) -> Option<Result<Subject, NoSubject>> {
    if ceph::is_volume_handle(text) {
        return Some(Err(NoSubject::NoHost(
            text.to_owned(),
            "a volume handle of ceph-csi has the cluster's ID; its monitors are in the config map ceph-csi-config",
        )));
    }
    // HOST/SHARE#… of csi-driver-smb, HOST#SHARE#… of csi-driver-nfs.
    let (place, _) = text
        .split_once('#')
        .filter(|(place, _)| !place.is_empty() && !place.contains(char::is_whitespace))?;
    let (server, consumer) = match place.split_once('/') {
        Some((server, _)) => (server, Consumer::Cifs),
        None => (place, Consumer::Nfs),
    };
    Some(of_list(text, server, consumer))
}

/// `//[USER[:PASSWORD]@]HOST[:PORT]/SHARE`, the part after the slashes.
fn unc(source: &str, rest: &str) -> Result<Subject, NoSubject> {
    match rest.split(['/', '\\']).next().unwrap_or_default() {
        "" => Err(NoSubject::NoHost(source.to_owned(), "a CIFS source is //SERVER/SHARE")),
        server => of_list(source, without_user(server), Consumer::Cifs),
    }
}

/// The part before `:/`: monitors, with or without ports, or an NFS server.
fn before_path(source: &str, hosts: &str, consumer: Option<Consumer>) -> Result<Subject, NoSubject> {
    if let Some(address) = bare_ipv6(hosts) {
        return Err(NoSubject::Brackets(address));
    }
    if consumer.is_none() && hosts.contains('@') {
        return own_lookup(source);
    }
    let several = hosts.contains([',', ';']) || hosts.contains("v2:") || hosts.contains("v1:");
    let with_port = without_port(hosts).len() < hosts.len();
    let guess = if several || with_port { Consumer::Ceph } else { Consumer::Nfs };
    of_list(source, hosts, consumer.unwrap_or(guess))
}

/// Not a source: a name, with a query type before it or with a port, an address, or a list of monitors.
fn alone(text: &str) -> Result<Subject, NoSubject> {
    if let Some(cell) = text.strip_prefix("afsdb:") {
        return if fits(cell) {
            Ok(Subject::of_cell(cell))
        } else {
            Err(NoSubject::no_form(text, flaw(cell)))
        };
    }
    let typed = text
        .split_once(':')
        .filter(|(kind, _)| kind.eq_ignore_ascii_case("a") || kind.eq_ignore_ascii_case("aaaa"));
    if let Some((_, name)) = typed {
        return match name::flaw(name.as_bytes()) {
            None => {
                Ok(Subject { questions: vec![KeyRequest::of_host(text)], ..Subject::new(Consumer::Anyone) })
            }
            Some(flaw) => Err(NoSubject::no_form(text, flaw)),
        };
    }
    if literal::parse(text).is_some() {
        return Ok(Subject::of_hosts(Consumer::Anyone, [text]));
    }
    if text.contains(char::is_whitespace) && !text.contains([',', ';']) {
        return Err(NoSubject::no_form(text, "it is several words, and no line of fstab or mount command"));
    }
    if text.contains('/') && !ceph::is_list(text) {
        return Err(NoSubject::no_form(
            text,
            "a CIFS source begins with //, an NFS source has :/ before its path",
        ));
    }
    let list = text.contains([',', ';', '/'])
        || text.starts_with("[v")
        || text.starts_with("v2:")
        || text.starts_with("v1:");
    let consumer = if list { Consumer::Ceph } else { Consumer::Anyone };
    of_list(text, without_user(text.strip_suffix(':').unwrap_or(text)), consumer)
}

/// The hosts of a list, each with or without a port, a Ceph protocol or a nonce.
fn of_list(text: &str, list: &str, consumer: Consumer) -> Result<Subject, NoSubject> {
    let parts = ceph::parts(list);
    let mut hosts = Vec::new();
    for part in &parts {
        match host(part) {
            Some(host) => hosts.push(host),
            None => return Err(NoSubject::no_form(text, flaw(part))),
        }
    }
    if hosts.is_empty() {
        return Err(NoSubject::no_form(text, "there is no host in it"));
    }
    Ok(Subject::of_hosts(consumer, hosts))
}

fn flaw(host: &str) -> String {
    let host = without_port(host);
    let why = name::flaw(host.as_bytes()).unwrap_or("it has no host");
    format!("\"{}\": {why}", host.escape_debug())
}

fn fits(name: &str) -> bool {
    name::flaw(name.as_bytes()).is_none()
}

/// The host of `HOST[:PORT]`, or the address of `[ADDRESS][:PORT]`.
fn host(text: &str) -> Option<&str> {
    if literal::parse(text).is_some() {
        return Some(text);
    }
    let host = without_port(text);
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => literal::parse(address).map(|_| address),
        None => (literal::parse(host).is_some() || fits(host)).then_some(host),
    }
}

/// `HOST` of `HOST:PORT`; an IPv6 address has brackets if it has a port.
fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && (host.ends_with(']') || !host.contains(':')) =>
        {
            host
        }
        _ => text,
    }
}

/// `HOST` of `USER@HOST`.
fn without_user(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}

/// An IPv6 address without brackets, with or without a port.
fn bare_ipv6(text: &str) -> Option<IpAddr> {
    let address = literal::parse(text).map(|literal| literal.address);
    address.filter(IpAddr::is_ipv6)
}
