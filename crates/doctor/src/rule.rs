//! The rule that wins for a key, the rules that it beats, and the program that it names.

use crate::host_root::HostRoot;
use crate::program::{self, ProgramFault};
use crate::remedy::Remedy;
use crate::repair::{self, rule::HelperOptions};
use crate::report::{Finding, Step};
use crate::subject::KeyRequest;
use std::io;
use std::path::{Path, PathBuf};
use upcall::request_key::Argument;
use upcall::request_key::CREATE;
use upcall::request_key::{BadLine, Rule, Subject};
use upcall::request_key::{ROOT, RefusedFile, RuleFiles, RuleLocation, Rules, SHIPPED, Trust};

/// The name of the step.
pub(crate) const NAME: &str = "rule";

/// What this step passes on to later ones.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The step.
    pub step: Step,
    /// The rule that wins.
    pub winner: Option<Winner>,
}

/// A rule that wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Winner {
    /// Its file and line; `None` for the built-in rule of key-dns.
    pub place: Option<(PathBuf, usize)>,
    /// The program that it runs.
    pub program: String,
    /// Whether that is this program.
    pub ours: bool,
    /// The settings file that it gives with `-c`.
    pub settings: Option<String>,
}

impl Winner {
    /// Whether it is keyutils' helper.
    #[must_use]
    pub fn is_keyutils(&self) -> bool {
        !self.ours && self.program.ends_with("/key.dns_resolver")
    }

    /// Its file and line, for people.
    #[must_use]
    pub fn at(&self) -> String {
        match &self.place {
            Some((file, line)) => format!("{}:{line}", file.display()),
            None => "key-dns's own rule".to_owned(),
        }
    }

    /// The program, if it is our helper, wherever it is. Under two names ours is not the helper.
    pub fn own_helper(&self) -> Option<&str> {
        let name = self.program.rsplit('/').next().unwrap_or_default();
        let other = name == upcall::request_key::NAME || name == "key-dns";
        Some(self.program.as_str()).filter(|_| self.ours && !other)
    }

    /// Makes it run the helper correctly.
    #[must_use]
    pub fn mend(&self, look: &HostRoot) -> Remedy {
        match &self.place {
            Some((file, line)) => repair::rule::mend(look, file, *line, self.own_helper()),
            None => repair::rule::add(look),
        }
    }
}

/// Determines the rule for one key. `ours` says whether `request-key` is this program.
#[must_use]
pub(crate) fn check(look: &HostRoot, question: &KeyRequest, ours: bool) -> Choice {
    let mut step = Step::new(NAME);
    let trust = if ours { Trust::Owners } else { Trust::Keyutils };
    let mut files = RuleFiles::read_in(&look.path(ROOT), trust).beside(&look.path(SHIPPED));
    let subject = Subject {
        operation: CREATE,
        key_type: b"dns_resolver",
        description: question.description.as_bytes(),
        callout: question.callout.as_bytes(),
    };
    if ours {
        files = files.with_shipped_for(&subject);
    }
    let (rules, bad) = files.parse();
    let read: Vec<String> = files.paths().map(|path| shown(look, path)).collect();
    step.fact(format!("rule files: {}", if read.is_empty() { "none".to_owned() } else { read.join(", ") }));
    let (best, _) = files.best(&subject);
    passed_over(&mut step, look, &files, best.is_some(), ours);
    bad_lines(&mut step, look, &bad, ours);
    let Some((place, rule)) = &best else {
        if !files.any() && ours {
            step.sum("no rule file: key-dns answers by itself");
            let program = crate::request_key::PATH.to_owned();
            return Choice { step, winner: Some(Winner { place: None, program, ours, settings: None }) };
        }
        if step.summary.is_empty() {
            step.sum("none fits");
        }
        if step.findings.is_empty() && step.unseen.is_empty() {
            step.find(Finding::broken(
                "no-rule",
                "no rule says which program answers this key, so none does (ENOKEY)",
                format!(
                    "no line for \"create dns_resolver {}\" in {}",
                    question.description,
                    if read.is_empty() {
                        "/etc/request-key.d and /etc/request-key.conf, which are missing".to_owned()
                    } else {
                        read.join(", ")
                    }
                ),
                repair::rule::add(look),
            ));
        }
        return Choice { step, winner: None };
    };
    let winner = winner(look, place, rule);
    step.summary = format!("{} runs {}", winner.at(), winner.program);
    beaten(&mut step, look, &rules, &subject, (place, rule));
    if let Some(finding) = flaw(look, &winner, rule) {
        step.find(finding);
    }
    Choice { step, winner: Some(winner) }
}

/// The path as the host sees it.
fn shown(look: &HostRoot, path: &Path) -> String {
    let root = look.path("/");
    Path::new("/").join(path.strip_prefix(&root).unwrap_or(path)).display().to_string()
}

fn winner(look: &HostRoot, place: &RuleLocation<'_>, rule: &Rule<'_>) -> Winner {
    let program = String::from_utf8_lossy(rule.program.path).into_owned();
    let arguments: Vec<String> = rule
        .program
        .arguments()
        .map(|argument| match argument {
            Argument::Text(text) => String::from_utf8_lossy(text).into_owned(),
            _ => "%k".to_owned(),
        })
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ours = program::is_ours(look, &program);
    // What another program is given is not a file of settings, whose lines would be found invalid.
    let is_helper = ours || rule.program.name() == upcall::HELPER_NAME.as_bytes();
    // The kernel runs programs in the root directory.
    let settings = HelperOptions::of(&arguments).settings.filter(|_| is_helper);
    let settings = settings.map(|path| Path::new("/").join(path));
    Winner {
        place: Some((PathBuf::from(shown(look, place.file)), place.line)),
        ours,
        program,
        settings: settings.map(|path| path.display().to_string()),
    }
}

