//! What a message holds: an errno, who says it, and the host that it is about.

use super::row::Who;
use super::table::ERRNOS;
use names::name;

/// A message, taken apart.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// In lower case.
    pub(super) text: String,
    pub(super) errno: Option<u16>,
    pub(super) who: Option<Who>,
    /// Fit for a command line.
    pub(super) name: Option<String>,
}

pub(super) fn read(text: &str) -> Message {
    let lower = text.to_lowercase();
    Message {
        errno: named(&lower).or_else(|| numbered(&lower)).or_else(|| described(&lower)),
        who: who(&lower),
        name: host(text),
        text: lower,
    }
}

/// The errno whose name is a word of the message.
fn named(text: &str) -> Option<u16> {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
    words.find_map(|word| {
        ERRNOS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(word)).map(|(number, ..)| *number)
    })
}

/// What stands before the number of an error. The more telling ones come first.
const BEFORE: [&str; 10] =
    ["dnserror=", "ret=", "monitor ips:", "rc =", "rc=", "code =", "dns_query() =", "errno", "error", "= -"];

/// The errno that the message gives as a number: all of it, or after one of the usual words.
fn numbered(text: &str) -> Option<u16> {
    let after =
        BEFORE.iter().flat_map(|word| text.match_indices(word).map(|(at, word)| (at + word.len(), text)));
    let mut after = after.filter_map(|(at, text)| text.get(at..));
    whole(text).or_else(|| after.find_map(leading))
}

fn whole(text: &str) -> Option<u16> {
    let text = text.trim().trim_matches(['(', ')']);
    text.strip_prefix('-').unwrap_or(text).parse().ok().filter(|number| plausible(*number))
}

/// The number at the start, after signs.
fn leading(text: &str) -> Option<u16> {
    let text = text.trim_start_matches([' ', '=', ':', '(', '-']);
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok().filter(|number| plausible(*number))
}

/// Errors of the kernel are from 1 to 4095 (include/linux/err.h, `MAX_ERRNO`).
fn plausible(number: u16) -> bool {
    (1..=4095).contains(&number)
}

/// The errno whose description the message has; of several, the longest.
fn described(text: &str) -> Option<u16> {
    let found = ERRNOS.iter().filter(|(.., description)| text.contains(&description.to_lowercase()));
    let longest = found.max_by_key(|(.., description)| description.len());
    // mount(8) has words of its own for these.
    let mount = || {
        let own = [("unknown filesystem type", 19), ("wrong fs type, bad option", 22)];
        own.iter().find(|(words, _)| text.contains(words)).map(|(_, number)| *number)
    };
    longest.map(|(number, ..)| *number).or_else(mount)
}

/// Words that only one of them says. mount.cifs(8) puts the number of an error in brackets; mount.ceph(8) an equals
/// sign after it.
const WORDS: [(&str, Who); 19] = [
    ("runc", Who::Runc),
    ("containerd", Who::Runc),
    ("oci runtime", Who::Runc),
    ("modprobe", Who::Module),
    ("insmod", Who::Module),
    ("fuse", Who::Fuse),
    ("sshfs", Who::Fuse),
    ("ceph", Who::Ceph),
    ("rbd", Who::Ceph),
    ("cifs", Who::Cifs),
    ("smb", Who::Cifs),
    ("mount error(", Who::Cifs),
    ("nfs", Who::Nfs),
    ("afs", Who::Afs),
    ("request_key", Who::Keyctl),
    ("request-key", Who::Keyctl),
    ("keyctl", Who::Keyctl),
    ("dns_query", Who::Kernel),
    ("key.dns_resolver", Who::Kernel),
];

fn who(text: &str) -> Option<Who> {
    let word = WORDS.iter().find(|(word, _)| text.contains(word)).map(|(_, who)| *who);
    let equals = || {
        let rest =
            text.split_once("mount error ")?.1.trim_start_matches(|digit: char| digit.is_ascii_digit());
        rest.starts_with(" =").then_some(Who::Ceph)
    };
    word.or_else(equals)
}

/// What stands before the name of a host.
const ABOUT: [&str; 8] = [
    "resolve '",
    "unable to resolve: ",
    "could not resolve address for ",
    "failed to resolve server ",
    "server name not found: ",
    "dns_query((null),",
    "nfs: server ",
    "unable to lookup cell '",
];

/// The host that the message is about, if it is one that a command line takes as it is.
fn host(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let at = ABOUT.iter().find_map(|words| lower.find(words).map(|at| at + words.len()))?;
    let rest = text.get(at..)?;
    let end = rest.find(['\'', ' ', ',', ':', '\t']).unwrap_or(rest.len());
    let host = rest.get(..end)?.trim_end_matches('.');
    name::flaw(host.as_bytes()).is_none().then(|| host.to_owned())
}
