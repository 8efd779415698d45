//! Names and queries as they are on the wire (RFC 1035 §3.1, §4.1).

use std::fmt;

/// Record types (RFC 1035 §3.2.2 and later); any `u16` may be used as one.
pub mod qtype {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    /// RFC 1183 §1.
    pub const AFSDB: u16 = 18;
    /// RFC 3596.
    pub const AAAA: u16 = 28;
    /// RFC 2782.
    pub const SRV: u16 = 33;
    /// The EDNS pseudo-record (RFC 6891).
    pub const OPT: u16 = 41;
    pub const ANY: u16 = 255;
}

/// Record classes (RFC 1035 §3.2.4).
pub mod class {
    pub const IN: u16 = 1;
    pub const CHAOS: u16 = 3;
    pub const HESIOD: u16 = 4;
    pub const ANY: u16 = 255;
}

/// Response codes (RFC 1035 §4.1.1; above 15 they need EDNS, RFC 6891 §6.1.3).
pub mod rcode {
    pub const NOERROR: u16 = 0;
    pub const FORMERR: u16 = 1;
    pub const SERVFAIL: u16 = 2;
    pub const NXDOMAIN: u16 = 3;
    pub const NOTIMP: u16 = 4;
    pub const REFUSED: u16 = 5;
    pub const BADVERS: u16 = 16;
}

/// What a query came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    Tcp,
}

/// A domain name: its labels, without the root's empty one.
///
/// `==` compares bytes; [`Name::same`] is blind to ASCII case. Nothing limits
/// the labels, so a name may be made that no server should send; a label over
/// 63 bytes is written with its length's low byte as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<Vec<u8>>);

impl Name {
    /// The name with no labels.
    pub fn root() -> Self {
        Self::default()
    }

    /// From master-file text: `\.` and `\DDD` are escapes, and a final dot makes
    /// no difference.
    pub fn parse(text: &str) -> Self {
        let mut labels = vec![Vec::new()];
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' => labels.push(Vec::new()),
                b'\\' => {
                    let next = bytes.next().expect("a byte after the backslash");
                    let byte = if next.is_ascii_digit() {
                        let digits = [next, bytes.next().unwrap(), bytes.next().unwrap()];
                        let digits = std::str::from_utf8(&digits).unwrap();
                        digits.parse().expect("\\DDD up to 255")
                    } else {
                        next
                    };
                    labels.last_mut().unwrap().push(byte);
                }
                byte => labels.last_mut().unwrap().push(byte),
            }
        }
        if labels.last().unwrap().is_empty() {
            labels.pop();
        }
        let root = text == ".";
        assert!(root || labels.iter().all(|l| !l.is_empty()), "name {text:?}");
        Self(if root { Vec::new() } else { labels })
    }

    /// From the bytes of each label, whatever they are.
    pub fn from_labels<L: AsRef<[u8]>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self(labels.into_iter().map(|l| l.as_ref().to_vec()).collect())
    }

    pub fn labels(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// The name with `origin` after it.
    pub fn under(&self, origin: &Self) -> Self {
        Self(self.0.iter().chain(&origin.0).cloned().collect())
    }

    /// The name without its first `count` labels.
    pub fn skip(&self, count: usize) -> Self {
        Self(self.0[count..].to_vec())
    }

    /// The name in lower case (ASCII only).
    pub fn lower(&self) -> Self {
        Self(self.0.iter().map(|l| l.to_ascii_lowercase()).collect())
    }

    /// Equal but for ASCII case.
    pub fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.is_within(other)
    }

    /// Equal to `origin` or below it, case-blind.
    pub fn is_within(&self, origin: &Self) -> bool {
        let mut pairs = self.0.iter().rev().zip(origin.0.iter().rev());
        self.0.len() >= origin.0.len() && pairs.all(|(a, b)| a.eq_ignore_ascii_case(b))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl From<&String> for Name {
    fn from(text: &String) -> Self {
        Self::parse(text)
    }
}

impl From<&Name> for Name {
    fn from(name: &Name) -> Self {
        name.clone()
    }
}

/// Without a final dot, but for the root's; odd bytes as `\DDD`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for (i, label) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                    b'!'..=b'~' => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

/// The fields of an OPT record (RFC 6891 §6.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The sender's UDP payload size.
    pub size: u16,
    pub version: u8,
    /// The DO bit (RFC 3225).
    pub dnssec_ok: bool,
    /// The options, not taken apart.
    pub options: Vec<u8>,
}

impl Edns {
    /// Version 0 with no option.
    pub fn new(size: u16) -> Self {
        Self { size, version: 0, dnssec_ok: false, options: Vec::new() }
    }
}

/// A query with its one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub id: u16,
    /// The header's second 16 bits: QR, opcode, AA, TC, RD, RA, Z, rcode.
    pub flags: u16,
    /// In the case it was sent in.
    pub qname: Name,
    pub qtype: u16,
    pub qclass: u16,
    pub edns: Option<Edns>,
    /// The whole message.
    pub bytes: Vec<u8>,
}

impl Query {
    /// Reads a message that is a query with one question, no records but an OPT,
    /// and nothing after them; `None` for any other.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (id, flags) = (reader.u16()?, reader.u16()?);
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        let [1, 0, 0, additional] = counts else {
            return None;
        };
        if flags & 0x8000 != 0 || additional > 1 {
            return None;
        }
        let (qname, qtype, qclass) = (reader.name()?, reader.u16()?, reader.u16()?);
        let edns = match additional {
            0 => None,
            _ => Some(reader.opt()?),
        };
        reader.0.is_empty().then(|| Self { id, flags, qname, qtype, qclass, edns, bytes: bytes.to_vec() })
    }

    /// Whether it asks for this name (case-blind) and type.
    pub fn is(&self, name: impl Into<Name>, qtype: u16) -> bool {
        self.qtype == qtype && self.qname.same(&name.into())
    }

    /// The name in lower case, without a final dot.
    pub fn name(&self) -> String {
        self.qname.to_string().to_ascii_lowercase()
    }

    /// How many bytes the client takes over UDP (RFC 1035 §4.2.1, RFC 6891 §6.2.3).
    pub fn udp_limit(&self) -> usize {
        self.edns.as_ref().map_or(512, |e| e.size.max(512).into())
    }
}

/// How long the question section's first question is in `message`, if it has one
/// with an uncompressed name.
pub(super) fn question_len(message: &[u8]) -> Option<usize> {
    let mut reader = Reader(message.get(12..)?);
    reader.name()?;
    reader.take(4)?;
    Some(message.len() - 12 - reader.0.len())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    /// A name without compression, of at most 255 bytes.
    fn name(&mut self) -> Option<Name> {
        let (mut labels, mut total) = (Vec::new(), 1);
        loop {
            match self.u8()? {
                0 => return Some(Name(labels)),
                len @ 1..=63 => labels.push(self.take(len.into())?.to_vec()),
                _ => return None,
            }
            total += 1 + labels.last()?.len();
            if total > 255 {
                return None;
            }
        }
    }

    fn opt(&mut self) -> Option<Edns> {
        let (owner, rtype, size) = (self.u8()?, self.u16()?, self.u16()?);
        let (_rcode, version, flags) = (self.u8()?, self.u8()?, self.u16()?);
        let rdlength = self.u16()?;
        let options = self.take(rdlength.into())?.to_vec();
        (owner == 0 && rtype == qtype::OPT).then_some(Edns {
            size,
            version,
            dnssec_ok: flags & 0x8000 != 0,
            options,
        })
    }
}
