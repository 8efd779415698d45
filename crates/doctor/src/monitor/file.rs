//! A file that is written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime};

/// What the file is called until it is whole, after a dot, its name and the number of the process. Those who read all files
/// in `.prom` don't read it.
const NEW: &str = ".new";
/// For all to read: node_exporter is a user of its own.
const MODE: u32 = 0o644;
/// After this time, an unfinished file is one that a process left that was killed.
const LEFT: Duration = Duration::from_secs(3600);

/// Puts `text` into the file at `path`. Whoever reads it finds what was there before, or all of this.
///
/// # Errors
/// Where it can't be written: then the file is what it was, and nothing else is there.
pub fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut start = OsString::from(".");
    start.push(name);
    clear(folder, &start);
    let mut new = start;
    new.push(format!(".{}{NEW}", process::id()));
    let new = folder.join(new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new)?;
    let new = Unfinished(new);
    // Whatever the umask is.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new.0, path)?;
    File::open(folder)?.sync_all()
}

/// A file that is removed, if it is still there.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes what processes left that were killed.
fn clear(folder: &Path, start: &OsString) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let middle =
            name.strip_prefix(start.as_encoded_bytes()).and_then(|rest| rest.strip_suffix(NEW.as_bytes()));
        let number = middle.and_then(|middle| middle.strip_prefix(b"."));
        let ours = number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit));
        let age = || SystemTime::now().duration_since(entry.metadata().ok()?.modified().ok()?).ok();
        if ours && age().is_some_and(|age| age > LEFT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_file_is_replaced_atomically_and_world_readable() {
        let folder = tree("file", &[("a.prom", "old\n")]).path("/");
        let path = folder.join("a.prom");
        let before = fs::metadata(&path).unwrap().ino();
        write(&path, b"new\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.mode() & 0o7777, MODE);
        assert_ne!(after.ino(), before);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_unchanged() {
        let folder = tree("file-fails", &[("a.prom", "old\n"), ("b.prom/x", "")]).path("/");
        // A folder in its place, a folder that is not there, no name, no place to write to.
        for path in ["b.prom", "none/a.prom", "b.prom/x/a.prom", ".."] {
            write(&folder.join(path), b"new\n").unwrap_err();
        }
        write(Path::new("/proc/self/a.prom"), b"new\n").unwrap_err();
        write(Path::new("/"), b"new\n").unwrap_err();
        assert_eq!(fs::read(folder.join("a.prom")).unwrap(), b"old\n");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let folder = tree("file-link", &[("target", "kept\n")]).path("/");
        symlink("target", folder.join("a.prom")).unwrap();
        // Nor is one that somebody put where the unfinished file is to be.
        let new = folder.join(format!(".a.prom.{}{NEW}", process::id()));
        symlink("target", &new).unwrap();
        write(&folder.join("a.prom"), b"new\n").unwrap_err();
        assert_eq!(fs::read(folder.join("target")).unwrap(), b"kept\n");
        fs::remove_file(&new).unwrap();
        write(&folder.join("a.prom"), b"new\n").unwrap();
        assert_eq!(fs::read(folder.join("target")).unwrap(), b"kept\n");
        assert!(!fs::symlink_metadata(folder.join("a.prom")).unwrap().is_symlink());
    }

    #[test]
    fn only_stale_temporary_files_of_a_killed_process_are_removed() {
        let files = [".a.prom.77.new", ".a.prom.78.new", ".a.prom.x.new", ".b.prom.77.new", "a.prom.77.new"];
        let folder = tree("file-left", &files.map(|file| (file, "half"))).path("/");
        let old = SystemTime::now() - LEFT * 2;
        for file in files.iter().filter(|file| **file != ".a.prom.78.new") {
            File::options().write(true).open(folder.join(file)).unwrap().set_modified(old).unwrap();
        }
        write(&folder.join("a.prom"), b"new\n").unwrap();
        let left: Vec<bool> = files.iter().map(|file| folder.join(file).exists()).collect();
        assert_eq!(left, [false, true, true, true, true]);
    }

    #[test]
    fn a_concurrent_reader_always_sees_a_complete_file() {
        let folder = tree("file-race", &[]).path("/");
        let path = folder.join("a.prom");
        write(&path, b"0\n0\n").unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                loop {
                    // The last time after all is written.
                    let last = over.load(Ordering::Relaxed);
                    let text = fs::read_to_string(&path).unwrap();
                    let lines: Vec<&str> = text.lines().collect();
                    assert!(lines.len() == 2 && lines[0] == lines[1] && text.ends_with('\n'), "{text:?}");
                    if last {
                        break;
                    }
                }
            });
            let written =
                (0..200).try_for_each(|number| write(&path, format!("{number}\n{number}\n").as_bytes()));
            over.store(true, Ordering::Relaxed);
            written.unwrap();
            reader.join().unwrap();
        });
    }
}
