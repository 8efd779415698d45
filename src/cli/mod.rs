//! The command lines, one file a face; and one for each subcommand of the face for people.

pub mod cache;
pub mod doctor;
pub mod explain;
pub mod helper;
pub mod operator;
pub mod probe_mount;
pub mod request_key;
pub mod resolve;
