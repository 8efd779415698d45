//! Queries and their answers, with scripted servers and a clock that doesn't wait.

use super::*;
use crate::options::LookupOptions;
use crate::script::{Act, Table};
use crate::test_host::{Seen, TestHost, shown_failure, table};
use key::{LookupStatus, RecordSource};
use std::io;

fn query(name: &[u8], callout: &str, default: Preference) -> Query {
    Query::parse(name, callout.as_bytes(), default).unwrap().query
}

/// An answer as `192.0.2.7 192.0.2.8 for 60 s`, or a failure as its text.
fn shown(outcome: &Result<Answer, Failure>) -> String {
    match outcome {
        Ok(Answer { content: Content::Addresses(found), ttl }) => {
            let found = AddressSet { addresses: found.clone(), ttl: *ttl, incomplete: None };
            crate::test_host::shown(&Ok(found))
        }
        Ok(Answer { content, .. }) => format!("{content:?}"),
        Err(failure) => shown_failure(failure),
    }
}

fn ask(host: &TestHost<'_>, servers: Table, query: &Query) -> Seen<String> {
    host.run(servers, async |host| shown(&answer(query, host).await))
}

/// The answer to `mon1.test` where this family comes first.
fn first(family: Family, lines: &[(&str, Act)]) -> Seen<String> {
    let query = query(b"mon1.test", "", Preference::First(family));
    ask(&TestHost::default(), table(lines), &query)
}

fn ipv4() -> Act {
    Act::answer(&["mon1.test. 60 A 192.0.2.7"])
}

fn ipv6() -> Act {
    Act::answer(&["mon1.test. 50 AAAA 2001:db8::7"])
}

fn nobody() -> Act {
    Act::error(io::ErrorKind::ConnectionRefused)
}

#[test]
fn an_answer_of_the_preferred_family_within_the_head_start_avoids_a_query() {
    for (family, act, outcome, question) in [
        (Family::Ipv4, ipv4().after(49), "192.0.2.7 for 60 s", "mon1.test. A"),
        (Family::Ipv6, ipv6().after(49), "2001:db8::7 for 50 s", "mon1.test. AAAA"),
    ] {
        let seen = first(family, &[(question, act), ("", Act::silence())]);
        assert_eq!(seen.outcome, outcome);
        assert_eq!(seen.questions(), [question]);
        assert_eq!(seen.took, 49);
    }
}

#[test]
fn without_an_answer_within_the_head_start_both_families_are_queried() {
    // The preferred family's answer still counts, however late it is.
    let seen = first(Family::Ipv4, &[("A", ipv4().after(200)), ("AAAA", ipv6())]);
    assert_eq!((seen.outcome.as_str(), seen.took), ("192.0.2.7 for 60 s", 200));
    assert_eq!(
        (seen.questions(), seen.times()),
        (vec!["mon1.test. A".into(), "mon1.test. AAAA".into()], vec![0, 50])
    );
    assert!(
        seen.trace.contains(&"no answer within 50 ms: looking up IPv6 too".to_owned()),
        "{:?}",
        seen.trace
    );
    // The other one's is not waited for then.
    let seen = first(Family::Ipv4, &[("A", ipv4().after(200)), ("AAAA", ipv6().after(400))]);
    assert_eq!((seen.outcome.as_str(), seen.took), ("192.0.2.7 for 60 s", 200));
    // What the preferred family fails with makes it the other one's turn to count.
    for (a, aaaa, took) in [(100, 10, 200), (100, 300, 350)] {
        let lines = [("A", Act::no_data(60).after(a)), ("AAAA", ipv6().after(aaaa))];
        let seen = first(Family::Ipv4, &lines);
        // A denial is asked for twice.
        assert_eq!((seen.outcome.as_str(), seen.took), ("2001:db8::7 for 50 s", took));
    }
}

#[test]
fn without_an_address_of_the_preferred_family_the_other_is_queried_at_once() {
    let seen = first(Family::Ipv4, &[("A", Act::no_data(60).after(20)), ("AAAA", ipv6().after(5))]);
    assert_eq!((seen.outcome.as_str(), seen.took), ("2001:db8::7 for 50 s", 45));
    assert!(seen.trace.contains(&"no IPv4 address: looking up IPv6".to_owned()), "{:?}", seen.trace);
    let seen = first(Family::Ipv6, &[("AAAA", Act::no_data(60)), ("A", ipv4())]);
    assert_eq!(seen.outcome, "192.0.2.7 for 60 s");
    assert!(seen.trace.contains(&"no IPv6 address: looking up IPv4".to_owned()), "{:?}", seen.trace);
    let seen = first(Family::Ipv4, &[("A", ipv4())]);
    assert!(
        !seen.trace.iter().any(|step| step.contains("next") || step.contains(" too")),
        "{:?}",
        seen.trace
    );
}

