//! The tables by which `getaddrinfo` orders addresses, and glibc's own.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::net::IpAddr;

/// The tables of labels, precedences and IPv4 scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    labels: Table,
    precedences: Table,
    scopes: Table,
}

type Table = Cow<'static, [Row]>;

/// A prefix, as the number that an IPv6 address is, and its value. An IPv4 prefix is in its mapped form, below
/// `::ffff:0:0/96`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) prefix: u128,
    pub(crate) length: u32,
    pub(crate) value: u32,
}

/// The values for addresses without a row in a table.
const DEFAULT_LABEL: u32 = 1;
const DEFAULT_PRECEDENCE: u32 = 40;
const DEFAULT_SCOPE: u32 = 14;

/// The prefix of the IPv4-mapped IPv6 addresses, RFC 4291 §2.5.5.2.
pub(crate) const MAPPED: Row = row(0xffff << 32, 96, 0);

/// RFC 3484 §2.1, with additional labels for site-local, unique local and Teredo addresses.
static LABELS: [Row; 7] = [
    row(1, 128, 0),
    row(0, 96, 3),
    row(MAPPED.prefix, 96, 4),
    row(0x2001_0000 << 96, 32, 7),
    row(0x2002 << 112, 16, 2),
    row(0xfec0 << 112, 10, 5),
    row(0xfc00 << 112, 7, 6),
];

/// RFC 3484 §2.1 and not its successor RFC 6724: IPv4 comes last, and unique local, site-local and Teredo addresses
/// rank with the global ones.
static PRECEDENCES: [Row; 4] =
    [row(1, 128, 50), row(0, 96, 20), row(MAPPED.prefix, 96, 10), row(0x2002 << 112, 16, 30)];

/// RFC 6724 §3.2: private IPv4 addresses have global scope, unlike in RFC 3484.
static SCOPES: [Row; 2] =
    [row(MAPPED.prefix | 0xa9fe_0000, 112, 2), row(MAPPED.prefix | 0x7f00_0000, 104, 2)];

pub(crate) const fn row(prefix: u128, length: u32, value: u32) -> Row {
    Row { prefix, length, value }
}

impl Default for Policy {
    /// glibc's built-in tables.
    fn default() -> Self {
        Self::from_rows(Vec::new(), Vec::new(), Vec::new())
    }
}

impl Policy {
    /// The tables of a file, from their rows in the order of its lines. A table without rows is the built-in one.
    #[must_use]
    pub(crate) fn from_rows(labels: Vec<Row>, precedences: Vec<Row>, scopes: Vec<Row>) -> Self {
        let table = |rows: Vec<Row>, built_in: &'static [Row]| -> Table {
            if rows.is_empty() { built_in.into() } else { rows.into() }
        };
        Self {
            labels: table(labels, &LABELS),
            precedences: table(precedences, &PRECEDENCES),
            scopes: table(scopes, &SCOPES),
        }
    }

    /// The label of an address (RFC 6724 §2.1), which for an IPv4 address is that of its mapped form.
    #[must_use]
    pub fn label(&self, address: IpAddr) -> u32 {
        search(&self.labels, address, DEFAULT_LABEL)
    }

    /// The precedence of an address (RFC 6724 §2.1), which for an IPv4 address is that of its mapped form. Higher is
    /// preferred.
    #[must_use]
    pub fn precedence(&self, address: IpAddr) -> u32 {
        search(&self.precedences, address, DEFAULT_PRECEDENCE)
    }

    /// The scope of an address, numbered as in RFC 4291 §2.7: 2 is link-local, 5 site-local, 14 global.
    ///
    /// Only IPv4 has a table; an IPv6 address, even a mapped one, has the scope of its form. IPv4 multicast is not a
    /// special case (`get_scope` in glibc's getaddrinfo.c).
    #[must_use]
    pub fn scope(&self, address: IpAddr) -> u32 {
        let IpAddr::V6(v6) = address else {
            return search(&self.scopes, address, DEFAULT_SCOPE);
        };
        match v6.octets() {
            [0xff, flags_and_scope, ..] => u32::from(flags_and_scope & 0x0f),
            [0xfe, second, ..] if second & 0xc0 == 0x80 => 2,
            [0xfe, second, ..] if second & 0xc0 == 0xc0 => 5,
            // RFC 4291 §2.5.3: loopback is treated like link-local.
            _ if v6.is_loopback() => 2,
            _ => 14,
        }
    }
}

