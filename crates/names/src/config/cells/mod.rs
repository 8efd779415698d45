//! The cell database: AFS cells and their servers, from the files of kafs-client and of OpenAFS.

mod cell;
mod files;
pub mod kafs;
pub mod lines;
pub mod openafs;

pub use cell::{Cell, Server};
pub use files::{Disk, Files, Opened};

use crate::file::Warning;
use std::path::Path;

/// kafs-client's configuration, kafs-client.conf(5).
pub const KAFS: &str = "/etc/kafs/client.conf";
/// OpenAFS's databases, CellServDB(5): the first that has the cell counts.
pub const OPENAFS: [&str; 2] = ["/etc/openafs/CellServDB", "/usr/vice/etc/CellServDB"];

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
