//! The sources in their order, on hosts whose files are text.

use super::*;
use crate::address::Origin;
use crate::options::DomainServers;
use crate::script::{Act, Table};
use crate::test_host::{FakeModules, Seen, TestHost, shown, table};
use key::Preference;

const IPV4: Families = Families::Only(Family::Ipv4);

fn look_up(host: &TestHost<'_>, servers: Table, name: &str, families: Families) -> Seen<String> {
    host.run(servers, async |host| shown(&host.lookup(name, NameKind::Host, families).await))
}

fn mon1() -> Act {
    Act::answer(&["mon1.test. 60 A 192.0.2.7"])
}

fn servfail() -> Act {
    Act::rcode(2)
}

/// What DNS, the hosts file and the module `sss` have of `mon1.test`, and what the sources come to in this order.
#[test]
fn sources_are_queried_in_order_until_an_action_ends_the_lookup() {
    const HOSTS: &str = "198.51.100.7 mon1.test";
    const MODULE: &str = "203.0.113.7";
    const FAILS: &str = "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP";
    const ABSENT: &str = "no usable answer for now: sss: it is not there";
    const BUSY: &str = "no usable answer for now: sss: it is busy";
    for (order, hosts, dns, module, expected, asked) in [
        ("files dns", HOSTS, mon1(), "", "198.51.100.7", [0, 0]),
        ("files dns", "", mon1(), "", "192.0.2.7 for 60 s", [1, 0]),
        ("dns files", HOSTS, mon1(), "", "192.0.2.7 for 60 s", [1, 0]),
        ("dns files", HOSTS, Act::no_such_name(60), "", "198.51.100.7", [1, 0]),
        ("dns files", HOSTS, servfail(), "", "198.51.100.7", [1, 0]),
        ("files dns", "", Act::no_such_name(60), "", "no such name for 60 s", [1, 0]),
        ("files", "", mon1(), "", "no such name", [0, 0]),
        ("", HOSTS, mon1(), "", "no such name", [0, 0]),
        // NOTFOUND
        ("files [NOTFOUND=return] dns", "", mon1(), "", "no such name", [0, 0]),
        ("dns [NOTFOUND=return] files", HOSTS, Act::no_such_name(60), "", "no such name for 60 s", [1, 0]),
        ("dns [NOTFOUND=return] files", HOSTS, Act::no_data(60), "", "no address for 60 s", [1, 0]),
        ("dns [NOTFOUND=return] files", HOSTS, servfail(), "", "198.51.100.7", [1, 0]),
        // UNAVAIL
        ("dns [UNAVAIL=return] files", HOSTS, servfail(), "", FAILS, [1, 0]),
        ("dns [UNAVAIL=return] files", HOSTS, Act::no_such_name(60), "", "198.51.100.7", [1, 0]),
        ("dns [!UNAVAIL=return] files", HOSTS, servfail(), "", "198.51.100.7", [1, 0]),
        ("dns [!UNAVAIL=return] files", HOSTS, Act::no_such_name(60), "", "no such name for 60 s", [1, 0]),
        // SUCCESS: the search goes on, and the last source that has the name counts.
        ("files [SUCCESS=continue] dns", HOSTS, mon1(), "", "192.0.2.7 for 60 s", [1, 0]),
        ("files [SUCCESS=continue] dns", HOSTS, Act::no_such_name(60), "", "198.51.100.7", [1, 0]),
        // Modules
        ("sss dns", "", mon1(), MODULE, "203.0.113.7", [0, 1]),
        ("sss dns", "", mon1(), "", "192.0.2.7 for 60 s", [1, 1]),
        ("sss [NOTFOUND=return] dns", "", mon1(), "", "no such name", [0, 1]),
        ("sss [UNAVAIL=return] dns", "", mon1(), "UNAVAIL", ABSENT, [0, 1]),
        ("sss [NOTFOUND=return] dns", "", mon1(), "UNAVAIL", "192.0.2.7 for 60 s", [1, 1]),
        ("sss [!UNAVAIL=return] dns", "", mon1(), "UNAVAIL", "192.0.2.7 for 60 s", [1, 1]),
        // That a module can't be asked says less than what others do.
        ("sss dns", "", Act::no_such_name(60), "UNAVAIL", "no such name for 60 s", [1, 1]),
        // That it can't answer for now is more than that others have nothing.
        ("sss", "", mon1(), "TRYAGAIN", BUSY, [0, 1]),
        ("sss dns", "", mon1(), "TRYAGAIN", "192.0.2.7 for 60 s", [1, 1]),
        ("sss dns", "", Act::no_such_name(60), "TRYAGAIN", BUSY, [1, 1]),
        ("sss [TRYAGAIN=return] dns", "", mon1(), "TRYAGAIN", BUSY, [0, 1]),
        ("sss [NOTFOUND=return] dns", "", mon1(), "TRYAGAIN", "192.0.2.7 for 60 s", [1, 1]),
        ("sss [!UNAVAIL=return] dns", "", mon1(), "TRYAGAIN", BUSY, [0, 1]),
        // One that is not asked for a family says nothing at all.
        ("sss", "", mon1(), "not asked", "no such name", [0, 1]),
        ("sss [NOTFOUND=return] dns", "", mon1(), "not asked", "192.0.2.7 for 60 s", [1, 1]),
    ] {
        let answers = [("sss", "mon1.test", module)];
        let modules =
            FakeModules { answers: if module.is_empty() { &[] } else { &answers }, ..FakeModules::default() };
        let host = TestHost { order, hosts: Some(hosts), modules: Some(&modules), ..TestHost::default() };
        let seen = look_up(&host, table(&[("mon1.test. A", dns.clone())]), "mon1.test", IPV4);
        let case = format!("{order}; {hosts}; {dns:?}; {module}");
        assert_eq!(seen.outcome, expected, "{case}");
        assert_eq!([seen.questions().len(), modules.asked.borrow().len()], asked, "{case}");
    }
}

