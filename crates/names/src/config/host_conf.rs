//! The setting of `host.conf(5)` that lookups heed: `multi`, whether all lines of a name count.

/// Where it is.
pub const PATH: &str = "/etc/host.conf";

/// Whether `host_conf`, the content of `/etc/host.conf`, says `multi on`. See host.conf(5).
///
/// The last valid setting counts, and `off` is the default, also if there is no such file.
#[must_use]
pub fn multi(host_conf: &[u8]) -> bool {
    host_conf
        .split_inclusive(|byte| *byte == b'\n')
        // `do_init` of res_hconf.c reads with `fgets` into 256 bytes, and takes the next part of
        // a longer line for a line of its own.
        .flat_map(|line| line.chunks(255))
        .filter_map(multi_setting)
        .next_back()
        .unwrap_or(false)
}

/// What a line of host.conf says about `multi`, as `parse_line` of `res_hconf.c` reads it.
fn multi_setting(line: &[u8]) -> Option<bool> {
    let line = line.split(|byte| *byte == 0).next()?;
    let line = trim_start(line);
    let is_end = |byte: &u8| is_space(*byte) || matches!(byte, b'#' | b',');
    let end = line.iter().position(is_end).unwrap_or(line.len());
    let (command, value) = line.split_at_checked(end)?;
    if !command.eq_ignore_ascii_case(b"multi") {
        return None;
    }
    // `arg_bool` looks at the start only, and reports what follows without heeding it.
    let value = trim_start(value);
    let is = |word: &[u8]| value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if is(b"on") {
        Some(true)
    } else if is(b"off") {
        Some(false)
    } else {
        None
    }
}

/// `isspace` of the C locale. Other than [`u8::is_ascii_whitespace`] it has the vertical tab.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// `text` without the blanks at its start.
pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some((first, rest)) = text.split_first()
        && is_space(*first)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_valid_setting_of_multi_counts() {
        for ignored in
            "multi x;multi#off;multi,off;multiple off;x multi off;multi o\0ff;\0multi off".split(';')
        {
            let text = format!("multi off\n MULTI\t\tOnce more # x\r\n{ignored}\n");
            assert!(multi(text.as_bytes()), "{text:?}");
        }
        for text in ["", "multi", "multi on\nMulti Off", "x multi on", "multi \0on"] {
            assert!(!multi(text.as_bytes()), "{text:?}");
        }
        // The 256 bytes that glibc reads a line into include a NUL.
        assert!(multi(format!("{}multi on", "x".repeat(255)).as_bytes()));
        assert!(!multi(format!("{}multi on", "x".repeat(254)).as_bytes()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = multi(&text);
        }
    }
}
