//! Commands and causes that many rows share.

use crate::explain::row::{Cause, cause};

pub(super) const DOCTOR: &str = "key-dns doctor NAME";
pub(super) const MOUNTS: &str = "key-dns doctor --mounts";
pub(super) const TRACE: &str = "key-dns resolve --trace NAME";
pub(super) const RESOLVE: &str = "key-dns resolve NAME";
pub(super) const FLUSH: &str = "key-dns cache flush NAME";
/// Works in any login, even without a session keyring.
pub(super) const REQUEST: &str =
    "keyctl session - sh -c 'keyctl print \"$(keyctl request2 dns_resolver NAME \"\" @s)\"'";
pub(super) const HOSTS: &str = "getent ahosts NAME";
pub(super) const RESOLV_CONF: &str = "cat /etc/resolv.conf";
pub(super) const KERNEL_LOG: &str = "dmesg | tail";

pub(super) const NO_REQUEST_KEY: Cause =
    cause("/sbin/request-key, or a rule or helper for it, is missing: nobody answers the kernel", DOCTOR);
pub(super) const REMEMBERED: Cause = cause("an earlier failure is cached, for up to a minute", FLUSH);
pub(super) const NO_SUCH_NAME: Cause =
    cause("the name does not exist, or only with another search list or in another DNS", TRACE);
pub(super) const SERVERS: Cause =
    cause("the name servers fail, are silent, or can't be reached from this host", TRACE);
pub(super) const WRONG_FAMILY: Cause = cause(
    "the name has no address of the family that the setting \"family\" allows",
    "key-dns resolve NAME list",
);
pub(super) const LIST_PAYLOAD: Cause = cause(
    "another helper answered with several addresses, or the name was requested as a \"list\" before; only a single \
     one is accepted",
    "key-dns cache list NAME",
);
pub(super) const OLD_ADDRESS: Cause = cause("the address is old or wrong", RESOLVE);
