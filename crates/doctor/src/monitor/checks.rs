//! Several checks of the doctor at once, within a time limit.

use crate::host_root::HostRoot;
use crate::report::{Report, ReportKind};
use crate::subject::{NoSubject, Subject};
use crate::{lookup, mounts};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use upcall::Settings;

/// How many lookups are followed at once.
const AT_ONCE: usize = 16;
/// A name that every host knows, so that the kernel's question leaves no network to blame.
const KNOWN_TO_ALL: &str = "localhost";

/// A check to be made.
#[derive(Clone, Debug)]
pub enum Check {
    /// The way of a lookup: of what is asked about, or what all lookups share.
    Lookup(Option<String>),
    /// The mounts of a process, or our own.
    Mounts(Option<u32>, Box<Settings>),
}

impl Check {
    /// The checks of the lookups of these subjects. Without one, that of what all lookups share, and of a name that needs
    /// no network.
    ///
    /// # Errors
    /// Where one of them is none.
    pub fn lookups<'a>(subjects: impl Iterator<Item = &'a str>) -> Result<Vec<Self>, NoSubject> {
        let mut checks = Vec::new();
        for subject in subjects {
            Subject::parse(subject, &HostRoot::host())?;
            checks.push(Self::Lookup(Some(subject.to_owned())));
        }
        if checks.is_empty() {
            checks = vec![Self::Lookup(None), Self::Lookup(Some(KNOWN_TO_ALL.to_owned()))];
        }
        Ok(checks)
    }

    /// Which kind of report comes of it.
    #[must_use]
    pub const fn kind(&self) -> ReportKind {
        match self {
            Self::Lookup(_) => ReportKind::Lookup,
            Self::Mounts(..) => ReportKind::Mounts,
        }
    }

    fn report(&self) -> Option<Report> {
        match self {
            Self::Lookup(subject) => lookup::report(&HostRoot::host(), subject.as_deref()).ok(),
            Self::Mounts(pid, settings) => Some(mounts::report(*pid, &HostRoot::host(), settings)),
        }
    }
}

/// What came of a check.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The kind of the report.
    pub kind: ReportKind,
    /// The report; `None` where the check did not end in time.
    pub report: Option<Report>,
    /// How long it took.
    pub took: Duration,
}

/// Makes all of them, and waits for at most `limit`. What has not ended then goes on until this process ends.
#[must_use]
pub fn run(checks: Vec<Check>, limit: Duration) -> Vec<CheckResult> {
    let start = Instant::now();
    let mut seen: Vec<CheckResult> =
        checks.iter().map(|check| CheckResult { kind: check.kind(), report: None, took: limit }).collect();
    let reports = begin(checks);
    // The senders are gone once all have ended.
    while let Ok((index, report, took)) = reports.recv_timeout(limit.saturating_sub(start.elapsed())) {
        if let Some(seen) = seen.get_mut(index) {
            (seen.report, seen.took) = (report, took);
        }
    }
    seen
}

type Sent = (usize, Option<Report>, Duration);

/// Begins them, the first ones first.
fn begin(checks: Vec<Check>) -> Receiver<Sent> {
    let (sender, receiver) = mpsc::channel();
    let threads = checks.len().min(AT_ONCE);
    let checks: Arc<[Check]> = checks.into();
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..threads {
        let (checks, next, sender) = (Arc::clone(&checks), Arc::clone(&next), sender.clone());
        thread::spawn(move || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(check) = checks.get(index) else { return };
                let start = Instant::now();
                let report = check.report();
                // Nobody listens any more where the time is over.
                let _ = sender.send((index, report, start.elapsed()));
            }
        });
    }
    receiver
}
