//! Both families of one name.

use super::*;
use std::io;

/// What one family brings.
const FOUND: usize = 0;
const NO_SUCH_NAME: usize = 1;
const NO_DATA: usize = 2;
/// Records, and no address in them.
const BARREN: usize = 3;
const SERVFAIL: usize = 4;
const NOBODY: usize = 5;

fn acts(family: Family) -> [Act; 6] {
    let (own, negative) = match family {
        Family::Ipv4 => ("mon1.test. 60 A 192.0.2.7", 20),
        Family::Ipv6 => ("mon1.test. 40 AAAA 2001:db8::7", 30),
    };
    [
        Act::answer(&[own]),
        Act::no_such_name(negative),
        Act::no_data(negative),
        Act::answer(&["mon1.test. 60 TXT \\# 1 00"]).soa(negative),
        Act::rcode(rcode::SERVFAIL),
        Act::error(io::ErrorKind::ConnectionRefused),
    ]
}

fn both(ipv4: usize, ipv6: usize) -> Seen<String> {
    let [ipv4, ipv6] = [acts(Family::Ipv4)[ipv4].clone(), acts(Family::Ipv6)[ipv6].clone()];
    let host = TestHost {
        resolv: "nameserver 192.0.2.1\nsearch other\noptions attempts:1",
        options: LookupOptions { default_ttl: Ttl::from_secs(5), ..LookupOptions::default() },
        ..TestHost::default()
    };
    let servers = table(&[("mon1.test. A", ipv4), ("mon1.test. AAAA", ipv6), ("", Act::no_such_name(90))]);
    look_up(&host, servers, "mon1.test", Families::Both)
}

/// For what IPv4 brings (down) and IPv6 brings (across), what both together are. With a star where the search goes on.
#[test]
fn addresses_of_either_family_are_returned_or_the_most_significant_failure() {
    const FAILS: &str = "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP";
    const FAILS_AND_ON: &str = "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP *";
    const GONE: &str = "no server answers: 192.0.2.1:53: connection refused over UDP";
    const GONE_AND_ON: &str = "no server answers: 192.0.2.1:53: connection refused over UDP *";
    let table: [(usize, [&str; 6]); 6] = [
        (
            FOUND,
            [
                "192.0.2.7 2001:db8::7 for 40 s",
                "192.0.2.7 for 60 s",
                "192.0.2.7 for 60 s",
                "192.0.2.7 for 60 s",
                "192.0.2.7 for 5 s",
                "192.0.2.7 for 5 s",
            ],
        ),
        (
            NO_SUCH_NAME,
            [
                "2001:db8::7 for 40 s",
                "no such name for 20 s *",
                "no address for 20 s *",
                "no address for 30 s",
                FAILS_AND_ON,
                GONE_AND_ON,
            ],
        ),
        (
            NO_DATA,
            [
                "2001:db8::7 for 40 s",
                "no address for 20 s *",
                "no address for 20 s *",
                "no address for 30 s",
                FAILS_AND_ON,
                GONE_AND_ON,
            ],
        ),
        (
            BARREN,
            [
                "2001:db8::7 for 40 s",
                "no address for 20 s",
                "no address for 20 s",
                "no address for 20 s",
                FAILS,
                GONE,
            ],
        ),
        (SERVFAIL, ["2001:db8::7 for 5 s", FAILS_AND_ON, FAILS_AND_ON, FAILS, FAILS_AND_ON, FAILS_AND_ON]),
        (NOBODY, ["2001:db8::7 for 5 s", GONE_AND_ON, GONE_AND_ON, GONE, FAILS_AND_ON, GONE_AND_ON]),
    ];
    for (ipv4, row) in table {
        for (ipv6, expected) in row.into_iter().enumerate() {
            let seen = both(ipv4, ipv6);
            let went_on = seen.questions().contains(&"mon1.test.other. A".to_owned());
            let outcome = seen.outcome + if went_on { " *" } else { "" };
            assert_eq!(outcome, expected, "A {ipv4}, AAAA {ipv6}");
        }
    }
}

/// What the search makes of both families, by the status that the next source is asked under, or not.
#[test]
fn the_combined_verdict_of_both_families_controls_the_search() {
    // After a bare name in a domain: the next domain, and the name itself.
    let all = ["mon1.a.", "mon1.b.", "mon1."];
    for (ipv4, ipv6, expected) in [
        (NO_SUCH_NAME, NO_SUCH_NAME, &all[..]),
        (NO_SUCH_NAME, NO_DATA, &all),
        (NO_DATA, NO_DATA, &all),
        (SERVFAIL, SERVFAIL, &all),
        // The name exists, which says more than the failure.
        (NO_DATA, SERVFAIL, &all),
        (NOBODY, NO_DATA, &all),
        // Nobody is there for the first family: asking for another name is no use.
        (NOBODY, NOBODY, &all[..1]),
        (NOBODY, SERVFAIL, &all[..1]),
        (SERVFAIL, NOBODY, &all),
        (BARREN, NO_DATA, &all[..1]),
    ] {
        let host = TestHost {
            resolv: "nameserver 192.0.2.1\nsearch a b\noptions attempts:1",
            ..TestHost::default()
        };
        let [ipv4_act, ipv6_act] = [acts(Family::Ipv4)[ipv4].clone(), acts(Family::Ipv6)[ipv6].clone()];
        let servers =
            table(&[("mon1.a. A", ipv4_act), ("mon1.a. AAAA", ipv6_act), ("", Act::no_such_name(90))]);
        let seen = look_up(&host, servers, "mon1", Families::Both);
        let questions = seen.questions();
        let asked: Vec<&str> = questions.iter().filter_map(|question| question.strip_suffix(" A")).collect();
        assert_eq!(asked, expected, "A {ipv4}, AAAA {ipv6}");
    }
}

