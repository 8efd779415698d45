//! A signal to `request-key` while the program of a rule runs.

use crate::support::asking::helpers;
use crate::support::machine::{Machine, RULES};
use std::thread;
use std::time::{Duration, Instant};

/// What asking brings where the one `request-key`, or what it has become, gets this signal once a program is there.
fn signalled(machine: &Machine, name: &str, ours: bool, signal: &str) -> (String, Duration) {
    std::fs::write("/run/key-dns-rk-there", "").unwrap();
    thread::scope(|scope| {
        let asking = scope.spawn(|| machine.ask_for("user", name, "x"));
        let mut program = String::new();
        while program.is_empty() {
            thread::sleep(Duration::from_millis(20));
            program = std::fs::read_to_string("/run/key-dns-rk-there").unwrap().trim_end().into();
        }
        let target = if ours { helpers()[0].to_string() } else { program.clone() };
        assert!(crate::support::run("sh", &["-c", &format!("kill {signal} {target}")]).status.success());
        let seen = asking.join().unwrap();
        let start = Instant::now();
        while std::path::Path::new(&format!("/proc/{program}")).exists() {
            assert!(start.elapsed() < Duration::from_secs(5), "the program outlives request-key");
            thread::sleep(Duration::from_millis(20));
        }
        let outcome = seen.payload.map_or_else(|error| error, |bytes| String::from_utf8(bytes).unwrap());
        (outcome, seen.took)
    })
}

#[test]
fn a_program_gets_signals_as_under_keyutils_and_does_not_outlive_request_key() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/run/key-dns-rk-there", "");
    machine.script("/run/key-dns-rk-waits", "#!/bin/sh\necho $$ >/run/key-dns-rk-there\nexec sleep 30\n");
    machine.script(
        "/run/key-dns-rk-cleans-up",
        "#!/bin/sh\ntrap 'keyctl instantiate '$1' tidy 0; exit' TERM\necho $$ >/run/key-dns-rk-there\n\
         while :; do sleep 0.1; done\n",
    );
    machine.file(
        RULES,
        "create user rk:waits* * /run/key-dns-rk-waits\ncreate user rk:tidy* * /run/key-dns-rk-cleans-up %k\n",
    );
    let lost = "request_key: Required key not available";
    for (who, ours) in [("keyutils", false), ("ours", true)] {
        if ours {
            machine.use_our_request_key();
        }
        for (name, signal, expected) in
            [("waits", "-TERM", lost), ("waits-on", "-KILL", lost), ("tidy", "-TERM", "tidy")]
        {
            let (outcome, took) = signalled(&machine, &format!("rk:{name}-{who}"), ours, signal);
            assert_eq!(outcome, expected, "{who} {name} {signal}");
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }
}
