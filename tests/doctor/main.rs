//! `key-dns doctor` on this machine: broken on purpose in many ways, and whole.

#![allow(unreachable_pub, missing_docs, clippy::must_use_candidate, clippy::missing_panics_doc)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// A method of a type with a lifetime is no function pointer for all of them.
#![allow(clippy::redundant_closure_for_method_calls)]
// The host must be held, whether or not a method looks at it.
#![allow(clippy::unused_self)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod breakages;
mod document;
mod healthy;
mod host;
mod orders;
mod schema;
mod watching;
