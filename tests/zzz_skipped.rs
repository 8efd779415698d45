//! Not a suite: prints how much the suites before it skipped, by reason and with a total, at the end of `cargo test`.
//!
//! Cargo runs suites in the order of their names, so that no other one may come after this.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn main() {
    // A listing of tests has to find none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let path = skip::list();
    let text = fs::read_to_string(&path).unwrap_or_default();
    forget(&path);
    // A test may say more than once why it can't run.
    let skipped: BTreeSet<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut reasons: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (reason, test) in &skipped {
        let suite = test.split(':').next().unwrap();
        *reasons.entry(reason).or_default().entry(suite).or_default() += 1;
    }
    for (reason, suites) in &reasons {
        let count: usize = suites.values().sum();
        let suites: Vec<String> = suites.iter().map(|(suite, count)| format!("{suite} {count}")).collect();
        println!("{count:6}  {reason} ({})", suites.join(", "));
    }
    if !skipped.is_empty() {
        println!("{:6}  tests skipped, each named above with its reason", skipped.len());
    }
}

/// Removes the list, and those of runs that have ended.
fn forget(path: &std::path::Path) {
    for entry in fs::read_dir(path.parent().unwrap()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("skipped-") {
            let _ = fs::remove_file(entry.path());
        }
    }
}
