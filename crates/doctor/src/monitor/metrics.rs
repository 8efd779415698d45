//! What was seen, as metrics for the textfile collector of node_exporter.

use super::checks::CheckResult;
use super::prometheus::{Gauge, LabelValue};
use crate::report::{MountState, Report, ReportKind, Severity, StepStatus};
use std::collections::BTreeSet;
use std::time::SystemTime;

/// The most mounts that are named. How many there are is counted all the same.
const MOST_NAMED: usize = 100;

/// What metrics have beside what was seen.
#[derive(Clone, Copy, Debug)]
pub struct MetricsContext {
    /// When the checks ended.
    pub now: SystemTime,
}

/// The metrics, in the text format, each line with its newline.
#[must_use]
pub fn render(seen: &[CheckResult], context: MetricsContext) -> String {
    let mut out = String::new();
    let mut build = Gauge::new("key_dns_build_info", "The version of key-dns that checked.");
    build.set([("version", env!("CARGO_PKG_VERSION").into())], 1.0);
    build.render(&mut out);
    for gauge in runs(seen, context).iter().chain(&findings(seen)).chain(&lookups(seen)).chain(&mounts(seen))
    {
        gauge.render(&mut out);
    }
    out
}

/// When it was, how long it took, and what is missing.
fn runs(seen: &[CheckResult], context: MetricsContext) -> [Gauge; 4] {
    let mut last = Gauge::new(
        "key_dns_doctor_last_run_timestamp_seconds",
        "When key-dns doctor last ran, in seconds since 1970.",
    );
    let since = context.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    last.set([], seconds(since.as_secs()));
    let mut duration =
        Gauge::new("key_dns_doctor_check_duration_seconds", "How long the longest check of its kind took.");
    let mut unfinished =
        Gauge::new("key_dns_doctor_unfinished_checks", "Checks that did not end within the time limit.");
    let mut unseen = Gauge::new("key_dns_doctor_unseen_steps", "Steps of a check that could not be checked.");
    for kind in kinds(seen) {
        let of_kind = || seen.iter().filter(move |seen| seen.kind == kind);
        let took = of_kind().map(|seen| seen.took).max().unwrap_or_default();
        duration.set([check(kind)], took.as_secs_f64());
        unfinished.set([check(kind)], count(of_kind().filter(|seen| seen.report.is_none()).count()));
        let steps = reports(seen, kind).flat_map(|report| &report.steps);
        unseen.set([check(kind)], count(steps.filter(|step| step.status() == StepStatus::Unknown).count()));
    }
    [last, duration, unfinished, unseen]
}

/// How many there are, and which. One that several checks have is one.
fn findings(seen: &[CheckResult]) -> [Gauge; 2] {
    let mut all =
        Gauge::new("key_dns_doctor_findings", "Findings by severity: broken breaks mounts, warn does not.");
    let mut each = Gauge::new(
        "key_dns_doctor_findings_by_id",
        "Findings that there are, by the id that key-dns doctor --json has.",
    );
    for kind in kinds(seen) {
        for severity in [Severity::Broken, Severity::Warn] {
            let found: BTreeSet<(&str, &str)> = reports(seen, kind)
                .flat_map(Report::findings)
                .filter(|finding| finding.severity == severity)
                .map(|finding| (finding.id, finding.evidence.as_str()))
                .collect();
            let severity = ("severity", LabelValue::from(StepStatus::from(severity).word()));
            all.set([check(kind), severity.clone()], count(found.len()));
            for (id, _) in found {
                each.add([check(kind), severity.clone(), ("finding", id.into())], 1.0);
            }
        }
    }
    [all, each]
}

/// The names that the kernel was asked for.
fn lookups(seen: &[CheckResult]) -> [Gauge; 3] {
    let mut results = Gauge::new(
        "key_dns_lookups",
        "Names that the kernel was asked for: answered, failed, or unknown where it could not be asked.",
    );
    let mut success = Gauge::new(
        "key_dns_lookup_success",
        "Whether the kernel has an answer for the name that a mount can use: 1 or 0.",
    );
    let mut duration =
        Gauge::new("key_dns_lookup_duration_seconds", "How long the kernel waited for the answer.");
    let asked = seen.iter().filter(|seen| seen.kind == ReportKind::Lookup);
    if asked.count() > 0 {
        for result in ["answered", "failed", "unknown"] {
            results.set([("result", result.into())], 0.0);
        }
    }
    let mut told = BTreeSet::new();
    for name in reports(seen, ReportKind::Lookup).flat_map(|report| &report.names) {
        let label = || ("name", LabelValue::from(name.description.as_str()));
        if !told.insert(label().1) {
            continue;
        }
        let result = match name.answered {
            Some(true) => "answered",
            Some(false) => "failed",
            None => "unknown",
        };
        results.add([("result", result.into())], 1.0);
        if let Some(answered) = name.answered {
            success.set([label()], f64::from(u8::from(answered)));
        }
        if let Some(took) = name.took {
            duration.set([label()], took.as_secs_f64());
        }
    }
    [results, success, duration]
}

