//! Sources that are NSS modules. This crate loads none; who has a way to ask them lends it.

use crate::address::{AddressSet, Families};
use std::error::Error;
use std::fmt;
use std::pin::Pin;

/// What asking a module comes to: its addresses, or `None` where it doesn't have the name.
pub type ModuleAnswer = Result<Option<AddressSet>, Box<dyn Error>>;

/// A way to ask NSS modules.
pub trait NssModules: fmt::Debug {
    /// The addresses that the module `source` has for `name`. Takes as long as the module does.
    ///
    /// # Errors
    /// Where it can't be asked: the source counts as unavailable.
    fn lookup<'a>(
        &'a self,
        source: &'a str,
        name: &'a str,
        families: Families,
    ) -> Pin<Box<dyn Future<Output = ModuleAnswer> + 'a>>;
}
