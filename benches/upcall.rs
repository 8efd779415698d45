//! The whole upcall, from `request_key(2)` to the key: this program beside keyutils' pair, and the floor.
//!
//! `cargo bench --bench upcall`, as root, on a machine whose kernel asks for `dns_resolver` keys. Both answer the
//! same distinct names, by turns in short blocks, from a name server in this process.
//!
//! `cargo bench --bench upcall -- confinement` measures that alone; `… -- other=FILE` compares whole upcalls with another
//! build of this program as well, in the same run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unused_self, clippy::format_push_string, clippy::cast_possible_truncation)]
#![allow(clippy::large_stack_arrays, clippy::cast_precision_loss)]

#[path = "../tests/dns/mod.rs"]
mod dns;
#[path = "../tests/support/mod.rs"]
mod support;

use dns::{Server, Zone};
use key::keyctl;
use linux_keyutils::{Key, KeyRing, KeyRingIdentifier, KeySerialId};
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::{Duration, Instant};
use support::machine::{HELPER, KEYUTILS_HELPER, Machine, RULE, SETTINGS, UPCALL};
use support::{executable, run, scratch};

/// Upcalls of each side, after a warm-up of one block.
const ROUNDS: usize = 60;
const BLOCK: usize = 10;
/// Names asked for at once, and how often.
const AT_ONCE: usize = 200;
const CROWDS: usize = 9;
/// Upcalls whose use of the machine is measured, of each side.
const PROBES: usize = 5;
/// Of those that are single-stepped, which takes long and hardly varies.
const STEPPED: usize = 1;

const ADDRESS: &str = "127.53.0.1";
/// Where another build of ours is put.
const OTHER: &str = "/run/key-dns-bench/key.dns_resolver";
/// Where the program that a probe runs is found.
const REAL: &str = "/run/key-dns-bench/request-key";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Keyutils,
    Floor,
    /// Ours, with all rights to the end.
    Unconfined,
    /// Another build of ours.
    Other,
}

/// What answers at the moment, and the names still unasked.
struct Bench {
    _machine: Machine,
    programs: [PathBuf; 5],
    names: Cell<usize>,
    side: Cell<Option<Side>>,
    mounted: Cell<bool>,
}

impl Bench {
    fn new(mut machine: Machine, floor: PathBuf) -> Self {
        let keyutils = scratch("keyutils-request-key");
        fs::copy(UPCALL, &keyutils).unwrap();
        machine.use_our_request_key();
        machine.name_servers(&[ADDRESS]);
        machine.settings("");
        machine.absent_at_end(REAL);
        // The helper's rule must name the very file that is called.
        let ours = PathBuf::from(HELPER);
        let other = PathBuf::from(OTHER);
        if let Some(build) = other_build() {
            fs::copy(build, &other).unwrap();
        }
        let programs = [ours.clone(), keyutils, floor, ours, other];
        Self {
            _machine: machine,
            programs,
            names: Cell::new(0),
            side: Cell::new(None),
            mounted: Cell::new(false),
        }
    }

    fn program(&self, side: Side) -> &Path {
        &self.programs[side as usize]
    }

    /// Lets this side answer from now on.
    fn turn(&self, side: Side) {
        if self.side.replace(Some(side)) == Some(side) {
            return;
        }
        let helper = match side {
            Side::Ours | Side::Unconfined => HELPER,
            Side::Keyutils | Side::Floor => KEYUTILS_HELPER,
            Side::Other => OTHER,
        };
        let confine = if side == Side::Unconfined { "no" } else { "yes" };
        fs::write(SETTINGS, format!("confine = {confine}\n")).unwrap();
        fs::write(RULE, format!("create dns_resolver * * {helper} %k\n")).unwrap();
        self.call(self.program(side));
    }

    /// Lets the kernel call this program.
    fn call(&self, program: &Path) {
        if self.mounted.replace(true) {
            assert!(run("umount", &["-l", UPCALL]).status.success());
        }
        assert!(run("mount", &["--bind", program.to_str().unwrap(), UPCALL]).status.success());
    }

    fn name(&self) -> CString {
        let number = self.names.replace(self.names.get() + 1);
        CString::new(format!("n{number}.bench.test")).unwrap()
    }

    /// Has one name answered.
    fn ask(&self) -> Duration {
        time(&self.name(), c"")
    }

    /// How long upcalls of these sides take, by turns, in microseconds.
    fn rounds(&self, sides: &[Side], server: &Server) -> [Vec<f64>; 5] {
        let mut times: [Vec<f64>; 5] = Default::default();
        for round in 0..=ROUNDS {
            for &side in sides {
                self.turn(side);
                self.ask();
                for _ in 0..BLOCK {
                    let took = self.ask().as_secs_f64() * 1e6;
                    if round > 0 {
                        times[side as usize].push(took);
                    }
                }
            }
            server.clear();
        }
        times
    }

