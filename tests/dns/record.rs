//! Resource records, right or wrong (RFC 1035 §3.2).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::wire::{Name, class, qtype};

/// A piece of an owner name or of rdata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Bytes(Vec<u8>),
    /// A name in full.
    Name(Name),
    /// A name that may end in a pointer to an earlier one (RFC 1035 §4.1.4).
    Packed(Name),
    /// A pointer to this offset of the message.
    Pointer(u16),
    /// A pointer to so many bytes after its own first byte: 0 is a loop.
    Here(i16),
}

/// A resource record. What it says need not be true, or make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub owner: Vec<Part>,
    pub rtype: u16,
    pub class: u16,
    /// All 32 bits as they are (RFC 2181 §8 has the top one clear).
    pub ttl: u32,
    pub rdata: Vec<Part>,
    /// The rdlength to write in place of the true one.
    pub rdlength: Option<u16>,
    /// The rdata is cut to this many bytes.
    pub cut: Option<usize>,
}

impl Record {
    /// Any record of class IN.
    pub fn new(owner: impl Into<Name>, rtype: u16, ttl: u32, rdata: impl IntoIterator<Item = Part>) -> Self {
        Self {
            owner: vec![Part::Packed(owner.into())],
            rtype,
            class: class::IN,
            ttl,
            rdata: rdata.into_iter().collect(),
            rdlength: None,
            cut: None,
        }
    }

    pub fn a(owner: impl Into<Name>, address: impl Into<Ipv4Addr>, ttl: u32) -> Self {
        let octets = address.into().octets();
        Self::new(owner, qtype::A, ttl, [Part::Bytes(octets.to_vec())])
    }

    pub fn aaaa(owner: impl Into<Name>, address: impl Into<Ipv6Addr>, ttl: u32) -> Self {
        let octets = address.into().octets();
        Self::new(owner, qtype::AAAA, ttl, [Part::Bytes(octets.to_vec())])
    }

    pub fn cname(owner: impl Into<Name>, target: impl Into<Name>, ttl: u32) -> Self {
        Self::new(owner, qtype::CNAME, ttl, [Part::Packed(target.into())])
    }

    pub fn ns(owner: impl Into<Name>, host: impl Into<Name>, ttl: u32) -> Self {
        Self::new(owner, qtype::NS, ttl, [Part::Packed(host.into())])
    }

    /// The target is written in full, as RFC 2782 has it; see [`Record::packed`].
    pub fn srv(
        owner: impl Into<Name>,
        priority: u16,
        weight: u16,
        port: u16,
        target: impl Into<Name>,
        ttl: u32,
    ) -> Self {
        let numbers = [priority, weight, port].map(u16::to_be_bytes).concat();
        let rdata = [Part::Bytes(numbers), Part::Name(target.into())];
        Self::new(owner, qtype::SRV, ttl, rdata)
    }

    /// Subtype 1 is an AFS cell database server, 2 a DCE one (RFC 1183 §1); the
    /// host is written in full (RFC 3597 §4); see [`Record::packed`].
    pub fn afsdb(owner: impl Into<Name>, subtype: u16, host: impl Into<Name>, ttl: u32) -> Self {
        let subtype = Part::Bytes(subtype.to_be_bytes().to_vec());
        Self::new(owner, qtype::AFSDB, ttl, [subtype, Part::Name(host.into())])
    }

    /// One character-string for each 255 bytes of `text`.
    pub fn txt(owner: impl Into<Name>, text: impl AsRef<[u8]>, ttl: u32) -> Self {
        let text = text.as_ref();
        let chunks = text.chunks(255).chain(text.is_empty().then_some(&[][..]));
        let strings = chunks.flat_map(|c| [&[c.len() as u8], c].concat());
        Self::new(owner, qtype::TXT, ttl, [Part::Bytes(strings.collect())])
    }

    /// Serial 1, and the usual times.
    pub fn soa(zone: impl Into<Name>, minimum: u32, ttl: u32) -> Self {
        let zone = zone.into();
        let names = ["ns", "hostmaster"].map(|n| Part::Packed(Name::parse(n).under(&zone)));
        let numbers = [1, 7200, 3600, 1_209_600, minimum].map(u32::to_be_bytes);
        let rdata = names.into_iter().chain([Part::Bytes(numbers.concat())]);
        Self::new(zone, qtype::SOA, ttl, rdata)
    }

    #[must_use]
    pub fn class(mut self, class: u16) -> Self {
        self.class = class;
        self
    }

    /// Writes this rdlength, whatever the rdata is.
    #[must_use]
    pub fn rdlength(mut self, rdlength: u16) -> Self {
        self.rdlength = Some(rdlength);
        self
    }

    /// Cuts the rdata to `len` bytes, and the rdlength with it.
    #[must_use]
    pub fn cut(mut self, len: usize) -> Self {
        self.cut = Some(len);
        self
    }

    /// Compresses the names in the rdata, also where the type forbids it.
    #[must_use]
    pub fn packed(mut self) -> Self {
        for part in &mut self.rdata {
            if let Part::Name(name) = part {
                *part = Part::Packed(std::mem::take(name));
            }
        }
        self
    }

    /// Puts anything where the owner name goes.
    #[must_use]
    pub fn owner_parts(mut self, owner: impl IntoIterator<Item = Part>) -> Self {
        self.owner = owner.into_iter().collect();
        self
    }

    /// The first name in the rdata: a CNAME's, SRV's or AFSDB's target.
    pub fn target(&self) -> Option<&Name> {
        self.rdata.iter().find_map(|part| match part {
            Part::Name(name) | Part::Packed(name) => Some(name),
            _ => None,
        })
    }
}
