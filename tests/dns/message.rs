//! Replies, right or wrong (RFC 1035 §4.1).

use std::collections::HashMap;

use super::record::{Part, Record};
use super::wire::{Edns, Name, Query, qtype};

/// Bits of the header's flags.
pub mod flag {
    /// A reply.
    pub const QR: u16 = 0x8000;
    /// Authoritative.
    pub const AA: u16 = 0x0400;
    /// Truncated.
    pub const TC: u16 = 0x0200;
    /// Recursion desired.
    pub const RD: u16 = 0x0100;
    /// Recursion available.
    pub const RA: u16 = 0x0080;
    /// Authentic data (RFC 4035).
    pub const AD: u16 = 0x0020;
    /// Checking disabled (RFC 4035).
    pub const CD: u16 = 0x0010;
}

#[derive(Clone, Debug, Default)]
enum Field<T> {
    /// As the query has it.
    #[default]
    Echo,
    None,
    Instead(T),
}

/// A reply. Unless told otherwise it takes its id, opcode, RD and question from
/// the query, has QR and RA set, and an OPT if the query has one.
#[derive(Clone, Debug, Default)]
pub struct Message {
    id: Option<u16>,
    set: u16,
    clear: u16,
    rcode: u16,
    question: Field<(Name, u16, u16)>,
    sections: [Vec<Record>; 3],
    opt: Field<Edns>,
    counts: [Option<u16>; 4],
    tail: Vec<u8>,
    whole: bool,
}

impl Message {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn answer(mut self, record: Record) -> Self {
        self.sections[0].push(record);
        self
    }

    #[must_use]
    pub fn authority(mut self, record: Record) -> Self {
        self.sections[1].push(record);
        self
    }

    #[must_use]
    pub fn additional(mut self, record: Record) -> Self {
        self.sections[2].push(record);
        self
    }

    /// Above 15 only its low four bits are sent where there is no OPT.
    #[must_use]
    pub fn rcode(mut self, rcode: u16) -> Self {
        self.rcode = rcode;
        self
    }

    /// Sets these bits of [`flag`].
    #[must_use]
    pub fn set(mut self, flags: u16) -> Self {
        self.set |= flags;
        self
    }

    /// Clears these bits of [`flag`], QR and RA among them.
    #[must_use]
    pub fn clear(mut self, flags: u16) -> Self {
        self.clear |= flags;
        self
    }

    /// This id in place of the query's.
    #[must_use]
    pub fn id(mut self, id: u16) -> Self {
        self.id = Some(id);
        self
    }

    /// This question in place of the query's.
    #[must_use]
    pub fn question(mut self, qname: impl Into<Name>, qtype: u16, qclass: u16) -> Self {
        self.question = Field::Instead((qname.into(), qtype, qclass));
        self
    }

    #[must_use]
    pub fn no_question(mut self) -> Self {
        self.question = Field::None;
        self
    }

    /// This OPT, also where the query has none.
    #[must_use]
    pub fn edns(mut self, edns: Edns) -> Self {
        self.opt = Field::Instead(edns);
        self
    }

    #[must_use]
    pub fn no_edns(mut self) -> Self {
        self.opt = Field::None;
        self
    }

    /// Writes `count` for section 0 (question) to 3 (additional), whatever it has.
    #[must_use]
    pub fn count(mut self, section: usize, count: u16) -> Self {
        self.counts[section] = Some(count);
        self
    }

    /// Bytes after the last record.
    #[must_use]
    pub fn tail(mut self, tail: impl Into<Vec<u8>>) -> Self {
        self.tail = tail.into();
        self
    }

