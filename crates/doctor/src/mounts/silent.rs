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
                "{source} ({fs_type}) on {point} does not answer: whatever touches it hangs, df, ls and a shell in it \
                 among them, and containers that have it neither start nor stop"
            ),
            format!(
                "{} of {point} did not return within {} s{}",
                named(call),
                LIMIT.as_secs_f32(),
                server(first)
            ),
            Remedy::advice(format!(
                "have the server, its daemon or the network mended: what waits then goes on by itself. Only where it will \
                 not come back: {}",
                match first.fs_type.as_str() {
                    // Pending calls of NFS end only so.
                    "nfs" | "nfs4" if scene.pid.is_none() => {
                        scene.remount(&group.points()).replace("umount -l", "umount -f -l")
                    }
                    _ => scene.remount(&group.points()),
                }
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
                _ => "see that the server can be reached; where that does not help: ",
            };
            Some(Finding::broken(
                id,
                format!(
                    "{source} ({fs_type}) on {point}: {why}; bind mounts and containers that have it fail too"
                ),
                format!("{call}(2) of {point}: {errno}{}", server(first)),
                Remedy::advice(format!("{first_see}{}", scene.remount(&group.points()))),
            ))
        }
        _ => None,
    }
}

/// A call of the probe, for people.
pub(super) fn named(call: &str) -> String {
    match call {
        "statx" => "statx(2) with AT_STATX_FORCE_SYNC".to_owned(),
        call => format!("{call}(2)"),
    }
}
/// What the server's port says, where address and port are known.
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
