//! Sources that are NSS modules. This crate loads none; who has a way to ask them lends it.

use crate::address::{AddressSet, Families};
use std::fmt;
use std::pin::Pin;

/// What asking a module comes to: the status that the C library sees (nss.h, `enum nss_status`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleAnswer {
    /// SUCCESS: its addresses.
    Found(AddressSet),
    /// NOTFOUND: it doesn't have the name.
    NotFound,
    /// It was not asked: this host has no address of the family, and the way to ask modules minds that.
    NotAsked,
    /// UNAVAIL, and why: the library is missing, or the service behind it doesn't run.
    Unavailable(String),
    /// TRYAGAIN, and why: it can't answer for now.
    TryAgain(String),
}

/// A way to ask NSS modules.
pub trait NssModules: fmt::Debug {
    /// What the module `source` says to `name`. Takes as long as the module does.
    fn lookup<'a>(
        &'a self,
        source: &'a str,
        name: &'a str,
        families: Families,
    ) -> Pin<Box<dyn Future<Output = ModuleAnswer> + 'a>>;
}
