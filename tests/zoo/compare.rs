//! Each row by both, and the table.

use crate::dns::{Builder, Server};
use crate::lookups::{Family, Outcome, glibc, helper};
use crate::rows::{Row, rows, zone};
use crate::support::progress::Progress;
use crate::support::skip;
use crate::support::world::{inside, obstacle, write};
use crate::turn;
use std::fmt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Set in the processes that run one row.
const ROW: &str = "KEY_DNS_ZOO_ROW";
/// How many rows run in parallel: most of the time, they wait.
const BESIDE: usize = 24;
/// Added to the limit, so that a busy machine fails no test.
const MARGIN: Duration = Duration::from_secs(3);

/// One lookup by both.
struct Pair {
    what: &'static str,
    glibc: (Outcome, Duration),
    ours: (Outcome, Duration),
}

impl Pair {
    /// Both have the same, or the one address is one of the others.
    fn is_same(&self) -> bool {
        match (&self.ours.0, &self.glibc.0) {
            (Outcome::Addresses(one), Outcome::Addresses(all)) if self.what.starts_with("one") => {
                one.len() == 1 && one.iter().all(|address| all.contains(address))
            }
            (ours, glibc) => ours == glibc,
        }
    }

    /// How long ours may take.
    fn limit(&self) -> Duration {
        let theirs = self.glibc.1;
        if theirs < Duration::from_millis(500) {
            Duration::from_millis(1500)
        } else {
            theirs + Duration::from_millis(500)
        }
    }
}

/// As it is handed to the process that makes the table: tab-separated.
impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = self.ours.1.saturating_sub(self.limit());
        write!(
            f,
            "{}\t{}\t{:.2}\t{}\t{:.2}\t{}\t{}",
            self.what,
            short(&self.glibc.0),
            self.glibc.1.as_secs_f64(),
            short(&self.ours.0),
            self.ours.1.as_secs_f64(),
            self.is_same(),
            late.as_millis()
        )
    }
}

/// Of many addresses, how many there are.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Addresses(all) if all.len() > 2 => format!("{} addresses", all.len()),
        other => other.to_string().replace(['\t', '\n'], " "),
    }
}

fn timed(lookup: impl FnOnce() -> Outcome) -> (Outcome, Duration) {
    let start = Instant::now();
    let outcome = lookup();
    (outcome, start.elapsed())
}

/// The row in this process's namespaces.
fn look_at(row: &Row) -> Vec<Pair> {
    let good = || -> Builder { Server::builder().zone(zone()) };
    let server =
        (!row.absent).then(|| good().at("127.0.0.1:53").script(row.script.clone()).tcp(row.tcp).start());
    let _second = good().at("127.0.0.2:53").start();
    let mut pairs = Vec::new();
    for (second, whats) in
        [(false, ["one, alone", "all, alone"]), (true, ["one, with another", "all, with another"])]
    {
        let mut resolv = format!("nameserver 127.0.0.1\noptions {}\n", row.options);
        if second {
            resolv.push_str("nameserver 127.0.0.2\n");
        }
        write("resolv.conf", Some(&resolv));
        for (what, family, callout) in [(whats[0], Family::Ipv4, ""), (whats[1], Family::Both, "list")] {
            let forget = || server.iter().for_each(Server::clear);
            forget();
            let glibc = timed(|| glibc(row.name, family).each_once());
            forget();
            let ours = timed(|| helper(row.name, callout));
            pairs.push(Pair { what, glibc, ours });
        }
    }
    pairs
}

#[test]
fn one_row() {
    let Ok(number) = std::env::var(ROW) else { return };
    if !inside("compare::one_row") {
        return;
    }
    write("nsswitch.conf", Some("hosts: dns\n"));
    let row = &rows()[number.parse::<usize>().unwrap()];
    for pair in look_at(row) {
        println!("\npair\t{pair}");
    }
}

/// The lines of one row, each with its fields.
fn lines(number: usize) -> Vec<Vec<String>> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "compare::one_row", "--nocapture", "--test-threads=1"])
        .env(ROW, number.to_string())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("pair\t"));
    let lines: Vec<Vec<String>> = lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    assert_eq!(lines.len(), 4, "row {number}: {text}");
    lines
}

/// The same. A row in which anything is wrong is looked at again: on a busy machine, an answer is late now and then, which
/// counts as none.
fn settled_lines(row: &Row, number: usize, again: &AtomicUsize) -> Vec<Vec<String>> {
    let is_fine = |line: &Vec<String>| {
        let excess = Duration::from_millis(line[6].parse().unwrap());
        (line[5] == "true" || row.differs.is_some()) && excess <= MARGIN
    };
    let mut found = lines(number);
    for _ in 0..2 {
        if found.iter().all(is_fine) {
            break;
        }
        println!("{}: once more, since it was {found:?}", row.what);
        again.fetch_add(1, Ordering::Relaxed);
        found = lines(number);
    }
    found
}

#[test]
fn each_server_gives_the_answer_of_glibc_and_not_much_later() {
    if let Some(reason) = obstacle() {
        return skip(reason);
    }
    let _turn = turn();
    let rows = rows();
    let wanted = std::env::var("ZOO_ROW").unwrap_or_default();
    let numbers: Vec<usize> = (0..rows.len()).filter(|number| rows[*number].what.contains(&wanted)).collect();
    let (next, again) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = Progress::new("zoo", Some(numbers.len()));
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..BESIDE {
            scope.spawn(|| {
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let lines = settled_lines(&rows[*number], *number, &again);
                    progress.step(rows[*number].what);
                    done.lock().unwrap().push((*number, lines));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _)| *number);
    let (mut other, mut late, mut much_later) = (Vec::new(), 0, Vec::new());
    println!("{} servers; time in seconds", done.len());
    for (number, lines) in &done {
        let Row { what, source, differs, .. } = &rows[*number];
        println!("{what} [{source}]");
        for line in lines {
            let [kind, glibc, theirs, ours, time, same, excess] = line.as_slice() else { panic!("{line:?}") };
            let mut remark = String::new();
            if same != "true" {
                if let Some(why) = differs {
                    remark = format!("  differs: {why}");
                } else {
                    remark.push_str("  OTHERWISE");
                    other.push(format!("{what}, {kind}: {ours}, and glibc {glibc}"));
                }
            }
            let excess = Duration::from_millis(excess.parse().unwrap());
            if !excess.is_zero() {
                late += 1;
                remark.push_str(&format!("  LATE by {:.2}", excess.as_secs_f64()));
                if excess > MARGIN {
                    much_later.push(format!("{what}, {kind}: {time} s, and glibc {theirs} s"));
                }
            }
            println!("    {kind:<18} glibc {glibc:<26} {theirs:>6}   ours {ours:<26} {time:>6}{remark}");
        }
    }
    let again = again.into_inner();
    println!(
        "{} lookups, {} otherwise without a reason, {late} late; rows looked at again: {again}",
        done.len() * 4,
        other.len()
    );
    assert_eq!(other, Vec::<String>::new(), "lookups that end otherwise than glibc's");
    assert_eq!(much_later, Vec::<String>::new(), "lookups that take much longer than glibc's");
    assert!(again <= 5, "{again} rows were otherwise at first");
}
