//! What a server in a table does with a query.

use super::message::{RecordText, ReplyWriter};
use super::servers::{Asked, Deed, Reaction};
use crate::dns::Protocol;
use crate::message::{RecordType, rcode};
use std::io;
use std::time::Duration;

/// A response to a query for which recursion was desired.
const RESPONSE: u16 = 0x8100;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_AVAILABLE: u16 = 0x0080;

/// What a server does with a query: silence, an error, or a reply, which further calls modify.
#[derive(Clone, Debug)]
pub struct Act {
    delay: Duration,
    answer: Answer,
    then: Option<Box<Act>>,
}

#[derive(Clone, Debug)]
enum Answer {
    Silence,
    Error(io::ErrorKind),
    Reply(Response),
}

#[derive(Clone, Debug, Default)]
struct Response {
    flags: u16,
    rcode: u16,
    /// The answer, authority and additional sections.
    sections: [Vec<String>; 3],
    lower_case: bool,
    /// Over UDP, only the question, and truncated.
    cut_off: bool,
    /// Over UDP, with its records, and truncated.
    more_by_tcp: bool,
    wrong_id: u16,
    bare: bool,
    opt_in_answer: bool,
    missing: usize,
}

impl Act {
    fn of(answer: Answer) -> Self {
        Self { delay: Duration::ZERO, answer, then: None }
    }

    /// It is silent.
    #[must_use]
    pub fn silence() -> Self {
        Self::of(Answer::Silence)
    }

    /// The exchange fails with an error of this kind.
    #[must_use]
    pub fn error(kind: io::ErrorKind) -> Self {
        Self::of(Answer::Error(kind))
    }

    /// A recursive server's reply with this code and no records.
    #[must_use]
    pub fn rcode(rcode: u16) -> Self {
        Self::of(Answer::Reply(Response { flags: RECURSION_AVAILABLE, rcode, ..Response::default() }))
    }

    /// One with these records for an answer, each as text: `OWNER TTL TYPE DATA`.
    ///
    /// The data of A, AAAA, CNAME, SRV and AFSDB is as in a zone file, of SOA the last number alone, and of these and
    /// any other type as `\# LENGTH HEX` (RFC 3597 §5).
    #[must_use]
    pub fn answer(records: &[&str]) -> Self {
        Self::rcode(rcode::NOERROR).answering(records)
    }

    /// One that says for how long there is no such name.
    #[must_use]
    pub fn no_such_name(ttl: u16) -> Self {
        Self::rcode(rcode::NXDOMAIN).soa(ttl)
    }

    /// One that says for how long the name has no such record.
    #[must_use]
    pub fn no_data(ttl: u16) -> Self {
        Self::rcode(rcode::NOERROR).soa(ttl)
    }

    /// One that says nothing at all: neither an authority for the name nor recursive.
    #[must_use]
    pub fn lame() -> Self {
        Self::of(Answer::Reply(Response::default()))
    }

    /// With an SOA record whose negative TTL is this.
    #[must_use]
    pub fn soa(self, ttl: u16) -> Self {
        self.with(1, &[&format!(". 86400 SOA {ttl}")])
    }

    /// With these records for an answer.
    #[must_use]
    pub fn answering(self, records: &[&str]) -> Self {
        self.with(0, records)
    }

    /// With additional records.
    #[must_use]
    pub fn additional(self, records: &[&str]) -> Self {
        self.with(2, records)
    }

    /// By an authority for the name.
    #[must_use]
    pub fn authoritative(self) -> Self {
        self.change(|reply| reply.flags |= AUTHORITATIVE)
    }

    /// This many milliseconds later.
    #[must_use]
    pub fn after(mut self, milliseconds: u64) -> Self {
        self.delay = Duration::from_millis(milliseconds);
        self
    }

    /// Truncated, over TCP as well.
    #[must_use]
    pub fn truncated(self) -> Self {
        self.change(|reply| reply.flags |= TRUNCATED)
    }

