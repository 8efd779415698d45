//! The whole upcall, from `request_key(2)` to the key: key-dns compared with keyutils' pair, and the lower bound.
//!
//! `cargo bench --bench upcall`, as root, on a machine whose kernel asks for `dns_resolver` keys. Both answer the
//! same distinct names, by turns in short blocks, from a name server in this process.
//!
//! `cargo bench --bench upcall -- confinement` measures that alone; `… -- counts` what a busy machine does not change:
//! instructions, system calls, page faults, memory; `… -- storms` many names at once. `… -- other=FILE` compares whole
//! upcalls with another build of this program as well, in the same run.

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
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::machine::{HELPER, KEYUTILS_HELPER, Machine, RULE, SETTINGS, UPCALL};
use support::{copy_program, executable, run, scratch};

/// Upcalls per side, after a warm-up of one block.
const ROUNDS: usize = 60;
const BLOCK: usize = 10;
/// Names asked for at once, and how often.
const CROWDS: [(usize, usize, &str); 2] = [(200, 9, "at most 0.45"), (3000, 3, "at most 0.50")];
/// Names asked for at once in a storm.
const STORMS: [usize; 2] = [1000, 3000];
/// Upcalls with a first server that is silent, of each side; they take seconds.
const WITH_SILENCE: usize = 3;
/// Upcalls whose use of the machine is measured, of each side.
const PROBES: usize = 5;
/// How many of those are single-stepped, which takes long and hardly varies.
const STEPPED: usize = 1;

const ADDRESS: &str = "127.53.0.1";
/// Where a server listens but does not answer.
const SILENT: &str = "127.53.0.2";
/// Where another build of ours is installed.
const OTHER: &str = "/run/key-dns-bench/key.dns_resolver";
/// Where the program that a probe runs is found.
const REAL: &str = "/run/key-dns-bench/request-key";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Keyutils,
    Floor,
    /// Ours, keeping all rights to the end.
    Unconfined,
    /// Another build of ours.
    Other,
    /// Our helper, run by keyutils' program.
    Behind,
}

/// The rules that are installed.
const SHIPPED_RULES: &str = include_str!("../request-key.d/dns_resolver.conf");

/// What answers at the moment, and the names that are still unused.
struct Bench {
    machine: Machine,
    programs: [PathBuf; 6],
    names: Cell<usize>,
    side: Cell<Option<Side>>,
    mounted: Cell<bool>,
}

impl Bench {
    fn new(mut machine: Machine, floor: PathBuf) -> Self {
        let keyutils = scratch("keyutils-request-key");
        copy_program(Path::new(UPCALL), &keyutils);
        machine.use_our_request_key();
        machine.name_servers(&[ADDRESS]);
        machine.settings("");
        machine.absent_at_end(REAL);
        // The helper's rule must name the very file that is called.
        let ours = PathBuf::from(HELPER);
        let other = PathBuf::from(OTHER);
        if let Some(build) = other_build() {
            copy_program(&build, &other);
        }
        let programs = [ours.clone(), keyutils.clone(), floor, ours, other, keyutils];
        Self { machine, programs, names: Cell::new(0), side: Cell::new(None), mounted: Cell::new(false) }
    }

    fn program(&self, side: Side) -> &Path {
        &self.programs[side as usize]
    }

    /// Makes this side answer from now on.
    fn turn(&self, side: Side) {
        if self.side.replace(Some(side)) == Some(side) {
            return;
        }
        let helper = match side {
            Side::Ours | Side::Unconfined | Side::Behind => HELPER,
            Side::Keyutils | Side::Floor => KEYUTILS_HELPER,
            Side::Other => OTHER,
        };
        let confine = if side == Side::Unconfined { "no" } else { "yes" };
        fs::write(SETTINGS, format!("confine = {confine}\n")).unwrap();
        let rules = match side {
            Side::Ours | Side::Unconfined | Side::Behind | Side::Other => {
                SHIPPED_RULES.replace(HELPER, helper)
            }
            Side::Keyutils | Side::Floor => format!("create dns_resolver * * {helper} %k\n"),
        };
        fs::write(RULE, rules).unwrap();
        self.call(self.program(side));
    }

    /// Makes the kernel call this program.
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

    /// Requests one name.
    fn ask(&self) -> Duration {
        time(&self.name(), c"")
    }

    /// A name that is an address, not requested before.
    fn literal(&self) -> CString {
        let number = self.names.replace(self.names.get() + 1);
        CString::new(format!("198.18.{}.{}", number / 256 % 256, number % 256)).unwrap()
    }

    /// How long upcalls of these sides take for such names, in turn, in microseconds.
    fn rounds(&self, sides: &[Side], server: &Server, name: impl Fn() -> CString) -> [Vec<f64>; 6] {
        let mut times: [Vec<f64>; 6] = Default::default();
        for round in 0..=ROUNDS {
            for &side in sides {
                self.turn(side);
                self.ask();
                for _ in 0..BLOCK {
                    let took = time(&name(), c"").as_secs_f64() * 1e6;
                    if round > 0 {
                        times[side as usize].push(took);
                    }
                }
            }
            server.clear();
        }
        times
    }

