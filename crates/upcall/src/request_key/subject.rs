//! What rules match against.

/// A request, as rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The operation: `create`, or `negate` after that has failed.
    pub operation: &'a [u8],
    /// The type of the key.
    pub key_type: &'a [u8],
    /// Its description.
    pub description: &'a [u8],
    /// The callout info.
    pub callout: &'a [u8],
}

impl<'a> Subject<'a> {
    /// Its parts, in the order of a rule's fields.
    pub(super) const fn fields(&self) -> [&'a [u8]; 4] {
        [self.operation, self.key_type, self.description, self.callout]
    }
}
