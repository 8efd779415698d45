//! Cells without an answer, and answers in spite of a failure.

use crate::decode::number::{FROM_DNS_AFSDB, FROM_DNS_SRV, FROM_NSS, GOOD, NS_FAILURE, TEMP_FAILURE};
use crate::dns::{Action, Script, Server, qtype};
use crate::setup::{CELL, SRV, ask, list, machine, serve, server, server_with, start, zone};
use crate::support::machine::error::{EAGAIN, ECONNREFUSED, EINVAL, ENODATA};
use std::time::Duration;

#[test]
fn a_cell_that_does_not_exist_is_no_data_for_the_negative_ttl() {
    let Some(mut machine) = machine() else { return };
    for (minimum, seconds) in [(25, 25), (3600, 60)] {
        let _names = serve(&mut machine, zone().soa(3600, minimum));
        for cell in [CELL, "nosuch.cell.test"] {
            let seen = machine.ask(format!("afsdb:{cell}"), "srv=1");
            assert_eq!(seen.error(), ENODATA, "{cell}");
            seen.lasts(seconds);
        }
    }
}

#[test]
fn the_root_as_target_means_no_such_service_and_ends_the_lookup() {
    let Some(mut machine) = machine() else { return };
    machine.file(crate::setup::CELLSERVDB, format!(">{CELL}\n10.0.0.9 #db9.{CELL}\n"));
    let zone = zone().srv(SRV, 0, 0, 0, ".", 30).afsdb("@", 1, "db1", 60).a("db1", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let seen = machine.ask(format!("afsdb:{CELL}"), "srv=1");
    assert_eq!(seen.error(), ENODATA);
    seen.lasts(30);
}

#[test]
fn afsdb_records_are_used_if_the_srv_query_fails() {
    let Some(mut machine) = machine() else { return };
    for action in [Action::SERVFAIL, Action::REFUSED, Action::NOTIMP, Action::Silence, Action::Garbage] {
        let zone = zone().afsdb("@", 1, "db1", 300).a("db1", [10, 0, 0, 1], 300);
        let script = Script::new().on_type(qtype::SRV, action);
        let _names = start(&mut machine, Server::builder().zone(zone).script(script));
        let (_, payload, seen) = ask(&machine, CELL);
        assert_eq!(
            payload,
            list(FROM_DNS_AFSDB, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])])
        );
        seen.lasts(60);
    }
}

#[test]
fn afsdb_records_are_used_if_no_srv_target_has_an_address() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "gone", 60).afsdb("@", 1, "db1", 60).a("db1", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (_, payload, _) = ask(&machine, CELL);
    assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])]));
}

#[test]
fn servers_without_any_address_give_the_most_significant_failure() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "gone", 60).srv(SRV, 0, 0, 7003, "ill", 60);
    let names = serve(&mut machine, zone);
    assert_eq!(crate::setup::error(&machine, CELL, "srv=1"), ENODATA);
    names.change(|config| config.script = Script::new().on("ill.cell.test", qtype::A, Action::SERVFAIL));
    assert_eq!(crate::setup::error(&machine, CELL, "srv=1 ipv4"), EAGAIN);
    assert_eq!(crate::setup::error(&machine, CELL, "ipv4"), EAGAIN);
}

#[test]
fn a_target_whose_lookup_fails_or_is_refused_has_that_status() {
    let Some(mut machine) = machine() else { return };
    let zone = zone()
        .srv(SRV, 0, 0, 7003, "db1", 300)
        .srv(SRV, 1, 0, 7003, "ill", 300)
        .srv(SRV, 2, 0, 7003, "barred", 300)
        .a("db1", [10, 0, 0, 1], 300);
    let script = Script::new().rule(|query, _, _| match query.name().as_str() {
        "ill.cell.test" => Some(Action::SERVFAIL),
        "barred.cell.test" => Some(Action::REFUSED),
        _ => None,
    });
    let _names = start(&mut machine, Server::builder().zone(zone).script(script));
    let (_, payload, seen) = ask(&machine, CELL);
    let expected = [
        server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"]),
        server_with("ill.cell.test", [1, 0, 7003], [FROM_NSS, TEMP_FAILURE], &[]),
        server_with("barred.cell.test", [2, 0, 7003], [FROM_NSS, NS_FAILURE], &[]),
    ];
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &expected));
    seen.lasts(60);
}

#[test]
fn failing_and_refusing_name_servers_are_distinguished() {
    let Some(mut machine) = machine() else { return };
    for (action, expected) in [
        (Action::SERVFAIL, EAGAIN),
        (Action::REFUSED, ECONNREFUSED),
        (Action::FORMERR, ECONNREFUSED),
        (Action::Silence, EAGAIN),
    ] {
        let script = Script::new().on_all(action);
        let _names = start(&mut machine, Server::builder().script(script));
        assert_eq!(crate::setup::error(&machine, CELL, "srv=1"), expected);
    }
}

#[test]
fn a_bad_name_or_option_is_an_invalid_argument() {
    let Some(machine) = machine() else { return };
    for (cell, callout) in [("a..b", "srv=1"), ("a b", ""), ("a", "srv=x"), ("a", "srv"), ("a", "srv=-1")] {
        let seen = machine.ask(format!("afsdb:{cell}"), callout);
        assert_eq!(seen.error(), EINVAL, "{cell} {callout}");
    }
}

#[test]
fn a_cell_name_too_long_for_the_srv_prefix_is_found_by_its_afsdb_record() {
    let Some(mut machine) = machine() else { return };
    let label = "a".repeat(63);
    let cell = format!("{label}.{label}.{label}.{}.{CELL}", "b".repeat(40));
    let zone = zone().afsdb(&format!("{cell}."), 1, "db1", 60).a("db1", [10, 0, 0, 1], 60);
    let _names = serve(&mut machine, zone);
    let (_, payload, _) = ask(&machine, &cell);
    assert_eq!(payload, list(FROM_DNS_AFSDB, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])]));
}

#[test]
fn slow_srv_records_still_take_precedence_over_afsdb_records() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).afsdb("@", 1, "db2", 60);
    let zone = zone.a("db1", [10, 0, 0, 1], 60).a("db2", [10, 0, 0, 2], 60);
    let slow = Action::delay(Duration::from_millis(600), Action::Zone);
    let script = Script::new().on_type(qtype::SRV, slow);
    let _names = start(&mut machine, Server::builder().zone(zone).script(script));
    let (_, payload, _) = ask(&machine, CELL);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])]));
}
