//! Mounts by name: whether the name still leads to the address that the mount uses.

use super::scene::{Scene, shown};
use super::table::Mount;
use crate::host_root::HostRoot;
use crate::mount_table::MountEntry;
use crate::remedy::Remedy;
use crate::report::{Finding, Step};
use crate::shell;
use crate::subject::{Consumer, KeyRequest, Subject};
use key::Description;
use key::Failure;
use key::Request;
use names::{Content, LookupOptions, Trace};
use std::net::{IpAddr, SocketAddr};
use upcall::Settings;
use upcall::{Log, Purpose, look_up};

/// Time limit for one name, in seconds.
const LIMIT: u32 = 3;

/// The address that the kernel reports, for NFS and CIFS.
pub(super) fn address_option(mount: &Mount) -> Option<IpAddr> {
    mount.option("addr")?.parse().ok()
}

/// Checks whether each name in a mount's source leads to an address that the mount uses.
pub(super) fn check(mount: &Mount, scene: &Scene, look: &HostRoot, settings: &Settings, step: &mut Step) {
    let entry = MountEntry {
        mount_point: String::new(),
        fs_type: mount.fs_type.clone(),
        source: mount.source.clone(),
        options: mount.options.clone(),
    };
    let Some(Ok(subject)) = Subject::of_mount(&entry) else { return };
    if subject.questions.is_empty() {
        return;
    }
    let used = match used(mount, &subject, look) {
        Ok(used) => used,
        Err(why) => return step.unseen(format!("the addresses that {} uses", mount.source), why),
    };
    for question in &subject.questions {
        match resolve(question, settings) {
            Ok(found) => match judge(mount, question, &used, &found, scene) {
                Some(finding) => step.find(finding),
                None => step.fact(format!("{} is still {}", question.name(), list(&used))),
            },
            Err(
                failure @ (Failure::NoSuchName { .. } | Failure::NoAddress { .. } | Failure::NoServer { .. }),
            ) => {
                step.find(gone(mount, question, &used, &failure));
            }
            // It can't be determined whether it is still the same.
            Err(failure) => step.unseen(format!("the addresses of {}", question.name()), failure.to_string()),
        }
    }
}

/// All addresses of a name, or of a cell's servers.
fn resolve(question: &KeyRequest, settings: &Settings) -> Result<Vec<IpAddr>, Failure> {
    let callout = if question.is_cell() { "srv=1" } else { "list" };
    let request = Request {
        description: Description::from_argument(question.description.as_bytes()),
        callout: callout.into(),
    };
    let deadline = settings.lookup.deadline.min(LIMIT);
    let lookup = LookupOptions { deadline, ..settings.lookup.clone() };
    let settings = Settings { lookup, ..settings.clone() };
    let report = look_up(&request, &settings, Trace::default(), Purpose::GoOn, &Log::none());
    Ok(match report.outcome?.content {
        Content::Addresses(found) => found.into_iter().map(|address| address.ip).collect(),
        Content::Servers(list) | Content::Endpoints(list) => {
            list.servers.into_iter().flat_map(|server| server.addresses).collect()
        }
    })
}

/// The addresses that a mount uses.
fn used(mount: &Mount, subject: &Subject, look: &HostRoot) -> Result<Vec<IpAddr>, String> {
    match subject.consumer {
        Consumer::Ceph => monitors(look),
        Consumer::Afs => servers(subject, look),
        _ => address_option(mount)
            .map(|address| vec![address])
            .ok_or_else(|| "mountinfo has no addr=".to_owned()),
    }
}

/// The monitors that libceph knows, of all clusters: it does not say which is whose.
fn monitors(look: &HostRoot) -> Result<Vec<IpAddr>, String> {
    const FOLDER: &str = "/sys/kernel/debug/ceph";
    let mut found = Vec::new();
    for instance in look.names(FOLDER) {
        let text = look.text(format!("{FOLDER}/{instance}/monmap")).unwrap_or_default();
        found.extend(addresses(&text));
    }
    if found.is_empty() {
        Err(format!("{FOLDER} can't be read (root, and debugfs mounted)"))
    } else {
        Ok(found)
    }
}

/// The servers of a cell that kAFS knows.
fn servers(subject: &Subject, look: &HostRoot) -> Result<Vec<IpAddr>, String> {
    let cell = subject.questions.first().map(KeyRequest::name).unwrap_or_default();
    let path = format!("/proc/net/afs/{cell}/vlservers");
    let found = look.text(&path).map(|text| addresses(&text)).map_err(|error| format!("{path}: {error}"))?;
    if found.is_empty() { Err(format!("{path} has no address")) } else { Ok(found) }
}

