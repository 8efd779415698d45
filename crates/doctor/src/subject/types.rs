//! What the doctor is asked about, and why it can't be answered.

use names::literal;
use std::net::IpAddr;

/// Who makes the lookup.
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
    /// Not known.
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

/// A key that is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// Its description: `NAME`, `a:NAME`, `afsdb:CELL`.
    pub description: String,
    /// Its callout info.
    pub callout: &'static str,
}

impl KeyRequest {
    pub(super) fn of_host(name: &str) -> Self {
        Self { description: name.to_owned(), callout: "" }
    }

    fn of_cell(cell: &str) -> Self {
        Self { description: format!("afsdb:{cell}"), callout: "srv=1" }
    }

    /// The name without the query type before it.
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

/// A parsed argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Who makes the lookups.
    pub consumer: Consumer,
    /// The keys.
    pub questions: Vec<KeyRequest>,
    /// Addresses in the place of names, which need no lookup.
    pub addresses: Vec<String>,
    /// Where it comes from, for a mount point.
    pub origin: Option<String>,
}

/// Accepted forms, shown if another one was given.
const EXAMPLES: &str = "mon1.example.org, mon1:6789,mon2:6789:/, //server/share, server:/export, %cell:volume, a mount \
                        point, a line of /etc/fstab, or a mount command";

/// Why there is nothing to check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSubject {
    /// An unknown mount point.
    #[error("{0} is not a mount point, and /etc/fstab has no line for it; give the mount's source instead")]
    NoMount(String),
    /// A file system that needs no names.
    #[error("{mount_point} is of type {fs_type} ({source_}), for which the kernel looks up no names")]
    NoNames {
        /// The mount point.
        mount_point: String,
        /// Its type.
        fs_type: String,
        /// Its source.
        source_: String,
    },
    /// A source that can't be parsed.
    #[error("\"{0}\" names no host: {1}")]
    NoHost(String, &'static str),
    /// A file system whose program looks names up itself.
    #[error(
        "{program} looks {host} up itself, in the C library, and not through the kernel: see \"getent ahosts {host}\""
    )]
    OwnLookup {
        /// The program.
        program: &'static str,
        /// The host.
        host: String,
    },
    /// An IPv6 address before a path.
    #[error(
        "the IPv6 address {0} needs brackets here: [{0}]; without them, its end reads as a port or a path"
    )]
    Brackets(IpAddr),
    /// Not an accepted form.
    #[error("\"{text}\" is not an accepted form: {why}. Examples: {EXAMPLES}")]
    NoForm {
        /// What was given, escaped.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl NoSubject {
    pub(super) fn no_form(text: &str, why: impl Into<String>) -> Self {
        Self::NoForm { text: text.escape_debug().to_string(), why: why.into() }
    }
}

impl Subject {
    pub(super) fn new(consumer: Consumer) -> Self {
        Self { consumer, questions: Vec::new(), addresses: Vec::new(), origin: None }
    }

    /// Hosts without duplicates. Addresses in the place of names need no lookup.
    pub(super) fn of_hosts<'a>(consumer: Consumer, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut subject = Self::new(consumer);
        for host in hosts {
            if literal::parse(host).is_some() {
                if !subject.addresses.iter().any(|known| known == host) {
                    subject.addresses.push(host.to_owned());
                }
            } else {
                let question = KeyRequest::of_host(host);
                if !subject.questions.contains(&question) {
                    subject.questions.push(question);
                }
            }
        }
        subject
    }

    pub(super) fn of_cell(cell: &str) -> Self {
        Self { questions: vec![KeyRequest::of_cell(cell)], ..Self::new(Consumer::Afs) }
    }

    /// No name at all.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(Consumer::Anyone)
    }
}
