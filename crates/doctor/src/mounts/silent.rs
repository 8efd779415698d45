//! Mounts that don't answer, or answer with errors.

use super::names;
use super::probe::{LIMIT, ProbeOutcome};
use super::scene::{Group, Scene, shown};
use crate::mounts::table::Mount;
use crate::remedy::Remedy;
use crate::report::Finding;
use nix::errno::Errno;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// What is wrong with it.
pub(super) fn finding(group: &Group<'_>, outcome: &ProbeOutcome, scene: &Scene) -> Option<Finding> {
    let first = group.first;
    let (point, source, fs_type) = (shown(&first.point), &first.source, &first.fs_type);
    match outcome {
        ProbeOutcome::Silent { call } => Some(Finding::broken(
            "mount-silent",
            format!(
                "{source} ({fs_type}) on {point} does not answer: everything that touches it hangs, including df, ls \
                 and shells in it, and containers that use it neither start nor stop"
            ),
            format!(
                "{} of {point} did not return within {} s{}",
                named(call),
                LIMIT.as_secs_f32(),
                server(first)
            ),
            Remedy::advice(format!(
                "repair the server, its daemon or the network: waiting programs then resume. Only if it will not come \
                 back: {}",
                remount(group, scene)
            )),
        )),
        ProbeOutcome::Fails { call, errno } if !matches!(errno, Errno::EACCES | Errno::EPERM) => {
            let id = if *errno == Errno::ESTALE { "mount-stale" } else { "mount-fails" };
            let why = match errno {
                Errno::ESTALE => "the server no longer has what is mounted",
                Errno::EHOSTDOWN | Errno::EHOSTUNREACH | Errno::ETIMEDOUT => "the server can't be reached",
                _ => "it fails",
            };
            let first_see = match id {
                "mount-stale" => "",
                _ => "check that the server can be reached; if that does not help: ",
            };
            Some(Finding::broken(
                id,
                format!(
                    "{source} ({fs_type}) on {point}: {why}; bind mounts of it and containers that use it fail too"
                ),
                format!("{call}(2) of {point}: {errno}{}", server(first)),
                Remedy::advice(format!("{first_see}{}", remount(group, scene))),
            ))
        }
        _ => None,
    }
}

/// How to unmount a useless mount and mount it again.
fn remount(group: &Group<'_>, scene: &Scene) -> String {
    let words = scene.remount(&group.points());
    match group.first.fs_type.as_str() {
        // Nothing else ends pending NFS calls.
        "nfs" | "nfs4" => words.replace("umount -l", "umount -f -l"),
        // After a lazy unmount the client would live on, and a new mount could share it (fs/ceph/super.c,
        // ceph_compare_super()).
        "ceph" => words.replace("umount -l", "umount -f"),
        _ => words,
    }
}

/// A call of the probe, for people.
pub(super) fn named(call: &str) -> String {
    match call {
        "statx" => "statx(2) with AT_STATX_FORCE_SYNC".to_owned(),
        call => format!("{call}(2)"),
    }
}

/// What the server's port says, if address and port are known.
fn server(mount: &Mount) -> String {
    let port = |default| {
        mount.option("port").and_then(|port| port.parse().ok()).filter(|port| *port > 0).unwrap_or(default)
    };
    let port: u16 = match mount.fs_type.as_str() {
        "nfs" | "nfs4" => port(2049),
        "cifs" | "smb3" => port(445),
        _ => return String::new(),
    };
    let Some(address) = names::address_option(mount) else { return String::new() };
    let server = SocketAddr::new(address, port);
    let start = Instant::now();
    match TcpStream::connect_timeout(&server, CONNECT) {
        Ok(_) => format!("; {server} accepts connections ({} ms)", start.elapsed().as_millis()),
        Err(error) => format!("; {server} by TCP: {error}"),
    }
}
