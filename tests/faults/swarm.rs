//! Many upcalls at once.

use crate::dns::{Action, Script};
use crate::outcome::{Report, judge, judge_in, nobody_left};
use crate::scenes::SCENES;
use crate::serving::{ADDRESS, server};
use crate::support::asking::{Ask, helpers};
use crate::support::machine::Machine;
use std::fs;
use std::thread;
use std::time::Duration;

/// As many as an array of mounts may start at boot.
const UPCALLS: usize = 500;

/// How long each may take: the deadline, and what so many take to be started.
const LONGEST: Duration = Duration::from_secs(55);

/// What they may take together, in KiB.
const MEMORY: u64 = 512 * 1024;

pub fn run(machine: &mut Machine, report: &mut Report) {
    report.group("500 upcalls at once, in 512 MB", |group| {
        machine.use_our_request_key();
        let scene = &SCENES[0];
        drop(scene.set_up(machine));
        machine.settings("deadline = 30\n");
        machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:25 attempts:1\n"));
        let zone = (0..UPCALLS).fold(crate::serving::hosts(), |zone, number| {
            zone.a(&format!("many{number}"), [10, 0, 1, 1], 300)
        });
        // All of them are under way before the first has its answer.
        let late = Script::new().on_all(Action::delay(Duration::from_secs(12), Action::Zone));
        let _server = server(ADDRESS).zone(zone).script(late).start();
        let (outcomes, most, memory) = thread::scope(|scope| {
            let asking: Vec<_> = (0..UPCALLS)
                .map(|number| scope.spawn(move || Ask::new(&format!("many{number}.example.test")).once()))
                .collect();
            let (mut most, mut memory) = (0, 0);
            while asking.iter().any(|asking| !asking.is_finished()) {
                let now = helpers();
                most = most.max(now.len());
                memory = memory.max(now.into_iter().filter_map(proportional).sum());
                thread::sleep(Duration::from_millis(100));
            }
            let outcomes: Vec<_> = asking.into_iter().map(|asking| asking.join().unwrap()).collect();
            (outcomes, most, memory)
        });
        println!("    {most} helpers at a time, {memory} KiB together");
        for seen in &outcomes {
            group.case("one of many", judge_in(LONGEST, seen, b"10.0.1.1", &[]));
        }
        let fits = if memory <= MEMORY { Ok(()) } else { Err(format!("{memory} KiB")) };
        group.case("their memory", fits);
        let many = if most * 10 >= UPCALLS * 9 {
            Ok(())
        } else {
            Err(format!("only {most} were under way at once"))
        };
        group.case("their number", many);
        group.case("processes after them", nobody_left());
        let after = scene.ask("");
        group.case("a lookup after them", judge(&after, b"192.0.2.1", &[]));
    });
}

/// The memory of a process in KiB, what it shares with others divided among them.
fn proportional(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
