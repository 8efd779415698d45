//! Commands that change a line of a file, which they locate by content.

use crate::host_root::HostRoot;
use crate::shell::{is_plain, quoted};

/// A file whose lines commands may change.
pub(crate) struct Lines {
    path: String,
    texts: Vec<String>,
    ends_well: bool,
}

impl Lines {
    /// Reads it; `None` if no command may change it: it is a link, which sed(1) would replace by a file, it can't be
    /// read, or is not text.
    pub(crate) fn read(look: &HostRoot, path: &str) -> Option<Self> {
        let facts = look.path(path).symlink_metadata().ok()?;
        if !facts.is_file() {
            return None;
        }
        let text = String::from_utf8(names::file::read_bytes(&look.path(path)).ok()?).ok()?;
        let ends_well = text.is_empty() || text.ends_with('\n');
        Some(Self { path: path.to_owned(), texts: text.lines().map(str::to_owned).collect(), ends_well })
    }

    /// The lines with their numbers, starting at 1.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.texts.iter().map(String::as_str))
    }

    /// The command that comments out line `number`.
    pub(crate) fn comment_out(&self, number: usize) -> Option<String> {
        self.substitute(self.only(number)?, "# &")
    }

    /// The command that replaces line `number` by `new`.
    pub(crate) fn replace(&self, number: usize, new: &str) -> Option<String> {
        let old = self.only(number)?;
        let new = new.replace('\t', " ");
        if old == new || !is_plain(&new) {
            return None;
        }
        self.substitute(old, &replacement(&new))
    }

    /// Line `number`, if no other line is identical.
    fn only(&self, number: usize) -> Option<&str> {
        let line = self.texts.get(number.checked_sub(1)?)?;
        (self.texts.iter().filter(|other| *other == line).count() == 1).then_some(line)
    }

    fn substitute(&self, old: &str, new: &str) -> Option<String> {
        Some(format!("sed -i {} {}", quoted(format!("s|^{}$|{new}|", pattern(old)?))?, quoted(&self.path)?))
    }
}

/// The command that adds a line to a file, unless it is there. It creates the file if necessary.
pub(crate) fn append(look: &HostRoot, path: &str, line: &str) -> Option<String> {
    let there = look.path(path).symlink_metadata().is_ok();
    if there && !Lines::read(look, path)?.ends_well {
        return None;
    }
    let folder = std::path::Path::new(path).parent()?;
    let (line, path, folder) = (quoted(line)?, quoted(path)?, quoted(folder)?);
    Some(format!(
        "(umask 022 && mkdir -p {folder} && {{ grep -qsxF {line} {path} || printf '%s\\n' {line} >>{path}; }})"
    ))
}

/// A text as a basic regular expression; a tab, which is invisible, matches any blank.
pub(super) fn pattern(text: &str) -> Option<String> {
    let mut pattern = String::new();
    for c in text.chars() {
        match c {
            '\t' => pattern.push_str("[[:blank:]]"),
            '.' | '*' | '[' | '$' | '|' => pattern.extend(['[', c, ']']),
            '^' | '\\' => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    is_plain(&pattern).then_some(pattern)
}

/// A text as the replacement of a match.
fn replacement(text: &str) -> String {
    text.replace('\\', "\\\\").replace('&', "\\&").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use std::fs;
    use std::process::Command;

    /// What the file says after the command, once and twice.
    fn run(look: &HostRoot, path: &str, command: &str) -> String {
        let command = command.replace(path, &quoted(look.path(path)).unwrap());
        let folder = quoted(look.path("/etc")).unwrap();
        let command = command.replace("mkdir -p /etc ", &format!("mkdir -p {folder} "));
        let mut seen = Vec::new();
        for _ in 0..2 {
            assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
            seen.push(fs::read_to_string(look.path(path)).unwrap());
        }
        assert_eq!(seen[0], seen[1], "run twice: {command}");
        seen.remove(0)
    }

    #[test]
    fn a_line_is_matched_by_its_whole_content() {
        let odd = "a.*[b]^c$ \\d|e/f&g 'h' \"i\" $(j)\tk";
        for line in ["x", "nameserver 10.0.0.1", odd] {
            let text = format!("{line}y\ny{line}\n{line}\n{}\n", line.replace('.', "z"));
            let look = tree("edit-odd", &[("etc/f", text.as_str())]);
            let lines = Lines::read(&look, "/etc/f").unwrap();
            let Some(command) = lines.comment_out(3) else {
                // Without a dot the last line is the same.
                assert!(!line.contains('.'));
                continue;
            };
            let expected = text.replacen(&format!("\n{line}\n"), &format!("\n# {line}\n"), 1);
            assert_eq!(run(&look, "/etc/f", &command), expected);
        }
        let look = tree("edit-replace", &[("etc/f", "one\ntwo\n")]);
        let command = Lines::read(&look, "/etc/f").unwrap().replace(2, "a|b \\1 & 'c'").unwrap();
        assert_eq!(run(&look, "/etc/f", &command), "one\na|b \\1 & 'c'\n");
    }

    #[test]
    fn an_ambiguous_or_unprintable_line_yields_no_command() {
        let look = tree("edit-same", &[("etc/f", "x\nx\na\u{1b}b\n"), ("etc/g", "x\n")]);
        let lines = Lines::read(&look, "/etc/f").unwrap();
        assert_eq!((lines.comment_out(1), lines.comment_out(3), lines.comment_out(9)), (None, None, None));
        std::os::unix::fs::symlink("g", look.path("/etc/link")).unwrap();
        assert!(Lines::read(&look, "/etc/link").is_none());
        fs::write(look.path("/etc/bytes"), b"\xff\n").unwrap();
        assert!(Lines::read(&look, "/etc/bytes").is_none());
    }

    #[test]
    fn a_line_is_appended_once_and_never_joined_to_another() {
        let look = tree("edit-append", &[("etc/f", "one\n"), ("etc/g", "one")]);
        assert_eq!(run(&look, "/etc/f", &append(&look, "/etc/f", "two = $x").unwrap()), "one\ntwo = $x\n");
        assert_eq!(run(&look, "/etc/h", &append(&look, "/etc/h", "two").unwrap()), "two\n");
        assert_eq!(append(&look, "/etc/g", "two"), None);
    }
}
