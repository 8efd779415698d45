//! The `sortlist` lines of resolv.conf(5).
//!
//! In glibc they apply to the A records of a DNS answer when only IPv4 was requested (`addrsort` in
//! resolv/nss_dns/dns-host.c), before the sort of [`crate::order`], and so decide its ties. If both families are
//! requested, nothing is sorted by them, and they never concern AAAA records or /etc/hosts.

use std::net::{IpAddr, Ipv4Addr};

use crate::file::Warning;
use crate::literal;

/// The networks of all `sortlist` lines, the preferred ones first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sortlist {
    networks: Vec<Network>,
}

/// A network with bits outside its mask contains no address, as in glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: Ipv4Addr,
    mask: Ipv4Addr,
}

impl Sortlist {
    /// Adds the networks of a line, given without the word `sortlist`, to those of earlier lines. A `;` ends the line.
    /// Invalid entries are dropped, with a warning.
    pub fn add_line(&mut self, line: usize, value: &str) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for word in value.split(';').next().unwrap_or_default().split_ascii_whitespace() {
            match Network::parse(word) {
                Some(network) => self.networks.push(network),
                None => warnings.push(Warning::new(
                    line,
                    format!("sortlist: expected ADDRESS or ADDRESS/MASK, found {word:?}; ignored"),
                )),
            }
        }
        warnings
    }

    /// Whether there is nothing to sort by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Sorts the addresses of an A answer, in the order of its records, by the first network that contains each; those
    /// in none come last. Ties keep their order.
    pub fn apply<T>(&self, answer: &mut [T], address: impl Fn(&T) -> IpAddr) {
        answer.sort_by_cached_key(|item| {
            let address = address(item);
            let place = self.networks.iter().position(|network| network.contains(address));
            place.unwrap_or(self.networks.len())
        });
    }
}

impl Network {
    /// An address, perhaps with a mask after `/`; without one it has the mask of its class.
    fn parse(word: &str) -> Option<Self> {
        let (address, mask) =
            word.split_once('/').map_or((word, None), |(address, mask)| (address, Some(mask)));
        let address = literal::ipv4(address)?;
        let mask = mask.map_or_else(|| Some(class_mask(address)), literal::ipv4)?;
        Some(Self { address, mask })
    }

    fn contains(self, address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(v4) if v4 & self.mask == self.address)
    }
}

/// The mask of the class of a network: A, B or C.
fn class_mask(network: Ipv4Addr) -> Ipv4Addr {
    let [first, ..] = network.octets();
    match first {
        0..128 => Ipv4Addr::new(255, 0, 0, 0),
        128..192 => Ipv4Addr::new(255, 255, 0, 0),
        192.. => Ipv4Addr::new(255, 255, 255, 0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sortlist(lines: &[&str]) -> Sortlist {
        let mut sortlist = Sortlist::default();
        for line in lines {
            assert_eq!(sortlist.add_line(1, line), [], "{line:?}");
        }
        sortlist
    }

    #[track_caller]
    fn sorts(lines: &[&str], from: &[&str], to: &[&str]) {
        let mut addresses: Vec<IpAddr> = from.iter().map(|it| it.parse().unwrap()).collect();
        sortlist(lines).apply(&mut addresses, |address| *address);
        let sorted: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, to);
    }

    #[test]
    fn addresses_are_sorted_by_network_and_the_rest_come_last() {
        sorts(
            &[" 130.155.160.0/255.255.240.0 130.155.0.0"],
            &["10.0.0.1", "130.155.1.1", "130.155.1.2", "130.155.161.1"],
            &["130.155.161.1", "130.155.1.1", "130.155.1.2", "10.0.0.1"],
        );
    }

    #[test]
    fn lines_accumulate_and_end_at_a_semicolon() {
        sorts(
            &[" 10.0.0.0", "\t192.0.2.0; 8.0.0.0\n", " ;x", ""],
            &["8.8.8.8", "192.0.2.1", "10.0.0.1"],
            &["10.0.0.1", "192.0.2.1", "8.8.8.8"],
        );
    }

    #[test]
    fn an_address_without_a_mask_gets_the_mask_of_its_class() {
        for (entry, inside, outside) in [
            ("10.0.0.0", "10.255.0.1", "11.0.0.1"),
            ("172.16.0.0", "172.16.255.1", "172.17.0.1"),
            ("192.0.2.0", "192.0.2.255", "192.0.3.1"),
        ] {
            sorts(&[entry], &[outside, inside], &[inside, outside]);
        }
    }

    #[test]
    fn a_network_with_bits_outside_its_mask_matches_nothing() {
        for entry in ["10.0.0.1/255.0.0.0", "10.0.0.0/8"] {
            sorts(&[entry], &["9.0.0.1", "10.0.0.1"], &["9.0.0.1", "10.0.0.1"]);
        }
    }

    #[test]
    fn an_invalid_network_is_skipped_with_a_warning() {
        let mut sortlist = Sortlist::default();
        let warnings = sortlist.add_line(7, " nonsense 10.0.0.0/8.x 9.0.0.0/ / 8.0.0.0 \u{e9}");
        assert_eq!(warnings.iter().map(|warning| warning.line).collect::<Vec<_>>(), [7; 5]);
        assert_eq!(sortlist.networks, [Network::parse("8.0.0.0").unwrap()]);
    }

    proptest! {
        #[test]
        fn arbitrary_lines_do_not_panic(line: String) {
            Sortlist::default().add_line(1, &line);
        }

        #[test]
        fn sorting_is_an_idempotent_permutation(
            line in "([0-3]{1,2}[.]0[.]0[.]0(/25[45][.]0[.]0[.]0)? ){0,5}",
            addresses in prop::collection::vec(0..40_u8, 0..60),
        ) {
            let sortlist = sortlist(&[&line]);
            let given: Vec<IpAddr> = addresses.iter().map(|it| [*it, 0, 0, 1].into()).collect();
            let mut once = given.clone();
            sortlist.apply(&mut once, |address| *address);
            let mut twice = once.clone();
            sortlist.apply(&mut twice, |address| *address);
            prop_assert_eq!(&once, &twice);
            let in_order = |mut addresses: Vec<IpAddr>| { addresses.sort_unstable(); addresses };
            prop_assert_eq!(in_order(once), in_order(given));
        }
    }
}
