//! What a message holds: whose words it is in, an errno, and the host that it is about.

mod host;
mod number;
mod speaker;
mod words;

pub(super) use words::has;

use super::row::Speaker;
use words::Found;

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
