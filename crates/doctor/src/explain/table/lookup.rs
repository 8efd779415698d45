//! The kernel's lookup of a name: its outcomes, and what request-key and the helpers say about them.

use super::words::{
    DOCTOR, FLUSH, KERNEL_LOG, NO_REQUEST_KEY, NO_SUCH_NAME, REQUEST, RESOLV_CONF, RESOLVE, SERVERS, TRACE,
    WRONG_FAMILY,
};
use crate::explain::row::{Row, Speaker, Weight, Who, cause};

/// For a name that the kernel does not look up.
pub(crate) static TOO_SHORT: Row = Row::of_errno(
    "name-too-short",
    Who::Kernel,
    &[],
    "the name is shorter than 3 characters: the kernel does not even look it up",
    &[
        cause("give the full name, with its domain", "getent ahosts NAME"),
        cause("or mount by address", "getent ahosts NAME"),
    ],
);

pub(super) const ROWS: &[Row] = &[
    Row::of_phrases(
        "dns-question",
        Who::Kernel,
        &["==> dns_query("],
        "debug output of dns_resolver: a file system requests this name. The result is in the line with \
         \"<== dns_query()\"",
        &[cause("to see what the answer would be", RESOLVE), cause("to see the lines after it", KERNEL_LOG)],
    )
    .weighs(Weight::Aside),
    Row::of_phrases(
        "helper-payload",
        Who::Kernel,
        &[
            "to dns_resolver key: bad/missing value",
            "for dns_resolver key",
            "empty option to dns_resolver key",
            "dns_resolver: unsupported content type",
            "dns_resolver: unsupported server list version",
        ],
        "a helper answered with something that the kernel does not accept (EINVAL); key-dns never does",
        &[cause("another helper, or a script, answers: see which rule wins", DOCTOR)],
    ),
    Row::of_phrases(
        "rk-no-rule",
        Who::Keyctl,
        &["cannot find command to construct key", "no rule for this key"],
        "request-key has no rule for this key, which may be for something other than a name; the requester gets ENOKEY",
        &[cause("for names: no file in /etc/request-key.d or /etc/request-key.conf has a line for dns_resolver", DOCTOR)],
    ),
    Row::of_phrases(
        "rk-config",
        Who::Keyctl,
        &["cannot open /etc/request-key.conf", "cannot open /etc/request-key.d"],
        "keyutils' request-key can't read its rules, and gives up on every key",
        &[cause("the file is missing: reinstall keyutils, or install key-dns' request-key, which does without", DOCTOR)],
    ),
    Row::of_phrases(
        "helper-no-name",
        Who::Kernel,
        &["no address associated with name", "unknown host"],
        "keyutils' helper found no address. It passes the kernel a resolver's number in the place of an errno, so \
         mounts fail with EINTR or EPERM. It reports the same if a server failed, or if the name has only IPv6 \
         addresses",
        &[NO_SUCH_NAME, SERVERS, cause("use key-dns instead", DOCTOR)],
    )
    .said_by(Speaker::Helper),
    Row::of_phrases(
        "helper-server-failed",
        Who::Kernel,
        &["host name lookup failure", "unknown server error"],
        "keyutils' helper got no usable answer from the name servers",
        &[SERVERS],
    )
    .said_by(Speaker::Helper),
    Row::of_phrases(
        "helper-query",
        Who::Kernel,
        &["is not supported"],
        "the helper got a request that it does not know: the key's type, or the query type before the colon in its \
         name",
        &[
            cause("the name has a colon in it, as in HOST:PORT, which reads as a query type", RESOLVE),
            cause("a rule gives the helper keys of another type", DOCTOR),
        ],
    )
    .said_by(Speaker::Helper),
    Row::of_errno(
        "keys-1",
        Who::Keyctl,
        &[1],
        "the call is not permitted; keyctl(2) also reports this to a process without authority over the key",
        &[
            cause("a container's seccomp profile blocks keyctl(2) and request_key(2): try on the host", DOCTOR),
            cause("the key is already answered, or this process may not answer it", "cat /proc/keys"),
        ],
    ),
    Row::of_errno(
        "kernel-2",
        Who::Kernel,
        &[2],
        "from dns_query() or request_key(2): the kernel found no /sbin/request-key to run. \
         Later requests for the name get ENOKEY for a minute",
        &[
            cause("request-key is not installed (package keyutils, or key-dns in its place)", DOCTOR),
            cause("CONFIG_STATIC_USERMODEHELPER names another program, which is missing", DOCTOR),
        ],
    ),
    Row::of_errno(
        "kernel-4",
        Who::Kernel,
        &[4],
        "a signal ended the wait; or, as for CIFS, keyutils' helper found a name without an address",
        &[NO_SUCH_NAME, cause("the command was interrupted", "")],
    ),
    Row::of_errno(
        "kernel-8",
        Who::Kernel,
        &[8],
        "/sbin/request-key is not a program that this kernel can run. Later requests get ENOKEY for a minute",
        &[cause("it is damaged, empty, of another architecture, or a script without #!", DOCTOR)],
    ),
    Row::of_errno(
        "kernel-11",
        Who::Kernel,
        &[11],
        "from key-dns: a temporary failure. Name servers failed (SERVFAIL) or were silent, or the deadline was \
         reached; cached for 2 s at most",
        &[
            SERVERS,
            cause("the helper was stopped or crashed: its log line says so", "journalctl -t key.dns_resolver"),
        ],
    ),
    Row::of_errno(
        "kernel-13",
        Who::Kernel,
        &[13],
        "from dns_query() or request_key(2): /sbin/request-key may not be executed, by its mode or by SELinux or \
         AppArmor. Later requests get ENOKEY for a minute",
        &[cause("its mode lacks x, it is on a noexec mount, or a policy denies it", DOCTOR)],
    ),
    Row::of_errno(
        "keys-13",
        Who::Keyctl,
        &[13],
        "the key's permissions do not allow this; the kernel's own DNS keys can't be read even by root",
        &[cause(
            "request the name again, in a session keyring of your own",
            REQUEST,
        )],
    ),
    Row::of_errno(
        "kernel-22",
        Who::Kernel,
        &[22],
        "the kernel, or the helper, rejects the request as invalid",
        &[
            cause("the name is not a valid host name (characters, length), or its type or an option is unknown", RESOLVE),
            cause("the name is shorter than 3 or longer than 255 characters: the kernel does not even look it up", ""),
            cause("the rule for the helper is wrong: its log line says so", DOCTOR),
            cause("names are not to blame: a mount option is wrong", KERNEL_LOG),
        ],
    ),
    Row::of_errno(
        "keys-38",
        Who::Keyctl,
        &[38],
        "this kernel has no keys (CONFIG_KEYS), or a container's seccomp profile hides them",
        &[cause("try on the host, outside any container", DOCTOR)],
    ),
    Row::of_errno(
        "kernel-61",
        Who::Kernel,
        &[61],
        "the name does not exist, or has no address of the requested family. Cached for as long as its zone says, at \
         most a minute",
        &[
            NO_SUCH_NAME,
            WRONG_FAMILY,
            cause("it was created a moment ago: the earlier \"no\" is still cached", FLUSH),
        ],
    ),
    Row::of_errno(
        "kernel-111",
        Who::Kernel,
        &[111],
        "from key-dns: the name servers refuse to answer this host, or none is running; cached for 10 s",
        &[
            cause("/etc/resolv.conf names a server that is not running, or not for this host", TRACE),
            cause("/etc/resolv.conf is empty or missing, and nothing listens on this host's port 53", RESOLV_CONF),
        ],
    ),
    Row::of_errno(
        "keys-122",
        Who::Keyctl,
        &[122],
        "a key quota is used up, so no key for the name could be made",
        &[
            cause("too many keys of one user: for root kernel.keys.root_maxkeys, root_maxbytes", "cat /proc/key-users"),
            cause("a loop that requests ever new names", "key-dns cache list"),
        ],
    ),
    Row::of_errno(
        "kernel-126",
        Who::Kernel,
        &[126],
        "no answer for the name's key: an earlier request failed in another way, which is cached for a minute; or the \
         helper exited without an answer",
        &[
            NO_REQUEST_KEY,
            cause("the cause is repaired already, but the failure is still cached", FLUSH),
            cause("keyutils' helper found a mistake in its settings or an option", "journalctl -t key.dns_resolver"),
        ],
    ),
    Row::of_errno(
        "keys-127",
        Who::Keyctl,
        &[127],
        "the answer has expired; file systems do not fail for this, but make a new request",
        &[
            cause("you kept a key's number by hand: request it again", REQUEST),
            cause("CIFS or NFS with Kerberos: the ticket has expired, not the name's key", "kinit"),
        ],
    ),
    Row::of_errno(
        "keys-128",
        Who::Keyctl,
        &[128],
        "a cached key was invalidated a few milliseconds ago and is not collected yet; until then, every name that is \
         not cached fails like this. Or a session keyring was revoked",
        &[
            cause("just request it again", REQUEST),
            cause("this shell's session has ended: log in again", "keyctl show"),
        ],
    ),
    Row::of_errno(
        "keys-129",
        Who::Keyctl,
        &[129],
        "the program that answered the key rejected it",
        &[cause("a request-key rule runs a program that returns this", DOCTOR)],
    ),
];
