//! The same settings and command lines for both helpers.

use crate::support::asking::Seen;
use crate::support::machine::{HELPER, KEYUTILS_HELPER, Machine};
use crate::support::run;
use crate::{ask, flawed};
use std::process::Output;

#[test]
fn default_ttl_in_settings_for_keyutils_applies() {
    let Some(mut machine) = Machine::take() else { return };
    for (settings, seconds) in [
        ("", 5),
        ("default_ttl = 37\n", 37),
        ("# comment\n\ndefault_ttl=37\n", 37),
        ("  default_ttl =   37  \n", 37),
        ("default_ttl = '37'\n", 37),
        ("default_ttl = \"37\"\n", 37),
        ("bogus = 1\ndefault_ttl = 37\n", 37),
    ] {
        machine.settings(settings);
        let pair = ask(&mut machine, "localhost", "");
        assert_eq!(pair.ours.text(), pair.keyutils.text(), "{settings:?}");
        pair.keyutils.lasts(seconds);
        pair.ours.lasts(seconds);
    }
}

/// Makes a request with these settings, which keyutils' helper treats as fatal.
fn tolerated(machine: &mut Machine, settings: &str, seconds: u64) {
    machine.settings(settings);
    let pair = ask(machine, "localhost", "");
    flawed(pair.keyutils.payload.is_err(), &format!("settings of {settings:?} are fatal"));
    pair.ours.is("127.0.0.1", seconds);
}

#[test]
fn a_missing_final_newline_or_a_comment_after_a_value_is_fine() {
    let Some(mut machine) = Machine::take() else { return };
    tolerated(&mut machine, "default_ttl = 37", 37);
    tolerated(&mut machine, "default_ttl = 37 # a comment\n", 37);
}

#[test]
fn an_invalid_line_of_the_settings_is_not_fatal() {
    let Some(mut machine) = Machine::take() else { return };
    tolerated(&mut machine, "default_ttl = 0\n", 5);
    tolerated(&mut machine, "default_ttl = x\n", 5);
    tolerated(&mut machine, "default_ttl\n", 5);
    tolerated(&mut machine, "default_ttl = '37\n", 5);
}

/// The same rule for both helpers.
fn with_arguments(machine: &mut Machine, arguments: &str) -> [Seen; 2] {
    [KEYUTILS_HELPER, HELPER].map(|helper| {
        machine.rule(&format!("create dns_resolver * * {helper} {arguments}"));
        machine.ask("localhost", "")
    })
}

#[test]
fn options_of_rules_written_for_keyutils_work() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/etc/key-dns-test.conf", "default_ttl = 37\n");
    for (arguments, seconds) in
        [("-v %k", 5), ("-vv %k", 5), ("--verbose %k", 5), ("-c /etc/key-dns-test.conf %k", 37)]
    {
        let [keyutils, ours] = with_arguments(&mut machine, arguments);
        assert_eq!(ours.text(), keyutils.text(), "{arguments}");
        keyutils.lasts(seconds);
        ours.lasts(seconds);
    }
    let [keyutils, ours] = with_arguments(&mut machine, "--config /etc/key-dns-test.conf %k");
    flawed(keyutils.payload.is_err(), "--config takes no argument");
    ours.is("127.0.0.1", 37);
}

fn both(args: &[&str]) -> [Output; 2] {
    [KEYUTILS_HELPER, HELPER].map(|helper| run(helper, args))
}

#[test]
fn dump_config_has_keyutils_lines() {
    let Some(mut machine) = Machine::take() else { return };
    machine.settings("default_ttl = 37\n");
    let [keyutils, ours] = both(&["--dump-config"]);
    let lines = String::from_utf8(ours.stdout).unwrap();
    for line in String::from_utf8(keyutils.stdout).unwrap().lines() {
        assert!(lines.lines().any(|other| other == line), "{line:?} in {lines}");
    }
    assert_eq!((keyutils.status.code(), ours.status.code()), (Some(0), Some(0)));
}

#[test]
fn wrong_usage_has_the_same_exit_status() {
    let Some(_machine) = Machine::take() else { return };
    for args in [[].as_slice(), &["--bogus"], &["-D"], &["-D", "x"], &["1", "2"]] {
        let [keyutils, ours] = both(args);
        assert_eq!(ours.status.code(), keyutils.status.code(), "{args:?}");
    }
}

#[test]
fn debug_mode_also_prints_into_a_pipe() {
    let Some(_machine) = Machine::take() else { return };
    let [keyutils, ours] = both(&["-D", "localhost", ""]);
    flawed(keyutils.stdout.is_empty(), "debug mode is silent in a pipe");
    assert_eq!(String::from_utf8(ours.stdout).unwrap(), "payload 127.0.0.1\nexpiry 5\n");
    assert_eq!((keyutils.status.code(), ours.status.code()), (Some(0), Some(0)));
}
