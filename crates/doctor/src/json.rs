//! A report as JSON, following `docs/doctor.schema.json`.

use crate::report::{Finding, Report, Step, StepStatus};
use serde::Serialize;

/// The version of the format, which rises when a field is removed or changes its meaning, but not when fields are
/// added.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    program: &'static str,
    kind: &'static str,
    subject: Option<&'a str>,
    exit: u8,
    steps: Vec<OneStep<'a>>,
}

#[derive(Serialize)]
struct OneStep<'a> {
    name: &'static str,
    about: Option<&'a str>,
    status: &'static str,
    summary: &'a str,
    facts: &'a [String],
    unseen: Vec<OneUnseen<'a>>,
    findings: Vec<OneFinding<'a>>,
}

#[derive(Serialize)]
struct OneUnseen<'a> {
    what: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct OneFinding<'a> {
    id: &'static str,
    severity: &'static str,
    problem: &'a str,
    evidence: &'a str,
    remedy: Option<&'a str>,
    advice: Option<&'a str>,
}

/// The report as one JSON object, over several lines.
#[must_use]
pub fn render(report: &Report) -> String {
    let document = Document {
        version: VERSION,
        program: concat!("key-dns ", env!("CARGO_PKG_VERSION")),
        kind: report.kind.word(),
        subject: report.subject.as_deref(),
        exit: report.exit(),
        steps: report.steps.iter().map(OneStep::from).collect(),
    };
    // Only text and numbers, which always have a JSON form.
    serde_json::to_string_pretty(&document).map(|text| text + "\n").unwrap_or_default()
}

impl<'a> From<&'a Step> for OneStep<'a> {
    fn from(step: &'a Step) -> Self {
        let unseen = step.unseen.iter().map(|unseen| OneUnseen { what: &unseen.what, why: &unseen.why });
        Self {
            name: step.name,
            about: step.about.as_deref(),
            status: step.status().word(),
            summary: &step.summary,
            facts: &step.facts,
            unseen: unseen.collect(),
            findings: step.findings.iter().map(OneFinding::from).collect(),
        }
    }
}

impl<'a> From<&'a Finding> for OneFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            id: finding.id,
            severity: StepStatus::from(finding.severity).word(),
            problem: &finding.problem,
            evidence: &finding.evidence,
            remedy: finding.remedy.command(),
            advice: finding.remedy.words(),
        }
    }
}
