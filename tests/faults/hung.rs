//! A file of a file system that does not answer.

use crate::outcome::{DEADLINE, Report, judge_in, nobody_left};
use crate::scenes::SCENES;
use crate::support::asking::{Ask, error};
use crate::support::fuse::{FuseFile, Hang};
use crate::support::machine::{Machine, SETTINGS};
use std::path::Path;
use std::time::Duration;

/// How long a file hangs that is answered for in the end.
const HANGS: u64 = 30;
/// The time of the alarm with the deadline that the settings have, and without settings; and what comes after it.
const ALARM: u64 = DEADLINE as u64 + 1;
const FIRST_ALARM: u64 = 21;
const KILLED_AFTER: u64 = 10;
const BUSY: u64 = 12;
/// The program of a rule.
const PROGRAM: &str = "/run/key-dns-hung-program";

pub fn run(machine: &mut Machine, report: &mut Report) {
    machine.use_our_request_key();
    report.group("a file hangs in a FUSE file system", |group| {
        if !Path::new("/dev/fuse").exists() {
            return crate::support::skip("there is no /dev/fuse");
        }
        let scene = &SCENES[0];
        let settings: &str = "deadline = 3\n";
        for (file, text, alarm) in [
            ("/etc/hosts", "127.0.0.1 localhost\n", ALARM),
            ("/etc/resolv.conf", "nameserver 127.53.0.1\n", ALARM),
            (SETTINGS, settings, FIRST_ALARM),
        ] {
            for (hang, what, longest) in [
                // Nothing but SIGKILL ends such a wait, and the kernel says that there is no key.
                (Hang::Stopped, "is stopped", alarm + KILLED_AFTER),
                // Not even that does. It is over with the answer.
                (Hang::Answers(Duration::from_secs(HANGS)), "answers after 30 s", HANGS.max(alarm)),
                (Hang::Answers(Duration::from_secs(1)), "answers after 1 s", 1),
            ] {
                let mark = machine.mark();
                let _servers = scene.set_up(machine);
                let hung = FuseFile::mount(file, text, hang);
                let seen = scene.ask("");
                println!("    {file}, its daemon {what}: {:?} after {:?}", shown(&seen.payload), seen.took);
                drop(hung);
                let limit = Duration::from_secs(longest + BUSY);
                let also = ["Required key not available", error::ENODATA];
                group.case(&format!("{file}: {what}"), judge_in(limit, &seen, b"192.0.2.1", &also));
                machine.rewind(mark);
            }
        }
        group.case("processes after them", nobody_left());
    });
    report.group("a program hangs in a FUSE file system as it is started", |group| {
        if !Path::new("/dev/fuse").exists() {
            return crate::support::skip("there is no /dev/fuse");
        }
        for pipe in ["", "|"] {
            let mark = machine.mark();
            machine.rule(&format!("create dns_resolver * * {pipe}{PROGRAM} %k"));
            machine.script(PROGRAM, "#!/bin/sh\n");
            // What the file is, it says at once.
            let hung = FuseFile::mount(PROGRAM, "#!/bin/sh\n", Hang::Answers(Duration::from_secs(HANGS)));
            let seen = Ask::new("v4.example.test").once();
            println!("    {pipe}{PROGRAM}: {:?} after {:?}", shown(&seen.payload), seen.took);
            // SIGKILL does not end it either while it waits for an answer.
            drop(hung);
            let limit = Duration::from_secs(HANGS - 1);
            group.case(&format!("{pipe}{PROGRAM}"), judge_in(limit, &seen, b"192.0.2.1", &[]));
            machine.rewind(mark);
        }
        group.case("processes after them", nobody_left());
    });
}

fn shown(payload: &Result<Vec<u8>, String>) -> String {
    payload.as_ref().map_or_else(Clone::clone, |bytes| bytes.escape_ascii().to_string())
}
