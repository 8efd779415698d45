//! `key-dns doctor --prometheus` and `--node-problem-detector KernelNameLookupBroken`: lookups, on a host that is whole, and
//! on one that is broken.

use crate::host::{Host, NAME, doctor, for_anybody, on_a_host};
use crate::support::{run, scratch, send, until};
use nix::sys::signal::Signal;
use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

const SECOND_NAME: &str = "mon2.doctor.test";

#[track_caller]
fn metrics(args: &[&str]) -> String {
    let output = doctor(&[&["--prometheus"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
}

fn judged(output: Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn condition(args: &[&str]) -> (Option<i32>, String) {
    judged(doctor(&[&["--node-problem-detector", "KernelNameLookupBroken"], args].concat()))
}

#[test]
fn answered_names_are_counted() {
    on_a_host(|_| {
        let start = Instant::now();
        let text = metrics(&[NAME, SECOND_NAME]);
        let most = start.elapsed().as_secs_f64();
        has(&text, "key_dns_lookups{result=\"answered\"} 2");
        has(&text, "key_dns_lookups{result=\"failed\"} 0");
        for name in [NAME, SECOND_NAME] {
            has(&text, &format!("key_dns_lookup_success{{name=\"{name}\"}} 1"));
            let duration = format!("key_dns_lookup_duration_seconds{{name=\"{name}\"}} ");
            let seconds = text.lines().find_map(|line| line.strip_prefix(&duration));
            let seconds: f64 = seconds.unwrap().parse().unwrap();
            assert!(0.0 < seconds && seconds < most, "{text}");
        }
        has(&text, "key_dns_doctor_findings{check=\"lookup\",severity=\"broken\"} 0");
        // A mount's source has several names.
        let text = metrics(&["mon1.doctor.test:6789,mon2.doctor.test:6789:/"]);
        has(&text, "key_dns_lookups{result=\"answered\"} 2");
        // Without a name, one that needs no network.
        has(&metrics(&[]), "key_dns_lookup_success{name=\"localhost\"} 1");
        let well = (Some(0), "the kernel is answered\n".to_owned());
        assert_eq!(condition(&[]), well);
        assert_eq!(condition(&[NAME, SECOND_NAME]), well);
    });
}

#[test]
fn failed_and_answered_names_are_distinguished() {
    on_a_host(|_| {
        let text = metrics(&[NAME, "nosuch.doctor.test"]);
        has(&text, "key_dns_lookup_success{name=\"mon1.doctor.test\"} 1");
        has(&text, "key_dns_lookup_success{name=\"nosuch.doctor.test\"} 0");
        has(&text, "key_dns_lookups{result=\"failed\"} 1");
        has(
            &text,
            "key_dns_doctor_findings_by_id{check=\"lookup\",severity=\"broken\",finding=\"no-such-name\"} 1",
        );
        let (status, line) = condition(&[NAME, "nosuch.doctor.test"]);
        assert_eq!(status, Some(1));
        assert!(line.starts_with("no-such-name: ") && line.len() <= 81, "{line:?}");
    });
}

#[test]
fn a_missing_request_key_is_reported_with_or_without_a_name() {
    on_a_host(|host: &mut Host<'_>| {
        host.machine.take_away("/sbin/request-key");
        for name in [&[][..], &[NAME]] {
            let text = metrics(name);
            let asked = name.first().unwrap_or(&"localhost");
            has(&text, &format!("key_dns_lookup_success{{name=\"{asked}\"}} 0"));
            // Found by each check, it is one.
            has(
                &text,
                "key_dns_doctor_findings_by_id{check=\"lookup\",severity=\"broken\",finding=\"request-key-missing\"} 1",
            );
            assert_eq!(
                condition(name),
                (Some(1), "request-key-missing: the kernel can't run it\n".to_owned()),
                "{name:?}"
            );
        }
    });
}

#[test]
fn silent_name_servers_are_reported_even_without_a_name() {
    on_a_host(|host: &mut Host<'_>| {
        host.servers.clear();
        let (status, line) = condition(&[]);
        assert_eq!(status, Some(1), "{line}");
        assert!(line.starts_with("server-"), "{line}");
        has(&metrics(&[NAME]), "key_dns_lookup_success{name=\"mon1.doctor.test\"} 0");
    });
}

#[test]
fn a_hanging_lookup_ends_at_the_timeout() {
    on_a_host(|host: &mut Host<'_>| {
        let started = scratch("hanging-helpers");
        let _ = fs::remove_file(&started);
        host.other_helper(&format!("echo $$ >>'{}'\nexec sleep 100", started.display()));
        let start = Instant::now();
        let text = metrics(&[NAME, "--timeout", "2"]);
        has(&text, "key_dns_doctor_unfinished_checks{check=\"lookup\"} 1");
        has(&text, "key_dns_doctor_check_duration_seconds{check=\"lookup\"} 2");
        assert_eq!(
            condition(&[NAME, "--timeout", "2"]),
            (Some(2), "the check did not end in time\n".to_owned())
        );
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        // Their keys would last as long as they do. The last one may just have begun.
        let helpers = || fs::read_to_string(&started).unwrap_or_default();
        until(Duration::from_secs(20), || helpers().lines().count() >= 2);
        for helper in helpers().lines() {
            send(Signal::SIGTERM, helper.parse().unwrap());
        }
    });
}

#[test]
fn in_a_container_the_answer_of_the_kernel_is_that_of_the_host() {
    on_a_host(|host: &mut Host<'_>| {
        let program = for_anybody(host);
        let inside = || {
            let arguments = ["--mount", "--net", "--pid", "--fork", "--mount-proc", program, "doctor"];
            let more = ["--node-problem-detector", "KernelNameLookupBroken", NAME];
            judged(run("unshare", &[&arguments[..], &more].concat()))
        };
        assert_eq!(inside(), (Some(0), "the kernel is answered\n".to_owned()));
        host.rule("create dns_resolver * * /bin/true %k");
        let (status, line) = inside();
        assert_eq!(status, Some(1), "{line}");
        assert!(line.starts_with("not-answered: "), "{line}");
    });
}
