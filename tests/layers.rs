//! Crates depend in one direction, and no module of a crate imports another in a cycle.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates, each of which may import only those that come after it.
const CRATES: [&str; 6] = ["key_dns", "setup", "doctor", "upcall", "names", "key"];

fn source(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if name == "key_dns" { root.join("src") } else { root.join("crates").join(name).join("src") }
}

/// A module's path within its crate, as `["config", "cells"]`; the root's is empty.
type Module = Vec<String>;

/// The modules of a crate, each with its text without tests, comments and declarations of modules.
fn modules(root: &Path) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().with_extension("");
            let mut module: Module = name.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if matches!(module.last().unwrap().as_str(), "tests" | "main") {
                continue;
            }
            if matches!(module.last().unwrap().as_str(), "mod" | "lib") {
                module.pop();
            }
            let text = fs::read_to_string(&path).unwrap();
            let program = text.split("#[cfg(test)]").next().unwrap();
            let code: Vec<&str> = program.lines().map(|line| line.split("//").next().unwrap()).collect();
            found.insert(module, code.join("\n"));
        }
    }
    found
}

/// The paths that a text names after `start`, with those in braces taken apart: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(text: &str, start: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices(start) {
        let before = text[..place].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        expand(&text[place + start.len()..], &Vec::new(), &mut found);
    }
    found
}

/// Reads one path, or a group of them, and returns what follows.
fn expand<'t>(mut text: &'t str, before: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let mut path = before.to_vec();
    loop {
        text = text.trim_start();
        if let Some(group) = text.strip_prefix('{') {
            text = group;
            loop {
                text = expand(text, &path, found).trim_start();
                match text.strip_prefix(',') {
                    Some(rest) => text = rest,
                    None => return text.strip_prefix('}').unwrap_or(text),
                }
                if let Some(rest) = text.trim_start().strip_prefix('}') {
                    return rest;
                }
            }
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        path.push(text[..end].to_owned());
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(rest) => text = rest,
            None => break,
        }
    }
    found.push(path);
    text
}

/// The modules that each module imports from.
fn imports(modules: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let longest = |path: &[String]| {
        (0..=path.len())
            .rev()
            .find_map(|length| modules.get_key_value(&path[..length]))
            .map(|(module, _)| module)
    };
    let mut graph = BTreeMap::new();
    for (module, text) in modules {
        let mut all = paths(text, "crate::");
        for levels in 1..=module.len() {
            let parent = &module[..module.len() - levels];
            let from = paths(text, &"super::".repeat(levels));
            all.extend(
                from.into_iter().filter(|path| path[0] != "super").map(|path| [parent, &path].concat()),
            );
        }
        // What is used of a module's own children, by `use child::…` or `child::…`.
        for child in
            modules.keys().filter(|child| child.len() == module.len() + 1 && child.starts_with(module))
        {
            let name = child.last().unwrap();
            let from = paths(text, &format!("{name}::")).into_iter();
            all.extend(from.map(|path| [child.as_slice(), &path].concat()));
        }
        let targets =
            all.iter().filter_map(|path| longest(path)).filter(|target| *target != module).collect();
        graph.insert(module, targets);
    }
    graph
}

/// A cycle from a module back to itself, if there is one.
fn circle<'m>(
    graph: &BTreeMap<&'m Module, BTreeSet<&'m Module>>,
    start: &'m Module,
) -> Option<Vec<&'m Module>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for &next in &graph[*way.last().unwrap()] {
            if next == start {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

#[test]
fn no_modules_import_each_other_in_a_cycle() {
    let mut circles = Vec::new();
    for name in CRATES {
        let modules = modules(&source(name));
        assert!(modules.len() > 4, "{name}: {modules:?}");
        let graph = imports(&modules);
        // The root of a crate is its interface, and imports what it exports.
        for module in modules.keys().filter(|module| !module.is_empty()) {
            circles.extend(
                circle(&graph, module)
                    .map(|way| (name, way.iter().map(|it| it.join("::")).collect::<Vec<_>>())),
            );
        }
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn crates_import_in_one_direction() {
    for (place, name) in CRATES.iter().enumerate() {
        for (module, text) in modules(&source(name)) {
            for above in &CRATES[..place] {
                let uses = text.lines().any(|line| line.trim_start().starts_with(&format!("use {above}::")));
                assert!(!uses, "{name}::{} imports {above}", module.join("::"));
            }
        }
    }
}

#[test]
fn a_group_of_paths_is_expanded() {
    let text = "use crate::a::{self, b::C, d::{E, F}};\nlet x = crate::g::h(1);";
    let found: Vec<String> = paths(text, "crate::").iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["a::self", "a::b::C", "a::d::E", "a::d::F", "g::h"]);
}
