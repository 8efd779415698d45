//! The command lines: one file per face, and one per subcommand of the face for people.

#[cfg(feature = "doctor")]
mod cache;
#[cfg(feature = "doctor")]
mod doctor;
#[cfg(feature = "doctor")]
mod explain;
pub mod helper;
pub mod people;
#[cfg(feature = "doctor")]
mod probe_mount;
pub mod request_key;
mod resolve;
#[cfg(feature = "setup")]
mod setup;
mod subcommand;
