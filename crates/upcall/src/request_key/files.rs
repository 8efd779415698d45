//! The files that hold the rules.

use super::rules::{BadLine, Rule, Skips};
use super::subject::Subject;
use names::file::{Warning, lines};
use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, lstat};
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where the rules are, unless those of the current folder are asked for.
pub const ROOT: &str = "/etc";
/// Where packages and images have rules that stand in where none of `/etc` fits.
pub const SHIPPED: &str = "/usr/share";
/// The folder of rule files, whose rules come first.
const FOLDER: &str = "request-key.d";
/// The file whose rules come last.
const LAST: &str = "request-key.conf";
/// The ending of a rule file in the folder.
const ENDING: &[u8] = b".conf";
/// No rule file needs more; a larger one is refused.
const LARGEST: u64 = 1 << 20;

/// The rule files of a host, read.
#[derive(Debug, Default)]
pub struct RuleFiles {
    files: Vec<RuleFile>,
    refused: Vec<(PathBuf, RefusedFile)>,
    /// What stands in the place of [`SHIPPED`]; nothing for files that have no such rules beside them.
    shipped: Option<PathBuf>,
}

#[derive(Debug)]
struct RuleFile {
    path: PathBuf,
    text: Vec<u8>,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleLocation<'a> {
    /// The file.
    pub file: &'a Path,
    /// The line, counted from 1.
    pub line: usize,
}

/// `FILE:LINE`.
impl fmt::Display for RuleLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Why a rule file, or the folder of rule files, is passed over.
#[derive(Debug, thiserror::Error)]
pub enum RefusedFile {
    /// It can't be opened or read.
    #[error("can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Followed here, and passed over by keyutils.
    #[error("is a link, and keyutils follows none in this folder")]
    Link,
    /// A folder, a device, a pipe.
    #[error("is no regular file")]
    NotAFile,
    /// Another user than root could have written it.
    #[error("belongs to user {0}, and only root's rules are followed")]
    Foreign(u32),
    /// So could these.
    #[error("can be written to by others than its owner and root's group (mode {0:03o})")]
    Writable(u32),
    /// Longer than any file of rules.
    #[error("is larger than 1 MiB")]
    TooLarge,
}

/// Whose rule files are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that root and its group alone, or whoever runs this, could have written.
    Owners,
    /// All.
    Anyone,
    /// All, as keyutils does: in the order in which the folder has them, and no links.
    Keyutils,
}

impl RuleFiles {
    /// Reads `/etc/request-key.d/*.conf` in the order of their names, then `/etc/request-key.conf`; with
    /// `local`, those of the current folder. Links are followed.
    ///
    /// A file that can't be read, or that others than root (or whoever runs this) could have written to, is
    /// passed over with a warning.
    #[must_use]
    pub fn read(local: bool) -> Self {
        if local {
            Self::read_in(Path::new(""), Trust::Owners)
        } else {
            Self::read_in(Path::new(ROOT), Trust::Owners).beside(Path::new(SHIPPED))
        }
    }

