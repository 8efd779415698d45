//! SRV and AFSDB records: their order, and what becomes of them.

use crate::decode::number::{FROM_DNS_AFSDB, FROM_DNS_SRV, FROM_NSS, GOOD, NOT_FOUND};
use crate::dns::{Record, Server, Transport, Zone, qtype};
use crate::serving::queries;
use crate::setup::{CELL, SRV, ask, list, machine, same, serve, server, server_with, start, zone};

const V6: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];

#[test]
fn an_srv_record_becomes_a_server_with_port_and_addresses_of_both_families() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 3, 40, 7010, "db1", 50).a("db1", [10, 0, 0, 1], 40).aaaa("db1", V6, 30);
    let _names = serve(&mut machine, zone);
    let (_, payload, seen) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [3, 40, 7010], &["10.0.0.1", "2001:db8::1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[db1]));
    seen.lasts(30);
}

#[test]
fn afsdb_records_are_used_if_there_is_no_srv_record() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().soa(45, 45).afsdb("@", 1, "db2", 300).afsdb("@", 1, "db1", 300);
    let zone = zone.a("db1", [10, 0, 0, 1], 300).a("db2", [10, 0, 0, 2], 300);
    let _names = serve(&mut machine, zone);
    let (_, payload, seen) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
    let db2 = server("db2.cell.test", [0, 0, 7003], &["10.0.0.2"]);
    assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD, &[db1, db2]));
    seen.lasts(45);
}

/// A zone with this many servers, each with both families, and the bytes of their list.
fn many(number: u16) -> (Zone, Vec<u8>) {
    let mut zone = zone();
    let mut servers = Vec::new();
    for n in 0..number {
        let name = format!("db{n:03}");
        let [high, low] = n.to_be_bytes();
        let v6 = [0x2001, 0xdb8, 0, 0, 0, 0, 0, n + 1];
        zone = zone.srv(SRV, 0, 0, 7003, &name, 60).a(&name, [10, 1, high, low], 60).aaaa(&name, v6, 60);
        let addresses = [format!("10.1.{high}.{low}"), format!("2001:db8::{:x}", n + 1)];
        servers.push(server(
            &format!("{name}.{CELL}"),
            [0, 0, 7003],
            &addresses.each_ref().map(String::as_str),
        ));
    }
    (zone, list(FROM_DNS_SRV, GOOD, &servers))
}

#[test]
fn lists_of_20_and_255_servers_are_complete_over_edns_and_tcp() {
    let Some(mut machine) = machine() else { return };
    for (number, transport) in [(1, Transport::Udp), (20, Transport::Udp), (255, Transport::Tcp)] {
        let (zone, expected) = many(number);
        let names = serve(&mut machine, zone);
        let (_, payload, _) = ask(&machine, CELL);
        same(&payload, &expected, "many servers");
        let srv: Vec<_> = names.queries().into_iter().filter(|query| query.qtype == qtype::SRV).collect();
        assert!(srv.iter().any(|query| query.transport == transport) && srv[0].edns == Some(1232));
    }
}

#[test]
fn servers_beyond_the_limit_of_the_format_are_left_out_from_the_end() {
    let Some(mut machine) = machine() else { return };
    let mut zone = zone();
    for n in 0..300_u16 {
        // The first names come last by priority.
        zone = zone.srv(SRV, 300 - n, 0, 7003, &format!("db{n:03}"), 60);
        zone = zone.a(&format!("db{n:03}"), [10, 1, n.to_be_bytes()[0], n.to_be_bytes()[1]], 60);
    }
    let _names = serve(&mut machine, zone);
    let (list, ..) = ask(&machine, CELL);
    assert_eq!(list.servers.len(), 255);
    assert_eq!(list.servers[0].name, "db299.cell.test");
    assert_eq!(list.servers[254].name, "db045.cell.test");
}

#[test]
fn servers_are_sorted_whatever_the_order_of_the_records() {
    let Some(mut machine) = machine() else { return };
    let records =
        [(1, 0, 7003, "b"), (0, 5, 7003, "d"), (1, 0, 7003, "A"), (0, 9, 7009, "c"), (1, 0, 7001, "b")];
    for turn in 0..records.len() {
        let mut zone = zone();
        for name in ["a", "b", "c", "d"] {
            zone = zone.a(name, [10, 0, 0, name.as_bytes()[0]], 60);
        }
        for n in 0..records.len() {
            let (priority, weight, port, target) = records[(n + turn) % records.len()];
            zone = zone.srv(SRV, priority, weight, port, target, 60);
        }
        let _names = serve(&mut machine, zone);
        let (_, payload, _) = ask(&machine, CELL);
        let expected = [
            server("c.cell.test", [0, 9, 7009], &["10.0.0.99"]),
            server("d.cell.test", [0, 5, 7003], &["10.0.0.100"]),
            server("A.cell.test", [1, 0, 7003], &["10.0.0.97"]),
            server("b.cell.test", [1, 0, 7001], &["10.0.0.98"]),
            server("b.cell.test", [1, 0, 7003], &["10.0.0.98"]),
        ];
        assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &expected));
    }
}

#[test]
fn the_name_of_an_afsdb_record_may_be_compressed() {
    let Some(mut machine) = machine() else { return };
    for packed in [false, true] {
        let afsdb = |owner| Record::afsdb(owner, 1, "db1.cell.test", 60);
        let zone = zone().record("@", |owner| if packed { afsdb(owner).packed() } else { afsdb(owner) });
        let _names = serve(&mut machine, zone.a("db1", [10, 0, 0, 1], 60));
        let (_, payload, _) = ask(&machine, CELL);
        let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
        assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD, &[db1]), "compressed: {packed}");
    }
}

