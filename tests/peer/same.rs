//! Where keyutils is right, ours gives the same payload.

use crate::ask;
use crate::dns::{Action, Script, qtype};
use crate::serving::{ADDRESS, OTHER, hosts, serve, serve_by, server, unasked};
use crate::support::machine::Machine;

/// Fails the test unless both give the same text.
#[track_caller]
fn agree(machine: &mut Machine, name: &str, callout: &str) -> String {
    let pair = ask(machine, name, callout);
    let text = pair.keyutils.text();
    assert_eq!(pair.ours.text(), text, "{name} {callout:?}");
    text
}

/// Fails the test unless both give the same addresses, in whichever order.
#[track_caller]
fn agree_on_all(machine: &mut Machine, name: &str, callout: &str) {
    let pair = ask(machine, name, callout);
    let sorted = |text: String| {
        let mut addresses: Vec<String> = text.split(',').map(str::to_owned).collect();
        addresses.sort_unstable();
        addresses
    };
    assert_eq!(sorted(pair.ours.text()), sorted(pair.keyutils.text()), "{name} {callout:?}");
}

#[test]
fn one_address_of_a_host() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts()
        .a("many", [10, 0, 0, 3], 30)
        .a("many", [10, 0, 0, 1], 30)
        .a("many", [10, 0, 0, 2], 30)
        .cname("alias", "middle", 30)
        .cname("middle", "both", 30)
        .a("a_b", [192, 0, 2, 5], 30);
    let _server = serve(&mut machine, zone);
    for (name, callout) in [
        ("v4.example.test", ""),
        ("both.example.test", ""),
        ("many.example.test", ""),
        ("alias.example.test", ""),
        ("a_b.example.test", ""),
        ("V4.Example.TEST", ""),
        ("v4.example.test.", ""),
        ("a:v4.example.test", ""),
        ("a:both.example.test", ""),
        ("both.example.test", "ipv4"),
        ("both.example.test", "ipv6"),
        ("v6.example.test", "ipv6"),
        ("a:both.example.test", "ipv6"),
        ("aaaa:both.example.test", "ipv4"),
        ("aaaa:both.example.test", "ipv6"),
        ("both.example.test", "bogus"),
        ("both.example.test", "bogus ipv6"),
    ] {
        agree(&mut machine, name, callout);
    }
}

#[test]
fn all_addresses_of_a_host() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = (0..60).fold(hosts(), |zone, number| zone.a("sixty", [10, 0, 0, number], 30));
    let zone =
        (0..60).fold(zone, |zone, number| zone.aaaa("sixty", [0x2001, 0xdb8, 0, 0, 0, 0, 0, number], 30));
    let zone = zone.a("twice", [10, 0, 0, 1], 30).a("twice", [10, 0, 0, 2], 30).a("twice", [10, 0, 0, 1], 30);
    let _server = serve(&mut machine, zone);
    for name in [
        "v4.example.test",
        "v6.example.test",
        "both.example.test",
        "twice.example.test",
        "sixty.example.test",
    ] {
        agree_on_all(&mut machine, name, "list");
    }
    agree_on_all(&mut machine, "sixty.example.test", "list ipv4");
    agree_on_all(&mut machine, "sixty.example.test", "ipv6 list");
    agree_on_all(&mut machine, "aaaa:v6.example.test", "list");
}

#[test]
fn the_order_of_a_list() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts()
        .a("loopback", [127, 0, 0, 9], 30)
        .aaaa("loopback", [0, 0, 0, 0, 0, 0, 0, 1], 30)
        .a("four", [10, 0, 0, 3], 30)
        .a("four", [10, 0, 0, 1], 30)
        .a("four", [10, 0, 0, 2], 30);
    let _server = serve(&mut machine, zone);
    agree(&mut machine, "four.example.test", "list");
    agree(&mut machine, "loopback.example.test", "list");
    agree(&mut machine, "both.example.test", "list");
}

#[test]
fn addresses_as_names() {
    let Some(mut machine) = Machine::take() else { return };
    for name in ["192.0.2.7", "127.1", "0x7f.1", "010.0.0.1", "3221225985", "a:192.0.2.7"] {
        agree(&mut machine, name, "");
        agree(&mut machine, name, "list");
    }
    for name in ["aaaa:2001:DB8::7", "aaaa:::1", "aaaa:::ffff:192.0.2.1"] {
        agree(&mut machine, name, "ipv6");
    }
}

#[test]
fn names_in_the_hosts_file() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.file("/etc/host.conf", "multi on\n");
    let lines =
        "127.0.0.1 localhost\n10.0.0.4 v4.example.test alias # comment\n2001:db8::44 alias\n10.0.0.5 alias\n";
    machine.file("/etc/hosts", lines);
    agree(&mut machine, "v4.example.test", "");
    agree(&mut machine, "ALIAS", "");
    agree(&mut machine, "alias", "ipv6");
    agree_on_all(&mut machine, "alias", "list");
    agree(&mut machine, "localhost", "");
    unasked(&server);
    // Only an IPv6 line: DNS has the IPv4 address.
    machine.file("/etc/hosts", "2001:db8::44 both.example.test\n");
    agree(&mut machine, "both.example.test", "");
    machine.file("/etc/nsswitch.conf", "hosts: dns files\n");
    machine.file("/etc/hosts", "10.0.0.4 v4.example.test\n");
    agree(&mut machine, "v4.example.test", "");
}

#[test]
fn the_search_list() {
    let Some(mut machine) = Machine::take() else { return };
    let zone = hosts().a("v4.deep", [192, 0, 2, 9], 30);
    let _server = server(ADDRESS).zone(zone).outside(crate::dns::rcode::NXDOMAIN).start();
    for (lines, names) in [
        ("search other.test example.test", ["v4", "v4.deep", "both.example.test"].as_slice()),
        ("search deep.example.test example.test", &["v4", "both"]),
        ("domain example.test", &["v4", "v4.deep"]),
        ("search other.test\ndomain example.test", &["v4"]),
        ("search example.test\noptions ndots:3", &["v4.deep", "v4.example.test"]),
        ("search example.test.", &["v4"]),
    ] {
        let options = "options timeout:1 attempts:1";
        machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\n{options}\n{lines}\n"));
        for name in names {
            agree(&mut machine, name, "");
        }
    }
}

#[test]
fn answers_over_tcp_and_from_a_second_server() {
    let Some(mut machine) = Machine::take() else { return };
    let truncated = Action::truncate_then_tcp(Action::Zone);
    let strays = Action::many([Action::wrong_id(Action::NXDOMAIN), Action::Zone]);
    let script =
        Script::new().on("v4.example.test", qtype::A, truncated).on("both.example.test", qtype::A, strays);
    let server = serve_by(&mut machine, hosts(), script);
    agree(&mut machine, "v4.example.test", "");
    agree(&mut machine, "both.example.test", "");
    machine.name_servers(&[OTHER, ADDRESS]);
    server.change(|config| config.script = Script::new());
    agree(&mut machine, "v4.example.test", "");
    for trouble in [Action::SERVFAIL, Action::REFUSED, Action::Silence] {
        let _first = crate::serving::server(OTHER).script(Script::new().on_all(trouble)).start();
        agree(&mut machine, "v4.example.test", "");
    }
}
