//! The command line: what it accepts, and the exit status.

use crate::support::executable;
use crate::{command, finish, run, settings};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

const DEFAULTS: &str = "default_ttl = 5\nmax_ttl = 86400\nnegative_ttl = 60\ndeadline = 20\nhedge = 300\n\
                        log = failures\nfamily = ipv4-first\nroot_only = cifs.spnego, cifs.idmap, id_resolver, id_legacy\nconfine = yes\nmixed_case = yes\nreject = none\n";

#[test]
fn wrong_usage_is_reported_on_standard_error_with_status_2() {
    for args in [
        [].as_slice(),
        &["abc"],
        &["0"],
        &["-5"],
        &["2147483648"],
        &["1", "2"],
        &["1", "2", "3"],
        &["--bogus", "1"],
        &["-x"],
        &["-c"],
        &["-D"],
        &["-D", "name"],
        &["-D", "name", "callout", "more"],
        &["--dump-config", "1"],
        &["--version=1"],
    ] {
        let seen = run(args);
        assert_eq!((seen.status, seen.stdout.as_str()), (2, ""), "{args:?}");
        assert!(seen.stderr.starts_with("error: "), "{args:?}: {}", seen.stderr);
    }
}

#[test]
fn a_key_that_cannot_be_answered_exits_with_status_1() {
    let seen = run(&["2147483647"]);
    assert_eq!((seen.status, seen.stdout.as_str()), (1, ""));
}

#[test]
fn a_missing_named_settings_file_exits_with_status_1() {
    for args in
        [["-D", "a", "b", "-c", "/nonexistent/x"].as_slice(), &["--dump-config", "-c", "/nonexistent/x"]]
    {
        let seen = run(args);
        assert_eq!((seen.status, seen.stdout.as_str()), (1, ""), "{args:?}");
        assert!(seen.stderr.contains("can't read /nonexistent/x"), "{}", seen.stderr);
    }
}

#[test]
fn dump_config_prints_the_effective_settings_as_a_settings_file() {
    let empty = settings("");
    let seen = run(&["--dump-config", "-c", &empty]);
    assert_eq!((seen.status, seen.stdout.as_str(), seen.stderr.as_str()), (0, DEFAULTS, ""));

    let file = "default_ttl = 7\nmax_ttl = 600\nnegative_ttl = 30\ndeadline = 9\nhedge = 50\nlog = none\n\
                family = any\nroot_only = none\nconfine = no\nmixed_case = no\nreject = loopback, multicast\nnameserver[cluster.local] = 10.96.0.10:53, [2001:db8::1]:5353\nnameserver[.] = [::1]:53\n";
    let written = settings(file);
    let seen = run(&["--dump-config", "-c", &written]);
    assert_eq!((seen.status, seen.stdout.as_str(), seen.stderr.as_str()), (0, file, ""));

    let wrong = settings("default_ttl = x\n\nmax_ttl = 0");
    let seen = run(&["--dump-config", "-c", &wrong]);
    assert_eq!((seen.status, seen.stdout.as_str()), (0, DEFAULTS));
    assert!(seen.stderr.contains(&format!("{wrong}:1: ")) && seen.stderr.contains(&format!("{wrong}:3: ")));
}

#[test]
fn version_and_help_are_on_standard_output_with_status_0() {
    for flag in ["-V", "--version"] {
        let seen = run(&[flag]);
        let version = concat!("key.dns_resolver ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!((seen.status, seen.stdout.as_str(), seen.stderr.as_str()), (0, version, ""));
    }
    for flag in ["-h", "--help"] {
        let seen = run(&[flag]);
        assert_eq!((seen.status, seen.stderr.as_str()), (0, ""));
        for option in [
            "-D, --debug",
            "-c, --config <FILE>",
            "-v, --verbose",
            "--dump-config",
            "-V, --version",
            "-h, --help",
        ] {
            assert!(seen.stdout.contains(option), "{option} in {}", seen.stdout);
        }
    }
}

#[test]
fn the_helper_runs_as_a_subcommand_or_under_any_other_program_name() {
    let literal = "payload 192.0.2.7\nexpiry 5\n";
    let empty = settings("");
    let args = ["-D", "-c", &empty, "192.0.2.7", ""];
    for name in ["key.dns_resolver", "/usr/libexec/key-dns/key.dns_resolver", "dns-helper"] {
        let mut command = Command::new(executable());
        command.arg0(name).args(args);
        assert_eq!(finish(command).stdout, literal, "{name}");
    }
    let mut command = Command::new(executable());
    command.arg0("key-dns").arg("key.dns_resolver").args(args);
    assert_eq!(finish(command).stdout, literal);
}

#[test]
fn a_write_error_on_standard_output_exits_with_status_1() {
    let empty = settings("");
    for args in [["-D", "-c", &empty, "192.0.2.7", ""].as_slice(), &["--dump-config", "-c", &empty], &["-h"]]
    {
        let mut command = command(args);
        command.stdout(Stdio::from(File::options().write(true).open("/dev/full").unwrap()));
        command.stderr(Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(1), "{args:?}");
    }
}
