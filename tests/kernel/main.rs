//! On this machine's kernel: a real `/sbin/request-key`, our rule, our helper, and keys that are read back.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/mod.rs"]
mod support;

mod aliases;
mod answers;
mod deadline;
mod expiry;
mod failures;
mod families;
mod hosts;
mod limits;
mod lists;
mod literals;
mod log;
mod names;
mod other_keys;
mod real_servers;
mod search;
mod servers;
mod settings;
mod signals;
mod spoofing;
mod tcp;
mod untrusted;
mod usage;
