//! Reading configuration files, and the warnings about mistakes in them.

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, makedev};
use rustix::io::retry_on_intr;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek};
use std::path::{Path, PathBuf};

/// Something in a configuration file that was ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The line number, starting at 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, and what applies instead.
    pub message: String,
}

impl Warning {
    /// A warning for line `line`.
    pub fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// The warning with its place: `FILE:LINE: MESSAGE`.
    #[must_use]
    pub fn at(&self, file: &Path) -> String {
        match self.line {
            0 => format!("{}: {}", file.display(), self.message),
            line => format!("{}:{line}: {}", file.display(), self.message),
        }
    }
}

/// A configuration file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {}: {source}", path.display())]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

impl Unreadable {
    /// Whether the file does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// No configuration file needs to be larger; a larger one (a device, a log by mistake) is not read to its end.
const LARGEST: u64 = 1 << 20;

/// The bytes of a configuration file.
///
/// # Errors
/// If it can't be opened or read, is not a regular file, or is larger than 1 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    read_bytes(path).map_err(|source| Unreadable { path: path.to_owned(), source })
}

/// Opens any kind of file and returns its attributes. It never blocks, unlike opening a pipe, which waits for a writer.
///
/// # Errors
/// If it can't be opened.
pub fn open_any(path: &Path) -> io::Result<(File, Stat)> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
    let facts = fstat(&file)?;
    Ok((file.into(), facts))
}

/// The size of a file in bytes.
#[must_use]
pub fn size(facts: &Stat) -> u64 {
    u64::try_from(facts.st_size).unwrap_or_default()
}

/// Opens a regular file, or `/dev/null`, which masks a file, and returns its size in bytes. Anything else may be endless.
///
/// # Errors
/// If it can't be opened, or is something else.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    let (file, facts) = open_any(path)?;
    match FileType::from_raw_mode(facts.st_mode) {
        FileType::RegularFile => Ok((file, size(&facts))),
        FileType::CharacterDevice if facts.st_rdev == makedev(1, 3) => Ok((file, 0)),
        // A directory gives the same error as reading it.
        FileType::Directory => Err(rustix::io::Errno::ISDIR.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// The same, with the bare error.
///
/// # Errors
/// As for [`read`].
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let (file, size) = open(path)?;
    contents(&file, size)
}

/// The bytes of a file, as many as when it was opened: one that grows meanwhile is being written. A file of the kernel's
/// has no size until it is read.
fn contents(file: &File, size: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB");
    if size > LARGEST {
        return Err(too_large());
    }
    let limit = if size == 0 { LARGEST + 1 } else { size };
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST { Err(too_large()) } else { Ok(bytes) }
}

/// A file that is opened now, and read later if needed.
#[derive(Debug)]
pub struct DeferredFile {
    path: &'static Path,
    /// With its size.
    file: io::Result<(File, u64)>,
}

impl DeferredFile {
    /// Opens the file.
    #[must_use]
    pub fn open(path: &'static str) -> Self {
        Self { path: Path::new(path), file: open(Path::new(path)) }
    }

    /// A file that does not exist.
    #[must_use]
    pub fn absent(path: &'static str) -> Self {
        Self { path: Path::new(path), file: Err(io::ErrorKind::NotFound.into()) }
    }

    /// A file with this text, which exists nowhere else.
    #[cfg(test)]
    pub(crate) fn holding(path: &'static str, text: &str) -> Self {
        use std::io::Write;
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("names-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let place = std::env::temp_dir().join(name);
        let mut file = File::options().read(true).write(true).create_new(true).open(&place).unwrap();
        std::fs::remove_file(place).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Self { path: Path::new(path), file: Ok((file, text.len() as u64)) }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &'static Path {
        self.path
    }

    /// Its bytes.
    ///
    /// # Errors
    /// As for [`read`].
    pub fn read(&self) -> Result<Vec<u8>, Unreadable> {
        let unreadable = |source| Unreadable { path: self.path.to_owned(), source };
        self.opened().and_then(|(file, size)| contents(file, size)).map_err(unreadable)
    }

    /// The file, at its beginning.
    ///
    /// # Errors
    /// If it could not be opened.
    pub fn from_start(&self) -> io::Result<&File> {
        self.opened().map(|(file, _)| file)
    }

    /// The file, at its beginning, and its size in bytes.
    fn opened(&self) -> io::Result<(&File, u64)> {
        match &self.file {
            Ok((file, size)) => (&*file).rewind().map(|()| (file, *size)),
            Err(error) => Err(error.raw_os_error().map_or_else(
                || io::Error::new(error.kind(), error.to_string()),
                io::Error::from_raw_os_error,
            )),
        }
    }
}

/// The lines of a file, without their newlines.
pub fn lines(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let mut rest = text;
        // As a reader, a slice gives access to the fast memchr of the standard library.
        let length = rest.skip_until(b'\n').ok().filter(|&length| length > 0)?;
        let line = text.get(..length)?;
        text = rest;
        Some(line.strip_suffix(b"\n").unwrap_or(line))
    })
}

/// The expected value, for a message: `expected WHAT, found FOUND`.
#[must_use]
pub fn expected(what: impl fmt::Display, found: impl fmt::Display) -> String {
    format!("expected {what}, found {found:?}", found = found.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    #[test]
    fn only_regular_files_are_opened_and_without_blocking() {
        let folder = std::env::temp_dir();
        let pipe = folder.join(format!("names-pipe-{}", std::process::id()));
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let error = open(&pipe).unwrap_err();
        std::fs::remove_file(&pipe).unwrap();
        assert_eq!(error.to_string(), "not a regular file");
        assert_eq!(open(Path::new("/dev/zero")).unwrap_err().to_string(), "not a regular file");
        assert_eq!(open(&folder).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read_bytes(Path::new("/dev/null")).unwrap(), b"");
        assert!(read_bytes(Path::new("/proc/self/status")).unwrap().starts_with(b"Name:"));
    }
}
