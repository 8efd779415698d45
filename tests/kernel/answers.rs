//! The answers for a name, by its type and the callout words.

use crate::dns::qtype;
use crate::serving::{hosts, serve, unasked};
use crate::support::asking::{Ask, caught};
use crate::support::machine::{Machine, error};

#[test]
fn an_empty_callout_gets_exactly_one_ipv4_address_and_the_records_ttl() {
    let Some(mut machine) = Machine::take() else { return };
    machine.no_hedge();
    let server = serve(&mut machine, hosts());
    machine.ask("v4.example.test", "").is("192.0.2.1", 300);
    assert_eq!(server.count("v4.example.test", qtype::A), 1);
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn a_name_with_no_ipv4_address_gets_its_ipv6_address() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.ask("v6.example.test", "").is("2001:db8::1", 45);
}

#[test]
fn of_several_addresses_an_empty_callout_gets_one() {
    let Some(mut machine) = Machine::take() else { return };
    let zone =
        hosts().a("many", [192, 0, 2, 7], 30).a("many", [192, 0, 2, 8], 30).a("many", [192, 0, 2, 9], 30);
    let _server = serve(&mut machine, zone);
    let text = machine.ask("many.example.test", "").text();
    assert!(["192.0.2.7", "192.0.2.8", "192.0.2.9"].contains(&text.as_str()), "{text}");
}

#[test]
fn a_name_that_does_not_exist_is_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    assert_eq!(machine.ask("nosuch.example.test", "").error(), error::ENODATA);
}

#[test]
fn a_query_type_selects_the_family_regardless_of_case() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    for (name, expected) in [
        ("a:both.example.test", "192.0.2.2"),
        ("A:both.example.test", "192.0.2.2"),
        ("aaaa:both.example.test", "2001:db8::2"),
        ("AAAA:both.example.test", "2001:db8::2"),
    ] {
        assert_eq!(machine.ask(name, "").text(), expected, "{name}");
    }
}

#[test]
fn a_query_type_never_gets_an_address_of_the_other_family() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    for name in ["a:v6.example.test", "aaaa:v4.example.test"] {
        assert_eq!(machine.ask(name, "").error(), error::ENODATA, "{name}");
        assert_eq!(machine.ask(name, "list").error(), error::ENODATA, "{name}");
    }
}

#[test]
fn callout_words_override_the_query_type() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    for (name, callout, expected) in [
        ("both.example.test", "ipv4", "192.0.2.2"),
        ("both.example.test", "ipv6", "2001:db8::2"),
        ("a:both.example.test", "ipv6", "2001:db8::2"),
        ("aaaa:both.example.test", "ipv4", "192.0.2.2"),
        ("a:v6.example.test", "ipv4 ipv6", "2001:db8::1"),
        ("v6.example.test", "ipv6 ipv4", "2001:db8::1"),
        ("v4.example.test", "ipv6 ipv4", "192.0.2.1"),
    ] {
        assert_eq!(machine.ask(name, callout).text(), expected, "{name} {callout}");
    }
    for (name, callout) in [("v4.example.test", "ipv6"), ("v6.example.test", "ipv4")] {
        assert_eq!(machine.ask(name, callout).error(), error::ENODATA, "{name} {callout}");
    }
}

#[test]
fn list_returns_every_address_of_the_requested_families() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts().a("two", [192, 0, 2, 7], 30).a("two", [192, 0, 2, 8], 30);
    let _server = serve(&mut machine, zone.aaaa("two", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], 30));
    for (name, callout, expected) in [
        ("two.example.test", "list", ["192.0.2.7", "192.0.2.8", "2001:db8::7"].as_slice()),
        ("two.example.test", "ipv4 ipv6 list", &["192.0.2.7", "192.0.2.8", "2001:db8::7"]),
        ("two.example.test", "list ipv4", &["192.0.2.7", "192.0.2.8"]),
        ("two.example.test", "ipv6 list", &["2001:db8::7"]),
        ("a:two.example.test", "list", &["192.0.2.7", "192.0.2.8"]),
        ("aaaa:two.example.test", "list", &["2001:db8::7"]),
        ("v6.example.test", "list", &["2001:db8::1"]),
    ] {
        let text = machine.ask(name, callout).text();
        let mut addresses: Vec<&str> = text.split(',').collect();
        addresses.sort_unstable();
        assert_eq!(addresses, expected, "{name} {callout}");
    }
}

#[test]
fn words_are_split_at_spaces_and_commas_and_unknown_ones_are_ignored() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    for callout in
        ["ipv6,list", " ipv6  list ", ",,ipv6,", "ipv6,bogus", "bogus ipv6=1 ipv6", "srv=1,ipv6", "\x07 ipv6"]
    {
        assert_eq!(machine.ask("both.example.test", callout).text(), "2001:db8::2", "{callout:?}");
    }
    for callout in ["bogus", "IPV6", "ipv6list", ";ipv6", "#", " "] {
        assert_eq!(machine.ask("both.example.test", callout).text(), "192.0.2.2", "{callout:?}");
    }
    assert_eq!(machine.ask("both.example.test", b"\xff\xfe ipv6").text(), "2001:db8::2");
    assert_eq!(machine.ask("both.example.test", "x ".repeat(2000) + "ipv6").text(), "2001:db8::2");
}

#[test]
fn an_unknown_query_type_is_invalid_and_sends_no_query() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    for name in [
        "mx:example.test",
        "ptr:1.2.0.192.in-addr.arpa",
        ":v4.example.test",
        "a a:v4.example.test",
        "aaaaa:x",
    ] {
        let seen = machine.ask(name, "");
        assert_eq!(seen.error(), error::EINVAL, "{name}");
        seen.lasts(1);
    }
    unasked(&server);
}

#[test]
fn a_user_without_privileges_is_answered() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let nobody = Ask { user: 65534, ..Ask::new("both.example.test") };
    caught(|| nobody.once()).is("192.0.2.2", 20);
}

#[test]
fn an_answer_beyond_the_quota_of_the_caller_is_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = (0..700).fold(hosts(), |zone, number| {
        zone.aaaa("huge", [0x2001, 0xdb8, 0xfedc, 0xba98, 0x7654, 0x3210, 0xf000, 0xf000 + number], 30)
    });
    let _server = serve(&mut machine, zone);
    assert_eq!(machine.ask("huge.example.test", "list").text().split(',').count(), 700);
    let nobody = Ask { user: 65534, callout: b"list", ..Ask::new("huge.example.test") };
    let seen = caught(|| nobody.once());
    assert_eq!(seen.error(), error::EAGAIN);
    seen.lasts(1);
}
