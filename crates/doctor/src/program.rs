//! Whether a program can be executed: its file, its interpreter, its libraries.

use crate::child::{self, Ended, Errors};
use crate::host_root::HostRoot;
use nix::sys::statvfs::{FsFlags, statvfs};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long the dynamic loader may take to list libraries.
const LIMIT: Duration = Duration::from_secs(2);
/// How many interpreters a script may go through (fs/exec.c).
const DEEPEST: usize = 5;

/// Why a program can't be executed. Each variant says what was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProgramFault {
    /// The file does not exist.
    #[error("there is no {0}")]
    Missing(String),
    /// A dangling link.
    #[error("{path} is a link to {target}, which is missing")]
    Dangling {
        /// The link.
        path: String,
        /// Its target.
        target: String,
    },
    /// It is not a file.
    #[error("{0} is not a regular file")]
    NotAFile(String),
    /// Nobody may execute it.
    #[error("{path} has mode {mode:03o}")]
    NotExecutable {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// It is on a file system that is mounted with `noexec`.
    #[error("{0} is on a file system that is mounted noexec")]
    NoExec(String),
    /// It is neither an executable nor a script.
    #[error("{path} is not a program: it begins with {start}")]
    NotAProgram {
        /// The file.
        path: String,
        /// Its first bytes, escaped.
        start: String,
    },
    /// Its interpreter is missing.
    #[error("{path} needs {interpreter} to run it: {obstacle}")]
    Interpreter {
        /// The file.
        path: String,
        /// The interpreter.
        interpreter: String,
        /// What is wrong with it.
        obstacle: Box<ProgramFault>,
    },
    /// The dynamic loader does not find a library.
    #[error("{path} needs {library}, which {loader} does not find")]
    Library {
        /// The file.
        path: String,
        /// The library.
        library: String,
        /// The loader.
        loader: String,
    },
    /// It can't be checked.
    #[error("{path}: {kind}")]
    Unseen {
        /// The file.
        path: String,
        /// Why.
        kind: io::ErrorKind,
    },
}

/// A program that can be executed.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The metadata of its file.
    pub metadata: Metadata,
    /// Its dynamic loader, or the interpreter of a script.
    pub interpreter: Option<String>,
}

/// Checks whether root could execute the program at `path`.
///
/// # Errors
/// Why it can't be executed.
pub(crate) fn check(look: &HostRoot, path: &str) -> Result<Program, ProgramFault> {
    follow(look, path, DEEPEST)
}

