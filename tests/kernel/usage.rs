//! Rules that call the helper incorrectly: the key is answered all the same.

use crate::serving::{hosts, serve, unasked};
use crate::support::asking::caught;
use crate::support::machine::{HELPER, Machine, error};

#[test]
fn a_rule_that_calls_the_helper_wrongly_answers_the_key_as_invalid() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    let log = machine.syslog();
    for arguments in [
        "",
        "--bogus %k",
        "-x %k",
        "%k --bogus",
        "%k %k",
        "%k %d %c",
        "-c",
        "%k -c",
        "--verbose=7 %k",
        "abc",
        "%d",
        "0",
        "-5",
        "0x7fffffff",
        "99999999999999999999",
        "-D %k",
        "-D %d %c",
        "-D v4.example.test x",
        "--dump-config",
        "-V",
        "--version",
        "-h",
        "--help",
    ] {
        machine.arguments(arguments);
        let seen = machine.ask("v4.example.test", "x");
        assert_eq!(seen.error(), error::EINVAL, "{arguments}");
        seen.lasts(1);
        let line = log.next();
        assert!(line.contains("EINVAL"), "{arguments}: {line}");
    }
    unasked(&server);
}

#[test]
fn a_rule_that_names_another_key_answers_the_key_as_invalid() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.arguments("2147483647");
    machine.ask("v4.example.test", "").fails(error::EINVAL, 1);
}

#[test]
fn command_lines_of_keyutils_work() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.file("/etc/key-dns-test.conf", "max_ttl = 11\n");
    for (arguments, seconds) in [
        ("%k", 20),
        ("-v %k", 20),
        ("-v -v -v %k", 20),
        ("-vv %k", 20),
        ("--verbose %k", 20),
        ("-c /etc/key-dns-test.conf %k", 11),
        ("--config /etc/key-dns-test.conf %k", 11),
        ("--config=/etc/key-dns-test.conf %k", 11),
        ("-v -c /etc/key-dns-test.conf %k", 11),
        ("-- %k", 20),
    ] {
        machine.arguments(arguments);
        let seen = machine.ask("both.example.test", "");
        assert_eq!(seen.text(), "192.0.2.2", "{arguments}");
        seen.lasts(seconds);
    }
}

#[test]
fn the_helper_may_have_any_name_or_run_as_a_subcommand_of_key_dns() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    let executable = crate::support::executable();
    machine.program("/usr/libexec/key-dns/dns-helper", &executable);
    machine.program("/usr/libexec/key-dns/key-dns", &executable);
    for program in ["/usr/libexec/key-dns/dns-helper", "/usr/libexec/key-dns/key-dns key.dns_resolver"] {
        machine.rule(&format!("create dns_resolver * * {program} %k"));
        machine.ask("both.example.test", "").is("192.0.2.2", 20);
    }
    // A rule for the operator's command asks for no answer.
    for arguments in ["", "%k", "resolve %k"] {
        machine.rule(&format!("create dns_resolver * * /usr/libexec/key-dns/key-dns {arguments}"));
        machine.ask("both.example.test", "").fails(error::EINVAL, 1);
    }
}

#[test]
fn a_helper_without_environment_and_working_directory_answers() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    machine.rule(&format!("create dns_resolver * * /usr/bin/env -i -C / {HELPER} %k"));
    caught(|| machine.ask("both.example.test", "")).is("192.0.2.2", 20);
}
