//! One question to the servers: their order, their turns, and which answer counts.

use crate::dns::transport::{Protocol, Transport};
use crate::message::{Question, Response, copy_name, mix_case, rcode, repeats_name};
use crate::obstacle::Obstacle;
use crate::trace::Trace;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use key::Failure;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How servers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOptions {
    /// How long to wait for the first server, in seconds; later ones get longer, as in glibc.
    pub timeout: u32,
    /// How often the list is gone through.
    pub attempts: u32,
    /// How long a server may be silent before the next one is asked as well.
    pub hedge: Duration,
    /// TCP from the start.
    pub use_vc: bool,
    /// Whether the letters of a question by UDP are upper and lower case at random, as the answer has to repeat
    /// them (draft-vixie-dnsext-dns0x20-00): who can't see the question has to guess them.
    pub mixed_case: bool,
}

/// How long a server is waited for by TCP whose answer by UDP had other letters.
const TCP_LIMIT: Duration = Duration::from_secs(1);

/// No server gave a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// What stood in the way, turn by turn.
    pub obstacles: Vec<(SocketAddr, Obstacle)>,
}

/// Asks servers by way of a transport.
pub struct Client<'a, T> {
    /// The way to the servers.
    pub transport: &'a T,
    /// The servers, in the order in which they are asked.
    pub servers: &'a [SocketAddr],
    /// How they are asked.
    pub options: &'a QueryOptions,
    /// Where each turn is noted.
    pub trace: &'a Trace,
}

impl<T: Transport> Client<'_, T> {
    /// Asks the servers in their order until one gives a usable answer: NOERROR or NXDOMAIN.
    ///
    /// The next server's turn comes when one fails, and already when one has been silent for a while
    /// (`hedge`); what the silent one says still counts, and of two answers in hand that of the earlier
    /// server does. A new round through the list begins when all turns of the last have ended, so a
    /// server that is gone costs its time-out only where no other one answers.
    ///
    /// # Errors
    /// [`NoAnswer`] when all turns of all rounds have failed.
    pub async fn ask(&self, question: &Question) -> Result<Response, NoAnswer> {
        let mut obstacles = Vec::new();
        for round in 0..self.options.attempts.max(1) {
            if let Some(reply) = self.round(question, round, &mut obstacles).await {
                return Ok(reply);
            }
        }
        Err(NoAnswer { obstacles })
    }

    /// One round through the list.
    async fn round(
        &self,
        question: &Question,
        round: u32,
        obstacles: &mut Vec<(SocketAddr, Obstacle)>,
    ) -> Option<Response> {
        let mut waiting = self.servers.iter().copied().enumerate();
        let mut turns = FuturesUnordered::new();
        let mut start = true;
        loop {
            if std::mem::take(&mut start)
                && let Some((index, server)) = waiting.next()
            {
                let limit = self.limit(index);
                turns.push(
                    self.turn(question, server, limit, round).map(move |outcome| (index, server, outcome)),
                );
            }
            let next = if waiting.len() > 0 {
                let hedge = pin!(sleep(self.options.hedge));
                match select(turns.next(), hedge).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right(_) => {
                        self.trace.decide(|| {
                            format!(
                                "no answer after {} ms: the next server too",
                                self.options.hedge.as_millis()
                            )
                        });
                        start = true;
                        continue;
                    }
                }
            } else {
                turns.next().await
            };
            // With no turn left, and none to come, the round is over.
            let (index, server, outcome) = next?;
            start = true;
            match outcome {
                Err(obstacle) => obstacles.push((server, obstacle)),
                Ok(reply) => {
                    let mut best = (index, reply);
                    while let Some(Some((index, _, outcome))) = turns.next().now_or_never() {
                        if let Ok(reply) = outcome
                            && index < best.0
                        {
                            best = (index, reply);
                        }
                    }
                    return Some(best.1);
                }
            }
        }
    }

    /// How long the server at `index` is waited for (glibc's resolv/res_send.c, `send_dg()`).
    fn limit(&self, index: usize) -> Duration {
        let doubled = self.options.timeout << u32::try_from(index).unwrap_or(0).min(8);
        let count = u32::try_from(self.servers.len()).unwrap_or(1).max(1);
        let seconds = if index == 0 { doubled } else { doubled / count };
        Duration::from_secs(seconds.max(1).into())
    }

    /// One server's turn: the query by UDP, without EDNS where that is not understood, and by TCP where
    /// the answer is truncated or may be forged.
    async fn turn(
        &self,
        question: &Question,
        server: SocketAddr,
        limit: Duration,
        round: u32,
    ) -> Result<Response, Obstacle> {
        let turn = self.trace.begin(question, server);
        let mut outcome = self.conversation(question, server, limit, round).await;
        turn.end(&outcome);
        if let Ok(reply) = &mut outcome {
            reply.server = Some(server);
        }
        outcome
    }

    async fn conversation(
        &self,
        question: &Question,
        server: SocketAddr,
        limit: Duration,
        round: u32,
    ) -> Result<Response, Obstacle> {
        let first = if self.options.use_vc { Protocol::Tcp } else { Protocol::Udp };
        // Some middleboxes drop queries with EDNS, or in mixed case: a second round does without.
        let edns = round == 0;
        let (mut reply, by) = if round == 0 && self.options.mixed_case && first == Protocol::Udp {
            self.in_mixed_case(question, server, limit).await?
        } else {
            (self.once(question, server, first, limit, edns).await?, first)
        };
        if edns && matches!(reply.rcode, rcode::FORMERR | rcode::NOTIMP | rcode::BADVERS) {
            let code = reply.rcode;
            self.trace.decide(|| format!("{server} says {} to EDNS: once more without", rcode::name(code)));
            reply = self.once(question, server, by, limit, false).await?;
        }
        if reply.truncated && by == Protocol::Udp {
            self.trace.decide(|| format!("the answer of {server} is cut off: once more by TCP"));
            reply = self.once(question, server, Protocol::Tcp, limit, edns).await?;
        }
        match reply.rcode {
            rcode::NOERROR if reply.is_lame() => Err(Obstacle::Lame),
            rcode::NOERROR if reply.is_unreadable() => {
                Err(Obstacle::Undecodable("no record of the answer can be read".to_owned()))
            }
            // That there is nothing in half an answer says nothing of the other half.
            rcode::NOERROR if reply.truncated && reply.answers.is_empty() => {
                Err(Obstacle::Undecodable("the answer is cut off, by TCP as well".to_owned()))
            }
            rcode::NOERROR | rcode::NXDOMAIN => Ok(reply),
            other => Err(Obstacle::Rcode(other)),
        }
    }

    /// Asks by UDP in mixed case. An answer in other letters may be forged, or the server's way to write names: it is
    /// asked once more by TCP, which who can't see the connection can't get into, and where there is none by UDP.
    async fn in_mixed_case(
        &self,
        question: &Question,
        server: SocketAddr,
        limit: Duration,
    ) -> Result<(Response, Protocol), Obstacle> {
        let query = question.encode(true).map_err(Obstacle::Undecodable)?;
        let mut mixed = query.clone();
        mix_case(&mut mixed).map_err(|error| Obstacle::Undecodable(error.to_string()))?;
        let mut bytes = self.exchange(server, Protocol::Udp, &mixed, limit).await?;
        if repeats_name(&mixed, &bytes) {
            // Names in the answer may point to that of the question, which is to be in the letters asked for.
            copy_name(&query, &mut bytes);
            return Ok((Response::decode(&bytes)?, Protocol::Udp));
        }
        self.trace.decide(|| format!("the answer of {server} has other letters: once more by TCP"));
        let (reply, by) = match self.once(question, server, Protocol::Tcp, limit.min(TCP_LIMIT), true).await {
            Ok(reply) => (reply, Protocol::Tcp),
            Err(obstacle) => {
                self.trace.decide(|| format!("no answer of {server} by TCP ({obstacle}): once more by UDP"));
                (self.once(question, server, Protocol::Udp, limit, true).await?, Protocol::Udp)
            }
        };
        Ok((Response { other_letters: true, ..reply }, by))
    }

    async fn once(
        &self,
        question: &Question,
        server: SocketAddr,
        protocol: Protocol,
        limit: Duration,
        edns: bool,
    ) -> Result<Response, Obstacle> {
        let query = question.encode(edns).map_err(Obstacle::Undecodable)?;
        Ok(Response::decode(&self.exchange(server, protocol, &query, limit).await?)?)
    }

    async fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Obstacle> {
        let exchange = self.transport.exchange(server, protocol, query);
        Ok(timeout(limit, exchange).await.map_err(|_| Obstacle::TimedOut)??)
    }
}

