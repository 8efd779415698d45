//! What the server does in place of the zone's answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::message::{Message, flag};
use super::wire::{Name, Query, Transport, question_len, rcode};
use super::zone::{self, Zone};

/// What to do with one query. `Action::default()` is the zone's answer.
///
/// Boxed actions are easiest made with the functions of the same name in lower
/// case: `Action::delay(d, Action::SERVFAIL)`.
#[derive(Clone, Default)]
pub enum Action {
    /// The zones' answer.
    #[default]
    Zone,
    /// This reply; over UDP it is truncated to what the client takes.
    Answer(Message),
    /// A reply with this [`rcode`], and no records.
    Rcode(u16),
    /// These bytes, with the query's id and question put in or not.
    Raw(Vec<u8>, Patch),
    /// Nothing. A TCP connection stays open.
    Silence,
    /// The query's id, QR, then noise.
    Garbage,
    /// A message of no bytes: an empty datagram, or a TCP length of 0.
    EmptyDatagram,
    /// TC and no records.
    Truncate,
    /// TC and no records over UDP, the action over TCP.
    TruncateThenTcp(Box<Action>),
    /// One for UDP, another for TCP.
    PerTransport(Box<Action>, Box<Action>),
    /// The first if the query has EDNS, or else the second.
    IfEdns(Box<Action>, Box<Action>),
    /// FORMERR without OPT if the query has EDNS, or else the zones' answer.
    FormerrIfEdns,
    /// Nothing if the query has EDNS, or else the zones' answer.
    DropIfEdns,
    /// All of them. Each one's delays count from the query, not from the one before.
    Many(Vec<Action>),
    /// The action, so much later.
    Delay(Duration, Box<Action>),
    /// The action's replies with another id.
    WrongId(Box<Action>),
    /// The action's replies with another letter in the question's name.
    WrongQuestion(Box<Action>),
    /// The action's replies with the other case for the question's letters.
    WrongCase(Box<Action>),
    /// The action's datagrams from another port; over TCP no change.
    WrongSource(Box<Action>),
    /// The action's datagrams from this address; port 0 is any free one.
    FromAddr(SocketAddr, Box<Action>),
    /// The action's replies after this function had them in hand.
    Edit(Editor, Box<Action>),
    /// Over TCP the connection is closed; over UDP nothing.
    TcpClose,
    /// Over TCP, so many bytes (two of them the length) and then a close.
    TcpCut(usize, Box<Action>),
    /// Over TCP, this length in place of the true one.
    TcpLength(u16, Box<Action>),
    /// Over TCP, one byte (the two of the length too) each interval.
    TcpDrip(Duration, Box<Action>),
}

/// What of a raw reply is taken from the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    Nothing,
    Id,
    /// The question goes over the one in the bytes; pointers in them stay right
    /// only if both have the same length.
    IdAndQuestion,
}

type Editor = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;

impl Action {
    pub const FORMERR: Self = Self::Rcode(rcode::FORMERR);
    pub const SERVFAIL: Self = Self::Rcode(rcode::SERVFAIL);
    /// Without a SOA; the zone's has one.
    pub const NXDOMAIN: Self = Self::Rcode(rcode::NXDOMAIN);
    pub const NOTIMP: Self = Self::Rcode(rcode::NOTIMP);
    pub const REFUSED: Self = Self::Rcode(rcode::REFUSED);

    pub fn truncate_then_tcp(over_tcp: Self) -> Self {
        Self::TruncateThenTcp(Box::new(over_tcp))
    }

    pub fn per_transport(udp: Self, tcp: Self) -> Self {
        Self::PerTransport(Box::new(udp), Box::new(tcp))
    }

    pub fn if_edns(with: Self, without: Self) -> Self {
        Self::IfEdns(Box::new(with), Box::new(without))
    }

    pub fn many(actions: impl IntoIterator<Item = Self>) -> Self {
        Self::Many(actions.into_iter().collect())
    }

    pub fn delay(time: Duration, action: Self) -> Self {
        Self::Delay(time, Box::new(action))
    }

    pub fn wrong_id(action: Self) -> Self {
        Self::WrongId(Box::new(action))
    }

    pub fn wrong_question(action: Self) -> Self {
        Self::WrongQuestion(Box::new(action))
    }

