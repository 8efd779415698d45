//! Sources that are NSS modules. This crate loads none; its user provides a way to query them.

use crate::address::{AddressSet, Families};
use std::fmt;
use std::pin::Pin;

/// The result of querying a module: the status that the C library sees (nss.h, `enum nss_status`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleAnswer {
    /// SUCCESS: its addresses.
    Found(AddressSet),
    /// NOTFOUND: it does not have the name.
    NotFound,
    /// It was not queried: this host has no address of the family, and the way to query modules requires one.
    NotAsked,
    /// UNAVAIL, with the reason: the library is missing, or its service does not run.
    Unavailable(String),
    /// TRYAGAIN, with the reason: it can't answer at the moment.
    TryAgain(String),
}

/// A way to query NSS modules.
pub trait NssModules: fmt::Debug {
    /// The answer of the module `source` for `name`. Takes as long as the module does.
    fn lookup<'a>(
        &'a self,
        source: &'a str,
        name: &'a str,
        families: Families,
    ) -> Pin<Box<dyn Future<Output = ModuleAnswer> + 'a>>;
}