    /// How long upcalls take in milliseconds while the first of two servers is silent.
    fn with_silence(&mut self) -> [Vec<f64>; 2] {
        let silent = UdpSocket::bind((SILENT, 53)).unwrap();
        // The resolver's own time-outs: 5 s for each server.
        self.machine.file("/etc/resolv.conf", format!("nameserver {SILENT}\nnameserver {ADDRESS}\n"));
        let times = [Side::Ours, Side::Keyutils].map(|side| {
            self.turn(side);
            (0..WITH_SILENCE).map(|_| self.ask().as_secs_f64() * 1e3).collect()
        });
        self.machine.name_servers(&[ADDRESS]);
        drop(silent);
        times
    }

    /// The share of confinement in an upcall, with a server that answers at once, and with one across a network.
    fn confinement(&self, server: &Server) {
        println!("{:<34} {:>10} {:>10} {:<6} {:>6}  goal", "", "confined", "free", "", "share");
        for latency in [Duration::ZERO, Duration::from_millis(1)] {
            server.change(|config| config.latency = latency);
            let [with, _, _, without, ..] =
                self.rounds(&[Side::Ours, Side::Unconfined], server, || self.name());
            for hundredth in [10, 50, 90] {
                let [with, without] = [&with, &without].map(|times| quantile(times.clone(), hundredth));
                let name = format!("server's {latency:?}, {hundredth}th of 100");
                let share = 1.0 - without / with;
                println!("{name:<34} {with:>10.2} {without:>10.2} µs     {share:>6.3}  at most 0.10");
            }
        }
    }

    /// Requests many names at once: from the first request to the last answer.
    fn crowd(&self, at_once: usize) -> Duration {
        let names: Vec<CString> = (0..at_once).map(|_| self.name()).collect();
        let barrier = Barrier::new(at_once);
        let ask = |name: &CStr| {
            barrier.wait();
            let start = Instant::now();
            time(name, c"");
            (start, Instant::now())
        };
        let times: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
            let askers: Vec<_> = names.iter().map(|name| scope.spawn(|| ask(name))).collect();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect()
        });
        let first = times.iter().map(|&(start, _)| start).min().unwrap();
        times.into_iter().map(|(_, end)| end).max().unwrap() - first
    }

    /// Has many names asked for at once, with an answer or without, and watches the machine meanwhile.
    fn storm(&self, at_once: usize) -> Storm {
        let names: Vec<CString> = (0..at_once).map(|_| self.name()).collect();
        let barrier = Barrier::new(at_once + 1);
        let open = AtomicUsize::new(at_once);
        let session = KeyRing::from_special_id(KeyRingIdentifier::Session, false).unwrap();
        let ask = |name: &CStr| {
            barrier.wait();
            if let Ok(key) = keyctl::request(name, c"") {
                let _ = session.unlink_key(Key::from_id(KeySerialId::new(key)));
            }
            open.fetch_sub(1, Ordering::Relaxed);
        };
        std::thread::scope(|scope| {
            for name in &names {
                scope.spawn(|| ask(name));
            }
            // All threads are there before it is measured what else is.
            std::thread::sleep(Duration::from_millis(500));
            let (before, available) = (processes(), available());
            let mut storm = Storm::default();
            barrier.wait();
            let start = Instant::now();
            while open.load(Ordering::Relaxed) > 0 {
                storm.processes = storm.processes.max(processes().saturating_sub(before));
                storm.memory = storm.memory.max(available.saturating_sub(self::available()));
                std::thread::sleep(Duration::from_millis(20));
            }
            storm.took = start.elapsed();
            storm
        })
    }

    /// Storms of names whose servers answer at once, and whose server is silent, of each side.
    fn storms(&mut self, server: &Server) {
        println!("{:<44} {:>10} {:>10} {:>10}", "", "time", "processes", "memory");
        let silent = UdpSocket::bind((SILENT, 53)).unwrap();
        for (what, address) in [("an answering server", ADDRESS), ("a silent server", SILENT)] {
            self.machine.file("/etc/resolv.conf", format!("search .\nnameserver {address}\n"));
            for at_once in STORMS {
                for (side, name) in [(Side::Ours, "key-dns"), (Side::Keyutils, "keyutils")] {
                    self.turn(side);
                    let Storm { took, processes, memory } = self.storm(at_once);
                    let what = format!("{at_once} names, {what}, {name}");
                    let (took, memory) = (took.as_secs_f64(), memory / 1024);
                    println!("{what:<44} {took:>8.2} s {processes:>10} {memory:>6} MiB");
                    server.clear();
                    // The kernel collects keys.
                    std::thread::sleep(Duration::from_secs(2));
                }
            }
        }
        drop(silent);
        self.machine.name_servers(&[ADDRESS]);
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
            // Stepping takes so long that IPv4's head start would be over, and IPv6 would be queried as well, which
            // does not happen otherwise.
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

    /// The path under which a probe finds the program: one whose last component is its name.
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
        let notes = scratch(&format!("strace-notes-{}", side as usize));
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

    /// What does not depend on how busy the machine is.
    fn counts(&self) {
        let sides = [Side::Ours, Side::Keyutils];
        let [mine, other] =
            sides.map(|side| median(self.probe(side, "-DSTEP").into_iter().map(|(steps, _)| steps / 1e3)));
        row("user instructions", mine, other, "k", "at most 0.28");
        let [mine, other] = sides.map(|side| self.system_calls(side) as f64);
        row("system calls", mine, other, "", "");
        let [mine, other] = sides.map(|side| self.probe(side, ""));
        let [faults, their_faults] =
            [&mine, &other].map(|notes| median(notes.iter().map(|&(_, faults)| faults)));
        row("page faults", faults, their_faults, "", "");
        let [rss, their_rss] = [&mine, &other].map(|notes| median(notes.iter().map(|&(rss, _)| rss)));
        row("peak memory", rss, their_rss, "KiB", "at most 0.70");
        let size = |path: &Path| fs::metadata(path).unwrap().len() as f64 / 1e6;
        let (mine, other) =
            (size(&executable()), size(self.program(Side::Keyutils)) + size(Path::new(KEYUTILS_HELPER)));
        row("executables (theirs: no libraries)", mine, other, "MB", "at most 2.0 MB");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.mounted.get() {
            run("umount", &["-l", UPCALL]);
        }
    }
}

