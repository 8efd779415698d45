//! Which name servers are queried, in which order, how often and how long.

use crate::dns::{Action, Bound, Script, Server, Transport, qtype, rcode};
use crate::serving::{ADDRESS, OTHER, hosts, queries, serve, serve_by, server, unasked};
use crate::support::asking::Ask;
use crate::support::machine::{Machine, error};
use crate::support::skip;
use std::time::Duration;

/// Two servers: the first follows the script for every query, the second answers.
fn pair(machine: &mut Machine, action: Action) -> [Server; 2] {
    machine.name_servers(&[ADDRESS, OTHER]);
    let first = server(ADDRESS).script(Script::new().on_all(action)).start();
    [first, server(OTHER).zone(hosts()).start()]
}

#[test]
fn the_next_server_is_queried_if_one_fails() {
    let Some(mut machine) = Machine::take() else { return };
    for (what, action) in [
        ("SERVFAIL", Action::SERVFAIL),
        ("REFUSED", Action::REFUSED),
        ("NOTIMP", Action::NOTIMP),
        ("FORMERR", Action::FORMERR),
        ("silence", Action::Silence),
        ("garbage", Action::Garbage),
        ("TCP that is closed", Action::per_transport(Action::Truncate, Action::TcpClose)),
    ] {
        let [first, second] = pair(&mut machine, action);
        machine.ask("both.example.test", "").is("192.0.2.2", 20);
        assert!(first.count("both.example.test", qtype::A) >= 1, "{what}");
        assert!(second.count("both.example.test", qtype::A) >= 1, "{what}");
    }
}

#[test]
fn the_next_server_is_queried_if_a_port_is_closed() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS, OTHER]);
    let _second = server(OTHER).zone(hosts()).start();
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn no_such_name_from_the_first_server_is_final() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let [_first, second] = pair(&mut machine, Action::NXDOMAIN);
    assert_eq!(machine.ask("both.example.test", "").error(), error::ENODATA);
    unasked(&second);
}

#[test]
fn only_the_first_server_is_queried_if_it_answers() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS, OTHER]);
    machine.no_hedge();
    let first = server(ADDRESS).zone(hosts()).start();
    let second = server(OTHER).zone(hosts()).start();
    assert_eq!(machine.ask("both.example.test", "").text(), "192.0.2.2");
    assert_eq!(first.count("both.example.test", qtype::A), 1);
    unasked(&second);
}

#[test]
fn a_silent_server_is_queried_once_in_each_attempt() {
    let Some(mut machine) = Machine::take() else { return };
    let silent = server(ADDRESS).script(Script::new().on_all(Action::Silence)).start();
    for attempts in [1, 2] {
        silent.clear();
        machine.file(
            "/etc/resolv.conf",
            format!("nameserver {ADDRESS}\noptions timeout:1 attempts:{attempts}\n"),
        );
        let seen = Ask::new("a:v4.example.test.").once();
        assert!(seen.payload.is_err());
        // And once with a plain query, soon after the first one.
        assert_eq!(silent.count("v4.example.test", qtype::A), attempts + 1);
        assert!(seen.took >= Duration::from_secs(attempts as u64), "{:?}", seen.took);
    }
}

#[test]
fn timeout_limits_the_wait_for_a_server() {
    let Some(mut machine) = Machine::take() else { return };
    let script = Script::new().on_all(Action::delay(Duration::from_secs(3), Action::Zone));
    let _server = serve_by(&mut machine, hosts(), script);
    machine.ask("both.example.test", "").fails(error::EAGAIN, 1);
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:10 attempts:1\n"));
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn a_late_answer_of_the_first_server_is_used_while_the_second_is_silent() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file(
        "/etc/resolv.conf",
        format!("nameserver {ADDRESS}\nnameserver {OTHER}\noptions timeout:5 attempts:1\n"),
    );
    let late = Script::new().on_all(Action::delay(Duration::from_secs(1), Action::Zone));
    let _first = server(ADDRESS).zone(hosts()).script(late).start();
    let second = server(OTHER).script(Script::new().on_all(Action::Silence)).start();
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
    assert!(second.count("both.example.test", qtype::A) >= 1);
}

#[test]
fn without_a_nameserver_line_the_local_server_is_queried() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let Ok(bound) = Bound::at("127.0.0.1:53".parse().unwrap()) else {
        return skip("this host has a name server of its own");
    };
    machine.file("/etc/resolv.conf", "options timeout:1 attempts:1\n");
    let server = Server::builder().zone(hosts()).start_on(bound);
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
    assert_eq!(server.count("both.example.test", qtype::A), 1);
}

#[test]
fn a_name_server_may_have_an_ipv6_address() {
    let Some(mut machine) = Machine::take() else { return };
    let Ok(server) = server("::1").zone(hosts()).try_start() else {
        return skip("the port of DNS on ::1 is not to be had");
    };
    machine.name_servers(&["::1"]);
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
    drop(server);
}

#[test]
fn names_of_a_domain_are_queried_at_its_configured_servers() {
    let Some(mut machine) = Machine::take() else { return };
    let general = serve_by(&mut machine, hosts(), Script::new().on_all(Action::NXDOMAIN));
    let own = Server::builder().at("127.53.0.2:5353").zone(hosts()).start();
    machine.settings("nameserver[example.test] = 127.53.0.2:5353\nhedge = 10000\n");
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
    assert_eq!((queries(&general).len(), own.count("both.example.test", qtype::A)), (0, 1));
    assert_eq!(machine.ask("both.notexample.test", "").error(), error::ENODATA);
    assert!(general.count("both.notexample.test", qtype::A) >= 1);
}

#[test]
fn a_server_without_edns_is_queried_without_it() {
    let Some(mut machine) = Machine::take() else { return };
    for action in [Action::FormerrIfEdns, Action::if_edns(Action::Rcode(rcode::BADVERS), Action::Zone)] {
        let server = serve_by(&mut machine, hosts(), Script::new().on_all(action));
        machine.ask("a:both.example.test", "").is("192.0.2.2", 20);
        let edns: Vec<bool> = queries(&server).iter().map(|query| query.edns.is_some()).collect();
        assert_eq!(edns, [true, false]);
    }
}

#[test]
fn if_queries_with_edns_are_dropped_the_second_attempt_omits_it() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve_by(&mut machine, hosts(), Script::new().on_all(Action::DropIfEdns));
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:1 attempts:2\n"));
    machine.ask("a:both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn options_of_resolv_conf_change_the_queries() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions use-vc\n"));
    assert_eq!(machine.ask("a:both.example.test", "").text(), "192.0.2.2");
    assert!(queries(&server).iter().all(|query| query.transport == Transport::Tcp));
    server.clear();
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions no-aaaa\n"));
    assert_eq!(machine.ask("both.example.test", "list").text(), "192.0.2.2");
    assert_eq!(server.count("both.example.test", qtype::AAAA), 0);
}
