//! `key-dns doctor --prometheus --mounts` and `--node-problem-detector DeadMount`: mounts broken for real, in mount
//! namespaces of their own, and what those are told who watch many hosts.

use crate::key_dns;
use crate::mounts::{Daemon, shell};
use crate::support::{executable, skip, until, world};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What Prometheus' own checker says of metrics: of the format, and of names and help.
#[track_caller]
fn promtool_likes(text: &[u8]) {
    let checker = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn();
    let Ok(mut checker) = checker else {
        return skip("it needs promtool (package prometheus)");
    };
    checker.stdin.take().unwrap().write_all(text).unwrap();
    assert!(checker.wait().unwrap().success(), "{}", String::from_utf8_lossy(text));
}

fn metrics(more: &[&str]) -> String {
    let seen = key_dns(&[&["doctor", "--prometheus", "--mounts"], more].concat());
    assert_eq!((seen.status, seen.stderr.as_str()), (0, ""), "{}", seen.stdout);
    seen.stdout
}

/// The samples, without those of mounts that this machine has itself.
fn samples<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
}

fn condition(more: &[&str]) -> (i32, String) {
    let seen = key_dns(&[&["doctor", "--node-problem-detector", "DeadMount"], more].concat());
    assert_eq!(seen.stderr, "");
    (seen.status, seen.stdout)
}

