//! The system calls that no crate makes for us, and the only `unsafe` code of the program.

#![allow(unsafe_code)]

pub mod arena;
pub mod keyctl;
pub mod process;
pub mod rescue;
pub mod seccomp;
pub mod start;
