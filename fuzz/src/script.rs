//! Name servers that do what the input says.

use arbitrary::{Arbitrary, Unstructured};
use key_dns::resolve::dns::message::{Reply, is_reply_to};
use key_dns::resolve::dns::transport::{Protocol, Transport};
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

/// What is done with one query.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct Act {
    /// When, in units of 16 ms.
    delay: u8,
    deed: Deed,
}

#[derive(Arbitrary, Clone, Debug)]
enum Deed {
    Silence,
    Error(Broken),
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, after the header's id and the question, which are those of the query.
    Patched {
        flags: u16,
        counts: [u8; 3],
        bytes: Vec<u8>,
    },
    /// A well-formed message.
    Message(Message),
    /// An answer such as one hopes for.
    Good,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Broken {
    Refused,
    Unreachable,
    Closed,
    TimedOut,
}

#[derive(Arbitrary, Clone, Debug)]
struct Message {
    flags: Flags,
    answers: Vec<Record>,
    authorities: Vec<Record>,
    additionals: Vec<Record>,
    /// So many bytes are missing at its end.
    missing: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Flags {
    authoritative: bool,
    truncated_by_udp: bool,
    recursion: bool,
    rcode: u8,
}

#[derive(Arbitrary, Clone, Debug)]
struct Record {
    owner: Label,
    ttl: Life,
    data: Data,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Life {
    Minute,
    Exactly(u32),
}

#[derive(Arbitrary, Clone, Debug)]
enum Data {
    A([u8; 4]),
    Aaaa([u8; 16]),
    Cname(Label),
    Soa(u32),
    Srv {
        priority: u8,
        weight: u8,
        port: u16,
        target: Label,
    },
    Afsdb {
        subtype: u8,
        host: Label,
    },
    Opt(u8),
    Other {
        record_type: u8,
        class: u8,
        bytes: Vec<u8>,
    },
    /// Some of what is asked for, or a lot, each of its own.
    Many(u8),
}

/// A name in a message.
#[derive(Arbitrary, Clone, Debug)]
enum Label {
    /// That of the question.
    Question,
    /// `hN.` and the question's.
    Below(u8),
    /// One of a few.
    Host(u8),
    /// One that no other record has.
    Fresh,
    Root,
    /// A pointer into the message.
    Pointer(u16),
    Bytes(Vec<u8>),
}

/// As many queries are answered; after that, the servers are gone.
const PATIENCE: usize = 24;

/// Servers that do the acts one after the other, and begin anew at their end.
#[derive(Debug)]
pub(crate) struct Script {
    acts: Vec<Act>,
    seen: RefCell<Seen>,
}

/// What went on.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The queries, whole messages.
    pub(crate) queries: Vec<Vec<u8>>,
    /// The answers that were taken for such: at most [`PATIENCE`].
    answers: Vec<Vec<u8>>,
}

impl Seen {
    /// What could be read of the answers.
    pub(crate) fn replies(&self) -> impl Iterator<Item = Reply> {
        self.answers.iter().filter_map(|answer| Reply::decode(answer).ok())
    }
}

impl Script {
    pub(crate) fn new(input: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let mut acts: Vec<Act> = Vec::arbitrary(input)?;
        if acts.is_empty() {
            acts.push(Act { delay: 0, deed: Deed::Good });
        }
        Ok(Self { acts, seen: RefCell::default() })
    }

