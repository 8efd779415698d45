//! What each fuzz target does with its input, and which properties the result must have.
//!
//! A target is a function of bytes that panics if a property does not hold. `fuzz_targets` makes an executable of each
//! for libFuzzer, and `tests/seeds.rs` runs its seeds without libFuzzer.

mod cells;
mod gai_conf;
mod host_conf;
mod hosts;
mod kernel;
mod lookup;
mod message;
mod nsswitch;
mod payload;
mod query;
mod request;
mod resolv_conf;
mod rules;
mod script;
mod settings;

pub use cells::cells;
pub use gai_conf::gai_conf;
pub use host_conf::host_conf;
pub use hosts::hosts;
pub use lookup::lookup;
pub use message::message;
pub use nsswitch::nsswitch;
pub use payload::payload;
pub use query::query;
pub use request::request;
pub use resolv_conf::resolv_conf;
pub use rules::rules;
pub use settings::settings;

use names::file::Warning;

/// What is done with one input.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 13] = [
    ("request", request),
    ("settings", settings),
    ("resolv_conf", resolv_conf),
    ("nsswitch", nsswitch),
    ("hosts", hosts),
    ("host_conf", host_conf),
    ("gai_conf", gai_conf),
    ("cells", cells),
    ("rules", rules),
    ("message", message),
    ("lookup", lookup),
    ("payload", payload),
    ("query", query),
];

/// The input up to the first newline, and what follows it.
fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// Each warning names a line that the file has.
fn check_lines(warnings: &[Warning], file: &[u8]) {
    let lines = file.split(|&byte| byte == b'\n').count();
    for Warning { line, message } in warnings {
        assert!(*line <= lines, "line {line} of {lines}: {message}");
        assert!(!message.is_empty());
    }
}
