//! What servers are given, and what they can do.

use crate::dns::Protocol;
use crate::message::Question;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Name servers.
pub trait Servers {
    /// Decides about a query, the `number`th from 0.
    fn react(&self, query: &Asked, number: usize) -> Reaction;
}

/// The decision about one query.
#[derive(Clone, Debug)]
pub struct Reaction {
    /// When.
    pub delay: Duration,
    /// What.
    pub deed: Deed,
    /// What follows, that much later.
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
    /// The server.
    pub server: SocketAddr,
    /// The protocol.
    pub protocol: Protocol,
    /// The question, in lower case.
    pub question: Question,
    /// Whether it has EDNS.
    pub edns: bool,
    /// How long after the first query of the script.
    pub at: Duration,
    /// The complete message, in its original case.
    pub query: Vec<u8>,
}
