//! Stays until it is told to end, as the first process of a container does.

use nix::sys::signal::{SigSet, Signal};

/// The signals by which a process is told to end, held back.
#[derive(Debug)]
pub struct Signals(SigSet);

/// Holds back SIGTERM and SIGINT from now on. The kernel drops what the first process of a container neither handles nor
/// holds back (kernel/signal.c, `sig_task_ignored()`).
///
/// # Errors
/// As `pthread_sigmask(3)`.
pub fn hold_signals() -> nix::Result<Signals> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    signals.thread_block()?;
    Ok(Signals(signals))
}

impl Signals {
    /// Waits for one of them.
    ///
    /// # Errors
    /// As `sigwait(3)`.
    pub fn wait(&self) -> nix::Result<()> {
        self.0.wait().map(drop)
    }
}
