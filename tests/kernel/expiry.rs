//! How long a key lasts.

use crate::dns::{Action, Message, Record, Script, Zone, qtype};
use crate::serving::{hosts, serve, serve_by};
use crate::support::machine::{Machine, error};

#[test]
fn a_ttl_of_zero_or_with_the_top_bit_set_expires_after_one_second() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts()
        .a("zero", [192, 0, 2, 3], 0)
        .a("top", [192, 0, 2, 4], 0x8000_0000)
        .a("all", [192, 0, 2, 5], 0xffff_ffff)
        .a("one", [192, 0, 2, 6], 1);
    let _server = serve(&mut machine, zone);
    machine.ask("zero.example.test", "").is("192.0.2.3", 1);
    machine.ask("top.example.test", "").is("192.0.2.4", 1);
    machine.ask("all.example.test", "").is("192.0.2.5", 1);
    machine.ask("one.example.test", "").is("192.0.2.6", 1);
}

#[test]
fn the_smallest_ttl_of_all_records_applies() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts().a("mixed", [192, 0, 2, 3], 50).a("mixed", [192, 0, 2, 4], 30).aaaa(
        "mixed",
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 3],
        12,
    );
    let _server = serve(&mut machine, zone);
    machine.ask("mixed.example.test", "ipv4 list").lasts(30);
    machine.ask("mixed.example.test", "ipv4").lasts(30);
    machine.ask("mixed.example.test", "list").lasts(12);
}

#[test]
fn max_ttl_limits_the_expiry_and_defaults_to_one_day() {
    let Some(mut machine) = Machine::take() else { return };
    let _server =
        serve(&mut machine, hosts().a("week", [192, 0, 2, 3], 604_800).a("max", [192, 0, 2, 4], 0x7fff_ffff));
    machine.ask("week.example.test", "").is("192.0.2.3", 86400);
    machine.ask("max.example.test", "").is("192.0.2.4", 86400);
    machine.settings("max_ttl = 17\n");
    machine.ask("week.example.test", "").is("192.0.2.3", 17);
    machine.ask("v4.example.test", "").is("192.0.2.1", 17);
    machine.settings("max_ttl = 2147483647\n");
    machine.ask("week.example.test", "").is("192.0.2.3", 604_800);
    // Over 68 years: more than the clock has counted. The kernel shows it in weeks.
    machine.ask("max.example.test", "").is("192.0.2.4", 0x7fff_ffff);
}

#[test]
fn a_negative_answer_lasts_for_the_smaller_soa_value_and_at_most_a_minute() {
    let Some(mut machine) = Machine::take() else { return };
    for (ttl, minimum, seconds) in [
        (20, 40, 20),
        (40, 20, 20),
        (3600, 3600, 60),
        (3600, 59, 59),
        (0, 300, 1),
        (300, 0, 1),
        (0x8000_0000, 300, 1),
        (300, 0xffff_ffff, 1),
    ] {
        let _server = serve(&mut machine, hosts().txt("text", "x", 300).soa(ttl, minimum));
        for name in ["nosuch.example.test", "text.example.test"] {
            let seen = machine.ask(name, "");
            assert_eq!(seen.error(), error::ENODATA, "{name} {ttl} {minimum}");
            seen.lasts(seconds);
        }
    }
}

#[test]
fn a_negative_answer_without_a_soa_lasts_a_minute() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts().txt("text", "x", 300).without_negative_soa());
    for name in ["nosuch.example.test", "text.example.test"] {
        machine.ask(name, "").fails(error::ENODATA, 60);
    }
}

#[test]
fn negative_ttl_limits_the_expiry_of_a_negative_answer() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts().soa(40, 40));
    machine.settings("negative_ttl = 9\n");
    machine.ask("nosuch.example.test", "").fails(error::ENODATA, 9);
    machine.settings("negative_ttl = 600\n");
    machine.ask("nosuch.example.test", "").fails(error::ENODATA, 40);
    server.change(|config| config.zones = vec![Zone::new("example.test").without_negative_soa()]);
    machine.ask("nosuch.example.test", "").fails(error::ENODATA, 600);
}

#[test]
fn the_shorter_negative_ttl_of_two_families_applies() {
    let Some(mut machine) = Machine::take() else { return };
    let nothing = |ttl| Action::Answer(Message::new().authority(Record::soa("example.test", ttl, ttl)));
    for (ipv4, ipv6) in [(30, 10), (10, 30)] {
        let script = Script::new().on_type(qtype::A, nothing(ipv4)).on_type(qtype::AAAA, nothing(ipv6));
        let _server = serve_by(&mut machine, hosts(), script);
        machine.ask("text.example.test", "").fails(error::ENODATA, 10);
        machine.ask("text.example.test", "list").fails(error::ENODATA, 10);
    }
}

#[test]
fn an_answer_missing_a_family_after_a_failure_expires_soon() {
    let Some(mut machine) = Machine::take() else { return };
    let fails = |record_type| Script::new().on_type(record_type, Action::SERVFAIL);
    let server = serve_by(&mut machine, hosts(), fails(qtype::A));
    machine.ask("both.example.test", "").is("2001:db8::2", 5);
    machine.ask("both.example.test", "list ipv4,ipv6").is("2001:db8::2", 5);
    machine.settings("default_ttl = 9\n");
    server.change(|config| config.script = fails(qtype::AAAA));
    machine.ask("both.example.test", "list ipv6,ipv4").is("192.0.2.2", 9);
    // The requested family is complete.
    machine.ask("both.example.test", "ipv4").is("192.0.2.2", 20);
    // That there is nothing is no failure.
    server.change(|config| config.script = Script::new());
    machine.ask("v4.example.test", "list ipv4,ipv6").is("192.0.2.1", 300);
}
