//! What a key is answered with.

use crate::settings::Settings;
use key::{Failure, Lasting, MAX_PAYLOAD, Payload, Ttl};
use names::{Answer, Content};
use std::fmt;

/// What a key is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The payload.
    pub payload: Payload,
    /// When the key expires.
    pub expiry: Ttl,
    /// Number of addresses that the kernel can't keep, and that are left out.
    pub left_out: usize,
}

impl Reply {
    /// The reply to a query that ended like this.
    #[must_use]
    pub fn new(outcome: &Result<Answer, Failure>, settings: &Settings) -> Self {
        match outcome {
            Ok(answer) => {
                let mut payload = payload(&answer.content);
                let left_out = payload.fit();
                let expiry = answer.ttl.map_or(settings.lookup.default_ttl, |ttl| ttl.min(settings.max_ttl));
                Self { payload, expiry, left_out }
            }
            Err(failure) => {
                let (errno, lasting) = failure.verdict();
                Self {
                    payload: Payload::Error(errno),
                    expiry: match lasting {
                        Lasting::For(ttl) => ttl,
                        Lasting::Negative(ttl) => ttl.map_or(settings.lookup.negative_ttl, |ttl| {
                            ttl.min(settings.lookup.negative_ttl)
                        }),
                    },
                    left_out: 0,
                }
            }
        }
    }
}

impl Reply {
    /// What is not in the payload, where it is not whole.
    #[must_use]
    pub fn shortcoming(&self) -> Option<String> {
        let Self { left_out, .. } = self;
        (*left_out > 0).then(|| {
            format!("the answer is longer than the {MAX_PAYLOAD} bytes of a key: its last {left_out} addresses are left out")
        })
    }
}

fn payload(content: &Content) -> Payload {
    match content {
        Content::Addresses(addresses) => Payload::Addresses(addresses.iter().map(|found| found.ip).collect()),
        Content::Servers(list) => Payload::Servers(list.clone()),
        Content::Endpoints(list) => Payload::Endpoints(list.clone()),
    }
}

/// As debug mode prints it: `payload TEXT` or `payload-v1 HEX`, then `expiry SECONDS`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nexpiry {}", self.payload, self.expiry)
    }
}
