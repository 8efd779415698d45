//! Completions of shells, under the names that they are installed by.

use super::generate::{Made, commands};
use clap_complete::{Generator, Shell, generate};
use std::path::Path;

/// The shells, each with its folder.
pub(crate) const SHELLS: [(&str, Shell); 3] =
    [("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)];

/// The completions of every face for every shell.
pub(crate) fn all(folder: &Path) -> impl Iterator<Item = Made> {
    SHELLS.into_iter().flat_map(move |(name, shell)| {
        commands().into_iter().map(move |mut command| {
            let command_name = command.get_name().to_owned();
            // What bash-completion looks for is the command's own name.
            let file = match shell {
                Shell::Bash => command_name.clone(),
                _ => shell.file_name(&command_name),
            };
            let mut text = Vec::new();
            generate(shell, &mut command, command_name.as_str(), &mut text);
            let mut text = String::from_utf8_lossy(&text).into_owned();
            if shell == Shell::Bash {
                text = with_one_spelling(&text, &command_name);
            }
            Made { path: folder.join(name).join(file), text }
        })
    })
}

/// clap_complete 4.6 spells the hyphen of a command's name differently where it sets a state and where it
/// looks for it, so that nothing is proposed after a subcommand (clap issue 6421).
fn with_one_spelling(text: &str, command: &str) -> String {
    text.replace(&command.replace('-', "__subcmd__"), &command.replace('-', "__"))
}
