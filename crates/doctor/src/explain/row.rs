//! The form of the table of errors.

use serde::Deserialize;
use std::fmt;

/// What is known of an error, or of a phrase, for one of those who say it.
#[derive(Debug, Deserialize)]
pub struct Row {
    /// Its name: never changes, as scripts and tests go by it.
    pub id: String,
    /// Who says it.
    pub who: Who,
    /// It applies to one of these phrases, in lower case, as a speaker has it, between word boundaries.
    #[serde(default)]
    pub(super) phrases: Vec<String>,
    /// And to one of these numbers, from who this row is for.
    #[serde(default)]
    pub(super) errnos: Vec<u16>,
    /// Whose message the phrases must be in; nobody in particular where they are nobody else's.
    #[serde(default)]
    pub(super) by: Option<Speaker>,
    /// What the phrases weigh.
    #[serde(default)]
    pub(super) weight: Weight,
    /// What it means there.
    pub means: String,
    /// The likeliest first.
    #[serde(skip)]
    pub(super) causes: Vec<Cause>,
}

/// What a phrase weighs beside an errno in the same message.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) enum Weight {
    /// It says more than the errno.
    #[default]
    Telling,
    /// It says more than the errno, and the errno is that of the lookup.
    WithLookup,
    /// It often stands beside what went wrong, and says less.
    Aside,
}

/// Why it may have come, and the command that tells more or helps. `NAME` in it stands for the host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cause {
    pub(super) what: String,
    /// Empty where there is none.
    #[serde(default)]
    pub(super) remedy: String,
}

/// Whose words a message is in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The kernel's libceph, ceph and rbd, and `mount.ceph(8)` with their errno.
    Ceph,
    /// Ceph's programs.
    CephTools,
    /// The kernel's SMB client, and `mount.cifs(8)`.
    Cifs,
    /// The kernel's NFS client, and `mount.nfs(8)`.
    Nfs,
    /// kAFS.
    Afs,
    /// FUSE file systems and their daemons.
    Fuse,
    /// A container runtime.
    Runc,
    /// Docker's daemon.
    Docker,
    /// A program in Go.
    Go,
    /// The kernel's `dns_resolver` key type.
    KernelLookup,
    /// `key.dns_resolver`, ours or keyutils', and `request-key` of ours.
    Helper,
    /// keyutils' `request-key`, `keyctl` and calls of its library.
    Keyctl,
    /// The loader of kernel modules.
    Module,
    /// `mount(8)`.
    Mount,
    /// `mount(8)`, of a `HOST:/PATH`.
    MountOfPath,
    /// SELinux.
    Selinux,
    /// AppArmor.
    AppArmor,
}

impl Speaker {
    /// Whose rows count for an errno that this one says: those of the first group that knows it.
    pub(super) const fn rows(self) -> &'static [&'static [Who]] {
        use Who as W;
        match self {
            Self::Ceph => &[&[W::Ceph], &[W::Mount]],
            Self::CephTools => &[&[W::CephTools], &[W::Ceph], &[W::Fuse]],
            // The SMB client hands the lookup's own error to mount(2).
            Self::Cifs => &[&[W::Cifs], &[W::Kernel], &[W::Mount], &[W::Keyctl]],
            Self::Nfs => &[&[W::Nfs], &[W::Mount], &[W::Keyctl]],
            Self::Afs => &[&[W::Afs], &[W::Kernel], &[W::Mount], &[W::Keyctl]],
            Self::Fuse => &[&[W::Fuse], &[W::Mount]],
            Self::Runc => &[&[W::Runc], &[W::Fuse], &[W::Mount]],
            Self::Docker => &[&[W::Docker], &[W::Fuse], &[W::Mount]],
            Self::Go => &[&[W::Mount]],
            Self::KernelLookup | Self::Helper => &[&[W::Kernel]],
            Self::Keyctl => &[&[W::Keyctl], &[W::Kernel]],
            Self::Module => &[&[W::Module], &[W::Mount]],
            // Which file system it was is not said.
            Self::Mount => &[&[W::Mount, W::Ceph, W::Cifs, W::Nfs, W::Afs, W::Fuse], &[W::Keyctl]],
            Self::MountOfPath => &[&[W::Mount, W::Ceph, W::Nfs], &[W::Keyctl]],
            Self::Selinux | Self::AppArmor => &[],
        }
    }
}

/// Who says it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Who {
    /// CephFS and RBD.
    Ceph,
    /// Ceph's programs, which look names up themselves.
    CephTools,
    /// SMB shares.
    Cifs,
    /// NFS, whose referrals name servers.
    Nfs,
    /// kAFS.
    Afs,
    /// FUSE file systems.
    Fuse,
    /// A container runtime.
    Runc,
    /// Docker's volumes.
    Docker,
    /// Programs in Go, which look names up themselves.
    Go,
    /// Programs that look names up in the C library.
    Libc,
    /// Name servers, and programs that ask them.
    Dns,
    /// `keyctl(2)`, `request_key(2)`, and keyutils.
    Keyctl,
    /// The loader of kernel modules.
    Module,
    /// `mount(8)` and its helpers, whatever the file system.
    Mount,
    /// The lookup itself, whoever wanted it.
    Kernel,
    /// SELinux and AppArmor.
    Policy,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ceph => "CephFS, RBD (libceph)",
            Self::CephTools => "Ceph's programs (librados, ceph-fuse)",
            Self::Cifs => "SMB (cifs)",
            Self::Nfs => "NFS",
            Self::Afs => "AFS (kafs)",
            Self::Fuse => "FUSE",
            Self::Runc => "containers (runc)",
            Self::Docker => "Docker volumes",
            Self::Go => "a program's own lookup (Go)",
            Self::Libc => "a program's own lookup (C library)",
            Self::Dns => "the name servers",
            Self::Keyctl => "keys (keyctl, request-key)",
            Self::Module => "kernel modules (modprobe)",
            Self::Mount => "mount",
            Self::Kernel => "the lookup of a name",
            Self::Policy => "SELinux, AppArmor",
        })
    }
}
