//! Words of a message, and what is made of them.

/// An errno in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) number: u16,
    /// Whether somebody named it on purpose: it is all of the message, or there by its name.
    pub(crate) named: bool,
}

/// Where `phrase` stands in `text` as words of its own: no letter or digit runs on at its ends.
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

/// Whether `text` has `phrase` as words of its own; where it has an ellipsis, its parts one after the other.
pub(crate) fn has(text: &str, phrase: &str) -> bool {
    let mut rest = Some(text);
    for part in phrase.split(" … ") {
        rest = rest.and_then(|text| text.get(positions(text, part).next()? + part.len()..));
    }
    rest.is_some()
}
