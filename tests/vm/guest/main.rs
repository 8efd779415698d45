//! The one program of the guest. As `/init` it sets up the machine, runs the cases and reports them; as
//! `/sbin/request-key`, in some of the cases, it gives the kernel the answer of a naive helper.

#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../dns/mod.rs"]
mod dns;

mod afs;
mod boot;
mod case;
mod ceph;
mod cifs;
mod contacts;
mod guest;
mod kmsg;
mod naive;
mod namespaces;
mod nfs;
mod tools;

use case::Case;
use std::env;

/// The cases of all consumers, in the order in which they are run.
fn cases() -> impl Iterator<Item = &'static Case> {
    [ceph::CASES, namespaces::CASES, afs::CASES, nfs::CASES, cifs::CASES, tools::CASES].into_iter().flatten()
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "--list"] => cases().for_each(case::list),
        ["/sbin/request-key", "create", key, ..] => naive::answer(key.parse().unwrap()),
        _ if std::process::id() == 1 => boot::run(),
        _ => panic!("not a guest's /init"),
    }
}
