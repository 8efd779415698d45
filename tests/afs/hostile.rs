//! Invalid records, and hostile zones.

use crate::decode::number::{FROM_DNS_AFSDB, FROM_DNS_SRV, FROM_NSS, GOOD, GOOD_WITH_BAD, TEMP_FAILURE};
use crate::dns::{Action, Part, Record, Script, Server, Zone, qtype};
use crate::setup::{CELL, SRV, ask, error, list, machine, same, serve, server, server_with, start, zone};
use crate::support::machine::error::EAGAIN;

/// An SRV record for `db2`, done something to.
fn srv(damage: impl FnOnce(Record) -> Record) -> impl FnOnce(crate::dns::Name) -> Record {
    |owner| damage(Record::srv(owner, 0, 0, 7003, "db2.cell.test", 60))
}

fn damaged() -> Vec<(&'static str, Zone)> {
    let zone = || {
        let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60);
        zone.a("db1", [10, 0, 0, 1], 60).a("db2", [10, 0, 0, 2], 60)
    };
    let pointer = |part| {
        move |owner| {
            let numbers = Part::Bytes(vec![0, 0, 0, 0, 0x1b, 0x5b]);
            Record::new(owner, qtype::SRV, 60, [numbers, part])
        }
    };
    vec![
        ("rdlength 0", zone().record(SRV, srv(|record| record.cut(0)))),
        ("rdata cut in its numbers", zone().record(SRV, srv(|record| record.cut(5)))),
        ("rdata without a name", zone().record(SRV, srv(|record| record.cut(6)))),
        ("rdata cut in its name", zone().record(SRV, srv(|record| record.cut(12)))),
        ("a pointer to itself", zone().record(SRV, pointer(Part::Here(0)))),
        ("a pointer ahead", zone().record(SRV, pointer(Part::Here(2)))),
        ("a pointer to nowhere", zone().record(SRV, pointer(Part::Pointer(0x3fff)))),
        ("a label of an unknown kind", zone().record(SRV, pointer(Part::Bytes(vec![0x80, 1, b'a', 0])))),
        ("bytes after the name", zone().record(SRV, pointer(Part::Bytes(vec![1, b'a', 0, 7])))),
    ]
}

#[test]
fn a_damaged_srv_record_is_skipped_and_changes_the_status() {
    let Some(mut machine) = machine() else { return };
    for (what, zone) in damaged() {
        let _names = serve(&mut machine, zone);
        let (_, payload, _) = ask(&machine, CELL);
        let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
        assert_eq!(payload, list(FROM_DNS_SRV, GOOD_WITH_BAD, &[db1]), "{what}");
    }
}

#[test]
fn a_damaged_afsdb_record_is_skipped_and_shows_in_the_status() {
    let Some(mut machine) = machine() else { return };
    for cut in [0, 1, 2, 5] {
        let bad = |owner| Record::afsdb(owner, 1, "db2.cell.test", 60).cut(cut);
        let zone = zone().record("@", bad).afsdb("@", 1, "db1", 60).afsdb("@", 1, ".", 60);
        let _names = serve(&mut machine, zone.a("db1", [10, 0, 0, 1], 60));
        let (_, payload, _) = ask(&machine, CELL);
        let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
        assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD_WITH_BAD, &[db1]), "cut to {cut}");
    }
}

#[test]
fn if_no_srv_record_can_be_read_the_afsdb_records_are_used() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().record(SRV, srv(|record| record.cut(0))).a("db1", [10, 0, 0, 1], 60);
    let names = serve(&mut machine, zone.clone().afsdb("@", 1, "db1", 60));
    let (_, payload, _) = ask(&machine, CELL);
    assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])]));
    names.change(|config| config.zones = vec![zone]);
    assert_eq!(error(&machine, CELL, "srv=1 ipv4"), EAGAIN, "they may make sense soon");
}

#[test]
fn a_message_that_ends_early_yields_the_servers_before_its_end() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).srv(SRV, 1, 0, 7003, "db2", 60);
    let zone = zone.a("db1", [10, 0, 0, 1], 60).a("db2", [10, 0, 0, 2], 60);
    let cut = Action::edit(|bytes| bytes.truncate(bytes.len() - 20), Action::Zone);
    let script = Script::new().on_type(qtype::SRV, cut);
    let _names = start(&mut machine, Server::builder().zone(zone).script(script));
    let (_, payload, _) = ask(&machine, CELL);
    let db1 = server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD_WITH_BAD, &[db1]));
}