#[test]
fn no_name_of_a_mount_breaks_the_metrics() {
    if !world::inside("watching::no_name_of_a_mount_breaks_the_metrics") {
        return;
    }
    let mut names: Vec<Vec<u8>> = [
        &b"plain"[..],
        b"a \"quoted\" one",
        b"new\nline",
        b"\"} 1\nkey_dns_evil{x=\"y\"} 2\n# HELP key_dns_evil",
        b"back\\slash\\",
        b"not \xff\xfe UTF-8 \xc3",
        b"\x01\x7f\r\t",
        b"{}=,# \xe2\x80\xae",
        "ünïcödé ☃".as_bytes(),
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    // As long as the kernel takes it (PATH_MAX).
    names.push([[b'd'; 250].as_slice(); 16].join(&b'/'));
    for name in &names {
        let point = Path::new("/mnt").join(OsStr::from_bytes(name));
        // The long one has more than a call may name from the root.
        let mut command = Command::new("sh");
        command.args(["-c", "mkdir -p gone \"$1\" && mount --bind gone \"$1\" && rmdir gone", "sh"]);
        let done = command.arg(point.strip_prefix("/mnt").unwrap()).current_dir("/mnt").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let text = metrics(&[]);
    promtool_likes(text.as_bytes());
    assert!(samples(&text, "key_dns_evil").is_empty(), "{text}");
    let broken = samples(&text, "key_dns_mount_broken{");
    assert_eq!(broken.len(), names.len(), "{broken:#?}");
    for line in [
        "mountpoint=\"/mnt/plain\"",
        "mountpoint=\"/mnt/a \\\"quoted\\\" one\"",
        "mountpoint=\"/mnt/new\\nline\"",
        "mountpoint=\"/mnt/back\\\\slash\\\\\"",
        "mountpoint=\"/mnt/not \\\\xff\\\\xfe UTF-8 \\\\xc3\"",
        "mountpoint=\"/mnt/ünïcödé ☃\"",
    ] {
        has(&text, &format!("key_dns_mount_broken{{kind=\"local\",state=\"deleted\",{line}}} 1"));
    }
    has(&text, &format!("key_dns_mounts{{kind=\"local\",state=\"deleted\"}} {}", names.len()));
    // One line for people, whatever comes first.
    for name in &names {
        let rest = Path::new("/mnt").join(OsStr::from_bytes(name));
        let (status, line) = condition(&[]);
        assert_eq!((status, line.matches('\n').count()), (1, 1), "{line:?}");
        assert!(line.len() <= 81 && line.ends_with('\n'), "{line:?}");
        assert!(!line.trim_end_matches('\n').chars().any(char::is_control), "{line:?}");
        let mut command = Command::new("umount");
        let point = rest.strip_prefix("/mnt").unwrap();
        assert!(command.arg("-l").arg(point).current_dir("/mnt").status().unwrap().success());
    }
    assert_eq!(condition(&[]), (0, "all mounts answer\n".to_owned()));
    assert_eq!(samples(&metrics(&[]), "key_dns_mount_broken{"), [] as [&str; 0]);
}

/// Every word in `text` that begins so and is made of such characters.
fn words<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let word = |(at, _)| {
        let rest: &str = &text[at..];
        rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap()
    };
    text.match_indices(start).map(word).collect()
}

/// That these are the metrics, and the states of mounts, that alerts are on and that docs/fleets.md has.
fn alerts_and_documents_speak_of(metrics: &str) {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (rules, page) = (read("packaging/prometheus/key-dns.rules.yml"), read("docs/fleets.md"));
    let known = words(metrics, "key_dns_");
    assert!(known.len() >= 12, "{known:?}");
    let alerted = words(&rules, "key_dns_");
    assert!(alerted.is_subset(&known), "{:?}", alerted.difference(&known));
    assert_eq!(words(&page, "key_dns_"), known);
    let states: BTreeSet<&str> =
        metrics.split("state=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for choice in rules.split("state=").skip(1) {
        let choice = choice.trim_start_matches('~').split('"').nth(1).unwrap();
        assert!(choice.split('|').all(|state| states.contains(state)), "{choice}: {states:?}");
    }
    for state in states {
        assert!(page.contains(&format!("\n| `{state}` |")), "{state}");
    }
    // Findings have their names in docs/tools.md.
    let tools = read("docs/tools.md");
    let found = rules.split("finding=~\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(found.split('|').all(|finding| tools.contains(&format!("`{finding}`"))), "{found}");
}

#[test]
fn dead_and_silent_mounts_are_counted_and_reported_as_broken() {
    if !world::inside("watching::dead_and_silent_mounts_are_counted_and_reported_as_broken") {
        return;
    }
    shell("cd /mnt && mkdir -p src/vol a b c pod");
    let Some(mut dead) = Daemon::start("/mnt/src", "/mnt/a") else { return };
    let Some(silent) = Daemon::start("/mnt/src", "/mnt/b") else { return };
    let Some(_alive) = Daemon::start("/mnt/src", "/mnt/c") else { return };
    shell("mount --bind /mnt/a/vol /mnt/pod");
    let text = metrics(&[]);
    has(&text, "key_dns_mounts{kind=\"fuse\",state=\"ok\"} 4");
    has(&text, "key_dns_mounts{kind=\"fuse\",state=\"dead\"} 0");
    assert_eq!(condition(&[]), (0, "all mounts answer\n".to_owned()));
    dead.kill();
    silent.signal("-STOP");
    let start = Instant::now();
    let text = metrics(&[]);
    promtool_likes(text.as_bytes());
    has(&text, "key_dns_mounts{kind=\"fuse\",state=\"ok\"} 1");
    has(&text, "key_dns_mounts{kind=\"fuse\",state=\"dead\"} 2");
    has(&text, "key_dns_mounts{kind=\"fuse\",state=\"silent\"} 1");
    has(&text, "key_dns_mount_broken{kind=\"fuse\",state=\"dead\",mountpoint=\"/mnt/a\"} 1");
    has(&text, "key_dns_mount_broken{kind=\"fuse\",state=\"silent\",mountpoint=\"/mnt/b\"} 1");
    has(&text, "key_dns_doctor_findings_by_id{check=\"mounts\",severity=\"broken\",finding=\"fuse-dead\"} 1");
    has(
        &text,
        "key_dns_doctor_findings_by_id{check=\"mounts\",severity=\"broken\",finding=\"mount-silent\"} 1",
    );
    has(&text, "key_dns_doctor_unfinished_checks{check=\"mounts\"} 0");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    alerts_and_documents_speak_of(&text);
    assert_eq!(condition(&[]), (1, "3 broken mounts: dead /mnt/a\n".to_owned()));
    // The same of the mounts of a process, as those of the first one are seen from a container.
    let own = std::process::id().to_string();
    assert_eq!(condition(&["--pid", &own]), (1, "3 broken mounts: dead /mnt/a\n".to_owned()));
    assert_eq!(condition(&["--pid", "4000000000"]).0, 2);
    // Not everything, where the time is over before: then it is unknown.
    let start = Instant::now();
    assert_eq!(condition(&["--timeout", "1"]), (2, "the check did not end in time\n".to_owned()));
    // Who still waits for it says at once that it is silent.
    until(Duration::from_secs(8).saturating_sub(start.elapsed()), || touching("/mnt/b") == 0);
    let text = metrics(&["--timeout", "1"]);
    has(&text, "key_dns_doctor_unfinished_checks{check=\"mounts\"} 1");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // Nobody is left waiting for the mount, which still does not answer.
    let nobody = until(Duration::from_secs(10), || touching("/mnt/b") == 0);
    silent.signal("-CONT");
    assert!(nobody);
}

/// The processes that touch a mount and have not come back.
fn touching(point: &str) -> usize {
    let wanted = format!("probe-mount\0--\0{point}\0");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.ends_with(wanted.as_bytes())).count()
}

#[test]
fn repeated_checks_leave_only_one_process_behind_per_mount() {
    let own = "watching::repeated_checks_leave_only_one_process_behind_per_mount";
    if !world::inside(own) {
        return;
    }
    // Processes are counted by the path, and no other test has this one.
    shell("cd /mnt && mkdir -p src a held");
    // The second one takes a request, and waits for the first one to answer its own: nothing ends who asked.
    let Some(first) = Daemon::start("/mnt/src", "/mnt/a") else { return };
    let threads = ["sh", "-c", "exec \"$0\" --multithreaded \"$@\""];
    let Some(_second) = Daemon::start_by(&threads, "/mnt/a", "/mnt/held") else { return };
    first.signal("-STOP");
    for _ in 0..3 {
        let text = metrics(&[]);
        has(&text, "key_dns_mounts{kind=\"fuse\",state=\"silent\"} 2");
    }
    let left = touching("/mnt/held");
    first.signal("-CONT");
    assert_eq!(left, 1);
    // Once the daemon answers again, so does the mount.
    let start = Instant::now();
    while touching("/mnt/held") > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "it has not come back");
        std::thread::sleep(Duration::from_millis(20));
    }
    has(&metrics(&[]), "key_dns_mounts{kind=\"fuse\",state=\"ok\"} 2");
}

