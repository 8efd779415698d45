//! What servers are told, and what they can do.

use crate::dns::Protocol;
use crate::message::Question;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Name servers.
pub trait Servers {
    /// What becomes of a query, the `number`th from 0.
    fn react(&self, query: &Asked, number: usize) -> Reaction;
}

/// What becomes of one query.
#[derive(Clone, Debug)]
pub struct Reaction {
    /// When.
    pub delay: Duration,
    /// What.
    pub deed: Deed,
    /// What comes after that, so much later.
    pub then: Option<Box<Reaction>>,
}

/// What a server does.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Nothing, ever.
    Silence,
    /// The exchange ends with an error of this kind.
    Error(io::ErrorKind),
    /// It sends this message.
    Reply(Vec<u8>),
}

/// A query that came to a script.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who was asked.
    pub server: SocketAddr,
    /// By UDP or TCP.
    pub protocol: Protocol,
    /// What, in lower case.
    pub question: Question,
    /// Whether with EDNS.
    pub edns: bool,
    /// How long after the first query of the script.
    pub at: Duration,
    /// The whole message, its letters as they came.
    pub query: Vec<u8>,
}
