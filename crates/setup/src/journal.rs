//! What setup did to a host, step by step: each line is on disk before its step is taken.

use crate::error::{SetupError, doing};
use crate::host_root::HostRoot;
use crate::sum::Sum;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Its path on the host.
pub const JOURNAL: &str = "/var/lib/key-dns/setup.journal";
/// The beginning of its first line; the version of the program follows.
const HEAD: &str = "key-dns setup ";

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory, to be removed once it is empty.
    Folder,
    /// A file of the program.
    File(Sum),
    /// A file that administrators may change: it is then set aside instead of removed.
    Configuration(Sum),
    /// A symbolic link to this target.
    Link(PathBuf),
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was made.
    pub kind: Kind,
    /// Its path on the host, which contains no blank.
    pub path: PathBuf,
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (word, path) = (words.next()?, PathBuf::from(words.next()?));
        let kind = match (word, words.next()) {
            ("folder", None) => Kind::Folder,
            ("file", Some(sum)) => Kind::File(Sum::parse(sum)?),
            ("configuration", Some(sum)) => Kind::Configuration(Sum::parse(sum)?),
            ("link", Some(target)) => Kind::Link(PathBuf::from(target)),
            _ => return None,
        };
        (path.is_absolute() && words.next().is_none()).then_some(Self { kind, path })
    }

    fn line(&self) -> String {
        let path = self.path.display();
        match &self.kind {
            Kind::Folder => format!("folder {path}\n"),
            Kind::File(sum) => format!("file {path} {sum}\n"),
            Kind::Configuration(sum) => format!("configuration {path} {sum}\n"),
            Kind::Link(target) => format!("link {path} {}\n", target.display()),
        }
    }
}

/// The steps so far, the first one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The version of the program that began it.
    pub version: String,
    /// The steps. A path may occur more than once: each entry is something that setup put there.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// The journal of a host; `None` if setup has never run there.
    ///
    /// # Errors
    /// If it can't be read, or is invalid.
    pub fn load(root: &HostRoot) -> Result<Option<Self>, SetupError> {
        match fs::read_to_string(root.follow(Path::new(JOURNAL))) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(doing("read", JOURNAL)(error)),
        }
    }

    /// A line without its end was being written when the machine stopped: its step was not taken.
    fn parse(text: &str) -> Result<Self, SetupError> {
        let wrong = |line: usize| SetupError::Journal { path: JOURNAL.into(), line: line + 1 };
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        let mut lines = whole.lines().enumerate();
        let version = match lines.next() {
            Some((_, line)) => line.strip_prefix(HEAD).ok_or_else(|| wrong(0))?.to_owned(),
            None => return Ok(Self::default()),
        };
        let entries = lines.map(|(number, line)| Entry::parse(line).ok_or_else(|| wrong(number)));
        Ok(Self { version, entries: entries.collect::<Result<_, _>>()? })
    }

    /// What setup put at a path.
    pub fn of<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.path == path)
    }

    /// The whole text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{HEAD}{}\n", self.version);
        for entry in &self.entries {
            // Writing to a string does not fail.
            let _ = text.write_str(&entry.line());
        }
        text
    }

    /// Adds a step, which is on disk when this returns.
    pub(crate) fn append(&mut self, root: &HostRoot, entry: Entry) -> Result<(), SetupError> {
        let add = |line: &str| -> io::Result<()> {
            let mut file = OpenOptions::new().append(true).open(root.follow(Path::new(JOURNAL)))?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        add(&entry.line()).map_err(doing("write to", JOURNAL))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Rewrites it completely.
    pub(crate) fn save(&self, root: &HostRoot) -> Result<(), SetupError> {
        let path = root.follow(Path::new(JOURNAL));
        let new = path.with_extension("new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(self.text().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        write().map_err(doing("write", JOURNAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_round_trips() {
        let entries = vec![
            Entry { kind: Kind::Folder, path: "/usr/libexec/key-dns".into() },
            Entry { kind: Kind::File(Sum::of(b"abc")), path: "/usr/libexec/key-dns/a".into() },
            Entry { kind: Kind::Configuration(Sum::of(b"")), path: "/etc/r.conf".into() },
            Entry { kind: Kind::Link("../a".into()), path: "/usr/bin/a".into() },
        ];
        let journal = Journal { version: "1.2.3".to_owned(), entries };
        let text = journal.text();
        assert_eq!(text.lines().nth(2), Some("file /usr/libexec/key-dns/a 3:352441c2"));
        assert_eq!(Journal::parse(&text).unwrap(), journal);
        assert_eq!(Journal::parse(&(text + "file /half")).unwrap(), journal);
        assert_eq!(Journal::parse("key-dns se").unwrap(), Journal::default());
    }

    #[test]
    fn an_unknown_journal_line_is_refused() {
        for line in
            ["folder", "folder relative", "folder /a b", "file /a", "file /a 3", "link /a", "shred /a"]
        {
            let text = format!("key-dns setup 1\n{line}\n");
            assert!(matches!(Journal::parse(&text), Err(SetupError::Journal { line: 2, .. })), "{line:?}");
        }
        assert!(matches!(Journal::parse("something else\n"), Err(SetupError::Journal { line: 1, .. })));
    }
}
