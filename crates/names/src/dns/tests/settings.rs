//! What resolv.conf and the lookup's options change.

use super::*;
use crate::options::DomainServers;
use crate::reject::Reject;
use std::collections::BTreeSet;
use std::io;

/// Looks the IPv4 address of `name` up on a host with this resolv.conf, where none exists.
fn candidates(resolv: &str, name: &str) -> Vec<String> {
    let host = TestHost { resolv, ..TestHost::default() };
    look_up(&host, table(&[("", Act::no_such_name(60))]), name, Families::Only(Family::Ipv4)).questions()
}

#[test]
fn the_search_list_and_ndots_determine_the_candidates() {
    for (resolv, name, expected) in [
        ("search a b", "mon1", &["mon1.a. A", "mon1.b. A", "mon1. A"][..]),
        ("search a b", "mon1.x", &["mon1.x. A", "mon1.x.a. A", "mon1.x.b. A"]),
        ("search a b", "mon1.x.", &["mon1.x. A"]),
        ("search a\noptions ndots:2", "mon1.x", &["mon1.x.a. A", "mon1.x. A"]),
        ("search a\noptions ndots:2", "mon1.x.y", &["mon1.x.y. A", "mon1.x.y.a. A"]),
        ("search a\noptions ndots:0", "mon1", &["mon1. A", "mon1.a. A"]),
        ("search a\noptions no-tld-query", "mon1", &["mon1.a. A"]),
        ("search a\noptions no-tld-query", "mon1.x", &["mon1.x. A", "mon1.x.a. A"]),
        ("domain a", "mon1", &["mon1.a. A", "mon1. A"]),
        ("search .", "mon1", &["mon1. A"]),
        // What makes no name is passed over.
        ("search bad..domain a", "mon1", &["mon1.a. A", "mon1. A"]),
    ] {
        assert_eq!(candidates(resolv, name), expected, "{resolv} {name}");
    }
    let long = format!("search {0}.{0}.{0}.{0}\n", "a".repeat(60));
    assert_eq!(candidates(&long, "mon1-of-the-cluster"), ["mon1-of-the-cluster. A"]);
}

#[test]
fn the_default_search_list_is_the_domain_of_the_host() {
    for (name, resolv, expected) in [
        ("node7.example.test", "", &["mon1.example.test. A", "mon1. A"][..]),
        ("node7.example.test", "search .", &["mon1. A"]),
        ("node7.example.test", "search a", &["mon1.a. A", "mon1. A"]),
        ("node7", "", &["mon1. A"]),
        ("node7.", "", &["mon1. A"]),
    ] {
        let host = TestHost { resolv, name, ..TestHost::default() };
        let servers = table(&[("", Act::no_such_name(60))]);
        let seen = look_up(&host, servers, "mon1", Families::Only(Family::Ipv4));
        assert_eq!(seen.questions(), expected, "{name} {resolv}");
    }
}

#[test]
fn the_first_candidate_with_an_address_is_the_answer() {
    let host = TestHost { resolv: "nameserver 192.0.2.1\nsearch a b", ..TestHost::default() };
    let servers = table(&[
        ("mon1.a. A", Act::no_data(60)),
        ("mon1.b. A", Act::answer(&["mon1.b. 60 A 192.0.2.7"])),
        ("mon1. A", Act::silence()),
    ]);
    let seen = look_up(&host, servers, "mon1", Families::Only(Family::Ipv4));
    assert_eq!(seen.outcome, "192.0.2.7 for 60 s");
    assert_eq!(seen.questions(), ["mon1.a. A", "mon1.b. A"]);
}

