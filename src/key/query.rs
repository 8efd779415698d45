//! What one key asks for: its name and callout info, parsed.

use crate::failure::Failure;
use std::fmt;
use std::net::Ipv6Addr;

/// A question that a key puts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The addresses of a host.
    Host(HostQuery),
}

/// A host name to be resolved, and which of its addresses are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostQuery {
    /// The name, as the kernel gave it.
    pub name: QueryName,
    /// Which families, and which of them first.
    pub preference: Preference,
    /// One address, or all.
    pub selection: Selection,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4: A records.
    Ipv4,
    /// IPv6: AAAA records.
    Ipv6,
}

/// Which families an answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// This family alone.
    Only(Family),
    /// This family, or the other one where the name has no address in this.
    First(Family),
    /// Both, in the order of RFC 6724.
    Any,
}

/// How many addresses an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Exactly one: all that libceph, CIFS and NFS can read.
    One,
    /// Every address once, separated by commas.
    All,
}

/// A name to look up, as the kernel gave it: any bytes but NUL, not empty.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct QueryName(Vec<u8>);

impl QueryName {
    /// The name's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text, where it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// Control and 8-bit characters are escaped, so that a name can't forge a log line.
impl fmt::Display for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The words of a callout that this program knows, and those that it doesn't.
#[derive(Default)]
struct Callout {
    ipv4: bool,
    ipv6: bool,
    list: bool,
    unknown: Vec<String>,
}

impl Callout {
    fn parse(callout: &[u8]) -> Self {
        let mut words = Self::default();
        for word in callout.split(|&byte| matches!(byte, b' ' | b',' | b'\0')) {
            match word {
                b"" => {}
                b"ipv4" => words.ipv4 = true,
                b"ipv6" => words.ipv6 = true,
                b"list" => words.list = true,
                other => words.unknown.push(other.escape_ascii().to_string()),
            }
        }
        words
    }

    /// The families that the words name, if any.
    fn families(&self) -> Option<Preference> {
        match (self.ipv4, self.ipv6) {
            (true, false) => Some(Preference::Only(Family::Ipv4)),
            (false, true) => Some(Preference::Only(Family::Ipv6)),
            (true, true) => Some(Preference::Any),
            (false, false) => None,
        }
    }
}

/// A parsed query, with the callout words that were passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What is asked.
    pub query: Query,
    /// Callout words that mean nothing here, escaped for a log line.
    pub unknown_words: Vec<String>,
}

impl Query {
    /// Parses a key's name (`NAME`, `a:NAME`, `aaaa:NAME`) and callout info (the words `ipv4`, `ipv6`
    /// and `list`, divided by spaces or commas).
    ///
    /// `default` is the preference where neither says anything, as in every request of libceph, CIFS and
    /// NFS. The type before the colon is read without regard to case, as the kernel takes keys that
    /// differ by case alone for one key.
    ///
    /// # Errors
    /// [`Failure::UnknownType`] for another type of query, [`Failure::BadName`] for an empty name.
    pub fn parse(name: &[u8], callout: &[u8], default: Preference) -> Result<Parsed, Failure> {
        let (family, host) = split_type(name)?;
        let words = Callout::parse(callout);
        let fallback = match family {
            Some(family) => Preference::Only(family),
            None if words.list => Preference::Any,
            None => default,
        };
        if host.is_empty() || host.contains(&0) {
            return Err(Failure::bad_name(name, "the name is empty or holds a NUL"));
        }
        Ok(Parsed {
            query: Self::Host(HostQuery {
                name: QueryName(host.to_vec()),
                preference: words.families().unwrap_or(fallback),
                selection: if words.list { Selection::All } else { Selection::One },
            }),
            unknown_words: words.unknown,
        })
    }
}

/// Divides `a:NAME` and `aaaa:NAME`. An IPv6 literal has colons of its own and no type.
fn split_type(name: &[u8]) -> Result<(Option<Family>, &[u8]), Failure> {
    let Some(colon) = name.iter().position(|&byte| byte == b':') else {
        return Ok((None, name));
    };
    let (query_type, rest) = name.split_at(colon);
    let host = rest.get(1..).unwrap_or_default();
    if !host.starts_with(b":") || is_ipv6_literal(host) {
        if query_type.eq_ignore_ascii_case(b"a") {
            return Ok((Some(Family::Ipv4), host));
        }
        if query_type.eq_ignore_ascii_case(b"aaaa") {
            return Ok((Some(Family::Ipv6), host));
        }
    }
    if is_ipv6_literal(name) {
        return Ok((None, name));
    }
    Err(Failure::UnknownType(query_type.escape_ascii().to_string()))
}

