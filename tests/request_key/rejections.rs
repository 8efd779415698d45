//! What the caller gets if no program answers: a true error, at once, and not for long.

use crate::support::machine::{Machine, RULES};
use std::time::Duration;

/// The caller's error, and that nothing was waited for: the shortest limit is 10 s.
#[track_caller]
fn fails(machine: &Machine, name: &str, with: &str) {
    let seen = machine.ask_for("user", name, "x");
    assert_eq!(seen.error(), format!("request_key: {with}"), "{name}");
    assert!(seen.took < Duration::from_secs(9), "{:?}", seen.took);
}

#[test]
fn a_program_that_cannot_run_rejects_the_key_with_the_reason() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file("/run/key-dns-rk-text", "just text\n");
    machine.file("/run/key-dns-rk-noexec", "#!/bin/sh\n");
    machine.program("/run/key-dns-rk-text2", std::path::Path::new("/etc/hostname"));
    for (number, bar) in ["", "|"].iter().enumerate() {
        machine.file(
            RULES,
            format!(
                "create user rk:missing* * {bar}/no/such/program\ncreate user rk:noexec* * {bar}/run/key-dns-rk-noexec\n\
                 create user rk:text* * {bar}/run/key-dns-rk-text2\ncreate user rk:folder* * {bar}/etc\n"
            ),
        );
        fails(&machine, &format!("rk:missing{number}"), "No such file or directory");
        fails(&machine, &format!("rk:noexec{number}"), "Permission denied");
        fails(&machine, &format!("rk:folder{number}"), "Permission denied");
        fails(&machine, &format!("rk:text{number}"), "Exec format error");
    }
}

#[test]
fn a_key_is_rejected_if_its_program_exits_without_an_answer() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let syslog = machine.syslog();
    machine.script("/run/key-dns-rk-crash", "#!/bin/sh\nkill -SEGV $$\n");
    machine.file(
        RULES,
        "create user rk:silent * /bin/true\ncreate user rk:fails * /bin/false\n\
         create user rk:crash * /run/key-dns-rk-crash\n",
    );
    for (name, why) in [
        ("rk:silent", "/bin/true: exit status: 0, and did not answer the key"),
        ("rk:fails", "/bin/false: exit status: 1"),
        ("rk:crash", "/run/key-dns-rk-crash: signal: 11 (SIGSEGV)"),
    ] {
        fails(&machine, name, "Required key not available");
        let line = syslog.next();
        assert!(line.contains("/etc/request-key.conf:") && line.contains(why), "{line}");
        assert!(line.ends_with("rejected with ENOKEY (126) for 10 s"), "{line}");
    }
}

#[test]
fn a_missing_macro_key_is_rejected_as_such() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, "create user rk:* * /bin/true %{user:rk-no-such-key}\n");
    fails(&machine, "rk:macro", "Required key not available");
}

/// How often a program runs for eight requests of one session, one after the other, for the same key.
fn runs(machine: &mut Machine, rule: &str, name: &str) -> usize {
    let turns = "/run/key-dns-rk-turns";
    machine.script(
        "/run/key-dns-rk-counted",
        &format!("#!/bin/sh\necho x >>{turns}\n[ $1 = kill ] && kill -9 $$\nexec $1\n"),
    );
    machine.file(turns, "");
    machine.file(RULES, format!("create user rk:* * {rule}\n"));
    let script = "for i in 1 2 3 4 5 6 7 8; do keyctl request2 user $0 x @s 2>&1; done";
    let output = crate::support::run("keyctl", &["session", "-", "/bin/sh", "-c", script, name]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("Required key not available").count(), 8, "{text}");
    std::fs::read_to_string(turns).unwrap().lines().count()
}

#[test]
fn a_failing_program_does_not_run_again_for_the_next_request() {
    let Some(mut machine) = Machine::take() else { return };
    // keyutils takes a rule whose piped program has failed for one for `negate` as well.
    let rules = [
        ("fails", "/run/key-dns-rk-counted false", 1),
        ("silent", "/run/key-dns-rk-counted true", 1),
        ("crash", "/run/key-dns-rk-counted kill", 1),
        ("pipe", "|/run/key-dns-rk-counted false", 2),
    ];
    for (name, rule, theirs) in rules {
        assert_eq!(runs(&mut machine, rule, &format!("rk:keyutils-{name}")), theirs, "{rule}");
    }
    machine.use_our_request_key();
    for (name, rule, _) in rules {
        assert_eq!(runs(&mut machine, rule, &format!("rk:ours-{name}")), 1, "{rule}");
    }
}

#[test]
fn a_rejection_expires_soon() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, "create user rk:again * |/bin/cat %{user:rk-no-such-key}\n");
    fails(&machine, "rk:again", "Required key not available");
    std::thread::sleep(Duration::from_millis(2100));
    machine.file(RULES, "create user rk:again * |/bin/cat\n");
    assert_eq!(machine.ask_for("user", "rk:again", "now").text(), "now");
}

#[test]
fn a_key_answered_by_its_program_is_kept_whatever_the_exit_status() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let syslog = machine.syslog();
    machine.script("/run/key-dns-rk-status", "#!/bin/sh\nkeyctl instantiate $1 fine 0\nexit 3\n");
    machine.file(RULES, "create user rk:* * /run/key-dns-rk-status %k\n");
    assert_eq!(machine.ask_for("user", "rk:status", "x").text(), "fine");
    // The kernel's refusal of a rejection is what shows that, and is not a failure.
    assert_eq!(syslog.try_next(Duration::from_millis(500)), None);
}

#[test]
fn a_macro_expands_to_the_contents_of_its_key() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, "create user rk:* * |/bin/echo <%{user:rk-no} %{user:rk-other}\n");
    // The macro is a whole argument or none: the first is text.
    let script = "keyctl add user rk-other 'se cret' @s >/dev/null; id=$(keyctl request2 user rk:contents x @s) && keyctl pipe $id";
    let output = crate::support::run("keyctl", &["session", "-", "/bin/sh", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "<%{user:rk-no} se cret\n");
    let script =
        "printf 'a\\nb' | keyctl padd user rk-other @s >/dev/null; keyctl request2 user rk:binary x @s 2>&1";
    let output = crate::support::run("keyctl", &["session", "-", "/bin/sh", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "request_key: Invalid argument\n");
}
