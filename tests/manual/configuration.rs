//! Configuration files that are shipped, and those in the manual pages.

use crate::generate::packaging;
use crate::pages::displays;
use crate::support::{executable, run, scratch};
use names::LookupOptions;
use std::fs;
use std::path::Path;
use std::process::Command;
use upcall::Settings;
use upcall::request_key::Rule;

fn shipped_rules() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("request-key.d/dns_resolver.conf")).unwrap()
}

/// The shipped settings, with every setting uncommented.
fn uncommented() -> String {
    let text = fs::read_to_string(packaging().join("key.dns_resolver.conf")).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_shipped_settings_change_nothing() {
    let text = fs::read(packaging().join("key.dns_resolver.conf")).unwrap();
    let (settings, warnings) = Settings::parse(&text);
    assert_eq!(warnings, []);
    assert_eq!(settings, Settings::default());
}

#[test]
fn the_shipped_settings_show_every_default() {
    let text = uncommented();
    let (settings, warnings) = Settings::parse(text.as_bytes());
    assert_eq!(warnings, []);
    assert_eq!(settings.lookup.name_servers.len(), 1);
    let lookup = LookupOptions { name_servers: Vec::new(), ..settings.lookup };
    assert_eq!(Settings { lookup, ..settings }, Settings::default());
    for line in Settings::default().to_string().lines() {
        assert!(text.lines().any(|found| found == line), "{line} is not there");
    }
}

#[test]
fn the_shipped_rules_run_the_helper() {
    let text = shipped_rules();
    let rules: Vec<Rule<'_>> =
        text.lines().filter_map(|line| Rule::parse(line.as_bytes()).unwrap()).collect();
    // Any name, and one for each first character that a host's name may have.
    assert_eq!(rules.len(), 1 + 26 + 26 + 10 + 2);
    for rule in rules {
        assert_eq!(rule.program.path, b"/usr/libexec/key-dns/key.dns_resolver");
    }
}

/// Of equal rules the first wins, and keyutils reads files in no order: ours have to fit better.
#[test]
fn the_shipped_rules_win_over_a_general_rule_read_earlier() {
    let folder = scratch("equal-rules");
    let rules = folder.join("request-key.d");
    fs::create_dir_all(&rules).unwrap();
    fs::write(rules.join("dns_resolver.conf"), shipped_rules()).unwrap();
    fs::write(rules.join("cifs.conf"), "create dns_resolver * * /usr/sbin/cifs.upcall %k\n").unwrap();
    let program = |description: &str| {
        let key = format!("dns_resolver;0;0;0;{description}");
        let arguments = ["request-key", "-d", "-l", "-D", &key, "create", "1", "0", "0", "0", "0", "0", ""];
        let output = Command::new(executable()).args(arguments).current_dir(&folder).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for first in ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['_', ':']) {
        let shown = program(&format!("{first}on1.example.org"));
        assert!(shown.contains("run /usr/libexec/key-dns/key.dns_resolver"), "{first}: {shown}");
    }
    assert!(program("afsdb:example.org").contains("run /usr/libexec/key-dns/key.dns_resolver"));
    // What no host is called is left to the order.
    assert!(program("!mon1").contains("run /usr/sbin/cifs.upcall"));
}

#[test]
fn settings_and_rules_in_the_manual_pages_are_valid() {
    let settings: Vec<String> =
        displays("key.dns_resolver.conf.5").into_iter().filter(|text| text.contains(" = ")).collect();
    assert_eq!(settings.len(), 2);
    for text in settings {
        assert_eq!(Settings::parse(text.as_bytes()).1, [], "{text}");
    }
    let mut rules = displays("request-key.conf.5");
    assert_eq!(rules.len(), 5);
    rules.extend(displays("key.dns_resolver.8").into_iter().filter(|text| text.starts_with("create ")));
    assert_eq!(rules.len(), 6);
    for line in rules.iter().flat_map(|text| text.lines()) {
        assert!(Rule::parse(line.as_bytes()).unwrap().is_some(), "{line}");
    }
}

#[test]
fn the_warning_for_an_invalid_line_is_as_in_the_manual_page() {
    let (_, warnings) = Settings::parse(b"\n\ndeadline = 0\n");
    let message = warnings[0].at(Path::new("/etc/keyutils/key.dns_resolver.conf"));
    let shown = displays("key.dns_resolver.conf.5");
    assert!(shown.iter().any(|text| text.replace('\n', " ").trim() == message), "{message}");
}

#[test]
fn the_winning_rule_is_shown_as_in_the_manual_page() {
    let folder = scratch("rules");
    fs::create_dir_all(folder.join("request-key.d")).unwrap();
    fs::write(folder.join("request-key.d/dns_resolver.conf"), shipped_rules()).unwrap();
    let example = &displays("request-key.8")[0];
    let (command, shown) = example.split_once("0 0 0 0\n").unwrap();
    let command = command.replace("$ key-dns request-key -d", "\"$0\" request-key -d -l");
    let mut shell = Command::new("sh");
    let output =
        shell.arg("-c").arg(command + "0 0 0 0").arg(executable()).current_dir(&folder).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        shown.replace("/etc/request-key.d", "request-key.d")
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_effective_settings_match_the_shipped_file() {
    let path = scratch("shipped.conf");
    fs::write(&path, uncommented()).unwrap();
    let output = run(executable(), &["key.dns_resolver", "--dump-config", "-c", path.to_str().unwrap()]);
    let dumped = String::from_utf8(output.stdout).unwrap();
    assert!(dumped.starts_with(&Settings::default().to_string()), "{dumped}");
    assert!(dumped.contains("nameserver[cluster.local] = 10.96.0.10:53\n"), "{dumped}");
}

#[test]
fn the_settings_page_lists_every_setting_with_its_default() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")).unwrap();
    let dump = Settings::default().to_string();
    assert!(dump.lines().count() > 5, "{dump}");
    for (key, value) in dump.lines().filter_map(|line| line.split_once(" = ")) {
        let row = format!("| `{key}` | {value} |");
        let quoted = format!("| `{key}` | `{value}` |");
        assert!(page.contains(&row) || page.contains(&quoted), "not in docs/settings.md: {row}");
    }
}
