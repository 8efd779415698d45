//! The cell database: AFS cells and their servers, from the files of kafs-client and of OpenAFS.

pub mod kafs;
pub mod lines;
pub mod openafs;

use crate::file::{DeferredFile, Unreadable, Warning, read};
use crate::name;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// kafs-client's configuration, kafs-client.conf(5).
pub const KAFS: &str = "/etc/kafs/client.conf";
/// OpenAFS's databases, CellServDB(5): the first that has the cell counts.
pub const OPENAFS: [&str; 2] = ["/etc/openafs/CellServDB", "/usr/vice/etc/CellServDB"];

/// What the files say about one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Whether DNS may be asked for the cell's servers, where a file says it.
    pub use_dns: Option<bool>,
    /// Its volume location servers, in the order of the file.
    pub servers: Vec<Server>,
}

/// A volume location server as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its addresses, with a port where one is given.
    pub addresses: Vec<(IpAddr, Option<u16>)>,
}

impl Cell {
    /// Whether DNS is to be asked before the servers listed here.
    ///
    /// Without a word about it, servers listed are there to be used: they override DNS, as for kafs-dns.
    #[must_use]
    pub fn asks_dns(&self) -> bool {
        self.use_dns.unwrap_or(self.servers.is_empty())
    }
}

/// Files, and what was wrong in them.
pub trait Files {
    /// The bytes of a file; `None` where it can't be read, which is warned of unless it may be `absent`.
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>>;
    /// The files in a folder, sorted by name; none where it can't be read.
    fn folder(&self, path: &Path) -> Vec<PathBuf>;
    /// Notes a warning.
    fn warn(&self, message: String);
}

/// The files of this machine. Warnings go to the function.
pub struct Disk<F>(pub F);

impl<F: Fn(String)> Files for Disk<F> {
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>> {
        bytes_of(read(path), absent, self)
    }

    fn folder(&self, path: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.warn(format!("can't read {}: {error}", path.display()));
                return Vec::new();
            }
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.is_file());
        files.sort();
        files
    }

    fn warn(&self, message: String) {
        (self.0)(message);
    }
}

/// Files that are open already, and no others. Warnings go to the function.
pub struct Opened<'a, F> {
    /// The files.
    pub files: &'a [DeferredFile],
    /// Who is warned.
    pub warn: F,
}

impl<F: Fn(String)> Files for Opened<'_, F> {
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>> {
        let file = self.files.iter().find(|file| file.path() == path)?;
        bytes_of(file.read(), absent, self)
    }

    fn folder(&self, _: &Path) -> Vec<PathBuf> {
        Vec::new()
    }

    fn warn(&self, message: String) {
        (self.warn)(message);
    }
}

fn bytes_of(read: Result<Vec<u8>, Unreadable>, absent: bool, files: &impl Files) -> Option<Vec<u8>> {
    read.inspect_err(|unreadable| {
        if !(absent && unreadable.is_absent()) {
            files.warn(unreadable.to_string());
        }
    })
    .ok()
}

/// What kafs-client's configuration says about a cell, and all files that it includes.
pub fn in_kafs(cell: &str, files: &impl Files) -> Cell {
    kafs::find(cell, Path::new(KAFS), files)
}

/// The servers that OpenAFS's databases list for a cell.
pub fn in_openafs(cell: &str, files: &impl Files) -> Vec<Server> {
    for path in OPENAFS.map(Path::new) {
        if let Some(text) = files.contents(path, true) {
            let (servers, warnings) = openafs::servers(&text, cell);
            for warning in warnings {
                files.warn(Warning::at(&warning, path));
            }
            if !servers.is_empty() {
                return servers;
            }
        }
    }
    Vec::new()
}

/// Whether two names of cells are one, as they are in DNS and for the kernel's keys.
fn same_cell(one: &str, other: &str) -> bool {
    let bare = |name| str::strip_suffix(name, '.').unwrap_or(name);
    bare(one).eq_ignore_ascii_case(bare(other))
}

/// The place of a server in `servers`, to which it is added if it isn't there.
fn entry(servers: &mut Vec<Server>, name: &str) -> usize {
    let place = servers.iter().position(|server| server.name.eq_ignore_ascii_case(name));
    place.unwrap_or_else(|| {
        servers.push(Server { name: name.to_owned(), addresses: Vec::new() });
        servers.len() - 1
    })
}

/// What is wrong with the name of a server, if anything.
fn flaw(name: &str) -> Option<String> {
    name::flaw(name.as_bytes()).map(|flaw| format!("{name:?} is no server's name: {flaw}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_override_dns_unless_it_is_said_that_dns_may_be_asked() {
        let server = Server { name: "a".to_owned(), addresses: Vec::new() };
        let asks = |use_dns, servers: &[Server]| Cell { use_dns, servers: servers.to_vec() }.asks_dns();
        let one = [server];
        assert!(asks(None, &[]) && asks(Some(true), &[]) && asks(Some(true), &one));
        assert!(!asks(None, &one) && !asks(Some(false), &one) && !asks(Some(false), &[]));
    }
}
