//! SRV and AFSDB records.

use super::*;
use crate::options::LookupOptions;

#[test]
fn srv_records_take_precedence_over_afsdb_records() {
    let two = [srv(1, 2, 7010, "db1.test.")];
    let one = [afsdb(1, "db2.test.")];
    for (srv, afsdb, expected) in [
        (answer(&two), answer(&one), "Srv Good for 60 s: db1.test 1/2 7010 192.0.2.7"),
        (answer(&two), Act::no_such_name(9), "Srv Good for 60 s: db1.test 1/2 7010 192.0.2.7"),
        (Act::no_such_name(50), answer(&one), "Afsdb Good for 50 s: db2.test 0/0 7003 192.0.2.8"),
        (Act::no_data(80), answer(&one), "Afsdb Good for 70 s: db2.test 0/0 7003 192.0.2.8"),
        // A failure is passed over for as long as "no such name" would be.
        (Act::rcode(2), answer(&one), "Afsdb Good for 60 s: db2.test 0/0 7003 192.0.2.8"),
        // Records that lead nowhere, too.
        (
            answer(&[super::srv(0, 0, 0, "gone.test.")]),
            answer(&one),
            "Afsdb Good for 30 s: db2.test 0/0 7003 192.0.2.8",
        ),
        (Act::no_such_name(50), Act::no_such_name(40), "no server for 40 s"),
        (Act::no_such_name(30), Act::no_data(40), "no server for 30 s"),
        (Act::rcode(3), Act::rcode(3), "no server for 60 s"),
        (Act::rcode(2), Act::no_such_name(40), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
        (Act::no_such_name(40), Act::rcode(2), "no usable answer for now: 192.0.2.1:53: SERVFAIL over UDP"),
        (Act::rcode(5), Act::rcode(5), "no server answers: 192.0.2.1:53: REFUSED over UDP"),
    ] {
        let seen = cell(&[
            ("SRV", srv.clone().after(1)),
            ("AFSDB", afsdb.clone()),
            ("db1.test. A", address("db1.test.", 7)),
            ("db2.test. A", address("db2.test.", 8)),
            ("gone.test.", Act::no_such_name(30)),
            ("", Act::no_data(90)),
        ]);
        assert_eq!(seen.outcome, expected, "{srv:?} {afsdb:?}");
        let questions = seen.questions();
        assert_eq!(questions[..2], [format!("{SRV} SRV"), "cell.test. AFSDB".to_owned()]);
        assert_eq!(seen.times()[..2], [0, 0]);
    }
}

/// What the target of an SRV record leads to where nobody has more.
fn servers_of(records: &[String]) -> String {
    let lines = [
        ("SRV", answer(records)),
        ("AFSDB", Act::no_such_name(99)),
        ("A", Act::answer(&["db1.test. 90 A 192.0.2.7", "DB2.test. 90 A 192.0.2.8"])),
        ("", Act::no_data(90)),
    ];
    cell(&lines).outcome
}

#[test]
fn servers_are_sorted_by_priority_weight_name_and_port_and_deduplicated() {
    let expected = "Srv Good for 60 s: db2.test 0/9 7010 192.0.2.8, db1.test 1/5 7003 192.0.2.7, \
        DB2.test 1/5 7003 192.0.2.8, db1.test 1/4 7001 192.0.2.7";
    let records = [
        srv(1, 4, 7001, "db1.test."),
        srv(1, 5, 0, "DB2.test."),
        srv(1, 5, 7003, "db1.test."),
        srv(0, 9, 7010, "db2.test."),
        // The same ones again: what they are worth is what they are worth first.
        srv(2, 9, 7003, "DB1.test."),
        srv(9, 0, 7010, "db2.test."),
    ];
    for turn in 0..records.len() {
        let mut records = records.to_vec();
        records.rotate_left(turn);
        assert_eq!(servers_of(&records), expected);
    }
}

#[test]
fn an_srv_record_with_the_root_as_target_means_no_such_service() {
    let kafs = Cell {
        use_dns: Some(true),
        servers: vec![cells::DatabaseServer {
            name: "db9.test".to_owned(),
            addresses: vec![("192.0.2.9".parse().unwrap(), None)],
        }],
    };
    let host = TestHost { kafs: Some(kafs), ..TestHost::default() };
    let database = "Config Good for 44 s: db9.test 0/0 7003 192.0.2.9 (Config Good)";
    let found = "Srv GoodWithBad for 60 s: db1.test 0/0 7003 192.0.2.7";
    let root = || srv(0, 0, 0, ".");
    for (srv_records, afsdb_records, expected) in [
        (vec![root()], vec![afsdb(1, "db1.test.")], "no server for 60 s"),
        (vec![root(), root()], vec![afsdb(1, "db1.test.")], "no server for 60 s"),
        // Beside others it makes no sense.
        (vec![root(), srv(0, 0, 0, "db1.test.")], vec![], found),
        (vec![srv(0, 0, 0, "db1.test."), root()], vec![], found),
        (
            vec![root(), srv(0, 0, 0, "a;b.test.")],
            vec![afsdb(1, "db1.test.")],
            "Afsdb Good for 44 s: db1.test 0/0 7003 192.0.2.7",
        ),
        // An AFSDB record can't say so.
        (vec![], vec![afsdb(1, ".")], database),
        (
            vec![],
            vec![afsdb(1, "."), afsdb(1, "db1.test.")],
            "Afsdb GoodWithBad for 44 s: db1.test 0/0 7003 192.0.2.7",
        ),
    ] {
        let or_nothing = |records: &[String]| match records {
            [] => Act::no_data(44),
            records => answer(records),
        };
        let lines = [
            ("SRV", or_nothing(&srv_records)),
            ("AFSDB", or_nothing(&afsdb_records)),
            ("db1.test. A", address("db1.test.", 7)),
            ("", Act::no_data(90)),
        ];
        // What could not be read leads on for as long as "no such name" would.
        let options = LookupOptions { negative_ttl: Ttl::from_secs(44), ..LookupOptions::default() };
        let host = TestHost { options, kafs: host.kafs.clone(), ..TestHost::default() };
        let seen = find(&host, &lines, "cell.test", "");
        assert_eq!(seen.outcome, expected, "{srv_records:?} {afsdb_records:?}");
    }
}

#[test]
fn an_invalid_record_is_skipped_and_changes_the_status() {
    let good = || srv(0, 0, 0, "db1.test.");
    let found = "GoodWithBad for 60 s: db1.test 0/0 7003 192.0.2.7";
    for bad in [
        format!("{SRV} 60 SRV \\# 3 000102"),
        srv(0, 0, 0, "-db.test."),
        srv(0, 0, 0, "a;b.test."),
        srv(0, 0, 0, "."),
    ] {
        assert_eq!(servers_of(&[bad.clone(), good()]), format!("Srv {found}"), "{bad}");
    }
    // None of them: that says nothing of the cell.
    let bad = [format!("{SRV} 60 SRV \\# 3 000102"), srv(0, 0, 0, "-db.test.")];
    assert_eq!(servers_of(&bad), "no usable answer for now: none of the 2 records could be read");
    // Records of others, and of other types, are not bad ones.
    let others = [good(), format!("{SRV} 60 TXT \\# 2 0161"), "x.test. 60 SRV 0 0 0 -x.test.".to_owned()];
    assert_eq!(servers_of(&others), "Srv Good for 60 s: db1.test 0/0 7003 192.0.2.7");
}

#[test]
fn afsdb_records_of_other_subtypes_are_ignored() {
    let of = |records: &[String]| {
        let lines = [
            ("AFSDB", answer(records)),
            ("A", Act::answer(&["db1.test. 90 A 192.0.2.7"])),
            ("", Act::no_data(80)),
        ];
        cell(&lines).outcome
    };
    let dce = || afsdb(2, "dce.test.");
    assert_eq!(of(&[dce(), afsdb(1, "db1.test.")]), "Afsdb Good for 70 s: db1.test 0/0 7003 192.0.2.7");
    assert_eq!(of(&[dce()]), "no server for 70 s");
}

#[test]
fn glue_is_trusted_only_within_the_domain_of_the_cell() {
    let glue = ["db1.cell.test. 33 A 192.0.2.66", "db2.test. 33 A 192.0.2.66"];
    let records = [srv(0, 0, 0, "db1.cell.test."), srv(1, 0, 0, "db2.test.")];
    let lines = [
        ("SRV", answer(&records).additional(&glue)),
        ("db2.test. A", address("db2.test.", 8)),
        ("", Act::no_data(90)),
    ];
    let seen = cell(&lines);
    let expected = "Srv Good for 33 s: db1.cell.test 0/0 7003 192.0.2.66, db2.test 1/0 7003 192.0.2.8";
    assert_eq!(seen.outcome, expected);
    let asked: Vec<String> =
        seen.questions().into_iter().filter(|question| question.ends_with(" A")).collect();
    assert_eq!(asked, ["db2.test. A"]);
}

#[test]
fn a_cell_name_too_long_for_the_srv_prefix_is_looked_up_by_afsdb_records() {
    let label = "a".repeat(60);
    let cell = format!("{label}.{label}.{label}.{}", "b".repeat(56));
    let afsdb = format!("{cell}. 70 AFSDB 1 db1.test.");
    let lines = [("AFSDB", Act::answer(&[&afsdb])), ("A", address("db1.test.", 7)), ("", Act::no_data(90))];
    let seen = find(&TestHost::default(), &lines, &cell, "");
    assert_eq!(seen.outcome, "Afsdb Good for 60 s: db1.test 0/0 7003 192.0.2.7");
    assert!(!seen.questions().iter().any(|question| question.ends_with(" SRV")));
}

#[test]
fn cell_names_are_absolute_with_or_without_a_trailing_dot() {
    for name in ["cell.test", "cell.test.", "CELL.test"] {
        let host = TestHost { resolv: "search other\noptions ndots:9", ..TestHost::default() };
        let lines = [
            ("SRV", answer(&[srv(0, 0, 0, "db1.test.")]).after(1)),
            ("db1.test. A", address("db1.test.", 7)),
            ("", Act::no_data(90)),
        ];
        let seen = find(&host, &lines, name, "");
        assert_eq!(seen.outcome, "Srv Good for 60 s: db1.test 0/0 7003 192.0.2.7");
        let questions = seen.questions();
        let names: Vec<&str> =
            questions.iter().filter_map(|question| question.rsplit_once(' ')).map(|(name, _)| name).collect();
        assert_eq!(names, [SRV, "cell.test.", "db1.test.", "db1.test."]);
    }
}

#[test]
fn late_srv_records_still_take_precedence_over_afsdb_records() {
    let lines = [
        ("SRV", answer(&[srv(0, 0, 0, "db1.test.")]).after(400)),
        ("AFSDB", answer(&[afsdb(1, "db2.test.")])),
        ("db1.test. A", address("db1.test.", 7)),
        ("", Act::no_data(90)),
    ];
    let seen = cell(&lines);
    assert_eq!((seen.outcome.as_str(), seen.took), ("Srv Good for 60 s: db1.test 0/0 7003 192.0.2.7", 400));
}

#[test]
fn the_ttl_of_an_answer_is_the_smallest_of_all_records_used() {
    let find = |srv: Act, db1: Act| {
        cell(&[("SRV", srv), ("db1.test. A", db1), ("AFSDB", Act::no_data(5)), ("", Act::no_data(90))])
            .outcome
    };
    let list = |seconds: u32| format!("Srv Good for {seconds} s: db1.test 0/0 7003 192.0.2.7");
    let record = |ttl: u32| Act::answer(&[&format!("{SRV} {ttl} SRV 0 0 0 db1.test.")]);
    assert_eq!(find(record(50), address("db1.test.", 7)), list(50));
    assert_eq!(find(record(99), address("db1.test.", 7)), list(90));
    assert_eq!(find(record(0), address("db1.test.", 7)), list(1));
    let alias = Act::answer(&["db1.test. 20 CNAME a.test.", "a.test. 90 A 192.0.2.7"]);
    assert_eq!(find(record(50), alias), list(20));
    let alias = Act::answer(&[&format!("{SRV} 10 CNAME vl.test."), "vl.test. 50 SRV 0 0 0 db1.test."]);
    assert_eq!(find(alias, address("db1.test.", 7)), list(10));
}
