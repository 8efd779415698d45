//! The options of a lookup, besides the host's own files.

use crate::file::expected;
use crate::reject::Reject;
use key::Ttl;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// The options of a lookup, besides the host's own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupOptions {
    /// The longest lifetime of an answer that is missing one address family because of a temporary failure.
    pub default_ttl: Ttl,
    /// The lifetime of an answer of which a part is missing, if DNS does not give one.
    pub negative_ttl: Ttl,
    /// Seconds after which a lookup ends with [`Failure::Deadline`](key::Failure::Deadline).
    pub deadline: u32,
    /// How long a name server may be silent before the next one is queried as well.
    pub hedge: Duration,
    /// Whether queries have random letter case, which makes answers harder to forge.
    pub mixed_case: bool,
    /// Addresses that are dropped from DNS answers.
    pub reject: Reject,
    /// Name servers for single domains; of two for the same domain, the last counts.
    pub name_servers: Vec<DomainServers>,
}

/// Those of `key.dns_resolver` without a settings file.
impl Default for LookupOptions {
    fn default() -> Self {
        Self {
            default_ttl: Ttl::from_secs(5),
            negative_ttl: Ttl::from_secs(60),
            deadline: 20,
            hedge: Duration::from_millis(300),
            mixed_case: true,
            reject: Reject::default(),
            name_servers: Vec::new(),
        }
    }
}

impl LookupOptions {
    /// The part of the deadline in which a lookup may wait for more than it already has.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.deadline.into()) * 9 / 10
    }

    /// The servers for `name`: those of the longest domain that contains it, if there is one.
    #[must_use]
    pub fn name_servers_for(&self, name: &str) -> Option<&DomainServers> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.name_servers.iter().filter(|entry| entry.holds(&name)).max_by_key(|entry| entry.domain.len())
    }
}

/// The servers for the names in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainServers {
    /// The domain in lower case without dots at its ends; empty for all names.
    pub domain: String,
    /// The servers, in order.
    pub servers: Vec<SocketAddr>,
}

impl DomainServers {
    /// Parses a domain, and its servers as `ADDRESS[:PORT], …`.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn parse(domain: &str, value: &str) -> Result<Self, String> {
        let domain = domain.trim().trim_matches('.').to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if domain.contains("..") || !domain.bytes().all(plain) {
            return Err(format!("{domain:?} is not a domain"));
        }
        let words = value.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        let servers: Vec<SocketAddr> = words.map(server).collect::<Result<_, _>>()?;
        if servers.is_empty() {
            return Err(expected("ADDRESS[:PORT], …", value));
        }
        Ok(Self { domain, servers })
    }

    /// Whether `name`, in lower case, is in the domain.
    fn holds(&self, name: &str) -> bool {
        self.domain.is_empty()
            || name
                .strip_suffix(self.domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:53`.
fn server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = || IpAddr::from_str(bare.unwrap_or(text)).map(|ip| SocketAddr::new(ip, 53));
    SocketAddr::from_str(text)
        .or_else(|_| address())
        .map_err(|_| expected("an address, with or without a port", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(entry: &DomainServers) -> String {
        let servers: Vec<String> = entry.servers.iter().map(ToString::to_string).collect();
        format!("[{}] {}", entry.domain, servers.join(" "))
    }

    #[test]
    fn a_domain_has_servers_with_or_without_ports() {
        for (domain, value, expected) in [
            ("Test", "192.0.2.1", "[test] 192.0.2.1:53"),
            (" .k8s.test. ", "192.0.2.1:5353,2001:db8::1", "[k8s.test] 192.0.2.1:5353 [2001:db8::1]:53"),
            ("", "[2001:db8::1]:5353 ,\t[2001:db8::2]", "[] [2001:db8::1]:5353 [2001:db8::2]:53"),
            (".", "192.0.2.1", "[] 192.0.2.1:53"),
            ("_x-1.test", "192.0.2.1", "[_x-1.test] 192.0.2.1:53"),
        ] {
            assert_eq!(shown(&DomainServers::parse(domain, value).unwrap()), expected);
        }
    }

    #[test]
    fn an_invalid_domain_or_server_is_an_error() {
        for (domain, value, expected) in [
            ("a b", "192.0.2.1", "\"a b\" is not a domain"),
            ("a..b", "192.0.2.1", "\"a..b\" is not a domain"),
            ("ä", "192.0.2.1", "is not a domain"),
            ("test", "", "expected ADDRESS[:PORT], …, found \"\""),
            ("test", " , ", "expected ADDRESS[:PORT], …"),
            ("test", "192.0.2.1 dns.test", "expected an address, with or without a port, found \"dns.test\""),
            ("test", "[192.0.2.1", "found \"[192.0.2.1\""),
            ("test", "192.0.2.1:99999", "found \"192.0.2.1:99999\""),
        ] {
            let error = DomainServers::parse(domain, value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_name_uses_the_servers_of_its_longest_matching_domain() {
        let options = |domains: &[&str]| LookupOptions {
            name_servers: domains
                .iter()
                .zip(1..)
                .map(|(domain, last)| DomainServers::parse(domain, &format!("192.0.2.{last}")).unwrap())
                .collect(),
            ..LookupOptions::default()
        };
        for (domains, name, expected) in [
            (&["test", "k8s.test"][..], "mon1.k8s.test", Some("[k8s.test] 192.0.2.2:53")),
            (&["k8s.test", "test"], "MON1.K8s.Test.", Some("[k8s.test] 192.0.2.1:53")),
            (&["k8s.test", "test"], "test", Some("[test] 192.0.2.2:53")),
            (&["k8s.test", "test"], "xk8s.test", Some("[test] 192.0.2.2:53")),
            (&["k8s.test"], "xk8s.test", None),
            (&["k8s.test"], "test", None),
            (&["k8s.test", ""], "test", Some("[] 192.0.2.2:53")),
            // Of two for one domain, the last counts.
            (&["test", "test"], "mon1.test", Some("[test] 192.0.2.2:53")),
            (&[], "mon1.test", None),
        ] {
            let found = options(domains).name_servers_for(name).map(shown);
            assert_eq!(found.as_deref(), expected, "{domains:?} {name}");
        }
    }
}
