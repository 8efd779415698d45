//! `/etc/gai.conf`, which replaces the tables by which `getaddrinfo` orders
//! addresses.
//!
//! The format is that of gai.conf(5) as glibc 2.36 reads it
//! (`gaiconf_init` in sysdeps/posix/getaddrinfo.c), slips included, since the
//! answer has to come out in glibc's order on the same file:
//!
//! - A table of which one good line is given replaces the built-in one whole.
//!   A table without a `/0` line gets one: label 1, precedence 40 or scope 14.
//! - The longest prefix wins; of two equally long ones, the earlier line.
//! - Bits of a prefix beyond its length are ignored.
//! - A missing value counts as 0, and so does a missing length after the `/`.
//! - A prefix without any `/` makes glibc read an uninitialised pointer: it
//!   drops such a line at best and crashes at worst. Here the line is dropped.
//! - Words after the value are ignored, a NUL byte ends its line.
//! - `reload yes` makes glibc look at the file again in each call; a program
//!   that reads it once has nothing to do for it.
//!
//! glibc opens the file only once there are two addresses to order, and takes
//! an unreadable file for an absent one, which stands for the built-in tables.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::file::Warning;
use crate::order::policy::{MAPPED, Policy, Row, row};

/// Where it is.
pub const PATH: &str = "/etc/gai.conf";

/// What a line comes to: a row, perhaps with a remark, or why it has none.
type Line = Result<(Row, Option<&'static str>), &'static str>;

/// Reads the text of a `gai.conf`.
///
/// Never fails: a line that glibc cannot use is left out and warned of, and
/// one that it uses in a way hardly meant is used so and warned of.
#[must_use]
pub fn parse(gai_conf: &[u8]) -> (Policy, Vec<Warning>) {
    let (mut labels, mut precedences, mut scopes) = (Vec::new(), Vec::new(), Vec::new());
    let mut warnings = Vec::new();
    for (line, text) in (1..).zip(gai_conf.split(|&byte| byte == b'\n')) {
        let mut words = words(text);
        let Some(keyword) = words.next() else {
            continue;
        };
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let warning = match keyword {
            b"label" => add(&mut labels, ipv6_row(first, second)),
            b"precedence" => add(&mut precedences, ipv6_row(first, second)),
            b"scopev4" => add(&mut scopes, scope_row(first, second)),
            b"reload" if matches!(first, b"yes" | b"no") => None,
            b"reload" => Some("neither \"yes\" nor \"no\", taken for \"no\""),
            _ => Some("unknown keyword, line ignored"),
        };
        warnings.extend(
            warning
                .map(|message| Warning { line, message: format!("{}: {message}", keyword.escape_ascii()) }),
        );
    }
    (Policy::from_rows(labels, precedences, scopes), warnings)
}

/// The words of a line, without its comment.
///
/// White space is that of `isspace` in the C locale, which in contrast to
/// Rust's has the vertical tab.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| matches!(byte, b'#' | 0))
        .take(1)
        .flat_map(|text| text.split(|byte| matches!(byte, b' ' | b'\t'..=b'\r')))
        .filter(|word| !word.is_empty())
}

/// Adds the row, if any, and gives the warning, if any.
fn add(rows: &mut Vec<Row>, line: Line) -> Option<&'static str> {
    match line {
        Ok((row, remark)) => {
            rows.push(row);
            remark
        }
        Err(reason) => Some(reason),
    }
}

/// The row of a `label` or `precedence` line (`add_prefixlist` in glibc).
fn ipv6_row(prefix: &[u8], value: Option<&[u8]>) -> Line {
    let (address, length) = halves(prefix)?;
    let prefix: Ipv6Addr = address_of(address).ok_or("no IPv6 prefix, line ignored")?;
    finish(prefix, length, 0, 128, value)
}

