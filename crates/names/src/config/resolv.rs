//! `resolv.conf(5)`, read as glibc reads it (resolv/res_init.c, `res_vinit_1()`).

use super::sortlist::Sortlist;
use crate::file::{Warning, lines};
use crate::literal;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Its path.
pub const PATH: &str = "/etc/resolv.conf";

/// glibc's limits (resolv/resolv.h, resolv/bits/types/res_state.h).
const MAX_SERVERS: usize = 3;
const MAX_NDOTS: u32 = 15;
const MAX_TIMEOUT: u32 = 30;
const MAX_ATTEMPTS: u32 = 5;

/// How to query DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// The servers in order, at most three; none means 127.0.0.1.
    pub servers: Vec<NameServer>,
    /// The search list as written; `None` if the file has none, so that the host's domain applies.
    pub search: Option<Vec<String>>,
    /// Names with at least this many dots are first tried unchanged.
    pub ndots: u32,
    /// Seconds to wait for the first server, at least 1.
    pub timeout: u32,
    /// How many rounds through the list of servers.
    pub attempts: u32,
    /// Start with a random server.
    pub rotate: bool,
    /// Use TCP from the start.
    pub use_vc: bool,
    /// A name without a dot is never queried unchanged.
    pub no_tld_query: bool,
    /// AAAA records are never queried.
    pub no_aaaa: bool,
    /// A and AAAA are queried one after the other.
    pub single_request: bool,
    /// The networks whose addresses come first among the A records of an answer.
    pub sortlist: Sortlist,
}

/// A name server as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its address.
    pub address: IpAddr,
    /// The interface of a link-local address, by name or index.
    pub scope: Option<String>,
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{}%{scope}", self.address),
            None => self.address.fmt(f),
        }
    }
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            search: None,
            ndots: 1,
            timeout: 5,
            attempts: 2,
            rotate: false,
            use_vc: false,
            no_tld_query: false,
            no_aaaa: false,
            single_request: false,
            sortlist: Sortlist::default(),
        }
    }
}

