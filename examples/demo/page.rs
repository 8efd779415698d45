//! The demo's output: in colour on a terminal, plain elsewhere.

use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Duration;

/// The column of verdicts, counted from where texts begin; a longer text moves its verdict.
const MARGIN: usize = 47;

/// How long lists may get, counted from there too.
const WIDTH: usize = 60;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// Standard output. A reader that goes away ends nothing: changes to the machine must still be undone.
pub(crate) struct Page {
    out: Stdout,
    colour: bool,
}

impl Page {
    /// With colour on a terminal that supports it, unless it is turned off (<https://no-color.org>).
    pub(crate) fn new() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        let out = io::stdout();
        Self { colour: out.is_terminal() && set("NO_COLOR").is_none() && !dumb, out }
    }

    pub(crate) fn blank(&self) {
        self.line("");
    }

    pub(crate) fn text(&self, text: &str) {
        self.line(text);
    }

    pub(crate) fn title(&self, text: &str) {
        self.line(&self.paint(BOLD, text));
    }

    pub(crate) fn heading(&self, text: &str) {
        self.blank();
        self.line(&self.paint(BOLD, text));
    }

    pub(crate) fn numbered(&self, number: usize, text: &str) {
        self.blank();
        self.line(&format!("{number:>3}  {}", self.paint(BOLD, text)));
    }

    /// A label with its value.
    pub(crate) fn pair(&self, label: &str, text: &str) {
        self.line(format!("     {} {text}", self.paint(DIM, &format!("{label:<12}"))).trim_end());
    }

    /// A label with several values, on as many lines as needed.
    pub(crate) fn list(&self, label: &str, texts: &[String]) {
        let mut label = label;
        let mut line = String::new();
        for text in texts {
            if !line.is_empty() && line.chars().count() + text.chars().count() > WIDTH {
                self.pair(label, &line);
                (label, line) = ("", String::new());
            }
            line.push_str(if line.is_empty() { "" } else { "; " });
            line.push_str(text);
        }
        self.pair(label, &line);
    }

    /// An answer, and at the margin whether it is right, and how long it took.
    pub(crate) fn verdict(&self, label: &str, text: &str, fault: Option<&str>, took: Duration) {
        let verdict = match fault {
            None => self.paint(GREEN, "ok"),
            Some(_) => self.paint(RED, "WRONG"),
        };
        self.pair(label, &format!("{text:<MARGIN$}  {verdict} {:>7}", time(took)));
        if let Some(fault) = fault {
            self.pair("", &self.paint(RED, fault));
        }
    }

    pub(crate) fn skipped(&self, reason: &str) {
        self.line(&format!("     {}: {reason}", self.paint(YELLOW, "skipped")));
    }

    pub(crate) fn good(&self, text: &str) {
        self.line(&self.paint(GREEN, text));
    }

    pub(crate) fn bad(&self, text: &str) {
        self.line(&self.paint(RED, text));
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        let _ = writeln!(&self.out, "{text}");
    }
}

/// A time with three digits or fewer.
pub(crate) fn time(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..10_000 => format!("{:.1} ms", took.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{} ms", took.as_millis()),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}
