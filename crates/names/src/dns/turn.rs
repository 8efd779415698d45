//! One server's turn: how it is queried, and what its messages mean.
//!
//! A plain query, as glibc sends it, is the reference. The first query is altered: it has EDNS, for answers that need
//! no TCP, and random case (0x20), which a forger has to guess. An answer with records counts. Anything else may be the
//! fault of the alterations, so a plain query follows before that counts. Every socket of a turn is read until the
//! whole question is answered.

use crate::dns::servers::Client;
use crate::dns::transport::Transport;
use crate::message::{
    Question, Quirk, Relation, Response, Undecodable, copy_name, mix_case, rcode, relation,
};
use crate::obstacle::{Obstacle, ServerError};
use crate::protocol::Protocol;
use crate::trace;
use futures_util::StreamExt;
use futures_util::stream::{self, SelectAll, Stream};
use key::Ttl;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a denial waits to be confirmed.
const CONFIRMATION: Duration = Duration::from_secs(1);

/// This many messages with wrong IDs may be strays; more are guesses (PowerDNS's `spoof-nearmiss-max`).
const MOST_STRAYS: u32 = 4;

/// A question, and what all turns of all servers have learned.
pub(super) struct Inquiry<'a> {
    pub(super) question: &'a Question,
    /// How many datagrams had wrong ids.
    wrong_ids: Cell<u32>,
    /// The first answer that was truncated but has records.
    partial: RefCell<Option<Response>>,
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(question: &'a Question) -> Self {
        Self { question, wrong_ids: Cell::new(0), partial: RefCell::default() }
    }

    /// The first answer that was truncated but has records.
    pub(super) fn partial(self) -> Option<Response> {
        self.partial.into_inner()
    }

    /// Whether somebody seems to be guessing IDs, so that an answer must be hard to guess in other ways.
    fn is_attacked(&self) -> bool {
        self.wrong_ids.get() > MOST_STRAYS
    }
}

/// The outcome of a turn.
pub(super) enum TurnEvent {
    /// It has timed out. Later answers from the server still count.
    Overdue(ServerError),
    /// It has ended.
    Ended {
        outcome: Result<Response, ServerError>,
        /// The plain query has followed the altered one.
        asked_twice: bool,
    },
}

/// The form of a query.
#[derive(Clone, Copy)]
struct Form {
    protocol: Protocol,
    edns: bool,
    mixed: bool,
}

impl Form {
    /// Plain, as glibc sends it.
    fn plain(protocol: Protocol) -> Self {
        Self { protocol, edns: false, mixed: false }
    }

    fn is_altered(self) -> bool {
        self.edns || self.mixed
    }
}

/// A query that was sent.
struct Sent {
    form: Form,
    query: Vec<u8>,
    /// The same in the letter case of the question.
    as_asked: Vec<u8>,
}

/// What an answer says.
enum Judgement {
    /// There are records.
    Answer,
    /// There are none.
    Denial,
    /// Nothing usable.
    Error(Obstacle),
}

type Messages<'a> = Pin<Box<dyn Stream<Item = (usize, io::Result<Vec<u8>>)> + 'a>>;

/// One server's turn.
pub(super) struct Turn<'a, T> {
    client: &'a Client<'a, T>,
    inquiry: &'a Inquiry<'a>,
    server: SocketAddr,
    limit: Duration,
    /// When it times out.
    deadline: Option<Instant>,
    /// When to send a plain query if the server has said nothing usable.
    plain_at: Option<Instant>,
    sent: Vec<Sent>,
    messages: SelectAll<Messages<'a>>,
    /// Whether the plain query has followed the altered one.
    confirms: bool,
    by_tcp: bool,
    /// Why there is no answer over TCP.
    no_tcp: Option<ServerError>,
    /// An answer over UDP was truncated.
    cut_off: bool,
    other_letters: bool,
    /// The answer to the altered query, if it had no records.
    rebuff: Option<Quirk>,
    /// A denial that is not confirmed yet.
    denial: Option<Response>,
    last: Option<ServerError>,
    step: Option<trace::Turn<'a>>,
    ended: bool,
}

