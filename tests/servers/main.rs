//! Real name servers: Debian's, on loopback addresses, with one zone. The helper queries each in debug mode, and the
//! results are printed as a table.
//!
//! All of it runs in namespaces of its own, where nothing else listens and no packet gets out. Servers that are not
//! installed are named and skipped; in CI, that fails. `KEY_DNS_CAPTURE=FOLDER` writes their answers there.

#![allow(unreachable_pub, missing_docs, clippy::must_use_candidate, clippy::missing_panics_doc)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod capture;
mod cases;
mod program;
mod programs;
mod table;
mod zone;
