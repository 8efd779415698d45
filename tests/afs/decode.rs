//! A decoder of server lists, written from the kernel's description of the format alone (Linux 6.12,
//! include/uapi/linux/dns_resolver.h, and what fs/afs/vl_list.c refuses), and sharing nothing with the
//! encoder.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A server list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub source: u8,
    pub status: u8,
    pub servers: Vec<Server>,
}

/// One server of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub source: u8,
    pub status: u8,
    pub protocol: u8,
    pub addresses: Vec<IpAddr>,
}

/// Numbers of the header, under its names.
pub mod number {
    pub const FROM_CONFIG: u8 = 1;
    pub const FROM_DNS_AFSDB: u8 = 3;
    pub const FROM_DNS_SRV: u8 = 4;
    pub const FROM_NSS: u8 = 5;
    pub const NOT_DONE: u8 = 0;
    pub const GOOD: u8 = 1;
    pub const GOOD_WITH_BAD: u8 = 2;
    pub const NOT_FOUND: u8 = 4;
    pub const TEMP_FAILURE: u8 = 6;
    pub const NS_FAILURE: u8 = 7;
    pub const UDP: u8 = 1;
}

/// Reads a list as kAFS does; what it would refuse or read otherwise than it is meant is an error.
pub fn list(payload: &[u8]) -> Result<List, String> {
    let mut rest = payload;
    let [zero, content, version, source, status, number] = take(&mut rest)?;
    if (zero, content, version) != (0, 0, 1) {
        return Err(format!("not a server list of version 1: {zero} {content} {version}"));
    }
    if source > 5 || status > 7 {
        return Err(format!("source {source} or status {status} is unknown"));
    }
    let servers = (0..number).map(|_| server(&mut rest)).collect::<Result<_, _>>()?;
    if !rest.is_empty() {
        return Err(format!("{} bytes after the last server", rest.len()));
    }
    Ok(List { source, status, servers })
}

fn server(rest: &mut &[u8]) -> Result<Server, String> {
    let mut number = || take::<2>(rest).map(u16::from_le_bytes);
    let (length, priority, weight, port) = (number()?, number()?, number()?, number()?);
    let [source, status, protocol, count] = take(rest)?;
    if protocol > 1 {
        return Err(format!("protocol {protocol} is not UDP"));
    }
    if source > 5 || status > 7 {
        return Err(format!("source {source} or status {status} is unknown"));
    }
    let Some((name, after)) = rest.split_at_checked(length.into()).filter(|_| length <= 255) else {
        return Err(format!("a name of {length} bytes in {}", rest.len()));
    };
    *rest = after;
    let name = String::from_utf8(name.to_vec()).map_err(|error| error.to_string())?;
    if name.contains('\0') {
        return Err("a name with a NUL".to_owned());
    }
    let addresses = (0..count).map(|_| address(rest)).collect::<Result<_, _>>()?;
    Ok(Server { name, priority, weight, port, source, status, protocol, addresses })
}

fn address(rest: &mut &[u8]) -> Result<IpAddr, String> {
    match take(rest)? {
        [0] => Ok(Ipv4Addr::from(take::<4>(rest)?).into()),
        [1] => Ok(Ipv6Addr::from(take::<16>(rest)?).into()),
        [other] => Err(format!("address kind {other}")),
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let Some((taken, after)) = rest.split_first_chunk() else {
        return Err(format!("{} bytes where {N} should be", rest.len()));
    };
    *rest = after;
    Ok(*taken)
}
