//! The servers of a cell, with scripted name servers, databases in memory and a clock that doesn't wait.

mod addresses;
mod databases;
mod deadlines;
mod records;

use super::*;
use crate::script::{Act, Table};
use crate::test_host::{Seen, TestHost, shown_failure, table};
use key::{Family, Query};

/// Where the SRV records of `cell.test` are.
const SRV: &str = "_afs3-vlserver._udp.cell.test.";

/// The servers of a cell, of the families that `callout` names.
fn find(host: &TestHost<'_>, lines: &[(&str, Act)], cell: &str, callout: &str) -> Seen<String> {
    let name = format!("afsdb:{cell}");
    let callout = format!("srv=1 {callout}");
    let parsed = Query::parse(name.as_bytes(), callout.as_bytes(), Preference::First(Family::Ipv4));
    let Query::Cell(query) = parsed.unwrap().query else { panic!("{name} is no cell") };
    host.run(table(lines), async |host| match servers(&query, host).await {
        Ok((list, ttl)) => shown(&list, ttl),
        Err(failure) => shown_failure(&failure),
    })
}

/// The servers of `cell.test` on a host without databases.
fn cell(lines: &[(&str, Act)]) -> Seen<String> {
    find(&TestHost::default(), lines, "cell.test", "")
}

/// A list as `Srv Good for 60 s: db1.test 1/2 7003 192.0.2.7, db2.test 1/2 7003 (NameService NotFound)`, with the source
/// and status of a server where these are not those of a server that has been looked up well.
fn shown(list: &ServerList, ttl: Option<Ttl>) -> String {
    let servers = list.servers.iter().map(|server| {
        let mut words = vec![
            server.name.clone(),
            format!("{}/{}", server.priority, server.weight),
            server.port.to_string(),
        ];
        words.extend(server.addresses.iter().map(ToString::to_string));
        if (server.source, server.status) != (RecordSource::NameService, LookupStatus::Good) {
            words.push(format!("({:?} {:?})", server.source, server.status));
        }
        words.join(" ")
    });
    let servers: Vec<String> = servers.collect();
    let lasting = ttl.map_or(String::new(), |ttl| format!(" for {ttl} s"));
    format!("{:?} {:?}{lasting}: {}", list.source, list.status, servers.join(", "))
}

/// An SRV record of the cell, which lasts 60 s.
fn srv(priority: u16, weight: u16, port: u16, target: &str) -> String {
    format!("{SRV} 60 SRV {priority} {weight} {port} {target}")
}

/// An AFSDB record of the cell, which lasts 70 s.
fn afsdb(subtype: u16, host: &str) -> String {
    format!("cell.test. 70 AFSDB {subtype} {host}")
}

fn answer(records: &[String]) -> Act {
    Act::answer(&records.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The IPv4 address of a server, which lasts 90 s.
fn address(name: &str, last: u8) -> Act {
    Act::answer(&[&format!("{name} 90 A 192.0.2.{last}")])
}

#[test]
fn an_invalid_cell_name_is_refused_without_a_query() {
    for (cell, reason) in [("-a", "hyphen"), ("a..b", "empty"), ("a b", "letters"), ("zürich", "xn--")] {
        let seen = find(&TestHost::default(), &[("", Act::silence())], cell, "");
        assert!(
            seen.outcome.contains("can't be resolved") && seen.outcome.contains(reason),
            "{}",
            seen.outcome
        );
        assert!(seen.asked.is_empty());
    }
    let name = CellQuery {
        cell: match Query::parse(b"afsdb:\xff", b"", Preference::Any).unwrap().query {
            Query::Cell(query) => query.cell,
            Query::Host(_) => panic!("a host"),
        },
        preference: Preference::Any,
        form: key::ServerListForm::V1,
    };
    let seen = TestHost::default().run(Table::default(), async |host| servers(&name, host).await);
    assert!(matches!(seen.outcome, Err(Failure::BadName { .. })));
}
