//! What was tried on the way to an answer, for `-v` and for the log line of a failure.

use std::cell::RefCell;
use std::fmt;

/// The steps of one lookup, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Trace(RefCell<Vec<Step>>);

/// One step: who was asked for what, and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The question and the source, as `mon1.example. A at 192.0.2.1:53`.
    pub asked: String,
    /// The answer, as `10.0.0.1 (ttl 300)` or `SERVFAIL`.
    pub outcome: String,
}

impl Trace {
    /// Adds a step.
    pub fn add(&self, asked: impl Into<String>, outcome: impl Into<String>) {
        self.0.borrow_mut().push(Step { asked: asked.into(), outcome: outcome.into() });
    }

    /// A step that takes a while. If it is given up, it is noted without an answer.
    pub fn begin(&self, asked: String) -> Begun<'_> {
        Begun { trace: self, step: Step { asked, outcome: "no answer yet".to_owned() } }
    }

    /// The steps up to now.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        self.0.borrow().clone()
    }
}

/// A step on its way; noted when it ends, or is given up.
#[derive(Debug)]
pub struct Begun<'a> {
    trace: &'a Trace,
    step: Step,
}

impl Begun<'_> {
    /// Says what came of it.
    pub fn end(mut self, outcome: String) {
        self.step.outcome = outcome;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.trace.0.borrow_mut().push(self.step.clone());
    }
}

/// All steps in one line.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.0.borrow();
        for (index, step) in steps.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.asked, self.outcome)
    }
}
