//! The confinement: what the kernel reports of a helper that waits for a name server, what a confined process is
//! refused, and that its key is answered all the same.
//!
//! It has no test harness: what is confined is a whole process, which runs this executable again, and its findings are
//! printed.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/serving.rs"]
#[allow(dead_code)]
mod serving;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod attempts;
mod confined;
mod helper;
mod status;
#[allow(unsafe_code)]
mod unsafe_calls;
mod world;

use std::env;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--attempt", how, number] => attempts::make(how, number),
        ["--upcall", how, key] => confined::answer(how, key),
        _ if words.contains(&"--list") => ExitCode::SUCCESS,
        _ => all(words.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default()),
    }
}

/// Runs the tests whose names hold `filter`.
fn all(filter: &str) -> ExitCode {
    let tests: [(&str, fn()); 6] = [
        ("a_waiting_helper_has_no_rights_and_is_bounded", status::a_waiting_helper_has_no_rights),
        ("without_confinement_it_has_all_rights", status::without_confinement_it_has_all_rights),
        ("a_confined_process_is_refused_everything_else", everything_else_is_refused),
        ("authority_over_the_key_outlives_all_rights", answers::authority_outlives_all_rights),
        ("a_call_that_is_not_allowed_answers_the_key", answers::a_violation_answers_the_key),
        ("what_a_kernel_lacks_is_said_at_debug_level", answers::what_is_lacking_is_said),
    ];
    for (name, test) in tests.iter().filter(|(name, _)| name.contains(filter)) {
        println!("test {name}");
        let start = Instant::now();
        test();
        println!("test {name} ... ok, {:.1} s", start.elapsed().as_secs_f32());
    }
    ExitCode::SUCCESS
}

fn everything_else_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        support::skip("it needs root, which is what a helper starts as");
        return;
    }
    if let Some(reason) = support::world::no_namespaces() {
        support::skip(reason);
        return;
    }
    if !skip::has_loopback() {
        return;
    }
    println!("{:<28} {:<10} {:<10} {:<10} {:<10}", "attempt", "free", "confined", "Landlock", "user alone");
    let mut count = 0;
    // What can be done is what the page on security says can be done.
    let page = include_str!("../../docs/security.md");
    let (_, list) = page.split_once("Residual attack surface").unwrap();
    let list = list.split("\n\n").nth(1).unwrap();
    let admitted: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("- *")?.split_once('*'))
        .map(|(what, _)| what)
        .collect();
    assert_eq!(admitted, attempts::left());
    let mut wrong = Vec::new();
    for tried in attempts::all() {
        let [free, confined, landlock, user] = tried.seen;
        println!("{:<28} {free:<10} {confined:<10} {landlock:<10} {user:<10}", tried.what);
        if tried.what == attempts::USER_NAMESPACE && support::in_chroot() {
            support::skip("in a chroot, nobody can make a user namespace");
            continue;
        }
        count += 1;
        if tried.seen != tried.expected {
            wrong.push(tried.what);
        }
    }
    println!("{count} attempts, as they should: {}", count - wrong.len());
    assert_eq!(wrong, [""; 0], "these ended otherwise than they should");
}
