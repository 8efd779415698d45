//! `/etc/gai.conf`, which replaces the tables by which `getaddrinfo` orders addresses. See gai.conf(5).
//!
//! - A table of which one good line is given replaces the built-in one whole. Addresses for which it has no row have
//!   label 1, precedence 40 or scope 14.
//! - The longest prefix counts; of two equally long ones, the earlier line. Bits of a prefix beyond its length are
//!   ignored.
//! - `reload yes` makes glibc look at the file again in each call; a program that reads it once has nothing to do for it.

use std::net::IpAddr;

use crate::file::{Warning, lines};
use crate::order::policy::{MAPPED, Policy, Row, row};

/// Its path.
pub const PATH: &str = "/etc/gai.conf";

/// Parses the text of a `gai.conf`.
///
/// Never fails: an invalid line is dropped, with a warning.
#[must_use]
pub fn parse(gai_conf: &[u8]) -> (Policy, Vec<Warning>) {
    let (mut labels, mut precedences, mut scopes) = (Vec::new(), Vec::new(), Vec::new());
    let mut warnings = Vec::new();
    for (number, line) in (1..).zip(lines(gai_conf)) {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let Some(keyword) = words.next() else { continue };
        let (prefix, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (table, row) = match keyword {
            "label" => (&mut labels, ipv6_row(prefix, value)),
            "precedence" => (&mut precedences, ipv6_row(prefix, value)),
            "scopev4" => (&mut scopes, ipv4_row(prefix, value)),
            "reload" => continue,
            _ => {
                warnings.push(Warning::new(number, format!("unknown keyword {keyword:?}; line ignored")));
                continue;
            }
        };
        match row {
            Ok(row) => table.push(row),
            Err(expected) => {
                let message = format!("{keyword}: expected {expected} and a number; line ignored");
                warnings.push(Warning::new(number, message));
            }
        }
    }
    (Policy::from_rows(labels, precedences, scopes), warnings)
}

/// The row of a `label` or `precedence` line, or what was expected instead.
fn ipv6_row(prefix: &str, value: &str) -> Result<Row, &'static str> {
    row_of(prefix, value)
        .filter(|_| prefix.contains(':'))
        .ok_or("an IPv6 prefix such as 2001:db8::/32 or, for IPv4, ::ffff:192.0.2.0/120")
}

/// The row of a `scopev4` line, whose prefix has IPv4 or mapped form, or what was expected instead.
fn ipv4_row(prefix: &str, value: &str) -> Result<Row, &'static str> {
    row_of(prefix, value)
        .filter(|row| row.length >= MAPPED.length && MAPPED.matches(row.prefix))
        .ok_or("an IPv4 prefix such as 192.0.2.0/24 or ::ffff:192.0.2.0/120")
}

fn row_of(prefix: &str, value: &str) -> Option<Row> {
    let (address, length) = prefix.split_once('/')?;
    let (length, value) = (length.parse().ok()?, value.parse().ok()?);
    match address.parse().ok()? {
        IpAddr::V4(v4) if length <= 32 => {
            Some(row(v4.to_ipv6_mapped().to_bits(), MAPPED.length + length, value))
        }
        IpAddr::V6(v6) if length <= 128 => Some(row(v6.to_bits(), length, value)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn scope(conf: &[u8], of: &str) -> u32 {
        let (policy, warnings) = parse(conf);
        assert_eq!(warnings, []);
        policy.scope(address(of))
    }

    #[test]
    fn an_empty_or_commented_file_leaves_the_built_in_tables() {
        for conf in ["", "\n\n", "# label ::/0 7\n", "  \t# x", "reload yes\nreload no"] {
            assert_eq!(parse(conf.as_bytes()), (Policy::default(), vec![]), "{conf:?}");
        }
    }

    #[test]
    fn one_line_replaces_its_whole_table_and_no_other() {
        for conf in ["precedence ::ffff:0:0/96  100\n", "\tprecedence\t::ffff:1.2.3.4/96 100 7# x\r\n"] {
            let (policy, warnings) = parse(conf.as_bytes());
            assert_eq!(warnings, []);
            assert_eq!(policy.precedence(address("192.0.2.1")), 100);
            assert_eq!(policy.precedence(address("::1")), 40);
            assert_eq!(policy.label(address("::1")), 0);
            assert_eq!(policy.scope(address("127.0.0.1")), 2);
        }
    }

    #[test]
    fn a_scope_may_be_given_in_ipv4_and_in_mapped_form() {
        assert_eq!(scope(b"scopev4 192.0.2.0/24 5", "192.0.2.9"), 5);
        assert_eq!(scope(b"scopev4 ::ffff:192.0.2.0/120 5", "192.0.2.9"), 5);
        assert_eq!(scope(b"scopev4 0.0.0.0/0 7", "192.0.2.9"), 7);
        assert_eq!(scope(b"scopev4 ::ffff:0.0.0.0/96 7", "192.0.2.9"), 7);
    }

    #[test]
    fn an_invalid_gai_line_is_skipped_with_a_warning() {
        for line in [
            "label ::1 7",
            "label ::1/129 7",
            "label ::1/x 7",
            "label ::1/ 7",
            "label ::1/128",
            "label ::1/128 x",
            "label ::1/128 -1",
            "label 1.2.3.4/8 7",
            "label fe80::1%lo/64 7",
            "label",
            "scopev4 10.0.0.0 7",
            "scopev4 10.0.0.0/33 7",
            "scopev4 10.0.0/8 7",
            "scopev4 ::ffff:10.0.0.0/95 7",
            "scopev4 fe80::/10 7",
            "scopev4 fe80::/100 7",
            "Label ::1/128 7",
            "nonsense",
            "l\u{e9}bel ::1/128 7",
        ] {
            let conf = format!("label ::/0 3\n{line}\nscopev4 10.0.0.0/8 4");
            let (policy, warnings) = parse(conf.as_bytes());
            assert_eq!(policy.label(address("::1")), 3, "{line}");
            assert_eq!(policy.scope(address("10.0.0.1")), 4, "{line}");
            assert_eq!(warnings.iter().map(|warning| warning.line).collect::<Vec<_>>(), [2], "{line}");
        }
    }

    #[test]
    fn a_warning_says_what_was_expected_and_shows_no_control_characters() {
        let (_, warnings) = parse(b"precedence 10.0.0.0/8 50\nl\x1b[2J ::/0 1");
        let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "precedence: expected an IPv6 prefix such as 2001:db8::/32 or, for IPv4, ::ffff:192.0.2.0/120 and a number; line ignored",
                "unknown keyword \"l\\u{1b}[2J\"; line ignored",
            ]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic_and_warnings_name_existing_lines(
            conf in prop::collection::vec(any::<u8>(), 0..300),
            v6 in any::<u128>(),
        ) {
            let (policy, warnings) = parse(&conf);
            let lines = lines(&conf).count();
            prop_assert!(warnings.iter().all(|it| (1..=lines).contains(&it.line)));
            let v6 = IpAddr::from(v6.to_be_bytes());
            let _ = (policy.label(v6), policy.precedence(v6), policy.scope(v6));
        }

        #[test]
        fn almost_valid_lines_do_not_panic(
            conf in "((label|precedence|scopev4) [0-9a-f:.]{0,9}/[-+0-9]{0,4} [-+0-9]{0,12}\n){0,9}",
            v6 in any::<u128>(),
        ) {
            let _ = parse(conf.as_bytes()).0.label(IpAddr::from(v6.to_be_bytes()));
        }
    }
}
