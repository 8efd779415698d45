//! What is known of each error: the one table.
//!
//! Grounds: docs/kernel-contract.md for what the kernel does; the messages of mount.ceph(8), mount.cifs(8), mount.nfs(8),
//! runc and of the kernel's own log as their sources have them; messages.txt for how people meet them.

mod ceph;
mod local;
mod lookup;
mod names;
mod nfs;
mod smb;

use super::row::{Cause, Row, cause};

/// All rows. Of those with the same number, what is likeliest goes first.
pub(super) use lookup::TOO_SHORT;

pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    let parts = [lookup::ROWS, ceph::ROWS, smb::ROWS, nfs::ROWS, names::ROWS, local::ROWS];
    parts.into_iter().flatten()
}

const DOCTOR: &str = "key-dns doctor NAME";
const MOUNTS: &str = "key-dns doctor --mounts";
const TRACE: &str = "key-dns resolve --trace NAME";
const RESOLVE: &str = "key-dns resolve NAME";
const FLUSH: &str = "key-dns cache flush NAME";
const HOSTS: &str = "getent ahosts NAME";
const RESOLV_CONF: &str = "cat /etc/resolv.conf";
const KERNEL_LOG: &str = "dmesg | tail";

const NO_REQUEST_KEY: Cause =
    cause("/sbin/request-key, or a rule or helper for it, is missing: nobody answers the kernel", DOCTOR);
const REMEMBERED: Cause = cause("an earlier failure is remembered, for up to a minute", FLUSH);
const NO_SUCH_NAME: Cause =
    cause("the name does not exist, or only with another search list or in another DNS", TRACE);
const SERVERS: Cause = cause("the name servers fail, are silent, or can't be reached from this host", TRACE);
const WRONG_FAMILY: Cause = cause(
    "the name has no address of the family that the setting \"family\" allows",
    "key-dns resolve NAME list",
);
const LIST_PAYLOAD: Cause = cause(
    "another helper answered with several addresses, or the name was asked for as a \"list\" before; one is taken",
    "key-dns cache list NAME",
);
const OLD_ADDRESS: Cause = cause("the address is an old or a wrong one", RESOLVE);
