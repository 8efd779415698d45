//! Answers that should not be accepted: forged, broken, or beside the point.

use crate::dns::{Action, Edns, Message, Part, Patch, Record, Script, class, flag, qtype};
use crate::serving::{hosts, serve_by};
use crate::support::machine::{Machine, error};
use std::time::Duration;

pub const NAME: &str = "both.example.test";

/// An answer that would send the mount to somebody else.
pub fn forged() -> Action {
    Action::Answer(Message::new().set(flag::AA).answer(Record::a(NAME, [203, 0, 113, 66], 300)))
}

/// Everything that is not an answer to the query.
fn strays() -> Vec<(&'static str, Action)> {
    vec![
        ("another id", Action::wrong_id(forged())),
        ("another question", Action::wrong_question(forged())),
        ("another type", Action::Answer(Message::new().question(NAME, qtype::TXT, class::IN))),
        ("another class", Action::Answer(Message::new().question(NAME, qtype::A, class::CHAOS))),
        (
            "no question",
            Action::Answer(Message::new().no_question().answer(Record::a(NAME, [203, 0, 113, 66], 9))),
        ),
        ("another port", Action::wrong_source(forged())),
        ("another address", Action::from_addr("127.53.0.99:0".parse().unwrap(), forged())),
        (
            "no response",
            Action::Answer(Message::new().clear(flag::QR).answer(Record::a(NAME, [203, 0, 113, 66], 9))),
        ),
        ("noise", Action::Garbage),
        ("an empty datagram", Action::EmptyDatagram),
        ("one byte", Action::Raw(vec![7], Patch::Nothing)),
        ("half a header", Action::Raw(vec![0, 0, 0x84, 0, 0, 1], Patch::Id)),
        ("a header alone", Action::Raw(vec![0, 0, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0], Patch::Id)),
        (
            "a question that points at itself",
            Action::Raw(vec![0, 0, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1], Patch::Id),
        ),
        ("65,000 bytes of nothing", Action::Raw(vec![0; 65_000], Patch::Id)),
    ]
}

#[test]
fn what_is_no_answer_is_passed_over_and_the_answer_after_it_counts() {
    let Some(mut machine) = Machine::take() else { return };
    for (what, stray) in strays() {
        let late = Action::delay(Duration::from_millis(50), Action::Zone);
        let script = Script::new().on(NAME, qtype::A, Action::many([stray, late]));
        let _server = serve_by(&mut machine, hosts(), script);
        let seen = machine.ask(format!("a:{NAME}"), "");
        assert_eq!(seen.text(), "192.0.2.2", "{what}");
        seen.lasts(20);
    }
}

#[test]
fn what_is_no_answer_alone_is_as_good_as_silence() {
    let Some(mut machine) = Machine::take() else { return };
    let strays: Vec<Action> = strays().into_iter().map(|(_, stray)| stray).collect();
    let _server = serve_by(&mut machine, hosts(), Script::new().on(NAME, qtype::A, Action::many(strays)));
    let seen = machine.ask(format!("a:{NAME}"), "");
    seen.fails(error::EAGAIN, 1);
    assert!(seen.took >= Duration::from_secs(1), "{:?}", seen.took);
}

