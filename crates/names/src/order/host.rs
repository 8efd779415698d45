//! The source addresses of this host: [`HostSources`].

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, socket};

use super::netlink::Netlink;
use super::{Interface, SourceAddresses};

/// What the kernel says at the time of the question, and no earlier.
///
/// The source address for a destination is that of a UDP socket connected to it; no packet is sent. One socket per
/// family serves all destinations one after the other, because a new one costs more than the question. The interface
/// addresses are fetched once, with the first question for one.
#[derive(Debug, Default)]
pub struct HostSources {
    /// Whether the kernel is not asked, and no destination has a source.
    isolated: bool,
    ipv4: OnceCell<Option<UdpSocket>>,
    ipv6: OnceCell<Option<UdpSocket>>,
    netlink: Option<Netlink>,
    interfaces: OnceCell<BTreeMap<IpAddr, Interface>>,
}

impl HostSources {
    /// Opens a socket for questions to the kernel, and asks none yet.
    #[must_use]
    pub fn open() -> Self {
        Self { netlink: Netlink::open(), ..Self::default() }
    }

    /// Those of a host that reaches nothing: the same on every machine.
    #[must_use]
    pub fn isolated() -> Self {
        Self { isolated: true, ..Self::default() }
    }

    /// Whether there is a route to a destination. It is assumed if the kernel is not asked.
    #[must_use]
    pub fn reaches(&self, destination: IpAddr) -> bool {
        // A socket of its own, which need not forget it.
        self.isolated
            || udp_socket(destination).is_some_and(|socket| socket.connect((destination, 0)).is_ok())
    }
}

impl SourceAddresses for HostSources {
    fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        if self.isolated {
            return None;
        }
        let kept = if destination.is_ipv4() { &self.ipv4 } else { &self.ipv6 };
        let socket = kept.get_or_init(|| udp_socket(destination)).as_ref()?;
        let source = socket.connect((destination, 0)).and_then(|()| socket.local_addr());
        disconnect(socket);
        Some(source.ok()?.ip())
    }

    fn interface_of(&self, source: IpAddr) -> Option<Interface> {
        let fetch = || self.netlink.as_ref().and_then(Netlink::addresses).map(known).unwrap_or_default();
        self.interfaces.get_or_init(fetch).get(&source).copied()
    }
}

/// A socket of the family of this address.
fn udp_socket(destination: IpAddr) -> Option<UdpSocket> {
    let family = if destination.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok().map(UdpSocket::from)
}

/// Makes a socket forget its source address, which it would keep for the next destination: connect(2), AF_UNSPEC.
fn disconnect(socket: &UdpSocket) {
    let unspecified = libc::sockaddr_in {
        sin_family: 0,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: 0 },
        sin_zero: [0; 8],
    };
    // A socket that could not be connected has nothing to forget.
    let _ = connect(socket.as_raw_fd(), &SockaddrIn::from(unspecified));
}

/// glibc's view of the interface addresses: if there is no IPv6 address but `::1`, it knows none at all, and so no
/// subnet, which leaves the IPv4 addresses of a name in the order of DNS (`make_request` in
/// sysdeps/unix/sysv/linux/check_pf.c). Hosts without IPv6 depend on that.
fn known(interfaces: BTreeMap<IpAddr, Interface>) -> BTreeMap<IpAddr, Interface> {
    if interfaces.keys().any(|address| address.is_ipv6() && !address.is_loopback()) {
        interfaces
    } else {
        BTreeMap::new()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn loopback_is_reached_from_loopback() {
        if !skip::has_loopback() {
            return;
        }
        let host = HostSources::open();
        assert_eq!(host.source_for(address("127.0.0.1")), Some(address("127.0.0.1")));
        // A machine may be without IPv6.
        assert!(host.source_for(address("::1")).is_none_or(|source| source == address("::1")));
    }

    #[test]
    fn the_source_of_the_previous_destination_is_not_reused() {
        if !skip::has_loopback() {
            return;
        }
        let host = HostSources::open();
        // If this machine has no network, there is nothing to remember.
        host.source_for(address("192.0.2.1"));
        assert_eq!(host.source_for(address("127.0.0.1")), Some(address("127.0.0.1")));
    }

    #[test]
    fn destinations_that_need_a_scope_or_a_privilege_are_unreachable() {
        if !skip::has_loopback() {
            return;
        }
        let host = HostSources::open();
        for destination in ["fe80::1", "255.255.255.255", "ff02::1"] {
            assert_eq!(host.source_for(address(destination)), None, "{destination}");
        }
        assert_eq!(HostSources::isolated().source_for(address("127.0.0.1")), None);
        for (destination, reached) in [("127.0.0.1", true), ("fe80::1", false)] {
            assert_eq!(host.reaches(address(destination)), reached, "{destination}");
            assert!(HostSources::isolated().reaches(address(destination)));
        }
    }

    #[test]
    fn without_an_ipv6_address_no_interface_is_considered() {
        let interface = Interface { prefix_len: 24, deprecated: false };
        let table = |addresses: &[&str]| known(addresses.iter().map(|it| (address(it), interface)).collect());
        assert_eq!(table(&["192.0.2.1", "::1"]), BTreeMap::new());
        assert_eq!(table(&["192.0.2.1", "fe80::1"]).get(&address("192.0.2.1")), Some(&interface));
    }
}
