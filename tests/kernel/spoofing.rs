//! What an off-path attacker has to guess.

use crate::dns::{Action, Logged, Script, TcpMode, Transport, Zone, qtype};
use crate::serving::{ADDRESS, hosts, queries, serve, serve_by, server};
use crate::support::machine::Machine;
use crate::untrusted::{NAME, forged};
use std::collections::HashSet;

/// With enough letters that each query differs.
const LONG: &str = "the-monitor-of-a-cluster-with-many-letters";

fn transports(queries: &[Logged]) -> Vec<Transport> {
    queries.iter().map(|query| query.transport).collect()
}

/// The name as requested.
fn letters(query: &Logged) -> String {
    query.query.qname.to_string()
}

#[test]
fn id_port_and_letter_case_of_each_query_are_random() {
    const UPCALLS: usize = 64;
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let zone = (0..UPCALLS).fold(Zone::new("example.test"), |zone, number| {
        zone.a(&format!("{LONG}{number}"), [192, 0, 2, 1], 9)
    });
    let server = serve(&mut machine, zone);
    for number in 0..UPCALLS {
        machine.ask(format!("a:{LONG}{number}.example.test"), "").is("192.0.2.1", 9);
    }
    let queries = queries(&server);
    assert_eq!(queries.len(), UPCALLS);
    let ids: Vec<u16> = queries.iter().map(|query| query.query.id).collect();
    let ports: Vec<u16> = queries.iter().map(|query| query.peer.port()).collect();
    for (what, numbers) in [("ids", &ids), ("ports", &ports)] {
        let different: HashSet<u16> = numbers.iter().copied().collect();
        // Of 64 numbers out of some 28,000, it is hardly ever that two pairs are the same.
        assert!(different.len() > UPCALLS - 6, "{what}: {numbers:?}");
        // Each bit but the upper ones of a port is on in about half of them.
        for bit in 0..12 {
            let on = numbers.iter().filter(|number| *number >> bit & 1 == 1).count();
            assert!((8..=UPCALLS - 8).contains(&on), "{what}: bit {bit} is on in {on} of {UPCALLS}");
        }
        // None can be told from the one before.
        let steps: HashSet<u16> = numbers.windows(2).map(|two| two[1].wrapping_sub(two[0])).collect();
        assert!(steps.len() > UPCALLS - 8, "{what}: {numbers:?}");
    }
    assert!(ports.iter().all(|port| *port >= 1024), "{ports:?}");
    let written: HashSet<String> =
        queries.iter().map(|query| letters(query).split_at(LONG.len()).0.to_owned()).collect();
    assert_eq!(written.len(), UPCALLS);
    let upper = written.iter().flat_map(|name| name.chars()).filter(char::is_ascii_uppercase).count();
    let all = LONG.chars().filter(char::is_ascii_alphabetic).count() * UPCALLS;
    assert!((all / 3..all * 2 / 3).contains(&upper), "{upper} of {all} letters are upper case");
}

#[test]
fn an_answer_with_changed_letter_case_is_not_trusted() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let script = Script::new().on_all(Action::per_transport(Action::wrong_case(forged()), Action::Zone));
    let server = serve_by(&mut machine, hosts(), script);
    machine.ask(format!("a:{NAME}"), "").is("192.0.2.2", 20);
    assert_eq!(transports(&queries(&server)), [Transport::Udp, Transport::Tcp]);
}

#[test]
fn a_server_that_changes_letter_case_is_queried_over_tcp_or_else_once_more() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS]);
    let by_udp =
        |by_tcp| Script::new().on_all(Action::per_transport(Action::wrong_case(Action::Zone), by_tcp));
    for (tcp, by_tcp, number) in [
        (TcpMode::Serve, Action::Zone, 2),
        (TcpMode::Serve, Action::wrong_case(Action::Zone), 2),
        (TcpMode::Refuse, Action::Zone, 2),
        (TcpMode::Close, Action::Zone, 2),
        (TcpMode::Serve, Action::Silence, 3),
    ] {
        // Where TCP answers, no query is to be repeated; where it does not, one has to be.
        if tcp == TcpMode::Serve && number == 2 {
            machine.no_hedge();
        } else {
            machine.settings("");
        }
        let server = server(ADDRESS).zone(hosts()).script(by_udp(by_tcp)).tcp(tcp).start();
        assert_eq!(machine.ask(format!("a:{NAME}"), "").text(), "192.0.2.2", "{tcp:?}, {number}");
        let queries = queries(&server);
        assert_eq!(queries.len(), number, "{:?}", transports(&queries));
        // The last one is in its original case.
        assert_eq!(letters(&queries[number - 1]), NAME);
    }
}

#[test]
fn a_server_that_drops_mixed_case_is_reached_in_the_second_round() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:1 attempts:2\n"));
    let name = format!("{LONG}.example.test");
    let zone = Zone::new("example.test").a(LONG, [192, 0, 2, 1], 9);
    let script = Script::new().rule(|query, _, _| {
        let mixed = query.qname.to_string().contains(|letter: char| letter.is_ascii_uppercase());
        mixed.then_some(Action::Silence)
    });
    let server = server(ADDRESS).zone(zone).script(script).start();
    machine.ask(format!("a:{name}"), "").is("192.0.2.1", 9);
    assert_eq!(server.count(&*name, qtype::A), 2);
}

#[test]
fn names_are_sent_unchanged_without_mixed_case_and_over_tcp() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.settings("mixed_case = no\nhedge = 10000\n");
    machine.ask("a:BOTH.example.tesT", "").is("192.0.2.2", 20);
    machine.no_hedge();
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions use-vc\n"));
    machine.ask("aaaa:BOTH.example.tesT", "").is("2001:db8::2", 40);
    let asked: Vec<String> = queries(&server).iter().map(letters).collect();
    assert_eq!(asked, ["BOTH.example.tesT"; 2]);
}
