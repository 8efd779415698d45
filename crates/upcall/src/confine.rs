//! Giving up all that the rest of a lookup doesn't need, before the first byte is read that somebody else sent.
//!
//! What is still to be read or asked is open by then. What remains to the process: its memory, its open
//! descriptors, UDP sockets, TCP connections to the ports of name servers, lines to syslog, and to answer its one key. Authority over
//! that outlives the loss of all rights, since it is not a matter of users but of the session keyring.

use crate::sys::seccomp;
use crate::sys::user::become_nobody;
use key::KeySerial;
use landlock::{
    ABI, Access, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use std::fmt;
use std::os::fd::RawFd;

/// Several times what the largest cell takes.
const MEMORY: rlim_t = 256 << 20;
/// Seconds; a lookup takes some milliseconds.
const TIME: rlim_t = 10;
/// The most sockets at once, where the system allows as many: a cell of 255 servers asked for in both families,
/// with three silent name servers, takes 1,530.
const DESCRIPTORS: rlim_t = 4096;

/// What has to remain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The key to answer. Without one, standard output and standard error may be files.
    pub key: Option<KeySerial>,
    /// The name servers' ports, for TCP.
    pub ports: Vec<u16>,
    /// The connection to syslog, which can't be taken elsewhere then.
    pub log: Option<RawFd>,
    /// The socket of the process that asks NSS modules, which gets descriptors by it.
    pub modules: Option<RawFd>,
}

/// A part of the confinement that could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    what: &'static str,
    why: String,
}

impl Lacking {
    pub(crate) fn new(what: &'static str, why: impl fmt::Display) -> Self {
        Self { what, why: why.to_string() }
    }
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not confined by {}: {}", self.what, self.why)
    }
}

/// Allows as many open files as the system does.
pub(crate) fn allow_descriptors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard.min(DESCRIPTORS)
    {
        // Where it fails, the usual number is enough for most lookups.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(DESCRIPTORS), hard);
    }
}

/// Confines the process for the rest of its life. What a kernel lacks, or does not let this user have, is passed
/// over and told.
#[must_use]
pub fn confine(needs: &Needs) -> Vec<Lacking> {
    let mut lacking = Vec::new();
    let mut note = |what, outcome: Result<(), Errno>| {
        if let Err(errno) = outcome {
            lacking.push(Lacking::new(what, errno.desc()));
        }
    };
    note("limits", limits(needs.key.is_some()));
    note("no_new_privs", prctl::set_no_new_privs());
    note("its user", become_nobody());
    // A change of user may have set it to what /proc/sys/fs/suid_dumpable says.
    note("being undumpable", prctl::set_dumpable(false));
    note("capabilities", no_capabilities());
    lacking.extend(restrict_by_landlock(&needs.ports).err());
    let filtered = seccomp::install(needs.key, needs.log, needs.modules);
    lacking.extend(filtered.err().map(|why| Lacking::new("seccomp", why)));
    lacking
}

/// Bounds what the process can take of the machine. No process can be made; and where there is a key, there is no
/// file to be written.
fn limits(for_key: bool) -> Result<(), Errno> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NPROC, 0, 0)?;
    if for_key {
        setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    }
    lower(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    // SIGXCPU has a handler, which needs some time.
    lower(Resource::RLIMIT_CPU, TIME, TIME + 1)
}

/// Sets a limit, unless it is lower already.
fn lower(resource: Resource, soft: rlim_t, hard: rlim_t) -> Result<(), Errno> {
    let (old_soft, old_hard) = getrlimit(resource)?;
    setrlimit(resource, soft.min(old_soft), hard.min(old_hard))
}

/// Gives up the capabilities that a change of user leaves, and those of a user who has some.
///
/// The bounding set stays as it is: it limits what executing a file brings, which is nothing with `no_new_privs`. To
/// empty it takes 41 system calls, which is as long as all the rest.
fn no_capabilities() -> Result<(), Errno> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(|error| Errno::from_raw(error.raw_os_error()))
}

/// Allows no file, no TCP port but these, no signal to others, as far as the kernel's Landlock goes.
///
/// # Errors
/// Where it has none.
pub fn restrict_by_landlock(ports: &[u16]) -> Result<(), Lacking> {
    const NEWEST: ABI = ABI::V9;
    let restrict = || {
        let mut ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .no_new_privs(false);
        for &port in ports {
            ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
        }
        ruleset.restrict_self()
    };
    match restrict() {
        Ok(status) if status.ruleset == RulesetStatus::NotEnforced => {
            Err(Lacking::new("Landlock", "the kernel has none"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(Lacking::new("Landlock", error)),
    }
}
