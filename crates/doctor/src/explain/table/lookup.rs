//! The kernel's lookup of a name: what it ends with, and what request-key and the helpers say of it.

use super::words::{
    DOCTOR, FLUSH, KERNEL_LOG, NO_REQUEST_KEY, NO_SUCH_NAME, RESOLV_CONF, RESOLVE, SERVERS, TRACE,
    WRONG_FAMILY,
};
use crate::explain::row::{Row, Speaker, Weight, Who, cause};

/// For a name that the kernel does not ask for.
pub(crate) static TOO_SHORT: Row = Row::of_errno(
    "name-too-short",
    Who::Kernel,
    &[],
    "the name is shorter than 3 characters: the kernel does not even ask for it",
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
        "the debugging of dns_resolver: a file system asks the kernel for this name. What came of it is in the line with \
         \"<== dns_query()\"",
        &[cause("what the answer would be", RESOLVE), cause("the lines after it", KERNEL_LOG)],
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
        "a helper answered with something that the kernel does not take (EINVAL); key-dns writes no such thing",
        &[cause("another helper, or a script, answers: see which rule wins", DOCTOR)],
    ),
    Row::of_phrases(
        "rk-no-rule",
        Who::Keyctl,
        &["cannot find command to construct key", "no rule for this key"],
        "request-key has no rule for this key, which may be another's than a name's; who waits for it gets ENOKEY",
        &[cause("for names: no file in /etc/request-key.d or /etc/request-key.conf has a line for dns_resolver", DOCTOR)],
    ),
    Row::of_phrases(
        "rk-config",
        Who::Keyctl,
        &["cannot open /etc/request-key.conf", "cannot open /etc/request-key.d"],
        "keyutils' request-key can't read its rules, and gives up on every key",
        &[cause("the file is missing: install keyutils anew, or key-dns' request-key, which does without", DOCTOR)],
    ),
    Row::of_phrases(
        "helper-no-name",
        Who::Kernel,
        &["no address associated with name", "unknown host"],
        "keyutils' helper found no address. It hands the kernel a number of the resolver in the place of an errno, so that \
         mounts fail with EINTR or EPERM; it says so too where a server failed, or the name has IPv6 alone",
        &[NO_SUCH_NAME, SERVERS, cause("let key-dns answer instead", DOCTOR)],
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
        "the helper was asked for something that it does not know: a key's type, or what stands before the colon of its name",
        &[
            cause("the name has a colon in it, as in HOST:PORT, which reads as a type", RESOLVE),
            cause("a rule gives the helper keys of another type", DOCTOR),
        ],
    )
    .said_by(Speaker::Helper),
    Row::of_errno(
        "keys-1",
        Who::Keyctl,
        &[1],
        "the call is not allowed; keyctl(2) also says so to who has no authority over a key",
        &[
            cause("a container's seccomp profile bars keyctl(2) and request_key(2): ask on the host", DOCTOR),
            cause("the key is answered already, or is not for this process to answer", "cat /proc/keys"),
        ],
    ),
    Row::of_errno(
        "kernel-2",
        Who::Kernel,
        &[2],
        "from dns_query() or request_key(2): the kernel found no /sbin/request-key to run. \
         Later questions for the name get ENOKEY for a minute",
        &[
            cause("request-key is not installed (package keyutils, or key-dns in its place)", DOCTOR),
            cause("CONFIG_STATIC_USERMODEHELPER names another program, which is not there", DOCTOR),
        ],
    ),
    Row::of_errno(
        "kernel-4",
        Who::Kernel,
        &[4],
        "a signal ended the waiting; or, as for CIFS, keyutils' helper met a name without an address",
        &[NO_SUCH_NAME, cause("the command was interrupted", "")],
    ),
    Row::of_errno(
        "kernel-8",
        Who::Kernel,
        &[8],
        "/sbin/request-key is no program that this kernel can run. Later questions get ENOKEY for a minute",
        &[cause("it is damaged, empty, of another architecture, or a script without #!", DOCTOR)],
    ),
    Row::of_errno(
        "kernel-11",
        Who::Kernel,
        &[11],
        "from key-dns: no answer for now. Name servers failed (SERVFAIL), were silent, or the deadline was over; \
         asked again after 2 s",
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
         AppArmor. Later questions get ENOKEY for a minute",
        &[cause("its mode lacks x, it is on a noexec mount, or a policy bars it", DOCTOR)],
    ),
    Row::of_errno(
        "keys-13",
        Who::Keyctl,
        &[13],
        "the key's permissions do not allow this; the kernel's own DNS keys can't be read even by root",
        &[cause(
            "ask for the name anew, into a keyring of your own",
            "keyctl request2 dns_resolver NAME \"\" @s",
        )],
    ),
    Row::of_errno(
        "kernel-22",
        Who::Kernel,
        &[22],
        "the kernel, or the helper, can't make sense of what was asked",
        &[
            cause("no host can have the name (characters, length), or its type or an option is not known", RESOLVE),
            cause("the name is shorter than 3 or longer than 255 characters: the kernel does not even ask", ""),
            cause("the rule for the helper is wrong: its log line says so", DOCTOR),
            cause("names are not to blame: a mount option is wrong", KERNEL_LOG),
        ],
    ),
    Row::of_errno(
        "keys-38",
        Who::Keyctl,
        &[38],
        "this kernel has no keys (CONFIG_KEYS), or a container's seccomp profile hides them",
        &[cause("ask on the host, outside any container", DOCTOR)],
    ),
    Row::of_errno(
        "kernel-61",
        Who::Kernel,
        &[61],
        "the name does not exist, or has no address of the family asked for. Remembered for as long as its zone \
         says, at most a minute",
        &[
            NO_SUCH_NAME,
            WRONG_FAMILY,
            cause("it exists since a moment ago: the earlier \"no\" is still remembered", FLUSH),
        ],
    ),
    Row::of_errno(
        "kernel-111",
        Who::Kernel,
        &[111],
        "from key-dns: the name servers refuse to answer this host, or none is there; asked again after 10 s",
        &[
            cause("/etc/resolv.conf names a server that is not running, or not for this host", TRACE),
            cause("/etc/resolv.conf is empty or absent, and nobody listens on this host's port 53", RESOLV_CONF),
        ],
    ),
    Row::of_errno(
        "keys-122",
        Who::Keyctl,
        &[122],
        "a quota of keys is used up, so no key for the name could be made",
        &[
            cause("too many keys of one user: for root kernel.keys.root_maxkeys, root_maxbytes", "cat /proc/key-users"),
            cause("a loop of questions for ever new names", "key-dns cache list"),
        ],
    ),
    Row::of_errno(
        "kernel-126",
        Who::Kernel,
        &[126],
        "no answer for the name's key: the first question failed in another way, and this one finds that remembered, \
         for a minute; or the helper ended without an answer",
        &[
            NO_REQUEST_KEY,
            cause("that is mended already, and still remembered", FLUSH),
            cause("keyutils' helper met a mistake in its own settings or an option", "journalctl -t key.dns_resolver"),
        ],
    ),
    Row::of_errno(
        "keys-127",
        Who::Keyctl,
        &[127],
        "the time that an answer lasts is over; it is no error for a file system, which asks anew",
        &[
            cause("a key number that was kept by hand: ask again", "keyctl request2 dns_resolver NAME \"\" @s"),
            cause("CIFS or NFS with Kerberos: the ticket has expired, not the name's key", "kinit"),
        ],
    ),
    Row::of_errno(
        "keys-128",
        Who::Keyctl,
        &[128],
        "a key of the cache was invalidated a few milliseconds ago and is not cleared away yet; any name that is \
         not cached fails so until then. Or a session keyring was revoked",
        &[
            cause("just ask again", "keyctl request2 dns_resolver NAME \"\" @s"),
            cause("the session of this shell was ended: log in anew", "keyctl show"),
        ],
    ),
    Row::of_errno(
        "keys-129",
        Who::Keyctl,
        &[129],
        "who answered the key rejected it",
        &[cause("a rule of request-key runs a program that says so", DOCTOR)],
    ),
];
