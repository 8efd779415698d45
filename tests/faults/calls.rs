//! The system calls of a helper, and how each may fail (the ERRORS of its manual page).

use nix::libc::{
    self, E2BIG, EACCES, EAFNOSUPPORT, EAGAIN, EBADF, ECONNREFUSED, EDQUOT, EHOSTUNREACH, EINTR, EINVAL, EIO,
    EISDIR, ELOOP, EMFILE, ENETUNREACH, ENFILE, ENOBUFS, ENOENT, ENOMEM, ENOSPC, ENOSYS, ENOTDIR, EOVERFLOW,
    EPERM,
};

/// A system call.
pub struct Call {
    pub number: i64,
    pub name: &'static str,
    pub errnos: &'static [i32],
}

/// The calls that are known to be made. Any other fails with ENOMEM and EPERM.
const CALLS: &[Call] = &[
    call(libc::SYS_read, "read", &[EIO, EISDIR, ENOMEM]),
    call(libc::SYS_pread64, "pread64", &[EIO]),
    call(libc::SYS_readv, "readv", &[EIO]),
    call(libc::SYS_write, "write", &[EIO, ENOSPC]),
    call(libc::SYS_open, "open", &[EACCES, EMFILE, ENFILE, ENOMEM, EIO, ELOOP, ENOENT]),
    call(libc::SYS_openat, "openat", &[EACCES, EMFILE, ENFILE, ENOMEM, EIO, ELOOP, ENOENT]),
    call(libc::SYS_readlink, "readlink", &[EACCES, ENOENT]),
    call(libc::SYS_close, "close", &[EIO, EINTR]),
    call(libc::SYS_stat, "stat", &[EACCES, ENOENT]),
    call(libc::SYS_fstat, "fstat", &[ENOMEM, EOVERFLOW]),
    call(libc::SYS_statx, "statx", &[EACCES, ENOMEM, ENOSYS, ENOTDIR]),
    call(libc::SYS_newfstatat, "newfstatat", &[EACCES, ENOMEM]),
    call(libc::SYS_getdents64, "getdents64", &[EIO, ENOENT]),
    call(libc::SYS_lseek, "lseek", &[EINVAL]),
    call(libc::SYS_fcntl, "fcntl", &[EBADF, EINVAL]),
    call(libc::SYS_ioctl, "ioctl", &[EINVAL]),
    call(libc::SYS_pipe2, "pipe2", &[EMFILE, ENFILE]),
    call(libc::SYS_mmap, "mmap", &[ENOMEM, EAGAIN]),
    call(libc::SYS_munmap, "munmap", &[EINVAL, ENOMEM]),
    call(libc::SYS_mprotect, "mprotect", &[ENOMEM, EACCES]),
    call(libc::SYS_mremap, "mremap", &[ENOMEM]),
    call(libc::SYS_brk, "brk", &[ENOMEM]),
    call(libc::SYS_prlimit64, "prlimit64", &[EPERM, EINVAL]),
    call(libc::SYS_setrlimit, "setrlimit", &[EPERM]),
    call(libc::SYS_rt_sigaction, "rt_sigaction", &[EINVAL]),
    call(libc::SYS_rt_sigprocmask, "rt_sigprocmask", &[EINVAL]),
    call(libc::SYS_sigaltstack, "sigaltstack", &[ENOMEM]),
    call(libc::SYS_alarm, "alarm", &[EINVAL]),
    call(libc::SYS_setitimer, "setitimer", &[EINVAL]),
    call(libc::SYS_timer_create, "timer_create", &[EAGAIN, ENOMEM]),
    call(libc::SYS_timer_settime, "timer_settime", &[EINVAL]),
    call(libc::SYS_keyctl, "keyctl", &[ENOMEM, EINTR, EDQUOT]),
    call(libc::SYS_socket, "socket", &[EMFILE, ENFILE, ENOBUFS, EACCES, EAFNOSUPPORT]),
    call(libc::SYS_bind, "bind", &[EACCES, EINVAL]),
    call(libc::SYS_connect, "connect", &[EACCES, ENETUNREACH, ECONNREFUSED, EAGAIN, EINTR]),
    call(libc::SYS_setsockopt, "setsockopt", &[ENOMEM]),
    call(libc::SYS_getsockopt, "getsockopt", &[ENOBUFS]),
    call(libc::SYS_getsockname, "getsockname", &[ENOBUFS]),
    call(libc::SYS_sendto, "sendto", &[EPERM, ENOBUFS, ENETUNREACH, EHOSTUNREACH, EAGAIN, EINTR]),
    call(libc::SYS_sendmsg, "sendmsg", &[EPERM, ENOBUFS]),
    call(libc::SYS_recvfrom, "recvfrom", &[ECONNREFUSED, ENOMEM, EINTR]),
    call(libc::SYS_recvmsg, "recvmsg", &[ENOMEM, EINTR]),
    call(libc::SYS_poll, "poll", &[EINTR, ENOMEM]),
    call(libc::SYS_epoll_create1, "epoll_create1", &[EMFILE, ENOMEM]),
    call(libc::SYS_epoll_ctl, "epoll_ctl", &[ENOMEM, ENOSPC]),
    call(libc::SYS_epoll_wait, "epoll_wait", &[EINTR, EBADF]),
    call(libc::SYS_epoll_pwait2, "epoll_pwait2", &[EINTR, ENOSYS]),
    call(libc::SYS_eventfd2, "eventfd2", &[EMFILE, ENOMEM]),
    call(libc::SYS_getrandom, "getrandom", &[ENOSYS, EINTR, EAGAIN]),
    call(libc::SYS_clone, "clone", &[EAGAIN, ENOMEM]),
    call(libc::SYS_clone3, "clone3", &[EAGAIN, ENOSYS]),
    call(libc::SYS_vfork, "vfork", &[EAGAIN]),
    call(libc::SYS_wait4, "wait4", &[EINTR]),
    call(libc::SYS_prctl, "prctl", &[EINVAL, EPERM]),
    call(libc::SYS_seccomp, "seccomp", &[ENOSYS, EINVAL, EACCES]),
    call(libc::SYS_landlock_create_ruleset, "landlock_create_ruleset", &[ENOSYS, E2BIG]),
    call(libc::SYS_landlock_restrict_self, "landlock_restrict_self", &[EPERM, E2BIG]),
    call(libc::SYS_setresuid, "setresuid", &[EPERM, EAGAIN]),
    call(libc::SYS_setresgid, "setresgid", &[EPERM]),
    call(libc::SYS_setuid, "setuid", &[EPERM, EAGAIN]),
    call(libc::SYS_setgid, "setgid", &[EPERM]),
    call(libc::SYS_setgroups, "setgroups", &[EPERM, ENOMEM]),
    call(libc::SYS_arch_prctl, "arch_prctl", &[EPERM]),
    call(libc::SYS_set_tid_address, "set_tid_address", &[ENOSYS]),
    call(libc::SYS_set_robust_list, "set_robust_list", &[ENOSYS]),
    call(libc::SYS_rseq, "rseq", &[ENOSYS]),
    call(libc::SYS_capset, "capset", &[EPERM]),
    call(libc::SYS_capget, "capget", &[EPERM]),
];

/// Those that don't come back.
pub const LAST: [i64; 3] = [libc::SYS_exit, libc::SYS_exit_group, libc::SYS_rt_sigreturn];

const fn call(number: i64, name: &'static str, errnos: &'static [i32]) -> Call {
    Call { number, name, errnos }
}

/// What is known of the call with this number.
pub fn by_number(number: i64) -> Call {
    let known = CALLS.iter().find(|call| call.number == number);
    known.map_or(call(number, "?", &[ENOMEM, EPERM]), |known| call(number, known.name, known.errnos))
}
