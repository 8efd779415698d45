//! The DNS keys in `/proc/keys` (proc(5), security/keys/proc.c).

/// The type's name, truncated to the nine characters of its column.
const DNS_RESOLVER: &[u8] = b"dns_resol";
const KEYRING: &[u8] = b"keyring";
/// The width of that column.
const TYPE_WIDTH: usize = 9;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The key's serial number.
    pub serial: i32,
    /// The key's owner.
    pub uid: String,
    /// Its state.
    pub state: State,
    /// The time left, rounded: `12s`, `4m`, `3h`. `None` if it never expires.
    pub left: Option<String>,
    /// Its kind, and its name.
    pub what: What,
}

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Under construction.
    UnderConstruction,
    /// It has an answer.
    Positive,
    /// It was rejected, or never answered.
    Rejected,
    /// It has expired.
    Expired,
    /// It was revoked or invalidated, and is about to be collected.
    Gone,
}

/// The kind of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A DNS key, with its description and its content.
    Dns(Vec<u8>, Option<Content>),
    /// A keyring, by its name.
    Keyring(Vec<u8>),
}

/// The content of an answered key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// So many bytes.
    Bytes(u32),
    /// An error.
    Error(u16),
}

/// The lines about DNS keys and keyrings. Other lines are skipped, and so is anything that is not a line, because a
/// name may contain a newline.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Line> {
    text.split(|&byte| byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Line> {
    let mut rest = line;
    let serial = text(word(&mut rest)?)?;
    let flags = word(&mut rest)?;
    let _references = word(&mut rest)?;
    let timeout = word(&mut rest)?;
    let _permissions = word(&mut rest)?;
    let uid = text(word(&mut rest)?)?;
    let _gid = word(&mut rest)?;
    rest = trim(rest);
    let (key_type, rest) = rest.split_at_checked(TYPE_WIDTH)?;
    let description = rest.strip_prefix(b" ")?;
    let state = state(flags, timeout)?;
    let what = match key_type.trim_ascii_end() {
        DNS_RESOLVER => {
            // The kernel appends the content if there is an answer, even an expired one.
            let (name, content) = match flags.get(5) {
                Some(b'-') if flags.first() == Some(&b'I') => split_content(description)?,
                _ => (description, None),
            };
            What::Dns(name.to_vec(), content)
        }
        KEYRING => {
            let end = description.windows(2).rposition(|two| two == b": ").unwrap_or(description.len());
            What::Keyring(description.get(..end)?.to_vec())
        }
        _ => return None,
    };
    Some(Line {
        serial: i32::from_str_radix(serial, 16).ok().filter(|serial| *serial > 0)?,
        uid: uid.to_owned(),
        state,
        left: match timeout {
            b"perm" => None,
            b"expd" => Some("0s".to_owned()),
            left => Some(text(left)?.to_owned()),
        },
        what,
    })
}

/// From the flags `IRDQUNi`, each a hyphen if it is not set.
fn state(flags: &[u8], timeout: &[u8]) -> Option<State> {
    let &[instantiated, revoked, dead, _quota, constructing, negative, invalidated] = flags else {
        return None;
    };
    Some(match () {
        () if instantiated == b'-' || constructing != b'-' => State::UnderConstruction,
        () if [revoked, dead, invalidated].iter().any(|&flag| flag != b'-') => State::Gone,
        () if timeout == b"expd" => State::Expired,
        () if negative != b'-' => State::Rejected,
        () => State::Positive,
    })
}

/// The name, and what follows its last `: `: a number of bytes, or an error below zero.
fn split_content(description: &[u8]) -> Option<(&[u8], Option<Content>)> {
    let colon = description.windows(2).rposition(|two| two == b": ")?;
    let (name, content) = description.split_at_checked(colon)?;
    let content = text(content)?.trim_start_matches(": ");
    let content = match content.strip_prefix('-') {
        Some(errno) => Content::Error(errno.parse().ok()?),
        None => Content::Bytes(content.parse().ok()?),
    };
    Some((name, Some(content)))
}

/// The next word.
fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = trim(rest);
    let end = start.iter().position(|&byte| byte == b' ')?;
    let (word, after) = start.split_at_checked(end)?;
    *rest = after;
    Some(word)
}

fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| byte != b' ').unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> (i32, State, Option<String>, String, Option<Content>) {
        let lines = parse(text.as_bytes());
        let [Line { serial, state, left, what: What::Dns(name, content), .. }] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        (*serial, *state, left.clone(), String::from_utf8(name.clone()).unwrap(), *content)
    }

    #[test]
    fn each_state_of_a_key_is_recognized() {
        for (text, state, left, content) in [
            (
                "0fb56b33 I--Q---     2   5m 3b010000     0     0 dns_resol n.test: 10",
                State::Positive,
                "5m",
                Some(Content::Bytes(10)),
            ),
            (
                "0fb56b33 I--Q---     2  59s 3b010000     0     0 dns_resol n.test: -61",
                State::Positive,
                "59s",
                Some(Content::Error(61)),
            ),
            (
                "0fb56b33 I----N-     2   1m 3b010000     0     0 dns_resol n.test",
                State::Rejected,
                "1m",
                None,
            ),
            (
                "0fb56b33 ---QU--     3 perm 3b010000     0     0 dns_resol n.test",
                State::UnderConstruction,
                "",
                None,
            ),
            (
                "0fb56b33 I--Q---     1 expd 3b010000     0     0 dns_resol n.test: 10",
                State::Expired,
                "0s",
                Some(Content::Bytes(10)),
            ),
            ("0fb56b33 I--Q-N-     1 expd 3b010000     0     0 dns_resol n.test", State::Expired, "0s", None),
            (
                "0fb56b33 I--Q--i     1   5m 3b010000     0     0 dns_resol n.test: 10",
                State::Gone,
                "5m",
                Some(Content::Bytes(10)),
            ),
            (
                "0fb56b33 IR-Q---     1   5m 3b010000     0     0 dns_resol n.test: 10",
                State::Gone,
                "5m",
                Some(Content::Bytes(10)),
            ),
        ] {
            let left = (!left.is_empty()).then(|| left.to_owned());
            assert_eq!(one(text), (0x0fb5_6b33, state, left, "n.test".to_owned(), content), "{text}");
        }
    }

    #[test]
    fn a_name_is_read_completely_whatever_bytes_it_contains() {
        let name = |text: &str| one(text).3;
        assert_eq!(
            name("0fb56b33 I--Q---     2   5m 3b010000     0     0 dns_resol  a: 7: b : 10"),
            " a: 7: b "
        );
        assert_eq!(name("0fb56b33 I----N-     2   5m 3b010000     0     0 dns_resol a: 7"), "a: 7");
        let bytes = b"0fb56b33 I--Q---     2   5m 3b010000     0     0 dns_resol \xff: 10";
        assert!(matches!(&parse(bytes)[..], [Line { what: What::Dns(name, _), .. }] if name == b"\xff"));
    }

    #[test]
    fn keyrings_are_read_by_name_and_other_keys_skipped() {
        let text = b"378cfe1f I------     1 perm 1f030000     0     0 keyring   .dns_resolver: empty\n\
            0ef97ad8 I--Q---    16 perm 1f3f0000     0 65534 keyring   _uid.0: 2\n\
            1f4b2c11 I--Q---     1 perm 3f010000     0     0 user      krb: 5\n\
            2f750ba9 I------     2 perm 1b010000     0     0 .request_ key:b6e40ab pid:14044 ci:9\n\
            junk\n\n";
        let lines = parse(text);
        let names: Vec<&What> = lines.iter().map(|line| &line.what).collect();
        assert_eq!(names, [&What::Keyring(b".dns_resolver".to_vec()), &What::Keyring(b"_uid.0".to_vec())]);
        assert_eq!(lines[0].uid, "0");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = parse(&text);
        }

        #[test]
        fn every_name_survives(name in "[^\n]{1,60}", length: u32) {
            let text = format!("0fb56b33 I--Q---     2   5m 3b010000     0     0 dns_resol {name}: {length}");
            let lines = parse(text.as_bytes());
            prop_assert_eq!(lines.len(), 1);
            prop_assert_eq!(&lines[0].what, &What::Dns(name.into_bytes(), Some(Content::Bytes(length))));
        }
    }
}
