//! The key of a confined process is answered, whatever happens.

use crate::support::machine::{Machine, error};
use crate::support::world::{HELPER, NO_HELPER, has_user};
use crate::support::{executable, needs, run, scratch, skip};
use std::env;
use std::process::Command;

fn helper(machine: &mut Machine, how: &str) {
    let this = env::current_exe().unwrap();
    machine.rule(&format!("create dns_resolver * * {} --upcall {how} %k", this.display()));
}

pub fn authority_outlives_all_rights() {
    let Some(mut machine) = Machine::take() else { return };
    helper(&mut machine, "instantiate");
    machine.ask("confined.example.test", "").is("192.0.2.9", 77);
    helper(&mut machine, "reject");
    assert_eq!(machine.ask("confined.example.test", "").error(), format!("request_key: {}", error::ENODATA));
}

pub fn a_violation_answers_the_key() {
    let Some(mut machine) = Machine::take() else { return };
    let log = machine.syslog();
    for how in ["file", "program", "another-key", "read", "abort"] {
        helper(&mut machine, how);
        machine.ask("confined.example.test", "").fails(error::EAGAIN, 1);
        let line = log.next();
        println!("    {how}: {}", line.split_once("]: ").unwrap().1);
        let signal = if how == "abort" { "(signal 6)" } else { "which it should not need (signal 31)" };
        assert!(line.contains(signal) && line.contains("answered with EAGAIN"), "{how}: {line}");
    }
}

/// Each call of the confinement fails in turn, as in a kernel that doesn't have it.
pub fn what_is_lacking_is_said() {
    if !skip::has_loopback() {
        return;
    }
    if let Err(error) = Command::new("strace").arg("-V").output() {
        return skip(&needs("strace".as_ref(), &error));
    }
    let settings = scratch("lacking.conf");
    std::fs::write(&settings, "nameserver[test] = 127.0.0.1:9\n").unwrap();
    let settings = settings.to_str().unwrap().to_owned();
    let root = run("id", &["-u"]).stdout == b"0\n";
    if root && !has_user(HELPER) {
        return skip(NO_HELPER);
    }
    let look_up = |inject: &[&str]| {
        let debug = ["key.dns_resolver", "-D", "-v", "-c", &settings, "a:x.test", ""];
        let mut command = Command::new("strace");
        command.args(["-qq", "-o", "/dev/null"]).args(inject).arg(executable()).args(debug);
        let output = command.output().expect("strace");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "payload #dnserror=111\nexpiry 10\n",
            "{inject:?}"
        );
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!look_up(&["-e", "trace=none"]).contains("not confined"));
    for (call, what) in [
        ("landlock_create_ruleset:error=ENOSYS", "Landlock: the kernel has none"),
        ("landlock_create_ruleset:error=EOPNOTSUPP", "Landlock: the kernel has none"),
        ("seccomp:error=EINVAL", "seccomp: "),
        ("capset:error=EPERM", "capabilities: "),
        ("prlimit64:error=EPERM", "limits: "),
        ("setresuid:error=EINVAL", "its user: "),
    ] {
        if !root && call.starts_with("setresuid") {
            continue;
        }
        let log = look_up(&["-e", &format!("inject={call}")]);
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("not confined by")).collect();
        println!("    {call}: {}", lines.join("; "));
        assert_eq!(lines.len(), 1, "{call}: {log}");
        assert!(lines[0].contains(what), "{call}: {log}");
    }
}
