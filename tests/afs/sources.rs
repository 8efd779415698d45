//! Where the addresses of servers come from.

use crate::decode::number::{FROM_DNS_SRV, FROM_NSS, GOOD, GOOD_WITH_BAD};
use crate::dns::{Action, Message, Record, Script, Server, Zone, qtype};
use crate::setup::{CELL, SRV, ask, list, machine, serve, server, server_with, start, zone};

const V6: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];

#[test]
fn glue_saves_the_queries_that_it_answers() {
    let Some(mut machine) = machine() else { return };
    let zone = zone()
        .srv(SRV, 0, 0, 7003, "db1", 60)
        .srv(SRV, 1, 0, 7003, "db2", 60)
        .a("db1", [10, 0, 0, 1], 60)
        .aaaa("db1", V6, 60)
        .a("db2", [10, 0, 0, 2], 25)
        .with_glue();
    let names = serve(&mut machine, zone);
    let (_, payload, seen) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1", "2001:db8::1"]);
    let db2 = server("db2.cell.test", [1, 0, 7003], &["10.0.0.2"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[db1, db2]));
    seen.lasts(25);
    let of_hosts: Vec<_> = names.queries().into_iter().filter(|query| query.name.starts_with("db")).collect();
    let asked: Vec<(&str, u16)> = of_hosts.iter().map(|query| (query.name.as_str(), query.qtype)).collect();
    // Denied, and asked once more as the C library asks.
    assert_eq!(asked, [("db2.cell.test", qtype::AAAA); 2]);
}

#[test]
fn glue_for_names_outside_the_cell_is_not_trusted() {
    let Some(mut machine) = machine() else { return };
    machine.no_hedge();
    let honest = Zone::new("test").a("bank", [10, 0, 0, 1], 60).a("notcell", [10, 0, 0, 2], 60);
    let service = format!("{SRV}.{CELL}");
    let mut answer = Message::new();
    for (priority, target) in [(0, "bank.test"), (1, "notcell.test")] {
        answer = answer.answer(Record::srv(&service, priority, 0, 7003, target, 60));
        answer = answer.additional(Record::a(target, [10, 6, 6, 6], 60));
    }
    let script = Script::new().on(&service, qtype::SRV, Action::Answer(answer));
    let names = start(&mut machine, Server::builder().zone(honest).script(script));
    let (_, payload, _) = ask(&machine, CELL);
    let bank = server("bank.test", [0, 0, 7003], &["10.0.0.1"]);
    let other = server("notcell.test", [1, 0, 7003], &["10.0.0.2"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[bank, other]));
    assert_eq!(names.count("bank.test", qtype::A), 1);
}

#[test]
fn targets_are_absolute_regardless_of_the_search_list() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).srv(SRV, 1, 0, 7003, "gone", 60);
    let elsewhere = Zone::new("corp.test").a("gone.cell.test", [10, 6, 6, 6], 60);
    let names = start(&mut machine, Server::builder().zone(zone.a("db1", [10, 0, 0, 1], 60)).zone(elsewhere));
    let conf = format!(
        "search corp.test\noptions ndots:5 timeout:1 attempts:1\nnameserver {}\n",
        crate::setup::ADDRESS
    );
    machine.file("/etc/resolv.conf", conf);
    let (list, ..) = ask(&machine, CELL);
    assert_eq!((list.servers[0].addresses.len(), list.servers[1].addresses.len()), (1, 0));
    assert!(names.queries().iter().all(|query| !query.name.ends_with("cell.test.corp.test")));
}

#[test]
fn a_target_that_is_not_a_host_name_is_a_bad_record() {
    let Some(mut machine) = machine() else { return };
    let zone = zone()
        .srv(SRV, 0, 0, 7003, "with\\032space", 60)
        .srv(SRV, 0, 0, 7003, "with\\.dot", 60)
        .srv(SRV, 0, 0, 7003, "with\\000nul", 60)
        .srv(SRV, 0, 0, 7003, ".", 60)
        .srv(SRV, 0, 0, 7003, "under_score", 60)
        .a("under_score", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (_, payload, _) = ask(&machine, CELL);
    let good = server("under_score.cell.test", [0, 0, 7003], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD_WITH_BAD, &[good]));
}

#[test]
fn a_target_that_is_an_address_is_used_as_is() {
    let Some(mut machine) = machine() else { return };
    let names = serve(&mut machine, zone().srv(SRV, 0, 0, 0, "10.0.0.1.", 60));
    let (_, payload, _) = ask(&machine, CELL);
    let literal = server_with("10.0.0.1", [0, 0, 7003], [FROM_NSS, GOOD], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[literal]), "and port 0 is the usual one");
    assert_eq!(names.count("10.0.0.1", qtype::A), 0);
}

#[test]
fn the_hosts_file_comes_before_glue_and_dns() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).srv(SRV, 1, 0, 7003, "db2", 60);
    let zone = zone.a("db1", [10, 0, 0, 1], 60).a("db2", [10, 0, 0, 2], 60).with_glue();
    let _names = serve(&mut machine, zone);
    machine.file("/etc/hosts", "127.0.0.1 localhost\n10.9.9.9 db1.cell.test db1\n");
    let (_, payload, seen) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.9.9.9"]);
    let db2 = server("db2.cell.test", [1, 0, 7003], &["10.0.0.2"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[db1, db2]));
    seen.lasts(60);
}

#[test]
fn the_addresses_of_a_server_are_in_the_order_of_rfc_6724() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).a("db1", [127, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone.aaaa("db1", std::net::Ipv6Addr::LOCALHOST, 60));
    for (gai_conf, addresses) in
        [("", ["::1", "127.0.0.1"]), ("precedence ::ffff:0:0/96 100\n", ["127.0.0.1", "::1"])]
    {
        machine.file(crate::setup::GAI_CONF, gai_conf);
        let (_, payload, _) = ask(&machine, CELL);
        assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[server("db1.cell.test", [0, 0, 7003], &addresses)]));
    }
}