#[test]
fn a_dce_server_is_not_an_afs_server() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().afsdb("@", 2, "dce", 60).afsdb("@", 1, "db1", 60).afsdb("dce", 2, "dce", 60);
    let zone = zone.a("dce", [10, 0, 0, 2], 60).a("db1", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (_, payload, _) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD, &[db1]));
    assert_eq!(crate::setup::error(&machine, "dce.cell.test", "srv=1"), "No data available");
}

#[test]
fn a_target_that_is_an_alias_keeps_its_name_and_the_ttl_of_the_alias() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).cname("db1", "real", 20).a("real", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (_, payload, seen) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[db1]));
    seen.lasts(20);
}

#[test]
fn the_service_name_itself_may_be_an_alias() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().cname(SRV, "vl", 25).srv("vl", 0, 0, 7003, "db1", 60).a("db1", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (_, payload, seen) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[db1]));
    seen.lasts(25);
}

#[test]
fn a_target_without_an_address_is_kept_with_its_own_status() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "gone", 600).srv(SRV, 1, 0, 7003, "db1", 600).soa(35, 35);
    let _names = serve(&mut machine, zone.a("db1", [10, 0, 0, 1], 600));
    let (_, payload, seen) = ask(&machine, CELL);
    let gone = server_with("gone.cell.test", [0, 0, 7003], [FROM_NSS, NOT_FOUND], &[]);
    let db1 = server("db1.cell.test", [1, 0, 7003], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[gone, db1]));
    seen.lasts(35);
}

#[test]
fn a_ttl_of_zero_is_the_shortest_expiry() {
    let Some(mut machine) = machine() else { return };
    for ttls in [[0, 60], [60, 0]] {
        let zone = zone().srv(SRV, 0, 0, 7003, "db1", ttls[0]).a("db1", [10, 0, 0, 1], ttls[1]);
        let _names = serve(&mut machine, zone);
        let seen = machine.ask(format!("afsdb:{CELL}"), "srv=1");
        seen.lasts(1);
    }
}

#[test]
fn the_words_ipv4_and_ipv6_restrict_the_families() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).a("db1", [10, 0, 0, 1], 60).aaaa("db1", V6, 60);
    let names = serve(&mut machine, zone);
    for (callout, addresses, unasked) in
        [("srv=1 ipv4", ["10.0.0.1"], qtype::AAAA), ("ipv6,srv=1", ["2001:db8::1"], qtype::A)]
    {
        names.clear();
        let seen = machine.ask(format!("afsdb:{CELL}"), callout);
        let db1 = server("db1.cell.test", [0, 0, 7003], &addresses);
        assert_eq!(seen.payload, Ok(list(FROM_DNS_SRV, GOOD, &[db1])), "{callout}");
        assert_eq!(names.count("db1.cell.test", unasked), 0);
    }
}

#[test]
fn without_a_version_the_answer_is_text_in_the_same_order() {
    let Some(mut machine) = machine() else { return };
    let zone = zone()
        .srv(SRV, 1, 0, 7010, "db2", 60)
        .srv(SRV, 0, 0, 7003, "db1", 60)
        .a("db1", [10, 0, 0, 1], 60)
        .aaaa("db1", V6, 60)
        .a("db2", [10, 0, 0, 2], 60);
    let _names = serve(&mut machine, zone);
    let text = "10.0.0.1+7003,[2001:db8::1]+7003,10.0.0.2+7010";
    for callout in ["", "srv=0"] {
        assert_eq!(machine.ask(format!("afsdb:{CELL}"), callout).text(), text, "{callout}");
    }
    assert_eq!(machine.ask(format!("afsdb:{CELL}"), "ipv6").text(), "[2001:db8::1]+7003");
}

#[test]
fn a_higher_version_gets_the_list_of_version_1() {
    let Some(mut machine) = machine() else { return };
    let _names = serve(&mut machine, zone().srv(SRV, 0, 0, 7003, "db1", 60).a("db1", [10, 0, 0, 1], 60));
    let (_, payload, _) = ask(&machine, CELL);
    assert_eq!(machine.ask(format!("afsdb:{CELL}"), "srv=2").payload, Ok(payload));
}

#[test]
fn a_cell_takes_two_round_trips_or_three_if_srv_records_are_denied() {
    let Some(mut machine) = machine() else { return };
    let latency = std::time::Duration::from_millis(250);
    let mut afsdb = zone();
    for n in 0..20 {
        afsdb = afsdb.afsdb("@", 1, &format!("db{n}"), 60).a(&format!("db{n}"), [10, 0, 0, n], 60);
    }
    // A denial counts once it is confirmed.
    for (zone, trips) in [(many(20).0, 2), (afsdb, 3)] {
        let names = start(&mut machine, Server::builder().zone(zone).latency(latency));
        // A busy machine has other things to do now and then.
        let quick = (0..5).any(|_| {
            names.clear();
            let (list, _, seen) = ask(&machine, CELL);
            assert_eq!(list.servers.len(), 20);
            seen.took < latency * (trips + 1)
        });
        assert!(quick);
        let mut asked: Vec<_> =
            queries(&names).into_iter().map(|query| (query.name.to_lowercase(), query.qtype)).collect();
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), 42);
    }
}