/// With "no such name" for one family and nothing for the other, that there is no such name holds for both.
#[test]
fn no_such_name_for_one_family_applies_to_both() {
    let host =
        TestHost { resolv: "nameserver 192.0.2.1\nsearch a b\noptions attempts:1", ..TestHost::default() };
    for (ipv4, expected) in [
        // The failure of the first name that exists counts, and else that of the last name.
        (Act::no_data(20), "no address for 20 s"),
        (Act::no_such_name(20), "no such name for 90 s"),
    ] {
        let servers =
            table(&[("mon1.a. A", ipv4), ("mon1.a. AAAA", Act::no_data(30)), ("", Act::no_such_name(90))]);
        assert_eq!(look_up(&host, servers, "mon1", Families::Both).outcome, expected);
    }
}

#[test]
fn both_families_are_queried_in_parallel_unless_single_request_is_set() {
    for (options, times) in [("", [0, 0]), ("single-request", [0, 100]), ("single-request-reopen", [0, 100])]
    {
        let resolv = format!("nameserver 192.0.2.1\noptions {options}");
        let host = TestHost { resolv: &resolv, ..TestHost::default() };
        let servers = table(&[
            ("A", Act::answer(&["mon1.test. 60 A 192.0.2.7"]).after(100)),
            ("AAAA", Act::answer(&["mon1.test. 60 AAAA 2001:db8::7"]).after(100)),
        ]);
        let seen = look_up(&host, servers, "mon1.test", Families::Both);
        assert_eq!(seen.questions(), ["mon1.test. A", "mon1.test. AAAA"]);
        assert_eq!(seen.times(), times);
        assert_eq!(seen.outcome, "192.0.2.7 2001:db8::7 for 60 s");
    }
}

#[test]
fn no_aaaa_suppresses_aaaa_queries() {
    let host = TestHost { resolv: "nameserver 192.0.2.1\noptions no-aaaa", ..TestHost::default() };
    let servers = || table(&[("A", Act::answer(&["mon1.test. 60 A 192.0.2.7"]))]);
    for (families, outcome, questions) in [
        (Families::Both, "192.0.2.7 for 60 s", &["mon1.test. A"][..]),
        (Families::Only(Family::Ipv4), "192.0.2.7 for 60 s", &["mon1.test. A"]),
        (Families::Only(Family::Ipv6), "no address", &[]),
    ] {
        let seen = look_up(&host, servers(), "mon1.test", families);
        assert_eq!(seen.outcome, outcome);
        assert_eq!(seen.questions(), questions);
    }
}

#[test]
fn a_denial_for_a_name_with_addresses_is_not_confirmed() {
    assert_eq!(both(FOUND, NO_DATA).asked.len(), 2);
    assert_eq!(both(FOUND, NO_SUCH_NAME).asked.len(), 2);
    // Of nobody else's answer, and of no other name's.
    assert_eq!(
        both(NO_DATA, NO_DATA).asked.iter().filter(|asked| asked.question.name.num_labels() == 2).count(),
        4
    );
    let host = TestHost { resolv: "nameserver 192.0.2.1\noptions attempts:1", ..TestHost::default() };
    let alias = Act::answer(&["mon1.test. 60 CNAME a.test."]);
    let servers =
        table(&[("mon1.test.", alias), ("a.test. A", Act::no_data(60)), ("a.test. AAAA", Act::no_data(60))]);
    let seen = look_up(&host, servers, "mon1.test", Families::Both);
    let questions: Vec<String> = seen.asked.iter().map(|asked| asked.question.name.to_string()).collect();
    assert_eq!(questions.iter().filter(|name| *name == "a.test.").count(), 4, "{questions:?}");
    // An answer that is the other family's, and comes later, does not help.
    let servers = table(&[
        ("mon1.test. A", Act::answer(&["mon1.test. 60 A 192.0.2.7"]).after(20)),
        ("mon1.test. AAAA", Act::no_data(60)),
    ]);
    assert_eq!(look_up(&host, servers, "mon1.test", Families::Both).asked.len(), 3);
}
