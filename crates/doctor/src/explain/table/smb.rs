//! SMB: the kernel's client, and mount.cifs(8).

use super::words::{
    DOCTOR, KERNEL_LOG, LIST_PAYLOAD, MOUNTS, NO_REQUEST_KEY, NO_SUCH_NAME, OLD_ADDRESS, REMEMBERED, RESOLVE,
    SERVERS,
};
use crate::explain::row::{Row, Speaker, Weight, Who, cause};

pub(super) const ROWS: &[Row] = &[
    Row::of_phrases(
        "cifs-unresolved",
        Who::Cifs,
        &["unable to resolve", "failed to resolve server part of"],
        "the kernel's SMB client looked the server's name up and got no address; for DFS that may be a short \
         (NetBIOS) name",
        &[
            NO_REQUEST_KEY,
            REMEMBERED,
            NO_SUCH_NAME,
            cause("a short name needs its domain in the search list", "grep search /etc/resolv.conf"),
            SERVERS,
        ],
    )
    .said_by(Speaker::Cifs)
    .weighs(Weight::WithLookup),
    Row::of_phrases(
        "cifs-no-address",
        Who::Cifs,
        &["unable to determine destination address"],
        "the kernel got a name without an address: mount.cifs, which looks names up and adds ip=, did not run",
        &[
            cause(
                "mount.cifs is not installed (package cifs-utils), or was bypassed (-i, Docker, busybox)",
                "ls -l /sbin/mount.cifs",
            ),
            cause("give the address explicitly: mount -o ip=ADDRESS", RESOLVE),
        ],
    ),
    Row::of_phrases(
        "cifs-share",
        Who::Cifs,
        &["bad_network_name"],
        "the server was reached, so names are not to blame: it has no such share",
        &[cause("a mistake in the share's name, or it is no longer there", "smbclient -L //NAME")],
    ),
    Row::of_phrases(
        "cifs-silent",
        Who::Cifs,
        &["has not responded in"],
        "the server no longer answers; the kernel reconnects, and looks its name up again",
        &[
            cause("the server or the network to it is down", MOUNTS),
            cause("its address has changed", RESOLVE),
        ],
    )
    .said_by(Speaker::Cifs),
    Row::of_phrases(
        "cifs-unc",
        Who::Cifs,
        &["bad unc", "wrong unc", "malformed unc"],
        "mount.cifs can't parse the source, and looked nothing up",
        &[cause("a source is //SERVER/SHARE; in a shell, backslashes need quotes", "man mount.cifs")],
    )
    .said_by(Speaker::Cifs),
    Row::of_errno(
        "cifs-unreached",
        Who::Cifs,
        &[110, 111, 115],
        "the name was looked up, but no connection to the server's port 445 could be made",
        &[
            OLD_ADDRESS,
            cause(
                "the server is down, has another port (port=), or a firewall is in between",
                "nc -vz NAME 445",
            ),
        ],
    )
    .or_phrases(&["error connecting to socket", "unable to find suitable address"]),
    Row::of_errno(
        "cifs-2",
        Who::Cifs,
        &[2],
        "the SMB client passes on the error of the lookup, but also reports this for a share that does not exist",
        &[
            cause("the share or the path on it does not exist", "smbclient -L //NAME"),
            cause("/sbin/request-key is missing", DOCTOR),
        ],
    ),
    Row::of_errno(
        "cifs-4",
        Who::Cifs,
        &[4],
        "keyutils' key.dns_resolver returns EINTR if a name has no address: it puts a resolver's number in the place \
         of an errno. key-dns returns ENODATA, or EAGAIN if a server failed",
        &[
            NO_SUCH_NAME,
            cause("the name has only IPv6 addresses, which that helper does not return", RESOLVE),
            SERVERS,
            cause("keyutils' helper still answers: another rule wins over that of key-dns", DOCTOR),
        ],
    ),
    Row::of_errno(
        "cifs-13",
        Who::Cifs,
        &[13],
        "the server was reached, so names are not to blame: it refuses",
        &[cause("wrong user, password or domain, or a sec= that the server does not accept", KERNEL_LOG)],
    ),
    Row::of_errno(
        "cifs-22",
        Who::Cifs,
        &[22],
        "this kernel rejects an option, or the source has a name and there was no mount.cifs to look it up",
        &[
            cause("the kernel's log says which option", KERNEL_LOG),
            cause("mount.cifs is not installed (package cifs-utils)", "ls -l /sbin/mount.cifs"),
            cause("the name is shorter than 3 or longer than 255 characters", ""),
        ],
    ),
    Row::of_errno(
        "cifs-38",
        Who::Cifs,
        &[38],
        "this kernel's SMB client was built without a feature that the mount needs, so names are not to blame",
        &[cause("sec=krb5 without CONFIG_CIFS_UPCALL: the log says \"upcall support disabled\"", KERNEL_LOG)],
    ),
    Row::of_errno(
        "cifs-66",
        Who::Cifs,
        &[66],
        "the path is a link to another server (DFS), and this kernel does not follow it",
        &[
            cause(
                "the kernel was built without CONFIG_CIFS_DFS_UPCALL, or the mount has nodfs",
                "grep DFS /boot/config-$(uname -r)",
            ),
            cause("the other server's name could not be looked up", DOCTOR),
        ],
    ),
    Row::of_errno(
        "cifs-95",
        Who::Cifs,
        &[95],
        "the name was looked up, so names are not to blame: server and client have no version of SMB in common",
        &[cause("try vers=3.0, or an older one if the server is old", KERNEL_LOG)],
    ),
    Row::of_errno(
        "cifs-112",
        Who::Cifs,
        &[112],
        "the name was looked up; the server does not speak SMB with us",
        &[cause("it speaks another version of SMB: try vers=", KERNEL_LOG), OLD_ADDRESS],
    ),
    Row::of_errno(
        "cifs-113",
        Who::Cifs,
        &[113],
        "the server's address is not one that CIFS can use, or there is no route to it",
        &[
            cause(
                "mount.cifs did not run (not installed, Docker, busybox), and the kernel got a name without its \
                 address: \
                 add ip=ADDRESS",
                "dmesg | grep 'destination address'",
            ),
            LIST_PAYLOAD,
            cause("the address is old or wrong, or a firewall rejects the packets", RESOLVE),
        ],
    ),
    Row::of_errno(
        "cifs-126",
        Who::Cifs,
        &[126],
        "a key was not answered: with sec=krb5 that of the Kerberos ticket (cifs.spnego), otherwise that of the \
         server's name. Linux 6.6.0 to 6.6.2 look the name up even if mount.cifs passes its address",
        &[
            cause("without sec=krb5: nobody answers for the name", DOCTOR),
            cause("with sec=krb5: no ticket", "klist"),
            cause(
                "with sec=krb5: cifs.upcall, its rule or request-key is missing",
                "cat /etc/request-key.d/cifs.spnego.conf",
            ),
        ],
    ),
];
