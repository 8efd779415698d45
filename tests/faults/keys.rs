//! Others lay hands on the key while it is being answered.
//!
//! To invalidate a key under construction is left out: the kernel waits for itself then, and takes the caller with it.
//! Whoever revokes it waits for the answer, so that it is the caller who finds it revoked.

use crate::injector::BLOWS;
use crate::outcome::{Report, judge};
use crate::plan::{Blow, Plan};
use crate::scenes::SCENES;
use crate::support::asking::Ask;
use crate::support::machine::Machine;
use crate::sweep::{baseline, stand_in};
use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub fn run(machine: &mut Machine, report: &mut Report) {
    stand_in(machine);
    let scene = &SCENES[0];
    let _servers = scene.set_up(machine);
    let (answer, calls) = baseline(scene);
    // What a caller sees who has no right to its own key any more, or no keyring that would hold it.
    let barred: &[&str] = &["Permission denied", "Required key not available"];
    let no_keyring: &[&str] = &["Permission denied", "Key has been revoked", "Required key not available"];
    for (name, blow, step, also) in [
        ("revoked", Blow::Revoke, 1, &["Key has been revoked", "Required key not available"][..]),
        ("rejected", Blow::Reject, 1, &["Key was rejected by service"]),
        ("instantiated", Blow::Instantiate, 1, &[]),
        // Each of these takes a second.
        ("expired", Blow::Expire, 6, &["Key has expired", "Required key not available"]),
        ("closed to all", Blow::SetPerm, 1, barred),
        ("given to another group", Blow::ChangeGroup, 1, &[]),
        ("given to another user", Blow::ChangeOwner, 1, barred),
        ("taken out of its keyring", Blow::Unlink, 1, barred),
        ("in a keyring that is cleared", Blow::Clear, 1, barred),
        ("in a keyring that takes no more", Blow::Restrict, 1, &["Operation not permitted"]),
        ("in a keyring that is revoked", Blow::RevokeKeyring, 1, no_keyring),
    ] {
        report.group(&format!("the key is {name} under us"), |group| {
            let places: Vec<usize> = (0..calls.len())
                .step_by(step)
                .filter(|&place| !crate::calls::LAST.contains(&calls[place].0))
                .collect();
            let _ = fs::remove_file(BLOWS);
            let next = AtomicUsize::new(0);
            let work = || {
                let mut outcomes = Vec::new();
                while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let word = Plan::Key(place, blow).to_string();
                    let seen = Ask { callout: word.as_bytes(), ..Ask::new(scene.description) }.once();
                    let theirs = blow == Blow::Instantiate && seen.payload.as_deref() == Ok(b"192.0.2.99");
                    let outcome = if theirs { Ok(()) } else { judge(&seen, &answer, also) };
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
            // Who revokes a key may wait beyond the case, and after the answer there is no more authority.
            let text = fs::read_to_string(BLOWS).unwrap_or_default();
            let done = text.lines().filter(|line| *line == "done").count();
            println!("    it came to pass {done} times of {}", places.len());
            let other: BTreeSet<&str> = text.lines().filter(|line| *line != "done").collect();
            println!("    otherwise: {}", other.into_iter().collect::<Vec<_>>().join("; "));
            group.case("it came to pass", if done * 2 > places.len() { Ok(()) } else { Err(text) });
        });
    }
}
