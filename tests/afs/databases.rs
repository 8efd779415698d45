//! Cells from kafs-client's and OpenAFS's files.

use crate::decode::number::{FROM_CONFIG, FROM_DNS_SRV, GOOD, NOT_DONE, NOT_FOUND};
use crate::decode::{self, List};
use crate::dns::{Action, Script, Server, qtype};
use crate::serving::unasked;
use crate::setup::{
    ADDRESS, CELL, CELLSERVDB, CLIENT_CONF, SRV, ask, error, list, machine, serve, server, server_with,
    start, zone,
};
use crate::support::machine::error::ENODATA;
use crate::support::machine::{HELPER, Machine};
use crate::support::run;
use std::fs;

/// The public database that comes with kafs-client.
const PUBLIC: &str = "/usr/share/kafs/cellservdb.conf";

/// A server as a database has it.
fn configured(name: &str, port: u16, addresses: &[&str]) -> Vec<u8> {
    server_with(name, [0, 0, port], [FROM_CONFIG, GOOD], addresses)
}

/// The cell in kafs-client's format, with `use_dns` as given.
fn cell_with(use_dns: &str) -> String {
    let z = format!("z.{CELL} = {{\naddress = 10.0.0.7\naddress = 2001:db8::7\n}}\n");
    let a =
        ["[2001:db8::8]:7008", "10.0.0.8:7008", "10.0.0.9"].map(|one| format!("address = {one}\n")).concat();
    let a = format!("a.{CELL} = {{\n{a}}}\n");
    format!("[cells]\n{CELL} = {{\n{use_dns}\nservers = {{\n{z}{a}}}\n}}\n")
}

fn expected() -> Vec<u8> {
    let z = configured("z.cell.test", 7003, &["10.0.0.7", "2001:db8::7"]);
    let a = configured("a.cell.test", 7008, &["10.0.0.8", "2001:db8::8"]);
    let again = configured("a.cell.test", 7003, &["10.0.0.9"]);
    list(FROM_CONFIG, GOOD, &[z, a, again])
}

#[test]
fn with_dns_off_a_cell_has_the_servers_of_the_database_in_their_order() {
    let Some(mut machine) = machine() else { return };
    let zone = zone().srv(SRV, 0, 0, 7003, "db1", 60).a("db1", [10, 0, 0, 1], 60);
    let names = serve(&mut machine, zone);
    for use_dns in ["use_dns = no", "use_dns = OFF", ""] {
        machine.file(CLIENT_CONF, cell_with(use_dns));
        let (_, payload, seen) = ask(&machine, CELL);
        assert_eq!(payload, expected(), "{use_dns}");
        seen.lasts(5);
    }
    unasked(&names);
}

#[test]
fn with_use_dns_the_database_is_used_only_if_dns_has_no_servers() {
    let Some(mut machine) = machine() else { return };
    machine.file(CLIENT_CONF, cell_with("use_dns = yes"));
    let good = zone().srv(SRV, 0, 0, 7003, "db1", 60).a("db1", [10, 0, 0, 1], 60);
    let names = start(&mut machine, Server::builder().zone(good));
    let (_, payload, _) = ask(&machine, CELL);
    assert_eq!(payload, list(FROM_DNS_SRV, GOOD, &[server("db1.cell.test", [0, 0, 7003], &["10.0.0.1"])]));
    for (zone, script, seconds) in [
        (zone().soa(40, 40), Script::new(), 40),
        (zone(), Script::new().on_all(Action::SERVFAIL), 60),
        (zone(), Script::new().on_all(Action::Silence), 60),
        (zone().srv(SRV, 0, 0, 7003, "gone", 20), Script::new(), 20),
    ] {
        names.change(|config| (config.zones, config.script) = (vec![zone], script));
        let (_, payload, seen) = ask(&machine, CELL);
        assert_eq!(payload, expected());
        seen.lasts(seconds);
    }
    drop(names);
    assert_eq!(ask(&machine, CELL).1, expected());
}

