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
        "the kernel's SMB client asked for the server's name and got no address; for DFS that may be a short \
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
        "the kernel got a name and no address with it: mount.cifs, which looks names up and adds ip=, did not run",
        &[
            cause(
                "mount.cifs is not installed (package cifs-utils), or was passed over (-i, Docker, busybox)",
                "ls -l /sbin/mount.cifs",
            ),
            cause("give the address yourself: mount -o ip=ADDRESS", RESOLVE),
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
        "the server answers no more; the kernel connects again, and looks its name up again",
        &[cause("the server or the way to it is down", MOUNTS), cause("its address has changed", RESOLVE)],
    )
    .said_by(Speaker::Cifs),
    Row::of_phrases(
        "cifs-unc",
        Who::Cifs,
        &["bad unc", "wrong unc", "malformed unc"],
        "mount.cifs can't make sense of the source, and looked nothing up",
        &[cause("a source is //SERVER/SHARE; in a shell, backslashes want quotes", "man mount.cifs")],
    )
    .said_by(Speaker::Cifs),
    Row::of_errno(
        "cifs-unreached",
        Who::Cifs,
        &[110, 111, 115],
        "the name was looked up, and no connection to the server's port 445 came about",
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
        "the SMB client hands the error of the lookup on, but also says so of a share that does not exist",
        &[
            cause("the share or the path on it does not exist", "smbclient -L //NAME"),
            cause("/sbin/request-key is missing", DOCTOR),
        ],
    ),
    Row::of_errno(
        "cifs-4",
        Who::Cifs,
        &[4],
        "keyutils' key.dns_resolver says EINTR where a name has no address: it puts a number of the resolver \
         in the place of an errno. key-dns says ENODATA, or EAGAIN where a server failed",
        &[
            NO_SUCH_NAME,
            cause("the name has IPv6 addresses alone, which that helper does not give", RESOLVE),
            SERVERS,
            cause("keyutils' helper still answers: another rule wins over that of key-dns", DOCTOR),
        ],
    ),
    Row::of_errno(
        "cifs-13",
        Who::Cifs,
        &[13],
        "the server was reached, so names are not to blame: it refuses",
        &[cause("wrong user, password or domain, or sec= that the server does not take", KERNEL_LOG)],
    ),
    Row::of_errno(
        "cifs-22",
        Who::Cifs,
        &[22],
        "an option makes no sense to this kernel, or the source has a name and no mount.cifs was there to look it up",
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
        "this kernel's SMB client was built without what the mount wants, so names are not to blame",
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
        &[cause("try vers=3.0, or an older one where the server is old", KERNEL_LOG)],
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
        "the server's address is none that CIFS can use, or there is no way to it",
        &[
            cause(
                "mount.cifs did not run (not installed, Docker, busybox), and the kernel got a name without its address: \
                 add ip=ADDRESS",
                "dmesg | grep 'destination address'",
            ),
            LIST_PAYLOAD,
            cause("the address is an old or a wrong one, or a firewall rejects the packets", RESOLVE),
        ],
    ),
    Row::of_errno(
        "cifs-126",
        Who::Cifs,
        &[126],
        "no answer came for a key: with sec=krb5 that of the Kerberos ticket (cifs.spnego), else that of the server's name. \
         From Linux 6.6 on, the kernel asks for the name even where mount.cifs gave its address",
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
