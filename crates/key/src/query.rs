//! What one key requests: its name and callout info, parsed.

use crate::failure::Failure;
use std::fmt;
use std::net::Ipv6Addr;

/// A parsed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The addresses of a host.
    Host(HostQuery),
    /// The servers of an AFS cell.
    Cell(CellQuery),
}

/// A cell whose servers are requested, and the form in which kAFS or a person wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellQuery {
    /// The cell's name, as the kernel gave it.
    pub cell: QueryName,
    /// Which families; [`Preference::First`] is as [`Preference::Any`] here.
    pub preference: Preference,
    /// The form of the answer.
    pub form: ServerListForm,
}

/// The forms of a cell's server list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerListForm {
    /// Only addresses and ports: no `srv=` in the callout, or `srv=0`.
    Text,
    /// A server list, version 1: `srv=1`, as kAFS requests, and higher versions, for which this is the best available
    /// answer.
    V1,
}

/// A host name to resolve, and which of its addresses are wanted.
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

/// The families that an answer may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Only this family.
    Only(Family),
    /// This family, or the other one if the name has no address in this one.
    First(Family),
    /// Both, in the order of RFC 6724.
    Any,
}

/// How many addresses an answer contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Exactly one: all that libceph, CIFS and NFS can read.
    One,
    /// Every address once, separated by commas.
    All,
}

/// A name to look up, as the kernel gave it: any bytes but NUL, and not empty.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct QueryName(Vec<u8>);

impl QueryName {
    /// The name's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as text, if it is valid text.
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

/// The callout words that this program knows, and those that it does not.
#[derive(Default)]
struct Callout {
    ipv4: bool,
    ipv6: bool,
    list: bool,
    /// What follows `srv=`; empty for the bare word.
    srv: Option<Vec<u8>>,
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
                b"srv" => words.srv = Some(Vec::new()),
                [b's', b'r', b'v', b'=', version @ ..] => words.srv = Some(version.to_vec()),
                other => words.unknown.push(other.escape_ascii().to_string()),
            }
        }
        words
    }

    /// The form that `srv=` requests. A version is a decimal number of any length; nothing else is accepted.
    fn form(&self) -> Option<ServerListForm> {
        match self.srv.as_deref() {
            None => Some(ServerListForm::Text),
            Some(version) if version.is_empty() || !version.iter().all(u8::is_ascii_digit) => None,
            Some(version) if version.iter().all(|&digit| digit == b'0') => Some(ServerListForm::Text),
            Some(_) => Some(ServerListForm::V1),
        }
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

/// A parsed query, with the callout words that were ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedQuery {
    /// The query.
    pub query: Query,
    /// Unknown callout words, escaped for a log line.
    pub unknown_words: Vec<String>,
}

impl Query {
    /// Parses a key's name (`NAME`, `a:NAME`, `aaaa:NAME`, `afsdb:CELL`) and callout info (the words `ipv4`, `ipv6`,
    /// for hosts `list` and for cells `srv=VERSION`, separated by spaces or commas).
    ///
    /// `default` is the preference if neither says anything, as in every request by libceph, CIFS and NFS. The query
    /// type before the colon is case-insensitive, because the kernel treats keys that differ only in case as one key.
    ///
    /// # Errors
    /// [`Failure::UnknownType`] for another query type, [`Failure::BadName`] for an empty name, [`Failure::BadOption`]
    /// for a `srv=` without a number.
    pub fn parse(name: &[u8], callout: &[u8], default: Preference) -> Result<ParsedQuery, Failure> {
        let (kind, host) = split_type(name)?;
        let mut words = Callout::parse(callout);
        let family = match kind {
            Kind::Cell => return words.cell(name, host, default),
            Kind::Host(family) => family,
        };
        if let Some(version) = words.srv.take() {
            words.unknown.push(format!("srv={}", version.escape_ascii()));
        }
        let fallback = match family {
            Some(family) => Preference::Only(family),
            None if words.list => Preference::Any,
            None => default,
        };
        if host.is_empty() || host.contains(&0) {
            return Err(Failure::bad_name(name, "the name is empty or holds a NUL"));
        }
        Ok(ParsedQuery {
            query: Self::Host(HostQuery {
                name: QueryName(host.to_vec()),
                preference: words.families().unwrap_or(fallback),
                selection: if words.list { Selection::All } else { Selection::One },
            }),
            unknown_words: words.unknown,
        })
    }
}

impl Callout {
    /// The query for the servers of `cell`, the cell in the key's `name`.
    fn cell(self, name: &[u8], cell: &[u8], default: Preference) -> Result<ParsedQuery, Failure> {
        if cell.is_empty() || cell.contains(&0) {
            return Err(Failure::bad_name(name, "the cell's name is empty or holds a NUL"));
        }
        let Some(form) = self.form() else {
            let version = self.srv.unwrap_or_default();
            return Err(Failure::BadOption(format!("srv={} is not a version", version.escape_ascii())));
        };
        let preference = self.families().unwrap_or(match default {
            Preference::Only(family) => Preference::Only(family),
            Preference::First(_) | Preference::Any => Preference::Any,
        });
        Ok(ParsedQuery {
            query: Query::Cell(CellQuery { cell: QueryName(cell.to_vec()), preference, form }),
            unknown_words: self.unknown,
        })
    }
}

/// The query type before the colon.
enum Kind {
    Host(Option<Family>),
    Cell,
}

