//! What is known about each error: the only table.
//!
//! Sources: docs/kernel-contract.md for what the kernel does; the sources of mount.ceph(8), mount.cifs(8),
//! mount.nfs(8), runc and the kernel for their messages; messages.txt for how people meet them.

mod ceph;
mod local;
mod lookup;
mod names;
mod nfs;
mod smb;
mod words;

use super::row::Row;

/// All rows. Of those with the same number, the likeliest first.
pub(super) use lookup::TOO_SHORT;

pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    let parts = [lookup::ROWS, ceph::ROWS, smb::ROWS, nfs::ROWS, names::ROWS, local::ROWS];
    parts.into_iter().flatten()
}
