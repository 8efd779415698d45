//! What a host has, and what it needs.

use crate::error::{SetupError, doing};
use crate::host_root::HostRoot;
use crate::journal::{Entry, Journal, Kind};
use crate::sum::Sum;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The only path that the kernel runs (security/keys/request_key.c).
pub(crate) const REQUEST_KEY: &str = "/sbin/request-key";
const RULE: &str = "/etc/request-key.d/dns_resolver.conf";
/// Where our `request-key`, and no other, finds the rule if none of `/etc` fits.
const SHIPPED_RULE: &str = "/usr/share/request-key.d/dns_resolver.conf";
const RULE_TEXT: &str = include_str!("../../../request-key.d/dns_resolver.conf");
/// The settings, which are an admin's as a rule.
const SETTINGS: &str = "/etc/keyutils/key.dns_resolver.conf";
pub(crate) const HELPER: &str = "/usr/libexec/key-dns/key.dns_resolver";
/// A file of its own, since policies tell the two programs apart by the file.
const OWN_REQUEST_KEY: &str = "/usr/libexec/key-dns/request-key";
const COMMAND: &str = "/usr/bin/key-dns";
const COMMAND_TARGET: &str = "../libexec/key-dns/key.dns_resolver";
/// The system extension (systemd-sysext(8)), a directory.
pub const EXTENSION: &str = "/var/lib/extensions/key-dns";
const EXTENSION_RELEASE: &str = "usr/lib/extension-release.d/extension-release.key-dns";
const EXTENSION_TEXT: &str = "ID=_any\n";
/// For a host with a read-only `/usr` and without system extensions.
const APART: &str = "/var/lib/key-dns/key.dns_resolver";

/// The way in which the program is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into `/usr`.
    Usr,
    /// As a system extension, because `/usr` is read-only.
    Extension,
    /// Outside `/usr`, for the rule of an existing `request-key`.
    Apart,
}

/// The program that a path in the journal is, leads to or names: whoever has the program has them all. `None` for what no
/// package has, such as a system extension's files, and the rule and the link for the program outside `/usr`.
pub(crate) fn program_of(journal: &Journal, path: &Path) -> Option<&'static str> {
    if journal.of(Path::new(APART)).next().is_some() {
        return None;
    }
    match path.to_str()? {
        HELPER | COMMAND | RULE => Some(HELPER),
        OWN_REQUEST_KEY | REQUEST_KEY => Some(OWN_REQUEST_KEY),
        _ => None,
    }
}

/// What was found on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// There is a `/sbin/request-key` that setup did not make, usually keyutils'.
    pub request_key: bool,
    /// There are rules of other programs.
    pub rules: bool,
    /// `/sbin` and `/usr/sbin` are the same directory.
    pub merged_usr: bool,
    /// `/usr` is on a file system that is mounted read-only.
    pub read_only_usr: bool,
    /// The same for `/etc`.
    pub read_only_etc: bool,
    /// There is a `systemd-sysext`.
    pub extensions: bool,
    /// SELinux is not disabled.
    pub selinux: bool,
    /// The program that builds initramfs images.
    pub initramfs: Option<&'static str>,
}

impl Host {
    /// Examines a host on which setup did what `journal` says.
    #[must_use]
    pub fn look(root: &HostRoot, journal: &Journal) -> Self {
        let selinux = fs::read_to_string(root.follow(Path::new("/etc/selinux/config"))).is_ok_and(|text| {
            let mode = text.lines().filter_map(|line| line.trim().strip_prefix("SELINUX=")).next_back();
            mode.is_some_and(|mode| mode.trim() != "disabled")
        });
        // The file is there as well where the running kernel has no SELinux.
        let selinux = selinux && (!root.is_host() || root.has("/sys/fs/selinux/enforce"));
        let initramfs = [
            ("dracut", ["/usr/bin/dracut", "/sbin/dracut"]),
            ("initramfs-tools", ["/usr/sbin/update-initramfs", "/sbin/update-initramfs"]),
            ("mkinitcpio", ["/usr/bin/mkinitcpio", "/sbin/mkinitcpio"]),
        ];
        let there = initramfs.into_iter().find(|(_, paths)| paths.iter().any(|path| root.has(path)));
        Self {
            request_key: root.has(REQUEST_KEY) && !is_ours(root, journal),
            rules: root.has("/etc/request-key.conf") || other_rules(root, journal),
            merged_usr: root.follow(Path::new("/sbin")) == root.follow(Path::new("/usr/sbin")),
            read_only_usr: root.is_read_only("/usr"),
            read_only_etc: root.is_read_only("/etc"),
            extensions: root.has("/usr/bin/systemd-sysext"),
            selinux,
            initramfs: there.map(|(name, _)| name),
        }
    }
}

/// Whether `/sbin/request-key` is the link that setup made, directly or through a merged system extension: where it leads
/// depends on the way, which may be another one this time.
fn is_ours(root: &HostRoot, journal: &Journal) -> bool {
    let Ok(target) = fs::read_link(root.locate(Path::new(REQUEST_KEY))) else { return false };
    let mut made = journal.entries.iter().filter(|entry| entry.path.ends_with("request-key"));
    made.any(|entry| entry.kind == Kind::Link(target.clone()))
}

