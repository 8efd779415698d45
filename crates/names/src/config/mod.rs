//! The files that say how to resolve names, each with a pure parser that warns by line and never fails.

pub mod cells;
pub mod gai;
pub mod host_conf;
pub mod nsswitch;
pub mod resolv;
pub mod sortlist;

/// The path of the hosts file, which is read again for each name (`hosts`).
pub const HOSTS: &str = "/etc/hosts";