#[test]
fn the_same_server_twice_is_one_server() {
    let Some(mut machine) = machine() else { return };
    machine.no_hedge();
    let mut zone = zone().a("db1", [10, 0, 0, 1], 60);
    for priority in (0..30).rev() {
        zone = zone.srv(SRV, priority, 0, 7003, "db1", 60);
    }
    let names = serve(&mut machine, zone);
    let (_, payload, _) = ask(&machine, CELL);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])]));
    assert_eq!(names.count("db1.cell.test", qtype::A), 1);
}

#[test]
fn a_zone_full_of_silent_targets_yields_the_answers_before_the_deadline() {
    let Some(mut machine) = machine() else { return };
    machine.settings("deadline = 3\n");
    let mut zone = zone();
    let mut expected = Vec::new();
    for n in 0..255_u16 {
        let name = format!("db{n:03}");
        let address = [10, 1, 0, n.to_be_bytes()[1]];
        zone = zone.srv(SRV, 0, 0, 7003, &name, 60).a(&name, address, 60);
        let target = format!("{name}.{CELL}");
        expected.push(if n % 5 == 4 {
            server(&target, [0, 0, 7003], &[&format!("10.1.0.{n}")])
        } else {
            server_with(&target, [0, 0, 7003], [FROM_NSS, TEMP_FAILURE], &[])
        });
    }
    let script = Script::new().rule(|query, _, _| {
        let name = query.name();
        let number: u16 = name.strip_prefix("db")?.split('.').next()?.parse().ok()?;
        (number % 5 != 4).then_some(Action::Silence)
    });
    let names = start(&mut machine, Server::builder().zone(zone).script(script));
    machine.file(
        "/etc/resolv.conf",
        format!("search .\noptions timeout:5 attempts:2\nnameserver {}\n", crate::setup::ADDRESS),
    );
    // At the deadline, the answer would be EAGAIN.
    let (_, payload, _) = ask(&machine, CELL);
    same(&payload, &list(FROM_DNS_SRV, GOOD, &expected), "silent targets");
    assert!(names.count("db000.cell.test", qtype::A) > 0);
}

#[test]
fn a_target_in_an_alias_loop_has_no_address() {
    let Some(mut machine) = machine() else { return };
    let zone = zone()
        .srv(SRV, 0, 0, 7003, "loop", 60)
        .srv(SRV, 1, 0, 7003, "db1", 60)
        .cname("loop", "pool", 60)
        .cname("pool", "loop", 60)
        .a("db1", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (list, ..) = ask(&machine, CELL);
    assert_eq!(list.servers.iter().map(|server| server.addresses.len()).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn the_largest_cell_gets_as_many_sockets_as_it_needs() {
    let Some(mut machine) = machine() else { return };
    let mut zone = zone();
    let mut expected = Vec::new();
    for n in 0..255_u16 {
        let name = format!("db{n:03}");
        zone = zone.srv(SRV, 0, 0, 7003, &name, 60).a(&name, [10, 1, 0, n.to_be_bytes()[1]], 60);
        expected.push(server(&format!("{name}.{CELL}"), [0, 0, 7003], &[&format!("10.1.0.{n}")]));
    }
    // Two servers stay silent on everything that the third one is queried for: 255 hosts, in two families.
    let silent = ["127.53.0.21", "127.53.0.22"];
    let _silent = silent.map(|address| {
        let script =
            Script::new().rule(|query, _, _| query.name().starts_with("db").then_some(Action::Silence));
        Server::builder().zone(zone.clone()).script(script).at(&format!("{address}:53")).start()
    });
    let names = start(&mut machine, Server::builder().zone(zone));
    let [one, two] = silent;
    machine.file(
        "/etc/resolv.conf",
        format!("search .\nnameserver {one}\nnameserver {two}\nnameserver {}\n", crate::setup::ADDRESS),
    );
    let (_, payload, _) = ask(&machine, CELL);
    same(&payload, &list(FROM_DNS_SRV, GOOD, &expected), "silent servers");
    // Once more, if its answer is late.
    assert!((1..=2).contains(&names.count("db254.cell.test", qtype::AAAA)));
}
