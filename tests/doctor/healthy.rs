//! Where nothing is wrong, and where not all can be seen.

use crate::host::{ADDRESS, NAME, doctor, findings, for_anybody, on_a_host, report, step};
use crate::support::run;
use serde_json::Value;
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
fn each_host_of_a_mount_source_is_followed() {
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
        assert!(facts.contains("192.0.2.1 is an address: nobody is asked for it"), "{facts}");
    });
}

#[test]
fn an_ordinary_user_is_told_what_could_not_be_seen() {
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
fn in_a_container_s_namespaces_the_host_is_not_mistaken_for_what_is_seen() {
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
        // The kernel runs the helper on the host, so that this is as good as anywhere.
        assert!(step(&report, "live")["summary"].as_str().unwrap().starts_with(ADDRESS), "{report:#}");
    });
}

#[test]
fn what_names_no_host_is_wrong_usage() {
    for subject in ["/nowhere/mounted", "//", "%root.cell"] {
        let output = doctor(&[subject]);
        assert_eq!(output.status.code(), Some(2), "{subject}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("key-dns doctor: "), "{subject}");
    }
}
