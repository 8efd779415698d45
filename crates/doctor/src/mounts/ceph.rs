//! CephFS: which component of the cluster a mount waits for, from what the kernel's client shows in debugfs
//! (fs/ceph/debugfs.c, net/ceph/debugfs.c).

mod debugfs;

pub(super) use debugfs::{Client, clients};

use super::probe::{LIMIT, ProbeOutcome};
use super::scene::{Group, shown};
use super::silent::named;
use crate::remedy::Remedy;
use crate::report::{Finding, Step};
use debugfs::{Part, Request, Server};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A request that is seen twice has waited at least this long.
pub(super) const APART: Duration = Duration::from_millis(1500);
/// How long a server may take to accept a connection and send its banner.
const GREETING: Duration = Duration::from_millis(600);
/// What is said about a server that is alive, judging by its port.
const GREETS: &str = "accepts connections and greets";
/// At most this many servers of each kind are tried.
const MOST: usize = 8;

impl Part {
    const ALL: [Self; 3] = [Self::Monitors, Self::Mds, Self::Osd];

    const fn name(self) -> &'static str {
        match self {
            Self::Monitors => "monitors",
            Self::Mds => "metadata servers (MDS)",
            Self::Osd => "object servers (OSD)",
        }
    }

    /// What hangs because of it.
    const fn hangs(self) -> &'static str {
        match self {
            Self::Monitors => {
                "df (statfs) and new mounts hang, and this host does not learn of servers that have moved"
            }
            Self::Mds => {
                "ls, stat and opening files that are not cached hang, and so do containers that use them"
            }
            Self::Osd => "reading and writing files hang, and so do fsync, sync and unmounting",
        }
    }

    /// What still works.
    const fn works(self) -> &'static str {
        match self {
            Self::Monitors => "files can be listed, read and written while MDS and OSD stay where they are",
            Self::Mds => "open files can be read and written, and df works",
            Self::Osd => "ls, stat and df work, and so do files whose contents are all on other OSDs",
        }
    }

    /// Where to look on the cluster.
    const fn look(self) -> &'static str {
        match self {
            Self::Monitors => "ceph -s, and the journal of ceph-mon",
            Self::Mds => "ceph fs status",
            Self::Osd => "ceph osd tree",
        }
    }
}

/// The state of the kernel's Ceph clients: before the mounts were probed, and after.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) before: Vec<Client>,
    pub(super) after: Vec<Client>,
}

impl Seen {
    /// The clients that this mount may belong to, with the requests that were there both times.
    fn of<'a>(&'a self, group: &'a Group<'_>) -> impl Iterator<Item = (&'a Client, Vec<&'a Request>)> {
        let ours = |client: &&Client| match group
            .first
            .source
            .split_once('@')
            .and_then(|(_, rest)| rest.split_once('.'))
        {
            // USER@FSID.NAME=PATH, if the mount has that form.
            Some((fsid, _)) if fsid.len() == 36 => client.name.starts_with(fsid),
            _ => true,
        };
        self.after.iter().filter(ours).map(|client| {
            let before = self.before.iter().find(|other| other.name == client.name);
            let waits = |request: &&Request| before.is_some_and(|before| before.requests.contains(request));
            (client, client.requests.iter().filter(waits).collect())
        })
    }
}