/// The mounts that a server or a daemon is behind, and those of something deleted.
fn mounts(seen: &[CheckResult]) -> [Gauge; 2] {
    let mut all = Gauge::new(
        "key_dns_mounts",
        "Mounts that a server or a FUSE daemon is behind, and bind mounts of something deleted, by what they are of.",
    );
    let mut named =
        Gauge::new("key_dns_mount_broken", "Mounts that are broken, of which the first 100 are named.");
    let each = || reports(seen, ReportKind::Mounts).flat_map(|report| &report.mounts);
    for mount in each() {
        for state in MountState::ALL {
            all.add([kind_of(&mount.fs_type), of_state(state)], 0.0);
        }
        all.add([kind_of(&mount.fs_type), of_state(mount.state)], count(mount.mounts));
    }
    for mount in each().filter(|mount| mount.state.is_broken()).take(MOST_NAMED) {
        let point = ("mountpoint", LabelValue::of_path(&mount.point));
        named.set([kind_of(&mount.fs_type), of_state(mount.state), point], 1.0);
    }
    [all, named]
}

/// What a mount is of. Users name the types of their FUSE file systems as they like, so that these are no labels.
fn kind_of(fs_type: &str) -> (&'static str, LabelValue) {
    let kind = match fs_type {
        "nfs" | "nfs4" => "nfs",
        "cifs" | "smb3" => "cifs",
        "ceph" | "afs" | "9p" | "ncpfs" | "lustre" | "orangefs" | "coda" => fs_type,
        _ if fs_type.starts_with("fuse") => "fuse",
        _ => "local",
    };
    ("kind", kind.into())
}

fn of_state(state: MountState) -> (&'static str, LabelValue) {
    ("state", state.word().into())
}

fn check(kind: ReportKind) -> (&'static str, LabelValue) {
    ("check", kind.word().into())
}

/// The kinds of checks that were made.
fn kinds(seen: &[CheckResult]) -> impl Iterator<Item = ReportKind> {
    let kinds = [ReportKind::Lookup, ReportKind::Mounts];
    kinds.into_iter().filter(|kind| seen.iter().any(|seen| seen.kind == *kind))
}

fn reports(seen: &[CheckResult], kind: ReportKind) -> impl Iterator<Item = &Report> {
    seen.iter().filter(move |seen| seen.kind == kind).filter_map(|seen| seen.report.as_ref())
}

