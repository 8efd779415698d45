//! Quoting words and commands for a shell.

/// Invisible characters, or ones that reorder the text around them: what is read is not what is run.
const UNSEEN: [std::ops::RangeInclusive<char>; 5] = [
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fffd}'..='\u{fffd}',
];

/// Whether a text is what it shows.
#[must_use]
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || UNSEEN.iter().any(|range| range.contains(&c)))
}

/// A word as a shell takes it; `None` if it can't be shown unchanged.
#[must_use]
pub(crate) fn quoted(word: impl AsRef<std::ffi::OsStr>) -> Option<String> {
    let word = word.as_ref().to_str().filter(|word| is_plain(word))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        Some(word.to_owned())
    } else {
        Some(format!("'{}'", word.replace('\'', "'\\''")))
    }
}

/// A name in a command that is part of advice.
#[must_use]
pub(crate) fn name(name: &str) -> String {
    quoted(name).unwrap_or_else(|| "NAME".to_owned())
}

/// A command of these words unquoted, and then these, quoted.
#[must_use]
pub(crate) fn command(words: &str, more: &[impl AsRef<std::ffi::OsStr>]) -> Option<String> {
    more.iter().try_fold(words.to_owned(), |command, word| Some(format!("{command} {}", quoted(word)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_word_with_special_characters_is_quoted() {
        for (word, expected) in [
            ("/mnt/a-b_c.d", "/mnt/a-b_c.d"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("ü", "'ü'"),
        ] {
            assert_eq!(quoted(word).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_unprintable_argument_yields_no_command() {
        for word in ["a\nb", "a\tb", "a\u{202e}b", "a\u{200b}", "\u{7f}", "\u{fffd}"] {
            assert_eq!(command("rm", &["x", word]), None, "{word:?}");
        }
        assert_eq!(quoted(std::ffi::OsStr::from_bytes(b"a\xffb")), None);
    }
}
