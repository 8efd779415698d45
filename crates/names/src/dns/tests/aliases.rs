//! Walks along aliases.

use super::*;

/// Looks `mon1.test` up where its server answers so, and nobody has anything else.
fn alone(records: &[&str]) -> String {
    ipv4_of_mon1(&[("mon1.test. A", Act::answer(records)), ("", Act::no_such_name(9))]).outcome
}

#[test]
fn aliases_within_an_answer_are_followed() {
    for (records, expected) in [
        (&["mon1.test. 60 A 192.0.2.7"][..], "192.0.2.7 for 60 s"),
        (&["mon1.test. 60 A 192.0.2.7", "mon1.test. 30 A 192.0.2.5"], "192.0.2.7 192.0.2.5 for 30 s"),
        (&["MON1.Test. 60 A 192.0.2.7"], "192.0.2.7 for 60 s"),
        (&["mon1.test. 0 A 192.0.2.7"], "192.0.2.7 for 1 s"),
        (&["mon1.test. 60 CNAME a.test.", "a.test. 90 A 192.0.2.7"], "192.0.2.7 for 60 s"),
        (&["mon1.test. 90 CNAME a.test.", "A.TEST. 60 A 192.0.2.7"], "192.0.2.7 for 60 s"),
        // In whatever order they come.
        (
            &["b.test. 70 A 192.0.2.7", "a.test. 50 CNAME b.test.", "mon1.test. 90 CNAME a.test."],
            "192.0.2.7 for 50 s",
        ),
        // A name that has both is no alias, and of two aliases the first counts.
        (
            &["mon1.test. 60 CNAME a.test.", "mon1.test. 90 A 192.0.2.7", "a.test. 60 A 192.0.2.8"],
            "192.0.2.7 for 90 s",
        ),
        (
            &[
                "mon1.test. 60 CNAME a.test.",
                "mon1.test. 9 CNAME b.test.",
                "a.test. 90 A 192.0.2.7",
                "b.test. 90 A 192.0.2.8",
            ],
            "192.0.2.7 for 60 s",
        ),
    ] {
        assert_eq!(alone(records), expected, "{records:?}");
    }
}

#[test]
fn records_outside_the_alias_chain_are_ignored() {
    for (records, expected) in [
        (&["mon1.test. 60 A 192.0.2.7", "evil.test. 1 A 192.0.2.66"][..], "192.0.2.7 for 60 s"),
        (&["evil.test. 60 A 192.0.2.66"], "no address"),
        (&["test. 60 A 192.0.2.66", "x.mon1.test. 60 A 192.0.2.66"], "no address"),
        (&["evil.test. 60 CNAME mon1.test.", "evil.test. 60 A 192.0.2.66"], "no address"),
        (&["mon1.test. 60 AAAA 2001:db8::7"], "no address"),
        (&["mon1.test. 60 TXT \\# 2 0161", "mon1.test. 60 AAAA 2001:db8::7"], "no address"),
        (&["mon1.test. 60 SRV 1 1 1 a.test.", "a.test. 60 A 192.0.2.66"], "no address"),
        (&["mon1.test. 60 A \\# 3 c00002", "mon1.test. 9 A 192.0.2.7"], "192.0.2.7 for 9 s"),
    ] {
        assert_eq!(alone(records), expected, "{records:?}");
    }
}

#[test]
fn an_alias_chain_continues_across_messages() {
    let seen = ipv4_of_mon1(&[
        ("mon1.test. A", Act::answer(&["mon1.test. 60 CNAME a.test.", "a.test. 90 CNAME b.test."])),
        ("b.test. A", Act::answer(&["b.test. 40 CNAME c.test."])),
        ("c.test. A", Act::answer(&["c.test. 70 A 192.0.2.7"])),
    ]);
    assert_eq!(seen.outcome, "192.0.2.7 for 40 s");
    assert_eq!(seen.questions(), ["mon1.test. A", "b.test. A", "c.test. A"]);
}