    /// What the confinement takes of an upcall, from a server that answers at once, and from one that is a
    /// network away.
    fn confinement(&self, server: &Server) {
        println!("{:<34} {:>10} {:>10} {:<6} {:>6}  goal", "", "confined", "free", "", "share");
        for latency in [Duration::ZERO, Duration::from_millis(1)] {
            server.change(|config| config.latency = latency);
            let [with, _, _, without, _] = self.rounds(&[Side::Ours, Side::Unconfined], server);
            for hundredth in [10, 50, 90] {
                let [with, without] = [&with, &without].map(|times| quantile(times.clone(), hundredth));
                let name = format!("server's {latency:?}, {hundredth}th of 100");
                let share = 1.0 - without / with;
                println!("{name:<34} {with:>10.2} {without:>10.2} µs     {share:>6.3}  at most 0.10");
            }
        }
    }

    /// Has many names answered at once.
    fn crowd(&self) -> Duration {
        let names: Vec<CString> = (0..AT_ONCE).map(|_| self.name()).collect();
        let barrier = Barrier::new(AT_ONCE + 1);
        std::thread::scope(|scope| {
            let askers: Vec<_> = names
                .iter()
                .map(|name| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        time(name, c"")
                    })
                })
                .collect();
            barrier.wait();
            let start = Instant::now();
            for asker in askers {
                asker.join().unwrap();
            }
            start.elapsed()
        })
    }

    /// What a probe around this side's program notes, for some upcalls.
    fn probe(&self, side: Side, option: &str) -> Vec<(f64, f64)> {
        let notes = scratch("probe-notes");
        let _ = fs::remove_file(&notes);
        let real = self.real(side);
        let real = format!("-DREAL=\"{real}\"");
        let define = format!("-DNOTES=\"{}\"", notes.display());
        let probe = compile("probe", &[&real, &define, option]);
        self.turn(side);
        self.call(&probe);
        let (count, callout) = match (option, side) {
            // Stepping takes so long that the head start of IPv4 would be over, and IPv6 be asked for as well,
            // which does not come to pass otherwise.
            ("-DSTEP", Side::Ours) => (STEPPED, c"ipv4"),
            ("-DSTEP", _) => (STEPPED, c""),
            _ => (PROBES, c""),
        };
        for _ in 0..=count {
            time(&self.name(), callout);
        }
        self.side.set(None);
        let numbers = |line: &str| {
            let (one, two) = line.split_once(' ').unwrap();
            (one.parse().unwrap(), two.parse().unwrap())
        };
        fs::read_to_string(&notes).unwrap().lines().skip(1).map(numbers).collect()
    }

    /// The path under which a probe finds the program: one whose last part is its name.
    fn real(&self, side: Side) -> String {
        match side {
            Side::Ours | Side::Unconfined => {
                let _ = fs::remove_file(REAL);
                std::os::unix::fs::symlink(HELPER, REAL).unwrap();
                REAL.to_owned()
            }
            _ => self.program(side).display().to_string(),
        }
    }

    /// How many system calls an upcall of this side makes.
    fn system_calls(&self, side: Side) -> usize {
        let notes = scratch("strace-notes");
        let script = scratch("strace-script");
        let strace = "/usr/bin/strace";
        if !Path::new(strace).exists() {
            return 0;
        }
        let real = self.real(side);
        fs::write(&script, format!("#!/bin/sh\nexec {strace} -f -qq -o {} {real} \"$@\"\n", notes.display()))
            .unwrap();
        assert!(run("chmod", &["755", script.to_str().unwrap()]).status.success());
        self.turn(side);
        self.call(&script);
        self.ask();
        self.side.set(None);
        let text = fs::read_to_string(&notes).unwrap();
        text.lines().filter(|line| line.contains('(') && !line.contains("resumed>")).count()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.mounted.get() {
            run("umount", &["-l", UPCALL]);
        }
    }
}

/// The other build, where one is named.
fn other_build() -> Option<PathBuf> {
    std::env::args().find_map(|argument| argument.strip_prefix("other=").map(PathBuf::from))
}

fn time(name: &CStr, callout: &CStr) -> Duration {
    let start = Instant::now();
    let key = keyctl::request(name, callout);
    let took = start.elapsed();
    let key = key.unwrap_or_else(|error| panic!("{name:?}: {error}"));
    // Not invalidated: until it is collected, the kernel's search for any other name ends at it with EKEYREVOKED
    // (security/keys/keyring.c, keyring_search_iterator()).
    let session = KeyRing::from_special_id(KeyRingIdentifier::Session, false).unwrap();
    session.unlink_key(Key::from_id(KeySerialId::new(key))).unwrap();
    took
}

