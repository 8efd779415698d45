//! Faults, injected at every step of real upcalls: whatever breaks, the caller gets its answer or a true error.
//!
//! `cargo test --test faults [WORD…]` runs the groups whose names contain one of the words. This executable also
//! stands in the place of `/sbin/request-key`: it runs the real one as its tracer, and breaks what the callout
//! info of the key says.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::zombie_processes)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../afs/decode.rs"]
mod decode;
#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/mod.rs"]
mod support;

mod calls;
mod cgroups;
mod hung;
mod injector;
mod keys;
mod network;
mod outcome;
mod plan;
mod scenes;
mod stops;
mod surroundings;
mod swarm;
mod sweep;

use outcome::Report;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;
use support::machine::Machine;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let face = Path::new(&name).file_name().and_then(OsStr::to_str);
    let rest = || std::env::args_os().skip(1).collect::<Vec<_>>();
    match face {
        Some("request-key") => return injector::run(&rest()),
        Some(injector::CALLOUT) => return injector::callout(&rest()),
        Some(injector::BLOW) => return injector::blow(&rest()),
        _ => {}
    }
    let words: Vec<String> =
        args.filter_map(|arg| arg.into_string().ok()).filter(|word| !word.starts_with('-')).collect();
    let Some(mut machine) = Machine::take() else { return ExitCode::SUCCESS };
    let mut report = Report::new(words);
    sweep::run(&mut machine, &mut report);
    keys::run(&mut machine, &mut report);
    stops::run(&mut machine, &mut report);
    surroundings::run(&mut machine, &mut report);
    hung::run(&mut machine, &mut report);
    cgroups::run(&mut machine, &mut report);
    network::run(&mut machine, &mut report);
    swarm::run(&mut machine, &mut report);
    drop(machine);
    report.close()
}
