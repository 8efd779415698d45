//! The stated Rust version is enough.
//!
//! clippy's `incompatible_msrv`, which uses the same statement, finds parts of the standard library that are newer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::Value;
use std::process::Command;

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--offline", "--format-version", "1"]);
    let output = cargo.args(["--filter-platform", "x86_64-unknown-linux-gnu"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The numbers of a version; the last may be missing.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap());
    [0; 3].map(|nothing| parts.next().unwrap_or(nothing))
}

#[test]
fn no_dependency_needs_a_newer_rust_than_stated() {
    let ours = env!("CARGO_PKG_RUST_VERSION");
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let needs = |package: &Value| package["rust_version"].as_str().map(numbers);
    let newer: Vec<_> = packages
        .iter()
        .filter(|package| needs(package) > Some(numbers(ours)))
        .map(|package| {
            format!("{} {} needs {}", package["name"], package["version"], package["rust_version"])
        })
        .collect();
    assert_eq!(newer, [""; 0], "newer than {ours}");
    assert!(packages.iter().filter(|package| needs(package).is_some()).count() > 50);
}
