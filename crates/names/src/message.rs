//! DNS messages: encoding queries, and decoding what can be read of answers.
//!
//! Names are decoded by hickory-proto. The records are walked here, because an invalid one must not cost the others:
//! hickory's own `Message` is decoded completely or not at all.

use getrandom::u64 as random;
use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::DNSClass;
pub use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder, DecodeError};
use key::Ttl;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

/// The largest answer over UDP that we advertise: what passes everywhere unfragmented (DNS flag day 2020).
const UDP_PAYLOAD: u16 = 1232;

/// AFSDB, which hickory has no name for.
pub const AFSDB: RecordType = RecordType::Unknown(18);

/// The length of a message's header.
const HEADER: usize = 12;
/// How many pointers (RFC 1035 §4.1.4) are followed for one name, which has no more labels than that, and for all names
/// of a message. Chains of them could make each of thousands of records take as long as everything else.
const POINTERS_OF_NAME: usize = 128;
const POINTERS: usize = 1 << 14;

/// The longest name in a message in bytes, including its end (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 255;

/// The bits of a header's third and fourth byte (RFC 1035 §4.1.1).
const RESPONSE: u16 = 0x8000;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_AVAILABLE: u16 = 0x0080;
const RCODE: u16 = 0x000f;

/// One question: a name and a record type, class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name, absolute.
    pub name: Name,
    /// The record type.
    pub record_type: RecordType,
}

/// As `mon1.example. AAAA`.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As it is sent, and not in the letters that an xn-- form stands for.
        let name = self.name.to_ascii();
        match self.record_type {
            AFSDB => write!(f, "{name} AFSDB"),
            other => write!(f, "{name} {other}"),
        }
    }
}

impl Question {
    /// The question as a message with a fresh random ID, with recursion desired.
    ///
    /// # Errors
    /// If hickory can't encode the name, or the kernel has no random number.
    pub fn encode(&self, edns: bool) -> Result<Vec<u8>, String> {
        let id = random().map_err(|error| error.to_string())?;
        let [a, b, ..] = id.to_ne_bytes();
        let mut message = Message::new(u16::from_ne_bytes([a, b]), MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.record_type));
        if edns {
            let mut extension = Edns::new();
            extension.set_max_payload(UDP_PAYLOAD).set_version(0);
            message.set_edns(extension);
        }
        message.to_vec().map_err(|error| error.to_string())
    }
}

/// Response codes (RFC 1035 §4.1.1) that decide what happens next.
pub mod rcode {
    /// No error.
    pub const NOERROR: u16 = 0;
    /// The server could not interpret the query.
    pub const FORMERR: u16 = 1;
    /// The server failed.
    pub const SERVFAIL: u16 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u16 = 3;
    /// The server does not support this kind of query.
    pub const NOTIMP: u16 = 4;
    /// The server refuses.
    pub const REFUSED: u16 = 5;
    /// The server does not know our version of EDNS (RFC 6891 §6.1.3).
    pub const BADVERS: u16 = 16;

    /// Its name in messages.
    #[must_use]
    pub fn name(code: u16) -> String {
        match code {
            NOERROR => "NOERROR".to_owned(),
            FORMERR => "FORMERR".to_owned(),
            SERVFAIL => "SERVFAIL".to_owned(),
            NXDOMAIN => "NXDOMAIN".to_owned(),
            NOTIMP => "NOTIMP".to_owned(),
            REFUSED => "REFUSED".to_owned(),
            BADVERS => "BADVERS".to_owned(),
            other => format!("RCODE{other}"),
        }
    }
}

