//! Carries out a plan, and undoes it.

use crate::error::{SetupError, doing};
use crate::host_root::HostRoot;
use crate::journal::{Entry, JOURNAL, Journal, Kind};
use crate::lock::LockedRoot;
use crate::package;
use crate::plan::{self, EXTENSION, Item, Plan, Way};
use crate::sum::Sum;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// The suffix of a configuration file that is set aside: `request-key` only reads names in `.conf`.
const ASIDE: &str = ".key-dns-saved";
/// The suffix of a file until it is complete.
const NEW: &str = ".key-dns-new";

/// The state of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// Nothing.
    Missing,
    /// What setup put there.
    Ours,
    /// What setup put there, changed since.
    Changed,
    /// Something that setup did not make, or that a package or another installation has taken over.
    Foreign,
}

/// Called before each change to the file system, with a description; if it fails, nothing more is done. It displays the
/// work, and in tests interrupts it.
pub trait Progress {
    /// Before a change.
    ///
    /// # Errors
    /// To stop here.
    fn step(&mut self, what: &str) -> io::Result<()>;
    /// Something that a person should know.
    fn say(&mut self, what: &str);
}

/// How a host is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The version that was installed last.
    pub version: String,
    /// The files and links that setup made, with their state.
    pub files: Vec<(PathBuf, FileState)>,
}

impl Status {
    /// Whether everything is there. An administrator's changes to the rule are their own.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.files.iter().all(|(path, state)| match state {
            FileState::Ours => true,
            FileState::Changed => path.extension().is_some_and(|ending| ending == "conf"),
            FileState::Missing | FileState::Foreign => false,
        })
    }
}

/// How the host is set up; `None` if it is not.
///
/// # Errors
/// If the journal can't be read.
pub fn status(root: &HostRoot) -> Result<Option<Status>, SetupError> {
    let Some(journal) = Journal::load(root)? else { return Ok(None) };
    let mut files: Vec<(PathBuf, FileState)> = Vec::new();
    for entry in &journal.entries {
        if entry.kind != Kind::Folder && !files.iter().any(|(path, _)| *path == entry.path) {
            files.push((entry.path.clone(), state(root, &journal, &entry.path)?));
        }
    }
    Ok(Some(Status { version: journal.version, files }))
}

/// The state of a path.
fn state(root: &HostRoot, journal: &Journal, path: &Path) -> Result<FileState, SetupError> {
    let Some(found) = found(root, path)? else { return Ok(FileState::Missing) };
    let mut known = journal.of(path).peekable();
    if known.peek().is_none() {
        return Ok(FileState::Foreign);
    }
    if let Some(program) = plan::program_of(journal, path) {
        let replaced = || Ok(state(root, journal, program.as_ref())? == FileState::Changed);
        if package::has(root, program) || (path != Path::new(program) && replaced()?) {
            return Ok(FileState::Foreign);
        }
    }
    Ok(if known.any(|entry| found.is(&entry.kind)) { FileState::Ours } else { FileState::Changed })
}

/// The state of a path, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File(Sum),
    Link(PathBuf),
    Other,
}

impl Found {
    fn is(&self, kind: &Kind) -> bool {
        match (self, kind) {
            (Self::File(found), Kind::File(sum) | Kind::Configuration(sum)) => found == sum,
            (Self::Link(found), Kind::Link(target)) => found == target,
            _ => false,
        }
    }
}

fn found(root: &HostRoot, path: &Path) -> Result<Option<Found>, SetupError> {
    let place = root.locate(path);
    let look = || -> io::Result<Found> {
        let kind = fs::symlink_metadata(&place)?.file_type();
        Ok(if kind.is_symlink() {
            Found::Link(fs::read_link(&place)?)
        } else if kind.is_file() {
            Found::File(Sum::of(&fs::read(&place)?))
        } else {
            Found::Other
        })
    };
    match look() {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(doing("look at", path)(error)),
    }
}

