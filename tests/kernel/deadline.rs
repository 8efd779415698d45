//! The deadline: whatever hangs, the key is answered.

use crate::dns::{Action, Message, Record, Script};
use crate::serving::{ADDRESS, hosts, server};
use crate::support::asking::Seen;
use crate::support::machine::{Machine, SETTINGS, error};
use std::time::{Duration, Instant};

/// A helper that would wait for half a minute without the deadline.
fn patient(machine: &mut Machine, deadline: u32) {
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:30 attempts:1\n"));
    machine.settings(format!("deadline = {deadline}\n"));
}

#[track_caller]
fn is_over(seen: &Seen, deadline: u64) {
    seen.fails(error::EAGAIN, 1);
    assert!(seen.took >= Duration::from_secs(deadline), "{:?}", seen.took);
    assert!(seen.took < Duration::from_secs(20), "{:?}", seen.took);
}

#[test]
fn a_silent_server_does_not_delay_the_caller_beyond_the_deadline() {
    let Some(mut machine) = Machine::take() else { return };
    patient(&mut machine, 1);
    let log = machine.syslog();
    let _server = server(ADDRESS).script(Script::new().on_all(Action::Silence)).start();
    is_over(&machine.ask("v4.example.test", ""), 1);
    let line = log.next();
    for part in ["no answer within the deadline of 1 s", "v4.example.test. A at 127.53.0.1:53: no answer yet"]
    {
        assert!(line.contains(part), "{part:?} in {line}");
    }
}

#[test]
fn unrelated_messages_do_not_extend_the_deadline() {
    let Some(mut machine) = Machine::take() else { return };
    patient(&mut machine, 1);
    let strays = (0..200)
        .map(|tenth| Action::delay(Duration::from_millis(50 * tenth), Action::wrong_id(Action::Zone)));
    let _server = server(ADDRESS).zone(hosts()).script(Script::new().on_all(Action::many(strays))).start();
    is_over(&machine.ask("a:v4.example.test", ""), 1);
}

#[test]
fn an_endless_alias_chain_does_not_extend_the_deadline() {
    let Some(mut machine) = Machine::take() else { return };
    patient(&mut machine, 1);
    let endless = Script::new().with(|query, _, _| {
        let name = query.name();
        let alias = Record::cname(name.as_str(), &format!("x{}", &name), 30);
        Action::delay(Duration::from_millis(200), Action::Answer(Message::new().answer(alias)))
    });
    let _server = server(ADDRESS).zone(hosts()).script(endless).start();
    is_over(&machine.ask("a:v4.example.test", ""), 1);
}

#[test]
fn a_slow_tcp_stream_does_not_extend_the_deadline() {
    let Some(mut machine) = Machine::take() else { return };
    patient(&mut machine, 1);
    let drip = Action::tcp_drip(Duration::from_millis(200), Action::Zone);
    let script = Script::new().on_all(Action::truncate_then_tcp(drip));
    let _server = server(ADDRESS).zone(hosts()).script(script).start();
    is_over(&machine.ask("a:v4.example.test", ""), 1);
}

#[test]
fn a_fifo_instead_of_a_configuration_file_does_not_block() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = server(ADDRESS).zone(hosts()).start();
    for file in ["/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", SETTINGS] {
        patient(&mut machine, 30);
        machine.stuck(file);
        let start = Instant::now();
        machine.ask("both.example.test", "").is("192.0.2.2", 20);
        assert!(start.elapsed() < Duration::from_secs(20), "{file}");
        machine.file(file, "");
    }
}

#[test]
fn an_answer_within_the_deadline_is_unaffected() {
    let Some(mut machine) = Machine::take() else { return };
    patient(&mut machine, 3);
    let late = Script::new().on_all(Action::delay(Duration::from_millis(1500), Action::Zone));
    let _server = server(ADDRESS).zone(hosts()).script(late).start();
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}