/// What the search ends with, and the status that the next source is asked under.
#[test]
fn a_failed_search_returns_the_most_significant_failure() {
    let servfail = || Act::rcode(rcode::SERVFAIL);
    let nobody = || Act::error(io::ErrorKind::ConnectionRefused);
    let nothing = || Act::no_such_name(60);
    let fails = "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP";
    for (name, [in_a, in_b, as_is], expected, status) in [
        ("mon1", [nothing(), nothing(), nothing()], "no such name for 60 s", NssStatus::NotFound),
        ("mon1", [nothing(), Act::no_data(30), nothing()], "no address for 30 s", NssStatus::NotFound),
        ("mon1", [servfail(), Act::no_data(30), nothing()], fails, NssStatus::NotFound),
        ("mon1", [servfail(), nothing(), nothing()], fails, NssStatus::NotFound),
        ("mon1", [nothing(), nothing(), servfail()], fails, NssStatus::Unavail),
        ("mon1", [nobody(), nothing(), nothing()], "no server answers", NssStatus::Unavail),
        // An answer without an address in it ends the search.
        (
            "mon1",
            [Act::answer(&["mon1.a. 60 TXT \\# 1 00"]), nothing(), nothing()],
            "no address",
            NssStatus::NotFound,
        ),
        // The name itself comes first, and so does what became of it.
        ("mon1.x", [Act::no_data(30), nothing(), nothing()], "no such name for 60 s", NssStatus::NotFound),
        ("mon1.x", [nothing(), servfail(), nothing()], "no such name for 60 s", NssStatus::Unavail),
        ("mon1.x", [nothing(), nothing(), servfail()], fails, NssStatus::NotFound),
    ] {
        let host = TestHost {
            resolv: "nameserver 192.0.2.1\nsearch a b\noptions attempts:1",
            ..TestHost::default()
        };
        let [name_a, name_b, name_as_is] = [".a. A", ".b. A", ". A"].map(|end| format!("{name}{end}"));
        let servers =
            table(&[(&name_a, in_a.clone()), (&name_b, in_b.clone()), (&name_as_is, as_is.clone())]);
        let seen = host.run(servers, async |host| {
            let dns = host.dns(NameKind::Host);
            dns.lookup(name, Families::Only(Family::Ipv4)).await.unwrap_err()
        });
        let (found, failure) = seen.outcome;
        let text = crate::test_host::shown_failure(&failure);
        assert!(text.starts_with(expected) && found == status, "{name} {in_a:?} {in_b:?} {as_is:?}: {text}");
    }
}

#[test]
fn an_invalid_host_name_is_not_queried() {
    for name in ["-a", "a b", "a..b", "müller.test", ""] {
        let host = TestHost { resolv: "search a", ..TestHost::default() };
        let seen = host.run(Table::default(), async |host| {
            host.dns(NameKind::Host).lookup(name, Families::Both).await.unwrap_err()
        });
        assert!(
            matches!(seen.outcome, (NssStatus::NotFound, Failure::BadName { .. })),
            "{name}: {:?}",
            seen.outcome
        );
        assert!(seen.asked.is_empty());
    }
}

#[test]
fn names_and_aliases_are_queried_at_the_servers_of_their_own_domain() {
    let name_servers = [("test", "198.51.100.1:5353"), ("k8s.test", "198.51.100.2, 198.51.100.3")];
    let name_servers =
        name_servers.map(|(domain, servers)| DomainServers::parse(domain, servers).unwrap()).to_vec();
    let host = TestHost {
        options: LookupOptions { name_servers, ..LookupOptions::default() },
        ..TestHost::default()
    };
    let servers = table(&[
        ("198.51.100.1:5353 mon1.test. A", Act::answer(&["mon1.test. 60 CNAME mon1.k8s.test."])),
        ("198.51.100.2 mon1.k8s.test. A", Act::rcode(rcode::SERVFAIL)),
        ("198.51.100.3 mon1.k8s.test. A", Act::answer(&["mon1.k8s.test. 60 CNAME mon1.other."])),
        ("192.0.2.1 mon1.other. A", Act::answer(&["mon1.other. 60 A 192.0.2.7"])),
    ]);
    let seen = look_up(&host, servers, "mon1.test", Families::Only(Family::Ipv4));
    assert_eq!(seen.outcome, "192.0.2.7 for 60 s");
    assert_eq!(seen.servers(), ["198.51.100.1", "198.51.100.2", "198.51.100.3", "192.0.2.1"]);
    let told: Vec<&String> = seen.trace.iter().filter(|step| step.contains("nameserver[")).collect();
    assert_eq!(
        told,
        [
            "mon1.test. A: servers from nameserver[test]",
            "mon1.k8s.test. A: servers from nameserver[k8s.test]"
        ]
    );
}

#[test]
fn servers_for_the_root_domain_replace_those_of_resolv_conf() {
    let name_servers = vec![DomainServers::parse("", "198.51.100.1").unwrap()];
    let host = TestHost {
        options: LookupOptions { name_servers, ..LookupOptions::default() },
        ..TestHost::default()
    };
    let seen =
        look_up(&host, table(&[("", Act::no_such_name(60))]), "mon1.test", Families::Only(Family::Ipv6));
    assert_eq!(seen.servers(), ["198.51.100.1"]);
    assert!(
        seen.trace.contains(&"mon1.test. AAAA: servers from nameserver[.]".to_owned()),
        "{:?}",
        seen.trace
    );
}

