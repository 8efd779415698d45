//! A host that is not as it should be: its files, its limits, its network, its name servers, its clock.

use crate::dns::{Action, Script, Server};
use crate::outcome::{DEADLINE, Group, Report, judge, nobody_left};
use crate::scenes::SCENES;
use crate::serving::{ADDRESS, hosts, server};
use crate::support::asking::{Ask, Seen, caught, error};
use crate::support::machine::{HELPER, Machine, SETTINGS};
use crate::support::{run as command, scratch};
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The files that a lookup reads.
const FILES: [&str; 9] = [
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    SETTINGS,
    "/etc/kafs/client.conf",
    "/usr/share/kafs/cellservdb.conf",
    "/etc/openafs/CellServDB",
];

pub fn run(machine: &mut Machine, report: &mut Report) {
    machine.use_our_request_key();
    report.group("the log is absent, full, or never read", |group| log(machine, group));
    report.group("a file can't be read, or is 100 MB of something", |group| files(machine, group));
    report.group("files are written while they are read", |group| torn(machine, group));
    report.group("memory and other limits", |group| limits(machine, group));
    report.group("no descriptors, no network", |group| bare(machine, group));
    report.group("a name server that plays games", |group| games(machine, group));
    report.group("the clock is set", |group| clock(machine, group));
}

/// The ways to a name, an address list and a cell.
fn all_scenes(
    machine: &mut Machine,
    group: &mut Group,
    what: &str,
    also: &[&str],
    spoil: &mut dyn FnMut(&mut Machine),
) {
    for scene in &SCENES {
        let mark = machine.mark();
        let _servers = scene.set_up(machine);
        let before = scene.ask("");
        let answer = before.payload.unwrap_or_else(|error| panic!("{}: {error}", scene.name));
        spoil(machine);
        group.case(&format!("{}: {what}", scene.name), judge(&scene.ask(""), &answer, also));
        machine.rewind(mark);
    }
    group.case(&format!("{what}: processes"), nobody_left());
}

fn log(machine: &mut Machine, group: &mut Group) {
    let rules = [Action::Zone, Action::NXDOMAIN, Action::SERVFAIL];
    let ask = |machine: &mut Machine, group: &mut Group, what: &str| {
        for (action, errno) in
            rules.clone().into_iter().zip([None, Some(error::ENODATA), Some(error::EAGAIN)])
        {
            machine.name_servers(&[ADDRESS]);
            machine.settings("log = all\n");
            let _server = server(ADDRESS).zone(hosts()).script(Script::new().on_all(action)).start();
            let seen = machine.ask("v4.example.test", "");
            let outcome = match errno {
                None => judge(&seen, b"192.0.2.1", &[]),
                Some(errno) if seen.payload == Err(errno.to_owned()) => Ok(()),
                Some(_) => Err(format!("{:?}", seen.payload)),
            };
            group.case(what, outcome);
        }
    };
    let mark = machine.mark();
    machine.no_syslog();
    ask(machine, group, "absent");
    machine.rewind(mark);
    let syslog = machine.syslog();
    ask(machine, group, "never read");
    syslog.fill();
    ask(machine, group, "full");
    drop(syslog);
    ask(machine, group, "nobody listens");
    machine.rewind(mark);
    let mark = machine.mark();
    gone(machine, group);
    machine.rewind(mark);
}

/// The daemon ends while a lookup waits, by its answer or by the deadline; and another may have come in its place.
fn gone(machine: &mut Machine, group: &mut Group) {
    let scene = &SCENES[0];
    drop(scene.set_up(machine));
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:30 attempts:1\n"));
    machine.settings(format!("deadline = {DEADLINE}\nlog = all\n"));
    let late = |action| Script::new().on_all(Action::delay(Duration::from_secs(1), action));
    for another in [false, true] {
        for (what, script, answered) in [
            ("and then an answer", late(Action::Zone), true),
            ("and then an error", late(Action::SERVFAIL), false),
            ("and then the deadline", Script::new().on_all(Action::Silence), false),
        ] {
            let mark = machine.mark();
            let syslog = machine.syslog();
            let server = server(ADDRESS).zone(hosts()).script(script).start();
            let seen = thread::scope(|scope| {
                let asking = scope.spawn(|| scene.ask(""));
                assert!(server.wait(1, Duration::from_secs(60)), "no query");
                thread::sleep(Duration::from_millis(300));
                drop(syslog);
                let _another = another.then(|| {
                    fs::remove_file("/dev/log").unwrap();
                    std::os::unix::net::UnixDatagram::bind("/dev/log").unwrap()
                });
                asking.join().unwrap()
            });
            let outcome = match (&seen.payload, answered) {
                (Ok(payload), true) if payload == b"192.0.2.1" => Ok(()),
                (Err(errno), false) if errno == error::EAGAIN => Ok(()),
                (other, _) => Err(format!("{other:?}")),
            };
            group.case(&format!("ends {what}"), outcome.and_then(|()| judge(&seen, b"192.0.2.1", &[])));
            machine.rewind(mark);
        }
    }
    group.case("processes after them", nobody_left());
}

