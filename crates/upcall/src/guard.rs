//! Makes sure that a key is answered, whatever stops the program.

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
    /// From now on, a crash, a termination signal or the end of the lookup's time rejects `key` with ENOKEY, or answers
    /// it with EAGAIN once its type [is known](Self::allow_payload). Without a key, the process just exits.
    #[must_use]
    pub fn arm(key: Option<KeySerial>, log: &Log) -> Self {
        let limit = Settings::default().lookup.deadline.saturating_add(GRACE);
        Self::set(rescue::arm(key, limit, log.destination() == Destination::Stderr), log)
    }

    /// The same for a key that may be of any type: it is rejected with ENOKEY, after this many seconds at the latest.
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

    /// A guard without signal handlers.
    #[must_use]
    pub const fn without_handlers() -> Self {
        Self { handlers: false, claimed: Cell::new(false) }
    }

    /// The key's type is now known to be `dns_resolver`.
    pub fn allow_payload(&self) {
        if self.handlers {
            rescue::allow_payload();
        }
    }

    /// Sets the time that the lookup has from now on, from its `deadline` in seconds.
    pub fn set_deadline(&self, deadline: u32) {
        self.set_limit(deadline.saturating_add(GRACE));
    }

    /// Sets the time limit, in seconds from now on.
    pub(crate) fn set_limit(&self, seconds: u32) {
        if self.handlers {
            rescue::set_limit(seconds);
        }
    }

    /// Lifts the time limit.
    pub fn no_deadline(&self) {
        if self.handlers {
            rescue::no_limit();
        }
    }

    /// Takes the right to answer the key. `false` if a handler has it; that handler then ends the process.
    ///
    /// From here on signals are blocked, so none can end the process between its claim and the answer.
    #[must_use]
    pub fn claim(&self) -> bool {
        if self.handlers { rescue::claim() } else { !self.claimed.replace(true) }
    }

    /// Returns the right: the key is not answered after all.
    pub fn unclaim(&self) {
        self.claimed.set(false);
        if self.handlers {
            rescue::unclaim();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Daemon, alone, in_own_process, told};
    use nix::sys::signal::{Signal, raise};
    use nix::unistd::alarm;
    use std::process::Output;
    use std::thread::sleep;
    use std::time::Duration;
    use syslog::Facility;

    /// A key that is not under construction, so that no handler can answer it.
    const NO_KEY: i32 = i32::MAX;
    /// Exit status of a scene that came to its end.
    const TO_ITS_END: i32 = 42;

    /// Sets up handlers that tell on standard error what they do, and runs `scene`.
    fn guarded(test: &str, scene: impl FnOnce(&Guard)) -> Output {
        in_own_process(&format!("guard::tests::{test}"), || {
            let guard = Guard::arm(KeySerial::new(NO_KEY), &Log::new("test", true));
            scene(&guard);
            TO_ITS_END
        })
    }

    /// The handler's message, without its end, which is the kernel's errno.
    fn message(output: &Output) -> String {
        let text = String::from_utf8(output.stderr.clone()).unwrap();
        let (start, _) = text.split_once("; it could not be answered: errno ").unwrap_or((&text, ""));
        start.to_owned()
    }

    #[test]
    fn a_key_is_claimed_once_and_can_be_given_back() {
        let guard = Guard::without_handlers();
        assert_eq!([guard.claim(), guard.claim()], [true, false]);
        guard.unclaim();
        assert_eq!([guard.claim(), guard.claim()], [true, false]);
        // Another key's is another one.
        assert!(Guard::without_handlers().claim());
        guard.set_deadline(1);
        guard.no_deadline();
    }

    #[test]
    fn a_handler_answers_the_key_when_the_deadline_expires() {
        let output = guarded("a_handler_answers_the_key_when_the_deadline_expires", |guard| {
            // And a second more, in which a lookup can notice it.
            guard.set_deadline(0);
            sleep(Duration::from_secs(10));
        });
        assert_eq!(message(&output), format!("key {NO_KEY}: not done in time (signal 14)"), "{output:?}");
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn without_a_deadline_no_alarm_goes_off() {
        let output = guarded("without_a_deadline_no_alarm_goes_off", |guard| {
            guard.set_deadline(0);
            guard.no_deadline();
            sleep(Duration::from_millis(1500));
        });
        assert_eq!((message(&output).as_str(), output.status.code()), ("", Some(TO_ITS_END)));
    }

    /// As the helper, after a piped program that had all the time.
    #[test]
    fn arming_a_guard_sets_the_deadline_again() {
        let output = guarded("arming_a_guard_sets_the_deadline_again", |guard| {
            guard.no_deadline();
            assert_eq!(alarm::cancel(), None);
            let _guard = Guard::arm(KeySerial::new(NO_KEY), &Log::new("test", true));
            let limit = Settings::default().lookup.deadline + GRACE;
            assert!(alarm::cancel().is_some_and(|left| left + 1 >= limit && left <= limit));
        });
        assert_eq!((message(&output).as_str(), output.status.code()), ("", Some(TO_ITS_END)));
    }

    #[test]
    fn a_handler_answers_the_key_on_a_termination_signal() {
        let test = "a_handler_answers_the_key_on_a_termination_signal";
        let output = guarded(test, |_| raise(Signal::SIGTERM).unwrap());
        assert_eq!(message(&output), format!("key {NO_KEY}: told to end (signal 15)"), "{output:?}");
    }

    /// What a daemon hears of a process that is told where it listens, and that process' exit status.
    fn heard_of(test: &str) -> (Vec<String>, Option<i32>) {
        let daemon = Daemon::start();
        let output = alone(&format!("guard::tests::{test}"), daemon.path);
        let entries = daemon.entries().into_iter().map(|entry| {
            let (head, message) = entry.split_once("]: ").unwrap();
            let (name, _) = head.split_once('[').unwrap();
            let (message, _) =
                message.split_once("; it could not be answered: errno ").unwrap_or((message, ""));
            format!("{name} {message}")
        });
        (entries.collect(), output.status.code())
    }

    #[test]
    fn a_panic_is_logged_and_counts_as_a_crash() {
        if let Some(path) = told() {
            let log = Log::with("test", Facility::LOG_DAEMON, path.leak(), true, false);
            log.connect();
            let _guard = Guard::arm(KeySerial::new(NO_KEY), &log);
            panic!("on purpose");
        }
        let (entries, status) = heard_of("a_panic_is_logged_and_counts_as_a_crash");
        assert_eq!(status, Some(1));
        let [panic, crash] = entries.as_slice() else { panic!("{entries:?}") };
        assert!(panic.starts_with("<27>test internal error: panicked at "), "{panic}");
        assert!(panic.ends_with("on purpose"), "{panic}");
        assert_eq!(*crash, format!("<27>key.dns_resolver key {NO_KEY}: crashed (signal 6)"));
    }

    #[test]
    fn a_rejecting_guard_answers_keys_of_any_type() {
        if let Some(path) = told() {
            let log = Log::with("test", Facility::LOG_AUTHPRIV, path.leak(), true, false);
            log.connect();
            let _guard = Guard::arm_rejecting(KeySerial::new(NO_KEY).unwrap(), 1, &log);
            sleep(Duration::from_secs(10));
        }
        let (entries, status) = heard_of("a_rejecting_guard_answers_keys_of_any_type");
        assert_eq!(entries, [format!("<83>request-key key {NO_KEY}: not done in time (signal 14)")]);
        assert_eq!(status, Some(1));
    }

    #[test]
    fn a_termination_signal_does_not_interrupt_a_claimed_key() {
        let output = guarded("a_termination_signal_does_not_interrupt_a_claimed_key", |guard| {
            assert_eq!([guard.claim(), guard.claim()], [true, false]);
            raise(Signal::SIGTERM).unwrap();
        });
        assert_eq!((message(&output).as_str(), output.status.code()), ("", Some(TO_ITS_END)));
    }

    #[test]
    fn a_handler_answers_a_key_that_was_unclaimed() {
        let output = guarded("a_handler_answers_a_key_that_was_unclaimed", |guard| {
            assert!(guard.claim());
            raise(Signal::SIGTERM).unwrap();
            guard.unclaim();
            sleep(Duration::from_secs(10));
        });
        assert_eq!(message(&output), format!("key {NO_KEY}: told to end (signal 15)"), "{output:?}");
    }
}
