//! What keeps a host from being set up.

use std::io;
use std::path::PathBuf;

/// Why nothing, or not everything, was done.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file operation failed.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what, as the root calls it.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another call of setup is at work on the same root.
    #[error("another `key-dns setup` is at work there: wait until it has ended")]
    Busy,
    /// There are files that setup did not make, or that were changed since.
    #[error("{} not of `key-dns setup`, and left alone: {}", if .0.len() == 1 { "this file is" } else { "these files are" }, list(.0))]
    Foreign(Vec<PathBuf>),
    /// The path that the kernel runs can't be had.
    #[error(
        "{path} can't be made, since {why}; the kernel runs no other path, so it has to come with the image"
    )]
    NoRequestKey {
        /// The path.
        path: PathBuf,
        /// What is in the way.
        why: String,
    },
    /// The journal is not one.
    #[error("{path}, line {line}: not a line of a journal of `key-dns setup`")]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

/// Says of an error what was being done to what.
pub(crate) fn doing<'a>(
    doing: &'static str,
    path: impl Into<PathBuf> + 'a,
) -> impl FnOnce(io::Error) -> SetupError + 'a {
    move |source| SetupError::Io { doing, path: path.into(), source }
}