/// What could be read of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The response code, from the header and EDNS together.
    pub rcode: u16,
    /// TC: there is more, over TCP.
    pub truncated: bool,
    /// AA: the server is an authority for the name.
    pub authoritative: bool,
    /// RA: the server offers recursion.
    pub recursion_available: bool,
    /// The readable records of class IN in the answer section, in order.
    pub answers: Vec<Record>,
    /// The negative TTL of the authority section's SOA record (RFC 2308 §5).
    pub negative_ttl: Option<Ttl>,
    /// Number of answer records that could not be read.
    pub unreadable: u16,
    /// Whether the additional section has records other than EDNS's OPT.
    pub has_additional: bool,
    /// The addresses in the additional section: glue, as trustworthy as the server is for these names.
    pub glue: Vec<Record>,
    /// The server that sent it, if one was queried.
    pub server: Option<SocketAddr>,
    /// Whether an OPT record is in a section where none belongs.
    pub misplaced_opt: bool,
    /// What was odd about the server before this answer.
    pub quirks: Vec<Quirk>,
}

/// Odd behaviour of a server that costs its clients a query, time or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// It changes the letter case.
    OtherLetters,
    /// It denied a query with EDNS or random case, and answered the plain one.
    DeniesAltered,
    /// It answered a query with EDNS or random case with an error, and the plain one properly.
    FailsAltered(String),
    /// It said nothing to a query with EDNS or random case until it had answered the plain one.
    SilentToAltered,
    /// It truncated its answer, and gave no other one over TCP.
    CutOff(String),
    /// It answered after its timeout.
    Late,
}

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner.
    pub owner: Name,
    /// How long it may be kept.
    pub ttl: Ttl,
    /// Its content.
    pub data: Rdata,
}

/// The record data that lookups use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rdata {
    /// A: an IPv4 address.
    A(Ipv4Addr),
    /// AAAA: an IPv6 address.
    Aaaa(Ipv6Addr),
    /// CNAME: the owner is an alias of this name.
    Cname(Name),
    /// SOA: the negative TTL of its last field.
    Soa(u32),
    /// SRV: where a service is (RFC 2782).
    Srv {
        /// Lower ones are tried first.
        priority: u16,
        /// The share among records of one priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The host, or the root for "there is no such service".
        target: Name,
    },
    /// AFSDB: a server of a cell (RFC 1183 §1).
    Afsdb {
        /// 1 for AFS, 2 for DCE.
        subtype: u16,
        /// The host.
        host: Name,
    },
    /// Any other type.
    Other(RecordType),
}

impl Rdata {
    /// The type of the record.
    #[must_use]
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::AAAA,
            Self::Cname(_) => RecordType::CNAME,
            Self::Soa(_) => RecordType::SOA,
            Self::Srv { .. } => RecordType::SRV,
            Self::Afsdb { .. } => AFSDB,
            Self::Other(other) => *other,
        }
    }
}

/// Whether `reply` answers `query`: same ID, marked as a response, and the same single question (RFC 5452 §9.1).
/// Anything else is somebody else's, or forged.
#[must_use]
pub fn is_reply_to(query: &[u8], reply: &[u8]) -> bool {
    if repeats_question(query, reply) {
        return true;
    }
    let (Ok((ours, asked)), Ok((theirs, answered))) = (head(query), head(reply)) else {
        return false;
    };
    ours.id == theirs.id && theirs.flags & RESPONSE != 0 && asked.is_some() && asked == answered
}

/// How a message relates to a query that was sent to the message's sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Its reply, in the letter case of the query.
    Reply,
    /// A reply to the same question in a different letter case.
    OtherLetters,
    /// An error with its ID and no question, as from servers that do not parse that far.
    BareError,
    /// A response with another ID.
    WrongId,
    /// Anything else.
    Stray,
}

/// How `message` relates to `query`.
#[must_use]
pub fn relation(query: &[u8], message: &[u8]) -> Relation {
    if is_reply_to(query, message) {
        return if repeats_name(query, message) { Relation::Reply } else { Relation::OtherLetters };
    }
    let (Ok((ours, _)), Ok((theirs, _))) = (head(query), head(message)) else { return Relation::Stray };
    if theirs.flags & RESPONSE == 0 {
        return Relation::Stray;
    }
    if ours.id != theirs.id {
        return Relation::WrongId;
    }
    let bare = theirs.questions == 0 && theirs.answers == 0;
    match Response::decode(message) {
        Ok(reply) if bare && !matches!(reply.rcode, rcode::NOERROR | rcode::NXDOMAIN) => Relation::BareError,
        _ => Relation::Stray,
    }
}

