//! The system calls that no crate makes for us, and the only `unsafe` code of this crate.

#![allow(unsafe_code)]

mod kill_timer;
#[cfg(target_env = "musl")]
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod rescue;
pub(crate) mod seccomp;
mod start;
pub(crate) mod user;
