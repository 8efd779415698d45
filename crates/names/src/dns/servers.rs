//! What a question needs: servers, and how to query them.

use crate::trace::Trace;
use hickory_resolver::proto::rr::Name;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

/// How to query servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOptions {
    /// How long to wait for the first server, in seconds; later ones get longer, as in glibc.
    pub timeout: u32,
    /// How many rounds through the list.
    pub attempts: u32,
    /// How long a server may be silent before the next one is queried as well.
    pub hedge: Duration,
    /// Use TCP from the start.
    pub use_vc: bool,
    /// Whether queries over UDP have random letter case, which the answer has to repeat (0x20,
    /// draft-vixie-dnsext-dns0x20-00): an attacker who can't see the query has to guess it.
    pub mixed_case: bool,
}

/// The names for which servers have returned records to queries with EDNS and random case: they accept such queries, so
/// their other answers for these names need no confirmation.
#[derive(Debug, Default)]
pub struct Answered(RefCell<Vec<(SocketAddr, Name)>>);

impl Answered {
    pub(super) fn add(&self, server: SocketAddr, name: &Name) {
        if !self.holds(server, name) {
            self.0.borrow_mut().push((server, name.clone()));
        }
    }

    pub(super) fn holds(&self, server: SocketAddr, name: &Name) -> bool {
        self.0.borrow().iter().any(|(of, known)| *of == server && known == name)
    }
}

/// Queries servers through a transport.
pub struct Client<'a, T> {
    /// The transport to the servers.
    pub transport: &'a T,
    /// The servers, in the order in which they are queried.
    pub servers: &'a [SocketAddr],
    /// How to query them.
    pub options: &'a QueryOptions,
    /// What they have answered in this lookup.
    pub answered: &'a Answered,
    /// Where each turn is recorded.
    pub trace: &'a Trace,
}
