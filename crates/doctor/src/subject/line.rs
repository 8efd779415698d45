//! Lines that contain a source among other words: from fstab, from the output of mount(8), and mount commands.

use crate::mount_table::{self, MountEntry};

/// Options of mount(8) with a value of their own that is neither type nor options.
const WITH_VALUE: [&str; 8] = ["-L", "-U", "-O", "-N", "-R", "--label", "--uuid", "--test-opts"];

/// The mount in a line, if there is one. For a command with only one path, the source is empty.
pub(super) fn entry(text: &str) -> Option<MountEntry> {
    if !text.contains(char::is_whitespace) {
        return None;
    }
    command(text).or_else(|| listed(text)).or_else(|| of_table(text))
}

/// A line of fstab or of `/proc/mounts`: source, mount point, type.
fn of_table(text: &str) -> Option<MountEntry> {
    let entry = mount_table::fstab(text.trim_start_matches(['#', ' '])).into_iter().next()?;
    let is_type =
        entry.fs_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    (is_type && (entry.mount_point.starts_with('/') || entry.mount_point == "none")).then_some(entry)
}

/// `SOURCE on POINT type TYPE (OPTIONS)`, as mount(8) lists them.
fn listed(text: &str) -> Option<MountEntry> {
    let (source, rest) = text.split_once(" on /")?;
    let (point, rest) = rest.split_once(" type ")?;
    let (fs_type, options) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(MountEntry {
        mount_point: format!("/{point}"),
        fs_type: fs_type.to_owned(),
        source: source.to_owned(),
        options: options.trim_matches(['(', ')']).to_owned(),
    })
}

/// `mount [-t TYPE] [-o OPTIONS] SOURCE [POINT]`, or a helper's command line.
fn command(text: &str) -> Option<MountEntry> {
    let words = words(text.trim_start_matches(['$', '#', ' ']));
    let mut words =
        words.iter().map(String::as_str).skip_while(|word| matches!(*word, "sudo" | "doas")).peekable();
    let program = words.next()?.rsplit('/').next()?.to_owned();
    let fs_type = match program.split_once('.') {
        Some(("mount", fs_type)) => fs_type.to_owned(),
        None if program == "mount" => String::new(),
        _ => return None,
    };
    let mut entry =
        MountEntry { mount_point: String::new(), fs_type, source: String::new(), options: String::new() };
    let mut places: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ if word.starts_with("-t") || word.starts_with("-o") => {
                let (name, value) = word.split_at_checked(2).unwrap_or((word, ""));
                (name, Some(value).filter(|value| !value.is_empty()))
            }
            _ => (word, None),
        };
        let mut value = || value.take().or_else(|| words.next()).unwrap_or_default().to_owned();
        match name {
            "-t" | "--types" => entry.fs_type = value(),
            "-o" | "--options" if entry.options.is_empty() => entry.options = value(),
            "-o" | "--options" => entry.options = format!("{},{}", entry.options, value()),
            "--source" => entry.source = value(),
            "--target" => entry.mount_point = value(),
            _ if WITH_VALUE.contains(&name) => drop(value()),
            _ if word.starts_with('-') && word.len() > 1 => {}
            _ => places.push(word),
        }
    }
    // A path alone is looked up in fstab, as mount(8) does.
    let (source, point) = match places.as_slice() {
        [source, point, ..] => (*source, *point),
        [point] if point.starts_with('/') && !point.starts_with("//") => ("", *point),
        [source] => (*source, ""),
        [] => ("", ""),
    };
    entry.source.push_str(source);
    entry.mount_point.push_str(point);
    (!entry.source.is_empty() || !entry.mount_point.is_empty()).then_some(entry)
}

/// Splits words as a shell does, and removes quotes and backslashes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut started) = (Vec::new(), String::new(), None, false);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => (quote, started) = (Some(letter), true),
            (Some(open), _) if open == letter => quote = None,
            (None | Some('"'), '\\') => {
                word.extend(letters.next());
                started = true;
            }
            (None, _) if letter.is_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                }
                started = false;
            }
            _ => {
                word.push(letter);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}
