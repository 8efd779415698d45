//! Command lines in mdoc(7). (clap_mangen makes whole pages, and in man(7), which knows neither options nor
//! arguments.)

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

/// The lines of a SYNOPSIS: one or more for the command, or for each of its subcommands.
pub(crate) fn synopsis(mut command: Command) -> String {
    command.build();
    leaves(&command).into_iter().map(|(path, leaf)| usage(&path, leaf)).collect()
}

fn usage(path: &[String], mut command: Command) -> String {
    let usage = command.render_usage().to_string();
    let mut lines = Vec::new();
    for line in usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines.push(".Nm".to_owned());
        lines.extend(path.iter().map(|name| format!(".Cm {name}")));
        for word in words_of(line).iter().skip(1 + path.len()) {
            if word == "[OPTIONS]" {
                lines.extend(
                    own_options(&command).map(|option| format!(".Op {}", heads(option).swap_remove(0))),
                );
            } else {
                lines.push(line_of(word));
            }
        }
    }
    lines.join("\n") + "\n"
}

/// Options, but for those that every command has.
fn own_options(command: &Command) -> impl Iterator<Item = &Arg> {
    let everywhere = |arg: &Arg| matches!(arg.get_action(), ArgAction::Help | ArgAction::Version);
    command.get_arguments().filter(move |arg| !arg.is_positional() && !arg.is_hide_set() && !everywhere(arg))
}

/// The command if it has no subcommands, otherwise each of these that is no face of its own; with the names that
/// lead to it.
fn leaves(command: &Command) -> Vec<(Vec<String>, Command)> {
    let others = [key_dns::cli::helper::NAME, key_dns::cli::request_key::NAME, "help"];
    let inner = command.get_subcommands().filter(|subcommand| !others.contains(&subcommand.get_name()));
    let leaves: Vec<_> = inner
        .flat_map(|subcommand| {
            leaves(subcommand).into_iter().map(|(mut path, leaf)| {
                path.insert(0, subcommand.get_name().to_owned());
                (path, leaf)
            })
        })
        .collect();
    if leaves.is_empty() { vec![(Vec::new(), command.clone())] } else { leaves }
}

/// Every option and argument with its help, as items of a list.
pub(crate) fn options(command: &Command) -> String {
    items(command, |_| true)
}

fn items(command: &Command, wanted: impl Fn(&Arg) -> bool) -> String {
    let mut text = String::from(".Bl -tag -width Ds\n");
    let mut command = command.clone();
    command.build();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && wanted(arg)) {
        text.push_str(".It ");
        text.push_str(&head(arg));
        text.push('\n');
        let help = arg.get_long_help().or(arg.get_help());
        text.push_str(&sentence(&help.map(ToString::to_string).unwrap_or_default()));
    }
    text.push_str(".El\n");
    text
}

/// Every subcommand that is no face of its own: what it does, and its options.
pub(crate) fn subcommands(mut command: Command) -> String {
    command.build();
    let text_of = |help: Option<&StyledStr>| help.map(|help| sentence(&help.to_string())).unwrap_or_default();
    let mut text = String::new();
    for (path, leaf) in leaves(&command) {
        text.push_str(".Ss ");
        text.push_str(&path.join(" "));
        text.push('\n');
        text.push_str(&text_of(leaf.get_long_about().or(leaf.get_about())));
        text.push_str(&items(&leaf, |arg| arg.get_id() != "help"));
        if let Some(help) = leaf.get_after_help() {
            text.push_str(".Pp\n");
            text.push_str(&text_of(Some(help)));
        }
    }
    text
}

/// `-c FILE, --config FILE`, or the names of positional arguments.
fn head(arg: &Arg) -> String {
    heads(arg).join(" , ")
}

/// The same, each way to write it.
fn heads(arg: &Arg) -> Vec<String> {
    let values = match arg.get_value_names() {
        Some(names) if arg.get_action().takes_values() => {
            let names: Vec<String> = names.iter().map(|name| name.replace('|', " | ")).collect();
            format!(" Ar {}", names.join(" "))
        }
        _ => String::new(),
    };
    let short = arg.get_short().map(|short| format!("Fl {short}{values}"));
    let long = arg.get_long().map(|long| format!("Fl -{long}{values}"));
    let heads: Vec<String> = short.into_iter().chain(long).collect();
    if heads.is_empty() { vec![values.trim_start().to_owned()] } else { heads }
}

/// A usage line's words; what is in brackets is one.
fn words_of(usage: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut depth = 0_usize;
    for character in usage.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A word of a usage line as a line of mdoc.
fn line_of(word: &str) -> String {
    let (word, dots) = match word.strip_suffix("...") {
        Some(word) => (word, true),
        None => (word, false),
    };
    let optional = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    let upper = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase());
    let part = |part: &str| {
        let part = part.trim_matches(['<', '>']);
        match part.strip_prefix('-') {
            Some(flag) => format!("Fl {flag}"),
            None if part.contains('|') || upper(part) => format!("Ar {}", part.replace('|', " | ")),
            None => format!("Cm {part}"),
        }
    };
    let macros: Vec<String> = optional.unwrap_or(word).split(' ').map(part).collect();
    let macros = macros.join(" ");
    match (optional.is_some(), dots) {
        (true, true) => format!(".Oo {macros} Oc Ns ..."),
        (true, false) => format!(".Op {macros}"),
        (false, true) => format!(".{macros} ..."),
        (false, false) => format!(".{macros}"),
    }
}

/// Help as text of a page: with a full stop, each sentence on a line of its own, and lines of 80 characters.
pub(crate) fn sentence(help: &str) -> String {
    let mut help = help.trim().to_owned();
    if !help.ends_with('.') {
        help.push('.');
    }
    let mut text = String::new();
    for (index, paragraph) in help.split("\n\n").enumerate() {
        if index > 0 {
            text.push_str(".Pp\n");
        }
        let mut column = 0;
        let mut ended = true;
        for word in paragraph.split_whitespace() {
            let escaped = escape(word);
            let length = escaped.chars().count();
            if column > 0 {
                text.push(if ended || column + 1 + length > 80 { '\n' } else { ' ' });
                column = if text.ends_with('\n') { 0 } else { column + 1 };
            }
            text.push_str(&escaped);
            column += length;
            ended = word.ends_with('.');
        }
        text.push('\n');
    }
    text
}

/// A word with what means something to troff escaped.
pub(crate) fn escape(word: &str) -> String {
    let text = word.replace('\\', "\\e");
    match text.chars().next() {
        // A hyphen that begins an option is no hyphen.
        Some('-') => text.replace('-', "\\-"),
        Some('.' | '\'') => format!("\\&{text}"),
        _ => text,
    }
}
