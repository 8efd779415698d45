//! How long the lookup of a cell takes: eight servers with both families, and a name server 20 ms away, with key-dns,
//! keyutils' helper and kafs-dns. Needs root, because it replaces the machine's resolv.conf.
//!
//! The helpers run in debug mode and take turns, so that other load on the machine affects all of them.

#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation)]

#[path = "../tests/dns/mod.rs"]
mod dns;
#[path = "../tests/support/mod.rs"]
mod support;

use dns::{Server, Zone};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::machine::{HELPER, KEYUTILS_HELPER, Machine};

const ADDRESS: &str = "127.53.18.2";
const CELL: &str = "cell.test";
const SERVERS: u16 = 8;
const ROUND_TRIP: Duration = Duration::from_millis(20);
const ROUNDS: usize = 15;
/// The largest acceptable ratio of our time to another's.
const GOAL: f64 = 0.25;

fn main() {
    // `cargo test --benches` runs it too, and ignores times.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/etc/kafs/client.conf", "[cells]\n");
    machine.name_servers(&[ADDRESS]);
    for (what, zone) in [
        ("SRV", zone(|zone, n, name| zone.srv("_afs3-vlserver._udp", n, 0, 7003, name, 60))),
        ("AFSDB", zone(|zone, _, name| zone.afsdb("@", 1, name, 60))),
        (
            "SRV with glue",
            zone(|zone, n, name| zone.srv("_afs3-vlserver._udp", n, 0, 7003, name, 60)).with_glue(),
        ),
    ] {
        let names = Server::builder().at(&format!("{ADDRESS}:53")).zone(zone).latency(ROUND_TRIP).start();
        println!("{what}: {SERVERS} servers, both families, {} ms round trip", ROUND_TRIP.as_millis());
        compare(rounds, &names);
    }
}

fn zone(record: impl Fn(Zone, u16, &str) -> Zone) -> Zone {
    let mut zone = Zone::new(CELL);
    for n in 1..=SERVERS {
        let name = format!("db{n}");
        zone = record(zone, n, &name);
        zone = zone.a(&name, [192, 0, 2, n.to_be_bytes()[1]], 60);
        zone = zone.aaaa(&name, [0x2001, 0xdb8, 0, 0, 0, 0, 0, n], 60);
    }
    zone
}

fn compare(rounds: usize, names: &Server) {
    let description = format!("afsdb:{CELL}");
    // keyutils has no list; without options it too resolves both families.
    let mut helpers = vec![("key-dns", HELPER, "srv=1"), ("keyutils", KEYUTILS_HELPER, "")];
    helpers.push(("kafs-dns", "/usr/libexec/kafs-dns", "srv=1"));
    helpers.retain(|(name, program, _)| {
        let there = Path::new(program).exists();
        if !there {
            println!("  {name}: not installed");
        }
        there
    });
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); helpers.len()];
    let mut queries = vec![0; helpers.len()];
    for _ in 0..rounds {
        for (turn, (name, program, callout)) in helpers.iter().enumerate() {
            names.clear();
            let start = Instant::now();
            let run =
                Command::new(program).args(["-D", &description, callout]).stderr(Stdio::null()).output();
            times[turn].push(start.elapsed());
            assert!(run.unwrap().status.success(), "{name}");
            queries[turn] = names.queries().len();
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    for (((name, ..), median), queries) in helpers.iter().zip(&medians).zip(&queries) {
        let ratio = medians[0] / median;
        let verdict = if *name == "key-dns" || ratio <= GOAL { "" } else { "  ABOVE THE GOAL" };
        println!(
            "  {name:9} {:7.1} ms  {queries:2} questions  ours is {ratio:.3} of it{verdict}",
            median * 1e3
        );
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}
