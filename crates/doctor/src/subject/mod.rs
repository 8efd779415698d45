//! What the doctor is asked about: the keys that the kernel would request for a name, a mount source, a mount point, a
//! line of fstab or a mount command. `docs/doctor.md` has the table of forms.

mod ceph;
mod line;
mod source;
mod types;

pub use types::{Consumer, KeyRequest, NoSubject, Subject};

use crate::host_root::HostRoot;
use crate::mount_table::{self, MountEntry};

impl Subject {
    /// Parses what was typed. For a mount point, what is mounted there, or should be.
    ///
    /// # Errors
    /// If it contains no host.
    pub fn parse(text: &str, look: &HostRoot) -> Result<Self, NoSubject> {
        let text = text.trim();
        if let Some(entry) = line::entry(text) {
            return Self::of_line(&entry, look);
        }
        if text.starts_with('/') && !text.starts_with("//") {
            return Self::of_mount_point(text, look);
        }
        source::read(text, None, "", Some(look))
    }

    /// For a line or a command: if the source is missing, or is in the place of the mount point, fstab has it.
    fn of_line(entry: &MountEntry, look: &HostRoot) -> Result<Self, NoSubject> {
        if entry.source.is_empty() {
            return Self::of_mount_point(&entry.mount_point, look);
        }
        if entry.fs_type.is_empty() {
            return source::read(&entry.source, None, &entry.options, Some(look));
        }
        Self::of_entry(entry, Some(look)).unwrap_or_else(|| Err(Self::no_names(entry)))
    }

    fn of_mount_point(path: &str, look: &HostRoot) -> Result<Self, NoSubject> {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let find =
            |entries: Vec<MountEntry>| entries.into_iter().rev().find(|entry| entry.mount_point == path);
        let mounted = find(mount_table::mountinfo(&look.text("/proc/self/mountinfo").unwrap_or_default()));
        let (entry, place) = match mounted.filter(|entry| entry.fs_type != "autofs") {
            Some(entry) => (entry, "/proc/self/mountinfo"),
            None => match find(mount_table::fstab(&look.text("/etc/fstab").unwrap_or_default())) {
                Some(entry) => (entry, "/etc/fstab"),
                None => return Err(NoSubject::NoMount(path.to_owned())),
            },
        };
        let Some(subject) = Self::of_entry(&entry, Some(look)) else { return Err(Self::no_names(&entry)) };
        let mut subject = subject?;
        subject.origin = Some(format!("{place}: {} on {path}, type {}", entry.source, entry.fs_type));
        Ok(subject)
    }

    fn no_names(entry: &MountEntry) -> NoSubject {
        NoSubject::NoNames {
            mount_point: entry.mount_point.clone(),
            fs_type: entry.fs_type.clone(),
            source_: entry.source.clone(),
        }
    }

    /// Parses what is mounted; `None` if the file system requests no names.
    #[must_use]
    pub(crate) fn of_mount(entry: &MountEntry) -> Option<Result<Self, NoSubject>> {
        Self::of_entry(entry, None)
    }

    fn of_entry(entry: &MountEntry, look: Option<&HostRoot>) -> Option<Result<Self, NoSubject>> {
        let consumer = match entry.fs_type.as_str() {
            "ceph" => Consumer::Ceph,
            "cifs" | "smb3" => Consumer::Cifs,
            "nfs" | "nfs4" => Consumer::Nfs,
            "afs" => Consumer::Afs,
            _ => return None,
        };
        Some(source::read(&entry.source, Some(consumer), &entry.options, look))
    }
}

#[cfg(test)]
mod tests;
