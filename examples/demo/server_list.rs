//! Server lists, version 1, as kAFS reads them (linux/dns_resolver.h).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The servers of a good list, each with its name and its addresses and ports; `None` for anything else.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<(String, Vec<SocketAddr>)>> {
    let (&[0, 0, 1, _, 1, count], mut rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let servers = (0..count).map(|_| server(&mut rest)).collect::<Option<_>>()?;
    rest.is_empty().then_some(servers)
}

fn server(rest: &mut &[u8]) -> Option<(String, Vec<SocketAddr>)> {
    let length = u16::from_le_bytes(take(rest)?);
    let [_priority, _weight, port] = [take(rest)?, take(rest)?, take(rest)?].map(u16::from_le_bytes);
    let [_source, _status, _protocol, addresses] = take(rest)?;
    let name = rest.split_off(..usize::from(length))?;
    let endpoint = |_| Some(SocketAddr::new(address(rest)?, port));
    let endpoints = (0..addresses).map(endpoint).collect::<Option<_>>()?;
    Some((String::from_utf8_lossy(name).into_owned(), endpoints))
}

fn address(rest: &mut &[u8]) -> Option<IpAddr> {
    match take(rest)? {
        [0] => Some(Ipv4Addr::from(take::<4>(rest)?).into()),
        [1] => Some(Ipv6Addr::from(take::<16>(rest)?).into()),
        _ => None,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}
