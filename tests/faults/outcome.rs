//! What a case brought, and the count of those that held.

use crate::decode;
use crate::support::asking::{Seen, error, helpers};
use crate::support::progress::Progress;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

/// The deadline that all cases set, in seconds.
pub const DEADLINE: u32 = 3;

/// How long a caller may wait: the deadline, the second of grace, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(DEADLINE as u64 + 1 + 12);

/// The errors that say what is true when something on the way breaks.
const TRUE_ERRORS: [&str; 2] = [error::EAGAIN, error::ECONNREFUSED];

/// Says what is wrong with what a caller saw, where it is neither the answer nor a true error.
pub fn judge(seen: &Seen, answer: &[u8], also: &[&str]) -> Result<(), String> {
    judge_in(LONGEST, seen, answer, also)
}

/// The same, for a caller who may wait longer.
pub fn judge_in(longest: Duration, seen: &Seen, answer: &[u8], also: &[&str]) -> Result<(), String> {
    if seen.took > longest {
        return Err(format!("after {:?}", seen.took));
    }
    match &seen.payload {
        Ok(payload) if is_part(payload, answer) => Ok(()),
        Ok(payload) => Err(format!("another answer: {}", payload.escape_ascii())),
        Err(error) => {
            let error = error.trim_start_matches("request_key: ");
            let fine =
                TRUE_ERRORS.contains(&error) || also.contains(&error) || is_our_rejection(error, &seen.left);
            if fine { Ok(()) } else { Err(error.to_owned()) }
        }
    }
}

/// Whether a key was rejected by us, with the errno that stands for what may pass, and not by the kernel after a helper
/// that did nothing: that lasts a minute.
fn is_our_rejection(error: &str, left: &str) -> bool {
    let seconds = left.strip_suffix('s').and_then(|seconds| seconds.parse::<u32>().ok());
    // One of two seconds may be over by now.
    let soon_over = left == "expd" || seconds.is_some_and(|seconds| seconds <= 10);
    error == "Required key not available" && soon_over
}

/// Whether a payload holds nothing but what is in the whole answer. Where the answer has one address, it is the
/// same then.
fn is_part(payload: &[u8], answer: &[u8]) -> bool {
    let (Ok(part), Ok(whole)) = (decode::list(payload), decode::list(answer)) else {
        let parts =
            |bytes: &[u8]| bytes.split(|&byte| byte == b',').map(<[u8]>::to_vec).collect::<BTreeSet<_>>();
        return !payload.is_empty() && parts(payload).is_subset(&parts(answer));
    };
    part.source == whole.source
        && part.servers.iter().any(|server| !server.addresses.is_empty())
        && part.servers.len() == whole.servers.len()
        && part.servers.iter().zip(&whole.servers).all(|(part, whole)| {
            let is_known = |address| whole.addresses.contains(address);
            let told = !part.addresses.is_empty() || part.status != decode::number::GOOD;
            (&part.name, part.port) == (&whole.name, whole.port)
                && part.addresses.iter().all(is_known)
                && told
        })
}

/// Says which helpers are still there.
pub fn nobody_left() -> Result<(), String> {
    match helpers().as_slice() {
        [] => Ok(()),
        left => Err(format!("helpers left: {left:?}")),
    }
}

/// The count.
pub struct Report {
    words: Vec<String>,
    rows: Vec<Row>,
    broken: Vec<String>,
}

struct Row {
    group: String,
    tried: usize,
    held: usize,
}

/// The cases of one group.
pub struct Group {
    tried: usize,
    broken: Mutex<Vec<String>>,
    progress: Progress,
}

impl Report {
    pub fn new(words: Vec<String>) -> Self {
        Self { words, rows: Vec::new(), broken: Vec::new() }
    }

    /// Runs a group of cases, if it is wanted.
    pub fn group(&mut self, name: &str, cases: impl FnOnce(&mut Group)) {
        if !self.words.is_empty() && !self.words.iter().any(|word| name.contains(word)) {
            return;
        }
        let mut group = Group { tried: 0, broken: Mutex::default(), progress: Progress::new(name, None) };
        cases(&mut group);
        let broken = group.broken.into_inner().unwrap();
        let held = group.tried - broken.len();
        println!("{name}: {} tried, {held} held", group.tried);
        for what in &broken {
            println!("    {what}");
        }
        self.broken.extend(broken.into_iter().map(|what| format!("{name}: {what}")));
        self.rows.push(Row { group: name.to_owned(), tried: group.tried, held });
    }

    /// Prints the table.
    pub fn close(self) -> ExitCode {
        println!("\n{:<58} {:>6} {:>6}", "faults", "tried", "held");
        for Row { group, tried, held } in &self.rows {
            println!("{group:<58} {tried:>6} {held:>6}");
        }
        let tried: usize = self.rows.iter().map(|row| row.tried).sum();
        let held: usize = self.rows.iter().map(|row| row.held).sum();
        println!("{:<58} {tried:>6} {held:>6}\n", "together");
        for what in &self.broken {
            println!("did not hold: {what}");
        }
        println!("{held} passed, {} failed", tried - held);
        ExitCode::from(u8::from(tried != held || tried == 0))
    }
}

impl Group {
    /// How many have held by now.
    pub fn held(&self) -> usize {
        self.tried - self.broken.lock().unwrap().len()
    }

    /// Counts a case.
    pub fn case(&mut self, what: &str, outcome: Result<(), String>) {
        self.tried += 1;
        self.progress.step(what);
        if let Err(why) = outcome {
            self.broken.lock().unwrap().push(format!("{what}: {why}"));
        }
    }
}
