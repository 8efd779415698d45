//! What was tried for an answer: for `-v`, for `key-dns resolve --trace` and for the log line of a failure.
//!
//! Steps are kept as values and formatted only when read: a successful answer pays for no formatting.

use crate::message::{Question, Response, rcode};
use crate::obstacle::ServerError;
use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The steps of one lookup, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Trace {
    steps: RefCell<Vec<TraceStep>>,
    detailed: bool,
}

/// One step, with its time.
#[derive(Clone, Debug)]
pub struct TraceStep {
    /// What was done, and its result.
    pub event: Event,
    /// When it began.
    pub began: Instant,
    /// How long it took.
    pub took: Duration,
}

/// What was done in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A name server's turn.
    Turn {
        /// The question.
        question: Question,
        /// The server.
        server: SocketAddr,
        /// The result.
        outcome: TurnOutcome,
    },
    /// Additional addresses that made a query unnecessary.
    Glue {
        /// The question.
        question: Question,
        /// How many there were.
        records: usize,
    },
    /// An address was dropped from an answer, because the settings reject it.
    Rejected {
        /// The question.
        question: Question,
        /// The address.
        address: IpAddr,
        /// The kind that is rejected.
        kind: &'static str,
    },
    /// A source of `nsswitch.conf` could not be queried.
    Unavailable {
        /// The name.
        name: String,
        /// The source.
        source: String,
        /// The reason.
        why: String,
    },
    /// Why the lookup continued as it did. Only in a detailed trace.
    Decision(String),
}

/// The result of a server's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnOutcome {
    /// A usable answer.
    Response {
        /// Its response code.
        rcode: u16,
        /// The number of records that could be read.
        records: usize,
    },
    /// None.
    Error(ServerError),
    /// It was abandoned before anything arrived.
    Pending,
}

impl Trace {
    /// A trace that includes decisions.
    #[must_use]
    pub fn detailed() -> Self {
        Self { detailed: true, ..Self::default() }
    }

    /// Adds a step that took no time.
    pub fn add(&self, event: Event) {
        self.steps.borrow_mut().push(TraceStep { event, began: Instant::now(), took: Duration::ZERO });
    }

    /// Adds a decision to a detailed trace; in any other, `text` is not even called.
    pub fn decide(&self, text: impl FnOnce() -> String) {
        if self.detailed {
            self.add(Event::Decision(text()));
        }
    }

    /// Starts a server's turn. If it is abandoned, it is recorded without an answer.
    #[must_use]
    pub fn begin(&self, question: &Question, server: SocketAddr) -> Turn<'_> {
        let (question, outcome) = (question.clone(), TurnOutcome::Pending);
        Turn { trace: self, asked: Some((question, server, outcome)), began: Instant::now() }
    }

    /// The steps so far.
    #[must_use]
    pub fn steps(&self) -> Vec<TraceStep> {
        self.steps.borrow().clone()
    }
}

/// A server's turn in progress; recorded when it ends, or is abandoned.
#[derive(Debug)]
pub struct Turn<'a> {
    trace: &'a Trace,
    asked: Option<(Question, SocketAddr, TurnOutcome)>,
    began: Instant,
}

impl Turn<'_> {
    /// Sets its result.
    pub fn end(mut self, result: &Result<Response, ServerError>) {
        if let Some((.., outcome)) = &mut self.asked {
            *outcome = match result {
                Ok(reply) => TurnOutcome::Response { rcode: reply.rcode, records: reply.answers.len() },
                Err(error) => TurnOutcome::Error(error.clone()),
            };
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some((question, server, outcome)) = self.asked.take() {
            let event = Event::Turn { question, server, outcome };
            let step = TraceStep { event, began: self.began, took: self.began.elapsed() };
            self.trace.steps.borrow_mut().push(step);
        }
    }
}

/// As many steps as fit into a log line: a cell of many servers takes hundreds.
const MOST_SHOWN: usize = 16;

/// The first steps on one line, and how many more there were.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.borrow();
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

/// As `mon1.example. A at 192.0.2.1:53: NOERROR, 1 records`.
impl fmt::Display for TraceStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.event {
            Event::Turn { question, server, outcome } => write!(f, "{question} at {server}: {outcome}"),
            Event::Glue { question, records } => write!(f, "{question}: {records} glue records"),
            Event::Rejected { question, address, kind } => {
                write!(f, "{question}: {address} rejected as {kind}")
            }
            Event::Unavailable { name, source, why } => write!(f, "{name} in {source}: {why}"),
            Event::Decision(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for TurnOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { rcode, records } => write!(f, "{}, {records} records", rcode::name(*rcode)),
            Self::Error(error) => error.fmt(f),
            Self::Pending => f.write_str("no answer yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_has_the_first_steps_and_the_number_of_the_others() {
        let trace = Trace::default();
        for number in 0..20 {
            let (name, source, why) = (format!("q{number}"), "nis".to_owned(), "gone".to_owned());
            trace.add(Event::Unavailable { name, source, why });
        }
        let line = trace.to_string();
        assert!(
            line.starts_with("q0 in nis: gone, q1 in nis: gone")
                && line.ends_with("q15 in nis: gone, and 4 more"),
            "{line}"
        );
        assert_eq!(trace.steps().len(), 20);
    }

    #[test]
    fn a_name_is_shown_as_it_is_sent() {
        let question = crate::test_host::question("xn--mnchen-3ya.test", crate::message::RecordType::A);
        let trace = Trace::default();
        trace.add(Event::Glue { question, records: 1 });
        assert_eq!(trace.to_string(), "xn--mnchen-3ya.test. A: 1 glue records");
    }

    #[test]
    fn decisions_are_formatted_only_in_a_detailed_trace() {
        let trace = Trace::default();
        trace.decide(|| unreachable!("nobody reads it"));
        assert!(trace.steps().is_empty());
        let trace = Trace::detailed();
        trace.decide(|| "so be it".to_owned());
        assert_eq!(trace.to_string(), "so be it");
    }
}