impl NoAnswer {
    /// Whether no server could even be reached.
    #[must_use]
    pub fn nobody_there(&self) -> bool {
        let mut obstacles = self.obstacles.iter();
        obstacles
            .all(|(_, obstacle)| matches!(obstacle, Obstacle::ConnectionRefused | Obstacle::Unreachable(_)))
    }

    /// Whether the last answer that came was SERVFAIL.
    #[must_use]
    pub fn servfail(&self) -> bool {
        let mut codes = self.obstacles.iter().rev().filter_map(|(_, obstacle)| match obstacle {
            Obstacle::Rcode(code) => Some(*code),
            _ => None,
        });
        codes.next() == Some(rcode::SERVFAIL)
    }

    /// What it means for the query: a refusal where every server refused, else something that may pass.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let refuses = |obstacle: &Obstacle| match obstacle {
            Obstacle::ConnectionRefused => true,
            Obstacle::Rcode(code) => *code != rcode::SERVFAIL,
            _ => false,
        };
        let mut seen: Vec<String> = Vec::new();
        for (server, obstacle) in &self.obstacles {
            let text = format!("{server}: {obstacle}");
            if !seen.contains(&text) {
                seen.push(text);
            }
        }
        let seen = seen.join(", ");
        if self.obstacles.iter().all(|(_, obstacle)| refuses(obstacle)) {
            Failure::Refused(seen)
        } else {
            Failure::Temporary(seen)
        }
    }
}

#[cfg(test)]
mod tests;
