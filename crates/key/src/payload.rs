//! The bytes that instantiate a key.

use crate::errno::Errno;
use crate::query::ServerListForm;
use crate::server_list::ServerList;
use std::fmt;
use std::net::IpAddr;

/// What a `dns_resolver` key is instantiated with (net/dns_resolver/dns_key.c,
/// `dns_resolver_preparse()`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Addresses as text, separated by commas. libceph, CIFS and NFS parse exactly one.
    Addresses(Vec<IpAddr>),
    /// The servers of a cell, version 1. kAFS parses it.
    Servers(ServerList),
    /// The addresses and ports of a cell's servers as text, for requests without `srv=`.
    Endpoints(ServerList),
    /// No data; reading the key fails with this errno, and `dns_query()` returns it.
    Error(Errno),
}

/// The longest payload that survives intact: a key's length is a 16-bit number (include/keys/user-type.h, `struct
/// user_key_payload`), and the kernel truncates anything longer without an error.
pub const MAX_PAYLOAD: usize = 0xffff;

impl Payload {
    /// Removes addresses from the end until the kernel can keep the rest. Returns how many were removed.
    pub fn fit(&mut self) -> usize {
        self.fit_into(MAX_PAYLOAD)
    }

    /// The same for this many bytes, of which text needs one for its NUL.
    pub fn fit_into(&mut self, most: usize) -> usize {
        match self {
            Self::Addresses(addresses) => {
                let mut length = 0;
                let whole = addresses.len();
                let kept = addresses.iter().take_while(|address| {
                    length += address.to_string().len() + 1;
                    length <= most
                });
                let kept = kept.count();
                addresses.truncate(kept);
                whole - kept
            }
            Self::Servers(list) => list.fit(ServerListForm::V1, most),
            Self::Endpoints(list) => list.fit(ServerListForm::Text, most),
            Self::Error(_) => 0,
        }
    }

    /// The payload as the kernel takes it: for text, the text and a NUL.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self.written() {
            Written::Binary(bytes) => bytes,
            Written::Text(text) => {
                let mut bytes = text.into_bytes();
                bytes.push(0);
                bytes
            }
        }
    }

    fn written(&self) -> Written {
        Written::Text(match self {
            Self::Servers(list) => return Written::Binary(list.encode()),
            Self::Endpoints(list) => list.text(),
            Self::Addresses(addresses) => {
                let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                texts.join(",")
            }
            Self::Error(errno) => format!("#dnserror={}", errno.number()),
        })
    }
}

enum Written {
    Text(String),
    Binary(Vec<u8>),
}

/// As debug mode prints it: `payload TEXT`, or `payload-v1 HEX`.
impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.written() {
            Written::Text(text) => write!(f, "payload {text}"),
            Written::Binary(bytes) => {
                f.write_str("payload-v1 ")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_is_encoded_as_the_dnserror_option() {
        let payload = Payload::Error(Errno::ENODATA);
        assert_eq!(payload.encode(), b"#dnserror=61\0");
        assert_eq!(payload.to_string(), "payload #dnserror=61");
    }

    #[test]
    fn a_server_list_is_shown_as_hexadecimal_or_as_its_endpoints() {
        use crate::server_list::{LookupStatus, RecordSource, Server, ServerList};
        let server = Server {
            name: "a".to_owned(),
            priority: 1,
            weight: 2,
            port: 7003,
            source: RecordSource::Config,
            status: LookupStatus::Good,
            addresses: vec!["192.0.2.1".parse().unwrap()],
        };
        let list =
            ServerList { source: RecordSource::Config, status: LookupStatus::Good, servers: vec![server] };
        assert_eq!(
            Payload::Servers(list.clone()).to_string(),
            "payload-v1 000001010101010001000200\
             5b1b0101010161\
             00c0000201"
        );
        assert_eq!(Payload::Endpoints(list.clone()).to_string(), "payload 192.0.2.1+7003");
        assert_eq!(Payload::Endpoints(list).encode(), b"192.0.2.1+7003\0");
    }

    #[test]
    fn addresses_that_exceed_the_size_of_a_key_are_left_out() {
        let list = |number: u16| {
            Payload::Addresses(
                (0..number)
                    .map(|last| [0x2001, 0xdb8, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000 + last].into())
                    .collect(),
            )
        };
        let mut most = list(1680);
        assert_eq!((most.fit(), &most), (0, &list(1680)));
        let mut more = list(2000);
        assert_eq!(more.fit(), 2000 - 1680);
        assert_eq!(more, most);
        assert_eq!(most.encode().len(), 65_520);
    }

    proptest! {
        #[test]
        fn every_encoded_address_list_parses_back_to_the_same_addresses(addresses in prop::collection::vec(any::<IpAddr>(), 1..100)) {
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
