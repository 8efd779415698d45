//! The guest's only program. As `/init` it sets up the machine, runs the cases and reports them; as
//! `/sbin/request-key`, in some of the cases, it gives the kernel the answer of a naive helper, or tries what a
//! confined one can't do.

#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../dns/mod.rs"]
mod dns;

#[allow(dead_code)] // what is left is compared with the page on the host
#[path = "../../confine/attempts.rs"]
mod attempts;
#[path = "../../confine/confined.rs"]
mod confined;
#[path = "../../confine/helper.rs"]
mod helper;
#[path = "../../confine/unsafe_calls.rs"]
#[allow(unsafe_code)]
mod unsafe_calls;
#[path = "../../confine/world.rs"]
mod world;

mod afs;
mod boot;
mod case;
mod ceph;
mod cifs;
mod confine;
mod contacts;
mod guest;
mod kmsg;
mod naive;
mod namespaces;
mod nfs;
mod programs;
mod tools;

use case::Case;
use std::env;
use std::process::ExitCode;

/// The cases of all consumers, in the order in which they are run.
fn cases() -> impl Iterator<Item = &'static Case> {
    [ceph::CASES, namespaces::CASES, afs::CASES, nfs::CASES, cifs::CASES, tools::CASES, confine::CASES]
        .into_iter()
        .flatten()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "--list"] => cases().for_each(case::list),
        [_, "--list-programs"] => programs::cases().for_each(case::list),
        ["/sbin/request-key", "create", key, ..] => return naive::answer(key),
        [_, "--attempt", how, number] => attempts::make(how, number),
        [name, ..] if programs::is_counted(name) => programs::go_on(name, &arguments[1..]),
        _ if std::process::id() == 1 => boot::run(),
        _ => panic!("not a guest's /init"),
    }
    ExitCode::SUCCESS
}