/// Randomises the case of each letter in a query's name.
///
/// # Errors
/// If the kernel has no random number.
pub fn mix_case(query: &mut [u8]) -> Result<(), getrandom::Error> {
    let Some(place) = name_in(query) else { return Ok(()) };
    for letters in query.get_mut(place).unwrap_or_default().chunks_mut(64) {
        let bits = random()?;
        for (place, letter) in letters.iter_mut().enumerate() {
            if letter.is_ascii_alphabetic() && bits >> place & 1 == 1 {
                *letter ^= 0x20;
            }
        }
    }
    Ok(())
}

/// Whether the name in a reply's question has the letter case of the query's.
#[must_use]
pub fn repeats_name(query: &[u8], reply: &[u8]) -> bool {
    name_in(query).is_some_and(|place| query.get(place.clone()) == reply.get(place))
}

/// Overwrites the name in a reply's question with the query's, from which it differs only in case.
pub fn copy_name(query: &[u8], reply: &mut [u8]) {
    let Some(place) = name_in(query) else { return };
    if let (Some(from), Some(to)) = (query.get(place.clone()), reply.get_mut(place)) {
        to.copy_from_slice(from);
    }
}

/// The position of the name in a message's question, up to its end, if it is valid and not compressed, as in our own
/// messages. Labels may contain any bytes; their lengths are not letters, because no label is longer than 63 bytes.
fn name_in(message: &[u8]) -> Option<Range<usize>> {
    name_at(message, HEADER)
}

/// The same for a name that starts there.
fn name_at(message: &[u8], start: usize) -> Option<Range<usize>> {
    let mut end = start;
    loop {
        match *message.get(end)? {
            0 => return Some(start..end),
            length @ 1..=63 => end += 1 + usize::from(length),
            _ => return None,
        }
        if end - start >= LONGEST_NAME {
            return None;
        }
    }
}

/// How many more pointers may be followed in a message.
struct Pointers<'m> {
    message: &'m [u8],
    left: usize,
}

impl Pointers<'_> {
    /// Reads a name, unless it needs too many.
    fn name(&mut self, decoder: &mut BinDecoder<'_>) -> Result<Name, DecodeError> {
        let mut place = decoder.index();
        let (mut followed, mut bytes) = (0, 0);
        // Leaves invalid names for hickory to reject.
        while let Some(&length) = self.message.get(place).filter(|_| bytes < LONGEST_NAME) {
            match length {
                1..=63 => {
                    place += 1 + usize::from(length);
                    bytes += 1 + usize::from(length);
                }
                0xc0.. => {
                    let Some(&low) = self.message.get(place + 1) else { break };
                    followed += 1;
                    self.left = self
                        .left
                        .checked_sub(1)
                        .filter(|_| followed <= POINTERS_OF_NAME)
                        .ok_or_else(too_many)?;
                    place = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                }
                _ => break,
            }
        }
        Name::read(decoder)
    }
}

fn too_many() -> DecodeError {
    DecodeError::LabelBytesTooLong(POINTERS_OF_NAME)
}

/// Whether a reply answers a query byte by byte, as nearly all do: with the same ID, marked as a response, and the same
/// single question.
fn repeats_question(query: &[u8], reply: &[u8]) -> bool {
    let Some(name) = name_in(query) else { return false };
    let same =
        |place: Range<usize>| query.get(place.clone()).is_some_and(|ours| reply.get(place) == Some(ours));
    let response = reply.get(2).is_some_and(|flags| flags & 0x80 != 0);
    // With the end of the name, the type and the class.
    same(0..2) && response && reply.get(4..6) == Some(&[0, 1]) && same(4..6) && same(HEADER..name.end + 5)
}

