//! Addresses, and where they came from.

use crate::config;
use hickory_resolver::proto::rr::Name;
use key::{Failure, Family, Ttl};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The address families of one lookup.
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

/// The addresses of a name. Never empty if a source returns it as found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    /// The addresses, in the source's order.
    pub addresses: Vec<Address>,
    /// The smallest TTL of everything that led to them; `None` if the source has none.
    pub ttl: Option<Ttl>,
    /// Why some addresses are missing. That does not matter to a request for a single address.
    pub incomplete: Option<Failure>,
}

impl AddressSet {
    /// What was found although the other family failed: if the failure is temporary, it lasts no longer than `limit`,
    /// so that what is missing is looked up again soon.
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
    /// Its source.
    pub origin: Origin,
}

/// The source of an address. For people it is `dns: mon1.example. ttl 300`, `/etc/hosts:12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The name is an address.
    Literal,
    /// This line of the hosts file.
    Hosts(usize),
    /// A record.
    Dns {
        /// The record's owner.
        owner: Name,
        /// How long it may be kept.
        ttl: Ttl,
        /// The server that sent it; `None` for glue.
        server: Option<SocketAddr>,
    },
    /// `localhost`, which needs no query.
    Localhost,
    /// This source of `nsswitch.conf`, queried by `getent`.
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
