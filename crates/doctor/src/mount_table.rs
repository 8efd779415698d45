//! Current and configured mounts: mountinfo (proc_pid_mountinfo(5)) and fstab(5).

/// A file system and its mount point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountEntry {
    /// The mount point.
    pub mount_point: String,
    /// `ceph`, `nfs4`, `cifs`, …
    pub fs_type: String,
    /// The source.
    pub source: String,
    /// The options of the file system itself.
    pub options: String,
}

/// The entries of a mountinfo; invalid lines are skipped.
#[must_use]
pub(crate) fn mountinfo(text: &str) -> Vec<MountEntry> {
    let entry = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        Some(MountEntry {
            mount_point: unescape(left.split(' ').nth(4)?),
            fs_type: right.next()?.to_owned(),
            source: unescape(right.next()?),
            options: unescape(right.next().unwrap_or_default()),
        })
    };
    text.lines().filter_map(entry).collect()
}

/// The entries of an fstab.
#[must_use]
pub(crate) fn fstab(text: &str) -> Vec<MountEntry> {
    let entry = |line: &str| {
        let mut fields = line.split_whitespace();
        // mount(8) takes anything that begins with a hash for a comment, even AFS's "#cell:volume".
        let source = fields.next().filter(|source| !source.starts_with('#'))?;
        Some(MountEntry {
            source: unescape(source),
            mount_point: unescape(fields.next()?),
            fs_type: fields.next()?.to_owned(),
            options: unescape(fields.next().unwrap_or_default()),
        })
    };
    text.lines().filter_map(entry).collect()
}

/// Blanks and backslashes are written as `\040`.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(first));
        rest = after.get(if octal.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_parsed() {
        let text = "36 35 98:0 / /mnt/a\\040b rw,noatime shared:1 master:2 - ceph mon1:6789:/x\\134y rw,name=admin\n\
                    junk\n";
        assert_eq!(
            mountinfo(text),
            [MountEntry {
                mount_point: "/mnt/a b".to_owned(),
                fs_type: "ceph".to_owned(),
                source: "mon1:6789:/x\\y".to_owned(),
                options: "rw,name=admin".to_owned(),
            }]
        );
    }

    #[test]
    fn lines_that_begin_with_a_hash_are_comments_in_fstab() {
        let text = "# a comment\n#example.org:root.cell /afs afs defaults 0 0\n %example.org:root.cell /afs afs\n\
                    #srv:/old /data nfs4\n//srv/share /mnt cifs\n";
        let found: Vec<String> = fstab(text).into_iter().map(|entry| entry.source).collect();
        assert_eq!(found, ["%example.org:root.cell", "//srv/share"]);
    }
}
