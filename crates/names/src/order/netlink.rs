//! The host's interface addresses and link types, asked of rtnetlink(7), as
//! glibc's `getaddrinfo` knows them (`make_request` in
//! `sysdeps/unix/sysv/linux/check_pf.c` and `__check_native` in `check_native.c`).
//!
//! What glibc makes of the answer is kept, odd as it may be:
//!
//! - On a host without any IPv6 address but `::1` it throws away the whole
//!   table, IPv4 addresses included.
//! - The address of a point-to-point interface is its peer's (`IFA_ADDRESS`),
//!   so that its own is not in the table.
//! - Of an address that stands there more than once, that row counts on which
//!   a binary search happens to fall.
//! - Of the flags, only the eight in the message's header are looked at.

use std::cell::Cell;
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recvfrom, sendto, socket,
};

use super::Interface;

// linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h and linux/if_arp.h.
const NLM_F_REQUEST: u16 = 0x001;
const NLM_F_MULTI: u16 = 0x002;
const NLM_F_DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_OPTIMISTIC: u8 = 0x04;
const IFA_F_HOMEADDRESS: u8 = 0x10;
const IFA_F_DEPRECATED: u8 = 0x20;
const ARPHRD_TUNNEL: u16 = 768;
const ARPHRD_TUNNEL6: u16 = 769;
const ARPHRD_SIT: u16 = 776;

/// Length of a message's header, in bytes; messages and attributes start at
/// multiples of four.
const HEADER: usize = 16;

/// The kernel puts no more than this into a piece of a dump (netlink(7)).
const BUFFER: usize = 32 * 1024;

/// The addresses of the host's interfaces, to be searched by address.
#[derive(Debug, Default)]
pub(super) struct AddressTable {
    rows: Vec<(Ipv6Addr, Interface)>,
}

impl AddressTable {
    /// Takes the rows in the order in which the kernel tells them.
    #[must_use]
    pub(super) fn new(told: &[(IpAddr, Interface)]) -> Self {
        let is_own_ipv6 = |address: &IpAddr| address.is_ipv6() && !address.is_loopback();
        if !told.iter().any(|(address, _)| is_own_ipv6(address)) {
            return Self::default();
        }
        let mut rows: Vec<_> = told
            .iter()
            .map(|&(address, interface)| match address {
                IpAddr::V4(v4) => (v4.to_ipv6_mapped(), interface),
                IpAddr::V6(v6) => (v6, interface),
            })
            .collect();
        // Stable as glibc's: the rows of one address stay in kernel's order.
        rows.sort_by_key(|(address, _)| *address);
        Self { rows }
    }

    /// The interface that has an address, IPv4 in mapped form.
    ///
    /// The halving is bsearch(3)'s in glibc, because that of the standard
    /// library may fall on another one of equal rows.
    #[must_use]
    pub(super) fn find(&self, key: Ipv6Addr) -> Option<Interface> {
        let mut rows = self.rows.as_slice();
        while let Some((before, [row, after @ ..])) = rows.split_at_checked(rows.len() / 2) {
            rows = match key.cmp(&row.0) {
                Ordering::Less => before,
                Ordering::Greater => after,
                Ordering::Equal => return Some(row.1),
            };
        }
        None
    }
}

/// A socket for questions to the kernel's routing tables.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: Cell<u32>,
}

