//! The sources of names, and which of them can answer for one.

pub mod child;
pub mod files;
pub mod modules;

use crate::config::nsswitch::Status;
use crate::failure::Failure;
use crate::key::query::Family;
use crate::ttl::Ttl;
use hickory_resolver::proto::rr::Name;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The families of one lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// One family.
    Only(Family),
    /// Both at once.
    Both,
}

impl fmt::Display for Families {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Only(Family::Ipv4) => "IPv4",
            Self::Only(Family::Ipv6) => "IPv6",
            Self::Both => "IPv4 and IPv6",
        })
    }
}

/// Addresses of a name. Never empty where a source returns it as found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The addresses, in the source's order.
    pub addresses: Vec<Address>,
    /// The smallest TTL of all that led to them; `None` where the source has none.
    pub ttl: Option<Ttl>,
}

impl Found {
    /// What was found where the other family failed: where that may pass, no longer than `limit`, so that what is
    /// missing is asked for again soon.
    #[must_use]
    pub fn without(mut self, other: &Failure, limit: Ttl) -> Self {
        if other.may_pass() {
            self.ttl = Some(limit.or_shorter(self.ttl));
        }
        self
    }
}

/// One address and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Who has it.
    pub origin: Origin,
}

/// Where an address came from. For people it is `dns: mon1.example. ttl 300`, `/etc/hosts:12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An address was what was asked for.
    Literal,
    /// This line of the hosts file.
    Hosts(usize),
    /// A record.
    Dns {
        /// Whose it is.
        owner: Name,
        /// How long it may be kept.
        ttl: Ttl,
        /// Who gave it; `None` for glue.
        server: Option<SocketAddr>,
    },
    /// `localhost` is known without asking.
    Localhost,
    /// This source of `nsswitch.conf`, asked by `getent`.
    Getent(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal => f.write_str("the name itself"),
            Self::Hosts(line) => write!(f, "{}:{line}", files::PATH),
            Self::Dns { owner, ttl, .. } => write!(f, "dns: {owner} ttl {ttl}"),
            Self::Localhost => f.write_str("RFC 6761"),
            Self::Getent(source) => write!(f, "{source}, by getent"),
        }
    }
}

/// What is to be done in a source's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Read the hosts file.
    Files,
    /// Ask DNS.
    Dns,
    /// Give `localhost`'s addresses.
    Localhost,
    /// Nothing: it would answer with this status.
    Skip(Status),
    /// Have the C library ask it, in a process of its own.
    Child,
}

/// What is known of this host without asking anybody.
pub trait Facts {
    /// The host's own name.
    fn host_name(&self) -> String;
    /// Whether resolv.conf names systemd-resolved's stub as a server.
    fn stub_resolver(&self) -> bool;
    /// Whether the settings name servers of their own for this name.
    fn own_servers(&self, name: &str) -> bool;
    /// Whether there is such a file.
    fn exists(&self, path: &str) -> bool;
}

/// What to do in the place of `source` when `name` is looked up.
///
/// A module is passed over exactly where it would say itself that the name is none of its business: NSS
/// modules are libraries, and none is loaded into this process.
#[must_use]
pub fn plan(source: &str, name: &str, facts: &impl Facts) -> Plan {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    match source {
        "files" => Plan::Files,
        "dns" => Plan::Dns,
        // Who names servers for a domain wants those to be asked, and nobody who asks others.
        "resolve" if facts.own_servers(&name) => Plan::Dns,
        _ if source.starts_with("mdns") && facts.own_servers(&name) => Plan::Skip(Status::Unavail),
        // nss-resolve(8): the stub gives the same answers.
        "resolve" if facts.stub_resolver() => Plan::Dns,
        "resolve" if !facts.exists("/run/systemd/resolve/io.systemd.Resolve") => Plan::Skip(Status::Unavail),
        // nss-myhostname(8)
        "myhostname" => match name.as_str() {
            _ if is_localhost(&name) => Plan::Localhost,
            "_gateway" | "_outbound" => Plan::Child,
            _ if facts.host_name().eq_ignore_ascii_case(&name) => Plan::Child,
            _ => Plan::Skip(Status::NotFound),
        },
        // nss-mymachines(8): a machine's name is that of its file.
        "mymachines" if name.contains('/') || !facts.exists(&format!("/run/systemd/machines/{name}")) => {
            Plan::Skip(Status::NotFound)
        }
        // nss-mdns: the minimal modules know .local alone, the others what /etc/mdns.allow adds to it.
        _ if source.starts_with("mdns") && !is_local(&name) => {
            if source.ends_with("_minimal") || !facts.exists("/etc/mdns.allow") {
                Plan::Skip(Status::Unavail)
            } else {
                Plan::Child
            }
        }
        _ => Plan::Child,
    }
}

