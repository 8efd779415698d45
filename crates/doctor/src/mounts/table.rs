//! The mounts of a process: all of mountinfo (proc_pid_mountinfo(5)), and which of them are reachable by path.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    id: u32,
    parent: u32,
    /// `major:minor` of its file system, which all mounts of one file system share.
    pub device: String,
    /// The part of the file system that is mounted: a path in it, followed by `//deleted` if it was deleted.
    pub root: Vec<u8>,
    /// The mount point.
    pub point: PathBuf,
    /// `ceph`, `nfs4`, `fuse.sshfs`, …
    pub fs_type: String,
    /// The source.
    pub source: String,
    /// The options of the file system itself.
    pub options: String,
}

impl Mount {
    /// The value of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.split(',').find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }

    /// The path within its file system, if what is mounted was deleted.
    #[must_use]
    pub fn deleted(&self) -> Option<&[u8]> {
        // The kernel's suffix (fs/d_path.c).
        self.root.strip_suffix(b"//deleted")
    }

    /// The path of a file of its file system, seen through this mount.
    #[must_use]
    pub fn within(&self, root: &[u8]) -> Option<PathBuf> {
        if self.deleted().is_some() {
            return None;
        }
        let rest = match self.root.as_slice() {
            b"/" => root,
            above => root.strip_prefix(above).filter(|rest| rest.is_empty() || rest.starts_with(b"/"))?,
        };
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        Some(if rest.is_empty() { self.point.clone() } else { self.point.join(OsStr::from_bytes(rest)) })
    }

    /// Whether it is a file system in user space.
    #[must_use]
    pub fn is_fuse(&self) -> bool {
        matches!(self.fs_type.as_str(), "fuse" | "fuseblk") || self.fs_type.starts_with("fuse.")
    }

    /// Whether it is a network file system.
    #[must_use]
    pub fn is_network(&self) -> bool {
        const TYPES: [&str; 11] =
            ["nfs", "nfs4", "cifs", "smb3", "ceph", "afs", "9p", "ncpfs", "lustre", "orangefs", "coda"];
        TYPES.contains(&self.fs_type.as_str())
    }
}

/// The mounts of a mountinfo; invalid lines are skipped.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|&byte| byte == b'\n').filter_map(mount).collect()
}

fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let (id, parent, device) = (fields.next()?, fields.next()?, fields.next()?);
    let (root, point, _options) = (fields.next()?, fields.next()?, fields.next()?);
    // Optional fields end with a hyphen.
    fields.by_ref().find(|field| *field == b"-")?;
    let (fs_type, source) = (fields.next()?, fields.next()?);
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    Some(Mount {
        id: text(id).parse().ok()?,
        parent: text(parent).parse().ok()?,
        device: text(device),
        root: unescape(root),
        point: PathBuf::from(OsStr::from_bytes(&unescape(point))),
        fs_type: text(fs_type),
        source: text(&unescape(source)),
        options: text(&unescape(fields.next().unwrap_or_default())),
    })
}

/// Blanks, newlines and backslashes are written as three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| first == b'\\');
        let octal = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(first));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    bytes
}

/// Whether this mount's path leads to it, and not to one that was later mounted over it or over a parent directory.
#[must_use]
pub fn is_reachable(mount: &Mount, all: &[Mount]) -> bool {
    let mut at = mount;
    // A chain as long as the table would be a loop.
    for _ in 0..=all.len() {
        // The table is in mount order.
        let mut later = false;
        let covered = all.iter().any(|other| {
            if other.id == at.id {
                later = true;
                return false;
            }
            let on_it = other.parent == at.id && other.point == at.point;
            on_it || (later && other.parent == at.parent && is_above(&other.point, &at.point))
        });
        if covered {
            return false;
        }
        let parent =
            |mount: &Mount| all.iter().find(|other| other.id == mount.parent && other.id != mount.id);
        let above = match parent(at) {
            // This one covers its parent, so only what is above both matters.
            Some(covered) if covered.point == at.point => parent(covered),
            above => above,
        };
        match above {
            Some(above) => at = above,
            None => return true,
        }
    }
    false
}

fn is_above(upper: &Path, lower: &Path) -> bool {
    lower != upper && lower.starts_with(upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = "\
        20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
        30 20 0:30 / /mnt/a\\040b rw,noatime shared:2 master:1 - nfs4 srv.test:/x\\134y rw,addr=192.0.2.1,port=2049\n\
        31 20 8:1 /gone//deleted /mnt/c rw - ext4 /dev/sda1 rw\n\
        32 20 0:31 / /mnt/d rw - tmpfs tmpfs rw\n\
        33 32 0:32 / /mnt/d/e rw - fuse.sshfs host: rw,user_id=1000,group_id=1000\n\
        34 32 0:33 / /mnt/d rw - tmpfs tmpfs rw\n\
        35 20 0:34 / /srv/x rw - cifs //h/s rw\n\
        36 20 0:35 / /srv rw - tmpfs tmpfs rw\n\
        37 36 0:36 / /srv/x rw - cifs //h/t rw\n\
        junk\n";

    #[test]
    fn a_mount_line_is_parsed() {
        let all = parse(TABLE.as_bytes());
        assert_eq!(all.len(), 9);
        let nfs = &all[1];
        assert_eq!((nfs.point.to_str(), nfs.fs_type.as_str()), (Some("/mnt/a b"), "nfs4"));
        assert_eq!((nfs.source.as_str(), nfs.device.as_str()), ("srv.test:/x\\y", "0:30"));
        assert_eq!((nfs.option("addr"), nfs.option("add")), (Some("192.0.2.1"), None));
        assert_eq!(all[2].root, b"/gone//deleted");
        let kinds: Vec<(bool, bool)> =
            all.iter().map(|mount| (mount.is_network(), mount.is_fuse())).collect();
        assert_eq!(kinds.iter().filter(|kind| kind.0).count(), 3);
        assert_eq!(kinds.iter().filter(|kind| kind.1).count(), 1);
    }

    #[test]
    fn a_mount_hidden_by_another_is_unreachable() {
        let all = parse(TABLE.as_bytes());
        let reached: Vec<u32> =
            all.iter().filter(|mount| is_reachable(mount, &all)).map(|mount| mount.id).collect();
        // 32 lies under 34, and 33 with it; 35 under 36.
        assert_eq!(reached, [20, 30, 31, 34, 36, 37]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = parse(&text);
        }

        #[test]
        fn no_mount_table_loops_forever(numbers in prop::collection::vec((0_u32..6, 0_u32..6, "/[ab]?(/c)?"), 0..8)) {
            let line = |(id, parent, point): &(u32, u32, String)| format!("{id} {parent} 0:1 / {point} rw - tmpfs t rw\n");
            let all = parse(numbers.iter().map(line).collect::<String>().as_bytes());
            for mount in &all {
                let _ = is_reachable(mount, &all);
            }
        }
    }
}
