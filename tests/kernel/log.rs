//! What is written to the log, and what happens if it can't be written.

use crate::dns::{Action, Script};
use crate::serving::{ADDRESS, OTHER, hosts, serve, serve_by, server};
use crate::support::machine::{Machine, error};
use crate::support::syslog::{PATH, Syslog};
use std::time::Duration;

/// The one line that is written for a lookup, without the time and the number of the process.
#[track_caller]
fn only_line(log: &Syslog) -> String {
    let line = log.next();
    assert_eq!(log.try_next(Duration::from_millis(200)), None, "one line alone");
    assert!(!line.contains(['\n', '\r', '\x1b']), "{line:?}");
    let (head, text) = line.split_once("]: ").unwrap();
    assert!(head.starts_with("<28>key.dns_resolver["), "daemon.warning: {head}");
    text.to_owned()
}

#[track_caller]
fn is_silent(log: &Syslog) {
    assert_eq!(log.try_next(Duration::from_millis(300)), None);
}

#[test]
fn a_failure_is_logged_as_one_line_with_name_attempts_results_and_errno() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    machine.name_servers(&[ADDRESS, OTHER]);
    let first = server(ADDRESS).script(Script::new().on_all(Action::REFUSED)).start();
    machine.ask("a:mon.example.test", "");
    let line = only_line(&log);
    for part in [
        "a:mon.example.test",
        "mon.example.test. A at 127.53.0.1:53: REFUSED",
        "mon.example.test. A at 127.53.0.2:53: connection refused",
        "ECONNREFUSED (111)",
        "10 s",
    ] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
    first.change(|config| config.script = Script::new().on_all(Action::NXDOMAIN));
    machine.ask("mon.example.test", "");
    let line = only_line(&log);
    for part in ["mon.example.test", "no such name", "127.53.0.1:53: NXDOMAIN", "ENODATA (61)", "60 s"] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
    first.change(|config| config.script = Script::new().on_all(Action::SERVFAIL));
    machine.name_servers(&[ADDRESS]);
    machine.ask("a:mon.example.test", "");
    let line = only_line(&log);
    for part in ["127.53.0.1:53: SERVFAIL", "EAGAIN (11)", "1 s"] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
}

#[test]
fn timeouts_and_invalid_names_are_logged_as_such() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let _server = serve_by(&mut machine, hosts(), Script::new().on_all(Action::Silence));
    machine.ask("a:mon.example.test", "");
    let line = only_line(&log);
    assert!(line.contains("127.53.0.1:53: timed out") && line.contains("EAGAIN (11)"), "{line}");
    machine.ask("a b", "");
    let line = only_line(&log);
    assert!(line.starts_with("a b: ") && line.contains("EINVAL (22)"), "{line}");
    machine.ask("mx:example.test", "");
    let line = only_line(&log);
    assert!(line.contains("\"mx\"") && line.contains("EINVAL (22)"), "{line}");
}

#[test]
fn a_name_cannot_forge_a_log_line_or_control_a_terminal() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    machine.ask("x\n<13>Nov 22 04:00:00 sshd[1]: forged\x1b[2J\r", "");
    let line = only_line(&log);
    assert!(line.contains(r"x\n<13>") && line.contains(r"\x1b[2J\r"), "{line}");
    machine.ask(b"\x80\xff", "");
    assert!(only_line(&log).contains(r"\x80\xff"));
    machine.ask("mx\n:x", "");
    only_line(&log);
    machine.ask("n".repeat(4000), "");
    only_line(&log);
}

#[test]
fn an_answer_is_logged_with_log_all() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let _server = serve(&mut machine, hosts());
    machine.ask("both.example.test", "");
    is_silent(&log);
    machine.settings("log = all\n");
    machine.ask("both.example.test", "");
    let line = log.next();
    assert!(line.starts_with("<30>"), "daemon.info: {line}");
    assert!(
        line.contains("]: both.example.test: ") && line.contains("192.0.2.2") && line.contains("20 s"),
        "{line}"
    );
    is_silent(&log);
    for settings in ["log = failures\n", "log = none\n"] {
        machine.settings(settings);
        machine.ask("both.example.test", "");
        is_silent(&log);
    }
    machine.arguments("-v %k");
    machine.ask("both.example.test", "");
    assert!(log.next().contains("192.0.2.2"));
}

#[test]
fn with_log_none_not_even_failures_are_logged() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let _server = serve(&mut machine, hosts());
    machine.settings("log = none\n");
    assert_eq!(machine.ask("nosuch.example.test", "").error(), error::ENODATA);
    is_silent(&log);
    machine.settings("log = all\n");
    assert_eq!(machine.ask("nosuch.example.test", "").error(), error::ENODATA);
    assert!(only_line(&log).contains("ENODATA"));
}

#[test]
fn an_unknown_callout_word_is_logged() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let _server = serve(&mut machine, hosts());
    assert_eq!(machine.ask("both.example.test", "bogus\n ipv4").text(), "192.0.2.2");
    let line = only_line(&log);
    assert!(line.contains(r#""bogus\n""#), "{line}");
}

#[test]
fn an_invalid_nameserver_line_is_logged_with_its_number() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    let _server = server(ADDRESS).zone(hosts()).start();
    machine.file("/etc/resolv.conf", format!("nameserver dns.example.test\nnameserver {ADDRESS}\n"));
    assert_eq!(machine.ask("both.example.test", "").text(), "192.0.2.2");
    let line = only_line(&log);
    assert!(line.contains("/etc/resolv.conf:1: ") && line.contains("dns.example.test"), "{line}");
}

#[test]
fn a_missing_or_full_log_neither_delays_nor_fails_an_answer() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.settings("log = all\n");
    let answers = |machine: &Machine| {
        let seen = machine.ask("both.example.test", "");
        seen.is("192.0.2.2", 20);
        assert!(seen.took < Duration::from_secs(10), "{:?}", seen.took);
        let seen = machine.ask("nosuch.example.test", "bogus");
        assert_eq!(seen.error(), error::ENODATA);
        assert!(seen.took < Duration::from_secs(10), "{:?}", seen.took);
    };
    machine.no_syslog();
    answers(&machine);
    // No socket, and one of the wrong type, from which nobody accepts a connection.
    std::fs::write(PATH, "").unwrap();
    answers(&machine);
    std::fs::remove_file(PATH).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(PATH).unwrap();
    answers(&machine);
    drop(listener);
    // A socket whose owner is gone.
    answers(&machine);
    let log = machine.syslog();
    log.fill();
    answers(&machine);
}

#[test]
fn a_full_log_does_not_prevent_the_answer_at_the_deadline() {
    let Some(mut machine) = Machine::take() else { return };
    machine.settings("deadline = 1\n");
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:30 attempts:1\n"));
    let _server = server(ADDRESS).zone(hosts()).script(Script::new().on_all(Action::Silence)).start();
    machine.syslog().fill();
    machine.ask("v4.example.test", "").fails(error::EAGAIN, 1);
}
