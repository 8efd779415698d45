//! Programs that read the callout info and write the payload.

use crate::support::machine::{Machine, RULES};
use std::time::Duration;

#[test]
fn the_callout_goes_in_and_the_payload_comes_out() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, "create user rk:loop:* * |/bin/cat\n");
    assert_eq!(machine.ask_for("user", "rk:loop:1", "abcdefghijkl").text(), "abcdefghijkl");
    let long = "x".repeat(4000);
    assert_eq!(machine.ask_for("user", "rk:loop:2", &long).text(), long);
}

#[test]
fn a_payload_may_be_as_long_as_the_key_type_allows() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let rule = |type_, length| format!("create {type_} rk:{length} * |/usr/bin/head -c {length} /dev/zero\n");
    machine.file(
        RULES,
        [rule("user", 20000), rule("user", 32767), rule("user", 32768), rule("big_key", 100_000)].concat(),
    );
    // The quota of root's session has no room for two of them at once.
    assert_eq!(machine.ask_for("user", "rk:32767", "x").payload.map(|bytes| bytes.len()), Ok(32767));
    assert_eq!(machine.ask_for("user", "rk:32768", "x").error(), "request_key: Invalid argument");
    // Not every kernel has keys of this type.
    let big = machine.ask_for("big_key", "rk:100000", "x").payload.map(|bytes| bytes.len());
    assert!(big == Ok(100_000) || big == Err("request_key: Required key not available".into()), "{big:?}");
}

#[test]
fn standard_error_and_exit_status_of_a_piped_program_are_logged() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let syslog = machine.syslog();
    machine
        .script("/run/key-dns-rk-pipe", "#!/bin/sh\necho 'one' >&2\nprintf 'two\\033[1m' >&2\nkill -9 $$\n");
    machine.file(RULES, "create user rk:* * |/run/key-dns-rk-pipe\n");
    let seen = machine.ask_for("user", "rk:stderr", "x");
    assert_eq!(seen.error(), "request_key: Required key not available");
    let lines: Vec<String> = std::iter::from_fn(|| syslog.try_next(Duration::from_millis(200))).collect();
    assert!(lines[0].starts_with("<86>") && lines[0].ends_with("/etc/request-key.conf:1: one"), "{lines:?}");
    assert!(lines[1].ends_with("/etc/request-key.conf:1: two\\u{1b}[1m"), "{lines:?}");
    assert!(lines[2].contains("/run/key-dns-rk-pipe: signal: 9 (SIGKILL)"), "{lines:?}");
}

#[test]
fn after_a_failure_the_rule_for_negate_runs() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    // The rule for `create` fits better, field by field, than the one for `negate`.
    machine.file(
        RULES,
        "create user rk:negated x |/bin/false\nnegate * * * /bin/keyctl reject %k 30 rejected %S\n",
    );
    let seen = machine.ask_for("user", "rk:negated", "x");
    assert_eq!(seen.error(), "request_key: Key was rejected by service");
}

#[test]
fn the_key_is_rejected_if_the_rule_for_negate_fails_too() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, "create user rk:* * |/bin/false\nnegate user * * |/bin/false\n");
    let seen = machine.ask_for("user", "rk:twice", "x");
    assert_eq!(seen.error(), "request_key: Required key not available");
}

/// As `exec > >(filter)` in bash, whose filter ends after the script.
#[test]
fn late_output_of_a_background_filter_is_kept_as_under_keyutils() {
    let Some(mut machine) = Machine::take() else { return };
    machine.script("/run/key-dns-rk-pipe", "#!/bin/sh\n(sleep 1; echo late) &\necho early\n");
    machine.file(RULES, "create user rk:* * |/run/key-dns-rk-pipe\n");
    assert_eq!(machine.ask_for("user", "rk:filter-keyutils", "x").text(), "early\nlate\n");
    machine.use_our_request_key();
    assert_eq!(machine.ask_for("user", "rk:filter", "x").text(), "early\nlate\n");
}

#[test]
fn a_background_process_without_the_output_does_not_delay_the_caller() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.script("/run/key-dns-rk-pipe", "#!/bin/sh\nsleep 20 >&- &\necho done\n");
    machine.file(RULES, "create user rk:* * |/run/key-dns-rk-pipe\n");
    let seen = machine.ask_for("user", "rk:background", "x");
    assert_eq!(seen.text(), "done\n");
    assert!(seen.took < Duration::from_secs(5), "{:?}", seen.took);
}

#[test]
fn a_program_that_does_not_read_its_input_works() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, "create user rk:* * |/bin/echo %c %{user:rk:other}\n");
    assert_eq!(
        machine.ask_for("user", "rk:macro", "x").error(),
        "request_key: Required key not available",
        "there is no key rk:other"
    );
    machine.file(RULES, "create user rk:* * |/bin/echo %c %d\n");
    assert_eq!(machine.ask_for("user", "rk:deaf", "y".repeat(4000)).text().len(), 4000 + " rk:deaf\n".len());
}
