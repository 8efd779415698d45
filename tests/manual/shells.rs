//! Completions: each shell can load them, and proposes the right words.

use crate::completions::SHELLS;
use crate::generate::{commands, packaging};
use crate::tool;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder(shell: &str) -> PathBuf {
    packaging().join("completions").join(shell)
}

/// What a shell prints that runs `script`, which must have nothing to complain of.
fn says(shell: &str, args: &[&str], script: &str, file: &Path) -> Option<String> {
    let output = tool(Command::new(shell).args(args).arg("-c").arg(script).arg(file))?;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{shell} {}: {errors}", file.display());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_shell_parses_its_completions() {
    for (shell, _) in SHELLS {
        for entry in fs::read_dir(folder(shell)).unwrap() {
            let path = entry.unwrap().path();
            let Some(output) = tool(Command::new(shell).arg("-n").arg(&path)) else { break };
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(output.status.success() && said.is_empty(), "{}: {said}", path.display());
        }
    }
}

/// What is typed, and a word that has to be among what is proposed.
const TYPED: [(&str, &str); 10] = [
    ("key.dns_resolver --du", "--dump-config"),
    ("request-key --ver", "--version"),
    ("key-dns key.", "key.dns_resolver"),
    ("key-dns key.dns_resolver --conf", "--config"),
    ("key-dns request-key --", "--version"),
    ("key-dns cache fl", "flush"),
    ("key-dns resolve --tr", "--trace"),
    ("key-dns resolve mon1 ipv", "ipv6"),
    ("key-dns cache list mo", "mon1.example"),
    ("key-dns cache flush mo", "mon1.example"),
];

/// Replaces the program, which the completions run for the names in the cache.
const CACHE: &str = "echo '1b2c3d4e  mon1.example  good, 10 bytes, 4m left'; echo 'the cache is empty'";

fn command_of(typed: &str) -> &str {
    typed.split(' ').next().unwrap()
}

#[test]
fn bash_proposes_what_can_follow() {
    // As bash-completion does: the file is loaded by the command's name, and registers a function. That is
    // called with the command, the word and the one before it.
    let script = r#"
        source "$0"
        spec=($(complete -p "${words[0]}"))
        for ((i = 0; i < ${#spec[@]}; i++)); do [ "${spec[i]}" = -F ] && function=${spec[i + 1]}; done
        COMP_WORDS=("${words[@]}")
        COMP_CWORD=$((${#words[@]} - 1))
        "$function" "${words[0]}" "${words[COMP_CWORD]}" "${words[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    for (typed, expected) in TYPED {
        let script = format!("key-dns() {{ {CACHE}; }}\nwords=({typed})\n{script}");
        let file = folder("bash").join(command_of(typed));
        let Some(proposed) = says("bash", &["--norc"], &script, &file) else { return };
        assert!(proposed.lines().any(|line| line == expected), "{typed}: {proposed}");
    }
}

#[test]
fn fish_proposes_what_can_follow() {
    for (typed, expected) in TYPED {
        let file = folder("fish").join(format!("{}.fish", command_of(typed)));
        let script = format!("function key-dns; {CACHE}; end; source $argv[1]; complete -C '{typed}'");
        let Some(proposed) = says("fish", &["--no-config"], &script, &file) else { return };
        let words = proposed.lines().map(|line| line.split('\t').next().unwrap());
        assert!(words.into_iter().any(|word| word == expected), "{typed}: {proposed}");
    }
}

#[test]
fn zsh_proposes_cached_names_for_list_and_flush() {
    let text =
        std::fs::read_to_string(crate::generate::packaging().join("completions/zsh/_key-dns")).unwrap();
    assert_eq!(text.matches(":_key-dns_cached'").count(), 2);
}

#[test]
fn zsh_finds_a_function_for_every_command() {
    let folder = folder("zsh");
    let script = "fpath=($0 $fpath); autoload -Uz compinit && compinit -D -u; print -l ${(kv)_comps}";
    let Some(known) = says("zsh", &["-f"], script, &folder) else { return };
    let lines: Vec<&str> = known.lines().collect();
    for command in commands() {
        let name = command.get_name();
        assert!(lines.windows(2).any(|pair| pair == [name, &format!("_{name}")]), "{name}");
    }
}
