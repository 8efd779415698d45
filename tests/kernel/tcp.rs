//! Answers that don't fit into a datagram.

use crate::dns::{Action, Script, Server, TcpMode, Transport, Zone, qtype};
use crate::serving::{ADDRESS, hosts, queries, serve, serve_by, server};
use crate::support::machine::{Machine, error};
use std::time::Duration;

/// A server that has no room over UDP, and over TCP does this.
fn over_tcp(machine: &mut Machine, action: Action) -> Server {
    serve_by(machine, hosts(), Script::new().on_all(Action::truncate_then_tcp(action)))
}

#[test]
fn a_truncated_answer_is_queried_again_over_tcp() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let server = over_tcp(&mut machine, Action::Zone);
    machine.ask("a:both.example.test", "").is("192.0.2.2", 20);
    let transports: Vec<Transport> = queries(&server).iter().map(|query| query.transport).collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp]);
}

#[test]
fn a_truncated_answer_is_not_taken_as_complete() {
    let Some(mut machine) = Machine::take() else { return };
    let zone =
        (0..200).fold(Zone::new("example.test"), |zone, number| zone.a("many", [10, 0, 0, number], 30));
    let _server = serve(&mut machine, zone);
    assert_eq!(machine.ask("many.example.test", "ipv4 list").text().split(',').count(), 200);
}

#[test]
fn an_answer_truncated_over_tcp_too_is_used_as_is() {
    let Some(mut machine) = Machine::take() else { return };
    let truncated = |bytes: &mut Vec<u8>| bytes[2] |= 0x02;
    let _server =
        serve_by(&mut machine, hosts(), Script::new().on_all(Action::edit(truncated, Action::Zone)));
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn an_empty_answer_truncated_over_tcp_too_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve_by(&mut machine, hosts(), Script::new().on_all(Action::Truncate));
    machine.ask("both.example.test", "").fails(error::EAGAIN, 1);
}

#[test]
fn a_refused_tcp_connection_is_a_refusal() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS]);
    let script = Script::new().on_all(Action::Truncate);
    let _server = server(ADDRESS).zone(hosts()).script(script).tcp(TcpMode::Refuse).start();
    machine.ask("both.example.test", "").fails(error::ECONNREFUSED, 10);
}

#[test]
fn a_broken_tcp_answer_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    for (what, action) in [
        ("closed", Action::TcpClose),
        ("cut in the length", Action::tcp_cut(1, Action::Zone)),
        ("cut after the length", Action::tcp_cut(2, Action::Zone)),
        ("cut in the message", Action::tcp_cut(30, Action::Zone)),
        ("silent", Action::Silence),
        ("empty", Action::EmptyDatagram),
        ("shorter than announced", Action::tcp_length(600, Action::Zone)),
        ("longer than announced", Action::tcp_length(11, Action::Zone)),
        ("with noise", Action::Garbage),
        ("with the wrong id", Action::wrong_id(Action::Zone)),
        ("too slow", Action::tcp_drip(Duration::from_millis(300), Action::Zone)),
    ] {
        let _server = over_tcp(&mut machine, action);
        let seen = machine.ask("a:both.example.test", "");
        assert_eq!(seen.error(), error::EAGAIN, "{what}");
        seen.lasts(1);
    }
}

#[test]
fn a_server_that_closes_every_connection_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    machine.name_servers(&[ADDRESS]);
    let script = Script::new().on_all(Action::Truncate);
    let _server = server(ADDRESS).zone(hosts()).script(script).tcp(TcpMode::Close).start();
    machine.ask("both.example.test", "").fails(error::EAGAIN, 1);
}

#[test]
fn a_server_error_over_tcp_is_final() {
    let Some(mut machine) = Machine::take() else { return };
    for (action, error, seconds) in
        [(Action::REFUSED, error::ECONNREFUSED, 10), (Action::NXDOMAIN, error::ENODATA, 60)]
    {
        let _server = over_tcp(&mut machine, action);
        machine.ask("both.example.test", "").fails(error, seconds);
    }
}

#[test]
fn an_answer_received_byte_by_byte_is_reassembled() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = over_tcp(&mut machine, Action::tcp_drip(Duration::from_millis(3), Action::Zone));
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:5 attempts:1\n"));
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn an_unrelated_answer_in_a_stream_is_ignored() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let strays = [Action::wrong_id(Action::NXDOMAIN), Action::wrong_question(Action::NXDOMAIN), Action::Zone];
    let server = over_tcp(&mut machine, Action::many(strays));
    machine.ask("a:both.example.test", "").is("192.0.2.2", 20);
    assert_eq!(server.count("both.example.test", qtype::A), 2);
}
