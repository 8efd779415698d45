//! `key-dns cache`: lists and drops the kernel's DNS keys.

use super::subcommand::{self, Subcommand, put};
use clap::builder::OsStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use doctor::cache::flush::{FlushOutcome, Flushed, flush};
use doctor::cache::{Cache, CachedAnswer, CachedKey, KeyOwner};
use doctor::explain;
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::{self, Write};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };

/// The version of the JSON format, which rises when a field is removed or changes its meaning.
const VERSION: u32 = 1;
/// A key of the kernel's could not be dropped.
const KEPT: u8 = 1;
/// The cache could not be read.
const UNSEEN: u8 = 2;

fn command() -> Command {
    let arguments = |command: Command| {
        command
            .arg(
                Arg::new("name")
                    .value_name("NAME")
                    .value_parser(OsStringValueParser::new())
                    .help("Only this name, with any query type"),
            )
            .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
    };
    Command::new("cache")
        .about("List or drop the answers that the kernel has cached")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(arguments(Command::new("list").about("List the kernel's DNS keys")))
        .subcommand(
            arguments(
                Command::new("flush")
                    .about("Drop the kernel's DNS keys, so that the next request looks the name up (root)"),
            )
            .after_help(
                "Exit status: 0 dropped, or nothing to drop; 1 a key is still there; 2 the cache could not be read",
            ),
        )
}

fn run(matches: &ArgMatches) -> ExitCode {
    let Some((action, matches)) = matches.subcommand() else {
        return ExitCode::from(UNSEEN);
    };
    let name = matches.get_one::<OsString>("name").map(|name| name.as_bytes());
    let json = matches.get_flag("json");
    let told = if action == "list" {
        Cache::look().map(|cache| list(&cache.only(name), name, json))
    } else {
        flush(name).map(|flushed| dropped(&flushed, name, json))
    };
    match told {
        Ok((text, status)) => put(&text, ExitCode::from(status)),
        Err(error) => unreadable(&error),
    }
}

fn unreadable(error: &io::Error) -> ExitCode {
    eprintln!("key-dns cache: can't read /proc/keys: {error}");
    ExitCode::from(UNSEEN)
}

fn list(cache: &Cache, name: Option<&[u8]>, json: bool) -> (String, u8) {
    let keys: Vec<Key> = cache.entries.iter().map(|entry| Key::new(entry, None)).collect();
    (render(&keys, name, &cache.unseen, 0, json), 0)
}

fn dropped(flushed: &Flushed, name: Option<&[u8]>, json: bool) -> (String, u8) {
    let keys: Vec<Key> = flushed.keys.iter().map(|(entry, outcome)| Key::new(entry, Some(outcome))).collect();
    // Keys that no mount finds do no harm.
    let kept = |(entry, outcome): &(CachedKey, FlushOutcome)| {
        entry.place == KeyOwner::Kernel && matches!(outcome, FlushOutcome::Kept(_))
    };
    let status = match () {
        () if flushed.keys.iter().any(kept) => KEPT,
        () if !flushed.unseen.is_empty() => UNSEEN,
        () => 0,
    };
    (render(&keys, name, &flushed.unseen, flushed.along, json), status)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    keys: &'a [Key],
    #[serde(skip_serializing_if = "is_zero")]
    dropped_along: usize,
    unseen: &'a [String],
}

/// One key, for text and JSON.
#[derive(Serialize)]
struct Key {
    serial: String,
    name: String,
    /// `kernel`, or `people`.
    place: &'static str,
    uid: String,
    /// `good`, `error`, `rejected`, `under construction`, `expired`, `gone`.
    state: &'static str,
    errno: Option<u16>,
    length: Option<u32>,
    payload: Option<String>,
    left: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Key {
    fn new(entry: &CachedKey, outcome: Option<&FlushOutcome>) -> Self {
        let (state, errno, length, payload) = match &entry.answer {
            CachedAnswer::Data(length, payload) => {
                ("good", None, Some(*length), payload.as_deref().map(payload_text))
            }
            CachedAnswer::Error(errno) => ("error", Some(*errno), None, None),
            CachedAnswer::Rejected(errno) => ("rejected", *errno, None, None),
            CachedAnswer::UnderConstruction => ("under construction", None, None, None),
            CachedAnswer::Expired => ("expired", None, None, None),
            CachedAnswer::Gone => ("gone", None, None, None),
        };
        let (outcome, why) = match outcome {
            None => (None, None),
            Some(FlushOutcome::Dropped) => (Some("dropped"), None),
            Some(FlushOutcome::Needless) => (Some("needless"), None),
            Some(FlushOutcome::Kept(why)) => (Some("kept"), Some(why.clone())),
        };
        Self {
            serial: format!("{:08x}", entry.serial),
            name: entry.name.escape_ascii().to_string(),
            place: match entry.place {
                KeyOwner::Kernel => "kernel",
                KeyOwner::People => "people",
            },
            uid: entry.uid.clone(),
            state,
            errno,
            length,
            payload,
            left: entry.left.clone(),
            outcome,
            why,
        }
    }
}

/// Addresses as text; a server list, which begins with a NUL, in hexadecimal.
fn payload_text(payload: &[u8]) -> String {
    match payload.first() {
        Some(0) => payload.iter().fold("v1 ".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        _ => payload.strip_suffix(b"\0").unwrap_or(payload).escape_ascii().to_string(),
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}  ", self.serial, self.name)?;
        match (self.errno, self.length) {
            (Some(errno), _) => write!(f, "{} {}", self.state, explain::name_of(errno))?,
            (None, Some(length)) => match &self.payload {
                Some(payload) => f.write_str(payload)?,
                None => write!(f, "good, {length} bytes")?,
            },
            (None, None) => f.write_str(self.state)?,
        }
        match &self.left {
            Some(left) => write!(f, ", {left} left")?,
            None if self.state == "good" || self.state == "error" => f.write_str(", never expires")?,
            None => {}
        }
        if self.place == "people" {
            write!(f, ", of user {}, not the kernel's", self.uid)?;
        }
        match (self.outcome, &self.why) {
            (Some("needless"), _) => f.write_str(": nothing to drop"),
            (Some(outcome), None) => write!(f, ": {outcome}"),
            (Some(outcome), Some(why)) => write!(f, ": {outcome}: {why}"),
            (None, _) => Ok(()),
        }
    }
}

fn render(keys: &[Key], name: Option<&[u8]>, unseen: &[String], along: usize, json: bool) -> String {
    if json {
        return subcommand::json(&Document { version: VERSION, keys, dropped_along: along, unseen });
    }
    let mut out = String::new();
    // Writing to a string does not fail.
    for key in keys {
        let _ = writeln!(out, "{key}");
    }
    if keys.is_empty() {
        let _ = match (unseen, name) {
            ([], None) => writeln!(out, "the cache is empty"),
            ([], Some(name)) => writeln!(out, "the cache has no key for {}", name.escape_ascii()),
            _ => writeln!(out, "no DNS keys can be seen"),
        };
    }
    if along > 0 {
        let _ = writeln!(
            out,
            "{along} other keys of the kernel were dropped as well: a rejected key can't be dropped alone"
        );
    }
    for unseen in unseen {
        let _ = writeln!(out, "not seen: {unseen}");
    }
    out
}
