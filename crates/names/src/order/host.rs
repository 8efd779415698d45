//! The source addresses of this host: [`HostSources`].

use std::cell::{OnceCell, RefCell};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, connect, getsockname, socket,
};

use super::netlink::{AddressTable, Netlink};
use super::{Interface, Source, SourceAddresses};

/// What the kernel says, asked at the time of the question and no earlier.
///
/// The source address for a destination is that of a UDP socket connected to
/// it; no packet is sent. As in glibc's `getaddrinfo`, one socket serves all
/// destinations one after the other, an IPv6 socket also IPv4 ones. The
/// interface addresses are fetched with the first question for one.
///
/// Meant for one lookup: what it learnt of interfaces it does not ask again.
#[derive(Debug, Default)]
pub struct HostSources {
    /// Whether the kernel is not asked, and no destination has a source.
    isolated: bool,
    probe: RefCell<Option<Probe>>,
    netlink: Option<Netlink>,
    addresses: OnceCell<AddressTable>,
    native: RefCell<Vec<(u32, bool)>>,
}

impl HostSources {
    /// Opens a socket for questions to the kernel, and asks none.
    #[must_use]
    pub fn open() -> Self {
        let netlink = Netlink::open();
        Self { netlink, ..Self::default() }
    }

    /// Those of a host that reaches nobody: the same on every machine.
    #[must_use]
    pub fn isolated() -> Self {
        Self { isolated: true, ..Self::default() }
    }
}

impl SourceAddresses for HostSources {
    fn source_for(&self, destination: IpAddr) -> Option<Source> {
        if self.isolated {
            return None;
        }
        // After try_connect and its caller in glibc's getaddrinfo.c.
        let probe = match self.probe.take() {
            Some(used) if used.can_reach(destination) => {
                used.disconnect();
                used
            }
            _ => Probe::open(Family::of(destination))?,
        };
        match probe.source_for(destination) {
            // An IPv6 socket need not do for IPv4: sysctl net.ipv6.bindv6only.
            Err(Errno::EAFNOSUPPORT) if probe.family != Family::of(destination) => {
                drop(probe);
                let probe = Probe::open(Family::of(destination))?;
                let source = probe.source_for(destination);
                self.probe.replace(Some(probe));
                source.ok().flatten()
            }
            source => {
                self.probe.replace(Some(probe));
                source.ok().flatten()
            }
        }
    }

    fn interface_of(&self, source: &Source) -> Option<Interface> {
        let fetch = || self.netlink.as_ref().map(Netlink::addresses).unwrap_or_default();
        self.addresses.get_or_init(fetch).find(source.key)
    }

    fn is_native(&self, index: u32) -> bool {
        let mut known = self.native.take();
        let found = known.iter().find(|(known, _)| *known == index);
        let native = if let Some((_, native)) = found {
            *native
        } else {
            let told = self.netlink.as_ref().and_then(|it| it.is_native(index));
            let native = told.unwrap_or(false);
            known.push((index, native));
            native
        };
        self.native.replace(known);
        native
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn of(address: IpAddr) -> Self {
        if address.is_ipv6() { Self::V6 } else { Self::V4 }
    }
}

/// A UDP socket.
#[derive(Debug)]
struct Probe {
    family: Family,
    socket: OwnedFd,
}

impl Probe {
    fn open(family: Family) -> Option<Self> {
        let domain = match family {
            Family::V4 => AddressFamily::Inet,
            Family::V6 => AddressFamily::Inet6,
        };
        let socket = socket(domain, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok()?;
        Some(Self { family, socket })
    }

    fn can_reach(&self, destination: IpAddr) -> bool {
        self.family == Family::V6 || destination.is_ipv4()
    }

    /// Makes the socket forget the source address it has, connect(2).
    ///
    /// As in glibc it does not matter if that fails.
    fn disconnect(&self) {
        let unspecified = libc::sockaddr_in {
            sin_family: libc::sa_family_t::try_from(libc::AF_UNSPEC).unwrap_or_default(),
            sin_port: 0,
            sin_addr: libc::in_addr { s_addr: 0 },
            sin_zero: [0; 8],
        };
        let _ = connect(self.socket.as_raw_fd(), &SockaddrIn::from(unspecified));
    }

    fn source_for(&self, destination: IpAddr) -> nix::Result<Option<Source>> {
        let descriptor = self.socket.as_raw_fd();
        match destination {
            IpAddr::V4(v4) => {
                connect(descriptor, &SockaddrIn::from(SocketAddrV4::new(v4, 0)))?;
            }
            IpAddr::V6(v6) => {
                let socket = SocketAddrV6::new(v6, 0, 0, 0);
                connect(descriptor, &SockaddrIn6::from(socket))?;
            }
        }
        Ok(match self.family {
            Family::V4 => {
                let own = getsockname::<SockaddrIn>(descriptor)?.ip();
                Some(Source { address: own.into(), key: interface_address(own).to_ipv6_mapped() })
            }
            Family::V6 => {
                let own = getsockname::<SockaddrIn6>(descriptor)?.ip();
                let address = match destination {
                    IpAddr::V4(_) => own.to_ipv4_mapped().map(IpAddr::V4),
                    IpAddr::V6(_) => Some(own.into()),
                };
                address.map(|address| Source { address, key: own })
            }
        })
    }
}

/// The address by which glibc looks for the interface of an IPv4 source: all
/// of `127.0.0.0/8` belongs to the one that has `127.0.0.1`. It does so on
/// IPv4 sockets only.
fn interface_address(source: Ipv4Addr) -> Ipv4Addr {
    if source.is_loopback() { Ipv4Addr::LOCALHOST } else { source }
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
        let host = HostSources::open();
        let source = host.source_for(address("127.0.0.1")).unwrap();
        assert_eq!(source.address, address("127.0.0.1"));
        assert_eq!(source.key, Ipv4Addr::LOCALHOST.to_ipv6_mapped());
    }

    #[test]
    fn what_takes_a_zone_or_a_right_is_unreachable() {
        let host = HostSources::open();
        assert_eq!(host.source_for(address("fe80::1")), None);
        assert_eq!(host.source_for(address("255.255.255.255")), None);
        assert_eq!(host.source_for(address("ff02::1")), None);
    }

    #[test]
    fn one_socket_serves_ipv4_after_ipv6_and_back() {
        let host = HostSources::open();
        let loopback = [address("::1"), address("127.0.0.1"), address("127.0.0.1")];
        let reachable: Vec<_> = loopback.iter().map(|to| host.source_for(*to)).collect();
        // A machine may be without IPv6.
        for (to, source) in loopback.iter().zip(&reachable).skip(1) {
            assert_eq!(source.map(|it| it.address), Some(*to));
        }
        assert_eq!(host.source_for(address("::1")), reachable.first().copied().flatten());
    }

    #[test]
    fn any_address_in_127_belongs_to_the_loopback_interface() {
        let other = Ipv4Addr::new(127, 9, 9, 9);
        assert_eq!(interface_address(other), Ipv4Addr::LOCALHOST);
        assert_eq!(interface_address(Ipv4Addr::new(10, 0, 0, 1)), Ipv4Addr::new(10, 0, 0, 1));
    }

    #[test]
    fn the_loopback_interface_is_native_and_an_unknown_one_is_not() {
        let host = HostSources::open();
        for _ in 0..2 {
            assert!(host.is_native(1));
            assert!(!host.is_native(0x7fff_0000));
        }
    }
}