#[test]
fn silent_servers_leave_time_for_the_database() {
    let Some(mut machine) = machine() else { return };
    machine.settings("deadline = 4\n");
    machine.file(CLIENT_CONF, cell_with("use_dns = yes"));
    let _names = start(&mut machine, Server::builder().script(Script::new().on_all(Action::Silence)));
    machine.file("/etc/resolv.conf", format!("search .\nnameserver {ADDRESS}\n"));
    // At the deadline, the answer would be EAGAIN.
    assert_eq!(ask(&machine, CELL).1, expected());
}

#[test]
fn the_words_ipv4_and_ipv6_restrict_the_addresses_of_a_database_too() {
    let Some(mut machine) = machine() else { return };
    machine.file(CLIENT_CONF, cell_with("use_dns = no"));
    let seen = machine.ask(format!("afsdb:{CELL}"), "srv=1,ipv6");
    let z = configured("z.cell.test", 7003, &["2001:db8::7"]);
    let a = configured("a.cell.test", 7008, &["2001:db8::8"]);
    assert_eq!(seen.payload, Ok(list(FROM_CONFIG, GOOD, &[z, a])));
    assert_eq!(machine.ask(format!("afsdb:{CELL}"), "ipv6").text(), "[2001:db8::7]+7003,[2001:db8::8]+7008");
    let servers = "a = {\naddress = 10.0.0.1\n}\nb = {\naddress = ::1\n}\n";
    let only = format!("[cells]\n{CELL} = {{\nservers = {{\n{servers}}}\n}}\n");
    machine.file(CLIENT_CONF, only);
    let seen = machine.ask(format!("afsdb:{CELL}"), "srv=1 ipv4");
    let none = server_with("b", [0, 0, 7003], [FROM_CONFIG, NOT_FOUND], &[]);
    assert_eq!(seen.payload, Ok(list(FROM_CONFIG, GOOD, &[configured("a", 7003, &["10.0.0.1"]), none])));
}

#[test]
fn a_server_listed_without_an_address_is_looked_up_unless_dns_is_off() {
    let Some(mut machine) = machine() else { return };
    let names = serve(&mut machine, zone().a("b", [10, 0, 0, 2], 60));
    let conf = |use_dns: &str| {
        let servers = format!("a.{CELL} = {{\naddress = 10.0.0.1\n}}\nb.{CELL} = {{\n}}\n");
        format!("[cells]\n{CELL} = {{\n{use_dns}\nservers = {{\n{servers}}}\n}}\n")
    };
    let a = configured("a.cell.test", 7003, &["10.0.0.1"]);
    machine.file(CLIENT_CONF, conf("use_dns = no"));
    let b = server_with("b.cell.test", [0, 0, 7003], [FROM_CONFIG, NOT_DONE], &[]);
    assert_eq!(ask(&machine, CELL).1, list(FROM_CONFIG, GOOD, &[a.clone(), b]));
    unasked(&names);
    machine.file(CLIENT_CONF, conf("use_dns = yes"));
    let b = server("b.cell.test", [0, 0, 7003], &["10.0.0.2"]);
    assert_eq!(ask(&machine, CELL).1, list(FROM_CONFIG, GOOD, &[a, b]));
    // Denied, and confirmed with a plain query, as the C library sends it.
    assert_eq!(names.count(CELL, qtype::AFSDB), 2);
}

#[test]
fn the_database_of_openafs_comes_after_that_of_kafs_client() {
    let Some(mut machine) = machine() else { return };
    let _names = serve(&mut machine, zone().soa(40, 40));
    machine
        .file(CELLSERVDB, format!(">{CELL} #The cell\n10.0.0.5\t#db5.{CELL}\n[10.0.0.6] #db6.{CELL}\n>x\n"));
    let openafs =
        [configured("db5.cell.test", 7003, &["10.0.0.5"]), configured("db6.cell.test", 7003, &["10.0.0.6"])];
    let openafs = list(FROM_CONFIG, GOOD, &openafs);
    let (_, payload, seen) = ask(&machine, CELL);
    assert_eq!(payload, openafs);
    seen.lasts(40);
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n}}\n"));
    assert_eq!(ask(&machine, CELL).1, openafs, "a cell without servers of its own");
    machine.file(CLIENT_CONF, cell_with("use_dns = no"));
    assert_eq!(ask(&machine, CELL).1, expected());
}