fn other_rules(root: &HostRoot, journal: &Journal) -> bool {
    let entries = fs::read_dir(root.follow(Path::new("/etc/request-key.d")));
    entries.into_iter().flatten().flatten().any(|entry| {
        let path = Path::new("/etc/request-key.d").join(entry.file_name());
        path.extension().is_some_and(|ending| ending == "conf") && journal.of(&path).next().is_none()
    })
}

/// Something to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// Its path on the host.
    pub path: PathBuf,
    /// Its content.
    pub content: Vec<u8>,
}

impl Item {
    /// The file mode.
    #[must_use]
    pub fn mode(&self) -> u32 {
        if self.content.starts_with(b"\x7fELF") { 0o755 } else { 0o644 }
    }
}

/// What to install, in the order in which it is made. Anything that names a file comes after that file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The way.
    pub way: Way,
    /// The items.
    pub items: Vec<Item>,
}

impl Plan {
    /// What a host needs to run `program`.
    ///
    /// # Errors
    /// If no set of files could make it work.
    pub fn new(root: &HostRoot, host: &Host, program: &[u8]) -> Result<Self, SetupError> {
        let way = match (host.read_only_usr, host.extensions) {
            (false, _) => Way::Usr,
            (true, true) => Way::Extension,
            (true, false) => Way::Apart,
        };
        let mut plan = Self { way, items: Vec::new() };
        let helper = match way {
            Way::Apart => APART,
            _ => HELPER,
        };
        plan.add(file(&plan.place(helper), program));
        if way != Way::Apart {
            plan.add(link(&plan.place(COMMAND), COMMAND_TARGET));
        }
        if !host.request_key {
            plan.add_request_key(root, program)?;
        }
        let text = RULE_TEXT.replace(HELPER, helper).into_bytes();
        if host.read_only_etc && way != Way::Apart && !host.request_key {
            plan.add(file(&plan.place(SHIPPED_RULE), &text));
        }
        if way == Way::Extension {
            // Without it, the folder is no extension: so it is not merged by halves.
            plan.add(file(&Path::new(EXTENSION).join(EXTENSION_RELEASE), EXTENSION_TEXT.as_bytes()));
        }
        if !host.read_only_etc {
            plan.add(Item { kind: Kind::Configuration(Sum::of(&text)), path: RULE.into(), content: text });
        } else if host.request_key || (host.rules && way == Way::Apart) {
            return Err(SetupError::NoRequestKey {
                path: RULE.into(),
                why: "/etc is mounted read-only".to_owned(),
            });
        }
        Ok(plan)
    }

    /// The same plan with a file of settings that has this text; without a file where the text is empty. With `None`, what
    /// an earlier installation wrote stays.
    ///
    /// # Errors
    /// Where there is a text and `/etc` can't be written to.
    pub fn with_settings(
        mut self,
        root: &HostRoot,
        host: &Host,
        journal: &Journal,
        text: Option<&str>,
    ) -> Result<Self, SetupError> {
        let path = PathBuf::from(SETTINGS);
        match text {
            Some("") => {}
            Some(_) if host.read_only_etc => {
                return Err(doing("write", SETTINGS)(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)));
            }
            Some(text) => {
                let content = text.as_bytes().to_vec();
                // Before the program, which is then never without them.
                self.items.insert(0, Item { kind: Kind::Configuration(Sum::of(&content)), path, content });
            }
            None => {
                let content = fs::read(root.follow(&path)).ok();
                let written: Vec<&Entry> = journal.of(&path).collect();
                let is_it =
                    |content: &[u8], entry: &&&Entry| entry.kind == Kind::Configuration(Sum::of(content));
                if let Some(content) = content
                    && let Some(entry) =
                        written.iter().find(|entry| is_it(&content, entry)).or(written.last())
                {
                    self.items.insert(0, Item { kind: entry.kind.clone(), path, content });
                }
            }
        }
        Ok(self)
    }

    fn add_request_key(&mut self, root: &HostRoot, program: &[u8]) -> Result<(), SetupError> {
        let no = |why: &str| SetupError::NoRequestKey { path: REQUEST_KEY.into(), why: why.to_owned() };
        // What the host calls the folder: /usr/sbin, or /usr/bin where that is the same one.
        let folder = root.name_of(&root.follow(Path::new("/sbin")));
        let in_usr = folder.starts_with("/usr");
        let path = match self.way {
            Way::Apart if in_usr => {
                return Err(no("/usr is mounted read-only and there is no systemd-sysext"));
            }
            Way::Extension if in_usr => self.place(&folder.join("request-key").to_string_lossy()),
            _ if root.is_read_only("/sbin") => return Err(no("/sbin is mounted read-only")),
            _ => PathBuf::from(REQUEST_KEY),
        };
        if self.way == Way::Apart {
            self.add(link(&path, APART));
        } else {
            self.add(file(&self.place(OWN_REQUEST_KEY), program));
            self.add(link(&path, OWN_REQUEST_KEY));
        }
        Ok(())
    }

    fn place(&self, path: &str) -> PathBuf {
        match self.way {
            Way::Extension => Path::new(EXTENSION).join(path.trim_start_matches('/')),
            _ => PathBuf::from(path),
        }
    }

    fn add(&mut self, item: Item) {
        self.items.push(item);
    }
}

fn file(path: &Path, content: &[u8]) -> Item {
    Item { kind: Kind::File(Sum::of(content)), path: path.to_owned(), content: content.to_vec() }
}

fn link(path: &Path, target: &str) -> Item {
    Item { kind: Kind::Link(target.into()), path: path.to_owned(), content: Vec::new() }
}