/// The row of a `scopev4` line, whose prefix has IPv4 or mapped form
/// (`gaiconf_init` and `add_scopelist` in glibc).
fn scope_row(prefix: &[u8], value: Option<&[u8]>) -> Line {
    let (address, length) = halves(prefix)?;
    if let Some(v4) = address_of::<Ipv4Addr>(address) {
        return finish(v4.to_ipv6_mapped(), length, MAPPED.length, 32, value);
    }
    let v6 = address_of::<Ipv6Addr>(address)
        .filter(|v6| MAPPED.matches(v6.to_bits()))
        .ok_or("neither an IPv4 nor a mapped prefix, line ignored")?;
    let (row, remark) = finish(v6, length, 0, 128, value)?;
    if row.length < MAPPED.length {
        return Err("the prefix of a mapped address is shorter than 96 bits, line ignored");
    }
    Ok((row, remark))
}

/// Address and length of `address/length`.
fn halves(prefix: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let slash = prefix.iter().position(|&byte| byte == b'/');
    slash
        .and_then(|at| Some((prefix.get(..at)?, prefix.get(at + 1..)?)))
        .ok_or("no prefix with a /length, line ignored")
}

fn address_of<A: FromStr>(text: &[u8]) -> Option<A> {
    // Accepts what inet_pton(3) does.
    str::from_utf8(text).ok()?.parse().ok()
}

/// The row of a prefix whose length, at most `longest`, is given less `offset`.
fn finish(prefix: Ipv6Addr, length: &[u8], offset: u32, longest: u32, value: Option<&[u8]>) -> Line {
    let bits = strtoul(length)
        .and_then(|bits| u32::try_from(bits).ok())
        .filter(|bits| *bits <= longest)
        .ok_or("bad prefix length, line ignored")?;
    let number = strtoul(value.unwrap_or_default())
        .and_then(|number| i32::try_from(number).ok())
        .ok_or("bad value, line ignored")?;
    let remark = if value.is_none() {
        Some("no value, taken for 0")
    } else if length.is_empty() {
        Some("no prefix length after the slash, taken for 0")
    } else {
        None
    };
    let row = row(prefix.to_bits(), offset + bits, number.unsigned_abs());
    Ok((row, remark))
}

