//! This host: mount(8), containers, FUSE, kernel modules, policies.

use super::words::{DOCTOR, KERNEL_LOG, MOUNTS, OLD_ADDRESS, RESOLVE};
use crate::explain::row::{Row, Speaker, Weight, Who, cause};

pub(super) const ROWS: &[Row] = &[
    Row::of_errno(
        "runc-gone",
        Who::Runc,
        &[2, 107, 116],
        "a volume of the container can't be mounted: its source is a bind mount of something that is gone",
        &[
            cause(
                "the directory was deleted, or its FUSE daemon (ceph-fuse, …) restarted, under the bind mount: \
                 mountinfo marks it //deleted",
                MOUNTS,
            ),
            cause("the FUSE daemon of the source is dead", MOUNTS),
            cause("the source is not there in the mount namespace of the container runtime", "ls -ld SOURCE"),
        ],
    ),
    Row::of_phrases(
        "deleted",
        Who::Runc,
        &["//deleted"],
        "what a bind mount shows was deleted: it stays mounted, and can't be mounted anywhere else",
        &[cause("the directory was replaced, or its file system mounted anew, under the bind mount", MOUNTS)],
    ),
    Row::of_errno(
        "docker-22",
        Who::Docker,
        &[22],
        "Docker mounts volumes by mount(2) itself, without mount.cifs or mount.nfs: a host's name in the volume's options \
         reaches the kernel as it is",
        &[
            cause("give the address: ip= for cifs, addr= for nfs. Docker looks up addr= of type nfs alone", RESOLVE),
            cause("another option is wrong: the kernel's log says which", KERNEL_LOG),
        ],
    ),
    Row::of_phrases(
        "module-missing",
        Who::Module,
        &["modprobe: fatal: module", "running modprobe args:", "modprobe [ceph]", "modprobe [rbd]", "failed to load ceph kernel module", "modinfo: error: module", "fuse device not found"],
        "the file system's kernel module is not there, or not for this kernel, so names are not to blame",
        &[
            cause("the kernel is a cloud or minimal one: its other modules are in another package", DOCTOR),
            cause("the kernel was updated and the host not started anew", "uname -r; ls /lib/modules"),
            cause("in a container: /lib/modules of the host is not mounted", ""),
        ],
    )
    .or_errno(&[8]),
    Row::of_errno(
        "module-129",
        Who::Module,
        &[129],
        "a module was not loaded: its signature is none that this kernel trusts",
        &[cause("Secure Boot, and a module that was built by hand", "mokutil --sb-state")],
    ),
    Row::of_phrases(
        "policy-selinux",
        Who::Policy,
        &[
            "comm=\"request-key\"", "comm=request-key", "comm=\"key.dns_resolve\"", "comm=key.dns_resolve", "keyutils_request_t",
            "keyutils_dns_resolver_t",
        ],
        "a policy kept request-key or the helper from something: with permissive=0, keys go unanswered, and mounts fail with \
         ENOKEY",
        &[
            cause("an older policy than the helper: install the module that key-dns has for it, or update the policy", DOCTOR),
            cause("see all that was denied", "ausearch -m avc -c request-key -c key.dns_resolve"),
        ],
    )
    .said_by(Speaker::Selinux),
    Row::of_phrases(
        "policy-apparmor",
        Who::Policy,
        &["key.dns_resolver\"", "request-key\""],
        "AppArmor kept request-key or the helper from something: keys may go unanswered, and mounts fail",
        &[cause("the profile does not fit this host's files: see /etc/apparmor.d/local", DOCTOR)],
    )
    .said_by(Speaker::AppArmor),
    Row::of_errno(
        "mount-1",
        Who::Mount,
        &[1],
        "names are not to blame: the server, or this kernel, does not let the user mount",
        &[cause("wrong secret, rights or user; the kernel's log may say which", KERNEL_LOG)],
    ),
    Row::of_errno(
        "mount-13",
        Who::Mount,
        &[13],
        "more often the server refuses: names are not to blame then",
        &[
            cause("CIFS: wrong user, password or domain", KERNEL_LOG),
            cause("Ceph: wrong secret or rights of the user", "ceph auth ls"),
            cause("NFS: the export is not for this host, or for its address alone", "showmount -e NAME"),
        ],
    ),
    Row::of_errno(
        "mount-19",
        Who::Mount,
        &[19],
        "the kernel does not know the file system (\"unknown filesystem type\")",
        &[
            cause("its module is not there or not loaded: ceph, cifs, nfs, kafs", "modprobe TYPE"),
            cause("the kernel is a cloud or minimal one, without network file systems", DOCTOR),
        ],
    )
    .or_phrases(&["unknown filesystem type", "filesystem not supported by the system"]),
    Row::of_phrases(
        "mount-helper",
        Who::Mount,
        &[
            "you might need a /sbin/mount.",
            "might need a /sbin/mount. helper",
            "need a /sbin/mount.",
            "wrong fs type, bad option, bad superblock",
        ],
        "mount(8) found no program for this file system (mount.nfs, mount.cifs, mount.ceph), and handed the source to the \
         kernel, which looks no name up for most of them",
        &[
            cause("install it: package nfs-common or nfs-utils, cifs-utils, ceph-common", "ls -l /sbin/mount.*"),
            cause("it is there, and an option is wrong: the kernel's log says which", KERNEL_LOG),
        ],
    )
    .weighs(Weight::Aside),
    Row::of_errno(
        "mount-101",
        Who::Mount,
        &[101],
        "the name was looked up; this host has no route to the address",
        &[
            cause("the address is of a family that this host has no route for: see the setting \"family\"", RESOLVE),
            cause("the network is not up yet: the mount wants _netdev in fstab", "ip route"),
        ],
    ),
    Row::of_errno(
        "mount-110",
        Who::Mount,
        &[110],
        "the name was looked up, and nobody answers at the address",
        &[OLD_ADDRESS, cause("the server is down, or a firewall drops the packets", "ping NAME")],
    ),
    Row::of_errno(
        "mount-111",
        Who::Mount,
        &[111],
        "the name was looked up, and nothing listens on the port at its address",
        &[cause("the address is an old one, the port is wrong, or the service is down", RESOLVE)],
    ),
    Row::of_errno(
        "mount-113",
        Who::Mount,
        &[113],
        "the name was looked up, and there is no way to the address",
        &[cause("the address is an old or a wrong one, or a firewall rejects the packets", RESOLVE)],
    ),
    Row::of_errno(
        "mount-116",
        Who::Mount,
        &[116],
        "the server no longer has what is mounted: an export or directory was deleted or made anew",
        &[cause("unmount it and mount it again; bind mounts of it too", MOUNTS)],
    ),
    Row::of_errno(
        "fuse-107",
        Who::Fuse,
        &[107],
        "the daemon of a FUSE file system (ceph-fuse, sshfs, …) is dead; its mount is still there, and so are \
         bind mounts of it, in containers too",
        &[cause("the daemon crashed, was killed or was restarted", MOUNTS)],
    ),
    Row::of_errno(
        "ssh-reset",
        Who::Fuse,
        &[104],
        "sshfs: ssh ended before a connection came about, and this line hides why: the name, the host key or the password",
        &[cause("ask ssh itself", "ssh -v NAME true")],
    )
    .or_phrases(&["read: connection reset by peer"]),
];
