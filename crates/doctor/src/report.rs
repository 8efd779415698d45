//! What checks return: steps, with what was seen, what could not be checked, and the findings.

use crate::remedy::Remedy;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How a step ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepStatus {
    /// Checked, without a finding.
    Ok,
    /// Not checked, because an earlier step is broken or it does not apply.
    Skipped,
    /// It could not be checked.
    Unknown,
    /// Something is wrong, but mounts work.
    Warn,
    /// Something breaks mounts.
    Broken,
}

impl StepStatus {
    /// The word for it, in text and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Broken => "broken",
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Mounts work nevertheless.
    Warn,
    /// It breaks mounts.
    Broken,
}

impl From<Severity> for StepStatus {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warn => Self::Warn,
            Severity::Broken => Self::Broken,
        }
    }
}

/// A fault, the evidence for it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// An identifier for programs, which never changes: `request-key-missing`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, and its consequence.
    pub problem: String,
    /// The evidence. Never empty.
    pub evidence: String,
    /// What to do.
    pub remedy: Remedy,
}

impl Finding {
    /// A finding that breaks mounts.
    pub fn broken(
        id: &'static str,
        problem: impl Into<String>,
        evidence: impl Into<String>,
        remedy: Remedy,
    ) -> Self {
        Self { id, severity: Severity::Broken, problem: problem.into(), evidence: evidence.into(), remedy }
    }

    /// A finding that does not break mounts.
    pub fn warn(
        id: &'static str,
        problem: impl Into<String>,
        evidence: impl Into<String>,
        remedy: Remedy,
    ) -> Self {
        Self { severity: Severity::Warn, ..Self::broken(id, problem, evidence, remedy) }
    }

    /// Whether the remedy for `other` is all that needs to be done.
    fn is_cured_with(&self, other: &Self) -> bool {
        self.remedy == other.remedy && (self.remedy.command().is_some() || self.id == other.id)
    }
}

/// Something that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// One step of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name, for programs and at the beginning of its line: `kernel`, `rule`.
    pub name: &'static str,
    /// What it is about, if there are several of its name: a key's description, a mount point.
    pub about: Option<String>,
    /// The result, in one line.
    pub summary: String,
    /// All observations, in order.
    pub facts: Vec<String>,
    /// What could not be checked.
    pub unseen: Vec<Unseen>,
    /// What is wrong, the actual cause first.
    pub findings: Vec<Finding>,
    /// The severity of what an earlier step has already found and this one sees as well.
    pub repeated: Option<Severity>,
    /// Whether it was skipped; `summary` says why.
    pub skipped: bool,
}

impl Step {
    /// A step without results yet.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            about: None,
            summary: String::new(),
            facts: Vec::new(),
            unseen: Vec::new(),
            findings: Vec::new(),
            repeated: None,
            skipped: false,
        }
    }

    /// A step that is skipped.
    #[must_use]
    pub fn skip(name: &'static str, why: impl Into<String>) -> Self {
        Self { summary: why.into(), skipped: true, ..Self::new(name) }
    }

    /// Sets what it is about.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// Sets the result in one line.
    pub fn sum(&mut self, summary: impl Into<String>) {
        self.summary = summary.into();
    }

    /// Records an observation.
    pub fn fact(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }

    /// Records something that could not be checked.
    pub fn unseen(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.unseen.push(Unseen { what: what.into(), why: why.into() });
    }

    /// Records something that is wrong.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Its outcome.
    #[must_use]
    pub fn status(&self) -> StepStatus {
        if self.skipped {
            return StepStatus::Skipped;
        }
        let found = self.findings.iter().map(|finding| finding.severity);
        let worst = found.chain(self.repeated).max().map(StepStatus::from);
        worst.unwrap_or(if self.unseen.is_empty() { StepStatus::Ok } else { StepStatus::Unknown })
    }

    /// Whether it has a finding that breaks mounts.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.status() == StepStatus::Broken
    }
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// A lookup.
    Lookup,
    /// The mounts of a process.
    Mounts,
}

impl ReportKind {
    /// The word for it in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Mounts => "mounts",
        }
    }
}

/// What became of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountState {
    /// It answers.
    Ok,
    /// Its FUSE daemon is dead.
    Dead,
    /// It does not answer.
    Silent,
    /// It is a bind mount of something that was deleted.
    Deleted,
    /// The server no longer has what is mounted.
    Stale,
    /// It answers with another error.
    Failing,
    /// The cluster has shut this client out.
    Evicted,
    /// It answers, though its requests wait.
    Slow,
    /// It could not be checked.
    Unknown,
}

