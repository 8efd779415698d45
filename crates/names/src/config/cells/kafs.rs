//! The parts of kafs-client's configuration that say where the servers of one cell are: kafs-client.conf(5).

use super::cell::{Cell, CellFiles, DatabaseServer, flaw, same_cell};
use super::lines::{Line, address, boolean};
use crate::file::{Warning, expected};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How deep includes may nest.
const DEEPEST: usize = 10;
/// How many files are read in all: files that include each other would never end.
const MOST_FILES: usize = 1000;

/// What `path` and the files that it includes say about `cell`.
pub fn find(cell: &str, path: &Path, files: &impl CellFiles) -> Cell {
    let mut reading = Reading { files, read: 0, state: State::new(cell) };
    reading.file(path, 0);
    reading.state.cell()
}

struct Reading<'a, F> {
    files: &'a F,
    read: usize,
    state: State<'a>,
}

impl<F: CellFiles> Reading<'_, F> {
    fn file(&mut self, path: &Path, depth: usize) {
        self.read += 1;
        // The file itself may be absent; those that it includes should exist.
        let Some(text) = self.files.contents(path, depth == 0) else { return };
        for (number, line) in (1..).zip(String::from_utf8_lossy(&text).split('\n')) {
            let outcome = match Line::parse(line) {
                Line::Include(_) | Line::IncludeDir(_) if !self.state.open.is_empty() => {
                    Err("include is not allowed inside braces".to_owned())
                }
                Line::Include(_) | Line::IncludeDir(_) if depth == DEEPEST || self.read >= MOST_FILES => {
                    Err("too many files include each other".to_owned())
                }
                Line::Include(file) => absolute(file).map(|file| self.file(file, depth + 1)),
                Line::IncludeDir(folder) => absolute(folder).map(|folder| self.folder(folder, depth + 1)),
                line => self.state.take(&line),
            };
            if let Err(message) = outcome {
                self.warn(number, &format!("{message}; line ignored"), path);
            }
        }
        if !self.state.open.is_empty() {
            self.state.open.clear();
            self.warn(0, "a brace is not closed at the end of the file; taken as closed", path);
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        for file in self.files.folder(path).iter().filter(|file| counts(file)) {
            if self.read < MOST_FILES {
                self.file(file, depth);
            }
        }
    }

    fn warn(&self, line: usize, message: &str, path: &Path) {
        self.files.warn(Warning::new(line, message).at(path));
    }
}

fn absolute(path: &str) -> Result<&Path, String> {
    match Path::new(path) {
        path if path.is_absolute() => Ok(path),
        _ => Err(expected("an absolute path", path)),
    }
}

/// Whether a file in an included directory is read: not if it is hidden, or an editor's backup.
fn counts(file: &Path) -> bool {
    let name = file.file_name().map(OsStr::as_bytes).unwrap_or_default();
    !name.starts_with(b".") && !name.ends_with(b"~")
}

/// What is known about the cell, up to one line.
struct State<'a> {
    wanted: &'a str,
    in_cells: bool,
    /// The lists that contain the line.
    open: Vec<Place>,
    use_dns: Option<bool>,
    servers: Vec<Entry>,
    cell_closed: bool,
    servers_closed: bool,
}

struct Entry {
    server: DatabaseServer,
    is_vlserver: bool,
    closed: bool,
}

/// A list in braces.
#[derive(Clone, Copy)]
enum Place {
    /// The cell itself.
    Cell,
    /// Its servers.
    Servers,
    /// One of them.
    DatabaseServer(usize),
    /// Something that does not concern us.
    Elsewhere,
}

impl<'a> State<'a> {
    fn new(wanted: &'a str) -> Self {
        Self {
            wanted,
            in_cells: false,
            open: Vec::new(),
            use_dns: None,
            servers: Vec::new(),
            cell_closed: false,
            servers_closed: false,
        }
    }

    fn cell(self) -> Cell {
        let vlservers = self.servers.into_iter().filter(|entry| entry.is_vlserver);
        Cell { use_dns: self.use_dns, servers: vlservers.map(|entry| entry.server).collect() }
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), String> {
        match line {
            Line::Blank | Line::Include(_) | Line::IncludeDir(_) => {}
            Line::Section(name) => {
                self.in_cells = *name == "cells";
                if !self.open.is_empty() {
                    self.open.clear();
                    return Err("a section begins inside braces; taken as closed".to_owned());
                }
            }
            Line::Open(key) => {
                let (place, outcome) = self.place(key);
                self.open.push(place);
                return outcome;
            }
            Line::Pair(key, value) => return self.pair(key, value),
            Line::Close { closed } => match self.open.pop() {
                None => return Err("no brace to close".to_owned()),
                Some(place) if *closed => self.close(place),
                Some(_) => {}
            },
            Line::Malformed => {
                return Err("expected [SECTION], KEY = VALUE, KEY = { or }".to_owned());
            }
        }
        Ok(())
    }

    /// The list that `key` begins at this point.
    fn place(&mut self, key: &str) -> (Place, Result<(), String>) {
        let place = match self.open.last() {
            None if self.in_cells && !self.cell_closed && same_cell(key, self.wanted) => Place::Cell,
            Some(Place::Cell) if key == "servers" && !self.servers_closed => Place::Servers,
            Some(Place::Servers) => match flaw(key) {
                None => self.server(key),
                Some(flaw) => return (Place::Elsewhere, Err(flaw)),
            },
            _ => Place::Elsewhere,
        };
        (place, Ok(()))
    }

    fn server(&mut self, name: &str) -> Place {
        let known = self.servers.iter().position(|entry| entry.server.name.eq_ignore_ascii_case(name));
        let place = known.unwrap_or(self.servers.len());
        match self.servers.get(place) {
            Some(entry) if entry.closed => return Place::Elsewhere,
            Some(_) => {}
            None => self.servers.push(Entry {
                server: DatabaseServer { name: name.to_owned(), addresses: Vec::new() },
                is_vlserver: true,
                closed: false,
            }),
        }
        Place::DatabaseServer(place)
    }

    fn close(&mut self, place: Place) {
        match place {
            Place::Cell => self.cell_closed = true,
            Place::Servers => self.servers_closed = true,
            Place::DatabaseServer(place) => {
                if let Some(entry) = self.servers.get_mut(place) {
                    entry.closed = true;
                }
            }
            Place::Elsewhere => {}
        }
    }

    fn pair(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (self.open.last(), key) {
            (Some(Place::Cell), "use_dns") => {
                self.use_dns = Some(boolean(value).ok_or_else(|| expected("yes or no", value))?);
            }
            (Some(&Place::DatabaseServer(place)), "type" | "address") => {
                if let Some(entry) = self.servers.get_mut(place) {
                    entry.pair(key, value)?;
                }
            }
            (None | Some(Place::Elsewhere), _)
            | (Some(Place::Cell), "description" | "show_cell" | "kerberos_realm") => {}
            (Some(Place::Cell | Place::Servers | Place::DatabaseServer(_)), _) => {
                return Err(format!("unknown key {key:?}"));
            }
        }
        Ok(())
    }
}

impl Entry {
    fn pair(&mut self, key: &str, value: &str) -> Result<(), String> {
        if key == "type" {
            self.is_vlserver = match value {
                "vlserver" => true,
                "ptserver" => false,
                _ => return Err(expected("vlserver or ptserver", value)),
            };
            return Ok(());
        }
        let address = address(value).ok_or_else(|| expected("[udp/]ADDRESS[:PORT]", value))?;
        self.server.addresses.push(address);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
