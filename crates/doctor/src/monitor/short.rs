//! Texts that may be too long.

/// What ends a text that was cut.
const CUT: &str = "…";

/// The text, or where it has more than `most` bytes, as much of it as fits, and a sign that it was cut.
pub(super) fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most.saturating_sub(CUT.len())).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_text_is_cut_between_characters() {
        let cut = |text: &str, most| cut(text.to_owned(), most);
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("abcde", 4), "a…");
        assert_eq!(cut("üüü", 6), "üüü");
        assert_eq!(cut("üüüü", 6), "ü…");
        assert_eq!(cut("üü", 3), "…");
    }
}
