//! Which rule answers for cells, with the real request-key.

use crate::decode;
use crate::setup::{CELL, CLIENT_CONF, KAFS_RULE};
use crate::support::machine::{Machine, RULE};
use std::fs;
use std::path::Path;

/// The rule as kafs-client ships it, as the tests' own rule files stand in its place.
const SHIPPED: &str = "create  dns_resolver afsdb:*    *               /usr/libexec/kafs-dns %k\n";
/// What `docs/afs.md` tells an administrator to write.
const OURS: &str = "create dns_resolver afsdb:* * /usr/libexec/key-dns/key.dns_resolver %k\n";

/// One server in kafs-client's file: we say that its port is 7003, and kafs-dns leaves it open.
fn machine() -> Option<Machine> {
    let mut machine = Machine::take()?;
    let servers = "servers = {\na = {\naddress = 10.0.0.1\n}\n}\n";
    machine.file(CLIENT_CONF, format!("[cells]\n{CELL} = {{\nuse_dns = no\n{servers}}}\n"));
    Some(machine)
}

/// Who answered.
fn answers(machine: &Machine) -> &'static str {
    let seen = machine.ask(format!("afsdb:{CELL}"), "srv=1");
    let list = decode::list(&seen.payload.expect("a list")).expect("a list that kAFS reads");
    match list.servers[0].port {
        7003 => "key-dns",
        0 => "kafs-dns",
        port => panic!("port {port}"),
    }
}

fn without_kafs_dns() -> bool {
    let absent = !Path::new("/usr/libexec/kafs-dns").exists();
    assert!(!(absent && std::env::var_os("CI").is_some()), "kafs-client is not installed");
    absent
}

#[test]
fn without_the_rule_of_kafs_client_our_rule_for_all_names_answers_cells() {
    let Some(mut machine) = machine() else { return };
    machine.file(KAFS_RULE, "");
    assert_eq!(answers(&machine), "key-dns");
}

#[test]
fn the_more_specific_rule_of_kafs_client_wins_if_installed() {
    if without_kafs_dns() {
        return;
    }
    let Some(mut machine) = machine() else { return };
    machine.file(KAFS_RULE, SHIPPED);
    assert_eq!(answers(&machine), "kafs-dns");
}

#[test]
fn the_rule_in_these_tests_is_that_of_the_installed_package() {
    let Some(machine) = Machine::take() else { return };
    let Some((_, rule)) = machine.others_rules.iter().find(|(path, _)| path == Path::new(KAFS_RULE)) else {
        return;
    };
    let rule = String::from_utf8_lossy(rule);
    assert_eq!(rule.split_whitespace().collect::<Vec<_>>(), SHIPPED.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn an_admin_can_replace_the_rule_of_kafs_client_with_ours() {
    if without_kafs_dns() {
        return;
    }
    let Some(mut machine) = machine() else { return };
    machine.file(KAFS_RULE, OURS);
    assert_eq!(answers(&machine), "key-dns");
}

#[test]
fn an_admin_can_override_kafs_client_by_a_rule_with_its_callout() {
    if without_kafs_dns() {
        return;
    }
    let Some(mut machine) = machine() else { return };
    machine.file(KAFS_RULE, SHIPPED);
    let both = fs::read_to_string(RULE).unwrap() + &OURS.replace("afsdb:* *", "afsdb:* srv=1");
    machine.file(RULE, both);
    assert_eq!(answers(&machine), "key-dns");
}

#[test]
fn the_manual_has_the_rule_of_these_tests() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/afs.md");
    let manual = fs::read_to_string(manual).unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = manual.lines().map(words).collect();
    assert!(lines.contains(&words(OURS)), "{OURS}");
    assert!(lines.contains(&words(&OURS.replace("afsdb:* *", "afsdb:* srv=1"))));
}
