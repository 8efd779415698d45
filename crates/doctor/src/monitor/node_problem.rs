//! Conditions of a node, for the custom plugins of Kubernetes' node-problem-detector
//! (`docs/custom_plugin_monitor.md` there): an exit status, and one line for people.

use super::checks::CheckResult;
use super::short::cut;
use crate::report::{Report, exit};
use std::fmt::Write as _;

/// What is cut off by default (`max_output_length`), in bytes.
const LONGEST: usize = 80;

/// A condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeCondition {
    /// A mount is dead, or of something deleted.
    DeadMount,
    /// The kernel gets no answer for names.
    KernelNameLookupBroken,
}

impl NodeCondition {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::DeadMount, Self::KernelNameLookupBroken];

    /// The type of the condition.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeadMount => "DeadMount",
            Self::KernelNameLookupBroken => "KernelNameLookupBroken",
        }
    }

    /// The exit status, and the line without its newline.
    #[must_use]
    pub fn judge(self, seen: &[CheckResult]) -> (u8, String) {
        let reports: Vec<&Report> = seen.iter().filter_map(|seen| seen.report.as_ref()).collect();
        let in_time = reports.len() == seen.len();
        let (status, text) = match self {
            Self::DeadMount => mounts(&reports, in_time),
            Self::KernelNameLookupBroken => lookups(&reports, in_time),
        };
        (status, one_line(&text))
    }
}

const LATE: &str = "the check did not end in time";

/// What is broken comes before what could not be seen.
fn mounts(reports: &[&Report], in_time: bool) -> (u8, String) {
    let broken: Vec<_> =
        reports.iter().flat_map(|report| &report.mounts).filter(|mount| mount.state.is_broken()).collect();
    if let Some(first) = broken.first() {
        let mut text = format!("{} {}", first.state.word(), first.point.display());
        let all: usize = broken.iter().map(|mount| mount.mounts).sum();
        if all > 1 {
            // The number first, as the end may be cut.
            text = format!("{all} broken mounts: {text}");
        }
        return (exit::BROKEN, text);
    }
    if !in_time {
        return (exit::UNSEEN, LATE.to_owned());
    }
    if reports.iter().any(|report| report.exit() != exit::WELL) {
        return (exit::UNSEEN, why_unseen(reports));
    }
    (exit::WELL, "all mounts answer".to_owned())
}

fn lookups(reports: &[&Report], in_time: bool) -> (u8, String) {
    let names = || reports.iter().flat_map(|report| &report.names);
    if let Some(report) = reports.iter().find(|report| report.exit() == exit::BROKEN) {
        let broken = report.steps.iter().find(|step| step.is_broken());
        let mut text = String::new();
        if let Some(step) = broken {
            let id = step.findings.first().map_or(step.name, |finding| finding.id);
            let _ = write!(text, "{id}: {}", step.summary);
        }
        return (exit::BROKEN, text);
    }
    if let Some(failed) = names().find(|name| name.answered == Some(false)) {
        return (exit::BROKEN, format!("{}: no answer", failed.description));
    }
    if !in_time {
        return (exit::UNSEEN, LATE.to_owned());
    }
    // The kernel's answer is that of the host, wherever it is asked: what of the host is not to be seen does not matter.
    if names().all(|name| name.answered == Some(true)) && names().next().is_some() {
        return (exit::WELL, "the kernel is answered".to_owned());
    }
    (exit::UNSEEN, why_unseen(reports))
}

fn why_unseen(reports: &[&Report]) -> String {
    let unseen = reports.iter().flat_map(|report| &report.steps).find_map(|step| step.unseen.first());
    unseen
        .map_or_else(|| "not seen".to_owned(), |unseen| format!("not seen: {}: {}", unseen.what, unseen.why))
}

