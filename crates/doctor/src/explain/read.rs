//! Reading a message: which program wrote it, its errno, and the host that it is about.

mod host;
mod number;
mod speaker;
mod words;

pub(super) use words::has;

use super::row::Speaker;
use words::Found;

/// A parsed message.
#[derive(Debug)]
pub(super) struct Message {
    /// In lower case, with each run of blanks and line ends as a single blank.
    pub(super) text: String,
    pub(super) errno: Option<Found>,
    pub(super) speaker: Option<Speaker>,
    /// Suitable for a command line.
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