/// What is wrong with a CephFS, if the kernel shows that something waits; `None` if nothing does.
pub(super) fn finding(
    group: &Group<'_>,
    outcome: &ProbeOutcome,
    seen: &Seen,
    step: &mut Step,
) -> Option<Finding> {
    if group.first.fs_type != "ceph" {
        return None;
    }
    let silent = match outcome {
        ProbeOutcome::Silent { call } => Some(call),
        ProbeOutcome::Answers(_) => None,
        ProbeOutcome::Fails { call, errno } => {
            return evicted(group, &format!("{}: {errno}", named(call)), seen);
        }
        ProbeOutcome::Untried(_) => return None,
    };
    if seen.after.is_empty() && silent.is_some() {
        step.unseen(
            "which part of the cluster is silent",
            format!("{} can't be read (root, and debugfs mounted)", debugfs::FOLDER),
        );
        return None;
    }
    let (mut parts, mut greeting) = (Vec::new(), Vec::new());
    let mut evidence = Vec::new();
    if let Some(call) = silent {
        evidence.push(format!(
            "{} of {} did not return within {} s",
            named(call),
            shown(&group.first.point),
            LIMIT.as_secs_f32()
        ));
    }
    for (client, requests) in seen.of(group) {
        for part in Part::ALL {
            let waiting: Vec<&&Request> = requests.iter().filter(|request| request.part == part).collect();
            if waiting.is_empty() {
                continue;
            }
            let (text, greet) = told(client, part, &waiting);
            evidence.push(text);
            let list = if greet { &mut greeting } else { &mut parts };
            if !list.contains(&part) {
                list.push(part);
            }
        }
    }
    // Those that send their banner wait for the others, if there are any.
    let alone = parts.len() == 1 && greeting.is_empty();
    let slow = silent.is_none() && parts.is_empty();
    if parts.is_empty() {
        parts = greeting;
    }
    if parts.is_empty() {
        // Nothing waits any more: it has been answered meanwhile.
        silent?;
        return Some(Finding::warn(
            "ceph-slow",
            format!("the CephFS {} on {} answers slowly", group.first.source, shown(&group.first.point)),
            format!("{}, but nothing waits any more", evidence.join("; ")),
            Remedy::advice("check on the cluster what it is busy with (ceph -s)"),
        ));
    }
    let list = |text: fn(Part) -> &'static str| parts.iter().map(|part| text(*part)).collect::<Vec<_>>();
    let place = format!("{} on {}", group.first.source, shown(&group.first.point));
    if slow {
        return Some(Finding::warn(
            "ceph-slow",
            format!(
                "requests of the CephFS {place} have waited for {} s or more, although its {} can be reached",
                APART.as_secs_f32(),
                list(Part::name).join(" and ")
            ),
            evidence.join("; "),
            Remedy::advice(format!(
                "check on the cluster what it is busy with (ceph -s, {})",
                list(Part::look).join(", ")
            )),
        ));
    }
    Some(Finding::broken(
        "ceph-silent",
        format!(
            "the {} that the CephFS {place} waits for do not answer: {}. Meanwhile {}. It resumes by itself when they \
             are back",
            list(Part::name).join(" and "),
            list(Part::hangs).join("; "),
            if let ([part], true) = (parts.as_slice(), alone) {
                part.works()
            } else {
                "cached files may still be visible"
            },
        ),
        evidence.join("; "),
        Remedy::advice(format!(
            "find out on the cluster why ({}), or why this host does not reach the addresses; waiting requests then \
             resume. Unmounting (umount -f) is the last resort: unwritten data is lost",
            list(Part::look).join(", ")
        )),
    ))
}

/// What is wrong if the cluster has evicted the client, as it does with one that was silent for minutes, or by hand:
/// only a new mount recovers from that.
fn evicted(group: &Group<'_>, failure: &str, seen: &Seen) -> Option<Finding> {
    let (client, _) = seen.of(group).find(|(client, _)| client.is_blocklisted)?;
    Some(Finding::broken(
        "ceph-evicted",
        format!(
            "the cluster has evicted this client of the CephFS {} on {}: everything that touches it fails, even after \
             the network has recovered",
            group.first.source,
            shown(&group.first.point)
        ),
        format!("{failure}; {}/{}/status has \"blocklisted: true\"", debugfs::FOLDER, client.name),
        Remedy::advice(
            "stop what uses it, umount -f it and mount it as before; with the option recover_session=clean the kernel \
             does that by itself",
        ),
    ))
}

