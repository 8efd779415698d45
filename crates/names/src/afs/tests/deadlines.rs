//! What is done with the time.

use super::*;
use crate::options::LookupOptions;

/// A host whose servers are waited for longer than the deadline of 8 s.
fn patient(kafs: Option<Cell>) -> TestHost<'static> {
    TestHost {
        resolv: "nameserver 192.0.2.1\noptions timeout:30 attempts:5",
        options: LookupOptions { deadline: 8, ..LookupOptions::default() },
        kafs,
        ..TestHost::default()
    }
}

#[test]
fn silent_servers_leave_half_of_the_time_for_the_databases() {
    let server = cells::DatabaseServer {
        name: "db9.test".to_owned(),
        addresses: vec![("192.0.2.9".parse().unwrap(), None)],
    };
    let host = patient(Some(Cell { use_dns: Some(true), servers: vec![server] }));
    let seen = find(&host, &[("", Act::silence())], "cell.test", "");
    assert_eq!(seen.outcome, "Config Good for 60 s: db9.test 0/0 7003 192.0.2.9 (Config Good)");
    assert_eq!(seen.took, 4000);
    let seen = find(&patient(None), &[("", Act::silence())], "cell.test", "");
    assert_eq!(seen.outcome, format!("no usable answer for now: no answer for {SRV} SRV in time"));
    assert_eq!(seen.took, 4000);
}

#[test]
fn afsdb_records_are_used_when_the_srv_query_times_out() {
    let lines = [
        ("SRV", Act::silence()),
        ("AFSDB", answer(&[afsdb(1, "db2.test.")]).after(3900)),
        ("db2.test. A", address("db2.test.", 8)),
        ("", Act::no_data(90)),
    ];
    let seen = find(&patient(None), &lines, "cell.test", "");
    assert_eq!(seen.outcome, "Afsdb Good for 60 s: db2.test 0/0 7003 192.0.2.8");
    assert_eq!(seen.took, 4000);
    // They have no time of their own after that.
    let lines = [("SRV", Act::silence()), ("AFSDB", answer(&[afsdb(1, "db2.test.")]).after(4100))];
    let seen = find(&patient(None), &lines, "cell.test", "");
    assert_eq!(seen.outcome, format!("no usable answer for now: no answer for {SRV} SRV in time"));
    assert_eq!(seen.took, 4000);
}

#[test]
fn after_nine_tenths_of_the_deadline_the_known_addresses_are_returned() {
    let records = answer(&[srv(0, 0, 0, "db1.test."), srv(1, 0, 0, "db2.test.")]);
    let lines = [
        ("SRV", records.clone().after(3900)),
        ("db1.test.", Act::silence()),
        ("db2.test. A", address("db2.test.", 8).after(3000)),
        ("", Act::no_data(90)),
    ];
    let seen = find(&patient(None), &lines, "cell.test", "");
    assert_eq!(
        seen.outcome,
        "Srv Good for 60 s: db1.test 0/0 7003 (NameService TemporaryFailure), db2.test 1/0 7003 192.0.2.8"
    );
    assert_eq!(seen.took, 7200);
    let lines = [("SRV", records), ("AFSDB", Act::no_data(60)), ("", Act::silence())];
    let seen = find(&patient(None), &lines, "cell.test", "");
    let expected =
        ["db1", "db2"].map(|name| format!("no usable answer for now: no address of {name}.test in time"));
    assert!(expected.contains(&seen.outcome), "{}", seen.outcome);
    assert_eq!(seen.took, 7200);
}