/// Whether it may come to [`Plan::Child`] in the place of `source` for names that are not known yet.
#[must_use]
pub fn may_ask_modules(source: &str, facts: &impl Facts) -> bool {
    match source {
        "files" | "dns" => false,
        "resolve" => plan(source, "", facts) == Plan::Child,
        _ => true,
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix(".localdomain").unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn is_local(name: &str) -> bool {
    name.rsplit('.').next() == Some("local")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told {
        stub: bool,
        own: &'static str,
        files: &'static [&'static str],
    }

    impl Facts for Told {
        fn host_name(&self) -> String {
            "node7.example.org".to_owned()
        }

        fn stub_resolver(&self) -> bool {
            self.stub
        }

        fn own_servers(&self, name: &str) -> bool {
            !self.own.is_empty() && name.ends_with(self.own)
        }

        fn exists(&self, path: &str) -> bool {
            self.files.contains(&path)
        }
    }

    #[test]
    fn the_lines_of_the_distributions_need_no_child_for_an_ordinary_name() {
        for line in [
            "files dns",                                                 // Debian server, SUSE
            "files mdns4_minimal [NOTFOUND=return] dns",                 // Debian and Ubuntu desktop
            "files mdns4_minimal [NOTFOUND=return] dns mymachines",      // Ubuntu with containers
            "files resolve [!UNAVAIL=return] dns",                       // Ubuntu, systemd
            "files myhostname resolve [!UNAVAIL=return] dns",            // Fedora
            "files dns myhostname",                                      // RHEL
            "mymachines resolve [!UNAVAIL=return] files myhostname dns", // Arch
            "files mdns_minimal [NOTFOUND=return] dns",                  // SUSE desktop
        ] {
            let (order, _) = crate::config::nsswitch::parse(format!("hosts: {line}").as_bytes());
            for facts in [Told::default(), Told { stub: true, ..Told::default() }] {
                for entry in &order {
                    let plan = plan(&entry.source, "mon1.storage.example.org", &facts);
                    assert_ne!(plan, Plan::Child, "{line}: {}", entry.source);
                }
            }
        }
    }

    #[test]
    fn a_module_is_asked_for_the_names_that_it_answers() {
        let facts = Told {
            files: &["/run/systemd/machines/box", "/run/systemd/resolve/io.systemd.Resolve"],
            ..Told::default()
        };
        for (source, name, expected) in [
            ("mdns4_minimal", "printer.local", Plan::Child),
            ("mdns4", "printer.LOCAL.", Plan::Child),
            ("mdns", "printer.example", Plan::Skip(Status::Unavail)),
            ("myhostname", "NODE7.example.org", Plan::Child),
            ("myhostname", "_gateway", Plan::Child),
            ("myhostname", "a.localhost", Plan::Localhost),
            ("myhostname", "localhost.localdomain", Plan::Localhost),
            ("myhostname", "other", Plan::Skip(Status::NotFound)),
            ("mymachines", "box", Plan::Child),
            ("mymachines", "other", Plan::Skip(Status::NotFound)),
            ("mymachines", "../machines/box", Plan::Skip(Status::NotFound)),
            ("resolve", "mon1", Plan::Child),
            ("sss", "mon1", Plan::Child),
            ("wins", "mon1", Plan::Child),
        ] {
            assert_eq!(plan(source, name, &facts), expected, "{source} {name}");
        }
        let allowed = Told { files: &["/etc/mdns.allow"], ..Told::default() };
        assert_eq!(plan("mdns4", "printer.example", &allowed), Plan::Child);
        assert_eq!(plan("mdns4_minimal", "printer.example", &allowed), Plan::Skip(Status::Unavail));
        assert_eq!(plan("resolve", "mon1", &allowed), Plan::Skip(Status::Unavail));
    }

    #[test]
    fn a_name_with_servers_of_its_own_is_a_matter_of_dns() {
        let files = &["/run/systemd/resolve/io.systemd.Resolve", "/etc/mdns.allow"];
        let facts = Told { own: "cluster.local", files, ..Told::default() };
        for (source, name, expected) in [
            ("resolve", "mon1.cluster.local", Plan::Dns),
            ("resolve", "MON1.Cluster.Local.", Plan::Dns),
            ("resolve", "mon1.local", Plan::Child),
            ("mdns4_minimal", "mon1.cluster.local", Plan::Skip(Status::Unavail)),
            ("mdns4", "mon1.cluster.local", Plan::Skip(Status::Unavail)),
            ("mdns4_minimal", "printer.local", Plan::Child),
            ("files", "mon1.cluster.local", Plan::Files),
            ("sss", "mon1.cluster.local", Plan::Child),
        ] {
            assert_eq!(plan(source, name, &facts), expected, "{source} {name}");
        }
    }
}