impl<'a, T: Transport> Turn<'a, T> {
    /// The events of a turn: the first poll sends the query.
    ///
    /// The `altered` query is followed by a plain one if the server is silent for that long.
    pub(super) fn begin(
        client: &'a Client<'a, T>,
        inquiry: &'a Inquiry<'a>,
        server: SocketAddr,
        limit: Duration,
        altered: Option<Duration>,
    ) -> impl Stream<Item = TurnEvent> + 'a {
        let now = Instant::now();
        let options = client.options;
        let form = match altered {
            _ if options.use_vc => Form::plain(Protocol::Tcp),
            Some(_) => Form { protocol: Protocol::Udp, edns: true, mixed: options.mixed_case },
            // An attacker who guesses has to guess the letter case in every attempt.
            None => Form { mixed: options.mixed_case && inquiry.is_attacked(), ..Form::plain(Protocol::Udp) },
        };
        let mut turn = Self {
            client,
            inquiry,
            server,
            limit,
            deadline: Some(now + limit),
            plain_at: altered.filter(|_| form.is_altered()).map(|early| now + early),
            sent: Vec::new(),
            messages: SelectAll::new(),
            confirms: false,
            by_tcp: false,
            no_tcp: None,
            cut_off: false,
            other_letters: false,
            rebuff: None,
            denial: None,
            last: None,
            step: Some(client.trace.begin(inquiry.question, server)),
            ended: false,
        };
        turn.ask(form);
        stream::unfold(turn, |mut turn| async move {
            let event = turn.next().await?;
            Some((event, turn))
        })
    }

    async fn next(&mut self) -> Option<TurnEvent> {
        while !self.ended {
            let wake = [self.deadline, self.plain_at].into_iter().flatten().min();
            let received = match wake {
                Some(wake) => timeout_at(wake, self.messages.next()).await,
                None => Ok(self.messages.next().await),
            };
            let event = match received {
                Err(_) => self.time_has_passed(),
                Ok(Some((number, Ok(message)))) => self.message(number, message),
                Ok(Some((number, Err(error)))) => self.broken(number, error),
                Ok(None) => Some(match self.denial.take() {
                    Some(denial) => self.end(Ok(denial)),
                    None => self.give_up(),
                }),
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Sends the query, at the next poll.
    fn ask(&mut self, form: Form) {
        self.by_tcp |= form.protocol == Protocol::Tcp;
        match self.encode(form) {
            Ok(sent) => {
                let number = self.sent.len();
                let query = sent.query.clone();
                let messages = self.client.transport.exchange(self.server, form.protocol, query);
                // An error ends it.
                let messages = messages.scan(false, move |ended, message| {
                    let passed = (!std::mem::replace(ended, message.is_err())).then_some((number, message));
                    std::future::ready(passed)
                });
                self.messages.push(Box::pin(messages));
                self.sent.push(sent);
            }
            Err(why) => self.last = Some(Obstacle::Undecodable(why).over(form.protocol)),
        }
    }

    fn encode(&self, form: Form) -> Result<Sent, String> {
        let as_asked = self.inquiry.question.encode(form.edns)?;
        let mut query = as_asked.clone();
        if form.mixed {
            mix_case(&mut query).map_err(|error| error.to_string())?;
        }
        Ok(Sent { form, query, as_asked })
    }

    /// Sends a plain query, unless one is in progress.
    fn ask_plainly(&mut self, why: impl FnOnce() -> String) {
        self.plain_at = None;
        if std::mem::replace(&mut self.confirms, true) {
            return;
        }
        self.client.trace.decide(|| format!("{}: repeating the query plain", why()));
        if !self.inquiry.is_attacked() {
            self.ask(Form::plain(Protocol::Udp));
        } else if !self.by_tcp {
            self.ask(Form::plain(Protocol::Tcp));
        }
    }

    /// Queries over TCP, unless that is in progress.
    fn ask_by_tcp(&mut self, why: impl FnOnce() -> String) {
        if !self.by_tcp {
            self.client.trace.decide(|| format!("{}: repeating the query over TCP", why()));
            self.ask(Form::plain(Protocol::Tcp));
        }
    }

    /// Restarts the server's timeout, unless it is over.
    fn extend(&mut self, by: Duration) {
        if self.deadline.is_some() {
            self.deadline = Some(Instant::now() + by);
        }
    }

    fn time_has_passed(&mut self) -> Option<TurnEvent> {
        let now = Instant::now();
        let server = self.server;
        if self.plain_at.is_some_and(|at| at <= now) {
            self.plain_at = None;
            // For an attacker who guesses, a plain query is just as easy to answer.
            if !self.inquiry.is_attacked() {
                if !self.other_letters && self.rebuff.is_none() {
                    self.rebuff = Some(Quirk::SilentToAltered);
                }
                self.ask_plainly(|| format!("{server} sends nothing usable"));
            }
        }
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return None;
        }
        self.deadline = None;
        if let Some(mut denial) = self.denial.take() {
            // Believed, but not for long.
            denial.negative_ttl = Some(Ttl::MIN);
            return Some(self.end(Ok(denial)));
        }
        let over_udp = self.sent.iter().any(|sent| sent.form.protocol == Protocol::Udp) && !self.cut_off;
        let error = match (over_udp, self.inquiry.is_attacked()) {
            (true, true) => Obstacle::Forged.over(Protocol::Udp),
            (true, false) => Obstacle::TimedOut.over(Protocol::Udp),
            (false, _) => Obstacle::TimedOut.over(Protocol::Tcp),
        };
        if let Some(step) = self.step.take() {
            step.end(&Err(error.clone()));
        }
        Some(TurnEvent::Overdue(error))
    }

    /// A message that arrived at one of the sockets.
    fn message(&mut self, number: usize, mut message: Vec<u8>) -> Option<TurnEvent> {
        let Sent { form, query, as_asked } = self.sent.get(number)?;
        let form = *form;
        match relation(query, &message) {
            Relation::WrongId if form.protocol == Protocol::Udp => {
                let wrong_ids = &self.inquiry.wrong_ids;
                wrong_ids.set(wrong_ids.get().saturating_add(1));
                if wrong_ids.get() == MOST_STRAYS + 1 {
                    let server = self.server;
                    self.client.trace.decide(|| {
                        format!(
                            "wrong IDs in answers that claim to be from {server}: accepting only what is hard to guess"
                        )
                    });
                }
                None
            }
            Relation::WrongId | Relation::Stray => None,
            Relation::OtherLetters if form.mixed => self.in_other_letters(),
            // It has no letters that an attacker would have to guess.
            Relation::BareError if form.protocol == Protocol::Udp && self.inquiry.is_attacked() => None,
            Relation::Reply | Relation::OtherLetters | Relation::BareError => {
                // Names in the answer may point to the name in its question, which must have the requested letter case.
                if form.mixed {
                    copy_name(as_asked, &mut message);
                }
                self.reply(form, Response::decode(&message))
            }
        }
    }

    /// An answer in a different letter case may be forged, or the server may change the case. The query is repeated
    /// over TCP, into which an attacker who can't see the connection can't inject, and over UDP if nothing else arrives
    /// for a moment.
    fn in_other_letters(&mut self) -> Option<TurnEvent> {
        if !std::mem::replace(&mut self.other_letters, true) {
            let server = self.server;
            self.ask_by_tcp(|| format!("the answer from {server} changes the letter case"));
            if !self.confirms {
                let soon = Instant::now() + self.client.options.hedge;
                self.plain_at = Some(self.plain_at.map_or(soon, |at| at.min(soon)));
            }
        }
        None
    }

    fn reply(&mut self, form: Form, decoded: Result<Response, Undecodable>) -> Option<TurnEvent> {
        let server = self.server;
        let protocol = form.protocol;
        if !form.is_altered() && protocol == Protocol::Udp && self.inquiry.is_attacked() {
            self.ask_by_tcp(|| format!("the answer from {server} may be a guess"));
            return self.no_tcp.clone().map(|_| self.end(Err(Obstacle::Forged.over(Protocol::Udp))));
        }
        let judgement = match &decoded {
            Ok(reply) if reply.is_cut_off() && protocol == Protocol::Udp => {
                return self.rest_by_tcp(decoded.unwrap_or_default());
            }
            Ok(reply) => judge(reply, form),
            Err(error) => Judgement::Error(Obstacle::Undecodable(error.to_string())),
        };
        match (judgement, decoded) {
            (Judgement::Error(obstacle), _) if form.is_altered() => {
                self.rebuff = Some(Quirk::FailsAltered(obstacle.to_string()));
                if !self.confirms {
                    self.extend(self.limit);
                }
                self.ask_plainly(|| format!("{server}: {obstacle}"));
                None
            }
            (Judgement::Error(obstacle), _) => Some(self.end(Err(obstacle.over(protocol)))),
            (Judgement::Denial, Ok(denial)) if form.is_altered() && !self.takes_it_altered() => {
                self.rebuff = Some(Quirk::DeniesAltered);
                let soon = Instant::now() + CONFIRMATION;
                self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
                self.ask_plainly(|| format!("{server}: {}, nothing found", rcode::name(denial.rcode)));
                self.denial = Some(denial);
                None
            }
            (Judgement::Denial, Ok(denial)) => {
                // Nothing odd about a server that says so in any case.
                if self.rebuff == Some(Quirk::DeniesAltered) {
                    self.rebuff = None;
                }
                Some(self.end(Ok(denial)))
            }
            (Judgement::Answer, Ok(reply)) => {
                if form.is_altered() {
                    self.rebuff = None;
                    self.client.answered.add(server, &self.inquiry.question.name);
                }
                Some(self.end(Ok(reply)))
            }
            (_, Err(_)) => None,
        }
    }

    /// Whether the server is known to accept altered queries for the name.
    fn takes_it_altered(&self) -> bool {
        self.client.answered.holds(self.server, &self.inquiry.question.name)
    }

    /// An answer over UDP that is truncated.
    fn rest_by_tcp(&mut self, reply: Response) -> Option<TurnEvent> {
        let server = self.server;
        self.cut_off = true;
        self.plain_at = None;
        if !reply.answers.is_empty() {
            let reply = Response { server: Some(server), ..reply };
            self.inquiry.partial.borrow_mut().get_or_insert(reply);
        }
        if let Some(error) = self.no_tcp.clone() {
            return Some(self.end(Err(error)));
        }
        self.extend(self.limit);
        self.ask_by_tcp(|| format!("the answer from {server} is truncated"));
        None
    }

    /// A socket that delivers nothing any more.
    fn broken(&mut self, number: usize, error: io::Error) -> Option<TurnEvent> {
        let form = self.sent.get(number)?.form;
        let error = Obstacle::from(error).over(form.protocol);
        if form.protocol == Protocol::Tcp {
            self.no_tcp = Some(error.clone());
            if self.cut_off {
                let mut partial = self.inquiry.partial.borrow_mut();
                if let Some(reply) = partial.as_mut().filter(|reply| reply.server == Some(self.server)) {
                    reply.quirks = vec![Quirk::CutOff(error.to_string())];
                }
            } else if self.other_letters || self.confirms {
                // The answer over UDP may still arrive.
                self.last = Some(error);
                return None;
            }
        }
        self.last = Some(error);
        // If the altered query fails like this, the plain one may be in progress; otherwise the last socket ends the
        // turn.
        (!form.is_altered()).then(|| self.give_up())
    }

    fn give_up(&mut self) -> TurnEvent {
        let error = self.last.take().unwrap_or(Obstacle::TimedOut.over(Protocol::Udp));
        self.end(Err(error))
    }

    fn end(&mut self, mut outcome: Result<Response, ServerError>) -> TurnEvent {
        self.ended = true;
        if let Ok(reply) = &mut outcome {
            reply.server = Some(self.server);
            reply.quirks.extend(self.other_letters.then_some(Quirk::OtherLetters));
            reply.quirks.extend(self.rebuff.take());
            if self.step.is_none() {
                reply.quirks.push(Quirk::Late);
            }
        }
        // For a turn that timed out before, what the server says now is recorded too.
        let step = self.step.take();
        step.unwrap_or_else(|| self.client.trace.begin(self.inquiry.question, self.server)).end(&outcome);
        TurnEvent::Ended { outcome, asked_twice: self.confirms }
    }
}

/// What an answer to a query in this form says.
fn judge(reply: &Response, form: Form) -> Judgement {
    let makes_no_sense = |why: &str| Judgement::Error(Obstacle::Undecodable(why.to_owned()));
    match reply.rcode {
        rcode::NOERROR | rcode::NXDOMAIN if form.edns && reply.misplaced_opt => {
            makes_no_sense("an EDNS record where none belongs")
        }
        rcode::NOERROR if reply.is_lame() => Judgement::Error(Obstacle::Lame),
        rcode::NOERROR if reply.is_unreadable() => makes_no_sense("no record of the answer can be read"),
        // An empty truncated answer says nothing about its missing part.
        rcode::NOERROR if reply.truncated && reply.answers.is_empty() => {
            makes_no_sense("the answer is truncated, over TCP as well")
        }
        rcode::NOERROR | rcode::NXDOMAIN if reply.answers.is_empty() => Judgement::Denial,
        rcode::NOERROR | rcode::NXDOMAIN => Judgement::Answer,
        other => Judgement::Error(Obstacle::Rcode(other)),
    }
}
