//! Sees to it that a key is answered whatever stops the program.

use crate::log::{Destination, Log};
use crate::settings::Settings;
use crate::sys::rescue;
use key::KeySerial;
use std::cell::Cell;

/// Seconds that a lookup has to notice its deadline before the alarm answers in its place.
const GRACE: u32 = 1;

/// The right to answer a key, which the program shares with its signal handlers: whoever takes it first answers.
#[derive(Debug)]
pub struct Guard {
    /// Whether there are signal handlers that could take it.
    handlers: bool,
    claimed: Cell<bool>,
}

impl Guard {
    /// From now on `key`, of type `dns_resolver`, is answered with EAGAIN by a crash, a request to end, or when the time
    /// for a lookup is over. Without a key, the process just ends then.
    #[must_use]
    pub fn arm(key: Option<KeySerial>, log: &Log) -> Self {
        let limit = Settings::default().lookup.deadline.saturating_add(GRACE);
        Self::set(rescue::arm(key, limit, log.destination() == Destination::Stderr), log)
    }

    /// The same for a key that may be of any type, which is rejected, and for so many seconds.
    #[must_use]
    pub fn arm_rejecting(key: KeySerial, seconds: u32, log: &Log) -> Self {
        Self::set(rescue::arm_rejecting(key, seconds), log)
    }

    fn set(armed: nix::Result<()>, log: &Log) -> Self {
        if let Err(error) = armed {
            log.error(format_args!("can't set up signal handlers: {error}"));
        }
        let log = log.to_syslog();
        std::panic::set_hook(Box::new(move |panic| {
            log().error(format_args!("internal error: {panic}"));
            // The handler of SIGABRT answers the key.
            std::process::abort();
        }));
        Self { handlers: true, claimed: Cell::new(false) }
    }

    /// One without signal handlers.
    #[must_use]
    pub const fn without_handlers() -> Self {
        Self { handlers: false, claimed: Cell::new(false) }
    }

    /// The time that a lookup has from now on, by its `deadline` in seconds.
    pub fn set_deadline(&self, deadline: u32) {
        if self.handlers {
            rescue::set_limit(deadline.saturating_add(GRACE));
        }
    }

    /// What follows takes as long as it takes.
    pub fn no_deadline(&self) {
        if self.handlers {
            rescue::no_limit();
        }
    }

    /// Takes the right to answer the key. `false` if a handler has it, which then ends the process.
    ///
    /// From here on signals wait, so that none ends the process between its claim and the answer.
    #[must_use]
    pub fn claim(&self) -> bool {
        if self.handlers { rescue::claim() } else { !self.claimed.replace(true) }
    }

    /// Gives the right back: the key is not answered after all.
    pub fn unclaim(&self) {
        self.claimed.set(false);
        if self.handlers {
            rescue::unclaim();
        }
    }
}
