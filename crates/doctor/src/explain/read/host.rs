//! The host that a message is about.

use names::{literal, name};

/// What precedes it, in lower case.
const ABOUT: [&str; 36] = [
    "resolve '",
    "unable to resolve: ",
    "server part of ",
    "could not resolve address for ",
    "failed to resolve server ",
    "server name not found: ",
    "could not resolve hostname ",
    "could not resolve host: ",
    "dns resolution failed on host ",
    "can't resolve host: ",
    "unknown host ",
    "failed to resolve \"",
    "can't resolve '",
    "bad address '",
    "getaddrinfo eai_again ",
    "getaddrinfo eai_noname ",
    "getaddrinfo enotfound ",
    "dns_query((null),",
    "dns_query(afsdb,",
    "nfs: server ",
    "cifs: vfs: \\\\",
    "cifs vfs: \\\\",
    "unable to lookup cell '",
    "parse_ips bad ip '",
    "resolve call failed: '",
    "server can't find ",
    "dial tcp: lookup ",
    "dial tcp4: lookup ",
    "dial tcp6: lookup ",
    "dial udp: lookup ",
    "volume address: lookup ",
    "getaddrinfo ",
    "host ",
    "key.dns_resolver[",
    "key.dns_resolver: ",
    "lookup ",
];

/// The host that the message is about, if a command line takes it unchanged.
pub(super) fn host(text: &str, lower: &str) -> Option<String> {
    // Letters whose length differs in lower case would make positions wrong.
    if text.len() != lower.len() {
        return None;
    }
    ABOUT.iter().find_map(|words| {
        let at = super::words::positions(lower, words).next()? + words.len();
        let rest = text.get(at..)?;
        match *words {
            "key.dns_resolver[" => subject_of_log(rest.split_once("]: ")?.1),
            "key.dns_resolver: " => subject_of_log(rest),
            // A word that many sentences contain.
            "host " | "lookup " | "getaddrinfo " => {
                first(rest).filter(|name| name != "failed" && says_lookup(lower))
            }
            _ => first(rest),
        }
    })
}

/// Whether it is about a lookup that failed.
fn says_lookup(lower: &str) -> bool {
    [
        "nxdomain",
        "no such host",
        "name or service not known",
        "server misbehaving",
        "no address associated with hostname",
    ]
    .iter()
    .any(|phrase| lower.contains(phrase))
}

/// `NAME: what is wrong`, as helpers log it.
fn subject_of_log(rest: &str) -> Option<String> {
    let (name, _) = rest.split_once(": ")?;
    fit(name.trim_start_matches("afsdb:")).filter(|name| name != "Error")
}

/// The first host of a list, which may have a path, a port or quotes around it.
fn first(rest: &str) -> Option<String> {
    let rest = rest.trim_start_matches(['/', '\\']);
    // Ceph's addresses name the protocol that they are for.
    let rest = rest.strip_prefix("v1:").or_else(|| rest.strip_prefix("v2:")).unwrap_or(rest);
    if let Some(inner) = rest.strip_prefix('[') {
        return fit(inner.split_once(']')?.0);
    }
    let end = rest.find(|end: char| end.is_whitespace() || "'\",;()/\\".contains(end)).unwrap_or(rest.len());
    let word = rest.get(..end)?.trim_end_matches([':', '.']);
    fit(word).or_else(|| fit(word.split_once(':')?.0))
}

fn fit(host: &str) -> Option<String> {
    let host = host.trim_end_matches('.');
    let is_address = host.contains(':') && literal::parse(host).is_some();
    (is_address || name::flaw(host.as_bytes()).is_none()).then(|| host.to_owned())
}
