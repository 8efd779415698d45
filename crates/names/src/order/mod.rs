//! The order in which `getaddrinfo` gives the addresses of a name: destination
//! address selection after RFC 6724 §6, the way glibc 2.36 does it
//! (`rfc3484_sort` and its caller in sysdeps/posix/getaddrinfo.c).
//!
//! Where glibc departs from the RFC, so does this module:
//!
//! - Rules 2 to 5, 7 and 9 need both source addresses. Unreachable addresses
//!   still follow rules 6, 8 and 10 among themselves.
//! - Rule 3 takes optimistic source addresses (RFC 4429) for deprecated ones.
//! - Rule 4 asks whether a source is a home address, but not whether it is a
//!   care-of address as well.
//! - Rule 7 asks the link type of the interface that has the source address;
//!   of different interfaces, a native one wins over a tunnel of type
//!   `ARPHRD_TUNNEL`, `_TUNNEL6` or `_SIT`, and over one that is not known.
//! - Rule 9 in IPv4 counts common bits only within the source's own subnet.
//!   In IPv6 it counts all 128 bits, while RFC 6724 §2.2 stops at the length
//!   of the source's prefix.
//! - What rules 3, 4, 7 and 9 know of interfaces is what glibc makes of the
//!   kernel's answer, see `netlink.rs`.
//!
//! Rule 9 is for two addresses of a family. Where an IPv4 address ties with
//! IPv6 ones up to there, the relation is not transitive and the result hangs
//! on which pairs are compared: the sort has to be glibc's merge sort. It must
//! not be the standard library's, which may panic on such a relation.

pub mod host;
mod netlink;
pub mod policy;

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

use policy::Policy;

/// The address from which the host would send to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The source address, of the destination's family.
    pub address: IpAddr,
    /// What to look the interface up by, IPv4 in mapped form; not always the
    /// address itself.
    pub key: Ipv6Addr,
}

/// What a host knows of an interface address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number of the interface.
    pub index: u32,
    /// Length of the subnet's prefix, in bits.
    pub prefix_len: u8,
    /// The address is deprecated (RFC 4862 §5.5.4) or optimistic (RFC 4429).
    pub deprecated: bool,
    /// The address is a home address (RFC 6275).
    pub home: bool,
}

/// What the sort has to know of a host.
///
/// The answers are to stay the same during a sort.
pub trait SourceAddresses {
    /// The source address for a destination; `None` if it is unreachable.
    ///
    /// Asked once per destination, in the order given, but not again for one
    /// that equals the one before.
    fn source_for(&self, destination: IpAddr) -> Option<Source>;

    /// The interface that has a source address, `None` if there is none. To
    /// depend on [`Source::key`] alone. Asked only if a rule needs it.
    fn interface_of(&self, source: &Source) -> Option<Interface>;

    /// Whether an interface is no tunnel; false if that is not known. Asked
    /// only if rule 7 needs it.
    fn is_native(&self, index: u32) -> bool;
}

/// Puts the addresses into the order in which glibc's `getaddrinfo` with
/// `SOCK_STREAM` gives them.
///
/// No address is dropped, no duplicate either: glibc keeps those too. With
/// fewer than two addresses nothing is asked of `sources`; then glibc does not
/// read gai.conf either.
///
/// Ties keep the order handed in, so that has to be the one in which glibc's
/// sources hand theirs to the sort:
///
/// - From /etc/hosts (`_nss_files_gethostbyname4_r` and `_gethostbyname3_r` in
///   nss/nss_files/files-hosts.c): the order of the lines, IPv4 and IPv6 mixed
///   as they stand there.
/// - From DNS for both families (`gaih_getanswer` in
///   resolv/nss_dns/dns-host.c): all records of the answer that came in first,
///   then all of the other; the question for A is sent first, so that A before
///   AAAA is the common case. Within an answer, the order of the records.
/// - From DNS for IPv4 only: the order of the records, then sorted by
///   [`crate::config::sortlist::Sortlist::apply`].
/// - From DNS for IPv6 only: the order of the records.
pub fn sort(addresses: &mut [IpAddr], policy: &Policy, sources: &dyn SourceAddresses) {
    if addresses.len() < 2 {
        return;
    }
    let mut candidates: Vec<Candidate> = Vec::with_capacity(addresses.len());
    for &address in &*addresses {
        // An IPv4-mapped destination stays an IPv6 one throughout.
        let candidate = match candidates.last() {
            Some(last) if last.address == address => last.clone(),
            _ => Candidate::new(address, policy, sources),
        };
        candidates.push(candidate);
    }
    let sorted = merge_sort(candidates, &|a, b| compare(a, b, sources).is_le());
    for (place, candidate) in addresses.iter_mut().zip(sorted) {
        *place = candidate.address;
    }
}

/// A destination and what the rules ask about it.
#[derive(Debug, Clone)]
struct Candidate {
    address: IpAddr,
    source: Option<Source>,
    scope: u32,
    precedence: u32,
    /// Source and destination have the same scope.
    scopes_match: bool,
    /// Source and destination have the same label.
    labels_match: bool,
}

impl Candidate {
    fn new(address: IpAddr, policy: &Policy, sources: &dyn SourceAddresses) -> Self {
        let source = sources.source_for(address);
        let own = source.map(|source| source.address);
        let scope = policy.scope(address);
        Self {
            address,
            source,
            scope,
            precedence: policy.precedence(address),
            scopes_match: own.is_some_and(|own| policy.scope(own) == scope),
            labels_match: own.is_some_and(|own| policy.label(own) == policy.label(address)),
        }
    }
}

