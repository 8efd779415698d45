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
            cause("the source does not exist in the container runtime's mount namespace", "ls -ld SOURCE"),
        ],
    ),
    Row::of_phrases(
        "deleted",
        Who::Runc,
        &["//deleted"],
        "the source of a bind mount was deleted: it stays mounted, but can't be mounted anywhere else",
        &[cause("the directory was replaced, or its file system mounted again, under the bind mount", MOUNTS)],
    ),
    Row::of_errno(
        "docker-22",
        Who::Docker,
        &[22],
        "Docker calls mount(2) for volumes itself, without mount.cifs or mount.nfs: a host name in the volume's \
         options reaches the kernel unchanged",
        &[
            cause("give the address: ip= for cifs, addr= for nfs. Docker looks up only addr= of type nfs", RESOLVE),
            cause("another option is wrong: the kernel's log says which", KERNEL_LOG),
        ],
    ),
    Row::of_phrases(
        "module-missing",
        Who::Module,
        &["modprobe: fatal: module", "running modprobe args:", "modprobe [ceph]", "modprobe [rbd]", "failed to load ceph kernel module", "modinfo: error: module", "fuse device not found"],
        "the file system's kernel module is missing, or not for this kernel, so names are not to blame",
        &[
            cause("the kernel is a cloud or minimal one: its other modules are in another package", DOCTOR),
            cause("the kernel was updated, and the host not rebooted", "uname -r; ls /lib/modules"),
            cause("in a container: the host's /lib/modules is not mounted", ""),
        ],
    )
    .or_errno(&[8]),
    Row::of_errno(
        "module-129",
        Who::Module,
        &[129],
        "a module was not loaded: this kernel does not trust its signature",
        &[cause("Secure Boot, with a module that was built by hand", "mokutil --sb-state")],
    ),
    Row::of_phrases(
        "policy-selinux",
        Who::Policy,
        &[
            "comm=\"request-key\"", "comm=request-key", "comm=\"key.dns_resolve\"", "comm=key.dns_resolve", "keyutils_request_t",
            "keyutils_dns_resolver_t",
        ],
        "a policy denied something to request-key or the helper: with permissive=0, keys go unanswered, and mounts \
         fail with ENOKEY",
        &[
            cause("the policy is older than the helper: install key-dns' policy module, or update the policy", DOCTOR),
            cause("to see all denials", "ausearch -m avc -c request-key -c key.dns_resolve"),
        ],
    )
    .said_by(Speaker::Selinux),
    Row::of_phrases(
        "policy-apparmor",
        Who::Policy,
        &["key.dns_resolver\"", "request-key\""],
        "AppArmor denied something to request-key or the helper: keys may go unanswered, and mounts fail",
        &[cause("the profile does not fit this host's files: see /etc/apparmor.d/local", DOCTOR)],
    )
    .said_by(Speaker::AppArmor),
    Row::of_errno(
        "mount-1",
        Who::Mount,
        &[1],
        "names are not to blame: the server, or this kernel, does not allow the user to mount",
        &[cause("wrong secret, rights or user; the kernel's log may say which", KERNEL_LOG)],
    ),
    Row::of_errno(
        "mount-13",
        Who::Mount,
        &[13],
        "usually the server refuses, and names are not to blame",
        &[
            cause("CIFS: wrong user, password or domain", KERNEL_LOG),
            cause("Ceph: wrong secret or rights of the user", "ceph auth ls"),
            cause("NFS: the export is not for this host, or only for one of its addresses", "showmount -e NAME"),
        ],
    ),
    Row::of_errno(
        "mount-19",
        Who::Mount,
        &[19],
        "the kernel does not know the file system (\"unknown filesystem type\")",
        &[
            cause("its module is missing or not loaded: ceph, cifs, nfs, kafs", "modprobe TYPE"),
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
        "mount(8) found no program for this file system (mount.nfs, mount.cifs, mount.ceph), and passed the source to \
         the kernel, which for most of them does not look names up",
        &[
            cause("install it: package nfs-common or nfs-utils, cifs-utils, ceph-common", "ls -l /sbin/mount.*"),
            cause("it is installed, but an option is wrong: the kernel's log says which", KERNEL_LOG),
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
            cause("the network is not up yet: the mount needs _netdev in fstab", "ip route"),
        ],
    ),
    Row::of_errno(
        "mount-110",
        Who::Mount,
        &[110],
        "the name was looked up, but nothing answers at the address",
        &[OLD_ADDRESS, cause("the server is down, or a firewall drops the packets", "ping NAME")],
    ),
    Row::of_errno(
        "mount-111",
        Who::Mount,
        &[111],
        "the name was looked up, but nothing listens on the port at its address",
        &[cause("the address is old, the port is wrong, or the service is down", RESOLVE)],
    ),
    Row::of_errno(
        "mount-113",
        Who::Mount,
        &[113],
        "the name was looked up, but there is no route to the address",
        &[cause("the address is old or wrong, or a firewall rejects the packets", RESOLVE)],
    ),
    Row::of_errno(
        "mount-116",
        Who::Mount,
        &[116],
        "the server no longer has what is mounted: an export or directory was deleted or recreated",
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
        "sshfs: ssh exited before it was connected, and this line hides the reason: the name, the host key or the \
         password",
        &[cause("run ssh itself", "ssh -v NAME true")],
    )
    .or_phrases(&["read: connection reset by peer"]),
];
