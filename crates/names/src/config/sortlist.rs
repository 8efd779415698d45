//! The `sortlist` lines of resolv.conf(5).
//!
//! In glibc 2.36 they apply to the A records of a DNS answer when only IPv4
//! was asked for: `getaddrinfo` with `AF_INET` goes through
//! `gethostbyname3_context` in resolv/nss_dns/dns-host.c, whose `addrsort`
//! works before the sort of [`crate::order`] and so decides its ties. With
//! `AF_UNSPEC` the answers go through `gaih_getanswer`, which sorts nothing.
//! Neither AAAA records nor /etc/hosts have anything to do with it.

use std::net::IpAddr;

use crate::file::Warning;
use crate::literal;

/// glibc leaves the addresses of an answer beyond so many where they are
/// (`MAX_NR_ADDRS` in nss/nsswitch.h).
const SORTED_ADDRESSES: usize = 48;

/// The networks of all `sortlist` lines, the preferred ones first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sortlist {
    entries: Vec<Entry>,
}

/// A network in host byte order. One with bits outside its mask has no
/// address in it, as in glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    network: u32,
    mask: u32,
}

impl Sortlist {
    /// Adds the entries of a line, given without the word `sortlist` and the
    /// line's end, to those of the lines before (`res_vinit_1` in
    /// `resolv/res_init.c`).
    ///
    /// An entry is an address, perhaps with a mask after `/` or `&`, in any
    /// form of `inet_aton(3)`; without a good mask it has that of its class. A
    /// `;` or NUL byte ends the line. What glibc skips is skipped and warned
    /// of; where glibc would read one byte for ever, the rest of the line is.
    pub fn add_line(&mut self, line: usize, value: &[u8]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |word: &[u8], what: &str| {
            warnings
                .push(Warning { line, message: format!("sortlist: \"{}\": {what}", word.escape_ascii()) });
        };
        let end = value.iter().position(|byte| matches!(byte, b';' | 0));
        let mut rest = end.and_then(|end| value.get(..end)).unwrap_or(value);
        loop {
            rest = skip_blanks(rest);
            if matches!(rest, [] | [b'\n', ..]) {
                break;
            }
            let (word, after) = token(rest, b"/&");
            if word.is_empty() {
                // glibc never gets past this byte.
                warn(rest, "cannot be read, rest of the line ignored");
                break;
            }
            rest = after;
            let Some(network) = inet_aton(word) else {
                warn(word, "not an IPv4 address, ignored");
                continue;
            };
            let mut mask = None;
            if let [b'/' | b'&', after @ ..] = rest {
                let (word, after) = token(after, b"");
                rest = after;
                mask = inet_aton(word);
                if mask.is_none() {
                    warn(word, "not an IPv4 mask, that of the class taken");
                }
            }
            let mask = mask.unwrap_or_else(|| class_mask(network));
            self.entries.push(Entry { network, mask });
        }
        warnings
    }

    /// Whether there is nothing to sort by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sorts the addresses of an A answer, in the order of its records, by the
    /// first entry that each is in; those in none come last. Ties stay.
    pub fn apply<T>(&self, answer: &mut [T], address: impl Fn(&T) -> IpAddr) {
        let sorted = answer.len().min(SORTED_ADDRESSES);
        if let Some((sorted, _)) = answer.split_at_mut_checked(sorted) {
            sorted.sort_by_cached_key(|item| self.rank(address(item)));
        }
    }

    fn rank(&self, address: IpAddr) -> usize {
        let holds = |entry: &Entry| match address {
            IpAddr::V4(v4) => v4.to_bits() & entry.mask == entry.network,
            IpAddr::V6(_) => false,
        };
        let rank = self.entries.iter().position(holds);
        rank.unwrap_or(self.entries.len())
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    start.and_then(|start| text.get(start..)).unwrap_or_default()
}

/// The text up to white space, a byte that is not ASCII, or a given one; and
/// the rest from there.
fn token<'a>(text: &'a [u8], separators: &[u8]) -> (&'a [u8], &'a [u8]) {
    let ends =
        |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r') || !byte.is_ascii() || separators.contains(byte);
    let length = text.iter().position(ends).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, &[]))
}

/// `inet_aton(3)` of a whole word.
fn inet_aton(word: &[u8]) -> Option<u32> {
    std::str::from_utf8(word).ok().and_then(literal::ipv4).map(u32::from)
}

