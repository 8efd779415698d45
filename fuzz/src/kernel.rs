//! How the kernel reads a payload: a strict implementation of docs/kernel-contract.md.

#[path = "../../tests/afs/decode.rs"]
#[allow(dead_code, unreachable_pub, clippy::pedantic)] // it is also the tests'
pub(crate) mod decode;

use std::net::IpAddr;

/// What is in the key then.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Addresses, with a port each, or none with any.
    Addresses(Vec<(IpAddr, Option<u16>)>),
    /// Reading the key fails with this errno.
    Error(u16),
    /// The servers of a cell.
    Servers(decode::List),
}

/// The most that the 16-bit length of a key can say.
const LONGEST: usize = 0xffff;

/// Reads a payload, and panics if a kernel or a file system would not accept it as intended.
pub(crate) fn instantiate(payload: &[u8]) -> Key {
    assert!(payload.len() <= LONGEST, "{} bytes are cut without an error", payload.len());
    if payload.first() == Some(&0) {
        return Key::Servers(decode::list(payload).expect("kAFS can read it"));
    }
    let (nul, text) = payload.split_last().expect("not empty");
    assert!(*nul == 0 && !text.is_empty() && !text.contains(&0), "{payload:?}");
    let text = std::str::from_utf8(text).expect("text");
    if let Some(options) = text.strip_prefix('#') {
        let number = options.strip_prefix("dnserror=").expect("the only option");
        let number = number.parse().expect("a number");
        assert!((1..=511).contains(&number), "{number}");
        return Key::Error(number);
    }
    Key::Addresses(text.split(',').map(endpoint).collect())
}

fn endpoint(text: &str) -> (IpAddr, Option<u16>) {
    match text.split_once('+') {
        None => (text.parse().expect("an address"), None),
        Some((address, port)) => {
            let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let address: IpAddr = bare.unwrap_or(address).parse().expect("an address");
            assert_eq!(address.is_ipv6(), bare.is_some());
            (address, Some(port.parse().expect("a port")))
        }
    }
}
