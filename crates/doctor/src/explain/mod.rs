//! `key-dns explain`: what an error means where names of mounts are looked up, and what to try.

mod errnos;
mod read;
mod row;
mod table;

pub use row::{Row, Who};

use errnos::{ERRNOS, TELLING, is_known};
use read::{Message, has};
use row::{Cause, Speaker, Weight};
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
    /// An errno that is known, from somebody who does not end so where names are looked up.
    #[error(
        "{} is not known from who says it here, and may mean something else; \"key-dns explain {number}\" says what it means \
         for mounts",
        name_of(*number)
    )]
    Speaker {
        /// Its number.
        number: u16,
    },
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
    let known = ERRNOS.iter().find(|(number, ..)| *number == errno);
    known.map_or_else(|| errno.to_string(), |(number, name, _)| format!("{name} ({number})"))
}

/// What `text` means: an errno by name or number, what mount said, or a line of a log.
///
/// # Errors
/// [`Unknown`] where nothing in it is known.
pub fn explain(text: &str) -> Result<Explanation, Unknown> {
    let message = read::read(text);
    let rows = shorten(rows(&message), &message);
    if rows.is_empty() {
        return Err(unknown(&message, text));
    }
    let number = message.errno.map(|found| found.number);
    let errno = ERRNOS.iter().copied().find(|(known, ..)| Some(*known) == number);
    Ok(Explanation { errno, name: message.name, rows })
}

fn unknown(message: &Message, text: &str) -> Unknown {
    match message.errno {
        Some(found) if !is_known(found.number) => Unknown::Errno(found.number),
        Some(found) => Unknown::Speaker { number: found.number },
        None => Unknown::Message(text.trim().escape_debug().to_string()),
    }
}

/// What has no name to look up: a socket in the file system, a device of this host.
const NAMELESS: [&str; 2] = ["dial unix", "superblock on /dev/"];

/// The rows that apply: one whose phrase the message has, or else those of its errno.
fn rows(message: &Message) -> Vec<&'static Row> {
    if NAMELESS.iter().any(|words| message.text.contains(words)) {
        return Vec::new();
    }
    let said = |row: &&Row| {
        let speaks = row.by.is_none_or(|speaker| message.speaker == Some(speaker));
        // What the helper tells of its name servers is the reason of its own answer.
        let retold =
            message.speaker == Some(Speaker::Helper) && matches!(row.who, Who::Dns | Who::Libc | Who::Go);
        speaks && !retold && row.phrases.iter().any(|phrase| has(&message.text, phrase))
    };
    let aside = |row: &&Row| row.weight == Weight::Aside;
    if let Some(row) = table::rows().filter(said).find(|row| !aside(row)) {
        let mut rows = vec![row];
        if row.weight == Weight::WithLookup {
            rows.extend(of_errno(message, |other| other.who == Who::Kernel));
        }
        return rows;
    }
    let by_errno = by_errno(message);
    if by_errno.is_empty() { table::rows().filter(said).filter(aside).take(1).collect() } else { by_errno }
}

/// The rows of the message's errno, for who says it.
fn by_errno(message: &Message) -> Vec<&'static Row> {
    let Some(found) = message.errno else { return Vec::new() };
    match message.speaker {
        Some(speaker) => {
            let groups = speaker.rows().iter();
            let mut found = groups.map(|group| of_errno(message, |row| group.contains(&row.who)));
            found.find(|rows| !rows.is_empty()).unwrap_or_default()
        }
        None if found.named || TELLING.contains(&found.number) => {
            of_errno(message, |row| !matches!(row.who, Who::Runc | Who::Docker | Who::CephTools))
        }
        None => Vec::new(),
    }
}

fn of_errno(message: &Message, counts: impl Fn(&Row) -> bool) -> Vec<&'static Row> {
    let number = message.errno.map(|found| found.number);
    let of_it = |row: &&Row| number.is_some_and(|number| row.errnos.contains(&number));
    table::rows().filter(of_it).filter(|row| counts(row)).collect()
}

/// For a name that the kernel takes for too short, nothing else is to blame.
fn shorten(rows: Vec<&'static Row>, message: &Message) -> Vec<&'static Row> {
    let short = message.name.as_ref().is_some_and(|name| name.len() < 3);
    let asks = |row: &&Row| matches!(row.id.as_str(), "ceph-unresolved" | "cifs-unresolved" | "kernel-22");
    if short && rows.iter().any(asks) { table::too_short() } else { rows }
}

impl Explanation {
    /// The causes that a row knows, each with a command where there is one, the host in its place.
    pub fn causes(&self, row: &'static Row) -> impl Iterator<Item = (&'static str, Option<String>)> {
        let host = self.name.as_deref().unwrap_or("NAME");
        row.causes.iter().map(move |Cause { what, remedy }| {
            (what.as_str(), (!remedy.is_empty()).then(|| remedy.replace("NAME", host)))
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
mod corpus;
#[cfg(test)]
mod tests;
