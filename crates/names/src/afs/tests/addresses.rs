//! The addresses of servers.

use super::*;
use crate::afs::servers::{configured, resolve};
use crate::options::LookupOptions;
use key::MAX_SERVERS;

/// The servers of SRV records to `db1.test` and `db2.test`.
fn two(lines: &[(&str, Act)], callout: &str) -> Seen<String> {
    let records = answer(&[srv(0, 0, 0, "db1.test."), srv(1, 0, 0, "db2.test.")]);
    let lines: Vec<(&str, Act)> = [("SRV", records), ("AFSDB", Act::no_such_name(99))]
        .into_iter()
        .chain(lines.iter().cloned())
        .chain([("", Act::no_data(90))])
        .collect();
    find(&TestHost::default(), &lines, "cell.test", callout)
}

#[test]
fn a_server_without_an_address_is_listed_with_the_reason_and_limits_the_ttl() {
    for (act, status, seconds) in [
        (Act::no_such_name(20), "NotFound", 20),
        (Act::no_data(20), "NotFound", 20),
        (Act::rcode(3), "NotFound", 60),
        (Act::rcode(2), "TemporaryFailure", 60),
        (Act::rcode(5), "NameServerFailure", 60),
        (Act::silence(), "TemporaryFailure", 60),
    ] {
        let seen = two(&[("db1.test.", act.clone()), ("db2.test. A", address("db2.test.", 8))], "");
        let expected = format!(
            "Srv Good for {seconds} s: db1.test 0/0 7003 (NameService {status}), db2.test 1/0 7003 192.0.2.8"
        );
        assert_eq!(seen.outcome, expected, "{act:?}");
    }
    // Only for "nothing there" it may last as short.
    let options = LookupOptions { negative_ttl: Ttl::from_secs(7), ..LookupOptions::default() };
    let host = TestHost { options, ..TestHost::default() };
    let records = answer(&[srv(0, 0, 0, "db1.test."), srv(1, 0, 0, "db2.test.")]);
    let lines = [
        ("SRV", records),
        ("db1.test.", Act::rcode(2)),
        ("db2.test. A", address("db2.test.", 8)),
        ("", Act::no_data(90)),
    ];
    assert!(find(&host, &lines, "cell.test", "").outcome.starts_with("Srv Good for 7 s"));
}

