//! The end of a process that no handler of a signal can end: it is stopped, or waits where only SIGKILL reaches it.
//!
//! The kernel rejects its key with ENOKEY then (security/keys/request_key.c, `call_sbin_request_key()`), so that nobody
//! waits for it any longer. The timer is the kernel's: nothing has to run here for it.

use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::time::Duration;

/// Seconds that the handler of the alarm has before, on a machine that is as busy as it may be.
const AFTER_ALARM: u32 = 10;

/// The timer, and after how many seconds the alarm comes before it. The kernel takes it away with the process: a
/// confined one can't.
struct KillTimer {
    timer: ManuallyDrop<Timer>,
    alarm: u32,
}

thread_local! {
    static TIMER: RefCell<Option<KillTimer>> = const { RefCell::new(None) };
}

/// From now on the process is killed some time after an alarm that comes in so many seconds. Where the kernel gives it no
/// timer, it is not.
pub(super) fn set_after_alarm(alarm: u32) {
    TIMER.with_borrow_mut(|timer| {
        if timer.is_none() {
            let kill = SigEvent::new(SigevNotify::SigevSignal { signal: Signal::SIGKILL, si_value: 0 });
            let Ok(new) = Timer::new(ClockId::CLOCK_MONOTONIC, kill) else { return };
            *timer = Some(KillTimer { timer: ManuallyDrop::new(new), alarm: 0 });
        }
        // The same time once more, some milliseconds later, is not worth a system call.
        if let Some(timer) = timer
            && timer.alarm != alarm
        {
            timer.set(u64::from(alarm.saturating_add(AFTER_ALARM)));
            timer.alarm = alarm;
        }
    });
}

/// The process is not killed.
pub(super) fn stop() {
    TIMER.with_borrow_mut(|timer| {
        if let Some(timer) = timer {
            timer.set(0);
            timer.alarm = 0;
        }
    });
}

impl KillTimer {
    /// Sets it to so many seconds, or to never.
    fn set(&mut self, seconds: u64) {
        let once = Expiration::OneShot(Duration::from_secs(seconds).into());
        // Only wrong arguments make it fail.
        let _ = self.timer.set(once, TimerSetTimeFlags::empty());
    }
}