/// The mask of the network class of an address (`net_mask` in `res_init.c`).
fn class_mask(network: u32) -> u32 {
    match network >> 30 {
        0 | 1 => 0xff00_0000,
        2 => 0xffff_0000,
        _ => 0xffff_ff00,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sortlist(lines: &[&[u8]]) -> Sortlist {
        let mut sortlist = Sortlist::default();
        for line in lines {
            assert_eq!(sortlist.add_line(1, line), [], "{}", line.escape_ascii());
        }
        sortlist
    }

    #[track_caller]
    fn sorts(lines: &[&[u8]], from: &[&str], to: &[&str]) {
        let mut addresses: Vec<IpAddr> = from.iter().map(|it| it.parse().unwrap()).collect();
        sortlist(lines).apply(&mut addresses, |address| *address);
        let sorted: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, to);
    }

    #[test]
    fn addresses_come_in_the_order_of_their_networks_and_the_rest_last() {
        sorts(
            &[b" 130.155.160.0/255.255.240.0 130.155.0.0"],
            &["10.0.0.1", "130.155.1.1", "130.155.1.2", "130.155.161.1"],
            &["130.155.161.1", "130.155.1.1", "130.155.1.2", "10.0.0.1"],
        );
    }

    #[test]
    fn a_line_adds_to_those_before_and_ends_at_a_semicolon() {
        sorts(
            &[b" 10.0.0.0", b"\t192.0.2.0; 8.0.0.0\n", b" ;x", b""],
            &["8.8.8.8", "192.0.2.1", "10.0.0.1"],
            &["10.0.0.1", "192.0.2.1", "8.8.8.8"],
        );
    }

    #[test]
    fn an_address_without_mask_stands_for_its_class() {
        for (entry, inside, outside) in [
            ("10.0.0.0", "10.255.0.1", "11.0.0.1"),
            ("172.16.0.0", "172.16.255.1", "172.17.0.1"),
            ("192.0.2.0", "192.0.2.255", "192.0.3.1"),
        ] {
            sorts(&[entry.as_bytes()], &[outside, inside], &[inside, outside]);
        }
    }

    #[test]
    fn numbers_and_masks_have_all_forms_of_inet_aton() {
        let slash_8 = Entry { network: 0x0a00_0000, mask: 0xff00_0000 };
        for entry in
            ["10.0.0.0/255.0.0.0", "10.0&255.0", "0xa000000/0xff000000", "012.0.0/0377.0", "167772160"]
        {
            assert_eq!(sortlist(&[entry.as_bytes()]).entries, [slash_8], "{entry}");
        }
    }

    #[test]
    fn inet_aton_refuses_what_glibcs_refuses() {
        for word in [
            "",
            ".",
            "1.",
            ".1",
            "1..2",
            "256.1",
            "1.2.3.256",
            "1.2.65536",
            "1.2.3.4.5",
            "08",
            "0x",
            "+1",
            "1x",
            "4294967296",
            "a.b",
            "\u{e9}",
        ] {
            assert_eq!(inet_aton(word.as_bytes()), None, "{word:?}");
        }
    }

    #[test]
    fn a_network_with_bits_outside_its_mask_has_nothing_in_it() {
        sorts(&[b"10.0.0.1/255.0.0.0 10.0.0.0"], &["9.0.0.1", "10.0.0.1"], &["10.0.0.1", "9.0.0.1"]);
        assert_eq!(sortlist(&[b"10.0.0.1/255.0.0.0"]).rank([10, 0, 0, 1].into()), 1);
    }

    #[test]
    fn a_bad_entry_is_skipped_and_a_bad_mask_replaced() {
        let mut sortlist = Sortlist::default();
        let warnings = sortlist.add_line(7, b" nonsense 10.0.0.0/8.x 9.0.0.0/");
        assert_eq!(warnings.len(), 3);
        assert!(warnings.iter().all(|warning| warning.line == 7));
        let networks: Vec<u32> = sortlist.entries.iter().map(|it| it.network >> 24).collect();
        assert_eq!(networks, [10, 9]);
        assert!(sortlist.entries.iter().all(|it| it.mask == 0xff00_0000));
    }

    #[test]
    fn a_byte_on_which_glibc_hangs_ends_the_line() {
        for line in [&b"10.0.0.0\r"[..], b"10.0.0.0 / 9.0.0.0", b"10.0.0.0 \xe9 9.0.0.0"] {
            let mut sortlist = Sortlist::default();
            assert_eq!(sortlist.add_line(1, line).len(), 1);
            assert_eq!(sortlist.entries.len(), 1);
        }
    }

    #[test]
    fn addresses_beyond_the_48th_stay_where_they_are() {
        let mut addresses: Vec<IpAddr> = (0..50).map(|last| [9, 0, 0, last].into()).collect();
        addresses.splice(47..49, [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()]);
        sortlist(&[b"10.0.0.0"]).apply(&mut addresses, |address| *address);
        let place = |last| addresses.iter().position(|it| *it == IpAddr::from([10, 0, 0, last]));
        assert_eq!((place(1), place(2)), (Some(0), Some(48)));
    }

    proptest! {
        #[test]
        fn arbitrary_lines_do_not_panic(line in prop::collection::vec(any::<u8>(), 0..60)) {
            Sortlist::default().add_line(1, &line);
        }

        #[test]
        fn sorting_is_an_idempotent_permutation(
            line in "([0-3]{1,2}.0.0.0(/25[45].0.0.0)? ){0,5}",
            addresses in prop::collection::vec(0..40_u8, 0..60),
        ) {
            let mut sortlist = Sortlist::default();
            sortlist.add_line(1, line.as_bytes());
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
