//! The process is stopped at each step, and goes on soon, after its deadline, or never.

use crate::calls::{LAST, by_number};
use crate::outcome::{DEADLINE, Report, judge, judge_in, nobody_left};
use crate::plan::Plan;
use crate::scenes::{SCENES, Scene};
use crate::support::asking::Seen;
use crate::support::machine::Machine;
use crate::sweep::{baseline, stand_in};
use nix::libc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How long after its alarm a process is killed, in seconds, and what a busy machine adds.
const KILLED_AFTER: u64 = 10;
const BUSY: u64 = 12;
/// The deadline before the settings are read.
const FIRST_DEADLINE: u64 = 20;

pub fn run(machine: &mut Machine, report: &mut Report) {
    stand_in(machine);
    let scene = &SCENES[0];
    let name = scene.name;
    report.group(&format!("{name}: stopped for a while"), |group| {
        let _servers = scene.set_up(machine);
        let (answer, calls) = baseline(scene);
        for (place, seen) in each(scene, &places(&calls, 0, 1), 300, 8) {
            group.case(&describe(&calls, place), judge(&seen, &answer, &[]));
        }
        group.case("processes after them", nobody_left());
    });
    report.group(&format!("{name}: stopped until after the deadline"), |group| {
        let _servers = scene.set_up(machine);
        let (answer, calls) = baseline(scene);
        let (_, from) = timers(&calls);
        let longer = 1000 * (DEADLINE + 1) + 700;
        for (place, seen) in each(scene, &places(&calls, from, 5), longer, 24) {
            group.case(&describe(&calls, place), judge(&seen, &answer, &[]));
        }
        group.case("processes after them", nobody_left());
    });
    report.group(&format!("{name}: stopped for good"), |group| {
        let _servers = scene.set_up(machine);
        let (answer, calls) = baseline(scene);
        let (timer, deadline) = timers(&calls);
        let mut longest = Duration::ZERO;
        // The kernel says that there is no key.
        let lost = ["Required key not available"];
        for (place, seen) in each(scene, &places(&calls, timer, 7), 0, 40) {
            let alarm = 1 + if place <= deadline { FIRST_DEADLINE } else { DEADLINE.into() };
            let limit = Duration::from_secs(alarm + KILLED_AFTER + BUSY);
            if place > deadline {
                longest = longest.max(seen.took);
            }
            group.case(&describe(&calls, place), judge_in(limit, &seen, &answer, &lost));
        }
        println!("    with a deadline of {DEADLINE} s, the caller waits up to {longest:?}");
        group.case("processes after them", nobody_left());
    });
}

/// The calls after the one at `from`, each of so many.
fn places(calls: &[(i64, u64)], from: usize, step: usize) -> Vec<usize> {
    let last = |place: &usize| LAST.contains(&calls[*place].0);
    (0..calls.len())
        .skip(if from == 0 { 0 } else { from + 1 })
        .step_by(step)
        .filter(|place| !last(place))
        .collect()
}

/// The places of the calls that first set the timer which kills the process, and set it to the deadline of the settings.
fn timers(calls: &[(i64, u64)]) -> (usize, usize) {
    let set: Vec<usize> =
        (0..calls.len()).filter(|&place| calls[place].0 == libc::SYS_timer_settime).collect();
    let [first, second] = set.as_slice() else { panic!("{set:?}") };
    (*first, *second)
}

/// What callers see whose helper is stopped at these places, so many at once.
fn each(scene: &Scene, places: &[usize], time: u32, at_once: usize) -> Vec<(usize, Seen)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut seen = Vec::new();
        while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            seen.push((place, scene.ask(&Plan::Stop(place, time).to_string())));
        }
        seen
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn describe(calls: &[(i64, u64)], place: usize) -> String {
    format!("at call {place}, {}", by_number(calls[place].0).name)
}