/// The addresses among the words of a text, with or without a port.
fn addresses(text: &str) -> Vec<IpAddr> {
    let word = |word: &str| {
        // libceph writes (1)192.0.2.1:6789, with a number in front if there is one.
        let word = word.rsplit_once(')').map_or(word, |(_, rest)| rest).trim_end_matches([',', ';']);
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        let socket = || word.parse::<SocketAddr>().map(|socket| socket.ip());
        bare.parse().or_else(|_| socket()).ok()
    };
    let mut found: Vec<IpAddr> = Vec::new();
    for address in text.split_whitespace().filter_map(word) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// A finding, if no address of the name is one that the mount uses.
fn judge(
    mount: &Mount,
    question: &KeyRequest,
    used: &[IpAddr],
    found: &[IpAddr],
    scene: &Scene,
) -> Option<Finding> {
    if found.iter().any(|address| used.contains(address)) {
        return None;
    }
    let (name, point) = (question.name(), shown(&mount.point));
    Some(Finding::warn(
        "mount-name-moved",
        format!(
            "{name} has moved since {} was mounted on {point}: the mount keeps the old address, and breaks when the \
             old server goes",
            mount.source
        ),
        format!("the mount uses {}; {name} is now {}", list(used), list(found)),
        Remedy::advice(format!(
            "at a convenient time: {}",
            scene.remount(&[&mount.point]).replace("umount -l", "umount")
        )),
    ))
}

fn gone(mount: &Mount, question: &KeyRequest, used: &[IpAddr], failure: &Failure) -> Finding {
    let (name, point) = (question.name(), shown(&mount.point));
    Finding::warn(
        "mount-name-gone",
        format!(
            "{name}, the source of {} on {point}, has no address any more: it can't be mounted again",
            mount.source
        ),
        format!("the mount uses {}; looking up {name}: {failure}", list(used)),
        Remedy::advice(format!("find out why: key-dns doctor {}", shell::name(&question.description))),
    )
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use crate::mounts::table;

    fn mount(line: &str) -> Mount {
        table::parse(line.as_bytes()).remove(0)
    }

    const NFS: &str =
        "30 20 0:30 / /mnt/nfs rw - nfs4 127.1.test:/x rw,vers=4.2,addr=192.0.2.1,clientaddr=192.0.2.9";

    fn seen(line: &str, found: &[&str]) -> Option<Finding> {
        let mount = mount(line);
        let scene = Scene::default();
        let question = KeyRequest { description: "srv.test".to_owned(), callout: "" };
        let found: Vec<IpAddr> = found.iter().map(|text| text.parse().unwrap()).collect();
        judge(&mount, &question, &[address_option(&mount).unwrap()], &found, &scene)
    }

    #[test]
    fn a_name_that_still_resolves_to_the_address_has_no_finding() {
        assert_eq!(seen(NFS, &["192.0.2.2", "192.0.2.1"]), None);
    }

    #[test]
    fn a_name_that_has_moved_is_reported_with_both_addresses() {
        let finding = seen(NFS, &["192.0.2.2", "2001:db8::2"]).unwrap();
        assert_eq!(finding.id, "mount-name-moved");
        assert_eq!(finding.evidence, "the mount uses 192.0.2.1; srv.test is now 192.0.2.2, 2001:db8::2");
        let words = "at a convenient time: stop what uses it; umount /mnt/nfs; then mount it as before";
        assert_eq!(finding.remedy, Remedy::advice(words));
    }

    #[test]
    fn addresses_are_read_from_the_files_of_libceph_and_kafs() {
        let monmap = "epoch 3\n\tmon0\t(1)192.0.2.1:6789\n\tmon1\t(1)[2001:db8::1]:6789\n";
        let look = tree("monmap", &[("sys/kernel/debug/ceph/fsid.client1/monmap", monmap)]);
        let list = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(monitors(&look).unwrap(), list(&["192.0.2.1", "2001:db8::1"]));
        assert!(monitors(&HostRoot::at("/nonexistent")).is_err());
        let vlservers =
            "# source 4, status 1\nafs1.test [1 p=0 w=0 s=6]\n - 192.0.2.7:7003\n - [2001:db8::7]:7003\n";
        assert_eq!(addresses(vlservers), list(&["192.0.2.7", "2001:db8::7"]));
    }
}
