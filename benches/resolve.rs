//! How long a lookup takes compared with keyutils' helper: both in debug mode, in turn, in one run, in their own
//! namespaces. `cargo bench --bench resolve`

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(missing_docs)]

#[path = "../tests/dns/mod.rs"]
mod dns;
#[path = "../tests/support/mod.rs"]
mod support;

use dns::{Server, Zone};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::machine::KEYUTILS_HELPER;
use support::{executable, world};

fn main() {
    if !world::inside("main") {
        return;
    }
    if !std::path::Path::new(KEYUTILS_HELPER).exists() {
        println!("{KEYUTILS_HELPER} is not installed: nothing to compare with");
        return;
    }
    println!("{:44} {:>6} {:>10} {:>10} {:>7}", "", "runs", "key-dns", "keyutils", "ratio");
    let good = || Server::builder().zone(zone());
    let near = good().at("127.0.0.1:53").start();
    compare("one address, server near", 400, "nameserver 127.0.0.1", "both.example.test", "");
    compare("all addresses, server near", 200, "nameserver 127.0.0.1", "both.example.test", "list");
    compare(
        "first of two servers refuses the port",
        200,
        "nameserver 127.0.0.99\nnameserver 127.0.0.1",
        "both.example.test",
        "",
    );
    near.change(|config| config.latency = Duration::from_millis(20));
    compare("both families, 20 ms away", 40, "nameserver 127.0.0.1", "both.example.test", "list");
    compare(
        "both families through an alias elsewhere",
        40,
        "nameserver 127.0.0.1",
        "alias.example.test",
        "list",
    );
    near.change(|config| config.latency = Duration::ZERO);
    let _silent =
        Server::builder().at("127.0.0.2:53").script(dns::Script::new().on_all(dns::Action::Silence)).start();
    compare(
        "first of two servers is silent",
        3,
        "nameserver 127.0.0.2\nnameserver 127.0.0.1",
        "both.example.test",
        "",
    );
}

fn zone() -> Zone {
    Zone::new("example.test")
        .a("both", [192, 0, 2, 1], 60)
        .aaaa("both", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 60)
        .cname("alias", "both", 60)
}

/// Runs both in turn, and prints the medians and their ratio.
fn compare(what: &str, runs: usize, resolv_conf: &str, name: &str, callout: &str) {
    world::write("resolv.conf", Some(&format!("{resolv_conf}\n")));
    world::write("hosts", Some("127.0.0.1 localhost\n"));
    let ours = || {
        let mut command = Command::new(executable());
        command.arg("key.dns_resolver");
        command
    };
    let theirs = || Command::new(KEYUTILS_HELPER);
    let (mut mine, mut their) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        mine.push(time(ours(), name, callout));
        their.push(time(theirs(), name, callout));
    }
    let (mine, their) = (median(mine), median(their));
    println!(
        "{what:44} {runs:6} {:>7.2} ms {:>7.2} ms {:7.2}",
        mine.as_secs_f64() * 1e3,
        their.as_secs_f64() * 1e3,
        mine.as_secs_f64() / their.as_secs_f64()
    );
}

fn time(mut command: Command, name: &str, callout: &str) -> Duration {
    command.args(["-D", name, callout]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let took = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