    pub fn wrong_case(action: Self) -> Self {
        Self::WrongCase(Box::new(action))
    }

    pub fn wrong_source(action: Self) -> Self {
        Self::WrongSource(Box::new(action))
    }

    pub fn from_addr(source: SocketAddr, action: Self) -> Self {
        Self::FromAddr(source, Box::new(action))
    }

    pub fn edit(edit: impl Fn(&mut Vec<u8>) + Send + Sync + 'static, action: Self) -> Self {
        Self::Edit(Arc::new(edit), Box::new(action))
    }

    pub fn tcp_cut(len: usize, action: Self) -> Self {
        Self::TcpCut(len, Box::new(action))
    }

    pub fn tcp_length(len: u16, action: Self) -> Self {
        Self::TcpLength(len, Box::new(action))
    }

    pub fn tcp_drip(interval: Duration, action: Self) -> Self {
        Self::TcpDrip(interval, Box::new(action))
    }
}

type Rule = Arc<dyn Fn(&Query, Transport, usize) -> Option<Action> + Send + Sync>;

/// Rules that say what to do with which query. Of those that match the one added
/// last wins; if none does, it is the zones' answer.
#[derive(Clone, Default)]
pub struct Script(Vec<Rule>);

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    /// The action for this name (case-blind) and type.
    #[must_use]
    pub fn on(self, name: impl Into<Name>, qtype: u16, action: Action) -> Self {
        self.on_each(name, qtype, [action])
    }

    /// The first action for the first query for this name and type, and so on; the
    /// last one again for those after it.
    #[must_use]
    pub fn on_each(
        self,
        name: impl Into<Name>,
        qtype: u16,
        actions: impl IntoIterator<Item = Action>,
    ) -> Self {
        let (name, actions) = (name.into(), actions.into_iter().collect::<Vec<_>>());
        self.rule(move |query, _, nth| {
            let action = &actions[nth.min(actions.len() - 1)];
            query.is(&name, qtype).then(|| action.clone())
        })
    }

    /// The action for every name with this type.
    #[must_use]
    pub fn on_type(self, qtype: u16, action: Action) -> Self {
        self.rule(move |query, _, _| (query.qtype == qtype).then(|| action.clone()))
    }

    /// The action for every query.
    #[must_use]
    pub fn on_all(self, action: Action) -> Self {
        self.rule(move |_, _, _| Some(action.clone()))
    }

    /// What the function says, for every query. It is given how many queries for
    /// the same name and type, over UDP or TCP, the server had before.
    #[must_use]
    pub fn with(self, rule: impl Fn(&Query, Transport, usize) -> Action + Send + Sync + 'static) -> Self {
        self.rule(move |query, transport, nth| Some(rule(query, transport, nth)))
    }

    /// As [`Script::with`], but `None` leaves the query to the rules before.
    #[must_use]
    pub fn rule(
        mut self,
        rule: impl Fn(&Query, Transport, usize) -> Option<Action> + Send + Sync + 'static,
    ) -> Self {
        self.0.push(Arc::new(rule));
        self
    }

    pub(super) fn choose(&self, query: &Query, transport: Transport, nth: usize) -> Action {
        let mut rules = self.0.iter().rev();
        let action = rules.find_map(|rule| rule(query, transport, nth));
        action.unwrap_or_default()
    }
}

/// A message to send, when, and how.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) after: Duration,
    pub(super) bytes: Vec<u8>,
    pub(super) from: Option<SocketAddr>,
    pub(super) tcp_length: Option<u16>,
    pub(super) tcp_cut: Option<usize>,
    pub(super) tcp_drip: Option<Duration>,
}

/// What an action's replies are made from.
pub(super) struct Context<'a> {
    pub(super) query: &'a Query,
    pub(super) transport: Transport,
    pub(super) zones: &'a [Zone],
    /// The rcode for names outside the zones.
    pub(super) outside: u16,
    /// The server's own address.
    pub(super) server: SocketAddr,
}

