//! Names that are addresses.

use crate::serving::{hosts, serve, unasked};
use crate::support::machine::{Machine, error};

#[test]
fn a_literal_address_is_answered_with_default_ttl_without_a_query() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    for (name, expected) in [
        ("192.0.2.7", "192.0.2.7"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0300.0.2.010", "192.0.2.8"),
        ("3221225985", "192.0.2.1"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("::1", "::1"),
        ("::", "::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("a:192.0.2.7", "192.0.2.7"),
        ("aaaa:2001:db8::7", "2001:db8::7"),
    ] {
        let seen = machine.ask(name, "");
        assert_eq!(seen.text(), expected, "{name}");
        seen.lasts(5);
        assert_eq!(machine.ask(name, "list").text(), expected, "{name}");
    }
    machine.settings("default_ttl = 33\n");
    machine.ask("192.0.2.7", "").is("192.0.2.7", 33);
    unasked(&server);
}

#[test]
fn an_address_of_the_other_family_is_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    for (name, callout) in
        [("aaaa:192.0.2.7", ""), ("192.0.2.7", "ipv6"), ("a:2001:db8::7", ""), ("2001:db8::7", "ipv4")]
    {
        let seen = machine.ask(name, callout);
        assert_eq!(seen.error(), error::ENODATA, "{name} {callout}");
        seen.lasts(60);
    }
    unasked(&server);
}

#[test]
fn an_address_with_a_scope_is_invalid_as_no_payload_can_carry_it() {
    let Some(machine) = Machine::take() else { return };
    machine.ask("fe80::1%lo", "").fails(error::EINVAL, 1);
}
