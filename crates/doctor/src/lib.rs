//! Why a mount by name fails on this host: findings, evidence and advice.
//!
//! A check is a function that looks at something of a host ([`HostRoot`]) and returns a [`Step`]: what was seen, what
//! could not be looked at, and the findings. Checks print nothing; [`text`] and [`json`] do.

mod answer;
pub mod cache;
mod child;
mod distribution;
pub mod explain;
mod host_root;
pub mod json;
pub mod kernel;
pub mod live;
mod logs;
pub mod lookup;
pub mod monitor;
mod mount_table;
pub mod mounts;
mod program;
pub mod remedy;
pub mod remembered;
mod repair;
mod report;
mod request_key;
mod rule;
mod servers;
mod settings;
mod shell;
pub mod subject;
pub mod text;

pub use answer::DryRun;
pub use host_root::HostRoot;
pub use remedy::Remedy;
pub use report::{
    AskedName, Finding, MountState, Report, ReportKind, Severity, Step, StepStatus, Unseen, WatchedMount,
    exit,
};
