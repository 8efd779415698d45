//! What the tests share: a machine on which we answer for cells, and the bytes of lists.

use crate::decode::{self, List, number};
use crate::dns::{Builder, Server, Zone};
use crate::support::asking::Seen;
use crate::support::machine::{HELPER, Machine};
use std::net::IpAddr;

/// Where the tests' name server listens.
pub const ADDRESS: &str = "127.53.18.1";
/// The cell of most tests.
pub const CELL: &str = "cell.test";
/// Where its SRV records are.
pub const SRV: &str = "_afs3-vlserver._udp";
/// kafs-client's configuration.
pub const CLIENT_CONF: &str = "/etc/kafs/client.conf";
/// The rule that comes with kafs-client.
pub const KAFS_RULE: &str = "/etc/request-key.d/kafs_dns.conf";
/// What determines the order of addresses; IPv4 comes first in these tests, even on hosts with IPv6.
pub const GAI_CONF: &str = "/etc/gai.conf";
/// OpenAFS's cell database.
pub const CELLSERVDB: &str = "/etc/openafs/CellServDB";

/// The machine with no cell in any database, and with us answering for cells, whatever other rules there are.
pub fn machine() -> Option<Machine> {
    let mut machine = Machine::take()?;
    machine.file(CLIENT_CONF, "[cells]\n");
    machine.file(CELLSERVDB, "");
    machine.file(GAI_CONF, "precedence ::ffff:0:0/96 100\n");
    machine.file(KAFS_RULE, format!("create dns_resolver afsdb:* * {HELPER} %k\n"));
    Some(machine)
}

/// A name server for the machine, with this zone.
pub fn serve(machine: &mut Machine, zone: Zone) -> Server {
    start(machine, Server::builder().zone(zone))
}

/// As [`serve`], for a server that is not only a zone.
pub fn start(machine: &mut Machine, server: Builder) -> Server {
    machine.name_servers(&[ADDRESS]);
    server.at(&format!("{ADDRESS}:53")).start()
}

/// The cell's zone, in which negative answers may be kept for an hour.
pub fn zone() -> Zone {
    Zone::new(CELL).soa(3600, 3600)
}

/// Makes kAFS's request, and reads the list as kAFS does.
#[track_caller]
pub fn ask(machine: &Machine, cell: &str) -> (List, Vec<u8>, Seen) {
    let seen = machine.ask(format!("afsdb:{cell}"), "srv=1");
    let payload = seen.payload.clone().expect("a server list");
    let list = decode::list(&payload).expect("a list that kAFS reads");
    (list, payload, seen)
}

/// Makes kAFS's request, for the error.
#[track_caller]
pub fn error(machine: &Machine, cell: &str, callout: &str) -> String {
    loop {
        let seen = machine.ask(format!("afsdb:{cell}"), callout);
        // A key with a lifetime of one second may be gone before it is read.
        if seen.error() != "Key has expired" {
            return seen.error().to_owned();
        }
    }
}

/// Fails the test, with the first server that differs, where a payload is not this one.
#[track_caller]
pub fn same(payload: &[u8], expected: &[u8], what: &str) {
    if payload != expected {
        let (found, wanted) = (decode::list(payload).unwrap(), decode::list(expected).unwrap());
        let mut servers = found.servers.iter().zip(&wanted.servers);
        let differ = servers.find(|(one, other)| one != other);
        let heads = (found.source, found.status, found.servers.len());
        let expected = (wanted.source, wanted.status, wanted.servers.len());
        panic!("{what}: {heads:?}, expected {expected:?}: {differ:#?}");
    }
}

/// The bytes of a list: source, status and servers.
pub fn list(source: u8, status: u8, servers: &[Vec<u8>]) -> Vec<u8> {
    let number = u8::try_from(servers.len()).unwrap();
    [&[0, 0, 1, source, status, number][..], &servers.concat()].concat()
}

/// The bytes of a server whose addresses were looked up well: name, priority, weight, port, addresses.
pub fn server(name: &str, numbers: [u16; 3], addresses: &[&str]) -> Vec<u8> {
    server_with(name, numbers, [number::FROM_NSS, number::GOOD], addresses)
}

/// As [`server`], with its source and status.
pub fn server_with(name: &str, numbers: [u16; 3], of: [u8; 2], addresses: &[&str]) -> Vec<u8> {
    let mut bytes = u16::try_from(name.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(numbers.map(u16::to_le_bytes).concat());
    bytes.extend([of[0], of[1], number::UDP, u8::try_from(addresses.len()).unwrap()]);
    bytes.extend(name.as_bytes());
    for address in addresses {
        match address.parse().unwrap() {
            IpAddr::V4(ip) => bytes.extend([&[0][..], &ip.octets()].concat()),
            IpAddr::V6(ip) => bytes.extend([&[1][..], &ip.octets()].concat()),
        }
    }
    bytes
}
