//! `key-dns cache`, with keys of the kernel's.

use crate::key_dns;
use crate::support::machine::{HELPER, Machine};
use crate::support::world::has_user;
use crate::support::{executable, run, skip};
use serde_json::Value;
use std::process::Output;

/// Runs a shell script in a session keyring of its own, with `$0` our program; `None` where there is no keyctl, or nothing
/// for it to do: Docker allows no keys, and some kernels have none of this type.
pub(crate) fn session(script: &str) -> Option<String> {
    if !run("sh", &["-c", "command -v keyctl"]).status.success() {
        skip("it needs keyctl (package keyutils)");
        return None;
    }
    let probe = "printf '192.0.2.1\\0' | keyctl padd dns_resolver probe.test @s";
    let probed = run("keyctl", &["session", "-", "sh", "-c", probe]);
    if !probed.status.success() {
        let reason = String::from_utf8_lossy(&probed.stderr);
        skip(&format!("it needs dns_resolver keys: {}", reason.lines().last().unwrap_or_default()));
        return None;
    }
    let executable = executable();
    let Output { stdout, stderr, .. } =
        run("keyctl", &["session", "-", "bash", "-c", script, executable.to_str().unwrap()]);
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(!stdout.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    Some(stdout)
}

fn keys(text: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(json["version"], 1);
    json["keys"].as_array().unwrap().clone()
}

#[test]
fn each_key_is_listed_with_its_content_and_expiry() {
    let script = r#"
        k=$(printf '192.0.2.1\0' | keyctl padd dns_resolver cache-a.test @s)
        keyctl timeout $k 1000
        printf '#dnserror=61\0' | keyctl padd dns_resolver a:cache-a.test @s >&2
        printf '\0\0\1\4\1\0' | keyctl padd dns_resolver afsdb:cache-a.test @s >&2
        printf '192.0.2.2\0' | keyctl padd dns_resolver cache-b.test @s >&2
        "$0" cache list --json CACHE-a.test."#;
    let Some(text) = session(script) else { return };
    let keys = keys(&text);
    let seen: Vec<_> = keys
        .iter()
        .map(|key| {
            let word = |field: &str| key[field].as_str();
            (
                word("name").unwrap(),
                word("state").unwrap(),
                word("payload"),
                key["errno"].as_u64(),
                word("left"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("a:cache-a.test", "error", None, Some(61), None),
            // A list of servers without a timeout lasts for ever where its status is good.
            ("afsdb:cache-a.test", "good", Some("v1 000001040100"), None, None),
            ("cache-a.test", "good", Some("192.0.2.1"), None, Some("16m")),
        ]
    );
    assert!(keys.iter().all(|key| key["place"] == "people"), "{keys:?}");
}

#[test]
fn flush_invalidates_the_keys_of_one_name_or_all_and_no_other_types() {
    let script = r#"
        for name in cache-c.test a:cache-c.test cache-d.test cache-e.test; do
            printf '192.0.2.1\0' | keyctl padd dns_resolver $name @s >&2
        done
        u=$(keyctl add user cache-c.test untouched @s)
        "$0" cache flush cache-c.test; echo "status $?"
        "$0" cache list cache-c.test
        "$0" cache list cache-d.test
        "$0" cache flush; echo "status $?"
        "$0" cache list cache-e.test
        keyctl print $u"#;
    if !run("id", &["-u"]).stdout.starts_with(b"0\n") {
        return skip("it needs root, to see the kernel's own cache");
    }
    let Some(text) = session(script) else { return };
    let lines: Vec<&str> = text.lines().collect();
    let dropped =
        |name: &str| lines.iter().filter(|line| line.contains(name) && line.ends_with(": dropped")).count();
    assert_eq!(
        [dropped("cache-c.test"), dropped("cache-d.test"), dropped("cache-e.test")],
        [2, 1, 1],
        "{text}"
    );
    assert_eq!(lines.iter().filter(|line| **line == "status 0").count(), 2, "{text}");
    for name in ["cache-c.test", "cache-e.test"] {
        assert!(lines.contains(&format!("the cache has no key for {name}").as_str()), "{text}");
    }
    assert!(text.contains("cache-d.test  192.0.2.1, never expires, of user 0, not the kernel's\n"), "{text}");
    assert_eq!(lines.last(), Some(&"untouched"), "{text}");
}

#[test]
fn a_key_name_cannot_forge_a_line_of_proc_keys() {
    let script = r#"
        victim=$(keyctl add user cache-victim untouched @s)
        name=$'cache-f.test: 3\n'$(printf %08x $victim)' I--Q---     1 perm 3f010000     0     0 dns_resol cache-f.test'
        printf '192.0.2.1\0' | keyctl padd dns_resolver "$name" @s >&2
        "$0" cache list --json cache-f.test
        "$0" cache flush >&2
        keyctl print $victim"#;
    let Some(text) = session(script) else { return };
    let (json, victim) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(victim, "untouched");
    assert!(keys(json).iter().all(|key| key["name"] != "cache-f.test"), "{text}");
}

#[test]
fn a_user_sees_their_own_keys_and_what_could_not_be_checked() {
    let script = r#"
        chmod go+rx "$0"
        setpriv --reuid 65534 --clear-groups keyctl session - bash -c '
            printf "192.0.2.1\0" | keyctl padd dns_resolver cache-g.test @s >&2
            "$0" cache list; echo "status $?"; "$0" cache flush; echo "status $?"' "$0""#;
    if !run("id", &["-u"]).stdout.starts_with(b"0\n") || !has_user(65534) {
        return skip("it needs root, to become another user");
    }
    let Some(text) = session(script) else { return };
    let lines: Vec<&str> = text.lines().collect();
    let unseen = "not seen: the kernel's own cache: only root sees it";
    assert!(
        lines[0].ends_with("cache-g.test  192.0.2.1, never expires, of user 65534, not the kernel's"),
        "{text}"
    );
    assert_eq!(lines[1..3], [unseen, "status 0"], "{text}");
    assert!(lines[3].ends_with(": dropped"), "{text}");
    assert_eq!(lines[4..], [unseen, "status 2"], "{text}");
}

#[test]
fn a_rejected_key_shows_its_errno_and_one_under_construction_is_kept() {
    let Some(mut machine) = Machine::take() else { return };
    // EKEYREJECTED, and an answer that takes its time.
    machine.script(
        HELPER,
        "#!/bin/sh\ncase $(keyctl describe \"$1\") in\n*slow*) sleep 3;;\nesac\nkeyctl reject \"$1\" 100 129 @u\n",
    );
    let script = r#"
        keyctl request2 dns_resolver cache-reject.test "" @s >&2
        keyctl request2 dns_resolver cache-slow.test "" @s >&2 &
        for try in $(seq 100); do
            grep -q "cache-slow" /proc/keys && break
            sleep 0.02
        done
        "$0" cache list --json cache-reject.test > reject
        "$0" cache list --json cache-slow.test > slow
        "$0" cache flush --json cache-slow.test > flush
        wait
        "$0" cache list --json cache-slow.test > after
        jq -s . reject slow flush after 2>/dev/null || { echo [; cat reject; echo ,; cat slow; echo ,; cat flush; echo ,; cat after; echo ]; }"#;
    let folder = tempfile("cache-rejected");
    let Some(text) = session(&format!("cd {folder}\n{script}")) else { return };
    let all: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let key = |number: usize| &all[number]["keys"][0];
    assert_eq!((key(0)["state"].as_str(), key(0)["errno"].as_u64()), (Some("rejected"), Some(129)), "{text}");
    assert_eq!(key(1)["state"], "under construction", "{text}");
    assert_eq!(key(2)["outcome"], "kept", "{text}");
    assert!(key(2)["why"].as_str().unwrap().contains("under construction"), "{text}");
    // It was answered in the end.
    assert_eq!((key(3)["state"].as_str(), key(3)["errno"].as_u64()), (Some("rejected"), Some(129)), "{text}");
}

fn tempfile(name: &str) -> String {
    let folder = crate::support::scratch(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[test]
fn wrong_usage_is_status_2() {
    for args in [&["cache"][..], &["cache", "drop"], &["cache", "list", "a", "b"]] {
        assert_eq!(key_dns(args).status, 2, "{args:?}");
    }
}