/// The other rules that match.
fn beaten(
    step: &mut Step,
    look: &HostRoot,
    rules: &Rules<'_>,
    subject: &Subject<'_>,
    (best, winner): (&RuleLocation<'_>, &Rule<'_>),
) {
    let mut losers = Vec::new();
    for ((place, rule), skips) in rules.fitting(subject) {
        let program = String::from_utf8_lossy(rule.program.path);
        let at = format!("{}:{}", shown(look, place.file), place.line);
        if place == best {
            step.fact(format!("{at}: wins, {skips}: {program}"));
        } else {
            step.fact(format!("{at}: matches too, {skips}: {program}"));
            // Rules for the same program are no rivals.
            if rule.program.path != winner.program.path {
                losers.push(at);
            }
        }
    }
    if !losers.is_empty() {
        step.sum(format!("{}, and beats {}", step.summary, losers.join(", ")));
    }
}

/// Files that are not followed, which is the reason if no rule matches.
fn passed_over(step: &mut Step, look: &HostRoot, files: &RuleFiles, fits: bool, ours: bool) {
    for (path, refused) in files.refused() {
        let path = shown(look, path);
        if let RefusedFile::Unreadable(error) = refused
            && error.kind() == io::ErrorKind::PermissionDenied
            && !nix::unistd::geteuid().is_root()
        {
            step.unseen(&path, "only root can read it");
            continue;
        }
        // Anybody may have written it, and root would run it: a person has to check that it is as intended.
        let remedy = Remedy::advice(match refused {
            RefusedFile::Foreign(_) | RefusedFile::Writable(_) => {
                format!(
                    "check that the rules in {path} are as intended; then let only root own and write it (chown root:root, chmod 644)"
                )
            }
            RefusedFile::Link => format!("replace the link {path} by a file with these rules"),
            RefusedFile::Unreadable(_) | RefusedFile::NotAFile | RefusedFile::TooLarge => {
                format!("replace {path} by a file of rules, or remove it")
            }
        });
        let problem = if fits {
            format!("the rules in {path} are not followed")
        } else {
            format!(
                "the rules in {path} are not followed, and no other rule matches: nobody answers the key (ENOKEY)"
            )
        };
        let finding = Finding::warn("rule-file-ignored", problem, format!("{path} {refused}"), remedy);
        // keyutils' program gives up at a file that it can't read.
        step.find(if fits && (ours || matches!(refused, RefusedFile::Link)) {
            finding
        } else {
            Finding { severity: super::Severity::Broken, ..finding }
        });
    }
}

/// Invalid lines: this program skips them, keyutils' stops there.
fn bad_lines(step: &mut Step, look: &HostRoot, bad: &[(RuleLocation<'_>, BadLine)], ours: bool) {
    for (place, error) in bad {
        let file = PathBuf::from(shown(look, place.file));
        let evidence = format!("{}:{}: {error}", file.display(), place.line);
        let remedy = if file.starts_with(SHIPPED) {
            Remedy::advice(format!(
                "update the package that contains {}, or report the mistake",
                file.display()
            ))
        } else {
            repair::comment_out(look, &file, place.line)
        };
        let fatal = !ours && matches!(error, BadLine::Short(_));
        step.find(if fatal {
            let problem =
                "keyutils' request-key stops at a line that is not a rule, and leaves the key unanswered";
            Finding::broken("bad-rule-line", problem, evidence, remedy)
        } else {
            Finding::warn("bad-rule-line", "an invalid line in the rules is ignored", evidence, remedy)
        });
    }
}

/// What is wrong with the rule that wins, or with its program.
fn flaw(look: &HostRoot, winner: &Winner, rule: &Rule<'_>) -> Option<Finding> {
    let path = &winner.program;
    let at = winner.at();
    match program::check(look, path) {
        Ok(_) | Err(ProgramFault::Unseen { .. }) => {}
        Err(obstacle) => {
            return Some(Finding::broken(
                "helper-not-runnable",
                format!("the program that should answer the key can't be run, so nobody does: {path}"),
                format!("{at} names it; {obstacle}"),
                repair::program(look, path, &obstacle),
            ));
        }
    }
    let helper = winner.ours || rule.program.name() == upcall::HELPER_NAME.as_bytes();
    if !helper {
        return None;
    }
    if rule.program.name() == upcall::request_key::NAME.as_bytes() {
        return Some(Finding::broken(
            "rule-runs-request-key",
            "the rule runs request-key again, which would never end",
            format!("{at}: the program is {path}"),
            winner.mend(look),
        ));
    }
    if rule.program.piped {
        return Some(Finding::broken(
            "rule-pipes-helper",
            "the rule expects the answer on the helper's standard output, but the helper puts it into the key",
            format!("{at}: there is a \"|\" before {path}"),
            winner.mend(look),
        ));
    }
    if !rule.program.arguments().any(|argument| argument == Argument::Key) {
        return Some(Finding::broken(
            "rule-without-key",
            "the rule does not tell the helper which key it is to answer",
            format!("{at}: there is no %k among the arguments of {path}"),
            winner.mend(look),
        ));
    }
    None
}

#[cfg(test)]
mod tests;
