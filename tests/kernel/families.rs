//! The setting `family`: which address a request without options gets.

use crate::dns::Zone;
use crate::serving::{hosts, serve};
use crate::support::machine::{Machine, error};

#[test]
fn the_family_setting_selects_the_address() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let (v4, v6) = (Some("192.0.2.1"), Some("2001:db8::1"));
    for (family, of_v4, of_v6, of_both) in [
        ("ipv4-first", v4, v6, "192.0.2.2"),
        ("ipv6-first", v4, v6, "2001:db8::2"),
        ("ipv4", v4, None, "192.0.2.2"),
        ("ipv6", None, v6, "2001:db8::2"),
    ] {
        machine.settings(format!("family = {family}\n"));
        assert_eq!(machine.ask("both.example.test", "").text(), of_both, "{family}");
        for (name, expected) in [("v4.example.test", of_v4), ("v6.example.test", of_v6)] {
            let seen = machine.ask(name, "");
            match expected {
                Some(address) => assert_eq!(seen.text(), address, "{family} {name}"),
                None => assert_eq!(seen.error(), error::ENODATA, "{family} {name}"),
            }
        }
    }
}

#[test]
fn family_any_selects_the_first_address_by_rfc_6724() {
    let Some(mut machine) = Machine::take() else { return };
    machine.settings("family = any\n");
    let zone = Zone::new("example.test")
        .a("loopback", [127, 0, 0, 9], 30)
        .aaaa("loopback", [0, 0, 0, 0, 0, 0, 0, 1], 30)
        .a("v4", [192, 0, 2, 1], 30)
        .aaaa("v6", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 30);
    let _server = serve(&mut machine, zone);
    machine.ask("loopback.example.test", "").is("::1", 30);
    machine.ask("v4.example.test", "").is("192.0.2.1", 30);
    machine.ask("v6.example.test", "").is("2001:db8::1", 30);
}

#[test]
fn a_query_type_or_a_callout_word_overrides_the_family_setting() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.settings("family = ipv6\n");
    assert_eq!(machine.ask("a:both.example.test", "").text(), "192.0.2.2");
    assert_eq!(machine.ask("both.example.test", "ipv4").text(), "192.0.2.2");
    machine.settings("family = ipv4\n");
    assert_eq!(machine.ask("aaaa:both.example.test", "").text(), "2001:db8::2");
    assert_eq!(machine.ask("both.example.test", "ipv6").text(), "2001:db8::2");
    let list = machine.ask("both.example.test", "list").text();
    assert!(list.contains("192.0.2.2") && list.contains("2001:db8::2"), "{list}");
}