fn compile(name: &str, options: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/programs/{name}.c"));
    let program = scratch(&format!("{name}{}", options.last().unwrap_or(&"")));
    let mut arguments = vec!["-O2", "-static", "-nostdlib", "-fno-stack-protector", "-fno-builtin", "-o"];
    arguments.extend([program.to_str().unwrap(), source.to_str().unwrap()]);
    arguments.extend(options.iter().filter(|option| !option.is_empty()));
    let output = run("cc", &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

fn quantile(mut times: Vec<f64>, hundredth: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * hundredth / 100]
}

/// The median, and the 90th of a hundred.
fn quantiles(times: Vec<f64>) -> (f64, f64) {
    (quantile(times.clone(), 50), quantile(times, 90))
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    quantiles(numbers.collect()).0
}

fn row(what: &str, ours: f64, theirs: f64, unit: &str, goal: &str) {
    println!("{what:<34} {ours:>10.2} {theirs:>10.2} {unit:<6} {:>6.3}  {goal}", ours / theirs);
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let Some(machine) = Machine::take() else { return };
    let bench = Bench::new(machine, compile("floor", &[]));
    let count = 60_000;
    let zone = (0..count)
        .fold(Zone::new("bench.test"), |zone, number| zone.a(&format!("n{number}"), [192, 0, 2, 1], 300));
    let server = Server::builder().at(&format!("{ADDRESS}:53")).zone(zone).start();

    if std::env::args().any(|argument| argument == "confinement") {
        return bench.confinement(&server);
    }
    let mut sides = vec![Side::Ours, Side::Keyutils, Side::Floor];
    sides.extend(other_build().map(|_| Side::Other));
    let times = bench.rounds(&sides, &server);
    let mut crowds: [Vec<f64>; 3] = Default::default();
    for round in 0..=CROWDS {
        for side in [Side::Ours, Side::Keyutils] {
            bench.turn(side);
            let took = bench.crowd().as_secs_f64() * 1e3;
            if round > 0 {
                crowds[side as usize].push(took);
            }
            server.clear();
        }
    }
    let each = times[0].len();
    let [ours, theirs, floor, _, other] = times;
    let [ours, theirs, floor] = [ours, theirs, floor].map(quantiles);
    let [crowd, their_crowd, _] = crowds;
    let [crowd, their_crowd] = [crowd, their_crowd].map(|times| median(times.into_iter()));

    println!("{:<34} {:>10} {:>10} {:<6} {:>6}  goal", "", "key-dns", "keyutils", "", "ratio");
    row(&format!("one upcall, median of {each}"), ours.0, theirs.0, "µs", "at most 0.50");
    if !other.is_empty() {
        row("  beside the other build", ours.0, quantiles(other).0, "µs", "");
    }
    row("one upcall, 90th of 100", ours.1, theirs.1, "µs", "");
    row("  of which above the floor, median", ours.0 - floor.0, theirs.0 - floor.0, "µs", "");
    row(&format!("{AT_ONCE} names at once"), crowd, their_crowd, "ms", "at most 0.625 (1.6 times as many)");
    let sides = [Side::Ours, Side::Keyutils];
    let [mine, other] =
        sides.map(|side| median(bench.probe(side, "-DSTEP").into_iter().map(|(steps, _)| steps / 1e3)));
    row("user instructions", mine, other, "k", "at most 0.40");
    let [mine, other] = sides.map(|side| bench.system_calls(side) as f64);
    row("system calls", mine, other, "", "");
    let [mine, other] = sides.map(|side| bench.probe(side, ""));
    let [faults, their_faults] = [&mine, &other].map(|notes| median(notes.iter().map(|&(_, faults)| faults)));
    row("page faults", faults, their_faults, "", "");
    let [rss, their_rss] = [&mine, &other].map(|notes| median(notes.iter().map(|&(rss, _)| rss)));
    row("peak memory", rss, their_rss, "KiB", "at most 1.00");
    let size = |path: &Path| fs::metadata(path).unwrap().len() as f64 / 1e6;
    let (mine, other) =
        (size(&executable()), size(bench.program(Side::Keyutils)) + size(Path::new(KEYUTILS_HELPER)));
    row("executables (theirs: no libraries)", mine, other, "MB", "at most 3 MB");
    println!("the floor: {:.2} µs, 90th of 100 {:.2} µs", floor.0, floor.1);
    bench.confinement(&server);
    drop(bench);
}