#[test]
fn without_any_address_the_most_significant_failure_is_returned() {
    for (db1, db2, expected) in [
        (Act::no_such_name(20), Act::no_such_name(30), "no server for 20 s"),
        (Act::no_such_name(20), Act::rcode(2), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
        (Act::rcode(5), Act::no_data(20), "no server answers: 192.0.2.1:53: REFUSED over UDP"),
        (Act::rcode(5), Act::rcode(2), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
    ] {
        let seen = two(&[("db1.test.", db1.clone()), ("db2.test.", db2.clone())], "");
        assert_eq!(seen.outcome, expected, "{db1:?} {db2:?}");
    }
}

#[test]
fn only_the_families_in_the_callout_are_queried() {
    let lines = [
        ("db1.test. A", address("db1.test.", 7)),
        ("db1.test. AAAA", Act::answer(&["db1.test. 80 AAAA 2001:db8::7"])),
        ("db2.test. A", address("db2.test.", 8)),
    ];
    let of = |callout: &str| two(&lines, callout);
    assert_eq!(
        of("").outcome,
        "Srv Good for 60 s: db1.test 0/0 7003 2001:db8::7 192.0.2.7, db2.test 1/0 7003 192.0.2.8"
    );
    assert_eq!(
        of("ipv4").outcome,
        "Srv Good for 60 s: db1.test 0/0 7003 192.0.2.7, db2.test 1/0 7003 192.0.2.8"
    );
    assert_eq!(
        of("ipv6").outcome,
        "Srv Good for 60 s: db1.test 0/0 7003 2001:db8::7, db2.test 1/0 7003 (NameService NotFound)"
    );
    for (callout, unasked) in [("ipv4", " AAAA"), ("ipv6", " A")] {
        assert!(!of(callout).questions().iter().any(|question| question.ends_with(unasked)));
    }
}

#[test]
fn an_address_as_target_is_used_as_is_and_the_hosts_file_comes_first() {
    let records = answer(&[srv(0, 0, 0, "192.0.2.9."), srv(1, 0, 0, "db1.test.")]);
    let lines = [("SRV", records), ("AFSDB", Act::no_such_name(99)), ("", Act::no_data(90))];
    let host = TestHost { order: "files dns", hosts: Some("198.51.100.7 db1.test"), ..TestHost::default() };
    let seen = find(&host, &lines, "cell.test", "");
    let expected = "Srv Good for 60 s: 192.0.2.9 0/0 7003 192.0.2.9, db1.test 1/0 7003 198.51.100.7";
    assert_eq!((seen.outcome.as_str(), seen.questions()), (expected, vec![format!("{SRV} SRV")]));
    let seen = find(&host, &lines, "cell.test", "ipv6");
    assert_eq!(seen.outcome, "no server for 60 s");
}

#[test]
fn each_name_is_queried_once_regardless_of_case_and_port() {
    let records =
        answer(&[srv(0, 0, 7001, "db1.test."), srv(0, 0, 7002, "DB1.test."), srv(0, 0, 7003, "db1.test.")]);
    let repeated =
        Act::answer(&["db1.test. 90 A 192.0.2.7", "db1.test. 90 A 192.0.2.8", "db1.test. 90 A 192.0.2.7"]);
    let lines = [("SRV", records), ("db1.test. A", repeated), ("", Act::no_data(90))];
    let seen = find(&TestHost::default(), &lines, "cell.test", "ipv4");
    assert_eq!(
        seen.outcome,
        "Srv Good for 60 s: db1.test 0/0 7001 192.0.2.7 192.0.2.8, DB1.test 0/0 7002 192.0.2.7 192.0.2.8, \
         db1.test 0/0 7003 192.0.2.7 192.0.2.8"
    );
    assert_eq!(seen.questions().iter().filter(|question| *question == "db1.test. A").count(), 1);
}

#[test]
fn at_most_as_many_servers_as_a_list_holds_are_queried_in_batches() {
    // Names that are addresses, for which nobody is asked.
    let target = |number: u16| srv(number, 0, 0, &format!("192.0.{}.{}.", number / 256, number % 256));
    let records: Vec<String> = (0..300).map(target).collect();
    let lines = [("SRV", answer(&records)), ("", Act::silence())];
    let seen = find(&TestHost::default(), &lines, "cell.test", "ipv4");
    assert_eq!(seen.outcome.split(", ").count(), MAX_SERVERS);
    assert!(seen.outcome.contains("192.0.0.254 254/0") && !seen.outcome.contains("192.0.0.255"));
    // 255 names in volleys of 32, 5 ms apart.
    assert_eq!(seen.took, 7 * 5);
    let records: Vec<String> =
        (0..33).map(|number| srv(number, 0, 0, &format!("db{number}.test."))).collect();
    let lines = [("SRV", answer(&records)), ("", Act::no_such_name(90))];
    let seen = find(&TestHost::default(), &lines, "cell.test", "ipv4");
    let questions = seen.questions().into_iter().zip(seen.times());
    let times: Vec<u128> =
        questions.filter(|(question, _)| question.ends_with(" A")).map(|(_, time)| time).collect();
    assert_eq!((times[..32].to_vec(), times[32]), (vec![0; 32], 5));
}

/// The servers of a database, with the addresses that it has.
#[test]
fn a_database_server_with_several_ports_becomes_several_servers() {
    let server = |name: &str, addresses: &[(&str, Option<u16>)]| cells::DatabaseServer {
        name: name.to_owned(),
        addresses: addresses.iter().map(|(ip, port)| (ip.parse().unwrap(), *port)).collect(),
    };
    let cell = Cell {
        use_dns: None,
        servers: vec![
            server("a", &[("192.0.2.1", None), ("2001:db8::1", Some(7003)), ("192.0.2.1", Some(7003))]),
            server(
                "b",
                &[
                    ("192.0.2.2", Some(7010)),
                    ("192.0.2.3", None),
                    ("192.0.2.4", Some(7010)),
                    ("192.0.2.5", None),
                ],
            ),
            server("c", &[]),
            server("d", &[("2001:db8::4", Some(7010))]),
        ],
    };
    let of = |families| {
        let shown = |one: &Candidate| {
            let known =
                one.known.as_ref().map(|known| known.iter().map(ToString::to_string).collect::<Vec<_>>());
            format!("{} {} {}", one.name, one.port, known.map_or("?".to_owned(), |known| known.join(" ")))
        };
        configured(&cell, families).iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        of(Families::Both),
        [
            "a 7003 192.0.2.1 2001:db8::1",
            "b 7010 192.0.2.2 192.0.2.4",
            "b 7003 192.0.2.3 192.0.2.5",
            "c 7003 ?",
            "d 7010 2001:db8::4"
        ]
    );
    assert_eq!(
        of(Families::Only(Family::Ipv4)),
        [
            "a 7003 192.0.2.1",
            "b 7010 192.0.2.2 192.0.2.4",
            "b 7003 192.0.2.3 192.0.2.5",
            "c 7003 ?",
            "d 7003 "
        ]
    );
    assert_eq!(
        of(Families::Only(Family::Ipv6)),
        ["a 7003 2001:db8::1", "b 7003 ", "c 7003 ?", "d 7010 2001:db8::4"]
    );
}

#[test]
fn addresses_already_known_are_not_queried() {
    let known = |known: &[&str]| Candidate {
        name: "a.test".to_owned(),
        known: Some(known.iter().map(|ip| ip.parse().unwrap()).collect()),
        ..Candidate::default()
    };
    let seen = TestHost::default().run(Table::default(), async |host| {
        let until = Instant::now() + Duration::from_secs(1);
        let candidates = vec![known(&["192.0.2.7"]), known(&[])];
        resolve(candidates, NameKind::Host, host, Families::Both, until).await
    });
    let list = ServerList {
        source: RecordSource::Config,
        status: LookupStatus::Good,
        servers: seen.outcome.servers,
    };
    let expected = "Config Good: a.test 0/0 7003 192.0.2.7 (Config Good), a.test 0/0 7003 (Config NotFound)";
    assert_eq!(shown(&list, seen.outcome.ttl), expected);
    assert!(seen.asked.is_empty() && seen.outcome.failures.is_empty());
}
