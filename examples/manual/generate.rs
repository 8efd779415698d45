//! The generated files and parts of files, and their content.

use super::{completions, errors, mdoc};
use clap::Command;
use key_dns::cli;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The line that begins a generated part; its name follows.
const BEGIN: &str = ".\\\" Made by \"cargo run --example manual\": ";
/// The line that ends it.
const END: &str = ".\\\" End of what is made.";

/// A file, and the text that it should have.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Made {
    pub(crate) fn is_up_to_date(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.text)
    }
}

/// The command lines of all faces, as people see them.
pub(crate) fn commands() -> [Command; 3] {
    [for_people(), cli::helper::command(), cli::request_key::command()]
}

/// The face for people without hidden commands, which clap_complete would propose.
fn for_people() -> Command {
    let all = cli::people::command();
    let shown = all.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    Command::new(cli::people::NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments())
        .subcommands(shown)
}

/// Where packaging files are.
pub(crate) fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

/// The manual pages, sorted by name.
///
/// # Errors
/// As reading the folder.
pub(crate) fn pages() -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(packaging().join("man"))?;
    let mut pages = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    pages.sort();
    Ok(pages)
}

/// Everything that is generated.
///
/// # Errors
/// A page can't be read, or marks an unknown part.
pub(crate) fn files() -> io::Result<Vec<Made>> {
    let mut files = Vec::new();
    for path in pages()? {
        let text = fill(&fs::read_to_string(&path)?)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        files.push(Made { path, text });
    }
    files.extend(completions::all(&packaging().join("completions")));
    Ok(files)
}

/// A page with its marked parts regenerated.
fn fill(page: &str) -> Result<String, String> {
    let mut filled = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        if let Some(part) = line.strip_prefix(BEGIN) {
            filled.push_str(&make(part)?);
            lines.find(|line| *line == END).ok_or(format!("\"{part}\" has no end"))?;
            filled.push_str(END);
            filled.push('\n');
        }
    }
    Ok(filled)
}

/// The text of the part named `SORT of COMMAND`.
fn make(part: &str) -> Result<String, String> {
    let unknown = || format!("nothing is made for \"{part}\"");
    let (sort, name) = part.split_once(" of ").ok_or_else(unknown)?;
    let command = commands().into_iter().find(|command| command.get_name() == name).ok_or_else(unknown)?;
    match (sort, name) {
        ("synopsis", _) => Ok(mdoc::synopsis(command)),
        ("options", _) => Ok(mdoc::options(&command)),
        ("subcommands", _) => Ok(mdoc::subcommands(command)),
        ("errors", cli::helper::NAME) => Ok(errors::of_helper()),
        ("errors", cli::request_key::NAME) => Ok(errors::of_request_key()),
        _ => Err(unknown()),
    }
}
