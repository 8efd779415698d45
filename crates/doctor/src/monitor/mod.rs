//! For those who watch many hosts: the looks of the doctor within a time limit, as metrics and as conditions of a node.

pub mod file;
mod look;
mod metrics;
pub mod node_problem;
mod prometheus;
mod short;

pub use look::{Look, Seen, look};
pub use metrics::{MetricsContext, render};
