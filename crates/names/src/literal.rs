//! Names that are themselves addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that `name` is, if it is one, as `getaddrinfo()` reads it: dotted IPv4, possibly with fewer than four
/// parts and with octal or hexadecimal parts (inet_aton(3)), and IPv6 with or without a scope.
#[must_use]
pub fn parse(name: &str) -> Option<Literal> {
    if let Some(address) = ipv4(name) {
        return Some(Literal { address: IpAddr::V4(address), scoped: false });
    }
    let (address, scope) = match name.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (name, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    Some(Literal { address: IpAddr::V6(address), scoped: scope.is_some() })
}

/// An address given as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The address.
    pub address: IpAddr,
    /// Whether it came with a scope, `%INTERFACE`. Payloads can't carry one.
    pub scoped: bool,
}

/// An IPv4 address as inet_aton(3) reads it: one to four parts, the last of which fills all remaining bytes, each
/// decimal, octal (`0…`) or hexadecimal (`0x…`).
#[must_use]
pub fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let last = part(parts.next_back()?)?;
    let leading: Vec<u32> = parts.map(part).collect::<Option<_>>()?;
    let mut value: u32 = 0;
    for &part in &leading {
        if part > 0xff {
            return None;
        }
        value = (value << 8) | part;
    }
    let bits = 32_u32.checked_sub(8 * u32::try_from(leading.len()).ok()?)?;
    if bits == 0 || (bits < 32 && last >> bits != 0) {
        return None;
    }
    let high = if bits == 32 { 0 } else { value << bits };
    Some(Ipv4Addr::from(high | last))
}

/// A number in the notation of strtoul(3) with base 0, digits only.
fn part(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u32::from_str_radix(digits, radix).ok()
    } else {
        None
    }
}

/// Whether `name`, which is not an address, looks so much like one that glibc never looks its IPv4 address up
/// (nss/digits_dots.c).
#[must_use]
pub fn looks_numeric(name: &str) -> bool {
    let digit = name.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    digit && !name.ends_with('.') && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Option<String> {
        parse(text).map(|literal| literal.address.to_string())
    }

    #[test]
    fn numeric_forms_of_ipv4_are_read_as_inet_aton_does() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("127.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("10.1.258", "10.1.1.2"),
            ("2130706433", "127.0.0.1"),
            ("0", "0.0.0.0"),
            ("0xffffffff", "255.255.255.255"),
        ] {
            assert_eq!(address(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_an_address_is_treated_as_a_name() {
        for text in [
            "",
            ".",
            "1.",
            ".1",
            "1..2",
            "256.1.1.1",
            "1.2.3.256",
            "1.2.3.4.5",
            "1.2.3.4.",
            "08",
            "0x",
            "-1",
            "+1",
            "1.2.3.4 ",
            "4294967296",
            "1.16777216",
            "a",
            "1e3",
            "0x1g",
            "::1::",
            "fe80::g",
            "[::1]",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn digits_and_dots_look_like_an_address() {
        for name in ["1", "256.1.1.1", "1.2.3.4.5", "1..2"] {
            assert!(looks_numeric(name), "{name}");
        }
        for name in ["", "1.", ".1", "1a", "a1", "1-2", "0x1"] {
            assert!(!looks_numeric(name), "{name}");
        }
    }

    #[test]
    fn a_scope_is_detected() {
        assert!(parse("fe80::1%eth0").is_some_and(|literal| literal.scoped));
        assert!(parse("fe80::1").is_some_and(|literal| !literal.scoped));
    }

    proptest! {
        #[test]
        fn every_address_in_canonical_form_round_trips(address: IpAddr) {
            prop_assert_eq!(parse(&address.to_string()).map(|literal| literal.address), Some(address));
        }

        #[test]
        fn every_short_form_parses_to_the_number_it_denotes(value: u32) {
            let expected = Some(Ipv4Addr::from(value));
            let [a, b, c, d] = value.to_be_bytes().map(u32::from);
            prop_assert_eq!(ipv4(&format!("{value}")), expected);
            prop_assert_eq!(ipv4(&format!("{value:#x}")), expected);
            prop_assert_eq!(ipv4(&format!("0{value:o}")), expected);
            prop_assert_eq!(ipv4(&format!("{a}.{}", value & 0xff_ffff)), expected);
            prop_assert_eq!(ipv4(&format!("{a:#x}.{b}.{}", c << 8 | d)), expected);
            prop_assert_eq!(ipv4(&format!("{a}.0{b:o}.{c:#x}.{d}")), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