fn follow(look: &HostRoot, path: &str, depth: usize) -> Result<Program, ProgramFault> {
    let unseen = |error: io::Error| ProgramFault::Unseen { path: path.to_owned(), kind: error.kind() };
    let metadata = match look.metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(match look.link(path) {
                Ok(target) => {
                    ProgramFault::Dangling { path: path.to_owned(), target: target.display().to_string() }
                }
                Err(_) => ProgramFault::Missing(path.to_owned()),
            });
        }
        Err(error) => return Err(unseen(error)),
    };
    if !metadata.is_file() {
        return Err(ProgramFault::NotAFile(path.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o111 == 0 {
        return Err(ProgramFault::NotExecutable { path: path.to_owned(), mode });
    }
    if look.is_host()
        && statvfs(Path::new(path)).is_ok_and(|facts| facts.flags().contains(FsFlags::ST_NOEXEC))
    {
        return Err(ProgramFault::NoExec(path.to_owned()));
    }
    let mut file = File::open(look.path(path)).map_err(unseen)?;
    let mut head = Vec::new();
    (&mut file).take(256).read_to_end(&mut head).map_err(unseen)?;
    let interpreter = if head.starts_with(b"#!") {
        script(&head)
    } else if head.starts_with(b"\x7fELF") {
        elf(&mut file, &head).map_err(unseen)?
    } else {
        None
    };
    let is_program = head.starts_with(b"\x7fELF") || interpreter.is_some();
    if !is_program {
        let start = head.get(..head.len().min(16)).unwrap_or_default().escape_ascii();
        let start = if head.is_empty() { "nothing: it is empty".to_owned() } else { format!("\"{start}\"") };
        return Err(ProgramFault::NotAProgram { path: path.to_owned(), start });
    }
    if let Some(interpreter) = &interpreter
        && let Some(depth) = depth.checked_sub(1)
    {
        follow(look, interpreter, depth).map_err(|obstacle| ProgramFault::Interpreter {
            path: path.to_owned(),
            interpreter: interpreter.clone(),
            obstacle: Box::new(obstacle),
        })?;
        if look.is_host() && head.starts_with(b"\x7fELF") {
            libraries(path, interpreter)?;
        }
    }
    Ok(Program { metadata, interpreter })
}

/// The interpreter in the first line of a script.
fn script(head: &[u8]) -> Option<String> {
    let line = head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    Some(String::from_utf8_lossy(word).into_owned())
}

/// The dynamic loader that an executable names, elf(5); `None` for a static one.
fn elf(file: &mut File, head: &[u8]) -> io::Result<Option<String>> {
    const LOADER: u32 = 3; // PT_INTERP
    const LITTLE: u8 = 1;
    const WIDE: u8 = 2;
    let wide = head.get(4) == Some(&WIDE);
    let little = head.get(5) == Some(&LITTLE);
    let number = |bytes: &[u8], at: usize, length: usize| -> u64 {
        let field = bytes.get(at..at.saturating_add(length)).unwrap_or_default();
        let step = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if little { field.iter().rev().fold(0, step) } else { field.iter().fold(0, step) }
    };
    let (table, size, count) = if wide {
        (number(head, 0x20, 8), number(head, 0x36, 2), number(head, 0x38, 2))
    } else {
        (number(head, 0x1c, 4), number(head, 0x2a, 2), number(head, 0x2c, 2))
    };
    for index in 0..count {
        let mut header = Vec::new();
        file.seek(SeekFrom::Start(table.saturating_add(index.saturating_mul(size))))?;
        file.take(size).read_to_end(&mut header)?;
        if number(&header, 0, 4) != u64::from(LOADER) {
            continue;
        }
        let (start, length) = if wide {
            (number(&header, 8, 8), number(&header, 0x20, 8))
        } else {
            (number(&header, 4, 4), number(&header, 0x10, 4))
        };
        let mut path = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(length.min(4096)).read_to_end(&mut path)?;
        let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
        return Ok(Some(String::from_utf8_lossy(path).into_owned()));
    }
    Ok(None)
}

/// Makes the dynamic loader list the libraries of a program, which does not run the program.
fn libraries(path: &str, loader: &str) -> Result<(), ProgramFault> {
    let mut command = Command::new(loader);
    command.args(["--list", path]).env_clear().env("LC_ALL", "C");
    // A loader that lists nothing, or can't be run, has not said that anything is missing.
    let Ok(Ended::Done { output, .. }) = child::run_watching(command, LIMIT, Errors::Keep, || {}) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(&output);
    text.lines().find_map(missing_library).map_or(Ok(()), |library| {
        Err(ProgramFault::Library {
            path: path.to_owned(),
            library: library.to_owned(),
            loader: loader.to_owned(),
        })
    })
}

/// The library that glibc's or musl's loader does not find.
fn missing_library(line: &str) -> Option<&str> {
    let glibc = || line.split_once("error while loading shared libraries: ")?.1.split(':').next();
    let musl = || line.split_once("Error loading shared library ")?.1.split(':').next();
    let listed = || line.trim().strip_suffix("=> not found").map(str::trim);
    listed().or_else(glibc).or_else(musl)
}

/// Whether a program is this very file, or another copy, recognised by a text that only this program contains.
#[must_use]
pub(crate) fn is_ours(look: &HostRoot, path: &str) -> bool {
    const MARK: &[u8] = b"Answer a dns_resolver key that the kernel is waiting for";
    let identity = |facts: Metadata| (facts.dev(), facts.ino());
    let own = std::fs::metadata("/proc/self/exe").map(identity);
    let theirs = look.metadata(path).map(identity);
    if let (Ok(own), Ok(theirs)) = (own, theirs)
        && own == theirs
    {
        return true;
    }
    let mut bytes = Vec::new();
    let read = File::open(look.path(path)).and_then(|file| file.take(64 << 20).read_to_end(&mut bytes));
    read.is_ok() && memchr::memmem::find(&bytes, MARK).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use std::fs;

    fn program(name: &str, text: &str, mode: u32) -> Result<Program, ProgramFault> {
        let look = tree(&format!("program-{name}"), &[("p", text), ("bin/sh", "\x7fELF")]);
        let set = |path: &str, mode| fs::set_permissions(look.path(path), fs::Permissions::from_mode(mode));
        set("p", mode).unwrap();
        set("bin/sh", 0o755).unwrap();
        check(&look, "/p")
    }

    #[test]
    fn a_program_that_cannot_be_executed_has_a_reason() {
        let why = |name, text, mode| program(name, text, mode).unwrap_err().to_string();
        assert_eq!(why("mode", "#!/bin/sh\n", 0o644), "/p has mode 644");
        assert_eq!(why("text", "hello", 0o755), "/p is not a program: it begins with \"hello\"");
        assert_eq!(why("empty", "", 0o755), "/p is not a program: it begins with nothing: it is empty");
        assert_eq!(
            why("interpreter", "#! /bin/nosuch -e\n", 0o755),
            "/p needs /bin/nosuch to run it: there is no /bin/nosuch"
        );
        assert_eq!(program("script", "#!/bin/sh\n", 0o755).unwrap().interpreter.as_deref(), Some("/bin/sh"));
        let look = tree("program-none", &[]);
        assert_eq!(check(&look, "/p").unwrap_err(), ProgramFault::Missing("/p".to_owned()));
        std::os::unix::fs::symlink("nowhere", look.path("/p")).unwrap();
        assert_eq!(check(&look, "/p").unwrap_err().to_string(), "/p is a link to nowhere, which is missing");
    }

    #[test]
    fn the_test_program_is_executable_and_its_loader_is_found() {
        let own = std::env::current_exe().unwrap();
        let program = check(&HostRoot::host(), own.to_str().unwrap()).unwrap();
        let loader = program.interpreter.is_some_and(|path| path.contains("ld"));
        assert_eq!(loader, cfg!(not(target_feature = "crt-static")));
    }
}