fn files(machine: &mut Machine, group: &mut Group) {
    for file in FILES {
        all_scenes(machine, group, &format!("{file} can't be read"), &[error::ENODATA], &mut |machine| {
            machine.unreadable(file);
        });
    }
    let huge = scratch("huge");
    for (kind, line) in [("lines", "192.0.2.50 a b c\n"), ("one line", "nameserver "), ("NULs", "\0\0\0\0")] {
        let mut out = std::io::BufWriter::new(fs::File::create(&huge).unwrap());
        for _ in 0..100_000_000 / line.len() {
            out.write_all(line.as_bytes()).unwrap();
        }
        drop(out);
        for file in FILES {
            let what = format!("{file} is 100 MB: {kind}");
            all_scenes(machine, group, &what, &[error::ENODATA], &mut |machine| machine.place(file, &huge));
        }
    }
    fs::remove_file(&huge).unwrap();
}

fn torn(machine: &mut Machine, group: &mut Group) {
    let scene = &SCENES[0];
    let _servers = scene.set_up(machine);
    // Whatever part of a file is seen, the name has no other address.
    for (file, text) in [
        ("/etc/hosts", "192.0.2.1 v4.example.test\n# more\n".repeat(400)),
        ("/etc/resolv.conf", format!("options timeout:1 attempts:1\nnameserver {ADDRESS}\n#\n").repeat(40)),
        ("/etc/nsswitch.conf", format!("hosts: files dns\n{}", "passwd: files\n".repeat(80))),
        (SETTINGS, format!("deadline = {DEADLINE}\nlog = failures\n").repeat(40)),
    ] {
        let stop = AtomicBool::new(false);
        machine.file(file, &text);
        thread::scope(|scope| {
            scope.spawn(|| {
                let open = fs::File::options().write(true).open(file).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    open.set_len(0).unwrap();
                    let (start, rest) = text.as_bytes().split_at(text.len() / 3);
                    open.write_all_at(start, 0).unwrap();
                    open.write_all_at(rest, start.len() as u64).unwrap();
                }
            });
            for _ in 0..50 {
                // A resolv.conf without servers means the server of this host, which there is not.
                group.case(file, judge(&scene.ask(""), b"192.0.2.1", &[]));
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}

fn limits(machine: &mut Machine, group: &mut Group) {
    let mut rules: Vec<String> = Vec::new();
    // In steps of a third, from too little to load the program to more than enough.
    for size in
        std::iter::successors(Some(200_u64), |size| Some(size * 4 / 3)).take_while(|size| *size < 300_000)
    {
        rules.extend(["as", "data"].map(|kind| format!("--{kind}={}", size * 1024)));
    }
    rules.extend((0..12).map(|files| format!("--nofile={files}")));
    rules.extend([0, 4096, 16384, 65536].map(|stack| format!("--stack={stack}")));
    rules.extend(
        ["--nproc=0", "--fsize=0", "--memlock=0", "--sigpending=0", "--core=0", "--rtprio=0"]
            .map(str::to_owned),
    );
    for scene in [&SCENES[0], &SCENES[2], &SCENES[6]] {
        let mark = machine.mark();
        let _servers = scene.set_up(machine);
        let answer = scene.ask("").payload.unwrap();
        for limit in &rules {
            machine.rule(&format!("create dns_resolver * * /usr/bin/prlimit {limit} {HELPER} %k"));
            group.case(&format!("{}: {limit}", scene.name), judge(&scene.ask(""), &answer, &[]));
        }
        machine.rewind(mark);
    }
}

fn bare(machine: &mut Machine, group: &mut Group) {
    for program in [
        format!("{CLOSED} %k"),
        format!("/usr/bin/unshare -n {HELPER} %k"),
        format!("/usr/bin/env -i {HELPER} %k"),
        format!("/usr/bin/unshare --time --monotonic 1000000000 {HELPER} %k"),
        format!("/usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups {HELPER} %k"),
        format!("/usr/bin/setpriv --bounding-set -all --inh-caps -all {HELPER} %k"),
        format!("/usr/bin/setpriv --no-new-privs {HELPER} %k"),
    ] {
        all_scenes(machine, group, &program, &[], &mut |machine| {
            machine.script(CLOSED, &format!("#!/bin/sh\nexec {HELPER} \"$1\" <&- >&- 2>&-\n"));
            machine.rule(&format!("create dns_resolver * * {program}"));
        });
    }
}

/// A script that runs the helper with no descriptor open.
const CLOSED: &str = "/usr/libexec/key-dns/closed";

fn games(machine: &mut Machine, group: &mut Group) {
    let scene = &SCENES[0];
    let turns = |turns: Vec<Action>| Script::new().with(move |_, _, nth| turns[nth % turns.len()].clone());
    let second = Duration::from_secs(1);
    for (what, script) in [
        (
            "one byte a second over TCP",
            Script::new().on_all(Action::truncate_then_tcp(Action::tcp_drip(second, Action::Zone))),
        ),
        (
            "closes in the middle",
            Script::new().on_all(Action::truncate_then_tcp(Action::tcp_cut(20, Action::Zone))),
        ),
        ("closes before the answer", Script::new().on_all(Action::truncate_then_tcp(Action::TcpClose))),
        ("never an answer over TCP", Script::new().on_all(Action::truncate_then_tcp(Action::Silence))),
        (
            "each retry another error",
            turns(vec![Action::SERVFAIL, Action::REFUSED, Action::Garbage, Action::FORMERR]),
        ),
        ("an answer to the third try", turns(vec![Action::Silence, Action::SERVFAIL, Action::Zone])),
        (
            "noise and then an answer",
            turns(vec![Action::many([Action::Garbage, Action::wrong_id(Action::Zone), Action::Zone])]),
        ),
        ("truncated for ever", Script::new().on_all(Action::Truncate)),
        (
            "a thousand strays",
            Script::new().on_all(Action::many((0..1000).map(|_| Action::wrong_id(Action::Zone)))),
        ),
    ] {
        for attempts in [1, 3] {
            drop::<Vec<Server>>(scene.set_up(machine));
            machine.file(
                "/etc/resolv.conf",
                format!("nameserver {ADDRESS}\noptions timeout:1 attempts:{attempts}\n"),
            );
            let server = server(ADDRESS).zone(hosts()).script(script.clone()).start();
            // An odd server that has no address for the name now may say so.
            group.case(what, judge(&scene.ask(""), b"192.0.2.1", &[]));
            server.change(|config| config.script = Script::new());
            let after = scene.ask("");
            group.case("and then behaves", judge_whole(&after, b"192.0.2.1"));
        }
    }
}

fn judge_whole(seen: &Seen, answer: &[u8]) -> Result<(), String> {
    if seen.payload.as_deref() == Ok(answer) { Ok(()) } else { Err(format!("{:?}", seen.payload)) }
}

/// Sets the clock to another day and back while a lookup is under way. Elsewhere than in CI that would disturb
/// other people's work.
fn clock(machine: &mut Machine, group: &mut Group) {
    if std::env::var_os("CI").is_none() {
        println!("    not tried without CI in the environment: the clock is everybody's");
        return;
    }
    let set = |seconds: i64| {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let moved = i64::try_from(wall.as_millis()).unwrap() + 1000 * seconds;
        assert!(command("date", &["-s", &format!("@{}.{:03}", moved / 1000, moved % 1000)]).status.success());
    };
    let scene = &SCENES[0];
    for step in [86_400, -86_400, 315_360_000, -3600] {
        drop(scene.set_up(machine));
        let late = Action::delay(Duration::from_millis(400), Action::Zone);
        let _server = server(ADDRESS).zone(hosts()).script(Script::new().on_all(late)).start();
        let seen = thread::scope(|scope| {
            let asking = scope.spawn(|| Ask::new(scene.description).once());
            thread::sleep(Duration::from_millis(150));
            set(step);
            let seen = asking.join().unwrap();
            set(-step);
            seen
        });
        // The kernel's keys expire by its clock, so that one set ahead takes them away.
        group.case(
            &format!("by {step} s"),
            judge(&seen, b"192.0.2.1", &["Key has expired", "Required key not available"]),
        );
        group.case(
            "and after that",
            judge_whole(&caught(|| Ask::new(scene.description).once()), b"192.0.2.1"),
        );
    }
}
