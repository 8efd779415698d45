//! `reject = KIND, …`: addresses to which DNS may not send a mount.

use crate::file::expected;
use std::fmt;
use std::net::IpAddr;

/// A kind of address that no file server should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// This host itself: 127.0.0.0/8, ::1.
    Loopback,
    /// A host on the same link: 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// A group of hosts, or everything on a link: 224.0.0.0/4, 255.255.255.255, ff00::/8.
    Multicast,
    /// No host; Linux reads it as this one: 0.0.0.0/8, ::.
    Unspecified,
}

/// The words for the kinds, as written in the file.
const KINDS: [(&str, AddressKind); 4] = [
    ("loopback", AddressKind::Loopback),
    ("link-local", AddressKind::LinkLocal),
    ("multicast", AddressKind::Multicast),
    ("unspecified", AddressKind::Unspecified),
];

impl AddressKind {
    /// Whether an address is of this kind; an IPv4-mapped one counts as the IPv4 address.
    fn holds(self, address: IpAddr) -> bool {
        match (self, address.to_canonical()) {
            (Self::Loopback, ip) => ip.is_loopback(),
            (Self::LinkLocal, IpAddr::V4(ip)) => ip.is_link_local(),
            (Self::LinkLocal, IpAddr::V6(ip)) => ip.is_unicast_link_local(),
            (Self::Multicast, IpAddr::V4(ip)) => ip.is_multicast() || ip.is_broadcast(),
            (Self::Multicast, IpAddr::V6(ip)) => ip.is_multicast(),
            (Self::Unspecified, IpAddr::V4(ip)) => ip.octets().starts_with(&[0]),
            (Self::Unspecified, IpAddr::V6(ip)) => ip.is_unspecified(),
        }
    }
}

/// The rejected kinds; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reject(pub Vec<AddressKind>);

impl Reject {
    /// Parses the words for the kinds, separated by commas or blanks, or `none`.
    ///
    /// # Errors
    /// If a word is not a kind.
    pub fn parse(value: &str) -> Result<Self, String> {
        let words = value.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        let mut kinds = Vec::new();
        for word in words.filter(|&word| word != "none") {
            let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == word) else {
                let names = KINDS.map(|(name, _)| name).join(", ");
                return Err(expected(format_args!("none, or some of {names}"), word));
            };
            kinds.push(*kind);
        }
        Ok(Self(kinds))
    }

    /// The name of the first kind that rejects an address.
    #[must_use]
    pub fn reason(&self, address: IpAddr) -> Option<&'static str> {
        let kind = self.0.iter().find(|kind| kind.holds(address))?;
        KINDS.iter().find(|(_, other)| other == kind).map(|(name, _)| *name)
    }
}

/// As written in the file.
impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, kind) in self.0.iter().enumerate() {
            let name = KINDS.iter().find(|(_, other)| other == kind).map_or("", |(name, _)| *name);
            write!(f, "{}{name}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reject_kind_covers_exactly_its_addresses_in_both_families() {
        for (kind, held, others) in [
            ("loopback", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"], ["128.0.0.1", "::2"]),
            (
                "link-local",
                ["169.254.0.1", "fe80::1", "febf::1", "::ffff:169.254.9.9"],
                ["169.253.0.1", "fec0::1"],
            ),
            ("multicast", ["224.0.0.1", "239.1.1.1", "255.255.255.255", "ff02::1"], ["223.0.0.1", "fe00::1"]),
            ("unspecified", ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"], ["1.0.0.0", "::1"]),
        ] {
            let reject = Reject::parse(kind).unwrap();
            for address in held {
                assert_eq!(reject.reason(address.parse().unwrap()), Some(kind), "{address}");
                assert_eq!(Reject::default().reason(address.parse().unwrap()), None);
            }
            for address in others {
                assert_eq!(reject.reason(address.parse().unwrap()), None, "{kind} {address}");
            }
        }
    }

    #[test]
    fn reject_round_trips_and_an_unknown_kind_is_an_error() {
        for text in ["none", "loopback", "unspecified, link-local, multicast"] {
            assert_eq!(Reject::parse(text).unwrap().to_string(), text);
        }
        assert!(Reject::parse("loopback, private").unwrap_err().contains("found \"private\""));
    }
}
