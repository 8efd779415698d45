//! The name servers of the demo and their zone, all on loopback: no query leaves the machine.

use crate::dns::{Action, Logged, Script, Server, Transport, Zone, qtype, rcode, refusing_address};
use std::fmt::Write;
use std::net::{SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::Duration;

/// The domain of all names that are asked for; `.test` is nobody's (RFC 6761 §6.2).
pub(crate) const DOMAIN: &str = "key-dns-demo.test";

/// The setting for the question that nobody answers; the default is 20 seconds, which the others have: a busy machine may
/// need one of them.
pub(crate) const HASTE: &str = "deadline = 1";

/// The zone, but for `farm`, whose addresses are counted out.
const ZONE: &str = "
$ORIGIN key-dns-demo.test.
@           300  SOA    ns hostmaster 1 3600 600 86400 60
mon1        300  A      192.0.2.11
mon2        60   A      192.0.2.12
mon2        60   AAAA   2001:db8::12
mon3        120  AAAA   2001:db8::13
mons        90   A      192.0.2.11
mons        90   A      192.0.2.12
mons        90   AAAA   2001:db8::12
mons        90   AAAA   2001:db8::13
storage     3600 CNAME  filer7
filer7      30   A      192.0.2.21
moving      0    A      192.0.2.31
mon.backup  300  A      192.0.2.41
_afs3-vlserver._udp.cell 600 SRV 10 0 7003 db1.cell
_afs3-vlserver._udp.cell 600 SRV 20 0 7003 db2.cell
db1.cell    450  A      192.0.2.51
db2.cell    450  AAAA   2001:db8::52
";

/// How many addresses `farm` has: too many for a datagram.
pub(crate) const FARM: u8 = 150;

/// A record of the zone, as text.
struct Record {
    owner: String,
    ttl: String,
    rtype: String,
    data: String,
}

/// Three name servers: one that works, one that never says a word, and one that is not there.
pub(crate) struct World {
    live: Server,
    silent: Server,
    absent: SocketAddr,
    records: Vec<Record>,
}

/// Why there can't be name servers on loopback, if there can't.
pub(crate) fn obstacle() -> Option<String> {
    let reach = || -> std::io::Result<usize> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.send_to(b"", socket.local_addr()?)
    };
    let error = reach().err()?;
    Some(format!(
        "its name servers need loopback, 127.0.0.1: {error}. Is the interface up? ip link set lo up"
    ))
}

impl World {
    pub(crate) fn start() -> Self {
        let text = zone_text();
        let zone = Zone::parse(&text).unwrap_or_else(|error| unreachable!("the demo's zone: {error}"));
        let broken = format!("broken.{DOMAIN}");
        let script = Script::new().on(broken.as_str(), qtype::A, Action::SERVFAIL).on(
            broken.as_str(),
            qtype::AAAA,
            Action::SERVFAIL,
        );
        Self {
            // Names that this host's search list makes up do not exist either.
            live: Server::builder().zone(zone).script(script).outside(rcode::NXDOMAIN).start(),
            silent: Server::silent(),
            absent: refusing_address(),
            records: text.lines().filter_map(Record::parse).collect(),
        }
    }

    /// The settings that send the helper here and nowhere else.
    pub(crate) fn settings(&self) -> String {
        let (live, silent, absent) = (self.live.addr(), self.silent.addr(), self.absent);
        format!(
            "nameserver[.] = {live}\n\
             nameserver[silent.{DOMAIN}] = {silent}\n\
             nameserver[absent.{DOMAIN}] = {absent}\n\
             nameserver[backup.{DOMAIN}] = {silent}, {live}\n"
        )
    }

    /// Whether nobody will answer for `name`.
    pub(crate) fn is_silent(name: &str) -> bool {
        name.ends_with(&format!(".silent.{DOMAIN}"))
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        self.live.clear();
        self.silent.clear();
    }

