//! The form of the table of errors.

use std::fmt;

/// What is known of one error for one of those who meet it.
#[derive(Debug)]
pub struct Row {
    pub(super) sign: Sign,
    /// Who says it.
    pub who: Who,
    /// What it means there.
    pub means: &'static str,
    /// The likeliest first.
    pub(super) causes: &'static [Cause],
}

/// How an error is known.
#[derive(Debug)]
pub(super) enum Sign {
    /// By its number.
    Errno(u16),
    /// By one of these phrases, in lower case.
    Phrases(&'static [&'static str]),
}

/// Why it may have come, and the command that tells more or helps. `NAME` in it stands for the host.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// CephFS and RBD.
    Ceph,
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
    /// `keyctl(2)`, `request_key(2)`, and keyutils.
    Keyctl,
    /// The loader of kernel modules.
    Module,
    /// `mount(8)` and its helpers, whatever the file system.
    Mount,
    /// The lookup itself, whoever wanted it.
    Kernel,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ceph => "CephFS, RBD (libceph)",
            Self::Cifs => "SMB (cifs)",
            Self::Nfs => "NFS",
            Self::Afs => "AFS (kafs)",
            Self::Fuse => "FUSE",
            Self::Runc => "containers (runc)",
            Self::Keyctl => "keys (keyctl, request-key)",
            Self::Module => "kernel modules (modprobe)",
            Self::Mount => "mount",
            Self::Kernel => "the lookup of a name",
        })
    }
}
