//! One change of a host at a time.

use crate::error::{SetupError, doing};
use crate::host_root::HostRoot;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

/// A root that nobody else changes for as long as this lives.
///
/// The lock is one of the root folder itself (flock(2)): it needs no file of its own, so that nothing is left behind, and
/// it ends with its process, however that ends. It holds between a host and its containers, where the folder is the
/// same one.
#[derive(Debug)]
pub struct LockedRoot<'a> {
    root: &'a HostRoot,
    /// None where the file system of the root has no locks for folders, as NFS.
    _lock: Option<Flock<File>>,
}

impl<'a> LockedRoot<'a> {
    /// Takes the lock, and does not wait for it.
    ///
    /// # Errors
    /// [`SetupError::Busy`] where another one has it; or where the root can't be opened.
    pub fn take(root: &'a HostRoot) -> Result<Self, SetupError> {
        let folder = Path::new("/");
        let opened = File::open(root.locate(folder)).map_err(doing("open", folder))?;
        match Flock::lock(opened, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { root, _lock: Some(lock) }),
            Err((_, Errno::EWOULDBLOCK)) => Err(SetupError::Busy),
            Err((_, Errno::EBADF | Errno::ENOLCK | Errno::EOPNOTSUPP | Errno::ENOSYS)) => {
                Ok(Self { root, _lock: None })
            }
            Err((_, errno)) => Err(doing("lock", folder)(errno.into())),
        }
    }
}

impl Deref for LockedRoot<'_> {
    type Target = HostRoot;

    fn deref(&self) -> &HostRoot {
        self.root
    }
}
