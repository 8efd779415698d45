//! The search list of `resolv.conf(5)`: which absolute names a name stands for.

use crate::dns::{Action, Script, Zone, qtype};
use crate::serving::{asked, hosts, serve, serve_by};
use crate::support::machine::{Machine, error};

fn resolv_conf(machine: &mut Machine, lines: &str) {
    machine
        .file("/etc/resolv.conf", format!("options timeout:1 attempts:1\nnameserver 127.53.0.1\n{lines}\n"));
}

#[test]
fn a_bare_name_is_completed_with_each_domain_in_turn() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve_by(&mut machine, hosts(), Script::new());
    server.change(|config| config.zones.push(Zone::new("first.test").a("other", [192, 0, 2, 9], 30)));
    resolv_conf(&mut machine, "search first.test example.test");
    machine.ask("a:v4", "").is("192.0.2.1", 300);
    assert_eq!(asked(&server), ["v4.first.test", "v4.example.test"]);
}

#[test]
fn a_name_missing_in_every_domain_is_tried_as_is_last() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, Zone::new("first.test"));
    server.change(|config| config.zones.push(Zone::new("mon").a("@", [192, 0, 2, 9], 30)));
    resolv_conf(&mut machine, "search first.test");
    assert_eq!(machine.ask("a:mon", "").text(), "192.0.2.9");
    assert_eq!(asked(&server), ["mon.first.test", "mon"]);
}

#[test]
fn a_name_with_enough_dots_is_tried_as_it_is_first() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    resolv_conf(&mut machine, "search first.test");
    assert_eq!(machine.ask("a:v4.example.test", "").text(), "192.0.2.1");
    assert_eq!(asked(&server), ["v4.example.test"]);

    resolv_conf(&mut machine, "search example.test");
    server.clear();
    assert_eq!(machine.ask("a:deep.v4.example.test", "").error(), error::ENODATA);
    assert_eq!(asked(&server), ["deep.v4.example.test", "deep.v4.example.test.example.test"]);
}

#[test]
fn ndots_sets_how_many_dots_are_enough() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts().a("v4.x", [192, 0, 2, 5], 30));
    server.change(|config| config.zones.push(Zone::new("x").a("v4", [192, 0, 2, 6], 30)));
    resolv_conf(&mut machine, "search example.test");
    assert_eq!(machine.ask("a:v4.x", "").text(), "192.0.2.6");
    assert_eq!(asked(&server), ["v4.x"]);
    server.clear();
    resolv_conf(&mut machine, "search example.test\noptions ndots:2");
    assert_eq!(machine.ask("a:v4.x", "").text(), "192.0.2.5");
    assert_eq!(asked(&server), ["v4.x.example.test"]);
    server.clear();
    resolv_conf(&mut machine, "search example.test\noptions ndots:0");
    assert!(machine.ask("a:v4", "").payload.is_ok());
    assert_eq!(asked(&server), ["v4", "v4.example.test"]);
}

#[test]
fn a_trailing_dot_makes_a_name_absolute() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    resolv_conf(&mut machine, "search example.test");
    assert_eq!(machine.ask("a:v4.example.test.", "").text(), "192.0.2.1");
    assert_eq!(asked(&server), ["v4.example.test"]);
    server.clear();
    server.change(|config| config.zones.push(Zone::new("v4")));
    assert_eq!(machine.ask("a:v4.", "").error(), error::ENODATA);
    assert_eq!(asked(&server), ["v4"]);
}

#[test]
fn the_last_search_or_domain_line_wins() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    server.change(|config| config.zones.push(Zone::new("first.test").a("v4", [192, 0, 2, 9], 30)));
    resolv_conf(&mut machine, "search first.test\ndomain example.test");
    assert_eq!(machine.ask("a:v4", "").text(), "192.0.2.1");
    resolv_conf(&mut machine, "domain example.test\nsearch first.test");
    assert_eq!(machine.ask("a:v4", "").text(), "192.0.2.9");
    assert_eq!(asked(&server), ["v4.example.test", "v4.first.test"]);
}

#[test]
fn an_invalid_search_domain_is_skipped() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    let long = "d".repeat(64);
    resolv_conf(&mut machine, &format!("search {long}.test b\u{e4}d.test a..b example.test"));
    assert_eq!(machine.ask("a:v4", "").text(), "192.0.2.1");
    assert_eq!(asked(&server), ["v4.example.test"]);
}

#[test]
fn a_server_failure_in_one_domain_does_not_hide_the_next() {
    let Some(mut machine) = Machine::take() else { return };
    let script = Script::new().on("v4.first.test", qtype::A, Action::SERVFAIL);
    let _server = serve_by(&mut machine, hosts(), script);
    resolv_conf(&mut machine, "search first.test example.test");
    assert_eq!(machine.ask("a:v4", "").text(), "192.0.2.1");
}

#[test]
fn a_name_without_an_address_in_one_domain_is_tried_in_the_next() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    server.change(|config| config.zones.push(Zone::new("first.test").txt("v4", "x", 30)));
    resolv_conf(&mut machine, "search first.test example.test");
    assert_eq!(machine.ask("a:v4", "").text(), "192.0.2.1");
    // What the search ends with tells of the name that exists, not of the one that doesn't.
    resolv_conf(&mut machine, "search example.test first.test");
    server.change(|config| config.zones.push(Zone::new("mon")));
    assert_eq!(machine.ask("a:v6", "").error(), error::ENODATA);
}

#[test]
fn one_family_may_come_from_a_later_domain_than_the_other() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    server.change(|config| {
        config.zones.push(Zone::new("first.test").aaaa("v4", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], 30));
    });
    resolv_conf(&mut machine, "search first.test example.test");
    assert_eq!(machine.ask("v4", "").text(), "192.0.2.1");
    assert_eq!(machine.ask("aaaa:v4", "").text(), "2001:db8::9");
}