    /// What went on up to now.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.take()
    }
}

impl Transport for Script {
    async fn exchange(&self, _: SocketAddr, protocol: Protocol, query: &[u8]) -> io::Result<Vec<u8>> {
        let number = {
            let mut seen = self.seen.borrow_mut();
            seen.queries.push(query.to_vec());
            seen.queries.len() - 1
        };
        if number >= PATIENCE {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let Act { delay, deed } = &self.acts[number % self.acts.len()];
        if *delay > 0 {
            sleep(Duration::from_millis(16 * u64::from(*delay))).await;
        }
        let bytes = match deed {
            Deed::Silence => std::future::pending().await,
            Deed::Error(broken) => {
                return Err(match broken {
                    Broken::Refused => io::ErrorKind::ConnectionRefused,
                    Broken::Unreachable => io::ErrorKind::NetworkUnreachable,
                    Broken::Closed => io::ErrorKind::UnexpectedEof,
                    Broken::TimedOut => io::ErrorKind::TimedOut,
                }
                .into());
            }
            Deed::Bytes(bytes) => bytes.clone(),
            Deed::Patched { flags, counts, bytes } => {
                let mut writer = Writer::new(query, *flags | 0x8000);
                writer.bytes.extend(bytes);
                writer.finish(counts.map(u16::from))
            }
            Deed::Message(message) => message.write(query, protocol, number),
            Deed::Good => good(query),
        };
        if !is_reply_to(query, &bytes) {
            // Somebody else's, and passed over.
            return std::future::pending().await;
        }
        self.seen.borrow_mut().answers.push(bytes.clone());
        Ok(bytes)
    }
}

/// The header of a query's answer, its question, and what follows.
struct Writer {
    bytes: Vec<u8>,
    /// Where the question ends.
    question: usize,
}

impl Writer {
    fn new(query: &[u8], flags: u16) -> Self {
        let mut end = 12;
        while query[end] != 0 {
            end += 1 + usize::from(query[end]);
        }
        let question = end + 5;
        let mut bytes = query[..question].to_vec();
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        Self { bytes, question }
    }

    fn finish(mut self, counts: [u16; 3]) -> Vec<u8> {
        let counts = [1, counts[0], counts[1], counts[2]];
        for (place, count) in self.bytes[4..12].chunks_mut(2).zip(counts) {
            place.copy_from_slice(&count.to_be_bytes());
        }
        self.bytes
    }

    fn name(&mut self, label: &Label, fresh: usize) {
        let host = |number: u8| [b'h', b'a' + number % 4];
        match label {
            Label::Question => self.bytes.extend([0xc0, 12]),
            Label::Below(number) => {
                self.bytes.push(2);
                self.bytes.extend(host(*number));
                self.bytes.extend([0xc0, 12]);
            }
            Label::Host(number) => {
                self.bytes.push(2);
                self.bytes.extend(host(*number));
                self.bytes.extend(b"\x04test\0");
            }
            Label::Fresh => {
                let name = format!("f{fresh}");
                self.bytes.push(u8::try_from(name.len()).expect("short"));
                self.bytes.extend(name.bytes());
                self.bytes.extend(b"\x04test\0");
            }
            Label::Root => self.bytes.push(0),
            Label::Pointer(place) => self.bytes.extend((0xc000 | place).to_be_bytes()),
            Label::Bytes(bytes) => self.bytes.extend(bytes),
        }
    }

