//! The files that say how to resolve, each parsed by a pure function that warns by line and never fails.

pub mod cells;
pub mod gai;
pub mod host_conf;
pub mod nsswitch;
pub mod resolv;
pub mod sortlist;

/// Where the hosts file is, which is read anew for each name (`hosts`).
pub const HOSTS: &str = "/etc/hosts";
