//! Several looks of the doctor at once, within a time limit.

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

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Look {
    /// The way of a lookup: of what is asked about, or what all lookups share.
    Lookup(Option<String>),
    /// The mounts of a process, or our own.
    Mounts(Option<u32>, Box<Settings>),
}

impl Look {
    /// The looks at the lookups of these subjects. Without one, at what all lookups share, and at one of a name that needs
    /// no network.
    ///
    /// # Errors
    /// Where one of them is none.
    pub fn lookups<'a>(subjects: impl Iterator<Item = &'a str>) -> Result<Vec<Self>, NoSubject> {
        let mut looks = Vec::new();
        for subject in subjects {
            Subject::parse(subject, &HostRoot::host())?;
            looks.push(Self::Lookup(Some(subject.to_owned())));
        }
        if looks.is_empty() {
            looks = vec![Self::Lookup(None), Self::Lookup(Some(KNOWN_TO_ALL.to_owned()))];
        }
        Ok(looks)
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

/// What came of a look.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The kind of the report.
    pub kind: ReportKind,
    /// The report; `None` where the look did not end in time.
    pub report: Option<Report>,
    /// How long it took.
    pub took: Duration,
}

/// Looks at all of it, and waits for at most `limit`. What has not ended then goes on until this process ends.
#[must_use]
pub fn look(looks: Vec<Look>, limit: Duration) -> Vec<Seen> {
    let start = Instant::now();
    let mut seen: Vec<Seen> =
        looks.iter().map(|look| Seen { kind: look.kind(), report: None, took: limit }).collect();
    let reports = begin(looks);
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
fn begin(looks: Vec<Look>) -> Receiver<Sent> {
    let (sender, receiver) = mpsc::channel();
    let threads = looks.len().min(AT_ONCE);
    let looks: Arc<[Look]> = looks.into();
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..threads {
        let (looks, next, sender) = (Arc::clone(&looks), Arc::clone(&next), sender.clone());
        thread::spawn(move || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(look) = looks.get(index) else { return };
                let start = Instant::now();
                let report = look.report();
                // Nobody listens any more where the time is over.
                let _ = sender.send((index, report, start.elapsed()));
            }
        });
    }
    receiver
}
