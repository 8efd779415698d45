//! Answers the Linux kernel's `dns_resolver` keys: the names of hosts that CephFS, RBD, CIFS, NFS and AFS
//! mounts need, looked up in user space.
//!
//! The way of one key is [`upcall::answer`]; `docs/architecture.md` has the map.

pub mod cache;
pub mod cli;
pub mod config;
pub mod confine;
pub mod doctor;
pub mod errno;
pub mod explain;
pub mod face;
pub mod failure;
pub mod key;
pub mod log;
pub mod random;
pub mod request_key;
pub mod resolve;
pub mod sys;
pub mod ttl;
pub mod upcall;