impl ResolvConf {
    /// Parses a file. Ignores what glibc ignores, but warns of a `nameserver` line without an address, which must be a
    /// mistake.
    #[must_use]
    pub fn parse(file: &[u8]) -> (Self, Vec<Warning>) {
        let mut conf = Self::default();
        let mut warnings = Vec::new();
        for (number, line) in (1..).zip(lines(file)) {
            let line = String::from_utf8_lossy(line);
            let Some((keyword, rest)) = line.split_once([' ', '\t']) else {
                continue;
            };
            match keyword {
                "nameserver" => {
                    // Only the first word counts.
                    let word = rest.split([' ', '\t', '\r']).find(|word| !word.is_empty());
                    match word.map(server) {
                        Some(Some(server)) if conf.servers.len() < MAX_SERVERS => {
                            conf.servers.push(server);
                        }
                        Some(Some(_)) => {}
                        found => {
                            let shown = found.and(word).unwrap_or_default();
                            warnings.push(Warning::new(
                                number,
                                format!("{shown:?} is not the address of a name server; line ignored"),
                            ));
                        }
                    }
                }
                "domain" | "search" => {
                    let most = if keyword == "domain" { 1 } else { usize::MAX };
                    let domains: Vec<String> = words(rest).take(most).map(str::to_owned).collect();
                    // A line without any has no effect.
                    if !domains.is_empty() {
                        conf.search = Some(domains);
                    }
                }
                "sortlist" => warnings.extend(conf.sortlist.add_line(number, rest)),
                "options" => {
                    let mut words = words(rest).peekable();
                    while let Some(option) = words.next() {
                        conf.option(option, words.peek().copied().unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        if conf.servers.is_empty() {
            conf.servers.push(NameServer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), scope: None });
        }
        (conf, warnings)
    }

    /// Takes an option, which is followed by this word.
    fn option(&mut self, option: &str, next: &str) {
        let capped = |text: &str, most: u32| {
            // atoi(3) skips blanks.
            leading_number(if text.is_empty() { next } else { text }).min(most)
        };
        match option.split_once(':') {
            Some(("ndots", value)) => self.ndots = capped(value, MAX_NDOTS),
            Some(("timeout", value)) => self.timeout = capped(value, MAX_TIMEOUT).max(1),
            Some(("attempts", value)) => self.attempts = capped(value, MAX_ATTEMPTS),
            _ => {
                // Whatever follows the word does not matter.
                let is = |word: &str| option.starts_with(word);
                self.rotate |= is("rotate");
                self.use_vc |= is("use-vc");
                self.no_tld_query |= is("no-tld-query") || is("no_tld_query");
                self.no_aaaa |= is("no-aaaa");
                // And "single-request-reopen".
                self.single_request |= is("single-request");
            }
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\r']).filter(|word| !word.is_empty())
}

/// As atoi(3): the digits at the start, which may follow a plus sign, or 0. That is also the result where atoi(3) has a
/// number below 0, of which glibc keeps the lowest four bits for `ndots`.
fn leading_number(text: &str) -> u32 {
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.get(..end) {
        None | Some("") => 0,
        Some(digits) => digits.parse().unwrap_or(u32::MAX),
    }
}

fn server(text: &str) -> Option<NameServer> {
    if let Some(address) = literal::ipv4(text) {
        return Some(NameServer { address: IpAddr::V4(address), scope: None });
    }
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope.to_owned())),
        None => (text, None),
    };
    Some(NameServer { address: IpAddr::V6(address.parse().ok()?), scope })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> ResolvConf {
        ResolvConf::parse(text.as_bytes()).0
    }

    fn servers(text: &str) -> Vec<String> {
        parse(text).servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_a_server_the_default_is_127_0_0_1() {
        assert_eq!(servers(""), ["127.0.0.1"]);
        assert_eq!(servers("nameserver\nnameserver x\n"), ["127.0.0.1"]);
    }

    #[test]
    fn the_first_three_servers_are_used_in_any_notation() {
        let text =
            "nameserver 127.1\nnameserver\tfe80::1%eth0 comment\r\nnameserver ::1\nnameserver 10.0.0.4\n";
        assert_eq!(servers(text), ["127.0.0.1", "fe80::1%eth0", "::1"]);
    }

    #[test]
    fn an_invalid_nameserver_line_is_skipped_with_a_warning() {
        let (conf, warnings) =
            ResolvConf::parse(b"nameserver 10.0.0.1\nnameserver dns.example\n nameserver 10.0.0.2\n");
        assert_eq!(conf.servers.len(), 1);
        assert_eq!(
            warnings,
            [Warning::new(2, "\"dns.example\" is not the address of a name server; line ignored")]
        );
    }

    #[test]
    fn the_last_of_search_and_domain_wins() {
        assert_eq!(parse("search a b\ndomain c d\n").search, Some(vec!["c".into()]));
        assert_eq!(parse("domain c\nsearch a  b\t\n").search, Some(vec!["a".into(), "b".into()]));
        assert_eq!(parse("").search, None);
        // Without a domain, neither does.
        assert_eq!(parse("search a\nsearch \ndomain \t\n").search, Some(vec!["a".into()]));
        assert_eq!(parse("domain \nsearch\n").search, None);
    }

    #[test]
    fn options_are_clamped_to_the_bounds_of_glibc() {
        let conf = parse(
            "options ndots:99 timeout:0 attempts:9 rotate use-vc\noptions no-tld-query no-aaaa single-request",
        );
        assert_eq!((conf.ndots, conf.timeout, conf.attempts), (15, 1, 5));
        assert!(conf.rotate && conf.use_vc && conf.no_tld_query && conf.no_aaaa && conf.single_request);
        let conf = parse("options ndots:x timeout:99999999999 edns0 trust-ad bogus");
        assert_eq!((conf.ndots, conf.timeout), (0, 30));
    }

    #[test]
    fn the_number_of_an_option_is_read_as_by_atoi() {
        for (value, number) in [
            ("3", 3),
            ("+3", 3),
            (" 3", 3),
            (" \t+3;", 3),
            ("3,", 3),
            ("", 0),
            (" ", 0),
            ("++3", 0),
            ("+ 3", 0),
            ("0x3", 0),
            (":3", 0),
        ] {
            assert_eq!(parse(&format!("options ndots:{value}")).ndots, number, "{value:?}");
        }
        let conf = parse("options attempts: rotate timeout: 4 ndots:\noptions 5");
        assert_eq!((conf.attempts, conf.timeout, conf.ndots, conf.rotate), (0, 4, 0, true));
    }

    #[test]
    fn an_option_counts_whatever_follows_its_word() {
        let conf = parse("options rotate, use-vc; no-aaaax single-request:1 no_tld_query,");
        assert!(conf.rotate && conf.use_vc && conf.no_tld_query && conf.no_aaaa && conf.single_request);
        assert!(
            parse("options no-tld-query;").no_tld_query
                && parse("options single-request-reopen").single_request
        );
        let none = ResolvConf::parse(b"").0;
        assert_eq!(parse("options rotat ,rotate ROTATE use_vc no_aaaa no-tld_query single request"), none);
    }

    #[test]
    fn comments_and_unknown_keywords_are_ignored() {
        let text = "# nameserver 1.1.1.1\n; nameserver 2.2.2.2\nsortlist 10.0.0.0\nNAMESERVER 3.3.3.3\nnameserver 4.4.4.4";
        assert_eq!(servers(text), ["4.4.4.4"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(file: Vec<u8>) {
            let (conf, _) = ResolvConf::parse(&file);
            prop_assert!((1..=3).contains(&conf.servers.len()));
            prop_assert!((1..=30).contains(&conf.timeout));
        }
    }
}
