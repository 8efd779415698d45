//! What can prevent a usable answer.

use crate::message::{Undecodable, rcode};
use crate::protocol::Protocol;
use std::fmt;
use std::io;

/// Why a server's turn brought no usable answer, and how it was queried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// The protocol.
    pub protocol: Protocol,
    /// The reason.
    pub obstacle: Obstacle,
}

/// What prevented an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing came in time.
    TimedOut,
    /// Nothing listens there.
    ConnectionRefused,
    /// It can't be reached, or the connection broke.
    Unreachable(String),
    /// It answered with a code other than NOERROR and NXDOMAIN.
    Rcode(u16),
    /// It answered NOERROR without an answer, authority or recursion: a lame delegation.
    Lame,
    /// Its answer was nonsense.
    Undecodable(String),
    /// So many messages with wrong IDs arrived that somebody may be guessing.
    Forged,
}

impl Obstacle {
    /// As met over UDP or TCP.
    #[must_use]
    pub fn over(self, protocol: Protocol) -> ServerError {
        ServerError { protocol, obstacle: self }
    }
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::UnexpectedEof => Self::Unreachable("connection closed".to_owned()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

impl From<Undecodable> for Obstacle {
    fn from(error: Undecodable) -> Self {
        Self::Undecodable(error.to_string())
    }
}

/// As `connection refused over TCP`.
impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {}", self.obstacle, self.protocol)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("timed out"),
            Self::ConnectionRefused => f.write_str("connection refused"),
            Self::Unreachable(why) | Self::Undecodable(why) => f.write_str(why),
            Self::Rcode(code) => f.write_str(&rcode::name(*code)),
            Self::Lame => f.write_str("an empty answer without authority or recursion"),
            Self::Forged => f.write_str("many answers with wrong IDs, so none is trusted"),
        }
    }
}
