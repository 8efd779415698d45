//! Servers by table: which queries, and what happens to them.

use super::act::Act;
use super::message::record_type_of;
use super::servers::{Asked, Reaction, Servers};
use crate::dns::Protocol;
use crate::message::{Name, RecordType, rcode};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

/// Which queries a line of a table matches.
///
#[derive(Clone, Debug, Default)]
struct Asking {
    server: Option<SocketAddr>,
    name: Option<Name>,
    record_type: Option<RecordType>,
    protocol: Option<Protocol>,
    edns: Option<bool>,
}

impl Asking {
    fn parse(text: &str) -> Self {
        let mut asking = Self::default();
        for word in text.split_whitespace() {
            match word {
                "udp" => asking.protocol = Some(Protocol::Udp),
                "tcp" => asking.protocol = Some(Protocol::Tcp),
                "edns" => asking.edns = Some(true),
                "plain" => asking.edns = Some(false),
                name if name.ends_with('.') => {
                    let labels = name.split('.').filter(|label| !label.is_empty());
                    let mut name = Name::from_labels(labels.map(str::as_bytes)).expect("a name");
                    name.set_fqdn(true);
                    asking.name = Some(name);
                }
                other => match record_type_of(other) {
                    Some(record_type) => asking.record_type = Some(record_type),
                    None => asking.server = Some(server(other)),
                },
            }
        }
        asking
    }

    fn fits(&self, asked: &Asked) -> bool {
        self.server.is_none_or(|server| server == asked.server)
            && self.name.as_ref().is_none_or(|name| *name == asked.question.name)
            && self.record_type.is_none_or(|record_type| record_type == asked.question.record_type)
            && self.protocol.is_none_or(|protocol| protocol == asked.protocol)
            && self.edns.is_none_or(|edns| edns == asked.edns)
    }
}

fn server(word: &str) -> SocketAddr {
    let port = || word.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53));
    word.parse().or_else(|_| port()).unwrap_or_else(|_| panic!("{word:?} is nothing that can be asked"))
}

/// Servers that do with a query what the first matching line says. Without a match, REFUSED.
#[derive(Debug, Default)]
pub struct Table {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    asking: Asking,
    acts: Vec<Act>,
    /// How often it matched.
    taken: Cell<usize>,
}

impl Table {
    /// A table of these lines, each as for [`Table::on`].
    ///
    /// # Panics
    /// If a word is invalid.
    #[must_use]
    pub fn new<'a>(lines: impl IntoIterator<Item = (&'a str, Act)>) -> Self {
        lines.into_iter().fold(Self::default(), |table, (asking, act)| table.on(asking, [act]))
    }

    /// Adds a line: the first act for the first matching query, and so on; the last act from then on.
    ///
    /// Which queries match is text: any of a server (`192.0.2.1`, `[::1]:5353`), a name with its trailing dot, a record
    /// type, `udp` or `tcp`, and `edns` or `plain`. What is missing matches anything.
    ///
    /// # Panics
    /// If a word is invalid, or there is no act.
    #[must_use]
    pub fn on(mut self, asking: &str, acts: impl Into<Vec<Act>>) -> Self {
        let acts: Vec<Act> = acts.into();
        assert!(!acts.is_empty(), "{asking}: nothing to do");
        self.lines.push(Line { asking: Asking::parse(asking), acts, taken: Cell::new(0) });
        self
    }
}

impl Servers for Table {
    fn react(&self, asked: &Asked, _: usize) -> Reaction {
        let Some(line) = self.lines.iter().find(|line| line.asking.fits(asked)) else {
            return Act::rcode(rcode::REFUSED).react(asked);
        };
        let taken = line.taken.replace(line.taken.get() + 1);
        let act = line.acts.get(taken).or(line.acts.last());
        act.expect("a line has an act").react(asked)
    }
}
