//! Signs of life from what takes long.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a test may be silent.
const OFTEN: Duration = Duration::from_secs(10);

/// How far a test has come.
pub struct Progress {
    what: String,
    of: Option<usize>,
    start: Instant,
    state: Mutex<State>,
}

struct State {
    done: usize,
    told: Instant,
}

impl Progress {
    /// Of a test with so many steps, where that is known.
    pub fn new(what: &str, of: Option<usize>) -> Self {
        let start = Instant::now();
        Self { what: what.to_owned(), of, start, state: Mutex::new(State { done: 0, told: start }) }
    }

    /// Counts a step that is done, and says so on stderr where nothing was said for a while.
    pub fn step(&self, step: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += 1;
        if state.told.elapsed() < OFTEN {
            return;
        }
        state.told = Instant::now();
        let of = self.of.map_or_else(String::new, |of| format!(" of {of}"));
        let line =
            format!("{}: {}{of} after {} s: {step}\n", self.what, state.done, self.start.elapsed().as_secs());
        // Not by eprintln!, which the test harness keeps to itself where the test passes.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