/// The files of a folder, with what is in them.
fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| (entry.path(), fs::read(entry.path()).unwrap_or_default())).collect();
    files.sort();
    files
}

#[test]
fn the_metrics_file_is_written_completely_or_not_at_all() {
    if !world::inside("watching::the_metrics_file_is_written_completely_or_not_at_all") {
        return;
    }
    shell("mkdir /mnt/full /mnt/fine && mount -t tmpfs -o size=8k tmpfs /mnt/full && umask 077");
    let write = |file: &str| {
        let mut command = Command::new("sh");
        // Whatever the umask is, all may read it.
        command.args(["-c", "umask 077; exec \"$0\" doctor --prometheus --mounts --output \"$1\""]);
        let done = command.arg(executable()).arg(file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&done.stdout), "");
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(write("/mnt/fine/key-dns.prom"), (Some(0), String::new()));
    let found = files("/mnt/fine");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(fs::metadata(&found[0].0).unwrap().permissions().mode() & 0o7777, 0o644);
    promtool_likes(&found[0].1);
    fs::write("/mnt/full/key-dns.prom", "old\n").unwrap();
    shell("head -c 4096 /dev/zero >/mnt/full/filler");
    let (before, (status, error)) = (files("/mnt/full"), write("/mnt/full/key-dns.prom"));
    assert_eq!(status, Some(2));
    assert!(
        error.starts_with("key-dns doctor: can't write /mnt/full/key-dns.prom: No space left"),
        "{error}"
    );
    assert_eq!(files("/mnt/full"), before);
    shell("mount -o remount,ro,bind /mnt/full /mnt/full 2>/dev/null || mount -o remount,ro /mnt/full");
    let (status, error) = write("/mnt/full/key-dns.prom");
    assert_eq!(status, Some(2));
    assert!(error.contains("Read-only file system"), "{error}");
    assert_eq!(files("/mnt/full"), before);
    assert_eq!(write("/mnt/none/key-dns.prom").0, Some(2));
    assert_eq!(write("/mnt/fine").0, Some(2));
    assert_eq!(files("/mnt/fine").len(), 1);
}

#[test]
fn wrong_usage_writes_nothing() {
    let wrong = [
        &["--prometheus", "--json"][..],
        &["--prometheus", "-v"],
        &["--output", "x"],
        &["--timeout", "3"],
        &["--prometheus", "--timeout", "0"],
        &["--prometheus", "--pid", "1"],
        &["--prometheus", "/nowhere/mounted"],
        &["--node-problem-detector", "Other"],
        &["--node-problem-detector", "DeadMount", "name"],
        &["--node-problem-detector", "DeadMount", "--mounts"],
        &["--node-problem-detector", "KernelNameLookupBroken", "--pid", "1"],
        &["--node-problem-detector", "DeadMount", "--prometheus"],
        &["--mounts", "name"],
        &["one", "two"],
    ];
    for args in wrong {
        let seen = key_dns(&[&["doctor"], args].concat());
        assert_eq!((seen.status, seen.stdout.as_str()), (2, ""), "{args:?}");
        assert_ne!(seen.stderr, "", "{args:?}");
    }
}
