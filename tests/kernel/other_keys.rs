//! Keys that are not the helper's to answer.

use crate::serving::{hosts, serve, unasked};
use crate::support::asking::{Ask, caught};
use crate::support::machine::{HELPER, Machine, error};
use crate::support::run;

#[test]
fn a_key_of_another_type_is_rejected_as_invalid_and_logged() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let server = serve(&mut machine, hosts());
    machine.rule(&format!("create user key-dns-test:* * {HELPER} %k"));
    let ask = Ask { key_type: "user", ..Ask::new("key-dns-test:v4.example.test") };
    let seen = caught(|| ask.once());
    assert_eq!(seen.error(), format!("request_key: {}", error::EINVAL));
    let line = log.next();
    assert!(line.contains("of type \"user\"") && line.contains("rejected with EINVAL"), "{line}");
    unasked(&server);
}

#[test]
fn a_key_of_another_type_is_rejected_even_if_the_rule_is_wrong_too() {
    let Some(mut machine) = Machine::take() else { return };
    for arguments in ["", "--bogus %k", "-c /nonexistent %k"] {
        machine.rule(&format!("create user key-dns-test:* * {HELPER} {arguments}"));
        let ask = Ask { key_type: "user", ..Ask::new("key-dns-test:x") };
        let seen = caught(|| ask.once());
        // A payload that says #dnserror=22 would be data to whoever reads a user key.
        assert_eq!(seen.error(), format!("request_key: {}", error::EINVAL), "{arguments}");
    }
}

#[test]
fn a_key_that_is_not_under_construction_is_left_untouched() {
    let Some(machine) = Machine::take() else { return };
    let script = r#"
        id=$(keyctl add user key-dns-test:present untouched @s)
        "$0" "$id"; echo "status $?"
        keyctl pipe "$id"; keyctl describe "$id""#;
    let output = run("keyctl", &["session", "-", "/bin/sh", "-c", script, HELPER]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("status 1\nuntouched"), "{text}");
    drop(machine);
}

#[test]
fn a_missing_key_exits_with_status_1_and_is_logged() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let output = run(HELPER, &["2147483647"]);
    assert_eq!(output.status.code(), Some(1));
    let line = log.next();
    assert!(line.contains("no authority over key 2147483647"), "{line}");
}