    /// Reads those of `root`, which stands in the place of `/etc`.
    #[must_use]
    pub fn read_in(root: &Path, trust: Trust) -> Self {
        let mut found = Self::default();
        let folder = root.join(FOLDER);
        match names(&folder, trust) {
            Ok(names) => {
                for (name, is_link) in names {
                    let path = folder.join(name);
                    if is_link && trust == Trust::Keyutils {
                        found.refused.push((path, RefusedFile::Link));
                    } else {
                        found.add(path, trust);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => found.refused.push((folder, RefusedFile::Unreadable(error))),
        }
        found.add(root.join(LAST), trust);
        found
    }

    /// The same files, with `shipped` in the place of [`SHIPPED`].
    #[must_use]
    pub fn beside(mut self, shipped: &Path) -> Self {
        self.shipped = Some(shipped.to_owned());
        self
    }

    /// The rules that stand in where none of these fits: those of [`SHIPPED`], read now. None do where a file here could
    /// not be read, as its rules may fit.
    #[must_use]
    pub fn shipped(&self) -> Self {
        match &self.shipped {
            Some(shipped) if !self.unread() => Self::read_in(shipped, Trust::Owners),
            _ => Self::default(),
        }
    }

    /// These files, and then those of `others`.
    pub fn append(&mut self, mut others: Self) {
        self.files.append(&mut others.files);
        self.refused.append(&mut others.refused);
    }

    fn add(&mut self, path: PathBuf, trust: Trust) {
        match read(&path, trust) {
            Ok(text) => self.files.push(RuleFile { path, text }),
            Err(RefusedFile::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(refused) => self.refused.push((path, refused)),
        }
    }

    /// Whether there is any rule file at all, also one that was passed over.
    #[must_use]
    pub fn any(&self) -> bool {
        !(self.files.is_empty() && self.refused.is_empty())
    }

    /// What was passed over: files, and the folder where it can't be read, each with the reason.
    #[must_use]
    pub fn refused(&self) -> &[(PathBuf, RefusedFile)] {
        &self.refused
    }

    /// The files that were read, in their order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Whether there are rules that could not be read, and may fit.
    #[must_use]
    pub fn unread(&self) -> bool {
        self.refused.iter().any(|(_, refused)| matches!(refused, RefusedFile::Unreadable(_)))
    }

    /// The rules in their order, and what was passed over: files, then lines, each with its place.
    #[must_use]
    pub fn rules(&self) -> (Rules<'_>, Vec<String>) {
        let (rules, bad) = self.parse();
        let refused = self.refused.iter().map(|(path, refused)| {
            let rules = if path.ends_with(FOLDER) { "" } else { "; its rules are ignored" };
            format!("{}: {refused}{rules}", path.display())
        });
        let bad = bad.into_iter().map(|(RuleLocation { file, line }, error)| {
            Warning::new(line, format!("{error}; line ignored")).at(file)
        });
        (rules, refused.chain(bad).collect())
    }

    /// The rules in their order, and the lines that are none.
    #[must_use]
    pub fn parse(&self) -> (Rules<'_>, Vec<(RuleLocation<'_>, BadLine)>) {
        let mut bad = Vec::new();
        let mut rules = Vec::new();
        for RuleFile { path, text } in &self.files {
            let nul = text.contains(&0);
            for (line, bytes) in (1..).zip(lines(text)) {
                let place = RuleLocation { file: path, line };
                let rule = if nul && bytes.contains(&0) { Err(BadLine::Nul) } else { Rule::parse(bytes) };
                match rule {
                    Ok(Some(rule)) => rules.push((place, rule)),
                    Ok(None) => {}
                    Err(error) => bad.push((place, error)),
                }
            }
        }
        (Rules(rules), bad)
    }
}

/// The rules of all files.
#[derive(Debug)]
pub struct Rules<'a>(Vec<(RuleLocation<'a>, Rule<'a>)>);

impl<'a> Rules<'a> {
    /// The rule that fits `subject` best: whose asterisks stand for least, and of equals the first.
    #[must_use]
    pub fn best(&self, subject: &Subject<'_>) -> Option<&(RuleLocation<'a>, Rule<'a>)> {
        self.fitting(subject).min_by_key(|&(_, skips)| skips).map(|(rule, _)| rule)
    }

    /// The rules that fit `subject` at all, in their order.
    pub fn fitting(
        &self,
        subject: &Subject<'_>,
    ) -> impl Iterator<Item = (&(RuleLocation<'a>, Rule<'a>), Skips)> {
        self.0.iter().filter_map(move |rule| Some((rule, rule.1.fits(subject)?)))
    }
}

/// The names of the rule files in `folder`, and whether they are links; sorted by their bytes, for keyutils as they come.
fn names(folder: &Path, trust: Trust) -> io::Result<Vec<(std::ffi::OsString, bool)>> {
    let mut names = Vec::new();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    for entry in Dir::new(rustix::fs::open(folder, flags, Mode::empty())?)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if is_rule_file(name) {
            let kind = match entry.file_type() {
                // As some file systems have it.
                FileType::Unknown => FileType::from_raw_mode(lstat(folder.join(name))?.st_mode),
                kind => kind,
            };
            names.push((name.to_owned(), kind == FileType::Symlink));
        }
    }
    if trust != Trust::Keyutils {
        names.sort_unstable();
    }
    Ok(names)
}

fn is_rule_file(name: &OsStr) -> bool {
    let name = name.as_bytes();
    !name.starts_with(b".") && name.ends_with(ENDING)
}

/// The text of a rule file that only its rightful owner could have written.
fn read(path: &Path, trust: Trust) -> Result<Vec<u8>, RefusedFile> {
    // Not waiting on a pipe, and asking what was opened instead of what the name says.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?;
    let facts = fstat(&file).map_err(io::Error::from)?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Err(RefusedFile::NotAFile);
    }
    let wary = trust == Trust::Owners;
    if wary && facts.st_uid != 0 && facts.st_uid != nix::unistd::geteuid().as_raw() {
        return Err(RefusedFile::Foreign(facts.st_uid));
    }
    // Root's group is as good as root, as for sudo.
    let others = if facts.st_gid == 0 { 0o002 } else { 0o022 };
    if wary && facts.st_mode & others != 0 {
        return Err(RefusedFile::Writable(facts.st_mode & 0o777));
    }
    let size = u64::try_from(facts.st_size).unwrap_or_default();
    if size > LARGEST {
        return Err(RefusedFile::TooLarge);
    }
    let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // What was there when the size was asked for; a file that grows meanwhile is being written.
    File::from(file).take(size).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
