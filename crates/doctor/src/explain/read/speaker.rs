//! Which program wrote a message.

use super::words::has;
use crate::explain::row::Speaker;

/// The marks of each program's messages. The first that occurs counts; a program that wraps another's message comes
/// after it.
const MARKS: &[(Speaker, &[&str])] = &[
    (Speaker::AppArmor, &["apparmor=\"denied\""]),
    (Speaker::Selinux, &["avc: denied"]),
    (
        Speaker::Helper,
        &["key.dns_resolver[", "key.dns_resolver:", "; answered with", "; rejected with", "#dnserror="],
    ),
    (Speaker::KernelLookup, &["dns_query()", "dns_query(", "dns_resolver:"]),
    (
        Speaker::Keyctl,
        &[
            "request-key:",
            "request-key[",
            "request_key:",
            "request_key(2)",
            "keyctl:",
            // Container runtimes, which give each container a session keyring.
            "create session key",
            "create keyring",
            "keyctl",
            "add_key:",
            "keyctl_read",
            "keyctl_read_alloc",
            "keyctl_describe",
            "keyctl_instantiate",
            "keyctl_update",
            "keyctl_search",
            "keyctl_link",
        ],
    ),
    (Speaker::Cifs, &["mount error("]),
    (Speaker::Module, &["modprobe:", "insmod:", "modinfo:"]),
    (Speaker::Runc, &["oci runtime", "runc", "to rootfs at", "mount through procfd", "via /proc/self/fd/"]),
    (
        Speaker::CephTools,
        &[
            "ceph-fuse[",
            "error connecting to the cluster",
            "rados timed out",
            "radosgw",
            "monclient",
            "monclient(hunting)",
        ],
    ),
    (
        Speaker::Ceph,
        &[
            "libceph:",
            "libceph",
            "(ret=-",
            "ceph:",
            "rbd:",
            "rbd map",
            "mount.ceph",
            "-t ceph",
            "type ceph",
            ":6789",
            ":3300",
            "cephfs",
        ],
    ),
    (Speaker::CephTools, &["ceph", "_ceph-mon._tcp", "rados"]),
    (
        Speaker::Cifs,
        &[
            "cifs:",
            "cifs vfs",
            "cifs_mount",
            "mount.cifs",
            "mount.smb3",
            "-t cifs",
            "-t smb3",
            "type cifs",
            "fs/cifs",
            "fs/smb",
            "\"cifs\"",
            "cifsd",
            "smb3:",
            "mount: mounting //",
            "mount: mounting \\\\",
            "mount //",
            "mount -t cifs",
        ],
    ),
    (
        Speaker::Nfs,
        &[
            "mount.nfs:",
            "mount.nfs4:",
            "mount.nfs",
            "mount.nfs4",
            "nfs:",
            "nfs4:",
            "-t nfs",
            "-t nfs4",
            "type nfs",
            "type nfs4",
            "libnfs",
            "nfs share",
            "nfs server",
            "mount :/",
            "mount: rpc:",
        ],
    ),
    (Speaker::Afs, &["kafs:", "kafs", "afs:", "-t afs", "type afs"]),
    (
        Speaker::Fuse,
        &[
            "fuse:",
            "fuse",
            "fusermount",
            "fusermount3",
            "sshfs",
            "s3fs",
            "gcsfuse",
            "glusterfs",
            "rclone",
            "mount.fuse",
        ],
    ),
    (Speaker::Docker, &["error response from daemon", "dockerd"]),
    (Speaker::Go, &["dial tcp", "dial tcp4", "dial tcp6", "dial udp", "unable to mount … at … ("]),
    (Speaker::Mount, &["mount:", "mount(2)", "mount failed", "umount:", "mounting"]),
];

pub(super) fn speaker(text: &str) -> Option<Speaker> {
    if equals(text) {
        return Some(Speaker::Ceph);
    }
    let marked = |(_, marks): &&(Speaker, &[&str])| marks.iter().any(|mark| has(text, mark));
    let speaker = MARKS.iter().find(marked).map(|(speaker, _)| *speaker)?;
    Some(if speaker == Speaker::Mount && has_exported_path(text) { Speaker::MountOfPath } else { speaker })
}

/// `HOST:/PATH`, but not a URL.
fn has_exported_path(text: &str) -> bool {
    text.split(' ').any(|word| {
        word.split_once(":/").is_some_and(|(host, path)| !host.is_empty() && !path.starts_with('/'))
    })
}

/// mount.ceph(8) prints `mount error N = TEXT`; mount.cifs(8) puts the number in brackets.
fn equals(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("mount error ") else { return false };
    let after = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
    after.len() < rest.len() && after.starts_with(" =")
}