/// What waits for a component of the cluster, and what its servers say; and whether all of them send their banner.
fn told(client: &Client, part: Part, waiting: &[&&Request]) -> (String, bool) {
    let mut operations: Vec<&str> = waiting.iter().map(|request| request.operation.as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    let mut servers: Vec<&Server> = match part {
        Part::Monitors => client.servers(part).collect(),
        _ => client
            .servers(part)
            .filter(|server| waiting.iter().any(|request| request.server == server.name))
            .collect(),
    };
    if servers.is_empty() {
        // It waits for a server to appear: all are tried.
        servers = client.servers(part).collect();
    }
    let more = servers.len().saturating_sub(MOST);
    servers.truncate(MOST);
    let mut greet = !servers.is_empty();
    let said = thread::scope(|scope| {
        let tried: Vec<_> =
            servers.iter().map(|server| (server, scope.spawn(|| greeting(server.address)))).collect();
        let said = tried.into_iter().map(|(server, thread)| {
            let said = thread.join().unwrap_or_default();
            greet &= said == GREETS;
            let address = server.address.map(|address| format!(" {address}")).unwrap_or_default();
            let state = if server.state.is_empty() { String::new() } else { format!(" ({})", server.state) };
            format!("{}{address}{state}: {said}", server.name)
        });
        said.collect::<Vec<_>>().join(", ")
    });
    let number = waiting.len();
    let noun = if number == 1 { "request" } else { "requests" };
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let said = if said.is_empty() { format!("the client knows no {}", part.name()) } else { said };
    let verb = if number == 1 { "waits" } else { "wait" };
    let text =
        format!("{number} {noun} ({}) {verb} for the {}: {said}{more}", operations.join(", "), part.name());
    (text, greet)
}

/// What a server's port says: Ceph's servers send a banner to whoever connects (doc/dev/msgr2.rst, "banner").
fn greeting(address: Option<SocketAddr>) -> String {
    let Some(address) = address else { return "no address".to_owned() };
    let start = Instant::now();
    let mut stream = match TcpStream::connect_timeout(&address, GREETING) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::TimedOut => return "no connection".to_owned(),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return "connection refused".to_owned(),
        Err(error) => return error.to_string(),
    };
    let left = GREETING.saturating_sub(start.elapsed()).max(Duration::from_millis(100));
    let mut banner = [0; 4];
    match stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut banner)) {
        Ok(length) if length > 0 => GREETS.to_owned(),
        _ => "accepts connections but sends nothing: it is stopped, or overloaded".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use crate::mounts::table;
    use std::io::Write;
    use std::net::TcpListener;

    fn seen(files: &[(&str, &str)], again: &[(&str, &str)]) -> Seen {
        let at = |files: &[(&str, &str)]| {
            let paths: Vec<(String, &str)> = files
                .iter()
                .map(|(name, text)| (format!("sys/kernel/debug/ceph/f.client1/{name}"), *text))
                .collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|(path, text)| (path.as_str(), *text)).collect();
            clients(&tree("ceph-seen", &files))
        };
        Seen { before: at(files), after: at(again) }
    }

    fn judge(seen: &Seen, outcome: &ProbeOutcome) -> Option<Finding> {
        let mounts = table::parse(b"30 20 0:30 / /mnt/c rw - ceph 127.0.0.1:6789:/ rw,name=admin\n");
        let group = Group { first: &mounts[0], mounts: vec![&mounts[0]] };
        finding(&group, outcome, seen, &mut Step::new("mount"))
    }

    #[test]
    fn requests_that_stay_pending_show_which_server_is_silent() {
        if !skip::has_loopback() {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stopped = listener.local_addr().unwrap();
        let greets = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let monitor = greets.local_addr().unwrap();
        thread::spawn(move || {
            while greets.accept().is_ok_and(|(mut stream, _)| stream.write_all(b"ceph v2\n").is_ok()) {}
        });
        let mdsc = "7\tmds0\tgetattr\t #1\n9\tmds0\tlookup\t#1/x (x)\n";
        let maps = [
            format!("epoch 5\nroot 0\nmax_mds 1\n\tmds0\t(2){gone}\t(up:active)\n"),
            format!(
                "epoch 9 barrier 0 flags 0x0\npool 1 'm' type 1\nosd0\t(2){stopped}\t100%\t(exists, up)\t100%\n"
            ),
            format!("epoch 1\n\tmon0\t(2){monitor}\n"),
        ];
        let maps = maps.each_ref().map(String::as_str);
        let files = |mdsc, osdc, monc| {
            [
                ("mdsc", mdsc),
                ("osdc", osdc),
                ("monc", monc),
                ("mdsmap", maps[0]),
                ("osdmap", maps[1]),
                ("monmap", maps[2]),
            ]
        };
        let silent = ProbeOutcome::Silent { call: "statx".to_owned() };
        let well = ProbeOutcome::Answers(Duration::ZERO);
        // What was answered meanwhile is no matter.
        let later = mdsc.replace('7', "17").replace('9', "19");
        let passing = seen(&files(mdsc, "", ""), &files(later.as_str(), "", ""));
        assert_eq!(judge(&passing, &well), None);
        let none = seen(&files("", "", ""), &files("", "", ""));
        assert_eq!(judge(&none, &silent).unwrap().id, "ceph-slow");
        assert_eq!(judge(&none, &well), None);
        let mds = judge(&seen(&files(mdsc, "", ""), &files(mdsc, "", "")), &silent).unwrap();
        assert!(mds.problem.contains("the metadata servers (MDS) that the CephFS "), "{mds:?}");
        assert_eq!(
            mds.evidence,
            format!(
                "statx(2) with AT_STATX_FORCE_SYNC of /mnt/c did not return within 2.5 s; 2 requests (getattr, lookup) wait for the \
                 metadata servers (MDS): mds0 {gone} (up:active): connection refused"
            )
        );
        let osdc = "REQUESTS 1 homeless 0\n12\tosd0\t1.7fc1f406\t1.3f\t[0]/0\t[0]/0\te7\t100.0\t0x24\t1\tread\nLINGER REQUESTS\n\
                    BACKOFFS\n";
        let osd = judge(&seen(&files("", osdc, ""), &files("", osdc, "")), &well).unwrap();
        assert_eq!(
            osd.evidence,
            format!(
                "1 request (read) waits for the object servers (OSD): osd0 {stopped} (exists, up): accepts \
                 connections but sends nothing: it is stopped, or overloaded"
            )
        );
        let monc = "have mdsmap 5\nhave osdmap 9\n3 statfs\n";
        // All that can be said of one that can be reached is that it is slow.
        let greets_alone = maps[1].replace(&stopped.to_string(), &monitor.to_string());
        let busy = [("osdc", osdc), ("osdmap", greets_alone.as_str())];
        let slow = judge(&seen(&busy, &busy), &well).unwrap();
        assert_eq!((slow.id, slow.severity), ("ceph-slow", crate::Severity::Warn));
        let all = judge(&seen(&files(mdsc, osdc, monc), &files(mdsc, osdc, monc)), &silent).unwrap();
        // The monitor is alive, as far as its port goes.
        assert!(
            all.problem.contains("the metadata servers (MDS) and object servers (OSD) that the CephFS "),
            "{all:?}"
        );
        assert!(all.evidence.contains(&format!("mon0 {monitor}: accepts connections and greets")), "{all:?}");
    }

    #[test]
    fn an_evicted_client_is_reported() {
        let fails = ProbeOutcome::Fails { call: "statx".to_owned(), errno: nix::errno::Errno::EACCES };
        let seen = |word: &str| {
            let status = format!("instance: client.4 (0)127.0.0.1:0/1\nblocklisted: {word}\n");
            seen(&[], &[("status", &status)])
        };
        let finding = judge(&seen("true"), &fails).unwrap();
        assert_eq!(finding.id, "ceph-evicted");
        assert!(finding.evidence.ends_with("f.client1/status has \"blocklisted: true\""), "{finding:?}");
        assert_eq!(judge(&seen("false"), &fails), None);
    }

    #[test]
    fn without_debugfs_the_silent_server_is_reported_as_not_seen() {
        let silent = ProbeOutcome::Silent { call: "statfs".to_owned() };
        let mounts = table::parse(b"30 20 0:30 / /mnt/c rw - ceph 127.0.0.1:6789:/ rw,name=admin\n");
        let group = Group { first: &mounts[0], mounts: vec![&mounts[0]] };
        let mut step = Step::new("mount");
        assert_eq!(finding(&group, &silent, &Seen::default(), &mut step), None);
        assert_eq!(step.unseen[0].what, "which part of the cluster is silent");
    }
}
