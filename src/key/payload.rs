//! The bytes that instantiate a key.

use super::server_list::ServerList;
use crate::errno::Errno;
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
    /// The addresses and ports of a cell's servers as text, for whom asks without `srv=`.
    Endpoints(ServerList),
    /// No data; reading the key fails with this errno, and `dns_query()` returns it.
    Error(Errno),
}

impl Payload {
    /// The payload as the kernel takes it: for text, the text and a NUL.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self.form() {
            Form::Binary(bytes) => bytes,
            Form::Text(text) => {
                let mut bytes = text.into_bytes();
                bytes.push(0);
                bytes
            }
        }
    }

    fn form(&self) -> Form {
        Form::Text(match self {
            Self::Servers(list) => return Form::Binary(list.encode()),
            Self::Endpoints(list) => list.text(),
            Self::Addresses(addresses) => {
                let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                texts.join(",")
            }
            Self::Error(errno) => format!("#dnserror={}", errno.number()),
        })
    }
}

enum Form {
    Text(String),
    Binary(Vec<u8>),
}

/// As debug mode prints it: `payload TEXT`, or `payload-v1 HEX`.
impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form() {
            Form::Text(text) => write!(f, "payload {text}"),
            Form::Binary(bytes) => {
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
    fn an_error_is_the_option_that_the_kernel_knows() {
        let payload = Payload::Error(Errno::ENODATA);
        assert_eq!(payload.encode(), b"#dnserror=61\0");
        assert_eq!(payload.to_string(), "payload #dnserror=61");
    }

    #[test]
    fn a_server_list_is_shown_in_hexadecimal_and_as_text_by_its_endpoints() {
        use crate::key::server_list::{Server, ServerList, Source, Status};
        let server = Server {
            name: "a".to_owned(),
            priority: 1,
            weight: 2,
            port: 7003,
            source: Source::Config,
            status: Status::Good,
            addresses: vec!["192.0.2.1".parse().unwrap()],
        };
        let list = ServerList { source: Source::Config, status: Status::Good, servers: vec![server] };
        assert_eq!(
            Payload::Servers(list.clone()).to_string(),
            "payload-v1 000001010101010001000200\
             5b1b0101010161\
             00c0000201"
        );
        assert_eq!(Payload::Endpoints(list.clone()).to_string(), "payload 192.0.2.1+7003");
        assert_eq!(Payload::Endpoints(list).encode(), b"192.0.2.1+7003\0");
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
