//! placeholder
use super::{Families, Found};
use std::io;
/// The hosts file.
pub const PATH: &str = "/etc/hosts";
/// Looks `name` up.
pub fn lookup(_name: &str, _families: Families) -> io::Result<Option<Found>> {
    Ok(None)
}