#[test]
fn records_of_another_class_or_of_invalid_length_are_ignored() {
    let Some(mut machine) = Machine::take() else { return };
    let evil = || Record::a(NAME, [203, 0, 113, 66], 1);
    for (what, record) in [
        ("class", evil().class(class::CHAOS)),
        ("any class", evil().class(class::ANY)),
        ("short", evil().cut(3)),
        ("empty", evil().cut(0)),
        ("long", Record::new(NAME, qtype::A, 1, [Part::Bytes(vec![203, 0, 113, 66, 0])])),
        ("sixteen bytes", Record::new(NAME, qtype::A, 1, [Part::Bytes(vec![1; 16])])),
        ("an alias without an end", Record::new(NAME, qtype::CNAME, 1, [Part::Bytes(vec![5, b'a'])])),
        ("an alias that points at itself", Record::new(NAME, qtype::CNAME, 1, [Part::Here(0)])),
        ("an alias that points ahead", Record::new(NAME, qtype::CNAME, 1, [Part::Pointer(0x3fff)])),
        ("another type", Record::txt(NAME, "x", 1)),
        ("a type nobody knows", Record::new(NAME, 65_399, 1, [Part::Bytes(vec![0; 9])])),
    ] {
        let answer = Message::new().set(flag::AA).answer(record).answer(Record::a(NAME, [192, 0, 2, 2], 20));
        let script = Script::new().on(NAME, qtype::A, Action::Answer(answer));
        let _server = serve_by(&mut machine, hosts(), script);
        let seen = machine.ask(format!("a:{NAME}"), "list");
        assert_eq!(seen.text(), "192.0.2.2", "{what}");
        seen.lasts(20);
    }
}

#[test]
fn a_record_longer_than_the_message_ends_it() {
    let Some(mut machine) = Machine::take() else { return };
    let good = || Message::new().set(flag::AA).answer(Record::a(NAME, [192, 0, 2, 2], 20));
    let bad = [
        ("in the data", good().answer(Record::a(NAME, [203, 0, 113, 66], 300).rdlength(0xffff))),
        ("by a count", good().count(1, 0xffff)),
        (
            "an owner that points at itself",
            good().answer(Record::a(NAME, [9; 4], 9).owner_parts([Part::Here(0)])),
        ),
        (
            "an owner over 255 bytes",
            good().answer(
                Record::a(NAME, [9; 4], 9)
                    .owner_parts([Part::Bytes([&[63][..], &[b'a'; 63]].concat().repeat(5))]),
            ),
        ),
    ];
    for (what, answer) in bad {
        let script = Script::new().on(NAME, qtype::A, Action::Answer(answer));
        let _server = serve_by(&mut machine, hosts(), script);
        let seen = machine.ask(format!("a:{NAME}"), "list");
        assert_eq!(seen.text(), "192.0.2.2", "{what}");
    }
}

#[test]
fn an_unreadable_answer_is_not_taken_as_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    for (what, answer) in [
        ("too short", Message::new().answer(Record::a(NAME, [203, 0, 113, 66], 300).cut(3))),
        ("too long a count", Message::new().count(1, 7)),
    ] {
        let script = Script::new().on(NAME, qtype::A, Action::Answer(answer));
        let _server = serve_by(&mut machine, hosts(), script);
        let seen = machine.ask(format!("a:{NAME}"), "");
        assert_eq!(seen.error(), error::EAGAIN, "{what}");
        seen.lasts(1);
    }
}

#[test]
fn trailing_bytes_and_odd_edns_options_are_harmless() {
    let Some(mut machine) = Machine::take() else { return };
    let good = || Message::new().set(flag::AA).answer(Record::a(NAME, [192, 0, 2, 2], 20));
    let odd = Edns { version: 7, options: vec![0xff; 40], ..Edns::new(0) };
    for answer in [good().tail(vec![0xff; 500]), good().edns(odd), good().no_edns(), good().count(3, 9)] {
        let script = Script::new().on(NAME, qtype::A, Action::Answer(answer));
        let _server = serve_by(&mut machine, hosts(), script);
        machine.ask(format!("a:{NAME}"), "").is("192.0.2.2", 20);
    }
}

#[test]
fn an_invalid_soa_record_leaves_the_default_negative_ttl() {
    let Some(mut machine) = Machine::take() else { return };
    let cut = Message::new().rcode(3).authority(Record::soa("example.test", 5, 5).cut(9));
    let foreign = Message::new().rcode(3).authority(Record::soa("example.test", 5, 5).class(class::CHAOS));
    for answer in [cut, foreign] {
        let _server = serve_by(&mut machine, hosts(), Script::new().on_all(Action::Answer(answer)));
        machine.ask(NAME, "").fails(error::ENODATA, 60);
    }
}
