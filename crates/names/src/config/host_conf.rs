//! The setting of `host.conf(5)` that lookups use: `multi`, whether all lines for a name count.

/// Its path.
pub const PATH: &str = "/etc/host.conf";

/// Whether `host_conf`, the content of `/etc/host.conf`, says `multi on`. See host.conf(5).
///
/// The last valid setting counts, and `off` is the default, also if there is no such file.
#[must_use]
pub fn multi(host_conf: &[u8]) -> bool {
    let host_conf = String::from_utf8_lossy(host_conf);
    host_conf.lines().filter_map(multi_setting).next_back().unwrap_or(false)
}

/// What a line says about `multi`.
fn multi_setting(line: &str) -> Option<bool> {
    let mut words = line.split('#').next()?.split_ascii_whitespace();
    let value = words.next().filter(|word| word.eq_ignore_ascii_case("multi")).and_then(|_| words.next())?;
    match value.to_ascii_lowercase().as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_last_valid_multi_line_wins() {
        for ignored in ["multi x", "multi#off", "multi # off", "multiple off", "x multi off", "# multi off"] {
            let text = format!("multi off\n MULTI\t\tOn more # x\r\n{ignored}\n");
            assert!(multi(text.as_bytes()), "{text:?}");
        }
        for text in ["", "multi", "multi on\r\nMulti Off#x", "x multi on", "#\nmulti\non"] {
            assert!(!multi(text.as_bytes()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = multi(&text);
        }
    }
}