/// Whether `name` is an IPv6 address, with or without a scope.
fn is_ipv6_literal(name: &[u8]) -> bool {
    let address = name.split(|&byte| byte == b'%').next().unwrap_or_default();
    std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: Preference = Preference::First(Family::Ipv4);

    fn host(name: &str, callout: &str) -> (String, Preference, Selection, Vec<String>) {
        let parsed = Query::parse(name.as_bytes(), callout.as_bytes(), DEFAULT).unwrap();
        let Query::Host(query) = parsed.query;
        (query.name.to_string(), query.preference, query.selection, parsed.unknown_words)
    }

    #[test]
    fn an_empty_callout_asks_for_one_address_of_the_configured_preference() {
        assert_eq!(host("mon1", ""), ("mon1".into(), DEFAULT, Selection::One, vec![]));
        assert_eq!(host("mon1", " , "), ("mon1".into(), DEFAULT, Selection::One, vec![]));
    }

    #[test]
    fn a_type_names_the_family_unless_the_callout_does() {
        let preference = |name, callout| host(name, callout).1;
        assert_eq!(preference("a:mon1", ""), Preference::Only(Family::Ipv4));
        assert_eq!(preference("AAAA:mon1", ""), Preference::Only(Family::Ipv6));
        assert_eq!(preference("aaaa:mon1", "ipv4"), Preference::Only(Family::Ipv4));
        assert_eq!(preference("a:mon1", "ipv4 ipv6"), Preference::Any);
        assert_eq!(preference("a:mon1", "list"), Preference::Only(Family::Ipv4));
    }

    #[test]
    fn words_are_split_at_spaces_and_commas_and_unknown_ones_are_handed_back() {
        let (_, preference, selection, unknown) = host("mon1", "ipv6,list  bogus\x07");
        assert_eq!(preference, Preference::Only(Family::Ipv6));
        assert_eq!(selection, Selection::All);
        assert_eq!(unknown, ["bogus\\x07"]);
        assert_eq!(host("mon1", "list").1, Preference::Any);
        assert_eq!(host("mon1", "bogus").1, DEFAULT);
    }

    #[test]
    fn an_ipv6_literal_is_a_name_and_not_a_type() {
        for literal in ["::1", "2001:db8::1", "fe80::1%eth0", "a::1"] {
            assert_eq!(host(literal, "").0, literal);
        }
        assert_eq!(host("a:::1", "").0, "::1");
    }

    #[test]
    fn another_type_of_query_is_refused_by_its_name() {
        for (name, query_type) in
            [("mx:example.org", "mx"), ("afsdb:cell", "afsdb"), (":x", ""), ("a b:c", "a b")]
        {
            let failure = Query::parse(name.as_bytes(), b"", DEFAULT).unwrap_err();
            assert!(matches!(&failure, Failure::UnknownType(found) if found == query_type), "{failure:?}");
        }
    }

    #[test]
    fn an_empty_name_is_refused() {
        for name in ["", "a:", "aaaa:"] {
            assert!(
                matches!(Query::parse(name.as_bytes(), b"", DEFAULT), Err(Failure::BadName { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_is_shown_with_its_control_characters_escaped() {
        let (name, ..) = host("x\n<3>forged", "");
        assert_eq!(name, "x\\n<3>forged");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(name: Vec<u8>, callout: Vec<u8>) {
            let _ = Query::parse(&name, &callout, DEFAULT);
        }

        #[test]
        fn a_name_without_a_colon_or_nul_is_taken_as_it_is(name in "[^:\0]{1,300}") {
            let parsed = Query::parse(name.as_bytes(), b"", DEFAULT).unwrap();
            let Query::Host(query) = parsed.query;
            prop_assert_eq!(query.name.as_bytes(), name.as_bytes());
        }
    }
}
