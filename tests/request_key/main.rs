//! The `request-key` face: compared with keyutils' in debug mode, and in its place on this machine's kernel.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unused_self, clippy::format_push_string, clippy::cast_possible_truncation)]
#![allow(clippy::large_stack_arrays, clippy::format_collect)]

#[path = "../dns/mod.rs"]
mod dns;
#[path = "../support/mod.rs"]
mod support;

mod command_line;
mod differential;
mod failing;
mod inherited;
mod pipes;
mod rejections;
mod rules;
mod signals;
mod upcall;
mod who_asks;
mod wild;
