//! Which servers are queried.

use crate::dns::{Server, Zone, qtype};
use crate::look_up;
use crate::support::run;
use crate::support::world::{inside, write};
use std::net::{SocketAddrV6, UdpSocket};
use std::time::Duration;

fn zone(origin: &str, last: u8) -> Zone {
    Zone::new(origin).a("mon1", [192, 0, 2, last], 30).a("mon1.sub", [192, 0, 2, last + 100], 30)
}

#[test]
fn names_are_queried_at_the_servers_of_the_longest_matching_domain() {
    if !inside("servers::names_are_queried_at_the_servers_of_the_longest_matching_domain") {
        return;
    }
    let general = Server::builder().zone(zone("cluster.local", 1)).at("127.0.0.1:53").start();
    let cluster = Server::builder().zone(zone("cluster.local", 2)).at("127.0.0.2:53").start();
    let sub = Server::builder().zone(zone("cluster.local", 3)).at("127.0.0.3:5353").start();
    write(
        "keyutils/key.dns_resolver.conf",
        Some(
            "nameserver[cluster.local] = 127.0.0.2\nnameserver[sub.cluster.local] = 127.0.0.99, 127.0.0.3:5353\n\
             hedge = 10000\n",
        ),
    );
    write("resolv.conf", Some("nameserver 127.0.0.1\nsearch cluster.local\n"));
    assert_eq!(look_up("mon1.cluster.local", "").payload, "192.0.2.2");
    assert_eq!(look_up("mon1.sub.Cluster.LOCAL.", "ipv4").payload, "192.0.2.103");
    // A name that the search list has completed is in the domain as well.
    assert_eq!(look_up("mon1", "ipv4").payload, "192.0.2.2");
    assert_eq!(general.count("mon1.cluster.local", qtype::A), 0);
    assert_eq!(sub.count("mon1.sub.cluster.local", qtype::A), 1);
    assert!(cluster.count("mon1.cluster.local", qtype::A) >= 2);
    write("keyutils/key.dns_resolver.conf", Some("nameserver[.] = 127.0.0.2\n"));
    assert_eq!(look_up("mon1.cluster.local", "").payload, "192.0.2.2");
    write("keyutils/key.dns_resolver.conf", None);
    assert_eq!(look_up("mon1.cluster.local", "").payload, "192.0.2.1");
}

#[test]
fn a_link_local_server_is_queried_on_its_interface() {
    if !inside("servers::a_link_local_server_is_queried_on_its_interface") {
        return;
    }
    let add = run("ip", &["-6", "address", "add", "fe80::53/64", "dev", "dummy0", "nodad"]);
    assert!(add.status.success(), "{}", String::from_utf8_lossy(&add.stderr));
    let shown = run("ip", &["-o", "link", "show", "dummy0"]).stdout;
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let index = shown.split(':').next().unwrap().trim();
    let address = format!("[fe80::53%{index}]:53").parse::<SocketAddrV6>().unwrap();
    let server = UdpSocket::bind(address).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    write("resolv.conf", Some("nameserver fe80::53%dummy0\noptions attempts:1 timeout:1\n"));
    assert_eq!(look_up("mon1.cluster.local", "ipv4").payload, "#dnserror=11");
    let mut query = [0; 512];
    let (length, _) = server.recv_from(&mut query).unwrap();
    assert!(query[..length].windows(7).any(|label| label.eq_ignore_ascii_case(b"cluster")));
}

#[test]
fn a_missing_interface_is_named() {
    if !inside("servers::a_missing_interface_is_named") {
        return;
    }
    write("resolv.conf", Some("nameserver fe80::1%enp2s0\noptions attempts:1 timeout:1\n"));
    let printed = look_up("mon1.cluster.local", "ipv4");
    let warning = "/etc/resolv.conf: nameserver fe80::1%enp2s0: there is no interface enp2s0";
    assert!(printed.log.contains(warning), "{}", printed.log);
    // The others are asked.
    let _server = Server::builder().zone(zone("cluster.local", 1)).at("127.0.0.1:53").start();
    write("resolv.conf", Some("nameserver fe80::1%enp2s0\nnameserver 127.0.0.1\n"));
    assert_eq!(look_up("mon1.cluster.local", "ipv4").payload, "192.0.2.1");
}

#[test]
fn a_family_without_a_route_comes_last() {
    if !inside("servers::a_family_without_a_route_comes_last") {
        return;
    }
    let both = zone("cluster.local", 1).aaaa("mon1", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 40);
    let _server = Server::builder().zone(both).at("127.0.0.1:53").start();
    write("resolv.conf", Some("nameserver 127.0.0.1\n"));
    for (command, family, payload) in [
        ("true", "ipv4-first", "192.0.2.1"),
        ("ip route del default", "ipv4-first", "2001:db8::1"),
        ("true", "ipv6-first", "2001:db8::1"),
        ("true", "ipv4", "192.0.2.1"),
        ("ip -6 route del default", "ipv4-first", "192.0.2.1"),
        ("ip route add default via 198.51.100.1", "ipv6-first", "192.0.2.1"),
    ] {
        assert!(run("sh", &["-c", command]).status.success(), "{command}");
        write("keyutils/key.dns_resolver.conf", Some(&format!("family = {family}\n")));
        let printed = look_up("mon1.cluster.local", "");
        assert_eq!(printed.payload, payload, "{command}, {family}: {}", printed.log);
    }
}

#[test]
fn a_name_is_shown_as_requested() {
    if !inside("servers::a_name_is_shown_as_requested") {
        return;
    }
    let zone = Zone::new("xn--mnchen-3ya.test").a("mon1", [192, 0, 2, 1], 30);
    let _server = Server::builder().zone(zone).at("127.0.0.1:53").start();
    write("resolv.conf", Some("nameserver 127.0.0.1\n"));
    for (name, payload) in [("mon1", "192.0.2.1"), ("mon2", "#dnserror=61")] {
        let printed = look_up(&format!("{name}.xn--mnchen-3ya.test"), "");
        assert_eq!(printed.payload, payload);
        let shown = printed.log.contains("xn--mnchen-3ya.test") && !printed.log.contains("m\u{fc}nchen");
        assert!(shown, "{}", printed.log);
    }
}

#[test]
fn without_a_search_list_names_are_completed_with_the_domain_of_the_host() {
    if !inside("servers::without_a_search_list_names_are_completed_with_the_domain_of_the_host") {
        return;
    }
    let server = Server::builder().zone(zone("cluster.local", 1)).at("127.0.0.1:53").start();
    write("resolv.conf", Some("nameserver 127.0.0.1\n"));
    write("keyutils/key.dns_resolver.conf", Some("hedge = 10000\n"));
    let helper = crate::support::executable();
    let command = r#"hostname node7.cluster.local && exec "$0" key.dns_resolver -D mon1 ''"#;
    let output = run("unshare", &["--uts", "sh", "-c", command, helper.to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "payload 192.0.2.1\nexpiry 30\n");
    assert_eq!(server.count("mon1.cluster.local", qtype::A), 1);
}