/// Splits `a:NAME`, `aaaa:NAME` and `afsdb:CELL`. An IPv6 literal has colons of its own and no type.
fn split_type(name: &[u8]) -> Result<(Kind, &[u8]), Failure> {
    let Some(colon) = name.iter().position(|&byte| byte == b':') else {
        return Ok((Kind::Host(None), name));
    };
    let (query_type, rest) = name.split_at(colon);
    let host = rest.get(1..).unwrap_or_default();
    if query_type.eq_ignore_ascii_case(b"afsdb") {
        return Ok((Kind::Cell, host));
    }
    if !host.starts_with(b":") || is_ipv6_literal(host) {
        if query_type.eq_ignore_ascii_case(b"a") {
            return Ok((Kind::Host(Some(Family::Ipv4)), host));
        }
        if query_type.eq_ignore_ascii_case(b"aaaa") {
            return Ok((Kind::Host(Some(Family::Ipv6)), host));
        }
    }
    if is_ipv6_literal(name) {
        return Ok((Kind::Host(None), name));
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
        let Query::Host(query) = parsed.query else { panic!("{name} is no host") };
        (query.name.to_string(), query.preference, query.selection, parsed.unknown_words)
    }

    #[test]
    fn an_empty_callout_requests_one_address_of_the_preferred_family() {
        assert_eq!(host("mon1", ""), ("mon1".into(), DEFAULT, Selection::One, vec![]));
        assert_eq!(host("mon1", " , "), ("mon1".into(), DEFAULT, Selection::One, vec![]));
    }

    #[test]
    fn a_query_type_selects_the_family_unless_the_callout_does() {
        let preference = |name, callout| host(name, callout).1;
        assert_eq!(preference("a:mon1", ""), Preference::Only(Family::Ipv4));
        assert_eq!(preference("AAAA:mon1", ""), Preference::Only(Family::Ipv6));
        assert_eq!(preference("aaaa:mon1", "ipv4"), Preference::Only(Family::Ipv4));
        assert_eq!(preference("a:mon1", "ipv4 ipv6"), Preference::Any);
        assert_eq!(preference("a:mon1", "list"), Preference::Only(Family::Ipv4));
    }

    #[test]
    fn words_are_split_at_spaces_and_commas_and_unknown_ones_are_returned() {
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
    fn an_unknown_query_type_is_refused_and_named() {
        for (name, query_type) in
            [("mx:example.org", "mx"), ("afsdbx:cell", "afsdbx"), (":x", ""), ("a b:c", "a b")]
        {
            let failure = Query::parse(name.as_bytes(), b"", DEFAULT).unwrap_err();
            assert!(matches!(&failure, Failure::UnknownType(found) if found == query_type), "{failure:?}");
        }
    }

    fn cell(name: &str, callout: &str) -> Result<(CellQuery, Vec<String>), Failure> {
        let parsed = Query::parse(name.as_bytes(), callout.as_bytes(), DEFAULT)?;
        let Query::Cell(query) = parsed.query else { panic!("{name} is no cell") };
        Ok((query, parsed.unknown_words))
    }

    #[test]
    fn a_cell_request_of_kafs_is_parsed() {
        let (query, unknown) = cell("afsdb:example.org", "srv=1").unwrap();
        assert_eq!(query.cell.as_bytes(), b"example.org");
        assert_eq!((query.form, query.preference), (ServerListForm::V1, Preference::Any));
        assert!(unknown.is_empty());
        let (query, unknown) = cell("AFSDB:a:b", "ipv6 bogus").unwrap();
        assert_eq!(query.cell.as_bytes(), b"a:b");
        assert_eq!((query.form, query.preference), (ServerListForm::Text, Preference::Only(Family::Ipv6)));
        assert_eq!(unknown, ["bogus"]);
    }

    #[test]
    fn every_version_except_zero_selects_the_server_list() {
        let form = |callout| cell("afsdb:x", callout).map(|(query, _)| query.form);
        for callout in ["srv=1", "ipv4,srv=2", "srv=0 srv=1", "srv=99999999999999999999", "srv=01"] {
            assert_eq!(form(callout), Ok(ServerListForm::V1), "{callout}");
        }
        for callout in ["", "srv=0", "srv=1 srv=000", "list"] {
            assert_eq!(form(callout), Ok(ServerListForm::Text), "{callout}");
        }
        for callout in ["srv", "srv=", "srv=x", "srv=-1", "srv=+1", "srv=1x", "srv=1.0", "srv=0x1"] {
            assert!(matches!(form(callout), Err(Failure::BadOption(_))), "{callout}");
        }
    }

    #[test]
    fn a_version_is_an_unknown_word_for_a_host() {
        assert_eq!(host("mon1", "srv=1").3, ["srv=1"]);
    }

    #[test]
    fn an_empty_name_is_refused() {
        for name in ["", "a:", "aaaa:", "afsdb:"] {
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
        assert_eq!(format!("{:?}", QueryName(b"x\n".to_vec())), "\"x\\n\"");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(name: Vec<u8>, callout: Vec<u8>) {
            let _ = Query::parse(&name, &callout, DEFAULT);
        }

        #[test]
        fn a_name_without_a_colon_or_nul_is_kept_unchanged(name in "[^:\0]{1,300}") {
            let parsed = Query::parse(name.as_bytes(), b"", DEFAULT).unwrap();
            let Query::Host(query) = parsed.query else { panic!("no host") };
            prop_assert_eq!(query.name.as_bytes(), name.as_bytes());
        }
    }
}
