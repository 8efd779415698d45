//! The command lines, one file a face; and one for each subcommand of the face for people.

pub mod doctor;
pub mod helper;
pub mod operator;
pub mod request_key;