impl MountState {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Dead,
        Self::Silent,
        Self::Deleted,
        Self::Stale,
        Self::Failing,
        Self::Evicted,
        Self::Slow,
        Self::Unknown,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Dead => "dead",
            Self::Silent => "silent",
            Self::Deleted => "deleted",
            Self::Stale => "stale",
            Self::Failing => "failing",
            Self::Evicted => "evicted",
            Self::Slow => "slow",
            Self::Unknown => "unknown",
        }
    }

    /// Whether what touches it fails or hangs.
    #[must_use]
    pub const fn is_broken(self) -> bool {
        !matches!(self, Self::Ok | Self::Slow | Self::Unknown)
    }

    /// The state that a step tells of.
    pub(crate) fn of(step: &Step) -> Self {
        let state = |finding: &Finding| match finding.id {
            "fuse-dead" => Some(Self::Dead),
            "mount-silent" | "ceph-silent" => Some(Self::Silent),
            "bind-source-deleted" => Some(Self::Deleted),
            "mount-stale" => Some(Self::Stale),
            "ceph-evicted" => Some(Self::Evicted),
            "ceph-slow" => Some(Self::Slow),
            _ => (finding.severity == Severity::Broken).then_some(Self::Failing),
        };
        step.findings.iter().find_map(state).unwrap_or(Self::Ok)
    }
}

/// A mount as it was found, in its bytes; with it, others of the same file system in the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedMount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// The type of its file system.
    pub fs_type: String,
    /// How it is.
    pub state: MountState,
    /// How many mounts there are of it.
    pub mounts: usize,
}

/// A name that the kernel was to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedName {
    /// The key's description.
    pub description: String,
    /// Whether the kernel gets an answer that a mount can use; `None` where that could not be seen.
    pub answered: Option<bool>,
    /// How long the kernel waited.
    pub took: Option<Duration>,
}

/// All that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub kind: ReportKind,
    /// What was asked about, as it was typed.
    pub subject: Option<String>,
    /// The steps in their order.
    pub steps: Vec<Step>,
    /// The mounts that were looked at.
    pub mounts: Vec<WatchedMount>,
    /// The names that were asked for.
    pub names: Vec<AskedName>,
}

/// What `key-dns doctor` exits with.
pub mod exit {
    /// Everything works.
    pub const WELL: u8 = 0;
    /// Something breaks mounts.
    pub const BROKEN: u8 = 1;
    /// Nothing that breaks mounts was found, but not everything could be checked; also for wrong usage.
    pub const UNSEEN: u8 = 2;
}

impl Report {
    /// A report in which each fault is reported once: what an earlier finding's remedy repairs is left out.
    #[must_use]
    pub fn new(kind: ReportKind, subject: Option<String>, mut steps: Vec<Step>) -> Self {
        let mut told: Vec<Finding> = Vec::new();
        for step in &mut steps {
            let (mut fresh, mut repeated) = (Vec::new(), Vec::new());
            for finding in step.findings.drain(..) {
                let known = told.iter().any(|other| finding.is_cured_with(other));
                told.push(finding.clone());
                if known { repeated.push(finding) } else { fresh.push(finding) }
            }
            step.findings = fresh;
            step.repeated = repeated.iter().map(|finding| finding.severity).max();
            step.facts.extend(repeated.iter().map(|finding| format!("as above: {}", finding.evidence)));
        }
        Self { kind, subject, steps, mounts: Vec::new(), names: Vec::new() }
    }

    /// All findings in their order.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.steps.iter().flat_map(|step| &step.findings)
    }

    /// The exit status.
    #[must_use]
    pub fn exit(&self) -> u8 {
        if self.steps.iter().any(Step::is_broken) {
            exit::BROKEN
        } else if self.steps.iter().any(|step| step.status() == StepStatus::Unknown) {
            exit::UNSEEN
        } else {
            exit::WELL
        }
    }

    /// The exit status, as `main` returns it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, findings: Vec<Finding>) -> Step {
        Step { findings, ..Step::new(name) }
    }

    #[test]
    fn a_command_that_fixes_several_findings_is_shown_once() {
        let command = |text: &str| Remedy::Command(text.to_owned());
        let words = || Remedy::advice("wait");
        let report = Report::new(
            ReportKind::Lookup,
            None,
            vec![
                step("a", vec![Finding::warn("x", "p", "1", command("mend"))]),
                step(
                    "b",
                    vec![
                        Finding::broken("y", "p", "2", command("mend")),
                        Finding::warn("z", "p", "3", words()),
                    ],
                ),
                step("c", vec![Finding::warn("z", "p", "4", words()), Finding::warn("w", "p", "5", words())]),
            ],
        );
        let told: Vec<&str> = report.findings().map(|finding| finding.evidence.as_str()).collect();
        assert_eq!(told, ["1", "3", "5"]);
        assert_eq!(report.steps[1].status(), StepStatus::Broken);
        assert_eq!(report.steps[1].facts, ["as above: 2"]);
    }
}
