//! A scripted DNS server for tests, examples and benches.
//!
//! A [`Server`] listens on one loopback address, on UDP and TCP with the same
//! port, answers from its [`Zone`]s, and does whatever a [`Script`] tells it to
//! do instead: say nothing, answer late, answer wrongly. It logs every query.
//!
//! ```ignore
//! #[path = "../dns/mod.rs"]
//! mod dns;
//! use dns::{Action, Script, Server, Zone, qtype};
//!
//! let server = Server::builder()
//!     .zone(Zone::new("example.test").a("mon1", [10, 0, 0, 1], 60))
//!     .script(Script::new().on("mon1.example.test", qtype::AAAA, Action::SERVFAIL))
//!     .start();
//! // point the client at server.addr() ...
//! assert_eq!(server.count("mon1.example.test", qtype::A), 1);
//! ```
//!
//! The terms are those of RFC 1035 (messages, records, compression, zone
//! files), RFC 2308 (negative answers), RFC 6891 (EDNS), RFC 2782 (SRV),
//! RFC 1183 and RFC 5864 (AFSDB, and SRV in its place).

#![allow(dead_code, unused_imports, unreachable_pub, missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod message;
mod record;
mod script;
mod serve;
mod server;
mod sockets;
mod timer;
mod wire;
mod zone;
mod zonefile;

pub use message::{Message, flag};
pub use record::{Part, Record};
pub use script::{Action, Patch, Script};
pub use serve::Logged;
pub use server::{Builder, Config, Server, TcpMode};
pub use sockets::{Bound, Silent, refuses, refusing_address, refusing_address_on};
pub use wire::{Edns, Name, Query, Transport, class, qtype, rcode};
pub use zone::Zone;
