//! Remedies of a host that is broken in several ways: any of them, in any order, each of them twice, change what they
//! should, and nothing else.
//!
//! They run in mount namespaces of their own, where `/etc` is a copy and nothing else can be written.

use crate::dns::{Action, Script, Server};
use crate::host::{FIRST, Host, SECOND, findings, on_a_host, report, zone};
use crate::support::machine::{HELPER, RULES_FOLDER, SETTINGS};
use crate::support::run;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

const HOSTS: &str =
    "127.0.0.1\tlocalhost mon2.doctor.test\n127.77.0.99 mon1.doctor.test\n300.77.0.50 third.doctor.test\n";
const RULES: &str = "create dns_resolver\n# a comment\ncreate dns_resolver * * ";

/// The files after a remedy, as they should be.
type Change = fn(&mut BTreeMap<&'static str, String>);

fn edit(files: &mut BTreeMap<&'static str, String>, path: &str, from: &str, to: &str) {
    let text = files.get_mut(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    *text = text.replace(from, to);
}

const RULE_FILE: &str = "/etc/request-key.d/dns_resolver.conf";

/// What each finding's remedy is for; told apart by a part of its evidence.
const EXPECTED: [(&str, &str, Change); 6] = [
    ("bad-line", "/etc/hosts:3", |files| {
        edit(files, "/etc/hosts", "300.77.0.50 third", "# 300.77.0.50 third");
    }),
    ("bad-line", "key.dns_resolver.conf:1", |files| {
        edit(files, SETTINGS, "deadline = soon", "# deadline = soon");
    }),
    ("bad-rule-line", "dns_resolver.conf:1", |files| {
        edit(files, RULE_FILE, "create dns_resolver\n", "# create dns_resolver\n");
    }),
    ("rule-without-key", "dns_resolver.conf:3", |files| {
        edit(files, RULE_FILE, &format!("{HELPER} %o"), &format!("{HELPER} %k"));
    }),
    ("server-not-there", "127.53.0.2", |files| {
        edit(files, "/etc/resolv.conf", "nameserver 127.53.0.2", "# nameserver 127.53.0.2");
    }),
    ("server-changes-letters", "127.53.0.1", |files| {
        files.get_mut(SETTINGS).unwrap().push_str("mixed_case = no\n");
    }),
];

fn broken(host: &mut Host<'_>) -> BTreeMap<&'static str, String> {
    let letters = Action::per_transport(Action::wrong_case(Action::Zone), Action::Zone);
    host.replace_first_server(Server::builder().zone(zone()).script(Script::new().on_all(letters)));
    host.machine.take_away("/etc/host.conf");
    host.machine.replace("/etc/hosts", HOSTS, 0o644);
    host.machine.replace(SETTINGS, "deadline = soon\n# deadline = 3\n", 0o644);
    host.rule(&format!("{RULES}{HELPER} %o"));
    host.name_servers(&[SECOND, FIRST]);
    assert!(RULE_FILE.starts_with(RULES_FOLDER));
    ["/etc/hosts", SETTINGS, RULE_FILE, "/etc/resolv.conf"]
        .into_iter()
        .map(|path| (path, std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// What there is of `/etc`, and what is mounted.
const SEEN: &str = "find /etc -xdev -printf '%p %y %m %U:%G %l\\n' | sort; find /etc -xdev -type f -exec sha256sum {} + | sort; \
                    cat /proc/self/mountinfo";

/// Runs commands on a copy. Returns the files' content afterwards; panics if anything else has changed.
fn after(commands: &[&str], paths: &[&str]) -> BTreeMap<String, String> {
    let mut script = String::from(
        "set -e; mount -t tmpfs t /mnt; cp -a /etc /mnt/etc; mount --bind /mnt/etc /etc; mount -o remount,bind,ro /; \
         mkdir /mnt/out; { ",
    );
    writeln!(script, "{SEEN}; }} >/mnt/out/before").unwrap();
    for command in commands {
        script += command;
        script.push('\n');
    }
    writeln!(
        script,
        "{{ {SEEN}; }} >/mnt/out/after; diff /mnt/out/before /mnt/out/after | sed -n 's/^[<>] //p' || true; echo ---"
    )
    .unwrap();
    for path in paths {
        writeln!(script, "cat {path}; printf '\\0'").unwrap();
    }
    let done = run("unshare", &["--mount", "--propagation", "private", "sh", "-c", &script]);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{commands:?}: {text}{}", String::from_utf8_lossy(&done.stderr));
    let (changed, texts) = text.split_once("---\n").unwrap();
    for line in changed.lines() {
        // A sum, or a file's mode: of these alone, and the latter is not to change.
        let ours = paths.iter().any(|path| line.ends_with(&format!("  {path}")));
        assert!(ours, "{commands:?} changed {line}");
    }
    let plain = |text: &str| text.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
    paths.iter().map(|path| (*path).to_owned()).zip(texts.split('\0').map(plain)).collect()
}

/// Pseudo-random numbers, the same ones each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for at in (1..all.len()).rev() {
            let other = self.below(at + 1);
            all.swap(at, other);
        }
        all
    }
}

#[test]
fn remedies_in_any_order_even_repeated_change_only_what_they_should() {
    on_a_host(|host| {
        let files = broken(host);
        let report = report(&["mon1.doctor.test,mon2.doctor.test:/"]);
        let found: Vec<(&str, Change)> = EXPECTED
            .iter()
            .map(|(id, evidence, change)| {
                let is = |finding: &&&serde_json::Value| {
                    finding["id"] == *id && finding["evidence"].as_str().unwrap().contains(evidence)
                };
                let all = findings(&report);
                let finding = all.iter().find(is).unwrap_or_else(|| panic!("no {id} {evidence}: {report:#}"));
                (finding["remedy"].as_str().unwrap_or_else(|| panic!("{finding:#}")), *change)
            })
            .collect();
        let all = findings(&report).into_iter().filter(|finding| !finding["remedy"].is_null()).count();
        assert_eq!(found.len(), all, "others: {report:#}");
        let paths: Vec<&str> = files.keys().copied().collect();
        let mut chance = Chance(1);
        let mut runs = 0;
        // Each subset once, and all of them in more orders.
        let all = (1 << found.len()) - 1;
        for subset in (1..=all).chain([all; 40]) {
            let chosen: Vec<usize> = (0..found.len()).filter(|at| subset & (1 << at) != 0).collect();
            let order = chance.shuffled([&chosen[..], &chosen[..]].concat());
            let commands: Vec<&str> = order.iter().map(|at| found[*at].0).collect();
            let mut expected = files.clone();
            for at in &chosen {
                found[*at].1(&mut expected);
            }
            let expected: BTreeMap<String, String> =
                expected.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
            assert_eq!(after(&commands, &paths), expected, "{commands:#?}");
            runs += 1;
        }
        let told = format!("{} remedies, {runs} subsets and orders, each twice\n", found.len());
        let _ = io::Write::write_all(&mut io::stderr(), told.as_bytes());
    });
}
