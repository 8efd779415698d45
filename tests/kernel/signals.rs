//! Signals to a helper that is waiting for a server: the key is answered before it exits.

use crate::dns::{Action, Script, Server, qtype};
use crate::serving::{ADDRESS, hosts, queries, server};
use crate::support::asking::{Ask, Seen, caught, helper};
use crate::support::machine::{HELPER, Machine, error};
use crate::support::{run, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A silent server, and a helper that would wait for it for half a minute.
fn silent(machine: &mut Machine) -> Server {
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:30 attempts:1\n"));
    machine.settings("deadline = 30\n");
    server(ADDRESS).zone(hosts()).script(Script::new().on_all(Action::Silence)).start()
}

/// What the caller sees when the helper gets this signal while it waits; then, this is done.
fn signalled(server: &Server, signal: &str, then: impl Fn()) -> Seen {
    caught(|| {
        server.clear();
        thread::scope(|scope| {
            let asking = scope.spawn(|| Ask::new("v4.example.test").once());
            assert!(until(Duration::from_secs(20), || !queries(server).is_empty()), "no query");
            assert!(run("sh", &["-c", &format!("kill -s {signal} {}", helper())]).status.success());
            then();
            asking.join().unwrap()
        })
    })
}

#[test]
fn a_helper_that_is_terminated_or_crashes_still_answers() {
    let Some(mut machine) = Machine::take() else { return };
    let server = silent(&mut machine);
    let log = machine.syslog();
    for (signal, number) in [
        ("TERM", 15),
        ("INT", 2),
        ("HUP", 1),
        ("QUIT", 3),
        ("ABRT", 6),
        ("SEGV", 11),
        ("BUS", 7),
        ("ILL", 4),
        ("FPE", 8),
        ("TRAP", 5),
        ("SYS", 31),
        ("XCPU", 24),
        ("ALRM", 14),
    ] {
        let seen = signalled(&server, signal, || {});
        assert_eq!(seen.error(), error::EAGAIN, "SIG{signal}");
        seen.lasts(1);
        assert!(seen.took < Duration::from_secs(25), "SIG{signal}: {:?}", seen.took);
        let line = log.next();
        assert!(line.contains(&format!("(signal {number})")) && line.contains("EAGAIN"), "{line}");
    }
}

#[test]
fn other_signals_do_not_disturb_a_lookup() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:30 attempts:1\n"));
    let sent = Arc::new(AtomicBool::new(false));
    let is_sent = Arc::clone(&sent);
    // The answer comes once the signal has been sent, if it is sent.
    let late = Script::new().rule(move |query, _, _| {
        if !query.is("v4.example.test", qtype::A) {
            return None;
        }
        let start = Instant::now();
        while !is_sent.load(Ordering::Relaxed) && start.elapsed() < Duration::from_secs(15) {
            thread::sleep(Duration::from_millis(1));
        }
        Some(Action::Zone)
    });
    machine.no_hedge();
    let server = server(ADDRESS).zone(hosts()).script(late).start();
    // All that are left (16 is SIGSTKFLT, which not every shell knows), and those that the C library keeps for itself.
    let left = [
        "PIPE", "CHLD", "URG", "WINCH", "CONT", "USR1", "USR2", "XFSZ", "VTALRM", "PROF", "IO", "PWR", "16",
        "TSTP",
    ];
    let numbers: Vec<String> = (32..=64).map(|number| number.to_string()).collect();
    for signal in left.into_iter().chain(numbers.iter().map(String::as_str)) {
        sent.store(false, Ordering::Relaxed);
        let seen = signalled(&server, signal, || sent.store(true, Ordering::Relaxed));
        assert_eq!(seen.text(), "192.0.2.1", "SIG{signal}");
        seen.lasts(300);
    }
}

#[test]
fn a_helper_started_with_signals_ignored_and_blocked_handles_them() {
    let Some(mut machine) = Machine::take() else { return };
    let server = silent(&mut machine);
    machine.rule(&format!("create dns_resolver * * /usr/bin/env --ignore-signal --block-signal {HELPER} %k"));
    for signal in ["TERM", "SEGV"] {
        signalled(&server, signal, || {}).fails(error::EAGAIN, 1);
    }
}

#[test]
fn a_helper_killed_by_sigkill_leaves_the_rejection_to_the_kernel() {
    let Some(mut machine) = Machine::take() else { return };
    let server = silent(&mut machine);
    assert_eq!(signalled(&server, "KILL", || {}).error(), "request_key: Required key not available");
}