#[test]
fn a_dangling_alias_has_the_smaller_of_both_ttls() {
    let alias = |ttl: u32| Act::answer(&[&format!("mon1.test. {ttl} CNAME a.test.")]);
    for (first, then, expected, asked) in [
        // The server says itself that there is nothing there.
        (alias(90).soa(60), Act::silence(), "no address for 60 s", 1),
        (alias(30).soa(60), Act::silence(), "no address for 30 s", 1),
        // It is asked.
        (alias(90), Act::no_data(60), "no address for 60 s", 2),
        (alias(30), Act::no_data(60), "no address for 30 s", 2),
        (alias(90), Act::no_such_name(60), "no such name for 60 s", 2),
        (alias(30), Act::no_such_name(60), "no such name for 30 s", 2),
        (alias(30), Act::rcode(rcode::NXDOMAIN), "no such name for 30 s", 2),
        (alias(30), Act::rcode(rcode::NOERROR), "no address for 30 s", 2),
        (alias(30), Act::answer(&["b.test. 60 A 192.0.2.66"]), "no address for 30 s", 2),
    ] {
        let seen = ipv4_of_mon1(&[("mon1.test. A", first.clone()), ("a.test. A", then.clone())]);
        assert_eq!((seen.outcome.as_str(), seen.questions().len()), (expected, asked), "{first:?} {then:?}");
    }
    // With a code of its own, an alias is the answer to no other question.
    let nxdomain = Act::rcode(rcode::NXDOMAIN);
    let seen = ipv4_of_mon1(&[("mon1.test. A", with_alias(nxdomain)), ("", Act::silence())]);
    assert_eq!((seen.outcome.as_str(), seen.asked.len()), ("no such name for 60 s", 1));
    let seen = ipv4_of_mon1(&[("mon1.test. A", alias(60)), ("a.test. A", Act::rcode(rcode::SERVFAIL))]);
    assert_eq!(seen.outcome, "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP");
}

/// The act with an alias in its answer.
fn with_alias(act: Act) -> Act {
    act.answering(&["mon1.test. 60 CNAME a.test."])
}

#[test]
fn a_negative_answer_has_the_ttl_of_the_zone() {
    for (act, expected) in [
        (Act::no_such_name(60), "no such name for 60 s"),
        (Act::rcode(rcode::NXDOMAIN), "no such name"),
        (Act::no_data(60), "no address for 60 s"),
        (Act::rcode(rcode::NOERROR), "no address"),
    ] {
        assert_eq!(ipv4_of_mon1(&[("mon1.test. A", act)]).outcome, expected);
    }
}

#[test]
fn an_alias_loop_terminates() {
    for (records, expected) in [
        (&["mon1.test. 60 CNAME mon1.test."][..], "no address for 60 s"),
        (&["mon1.test. 60 CNAME a.test.", "a.test. 40 CNAME mon1.test."], "no address for 40 s"),
        (
            &[
                "mon1.test. 60 CNAME a.test.",
                "a.test. 50 CNAME b.test.",
                "b.test. 50 CNAME A.test.",
                "mon1.test. 1 A \\# 1 00",
            ],
            "no address for 50 s",
        ),
    ] {
        assert_eq!(alone(records), expected, "{records:?}");
    }
    let seen = ipv4_of_mon1(&[
        ("mon1.test. A", Act::answer(&["mon1.test. 60 CNAME a.test."])),
        ("a.test. A", Act::answer(&["a.test. 50 CNAME mon1.test."])),
    ]);
    assert_eq!((seen.outcome.as_str(), seen.asked.len()), ("no address for 50 s", 2));
}

#[test]
fn sixteen_aliases_are_followed_and_no_more() {
    let alias = |number: usize| {
        let owner = if number == 1 { "mon1.test.".to_owned() } else { format!("a{}.test.", number - 1) };
        format!("{owner} 60 CNAME a{number}.test.")
    };
    for (aliases, expected) in [(16, "192.0.2.7 for 60 s"), (17, "no address for 60 s")] {
        let mut records: Vec<String> = (1..=aliases).map(alias).collect();
        records.push(format!("a{aliases}.test. 90 A 192.0.2.7"));
        // In one message.
        let all: Vec<&str> = records.iter().map(String::as_str).collect();
        assert_eq!(alone(&all), expected);
        // In one message each.
        let each: Vec<(String, Act)> = records
            .iter()
            .map(|record| (record.split(' ').next().unwrap().to_owned() + " A", Act::answer(&[record])))
            .collect();
        let lines: Vec<(&str, Act)> = each.iter().map(|(name, act)| (name.as_str(), act.clone())).collect();
        let seen = ipv4_of_mon1(&lines);
        assert_eq!((seen.outcome.as_str(), seen.asked.len()), (expected, 17));
    }
}