/// Names and answers come from outside: one line, of characters that can be shown, as long as is kept.
fn one_line(text: &str) -> String {
    cut(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::Remedy;
    use crate::report::{AskedName, Finding, MountState, ReportKind, Step, WatchedMount};
    use proptest::prelude::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    use std::time::Duration;

    fn seen(kind: ReportKind, report: Option<Report>) -> CheckResult {
        CheckResult { kind, report, took: Duration::ZERO }
    }

    fn of_mounts(mounts: Vec<WatchedMount>) -> CheckResult {
        let broken = mounts.iter().filter(|mount| mount.state.is_broken());
        let findings =
            broken.map(|_| Finding::broken("fuse-dead", "p", "e", Remedy::advice("wait"))).collect();
        let step = Step { findings, ..Step::new("mount") };
        let report = Report { mounts, ..Report::new(ReportKind::Mounts, None, vec![step]) };
        seen(ReportKind::Mounts, Some(report))
    }

    fn mount(point: &[u8], state: MountState, mounts: usize) -> WatchedMount {
        let point = OsString::from_vec(point.to_vec()).into();
        WatchedMount { point, fs_type: "fuse.x".to_owned(), state, mounts }
    }

    fn judge(condition: NodeCondition, seen: &[CheckResult]) -> (u8, String) {
        condition.judge(seen)
    }

    #[test]
    fn a_dead_mount_is_named_and_counted() {
        let fine = || mount(b"/fine", MountState::Ok, 1);
        let dead = || mount(b"/dead", MountState::Dead, 1);
        let slow = || mount(b"/slow", MountState::Slow, 1);
        let of = |mounts| judge(NodeCondition::DeadMount, &[of_mounts(mounts)]);
        assert_eq!(of(vec![]), (0, "all mounts answer".to_owned()));
        assert_eq!(of(vec![fine(), slow()]), (0, "all mounts answer".to_owned()));
        assert_eq!(of(vec![fine(), dead()]), (1, "dead /dead".to_owned()));
        let silent = mount(b"/silent", MountState::Silent, 4);
        assert_eq!(of(vec![dead(), silent]), (1, "5 broken mounts: dead /dead".to_owned()));
    }

    #[test]
    fn what_cannot_be_checked_is_unknown() {
        let mut step = Step::new("mounts");
        step.unseen("/proc/7/mountinfo", "No such file or directory");
        let report = Report::new(ReportKind::Mounts, None, vec![step]);
        let unseen = [seen(ReportKind::Mounts, Some(report))];
        assert_eq!(
            judge(NodeCondition::DeadMount, &unseen),
            (2, "not seen: /proc/7/mountinfo: No such file or directory".to_owned())
        );
        for (condition, kind) in NodeCondition::ALL.into_iter().zip([ReportKind::Mounts, ReportKind::Lookup])
        {
            assert_eq!(judge(condition, &[seen(kind, None)]), (2, LATE.to_owned()));
        }
        // What is broken counts, though not all was seen.
        let both = [of_mounts(vec![mount(b"/x", MountState::Stale, 1)]), seen(ReportKind::Mounts, None)];
        assert_eq!(judge(NodeCondition::DeadMount, &both), (1, "stale /x".to_owned()));
    }

    fn of_name(answered: Option<bool>, steps: Vec<Step>) -> CheckResult {
        let name = AskedName { description: "mon1".to_owned(), answered, took: None };
        let report = Report { names: vec![name], ..Report::new(ReportKind::Lookup, None, steps) };
        seen(ReportKind::Lookup, Some(report))
    }

    #[test]
    fn an_answered_kernel_is_healthy_even_if_not_everything_is_seen() {
        let mut hidden = Step::new("kernel");
        hidden.unseen("the host's files", "this is a container");
        let mut broken = Step::new("request-key");
        broken.sum("the kernel can't run it");
        broken.find(Finding::broken("request-key-missing", "p", "e", Remedy::advice("install it")));
        let of = |answered, steps| judge(NodeCondition::KernelNameLookupBroken, &[of_name(answered, steps)]);
        let well = (0, "the kernel is answered".to_owned());
        assert_eq!(of(Some(true), vec![]), well);
        assert_eq!(of(Some(true), vec![hidden.clone()]), well);
        let text = "request-key-missing: the kernel can't run it".to_owned();
        assert_eq!(of(Some(false), vec![hidden.clone(), broken]), (1, text));
        assert_eq!(of(Some(false), vec![hidden.clone()]), (1, "mon1: no answer".to_owned()));
        let text = "not seen: the host's files: this is a container".to_owned();
        assert_eq!(of(None, vec![hidden]), (2, text));
        // Where nothing was asked, nothing is known.
        let nothing = seen(ReportKind::Lookup, Some(Report::new(ReportKind::Lookup, None, vec![])));
        assert_eq!(judge(NodeCondition::KernelNameLookupBroken, &[nothing]).0, 2);
    }

    proptest! {
        #[test]
        fn the_result_is_one_short_line_whatever_the_mount_point(
            point in prop_oneof![prop::collection::vec(1_u8.., 0..300), "\\PC{0,100}".prop_map(String::into_bytes)],
            mounts in 1_usize..3,
        ) {
            let (status, line) =
                judge(NodeCondition::DeadMount, &[of_mounts(vec![mount(&point, MountState::Dead, mounts)])]);
            prop_assert_eq!(status, 1);
            prop_assert!(line.len() <= LONGEST, "{line:?}");
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(line.contains("dead "), "{line:?}");
        }
    }
}
