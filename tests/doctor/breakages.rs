//! A host that is broken on purpose: the first finding names the cause, and its remedy repairs it.

mod cases;
mod kernels;

use crate::document;
use crate::host::{Host, doctor, findings, report};
use crate::support::machine::Machine;
use crate::support::progress::Progress;
use crate::support::{executable, scratch};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};
use std::{env, fs};

/// A way to break a host.
pub struct Breakage {
    /// For the table.
    what: &'static str,
    /// What the doctor is asked about.
    subject: &'static str,
    /// Breaks it.
    make: fn(&mut Host<'_>),
    /// The expected first finding.
    finding: &'static str,
    /// What a person who follows the advice does; nothing if there is a command.
    by_hand: Option<&'static str>,
    /// The package that the remedy reinstalls, which must be available while there are no name servers.
    package: Option<&'static str>,
}

/// One line of the table.
pub struct Row {
    pub what: String,
    pub id: &'static str,
    pub finding: String,
    pub remedy: String,
}

impl Breakage {
    const fn new(
        what: &'static str,
        finding: &'static str,
        subject: &'static str,
        make: fn(&mut Host<'_>),
    ) -> Self {
        Self { what, subject, make, finding, by_hand: None, package: None }
    }

    /// Breaks a host, runs the doctor, follows it, and runs it again.
    fn show(&self, machine: &mut Machine) -> Row {
        self.package.into_iter().for_each(fetch);
        let mut host = Host::new(machine);
        (self.make)(&mut host);
        let broken = report(&[self.subject]);
        let found = findings(&broken);
        let first = found.first().unwrap_or_else(|| panic!("{}: no finding: {broken:#}", self.what));
        assert_eq!(first["id"], self.finding, "{}: {broken:#}", self.what);
        let is_broken = first["severity"] == "broken";
        assert_eq!(broken["exit"] == 1, is_broken, "{}: {broken:#}", self.what);
        let text = String::from_utf8(doctor(&[self.subject]).stdout).unwrap();
        let (label, remedy) = match first["remedy"].as_str() {
            Some(command) => ("remedy", command),
            None => ("advice", first["advice"].as_str().unwrap()),
        };
        assert!(text.contains(&format!("{label}   {remedy}\n")), "{}: {text}", self.what);
        let command = match (label, self.by_hand) {
            ("remedy", None) => remedy,
            ("advice", Some(by_hand)) => by_hand,
            other => panic!("{}: {other:?}: {remedy}", self.what),
        };
        for round in 0..2 {
            let done = cure(command);
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(
                done.status.success() || round == 1 && label == "advice",
                "{}: {command}: {said}",
                self.what
            );
        }
        let cured = report(&[self.subject]);
        assert_eq!(
            (&cured["exit"], findings(&cured)),
            (&0.into(), Vec::<&Value>::new()),
            "{}: {cured:#}",
            self.what
        );
        Row {
            what: self.what.to_owned(),
            id: self.finding,
            finding: format!("{}: {}", self.finding, first["evidence"].as_str().unwrap()),
            remedy: if label == "remedy" { format!("`{remedy}`") } else { remedy.to_owned() },
        }
    }
}

/// Settings with which apt keeps downloads, in a directory of its own.
fn apt() -> std::path::PathBuf {
    let (settings, archives) = (scratch("apt.conf"), scratch("apt-archives"));
    fs::create_dir_all(archives.join("partial")).unwrap();
    let text = format!(
        "DPkg::Lock::Timeout \"300\";\nAcquire::Retries \"3\";\nDir::Cache::archives \"{}/\";\n",
        archives.display()
    );
    fs::write(&settings, text).unwrap();
    settings
}

/// Runs a remedy as an administrator would.
fn cure(remedy: &str) -> Output {
    Command::new("sh")
        .args(["-c", remedy])
        .env("APT_CONFIG", apt())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .unwrap()
}

/// Has apt keep a package's file.
fn fetch(package: &str) {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-y", "--reinstall", "--download-only", "install", package]).env("APT_CONFIG", apt());
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_first_finding_names_the_cause_and_its_remedy_fixes_it() {
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    let progress = Progress::new("breakages", Some(cases::CASES.len()));
    // In portions: others may wait for the machine.
    for portion in cases::CASES.chunks(10) {
        let Some(mut machine) = Machine::take_as_it_is() else { return };
        for breakage in portion {
            if env::var("KEY_DNS_BREAKAGE").is_ok_and(|wanted| !breakage.what.contains(&wanted)) {
                continue;
            }
            // The message of one that fails is on stderr; the others are still tried.
            match catch_unwind(AssertUnwindSafe(|| breakage.show(&mut machine))) {
                Ok(row) => rows.push(row),
                Err(_) => failed.push(breakage.what),
            }
            machine.give_back();
            progress.step(breakage.what);
        }
    }
    rows.extend(kernels::rows());
    let mut table = String::from(
        "| breakage | first finding | remedy, or advice, which cured it |\n| --- | --- | --- |\n",
    );
    for Row { what, finding, remedy, .. } in &rows {
        writeln!(table, "| {what} | {finding} | {remedy} |").unwrap();
    }
    // Not println!, whose output the test harness hides if the test passes.
    writeln!(std::io::stderr(), "\n{table}\n{} breakages, each found and cured", rows.len()).unwrap();
    assert_eq!(failed, [""; 0], "not found, or not cured");
    if env::var_os("KEY_DNS_BREAKAGE").is_none() {
        let row = |row: &Row| format!("| {} | {} | {} |\n", row.what, row.id, row.remedy.replace('|', "\\|"));
        let rows: String = rows.iter().map(row).collect();
        // The program under test is in a directory of this build.
        let rows = rows.replace(executable().to_str().unwrap(), "/usr/bin/key-dns");
        document::shows(
            "breakages",
            &format!("| broken | first finding | remedy, or advice |\n| --- | --- | --- |\n{rows}"),
        );
    }
}
