//! Replies, byte by byte: valid ones from records as text, and invalid ones by hand.

use crate::message::{AFSDB, RecordType};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The length of a message's header.
const HEADER: usize = 12;
/// The class of the Internet.
const IN: u16 = 1;

/// A reply under construction: the header of its query, the question, and what is written after it.
#[derive(Clone, Debug)]
pub struct ReplyWriter {
    /// The message so far.
    pub bytes: Vec<u8>,
    asked_type: u16,
}

impl ReplyWriter {
    /// The beginning of a reply to `query`, with these flags and response code: the header's second 16 bits.
    ///
    /// # Panics
    /// If the query has no question.
    #[must_use]
    pub fn new(query: &[u8], flags: u16) -> Self {
        let end = question_end(query).expect("a query has a question");
        let mut bytes = query.get(..end).expect("it ends in the query").to_vec();
        let [.., high, low, _, _] = bytes.as_slice() else { panic!("a question has a type and a class") };
        let asked_type = u16::from_be_bytes([*high, *low]);
        bytes.splice(2..4, flags.to_be_bytes());
        Self { bytes, asked_type }
    }

    /// The record type in the question.
    #[must_use]
    pub fn asked_type(&self) -> u16 {
        self.asked_type
    }

    /// Converts what is written so far to lower case, except the header.
    pub fn lower_case(&mut self) {
        self.bytes.iter_mut().skip(HEADER).for_each(u8::make_ascii_lowercase);
    }

    /// Adds a pointer to the question's name.
    pub fn asked_name(&mut self) {
        self.bytes.extend([0xc0, 12]);
    }

    /// Adds a name, absolute and uncompressed. Its labels may contain anything but dots.
    ///
    /// # Panics
    /// If a label is longer than 255 bytes.
    pub fn name(&mut self, name: &str) {
        for label in name.split('.').filter(|label| !label.is_empty()) {
            self.bytes.push(u8::try_from(label.len()).expect("a label is short"));
            self.bytes.extend(label.bytes());
        }
        self.bytes.push(0);
    }

    /// Adds what follows a record's owner: type, class and TTL, and the data that `data` adds, after its length.
    pub fn record(&mut self, record_type: u16, class: u16, ttl: u32, data: impl FnOnce(&mut Self)) {
        self.bytes.extend(record_type.to_be_bytes());
        self.bytes.extend(class.to_be_bytes());
        self.bytes.extend(ttl.to_be_bytes());
        let start = self.bytes.len();
        self.bytes.extend([0, 0]);
        data(self);
        let length = u16::try_from(self.bytes.len() - start - 2).unwrap_or(u16::MAX);
        self.bytes.splice(start..start + 2, length.to_be_bytes());
    }

    /// The message, with one question and so many answers, authorities and additional records.
    #[must_use]
    pub fn finish(mut self, counts: [u16; 3]) -> Vec<u8> {
        let counts = [1, counts[0], counts[1], counts[2]];
        self.bytes.splice(4..HEADER, counts.into_iter().flat_map(u16::to_be_bytes));
        self.bytes
    }
}

/// Where the question of a query ends, whose name is not compressed.
fn question_end(query: &[u8]) -> Option<usize> {
    let mut end = HEADER;
    loop {
        match *query.get(end)? {
            0 => return Some(end + 5).filter(|end| *end <= query.len()),
            length => end += 1 + usize::from(length),
        }
    }
}

/// A record as text, `OWNER TTL TYPE DATA`: the data of A, AAAA, CNAME, SRV and AFSDB as in a zone file, of SOA the
/// last number alone, and of these and any other type as `\# LENGTH HEX` (RFC 3597 §5).
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordText<'a>(pub(super) &'a str);

impl RecordText<'_> {
    /// Adds the record to a reply.
    pub(super) fn write(self, reply: &mut ReplyWriter) {
        let words: Vec<&str> = self.0.split_whitespace().collect();
        let [owner, ttl, record_type, data @ ..] = words.as_slice() else { self.senseless() };
        let number = |word: &str| -> u16 { word.parse().unwrap_or_else(|_| self.senseless()) };
        let ttl = ttl.parse().unwrap_or_else(|_| self.senseless());
        reply.name(owner);
        let kind = record_type_of(record_type).unwrap_or_else(|| self.senseless());
        reply.record(kind.into(), IN, ttl, |reply| match (kind, data) {
            (_, ["\\#", length, hex @ ..]) => {
                let hex = hex.concat();
                let byte = |place| hex.get(place..place + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
                let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
                let bytes = bytes.filter(|bytes| bytes.len() == usize::from(number(length)));
                reply.bytes.extend(bytes.unwrap_or_else(|| self.senseless()));
            }
            (RecordType::A, [address]) => {
                let address: Ipv4Addr = address.parse().unwrap_or_else(|_| self.senseless());
                reply.bytes.extend(address.octets());
            }
            (RecordType::AAAA, [address]) => {
                let address: Ipv6Addr = address.parse().unwrap_or_else(|_| self.senseless());
                reply.bytes.extend(address.octets());
            }
            (RecordType::CNAME, [target]) => reply.name(target),
            (RecordType::SOA, [minimum]) => {
                // Two names, which are the root, and four numbers.
                reply.bytes.extend([0; 2 + 4 * 4]);
                reply.bytes.extend(u32::from(number(minimum)).to_be_bytes());
            }
            (RecordType::SRV, [numbers @ .., target]) if numbers.len() == 3 => {
                reply.bytes.extend(numbers.iter().flat_map(|word| number(word).to_be_bytes()));
                reply.name(target);
            }
            (AFSDB, [subtype, host]) => {
                reply.bytes.extend(number(subtype).to_be_bytes());
                reply.name(host);
            }
            _ => self.senseless(),
        });
    }

    fn senseless(self) -> ! {
        panic!("{:?} is no record", self.0)
    }
}

/// A record type by its name.
pub(super) fn record_type_of(name: &str) -> Option<RecordType> {
    match name {
        "AFSDB" => Some(AFSDB),
        other => other.parse().ok(),
    }
}
