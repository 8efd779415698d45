//! One thread that runs jobs when they are due.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Timer {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: BinaryHeap<Due>,
    added: usize,
    stopped: bool,
}

struct Due {
    at: Instant,
    nth: usize,
    job: Job,
}

impl Timer {
    /// Runs `job` at `at`; those of one instant run in the order they came.
    pub(super) fn add(&self, at: Instant, job: Job) {
        let mut queue = self.queue.lock().unwrap();
        let nth = queue.added;
        queue.added += 1;
        queue.jobs.push(Due { at, nth, job });
        if queue.jobs.peek().is_some_and(|due| due.nth == nth) {
            self.changed.notify_one();
        }
    }

    /// Runs jobs until [`Timer::stop`].
    pub(super) fn run(&self) {
        let mut queue = self.queue.lock().unwrap();
        while !queue.stopped {
            let now = Instant::now();
            let wait = queue.jobs.peek().map(|due| due.at.duration_since(now));
            queue = match wait {
                None => self.changed.wait(queue).unwrap(),
                Some(wait) if !wait.is_zero() => self.changed.wait_timeout(queue, wait).unwrap().0,
                Some(_) => {
                    let due = queue.jobs.pop().unwrap();
                    drop(queue);
                    (due.job)();
                    self.queue.lock().unwrap()
                }
            };
        }
        queue.jobs.clear();
    }

    pub(super) fn stop(&self) {
        self.queue.lock().unwrap().stopped = true;
        self.changed.notify_one();
    }
}

/// The greatest is the first due.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.nth).cmp(&(self.at, self.nth))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}
