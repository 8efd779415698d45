//! The files that contain the rules.

use super::rules::{BadLine, Rule, Skips};
use super::subject::Subject;
use names::file::{self, Warning, lines};
use rustix::fs::{Dir, FileType, Mode, OFlags, lstat};
use rustix::io::retry_on_intr;
use std::ffi::OsStr;
use std::fmt;
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
/// The suffix of rule files in the directory.
const ENDING: &[u8] = b".conf";
/// No rule file needs to be larger; larger ones are refused.
const LARGEST: u64 = 1 << 20;

/// A host's rule files, read.
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

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleLocation<'a> {
    /// The file.
    pub file: &'a Path,
    /// The line number, starting at 1.
    pub line: usize,
}

/// `FILE:LINE`.
impl fmt::Display for RuleLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Why a rule file, or the directory of rule files, is skipped.
#[derive(Debug, thiserror::Error)]
pub enum RefusedFile {
    /// It can't be opened or read.
    #[error("can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A link: followed here, but skipped by keyutils.
    #[error("is a link, which keyutils does not follow in this directory")]
    Link,
    /// A directory, a device, a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// Another user than root could have written it.
    #[error("belongs to user {0}; only root's rules are followed")]
    Foreign(u32),
    /// Its mode would have let others write it.
    #[error("is writable by others than its owner and root's group (mode {0:03o})")]
    Writable(u32),
    /// Larger than any rule file needs to be.
    #[error("is larger than 1 MiB")]
    TooLarge,
}

/// Whose rule files are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that only root and root's group, or the current user, could have written.
    Owners,
    /// All.
    Anyone,
    /// All, as keyutils does: in directory order, and without links.
    Keyutils,
}

impl RuleFiles {
    /// Reads `/etc/request-key.d/*.conf` in the order of their names, then `/etc/request-key.conf`; with `local`, those
    /// in the current directory. Links are followed.
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

    /// These files; where no rule of theirs fits `subject`, followed by those that stand in.
    #[must_use]
    pub fn with_shipped_for(mut self, subject: &Subject<'_>) -> Self {
        if self.best(subject).0.is_none() {
            let mut shipped = self.shipped();
            self.files.append(&mut shipped.files);
            self.refused.append(&mut shipped.refused);
        }
        self
    }

