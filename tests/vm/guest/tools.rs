//! `key-dns cache`, with what the kernel's own lookups left, and `key-dns doctor --mounts`, with a real NFS.

use crate::case::Case;
use crate::case::Expected::Same;
use crate::ceph;
use crate::dns::Zone;
use crate::guest::{Guest, MOUNT_POINT, mounted};
use crate::naive::nobody;
use crate::nfs;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub const CASES: &[Case] = &[
    Case {
        name: "cache-flush-one",
        expected: Same(
            "one kernel good, two kernel good; flush: one dropped, status 0; two kernel good; asked again: \
             one twice, two once",
        ),
        run: |guest| {
            guest.serve(zone().a("one", [127, 1, 4, 1], 60).a("two", [127, 1, 4, 2], 60));
            let ask = |guest: &mut Guest| {
                ceph::attempt(guest, "one.cache.test");
                ceph::attempt(guest, "two.cache.test");
            };
            ask(guest);
            let before = list();
            let flushed = flush(&["one.cache.test"]);
            let after = list();
            ask(guest);
            let asked = |name| ceph::times(guest.asked(name));
            let (one, two) = (asked("one.cache.test"), asked("two.cache.test"));
            format!("{before}; {flushed}; {after}; asked again: one {one}, two {two}")
        },
    },
    Case {
        name: "cache-flush-rejected",
        expected: Same(
            "rejected kernel rejected 126; flush: rejected dropped, status 0; nothing; query 9, ret=0 127.1.4.3, \
             contacted 127.1.4.3:6789",
        ),
        run: |guest| {
            guest.serve(zone().a("rejected", [127, 1, 4, 3], 60));
            // What all the others left is in the way of what is expected.
            key_dns(&["cache", "flush"]);
            let nobody = nobody();
            ceph::attempt(guest, "rejected.cache.test");
            drop(nobody);
            let (before, flushed, after) = (list(), flush(&["rejected.cache.test"]), list());
            guest.forget();
            format!("{before}; {flushed}; {after}; {}", ceph::attempt(guest, "rejected.cache.test"))
        },
    },
    Case {
        name: "cache-flush-all",
        expected: Same(
            "all kernel good, none kernel error 61; flush: all dropped, none dropped, status 0; nothing",
        ),
        run: |guest| {
            guest.serve(zone().a("all", [127, 1, 4, 4], 60));
            key_dns(&["cache", "flush"]);
            ceph::attempt(guest, "all.cache.test");
            ceph::attempt(guest, "none.cache.test");
            let (before, flushed, after) = (list(), flush(&[]), list());
            format!("{before}; {flushed}; {after}")
        },
    },
    Case {
        name: "mounts-nfs-name-moved",
        expected: Same("mount-name-moved: the mount uses 127.0.0.1; srv.mounts.test is now 127.0.0.9; cured"),
        run: |guest| {
            guest.serve(Zone::new("mounts.test").a("srv", [127, 0, 0, 9], 60));
            let options = format!("addr=127.0.0.1,port={},clientaddr=127.0.0.1,vers=4.1", nfs::SERVER);
            std::mem::forget(mounted("nfs4", "srv.mounts.test:/", &options).unwrap());
            cured()
        },
    },
];

fn zone() -> Zone {
    Zone::new("cache.test")
}

/// Runs `key-dns` with these arguments: its exit status, and its output.
fn key_dns(arguments: &[&str]) -> (i32, Value) {
    let mut command = Command::new("/sbin/request-key");
    let output = command.arg0("key-dns").args(arguments).arg("--json").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

/// The keys for names of ours: of each its name, then fields of it.
fn keys(json: &Value, fields: &[&str]) -> String {
    let keys = json["keys"].as_array().unwrap().iter();
    let ours = keys.filter_map(|key| {
        let mut text = key["name"].as_str().unwrap().strip_suffix(".cache.test")?.to_owned();
        for field in fields {
            match &key[*field] {
                Value::Null => {}
                Value::String(word) => text.extend([" ", word]),
                other => text.extend([" ", &other.to_string()]),
            }
        }
        Some(text)
    });
    match ours.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "nothing".to_owned(),
        some => some,
    }
}

fn list() -> String {
    keys(&key_dns(&["cache", "list"]).1, &["place", "state", "errno"])
}

fn flush(names: &[&str]) -> String {
    let (status, json) = key_dns(&[&["cache", "flush"], names].concat());
    format!("flush: {}, status {status}", keys(&json, &["outcome", "why"]))
}

/// The first finding, and whether what its advice says leaves none.
fn cured() -> String {
    let findings = || {
        let (_, json) = key_dns(&["doctor", "--mounts"]);
        let steps = json["steps"].as_array().unwrap();
        steps.iter().flat_map(|step| step["findings"].as_array().unwrap().clone()).collect::<Vec<_>>()
    };
    let found = findings();
    let Some(first) = found.first() else { return "no finding".to_owned() };
    let word = |field: &str| first[field].as_str().unwrap();
    let _ = std::os::unix::fs::symlink("/bin/busybox", "/bin/umount");
    let advice = word("advice");
    let command = format!("umount {MOUNT_POINT}");
    assert!(advice.contains(&format!("; {command};")), "{advice}");
    let done = Command::new("/bin/sh").args(["-c", &command]).env("PATH", "/bin").status().unwrap();
    let end = if done.success() && findings().is_empty() {
        "cured".to_owned()
    } else {
        format!("not cured by {command}")
    };
    format!("{}: {}; {end}", word("id"), word("evidence"))
}
