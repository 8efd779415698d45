//! The hosts file.

use crate::serving::{hosts, serve, unasked};
use crate::support::machine::{Machine, error};

#[test]
fn a_name_in_the_hosts_file_is_answered_with_default_ttl_without_a_query() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.file("/etc/host.conf", "multi on\n");
    machine
        .file("/etc/hosts", "127.0.0.1 localhost\n10.0.0.4 v4.example.test\n2001:db8::44 v4.example.test\n");
    machine.ask("v4.example.test", "").is("10.0.0.4", 5);
    machine.ask("aaaa:v4.example.test", "").is("2001:db8::44", 5);
    machine.settings("default_ttl = 40\n");
    machine.ask("v4.example.test", "").is("10.0.0.4", 40);
    unasked(&server);
}

#[test]
fn every_name_of_a_hosts_line_matches_regardless_of_case() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let lines = "# 10.0.0.1 alpha\n10.0.0.2\tAlpha.Example.Test  alpha\tbeta # gamma\n\n  10.0.0.3 delta#epsilon\nbogus zeta";
    machine.file("/etc/hosts", lines);
    for (name, address) in [
        ("alpha.example.test", "10.0.0.2"),
        ("ALPHA", "10.0.0.2"),
        ("beta", "10.0.0.2"),
        ("delta", "10.0.0.3"),
    ] {
        assert_eq!(machine.ask(name, "").text(), address, "{name}");
    }
    // A trailing dot is part of the name there, as for glibc.
    for name in ["gamma", "epsilon", "zeta", "beta."] {
        assert!(machine.ask(name, "").payload.is_err(), "{name}");
    }
}

#[test]
fn with_multi_on_a_list_has_the_addresses_of_every_matching_line() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.file("/etc/host.conf", "multi on\n");
    machine.file("/etc/hosts", "10.0.0.1 mon\n10.0.0.2 x mon\n10.0.0.1 mon\n2001:db8::1 mon\n");
    assert_eq!(machine.ask("mon", "ipv4 list").text(), "10.0.0.1,10.0.0.2");
    let list = machine.ask("mon", "list").text();
    let mut addresses: Vec<&str> = list.split(',').collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["10.0.0.1", "10.0.0.2", "2001:db8::1"]);
    assert_eq!(machine.ask("mon", "").text(), "10.0.0.1");
}

#[test]
fn a_family_that_the_hosts_file_lacks_is_looked_up_in_dns() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.file("/etc/hosts", "2001:db8::44 v4.example.test v6only.example.test\n");
    assert_eq!(machine.ask("v4.example.test", "").text(), "192.0.2.1");
    assert_eq!(machine.ask("v6only.example.test", "").text(), "2001:db8::44");
    assert_eq!(machine.ask("a:v6only.example.test", "").error(), error::ENODATA);
}

#[test]
fn a_bare_name_is_looked_up_in_the_hosts_file_before_the_search_list() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.file("/etc/resolv.conf", "search example.test\nnameserver 127.53.0.1\n");
    machine.file("/etc/hosts", "10.0.0.4 v4\n");
    assert_eq!(machine.ask("a:v4", "").text(), "10.0.0.4");
    unasked(&server);
}

#[test]
fn an_unreadable_hosts_file_is_skipped() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.unreadable("/etc/hosts");
    machine.ask("both.example.test", "").is("192.0.2.2", 20);
}

#[test]
fn localhost_is_the_loopback_address_without_any_file_or_server() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    machine.file("/etc/hosts", "");
    assert_eq!(machine.ask("localhost", "").text(), "127.0.0.1");
    assert_eq!(machine.ask("aaaa:localhost", "").text(), "::1");
    assert_eq!(machine.ask("mon.localhost.", "").text(), "127.0.0.1");
    unasked(&server);
}
