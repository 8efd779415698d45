//! What the rules go by.

/// A request, as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What is to be done: `create`, or `negate` after that failed.
    pub operation: &'a [u8],
    /// The type of the key.
    pub key_type: &'a [u8],
    /// Its description.
    pub description: &'a [u8],
    /// What the caller gave along.
    pub callout: &'a [u8],
}
