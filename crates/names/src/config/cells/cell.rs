//! A cell in the databases, and what their formats share.

use crate::name;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// What the files say about one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Whether DNS may be queried for the cell's servers, if a file says so.
    pub use_dns: Option<bool>,
    /// Its volume location servers, in the order of the file.
    pub servers: Vec<DatabaseServer>,
}

/// A volume location server as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseServer {
    /// Its name.
    pub name: String,
    /// Its addresses, with a port if one is given.
    pub addresses: Vec<(IpAddr, Option<u16>)>,
}

impl Cell {
    /// Whether DNS is to be queried before the servers listed here.
    ///
    /// If the file does not say, servers listed are to be used: they override DNS, as for kafs-dns.
    #[must_use]
    pub fn asks_dns(&self) -> bool {
        self.use_dns.unwrap_or(self.servers.is_empty())
    }
}

/// The files that describe cells, and the mistakes found in them.
pub trait CellFiles {
    /// The bytes of a file; `None` if it can't be read, which is a warning unless it may be `absent`.
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>>;
    /// The files in a directory, sorted by name; none if it can't be read.
    fn folder(&self, path: &Path) -> Vec<PathBuf>;
    /// Records a warning.
    fn warn(&self, message: String);
}

/// Whether two names denote the same cell, as in DNS and for the kernel's keys.
pub(super) fn same_cell(one: &str, other: &str) -> bool {
    let bare = |name| str::strip_suffix(name, '.').unwrap_or(name);
    bare(one).eq_ignore_ascii_case(bare(other))
}

/// The position of a server in `servers`, to which it is added if missing.
pub(super) fn entry(servers: &mut Vec<DatabaseServer>, name: &str) -> usize {
    let place = servers.iter().position(|server| server.name.eq_ignore_ascii_case(name));
    place.unwrap_or_else(|| {
        servers.push(DatabaseServer { name: name.to_owned(), addresses: Vec::new() });
        servers.len() - 1
    })
}

/// What is wrong with the name of a server, if anything.
pub(super) fn flaw(name: &str) -> Option<String> {
    name::flaw(name.as_bytes()).map(|flaw| format!("{name:?} is not a server's name: {flaw}"))
}
