//! Names that are answered here, whatever a server would say (RFC 6761).

use crate::address::{Address, AddressSet, Families, Origin};
use key::Failure;
use key::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The answer for a name under `localhost` (§6.3) or `invalid` (§6.4); `None` for all others.
///
/// The hosts file takes precedence.
#[must_use]
pub fn lookup(name: &str, families: Families) -> Option<Result<AddressSet, Failure>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("invalid") {
        return Some(Err(Failure::NoSuchName { ttl: None }));
    }
    if !last.eq_ignore_ascii_case("localhost") {
        return None;
    }
    let address = |ip| Address { ip, origin: Origin::Localhost };
    let ipv4 = address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let ipv6 = address(IpAddr::V6(Ipv6Addr::LOCALHOST));
    let addresses = match families {
        Families::Only(Family::Ipv4) => vec![ipv4],
        Families::Only(Family::Ipv6) => vec![ipv6],
        Families::Both => vec![ipv6, ipv4],
    };
    Some(Ok(AddressSet { addresses, ttl: None, incomplete: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_the_loopback_address_of_the_family() {
        for name in ["localhost", "LOCALHOST.", "a.localhost"] {
            let found = lookup(name, Families::Only(Family::Ipv6)).unwrap().unwrap();
            assert_eq!(found.addresses[0].ip, IpAddr::V6(Ipv6Addr::LOCALHOST), "{name}");
        }
        assert_eq!(lookup("localhost", Families::Both).unwrap().unwrap().addresses.len(), 2);
    }

    #[test]
    fn names_under_invalid_do_not_exist_and_other_names_are_not_special() {
        assert_eq!(lookup("x.invalid", Families::Both), Some(Err(Failure::NoSuchName { ttl: None })));
        assert_eq!(lookup("localhost.example", Families::Both), None);
        assert_eq!(lookup("notlocalhost", Families::Both), None);
    }
}
