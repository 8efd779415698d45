//! The errors that are explained, with their texts.

/// Number, name, and the text of glibc's `strerror(3)`.
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
    (66, "EREMOTE", "Object is remote"),
    (89, "EDESTADDRREQ", "Destination address required"),
    (93, "EPROTONOSUPPORT", "Protocol not supported"),
    (95, "EOPNOTSUPP", "Operation not supported"),
    (101, "ENETUNREACH", "Network is unreachable"),
    (104, "ECONNRESET", "Connection reset by peer"),
    (107, "ENOTCONN", "Transport endpoint is not connected"),
    (108, "ESHUTDOWN", "Cannot send after transport endpoint shutdown"),
    (110, "ETIMEDOUT", "Connection timed out"),
    (111, "ECONNREFUSED", "Connection refused"),
    (112, "EHOSTDOWN", "Host is down"),
    (113, "EHOSTUNREACH", "No route to host"),
    (114, "EALREADY", "Operation already in progress"),
    (115, "EINPROGRESS", "Operation now in progress"),
    (116, "ESTALE", "Stale file handle"),
    (122, "EDQUOT", "Disk quota exceeded"),
    (126, "ENOKEY", "Required key not available"),
    (127, "EKEYEXPIRED", "Key has expired"),
    (128, "EKEYREVOKED", "Key has been revoked"),
    (129, "EKEYREJECTED", "Key was rejected by service"),
];

/// Other texts: those of musl, as on Alpine and in busybox, and of older C libraries.
pub(super) const OTHER_TEXTS: &[(u16, &str)] = &[
    (5, "I/O error"),
    (95, "Not supported"),
    (101, "Network unreachable"),
    (107, "Socket not connected"),
    (108, "Cannot send after socket shutdown"),
    (110, "Operation timed out"),
    (113, "Host is unreachable"),
    (115, "Operation in progress"),
    (116, "Stale NFS file handle"),
    (122, "Quota exceeded"),
];

/// All texts, in lower case.
pub(super) fn texts() -> impl Iterator<Item = (u16, String)> {
    let glibc = ERRNOS.iter().map(|(number, _, text)| (*number, *text));
    glibc.chain(OTHER_TEXTS.iter().copied()).map(|(number, text)| (number, text.to_lowercase()))
}

/// Whether it is one of these.
pub(super) fn is_known(number: u16) -> bool {
    ERRNOS.iter().any(|(known, ..)| *known == number)
}

/// Errors with which hardly anything but a mount ends, whoever reports them.
pub(super) const TELLING: [u16; 3] = [66, 107, 116];
