//! What is asked about: the keys that the kernel would request for a name, a mount source or a mount point.

use crate::host_root::HostRoot;
use crate::mount_table::{self, MountEntry};
use names::literal;

/// Whose lookup it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumer {
    /// libceph: CephFS and RBD.
    Ceph,
    /// The CIFS client.
    Cifs,
    /// The NFS client, for referrals.
    Nfs,
    /// kAFS.
    Afs,
    /// Nobody in particular.
    Anyone,
}

impl Consumer {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ceph => "libceph",
            Self::Cifs => "CIFS",
            Self::Nfs => "NFS",
            Self::Afs => "kAFS",
            Self::Anyone => "a file system",
        }
    }
}

/// One key that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// Its description: `NAME`, `a:NAME`, `afsdb:CELL`.
    pub description: String,
    /// Its callout info.
    pub callout: &'static str,
}

impl KeyRequest {
    fn of_host(name: &str) -> Self {
        Self { description: name.to_owned(), callout: "" }
    }

    fn of_cell(cell: &str) -> Self {
        Self { description: format!("afsdb:{cell}"), callout: "srv=1" }
    }

    /// The name without the type before it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.description.split_once(':') {
            Some((kind, name)) if ["a", "aaaa", "afsdb"].iter().any(|own| own.eq_ignore_ascii_case(kind)) => {
                name
            }
            _ => &self.description,
        }
    }

    /// Whether it is for the servers of a cell.
    #[must_use]
    pub fn is_cell(&self) -> bool {
        self.name().len() < self.description.len()
            && self.description.get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case("afsdb:"))
    }
}

/// What is asked about, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Whose lookups they are.
    pub consumer: Consumer,
    /// The keys.
    pub questions: Vec<KeyRequest>,
    /// Addresses that stand in the place of names: nobody is asked for them.
    pub addresses: Vec<String>,
    /// Where it comes from, for a mount point.
    pub origin: Option<String>,
}

/// Why nothing can be asked about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSubject {
    /// A mount point that nobody knows.
    #[error("{0} is no mount point, and /etc/fstab has no line for it; give the mount's source instead")]
    NoMount(String),
    /// A file system that needs no names.
    #[error("{mount_point} is of type {fs_type} ({source_}), which asks the kernel for no names")]
    NoNames {
        /// The folder.
        mount_point: String,
        /// Its type.
        fs_type: String,
        /// What is mounted there.
        source_: String,
    },
    /// A source that can't be taken apart.
    #[error("\"{0}\" names no host: {1}")]
    NoHost(String, &'static str),
}

impl Subject {
    fn new(consumer: Consumer, hosts: &[&str]) -> Self {
        let mut subject = Self { consumer, questions: Vec::new(), addresses: Vec::new(), origin: None };
        for host in hosts {
            let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
            if literal::parse(bare).is_some() {
                subject.addresses.push(bare.to_owned());
            } else {
                let question = KeyRequest::of_host(bare);
                if !subject.questions.contains(&question) {
                    subject.questions.push(question);
                }
            }
        }
        subject
    }

