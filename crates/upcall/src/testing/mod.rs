//! What the tests of this crate share: a keyring that fails on purpose, a syslog daemon, a name server, a directory and
//! a process of a test's own.

mod daemon;
mod folder;
mod keyring;
mod process;
mod server;

pub(crate) use daemon::Daemon;
pub(crate) use folder::Folder;
pub(crate) use keyring::{FakeKeyring, Held, KeyCall, request};
pub(crate) use process::{alone, in_own_process, told};
pub(crate) use server::name_server;