/// An answer of which not even the header and the question can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("undecodable answer: {0}")]
pub struct Undecodable(String);

impl From<DecodeError> for Undecodable {
    fn from(error: DecodeError) -> Self {
        Self(error.to_string())
    }
}

impl Response {
    /// Decodes an answer as far as it is valid.
    ///
    /// Skips records of another class and records with malformed data, and counts the latter; a message that ends early
    /// yields what came before the end.
    ///
    /// # Errors
    /// If the header or the question can't be read.
    pub fn decode(message: &[u8]) -> Result<Self, Undecodable> {
        let mut decoder = BinDecoder::new(message);
        let header = Header::read(&mut decoder)?;
        let mut pointers = Pointers { message, left: POINTERS };
        for _ in 0..header.questions {
            question(message, &mut decoder)?;
        }
        let mut reply = Self {
            rcode: header.flags & RCODE,
            truncated: header.flags & TRUNCATED != 0,
            authoritative: header.flags & AUTHORITATIVE != 0,
            recursion_available: header.flags & RECURSION_AVAILABLE != 0,
            ..Self::default()
        };
        for number in 0..header.answers {
            match record(&mut decoder, &mut pointers) {
                Ok(Parsed::Record(record)) => reply.answers.push(record),
                Ok(Parsed::ForeignClass(record_type, _)) => {
                    reply.misplaced_opt |= record_type == RecordType::OPT;
                }
                Ok(Parsed::Unreadable) => reply.unreadable += 1,
                Err(_) => {
                    reply.unreadable += header.answers - number;
                    return Ok(reply);
                }
            }
        }
        for _ in 0..header.authorities {
            match record(&mut decoder, &mut pointers) {
                Ok(Parsed::Record(Record { ttl, data: Rdata::Soa(minimum), .. })) => {
                    reply.negative_ttl = Some(ttl.min(Ttl::from_record(minimum)));
                }
                Ok(Parsed::ForeignClass(record_type, _)) => {
                    reply.misplaced_opt |= record_type == RecordType::OPT;
                }
                Ok(_) => {}
                Err(_) => return Ok(reply),
            }
        }
        for _ in 0..header.additionals {
            match record(&mut decoder, &mut pointers) {
                // The class of an OPT record is a size, and its TTL begins with the upper bits of the
                // response code (RFC 6891 §6.1.2, §6.1.3).
                Ok(Parsed::ForeignClass(RecordType::OPT, ttl)) => {
                    let [upper, ..] = ttl.to_be_bytes();
                    reply.rcode |= u16::from(upper) << 4;
                }
                Ok(Parsed::Record(record)) if matches!(record.data, Rdata::A(_) | Rdata::Aaaa(_)) => {
                    reply.has_additional = true;
                    reply.glue.push(record);
                }
                Ok(_) => reply.has_additional = true,
                Err(_) => return Ok(reply),
            }
        }
        Ok(reply)
    }

    /// Whether it says nothing at all: no records, no authority over the name, no recursion.
    #[must_use]
    pub fn is_lame(&self) -> bool {
        self.answers.is_empty()
            && self.unreadable == 0
            && !self.authoritative
            && !self.recursion_available
            && !self.has_additional
    }

    /// Whether it is a truncated answer.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.truncated && matches!(self.rcode, rcode::NOERROR | rcode::NXDOMAIN)
    }

    /// Whether it has answer records, none of which is valid: that says nothing about the name.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.answers.is_empty() && self.unreadable > 0
    }
}

struct Header {
    id: u16,
    flags: u16,
    questions: u16,
    answers: u16,
    authorities: u16,
    additionals: u16,
}

impl Header {
    fn read(decoder: &mut BinDecoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: u16(decoder)?,
            flags: u16(decoder)?,
            questions: u16(decoder)?,
            answers: u16(decoder)?,
            authorities: u16(decoder)?,
            additionals: u16(decoder)?,
        })
    }
}

