//! What is known of each error: the one table.
//!
//! Grounds: docs/kernel-contract.md for what the kernel does; the messages of mount.ceph(8), mount.cifs(8), mount.nfs(8),
//! runc and of the kernel's own log as their sources have them.

use super::row::{Cause, Row, Sign, Who};

/// The errors told of here: number, name, and what `strerror(3)` calls it.
pub(super) const ERRNOS: &[(u16, &str, &str)] = &[
    (1, "EPERM", "Operation not permitted"),
    (2, "ENOENT", "No such file or directory"),
    (3, "ESRCH", "No such process"),
    (4, "EINTR", "Interrupted system call"),
    (5, "EIO", "Input/output error"),
    (8, "ENOEXEC", "Exec format error"),
    (11, "EAGAIN", "Resource temporarily unavailable"),
    (13, "EACCES", "Permission denied"),
    (19, "ENODEV", "No such device"),
    (22, "EINVAL", "Invalid argument"),
    (38, "ENOSYS", "Function not implemented"),
    (61, "ENODATA", "No data available"),
    (89, "EDESTADDRREQ", "Destination address required"),
    (101, "ENETUNREACH", "Network is unreachable"),
    (107, "ENOTCONN", "Transport endpoint is not connected"),
    (110, "ETIMEDOUT", "Connection timed out"),
    (111, "ECONNREFUSED", "Connection refused"),
    (112, "EHOSTDOWN", "Host is down"),
    (113, "EHOSTUNREACH", "No route to host"),
    (116, "ESTALE", "Stale file handle"),
    (122, "EDQUOT", "Disk quota exceeded"),
    (126, "ENOKEY", "Required key not available"),
    (127, "EKEYEXPIRED", "Key has expired"),
    (128, "EKEYREVOKED", "Key has been revoked"),
    (129, "EKEYREJECTED", "Key was rejected by service"),
];

const fn cause(what: &'static str, remedy: &'static str) -> Cause {
    Cause { what, remedy }
}

const DOCTOR: &str = "key-dns doctor NAME";
const MOUNTS: &str = "key-dns doctor --mounts";
const TRACE: &str = "key-dns resolve --trace NAME";
const RESOLVE: &str = "key-dns resolve NAME";
const LIST: &str = "key-dns cache list NAME";
const FLUSH: &str = "key-dns cache flush NAME";

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
    LIST,
);