/// The kernel reaches loopback addresses, and no link-local one without a scope.
#[test]
fn a_family_without_a_route_comes_last() {
    if !skip::has_loopback() {
        return;
    }
    let only = |family| vec![format!("mon1.test. {family}")];
    let both = |one, two| vec![format!("mon1.test. {one}"), format!("mon1.test. {two}")];
    for (family, a, aaaa, expected, questions) in [
        (Family::Ipv6, "127.0.0.9", "fe80::9", "127.0.0.9 for 60 s", both("AAAA", "A")),
        // Neither, or not even an address.
        (Family::Ipv6, "255.255.255.255", "fe80::9", "fe80::9 for 60 s", both("AAAA", "A")),
        (Family::Ipv6, "", "fe80::9", "fe80::9 for 60 s", both("AAAA", "A")),
        (Family::Ipv4, "255.255.255.255", "fe80::9", "255.255.255.255 for 60 s", both("A", "AAAA")),
        (Family::Ipv4, "", "fe80::9", "fe80::9 for 60 s", both("A", "AAAA")),
        (Family::Ipv4, "127.0.0.9", "fe80::9", "127.0.0.9 for 60 s", only("A")),
    ] {
        let act = |record_type: &str, address: &str| match address {
            "" => Act::no_data(60),
            _ => Act::answer(&[&format!("mon1.test. 60 {record_type} {address}")]),
        };
        let host = TestHost { has_routes: true, ..TestHost::default() };
        let query = query(b"mon1.test", "", Preference::First(family));
        let seen = ask(&host, table(&[("AAAA", act("AAAA", aaaa)), ("A", act("A", a))]), &query);
        assert_eq!(seen.outcome, expected, "{family:?} {a} {aaaa}");
        assert_eq!(seen.questions(), questions, "{family:?} {a} {aaaa}");
    }
}

