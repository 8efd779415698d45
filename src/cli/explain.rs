//! `key-dns explain`: what an error means, and what to try.

use super::subcommand::{self, Subcommand, put};
use clap::{Arg, ArgAction, ArgMatches, Command};
use doctor::explain::{Explanation, explain};
use serde::Serialize;
use std::process::ExitCode;

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };

/// The version of the JSON format.
const VERSION: u32 = 1;

fn command() -> Command {
    Command::new("explain")
        .about("Explain what an error message of a mount means for name lookups, and what to try")
        .arg(
            Arg::new("message")
                .value_name("ERRNO|MESSAGE")
                .help(
                    "ESRCH, 3, -3, what mount printed, or a line of the kernel's log; quotes are not needed",
                )
                .num_args(1..)
                .required(true)
                .allow_hyphen_values(true),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
}

fn run(matches: &ArgMatches) -> ExitCode {
    let mut words: Vec<&str> =
        matches.get_many::<String>("message").unwrap_or_default().map(String::as_str).collect();
    // A message may begin with a hyphen, so the parser takes options behind it for words of the message.
    let mut as_json = matches.get_flag("json");
    while let [_, .., last @ ("--json" | "-h" | "--help")] = words[..] {
        if last != "--json" {
            return put(&command().bin_name("key-dns explain").render_help().to_string(), ExitCode::SUCCESS);
        }
        as_json = true;
        words.pop();
    }
    match explain(&words.join(" ")) {
        Ok(explanation) if as_json => put(&json(&explanation), ExitCode::SUCCESS),
        Ok(explanation) => put(&explanation.to_string(), ExitCode::SUCCESS),
        Err(unknown) => {
            eprintln!("key-dns explain: {unknown}");
            ExitCode::from(2)
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    errno: Option<Errno>,
    host: Option<&'a str>,
    meanings: Vec<Meaning>,
}

#[derive(Serialize)]
struct Errno {
    number: u16,
    name: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct Meaning {
    /// The row's identifier.
    id: &'static str,
    who: String,
    means: &'static str,
    causes: Vec<Cause>,
}

#[derive(Serialize)]
struct Cause {
    what: &'static str,
    command: Option<String>,
}

fn json(explanation: &Explanation) -> String {
    let causes = |row| {
        let causes = explanation.causes(row);
        causes.map(|(what, command)| Cause { what, command }).collect()
    };
    let meaning = |row: &&'static doctor::explain::Row| Meaning {
        id: &row.id,
        who: row.who.to_string(),
        means: &row.means,
        causes: causes(row),
    };
    subcommand::json(&Document {
        version: VERSION,
        errno: explanation.errno.map(|(number, name, text)| Errno { number, name, text }),
        host: explanation.name.as_deref(),
        meanings: explanation.rows.iter().map(meaning).collect(),
    })
}