impl Netlink {
    /// Opens the socket; `None` if the kernel refuses it.
    ///
    /// It does not block: an answer is there once the question was sent, so
    /// that a lost one must not hang the caller, as it would in glibc.
    #[must_use]
    pub(super) fn open() -> Option<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let protocol = SockProtocol::NetlinkRoute;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol).ok()?;
        let sequence = Cell::new(0);
        Some(Self { socket, sequence })
    }

    /// All interface addresses; an empty table if the kernel does not answer
    /// in full, as in glibc.
    #[must_use]
    pub(super) fn addresses(&self) -> AddressTable {
        let mut told = Vec::new();
        let done = self.ask(RTM_GETADDR, NLM_F_DUMP, &[0; 4], |kind, payload| {
            if kind == RTM_NEWADDR {
                told.extend(interface_address(payload));
            }
        });
        done.map_or_else(AddressTable::default, |()| AddressTable::new(&told))
    }

    /// Whether the interface with an index is no tunnel; `None` if the kernel
    /// does not say.
    ///
    /// glibc has all interfaces listed and picks one; asking for the one
    /// gives the same answer.
    #[must_use]
    pub(super) fn is_native(&self, index: u32) -> Option<bool> {
        let mut question = [0; 16];
        let place = question.get_mut(4..8)?;
        place.copy_from_slice(&index.to_ne_bytes());
        let mut native = None;
        self.ask(RTM_GETLINK, 0, &question, |kind, payload| {
            if let (RTM_NEWLINK, [_, _, low, high, ..]) = (kind, payload) {
                let link_type = u16::from_ne_bytes([*low, *high]);
                let tunnel = matches!(link_type, ARPHRD_TUNNEL | ARPHRD_TUNNEL6 | ARPHRD_SIT);
                native = Some(!tunnel);
            }
        })?;
        native
    }

    /// Asks one question and hands each message of the answer, by type and
    /// payload, to `each`. `None` if the answer is an error or breaks off.
    fn ask(&self, kind: u16, flags: u16, question: &[u8], mut each: impl FnMut(u16, &[u8])) -> Option<()> {
        let sequence = self.sequence.get().wrapping_add(1);
        self.sequence.set(sequence);
        let message = request(kind, flags, sequence, question)?;
        let descriptor = self.socket.as_raw_fd();
        let kernel = NetlinkAddr::new(0, 0);
        sendto(descriptor, &message, &kernel, MsgFlags::empty()).ok()?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let (length, sender) = recvfrom::<NetlinkAddr>(descriptor, &mut buffer).ok()?;
            if sender.is_none_or(|address| address.pid() != 0) {
                continue;
            }
            for message in messages(buffer.get(..length)?) {
                if message.sequence != sequence {
                    continue;
                }
                match message.kind {
                    NLMSG_DONE => return Some(()),
                    NLMSG_ERROR => return None,
                    kind => each(kind, message.payload),
                }
                if message.flags & NLM_F_MULTI == 0 {
                    return Some(());
                }
            }
        }
    }
}

/// One message to the kernel.
fn request(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(HEADER + payload.len()).ok()?;
    let port = 0_u32;
    let mut message = Vec::with_capacity(HEADER + payload.len());
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(port.to_ne_bytes());
    message.extend(payload);
    Some(message)
}

/// One message from the kernel.
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

/// The messages of a datagram, up to the first broken one.
fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *rest.first_chunk::<HEADER>()?;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let payload = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            payload,
        })
    })
}

/// The attributes of a message, as type and value, up to the first broken one.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [l0, l1, k0, k1] = *rest.first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]), value))
    })
}

