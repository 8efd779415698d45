//! The cell databases beside DNS.

use super::*;

fn server(name: &str, addresses: &[&str]) -> cells::DatabaseServer {
    let addresses = addresses.iter().map(|ip| (ip.parse().unwrap(), None)).collect();
    cells::DatabaseServer { name: name.to_owned(), addresses }
}

const OPENAFS: &str = ">cell.test\n192.0.2.20 #db20.test\n";

fn by_dns() -> Act {
    answer(&[srv(0, 0, 0, "db1.test.")])
}

/// What kafs-client's database says of DNS, the servers that it has, what DNS has, and what that comes to.
#[test]
fn the_database_decides_about_dns_and_is_used_if_dns_has_no_servers() {
    let own = || vec![server("db9.test", &["192.0.2.9"])];
    let dns = "Srv Good for 60 s: db1.test 0/0 7003 192.0.2.7";
    let kafs = "Config Good: db9.test 0/0 7003 192.0.2.9 (Config Good)";
    let kafs_after_dns = "Config Good for 40 s: db9.test 0/0 7003 192.0.2.9 (Config Good)";
    let openafs = "Config Good: db20.test 0/0 7003 192.0.2.20 (Config Good)";
    let openafs_after_dns = "Config Good for 40 s: db20.test 0/0 7003 192.0.2.20 (Config Good)";
    let nothing = || Act::no_such_name(40);
    for (use_dns, servers, srv, expected, asks) in [
        (None, vec![], by_dns(), dns, true),
        (None, own(), by_dns(), kafs, false),
        (Some(true), own(), by_dns(), dns, true),
        (Some(true), own(), nothing(), kafs_after_dns, true),
        (Some(false), own(), by_dns(), kafs, false),
        // OpenAFS's is the last.
        (None, vec![], nothing(), openafs_after_dns, true),
        (Some(true), vec![server("gone.test", &[])], nothing(), openafs_after_dns, true),
        (Some(false), vec![], by_dns(), openafs, false),
        (Some(false), vec![server("gone.test", &[])], by_dns(), openafs, false),
    ] {
        let case = format!("{use_dns:?} {servers:?} {srv:?}");
        let host =
            TestHost { kafs: Some(Cell { use_dns, servers }), openafs: OPENAFS, ..TestHost::default() };
        let lines = [
            ("SRV", srv),
            ("db1.test. A", address("db1.test.", 7)),
            ("AFSDB", nothing()),
            ("gone.test.", nothing()),
            ("", Act::no_data(90)),
        ];
        let seen = find(&host, &lines, "cell.test", "");
        assert_eq!(seen.outcome, expected, "{case}");
        assert_eq!(seen.questions().contains(&format!("{SRV} SRV")), asks, "{case}");
    }
}

