//! What a question is put to: servers, and how they are asked.

use crate::trace::Trace;
use hickory_resolver::proto::rr::Name;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

/// How servers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOptions {
    /// How long to wait for the first server, in seconds; later ones get longer, as in glibc.
    pub timeout: u32,
    /// How often the list is gone through.
    pub attempts: u32,
    /// How long a server may be silent before the next one is asked as well.
    pub hedge: Duration,
    /// TCP from the start.
    pub use_vc: bool,
    /// Whether the letters of a question by UDP are upper and lower case at random, as the answer has to repeat
    /// them (draft-vixie-dnsext-dns0x20-00): who can't see the question has to guess them.
    pub mixed_case: bool,
}

/// The names for which servers had records when they were asked with EDNS and in mixed letters: they take such
/// questions, and what else they say of these names needs no confirmation.
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

/// Asks servers by way of a transport.
pub struct Client<'a, T> {
    /// The way to the servers.
    pub transport: &'a T,
    /// The servers, in the order in which they are asked.
    pub servers: &'a [SocketAddr],
    /// How they are asked.
    pub options: &'a QueryOptions,
    /// What they have answered in this lookup.
    pub answered: &'a Answered,
    /// Where each turn is noted.
    pub trace: &'a Trace,
}
