//! What a case is, and how one is run and reported: lines of fields, divided by tabs.

use crate::guest::Guest;
use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Something that a file system does, and what is to be seen of it.
pub struct Case {
    pub name: &'static str,
    pub expected: Expected,
    /// Does it, and says what was seen.
    pub run: fn(&mut Guest) -> String,
}

pub enum Expected {
    Same(&'static str),
    /// On 6.1, and on 6.12.
    Differs(&'static str, &'static str),
}

impl Case {
    fn expected(&self, release: &str) -> &'static str {
        match self.expected {
            Expected::Differs(text, _) if release.starts_with("6.1.") => text,
            Expected::Same(text) | Expected::Differs(_, text) => text,
        }
    }
}

/// Prints a case.
pub fn list(case: &Case) {
    match case.expected {
        Expected::Same(text) => println!("{}\t{text}", case.name),
        Expected::Differs(old, new) => println!("{}\t6.1: {old}; 6.12: {new}", case.name),
    }
}

/// Runs a case and reports it. Where it fails, what the kernel and the helper had to say follows.
pub fn run(case: &Case, guest: &mut Guest, report: &mut dyn Write) {
    guest.begin();
    let seen = catch_unwind(AssertUnwindSafe(|| (case.run)(guest)))
        .unwrap_or_else(|panic| format!("panic: {}", message(&*panic)));
    let expected = case.expected(&guest.release);
    line(report, &["case", case.name, expected, &seen]);
    if seen != expected {
        for text in guest.said() {
            line(report, &["said", case.name, &text]);
        }
    }
}

/// Writes a line of the report.
pub fn line(report: &mut dyn Write, fields: &[&str]) {
    let plain = |field: &&str| field.replace(['\t', '\n', '\r'], " ");
    let fields: Vec<String> = fields.iter().map(plain).collect();
    writeln!(report, "{}", fields.join("\t")).unwrap();
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("?")
}
