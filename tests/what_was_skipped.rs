//! Not a suite: what the suites before it skipped, by reason and by name, as the last thing that `cargo test` prints.
//!
//! Cargo runs suites in the order of their names, so that no other one may come after this.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

fn main() {
    // What asks for a list of tests has to find none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let path = support::skipped();
    let text = fs::read_to_string(&path).unwrap_or_default();
    forget(&path);
    let mut reasons: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (reason, test) in text.lines().filter_map(|line| line.split_once('\t')) {
        reasons.entry(reason).or_default().insert(test);
    }
    let total: usize = reasons.values().map(BTreeSet::len).sum();
    if total == 0 {
        return;
    }
    println!("\n{total} tests skipped");
    for (reason, tests) in &reasons {
        println!("\n  {}: {reason}", tests.len());
        for test in tests {
            println!("      {test}");
        }
    }
}

/// Removes the list, and those of runs that ended before this.
fn forget(path: &std::path::Path) {
    for entry in fs::read_dir(path.parent().unwrap()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("skipped-") {
            let _ = fs::remove_file(entry.path());
        }
    }
}
