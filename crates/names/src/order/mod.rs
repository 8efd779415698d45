//! The order in which `getaddrinfo` gives the addresses of a name: destination address selection after RFC 6724 §6, as
//! glibc does it (`rfc3484_sort` in sysdeps/posix/getaddrinfo.c).
//!
//! glibc departs from the RFC, and so does this module:
//!
//! - Unreachable addresses follow rules 6 and 8 among themselves.
//! - Rule 3 takes optimistic source addresses (RFC 4429) for deprecated ones.
//! - Rule 9 in IPv4 counts common bits only within the source's own subnet. In IPv6 it counts all 128 bits, while
//!   RFC 6724 §2.2 stops at the length of the source's prefix.
//!
//! Rules 4 (home addresses) and 7 (native transport) are left out: the former is for Mobile IPv6, the latter needs the
//! type of each link, and in glibc knows only three old kinds of tunnel.

pub mod host;
mod netlink;
pub mod policy;

use std::cmp::Reverse;
use std::net::IpAddr;

use policy::Policy;

/// What a host knows of an interface address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// Length of the subnet's prefix, in bits.
    pub prefix_len: u8,
    /// The address is deprecated (RFC 4862 §5.5.4) or optimistic (RFC 4429).
    pub deprecated: bool,
}

/// What the sort needs to know about a host.
pub trait SourceAddresses {
    /// The address, of the same family, from which the host would send to a destination; `None` if it is unreachable.
    ///
    /// Asked once per destination, in the order given.
    fn source_for(&self, destination: IpAddr) -> Option<IpAddr>;

    /// What is known about a source address.
    fn interface_of(&self, source: IpAddr) -> Option<Interface>;
}

/// Puts the addresses into the order in which glibc's `getaddrinfo` with `SOCK_STREAM` gives them.
///
/// No address is dropped, nor is any duplicate. With fewer than two, nothing is asked of `host`.
///
/// Ties keep the order of the input (rule 10), so that must be the order in which glibc's sources pass theirs to the
/// sort:
///
/// - From /etc/hosts: the order of the lines, IPv4 and IPv6 mixed as they stand there.
/// - From DNS for both families: all records of the answer that came in first, then all of the other.
/// - From DNS for IPv4 only: the order of the records, then sorted by [`crate::config::sortlist::Sortlist::apply`].
/// - From DNS for IPv6 only: the order of the records.
pub fn sort(addresses: &mut [IpAddr], policy: &Policy, host: &dyn SourceAddresses) {
    let [first, _, ..] = *addresses else { return };
    addresses.sort_by_cached_key(|&address| Rank::of(address, first, policy, host));
}

/// The rules' verdict on one destination, in order: the lowest comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Rule 1: avoid unusable destinations.
    unreachable: bool,
    /// Rule 2: prefer matching scope.
    scope_differs: bool,
    /// Rule 3: avoid deprecated addresses.
    deprecated: bool,
    /// Rule 5: prefer matching label.
    label_differs: bool,
    /// Rule 6: prefer higher precedence.
    precedence: Reverse<u32>,
    /// Rule 8: prefer smaller scope.
    scope: u32,
    /// Rule 9: use longest matching prefix. It applies to destinations of one family. So that the result does not
    /// depend on which pairs are compared, those of the first address's family come before those of the other, with
    /// which they can tie if gai.conf gives both the same precedence. `None` for the unreachable.
    prefix: Option<(bool, Reverse<u32>)>,
}

impl Rank {
    fn of(address: IpAddr, first: IpAddr, policy: &Policy, host: &dyn SourceAddresses) -> Self {
        let source = host.source_for(address);
        let interface = source.and_then(|source| host.interface_of(source));
        let scope = policy.scope(address);
        Self {
            unreachable: source.is_none(),
            scope_differs: source.is_some_and(|source| policy.scope(source) != scope),
            deprecated: interface.is_some_and(|interface| interface.deprecated),
            label_differs: source.is_some_and(|source| policy.label(source) != policy.label(address)),
            precedence: Reverse(policy.precedence(address)),
            scope,
            prefix: source.map(|source| {
                let is_of_other_family = address.is_ipv4() != first.is_ipv4();
                (is_of_other_family, Reverse(common_bits(address, source, interface)))
            }),
        }
    }
}

/// How many leading bits a destination and its source have in common.
///
/// In IPv4, fewer than the subnet's prefix length count as none; if the subnet is not known, only the source itself
/// matches.
fn common_bits(destination: IpAddr, source: IpAddr, interface: Option<Interface>) -> u32 {
    match (destination, source) {
        (IpAddr::V4(destination), IpAddr::V4(source)) => {
            let bits = (destination.to_bits() ^ source.to_bits()).leading_zeros();
            let prefix_len = interface.map_or(32, |interface| u32::from(interface.prefix_len));
            if bits < prefix_len { 0 } else { bits }
        }
        (IpAddr::V6(destination), IpAddr::V6(source)) => {
            (destination.to_bits() ^ source.to_bits()).leading_zeros()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
