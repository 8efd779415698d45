//! Healthy hosts, and hosts where not everything can be seen.

use crate::host::{ADDRESS, NAME, doctor, findings, for_anybody, on_a_host, report, step};
use crate::support::machine::RULES_FOLDER;
use crate::support::run;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::time::Instant;

#[test]
fn a_healthy_host_has_no_findings() {
    on_a_host(|_| {
        let start = Instant::now();
        let output = doctor(&[NAME]);
        let took = start.elapsed();
        let _ = writeln!(std::io::stderr(), "a healthy host took {} ms", took.as_millis());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
        let report = report(&[NAME]);
        assert_eq!(findings(&report), [] as [&Value; 0]);
        assert_eq!((&report["version"], &report["exit"]), (&1.into(), &0.into()));
        let answer = step(&report, "answer")["summary"].as_str().unwrap();
        assert!(answer.starts_with(&format!("{ADDRESS} for 300 s")), "{answer}");
        let live = step(&report, "live")["summary"].as_str().unwrap();
        assert!(live.starts_with(ADDRESS), "{live}");
    });
}

#[test]
fn each_host_of_a_mount_source_is_checked() {
    on_a_host(|_| {
        let report = report(&["mon1.doctor.test:6789,mon2.doctor.test:6789,192.0.2.1:/"]);
        let about = |name: &str| {
            let steps = report["steps"].as_array().unwrap().iter().filter(|step| step["name"] == name);
            steps.map(|step| (step["about"].clone(), step["status"].clone())).collect::<Vec<_>>()
        };
        let both =
            ["mon1.doctor.test", "mon2.doctor.test"].map(|name| (Value::from(name), Value::from("ok")));
        assert_eq!(about("live"), both, "{report:#}");
        assert_eq!(about("answer"), both);
        let facts = step(&report, "subject")["facts"].to_string();
        assert!(facts.contains("192.0.2.1 is an address: it needs no lookup"), "{facts}");
    });
}

#[test]
fn an_unprivileged_user_is_told_what_could_not_be_checked() {
    on_a_host(|host| {
        let program = for_anybody(host);
        let output = run(
            "setpriv",
            &["--reuid=65534", "--regid=65534", "--clear-groups", program, "doctor", "--json", NAME],
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(findings(&report), [] as [&Value; 0], "{report:#}");
        assert_eq!(output.status.code(), Some(2), "{report:#}");
        let cache = step(&report, "cache");
        assert_eq!(cache["status"], "unknown");
        assert_eq!(cache["unseen"][0]["what"], "the kernel's own cache");
        assert_eq!(cache["unseen"][0]["why"], "only root sees it");
        assert!(step(&report, "live")["summary"].as_str().unwrap().starts_with(ADDRESS));
    });
}

#[test]
fn in_a_container_the_doctor_does_not_judge_the_host() {
    on_a_host(|host| {
        let program = for_anybody(host);
        let output = run(
            "unshare",
            &["--mount", "--net", "--pid", "--fork", "--mount-proc", program, "doctor", "--json", NAME],
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(2), "{report:#}");
        assert_eq!(findings(&report), [] as [&Value; 0], "{report:#}");
        assert_eq!(step(&report, "kernel")["unseen"][0]["what"], "the host's files and network");
        for name in ["request-key", "rule", "settings", "servers", "answer"] {
            assert_eq!(step(&report, name)["status"], "skipped", "{name}");
        }
        // The kernel runs the helper on the host, so this place is as good as any.
        assert!(step(&report, "live")["summary"].as_str().unwrap().starts_with(ADDRESS), "{report:#}");
    });
}

#[test]
fn in_a_chroot_the_doctor_does_not_judge_the_host() {
    const ROOT: &str = "/run/key-dns-chroot";
    on_a_host(|host| {
        let program = for_anybody(host);
        host.machine.command(&format!("mkdir -p {ROOT}"), &format!("rmdir {ROOT}"));
        host.machine.command(&format!("mount --bind / {ROOT}"), &format!("umount {ROOT}"));
        for folder in ["/proc", "/sys", "/dev"] {
            host.machine
                .command(&format!("mount --bind {folder} {ROOT}{folder}"), &format!("umount {ROOT}{folder}"));
        }
        // What is on a file system of its own in /run is not in there.
        host.machine.command(
            &format!("mkdir -p {ROOT}/key-dns-chroot && cp {program} {ROOT}/key-dns-chroot/key-dns"),
            "rm -rf /key-dns-chroot",
        );
        let output = run("chroot", &[ROOT, "/key-dns-chroot/key-dns", "doctor", "--json", NAME]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(2), "{report:#}");
        assert_eq!(findings(&report), [] as [&Value; 0], "{report:#}");
        let unseen = &step(&report, "kernel")["unseen"][0];
        assert!(unseen["why"].as_str().unwrap().contains("it is a chroot"), "{report:#}");
        for name in ["request-key", "rule", "settings", "servers", "answer", "logs"] {
            assert_eq!(step(&report, name)["status"], "skipped", "{name}");
        }
        // If something is broken, no command is printed that would write into the chroot.
        host.rule("create dns_resolver * * /bin/true %k");
        let output = run("chroot", &[ROOT, "/key-dns-chroot/key-dns", "doctor", "--json", NAME]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = findings(&report);
        assert_eq!(found.len(), 1, "{report:#}");
        assert_eq!(
            (found[0]["id"].as_str(), &found[0]["remedy"]),
            (Some("not-answered"), &Value::Null),
            "{report:#}"
        );
        assert!(found[0]["advice"].as_str().unwrap().contains("on the host"), "{report:#}");
    });
}

#[test]
fn the_equal_rule_that_keyutils_chooses_is_named() {
    on_a_host(|host| {
        host.machine.take_away("/etc/request-key.conf");
        // Created in several orders, so that the directory's order is hardly ever that of their names.
        for order in [[3, 1, 5, 2, 4], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [2, 5, 1, 4, 3], [4, 3, 5, 1, 2]] {
            host.machine.take_away(RULES_FOLDER);
            fs::create_dir(RULES_FOLDER).unwrap();
            for number in order {
                let program = format!("/run/key-dns-order/{number}");
                let script = format!("#!/bin/sh\nprintf '127.77.0.{number}\\0' | keyctl pinstantiate $1 0\n");
                host.machine.replace(&program, script, 0o755);
                let rule = format!("create dns_resolver * * {program} %k\n");
                fs::write(format!("{RULES_FOLDER}/{number}-rule.conf"), rule).unwrap();
            }
            std::os::unix::fs::symlink("1-rule.conf", format!("{RULES_FOLDER}/0-link.conf")).unwrap();
            let report = report(&[NAME]);
            let rule = step(&report, "rule")["summary"].as_str().unwrap();
            let live = step(&report, "live")["summary"].as_str().unwrap();
            let named = rule.split("/run/key-dns-order/").nth(1).and_then(|rest| rest.get(..1)).unwrap();
            assert!(live.starts_with(&format!("127.77.0.{named} ")), "{rule}; {live}");
        }
    });
}

#[test]
fn a_subject_without_a_host_is_wrong_usage() {
    for subject in ["/nowhere/mounted", "//", "%root.cell"] {
        let output = doctor(&[subject]);
        assert_eq!(output.status.code(), Some(2), "{subject}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("key-dns doctor: "), "{subject}");
    }
}