/// A number of things, which are few.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Seconds, of which there are few enough for each to have its own number for the next hundred million years.
#[allow(clippy::cast_precision_loss)]
fn seconds(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::Remedy;
    use crate::report::{AskedName, Finding, Step, WatchedMount};
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;
    use std::time::Duration;

    fn seen(report: Report, millis: u64) -> CheckResult {
        CheckResult { kind: report.kind, report: Some(report), took: Duration::from_millis(millis) }
    }

    fn step(findings: Vec<Finding>) -> Step {
        Step { findings, ..Step::new("x") }
    }

    fn mount(point: &str, fs_type: &str, state: MountState, mounts: usize) -> WatchedMount {
        WatchedMount { point: PathBuf::from(point), fs_type: fs_type.to_owned(), state, mounts }
    }

    fn text(seen: &[CheckResult]) -> String {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        render(seen, MetricsContext { now })
    }

    #[test]
    fn mounts_names_and_findings_are_counted() {
        let words = || Remedy::advice("wait");
        let dead = |number: &str| Finding::broken("fuse-dead", "p", number, Remedy::advice(number));
        let mounts = Report {
            mounts: vec![
                mount("/a", "nfs4", MountState::Ok, 2),
                mount("/b", "nfs", MountState::Silent, 1),
                mount("/c", "fuse.any", MountState::Dead, 3),
                mount("/d", "ext4", MountState::Deleted, 1),
            ],
            ..Report::new(ReportKind::Mounts, None, vec![step(vec![dead("1"), dead("2")])])
        };
        let name = |description: &str, answered| AskedName {
            description: description.to_owned(),
            answered,
            took: answered.map(|_| Duration::from_millis(250)),
        };
        let late = || Finding::warn("server-silent", "p", "e", words());
        let lookup =
            |names| Report { names, ..Report::new(ReportKind::Lookup, None, vec![step(vec![late()])]) };
        let mut unseen = lookup(vec![name("mon2", Some(false)), name("mon3", None)]);
        unseen.steps.push({
            let mut step = Step::new("cache");
            step.unseen("it", "why");
            step
        });
        let all = [
            seen(mounts, 2500),
            seen(lookup(vec![name("mon1", Some(true))]), 100),
            seen(unseen, 200),
            CheckResult { kind: ReportKind::Lookup, report: None, took: Duration::from_secs(30) },
        ];
        let text = text(&all);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let version = format!("key_dns_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        for line in [
            version.as_str(),
            "key_dns_doctor_last_run_timestamp_seconds 1700000000",
            "key_dns_doctor_check_duration_seconds{check=\"lookup\"} 30",
            "key_dns_doctor_check_duration_seconds{check=\"mounts\"} 2.5",
            "key_dns_doctor_unfinished_checks{check=\"lookup\"} 1",
            "key_dns_doctor_unfinished_checks{check=\"mounts\"} 0",
            "key_dns_doctor_unseen_steps{check=\"lookup\"} 1",
            "key_dns_doctor_findings{check=\"lookup\",severity=\"broken\"} 0",
            "key_dns_doctor_findings{check=\"lookup\",severity=\"warn\"} 1",
            "key_dns_doctor_findings{check=\"mounts\",severity=\"broken\"} 2",
            "key_dns_doctor_findings_by_id{check=\"mounts\",severity=\"broken\",finding=\"fuse-dead\"} 2",
            "key_dns_lookups{result=\"answered\"} 1",
            "key_dns_lookups{result=\"failed\"} 1",
            "key_dns_lookups{result=\"unknown\"} 1",
            "key_dns_lookup_success{name=\"mon1\"} 1",
            "key_dns_lookup_success{name=\"mon2\"} 0",
            "key_dns_lookup_duration_seconds{name=\"mon2\"} 0.25",
            "key_dns_mounts{kind=\"nfs\",state=\"ok\"} 2",
            "key_dns_mounts{kind=\"nfs\",state=\"silent\"} 1",
            "key_dns_mounts{kind=\"nfs\",state=\"dead\"} 0",
            "key_dns_mounts{kind=\"fuse\",state=\"dead\"} 3",
            "key_dns_mounts{kind=\"local\",state=\"deleted\"} 1",
            "key_dns_mount_broken{kind=\"fuse\",state=\"dead\",mountpoint=\"/c\"} 1",
        ] {
            assert!(lines.contains(&line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("mon3"), "{text}");
        assert!(!text.contains("mountpoint=\"/a\""), "{text}");
        assert!(!text.contains("fuse.any"), "{text}");
    }

    #[test]
    fn each_metric_has_its_help_and_its_type_once() {
        let report = Report {
            mounts: vec![mount("/a", "nfs4", MountState::Stale, 2)],
            ..Report::new(ReportKind::Mounts, None, vec![])
        };
        let text = text(&[seen(report, 1)]);
        let mut names: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" gauge")).collect();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(names.contains(&name), "{line}");
            assert!(text.contains(&format!("# HELP {name} ")), "{line}");
        }
        // Nothing is said of lookups where nothing was asked.
        assert!(!text.contains("key_dns_lookups"), "{text}");
    }

    #[test]
    fn a_host_with_thousands_of_broken_mounts_names_some_and_counts_all() {
        let mounts = (0..5000).map(|number| mount(&format!("/{number}"), "nfs", MountState::Silent, 1));
        let report = Report { mounts: mounts.collect(), ..Report::new(ReportKind::Mounts, None, vec![]) };
        let text = text(&[seen(report, 1)]);
        let named = text.lines().filter(|line| line.starts_with("key_dns_mount_broken{")).count();
        assert_eq!(named, MOST_NAMED);
        assert!(text.contains("key_dns_mounts{kind=\"nfs\",state=\"silent\"} 5000\n"));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_escaped() {
        let point = PathBuf::from(OsStr::from_bytes(b"/mnt/\xff\"\n\\"));
        let mounts = vec![WatchedMount { point, ..mount("", "nfs", MountState::Silent, 1) }];
        let text = text(&[seen(Report { mounts, ..Report::new(ReportKind::Mounts, None, vec![]) }, 1)]);
        assert!(text.contains("mountpoint=\"/mnt/\\\\xff\\\"\\n\\\\\"} 1\n"), "{text}");
    }
}
