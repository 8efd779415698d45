//! Searching for words in a message.

/// An errno in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) number: u16,
    /// Whether it was named explicitly: it is the whole message, or given by name.
    pub(crate) named: bool,
}

/// Where `phrase` occurs in `text` as whole words, with no letter or digit adjoining its ends.
pub(crate) fn positions<'a>(text: &'a str, phrase: &'a str) -> impl Iterator<Item = usize> + 'a {
    let word =
        |character: Option<char>| character.is_some_and(|found| found.is_alphanumeric() || found == '_');
    let open = !word(phrase.chars().next());
    let closed = !word(phrase.chars().next_back());
    text.match_indices(phrase).map(|(at, _)| at).filter(move |&at| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let after = text.get(at + phrase.len()..).unwrap_or_default().chars().next();
        (open || !word(before)) && (closed || !word(after))
    })
}

/// Whether `text` contains `phrase` as whole words; at an ellipsis, its parts in order.
pub(crate) fn has(text: &str, phrase: &str) -> bool {
    let mut rest = Some(text);
    for part in phrase.split(" … ") {
        rest = rest.and_then(|text| text.get(positions(text, part).next()? + part.len()..));
    }
    rest.is_some()
}
