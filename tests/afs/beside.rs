//! The same cells through `kafs-dns` and through us: equal bytes, or a difference that `docs/afs.md` lists.

use crate::decode::{self, List};
use crate::dns::{Record, Server, Zone};
use crate::serving::unasked;
use crate::setup::{CELL, CLIENT_CONF, GAI_CONF, SRV, machine, serve, start, zone};
use crate::support::machine::{HELPER, Machine};
use crate::support::{run, scratch};
use std::fs;
use std::path::Path;

const KAFS_DNS: &str = "/usr/libexec/kafs-dns";

/// The machine, if it has kafs-dns.
fn both() -> Option<Machine> {
    if !Path::new(KAFS_DNS).exists() {
        assert!(std::env::var_os("CI").is_none(), "kafs-client is not installed");
        return None;
    }
    machine()
}

/// What kafs-dns would answer.
fn theirs(cell: &str, callout: &str) -> Vec<u8> {
    let dump = scratch("kafs-dns.payload");
    let _ = fs::remove_file(&dump);
    run(KAFS_DNS, &["-D", "-o", dump.to_str().unwrap(), &format!("afsdb:{cell}"), callout]);
    fs::read(dump).unwrap_or_default()
}

/// What we would answer.
fn ours(cell: &str, callout: &str) -> Vec<u8> {
    let output = run(HELPER, &["-D", &format!("afsdb:{cell}"), callout]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().next().unwrap();
    if let Some(text) = line.strip_prefix("payload ") {
        return [text.as_bytes(), &[0]].concat();
    }
    let hex = line.strip_prefix("payload-v1 ").unwrap();
    let digits: Vec<u8> = hex.bytes().map(|byte| char::from(byte).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The lists of both.
fn lists(cell: &str) -> (List, List) {
    (decode::list(&ours(cell, "srv=1")).unwrap(), decode::list(&theirs(cell, "srv=1")).unwrap())
}

fn addresses(zone: Zone) -> Zone {
    zone.a("a", [10, 0, 0, 1], 60).a("b", [10, 0, 0, 2], 60).a("c", [10, 0, 0, 3], 60).cname("alias", "b", 60)
}

#[test]
fn the_same_records_make_the_same_bytes() {
    let Some(mut machine) = both() else { return };
    for (what, zone) in [
        ("one server", zone().srv(SRV, 0, 0, 7003, "a", 60)),
        (
            "three in order",
            zone().srv(SRV, 0, 9, 7003, "a", 60).srv(SRV, 0, 1, 7003, "b", 60).srv(SRV, 5, 0, 7003, "c", 60),
        ),
        ("an alias", zone().srv(SRV, 0, 0, 7003, "alias", 60)),
        ("one that is gone", zone().srv(SRV, 0, 0, 7003, "a", 60).srv(SRV, 1, 0, 7003, "gone", 60)),
        ("AFSDB", zone().afsdb("@", 1, "a", 60).afsdb("@", 1, "b", 60).afsdb("@", 2, "c", 60)),
        ("compressed AFSDB", zone().record("@", |owner| Record::afsdb(owner, 1, "a.cell.test", 60).packed())),
    ] {
        let _names = serve(&mut machine, addresses(zone));
        assert_eq!(ours(CELL, "srv=1"), theirs(CELL, "srv=1"), "{what}");
    }
}

#[test]
fn difference_we_keep_the_port() {
    let Some(mut machine) = both() else { return };
    let _names = serve(&mut machine, addresses(zone().srv(SRV, 0, 0, 7010, "a", 60)));
    let (mut ours, theirs) = lists(CELL);
    assert_eq!((ours.servers[0].port, theirs.servers[0].port), (7010, 7003));
    ours.servers[0].port = 7003;
    assert_eq!(ours, theirs);
}

#[test]
fn difference_we_sort_by_priority_and_weight() {
    let Some(mut machine) = both() else { return };
    let zone =
        zone().srv(SRV, 5, 1, 7003, "b", 60).srv(SRV, 5, 9, 7003, "c", 60).srv(SRV, 0, 0, 7003, "a", 60);
    let _names = serve(&mut machine, addresses(zone));
    let (ours, mut theirs) = lists(CELL);
    let priorities = |list: &List| list.servers.iter().map(|server| server.priority).collect::<Vec<_>>();
    assert_eq!(priorities(&ours), [0, 5, 5]);
    theirs.servers.sort_by_key(|server| (server.priority, u16::MAX - server.weight));
    assert_eq!(ours, theirs);
}

#[test]
fn difference_a_cell_without_servers_is_an_errno_and_not_an_empty_list() {
    let Some(mut machine) = both() else { return };
    let _names = serve(&mut machine, addresses(zone()));
    assert_eq!(theirs(CELL, "srv=1"), [0, 0, 1, 0, 4, 0]);
    assert_eq!(ours(CELL, "srv=1"), b"#dnserror=61\0");
}

#[test]
fn difference_servers_without_any_address_are_an_errno() {
    let Some(mut machine) = both() else { return };
    let _names = serve(&mut machine, addresses(zone().srv(SRV, 0, 0, 7003, "gone", 60)));
    let theirs = decode::list(&theirs(CELL, "srv=1")).unwrap();
    assert_eq!((theirs.status, theirs.servers[0].addresses.len()), (1, 0));
    assert_eq!(ours(CELL, "srv=1"), b"#dnserror=61\0");
}

#[test]
fn difference_servers_of_a_database_are_good_with_port_and_protocol() {
    let Some(mut machine) = both() else { return };
    let _names = serve(&mut machine, addresses(zone()));
    let servers = format!("servers = {{\nx.{CELL} = {{\naddress = 10.0.0.8\naddress = 2001:db8::8\n}}\n}}\n");
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n{servers}}}\n"));
    let (ours, mut theirs) = lists(CELL);
    let server = &mut theirs.servers[0];
    assert_eq!((theirs.source, theirs.status), (1, 0));
    assert_eq!((server.source, server.status, server.port, server.protocol), (5, 4, 0, 0));
    (server.source, server.status, server.port, server.protocol) = (1, 1, 7003, 1);
    theirs.status = 1;
    assert_eq!(ours, theirs);
}

#[test]
fn difference_addresses_of_a_database_are_not_looked_up_again() {
    let Some(mut machine) = both() else { return };
    let names = serve(&mut machine, addresses(zone()));
    let servers = format!("servers = {{\na.{CELL} = {{\naddress = 10.0.0.8\n}}\n}}\n");
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n{servers}}}\n"));
    let ours = decode::list(&ours(CELL, "srv=1")).unwrap();
    assert_eq!(ours.servers[0].addresses, ["10.0.0.8".parse::<std::net::IpAddr>().unwrap()]);
    unasked(&names);
    let theirs = decode::list(&theirs(CELL, "srv=1")).unwrap();
    assert_eq!(theirs.servers[0].addresses, ["10.0.0.1".parse::<std::net::IpAddr>().unwrap()]);
    assert!(!names.queries().is_empty());
}

