use names::config::cells::{Cell, CellFiles, DatabaseServer, KAFS, OPENAFS, in_kafs, in_openafs};
use names::name;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the cell databases say about a cell.
///
/// The first line is the cell. A line `@PATH` begins a file; what stands before the first is kafs-client's
/// configuration and OpenAFS's database at once.
pub fn cells(input: &[u8]) {
    let (cell, text) = crate::first_line(input);
    let Ok(cell) = std::str::from_utf8(cell) else { return };
    let files = Written::new(text);
    let Cell { servers, .. } = in_kafs(cell, &files);
    check(&servers);
    // Files that include each other without end cost a bounded number of reads.
    assert!(files.reads.borrow().len() <= 1000);
    check(&in_openafs(cell, &files));
}

fn check(servers: &[DatabaseServer]) {
    for (place, server) in servers.iter().enumerate() {
        let known = servers.iter().skip(place + 1).any(|one| one.name.eq_ignore_ascii_case(&server.name));
        assert!(!known, "{} twice", server.name);
        let flaw = name::flaw(server.name.as_bytes());
        assert!(flaw.is_none() || server.name.parse() == Ok(server.addresses[0].0), "{}", server.name);
        assert!(server.addresses.iter().all(|(_, port)| *port != Some(0)));
    }
}

/// Files in memory.
struct Written<'a> {
    files: BTreeMap<PathBuf, &'a [u8]>,
    reads: RefCell<Vec<PathBuf>>,
}

impl<'a> Written<'a> {
    fn new(mut text: &'a [u8]) -> Self {
        let mut files = BTreeMap::new();
        let mut names = [KAFS, OPENAFS[0]].map(PathBuf::from).to_vec();
        loop {
            let end = text.windows(2).position(|two| two == b"\n@").map_or(text.len(), |end| end + 1);
            files.extend(names.drain(..).map(|name| (name, &text[..end])));
            let Some(rest) = text.get(end + 1..) else { break };
            let (name, rest) = crate::first_line(rest);
            names.push(String::from_utf8_lossy(name).into_owned().into());
            text = rest;
        }
        Self { files, reads: RefCell::default() }
    }
}

impl CellFiles for Written<'_> {
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>> {
        self.reads.borrow_mut().push(path.to_owned());
        let text = self.files.get(path).map(|text| text.to_vec());
        if text.is_none() && !absent {
            self.warn(format!("{}: not there", path.display()));
        }
        text
    }

    fn folder(&self, path: &Path) -> Vec<PathBuf> {
        self.files.keys().filter(|file| file.parent() == Some(path)).cloned().collect()
    }

    fn warn(&self, message: String) {
        assert!(!message.is_empty());
    }
}
