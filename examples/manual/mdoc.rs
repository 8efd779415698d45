//! Command lines in mdoc(7). (clap_mangen makes whole pages, and in man(7), which knows neither options nor
//! arguments.)

use clap::{Arg, Command};
use std::fmt::Write;

/// The lines of a SYNOPSIS.
pub(crate) fn synopsis(mut command: Command) -> String {
    let usage = command.render_usage().to_string();
    let mut text = String::new();
    for line in usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words = words_of(line);
        text.push_str(".Nm\n");
        for word in words.iter().skip(1) {
            text.push_str(&line_of(word));
        }
    }
    text
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
        text.push_str(&sentence(
            &arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default(),
        ));
    }
    text.push_str(".El\n");
    text
}

/// Every subcommand that is no face of its own: its usage, what it does, and its options.
pub(crate) fn subcommands(mut command: Command) -> String {
    command.build();
    let name = command.get_name().to_owned();
    let faces = [key_dns::cli::helper::NAME, key_dns::cli::request_key::NAME, "help"];
    let mut text = String::new();
    for subcommand in command.get_subcommands().filter(|subcommand| !faces.contains(&subcommand.get_name())) {
        describe(&name, subcommand, &mut text);
    }
    text
}

fn describe(parents: &str, command: &Command, text: &mut String) {
    let path = format!("{parents} {}", command.get_name());
    let inner: Vec<&Command> =
        command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help").collect();
    if !inner.is_empty() {
        for subcommand in inner {
            describe(&path, subcommand, text);
        }
        return;
    }
    let usage = command.clone().render_usage().to_string();
    // Writing to a string does not fail.
    let _ = writeln!(text, ".Ss {}", escape(path.split_once(' ').map_or("", |(_, name)| name)));
    let depth = path.split(' ').count();
    for line in usage.trim_start_matches("Usage:").lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(".D1 Nm");
        for (index, word) in words_of(line).iter().enumerate().skip(1) {
            let macros = if index < depth { format!(".Cm {word}\n") } else { line_of(word) };
            text.push(' ');
            let macros = macros.trim_start_matches('.').trim_end();
            // On a line with more after it, what is optional needs an end.
            match macros.strip_prefix("Op ") {
                Some(optional) => text.push_str(&format!("Oo {optional} Oc")),
                None => text.push_str(macros),
            }
        }
        text.push('\n');
    }
    text.push_str(".Pp\n");
    text.push_str(&sentence(
        &command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default(),
    ));
    text.push_str(&items(command, |arg| arg.get_id() != "help"));
    if let Some(help) = command.get_after_help() {
        text.push_str(".Pp\n");
        text.push_str(&sentence(&help.to_string()));
    }
}

/// `-c FILE, --config FILE`, or the names of positional arguments.
fn head(arg: &Arg) -> String {
    let values = match arg.get_value_names() {
        Some(names) if arg.get_action().takes_values() => {
            let names: Vec<String> = names.iter().map(|name| name.replace('|', " | ")).collect();
            format!(" Ar {}", names.join(" "))
        }
        _ => String::new(),
    };
    let flags: Vec<String> = arg
        .get_short()
        .map(|short| format!("Fl {short}{values}"))
        .into_iter()
        .chain(arg.get_long().map(|long| format!("Fl -{long}{values}")))
        .collect();
    if flags.is_empty() { values.trim_start().to_owned() } else { flags.join(" , ") }
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
        (true, true) => format!(".Oo {macros} Oc Ns ...\n"),
        (true, false) => format!(".Op {macros}\n"),
        (false, true) => format!(".{macros} ...\n"),
        (false, false) => format!(".{macros}\n"),
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
            let length = word.chars().count();
            if column > 0 {
                text.push(if ended || column + 1 + length > 80 { '\n' } else { ' ' });
                column = if text.ends_with('\n') { 0 } else { column + 1 };
            }
            text.push_str(&escape(word));
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
