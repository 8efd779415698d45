use super::*;
use crate::host_root::tree;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const HELPER: &str = "usr/libexec/key-dns/key.dns_resolver";
const RULE: &str = "create dns_resolver * * /usr/libexec/key-dns/key.dns_resolver %k\n";

fn choose(name: &str, ours: bool, files: &[(&str, &str)]) -> Choice {
    let look = tree(&format!("rule-{name}"), files);
    for path in [HELPER, "bin/other"] {
        let _ = fs::set_permissions(look.path(path), fs::Permissions::from_mode(0o755));
    }
    for path in ["etc/request-key.conf", "etc/request-key.d/a.conf", "etc/request-key.d/b.conf"] {
        let mode = if name == "writable" && path.ends_with("a.conf") { 0o666 } else { 0o644 };
        let _ = fs::set_permissions(look.path(path), fs::Permissions::from_mode(mode));
    }
    let question = KeyRequest { description: "mon1.example".to_owned(), callout: "" };
    check(&look, &question, ours)
}

const BINARY: &str = "\x7fELF";

#[test]
fn the_winning_rule_is_named_with_its_place_and_the_rules_it_beats() {
    let choice = choose(
        "beats",
        true,
        &[
            (HELPER, BINARY),
            ("bin/other", BINARY),
            ("etc/request-key.d/a.conf", &format!("# ours\n{RULE}")),
            ("etc/request-key.conf", "create * * * /bin/other %k\n"),
        ],
    );
    assert_eq!(
        choice.step.summary,
        "/etc/request-key.d/a.conf:2 runs /usr/libexec/key-dns/key.dns_resolver, and beats /etc/request-key.conf:1"
    );
    assert_eq!(choice.step.findings, []);
}

#[test]
fn each_problem_with_rules_is_reported() {
    let a = "etc/request-key.d/a.conf";
    let missing = RULE.replace("/usr/libexec/key-dns", "/nowhere");
    for (name, ours, text, id, broken) in [
        ("none", true, "create user * * /bin/other\n", "no-rule", true),
        ("missing", true, missing.as_str(), "helper-not-runnable", true),
        ("nokey", true, &RULE.replace("%k", "%o"), "rule-without-key", true),
        ("piped", false, &RULE.replace("* /", "* |/"), "rule-pipes-helper", true),
        ("bad", false, &format!("create x\n{RULE}"), "bad-rule-line", true),
        ("badours", true, &format!("create x\n{RULE}"), "bad-rule-line", false),
        ("writable", true, RULE, "rule-file-ignored", true),
    ] {
        let choice = choose(name, ours, &[(HELPER, BINARY), ("bin/other", BINARY), (a, text)]);
        let found: Vec<_> = choice.step.findings.iter().map(|finding| finding.id).collect();
        assert_eq!((found, choice.step.is_broken()), (vec![id], broken), "{name}");
    }
}

#[test]
fn a_mended_rule_keeps_the_options_of_the_helper() {
    let ours = "/usr/libexec/key-dns/key.dns_resolver";
    let a = "etc/request-key.d/a.conf";
    let mended = |rule: &str| {
        let choice = choose("mended", true, &[(HELPER, BINARY), (a, &format!("{rule}\n"))]);
        let finding = choice.step.findings.first().unwrap();
        assert_eq!(finding.id, "rule-without-key");
        let command = finding.remedy.command()?;
        Some(command.split('|').nth(2).unwrap().to_owned())
    };
    for (arguments, kept) in [
        ("", " %k"),
        (" %o", " %k"),
        (" -c /etc/site.conf", " -c /etc/site.conf %k"),
        (" -v %d --config /etc/site.conf -vv", " -v --config /etc/site.conf -vv %k"),
        (" -vc/a --config=/b --verbose", " -vc/a --config=/b --verbose %k"),
    ] {
        let rule = format!("create dns_resolver * * {ours}");
        assert_eq!(mended(&format!("{rule}{arguments}")), Some(rule + kept));
    }
    for unknown in ["-D", "-c", "-c %d", "--log=x", "word", "-", "--", "-vx", "--config="] {
        assert_eq!(mended(&format!("create dns_resolver * * {ours} {unknown}")), None, "{unknown}");
    }
}