/// What a storm took: until the last answer, and at the highest of the processes and the memory (in KiB) that there were
/// not before.
#[derive(Default)]
struct Storm {
    took: Duration,
    processes: usize,
    memory: usize,
}

/// The number of processes.
fn processes() -> usize {
    let number =
        |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit);
    fs::read_dir("/proc").unwrap().filter(|entry| entry.as_ref().is_ok_and(number)).count()
}

/// The memory that is left, in KiB.
fn available() -> usize {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find(|line| line.starts_with("MemAvailable:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
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
    let mut bench = Bench::new(machine, compile("floor", &[]));
    // Each name once.
    let count = 60_000;
    let zone = (0..count)
        .fold(Zone::new("bench.test"), |zone, number| zone.a(&format!("n{number}"), [192, 0, 2, 1], 300));
    let server = Server::builder().at(&format!("{ADDRESS}:53")).zone(zone).start();

    if std::env::args().any(|argument| argument == "confinement") {
        return bench.confinement(&server);
    }
    if std::env::args().any(|argument| argument == "storms") {
        return bench.storms(&server);
    }
    if std::env::args().any(|argument| argument == "counts") {
        return bench.counts();
    }
    let mut sides = vec![Side::Ours, Side::Keyutils, Side::Floor, Side::Unconfined, Side::Behind];
    sides.extend(other_build().map(|_| Side::Other));
    let times = bench.rounds(&sides, &server, || bench.name());
    let each = times[0].len();
    let [ours, theirs, floor, free, other, behind] = times;
    let [ours, theirs, floor, free] = [ours, theirs, floor, free].map(quantiles);

    println!("{:<34} {:>10} {:>10} {:<6} {:>6}  goal", "", "key-dns", "keyutils", "", "ratio");
    row(&format!("one upcall, median of {each}"), ours.0, theirs.0, "µs", "at most 0.42; 0.36");
    if !other.is_empty() {
        row("  beside the other build", ours.0, quantiles(other).0, "µs", "");
    }
    row("one upcall, 90th of 100", ours.1, theirs.1, "µs", "");
    row("  of which above the floor, median", ours.0 - floor.0, theirs.0 - floor.0, "µs", "");
    row("the confinement's part of theirs", ours.0 - free.0, theirs.0, "µs", "at most 0.04");
    row("our helper, their request-key", quantiles(behind).0, theirs.0, "µs", "at most 0.76");
    let [mine, other, ..] = bench.rounds(&[Side::Ours, Side::Keyutils], &server, || bench.literal());
    row("a name that is an address", quantiles(mine).0, quantiles(other).0, "µs", "at most 0.20");
    for (at_once, times, goal) in CROWDS {
        let mut crowds: [Vec<f64>; 2] = Default::default();
        for round in 0..=times {
            for side in [Side::Ours, Side::Keyutils] {
                bench.turn(side);
                let took = bench.crowd(at_once).as_secs_f64() * 1e3;
                if round > 0 {
                    crowds[side as usize].push(took);
                }
                server.clear();
            }
        }
        let [mine, other] = crowds.map(|times| median(times.into_iter()));
        row(&format!("{at_once} names at once"), mine, other, "ms", goal);
    }
    let [mine, other] = bench.with_silence().map(|times| median(times.into_iter()));
    row("first server silent", mine, other, "ms", "at most 0.06");
    bench.counts();
    println!("the floor: {:.2} µs, 90th of 100 {:.2} µs", floor.0, floor.1);
    bench.confinement(&server);
    drop(bench);
}
