//! Records of other types than addresses, and the glue that comes with them.

use super::*;
use crate::message::AFSDB;
use crate::test_host::{question, shown_failure};

/// The records of `_vl.cell.test` of one type, as text.
fn records(record_type: RecordType, lines: &[(&str, Act)]) -> Seen<String> {
    TestHost::default().run(table(lines), async |host| {
        let dns = host.dns(NameKind::Target(&[]));
        match dns.records(&question("_vl.cell.test", record_type)).await {
            Ok(Records { records, unreadable, glue, ttl }) => {
                let hosts: Vec<String> = records.iter().map(|record| host_of(&record.data)).collect();
                let ttl = ttl.map(Ttl::as_secs);
                format!("{} bad {unreadable} glue {} ttl {ttl:?}", hosts.join(" "), glue.len())
            }
            Err(failure) => shown_failure(&failure),
        }
    })
}

fn host_of(data: &Rdata) -> String {
    match data {
        Rdata::Srv { target: host, .. } | Rdata::Afsdb { host, .. } => host.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn records_are_found_through_aliases_with_the_smallest_ttl_and_glue() {
    for (lines, expected) in [
        (
            &[(
                "SRV",
                Act::answer(&[
                    "_vl.cell.test. 60 SRV 1 2 3 db1.test.",
                    "_vl.cell.test. 50 SRV 1 2 3 db2.test.",
                    "_vl.cell.test. 5 A 192.0.2.7",
                ])
                .additional(&["db1.test. 9 A 192.0.2.7", "db2.test. 9 AAAA 2001:db8::7"]),
            )][..],
            "db1.test. db2.test. bad 0 glue 2 ttl Some(50)",
        ),
        (
            &[("SRV", Act::answer(&["_vl.cell.test. 40 CNAME x.test.", "x.test. 50 SRV 1 2 3 db1.test."]))],
            "db1.test. bad 0 glue 0 ttl Some(40)",
        ),
        (
            &[
                ("_vl.cell.test. SRV", Act::answer(&["_vl.cell.test. 40 CNAME x.test."])),
                ("x.test. SRV", Act::answer(&["x.test. 30 SRV 1 2 3 db1.test."])),
            ],
            "db1.test. bad 0 glue 0 ttl Some(30)",
        ),
        (&[("SRV", Act::no_such_name(60))], "no such name for 60 s"),
        (&[("SRV", Act::no_data(60))], "no address for 60 s"),
        (&[("SRV", Act::answer(&["_vl.cell.test. 60 A 192.0.2.7"]))], "no address"),
        (&[("SRV", Act::answer(&["_vl.cell.test. 60 CNAME _vl.cell.test."]))], "no address for 60 s"),
        (&[("SRV", Act::rcode(rcode::REFUSED))], "no server answers: 192.0.2.1:53: REFUSED over UDP"),
    ] {
        assert_eq!(records(RecordType::SRV, lines).outcome, expected);
    }
    let lines = [("AFSDB", Act::answer(&["_vl.cell.test. 60 AFSDB 1 db1.test."]))];
    let seen = records(AFSDB, &lines);
    assert_eq!(seen.outcome, "db1.test. bad 0 glue 0 ttl Some(60)");
    assert_eq!(seen.questions(), ["_vl.cell.test. AFSDB"]);
}

#[test]
fn unreadable_records_are_counted() {
    for (records_of, expected) in [
        (
            &["_vl.cell.test. 60 SRV \\# 3 000102", "_vl.cell.test. 60 SRV 1 2 3 db1.test."][..],
            "db1.test. bad 1 glue 0 ttl Some(60)",
        ),
        // Beside something else, which is not what was asked for.
        (&["_vl.cell.test. 60 SRV \\# 3 000102", "_vl.cell.test. 60 A 192.0.2.7"], " bad 1 glue 0 ttl None"),
        (
            &[
                "_vl.cell.test. 40 CNAME x.test.",
                "x.test. 60 CNAME _vl.cell.test.",
                "x.test. 60 SRV \\# 3 000102",
            ],
            " bad 1 glue 0 ttl Some(40)",
        ),
    ] {
        let lines = [("SRV", Act::answer(records_of))];
        assert_eq!(records(RecordType::SRV, &lines).outcome, expected, "{records_of:?}");
    }
    // Where the alias is all that can be read, the rest is asked for.
    let alias = Act::answer(&["_vl.cell.test. 40 CNAME x.test.", "_vl.cell.test. 60 SRV \\# 1 00"]);
    let seen = records(
        RecordType::SRV,
        &[("_vl.cell.test. SRV", alias.soa(30)), ("x.test. SRV", Act::no_such_name(9))],
    );
    assert_eq!(seen.outcome, " bad 1 glue 0 ttl Some(40)");
}

/// The addresses of `db1.test`, the target of a record that came with these addresses.
fn target(glue: &[(&str, Rdata)], families: Families, lines: &[(&str, Act)]) -> Seen<String> {
    let glue: Vec<Record> = glue
        .iter()
        .map(|(owner, data)| Record {
            owner: absolute(owner).unwrap(),
            ttl: Ttl::from_secs(33),
            data: data.clone(),
        })
        .collect();
    let host = TestHost { resolv: "nameserver 192.0.2.1\nsearch other", ..TestHost::default() };
    host.run(table(lines), async |host| {
        let dns = host.dns(NameKind::Target(&glue));
        shown(&dns.lookup("db1.test", families).await.map_err(|(_, failure)| failure))
    })
}

#[test]
fn addresses_in_glue_are_not_queried() {
    let ipv4 = Rdata::A("192.0.2.7".parse().unwrap());
    let ipv6 = Rdata::Aaaa("2001:db8::7".parse().unwrap());
    let other = Rdata::A("192.0.2.66".parse().unwrap());
    let asked_for = Act::answer(&["db1.test. 60 AAAA 2001:db8::8"]);
    for (glue, families, outcome, questions) in [
        (&[("db1.test", ipv4.clone())][..], Families::Only(Family::Ipv4), "192.0.2.7 for 33 s", &[][..]),
        (
            &[("DB1.test", ipv4.clone()), ("db1.test", ipv6)],
            Families::Both,
            "192.0.2.7 2001:db8::7 for 33 s",
            &[],
        ),
        // What is missing may exist all the same.
        (&[("db1.test", ipv4)], Families::Both, "192.0.2.7 2001:db8::8 for 33 s", &["db1.test. AAAA"]),
        // That of others says nothing.
        (
            &[("db2.test", other.clone()), ("test", other)],
            Families::Only(Family::Ipv6),
            "2001:db8::8 for 60 s",
            &["db1.test. AAAA"],
        ),
    ] {
        let seen = target(glue, families, &[("AAAA", asked_for.clone())]);
        assert_eq!(seen.outcome, outcome);
        assert_eq!(seen.questions(), questions);
        let noted = seen.trace.iter().filter(|step| step.ends_with(": 1 glue records")).count();
        let families = if families == Families::Both { 2 } else { 1 };
        assert_eq!(noted, families - questions.len(), "{:?}", seen.trace);
    }
}

#[test]
fn the_target_of_a_record_is_absolute() {
    let seen = target(&[], Families::Only(Family::Ipv4), &[("", Act::no_such_name(60))]);
    assert_eq!(seen.questions(), ["db1.test. A"]);
    assert_eq!(seen.outcome, "no such name for 60 s");
}

#[test]
fn glue_has_no_server_and_an_answer_has_one() {
    let origin = |glue: &[Record]| {
        let lines = [("A", Act::answer(&["db1.test. 60 A 192.0.2.8"]))];
        let seen = TestHost::default().run(table(&lines), async |host| {
            let dns = host.dns(NameKind::Target(glue));
            dns.lookup("db1.test", Families::Only(Family::Ipv4)).await.unwrap().addresses.remove(0).origin
        });
        seen.outcome
    };
    let owner = absolute("db1.test").unwrap();
    let data = Rdata::A("192.0.2.7".parse().unwrap());
    let record = Record { owner: owner.clone(), ttl: Ttl::from_secs(33), data };
    let of = |ttl, server| Origin::Dns { owner: owner.clone(), ttl: Ttl::from_secs(ttl), server };
    assert_eq!(origin(&[record]), of(33, None));
    assert_eq!(origin(&[]), of(60, Some("192.0.2.1:53".parse().unwrap())));
}