    fn add(&mut self, path: PathBuf, trust: Trust) {
        match read(&path, trust) {
            Ok(text) => self.files.push(RuleFile { path, text }),
            Err(RefusedFile::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(refused) => self.refused.push((path, refused)),
        }
    }

    /// Whether there is any rule file at all, including skipped ones.
    #[must_use]
    pub fn any(&self) -> bool {
        !(self.files.is_empty() && self.refused.is_empty())
    }

    /// What was skipped: files, or the whole directory if it can't be read, each with the reason.
    #[must_use]
    pub fn refused(&self) -> &[(PathBuf, RefusedFile)] {
        &self.refused
    }

    /// The files that were read, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Whether there are rules that could not be read, and might match.
    #[must_use]
    pub fn unread(&self) -> bool {
        self.refused.iter().any(|(_, refused)| matches!(refused, RefusedFile::Unreadable(_)))
    }

    /// The rule that matches `subject` best, the one whose asterisks stand for least, and of equal ones the first; and the
    /// invalid lines whose fields match as far as they go.
    #[must_use]
    pub fn best(&self, subject: &Subject<'_>) -> (Option<(RuleLocation<'_>, Rule<'_>)>, Vec<BadLineAt<'_>>) {
        let (rules, bad) = self.parse_if(|line| Rule::may_match(line, subject));
        let best = rules.fitting(subject).min_by_key(|&(_, skips)| skips).map(|(rule, _)| *rule);
        (best, bad)
    }

    /// The rules in order, and what was skipped: files, then lines, each with its place.
    #[must_use]
    pub fn rules(&self) -> (Rules<'_>, Vec<String>) {
        let (rules, bad) = self.parse();
        (rules, self.warnings(bad))
    }

    /// What is to be said of the files that were skipped, then of the lines `bad`.
    #[must_use]
    pub fn warnings(&self, bad: Vec<BadLineAt<'_>>) -> Vec<String> {
        let refused = self.refused.iter().map(|(path, refused)| {
            let rules = if path.ends_with(FOLDER) { "" } else { "; its rules are ignored" };
            format!("{}: {refused}{rules}", path.display())
        });
        let bad = bad.into_iter().map(|(RuleLocation { file, line }, error)| {
            Warning::new(line, format!("{error}; line ignored")).at(file)
        });
        refused.chain(bad).collect()
    }

    /// The rules in order, and the invalid lines.
    #[must_use]
    pub fn parse(&self) -> (Rules<'_>, Vec<BadLineAt<'_>>) {
        self.parse_if(|_| true)
    }

    /// The same, of the lines that are `wanted`.
    fn parse_if(&self, wanted: impl Fn(&[u8]) -> bool) -> (Rules<'_>, Vec<BadLineAt<'_>>) {
        let mut bad = Vec::new();
        let mut rules = Vec::new();
        for RuleFile { path, text } in &self.files {
            for (line, bytes) in (1..).zip(lines(text)) {
                if !wanted(bytes) {
                    continue;
                }
                let place = RuleLocation { file: path, line };
                match Rule::parse(bytes) {
                    Ok(Some(rule)) => rules.push((place, rule)),
                    Ok(None) => {}
                    Err(error) => bad.push((place, error)),
                }
            }
        }
        (Rules(rules), bad)
    }
}

/// An invalid line, its place and what is wrong with it.
pub type BadLineAt<'a> = (RuleLocation<'a>, BadLine);

/// The rules of all files.
#[derive(Debug)]
pub struct Rules<'a>(Vec<(RuleLocation<'a>, Rule<'a>)>);

impl<'a> Rules<'a> {
    /// All rules that match `subject`, in order.
    pub fn fitting(
        &self,
        subject: &Subject<'_>,
    ) -> impl Iterator<Item = (&(RuleLocation<'a>, Rule<'a>), Skips)> {
        self.0.iter().filter_map(move |rule| Some((rule, rule.1.fits(subject)?)))
    }
}

/// The names of the rule files in `folder`, and whether they are links; sorted by their bytes, for keyutils in
/// directory order.
fn names(folder: &Path, trust: Trust) -> io::Result<Vec<(std::ffi::OsString, bool)>> {
    let mut names = Vec::new();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    for entry in Dir::new(retry_on_intr(|| rustix::fs::open(folder, flags, Mode::empty()))?)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if is_rule_file(name) {
            let kind = match entry.file_type() {
                // As some file systems have it. One that is gone by now is passed over when it is read.
                FileType::Unknown => lstat(folder.join(name))
                    .map_or(FileType::Unknown, |facts| FileType::from_raw_mode(facts.st_mode)),
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
    // By descriptor, so that what is checked is what is read.
    let (file, facts) = file::open_any(path)?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Err(RefusedFile::NotAFile);
    }
    let wary = trust == Trust::Owners;
    if wary && facts.st_uid != 0 && facts.st_uid != nix::unistd::geteuid().as_raw() {
        return Err(RefusedFile::Foreign(facts.st_uid));
    }
    // Root's group is as trusted as root, as for sudo.
    let others = if facts.st_gid == 0 { 0o002 } else { 0o022 };
    if wary && facts.st_mode & others != 0 {
        return Err(RefusedFile::Writable(facts.st_mode & 0o777));
    }
    let size = file::size(&facts);
    if size > LARGEST {
        return Err(RefusedFile::TooLarge);
    }
    let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // What was there when the size was read; a file that grows meanwhile is being written.
    file.take(size).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
