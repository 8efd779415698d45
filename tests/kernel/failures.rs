//! Names that can't be looked up: the errno, and how long it lasts.

use crate::dns::{Action, Message, Script, TcpMode, flag, qtype, refuses};
use crate::serving::{ADDRESS, OTHER, hosts, serve, serve_by, server, unasked};
use crate::support::machine::{Machine, error};
use crate::support::skip;

#[test]
fn a_name_that_does_not_exist_and_one_without_addresses_are_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts().txt("text", "x", 30).soa(25, 300));
    for name in ["nosuch.example.test", "text.example.test", "a:v6.example.test", "aaaa:v4.example.test"] {
        let seen = machine.ask(name, "");
        assert_eq!(seen.error(), error::ENODATA, "{name}");
        seen.lasts(25);
    }
}

#[test]
fn each_response_code_maps_to_its_errno() {
    let Some(mut machine) = Machine::take() else { return };
    for (code, error, seconds) in [
        (1, error::ECONNREFUSED, 10),  // FORMERR
        (2, error::EAGAIN, 1),         // SERVFAIL
        (4, error::ECONNREFUSED, 10),  // NOTIMP
        (5, error::ECONNREFUSED, 10),  // REFUSED
        (9, error::ECONNREFUSED, 10),  // NOTAUTH
        (23, error::ECONNREFUSED, 10), // BADCOOKIE, of which the header holds just the lower bits
    ] {
        let _server = serve_by(&mut machine, hosts(), Script::new().on_all(Action::Rcode(code)));
        let seen = machine.ask("v4.example.test", "");
        assert_eq!(seen.error(), error, "rcode {code}");
        seen.lasts(seconds);
    }
}

#[test]
fn a_silent_server_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve_by(&mut machine, hosts(), Script::new().on_all(Action::Silence));
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
}

#[test]
fn a_lame_server_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    let lame = Action::Answer(Message::new().clear(flag::RA | flag::AA));
    let _server = serve_by(&mut machine, hosts(), Script::new().on_all(lame));
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
}

#[test]
fn servers_with_closed_ports_give_connection_refused() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS, OTHER]);
    machine.ask("v4.example.test", "").fails(error::ECONNREFUSED, 10);
}

#[test]
fn without_any_name_server_the_connection_is_refused() {
    let Some(mut machine) = Machine::take() else { return };
    if !refuses("127.0.0.1:53".parse().unwrap()) {
        return skip("this host has a name server of its own");
    }
    for resolv_conf in ["", "options timeout:1\n", "nameserver not.an.address\n"] {
        machine.file("/etc/resolv.conf", resolv_conf);
        machine.ask("v4.example.test", "").fails(error::ECONNREFUSED, 10);
    }
}

#[test]
fn an_unreadable_resolv_conf_is_treated_as_empty() {
    let Some(mut machine) = Machine::take() else { return };
    if !refuses("127.0.0.1:53".parse().unwrap()) {
        return skip("this host has a name server of its own");
    }
    machine.unreadable("/etc/resolv.conf");
    machine.ask("v4.example.test", "").fails(error::ECONNREFUSED, 10);
}

#[test]
fn an_unreachable_server_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    machine.unreachable("127.53.9.1");
    machine.name_servers(&["127.53.9.1"]);
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
    machine.name_servers(&["127.53.9.1", ADDRESS]);
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
    let _server = server(ADDRESS).zone(hosts()).start();
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn only_if_every_server_refuses_is_the_failure_a_refusal() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS, OTHER]);
    let first = server(ADDRESS).script(Script::new().on_all(Action::REFUSED)).start();
    machine.ask("v4.example.test", "").fails(error::ECONNREFUSED, 10);
    let second = server(OTHER).script(Script::new().on_all(Action::NOTIMP)).start();
    machine.ask("v4.example.test", "").fails(error::ECONNREFUSED, 10);
    second.change(|config| config.script = Script::new().on_all(Action::SERVFAIL));
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
    second.change(|config| config.script = Script::new().on_all(Action::Silence));
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
    drop(first);
}

#[test]
fn a_failure_of_one_family_is_not_reported_as_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    for failing in [qtype::A, qtype::AAAA] {
        let script = Script::new().on("text.example.test", failing, Action::SERVFAIL);
        let _server = serve_by(&mut machine, hosts().txt("text", "x", 30), script);
        machine.ask("text.example.test", "").fails(error::EAGAIN, 1);
        machine.ask("text.example.test", "list").fails(error::EAGAIN, 1);
    }
}

#[test]
fn names_under_invalid_do_not_exist_and_are_not_queried() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.ask("mon.invalid", "").fails(error::ENODATA, 60);
    unasked(&server);
}

#[test]
fn a_server_with_a_closed_tcp_port_works_over_udp() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS]);
    let _server = server(ADDRESS).zone(hosts()).tcp(TcpMode::Refuse).start();
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}
