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
        "the server no longer answers; a hard mount waits for it without limit",
        &[
            cause("the server or the network to it is down", MOUNTS),
            cause("its address has changed: a mounted NFS file system keeps the address from its mount", RESOLVE),
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
        "the server was reached, but does not export that to this host",
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
        "the server was reached, so names are not to blame: it does not serve this version of NFS, or is not an NFS \
         server",
        &[cause("try vers=3 or vers=4; check what the server supports", "rpcinfo -p NAME")],
    )
    .or_errno(&[93]),
    Row::of_phrases(
        "nfs-addr",
        Who::Nfs,
        &["bad option string: addr=", "addr: invalid argument", "bad value for 'addr'", "bad ip address specified: addr="],
        "addr= needs an address, but has a name or nothing: the program that should have looked the name up did not",
        &[
            cause("mount.nfs is not installed (package nfs-common, nfs-utils): it looks the name up and adds addr=", "ls -l /sbin/mount.nfs"),
            cause("Docker looks up only addr= of type nfs: write type=nfs with o=addr=NAME, or the address", RESOLVE),
        ],
    ),
    Row::of_errno(
        "nfs-2",
        Who::Nfs,
        &[2],
        "the server that a referral names could not be looked up: NFS reports ENOENT whatever the reason was. Or the \
         path does not exist",
        &[NO_REQUEST_KEY, REMEMBERED, NO_SUCH_NAME, SERVERS, WRONG_FAMILY],
    ),
    Row::of_errno(
        "nfs-22",
        Who::Nfs,
        &[22],
        "the kernel rejects an option of the mount, so names are usually not to blame; except if addr= has a name, or \
         is missing",
        &[
            cause("mount.nfs is not installed (package nfs-common, nfs-utils): it looks the name up and adds addr=", "ls -l /sbin/mount.nfs"),
            cause("another option is wrong: the kernel's log says which", KERNEL_LOG),
        ],
    ),
    Row::of_errno(
        "nfs-114",
        Who::Nfs,
        &[114],
        "mount.nfs reports this after it could not look the server's name up, or if the same mount is in progress",
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
        "kAFS has a server list without a status and can't use it",
        &[
            cause("keyutils' helper answered, with text; kAFS needs the binary list", "key-dns doctor afsdb:NAME"),
            cause("no volume location server of the cell answers", "key-dns resolve afsdb:NAME srv=1"),
        ],
    ),
    Row::of_errno(
        "afs-11",
        Who::Afs,
        &[11],
        "the cell's servers can't be determined at the moment; kAFS tries again after 10 s",
        &[cause("the name servers fail or are silent", "key-dns resolve --trace afsdb:NAME srv=1")],
    ),
    Row::of_errno(
        "afs-61",
        Who::Afs,
        &[61],
        "there is no such cell: neither DNS nor a database has a server for it",
        &[
            cause("the cell has neither SRV nor AFSDB records", "key-dns resolve --trace afsdb:NAME srv=1"),
            cause("it should be in a database, but none is installed or has it", "key-dns doctor afsdb:NAME"),
        ],
    ),
    Row::of_errno(
        "afs-89",
        Who::Afs,
        &[89],
        "kAFS knows no server of the cell",
        &[
            cause("there is no such cell, or its server list came as text", "key-dns doctor afsdb:NAME"),
            cause("none of its servers has an address", "key-dns resolve --trace afsdb:NAME srv=1"),
        ],
    ),
];