/// The header and, if it is the only one, the question: name, type and class.
fn head(message: &[u8]) -> Result<(Header, Option<Asked>), Undecodable> {
    let mut decoder = BinDecoder::new(message);
    let header = Header::read(&mut decoder)?;
    let asked = match header.questions {
        1 => Some(question(message, &mut decoder)?),
        _ => None,
    };
    Ok((header, asked))
}

/// A question as it is on the wire: name, type and class.
type Asked = (Name, u16, u16);

/// Reads a question. Its name can't be compressed: there is nothing before it to point to.
fn question(message: &[u8], decoder: &mut BinDecoder<'_>) -> Result<Asked, Undecodable> {
    if name_at(message, decoder.index()).is_none() {
        return Err(Undecodable("a question without a complete name".to_owned()));
    }
    Ok((Name::read(decoder)?, u16(decoder)?, u16(decoder)?))
}

enum Parsed {
    Record(Record),
    /// With the TTL field unchanged.
    ForeignClass(RecordType, u32),
    Unreadable,
}

/// Reads one record. An error means that the walk can't continue, because the record's end is not known.
fn record(decoder: &mut BinDecoder<'_>, pointers: &mut Pointers<'_>) -> Result<Parsed, DecodeError> {
    let owner = pointers.name(decoder)?;
    let record_type = RecordType::from(u16(decoder)?);
    let class = DNSClass::from(u16(decoder)?);
    let ttl = decoder.read_u32()?.unverified();
    let length = usize::from(u16(decoder)?);
    let start = decoder.index();
    // A decoder of its own, because names in the data may point back into the message.
    let mut data_decoder = match u16::try_from(start) {
        Ok(start) => decoder.clone(start),
        Err(_) => return Err(DecodeError::InsufficientBytes),
    };
    decoder.read_slice(length)?.unverified();
    if class != DNSClass::IN {
        return Ok(Parsed::ForeignClass(record_type, ttl));
    }
    let data = rdata(&mut data_decoder, record_type, pointers);
    Ok(match data {
        // Bytes left over or missing show that the data does not match its type.
        Ok(data) if matches!(data, Rdata::Other(_)) || data_decoder.index() == start + length => {
            Parsed::Record(Record { owner, ttl: Ttl::from_record(ttl), data })
        }
        _ => Parsed::Unreadable,
    })
}

fn rdata(
    decoder: &mut BinDecoder<'_>,
    record_type: RecordType,
    pointers: &mut Pointers<'_>,
) -> Result<Rdata, DecodeError> {
    Ok(match record_type {
        RecordType::A => Rdata::A(Ipv4Addr::from(decoder.read_u32()?.unverified())),
        RecordType::AAAA => {
            let mut address = 0_u128;
            for _ in 0..4 {
                address = (address << 32) | u128::from(decoder.read_u32()?.unverified());
            }
            Rdata::Aaaa(Ipv6Addr::from(address))
        }
        RecordType::CNAME => Rdata::Cname(pointers.name(decoder)?),
        RecordType::SOA => {
            pointers.name(decoder)?;
            pointers.name(decoder)?;
            for _ in 0..4 {
                decoder.read_u32()?.unverified();
            }
            Rdata::Soa(decoder.read_u32()?.unverified())
        }
        RecordType::SRV => Rdata::Srv {
            priority: u16(decoder)?,
            weight: u16(decoder)?,
            port: u16(decoder)?,
            target: pointers.name(decoder)?,
        },
        // RFC 3597 §4: the name may be compressed, although new types' must not be.
        AFSDB => Rdata::Afsdb { subtype: u16(decoder)?, host: pointers.name(decoder)? },
        other => Rdata::Other(other),
    })
}

/// The number itself: every value of these fields is meaningful.
fn u16(decoder: &mut BinDecoder<'_>) -> Result<u16, DecodeError> {
    Ok(decoder.read_u16()?.unverified())
}

#[cfg(test)]
mod tests;
