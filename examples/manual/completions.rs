//! Shell completions, under the names by which they are installed.

use super::generate::{Made, commands};
use clap::Command;
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
            if command_name == key_dns::cli::people::NAME {
                text = with_words(text, shell, &command);
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

/// The names that the kernel has cached, one per line, printed by the program itself.
const CACHED: &str = r"key-dns cache list 2>/dev/null | sed -n 's/^[0-9a-f]\{8\}  \([^ ]*\)  .*/\1/p'";

/// Adds what clap_complete can't express: the names in the cache where `cache` takes one; and for fish, the words of a
/// positional argument.
fn with_words(text: String, shell: Shell, command: &Command) -> String {
    match shell {
        Shell::Bash => {
            let mut text = text;
            for action in ["list", "flush"] {
                let case = format!(
                    "key__dns__subcmd__cache__subcmd__{action})\n            opts=\"-h --json --help"
                );
                text = text.replace(&case, &format!("{case} $(_key__dns__cached)"));
            }
            format!("_key__dns__cached() {{\n    {CACHED}\n}}\n\n{text}")
        }
        Shell::Zsh => {
            let text = text.replace(
                "'::name -- Only this name, with any query type:_default'",
                "'::name -- Only this name, with any query type:_key-dns_cached'",
            );
            let function = format!(
                "(( $+functions[_key-dns_cached] )) ||\n_key-dns_cached() {{\n    compadd -- ${{(f)\"$({CACHED})\"}}\n}}\n"
            );
            text.replace("\nif [ \"$funcstack[1]\"", &format!("{function}\nif [ \"$funcstack[1]\""))
        }
        Shell::Fish => {
            let words = command.get_subcommands().map(|subcommand| {
                let values = subcommand.get_positionals().flat_map(clap::Arg::get_possible_values);
                let words: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
                (subcommand.get_name(), words.join(" "))
            });
            let lines = words.filter(|(_, words)| !words.is_empty()).map(|(name, words)| {
                format!(
                    "complete -c key-dns -n \"__fish_key_dns_using_subcommand {name}\" -f -a \"{words}\"\n"
                )
            });
            let text = text + &lines.collect::<String>();
            let condition =
                "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list flush";
            text + &format!(
                "complete -c key-dns -n \"{condition}\" -f -a \"({})\"\n",
                CACHED.replace('\\', "\\\\").replace('$', "\\$")
            )
        }
        _ => text,
    }
}