#[test]
fn an_unknown_cell_with_dns_off_is_no_data() {
    let Some(mut machine) = machine() else { return };
    let names = serve(&mut machine, zone());
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n}}\n"));
    assert_eq!(error(&machine, CELL, "srv=1"), ENODATA);
    unasked(&names);
}

#[test]
fn an_invalid_database_file_causes_warnings_but_no_failure() {
    let Some(mut machine) = machine() else { return };
    let _names = serve(&mut machine, zone());
    machine.file(CLIENT_CONF, "include /nosuch/file\nrubbish\n".to_owned() + &cell_with("use_dns = no"));
    let log = machine.syslog();
    assert_eq!(ask(&machine, CELL).1, expected());
    assert!(log.next().contains("can't read /nosuch/file"));
    assert!(log.next().contains("/etc/kafs/client.conf:2: expected [SECTION]"));
}

/// A cell's name, and its servers' names and addresses.
type Cell = (String, Vec<(String, Vec<String>)>);

/// The cells of kafs-client's public database, read here by what its lines look like.
fn public() -> Vec<Cell> {
    let text = fs::read_to_string(PUBLIC).unwrap();
    let mut cells: Vec<Cell> = Vec::new();
    let mut depth = 0;
    for line in text.lines().map(str::trim) {
        match (line.strip_suffix("= {"), depth) {
            (Some(name), 0) => cells.push((name.trim().to_owned(), Vec::new())),
            (Some(name), 2) => cells.last_mut().unwrap().1.push((name.trim().to_owned(), Vec::new())),
            _ => {}
        }
        if let Some(address) = line.strip_prefix("address = ") {
            let servers = &mut cells.last_mut().unwrap().1;
            servers.last_mut().unwrap().1.push(address.trim_matches(['[', ']']).to_owned());
        }
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
    }
    cells
}

/// What debug mode prints for a cell.
fn debug(cell: &str) -> (List, String) {
    let output = run(HELPER, &["-D", &format!("afsdb:{cell}"), "srv=1"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let hex = text
        .lines()
        .find_map(|line| line.strip_prefix("payload-v1 "))
        .unwrap_or_else(|| panic!("{cell}: {text}"));
    let digits: Vec<u8> = hex.bytes().map(|byte| char::from(byte).to_digit(16).unwrap() as u8).collect();
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (decode::list(&bytes).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_cell_of_the_public_database_resolves_offline() {
    let Some(mut machine) = machine() else { return };
    let mut cells = public();
    assert!(cells.len() > 100, "{}", cells.len());
    offline(&mut machine, fs::read_to_string(PUBLIC).unwrap().replace("use_dns = yes", "use_dns = no"));
    for (cell, servers) in &mut cells {
        let (list, warnings) = debug(cell);
        assert_eq!((list.source, list.status, warnings.as_str()), (FROM_CONFIG, GOOD, ""), "{cell}");
        let read: Vec<(String, Vec<String>)> = list
            .servers
            .iter()
            .map(|server| {
                let mut addresses: Vec<_> = server.addresses.iter().map(ToString::to_string).collect();
                addresses.sort();
                (server.name.clone(), addresses)
            })
            .collect();
        for (_, addresses) in servers.iter_mut() {
            addresses.sort();
        }
        assert_eq!(&read, servers, "{cell}");
    }
}

/// No name server, and this database.
fn offline(machine: &mut Machine, database: String) {
    machine.file("/etc/resolv.conf", "nameserver 127.53.18.99\n");
    machine.file(PUBLIC, database);
    machine.file(CLIENT_CONF, format!("includedir /etc/kafs/client.d\ninclude {PUBLIC}\n"));
}

#[test]
fn an_upcall_reads_the_files_of_kafs_client_without_a_warning() {
    let Some(mut machine) = machine() else { return };
    let database = fs::read_to_string(PUBLIC).unwrap();
    offline(&mut machine, database);
    let (list, payload, _) = ask(&machine, "grand.central.org");
    let servers = [
        configured("grand.mit.edu", 7003, &["18.9.48.14"]),
        configured("grand-old-opry.central.org", 7003, &["128.2.13.219"]),
    ];
    assert_eq!(payload, crate::setup::list(FROM_CONFIG, GOOD, &servers), "{list:?}");
    assert_eq!(debug("grand.central.org").1, "");
}
