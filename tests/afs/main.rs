//! AFS cells: the payloads that kAFS gets, through a real upcall, from a scripted name server and from databases.

#![allow(unreachable_pub, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/serving.rs"]
#[allow(dead_code)]
mod serving;
#[path = "../support/mod.rs"]
mod support;

mod beside;
mod codec;
mod databases;
mod decode;
mod failures;
mod hostile;
mod records;
mod rules;
mod setup;
mod sources;