/// What a plan would change on a host: a phrase without a subject for each file.
///
/// # Errors
/// If a file is in the way.
pub fn changes(root: &HostRoot, plan: &Plan) -> Result<Vec<String>, SetupError> {
    let journal = Journal::load(root)?.unwrap_or_default();
    refuse_foreign(root, &journal, plan)?;
    let mut changes = Vec::new();
    for item in &plan.items {
        let path = item.path.display();
        match found(root, &item.path)? {
            Some(found) if found.is(&item.kind) => {}
            Some(_) if state(root, &journal, &item.path)? == FileState::Changed => {
                changes.push(format!("leave {path}, which was changed"));
            }
            Some(_) => changes.push(format!("replace {path}")),
            None => changes.push(format!("make {path}")),
        }
    }
    for entry in stale(&journal, plan) {
        let path = entry.path.display();
        match state(root, &journal, &entry.path)? {
            FileState::Missing => {}
            FileState::Ours => changes.push(format!("remove {path}")),
            FileState::Changed if is_configuration(&journal, &entry.path) => {
                changes.push(format!("set {path} aside"));
            }
            FileState::Changed | FileState::Foreign => {
                changes.push(format!("leave {path}, which is no longer setup's"));
            }
        }
    }
    Ok(changes)
}

/// What an earlier version, or another way of installing, made and this one does not.
fn stale(journal: &Journal, plan: &Plan) -> Vec<Entry> {
    let is_stale =
        |entry: &&Entry| entry.kind != Kind::Folder && !plan.items.iter().any(|item| item.path == entry.path);
    journal.entries.iter().filter(is_stale).cloned().collect()
}

fn is_configuration(journal: &Journal, path: &Path) -> bool {
    journal.of(path).any(|entry| matches!(entry.kind, Kind::Configuration(_)))
}

/// Does not start if somebody else's file is in the way.
fn refuse_foreign(root: &HostRoot, journal: &Journal, plan: &Plan) -> Result<(), SetupError> {
    let mut foreign = Vec::new();
    for item in &plan.items {
        let configuration = matches!(item.kind, Kind::Configuration(_));
        match state(root, journal, &item.path)? {
            FileState::Foreign => foreign.push(item.path.clone()),
            FileState::Changed if !configuration => foreign.push(item.path.clone()),
            _ => {}
        }
    }
    // Once merged, the extension would hide a package's files.
    let of_package = Path::new("/usr/libexec/key-dns/key.dns_resolver");
    let merged = journal.entries.iter().any(|entry| entry.path.starts_with(EXTENSION));
    if plan.way == Way::Extension && !merged && found(root, of_package)?.is_some() {
        foreign.push(of_package.to_owned());
    }
    if foreign.is_empty() { Ok(()) } else { Err(SetupError::Foreign(foreign)) }
}

/// Carries out a plan; what is there already stays.
///
/// # Errors
/// Where a file is in the way, before anything is done; or where a step fails. What was done then is in the journal.
pub fn install(
    root: &LockedRoot<'_>,
    plan: &Plan,
    version: &str,
    progress: &mut dyn Progress,
) -> Result<(), SetupError> {
    let mut change = Change { root, journal: Journal::load(root)?.unwrap_or_default(), progress };
    refuse_foreign(root, &change.journal, plan)?;
    change.clear_leftovers()?;
    change.begin(version)?;
    for item in &plan.items {
        change.put(item)?;
    }
    let stale = stale(&change.journal, plan);
    for entry in stale.iter().rev() {
        change.take(&entry.path)?;
    }
    change.finish(plan)
}

