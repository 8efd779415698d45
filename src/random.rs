//! Numbers that nobody can foresee.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A random number, by the standard library's hash of nothing, whose keys it has from the kernel (`getrandom(2)`).
#[must_use]
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
