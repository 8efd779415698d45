//! For those who watch many hosts: the checks of the doctor within a time limit, as metrics and as conditions of a node.

mod checks;
pub mod file;
mod metrics;
pub mod node_problem;
mod prometheus;
mod short;

pub use checks::{Check, CheckResult, run};
pub use metrics::{MetricsContext, render};
