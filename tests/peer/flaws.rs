//! The known flaws of keyutils' helper, none of which ours has.

use crate::dns::{Action, Message, Record, Script, qtype};
use crate::serving::{hosts, serve, serve_by};
use crate::support::asking::{Ask, caught};
use crate::support::machine::{HELPER, KEYUTILS_HELPER, Machine, error};
use crate::{ask, flawed};
use std::collections::BTreeSet;

const EINTR: &str = "request_key: Interrupted system call";
const UNANSWERED: &str = "request_key: Required key not available";

#[test]
fn an_unknown_name_is_not_reported_as_an_interrupted_system_call() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts().soa(25, 25).txt("text", "x", 30));
    for name in ["nosuch.example.test", "text.example.test"] {
        let pair = ask(&mut machine, name, "");
        flawed(pair.keyutils.error() == EINTR, "an unknown name answers EINTR");
        pair.ours.fails(error::ENODATA, 25);
    }
}

#[test]
fn a_temporary_failure_is_not_reported_as_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    let script = Script::new()
        .on("servfail.example.test", qtype::A, Action::SERVFAIL)
        .on("refused.example.test", qtype::A, Action::REFUSED)
        .on("silent.example.test", qtype::A, Action::Silence);
    let _server = serve_by(&mut machine, hosts(), script);
    let nosuch = ask(&mut machine, "nosuch.example.test", "").keyutils;
    for (name, error, seconds) in [
        ("servfail.example.test", error::EAGAIN, 1),
        ("silent.example.test", error::EAGAIN, 1),
        ("refused.example.test", error::ECONNREFUSED, 10),
    ] {
        let pair = ask(&mut machine, name, "");
        flawed(pair.keyutils.error() == nosuch.error(), "every failure looks the same");
        pair.ours.fails(error, seconds);
    }
}

#[test]
fn a_key_expires_with_its_records_even_if_their_ttl_is_zero() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts().cname("alias", "v4", 15).a("zero", [192, 0, 2, 3], 0);
    let _server = serve(&mut machine, zone);
    for (name, seconds) in [("both.example.test", 20), ("alias.example.test", 15), ("zero.example.test", 1)] {
        let pair = ask(&mut machine, name, "");
        flawed(pair.keyutils.seconds() <= 5, "records' TTLs are ignored");
        assert_eq!(pair.ours.text(), pair.keyutils.text());
        pair.ours.lasts(seconds);
    }
}

#[test]
fn a_semicolon_in_a_name_does_not_make_it_another_query() {
    let Some(mut machine) = Machine::take() else { return };
    for name in ["afsdb:foo;a:localhost", "x;localhost"] {
        let pair = ask(&mut machine, name, "");
        flawed(pair.keyutils.payload.is_ok(), "descriptions are split at the last semicolon");
        pair.ours.fails(error::EINVAL, 1);
    }
}

#[test]
fn aaaa_without_words_is_answered_with_ipv6() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let pair = ask(&mut machine, "aaaa:both.example.test", "");
    flawed(pair.keyutils.payload.is_ok_and(|text| text == b"192.0.2.2"), "aaaa: answers IPv4");
    assert_eq!(pair.ours.text(), "2001:db8::2");
    let pair = ask(&mut machine, "a:v6.example.test", "list");
    flawed(pair.keyutils.payload.is_ok_and(|text| text == b"2001:db8::1"), "a: lists IPv6");
    assert_eq!(pair.ours.error(), error::ENODATA);
}

#[test]
fn a_long_list_is_not_cut() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = (0..200).fold(hosts(), |zone, number| zone.a("many", [10, 0, 0, number], 30));
    let _server = serve(&mut machine, zone);
    let pair = ask(&mut machine, "many.example.test", "ipv4 list");
    flawed(pair.keyutils.text().split(',').count() < 200, "a list is cut near 127 addresses");
    let text = pair.ours.text();
    assert_eq!(text.split(',').collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn a_host_with_only_an_ipv6_address_is_found() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let pair = ask(&mut machine, "v6.example.test", "");
    flawed(pair.keyutils.payload.is_err(), "no IPv6 for an empty callout");
    assert_eq!(pair.ours.text(), "2001:db8::1");
}

#[test]
fn an_ipv6_address_is_a_name_and_not_a_type() {
    let Some(mut machine) = Machine::take() else { return };
    for name in ["::1", "2001:db8::7"] {
        let pair = ask(&mut machine, name, "");
        flawed(pair.keyutils.payload.is_err(), "an IPv6 address is taken for a query type");
        assert_eq!(pair.ours.text(), name);
    }
}

#[test]
fn callout_words_may_be_separated_by_commas() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let pair = ask(&mut machine, "both.example.test", "ipv6,list");
    flawed(pair.keyutils.payload.is_err(), "a comma in the callout is fatal");
    assert_eq!(pair.ours.text(), "2001:db8::2");
}

#[test]
fn both_families_may_be_requested_by_name() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let pair = ask(&mut machine, "both.example.test", "ipv4 ipv6 list");
    flawed(
        pair.keyutils.payload.is_ok_and(|text| !text.contains(&b',')),
        "the last family word counts alone",
    );
    let text = pair.ours.text();
    assert!(text.contains("192.0.2.2") && text.contains("2001:db8::2"), "{text}");
    assert_eq!(ask(&mut machine, "v4.example.test", "ipv4 ipv6").ours.text(), "192.0.2.1");
}

#[test]
fn an_unknown_query_type_does_not_leave_the_key_unanswered() {
    let Some(mut machine) = Machine::take() else { return };
    let pair = ask(&mut machine, "mx:example.test", "");
    flawed(pair.keyutils.error() == UNANSWERED, "another query type leaves the key unanswered");
    pair.ours.fails(error::EINVAL, 1);
}

#[test]
fn a_chain_of_aliases_may_continue_in_another_message() {
    let Some(mut machine) = Machine::take() else { return };
    let alias = Message::new().answer(Record::cname("far.example.test", "v4.example.test", 30));
    let script = Script::new().on("far.example.test", qtype::A, Action::Answer(alias));
    let _server = serve_by(&mut machine, hosts(), script);
    let pair = ask(&mut machine, "far.example.test", "");
    flawed(pair.keyutils.payload.is_err(), "a chain ends with its first message");
    pair.ours.is("192.0.2.1", 30);
}

#[test]
fn wrong_usage_does_not_leave_the_key_unanswered() {
    let Some(mut machine) = Machine::take() else { return };
    for arguments in ["", "--bogus %k", "-x %k", "%k %k", "-D %k"] {
        machine.rule(&format!("create dns_resolver * * {KEYUTILS_HELPER} {arguments}"));
        let keyutils = machine.ask("localhost", "");
        flawed(keyutils.error() == UNANSWERED, "wrong usage leaves the key unanswered");
        machine.rule(&format!("create dns_resolver * * {HELPER} {arguments}"));
        machine.ask("localhost", "").fails(error::EINVAL, 1);
    }
}

#[test]
fn a_key_of_another_type_is_not_left_unanswered() {
    let Some(mut machine) = Machine::take() else { return };
    let ask = Ask { key_type: "user", ..Ask::new("localhost") };
    machine.rule(&format!("create user localhost * {KEYUTILS_HELPER} %k"));
    flawed(caught(|| ask.once()).error() == UNANSWERED, "a key of another type is left unanswered");
    machine.rule(&format!("create user localhost * {HELPER} %k"));
    assert_eq!(caught(|| ask.once()).error(), format!("request_key: {}", error::EINVAL));
}