/// The rules of RFC 6724 §6 but the last; `Less` if `a` is to come first.
///
/// Rule 10, to leave the order of ties as it is, is kept by the merge sort.
fn compare(a: &Candidate, b: &Candidate, sources: &dyn SourceAddresses) -> Ordering {
    let by_precedence = || b.precedence.cmp(&a.precedence);
    let by_scope = || a.scope.cmp(&b.scope);
    // Rule 1: avoid unusable destinations.
    let (from_a, from_b) = match (&a.source, &b.source) {
        (Some(from_a), Some(from_b)) => (from_a, from_b),
        (Some(_), None) => return Ordering::Less,
        (None, Some(_)) => return Ordering::Greater,
        (None, None) => return by_precedence().then_with(by_scope),
    };
    // Rules 2 to 9.
    prefer(a.scopes_match, b.scopes_match)
        .then_with(|| compare_flags(from_a, from_b, sources))
        .then_with(|| prefer(a.labels_match, b.labels_match))
        .then_with(by_precedence)
        .then_with(|| compare_transport(from_a, from_b, sources))
        .then_with(by_scope)
        .then_with(|| compare_common_bits((a.address, from_a), (b.address, from_b), sources))
}

/// `Less` if only the first has the good property.
fn prefer(a: bool, b: bool) -> Ordering {
    b.cmp(&a)
}

/// Rules 3 and 4: avoid deprecated source addresses, prefer home ones.
///
/// One source ties with itself: no reason to ask the kernel about it, which
/// is most of what a sort costs.
fn compare_flags(a: &Source, b: &Source, sources: &dyn SourceAddresses) -> Ordering {
    if a.key == b.key {
        return Ordering::Equal;
    }
    let flags = |source| {
        let interface = sources.interface_of(source);
        interface.map_or((false, false), |it| (it.deprecated, it.home))
    };
    let ((deprecated_a, home_a), (deprecated_b, home_b)) = (flags(a), flags(b));
    prefer(!deprecated_a, !deprecated_b).then_with(|| prefer(home_a, home_b))
}

/// Rule 7: prefer native transport.
fn compare_transport(a: &Source, b: &Source, sources: &dyn SourceAddresses) -> Ordering {
    if a.key == b.key {
        return Ordering::Equal;
    }
    let index = |source| sources.interface_of(source).map(|it| it.index);
    let (index_a, index_b) = (index(a), index(b));
    if index_a == index_b {
        return Ordering::Equal;
    }
    let is_native = |index: Option<u32>| index.is_some_and(|index| sources.is_native(index));
    prefer(is_native(index_a), is_native(index_b))
}

/// Rule 9: use longest matching prefix.
fn compare_common_bits(
    (to_a, from_a): (IpAddr, &Source),
    (to_b, from_b): (IpAddr, &Source),
    sources: &dyn SourceAddresses,
) -> Ordering {
    match (to_a, from_a.address, to_b, from_b.address) {
        (IpAddr::V6(to_a), IpAddr::V6(own_a), IpAddr::V6(to_b), IpAddr::V6(own_b)) => {
            let bits_a = (to_a.to_bits() ^ own_a.to_bits()).leading_zeros();
            let bits_b = (to_b.to_bits() ^ own_b.to_bits()).leading_zeros();
            bits_b.cmp(&bits_a)
        }
        (IpAddr::V4(to_a), IpAddr::V4(own_a), IpAddr::V4(to_b), IpAddr::V4(own_b)) => {
            let bits_a = (to_a.to_bits() ^ own_a.to_bits()).leading_zeros();
            let bits_b = (to_b.to_bits() ^ own_b.to_bits()).leading_zeros();
            if bits_a == bits_b && from_a.key == from_b.key {
                return Ordering::Equal;
            }
            let within_subnet = |bits: u32, source| {
                let interface = sources.interface_of(source);
                let subnet = subnet_bits(interface.map_or(0, |it| it.prefix_len));
                if bits >= subnet { bits } else { 0 }
            };
            within_subnet(bits_b, from_b).cmp(&within_subnet(bits_a, from_a))
        }
        _ => Ordering::Equal,
    }
}

/// How many leading bits say whether an IPv4 address is in a subnet.
///
/// That of no length, unknown ones included, has only the source itself in it:
/// glibc shifts a mask of 32 bits by 32, which on x86 and ARM64 shifts nothing
/// out. So it is for lengths beyond 32, which an IPv6 row can have.
fn subnet_bits(prefix_len: u8) -> u32 {
    match u32::from(prefix_len) % 32 {
        0 => 32,
        bits => bits,
    }
}

/// Sorts with the comparisons, and so with the result, of the merge sort of
/// glibc's qsort(3) (`msort_with_tmp` in stdlib/msort.c), also for a relation
/// that is not transitive: a first half, rounded down, and a second one.
fn merge_sort<T>(mut items: Vec<T>, in_order: &impl Fn(&T, &T) -> bool) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let mut merged = Vec::with_capacity(items.len());
    let second = items.split_off(items.len() / 2);
    let mut first = merge_sort(items, in_order).into_iter().peekable();
    let mut second = merge_sort(second, in_order).into_iter().peekable();
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        let next = if in_order(a, b) { first.next() } else { second.next() };
        merged.extend(next);
    }
    merged.extend(first);
    merged.extend(second);
    merged
}

#[cfg(test)]
mod tests;
