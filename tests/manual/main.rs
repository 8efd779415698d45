//! Manual pages, completions and shipped configuration files, compared with the program.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../examples/manual/completions.rs"]
mod completions;
#[path = "../../examples/manual/errors.rs"]
mod errors;
#[path = "../../examples/manual/generate.rs"]
mod generate;
#[path = "../../examples/manual/mdoc.rs"]
mod mdoc;
#[path = "../support/mod.rs"]
mod support;

mod configuration;
mod install;
mod pages;
mod shells;

use std::fs;
use std::process::Command;

#[test]
fn generated_files_are_up_to_date() {
    let old: Vec<_> = generate::files().unwrap().into_iter().filter(|file| !file.is_up_to_date()).collect();
    for file in &old {
        eprintln!("{} is not up to date", file.path.display());
    }
    assert!(old.is_empty(), "run: cargo run --example manual");
}

#[test]
fn no_completion_is_left_of_a_removed_command() {
    let made = generate::files().unwrap();
    for (shell, _) in completions::SHELLS {
        for entry in fs::read_dir(generate::packaging().join("completions").join(shell)).unwrap() {
            let path = entry.unwrap().path();
            assert!(made.iter().any(|file| file.path == path), "{} is not made any more", path.display());
        }
    }
}

#[test]
fn hidden_commands_are_documented_nowhere() {
    let operator = key_dns::cli::people::command();
    for command in operator.get_subcommands().filter(|command| command.is_hide_set()) {
        for file in generate::files().unwrap() {
            assert!(!file.text.contains(command.get_name()), "{}", file.path.display());
        }
    }
}

/// Runs a program that may not be installed; `None`, with a message, if it is not.
fn tool(command: &mut Command) -> Option<std::process::Output> {
    match command.env("LC_ALL", "C").output() {
        Ok(output) => Some(output),
        Err(error) => {
            support::skip(&support::needs(command.get_program(), &error));
            None
        }
    }
}
