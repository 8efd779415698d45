//! Addresses, and where they came from.

use crate::config;
use hickory_resolver::proto::rr::Name;
use key::{Failure, Family, Ttl};
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
pub struct AddressSet {
    /// The addresses, in the source's order.
    pub addresses: Vec<Address>,
    /// The smallest TTL of all that led to them; `None` where the source has none.
    pub ttl: Option<Ttl>,
    /// Why there are more of them that could not be had. For who needs one of them that is no matter.
    pub incomplete: Option<Failure>,
}

impl AddressSet {
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
            Self::Hosts(line) => write!(f, "{}:{line}", config::HOSTS),
            Self::Dns { owner, ttl, .. } => write!(f, "dns: {} ttl {ttl}", owner.to_ascii()),
            Self::Localhost => f.write_str("RFC 6761"),
            Self::Getent(source) => write!(f, "{source}, by getent"),
        }
    }
}
