//! How a file's content is recognised: a checksum against accidents and administrators, not against attackers.

use flate2::Crc;
use std::fmt;

/// The length of the content, and its CRC-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Bytes.
    pub length: usize,
    /// CRC-32, as of gzip.
    pub crc: u32,
}

impl Sum {
    /// The sum of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(content);
        Self { length: content.len(), crc: crc.sum() }
    }

    /// Parses the output of `Display`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (length, crc) = text.split_once(':')?;
        Some(Self { length: length.parse().ok()?, crc: u32::from_str_radix(crc, 16).ok()? })
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:08x}", self.length, self.crc)
    }
}
