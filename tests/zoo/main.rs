//! A zoo of name servers: each row is a behaviour that somebody met and reported in public. `getaddrinfo()` and the
//! helper in debug mode query each, alone and with a good second server behind it. The answers must be the same, or the
//! row has the reason; and ours may not come much later.
//!
//! Every row has mount and network namespaces of its own, where `/etc` is ours and no packet gets out. The table is
//! printed; `ZOO_ROW` selects the rows whose names contain it.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string
)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../glibc/lookups.rs"]
#[allow(dead_code)]
mod lookups;
#[path = "../support/mod.rs"]
mod support;

mod compare;
mod rows;
mod spoofing;

use std::sync::{Mutex, MutexGuard, PoisonError};

static TURN: Mutex<()> = Mutex::new(());

/// One test at a time: a flood takes a processor, and the table shows times.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