impl Context<'_> {
    /// The replies an action stands for.
    pub(super) fn replies(&self, action: &Action) -> Vec<Reply> {
        let udp = self.transport == Transport::Udp;
        let query = self.query;
        match action {
            Action::Zone => self.message(&zone::answer(self.zones, query, self.outside)),
            Action::Answer(message) => self.message(message),
            Action::Rcode(rcode) => self.message(&Message::new().rcode(*rcode)),
            Action::Raw(bytes, patch) => one(patched(bytes, *patch, query)),
            Action::Silence => Vec::new(),
            Action::Garbage => one(garbage(query)),
            Action::EmptyDatagram => one(Vec::new()),
            Action::Truncate => self.message(&Message::new().set(flag::TC)),
            Action::TruncateThenTcp(_) if udp => self.replies(&Action::Truncate),
            Action::TruncateThenTcp(tcp) => self.replies(tcp),
            Action::PerTransport(action, _) if udp => self.replies(action),
            Action::IfEdns(action, _) if query.edns.is_some() => self.replies(action),
            Action::PerTransport(_, action) | Action::IfEdns(_, action) => self.replies(action),
            Action::FormerrIfEdns if query.edns.is_some() => {
                self.message(&Message::new().rcode(rcode::FORMERR).no_edns())
            }
            Action::DropIfEdns if query.edns.is_some() => Vec::new(),
            Action::FormerrIfEdns | Action::DropIfEdns => self.replies(&Action::Zone),
            Action::Many(actions) => actions.iter().flat_map(|a| self.replies(a)).collect(),
            Action::Delay(time, action) => self.each(action, |reply| reply.after += *time),
            Action::WrongId(action) => self.each(action, |reply| {
                reply.bytes.iter_mut().take(2).for_each(|byte| *byte ^= 0x5a);
            }),
            Action::WrongQuestion(action) => self.each(action, |reply| {
                if let Some(byte @ 1..) = reply.bytes.get_mut(13) {
                    *byte = if *byte == b'x' { b'y' } else { b'x' };
                }
            }),
            Action::WrongCase(action) => self.each(action, |reply| {
                let end = question_len(&reply.bytes).map_or(12, |len| 12 + len - 5);
                for byte in reply.bytes.iter_mut().take(end).skip(12) {
                    *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
                }
            }),
            Action::WrongSource(action) => {
                let other = SocketAddr::new(self.server.ip(), 0);
                self.each(action, |reply| reply.from = Some(other))
            }
            Action::FromAddr(source, action) => self.each(action, |reply| reply.from = Some(*source)),
            Action::Edit(edit, action) => self.each(action, |reply| edit(&mut reply.bytes)),
            Action::TcpClose if udp => Vec::new(),
            Action::TcpClose => self.replies(&Action::tcp_cut(0, Action::EmptyDatagram)),
            Action::TcpCut(len, action) => self.each(action, |reply| reply.tcp_cut = Some(*len)),
            Action::TcpLength(len, action) => self.each(action, |reply| reply.tcp_length = Some(*len)),
            Action::TcpDrip(interval, action) => self.each(action, |reply| reply.tcp_drip = Some(*interval)),
        }
    }

    fn message(&self, message: &Message) -> Vec<Reply> {
        let limit = match self.transport {
            Transport::Udp => self.query.udp_limit(),
            Transport::Tcp => usize::from(u16::MAX),
        };
        one(message.encode(self.query, limit))
    }

    fn each(&self, action: &Action, change: impl Fn(&mut Reply)) -> Vec<Reply> {
        let mut replies = self.replies(action);
        replies.iter_mut().for_each(change);
        replies
    }
}

fn one(bytes: Vec<u8>) -> Vec<Reply> {
    vec![Reply { after: Duration::ZERO, bytes, from: None, tcp_length: None, tcp_cut: None, tcp_drip: None }]
}

fn patched(bytes: &[u8], patch: Patch, query: &Query) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if patch != Patch::Nothing && bytes.len() >= 2 {
        bytes[..2].copy_from_slice(&query.bytes[..2]);
    }
    if patch == Patch::IdAndQuestion
        && let Some(old) = question_len(&bytes)
    {
        let new = question_len(&query.bytes).unwrap();
        bytes.splice(12..12 + old, query.bytes[12..12 + new].iter().copied());
    }
    bytes
}

/// Noise that is the same for the same query.
fn garbage(query: &Query) -> Vec<u8> {
    let mut state = u32::from(query.id) | 1 << 16;
    let noise = (0..60).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    });
    let mut bytes: Vec<u8> = query.bytes[..2].iter().copied().chain(noise).collect();
    bytes[2] |= 0x80;
    bytes
}
