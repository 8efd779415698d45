//! CNAME records.

use crate::dns::{Action, Message, Record, Script, Transport, Zone, flag, qtype};
use crate::serving::{hosts, queries, serve, serve_by};
use crate::support::machine::{Machine, error};

#[test]
fn a_chain_of_aliases_is_followed_and_its_smallest_ttl_applies() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts()
        .cname("one", "two", 50)
        .cname("two", "three", 15)
        .cname("three", "v4", 40)
        .cname("short", "both", 7)
        .cname("zero", "v4", 0)
        .cname("top", "v4", 0x8000_0001);
    let _server = serve(&mut machine, zone);
    machine.ask("one.example.test", "").is("192.0.2.1", 15);
    machine.ask("short.example.test", "").is("192.0.2.2", 7);
    machine.ask("aaaa:short.example.test", "").is("2001:db8::2", 7);
    machine.ask("zero.example.test", "").is("192.0.2.1", 1);
    machine.ask("top.example.test", "").is("192.0.2.1", 1);
}

#[test]
fn the_records_of_a_chain_may_come_in_any_order() {
    let Some(mut machine) = Machine::take() else { return };
    let answer = Message::new()
        .answer(Record::a("three.example.test", [192, 0, 2, 3], 40))
        .answer(Record::cname("TWO.example.test", "Three.Example.Test", 30))
        .answer(Record::cname("one.example.test", "two.EXAMPLE.test", 20));
    let script = Script::new().on("one.example.test", qtype::A, Action::Answer(answer));
    let _server = serve_by(&mut machine, hosts(), script);
    machine.ask("a:one.example.test", "").is("192.0.2.3", 20);
}

/// An answer of one alias and nothing else.
fn alias(owner: &str, target: &str, ttl: u32) -> Action {
    Action::Answer(Message::new().answer(Record::cname(owner, target, ttl)))
}

#[test]
fn a_chain_that_continues_in_another_message_is_followed() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let script = Script::new()
        .on("one.example.test", qtype::A, alias("one.example.test", "two.example.test", 12))
        .on("two.example.test", qtype::A, alias("two.example.test", "v4.example.test", 30));
    let server = serve_by(&mut machine, hosts(), script);
    machine.ask("a:one.example.test", "").is("192.0.2.1", 12);
    for name in ["one.example.test", "two.example.test", "v4.example.test"] {
        assert_eq!(server.count(name, qtype::A), 1, "{name}");
    }
}

#[test]
fn a_chain_over_several_messages_may_need_tcp_on_the_way() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let script = Script::new().on(
        "one.example.test",
        qtype::A,
        Action::truncate_then_tcp(alias("one.example.test", "v4.example.test", 30)),
    );
    let server = serve_by(&mut machine, hosts(), script);
    machine.ask("a:one.example.test", "").is("192.0.2.1", 30);
    let transports: Vec<Transport> = queries(&server).iter().map(|query| query.transport).collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp, Transport::Udp]);
}

#[test]
fn a_chain_to_a_name_that_does_not_exist_is_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    let zone =
        hosts().cname("gone", "nosuch", 50).cname("wrong", "v6", 50).cname("soon", "nosuch", 8).soa(22, 22);
    let _server = serve(&mut machine, zone);
    machine.ask("gone.example.test", "").fails(error::ENODATA, 22);
    machine.ask("a:wrong.example.test", "").fails(error::ENODATA, 22);
    machine.ask("soon.example.test", "").fails(error::ENODATA, 8);
    machine.ask("wrong.example.test", "").is("2001:db8::1", 45);
}

#[test]
fn a_loop_ends_as_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let zone = hosts().cname("self", "self", 30).cname("here", "there", 30).cname("there", "here", 30);
    let server = serve(&mut machine, zone);
    for name in ["self.example.test", "here.example.test"] {
        server.clear();
        assert_eq!(machine.ask(name, "").error(), error::ENODATA, "{name}");
        assert!(queries(&server).len() <= 4, "{name}: {} queries", queries(&server).len());
    }
}

#[test]
fn a_loop_over_several_messages_ends_as_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let script = Script::new()
        .on("here.example.test", qtype::A, alias("here.example.test", "there.example.test", 30))
        .on("there.example.test", qtype::A, alias("there.example.test", "HERE.example.test", 30));
    let server = serve_by(&mut machine, hosts(), script);
    assert_eq!(machine.ask("a:here.example.test", "").error(), error::ENODATA);
    assert!(queries(&server).len() <= 3, "{} queries", queries(&server).len());
}

#[test]
fn an_endless_chain_is_abandoned() {
    let Some(mut machine) = Machine::take() else { return };
    // Each name is an alias of the next one, in a message of its own.
    let endless = Script::new().with(|query, _, _| {
        let name = query.name();
        let (number, zone) = name.split_once('.').unwrap();
        let next = number.parse::<u32>().unwrap_or(0) + 1;
        alias(&name, &format!("{next}.{zone}"), 30)
    });
    let server = serve_by(&mut machine, hosts(), endless);
    assert_eq!(machine.ask("a:0.example.test", "").error(), error::ENODATA);
    assert!(queries(&server).len() <= 20, "{} queries", queries(&server).len());
}

#[test]
fn a_long_chain_in_one_message_is_followed() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = (0..8).fold(hosts().a("n8", [192, 0, 2, 8], 30), |zone, number| {
        zone.cname(&format!("n{number}"), &format!("n{}", number + 1), 30)
    });
    let _server = serve(&mut machine, zone);
    machine.ask("n0.example.test", "").is("192.0.2.8", 30);
}

#[test]
fn an_address_outside_the_chain_is_not_accepted() {
    let Some(mut machine) = Machine::take() else { return };
    let answer = Message::new()
        .set(flag::AA)
        .answer(Record::a("bank.example.test", [203, 0, 113, 66], 300))
        .answer(Record::cname("other.example.test", "evil.example.test", 300))
        .answer(Record::a("evil.example.test", [203, 0, 113, 67], 300))
        .additional(Record::a("one.example.test", [203, 0, 113, 68], 300))
        .authority(Record::a("one.example.test", [203, 0, 113, 69], 300));
    let script = Script::new().on("one.example.test", qtype::A, Action::Answer(answer.clone()));
    let server = serve_by(&mut machine, hosts(), script);
    assert_eq!(machine.ask("a:one.example.test", "").error(), error::ENODATA);
    let answer = answer.answer(Record::a("one.example.test", [192, 0, 2, 3], 30));
    server.change(|config| {
        config.script = Script::new().on("one.example.test", qtype::A, Action::Answer(answer));
    });
    machine.ask("a:one.example.test", "list").is("192.0.2.3", 30);
}

#[test]
fn aliases_may_lead_into_other_zones() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts().cname("away", "mon.elsewhere.test.", 30));
    server.change(|config| config.zones.push(Zone::new("elsewhere.test").a("mon", [192, 0, 2, 9], 10)));
    machine.ask("away.example.test", "").is("192.0.2.9", 10);
}
