//! One question to the servers: their order, their turns, and which answer counts.

use crate::dns::servers::Client;
use crate::dns::transport::Transport;
use crate::dns::turn::{Inquiry, Turn, TurnEvent};
use crate::message::{Question, Response, rcode};
use crate::obstacle::{Obstacle, ServerError};
use futures_util::stream::{SelectAll, Stream};
use futures_util::{FutureExt, StreamExt};
use key::Failure;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// No server gave a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// What went wrong, turn by turn.
    pub errors: Vec<(SocketAddr, ServerError)>,
    /// An answer that was truncated and could not be had completely, with the records that did arrive.
    pub partial: Option<Response>,
}

/// A turn's events, with the round and the position of its server.
type Turns<'t> = SelectAll<Pin<Box<dyn Stream<Item = (u32, usize, TurnEvent)> + 't>>>;

impl<T: Transport> Client<'_, T> {
    /// Queries the servers in order until one gives a usable answer: NOERROR or NXDOMAIN.
    ///
    /// The next server's turn comes when one fails, and also when one has been silent for a while (`hedge`); of two
    /// answers in hand, that of the earlier server counts. A new round through the list begins when all turns of the
    /// last one have ended or timed out, so a server that is gone costs its timeout only if no other one answers. An
    /// answer counts until the last round is over, however late it is, as in glibc.
    ///
    /// # Errors
    /// [`NoAnswer`] if all turns of all rounds have failed.
    pub async fn ask(&self, question: &Question) -> Result<Response, NoAnswer> {
        let inquiry = Inquiry::new(question);
        let mut errors = Vec::new();
        let answer = self.rounds(&inquiry, &mut errors).await;
        answer.ok_or_else(|| NoAnswer { errors, partial: inquiry.partial() })
    }

    async fn rounds(
        &self,
        inquiry: &Inquiry<'_>,
        errors: &mut Vec<(SocketAddr, ServerError)>,
    ) -> Option<Response> {
        let mut turns = Turns::new();
        let mut round = 0;
        while round < self.options.attempts.max(1) {
            let mut waiting = self.servers.iter().copied().enumerate();
            // The positions of the servers whose turn is in progress.
            let mut active = Vec::new();
            let mut start = true;
            let mut hedge = Instant::now();
            // Whether the only server has been queried twice, which is another attempt.
            let mut twice = false;
            loop {
                if std::mem::take(&mut start)
                    && let Some((index, server)) = waiting.next()
                {
                    turns.push(self.turn(inquiry, round, index, server));
                    active.push(index);
                    hedge = Instant::now() + self.options.hedge;
                }
                if active.is_empty() && waiting.len() == 0 {
                    break;
                }
                let next = if waiting.len() > 0 {
                    let Ok(next) = timeout_at(hedge, turns.next()).await else {
                        let after = self.options.hedge.as_millis();
                        self.trace
                            .decide(|| format!("no answer after {after} ms: querying the next server too"));
                        start = true;
                        continue;
                    };
                    next
                } else {
                    turns.next().await
                };
                let (of, index, event) = next?;
                let error = match event {
                    TurnEvent::Ended { outcome: Ok(reply), .. } => {
                        return Some(best_in_hand(&mut turns, index, reply));
                    }
                    TurnEvent::Ended { outcome: Err(error), asked_twice } => {
                        twice = asked_twice && self.servers.len() == 1;
                        error
                    }
                    TurnEvent::Overdue(error) => error,
                };
                errors.extend(self.servers.get(index).map(|server| (*server, error)));
                if of == round && active.contains(&index) {
                    active.retain(|other| *other != index);
                    start = true;
                }
            }
            round += if twice { 2 } else { 1 };
        }
        None
    }

    fn turn<'t>(
        &'t self,
        inquiry: &'t Inquiry<'_>,
        round: u32,
        index: usize,
        server: SocketAddr,
    ) -> Pin<Box<dyn Stream<Item = (u32, usize, TurnEvent)> + 't>> {
        // Some middleboxes drop queries with EDNS, or with random case. Later rounds use plain queries; in the first
        // one, each silent server gets a plain query once all servers have been queried.
        let servers = u32::try_from(self.servers.len()).unwrap_or(1);
        let altered = (round == 0).then(|| self.options.hedge * servers);
        let events = Turn::begin(self, inquiry, server, self.limit(index), altered);
        Box::pin(events.map(move |event| (round, index, event)))
    }

    /// How long to wait for the server at `index` (glibc's resolv/res_send.c, `send_dg()`).
    fn limit(&self, index: usize) -> Duration {
        let doubled = self.options.timeout << u32::try_from(index).unwrap_or(0).min(8);
        let count = u32::try_from(self.servers.len()).unwrap_or(1).max(1);
        let seconds = if index == 0 { doubled } else { doubled / count };
        Duration::from_secs(seconds.max(1).into())
    }
}

/// The answer of the earliest server, among this one and those that have also arrived.
fn best_in_hand(turns: &mut Turns<'_>, index: usize, reply: Response) -> Response {
    let mut best = (index, reply);
    while let Some(Some((_, index, event))) = turns.next().now_or_never() {
        if let TurnEvent::Ended { outcome: Ok(reply), .. } = event
            && index < best.0
        {
            best = (index, reply);
        }
    }
    best.1
}

impl NoAnswer {
    /// Whether no server could even be reached.
    #[must_use]
    pub fn nobody_there(&self) -> bool {
        let mut errors = self.errors.iter();
        errors.all(|(_, ServerError { obstacle, .. })| {
            matches!(obstacle, Obstacle::ConnectionRefused | Obstacle::Unreachable(_))
        })
    }

    /// Whether the last answer was SERVFAIL.
    #[must_use]
    pub fn servfail(&self) -> bool {
        let mut codes = self.errors.iter().rev().filter_map(|(_, error)| match error.obstacle {
            Obstacle::Rcode(code) => Some(code),
            _ => None,
        });
        codes.next() == Some(rcode::SERVFAIL)
    }

    /// What that means for the query: a refusal if every server refused, otherwise a temporary failure.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let refuses = |error: &ServerError| match error.obstacle {
            Obstacle::ConnectionRefused => true,
            Obstacle::Rcode(code) => code != rcode::SERVFAIL,
            _ => false,
        };
        let mut seen: Vec<String> = Vec::new();
        for (server, error) in &self.errors {
            let text = format!("{server}: {error}");
            if !seen.contains(&text) {
                seen.push(text);
            }
        }
        let seen = seen.join(", ");
        if self.errors.iter().all(|(_, error)| refuses(error)) {
            Failure::Refused(seen)
        } else {
            Failure::Temporary(seen)
        }
    }
}

#[cfg(test)]
mod tests;