#[test]
fn a_rule_that_stays_is_beaten_by_one_with_its_options() {
    let shipped = "usr/share/request-key.d/a.conf";
    for (file, fields) in [("etc/request-key.conf", "create * * *"), (shipped, "create dns_resolver * *")] {
        let rule = format!("{fields} /usr/libexec/key-dns/key.dns_resolver -c /etc/site.conf\n");
        let choice = choose("stays", true, &[(HELPER, BINARY), (file, &rule)]);
        let command = choice.step.findings[0].remedy.command().unwrap();
        let new = "'create dns_resolver * * /usr/libexec/key-dns/key.dns_resolver -c /etc/site.conf %k' \
                   >>/etc/request-key.d/dns_resolver.conf";
        assert!(command.contains(new), "{command}");
    }
}

#[test]
fn no_rule_is_added_to_a_file_that_is_not_followed() {
    let rule = "create * * * /usr/libexec/key-dns/key.dns_resolver\n";
    let files =
        [(HELPER, BINARY), ("etc/request-key.conf", rule), ("etc/request-key.d/dns_resolver.conf", "")];
    let look = tree("rule-refused", &files);
    for (path, mode) in [(files[0].0, 0o755), (files[1].0, 0o644), (files[2].0, 0o666)] {
        fs::set_permissions(look.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let question = KeyRequest { description: "mon1.example".to_owned(), callout: "" };
    let findings = check(&look, &question, true).step.findings;
    let found: Vec<_> = findings.iter().map(|finding| (finding.id, finding.remedy.command())).collect();
    assert_eq!(found, [("rule-file-ignored", None), ("rule-without-key", None)]);
}

#[test]
fn a_bad_line_in_a_file_of_a_package_is_left_alone() {
    let shipped = ("usr/share/request-key.d/a.conf", "create x\n");
    let choice = choose("badshipped", true, &[(HELPER, BINARY), shipped]);
    let bad = choice.step.findings.iter().find(|finding| finding.id == "bad-rule-line").unwrap();
    assert_eq!(bad.remedy.command(), None);
}

#[test]
fn the_settings_of_a_rule_are_those_that_the_helper_reads() {
    for (arguments, file) in [
        ("%k", None),
        ("-c /a %k", Some("/a")),
        ("-c /a -vc /b %k", Some("/b")),
        ("--config=/a %k", Some("/a")),
        ("-c/a %k", Some("/a")),
        ("-c etc/a %k", Some("/etc/a")),
    ] {
        let rule = RULE.replace("%k", arguments);
        let choice = choose("config", true, &[(HELPER, BINARY), ("etc/request-key.d/a.conf", &rule)]);
        assert_eq!(choice.winner.unwrap().settings.as_deref(), file, "{arguments}");
    }
    let rule = "create dns_resolver * * /bin/other -c /etc/other.yaml %k\n";
    let choice = choose("other", true, &[("bin/other", BINARY), ("etc/request-key.d/a.conf", rule)]);
    assert_eq!(choice.winner.unwrap().settings, None);
}

#[test]
fn rules_of_packages_apply_if_no_local_rule_matches() {
    let shipped = ("usr/share/request-key.d/dns_resolver.conf", RULE);
    let other = ("etc/request-key.conf", "create user * * /bin/other %k\n");
    let summary = "/usr/share/request-key.d/dns_resolver.conf:1 runs /usr/libexec/key-dns/key.dns_resolver";
    for files in
        [&[(HELPER, BINARY), shipped][..], &[(HELPER, BINARY), ("bin/other", BINARY), shipped, other]]
    {
        assert_eq!(choose("shipped", true, files).step.summary, summary);
        // keyutils knows nothing of them.
        assert!(choose("shipped", false, files).step.is_broken());
    }
    let admins = ("etc/request-key.conf", "create * * * /bin/other %k\n");
    let choice = choose("admins", true, &[(HELPER, BINARY), ("bin/other", BINARY), shipped, admins]);
    assert_eq!(choice.step.summary, "/etc/request-key.conf:1 runs /bin/other");
}

#[test]
fn keyutils_follows_world_writable_rules() {
    let files = [(HELPER, BINARY), ("etc/request-key.d/a.conf", RULE)];
    assert_eq!(choose("writable", false, &files).step.findings, []);
}

#[test]
fn without_rules_one_is_needed_unless_request_key_is_this_program() {
    assert_eq!(choose("norules", true, &[]).step.findings, []);
    let choice = choose("norules2", false, &[]);
    assert_eq!(choice.step.findings[0].id, "no-rule");
    assert!(choice.step.findings[0].remedy.words().unwrap().contains("install key-dns"));
}