    /// Is never truncated, however little the client takes.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// The reply to `query` in `limit` bytes. Records that go over it are left
    /// out and TC is set, but for additional ones (RFC 2181 §9).
    pub fn encode(&self, query: &Query, limit: usize) -> Vec<u8> {
        let question = match &self.question {
            Field::Echo => Some((query.qname.clone(), query.qtype, query.qclass)),
            Field::None => None,
            Field::Instead(question) => Some(question.clone()),
        };
        let opt = match &self.opt {
            Field::Echo => {
                query.edns.as_ref().map(|theirs| Edns { dnssec_ok: theirs.dnssec_ok, ..Edns::new(1232) })
            }
            Field::None => None,
            Field::Instead(opt) => Some(opt.clone()),
        };
        let opt_len = opt.as_ref().map_or(0, |opt| 11 + opt.options.len());
        let limit = if self.whole { usize::MAX } else { limit };
        let room = limit.saturating_sub(opt_len);

        let mut writer = Writer::default();
        writer.bytes(&[0; 12]);
        let mut counts = [u16::from(question.is_some()), 0, 0, 0];
        if let Some((qname, qtype, qclass)) = question {
            writer.name(&qname, false);
            writer.u16(qtype);
            writer.u16(qclass);
        }
        let mut full = false;
        let mut flags = flag::QR | flag::RA | query.flags & (0x7800 | flag::RD);
        for (section, records) in self.sections.iter().enumerate() {
            for record in records {
                let mark = writer.buf.len();
                if !full {
                    writer.record(record);
                    counts[section + 1] += 1;
                }
                if writer.buf.len() > room {
                    writer.buf.truncate(mark);
                    counts[section + 1] -= 1;
                    full = true;
                    flags |= if section < 2 { flag::TC } else { 0 };
                }
            }
        }
        if let Some(opt) = opt {
            let ttl = u32::from(self.rcode >> 4) << 24
                | u32::from(opt.version) << 16
                | u32::from(opt.dnssec_ok) << 15;
            let record = Record::new(Name::root(), qtype::OPT, ttl, [Part::Bytes(opt.options)]);
            writer.record(&record.class(opt.size));
            counts[3] += 1;
        }
        flags = (flags | self.set) & !self.clear | self.rcode & 0xf;
        writer.put(0, self.id.unwrap_or(query.id));
        writer.put(2, flags);
        for (i, count) in counts.into_iter().enumerate() {
            writer.put(4 + 2 * i, self.counts[i].unwrap_or(count));
        }
        writer.bytes(&self.tail);
        writer.buf
    }
}

#[derive(Default)]
struct Writer {
    buf: Vec<u8>,
    /// Where a name, in lower case, has been written.
    names: HashMap<Name, u16>,
}

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    fn put(&mut self, at: usize, value: u16) {
        self.buf[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }

    fn name(&mut self, name: &Name, pack: bool) {
        for (i, label) in name.labels().iter().enumerate() {
            let rest = name.skip(i).lower();
            if let Some(&offset) = self.names.get(&rest).filter(|_| pack) {
                return self.u16(0xc000 | offset);
            }
            if let Ok(offset @ ..0x4000) = u16::try_from(self.buf.len()) {
                self.names.entry(rest).or_insert(offset);
            }
            self.bytes(&[label.len() as u8]);
            self.bytes(label);
        }
        self.bytes(&[0]);
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Bytes(bytes) => self.bytes(bytes),
            Part::Name(name) => self.name(name, false),
            Part::Packed(name) => self.name(name, true),
            Part::Pointer(offset) => self.u16(0xc000 | offset),
            Part::Here(ahead) => {
                let here = u16::try_from(self.buf.len()).unwrap();
                self.u16(0xc000 | here.checked_add_signed(*ahead).unwrap());
            }
        }
    }

    fn record(&mut self, record: &Record) {
        record.owner.iter().for_each(|part| self.part(part));
        self.u16(record.rtype);
        self.u16(record.class);
        self.bytes(&record.ttl.to_be_bytes());
        let at = self.buf.len();
        self.u16(0);
        record.rdata.iter().for_each(|part| self.part(part));
        if let Some(len) = record.cut {
            let end = at + 2 + len;
            self.buf.truncate(end);
            self.names.retain(|_, offset| usize::from(*offset) < end);
        }
        let rdlength = (self.buf.len() - at - 2) as u16;
        self.put(at, record.rdlength.unwrap_or(rdlength));
    }
}
