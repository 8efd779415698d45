//! The kernel's side of a `dns_resolver` key: what it requests, what it accepts, and the calls in between.
//!
//! Nothing here knows about DNS or files. `docs/kernel-contract.md` describes what the kernel requires.

mod description;
mod errno;
mod failure;
pub mod keyctl;
mod keyring;
mod payload;
mod query;
mod serial;
mod server_list;
mod ttl;

pub use description::{Description, MalformedDescription};
pub use errno::{Errno, RejectErrno};
pub use failure::{Failure, Lasting};
pub use keyring::{KernelKeyring, Keyring, KeyringError, Request, key_of_this_upcall};
pub use linux_keyutils::KeyError;
pub use payload::{MAX_PAYLOAD, Payload};
pub use query::{
    CellQuery, Family, HostQuery, ParsedQuery, Preference, Query, QueryName, Selection, ServerListForm,
};
pub use serial::{KeySerial, NotASerial};
pub use server_list::{
    LookupStatus, MAX_SERVER_NAME, MAX_SERVERS, RecordSource, Server, ServerList, VL_PORT,
};
pub use ttl::Ttl;
