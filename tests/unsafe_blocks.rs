//! The page on security has each file with `unsafe` code, and how often it stands there.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// How often the word stands in the program, tests and comments left out.
fn count(text: &str) -> usize {
    let program = text.split("#[cfg(test)]").next().unwrap();
    let code = program.lines().map(|line| line.split("//").next().unwrap());
    code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|&word| word == "unsafe")
        .count()
}

#[test]
fn unsafe_code_is_where_the_security_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("crates"), &mut files);
    let mut total = 0;
    for file in files {
        let number = count(&fs::read_to_string(&file).unwrap());
        let name = file.strip_prefix(root).unwrap().to_str().unwrap();
        if number > 0 {
            assert!(
                name.starts_with("crates/upcall/src/sys/") || name == "crates/key/src/keyctl.rs",
                "{name}"
            );
        }
        let row = format!("| `{name}` | {number} |");
        assert!(number == 0 || page.contains(&row), "not in docs/security.md: {row}");
        total += number;
    }
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.contains(".rs` |"));
    let told: usize = rows.map(|row| row.split('|').nth(2).unwrap().trim().parse::<usize>().unwrap()).sum();
    assert_eq!(total, told);
}
