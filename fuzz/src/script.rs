//! Name servers that follow the input.

use arbitrary::{Arbitrary, Unstructured};
use hickory_resolver::proto::rr::Name;
use names::dns::Protocol;
use names::script::{Asked, Deed, Reaction, ReplyWriter, Script, Servers};
use std::collections::HashSet;
use std::io;
use std::time::Duration;

/// What is done with one query.
#[derive(Arbitrary, Clone, Debug)]
pub(crate) struct Act {
    /// When, in units of 16 ms.
    delay: u8,
    choice: Choice,
}

#[derive(Arbitrary, Clone, Debug)]
enum Choice {
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
    ttl: RecordTtl,
    data: Data,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum RecordTtl {
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
pub(crate) struct Acts(Vec<Act>);

impl Acts {
    pub(crate) fn new(input: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let mut acts: Vec<Act> = Vec::arbitrary(input)?;
        if acts.is_empty() {
            acts.push(Act { delay: 0, choice: Choice::Good });
        }
        Ok(Self(acts))
    }
}

impl Servers for Acts {
    fn react(&self, asked: &Asked, number: usize) -> Reaction {
        if number >= PATIENCE {
            return Reaction {
                delay: Duration::ZERO,
                deed: Deed::Error(io::ErrorKind::ConnectionRefused),
                then: None,
            };
        }
        let Act { delay, choice } = &self.0[number % self.0.len()];
        let query = asked.query.as_slice();
        let deed = match choice {
            Choice::Silence => Deed::Silence,
            Choice::Error(broken) => Deed::Error(match broken {
                Broken::Refused => io::ErrorKind::ConnectionRefused,
                Broken::Unreachable => io::ErrorKind::NetworkUnreachable,
                Broken::Closed => io::ErrorKind::UnexpectedEof,
                Broken::TimedOut => io::ErrorKind::TimedOut,
            }),
            Choice::Bytes(bytes) => Deed::Reply(bytes.clone()),
            Choice::Patched { flags, counts, bytes } => {
                let mut writer = ReplyWriter::new(query, *flags | 0x8000);
                writer.bytes.extend(bytes);
                Deed::Reply(writer.finish(counts.map(u16::from)))
            }
            Choice::Message(message) => Deed::Reply(message.write(query, asked.protocol, number)),
            Choice::Good => Deed::Reply(good(query)),
        };
        Reaction { delay: Duration::from_millis(16 * u64::from(*delay)), deed, then: None }
    }
}

/// The names that were asked for, each once.
pub(crate) fn asked_names(script: &Script<Acts>) -> HashSet<Name> {
    script.asked().into_iter().map(|asked| asked.question.name).collect()
}

impl Label {
    fn write(&self, writer: &mut ReplyWriter, fresh: usize) {
        let host = |number: u8| [b'h', b'a' + number % 4];
        match self {
            Self::Question => writer.asked_name(),
            Self::Below(number) => {
                writer.bytes.push(2);
                writer.bytes.extend(host(*number));
                writer.asked_name();
            }
            Self::Host(number) => {
                writer.bytes.push(2);
                writer.bytes.extend(host(*number));
                writer.bytes.extend(b"\x04test\0");
            }
            Self::Fresh => writer.name(&format!("f{fresh}.test.")),
            Self::Root => writer.name("."),
            Self::Pointer(place) => writer.bytes.extend((0xc000 | place).to_be_bytes()),
            Self::Bytes(bytes) => writer.bytes.extend(bytes),
        }
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
        let mut writer = ReplyWriter::new(query, flags);
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
    fn write(&self, writer: &mut ReplyWriter, fresh: usize) -> u16 {
        let ttl = match self.ttl {
            RecordTtl::Minute => 60,
            RecordTtl::Exactly(seconds) => seconds,
        };
        if let Data::Many(number) = self.data {
            let many = if number < 250 { 1 + u16::from(number) / 64 } else { 24 };
            (0..many).for_each(|one| self.one_of_many(writer, ttl, fresh * 0x100 + usize::from(one)));
            return many;
        }
        self.owner.write(writer, fresh);
        match &self.data {
            Data::A(address) => writer.record(1, 1, ttl, |writer| writer.bytes.extend(address)),
            Data::Aaaa(address) => writer.record(28, 1, ttl, |writer| writer.bytes.extend(address)),
            Data::Cname(target) => writer.record(5, 1, ttl, |writer| target.write(writer, fresh)),
            Data::Soa(minimum) => writer.record(6, 1, ttl, |writer| {
                writer.bytes.extend([0; 18]);
                writer.bytes.extend(minimum.to_be_bytes());
            }),
            Data::Srv { priority, weight, port, target } => writer.record(33, 1, ttl, |writer| {
                writer.bytes.extend([0, *priority, 0, *weight]);
                writer.bytes.extend(port.to_be_bytes());
                target.write(writer, fresh);
            }),
            Data::Afsdb { subtype, host } => writer.record(18, 1, ttl, |writer| {
                writer.bytes.extend([0, *subtype]);
                host.write(writer, fresh);
            }),
            Data::Opt(rcode) => {
                writer.record(41, 1232, u32::from(*rcode) << 24, |_| {});
            }
            Data::Other { record_type, class, bytes } => {
                writer.record(u16::from(*record_type), u16::from(*class), ttl, |writer| {
                    writer.bytes.extend(bytes);
                });
            }
            Data::Many(_) => {}
        }
        1
    }

    /// A record of the type that is asked for, with something of its own.
    fn one_of_many(&self, writer: &mut ReplyWriter, ttl: u32, fresh: usize) {
        let asked = writer.asked_type();
        self.owner.write(writer, fresh);
        let own = u32::try_from(fresh).unwrap_or_default();
        writer.record(asked, 1, ttl, |writer| match asked {
            1 => writer.bytes.extend(own.to_be_bytes()),
            28 => writer.bytes.extend((0x2001_0db8 << 96 | u128::from(own)).to_be_bytes()),
            33 => {
                writer.bytes.extend([0, 1, 0, 1, 0x1b, 0x5b]);
                Label::Fresh.write(writer, fresh);
            }
            _ => {
                writer.bytes.extend([0, 1]);
                Label::Fresh.write(writer, fresh);
            }
        });
    }
}

/// An address where one is asked for, and else a server of that name.
fn good(query: &[u8]) -> Vec<u8> {
    let mut writer = ReplyWriter::new(query, 0x8180);
    let asked = writer.asked_type();
    Label::Question.write(&mut writer, 0);
    writer.record(asked, 1, 300, |writer| match asked {
        1 => writer.bytes.extend([192, 0, 2, 1]),
        28 => writer.bytes.extend((0x2001_0db8_u128 << 96 | 1).to_be_bytes()),
        33 => {
            writer.bytes.extend([0, 1, 0, 1, 0x1b, 0x5b]);
            Label::Host(0).write(writer, 0);
        }
        _ => {
            writer.bytes.extend([0, 1]);
            Label::Host(0).write(writer, 0);
        }
    });
    writer.finish([1, 0, 0])
}
