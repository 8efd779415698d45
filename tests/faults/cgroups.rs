//! A helper in a control group that has little memory, or room for few processes.

use crate::outcome::{Report, judge, nobody_left};
use crate::scenes::SCENES;
use crate::support::machine::{HELPER, Machine};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// A script that goes into the group and becomes the helper.
const INTO_GROUP: &str = "/usr/libexec/key-dns/into-group";
/// The name of the group.
const NAME: &str = "key-dns-tests";

/// A controller of this machine: the folder of a group of ours, and the file that holds its limit.
struct Controller {
    group: PathBuf,
    limit: PathBuf,
}

impl Controller {
    /// In a hierarchy of its own, or in the one for all.
    fn find(machine: &mut Machine, name: &str, old: &str, new: &str) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup");
        let own = root.join(name);
        let (parent, limit) = if own.join("cgroup.procs").exists() {
            (own, old)
        } else {
            let controllers = fs::read_to_string(root.join("cgroup.controllers")).ok()?;
            controllers.split_whitespace().find(|known| *known == name)?;
            fs::write(root.join("cgroup.subtree_control"), format!("+{name}")).ok()?;
            (root.to_owned(), new)
        };
        let group = parent.join(NAME);
        machine.command("true", &format!("rmdir {}", group.display()));
        fs::create_dir(&group).unwrap();
        Some(Self { limit: group.join(limit), group })
    }

    /// Sets the limit of a group that is new: what is left of earlier processes would count as well.
    fn limit(&self, limit: u64) {
        // A process may be ending in it.
        let start = Instant::now();
        while let Err(error) = fs::remove_dir(&self.group) {
            assert!(start.elapsed() < Duration::from_secs(10), "{error}");
            thread::sleep(Duration::from_millis(10));
        }
        fs::create_dir(&self.group).unwrap();
        fs::write(&self.limit, limit.to_string()).unwrap();
    }
}

pub fn run(machine: &mut Machine, report: &mut Report) {
    machine.use_our_request_key();
    let sizes: Vec<u64> = (0..24).map(|step| 4096 * (1 << (step / 2)) * (2 + step % 2)).collect();
    let memory = ("memory", "memory.limit_in_bytes", "memory.max", sizes);
    let processes = ("pids", "pids.max", "pids.max", vec![0, 1, 2, 3]);
    for (name, old, new, limits) in [memory, processes] {
        report.group(&format!("a control group's limit: {name}"), |group| {
            let mark = machine.mark();
            let Some(controller) = Controller::find(machine, name, old, new) else {
                return crate::support::skip(&format!("there are no control groups with {name}"));
            };
            let procs = controller.group.join("cgroup.procs");
            machine.script(
                INTO_GROUP,
                &format!("#!/bin/sh\necho 0 > {} && exec {HELPER} \"$1\"\n", procs.display()),
            );
            let (mut answered, mut longest) = (0, Duration::ZERO);
            for scene in [&SCENES[0], &SCENES[2], &SCENES[5], &SCENES[6]] {
                let mark = machine.mark();
                let _servers = scene.set_up(machine);
                let answer = scene.ask("").payload.unwrap();
                machine.rule(&format!("create dns_resolver * * {INTO_GROUP} %k"));
                for limit in &limits {
                    controller.limit(*limit);
                    let seen = scene.ask("");
                    // The kernel kills what has no memory, and says that there is no key then.
                    let lost = ["Required key not available"];
                    group.case(&format!("{}: {limit}", scene.name), judge(&seen, &answer, &lost));
                    answered += usize::from(seen.payload.is_ok());
                    longest = longest.max(seen.took);
                }
                machine.rewind(mark);
            }
            println!(
                "    {answered} of {} answered with addresses; the longest took {longest:?}",
                limits.len() * 4
            );
            let some = if answered > 0 { Ok(()) } else { Err("none was answered".to_owned()) };
            group.case("enough is enough", some);
            group.case("processes after them", nobody_left());
            machine.rewind(mark);
        });
    }
}
