//! The answer to a key.

use crate::settings::Settings;
use key::{Failure, Lasting, MAX_PAYLOAD, Payload, Ttl};
use names::{Answer, Content};
use std::fmt;

/// The answer to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The payload.
    pub payload: Payload,
    /// When the key expires.
    pub expiry: Ttl,
    /// Number of addresses that the kernel can't store, and that are left out.
    pub left_out: usize,
}

impl Reply {
    /// The reply for this outcome.
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
    /// A warning, if the payload is incomplete.
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

#[cfg(test)]
mod tests {
    use super::*;
    use key::{Errno, LookupStatus, RecordSource, Server, ServerList};
    use names::{Address, Origin};
    use std::net::IpAddr;

    fn settings() -> Settings {
        let (settings, warnings) = Settings::parse(b"default_ttl = 8\nmax_ttl = 900\nnegative_ttl = 40\n");
        assert_eq!(warnings, []);
        settings
    }

    /// The TTLs that DNS may give an answer, none among them, and what comes of each.
    fn ttls<const N: usize>(rows: [(Option<u32>, u32); N]) -> [(Option<Ttl>, u32); N] {
        rows.map(|(ttl, expiry)| (ttl.map(Ttl::from_secs), expiry))
    }

    fn addresses(number: u16) -> Vec<IpAddr> {
        (0..number)
            .map(|last| [0x2001, 0xdb8, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000 + last].into())
            .collect()
    }

    fn hosts(number: u16) -> Content {
        let address = |ip| Address { ip, origin: Origin::Literal };
        Content::Addresses(addresses(number).into_iter().map(address).collect())
    }

    fn list(number: u16) -> ServerList {
        let server = Server {
            name: "afs1".to_owned(),
            priority: 0,
            weight: 0,
            port: 7003,
            source: RecordSource::Srv,
            status: LookupStatus::Good,
            addresses: addresses(number),
        };
        ServerList { source: RecordSource::Srv, status: LookupStatus::Good, servers: vec![server] }
    }

    #[test]
    fn an_answer_expires_with_its_ttl_capped_at_max_ttl() {
        for (found, expiry) in
            ttls([(None, 8), (Some(1), 1), (Some(899), 899), (Some(900), 900), (Some(901), 900)])
        {
            let outcome = Ok(Answer { content: hosts(1), ttl: found });
            assert_eq!(Reply::new(&outcome, &settings()).expiry.as_secs(), expiry, "{found:?}");
        }
    }

    #[test]
    fn a_negative_answer_expires_with_the_zones_ttl_capped_at_negative_ttl() {
        for (zone, expiry) in ttls([(None, 40), (Some(1), 1), (Some(39), 39), (Some(40), 40), (Some(41), 40)])
        {
            for failure in [
                Failure::NoSuchName { ttl: zone },
                Failure::NoAddress { ttl: zone },
                Failure::NoServer { reason: "none", ttl: zone },
            ] {
                let reply = Reply::new(&Err(failure), &settings());
                let expected = Reply {
                    payload: Payload::Error(Errno::ENODATA),
                    expiry: Ttl::from_secs(expiry),
                    left_out: 0,
                };
                assert_eq!(reply, expected, "{zone:?}");
            }
        }
    }

    #[test]
    fn the_expiry_of_other_failures_is_fixed() {
        for (failure, errno, seconds) in [
            (Failure::Temporary("x".into()), Errno::EAGAIN, 1),
            (Failure::Refused("x".into()), Errno::ECONNREFUSED, 10),
            (Failure::BadOption("x".into()), Errno::EINVAL, 1),
        ] {
            let reply = Reply::new(&Err(failure), &settings());
            assert_eq!((reply.payload, reply.expiry.as_secs()), (Payload::Error(errno), seconds));
        }
    }

    #[test]
    fn each_kind_of_answer_has_its_payload_format() {
        let reply = |content| Reply::new(&Ok(Answer { content, ttl: Some(Ttl::from_secs(9)) }), &settings());
        let text = "2001:db8:1000:1000:1000:1000:1000:1000";
        let host = reply(hosts(1));
        assert_eq!(host.payload.encode(), format!("{text}\0").into_bytes());
        assert_eq!(host.to_string(), format!("payload {text}\nexpiry 9"));
        assert_eq!(reply(Content::Servers(list(1))).payload, Payload::Servers(list(1)));
        let endpoints = reply(Content::Endpoints(list(1)));
        assert_eq!(endpoints.payload, Payload::Endpoints(list(1)));
        assert_eq!(endpoints.to_string(), format!("payload [{text}]+7003\nexpiry 9"));
    }

    #[test]
    fn addresses_beyond_the_size_of_a_key_are_left_out_and_counted() {
        // An address takes 39 bytes with its comma, with a port 46; in a list 17, and its server 16.
        let mut servers = list(255);
        servers.servers = vec![servers.servers.remove(0); 20];
        for (content, left_out, length) in [
            (hosts(1680), 0, 1680 * 39),
            (hosts(1681), 1, 1680 * 39),
            (Content::Endpoints(list(1424)), 0, 1424 * 46),
            (Content::Endpoints(list(1500)), 76, 1424 * 46),
            (Content::Servers(servers), 5100 - 3839, 6 + 16 * 16 + 3839 * 17),
        ] {
            let reply = Reply::new(&Ok(Answer { content, ttl: None }), &settings());
            assert_eq!((reply.left_out, reply.payload.encode().len()), (left_out, length));
            let told = format!(
                "the answer is longer than the 65535 bytes of a key: its last {left_out} addresses are left out"
            );
            assert_eq!(reply.shortcoming(), (left_out > 0).then_some(told));
        }
    }
}