    /// A record's type, class and TTL, and its data by `data`.
    fn data(&mut self, kind: (u16, u16), ttl: u32, data: impl FnOnce(&mut Self)) {
        self.bytes.extend(kind.0.to_be_bytes());
        self.bytes.extend(kind.1.to_be_bytes());
        self.bytes.extend(ttl.to_be_bytes());
        let start = self.bytes.len();
        self.bytes.extend([0, 0]);
        data(self);
        let length = u16::try_from(self.bytes.len() - start - 2).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_be_bytes());
    }
}

impl Message {
    fn write(&self, query: &[u8], protocol: Protocol, number: usize) -> Vec<u8> {
        let Flags { authoritative, truncated_by_udp, recursion, rcode } = self.flags;
        let flags = 0x8100
            | u16::from(authoritative) << 10
            | u16::from(truncated_by_udp && protocol == Protocol::Udp) << 9
            | u16::from(recursion) << 7
            // Most are no error, some NXDOMAIN.
            | if rcode < 0xa0 { 0 } else if rcode < 0xc0 { 3 } else { u16::from(rcode & 0x0f) };
        let mut writer = Writer::new(query, flags);
        let mut counts = [0; 3];
        for (count, records) in counts.iter_mut().zip([&self.answers, &self.authorities, &self.additionals]) {
            for (place, record) in records.iter().enumerate() {
                *count += record.write(&mut writer, number * 0x100 + place);
            }
        }
        let mut bytes = writer.finish(counts);
        bytes.truncate(bytes.len().saturating_sub(usize::from(self.missing)));
        bytes
    }
}

impl Record {
    /// Returns how many records these are.
    fn write(&self, writer: &mut Writer, fresh: usize) -> u16 {
        let ttl = match self.ttl {
            Life::Minute => 60,
            Life::Exactly(seconds) => seconds,
        };
        if let Data::Many(number) = self.data {
            let many = if number < 250 { 1 + u16::from(number) / 64 } else { 24 };
            (0..many).for_each(|one| self.one_of_many(writer, ttl, fresh * 0x100 + usize::from(one)));
            return many;
        }
        writer.name(&self.owner, fresh);
        match &self.data {
            Data::A(address) => writer.data((1, 1), ttl, |writer| writer.bytes.extend(address)),
            Data::Aaaa(address) => writer.data((28, 1), ttl, |writer| writer.bytes.extend(address)),
            Data::Cname(target) => writer.data((5, 1), ttl, |writer| writer.name(target, fresh)),
            Data::Soa(minimum) => writer.data((6, 1), ttl, |writer| {
                writer.bytes.extend([0; 18]);
                writer.bytes.extend(minimum.to_be_bytes());
            }),
            Data::Srv { priority, weight, port, target } => writer.data((33, 1), ttl, |writer| {
                writer.bytes.extend([0, *priority, 0, *weight]);
                writer.bytes.extend(port.to_be_bytes());
                writer.name(target, fresh);
            }),
            Data::Afsdb { subtype, host } => writer.data((18, 1), ttl, |writer| {
                writer.bytes.extend([0, *subtype]);
                writer.name(host, fresh);
            }),
            Data::Opt(rcode) => {
                writer.data((41, 1232), u32::from(*rcode) << 24, |_| {});
            }
            Data::Other { record_type, class, bytes } => {
                writer.data((u16::from(*record_type), u16::from(*class)), ttl, |writer| {
                    writer.bytes.extend(bytes);
                });
            }
            Data::Many(_) => {}
        }
        1
    }

    /// A record of the type that is asked for, with something of its own.
    fn one_of_many(&self, writer: &mut Writer, ttl: u32, fresh: usize) {
        let place = writer.question - 4;
        let asked = u16::from_be_bytes([writer.bytes[place], writer.bytes[place + 1]]);
        writer.name(&self.owner, fresh);
        let own = u32::try_from(fresh).unwrap_or_default();
        writer.data((asked, 1), ttl, |writer| match asked {
            1 => writer.bytes.extend(own.to_be_bytes()),
            28 => writer.bytes.extend((0x2001_0db8 << 96 | u128::from(own)).to_be_bytes()),
            33 => {
                writer.bytes.extend([0, 1, 0, 1, 0x1b, 0x5b]);
                writer.name(&Label::Fresh, fresh);
            }
            _ => {
                writer.bytes.extend([0, 1]);
                writer.name(&Label::Fresh, fresh);
            }
        });
    }
}

/// An address where one is asked for, and else a server of that name.
fn good(query: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(query, 0x8180);
    let place = writer.question - 4;
    let asked = u16::from_be_bytes([writer.bytes[place], writer.bytes[place + 1]]);
    writer.name(&Label::Question, 0);
    writer.data((asked, 1), 300, |writer| match asked {
        1 => writer.bytes.extend([192, 0, 2, 1]),
        28 => writer.bytes.extend((0x2001_0db8_u128 << 96 | 1).to_be_bytes()),
        33 => {
            writer.bytes.extend([0, 1, 0, 1, 0x1b, 0x5b]);
            writer.name(&Label::Host(0), 0);
        }
        _ => {
            writer.bytes.extend([0, 1]);
            writer.name(&Label::Host(0), 0);
        }
    });
    writer.finish([1, 0, 0])
}