#[test]
fn a_dns_failure_is_returned_only_if_the_databases_have_no_server() {
    let lines = |act: &Act| [("SRV", act.clone()), ("AFSDB", act.clone()), ("", Act::no_data(90))];
    for (act, expected, seconds) in [
        (Act::rcode(2), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP", 60),
        (Act::rcode(5), "no server answers: 192.0.2.1:53: REFUSED over UDP", 60),
        (Act::no_such_name(40), "no server for 40 s", 40),
    ] {
        let host = TestHost { kafs: Some(Cell::default()), openafs: OPENAFS, ..TestHost::default() };
        let found = format!("Config Good for {seconds} s: db20.test 0/0 7003 192.0.2.20 (Config Good)");
        assert_eq!(find(&host, &lines(&act), "cell.test", "").outcome, found);
        assert_eq!(find(&host, &lines(&act), "other.test", "").outcome, expected);
    }
}

#[test]
fn with_dns_off_and_no_server_in_a_database_the_failure_says_so() {
    let host =
        TestHost { kafs: Some(Cell { use_dns: Some(false), servers: Vec::new() }), ..TestHost::default() };
    let query = Query::parse(b"afsdb:cell.test", b"", Preference::Any).unwrap().query;
    let Query::Cell(query) = query else { panic!("a cell") };
    let seen = host.run(Table::default(), async |host| servers(&query, host).await);
    let reason = "no server of the cell has an address of the family asked for";
    let failure = seen.outcome.unwrap_err();
    assert!(
        matches!(failure, Failure::NoServer { ttl: None, .. }) && failure.to_string() != reason,
        "{failure}"
    );
    assert!(seen.asked.is_empty());
}

#[test]
fn a_database_server_without_addresses_is_looked_up_unless_dns_is_off() {
    let servers = || vec![server("db9.test", &["192.0.2.9"]), server("db8", &[])];
    let lines = [
        ("db8.test. A", Act::answer(&["db8.test. 30 A 192.0.2.8"])),
        ("SRV", Act::no_such_name(40)),
        ("AFSDB", Act::no_such_name(40)),
        ("", Act::no_such_name(90)),
    ];
    for (use_dns, expected) in [
        (
            Some(false),
            "Config Good: db9.test 0/0 7003 192.0.2.9 (Config Good), db8 0/0 7003 (Config NotDone)",
        ),
        (None, "Config Good for 30 s: db9.test 0/0 7003 192.0.2.9 (Config Good), db8 0/0 7003 192.0.2.8"),
    ] {
        let host = TestHost {
            resolv: "search test",
            kafs: Some(Cell { use_dns, servers: servers() }),
            ..TestHost::default()
        };
        let seen = find(&host, &lines, "cell.test", "");
        assert_eq!(seen.outcome, expected);
        assert_eq!(seen.asked.is_empty(), use_dns == Some(false));
    }
    // With the addresses of one family alone, a server that has none of it is said to have none.
    let host = TestHost {
        kafs: Some(Cell {
            use_dns: Some(false),
            servers: vec![server("a.test", &["2001:db8::1"]), server("b.test", &["192.0.2.9"])],
        }),
        ..TestHost::default()
    };
    assert_eq!(
        find(&host, &[], "cell.test", "ipv4").outcome,
        "Config Good: a.test 0/0 7003 (Config NotFound), b.test 0/0 7003 192.0.2.9 (Config Good)"
    );
}

#[test]
fn with_dns_off_servers_of_openafs_are_used_and_invalid_lines_are_reported() {
    let host = TestHost {
        kafs: Some(Cell { use_dns: Some(false), servers: Vec::new() }),
        openafs: ">cell.test\nnonsense\n192.0.2.20 #db20.test\n",
        ..TestHost::default()
    };
    let seen = find(&host, &[], "cell.test", "");
    assert_eq!(seen.outcome, "Config Good: db20.test 0/0 7003 192.0.2.20 (Config Good)");
    assert!(
        seen.warnings.len() == 1 && seen.warnings[0].starts_with("/etc/openafs/CellServDB:2: "),
        "{:?}",
        seen.warnings
    );
}

#[test]
fn a_list_holds_at_most_255_servers_of_a_database() {
    let servers = (0..300).map(|number| server(&format!("db{number}.test"), &["192.0.2.9"])).collect();
    let host = TestHost { kafs: Some(Cell { use_dns: Some(false), servers }), ..TestHost::default() };
    assert_eq!(find(&host, &[], "cell.test", "").outcome.split(", ").count(), 255);
}

#[test]
fn addresses_from_a_database_are_sorted_like_getaddrinfo() {
    let host = TestHost {
        kafs: Some(Cell {
            use_dns: Some(false),
            servers: vec![server("a.test", &["192.0.2.9", "2001:db8::9"])],
        }),
        ..TestHost::default()
    };
    assert_eq!(
        find(&host, &[], "cell.test", "").outcome,
        "Config Good: a.test 0/0 7003 2001:db8::9 192.0.2.9 (Config Good)"
    );
}