#[test]
fn rejected_addresses_are_dropped_even_if_none_remains() {
    let reject = Reject::parse("loopback, link-local").unwrap();
    let host =
        TestHost { options: LookupOptions { reject, ..LookupOptions::default() }, ..TestHost::default() };
    for (records, outcome, rejected) in [
        (&["mon1.test. 60 A 127.0.0.1", "mon1.test. 60 A 192.0.2.7"][..], "192.0.2.7 for 60 s", 1),
        (&["mon1.test. 60 A 127.0.0.1", "mon1.test. 60 A 169.254.1.1"], "no address for 60 s", 2),
        (&["mon1.test. 60 A 0.0.0.0"], "0.0.0.0 for 60 s", 0),
    ] {
        let servers = table(&[("mon1.test. A", Act::answer(records)), ("", Act::silence())]);
        let seen = look_up(&host, servers, "mon1.test", Families::Only(Family::Ipv4));
        assert_eq!(seen.outcome, outcome, "{records:?}");
        let told = seen.trace.iter().filter(|step| step.contains(" rejected as ")).count();
        assert_eq!(told, rejected, "{:?}", seen.trace);
    }
    // The other family's addresses stand.
    let servers = table(&[
        ("A", Act::answer(&["mon1.test. 60 A 127.0.0.1"])),
        ("AAAA", Act::answer(&["mon1.test. 50 AAAA 2001:db8::7"])),
    ]);
    let seen = look_up(&host, servers, "mon1.test", Families::Both);
    assert_eq!(seen.outcome, "2001:db8::7 for 50 s");
    assert!(seen.trace.contains(&"mon1.test. A: 127.0.0.1 rejected as loopback".to_owned()));
}

#[test]
fn the_sortlist_applies_only_to_ipv4() {
    let resolv = "nameserver 192.0.2.1\nsortlist 192.0.2.128/255.255.255.128";
    let host = TestHost { resolv, ..TestHost::default() };
    let servers = || {
        table(&[
            ("A", Act::answer(&["mon1.test. 60 A 192.0.2.7", "mon1.test. 60 A 192.0.2.200"])),
            ("AAAA", Act::no_data(60)),
        ])
    };
    let seen = look_up(&host, servers(), "mon1.test", Families::Only(Family::Ipv4));
    assert_eq!(seen.outcome, "192.0.2.200 192.0.2.7 for 60 s");
    let seen = look_up(&host, servers(), "mon1.test", Families::Both);
    assert_eq!(seen.outcome, "192.0.2.7 192.0.2.200 for 60 s");
    let no_aaaa = format!("{resolv}\noptions no-aaaa");
    let host = TestHost { resolv: &no_aaaa, ..TestHost::default() };
    let seen = look_up(&host, servers(), "mon1.test", Families::Both);
    assert_eq!(seen.outcome, "192.0.2.200 192.0.2.7 for 60 s");
    let records = ["mon1.test. 60 AAAA 2001:db8::8", "mon1.test. 60 AAAA 2001:db8::7"];
    let host = TestHost { resolv, ..TestHost::default() };
    let seen =
        look_up(&host, table(&[("", Act::answer(&records))]), "mon1.test", Families::Only(Family::Ipv6));
    assert_eq!(seen.outcome, "2001:db8::8 2001:db8::7 for 60 s");
}

#[test]
fn servers_are_queried_in_order_and_rotate_starts_at_any_of_them() {
    let order = |options: &str| {
        let resolv = format!(
            "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\noptions attempts:1 {options}"
        );
        let host = TestHost { resolv: &resolv, ..TestHost::default() };
        let servers = table(&[("", Act::rcode(rcode::SERVFAIL))]);
        look_up(&host, servers, "mon1.test.", Families::Only(Family::Ipv4)).servers().join(" ")
    };
    let usual = "192.0.2.1 192.0.2.2 192.0.2.3";
    let all: BTreeSet<String> = (0..200).map(|_| order("rotate")).collect();
    let rotated = ["192.0.2.2 192.0.2.3 192.0.2.1", "192.0.2.3 192.0.2.1 192.0.2.2"];
    assert_eq!(all.iter().map(String::as_str).collect::<Vec<_>>(), [usual, rotated[0], rotated[1]]);
    assert!((0..20).all(|_| order("") == usual));
}

#[test]
fn use_vc_timeout_and_attempts_apply_to_each_query() {
    let host = TestHost {
        resolv: "nameserver 192.0.2.1\noptions use-vc timeout:3 attempts:3",
        ..TestHost::default()
    };
    let servers = table(&[("", Act::silence())]);
    let seen = look_up(&host, servers, "mon1.test.", Families::Only(Family::Ipv4));
    assert_eq!(seen.times(), [0, 3000, 6000]);
    assert_eq!(seen.took, 9000);
    assert!(seen.asked.iter().all(|asked| asked.protocol == Protocol::Tcp));
}
