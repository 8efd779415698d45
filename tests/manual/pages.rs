//! The manual pages: programs that show them have no complaints, and their statements are true.

use crate::generate::pages;
use crate::tool;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use upcall::Settings;

/// The text of the page with this file name.
pub fn page(name: &str) -> String {
    fs::read_to_string(crate::generate::packaging().join("man").join(name)).unwrap()
}

/// The lines of the page's literal displays, one text a display, as a reader sees them.
pub fn displays(name: &str) -> Vec<String> {
    let text = page(name);
    let mut lines = text.lines();
    let mut displays = Vec::new();
    while lines.find(|line| line.starts_with(".Bd -literal")).is_some() {
        let inner: Vec<&str> = lines.by_ref().take_while(|line| *line != ".Ed").collect();
        displays.push(inner.join("\n").replace("\\e", "\\") + "\n");
    }
    displays
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Names and sections of our pages.
fn names() -> Vec<(String, String)> {
    let split = |path: PathBuf| {
        let (name, section) = file_name(&path).rsplit_once('.').unwrap();
        (name.to_owned(), section.to_owned())
    };
    pages().unwrap().into_iter().map(split).collect()
}

#[test]
fn mandoc_lint_reports_nothing() {
    for path in pages().unwrap() {
        let Some(output) = tool(Command::new("mandoc").args(["-T", "lint", "-W", "all"]).arg(&path)) else {
            return;
        };
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        // Whether the pages that ours refer to are installed, and mandoc's own index of them, is a matter of the
        // machine.
        let ours = |line: &&str| {
            !line.contains("referenced manual not found") && !line.contains("outdated mandoc.db")
        };
        let remarks: Vec<&str> = said.lines().filter(ours).collect();
        assert_eq!(remarks, [""; 0], "{}", path.display());
    }
}

#[test]
fn groff_gives_no_warnings() {
    for path in pages().unwrap() {
        for device in ["ascii", "utf8", "ps"] {
            let mut groff = Command::new("groff");
            let Some(output) = tool(groff.args(["-ww", "-mdoc", "-t", "-T", device]).arg(&path)) else {
                return;
            };
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success() && said.is_empty(), "{} as {device}: {said}", path.display());
        }
    }
}

#[test]
fn cross_references_between_pages_exist() {
    let names = names();
    assert_eq!(names.len(), 5);
    for path in pages().unwrap() {
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(reference) = line.strip_prefix(".Xr ").or(line.strip_prefix(".It Xr ")) else {
                continue;
            };
            let mut words = reference.split(' ');
            let (name, section) = (words.next().unwrap(), words.next().unwrap());
            let same_name: Vec<_> = names.iter().filter(|(ours, _)| ours == name).collect();
            assert!(
                same_name.is_empty() || same_name.iter().any(|(_, ours)| ours == section),
                "{}: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn the_header_of_a_page_matches_its_file_name() {
    for (name, section) in names() {
        let text = page(&format!("{name}.{section}"));
        assert!(text.contains(&format!("\n.Dt {} {section}\n", name.to_uppercase())), "{name}");
        assert!(text.contains(&format!("\n.Sh NAME\n.Nm {name}\n.Nd ")), "{name}");
    }
}

/// The settings in the page, each with its text.
fn settings() -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in page("key.dns_resolver.conf.5").lines() {
        match (line.strip_prefix(".It Cm "), items.last_mut()) {
            (Some(start), _) if line.contains(" Li = ") => items.push(format!("{start}\n")),
            (_, Some(item)) => {
                item.push_str(line);
                item.push('\n');
            }
            (_, None) => {}
        }
    }
    items
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let items = settings();
    for line in Settings::default().to_string().lines() {
        let (key, default) = line.split_once(" = ").unwrap();
        let item = items.iter().find(|item| item.starts_with(&format!("{key} Li = ")));
        let item = item.unwrap_or_else(|| panic!("nothing is said of {key}"));
        let told = item.lines().find_map(|line| line.strip_prefix("Default: ")).unwrap();
        // It may be more than a word, and more may follow.
        let said = told.strip_prefix(default).is_some_and(|after| after.starts_with([',', '.']));
        assert!(said, "{key}: {told} is not {default}");
    }
}

#[test]
fn documented_bounds_are_the_effective_ones() {
    let mut found = 0;
    for item in settings() {
        let key = item.split(' ').next().unwrap();
        let Some(bounds) = item.lines().find_map(|line| line.strip_prefix("From ")) else { continue };
        let (least, most) = bounds.trim_end_matches('.').split_once(" to ").unwrap();
        let (least, most): (u64, u64) = (least.parse().unwrap(), most.parse().unwrap());
        for (value, taken) in [(least, true), (most, true), (least - 1, false), (most + 1, false)] {
            let (_, warnings) = Settings::parse(format!("{key} = {value}").as_bytes());
            assert_eq!(warnings.is_empty(), taken, "{key} = {value}");
        }
        found += 1;
    }
    assert_eq!(found, 5);
}

#[test]
fn documented_choices_are_the_effective_ones() {
    let items = settings();
    for key in ["confine", "mixed_case", "log", "family"] {
        let item = items.iter().find(|item| item.starts_with(&format!("{key} Li = Cm "))).unwrap();
        let choices = item.lines().next().unwrap().split_once("= Cm ").unwrap().1;
        let (_, warnings) = Settings::parse(format!("{key} = nonsense").as_bytes());
        let told = format!("expected one of {},", choices.replace(" | ", ", "));
        assert!(warnings[0].message.starts_with(&told), "{key}: {} is not {told}", warnings[0].message);
    }
}

/// The commands in the pages, split into words as by a shell.
fn commands_shown() -> Vec<Vec<String>> {
    let mut shown = Vec::new();
    for path in pages().unwrap() {
        let displayed = displays(file_name(&path)).join("").replace("\\\n", " ");
        let text = fs::read_to_string(&path).unwrap();
        let single =
            text.lines().filter_map(|line| line.strip_prefix(".Dl ")).map(|line| line.replace("\\(dq", "\""));
        for line in displayed.lines().map(ToOwned::to_owned).chain(single) {
            let Some(command) = line.strip_prefix("$ ").or(line.strip_prefix("# ")) else { continue };
            if !command.starts_with("key-dns ") && !command.starts_with("request-key ") {
                continue;
            }
            let script = format!("set -f; printf '%s\\n' {command}");
            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
            shown.push(String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect());
        }
    }
    shown
}

#[test]
fn commands_in_the_pages_are_accepted() {
    let shown = commands_shown();
    assert!(shown.len() > 15, "{}", shown.len());
    for words in shown {
        let face = crate::generate::commands().into_iter().find(|face| face.get_name() == words[0]).unwrap();
        let parsed = face.try_get_matches_from(&words);
        assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
    }
}

#[test]
fn explain_knows_every_documented_message() {
    let mut found = 0;
    for name in ["key.dns_resolver.8", "request-key.8"] {
        let text = page(name);
        let (_, section) = text.split_once("\n.Sh TROUBLESHOOTING\n").unwrap();
        let (section, _) = section.split_once("\n.Sh ").unwrap();
        for message in section.lines().filter_map(|line| line.strip_prefix(".It Li ")) {
            let explained = doctor::explain::explain(message.trim_matches('"'));
            assert!(explained.is_ok(), "{message}: {}", explained.unwrap_err());
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}