    /// Whether anybody was asked for `name`, or for one below it.
    pub(crate) fn was_asked(&self, name: &str) -> bool {
        [&self.live, &self.silent].iter().any(|server| !asked(server, name).is_empty())
    }

    /// What the name servers were asked for `name` and for names below it, and what they said.
    pub(crate) fn said(&self, name: &str) -> Vec<String> {
        // A helper that has its answer ends, and does not wait until its other queries have been read here.
        sleep(Duration::from_millis(10));
        let mut lines = Vec::new();
        if !asked(&self.silent, name).is_empty() {
            lines.push(format!("{} says nothing", self.silent.addr()));
        }
        let queries = asked(&self.live, name);
        for (at, query) in queries.iter().enumerate() {
            let cut = query.transport == Transport::Udp
                && queries.iter().skip(at).any(|later| {
                    later.name == query.name
                        && later.qtype == query.qtype
                        && later.transport == Transport::Tcp
                });
            let answer = match query.transport {
                Transport::Udp if cut => "too much for UDP".to_owned(),
                Transport::Udp => self.answer(query),
                Transport::Tcp => format!("over TCP {}", self.answer(query)),
            };
            let below = query.name.len().checked_sub(name.len() + 1).and_then(|end| query.name.get(..end));
            let line = below.map_or(answer.clone(), |below| format!("{below}: {answer}"));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        if lines.is_empty() {
            lines.push(if name.ends_with(&format!(".absent.{DOMAIN}")) {
                format!("nothing listens at {}", self.absent)
            } else {
                "nothing: it is not asked".to_owned()
            });
        }
        lines
    }

    /// What the zone has for a query.
    fn answer(&self, query: &Logged) -> String {
        let mut owner = query.name.to_ascii_lowercase();
        if owner == format!("broken.{DOMAIN}") {
            return "SERVFAIL".to_owned();
        }
        let rtype = type_name(query.qtype);
        let mut text = String::new();
        loop {
            let node: Vec<&Record> = self.records.iter().filter(|record| record.owner == owner).collect();
            // A name above others exists, if without records (RFC 8020).
            let above = |record: &Record| record.owner.ends_with(&format!(".{owner}"));
            if node.is_empty() && !self.records.iter().any(above) {
                return "no such name (NXDOMAIN)".to_owned();
            }
            let of_type = |rtype| node.iter().copied().filter(move |record| record.rtype == rtype);
            let found: Vec<&Record> = of_type(rtype).collect();
            if let (Some(first), Some(last)) = (found.first(), found.last()) {
                let data = match found.len() {
                    1..=4 => found.iter().map(|record| record.data.as_str()).collect::<Vec<_>>().join(", "),
                    count => format!("{} … {} ({count})", first.data, last.data),
                };
                let _ = write!(text, "{rtype} {data}, ttl {}", first.ttl);
                return text;
            }
            let Some(alias) = of_type("CNAME").next() else {
                return format!("no {rtype}");
            };
            let _ = write!(text, "alias of {}, ttl {}: ", alias.data, alias.ttl);
            owner = format!("{}.{DOMAIN}", alias.data);
        }
    }
}

impl Record {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        let (owner, ttl, rtype) = (words.next()?, words.next()?, words.next()?);
        let data = words.collect::<Vec<_>>().join(" ");
        Some(Self { owner: format!("{owner}.{DOMAIN}"), ttl, rtype, data })
    }
}

fn zone_text() -> String {
    let farm = (1..=FARM).map(|number| format!("farm 300 A 198.51.100.{number}\n"));
    ZONE.trim_start().to_owned() + &farm.collect::<String>()
}

fn asked(server: &Server, name: &str) -> Vec<Logged> {
    let below = |query: &Logged| match query.name.to_ascii_lowercase().strip_suffix(name) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    };
    server.queries().into_iter().filter(below).collect()
}

fn type_name(number: u16) -> &'static str {
    match number {
        qtype::A => "A",
        qtype::AAAA => "AAAA",
        qtype::AFSDB => "AFSDB",
        qtype::SRV => "SRV",
        _ => "other",
    }
}
