//! Key types that only the kernel and root may request.

use crate::support::asking::Ask;
use crate::support::machine::{Machine, RULES, SETTINGS};
use std::time::Duration;

const USER: u32 = 12345;

/// The test machine's kernel need not know `cifs.spnego`; any type shows the effect of the setting.
#[test]
fn a_user_request_for_a_root_only_type_runs_nothing_and_is_logged_once() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(SETTINGS, "root_only = user\n");
    machine.file("/run/key-dns-rk-turns", "");
    machine.script("/run/key-dns-rk-counted", "#!/bin/sh\necho x >>/run/key-dns-rk-turns\necho said\n");
    machine.file(RULES, "create user rk:* * |/run/key-dns-rk-counted\n");
    let syslog = machine.syslog();

    let script = "for i in 1 2 3; do keyctl request2 user rk:forged x @s 2>&1; done";
    let user = USER.to_string();
    let arguments = ["--reuid", &user, "--", "keyctl", "session", "-", "/bin/sh", "-c", script];
    let output = crate::support::run("setpriv", &arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text, "request_key: Operation not permitted\n".repeat(3));
    assert_eq!(std::fs::read_to_string("/run/key-dns-rk-turns").unwrap(), "");
    let line = syslog.next();
    let told = "user 12345 requests a key of type \"user\", which root_only reserves for the kernel and root; rejected \
                with EPERM (1) for 10 s";
    assert!(line.ends_with(told), "{line}");
    assert_eq!(syslog.try_next(Duration::from_millis(300)), None);

    assert_eq!(machine.ask_for("user", "rk:honest", "x").text(), "said\n");
}

#[test]
fn names_are_refused_to_users_only_if_root_only_lists_dns_resolver() {
    let Some(mut machine) = Machine::take() else { return };
    let ask = |user| Ask { user, ..Ask::new("192.0.2.7") }.once();
    for ours in [false, true] {
        if ours {
            machine.use_our_request_key();
        }
        machine.file(SETTINGS, "");
        assert_eq!(ask(USER).text().trim_end_matches('\0'), "192.0.2.7");
        machine.file(SETTINGS, "root_only = dns_resolver\n");
        assert_eq!(ask(USER).error(), "request_key: Operation not permitted");
        assert_eq!(ask(0).text().trim_end_matches('\0'), "192.0.2.7");
    }
}