    /// No name at all.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(Consumer::Anyone, &[])
    }

    fn of_cell(cell: &str) -> Self {
        Self { questions: vec![KeyRequest::of_cell(cell)], ..Self::new(Consumer::Afs, &[]) }
    }

    /// Takes apart what was typed. For a mount point, what is mounted there, or is to be.
    ///
    /// # Errors
    /// Where no host can be seen in it.
    pub fn parse(text: &str, look: &HostRoot) -> Result<Self, NoSubject> {
        if text.starts_with('/') && !text.starts_with("//") {
            return Self::of_mount_point(text, look);
        }
        Self::of_source(text, None, "")
    }

    fn of_mount_point(path: &str, look: &HostRoot) -> Result<Self, NoSubject> {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let find =
            |entries: Vec<MountEntry>| entries.into_iter().rev().find(|entry| entry.mount_point == path);
        let mounted = find(mount_table::mountinfo(&look.text("/proc/self/mountinfo").unwrap_or_default()));
        let (entry, place) = match mounted.filter(|entry| entry.fs_type != "autofs") {
            Some(entry) => (entry, "/proc/self/mountinfo"),
            None => match find(mount_table::fstab(&look.text("/etc/fstab").unwrap_or_default())) {
                Some(entry) => (entry, "/etc/fstab"),
                None => return Err(NoSubject::NoMount(path.to_owned())),
            },
        };
        let Some(subject) = Self::of_mount(&entry) else {
            return Err(NoSubject::NoNames {
                mount_point: path.to_owned(),
                fs_type: entry.fs_type,
                source_: entry.source,
            });
        };
        let mut subject = subject?;
        subject.origin = Some(format!("{place}: {} on {path}, type {}", entry.source, entry.fs_type));
        Ok(subject)
    }

    /// Takes apart what is mounted; `None` where the file system asks for no names.
    #[must_use]
    pub(crate) fn of_mount(entry: &MountEntry) -> Option<Result<Self, NoSubject>> {
        let consumer = match entry.fs_type.as_str() {
            "ceph" => Consumer::Ceph,
            "cifs" | "smb3" => Consumer::Cifs,
            "nfs" | "nfs4" => Consumer::Nfs,
            "afs" => Consumer::Afs,
            _ => return None,
        };
        Some(Self::of_source(&entry.source, Some(consumer), &entry.options))
    }

    fn of_source(source: &str, consumer: Option<Consumer>, options: &str) -> Result<Self, NoSubject> {
        let no_host = |why| NoSubject::NoHost(source.to_owned(), why);
        if source.is_empty() {
            return Err(no_host("it is empty"));
        }
        if let Some(rest) = source.strip_prefix("//").or_else(|| source.strip_prefix("\\\\")) {
            let host = rest.split(['/', '\\']).next().unwrap_or_default();
            return match host {
                "" => Err(no_host("a CIFS source is //SERVER/SHARE")),
                host => Ok(Self::new(Consumer::Cifs, &[host])),
            };
        }
        if let Some(volume) = source.strip_prefix(['%', '#']) {
            return match volume.split_once(':') {
                Some((cell, _)) if !cell.is_empty() => Ok(Self::of_cell(cell)),
                _ => Err(no_host("an AFS source with a cell is %CELL:VOLUME")),
            };
        }
        if let Some(cell) = source.strip_prefix("afsdb:") {
            return Ok(Self::of_cell(cell));
        }
        if source.split_once('=').is_some_and(|(head, _)| head.contains('@')) {
            return Self::of_ceph_options(options).ok_or_else(|| {
                no_host("its monitors are in the option mon_addr; give that, or the mount point")
            });
        }
        match source.split_once(":/") {
            Some((hosts, _)) => Ok(Self::of_hosts(hosts, consumer)),
            None if consumer.is_none() => Ok(Self::of_name(source)),
            None => Err(no_host("it has no host before a \":/\"")),
        }
    }

    /// `user@fsid.fs=/path` of CephFS has its monitors in an option, divided by slashes.
    fn of_ceph_options(options: &str) -> Option<Self> {
        let value = options.split(',').find_map(|option| option.strip_prefix("mon_addr="))?;
        let hosts: Vec<&str> = value.split('/').map(without_port).collect();
        Some(Self::new(Consumer::Ceph, &hosts))
    }

    /// What stands before `:/`: monitors, each with its port or without, or an NFS server.
    fn of_hosts(hosts: &str, consumer: Option<Consumer>) -> Self {
        let monitors: Vec<&str> = hosts.split(',').map(without_port).collect();
        let with_port = monitors.iter().zip(hosts.split(',')).any(|(host, whole)| host.len() < whole.len());
        let guess = if monitors.len() > 1 || with_port { Consumer::Ceph } else { Consumer::Nfs };
        Self::new(consumer.unwrap_or(guess), &monitors)
    }

    /// A name, with the type of a key before it or without, or with a port.
    fn of_name(text: &str) -> Self {
        if text.contains(',') {
            return Self::of_hosts(text, Some(Consumer::Ceph));
        }
        let typed = text
            .split_once(':')
            .is_some_and(|(kind, _)| kind.eq_ignore_ascii_case("a") || kind.eq_ignore_ascii_case("aaaa"));
        if typed {
            return Self { questions: vec![KeyRequest::of_host(text)], ..Self::new(Consumer::Anyone, &[]) };
        }
        Self::new(Consumer::Anyone, &[without_port(text)])
    }
}

