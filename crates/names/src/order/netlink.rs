//! The addresses of this host's interfaces, from the kernel through rtnetlink(7).
//!
//! getifaddrs(3) returns no flags of addresses, and opens a socket of its own, which a confined process can't. Crates
//! for netlink know all its messages, and are many times as long as the parser here.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc::{AF_INET, AF_INET6};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, recvfrom, send, socket,
};

use super::Interface;

// linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const IFA_ADDRESS: u16 = 1;
const IFA_F_OPTIMISTIC: u8 = 0x04;
const IFA_F_DEPRECATED: u8 = 0x20;

/// The length of a message's header, in bytes.
const HEADER: usize = 16;
/// The kernel puts no more than this into one datagram of a dump.
const BUFFER: usize = 32 * 1024;

/// A socket for one request to the kernel.
#[derive(Debug)]
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// Opens the socket; `None` if the kernel refuses it.
    ///
    /// It does not block: the answer is there as soon as the request is sent.
    pub(super) fn open() -> Option<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute).ok().map(Self)
    }

    /// The interface addresses of all interfaces; `None` if the kernel does not answer completely.
    pub(super) fn addresses(&self) -> Option<BTreeMap<IpAddr, Interface>> {
        let descriptor = self.0.as_raw_fd();
        // A confined process can only send on a connected socket.
        connect(descriptor, &NetlinkAddr::new(0, 0)).ok()?;
        send(descriptor, &question(), MsgFlags::empty()).ok()?;
        let mut addresses = BTreeMap::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let (length, sender) = recvfrom::<NetlinkAddr>(descriptor, &mut buffer).ok()?;
            if sender.is_none_or(|address| address.pid() != 0) {
                continue;
            }
            for (kind, payload) in messages(buffer.get(..length)?) {
                match kind {
                    NLMSG_DONE => return Some(addresses),
                    NLMSG_ERROR => return None,
                    RTM_NEWADDR => addresses.extend(interface_address(payload)),
                    _ => {}
                }
            }
        }
    }
}

/// RTM_GETADDR for all families: a `struct nlmsghdr` and a `struct rtgenmsg`, padded.
fn question() -> [u8; HEADER + 4] {
    let [l0, l1, l2, l3] = 20_u32.to_ne_bytes();
    let [k0, k1] = RTM_GETADDR.to_ne_bytes();
    let [f0, f1] = NLM_F_REQUEST_DUMP.to_ne_bytes();
    [l0, l1, l2, l3, k0, k1, f0, f1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The messages of a datagram, as type and payload, up to the first broken one.
fn messages(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [l0, l1, l2, l3, k0, k1, ..] = *rest.first_chunk::<HEADER>()?;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let payload = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]), payload))
    })
}

/// The attributes of a message, as type and value, up to the first broken one.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [l0, l1, k0, k1] = *rest.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]), value))
    })
}

/// The content of an RTM_NEWADDR message; `None` for a family that is not IP.
///
/// On a point-to-point interface IFA_ADDRESS is the peer's address, which glibc uses as well.
fn interface_address(payload: &[u8]) -> Option<(IpAddr, Interface)> {
    let (&[family, prefix_len, flags, ..], rest) = payload.split_first_chunk::<8>()?;
    let (_, value) = attributes(rest).find(|(kind, _)| *kind == IFA_ADDRESS)?;
    let address = match i32::from(family) {
        AF_INET => IpAddr::from(*value.first_chunk::<4>()?),
        AF_INET6 => IpAddr::from(*value.first_chunk::<16>()?),
        _ => return None,
    };
    let deprecated = flags & (IFA_F_DEPRECATED | IFA_F_OPTIMISTIC) != 0;
    Some((address, Interface { prefix_len, deprecated }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    /// The payload of an RTM_NEWADDR message.
    fn new_address(family: u8, flags: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut payload = vec![family, 24, flags, 0, 7, 0, 0, 0];
        for (kind, value) in attributes {
            payload.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            payload.extend(kind.to_ne_bytes());
            payload.extend(*value);
            payload.resize(payload.len().next_multiple_of(4), 0);
        }
        payload
    }

    #[test]
    fn an_address_is_read_with_its_prefix_and_flags() {
        let label: (u16, &[u8]) = (3, b"lo\0");
        for (flags, deprecated) in [(0x80, false), (IFA_F_DEPRECATED, true), (IFA_F_OPTIMISTIC, true)] {
            let v4 = interface_address(&new_address(2, flags, &[label, (IFA_ADDRESS, &[10, 0, 0, 2])]));
            assert_eq!(v4, Some(([10, 0, 0, 2].into(), Interface { prefix_len: 24, deprecated })));
            let v6 = interface_address(&new_address(10, flags, &[(IFA_ADDRESS, &[1; 16])]));
            assert_eq!(v6, Some(([1; 16].into(), Interface { prefix_len: 24, deprecated })));
        }
    }

    #[test]
    fn broken_and_foreign_messages_are_skipped() {
        let full = new_address(10, 0, &[(IFA_ADDRESS, &[1; 16])]);
        for length in 0..full.len() {
            assert_eq!(interface_address(full.get(..length).unwrap()), None);
        }
        assert_eq!(interface_address(&new_address(7, 0, &[(IFA_ADDRESS, &[1; 16])])), None);
    }

    #[test]
    fn the_messages_of_a_datagram_are_read_up_to_a_broken_one() {
        let message = question();
        let datagram = [&message[..], &message, message.get(..19).unwrap()].concat();
        let read: Vec<_> = messages(&datagram).collect();
        assert_eq!(read, [(RTM_GETADDR, &[0; 4][..]), (RTM_GETADDR, &[0; 4])]);
    }

    #[test]
    fn the_kernel_reports_the_loopback_address() {
        let addresses = Netlink::open().unwrap().addresses().unwrap();
        // A new network namespace has no address yet.
        let loopback = addresses.get(&IpAddr::from(Ipv4Addr::LOCALHOST));
        assert!(loopback.is_none_or(|it| *it == Interface { prefix_len: 8, deprecated: false }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for (_, payload) in messages(&bytes) {
                let _ = interface_address(payload);
            }
            let _ = interface_address(&bytes);
        }
    }
}
