//! NFS and AFS: the kernel's clients, and mount.nfs(8).

use super::words::{
    KERNEL_LOG, MOUNTS, NO_REQUEST_KEY, NO_SUCH_NAME, REMEMBERED, RESOLVE, SERVERS, WRONG_FAMILY,
};
use crate::explain::row::{Row, Speaker, Who, cause};

pub(super) const ROWS: &[Row] = &[
    Row::of_phrases(
        "nfs-silent",
        Who::Nfs,
        &["not responding, still trying", "not responding, timed out", "not responding"],
        "the server answers no more; a hard mount waits for it without end",
        &[
            cause("the server or the way to it is down", MOUNTS),
            cause("its address has changed: a mounted NFS file system keeps the address of its start", RESOLVE),
        ],
    )
    .said_by(Speaker::Nfs),
    Row::of_phrases(
        "nfs-path",
        Who::Nfs,
        &["reason given by server: no such file or directory"],
        "the server was reached, so names are not to blame: it exports no such path",
        &[cause("a mistake in the path; NFSv4 counts it from the server's root (fsid=0)", "showmount -e NAME")],
    ),
    Row::of_phrases(
        "nfs-denied",
        Who::Nfs,
        &["access denied by server while mounting"],
        "the server was reached, and does not export that to this host",
        &[
            cause("/etc/exports has another name or address for this host, or lacks the path", "showmount -e NAME"),
            cause("the server looks this host's address up in DNS, and finds another name", ""),
        ],
    )
    .or_errno(&[13]),
    Row::of_phrases(
        "nfs-version",
        Who::Nfs,
        &["requested nfs version or transport protocol is not supported", "rpc: program not registered"],
        "the server was reached, so names are not to blame: it does not serve this version of NFS, or is no NFS server",
        &[cause("try vers=3 or vers=4; see what the server has", "rpcinfo -p NAME")],
    )
    .or_errno(&[93]),
    Row::of_phrases(
        "nfs-addr",
        Who::Nfs,
        &["bad option string: addr=", "addr: invalid argument", "bad value for 'addr'", "bad ip address specified: addr="],
        "addr= takes an address, and has a name or nothing: whoever was to look the name up did not",
        &[
            cause("mount.nfs is not installed (package nfs-common, nfs-utils): it looks the name up and adds addr=", "ls -l /sbin/mount.nfs"),
            cause("Docker looks up addr= of type nfs alone: write type=nfs with o=addr=NAME, or the address", RESOLVE),
        ],
    ),
    Row::of_errno(
        "nfs-2",
        Who::Nfs,
        &[2],
        "the server that a referral names could not be looked up: NFS says ENOENT whatever the reason was. Or the \
         path is not there",
        &[NO_REQUEST_KEY, REMEMBERED, NO_SUCH_NAME, SERVERS, WRONG_FAMILY],
    ),
    Row::of_errno(
        "nfs-22",
        Who::Nfs,
        &[22],
        "the kernel does not take an option of the mount, so names are mostly not to blame. A name in addr= is one, and \
         that addr= is missing",
        &[
            cause("mount.nfs is not installed (package nfs-common, nfs-utils): it looks the name up and adds addr=", "ls -l /sbin/mount.nfs"),
            cause("another option is wrong: the kernel's log says which", KERNEL_LOG),
        ],
    ),
    Row::of_errno(
        "nfs-114",
        Who::Nfs,
        &[114],
        "mount.nfs says so after it could not look the server's name up, or where the same mount is under way",
        &[cause("the name does not exist for this host", "getent ahosts NAME")],
    ),
    Row::of_phrases(
        "afs-cell",
        Who::Afs,
        &["unable to lookup cell"],
        "kAFS found no servers of a cell; mount(2) says why. ENOENT: there is no such cell. EDESTADDRREQ: the \
         lookup failed. EIO: keyutils' helper answered, with text",
        &[
            cause("the cell has neither SRV nor AFSDB records", "key-dns resolve --trace afsdb:NAME srv=1"),
            cause("the name servers fail, or another helper answers", "key-dns doctor afsdb:NAME"),
        ],
    ),
    Row::of_errno(
        "afs-5",
        Who::Afs,
        &[5],
        "kAFS has a list of servers without status and can't use it",
        &[
            cause("keyutils' helper answered, with text; kAFS wants the binary list", "key-dns doctor afsdb:NAME"),
            cause("no volume location server of the cell answers", "key-dns resolve afsdb:NAME srv=1"),
        ],
    ),
    Row::of_errno(
        "afs-11",
        Who::Afs,
        &[11],
        "the cell's servers are not known for now; kAFS looks again after 10 s",
        &[cause("the name servers fail or are silent", "key-dns resolve --trace afsdb:NAME srv=1")],
    ),
    Row::of_errno(
        "afs-61",
        Who::Afs,
        &[61],
        "there is no such cell: neither DNS nor a database names a server of it",
        &[
            cause("the cell has neither SRV nor AFSDB records", "key-dns resolve --trace afsdb:NAME srv=1"),
            cause("it is to come from a database, and none is installed or names it", "key-dns doctor afsdb:NAME"),
        ],
    ),
    Row::of_errno(
        "afs-89",
        Who::Afs,
        &[89],
        "kAFS knows no server of the cell",
        &[
            cause("there is no such cell, or its list of servers came as text", "key-dns doctor afsdb:NAME"),
            cause("none of its servers has an address", "key-dns resolve --trace afsdb:NAME srv=1"),
        ],
    ),
];