/// Restores the host to its state before the first installation. What was changed since stays, and is reported.
///
/// # Errors
/// Where a step fails. The next call goes on from there.
pub fn remove(root: &LockedRoot<'_>, progress: &mut dyn Progress) -> Result<(), SetupError> {
    let journal = Journal::load(root)?.unwrap_or_default();
    let mut change = Change { root, journal, progress };
    change.clear_leftovers()?;
    let entries = change.journal.entries.clone();
    let is_home = |entry: &Entry| entry.kind == Kind::Folder && Path::new(JOURNAL).starts_with(&entry.path);
    for entry in entries.iter().rev().filter(|entry| !is_home(entry)) {
        match entry.kind {
            Kind::Folder => change.take_folder(&entry.path)?,
            _ => change.take(&entry.path)?,
        }
    }
    for path in [PathBuf::from(JOURNAL), Path::new(JOURNAL).with_extension("new")] {
        change.delete(&path)?;
    }
    // The journal's directory is setup's own, whether or not a line records its creation.
    if let Some(folder) = Path::new(JOURNAL).parent() {
        change.take_folder(folder)?;
    }
    for entry in entries.iter().rev().filter(|entry| is_home(entry)) {
        change.take_folder(&entry.path)?;
    }
    Ok(())
}

/// A change in progress.
struct Change<'a> {
    root: &'a HostRoot,
    journal: Journal,
    progress: &'a mut dyn Progress,
}

