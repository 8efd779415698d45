//! CephFS and RBD: the kernel's client, and Ceph's own programs.

use super::words::{
    DOCTOR, KERNEL_LOG, LIST_PAYLOAD, NO_REQUEST_KEY, NO_SUCH_NAME, OLD_ADDRESS, REMEMBERED, RESOLVE,
    SERVERS, WRONG_FAMILY,
};
use crate::explain::row::{Row, Speaker, Weight, Who, cause};

pub(super) const ROWS: &[Row] = &[
    Row::of_errno(
        "ceph-unresolved",
        Who::Ceph,
        &[3],
        "a monitor's name could not be looked up. libceph reports ESRCH whatever the reason was",
        &[NO_REQUEST_KEY, REMEMBERED, NO_SUCH_NAME, SERVERS, WRONG_FAMILY],
    )
    // With CONFIG_CEPH_LIB_USE_DNS_RESOLVER, "parse_ips bad ip" follows.
    .or_phrases(&["(ret=-3)"]),
    Row::of_phrases(
        "ceph-no-dns",
        Who::Ceph,
        &["parse_ips bad ip", "failed to parse monitor ips: -22"],
        "libceph accepts only addresses, or there was no answer for a monitor's name; mount(2) fails with EINVAL",
        &[
            cause(
                "this kernel's libceph was built without CONFIG_CEPH_LIB_USE_DNS_RESOLVER, as Debian's is, and never \
                 looks names up: mount by address, or with mount.ceph (package ceph-common), which looks names up \
                 itself",
                DOCTOR,
            ),
            cause("the list of monitors has a mistake: it should be NAME[:PORT], separated by commas", ""),
        ],
    ),
    Row::of_phrases(
        "ceph-mds",
        Who::Ceph,
        &["no mds server is up or the cluster is laggy", "no mds server is up", "probably no mds server is up"],
        "the mount got no answer in time. mount.ceph and the kernel report this if no metadata server is up, but also \
         if no monitor answers or accepts the user",
        &[
            cause("the monitors are not at the name's address: a stale or wrong record", DOCTOR),
            cause("all metadata servers are down or slow", "ceph fs status"),
            cause("the user may not mount it: see the \"auth\" lines in the kernel's log", KERNEL_LOG),
        ],
    ),
    Row::of_phrases(
        "ceph-unreached",
        Who::Ceph,
        &[
            "socket closed (con state", "session lost, hunting for new mon", "socket error on", "connection reset",
            "connect error", "libceph: connect … error",
        ],
        "the kernel has an address, but the monitor, OSD or metadata server there does not respond, or has stopped \
         responding",
        &[
            cause(
                "the port speaks the other protocol: 6789 is v1, 3300 is v2 and needs ms_mode= (Linux 5.11 and newer)",
                "",
            ),
            cause("the daemon is down or restarting; the kernel tries the others and may recover by itself", "ceph -s"),
            OLD_ADDRESS,
        ],
    )
    .said_by(Speaker::Ceph),
    Row::of_errno(
        "ceph-2",
        Who::Ceph,
        &[2],
        "the cluster was reached, so names are not to blame: it has no such path, file system, pool or image",
        &[cause("wrong path after \":\", or wrong fs=", "ceph fs ls")],
    ),
    Row::of_errno(
        "ceph-5",
        Who::Ceph,
        &[5],
        "the monitors did not answer in time, or the metadata server is slow or gone; the name was looked up",
        &[
            cause("the address is old or wrong, or a firewall is in between", RESOLVE),
            cause("the cluster is unhealthy", "ceph -s"),
        ],
    ),
    Row::of_errno(
        "ceph-13",
        Who::Ceph,
        &[13, 1],
        "a monitor was reached, so names are not to blame: it rejects the user",
        &[cause("wrong secret, or the user lacks capabilities", "ceph auth ls")],
    )
    .or_phrases(&["rejected session"])
    .said_by(Speaker::Ceph),
    Row::of_errno(
        "ceph-22",
        Who::Ceph,
        &[22],
        "libceph cannot parse the source",
        &[
            cause(
                "this kernel was built without CONFIG_CEPH_LIB_USE_DNS_RESOLVER (as Debian's is), so it never looks \
                 names up: mount by address, or with mount.ceph (package ceph-common)",
                DOCTOR,
            ),
            LIST_PAYLOAD,
            cause("a monitor's name is shorter than 3 or longer than 255 characters", ""),
            cause("an option is wrong: the kernel's log says which", KERNEL_LOG),
        ],
    ),
    Row::of_errno(
        "ceph-108",
        Who::Ceph,
        &[108],
        "the cluster has evicted this client (it is on the blocklist), so names are not to blame",
        &[cause("the cluster took it for dead after a network failure", "ceph osd blocklist ls")],
    )
    .or_phrases(&["reconnect denied", "blocklisted", "blacklisted"])
    .said_by(Speaker::Ceph),
    Row::of_errno(
        "ceph-110",
        Who::Ceph,
        &[110],
        "no monitor answered in time; names were looked up",
        &[
            OLD_ADDRESS,
            cause("the port speaks the other protocol (6789 is v1, 3300 is v2), or a firewall drops the packets", KERNEL_LOG),
            cause("the monitors have no quorum", "ceph -s"),
        ],
    ),
    Row::of_phrases(
        "ceph-monitors-unknown",
        Who::CephTools,
        &[
            "unable to get monitor info from dns srv",
            "failed for service _ceph-mon._tcp",
            "no monitors specified to connect to",
            "cannot identify monitors to contact",
        ],
        "neither the command line nor ceph.conf names monitors, and DNS has no _ceph-mon._tcp records. Next to \
         another error, this is only a side effect",
        &[
            cause("there is no ceph.conf here, or it has no mon_host (in a container: the host's file is elsewhere)", "cat /etc/ceph/ceph.conf"),
            cause("the SRV records are not in this host's search domain", "host -t SRV _ceph-mon._tcp"),
        ],
    )
    .or_errno(&[2])
    .weighs(Weight::Aside),
    Row::of_errno(
        "ceph-tools-silent",
        Who::CephTools,
        &[110],
        "no monitor answered in time. The program looked the names up itself, in the C library; no key was requested",
        &[
            cause("the monitors are not at these addresses, or a firewall drops the packets", "ceph mon dump --connect-timeout 5"),
            cause("the monitors have no quorum", "ceph -s"),
        ],
    )
    .said_by(Speaker::CephTools),
];
