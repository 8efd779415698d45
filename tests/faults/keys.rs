//! Others lay hands on the key while it is being answered.
//!
//! To invalidate a key under construction is left out: the kernel waits for itself then, and takes the caller with it.
//! Whoever revokes it waits for the answer, so that it is the caller who finds it revoked.

use crate::outcome::{Report, judge};
use crate::plan::{Blow, Plan};
use crate::scenes::SCENES;
use crate::support::asking::Ask;
use crate::support::machine::Machine;
use crate::sweep::{baseline, stand_in};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub fn run(machine: &mut Machine, report: &mut Report) {
    stand_in(machine);
    let scene = &SCENES[0];
    let _servers = scene.set_up(machine);
    let (answer, calls) = baseline(scene);
    for (name, blow, step, also) in [
        ("revoked", Blow::Revoke, 1, ["Key has been revoked", "Required key not available"]),
        ("rejected", Blow::Reject, 1, ["Key was rejected by service"; 2]),
        ("instantiated", Blow::Instantiate, 1, [""; 2]),
        // Each of these takes a second.
        ("expired", Blow::Expire, 6, ["Key has expired", "Required key not available"]),
    ] {
        report.group(&format!("the key is {name} under us"), |group| {
            let places: Vec<usize> = (0..calls.len())
                .step_by(step)
                .filter(|&place| !crate::calls::LAST.contains(&calls[place].0))
                .collect();
            let next = AtomicUsize::new(0);
            let work = || {
                let mut outcomes = Vec::new();
                while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let word = Plan::Key(place, blow).to_string();
                    let seen = Ask { callout: word.as_bytes(), ..Ask::new(scene.description) }.once();
                    let theirs = blow == Blow::Instantiate && seen.payload.as_deref() == Ok(b"192.0.2.99");
                    let outcome = if theirs { Ok(()) } else { judge(&seen, &answer, &also) };
                    let what =
                        format!("before call {place}, {}", crate::calls::by_number(calls[place].0).name);
                    outcomes.push((what, outcome));
                }
                outcomes
            };
            let outcomes: Vec<_> = thread::scope(|scope| {
                let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
                workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
            });
            for (what, outcome) in outcomes {
                group.case(&what, outcome);
            }
        });
    }
}
