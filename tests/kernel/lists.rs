//! Names with many addresses.

use crate::dns::{Transport, Zone};
use crate::serving::{ADDRESS, hosts, queries, serve};
use crate::support::machine::Machine;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn v4(number: u16) -> Ipv4Addr {
    let [high, low] = number.to_be_bytes();
    [10, 1, high, low].into()
}

fn v6(number: u16) -> Ipv6Addr {
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, number].into()
}

fn zone(ipv4: u16, ipv6: u16) -> Zone {
    let zone = (0..ipv4).fold(hosts(), |zone, number| zone.a("many", v4(number), 30));
    (0..ipv6).fold(zone, |zone, number| zone.aaaa("many", v6(number), 30))
}

#[track_caller]
fn is_all(text: &str, ipv4: u16, ipv6: u16) {
    let parts: Vec<IpAddr> = text.split(',').map(|part| part.parse().unwrap()).collect();
    let addresses: BTreeSet<IpAddr> = parts.iter().copied().collect();
    let expected = (0..ipv4).map(|number| v4(number).into()).chain((0..ipv6).map(|number| v6(number).into()));
    assert_eq!(addresses, expected.collect());
    assert_eq!(parts.len(), addresses.len(), "each once");
}

#[test]
fn a_list_of_sixty_addresses_is_whole() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, zone(60, 0));
    let seen = machine.ask("many.example.test", "list");
    is_all(&seen.text(), 60, 0);
    seen.lasts(30);
    assert!(machine.ask("many.example.test", "").text().parse::<Ipv4Addr>().is_ok());
}

#[test]
fn a_list_of_two_hundred_addresses_in_two_families_is_whole() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, zone(120, 80));
    is_all(&machine.ask("many.example.test", "list").text(), 120, 80);
    is_all(&machine.ask("many.example.test", "ipv6 list").text(), 0, 80);
    assert!(queries(&server).iter().any(|query| query.transport == Transport::Tcp));
}

#[test]
fn a_list_from_a_message_of_maximum_size_is_complete() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:5 attempts:1\n"));
    let _server = crate::serving::server(ADDRESS).zone(zone(4000, 0)).start();
    is_all(&machine.ask("many.example.test", "ipv4 list").text(), 4000, 0);
}

#[test]
fn an_address_that_comes_twice_is_listed_once() {
    let Some(mut machine) = Machine::take() else { return };
    let twice = zone(3, 2).a("many", v4(1), 30).aaaa("many", v6(0), 30).a("many", v4(0), 30);
    let _server = serve(&mut machine, twice);
    is_all(&machine.ask("many.example.test", "list").text(), 3, 2);
}

#[test]
fn the_addresses_of_one_family_keep_the_order_of_the_server() {
    let Some(mut machine) = Machine::take() else { return };
    let order = [7, 3, 9, 1, 4];
    let _server =
        serve(&mut machine, order.iter().fold(hosts(), |zone, &number| zone.a("many", v4(number), 30)));
    let expected: Vec<String> = order.iter().map(|&number| v4(number).to_string()).collect();
    assert_eq!(machine.ask("many.example.test", "ipv4 list").text(), expected.join(","));
    assert_eq!(machine.ask("many.example.test", "").text(), expected[0]);
}

#[test]
fn a_list_longer_than_a_key_is_cut_after_a_complete_address() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:5 attempts:1\n"));
    let long = |number: u16| {
        let [high, low] = number.to_be_bytes();
        Ipv6Addr::from([
            0x2001,
            0xdb8,
            0xaaaa,
            0xaaaa,
            0xaaaa,
            0xaaaa,
            0xaaaa,
            u16::from_be_bytes([high | 0xa0, low]),
        ])
    };
    let zone = (0..2000).fold(hosts(), |zone, number| zone.aaaa("many", long(number), 30));
    let _server = crate::serving::server(ADDRESS).zone(zone).start();
    let syslog = machine.syslog();
    let text = machine.ask("many.example.test", "ipv6 list").text();
    let expected: BTreeSet<Ipv6Addr> = (0..2000).map(long).collect();
    let parts: BTreeSet<Ipv6Addr> = text.split(',').map(|part| part.parse().unwrap()).collect();
    assert!(parts.is_subset(&expected));
    // Each takes 38 bytes and a comma.
    assert_eq!(parts.len(), 65_535 / 39);
    let message = syslog.next();
    assert!(
        message.contains("many.example.test: ") && message.contains("its last 320 addresses are left out"),
        "{message}"
    );
}
