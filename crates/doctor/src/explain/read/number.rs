//! The errno of a message.

use super::words::{Found, positions};
use crate::explain::errnos::{ERRNOS, OTHER_TEXTS, is_known, texts};

/// Precedes a number that is an errno, whatever its sign.
const BEFORE: [&str; 9] = [
    "dnserror=",
    "mount error(",
    "mount error ",
    "errno ",
    "errno=",
    "errno: ",
    "os error ",
    "failed: (",
    "failed with (",
];

/// Precedes a negative number that is an errno, as the kernel prints it.
const BEFORE_NEGATIVE: [&str; 13] = [
    "=",
    "= ",
    "code ",
    "code = ",
    "error ",
    "error: ",
    "error = ",
    "failed: ",
    "failed (",
    "failed ",
    "returned ",
    "ips: ",
    "to ip: ",
];

pub(super) fn errno(text: &str) -> Option<Found> {
    let named = |number| Found { number, named: true };
    let said = |number| Found { number, named: false };
    whole(text)
        .or_else(|| by_name(text))
        .map(named)
        .or_else(|| numbered(text).or_else(|| described(text)).map(said))
}

/// The whole message is an errno: its number, with a sign or in brackets, or its text.
fn whole(text: &str) -> Option<u16> {
    let text = text.trim().trim_end_matches('.');
    let bare = text.strip_prefix("(").and_then(|rest| rest.strip_suffix(")")).unwrap_or(text);
    let bare = bare.strip_prefix("ret=").unwrap_or(bare);
    let number = bare.strip_prefix('-').unwrap_or(bare).parse().ok().filter(|number| plausible(*number));
    number.or_else(|| texts().find(|(_, known)| known == text).map(|(number, _)| number))
}

/// The errno whose name is a word in the message.
fn by_name(text: &str) -> Option<u16> {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.find_map(|word| {
        ERRNOS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(word)).map(|(number, ..)| *number)
    })
}

/// The errno that the message gives as a number, in a form that programs use. Its text right after it takes precedence,
/// because other architectures have other numbers.
fn numbered(text: &str) -> Option<u16> {
    let positive = BEFORE.iter().flat_map(|form| behind(text, form)).map(|rest| rest.trim_start_matches('-'));
    let negative =
        BEFORE_NEGATIVE.iter().flat_map(|form| behind(text, form)).filter_map(|rest| rest.strip_prefix('-'));
    positive.chain(negative).find_map(|rest| {
        let (number, rest) = leading(rest)?;
        let rest = rest.trim_start_matches([')', ':', ' ', '=', ']', '(']);
        let beside = texts().filter(|(_, text)| rest.starts_with(text.as_str()));
        let clearer = beside.max_by_key(|(_, text)| text.len()).map(|(number, _)| number);
        Some(clearer.unwrap_or(number))
    })
}

/// What follows each occurrence of `form` at the beginning of a word.
fn behind<'a>(text: &'a str, form: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = move |at: usize| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        !form.starts_with(char::is_alphanumeric) || !before.is_some_and(char::is_alphanumeric)
    };
    let places = text.match_indices(form).map(|(at, _)| at).filter(move |&at| begins(at));
    places.filter_map(|at| text.get(at + form.len()..))
}

/// The number at the start, as a separate word: not a time of day, a range, or part of a word.
fn leading(text: &str) -> Option<(u16, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let number = digits.parse().ok().filter(|number| plausible(*number))?;
    let mut after = rest.chars();
    let runs_on = match after.next() {
        None => false,
        Some(next) if next.is_alphanumeric() || matches!(next, '_' | '/' | '%') => true,
        Some('.' | ':' | '-') => after.next().is_some_and(char::is_alphanumeric),
        Some(_) => rest.starts_with(" of "),
    };
    (!runs_on).then_some((number, rest))
}

/// Errors of the kernel are from 1 to 4095 (include/linux/err.h, `MAX_ERRNO`).
fn plausible(number: u16) -> bool {
    (1..=4095).contains(&number)
}

/// Whether the text before `at` is Go's `chown PATH: `, which is about a file in the mount, or is about the program
/// that should mount it.
fn of_a_file(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.strip_suffix(": ")).unwrap_or_default();
    let last = before.rsplit(": ").next().unwrap_or_default();
    ["chown ", "lchown ", "chmod ", "failed to execute /bin/mount", "failed to execute /usr/bin/mount"]
        .iter()
        .any(|call| last.starts_with(call))
}

/// The errno whose text is in the message, at the end of a statement; of several, the longest.
fn described(text: &str) -> Option<u16> {
    let ends = |at: usize, len: usize| {
        let rest = text.get(at + len..).unwrap_or_default();
        // Go ends with ": unknown", C and Rust with the number; a sentence continues after a blank.
        rest.is_empty()
            || rest.starts_with(['.', '\n', '"', '\\', ')', '(', ']', '\''])
            || rest.starts_with(": unknown")
            || rest.starts_with(": oci ")
            || rest.starts_with(" (")
            || rest.starts_with(' ')
    };
    // Words that many sentences contain are an error's text only after a colon.
    let stands = |at: usize, known: &str| {
        !OTHER_TEXTS.iter().any(|(_, other)| other.eq_ignore_ascii_case(known))
            || text.get(..at).unwrap_or_default().ends_with(": ")
    };
    let stands = |at: usize, known: &str| stands(at, known) && ends(at, known.len()) && !of_a_file(text, at);
    let found = texts().filter(|(_, known)| positions(text, known).any(|at| stands(at, known)));
    let longest = found.max_by_key(|(_, known)| known.len())?;
    is_known(longest.0).then_some(longest.0)
}
