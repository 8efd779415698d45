//! The cell database: AFS cells and their servers, from the files of kafs-client and of OpenAFS.

mod cell;
pub mod kafs;
pub mod lines;
pub mod openafs;

pub use cell::{Cell, CellFiles, DatabaseServer};

use crate::file::{DeferredFile, Unreadable, Warning, read};
use std::fs;
use std::path::{Path, PathBuf};

/// kafs-client's configuration, kafs-client.conf(5).
pub const KAFS: &str = "/etc/kafs/client.conf";
/// OpenAFS's databases, CellServDB(5): the first that has the cell is used.
pub const OPENAFS: [&str; 2] = ["/etc/openafs/CellServDB", "/usr/vice/etc/CellServDB"];

/// The files of this machine. Warnings are passed to the function.
pub struct Disk<F>(pub F);

impl<F: Fn(String)> CellFiles for Disk<F> {
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

/// Files that are already open, and no others. Warnings are passed to the function.
pub struct Opened<'a, F> {
    /// The files.
    pub files: &'a [DeferredFile],
    /// Receives the warnings.
    pub warn: F,
}

impl<F: Fn(String)> CellFiles for Opened<'_, F> {
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

fn bytes_of(read: Result<Vec<u8>, Unreadable>, absent: bool, files: &impl CellFiles) -> Option<Vec<u8>> {
    read.inspect_err(|unreadable| {
        if !(absent && unreadable.is_absent()) {
            files.warn(unreadable.to_string());
        }
    })
    .ok()
}

/// What kafs-client's configuration says about a cell, including all files that it includes.
pub fn in_kafs(cell: &str, files: &impl CellFiles) -> Cell {
    kafs::find(cell, Path::new(KAFS), files)
}

/// The servers that OpenAFS's databases list for a cell.
pub fn in_openafs(cell: &str, files: &impl CellFiles) -> Vec<DatabaseServer> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_in_the_database_disable_dns_unless_use_dns_is_set() {
        let server = DatabaseServer { name: "a".to_owned(), addresses: Vec::new() };
        let asks =
            |use_dns, servers: &[DatabaseServer]| Cell { use_dns, servers: servers.to_vec() }.asks_dns();
        let one = [server];
        assert!(asks(None, &[]) && asks(Some(true), &[]) && asks(Some(true), &one));
        assert!(!asks(None, &one) && !asks(Some(false), &one) && !asks(Some(false), &[]));
    }
}
