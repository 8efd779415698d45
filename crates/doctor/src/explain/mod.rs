//! `key-dns explain`: what an error means where names of mounts are looked up, and what to try.

mod read;
mod row;
mod table;

pub use row::{Row, Who};

use row::{Cause, Sign};
use std::fmt;

/// What a message means.
#[derive(Debug)]
pub struct Explanation {
    /// The errno in it, as number, name and text.
    pub errno: Option<(u16, &'static str, &'static str)>,
    /// The host that it is about.
    pub name: Option<String>,
    /// The rows that apply.
    pub rows: Vec<&'static Row>,
}

/// Nothing in the message is known here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// An errno that no lookup or mount of ours ends with.
    #[error("error {0} is none that is known here")]
    Errno(u16),
    /// No errno, and no message known.
    #[error(
        "\"{0}\" holds no error that is known here; give an errno (ESRCH), its number (3), or the whole line of \
         the message"
    )]
    Message(String),
}

/// An errno as `ENODATA (61)`, or the number where the name is not known.
#[must_use]
pub fn name_of(errno: u16) -> String {
    let known = table::ERRNOS.iter().find(|(number, ..)| *number == errno);
    known.map_or_else(|| errno.to_string(), |(number, name, _)| format!("{name} ({number})"))
}

/// What `text` means: an errno by name or number, what mount said, or a line of a log.
///
/// # Errors
/// [`Unknown`] where nothing in it is known.
pub fn explain(text: &str) -> Result<Explanation, Unknown> {
    let message = read::read(text);
    let by_phrase = |row: &&Row| match row.sign {
        Sign::Phrases(phrases) => phrases.iter().any(|phrase| message.text.contains(phrase)),
        Sign::Errno(_) => false,
    };
    let by_errno = |row: &&Row| matches!(row.sign, Sign::Errno(number) if Some(number) == message.errno);
    let mut rows: Vec<&'static Row> = table::ROWS.iter().filter(by_phrase).take(1).collect();
    if rows.is_empty() {
        rows = table::ROWS.iter().filter(by_errno).collect();
        // Who says it narrows it down, where that one is known to say it.
        if let Some(who) = message.who
            && rows.iter().any(|row| row.who == who)
        {
            rows.retain(|row| row.who == who);
        }
    }
    match (rows.is_empty(), message.errno) {
        (false, number) => {
            let errno = table::ERRNOS.iter().copied().find(|(known, ..)| Some(*known) == number);
            Ok(Explanation { errno, name: message.name, rows })
        }
        (true, Some(number)) => Err(Unknown::Errno(number)),
        (true, None) => Err(Unknown::Message(text.trim().escape_debug().to_string())),
    }
}

impl Explanation {
    /// The causes that a row knows, each with a command where there is one, the host in its place.
    pub fn causes(&self, row: &'static Row) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let host = self.name.as_deref().unwrap_or("NAME");
        row.causes.iter().map(move |Cause { what, remedy }| {
            (*what, (!remedy.is_empty()).then(|| remedy.replace("NAME", host)))
        })
    }
}

/// For people: the errno, then who says it, what it means there, and what to try.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((number, name, text)) = self.errno {
            writeln!(f, "{name} ({number}): {text}\n")?;
        }
        for (index, row) in self.rows.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            writeln!(f, "{gap}{}: {}.", row.who, row.means)?;
            for (number, (what, command)) in (1..).zip(self.causes(row)) {
                writeln!(f, "  {number}. {what}")?;
                if let Some(command) = command {
                    writeln!(f, "     $ {command}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
