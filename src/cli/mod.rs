//! The command lines, one file a face.

pub mod helper;
pub mod operator;
pub mod request_key;