/// The number that strtoul(3) makes of a whole word, base 10, 64 bits: a sign
/// may stand before it, no digits at all are 0, and minus wraps around.
fn strtoul(word: &[u8]) -> Option<u64> {
    let (digits, negative) = match word {
        [] => return Some(0),
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] | digits => (digits, false),
    };
    // Rust's parser would take one more sign.
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = address_of(digits)?;
    Some(if negative { number.wrapping_neg() } else { number })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn label(conf: &[u8], of: &str) -> u32 {
        parse(conf).0.label(address(of))
    }

    fn scope(conf: &[u8], of: &str) -> u32 {
        parse(conf).0.scope(address(of))
    }

    fn warned_lines(conf: &[u8]) -> Vec<usize> {
        parse(conf).1.iter().map(|warning| warning.line).collect()
    }

    #[test]
    fn an_empty_or_commented_file_leaves_the_built_in_tables() {
        for conf in ["", "\n\n", "# label ::/0 7\n", "  \t# x", "reload yes\nreload no"] {
            assert_eq!(parse(conf.as_bytes()), (Policy::default(), vec![]), "{conf:?}");
        }
    }

    #[test]
    fn one_line_replaces_its_table_whole_and_no_other() {
        let (policy, warnings) = parse(b"precedence ::ffff:0:0/96  100\n");
        assert_eq!(warnings, []);
        assert_eq!(policy.precedence(address("192.0.2.1")), 100);
        assert_eq!(policy.precedence(address("::1")), 40);
        assert_eq!(policy.label(address("::1")), 0);
        assert_eq!(policy.scope(address("127.0.0.1")), 2);
    }

    #[test]
    fn a_scope_may_be_given_in_ipv4_and_in_mapped_form() {
        assert_eq!(scope(b"scopev4 192.0.2.0/24 5", "192.0.2.9"), 5);
        assert_eq!(scope(b"scopev4 ::ffff:192.0.2.0/120 5", "192.0.2.9"), 5);
        assert_eq!(scope(b"scopev4 0.0.0.0/0 7", "192.0.2.9"), 7);
        assert_eq!(scope(b"scopev4 ::ffff:0.0.0.0/96 7", "192.0.2.9"), 7);
    }

    #[test]
    fn a_comment_a_nul_byte_and_further_words_end_a_line() {
        for conf in [
            &b"label ::/0 6#5"[..],
            b"\x0blabel\x0c::/0\r6\r\n",
            b"label ::/0 6 7 8",
            b"label ::/0 6\0label",
            b"\tlabel\t::/0\t6",
        ] {
            assert_eq!(label(conf, "::1"), 6);
            assert_eq!(warned_lines(conf), Vec::<usize>::new());
        }
    }

    #[test]
    fn a_missing_value_or_length_counts_as_zero_and_is_warned_of() {
        assert_eq!(label(b"label ::/0", "::1"), 0);
        assert_eq!(label(b"label 2001::/ 6", "::1"), 6);
        assert_eq!(warned_lines(b"label ::/0\nlabel 2001::/ 6\n"), [1, 2]);
    }

    #[test]
    fn a_number_is_read_as_strtoul_reads_it() {
        for (number, value) in [
            ("+7", Some(7)),
            ("-0", Some(0)),
            ("007", Some(7)),
            ("-18446744073709551612", Some(4)),
            ("2147483647", Some(0x7fff_ffff)),
            ("2147483648", None),
            ("18446744073709551616", None),
            ("-1", None),
            ("+", None),
            ("+-1", None),
            ("0x1", None),
            ("1.5", None),
        ] {
            let conf = format!("label ::/0 {number}");
            assert_eq!(label(conf.as_bytes(), "::1"), value.unwrap_or(0), "{number}");
            assert_eq!(parse(conf.as_bytes()).1.is_empty(), value.is_some(), "{number}");
        }
    }

    #[test]
    fn a_line_glibc_cannot_use_is_lost_alone_and_warned_of() {
        let bad = [
            "label ::1 7",
            "label ::1/129 7",
            "label ::1/x 7",
            "label 1.2.3.4/8 7",
            "label fe80::1%lo/64 7",
            "label",
            "scopev4 10.0.0.0 7",
            "scopev4 10.0.0.0/33 7",
            "scopev4 10.0.0/8 7",
            "scopev4 010.0.0.0/8 7",
            "scopev4 ::ffff:10.0.0.0/95 7",
            "scopev4 fe80::/10 7",
            "Label ::1/128 7",
            "nonsense",
            "reload maybe",
        ];
        for line in bad {
            let conf = format!("label ::/0 3\n{line}\nscopev4 10.0.0.0/8 4");
            let (policy, warnings) = parse(conf.as_bytes());
            assert_eq!(policy.label(address("::1")), 3, "{line}");
            assert_eq!(policy.scope(address("10.0.0.1")), 4, "{line}");
            assert_eq!(warned_lines(conf.as_bytes()), [2], "{line}");
            let keyword = line.split(' ').next().unwrap();
            assert!(warnings.iter().all(|it| it.message.starts_with(keyword)));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped_in_a_warning() {
        let (_, warnings) = parse(b"l\xff\x1b[2J ::/0 1");
        let expected = "l\\xff\\x1b[2J: unknown keyword, line ignored";
        assert_eq!(warnings.first().unwrap().message, expected);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_neither_panic_nor_leave_a_gap(
            conf in prop::collection::vec(any::<u8>(), 0..300),
            v6 in any::<u128>(),
        ) {
            let (policy, warnings) = parse(&conf);
            let lines = conf.split(|&byte| byte == b'\n').count();
            prop_assert!(warnings.iter().all(|it| (1..=lines).contains(&it.line)));
            let v6 = IpAddr::from(v6.to_be_bytes());
            let _ = (policy.label(v6), policy.precedence(v6), policy.scope(v6));
        }

        #[test]
        fn likely_lines_do_not_panic(
            conf in "((label|precedence|scopev4|reload) ?[0-9a-f:.]{0,9}/?[-+0-9]{0,4} ?[-+0-9]{0,22}[\n#\0]?){0,9}",
        ) {
            let _ = parse(conf.as_bytes());
        }
    }
}