/// Address and interface of an `RTM_NEWADDR` message, rtnetlink(7); `None`
/// for a family that is not IP.
fn interface_address(payload: &[u8]) -> Option<(IpAddr, Interface)> {
    let (&[family, prefix_len, flags, _, i0, i1, i2, i3], rest) = payload.split_first_chunk()?;
    let value_of = |wanted| attributes(rest).find(|(kind, _)| *kind == wanted);
    let (_, value) = value_of(IFA_ADDRESS).or_else(|| value_of(IFA_LOCAL))?;
    let address = match i32::from(family) {
        nix::libc::AF_INET => IpAddr::from(*value.first_chunk::<4>()?),
        nix::libc::AF_INET6 => IpAddr::from(*value.first_chunk::<16>()?),
        _ => return None,
    };
    let interface = Interface {
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        prefix_len,
        deprecated: flags & (IFA_F_DEPRECATED | IFA_F_OPTIMISTIC) != 0,
        home: flags & IFA_F_HOMEADDRESS != 0,
    };
    Some((address, interface))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interface(index: u32) -> Interface {
        Interface { index, prefix_len: 24, deprecated: false, home: false }
    }

    fn table(told: &[(&str, u32)]) -> AddressTable {
        let told: Vec<_> =
            told.iter().map(|(address, index)| (address.parse().unwrap(), interface(*index))).collect();
        AddressTable::new(&told)
    }

    fn index_of(table: &AddressTable, key: &str) -> Option<u32> {
        table.find(key.parse().unwrap()).map(|it| it.index)
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut attribute = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        attribute.extend(value);
        attribute.resize(attribute.len().next_multiple_of(4), 0);
        attribute
    }

    fn new_address(family: u8, flags: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = vec![family, 24, flags, 0];
        payload.extend(7_u32.to_ne_bytes());
        payload.extend(attributes.concat());
        payload
    }

    #[test]
    fn an_address_is_found_by_its_ipv6_form() {
        let table = table(&[("192.0.2.1", 1), ("2001:db8::1", 2), ("::1", 3)]);
        assert_eq!(index_of(&table, "::ffff:192.0.2.1"), Some(1));
        assert_eq!(index_of(&table, "2001:db8::1"), Some(2));
        assert_eq!(index_of(&table, "::1"), Some(3));
        assert_eq!(index_of(&table, "2001:db8::2"), None);
    }

    #[test]
    fn without_an_ipv6_address_of_its_own_the_host_has_no_table() {
        assert_eq!(index_of(&table(&[("192.0.2.1", 1), ("::1", 2)]), "::1"), None);
        let mapped = table(&[("192.0.2.1", 1), ("::ffff:192.0.2.2", 2)]);
        assert_eq!(index_of(&mapped, "::ffff:192.0.2.1"), Some(1));
    }

    #[test]
    fn of_equal_rows_the_one_in_the_middle_is_found() {
        let twice = table(&[("fe80::1", 1), ("fe80::1", 2)]);
        assert_eq!(index_of(&twice, "fe80::1"), Some(2));
        let thrice = table(&[("fe80::1", 1), ("fe80::1", 2), ("fe80::1", 3)]);
        assert_eq!(index_of(&thrice, "fe80::1"), Some(2));
        let aside = table(&[("fe80::1", 1), ("fe80::1", 2), ("fe80::2", 3), ("fe80::3", 4)]);
        assert_eq!(index_of(&aside, "fe80::1"), Some(2));
    }

    #[test]
    fn the_peers_address_stands_for_ones_own() {
        let attributes = [attribute(IFA_LOCAL, &[10, 0, 0, 1]), attribute(IFA_ADDRESS, &[10, 0, 0, 2])];
        let (address, interface) = interface_address(&new_address(2, 0, &attributes)).unwrap();
        assert_eq!(address, IpAddr::from([10, 0, 0, 2]));
        assert_eq!((interface.index, interface.prefix_len), (7, 24));
        let (address, _) = interface_address(&new_address(2, 0, attributes.get(..1).unwrap())).unwrap();
        assert_eq!(address, IpAddr::from([10, 0, 0, 1]));
    }

    #[test]
    fn optimistic_addresses_count_as_deprecated() {
        for (flags, deprecated, home) in [
            (0x80, false, false),
            (IFA_F_DEPRECATED, true, false),
            (IFA_F_OPTIMISTIC, true, false),
            (IFA_F_HOMEADDRESS, false, true),
        ] {
            let payload = new_address(10, flags, &[attribute(IFA_ADDRESS, &[1; 16])]);
            let (_, interface) = interface_address(&payload).unwrap();
            assert_eq!((interface.deprecated, interface.home), (deprecated, home));
        }
    }

    #[test]
    fn broken_and_foreign_messages_are_skipped() {
        let full = new_address(10, 0, &[attribute(IFA_ADDRESS, &[1; 16])]);
        for length in 0..full.len() {
            assert_eq!(interface_address(full.get(..length).unwrap()), None);
        }
        assert_eq!(interface_address(&new_address(7, 0, &[attribute(1, &[1; 16])])), None);
    }

    #[test]
    fn the_kernel_tells_of_the_loopback_interface() {
        let netlink = Netlink::open().unwrap();
        let _ = netlink.addresses();
        assert_eq!(netlink.is_native(1), Some(true));
        assert_eq!(netlink.is_native(0x7fff_0000), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for message in messages(&bytes) {
                let _ = interface_address(message.payload);
            }
            let _ = interface_address(&bytes);
        }

        #[test]
        fn a_message_reads_back_as_written(payload in prop::collection::vec(any::<u8>(), 0..50)) {
            let mut bytes = request(5, 6, 7, &payload).unwrap();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let twice = bytes.repeat(2);
            let read: Vec<_> = messages(&twice).collect();
            prop_assert_eq!(read.len(), 2);
            for message in read {
                prop_assert_eq!((message.kind, message.flags, message.sequence), (5, 7, 7));
                prop_assert_eq!(message.payload, &payload);
            }
        }
    }
}
