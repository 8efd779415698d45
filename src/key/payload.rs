//! The bytes that instantiate a key.

use crate::errno::Errno;
use std::fmt;
use std::net::IpAddr;

/// What a `dns_resolver` key is instantiated with (net/dns_resolver/dns_key.c,
/// `dns_resolver_preparse()`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Addresses as text, separated by commas. libceph, CIFS and NFS parse exactly one.
    Addresses(Vec<IpAddr>),
    /// No data; reading the key fails with this errno, and `dns_query()` returns it.
    Error(Errno),
}

impl Payload {
    /// The payload as the kernel takes it: for text, the text and a NUL.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.text().into_bytes();
        bytes.push(0);
        bytes
    }

    fn text(&self) -> String {
        match self {
            Self::Addresses(addresses) => {
                let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                texts.join(",")
            }
            Self::Error(errno) => format!("#dnserror={}", errno.number()),
        }
    }
}

/// As debug mode prints it: `payload TEXT`.
impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "payload {}", self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_is_the_option_that_the_kernel_knows() {
        let payload = Payload::Error(Errno::ENODATA);
        assert_eq!(payload.encode(), b"#dnserror=61\0");
        assert_eq!(payload.to_string(), "payload #dnserror=61");
    }

    proptest! {
        #[test]
        fn every_address_list_reads_back_as_the_kernel_reads_it(addresses in prop::collection::vec(any::<IpAddr>(), 1..100)) {
            let bytes = Payload::Addresses(addresses.clone()).encode();
            let (&nul, text) = bytes.split_last().unwrap();
            prop_assert_eq!(nul, 0);
            prop_assert!(!text.contains(&0) && !text.contains(&b'#'));
            let read: Vec<IpAddr> = std::str::from_utf8(text).unwrap()
                .split(',').map(|one| one.parse().unwrap()).collect();
            prop_assert_eq!(read, addresses);
        }
    }
}
