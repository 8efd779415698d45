//! Files of `/etc` that are wrong, odd, large or missing, and what is said of them.

use crate::dns::{Server, Zone};
use crate::look_up;
use crate::support::world::{inside, write};
use std::fmt::Write;

#[test]
fn an_invalid_line_of_any_file_is_ignored_with_a_warning() {
    if !inside("files::an_invalid_line_of_any_file_is_ignored_with_a_warning") {
        return;
    }
    write("hosts", Some("192.0.2.8 mon1\n192.0.2.9 mon2\n2001:db8::9 mon2\n"));
    write("resolv.conf", Some("# mine\nnameserver dns1.example\nnameserver 127.0.0.99\nsortlist nonsense\n"));
    write("nsswitch.conf", Some("hosts: files [NOTFOUND=stop] dns\n"));
    write("gai.conf", Some("precedence x 1\n"));
    write("keyutils/key.dns_resolver.conf", Some("default_ttl = 9\nbogus = 1\ndeadline = soon\n"));
    let printed = look_up("mon1", "");
    assert_eq!((printed.payload.as_str(), printed.expiry), ("192.0.2.8", 9));
    for warning in [
        "/etc/keyutils/key.dns_resolver.conf:2: unknown key \"bogus\"; line ignored",
        "/etc/keyutils/key.dns_resolver.conf:3: expected a number from 1 to 3600, found \"soon\"; line ignored",
        "/etc/nsswitch.conf:1: \"stop\" is not an action; [NOTFOUND=stop] ignored",
    ] {
        assert!(printed.log.contains(warning), "{warning}: {}", printed.log);
    }
    let printed = look_up("gone.example", "");
    assert_eq!(printed.payload, "#dnserror=111");
    for warning in [
        "/etc/resolv.conf:2: \"dns1.example\" is not the address of a name server; line ignored",
        "/etc/resolv.conf:4: sortlist: expected ADDRESS or ADDRESS/MASK, found \"nonsense\"; ignored",
        "127.0.0.99:53: connection refused",
    ] {
        assert!(printed.log.contains(warning), "{warning}: {}", printed.log);
    }
    // One address needs no order.
    assert!(!look_up("mon2", "list").log.contains("gai.conf"));
    write("host.conf", Some("multi on\n"));
    let printed = look_up("mon2", "list");
    assert_eq!(printed.payload.split(',').count(), 2);
    assert!(printed.log.contains("/etc/gai.conf:1: "), "{}", printed.log);
}

#[test]
fn missing_configuration_files_are_not_an_error() {
    if !inside("files::missing_configuration_files_are_not_an_error") {
        return;
    }
    let printed = look_up("mon1.example", "");
    // The server is 127.0.0.1, where nobody listens here.
    assert_eq!((printed.payload.as_str(), printed.expiry), ("#dnserror=111", 10));
    assert!(printed.log.contains("127.0.0.1:53: connection refused"), "{}", printed.log);
    assert!(!printed.log.contains("warning") && !printed.log.contains("passed over"), "{}", printed.log);
}

/// keyutils requests only IPv4, and `getaddrinfo()` for both families reads no further than the file.
#[test]
fn a_hosts_line_of_one_family_hides_the_other_only_if_both_are_requested() {
    const TEST: &str = "files::a_hosts_line_of_one_family_hides_the_other_only_if_both_are_requested";
    if !inside(TEST) {
        return;
    }
    let zone = Zone::new("corp.test").a("fs1", [192, 0, 2, 1], 30).aaaa(
        "fs1",
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
        30,
    );
    let _server = Server::builder().zone(zone).at("127.0.0.1:53").start();
    write("resolv.conf", Some("nameserver 127.0.0.1\n"));
    for (hosts, family, callout, payload) in [
        ("2001:db8::9 fs1.corp.test", "ipv4-first", "", "192.0.2.1"),
        ("2001:db8::9 fs1.corp.test", "ipv6-first", "", "2001:db8::9"),
        ("2001:db8::9 fs1.corp.test", "any", "", "2001:db8::9"),
        ("2001:db8::9 fs1.corp.test", "ipv4-first", "list", "2001:db8::9"),
        ("192.0.2.9 fs1.corp.test", "ipv4-first", "", "192.0.2.9"),
        ("192.0.2.9 fs1.corp.test", "ipv6-first", "", "2001:db8::1"),
        ("192.0.2.9 fs1.corp.test", "any", "", "192.0.2.9"),
        ("192.0.2.9 fs1.corp.test", "ipv4-first", "list", "192.0.2.9"),
    ] {
        write("hosts", Some(&format!("{hosts}\n")));
        write("keyutils/key.dns_resolver.conf", Some(&format!("family = {family}\n")));
        let printed = look_up("fs1.corp.test", callout);
        assert_eq!(printed.payload, payload, "{hosts}, {family} {callout}: {}", printed.log);
    }
}

#[test]
fn a_large_hosts_file_is_read_to_its_end() {
    if !inside("files::a_large_hosts_file_is_read_to_its_end") {
        return;
    }
    let mut hosts = String::new();
    for number in 0..300_000 {
        writeln!(hosts, "0.0.0.0 ads{number}.example ad{number}.example").unwrap();
    }
    hosts.push_str("192.0.2.8 mon1");
    assert!(hosts.len() > 10_000_000);
    write("hosts", Some(&hosts));
    assert_eq!(look_up("mon1", "").payload, "192.0.2.8");
}

#[test]
fn a_hosts_file_is_read_up_to_64_mib() {
    const LARGEST: usize = 64 << 20;
    if !inside("files::a_hosts_file_is_read_up_to_64_mib") {
        return;
    }
    let last = "192.0.2.9 mon2\n";
    for (length, payload) in [(LARGEST, "192.0.2.9"), (LARGEST + 1, "#dnserror=11")] {
        let mut hosts = "192.0.2.8 mon1\n".to_owned();
        hosts.push_str(&"#".repeat(length - hosts.len() - last.len() - 1));
        hosts.push('\n');
        hosts.push_str(last);
        assert_eq!(hosts.len(), length);
        write("hosts", Some(&hosts));
        write("nsswitch.conf", Some("hosts: files\n"));
        assert_eq!(look_up("mon1", "").payload, "192.0.2.8");
        let printed = look_up("mon2", "");
        assert_eq!(printed.payload, payload, "{}", printed.log);
        assert_eq!(printed.log.contains("larger than 64 MiB"), length > LARGEST, "{}", printed.log);
    }
}

#[test]
fn special_names_and_literals_are_answered_without_a_server() {
    if !inside("files::special_names_and_literals_are_answered_without_a_server") {
        return;
    }
    for (name, callout, payload) in [
        ("localhost", "", "127.0.0.1"),
        ("a.localhost.", "ipv6", "::1"),
        ("x.invalid", "", "#dnserror=61"),
        ("127.1", "", "127.0.0.1"),
        ("0x7f.1", "list", "127.0.0.1"),
        ("2001:DB8::1", "", "2001:db8::1"),
        ("::ffff:192.0.2.1", "ipv4", "192.0.2.1"),
        ("192.0.2.1", "ipv6", "#dnserror=61"),
        ("fe80::1%lo", "", "#dnserror=22"),
        ("m\u{fc}ller.example", "", "#dnserror=22"),
    ] {
        let printed = look_up(name, callout);
        assert_eq!(printed.payload, payload, "{name}: {}", printed.log);
    }
    assert!(look_up("fe80::1%lo", "").log.contains("an address with a scope can't be passed to the kernel"));
    assert!(look_up("m\u{fc}ller.example", "").log.contains("xn--"));
}
