//! A report as text: one line per step, and below it what is wrong.

use crate::remedy::Remedy;
use crate::report::{Finding, Report, Step, StepStatus};
use std::fmt::Write;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Marks and colours, for a terminal; words otherwise.
    pub colour: bool,
    /// All observations, not only findings.
    pub verbose: bool,
}

/// The width of the status, and of the step's name.
const WORD: usize = 8;
const NAME: usize = 13;

/// The report as text, each line with its newline.
#[must_use]
pub fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for step in &report.steps {
        render_step(&mut out, step, style);
    }
    out
}

fn render_step(out: &mut String, step: &Step, style: Style) {
    let status = step.status();
    let summary = match &step.about {
        Some(about) => format!("{}: {}", plain(about), plain(&step.summary)),
        None => plain(&step.summary),
    };
    let name = step.name;
    line(out, format_args!("{} {name:<NAME$} {summary}", mark(status, style)));
    let indent = indent(style);
    if style.verbose {
        for fact in &step.facts {
            line(out, format_args!("{indent}{}", plain(fact)));
        }
    }
    for unseen in &step.unseen {
        line(out, format_args!("{indent}not seen  {}: {}", plain(&unseen.what), plain(&unseen.why)));
    }
    for finding in &step.findings {
        render_finding(out, finding, &indent, style);
    }
    if step.repeated.is_some() {
        line(out, format_args!("{indent}as above"));
    }
}

fn render_finding(out: &mut String, finding: &Finding, indent: &str, style: Style) {
    let strong = |text: &str| paint(text, "1", style);
    line(out, format_args!("{indent}{}    {}", strong("wrong"), plain(&finding.problem)));
    line(out, format_args!("{indent}{}     {}", strong("seen"), plain(&finding.evidence)));
    match &finding.remedy {
        Remedy::Command(command) => {
            line(out, format_args!("{indent}{}   {}", strong("remedy"), plain(command)));
        }
        Remedy::Advice(words) => line(out, format_args!("{indent}{}   {}", strong("advice"), plain(words))),
    }
}

/// The beginning of a step's line.
fn mark(status: StepStatus, style: Style) -> String {
    if !style.colour {
        return format!("{:<WORD$}", status.word());
    }
    let (mark, colour) = match status {
        StepStatus::Ok => ("✓", "32"),
        StepStatus::Skipped => ("-", "2"),
        StepStatus::Unknown => ("?", "36"),
        StepStatus::Warn => ("!", "33"),
        StepStatus::Broken => ("✗", "1;31"),
    };
    paint(mark, colour, style)
}

fn paint(text: &str, colour: &str, style: Style) -> String {
    if style.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

fn indent(style: Style) -> String {
    " ".repeat(if style.colour { 2 } else { WORD + 1 })
}

/// Names, files and answers come from outside, and must not steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ReportKind;

    fn report() -> Report {
        let mut well = Step::new("kernel");
        well.summary = "has dns_resolver keys".to_owned();
        well.fact("seen in /proc/keys");
        let mut broken = Step::new("request-key");
        broken.summary = "missing".to_owned();
        broken.find(Finding::broken(
            "x",
            "no \x1b[31mupcall",
            "ENOENT",
            Remedy::Command("apt-get install keyutils".to_owned()),
        ));
        broken.find(Finding::warn("y", "late", "3 s", Remedy::advice("wait")));
        let mut unknown = Step::new("cache").about("mon1");
        unknown.unseen("keys of root", "not root");
        Report::new(ReportKind::Lookup, None, vec![well, broken, unknown])
    }

    #[test]
    fn a_step_is_one_line_and_a_finding_three_lines_below_it() {
        assert_eq!(
            render(&report(), Style::default()),
            "ok       kernel        has dns_resolver keys\n\
             broken   request-key   missing\n         \
             wrong    no \u{fffd}[31mupcall\n         \
             seen     ENOENT\n         \
             remedy   apt-get install keyutils\n         \
             wrong    late\n         \
             seen     3 s\n         \
             advice   wait\n\
             unknown  cache         mon1: \n         \
             not seen  keys of root: not root\n"
        );
    }

    #[test]
    fn output_on_a_terminal_has_marks_and_colours() {
        let text = render(&report(), Style { colour: true, verbose: true });
        assert!(text.starts_with("\x1b[32m✓\x1b[0m kernel "), "{text}");
        assert!(text.contains("\n  seen in /proc/keys\n"), "{text}");
    }
}