#[test]
fn the_most_significant_failure_of_all_sources_is_returned() {
    let nothing = || Act::no_such_name(60);
    for (acts, expected) in [
        ([nothing(), servfail()], "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
        ([servfail(), nothing()], "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
        ([nothing(), Act::no_such_name(30)], "no such name for 30 s"),
        ([nothing(), Act::no_data(90)], "no address for 60 s"),
    ] {
        let host = TestHost { order: "dns dns", ..TestHost::default() };
        // Each for the question and its repetition in plain.
        let acts: Vec<Act> = acts.into_iter().flat_map(|act| [act.clone(), act]).collect();
        let seen = look_up(&host, Table::default().on("mon1.test. A", acts), "mon1.test", IPV4);
        assert_eq!((seen.outcome.as_str(), seen.asked.len()), (expected, 4));
    }
}

#[test]
fn modules_are_queried_with_the_unchanged_name_and_the_families() {
    let modules =
        FakeModules { answers: &[("sss", "mon1", "203.0.113.7 2001:db8::7")], ..FakeModules::default() };
    let host = TestHost {
        order: "mdns4_minimal wins sss",
        resolv: "search test",
        modules: Some(&modules),
        ..TestHost::default()
    };
    let seen = look_up(&host, Table::default(), "mon1", Families::Both);
    assert_eq!(seen.outcome, "203.0.113.7 2001:db8::7");
    assert_eq!(*modules.asked.borrow(), ["wins: mon1 (IPv4 and IPv6)", "sss: mon1 (IPv4 and IPv6)"]);
    assert_eq!(
        seen.trace,
        [
            "mdns4_minimal: nothing for mon1 (Unavail)",
            "wins: nothing for mon1 (NotFound)",
            "sss: 2 addresses for mon1",
            "sss is the last source: Success ends the search",
        ]
    );
}

#[test]
fn sources_are_unavailable_if_modules_cannot_be_queried() {
    let host = TestHost { order: "sss dns", ..TestHost::default() };
    let seen = look_up(&host, table(&[("", mon1())]), "mon1.test", IPV4);
    assert_eq!(seen.outcome, "192.0.2.7 for 60 s");
    assert_eq!(seen.trace[0], "mon1.test in sss: NSS modules are not queried here");
    let host = TestHost { order: "sss", ..TestHost::default() };
    let seen = look_up(&host, Table::default(), "mon1.test", IPV4);
    assert_eq!(seen.outcome, "no usable answer for now: sss: NSS modules are not queried here");
}

#[test]
fn a_missing_hosts_file_is_ignored_and_an_unreadable_one_is_reported() {
    const ABSENT: Option<&str> = Some("/nowhere/at/all");
    // A folder can be opened, and not be read.
    const FOLDER: Option<&str> = Some("/");
    let wrong = "/etc/hosts: Is a directory (os error 21)";
    let absent = "/etc/hosts: No such file or directory (os error 2)";
    for (path, order, act, expected, warning) in [
        // Small systems have none, and are not told so at each lookup.
        (ABSENT, "files dns", mon1(), "192.0.2.7 for 60 s".to_owned(), None),
        (ABSENT, "files dns", Act::no_such_name(60), "no such name for 60 s".to_owned(), None),
        (ABSENT, "files", mon1(), format!("no usable answer for now: {absent}"), None),
        (FOLDER, "files dns", mon1(), "192.0.2.7 for 60 s".to_owned(), Some(wrong)),
        (
            FOLDER,
            "files dns",
            Act::no_such_name(60),
            format!("no usable answer for now: {wrong}"),
            Some(wrong),
        ),
        (
            FOLDER,
            "files [UNAVAIL=return] dns",
            mon1(),
            format!("no usable answer for now: {wrong}"),
            Some(wrong),
        ),
        (None, "files dns", mon1(), "192.0.2.7 for 60 s".to_owned(), None),
    ] {
        let host = TestHost { order, hosts_path: path, ..TestHost::default() };
        let seen = look_up(&host, table(&[("", act)]), "mon1.test", IPV4);
        assert_eq!(seen.outcome, expected, "{path:?} {order}");
        assert_eq!(seen.warnings, warning.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn special_names_are_answered_without_a_query() {
    let hosts = "198.51.100.7 a.localhost";
    for (order, name, families, expected) in [
        ("dns", "localhost", Families::Both, "::1 127.0.0.1"),
        ("dns", "a.localhost.", IPV4, "127.0.0.1"),
        ("files dns", "a.localhost", IPV4, "198.51.100.7"),
        ("dns", "x.invalid", Families::Both, "no such name"),
        ("myhostname", "localhost", Families::Only(Family::Ipv6), "::1"),
        ("myhostname", "a.localhost", IPV4, "127.0.0.1"),
        ("myhostname", "other.test", IPV4, "no such name"),
        // What looks like an address, and is none, has no IPv4 address.
        ("dns files", "127.1.1.1.1", IPV4, "no such name"),
    ] {
        let host = TestHost { order, hosts: Some(hosts), ..TestHost::default() };
        let seen = look_up(&host, table(&[("", Act::silence())]), name, families);
        assert_eq!(seen.outcome, expected, "{order} {name}");
        assert!(seen.asked.is_empty());
    }
    // It may have an IPv6 address.
    for families in [Families::Both, Families::Only(Family::Ipv6)] {
        let servers =
            table(&[("AAAA", Act::answer(&["127.1.1.1.1. 60 AAAA 2001:db8::7"])), ("", Act::no_data(60))]);
        let seen = look_up(&TestHost::default(), servers, "127.1.1.1.1", families);
        assert_eq!(seen.outcome, "2001:db8::7 for 60 s");
    }
}

#[test]
fn the_state_of_the_host_decides_which_source_is_queried() {
    const LIBRARY: &str = "libnss_resolve.so.2";
    const RESOLVED: &str = "/run/systemd/resolve/io.systemd.Resolve";
    let own = || vec![DomainServers::parse("test", "198.51.100.1").unwrap()];
    for (order, resolv, present, name_servers, expected, modules_asked, server) in [
        // The stub of systemd-resolved, of which either address is one.
        ("resolve", "nameserver 127.0.0.53", &[LIBRARY][..], vec![], "192.0.2.7 for 60 s", 0, "127.0.0.53"),
        ("resolve", "nameserver 127.0.0.54", &[LIBRARY], vec![], "192.0.2.7 for 60 s", 0, "127.0.0.54"),
        ("resolve", "nameserver 127.0.0.53", &[], vec![], "203.0.113.7", 1, ""),
        ("resolve", "nameserver 127.0.0.52", &[RESOLVED], vec![], "203.0.113.7", 1, ""),
        ("resolve", "nameserver 127.0.0.52", &["/etc/hosts"], vec![], "no such name", 0, ""),
        ("resolve", "nameserver 192.0.2.1", &[RESOLVED], own(), "192.0.2.7 for 60 s", 0, "198.51.100.1"),
        ("mymachines", "", &["/run/systemd/machines/mon1.test"], vec![], "203.0.113.7", 1, ""),
        ("mymachines", "", &["/run/systemd/machines/mon2.test"], vec![], "no such name", 0, ""),
    ] {
        let answers = [("resolve", "mon1.test", "203.0.113.7"), ("mymachines", "mon1.test", "203.0.113.7")];
        let modules = FakeModules { answers: &answers, ..FakeModules::default() };
        let host = TestHost {
            order,
            resolv,
            present,
            options: LookupOptions { name_servers, ..LookupOptions::default() },
            modules: Some(&modules),
            ..TestHost::default()
        };
        let seen = look_up(&host, table(&[("", mon1())]), "mon1.test", IPV4);
        assert_eq!(seen.outcome, expected, "{order} {resolv} {present:?}");
        assert_eq!(modules.asked.borrow().len(), modules_asked, "{order} {resolv} {present:?}");
        assert_eq!(seen.servers().first().map_or("", String::as_str), server);
    }
    // Its own name is answered by a module.
    let modules =
        FakeModules { answers: &[("myhostname", "NODE7.test", "203.0.113.7")], ..FakeModules::default() };
    let host =
        TestHost { order: "myhostname", name: "node7.test", modules: Some(&modules), ..TestHost::default() };
    assert_eq!(look_up(&host, Table::default(), "NODE7.test", IPV4).outcome, "203.0.113.7");
}

#[test]
fn it_is_known_in_advance_whether_modules_may_be_queried() {
    let asks = |order: &str, name: &[u8]| {
        let preference = Preference::First(Family::Ipv4);
        let query = Query::parse(name, b"", preference).unwrap().query;
        let host = TestHost { order, ..TestHost::default() };
        host.run(Table::default(), async |host| host.may_ask_modules(&query)).outcome
    };
    for (order, name, expected) in [
        ("files dns", &b"mon1.test"[..], false),
        ("files sss dns", b"mon1.test", true),
        ("files mdns4_minimal [NOTFOUND=return] dns", b"mon1.test", false),
        ("files mdns4_minimal [NOTFOUND=return] dns", b"mon1.local", true),
        ("sss", b"\xff.test", false),
        // The servers of a cell are not known yet.
        ("files dns", b"afsdb:cell.test", false),
        ("files resolve dns", b"afsdb:cell.test", false),
        ("files mdns4_minimal dns", b"afsdb:cell.test", true),
        ("files sss dns", b"afsdb:cell.test", true),
    ] {
        assert_eq!(asks(order, name), expected, "{order} {}", name.escape_ascii());
    }
}

#[test]
fn each_port_of_a_name_server_is_named_once() {
    let name_servers = ["198.51.100.1:5353", "198.51.100.1, 198.51.100.2:5300", "[2001:db8::1]:5353"]
        .map(|servers| DomainServers::parse("test", servers).unwrap())
        .to_vec();
    let ports = |name_servers| {
        let options = LookupOptions { name_servers, ..LookupOptions::default() };
        let host = TestHost { options, ..TestHost::default() };
        host.run(Table::default(), async |host| host.name_server_ports()).outcome
    };
    assert_eq!(ports(name_servers), [53, 5300, 5353]);
    assert_eq!(ports(Vec::new()), [53]);
}

#[test]
fn gai_conf_sorts_addresses_together_with_their_origins() {
    let address =
        |(line, ip): (usize, &str)| Address { ip: ip.parse().unwrap(), origin: Origin::Hosts(line) };
    let given = [(1, "192.0.2.7"), (2, "2001:db8::7"), (3, "192.0.2.8")];
    for (gai, expected) in [
        ("", [2, 1, 3]),
        ("precedence ::ffff:0:0/96 100\nprecedence ::/0 40", [1, 3, 2]),
        ("precedence ::ffff:192.0.2.8/128 100", [3, 1, 2]),
    ] {
        let host = TestHost { gai, ..TestHost::default() };
        let seen = host.run(Table::default(), async |host| {
            let mut addresses = given.map(address).to_vec();
            host.sort(&mut addresses);
            addresses
        });
        assert_eq!(seen.outcome, expected.map(|line| address(given[line - 1])), "{gai}");
    }
}

#[test]
fn gai_conf_is_read_only_if_there_is_something_to_sort() {
    let warnings = |lists: [&str; 2]| {
        let host = TestHost { gai: "precedence x", ..TestHost::default() };
        let seen = host.run(Table::default(), async |host| {
            let mut lists =
                lists.map(|list| list.split(' ').map(|ip| ip.parse().unwrap()).collect::<Vec<_>>());
            host.sort_each(lists.iter_mut().map(Vec::as_mut_slice));
            lists.map(|list| list.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" "))
        });
        (seen.outcome, seen.warnings)
    };
    let (lists, told) = warnings(["192.0.2.7", "2001:db8::7"]);
    assert_eq!((lists, told), (["192.0.2.7", "2001:db8::7"].map(str::to_owned), vec![]));
    let (lists, told) = warnings(["192.0.2.7", "192.0.2.7 2001:db8::7"]);
    assert_eq!(lists, ["192.0.2.7", "2001:db8::7 192.0.2.7"]);
    assert!(told.len() == 1 && told[0].starts_with("/etc/gai.conf:1: "), "{told:?}");
}

#[test]
fn the_sources_are_those_of_nsswitch_conf() {
    let host = TestHost { order: "files sss [NOTFOUND=return] dns", ..TestHost::default() };
    let seen = host.run(Table::default(), async |host| host.order().to_vec());
    let names: Vec<&str> = seen.outcome.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["files", "sss", "dns"]);
}
