//! Settings that are wrong or missing: the lookup continues, with what can be read of them.

use crate::serving::{hosts, serve};
use crate::support::machine::{Machine, SETTINGS, error};

#[test]
fn an_invalid_line_is_ignored_and_logged_with_its_number() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let log = machine.syslog();
    for line in [
        "bogus = 1",
        "default_ttl = 0",
        "default_ttl = 2147483648",
        "default_ttl = -1",
        "default_ttl = 5x",
        "default_ttl =",
        "default_ttl",
        "= 5",
        "default_ttl = '5",
        "default_ttl = \"5",
        "default_ttl = 5\\",
        "deadline = 0",
        "deadline = never",
        "family = ipx",
        "log = maybe",
        "nameserver[example.test] = not.an.address",
        "nameserver[a b] = 127.53.0.1",
        "[section]",
        "\u{1}\u{2}\u{3}",
    ] {
        machine.settings(format!("# first\n{line}\nmax_ttl = 12\n"));
        machine.ask("both.example.test", "").is("192.0.2.2", 12);
        let told = log.next();
        assert!(told.contains(&format!("{SETTINGS}:2: ")), "{line:?}: {told}");
    }
    machine.settings(b"\xff\xfe\nmax_ttl = 12");
    machine.ask("both.example.test", "").is("192.0.2.2", 12);
    let told = log.next();
    assert!(told.contains(&format!("{SETTINGS}:1: ")), "{told}");
}

#[test]
fn comments_quotes_escapes_and_a_missing_final_newline_are_fine() {
    let Some(mut machine) = Machine::take() else { return };
    for settings in [
        "default_ttl = 33",
        "default_ttl=33 # a comment after a value",
        "default_ttl = '33'\n",
        "default_ttl = \"33\" # x\n",
        "default_ttl = 3\\3\r\n",
        "\n\n  # x\n\tdefault_ttl\t=\t33\t\n\n",
        "default_ttl = 7\ndefault_ttl = 33\n",
    ] {
        machine.settings(settings);
        let seen = machine.ask("192.0.2.7", "");
        assert_eq!(seen.text(), "192.0.2.7", "{settings:?}");
        seen.lasts(33);
    }
    machine.settings("");
    machine.ask("192.0.2.7", "").is("192.0.2.7", 5);
}

#[test]
fn unreadable_settings_leave_the_defaults() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    machine.unreadable(SETTINGS);
    machine.ask("192.0.2.7", "").is("192.0.2.7", 5);
    assert!(log.next().contains(&format!("can't read {SETTINGS}")));
    machine.settings("x".repeat(2 << 20));
    machine.ask("192.0.2.7", "").is("192.0.2.7", 5);
    assert!(log.next().contains(&format!("can't read {SETTINGS}")));
    machine.settings(vec![0; 1 << 20]);
    machine.ask("192.0.2.7", "").is("192.0.2.7", 5);
}

#[test]
fn a_settings_file_named_in_the_rule_must_exist() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    machine.unreadable("/etc/key-dns-test.conf");
    for file in ["/nonexistent/x.conf", "/etc", "/etc/key-dns-test.conf", "/etc/passwd/x"] {
        machine.arguments(&format!("-c {file} %k"));
        machine.ask("192.0.2.7", "").fails(error::EAGAIN, 1);
        let line = log.next();
        assert!(line.contains(&format!("can't read {file}")) && line.contains("EAGAIN"), "{line}");
    }
}
