//! One file as the kernel's `/sbin/request-key` and the helper, with rules and without.

use crate::dns::{Server, Zone, qtype};
use crate::support::machine::{HELPER, Machine, RULES, RULES_FOLDER, UPCALL, error};
use crate::support::{executable, run};
use std::time::Duration;

const SERVER: &str = "127.53.0.1:53";
const ADDRESS: &str = "127.53.0.1";

fn serve(machine: &mut Machine) -> Server {
    machine.name_servers(&[ADDRESS]);
    let zone =
        Zone::new("rk.test").a("mon", [192, 0, 2, 1], 45).aaaa("six", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 45);
    Server::builder().at(SERVER).zone(zone).start()
}

#[test]
fn names_are_resolved_in_the_same_process_with_a_rule() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.no_hedge();
    let server = serve(&mut machine);
    machine.ask("mon.rk.test", "").is("192.0.2.1", 45);
    assert_eq!(server.count("mon.rk.test", qtype::A), 1);
    assert_eq!(machine.ask("nosuch.rk.test", "").error(), error::ENODATA);
}

#[test]
fn names_are_resolved_on_a_host_without_rule_files() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let _server = serve(&mut machine);
    machine.absent(RULES_FOLDER);
    machine.absent(RULES);
    assert_eq!(machine.ask("mon.rk.test", "").text(), "192.0.2.1");
    assert_eq!(machine.ask("six.rk.test", "").text(), "2001:db8::1");
    // Keys of any other type still need a rule.
    let seen = machine.ask_for("user", "rk:norules", "x");
    assert_eq!(seen.error(), "request_key: Required key not available");
}

#[test]
fn names_are_rejected_on_a_host_whose_rules_do_not_match_them() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let syslog = machine.syslog();
    let _server = serve(&mut machine);
    machine.absent(RULES_FOLDER);
    machine.file(RULES, "create user debug:* * /bin/true\n");
    let seen = machine.ask("mon2.rk.test", "");
    assert_eq!(seen.error(), "request_key: Required key not available");
    let line = syslog.next();
    assert!(line.starts_with("<83>"), "authpriv, error: {line}");
    assert!(line.contains("request-key[") && line.contains("no rule for this key"), "{line}");
    assert!(line.contains("rejected with ENOKEY (126) for 10 s"), "{line}");
}

/// What the helper is called with reaches it unchanged when it is not executed anew.
#[test]
fn options_of_the_rule_apply_in_the_same_process_too() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine);
    let mut seen = Vec::new();
    for same_file in [true, false] {
        if same_file {
            machine.use_our_request_key();
        } else {
            machine.program(HELPER, &executable());
        }
        let syslog = machine.syslog();
        machine.file("/run/key-dns-rk.conf", "max_ttl = 7\n");
        machine.rule(&format!("create dns_resolver * * {HELPER} -v -c /run/key-dns-rk.conf %k"));
        let key = machine.ask(if same_file { "mon.rk.test" } else { "MON.rk.test." }, "ipv4 bogus");
        assert!(key.seconds() <= 7, "{}", key.left);
        let lines: Vec<String> = std::iter::from_fn(|| syslog.try_next(Duration::from_millis(200))).collect();
        let after_pid = |line: &String| {
            let (head, text) = line.split_once("]: ").unwrap();
            (head.split_once('>').unwrap().0.to_owned(), text.to_lowercase().replace("test.", "test"))
        };
        seen.push((key.text(), lines.iter().map(after_pid).collect::<Vec<_>>()));
        run("keyctl", &["clear", "@s"]);
    }
    assert!(!seen[0].1.is_empty());
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn a_usage_error_in_the_rule_is_answered_in_the_same_process_too() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let _server = serve(&mut machine);
    for (wrong, name) in [("--bogus %k", "usage"), ("1", "another-key"), ("-D x x", "debug")] {
        machine.rule(&format!("create dns_resolver * * {HELPER} {wrong}"));
        let seen = machine.ask(format!("{name}.rk.test"), "");
        assert_eq!(seen.error(), "request_key: Invalid argument", "{wrong}");
    }
}

#[test]
fn a_rule_that_runs_request_key_again_is_an_error_and_no_loop() {
    let Some(mut machine) = Machine::take() else { return };
    let people = "/run/key-dns-rk-people/key-dns";
    machine.absent_at_end(people);
    machine.one_program(&[UPCALL, HELPER, people], &executable());
    let again = "%o %k %u %g %T %P %S";
    for (place, program) in [
        format!("{UPCALL} {again}"),
        format!("{people} request-key {again}"),
        format!("{people} key.dns_resolver request-key {again}"),
        format!("{people} key-dns request-key {again}"),
        format!("{people} resolve %d"),
    ]
    .iter()
    .enumerate()
    {
        machine.rule(&format!("create dns_resolver * * {program}"));
        let seen = machine.ask(format!("loop{place}.rk.test"), "");
        assert_eq!(seen.error(), "request_key: Invalid argument", "{program}");
    }
}

#[test]
fn another_helper_is_executed_with_the_arguments_of_its_rule() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let _server = serve(&mut machine);
    machine.script("/run/key-dns-rk-helper", "#!/bin/sh\nexec keyctl instantiate $1 \"$0 $*\" 0\n");
    machine.rule("create user rk:* * /run/key-dns-rk-helper %k %o %t %d %c %u %g %%x %k%k");
    let seen = machine.ask_for("user", "rk:a b", "call out");
    let text = seen.text();
    let (_, after_key) = text.strip_prefix("/run/key-dns-rk-helper ").unwrap().split_once(' ').unwrap();
    assert_eq!(after_key, "create user rk:a b call out 0 0 %x %k%k");
}

#[test]
fn two_hundred_names_at_once_are_all_answered() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    // On a busy machine, the last of them are late.
    machine.file("/etc/resolv.conf", format!("search .\noptions timeout:30\nnameserver {ADDRESS}\n"));
    let zone = (0..200)
        .fold(Zone::new("many.test"), |zone, number| zone.a(&format!("n{number}"), [192, 0, 2, 1], 45));
    let _server = Server::builder().at(SERVER).zone(zone).start();
    let machine = &machine;
    std::thread::scope(|scope| {
        for number in 0..200 {
            scope.spawn(move || {
                assert_eq!(machine.ask(format!("n{number}.many.test"), "").text(), "192.0.2.1");
            });
        }
    });
}
