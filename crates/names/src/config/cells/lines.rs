//! The lines of a kafs-client configuration file (kafs-client.conf(5)), parsed one by one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Nothing, or a comment.
    Blank,
    /// `[NAME]`: what follows belongs to this section.
    Section(&'a str),
    /// `include FILE`.
    Include(&'a str),
    /// `includedir FOLDER`.
    IncludeDir(&'a str),
    /// `KEY = {`: a list begins.
    Open(&'a str),
    /// `KEY = VALUE`.
    Pair(&'a str, &'a str),
    /// `}`, or with an asterisk if nothing may be added to the list later.
    Close {
        /// Whether there was an asterisk.
        closed: bool,
    },
    /// None of these.
    Malformed,
}

impl<'a> Line<'a> {
    /// Parses a line.
    #[must_use]
    pub fn parse(line: &'a str) -> Self {
        let line = line.trim_ascii();
        match line {
            "" => return Self::Blank,
            "}" => return Self::Close { closed: false },
            "}*" => return Self::Close { closed: true },
            comment if comment.starts_with('#') => return Self::Blank,
            _ => {}
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Self::Section(section.trim_ascii());
        }
        let Some((key, value)) = line.split_once('=') else {
            return Self::directive(line);
        };
        match (key.trim_ascii_end(), value.trim_ascii_start()) {
            ("", _) => Self::Malformed,
            (key, "{") => Self::Open(unquoted(key)),
            (_, value) if value.starts_with('{') => Self::Malformed,
            (key, value) => Self::Pair(unquoted(key), unquoted(value)),
        }
    }

    fn directive(line: &'a str) -> Self {
        match line.split_once([' ', '\t']) {
            Some(("include", path)) => Self::Include(path.trim_ascii_start()),
            Some(("includedir", path)) => Self::IncludeDir(path.trim_ascii_start()),
            _ => Self::Malformed,
        }
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// A boolean value.
#[must_use]
pub fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// An address, `[udp/]ADDRESS[:PORT]`; an IPv6 address is in brackets if a port follows.
#[must_use]
pub fn address(value: &str) -> Option<(IpAddr, Option<u16>)> {
    let value = match value.split_once('/') {
        Some((protocol, rest)) if protocol.eq_ignore_ascii_case("udp") => rest,
        Some(_) => return None,
        None => value,
    };
    if let Ok(address) = value.parse::<Ipv6Addr>() {
        return Some((address.into(), None));
    }
    let (address, port) = match value.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (address.parse().ok()?, port)
        }
        None => match value.split_once(':') {
            Some((address, port)) => (address.parse::<Ipv4Addr>().ok()?.into(), Some(port)),
            None => (value.parse::<Ipv4Addr>().ok()?.into(), None),
        },
    };
    match port {
        None => Some((address, None)),
        Some(port) if port.starts_with('+') => None,
        Some(port) => Some((address, Some(port.parse().ok().filter(|&port| port != 0)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::SocketAddr;

    #[test]
    fn each_kind_of_line_is_recognized() {
        for (text, line) in [
            ("", Line::Blank),
            ("  # x = {", Line::Blank),
            ("\t[cells] ", Line::Section("cells")),
            ("include /a b", Line::Include("/a b")),
            ("includedir\t/etc/kafs/client.d", Line::IncludeDir("/etc/kafs/client.d")),
            ("a.b= {", Line::Open("a.b")),
            ("\"a.b\" ={", Line::Open("a.b")),
            ("use_dns=no", Line::Pair("use_dns", "no")),
            ("description = \"a = b\"", Line::Pair("description", "a = b")),
            ("include = x", Line::Pair("include", "x")),
            ("sysname =", Line::Pair("sysname", "")),
            ("}", Line::Close { closed: false }),
            (" }* ", Line::Close { closed: true }),
            ("} *", Line::Malformed),
            ("word", Line::Malformed),
            ("= x", Line::Malformed),
            ("a = { b = c }", Line::Malformed),
        ] {
            assert_eq!(Line::parse(text), line, "{text}");
        }
    }

    #[test]
    fn addresses_come_in_every_form_of_the_manual() {
        for (text, expected) in [
            ("192.0.2.23", Some(("192.0.2.23", None))),
            ("2001:db8:123::13", Some(("2001:db8:123::13", None))),
            ("[2001:db8::1]:6666", Some(("2001:db8::1", Some(6666)))),
            ("203.0.113.3:6666", Some(("203.0.113.3", Some(6666)))),
            ("udp/[2001:db8::1]", Some(("2001:db8::1", None))),
            ("UDP/203.0.113.189", Some(("203.0.113.189", None))),
            ("[203.0.113.1]", Some(("203.0.113.1", None))),
            ("tcp/203.0.113.189", None),
            ("host.example", None),
            ("203.0.113.3:0", None),
            ("203.0.113.3:65536", None),
            ("203.0.113.3:+1", None),
            ("203.0.113.3:", None),
            ("[2001:db8::1]x", None),
            ("[2001:db8::1", None),
            ("10.0.0.1, 10.0.0.2", None),
            ("", None),
        ] {
            let expected = expected.map(|(ip, port)| (ip.parse().unwrap(), port));
            assert_eq!(address(text), expected, "{text}");
        }
    }

    #[test]
    fn booleans_are_those_of_the_manual_in_any_case() {
        for (text, value) in [("yes", Some(true)), ("ON", Some(true)), ("f", Some(false)), ("maybe", None)] {
            assert_eq!(boolean(text), value);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = (Line::parse(&text), address(&text), boolean(&text));
        }

        #[test]
        fn an_address_with_a_port_reads_back(endpoint: SocketAddr) {
            prop_assume!(endpoint.port() != 0);
            let expected = Some((endpoint.ip(), Some(endpoint.port())));
            prop_assert_eq!(address(&SocketAddr::new(endpoint.ip(), endpoint.port()).to_string()), expected);
        }
    }
}
