//! A zone's records, and the answers a server that has it would give.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::message::{Message, flag};
use super::record::Record;
use super::wire::{Name, Query, class, qtype, rcode};

/// A zone (RFC 1034 §4.2).
///
/// Names are as in a zone file: `@` is the origin, those that end in a dot are
/// complete, and the others, targets too, have the origin after them.
///
/// Names are compared case-blind. CNAMEs are followed into any zone of the
/// server; a chain that leaves them, or loops, ends there. There are no
/// wildcards, delegations or DNAMEs.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: Name,
    soa_minimum: u32,
    soa_ttl: u32,
    negative_soa: bool,
    glue: bool,
    /// By the name in lower case; the names between a record's and the origin are
    /// there too, with no records (RFC 8020).
    nodes: BTreeMap<Name, Vec<Record>>,
}

impl Zone {
    /// With a SOA only, whose TTL and minimum are 300.
    pub fn new(origin: impl Into<Name>) -> Self {
        let origin = origin.into();
        Self {
            soa_minimum: 300,
            soa_ttl: 300,
            negative_soa: true,
            glue: false,
            nodes: [(origin.lower(), Vec::new())].into(),
            origin,
        }
    }

    /// From zone-file text (RFC 1035 §5): `$ORIGIN` first, then `$TTL` and
    /// records of the types this builder has, of class IN. A line that starts with
    /// a space is for the last line's owner. Errors tell the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        super::zonefile::parse(text)
    }

    /// The SOA's TTL and minimum: a negative answer is kept for the lesser of
    /// them (RFC 2308 §5). The SOA is sent as it is.
    #[must_use]
    pub fn soa(mut self, ttl: u32, minimum: u32) -> Self {
        (self.soa_ttl, self.soa_minimum) = (ttl, minimum);
        self
    }

    /// Negative answers come without the SOA, so they are not to be kept.
    #[must_use]
    pub fn without_negative_soa(mut self) -> Self {
        self.negative_soa = false;
        self
    }

    /// Puts the addresses of the answer's targets in the additional section.
    #[must_use]
    pub fn with_glue(mut self) -> Self {
        self.glue = true;
        self
    }

    #[must_use]
    pub fn a(self, name: &str, address: impl Into<Ipv4Addr>, ttl: u32) -> Self {
        self.record(name, |owner| Record::a(owner, address, ttl))
    }

    #[must_use]
    pub fn aaaa(self, name: &str, address: impl Into<Ipv6Addr>, ttl: u32) -> Self {
        self.record(name, |owner| Record::aaaa(owner, address, ttl))
    }

    #[must_use]
    pub fn cname(self, name: &str, target: &str, ttl: u32) -> Self {
        let target = self.full(target);
        self.record(name, |owner| Record::cname(owner, target, ttl))
    }

    #[must_use]
    pub fn ns(self, name: &str, host: &str, ttl: u32) -> Self {
        let host = self.full(host);
        self.record(name, |owner| Record::ns(owner, host, ttl))
    }

    /// RFC 2782; for AFS the name is `_afs3-vlserver._udp` or another of RFC 5864 §5.
    #[must_use]
    pub fn srv(self, name: &str, priority: u16, weight: u16, port: u16, target: &str, ttl: u32) -> Self {
        let target = self.full(target);
        self.record(name, |owner| Record::srv(owner, priority, weight, port, target, ttl))
    }

    /// RFC 1183 §1; the cell's name is the owner.
    #[must_use]
    pub fn afsdb(self, name: &str, subtype: u16, host: &str, ttl: u32) -> Self {
        let host = self.full(host);
        self.record(name, |owner| Record::afsdb(owner, subtype, host, ttl))
    }

    #[must_use]
    pub fn txt(self, name: &str, text: impl AsRef<[u8]>, ttl: u32) -> Self {
        self.record(name, |owner| Record::txt(owner, text, ttl))
    }

    /// Any record, which is given its owner name in full.
    #[must_use]
    pub fn record(mut self, name: &str, record: impl FnOnce(Name) -> Record) -> Self {
        let owner = self.full(name);
        assert!(self.has(&owner), "{owner} is not in the zone");
        for up in 0..owner.labels().len() - self.origin.labels().len() {
            self.nodes.entry(owner.skip(up).lower()).or_default();
        }
        let node = self.nodes.entry(owner.lower()).or_default();
        node.push(record(owner));
        self
    }

    /// A name as the zone's records have it.
    pub fn full(&self, name: &str) -> Name {
        match name {
            "@" => self.origin.clone(),
            _ if name.ends_with('.') => Name::parse(name),
            _ => Name::parse(name).under(&self.origin),
        }
    }

    /// Whether `name` is the origin or below it.
    pub fn has(&self, name: &Name) -> bool {
        name.is_within(&self.origin)
    }

    fn soa_record(&self) -> Record {
        Record::soa(&self.origin, self.soa_minimum, self.soa_ttl)
    }

    fn negative(&self, message: Message) -> Message {
        if self.negative_soa { message.authority(self.soa_record()) } else { message }
    }

    /// The records of `qtype` at `name`; `None` if there is no such name.
    fn find(&self, name: &Name, qtype: u16) -> Option<Vec<Record>> {
        let node = self.nodes.get(&name.lower())?;
        let soa = name.same(&self.origin).then(|| self.soa_record());
        let all = node.iter().cloned().chain(soa);
        Some(all.filter(|r| r.rtype == qtype || qtype == qtype::ANY).collect())
    }
}

/// The innermost of the zones that has `name`.
fn zone_of<'a>(zones: &'a [Zone], name: &Name) -> Option<&'a Zone> {
    let having = zones.iter().filter(|zone| zone.has(name));
    having.max_by_key(|zone| zone.origin.labels().len())
}

/// The answer to `query` from `zones`; `outside` is the rcode if none has the name.
pub(super) fn answer(zones: &[Zone], query: &Query, outside: u16) -> Message {
    let mut message = Message::new();
    if query.flags & 0x7800 != 0 {
        return message.rcode(rcode::NOTIMP);
    }
    let mut name = query.qname.clone();
    let mut seen = Vec::new();
    loop {
        let zone = match zone_of(zones, &name) {
            Some(zone) if query.qclass == class::IN => zone,
            _ if seen.is_empty() => return message.rcode(outside),
            _ => return message,
        };
        message = message.set(flag::AA);
        let Some(records) = zone.find(&name, query.qtype) else {
            return zone.negative(message.rcode(rcode::NXDOMAIN));
        };
        if !records.is_empty() {
            for record in &records {
                message = message.answer(record.clone());
            }
            let targets = records.iter().filter_map(Record::target);
            for target in targets.filter(|_| zone.glue) {
                message = add_addresses(message, zones, target);
            }
            return message;
        }
        let cnames = zone.find(&name, qtype::CNAME).unwrap_or_default();
        let Some(cname) = cnames.into_iter().next() else {
            return zone.negative(message);
        };
        seen.push(name.lower());
        name = cname.target().unwrap().clone();
        message = message.answer(cname);
        if seen.contains(&name.lower()) {
            return message;
        }
    }
}

fn add_addresses(mut message: Message, zones: &[Zone], host: &Name) -> Message {
    if let Some(zone) = zone_of(zones, host) {
        for rtype in [qtype::A, qtype::AAAA] {
            for record in zone.find(host, rtype).unwrap_or_default() {
                message = message.additional(record);
            }
        }
    }
    message
}
