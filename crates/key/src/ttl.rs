//! How long an answer may be kept.

use std::fmt;
use std::time::Duration;

/// A key's time to live in whole seconds, at least 1.
///
/// The kernel reads a timeout of 0 as "never expires" (`key_set_timeout()`), so a zero can't be constructed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

impl Ttl {
    /// The shortest: one second.
    pub const MIN: Self = Self(1);
    /// The longest that a DNS record can have, 2³¹ - 1 seconds (RFC 2181 §8).
    pub const MAX: Self = Self(0x7fff_ffff);

    /// `seconds`, raised to 1 and lowered to [`Ttl::MAX`].
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        match seconds {
            0 => Self::MIN,
            1..=0x7fff_ffff => Self(seconds),
            _ => Self::MAX,
        }
    }

    /// The TTL field of a DNS record. A value with the top bit set counts as zero (RFC 2181 §8), and zero as the
    /// shortest lifetime of a key.
    #[must_use]
    pub const fn from_record(field: u32) -> Self {
        if field > Self::MAX.0 { Self::MIN } else { Self::from_secs(field) }
    }

    /// The shorter of this and another, if there is another.
    #[must_use]
    pub fn or_shorter(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| other.min(self))
    }

    /// In seconds.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

impl From<Ttl> for Duration {
    fn from(ttl: Ttl) -> Self {
        Self::from_secs(u64::from(ttl.0))
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_ttl_of_zero_or_with_the_top_bit_set_lasts_one_second() {
        assert_eq!(Ttl::from_record(0), Ttl::MIN);
        assert_eq!(Ttl::from_record(0x8000_0000), Ttl::MIN);
        assert_eq!(Ttl::from_record(u32::MAX), Ttl::MIN);
        assert_eq!(Ttl::from_record(0x7fff_ffff), Ttl::MAX);
    }

    #[test]
    fn the_shorter_of_two_ttls_wins_and_is_shown_in_seconds() {
        let ttl = Ttl::from_secs;
        let shorter = |other: Option<u32>| ttl(7).or_shorter(other.map(ttl));
        assert_eq!([None, Some(6), Some(8)].map(shorter), [7, 6, 7].map(ttl));
        assert_eq!((ttl(7).to_string(), Duration::from(ttl(7))), ("7".to_owned(), Duration::from_secs(7)));
    }

    proptest! {
        #[test]
        fn every_ttl_is_positive_and_within_the_format(field: u32) {
            for ttl in [Ttl::from_record(field), Ttl::from_secs(field)] {
                prop_assert!((1..=0x7fff_ffff).contains(&ttl.as_secs()));
            }
        }
    }
}
