//! The sources of names, and what they yield.

pub mod files;

use crate::key::query::Family;
use crate::ttl::Ttl;
use std::net::IpAddr;

/// The families of one lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// One family.
    Only(Family),
    /// Both at once.
    Both,
}

/// Addresses of a name. Never empty where a source returns it as found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The addresses, in the source's order.
    pub addresses: Vec<Address>,
    /// The smallest TTL of all that led to them; `None` where the source has none.
    pub ttl: Option<Ttl>,
}

/// One address and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Its source, for people: `dns: mon1.example. ttl 300`, `/etc/hosts:12`.
    pub origin: String,
}
