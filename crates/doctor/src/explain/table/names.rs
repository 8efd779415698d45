//! Lookups without the kernel: by programs that use the C library or their own resolver, and what name servers say.

use super::words::{HOSTS, RESOLV_CONF, SERVERS, TRACE};
use crate::explain::row::{Cause, Row, Weight, Who, cause};

const NOT_HERE: Cause = cause("the name does not exist for this host", HOSTS);
const AT_BOOT: Cause = cause(
    "at boot: the network was not up yet; _netdev in fstab and network-online.target wait for it",
    "systemctl status network-online.target",
);
const SAME_SERVERS: Cause =
    cause("the name servers don't answer; key-dns queries the same ones, and shows what they say", TRACE);

pub(super) const ROWS: &[Row] = &[
    Row::of_phrases(
        "libc-again",
        Who::Libc,
        &[
            "temporary failure in name resolution",
            "non-recoverable failure in name resolution",
            "non-recoverable error",
            // musl.
            "failed to resolve server … try again",
            "could not resolve address for … try again",
            "server name not found … try again",
            "could not resolve hostname … try again",
            "eai_again",
            "eai_fail",
        ],
        "the program looked the name up itself, in the C library, and no name server gave a usable answer; no key was \
         requested",
        &[
            SAME_SERVERS,
            AT_BOOT,
            cause("/etc/resolv.conf is empty, or names a server that is not running", RESOLV_CONF),
        ],
    ),
    Row::of_phrases(
        "libc-no-name",
        Who::Libc,
        &[
            "unknown host",
            "name or service not known",
            "name does not resolve",
            "name has no usable address",
            "no address associated with hostname",
            "could not resolve address for",
            "failed to resolve server",
            "failed to resolve \"",
            "server name not found",
            "could not resolve hostname",
            "could not resolve host",
            "curle_couldnt_resolve_host",
            "couldn't resolve host",
            "dns resolution failed on host",
            "can't resolve host",
            "can't resolve '",
            "bad address '",
            "rpc: unknown host",
            "host not found (authoritative)",
            "eai_noname",
            "eai_nodata",
        ],
        "the program looked the name up itself, in the C library, and found nothing; no key was requested",
        &[
            NOT_HERE,
            SAME_SERVERS,
            cause(
                "a short (NetBIOS) name needs its domain in the search list",
                "grep search /etc/resolv.conf",
            ),
            AT_BOOT,
        ],
    ),
    Row::of_phrases(
        "libc-service",
        Who::Libc,
        &["servname not supported for ai_socktype", "unrecognized service"],
        "the program looked a service up, not a host, and /etc/services does not have it; no key was requested",
        &[cause("/etc/services is missing or old (package netbase, setup)", "getent services nfs")],
    ),
    Row::of_phrases(
        "go-no-host",
        Who::Go,
        &["no such host"],
        "the program (Docker, kubelet, rclone, …) queried the name server itself, and the name does not exist there; \
         no key was requested",
        &[NOT_HERE, cause("a container's name server is not the host's", RESOLV_CONF)],
    ),
    Row::of_phrases(
        "go-failed",
        Who::Go,
        &["server misbehaving"],
        "the program queried the name server itself, which answered SERVFAIL or REFUSED; no key was requested",
        &[
            cause(
                "systemd-resolved (127.0.0.53) refuses names without a dot, and .local ones: give the full name",
                "resolvectl query NAME",
            ),
            SERVERS,
        ],
    ),
    Row::of_phrases(
        "go-silent",
        Who::Go,
        &["i/o timeout"],
        "the program queried the name server itself, and got no answer; no key was requested",
        &[
            SERVERS,
            cause(
                "the server in /etc/resolv.conf is not running, or a firewall drops the packets",
                RESOLV_CONF,
            ),
        ],
    )
    .weighs(Weight::Aside),
    Row::of_phrases(
        "dns-degraded",
        Who::Dns,
        &["using degraded feature set", "mitigating potential dns violation"],
        "systemd-resolved: a name server does not answer newer kinds of queries (EDNS, DNSSEC), so older ones are \
         tried; names may still be found",
        &[cause(
            "the server loses packets or is old; or it fails only for this name",
            "resolvectl statistics",
        )],
    ),
    Row::of_phrases(
        "dns-nxdomain",
        Who::Dns,
        &["nxdomain"],
        "the name does not exist in this DNS; a helper tells the kernel ENODATA",
        &[
            cause("a mistake in the name, or it is only known with a search list or in another DNS", TRACE),
            cause("the hosts file or another service in nsswitch.conf knows it", HOSTS),
        ],
    ),
    Row::of_phrases(
        "dns-nodata",
        Who::Dns,
        &["does not have any rr of the requested type"],
        "the name exists, but has no address; a helper tells the kernel ENODATA",
        &[cause("it has only other records (MX, SRV), or an address of the other family", TRACE)],
    ),
    Row::of_phrases(
        "dns-dnssec",
        Who::Dns,
        &["dnssec validation failed"],
        "systemd-resolved rejects the answer because its signatures are invalid; its clients get SERVFAIL",
        &[
            cause(
                "the zone's signatures are wrong or expired, or the server in between breaks them",
                "resolvectl query NAME",
            ),
            cause("this host's clock is wrong", "timedatectl"),
        ],
    ),
    Row::of_phrases(
        "dns-servfail",
        Who::Dns,
        &["servfail"],
        "the name server could not resolve the name; a helper tells the kernel EAGAIN, and the next mount tries again",
        &[
            cause("the servers of the zone are down or wrong", TRACE),
            cause(
                "systemd-resolved refuses names without a dot: give the full name, or set a search domain",
                "resolvectl query NAME",
            ),
        ],
    ),
    Row::of_phrases(
        "dns-refused",
        Who::Dns,
        &["refused to do a recursive query", "status: refused", "rcode=refused"],
        "the name server does not answer this host; a helper tells the kernel ECONNREFUSED",
        &[cause(
            "it serves only its own zones or other networks: use another one in /etc/resolv.conf",
            RESOLV_CONF,
        )],
    ),
    Row::of_phrases(
        "dns-silent",
        Who::Dns,
        &[
            "no servers could be reached",
            "all attempts to contact name servers or networks failed",
            "no appropriate name servers or networks for name found",
        ],
        "no name server answered; a helper tells the kernel EAGAIN, or ECONNREFUSED if none is running",
        &[
            cause(
                "the servers in /etc/resolv.conf are not running, or a firewall drops the packets",
                RESOLV_CONF,
            ),
            SERVERS,
        ],
    ),
];