/// `HOST` of `HOST:PORT`; an IPv6 address has brackets where it has a port.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;

    fn parse(text: &str) -> (Consumer, Vec<String>, Vec<String>) {
        let subject = Subject::parse(text, &HostRoot::at("/nonexistent")).unwrap();
        let questions = subject.questions.iter().map(|q| format!("{}|{}", q.description, q.callout));
        (subject.consumer, questions.collect(), subject.addresses)
    }

    #[test]
    fn what_people_have_at_hand_is_understood() {
        let none: [&str; 0] = [];
        for (text, consumer, questions, addresses) in [
            ("mon1", Consumer::Anyone, vec!["mon1|"], none.to_vec()),
            ("aaaa:mon1", Consumer::Anyone, vec!["aaaa:mon1|"], vec![]),
            ("mon1.example:6789", Consumer::Anyone, vec!["mon1.example|"], vec![]),
            ("192.0.2.1", Consumer::Anyone, vec![], vec!["192.0.2.1"]),
            ("afsdb:example.org", Consumer::Afs, vec!["afsdb:example.org|srv=1"], vec![]),
            ("%example.org:root.cell", Consumer::Afs, vec!["afsdb:example.org|srv=1"], vec![]),
            ("#example.org:root.cell.readonly", Consumer::Afs, vec!["afsdb:example.org|srv=1"], vec![]),
            ("//server/share", Consumer::Cifs, vec!["server|"], vec![]),
            ("\\\\server\\share", Consumer::Cifs, vec!["server|"], vec![]),
            ("host:/export", Consumer::Nfs, vec!["host|"], vec![]),
            ("[2001:db8::1]:/export", Consumer::Nfs, vec![], vec!["2001:db8::1"]),
            (
                "mon1.example:6789,mon2.example:6789:/",
                Consumer::Ceph,
                vec!["mon1.example|", "mon2.example|"],
                vec![],
            ),
            ("mon1.example:6789:/a:/b", Consumer::Ceph, vec!["mon1.example|"], vec![]),
            (
                "mon1,[2001:db8::1]:3300,192.0.2.1:/",
                Consumer::Ceph,
                vec!["mon1|"],
                vec!["2001:db8::1", "192.0.2.1"],
            ),
            ("mon1:6789,mon1:3300:/", Consumer::Ceph, vec!["mon1|"], vec![]),
        ] {
            let expected = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(parse(text), (consumer, expected(questions), expected(addresses)), "{text}");
        }
    }

    #[test]
    fn a_mount_point_is_looked_up_among_mounts_and_in_fstab() {
        let mountinfo = "36 35 0:9 / /mnt/ceph rw - ceph admin@0123.fs=/ rw,mon_addr=mon1:3300/mon2:3300,x=y\n\
                         37 35 0:9 / /tmp rw - tmpfs tmpfs rw\n";
        let look = tree(
            "mounts",
            &[("proc/self/mountinfo", mountinfo), ("etc/fstab", "srv.example:/export /data nfs4 rw 0 0\n")],
        );
        let names = |path: &str| {
            let subject = Subject::parse(path, &look).unwrap();
            (subject.consumer, subject.questions.into_iter().map(|q| q.description).collect::<Vec<_>>())
        };
        assert_eq!(names("/mnt/ceph/"), (Consumer::Ceph, vec!["mon1".to_owned(), "mon2".to_owned()]));
        assert_eq!(names("/data"), (Consumer::Nfs, vec!["srv.example".to_owned()]));
        assert!(matches!(Subject::parse("/tmp", &look), Err(NoSubject::NoNames { .. })));
        assert!(matches!(Subject::parse("/other", &look), Err(NoSubject::NoMount(_))));
    }

    #[test]
    fn a_source_without_a_host_is_refused() {
        for text in ["", "//", "%root.cell", "admin@0123.fs=/"] {
            assert!(Subject::parse(text, &HostRoot::at("/nonexistent")).is_err(), "{text}");
        }
    }
}