#[test]
fn difference_an_address_with_a_port_in_a_database_is_used() {
    let Some(mut machine) = both() else { return };
    let servers = "servers = {\nx = {\naddress = 10.0.0.8:7010\n}\ny = {\naddress = 10.0.0.9\n}\n}\n";
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n{servers}}}\n"));
    let (ours, theirs) = lists(CELL);
    assert_eq!((ours.servers[0].port, ours.servers[0].addresses.len()), (7010, 1));
    assert_eq!((theirs.servers[0].port, theirs.servers[0].addresses.len()), (0, 0));
}

#[test]
fn difference_a_protection_server_is_not_a_volume_location_server() {
    let Some(mut machine) = both() else { return };
    let servers =
        "servers = {\nx = {\naddress = 10.0.0.8\n}\np = {\ntype = ptserver\naddress = 10.0.0.9\n}\n}\n";
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n{servers}}}\n"));
    let (ours, theirs) = lists(CELL);
    assert_eq!((ours.servers.len(), theirs.servers.len()), (1, 2));
}

#[test]
fn difference_a_text_answer_has_ports() {
    let Some(mut machine) = both() else { return };
    let _names = serve(&mut machine, addresses(zone().srv(SRV, 0, 0, 7003, "a", 60)));
    assert_eq!((ours(CELL, ""), theirs(CELL, "")), (b"10.0.0.1+7003\0".to_vec(), b"[10.0.0.1]\0".to_vec()));
}

#[test]
fn difference_options_may_be_separated_by_commas() {
    let Some(mut machine) = both() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "a", 60).aaaa("a", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 60);
    let _names = serve(&mut machine, addresses(zone));
    for callout in ["srv=1 ipv6", "ipv4 srv=1", "srv=2"] {
        assert_eq!(ours(CELL, callout), theirs(CELL, callout), "{callout}");
    }
    assert_eq!(ours(CELL, "srv=1,ipv6"), ours(CELL, "srv=1 ipv6"));
    assert_eq!(theirs(CELL, "srv=1,ipv6"), b"", "it fails");
}

#[test]
fn difference_a_large_answer_is_complete() {
    let Some(mut machine) = both() else { return };
    let mut zone = zone();
    for n in 0..40_u8 {
        let name = format!("server{n:02}");
        zone = zone.srv(SRV, n.into(), 0, 7003, &name, 60).a(&name, [10, 1, 0, n], 60);
    }
    let _names = start(&mut machine, Server::builder().zone(zone));
    assert_eq!(decode::list(&ours(CELL, "srv=1")).unwrap().servers.len(), 40);
    let theirs = decode::list(&theirs(CELL, "srv=1"));
    assert!(theirs.is_ok_and(|list| list.servers.len() < 40));
}

#[test]
fn the_addresses_of_a_server_are_in_the_same_order() {
    let Some(mut machine) = both() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "x", 60).a("x", [127, 0, 0, 1], 60).a("x", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone.aaaa("x", std::net::Ipv6Addr::LOCALHOST, 60));
    for gai_conf in ["", "precedence ::ffff:0:0/96 100\n"] {
        machine.file(GAI_CONF, gai_conf);
        assert_eq!(ours(CELL, "srv=1"), theirs(CELL, "srv=1"));
    }
}
