//! Remedies for rules.

use super::edit::{self, Lines};
use super::{HELPERS, RULE_FILE, helper};
use crate::host_root::HostRoot;
use crate::program;
use crate::remedy::Remedy;
use std::path::Path;
use upcall::request_key::{ROOT, RuleFiles, SHIPPED, Trust};

/// What a rule gives the helper besides the key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct HelperOptions<'a> {
    /// The words of `-v` and `-c`; `None` if there are others, whose purpose is unknown.
    pub known: Option<Vec<&'a str>>,
    /// The settings file.
    pub settings: Option<&'a str>,
}

impl<'a> HelperOptions<'a> {
    /// Reads the arguments in a rule. A macro stands for a value of the request, which is no option.
    pub(crate) fn of(arguments: &[&'a str]) -> Self {
        let mut known = Some(Vec::new());
        let mut settings = None;
        let mut arguments = arguments.iter().copied();
        while let Some(word) = arguments.next() {
            if is_macro(word) {
                continue;
            }
            let mut words = vec![word];
            let good = match value_of(word) {
                OptionValue::Nothing => true,
                OptionValue::Inside(value) => {
                    settings = Some(value);
                    true
                }
                OptionValue::Next => {
                    let value = arguments.next().filter(|value| !value.starts_with('%'));
                    settings = value.or(settings);
                    words.extend(value);
                    value.is_some()
                }
                OptionValue::Unknown => false,
            };
            known = known.filter(|_| good).map(|known| [known, words].concat());
        }
        Self { known, settings }
    }
}

fn is_macro(word: &str) -> bool {
    word.starts_with('%') && !word.starts_with("%%")
}

/// Where the value of an option is.
enum OptionValue<'a> {
    /// It has none.
    Nothing,
    /// In the same word.
    Inside(&'a str),
    /// The next word.
    Next,
    /// The word is not an option that a rule may have.
    Unknown,
}

/// What the helper takes a word for: one of `-v`, `-c FILE`, `-vcFILE`, `--config=FILE`.
fn value_of(word: &str) -> OptionValue<'_> {
    if let Some(long) = word.strip_prefix("--") {
        return match long.split_once('=') {
            None if long == "verbose" => OptionValue::Nothing,
            None if long == "config" => OptionValue::Next,
            Some(("config", file)) if !file.is_empty() => OptionValue::Inside(file),
            _ => OptionValue::Unknown,
        };
    }
    let Some(letters) = word.strip_prefix('-') else { return OptionValue::Unknown };
    let rest = letters.trim_start_matches('v');
    match rest.strip_prefix('c') {
        Some("") => OptionValue::Next,
        Some(file) => OptionValue::Inside(file.strip_prefix('=').unwrap_or(file)),
        None if rest.is_empty() && !letters.is_empty() => OptionValue::Nothing,
        None => OptionValue::Unknown,
    }
}

/// Adds a rule for our keys.
#[must_use]
pub(crate) fn add(look: &HostRoot) -> Remedy {
    match helper(look) {
        Some(helper) => add_call(look, &format!("{helper} %k")),
        None => Remedy::advice(format!(
            "install key-dns with its helper {}, and a rule that names it",
            HELPERS[0]
        )),
    }
}

/// Adds a rule for our keys that runs `call`.
fn add_call(look: &HostRoot, call: &str) -> Remedy {
    let rule = format!("create dns_resolver * * {call}");
    // A line in a file that is not followed has no effect.
    let files = RuleFiles::read_in(&look.path(ROOT), Trust::Owners);
    let refused = files.refused().iter().any(|(path, _)| look.path(RULE_FILE).starts_with(path));
    Remedy::command_or(
        edit::append(look, RULE_FILE, &rule).filter(|_| !refused),
        format!("add the line \"{rule}\" to a file of /etc/request-key.d"),
    )
}

/// Makes a rule run the helper correctly: the one that it names if that is `own`.
#[must_use]
pub(crate) fn mend(look: &HostRoot, file: &Path, number: usize, own: Option<&str>) -> Remedy {
    let Some(helper) = own.or_else(|| helper(look)) else { return add(look) };
    let path = file.display().to_string();
    let lines = Lines::read(look, &path);
    let line = lines.as_ref().and_then(|lines| lines.all().find(|(at, _)| *at == number));
    let words: Vec<&str> = line.map(|(_, line)| line.split_whitespace().collect()).unwrap_or_default();
    let [operation, key_type, description, callout, program, arguments @ ..] = words.as_slice() else {
        return Remedy::advice(format!("change {path}:{number} to run \"{helper} %k\""));
    };
    // A rule for other keys stays, and one for ours alone takes precedence. So does a rule in /etc over one of a package.
    let stays = (*operation, *key_type) != ("create", "dns_resolver") || file.starts_with(SHIPPED);
    let program = program.trim_start_matches('|');
    let is_helper = program.ends_with("/key.dns_resolver") || program::is_ours(look, program);
    let options = if stays && !is_helper { Some(Vec::new()) } else { HelperOptions::of(arguments).known };
    // The arguments of another program mean nothing to the helper.
    let Some(options) = options.filter(|options| options.is_empty() || is_helper) else {
        return Remedy::advice(format!(
            "change {path}:{number} to run \"{helper} %k\", with what is still needed of its other arguments"
        ));
    };
    let call = [&[helper], options.as_slice(), &["%k"]].concat().join(" ");
    if stays {
        return add_call(look, &call);
    }
    let new = [operation, key_type, description, callout, call.as_str()].join(" ");
    Remedy::command_or(
        lines.as_ref().and_then(|lines| lines.replace(number, &new)),
        format!("change {path}:{number} to run \"{call}\""),
    )
}
