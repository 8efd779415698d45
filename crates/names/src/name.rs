//! Which names are valid host names.

/// What is wrong with `name` as the name of a host in DNS, if anything.
///
/// glibc accepts letters, digits, hyphens, underscores and dots, and no hyphen at the start
/// (resolv/res-name-checking.c); the lengths of labels and names are limited by RFC 1035 §2.3.4. A name with other
/// characters is rejected before it is queried, so that it can't be mistaken for one that does not exist.
#[must_use]
pub fn flaw(name: &[u8]) -> Option<&'static str> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.is_empty() {
        return Some("the name is empty");
    }
    if name.starts_with(b"-") {
        return Some("a host name does not begin with a hyphen");
    }
    if !name.is_ascii() {
        return Some("it has characters outside ASCII (use the xn-- form of an internationalised name)");
    }
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.iter().all(plain) {
        return Some("a host name has only letters, digits, hyphens, underscores and dots");
    }
    if name.split(|&byte| byte == b'.').any(<[u8]>::is_empty) {
        return Some("a label between its dots is empty");
    }
    if name.split(|&byte| byte == b'.').any(|label| label.len() > 63) {
        return Some("a label is longer than 63 characters");
    }
    if name.len() > 253 {
        return Some("the name is longer than 253 characters");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_host_names_are_accepted() {
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for name in [
            "a",
            "mon1.example.org",
            "a_b.x",
            "x.",
            "1.2",
            "xn--mller-kva.de",
            "a-.b",
            "a.-b",
            longest.as_str(),
        ] {
            assert_eq!(flaw(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn invalid_host_names_are_refused_with_the_reason() {
        let label = "a".repeat(64);
        let long = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(62));
        for (name, word) in [
            ("", "empty"),
            (".", "empty"),
            ("a..b", "empty"),
            (".a", "empty"),
            ("a..", "empty"),
            ("-a", "hyphen"),
            ("a b", "letters"),
            ("a;b", "letters"),
            ("a#b", "letters"),
            ("a,b", "letters"),
            ("a\x07", "letters"),
            ("a\\.b", "letters"),
            ("*.a", "letters"),
            ("müller.de", "xn--"),
            (label.as_str(), "63"),
            (long.as_str(), "253"),
        ] {
            assert!(
                flaw(name.as_bytes()).is_some_and(|why| why.contains(word)),
                "{name}: {:?}",
                flaw(name.as_bytes())
            );
        }
    }
}
