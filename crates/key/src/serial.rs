//! The serial number of a key.

use std::fmt;
use std::num::NonZeroI32;
use std::str::FromStr;

/// The serial number of a key: positive. Special keyrings, which have negative numbers, are not keys to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySerial(NonZeroI32);

impl KeySerial {
    /// A serial number as the kernel gave it; `None` unless positive.
    #[must_use]
    pub fn new(number: i32) -> Option<Self> {
        NonZeroI32::new(number).filter(|number| number.is_positive()).map(Self)
    }

    /// The number, as system calls take it.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0.get()
    }
}

impl fmt::Display for KeySerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeySerial {
    type Err = NotASerial;

    /// Decimal digits, as `request-key` passes `%k`.
    fn from_str(text: &str) -> Result<Self, NotASerial> {
        text.parse().ok().and_then(Self::new).ok_or(NotASerial)
    }
}

/// The text is not the decimal serial number of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key's serial number (a positive decimal number below 2147483648)")]
pub struct NotASerial;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_numbers_are_serials() {
        for bad in ["", "0", "-3", "abc", "12x", "2147483648", " 1"] {
            assert_eq!(bad.parse::<KeySerial>(), Err(NotASerial), "{bad:?}");
        }
        assert_eq!("1073741824".parse::<KeySerial>().map(KeySerial::get), Ok(1 << 30));
    }
}