impl Row {
    pub(crate) fn matches(&self, address: u128) -> bool {
        // Shifting by all 128 bits is undefined: no bit has to match.
        let differing = (self.prefix ^ address).checked_shr(128 - self.length);
        differing.is_none_or(|bits| bits == 0)
    }
}

/// The value of the longest matching prefix; of equally long ones, the first.
fn search(table: &[Row], address: IpAddr, default: u32) -> u32 {
    let bits = match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .to_bits();
    let matching = table.iter().filter(|row| row.matches(bits));
    matching.min_by_key(|row| Reverse(row.length)).map_or(default, |row| row.value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Label, precedence and scope.
    fn of(text: &str) -> (u32, u32, u32) {
        let (policy, address) = (Policy::default(), address(text));
        let (label, precedence) = (policy.label(address), policy.precedence(address));
        (label, precedence, policy.scope(address))
    }

    #[test]
    fn the_built_in_tables_are_glibcs() {
        assert_eq!(of("::1"), (0, 50, 2));
        assert_eq!(of("2001:db8::1"), (1, 40, 14));
        assert_eq!(of("2002:c000:204::1"), (2, 30, 14));
        assert_eq!(of("::192.0.2.1"), (3, 20, 14));
        assert_eq!(of("::"), (3, 20, 14));
        assert_eq!(of("192.0.2.1"), (4, 10, 14));
        assert_eq!(of("fec0::1"), (5, 40, 5));
        assert_eq!(of("fd00::1"), (6, 40, 14));
        assert_eq!(of("2001:0:4136:e378::1"), (7, 40, 14));
        assert_eq!(of("fe80::1"), (1, 40, 2));
    }

    #[test]
    fn an_ipv4_mapped_address_has_ipv4s_label_but_no_ipv4_scope() {
        assert_eq!(of("::ffff:127.0.0.1"), (4, 10, 14));
        assert_eq!(of("127.0.0.1"), (4, 10, 2));
    }

    #[test]
    fn link_local_and_loopback_ipv4_have_link_local_scope_and_private_global() {
        for (text, scope) in [
            ("169.254.1.1", 2),
            ("169.253.1.1", 14),
            ("127.255.255.255", 2),
            ("10.0.0.1", 14),
            ("224.0.0.1", 14),
            ("0.0.0.0", 14),
        ] {
            assert_eq!(of(text).2, scope, "{text}");
        }
    }

    #[test]
    fn an_ipv6_multicast_address_has_the_scope_it_names() {
        for (text, scope) in [
            ("ff01::1", 1),
            ("ff02::1", 2),
            ("ff35::1", 5),
            ("ff0e::1", 14),
            ("ff0f::1", 15),
            ("febf::1", 2),
            ("feff::1", 5),
            ("fe7f::1", 14),
        ] {
            assert_eq!(of(text).2, scope, "{text}");
        }
    }

    #[test]
    fn addresses_without_a_row_have_default_values() {
        let policy = Policy::from_rows(
            vec![row(1 << 127, 1, 9)],
            vec![row(1 << 127, 1, 9)],
            vec![row(MAPPED.prefix, 128, 9)],
        );
        assert_eq!(policy.label(address("8000::")), 9);
        assert_eq!(policy.label(address("::1")), 1);
        assert_eq!(policy.precedence(address("::1")), 40);
        assert_eq!(policy.scope(address("0.0.0.0")), 9);
        assert_eq!(policy.scope(address("127.0.0.1")), 14);
    }

    #[test]
    fn the_longest_prefix_wins_and_the_first_of_equal_length() {
        let prefix = 0x2001 << 112;
        let rows =
            vec![row(0, 0, 1), row(prefix, 16, 2), row(prefix, 16, 3), row(prefix | 1, 128, 4), row(0, 0, 5)];
        let policy = Policy::from_rows(rows, Vec::new(), Vec::new());
        assert_eq!(policy.label(address("2001::1")), 4);
        assert_eq!(policy.label(address("2001::2")), 2);
        assert_eq!(policy.label(address("3001::1")), 1);
    }
}
