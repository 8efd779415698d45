//! What a message holds: whose words it is in, an errno, and the host that it is about.

mod host;
mod number;
mod speaker;

use super::row::Speaker;

/// A message, taken apart.
#[derive(Debug)]
pub(super) struct Message {
    /// In lower case, its blanks and line ends as single blanks.
    pub(super) text: String,
    pub(super) errno: Option<Found>,
    pub(super) speaker: Option<Speaker>,
    /// Fit for a command line.
    pub(super) name: Option<String>,
}

/// An errno in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u16,
    /// Whether somebody named it on purpose: it is all of the message, or there by its name.
    pub(super) named: bool,
}

pub(super) fn read(text: &str) -> Message {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let lower = line.to_lowercase();
    Message {
        errno: number::errno(&lower),
        speaker: speaker::speaker(&lower),
        name: host::host(&line, &lower),
        text: lower,
    }
}

/// Where `phrase` stands in `text` as words of its own: no letter or digit runs on at its ends.
pub(super) fn positions<'a>(text: &'a str, phrase: &'a str) -> impl Iterator<Item = usize> + 'a {
    let word =
        |character: Option<char>| character.is_some_and(|found| found.is_alphanumeric() || found == '_');
    let open = !word(phrase.chars().next());
    let closed = !word(phrase.chars().next_back());
    text.match_indices(phrase).map(|(at, _)| at).filter(move |&at| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let after = text.get(at + phrase.len()..).unwrap_or_default().chars().next();
        (open || !word(before)) && (closed || !word(after))
    })
}

/// Whether `text` has `phrase` as words of its own.
pub(super) fn has(text: &str, phrase: &str) -> bool {
    positions(text, phrase).next().is_some()
}
