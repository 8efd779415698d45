//! What is told of a lookup, in whatever form.

use key::Request;
use std::time::{Duration, Instant};
use upcall::{LookupReport, Reply, Settings};

/// A lookup that has ended, and all that is told of it.
pub(super) struct ResolveReport<'a> {
    pub(super) request: &'a Request,
    pub(super) settings: &'a Settings,
    pub(super) lookup: LookupReport,
    pub(super) reply: Reply,
    pub(super) start: Instant,
    pub(super) took: Duration,
    /// With each step.
    pub(super) trace: bool,
}