impl Change<'_> {
    /// What an interrupted call has left half-written.
    fn clear_leftovers(&mut self) -> Result<(), SetupError> {
        for entry in self.journal.entries.clone() {
            if entry.kind != Kind::Folder {
                self.delete(&with_ending(&entry.path, NEW))?;
            }
        }
        Ok(())
    }

    /// Creates the journal, or rewrites it without an incomplete line.
    fn begin(&mut self, version: &str) -> Result<(), SetupError> {
        let folder = Path::new(JOURNAL).parent().unwrap_or(Path::new("/"));
        let home: Vec<Entry> = self.missing(folder);
        for entry in &home {
            self.make_folder(&entry.path)?;
        }
        self.journal.entries.splice(0..0, home);
        version.clone_into(&mut self.journal.version);
        self.step(&format!("write {JOURNAL}"), Path::new(JOURNAL))?;
        self.journal.save(self.root)
    }

    /// Leaves one entry per path: what is there now.
    fn finish(&mut self, plan: &Plan) -> Result<(), SetupError> {
        let mut journal = Journal { version: self.journal.version.clone(), entries: Vec::new() };
        for entry in &self.journal.entries {
            let kept = match plan.items.iter().find(|item| item.path == entry.path) {
                // What an admin changed is still setup's to set aside.
                Some(item) => {
                    item.kind == entry.kind
                        || state(self.root, &self.journal, &entry.path)? == FileState::Changed
                }
                None => entry.kind == Kind::Folder,
            };
            if kept && !journal.entries.contains(entry) {
                journal.entries.push(entry.clone());
            }
        }
        if journal != self.journal {
            self.step(&format!("write {JOURNAL}"), Path::new(JOURNAL))?;
            journal.save(self.root)?;
            self.journal = journal;
        }
        Ok(())
    }

    /// Puts an item in its place.
    fn put(&mut self, item: &Item) -> Result<(), SetupError> {
        let there = found(self.root, &item.path)?;
        if there.as_ref().is_some_and(|found| found.is(&item.kind)) {
            return Ok(());
        }
        let known = there
            .as_ref()
            .is_some_and(|found| self.journal.of(&item.path).any(|entry| found.is(&entry.kind)));
        if there.is_some() && !known {
            self.progress.say(&format!("{} was changed: left alone", item.path.display()));
            return Ok(());
        }
        for folder in self.missing(item.path.parent().unwrap_or(Path::new("/"))) {
            self.journal.append(self.root, folder.clone())?;
            self.make_folder(&folder.path)?;
        }
        self.journal.append(self.root, Entry { kind: item.kind.clone(), path: item.path.clone() })?;
        let place = self.root.locate(&item.path);
        let new = with_ending(&place, NEW);
        let what = format!("{} {}", if known { "replace" } else { "make" }, item.path.display());
        self.step(&what, &item.path)?;
        write_new(item, &new).map_err(doing("write", &item.path))?;
        self.step("", &item.path)?;
        let named = if known {
            fs::rename(&new, &place)
        } else {
            // Unlike a rename, this fails if there is a file by now.
            fs::hard_link(&new, &place).and_then(|()| fs::remove_file(&new))
        };
        named.and_then(|()| sync_folder(&place)).map_err(doing("make", &item.path))
    }

    /// Undoes what setup put at a path.
    fn take(&mut self, path: &Path) -> Result<(), SetupError> {
        match state(self.root, &self.journal, path)? {
            FileState::Missing => Ok(()),
            FileState::Ours => self.delete(path),
            FileState::Changed if is_configuration(&self.journal, path) => {
                let aside = self.free_aside(path);
                let place = self.root.locate(path);
                self.progress.say(&format!("{} was changed: kept as {}", path.display(), aside.display()));
                self.step(&format!("set {} aside", path.display()), path)?;
                let moved = fs::rename(&place, self.root.locate(&aside));
                moved.and_then(|()| sync_folder(&place)).map_err(doing("set aside", path))
            }
            FileState::Changed | FileState::Foreign => {
                self.progress.say(&format!("{} is no longer key-dns setup's: left alone", path.display()));
                Ok(())
            }
        }
    }

    /// A name to set a file aside by, which no file from an earlier time has.
    fn free_aside(&self, path: &Path) -> PathBuf {
        let first = with_ending(path, ASIDE);
        let mut aside = first.clone();
        let mut number = 0_u32;
        while fs::symlink_metadata(self.root.locate(&aside)).is_ok() {
            number += 1;
            aside = with_ending(&first, &format!(".{number}"));
        }
        aside
    }

    fn delete(&mut self, path: &Path) -> Result<(), SetupError> {
        let place = self.root.locate(path);
        if fs::symlink_metadata(&place).is_err() {
            return Ok(());
        }
        self.step(&format!("remove {}", path.display()), path)?;
        fs::remove_file(&place).and_then(|()| sync_folder(&place)).map_err(doing("remove", path))
    }

    /// Removes an empty directory, but not a link to one that an admin has moved elsewhere.
    fn take_folder(&mut self, path: &Path) -> Result<(), SetupError> {
        let place = self.root.locate(path);
        if place.is_symlink() || !fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_none()) {
            return Ok(());
        }
        self.step(&format!("remove {}", path.display()), path)?;
        fs::remove_dir(&place).map_err(doing("remove", path))
    }

    /// The missing parent directories of `folder`, the outermost first.
    fn missing(&self, folder: &Path) -> Vec<Entry> {
        let missing = folder.ancestors().take_while(|path| fs::metadata(self.root.follow(path)).is_err());
        let mut entries: Vec<Entry> =
            missing.map(|path| Entry { kind: Kind::Folder, path: path.to_owned() }).collect();
        entries.reverse();
        entries
    }

    fn make_folder(&mut self, path: &Path) -> Result<(), SetupError> {
        self.step("", path)?;
        let place = self.root.follow(path);
        let made = DirBuilder::new().mode(0o755).create(&place);
        // Whatever the umask is.
        let made = made.and_then(|()| fs::set_permissions(&place, fs::Permissions::from_mode(0o755)));
        made.and_then(|()| sync_folder(&place)).map_err(doing("make", path))
    }

    /// Reports the next step; called without words for what belongs to the previous step.
    fn step(&mut self, what: &str, path: &Path) -> Result<(), SetupError> {
        self.progress.step(what).map_err(doing("change", path))
    }
}

fn write_new(item: &Item, new: &Path) -> io::Result<()> {
    match fs::remove_file(new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if let Kind::Link(target) = &item.kind {
        return symlink(target, new);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(item.mode()).open(new)?;
    file.write_all(&item.content)?;
    file.set_permissions(fs::Permissions::from_mode(item.mode()))?;
    file.sync_all()
}

fn sync_folder(place: &Path) -> io::Result<()> {
    place.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
