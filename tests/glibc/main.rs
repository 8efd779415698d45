//! Compared with glibc: generated hosts files, configurations, names and servers, looked up by `getaddrinfo()` and by
//! the helper in debug mode. Both must return the same addresses in the same order, or the case is one of the
//! deliberate differences in `differences.rs`.
//!
//! All of it runs in mount and network namespaces of its own, where `/etc` is ours and no packet gets out.
//! `GLIBC_CASES` sets the number of cases and `GLIBC_SEED` the start of the generator.

#![allow(
    unreachable_pub,
    clippy::format_push_string,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod cases;
mod differences;
mod generate;
mod lookups;