#[test]
fn an_answer_without_the_preferred_family_after_a_failure_has_a_short_ttl() {
    let servfail = || Act::rcode(2);
    for (a, aaaa, expected) in [
        (servfail(), ipv6(), "2001:db8::7 for 5 s"),
        (nobody(), ipv6(), "2001:db8::7 for 5 s"),
        (Act::no_data(20), ipv6(), "2001:db8::7 for 50 s"),
        (Act::no_such_name(20), ipv6(), "2001:db8::7 for 50 s"),
        (servfail().after(60), ipv6(), "2001:db8::7 for 5 s"),
        (ipv4().after(60), servfail(), "192.0.2.7 for 60 s"),
        (servfail(), Act::answer(&["mon1.test. 3 AAAA 2001:db8::7"]), "2001:db8::7 for 3 s"),
        // Neither: what is weightiest.
        (Act::no_data(20), Act::no_data(30), "no address for 20 s"),
        (Act::no_such_name(20), Act::no_data(10), "no address for 10 s"),
        (servfail(), Act::no_data(30), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
        (Act::no_data(30), servfail().after(60), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
    ] {
        let seen = first(Family::Ipv4, &[("A", a.clone()), ("AAAA", aaaa.clone())]);
        assert_eq!(seen.outcome, expected, "{a:?} {aaaa:?}");
    }
}

#[test]
fn one_address_or_all_are_returned_in_order_without_duplicates() {
    let records =
        Act::answer(&["mon1.test. 60 A 192.0.2.8", "mon1.test. 60 A 192.0.2.7", "mon1.test. 60 A 192.0.2.8"]);
    for (callout, expected, questions) in [
        ("", "192.0.2.8 for 60 s", &["mon1.test. A"][..]),
        ("ipv4", "192.0.2.8 for 60 s", &["mon1.test. A"]),
        ("ipv4 list", "192.0.2.8 192.0.2.7 for 60 s", &["mon1.test. A"]),
        ("ipv6", "2001:db8::7 for 50 s", &["mon1.test. AAAA"]),
        ("list", "2001:db8::7 192.0.2.8 192.0.2.7 for 50 s", &["mon1.test. A", "mon1.test. AAAA"]),
        ("ipv4 ipv6", "2001:db8::7 for 50 s", &["mon1.test. A", "mon1.test. AAAA"]),
    ] {
        let query = query(b"mon1.test", callout, Preference::First(Family::Ipv4));
        let lines = [("A", records.clone()), ("AAAA", ipv6())];
        let seen = ask(&TestHost::default(), table(&lines), &query);
        assert_eq!(seen.outcome, expected, "{callout}");
        assert_eq!(seen.questions(), questions, "{callout}");
    }
}

#[test]
fn no_lookup_takes_longer_than_its_deadline() {
    let host = TestHost {
        resolv: "nameserver 192.0.2.1\noptions timeout:30 attempts:5",
        options: LookupOptions { deadline: 7, ..LookupOptions::default() },
        ..TestHost::default()
    };
    for (name, callout) in [(&b"mon1.test"[..], ""), (b"mon1.test", "list"), (b"afsdb:cell.test", "srv=1")] {
        let query = query(name, callout, Preference::First(Family::Ipv4));
        let seen = ask(&host, table(&[("", Act::silence())]), &query);
        let deadline = if name.starts_with(b"afsdb") { 3500 } else { 7000 };
        assert_eq!(seen.took, deadline, "{}", name.escape_ascii());
        if deadline == 7000 {
            assert_eq!(seen.outcome, "no answer within the deadline of 7 s");
        }
    }
}

/// Three servers that are waited for longer than the deadline.
const PATIENT: &str = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nsearch example.test";

#[test]
fn an_address_in_hand_is_not_lost_at_the_deadline() {
    let found = || Act::answer(&["mon1.example.test. 50 AAAA 2001:db8::7"]);
    for (callout, order, hosts, expected, took) in [
        ("", "files dns", "2001:db8::5 mon1", "2001:db8::5 for 5 s", 18_000),
        ("", "dns", "", "2001:db8::7 for 5 s", 18_000),
        // Each name of the search list is looked up in both families at once.
        ("ipv4 ipv6", "dns", "", "2001:db8::7 for 5 s", 13_200),
        ("list", "dns", "", "2001:db8::7 for 5 s", 13_200),
    ] {
        for (deadline, took) in [(20, took), (7, 6300)] {
            let options = LookupOptions { deadline, ..LookupOptions::default() };
            let host =
                TestHost { order, resolv: PATIENT, hosts: Some(hosts), options, ..TestHost::default() };
            let query = query(b"mon1", callout, Preference::First(Family::Ipv4));
            let seen = ask(&host, table(&[("AAAA", found()), ("", Act::silence())]), &query);
            assert_eq!((seen.outcome.as_str(), seen.took), (expected, took), "{callout} {order}");
        }
    }
    // With nothing in hand, the whole time is used.
    let host = TestHost { resolv: "nameserver 192.0.2.1\noptions timeout:30", ..TestHost::default() };
    let query = query(b"mon1.test", "", Preference::First(Family::Ipv4));
    let lines = [("AAAA", Act::no_such_name(60)), ("A", ipv4().after(19_000))];
    let seen = ask(&host, table(&lines), &query);
    assert_eq!((seen.outcome.as_str(), seen.took), ("192.0.2.7 for 60 s", 19_000));
}

#[test]
fn an_address_without_a_route_is_not_lost_at_the_deadline() {
    let options = LookupOptions { deadline: 7, ..LookupOptions::default() };
    let host = TestHost { has_routes: true, resolv: PATIENT, options, ..TestHost::default() };
    let lines = [("AAAA", Act::answer(&["mon1.example.test. 50 AAAA fe80::9"])), ("A", Act::silence())];
    let query = query(b"mon1", "", Preference::First(Family::Ipv6));
    let seen = ask(&host, table(&lines), &query);
    assert_eq!((seen.outcome.as_str(), seen.took), ("fe80::9 for 5 s", 6300));
}

#[test]
fn a_cell_has_the_addresses_in_hand_at_the_deadline() {
    let options = LookupOptions { deadline: 7, ..LookupOptions::default() };
    let host = TestHost { resolv: PATIENT, options, ..TestHost::default() };
    let lines = [
        ("SRV", Act::answer(&["_afs3-vlserver._udp.cell.test. 60 SRV 1 2 7003 db1.test."])),
        ("db1.test. AAAA", Act::answer(&["db1.test. 50 AAAA 2001:db8::7"])),
        ("", Act::silence()),
    ];
    let query = query(b"afsdb:cell.test", "", Preference::Any);
    let seen = ask(&host, table(&lines), &query);
    assert!(seen.outcome.contains("addresses: [2001:db8::7]"), "{}", seen.outcome);
    assert_eq!(seen.took, 6300);
}

#[test]
fn an_invalid_host_name_is_refused_without_a_query() {
    for (name, reason) in [
        (&b"\xff.test"[..], "characters outside ASCII"),
        (b"a b", "letters, digits"),
        (b"-a", "does not begin with a hyphen"),
    ] {
        for callout in ["", "ipv6", "list"] {
            let query = query(name, callout, Preference::First(Family::Ipv4));
            let seen = ask(&TestHost::default(), table(&[("", Act::silence())]), &query);
            assert!(seen.outcome.contains(reason), "{}", seen.outcome);
            assert!(seen.asked.is_empty());
        }
    }
}

#[test]
fn cell_servers_are_returned_in_the_requested_format() {
    let lines = || {
        table(&[
            ("SRV", Act::answer(&["_afs3-vlserver._udp.cell.test. 60 SRV 1 2 7003 db1.test."])),
            ("db1.test. A", Act::answer(&["db1.test. 50 A 192.0.2.7"])),
            ("", Act::no_data(60)),
        ])
    };
    let list = ServerList {
        source: RecordSource::Srv,
        status: LookupStatus::Good,
        servers: vec![Server {
            name: "db1.test".to_owned(),
            priority: 1,
            weight: 2,
            port: 7003,
            source: RecordSource::NameService,
            status: LookupStatus::Good,
            addresses: vec!["192.0.2.7".parse().unwrap()],
        }],
    };
    let of = |callout| {
        let query = query(b"afsdb:cell.test", callout, Preference::Any);
        TestHost::default().run(lines(), async |host| answer(&query, host).await).outcome.unwrap()
    };
    let ttl = Some(Ttl::from_secs(50));
    assert_eq!(of("srv=1"), Answer { content: Content::Servers(list.clone()), ttl });
    assert_eq!(of(""), Answer { content: Content::Endpoints(list), ttl });
    assert_eq!(of("srv=1").origins(), ["db1.test port 7003, priority 1, weight 2: 192.0.2.7 (Good)"]);
}

#[test]
fn origins_show_where_each_address_came_from() {
    let host = TestHost { order: "files dns", hosts: Some("\n192.0.2.9 mon2"), ..TestHost::default() };
    for (name, expected) in [
        (&b"mon1.test"[..], "192.0.2.7 from dns: mon1.test. ttl 60"),
        (b"mon2", "192.0.2.9 from /etc/hosts:2"),
        (b"localhost", "127.0.0.1 from RFC 6761"),
    ] {
        let query = query(name, "ipv4", Preference::Any);
        let seen = host.run(table(&[("A", ipv4())]), async |host| answer(&query, host).await);
        assert_eq!(seen.outcome.unwrap().origins(), [expected]);
    }
    let literal = literal_answer(&query(b"192.0.2.1", "", Preference::Any)).unwrap().unwrap();
    assert_eq!(literal.origins(), ["192.0.2.1 from the name itself"]);
}

#[test]
fn a_literal_address_is_returned_if_it_has_the_requested_family() {
    for (name, callout, expected) in [
        (&b"192.0.2.1"[..], "", Some("192.0.2.1")),
        (b"127.1", "ipv4", Some("127.0.0.1")),
        (b"192.0.2.1", "ipv6", Some("no address")),
        (b"2001:db8::7", "", Some("2001:db8::7")),
        (b"2001:db8::7", "ipv6", Some("2001:db8::7")),
        (b"2001:db8::7", "ipv4", Some("no address")),
        (b"2001:db8::7", "ipv4 ipv6", Some("2001:db8::7")),
        // A mapped address is an IPv4 address where one is asked for.
        (b"::ffff:192.0.2.1", "ipv4", Some("192.0.2.1")),
        (b"::ffff:192.0.2.1", "ipv6", Some("::ffff:192.0.2.1")),
        (b"::ffff:192.0.2.1", "", Some("::ffff:192.0.2.1")),
        (b"fe80::1%eth0", "", Some("an address with a scope can't be passed to the kernel")),
        // These are names.
        (b"mon1.test", "", None),
        (b"127.1.1.1.1", "", None),
        (b"\xff", "", None),
        (b"afsdb:192.0.2.1", "", None),
    ] {
        let query = query(name, callout, Preference::First(Family::Ipv4));
        let found = literal_answer(&query).map(|outcome| shown(&outcome));
        let name = name.escape_ascii();
        match expected {
            Some(expected) if expected.starts_with("an address") => {
                assert!(found.is_some_and(|text| text.contains(expected)), "{name}");
            }
            expected => assert_eq!(found.as_deref(), expected, "{name} {callout}"),
        }
    }
}