/// All rows. Those with a phrase go before those with an errno; of each, what is likeliest goes first.
pub(super) const ROWS: &[Row] = &[
    Row {
        sign: Sign::Phrases(&["mount through procfd", "to rootfs at", "via /proc/self/fd"]),
        who: Who::Runc,
        means: "a volume of the container can't be mounted: its source is a bind mount of something that is gone",
        causes: &[
            cause(
                "the directory was deleted, or its FUSE daemon (ceph-fuse, …) restarted, under the bind mount: \
                 mountinfo marks it //deleted",
                MOUNTS,
            ),
            cause("the FUSE daemon of the source is dead", MOUNTS),
            cause("the source is not there in the mount namespace of the container runtime", "ls -ld SOURCE"),
        ],
    },
    Row {
        sign: Sign::Phrases(&["//deleted"]),
        who: Who::Runc,
        means: "what a bind mount shows was deleted: it stays mounted, and can't be mounted anywhere else",
        causes: &[cause(
            "the directory was replaced, or its file system mounted anew, under the bind mount",
            MOUNTS,
        )],
    },
    Row {
        sign: Sign::Phrases(&["parse_ips bad ip", "failed to parse monitor ips: -22"]),
        who: Who::Ceph,
        means: "libceph takes addresses alone, or no answer came for a monitor's name; mount(2) fails with EINVAL",
        causes: &[
            cause(
                "this kernel's libceph was built without CONFIG_CEPH_LIB_USE_DNS_RESOLVER, as Debian's is, and \
                 never asks: mount by address, or with mount.ceph (package ceph-common), which looks names up itself",
                DOCTOR,
            ),
            cause("the list of monitors has a mistake in it: NAME[:PORT], separated by commas", ""),
        ],
    },
    Row {
        sign: Sign::Phrases(&["no mds server is up"]),
        who: Who::Ceph,
        means: "the monitors answer, so names are not to blame; the file system has no metadata server",
        causes: &[cause("all metadata servers are down or slow", "ceph fs status")],
    },
    Row {
        sign: Sign::Phrases(&[
            "could not resolve address for",
            "failed to resolve server",
            "server name not found",
            "name or service not known",
            "temporary failure in name resolution",
        ]),
        who: Who::Mount,
        means: "the mount program itself looked the name up, in the C library, and found nothing; no key was asked for",
        causes: &[
            cause("the name does not exist for this host", "getent ahosts NAME"),
            cause(
                "the name servers don't answer; key-dns asks the same ones, and tells what they say",
                TRACE,
            ),
        ],
    },
    Row {
        sign: Sign::Phrases(&["not responding"]),
        who: Who::Nfs,
        means: "the server answers no more; a hard mount waits for it without end",
        causes: &[
            cause("the server or the way to it is down", MOUNTS),
            cause(
                "its address has changed: a mounted NFS file system keeps the address of its start",
                RESOLVE,
            ),
        ],
    },
    Row {
        sign: Sign::Phrases(&["cannot find command to construct key"]),
        who: Who::Keyctl,
        means: "keyutils' request-key has no rule for this key; whoever waits for it gets ENOKEY",
        causes: &[cause(
            "no file in /etc/request-key.d or /etc/request-key.conf has a line for dns_resolver",
            DOCTOR,
        )],
    },
    Row {
        sign: Sign::Phrases(&["unable to resolve"]),
        who: Who::Cifs,
        means: "the kernel's SMB client asked for the server's name and got no address",
        causes: &[NO_REQUEST_KEY, REMEMBERED, NO_SUCH_NAME, SERVERS],
    },
    Row {
        sign: Sign::Phrases(&["unable to lookup cell"]),
        who: Who::Afs,
        means: "kAFS found no servers of a cell; mount(2) says why. ENOENT: there is no such cell. EDESTADDRREQ: the \
                lookup failed. EIO: keyutils' helper answered, with text",
        causes: &[
            cause("the cell has neither SRV nor AFSDB records", "key-dns resolve --trace afsdb:NAME srv=1"),
            cause("the name servers fail, or another helper answers", "key-dns doctor afsdb:NAME"),
        ],
    },
    Row {
        sign: Sign::Errno(1),
        who: Who::Keyctl,
        means: "the call is not allowed; keyctl(2) also says so to who has no authority over a key",
        causes: &[
            cause("a container's seccomp profile bars keyctl(2) and request_key(2): ask on the host", DOCTOR),
            cause("the key is answered already, or is not for this process to answer", "cat /proc/keys"),
        ],
    },
    Row {
        sign: Sign::Errno(1),
        who: Who::Mount,
        means: "names are not to blame: the server, or this kernel, does not let the user mount",
        causes: &[cause("wrong secret, rights or user; the kernel's log may say which", "dmesg | tail")],
    },
    Row {
        sign: Sign::Errno(2),
        who: Who::Kernel,
        means: "from dns_query() or request_key(2): the kernel found no /sbin/request-key to run. \
                DeferredFile questions for the name get ENOKEY for a minute",
        causes: &[
            cause("request-key is not installed (package keyutils, or key-dns in its place)", DOCTOR),
            cause("CONFIG_STATIC_USERMODEHELPER names another program, which is not there", DOCTOR),
        ],
    },
    Row {
        sign: Sign::Errno(2),
        who: Who::Cifs,
        means: "the SMB client hands the error of the lookup on, but also says so of a share that does not exist",
        causes: &[
            cause("the share or the path on it does not exist", "smbclient -L //NAME"),
            cause("/sbin/request-key is missing", DOCTOR),
        ],
    },
    Row {
        sign: Sign::Errno(2),
        who: Who::Nfs,
        means: "the server that a referral names could not be looked up: NFS says ENOENT whatever the reason was. Or the \
                path is not there",
        causes: &[NO_REQUEST_KEY, REMEMBERED, NO_SUCH_NAME, SERVERS, WRONG_FAMILY],
    },
    Row {
        sign: Sign::Errno(2),
        who: Who::Ceph,
        means: "the cluster was reached, so names are not to blame: it has no such path or file system",
        causes: &[cause("wrong path after \":\", or wrong fs=", "ceph fs ls")],
    },
    Row {
        sign: Sign::Errno(3),
        who: Who::Ceph,
        means: "the name of a monitor could not be looked up. libceph says ESRCH whatever the reason was",
        causes: &[NO_REQUEST_KEY, REMEMBERED, NO_SUCH_NAME, SERVERS, WRONG_FAMILY],
    },
    Row {
        sign: Sign::Errno(4),
        who: Who::Cifs,
        means: "keyutils' key.dns_resolver says EINTR where a name has no address: it puts a number of the resolver \
                in the place of an errno. key-dns says ENODATA, or EAGAIN where a server failed",
        causes: &[
            NO_SUCH_NAME,
            cause("the name has IPv6 addresses alone, which that helper does not give", RESOLVE),
            SERVERS,
            cause("keyutils' helper still answers: another rule wins over that of key-dns", DOCTOR),
        ],
    },
    Row {
        sign: Sign::Errno(4),
        who: Who::Kernel,
        means: "a signal ended the waiting; or, as for CIFS, keyutils' helper met a name without an address",
        causes: &[NO_SUCH_NAME, cause("the command was interrupted", "")],
    },
    Row {
        sign: Sign::Errno(5),
        who: Who::Afs,
        means: "kAFS has a list of servers without status and can't use it",
        causes: &[
            cause(
                "keyutils' helper answered, with text; kAFS wants the binary list",
                "key-dns doctor afsdb:NAME",
            ),
            cause("no volume location server of the cell answers", "key-dns resolve afsdb:NAME srv=1"),
        ],
    },
    Row {
        sign: Sign::Errno(5),
        who: Who::Ceph,
        means: "the monitors did not answer in time, or the metadata server is slow or gone; the name was looked up",
        causes: &[
            cause("the address is an old or a wrong one, or a firewall is in between", RESOLVE),
            cause("the cluster is not well", "ceph -s"),
        ],
    },
    Row {
        sign: Sign::Errno(8),
        who: Who::Kernel,
        means: "/sbin/request-key is no program that this kernel can run. DeferredFile questions get ENOKEY for a minute",
        causes: &[cause("it is damaged, empty, of another architecture, or a script without #!", DOCTOR)],
    },
    Row {
        sign: Sign::Errno(11),
        who: Who::Kernel,
        means: "from key-dns: no answer for now. Name servers failed (SERVFAIL), were silent, or the deadline was over; \
                asked again after 2 s",
        causes: &[
            SERVERS,
            cause(
                "the helper was stopped or crashed: its log line says so",
                "journalctl -t key.dns_resolver",
            ),
        ],
    },
    Row {
        sign: Sign::Errno(11),
        who: Who::Afs,
        means: "the cell's servers are not known for now; kAFS looks again after 10 s",
        causes: &[cause("the name servers fail or are silent", "key-dns resolve --trace afsdb:NAME srv=1")],
    },
    Row {
        sign: Sign::Errno(13),
        who: Who::Kernel,
        means: "from dns_query() or request_key(2): /sbin/request-key may not be executed, by its mode or by SELinux or \
                AppArmor. DeferredFile questions get ENOKEY for a minute",
        causes: &[cause("its mode lacks x, it is on a noexec mount, or a policy bars it", DOCTOR)],
    },
    Row {
        sign: Sign::Errno(13),
        who: Who::Mount,
        means: "more often the server refuses: names are not to blame then",
        causes: &[
            cause("CIFS: wrong user, password or domain", "dmesg | tail"),
            cause("Ceph: wrong secret or rights of the user", "ceph auth ls"),
            cause("NFS: the export is not for this host, or for its address alone", "showmount -e NAME"),
        ],
    },
    Row {
        sign: Sign::Errno(13),
        who: Who::Keyctl,
        means: "the key's permissions do not allow this; the kernel's own DNS keys can't be read even by root",
        causes: &[cause(
            "ask for the name anew, into a keyring of your own",
            "keyctl request2 dns_resolver NAME \"\" @s",
        )],
    },
    Row {
        sign: Sign::Errno(19),
        who: Who::Mount,
        means: "the kernel does not know the file system (\"unknown filesystem type\")",
        causes: &[
            cause("its module is not there or not loaded: ceph, cifs, nfs, kafs", "modprobe TYPE"),
            cause("the kernel is a cloud or minimal one, without network file systems", DOCTOR),
        ],
    },
    Row {
        sign: Sign::Errno(22),
        who: Who::Ceph,
        means: "the source makes no sense to libceph",
        causes: &[
            cause(
                "its kernel was built without CONFIG_CEPH_LIB_USE_DNS_RESOLVER (Debian's is), so that names are never \
                 asked for: mount by address, or with mount.ceph (package ceph-common)",
                DOCTOR,
            ),
            LIST_PAYLOAD,
            cause("a monitor's name is shorter than 3 or longer than 255 characters", ""),
            cause("an option is wrong: the kernel's log says which", "dmesg | tail"),
        ],
    },
    Row {
        sign: Sign::Errno(22),
        who: Who::Kernel,
        means: "the kernel, or the helper, can't make sense of what was asked",
        causes: &[
            cause(
                "no host can have the name (characters, length), or its type or an option is not known",
                RESOLVE,
            ),
            cause(
                "the name is shorter than 3 or longer than 255 characters: the kernel does not even ask",
                "",
            ),
            cause("the rule for the helper is wrong: its log line says so", DOCTOR),
            cause("names are not to blame: a mount option is wrong", "dmesg | tail"),
        ],
    },
    Row {
        sign: Sign::Errno(38),
        who: Who::Keyctl,
        means: "this kernel has no keys (CONFIG_KEYS), or a container's seccomp profile hides them",
        causes: &[cause("ask on the host, outside any container", DOCTOR)],
    },
    Row {
        sign: Sign::Errno(61),
        who: Who::Kernel,
        means: "the name does not exist, or has no address of the family asked for. Remembered for as long as its zone \
                says, at most a minute",
        causes: &[
            NO_SUCH_NAME,
            WRONG_FAMILY,
            cause("it exists since a moment ago: the earlier \"no\" is still remembered", FLUSH),
        ],
    },
    Row {
        sign: Sign::Errno(61),
        who: Who::Afs,
        means: "there is no such cell: neither DNS nor a database names a server of it",
        causes: &[
            cause("the cell has neither SRV nor AFSDB records", "key-dns resolve --trace afsdb:NAME srv=1"),
            cause(
                "it is to come from a database, and none is installed or names it",
                "key-dns doctor afsdb:NAME",
            ),
        ],
    },
    Row {
        sign: Sign::Errno(89),
        who: Who::Afs,
        means: "kAFS knows no server of the cell",
        causes: &[
            cause("there is no such cell, or its list of servers came as text", "key-dns doctor afsdb:NAME"),
            cause("none of its servers has an address", "key-dns resolve --trace afsdb:NAME srv=1"),
        ],
    },
    Row {
        sign: Sign::Errno(101),
        who: Who::Mount,
        means: "the name was looked up; this host has no route to the address",
        causes: &[
            cause(
                "the address is of a family that this host has no route for: see the setting \"family\"",
                RESOLVE,
            ),
            cause("the network is not up yet: the mount wants _netdev in fstab", "ip route"),
        ],
    },
    Row {
        sign: Sign::Errno(107),
        who: Who::Fuse,
        means: "the daemon of a FUSE file system (ceph-fuse, sshfs, …) is dead; its mount is still there, and so are \
                bind mounts of it, in containers too",
        causes: &[cause("the daemon crashed, was killed or was restarted", MOUNTS)],
    },
    Row {
        sign: Sign::Errno(110),
        who: Who::Mount,
        means: "the name was looked up, and nobody answers at the address",
        causes: &[
            cause("the address is an old or a wrong one", RESOLVE),
            cause("the server is down, or a firewall drops the packets", "ping NAME"),
        ],
    },
    Row {
        sign: Sign::Errno(111),
        who: Who::Kernel,
        means: "from key-dns: the name servers refuse to answer this host, or none is there; asked again after 10 s",
        causes: &[
            cause("/etc/resolv.conf names a server that is not running, or not for this host", TRACE),
            cause(
                "/etc/resolv.conf is empty or absent, and nobody listens on this host's port 53",
                "cat /etc/resolv.conf",
            ),
        ],
    },
    Row {
        sign: Sign::Errno(111),
        who: Who::Mount,
        means: "or the name was looked up, and nothing listens on the port at its address",
        causes: &[cause("the address is an old one, the port is wrong, or the service is down", RESOLVE)],
    },
    Row {
        sign: Sign::Errno(112),
        who: Who::Cifs,
        means: "the name was looked up; the server does not speak SMB with us",
        causes: &[
            cause("it speaks another version of SMB: try vers=", "dmesg | tail"),
            cause("the address is an old or a wrong one", RESOLVE),
        ],
    },
    Row {
        sign: Sign::Errno(113),
        who: Who::Cifs,
        means: "the server's address is none that CIFS can use, or there is no way to it",
        causes: &[
            LIST_PAYLOAD,
            cause("the address is an old or a wrong one, or a firewall rejects the packets", RESOLVE),
        ],
    },
    Row {
        sign: Sign::Errno(113),
        who: Who::Mount,
        means: "the name was looked up, and there is no way to the address",
        causes: &[cause("the address is an old or a wrong one, or a firewall rejects the packets", RESOLVE)],
    },
    Row {
        sign: Sign::Errno(116),
        who: Who::Mount,
        means: "the server no longer has what is mounted: an export or directory was deleted or made anew",
        causes: &[cause("unmount it and mount it again; bind mounts of it too", MOUNTS)],
    },
    Row {
        sign: Sign::Errno(122),
        who: Who::Keyctl,
        means: "a quota of keys is used up, so no key for the name could be made",
        causes: &[
            cause(
                "too many keys of one user: for root kernel.keys.root_maxkeys, root_maxbytes",
                "cat /proc/key-users",
            ),
            cause("a loop of questions for ever new names", "key-dns cache list"),
        ],
    },
    Row {
        sign: Sign::Errno(126),
        who: Who::Kernel,
        means: "no answer for the name's key: the first question failed in another way, and this one finds that remembered, \
                for a minute; or the helper ended without an answer",
        causes: &[
            NO_REQUEST_KEY,
            cause("that is mended already, and still remembered", FLUSH),
            cause(
                "keyutils' helper met a mistake in its own settings or an option",
                "journalctl -t key.dns_resolver",
            ),
        ],
    },
    Row {
        sign: Sign::Errno(126),
        who: Who::Cifs,
        means: "with sec=krb5, no Kerberos ticket came for the server; that is another key (cifs.spnego) than the name's",
        causes: &[
            cause("no ticket", "klist"),
            cause(
                "cifs.upcall, its rule or request-key is missing",
                "cat /etc/request-key.d/cifs.spnego.conf",
            ),
            cause("without sec=krb5: the name's key has no answer", DOCTOR),
        ],
    },
    Row {
        sign: Sign::Errno(127),
        who: Who::Keyctl,
        means: "the time that an answer lasts is over; it is no error for a file system, which asks anew",
        causes: &[
            cause(
                "a key number that was kept by hand: ask again",
                "keyctl request2 dns_resolver NAME \"\" @s",
            ),
            cause("CIFS or NFS with Kerberos: the ticket has expired, not the name's key", "kinit"),
        ],
    },
    Row {
        sign: Sign::Errno(128),
        who: Who::Keyctl,
        means: "a key of the cache was invalidated a few milliseconds ago and is not cleared away yet; any name that is \
                not cached fails so until then. Or a session keyring was revoked",
        causes: &[
            cause("just ask again", "keyctl request2 dns_resolver NAME \"\" @s"),
            cause("the session of this shell was ended: log in anew", "keyctl show"),
        ],
    },
    Row {
        sign: Sign::Errno(129),
        who: Who::Module,
        means: "a module was not loaded: its signature is none that this kernel trusts",
        causes: &[cause("Secure Boot, and a module that was built by hand", "mokutil --sb-state")],
    },
    Row {
        sign: Sign::Errno(129),
        who: Who::Keyctl,
        means: "who answered the key rejected it",
        causes: &[cause("a rule of request-key runs a program that says so", DOCTOR)],
    },
];