    /// Truncated over UDP, with these records left.
    #[must_use]
    pub fn more_by_tcp(self) -> Self {
        self.change(|reply| reply.more_by_tcp = true)
    }

    /// Truncated over UDP, without any records.
    #[must_use]
    pub fn cut_off(self) -> Self {
        self.change(|reply| reply.cut_off = true)
    }

    /// And after it, this.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        let next = match self.then.take() {
            Some(then) => then.then(next),
            None => next,
        };
        Self { then: Some(Box::new(next)), ..self }
    }

    /// With an ID that is greater by this much.
    #[must_use]
    pub fn wrong_id(self, by: u16) -> Self {
        self.change(|reply| reply.wrong_id = by)
    }

    /// The header alone, with no question.
    #[must_use]
    pub fn bare(self) -> Self {
        self.change(|reply| reply.bare = true)
    }

    /// With EDNS's OPT record as the first of the answer section.
    #[must_use]
    pub fn opt_in_answer(self) -> Self {
        self.change(|reply| reply.opt_in_answer = true)
    }

    /// With the question in lower case.
    #[must_use]
    pub fn lower_case(self) -> Self {
        self.change(|reply| reply.lower_case = true)
    }

    /// This many bytes short.
    #[must_use]
    pub fn missing(self, bytes: usize) -> Self {
        self.change(|reply| reply.missing = bytes)
    }

    fn with(self, section: usize, records: &[&str]) -> Self {
        self.change(|reply| {
            if let Some(section) = reply.sections.get_mut(section) {
                section.extend(records.iter().map(|&record| record.to_owned()));
            }
        })
    }

    fn change(mut self, change: impl FnOnce(&mut Response)) -> Self {
        match &mut self.answer {
            Answer::Reply(reply) => change(reply),
            Answer::Silence | Answer::Error(_) => panic!("only a reply can be another one"),
        }
        self
    }

    pub(super) fn react(&self, asked: &Asked) -> Reaction {
        let deed = match &self.answer {
            Answer::Silence => Deed::Silence,
            Answer::Error(kind) => Deed::Error(*kind),
            Answer::Reply(reply) => Deed::Reply(reply.write(asked)),
        };
        let then = self.then.as_ref().map(|then| Box::new(then.react(asked)));
        Reaction { delay: self.delay, deed, then }
    }
}

impl Response {
    fn write(&self, asked: &Asked) -> Vec<u8> {
        let cut_off = self.cut_off && asked.protocol == Protocol::Udp;
        let more = self.more_by_tcp && asked.protocol == Protocol::Udp;
        let truncated = if cut_off || more { TRUNCATED } else { 0 };
        let mut writer = ReplyWriter::new(&asked.query, RESPONSE | self.flags | truncated | self.rcode & 0xf);
        if self.lower_case {
            writer.lower_case();
        }
        let mut counts = [0; 3];
        if self.opt_in_answer {
            writer.name(".");
            writer.record(RecordType::OPT.into(), 1232, 0, |_| {});
            counts[0] += 1;
        }
        for (count, section) in counts.iter_mut().zip(&self.sections).filter(|_| !cut_off) {
            for record in section {
                RecordText(record).write(&mut writer);
                *count += 1;
            }
        }
        if self.rcode > 0xf {
            // The upper bits of the code are in an OPT record (RFC 6891 §6.1.3).
            writer.name(".");
            writer.record(RecordType::OPT.into(), 1232, u32::from(self.rcode >> 4) << 24, |_| {});
            counts[2] += 1;
        }
        let mut bytes = writer.finish(counts);
        bytes.truncate(bytes.len().saturating_sub(self.missing));
        if self.bare {
            bytes.truncate(12);
            bytes.splice(4.., [0; 8]);
        }
        if let [high, low, ..] = bytes.as_mut_slice() {
            [*high, *low] = u16::from_be_bytes([*high, *low]).wrapping_add(self.wrong_id).to_be_bytes();
        }
        bytes
    }
}
