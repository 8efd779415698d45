//! Each system call of each lookup fails in turn, is interrupted, or is cut short.

use crate::calls::{self, LAST};
use crate::injector::{PROGRAM, TRACE};
use crate::outcome::{Group, Report, judge, nobody_left};
use crate::plan::Plan;
use crate::scenes::{SCENES, Scene};
use crate::support::executable;
use crate::support::machine::{HELPER, Machine, RULES, UPCALL, error};
use nix::libc;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many cases are under way at once.
const WORKERS: usize = 4;

/// Signals that end a process, each where it comes in between any two system calls.
const SIGNALS: [i32; 5] = [libc::SIGTERM, libc::SIGALRM, libc::SIGPIPE, libc::SIGUSR1, libc::SIGTRAP];

/// Lets this executable be what the kernel calls.
pub fn stand_in(machine: &mut Machine) {
    machine.one_program(&[HELPER, PROGRAM], &executable());
    // Where our rule can't be read, no other helper is to answer.
    machine.file(RULES, "");
    machine.program(UPCALL, &std::env::current_exe().unwrap());
}

/// The answer of a lookup in which nothing is broken, and its system calls with their first arguments.
pub fn baseline(scene: &Scene) -> (Vec<u8>, Vec<(i64, u64)>) {
    let seen = scene.ask(&Plan::Trace.to_string());
    let answer = seen.payload.unwrap_or_else(|error| panic!("{}: {error}", scene.name));
    let trace = fs::read_to_string(TRACE).unwrap();
    let calls = trace.lines().map(|line| {
        let (number, first) = line.split_once(' ').unwrap();
        (number.parse().unwrap(), first.parse().unwrap())
    });
    (answer, calls.collect())
}

pub fn run(machine: &mut Machine, report: &mut Report) {
    stand_in(machine);
    for scene in &SCENES {
        let _servers = scene.set_up(machine);
        let (answer, calls) = baseline(scene);
        let plans = |make: &dyn Fn(usize, i64) -> Vec<Plan>| -> Vec<Plan> {
            let places = calls.iter().enumerate().filter(|(_, (number, _))| !LAST.contains(number));
            places.flat_map(|(place, (number, _))| make(place, *number)).collect()
        };
        let each = |place, number| {
            calls::by_number(number).errnos.iter().map(|errno| Plan::Fail(place, *errno)).collect()
        };
        // What comes before belongs to the C library and the standard library, which end the process when it fails, and
        // to the first memory that is taken. glibc sets the alarm by the one call, musl by the other.
        let alarm = |(number, _): &(i64, u64)| [libc::SYS_alarm, libc::SYS_setitimer].contains(number);
        let start = calls.iter().position(alarm).unwrap();
        let held = calls.iter().position(|(number, _)| *number == libc::SYS_rt_sigprocmask).unwrap();
        report.group(&format!("{}: a system call fails", scene.name), |group| {
            all(group, scene, &answer, &calls, &plans(&each), start);
        });
        let signalled = |place, _| SIGNALS.map(|signal| Plan::Signal(place, signal)).to_vec();
        report.group(&format!("{}: a signal comes", scene.name), |group| {
            // The first call that is ours has signals wait until the handlers are set. Before it, a signal ends the process,
            // and the kernel says that there is no key.
            all(group, scene, &answer, &calls, &plans(&signalled), held + 1);
        });
        report.group(&format!("{}: a system call always fails", scene.name), |group| {
            let mut numbers: Vec<i64> = calls.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            // Without keyctl() there is no way to answer at all.
            numbers.retain(|number| !LAST.contains(number) && *number != libc::SYS_keyctl);
            let plans = numbers.iter().flat_map(|number| {
                // Before the start, no alarm ends a call that is interrupted for ever and made again.
                let endless = |errno| errno == libc::EINTR && first(&calls, *number) < start;
                let errnos = calls::by_number(*number).errnos.iter().filter(move |errno| !endless(**errno));
                errnos.map(|errno| Plan::Always(*number, *errno))
            });
            all(group, scene, &answer, &calls, &plans.collect::<Vec<_>>(), start);
        });
        report.group(&format!("{}: every read is short", scene.name), |group| {
            let seen = scene.ask(&Plan::Short.to_string());
            group.case("one byte at a time", judge(&seen, &answer, &[]));
        });
    }
}

/// The place of the first call of this number.
fn first(calls: &[(i64, u64)], wanted: i64) -> usize {
    calls.iter().position(|(number, _)| *number == wanted).unwrap()
}

/// Runs the cases, some at once, and after them a lookup in which nothing is broken. What is broken before the
/// call at `start` may end the process without an answer.
fn all(group: &mut Group, scene: &Scene, answer: &[u8], calls: &[(i64, u64)], plans: &[Plan], start: usize) {
    let lost: &[&str] = &["Required key not available"];
    let nothing: &[&str] = &[error::ENODATA, "Required key not available"];
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
            let seen = scene.ask(&plan.to_string());
            let also = match *plan {
                Plan::Fail(place, _) | Plan::Signal(place, _) if place < start => lost,
                Plan::Always(number, _) if first(calls, number) < start => lost,
                // A file that is not there has nothing to say, be it of hosts or of rules.
                Plan::Fail(_, libc::ENOENT) | Plan::Always(_, libc::ENOENT) => nothing,
                _ => &[],
            };
            outcomes.push((describe(*plan, calls), judge(&seen, answer, also)));
        }
        outcomes
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    for (what, outcome) in outcomes {
        group.case(&what, outcome);
    }
    let after = scene.ask("");
    let well = if after.payload.as_deref() == Ok(answer) { Ok(()) } else { Err(format!("{after:?}")) };
    group.case("a lookup after them", well);
    group.case("processes after them", nobody_left());
}

/// A plan for people: the call, its place, and what it fails with.
fn describe(plan: Plan, calls: &[(i64, u64)]) -> String {
    let name = |place: usize| {
        let (number, first) = calls[place];
        match number {
            libc::SYS_keyctl => format!("call {place}, keyctl({first})"),
            _ => format!("call {place}, {}", calls::by_number(number).name),
        }
    };
    let errno = |errno| nix::errno::Errno::from_raw(errno);
    match plan {
        Plan::Fail(place, number) => format!("{}: {}", name(place), errno(number)),
        Plan::Always(number, error) => format!("every {}: {}", calls::by_number(number).name, errno(error)),
        Plan::Signal(place, signal) => format!("{}: signal {signal}", name(place)),
        other => other.to_string(),
    }
}
