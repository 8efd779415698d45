//! Which rules are read, and which one is used.

use crate::support::machine::{Machine, RULES};
use std::time::Duration;

/// `printf` that says which rule it stands in.
fn says(word: &str) -> String {
    format!("|/usr/bin/printf {word}")
}

#[test]
fn the_rule_with_the_fewest_characters_under_its_asterisks_wins() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.rule("");
    let rules = [
        ("create user * *", "any"),
        ("create user rk:* *", "prefix"),
        ("create user rk:*-end *", "both"),
        ("create user rk:exact *", "exact"),
        ("create user rk:exact special", "callout"),
        ("* user rk:exact2 *", "operation"),
        ("create user rk:* special2", "late"),
    ];
    let text: String = rules.iter().map(|(fields, word)| format!("{fields} {}\n", says(word))).collect();
    machine.file(RULES, text);
    for (description, callout, expected) in [
        ("other", "x", "any"),
        ("rk:1", "x", "prefix"),
        ("rk:1-end", "x", "both"),
        ("rk:exact", "x", "exact"),
        ("rk:exact", "special", "callout"),
        ("rk:exact2", "x", "prefix"),
        ("rk:2", "special2", "late"),
    ] {
        let seen = machine.ask_for("user", description, callout);
        assert_eq!(seen.text(), expected, "{description} {callout}");
    }
}

#[test]
fn the_first_of_equal_rules_wins_with_files_in_sorted_order() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, format!("create user rk:* * {}\n", says("last")));
    machine.file("/etc/request-key.d/zz-rk.conf", format!("create user rk:* * {}\n", says("zz")));
    assert_eq!(machine.ask_for("user", "rk:sorted1", "x").text(), "zz");
    machine.file("/etc/request-key.d/aa-rk.conf", format!("create user rk:* * {}\n", says("aa")));
    assert_eq!(machine.ask_for("user", "rk:sorted2", "x").text(), "aa");
}

#[test]
fn a_symbolic_link_to_a_rule_file_is_followed() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file("/run/key-dns-rk-linked", format!("create user rk:* * {}\n", says("linked")));
    machine.link("/etc/request-key.d/rk-link.conf", "/run/key-dns-rk-linked");
    assert_eq!(machine.ask_for("user", "rk:link", "x").text(), "linked");
}

#[test]
fn a_last_rule_without_a_newline_is_complete() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, format!("create user rk:* * {}", says("whole")));
    assert_eq!(machine.ask_for("user", "rk:newline", "x").text(), "whole");
}

#[test]
fn an_invalid_line_is_skipped_and_logged() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let syslog = machine.syslog();
    machine.file(
        RULES,
        format!(
            "create user rk:b*\n\ncreate user rk:bad * cat %k\ncreate user rk:other\ncreate user rk:* * {}\n",
            says("good")
        ),
    );
    assert_eq!(machine.ask_for("user", "rk:bad", "x").text(), "good");
    let lines: Vec<String> = std::iter::from_fn(|| syslog.try_next(Duration::from_millis(200))).collect();
    assert!(lines[0].starts_with("<84>"), "{lines:?}");
    assert!(lines[0].contains("/etc/request-key.conf:1: "), "{lines:?}");
    assert!(lines[1].contains("/etc/request-key.conf:3: the program \"cat\" is not a path"), "{lines:?}");
    // A line for other keys is named to those.
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn rules_writable_by_anyone_but_root_are_refused() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    let syslog = machine.syslog();
    machine.file(RULES, format!("create user rk:* * {}\n", says("safe")));
    for (number, owner, mode, says_why) in
        [(1, 0, 0o666, "mode 666"), (2, 0, 0o646, "mode 646"), (3, 12345, 0o644, "belongs to user 12345")]
    {
        let path = format!("/etc/request-key.d/rk{number}.conf");
        machine.file(&path, format!("create user rk:{number} * {}\n", says("unsafe")));
        machine.owner_and_mode(&path, owner, mode);
        assert_eq!(machine.ask_for("user", format!("rk:{number}"), "x").text(), "safe");
        let mut lines = std::iter::from_fn(|| syslog.try_next(Duration::from_millis(200)));
        assert!(lines.any(|line| line.contains(&path) && line.contains(says_why)), "{path}");
        while syslog.try_next(Duration::from_millis(50)).is_some() {}
    }
}

#[test]
fn rules_writable_by_the_root_group_are_followed() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, format!("create user rk:* * {}\n", says("other")));
    machine.file("/etc/request-key.d/rk.conf", format!("create user rk:group * {}\n", says("group")));
    machine.owner_and_mode("/etc/request-key.d/rk.conf", 0, 0o664);
    assert_eq!(machine.ask_for("user", "rk:group", "x").text(), "group");
}

#[test]
fn an_indented_rule_is_ignored_with_a_warning() {
    let Some(mut machine) = Machine::take() else { return };
    let rules =
        format!(" create user rk:indented* * {}\ncreate user rk:* * {}\n", says("never"), says("good"));
    machine.file(RULES, &rules);
    assert_eq!(machine.ask_for("user", "rk:indented-keyutils", "x").text(), "good");
    machine.use_our_request_key();
    let syslog = machine.syslog();
    assert_eq!(machine.ask_for("user", "rk:indented", "x").text(), "good");
    let line = syslog.next();
    assert!(line.contains("/etc/request-key.conf:1: a rule must begin at the start of its line"), "{line}");
}

#[test]
fn a_fifo_instead_of_a_rule_file_does_not_block() {
    let Some(mut machine) = Machine::take() else { return };
    machine.use_our_request_key();
    machine.file(RULES, format!("create user rk:* * {}\n", says("here")));
    machine.stuck("/etc/request-key.d/rk-stuck.conf");
    let seen = machine.ask_for("user", "rk:stuck", "x");
    assert_eq!(seen.text(), "here");
    assert!(seen.took < Duration::from_secs(20), "{:?}", seen.took);
}
