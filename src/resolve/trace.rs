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

/// As many steps as a log line has room for: a cell of many servers takes hundreds.
const MOST_SHOWN: usize = 16;

/// The first steps in one line, and how many more there were.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.0.borrow();
        for (index, step) in steps.iter().take(MOST_SHOWN).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{step}")?;
        }
        match steps.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.asked, self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_has_the_first_steps_and_the_number_of_the_others() {
        let trace = Trace::default();
        for number in 0..20 {
            trace.add(format!("q{number}"), "none");
        }
        let line = trace.to_string();
        assert!(line.starts_with("q0: none, q1: none") && line.ends_with("q15: none, and 4 more"), "{line}");
        assert_eq!(trace.steps().len(), 20);
    }
}
