//! The executable installs itself on a host, and leaves the host as it was.
//!
//! A [`Plan`] is what a [`HostRoot`] needs; [`install`] carries it out and [`remove`] takes it back, both by the
//! [`Journal`], which has each step before it is taken. So either may end anywhere, and the next call goes on from there.

#![forbid(unsafe_code)]

mod change;
mod error;
mod host_root;
mod journal;
mod lock;
mod package;
mod plan;
mod sum;
#[cfg(test)]
mod tests;
mod wait;

pub use change::{FileState, Progress, Status, changes, install, remove, status};
pub use error::SetupError;
pub use host_root::HostRoot;
pub use journal::{Entry, JOURNAL, Journal, Kind};
pub use lock::LockedRoot;
pub use plan::{EXTENSION, Host, Item, Plan, Way};
pub use wait::{Signals, hold_signals};
