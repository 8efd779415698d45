//! A [`Transport`] that follows a script instead of using the network: for unit tests and fuzzing.
//!
//! A [`Script`] passes each query to its [`Servers`], carries out what they decide, and keeps a record. Unit tests have
//! a [`Table`] of servers; fuzz targets have servers of their own, which derive their answers from the input. Delays
//! are those of tokio's clock, so on a paused one ([`block_on`]) nothing waits.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a script that makes no sense is a test that makes none"
)]

mod act;
mod message;
mod servers;
mod table;

pub use act::Act;
pub use message::ReplyWriter;
pub use servers::{Asked, Deed, Reaction, Servers};
pub use table::Table;

use crate::dns::{Protocol, Transport};
use crate::message::{Question, Response, is_reply_to};
use futures_util::FutureExt;
use futures_util::stream::{self, Stream};
use hickory_resolver::proto::op::Message;
use std::cell::{OnceCell, RefCell};
use std::io;
use std::net::SocketAddr;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep};

/// Scripted servers, and a record of what happened.
#[derive(Debug, Default)]
pub struct Script<S> {
    servers: S,
    first: OnceCell<Instant>,
    asked: RefCell<Vec<Asked>>,
    replies: RefCell<Vec<Vec<u8>>>,
}

impl<S: Servers> Script<S> {
    /// A script of these servers.
    pub fn new(servers: S) -> Self {
        Self { servers, first: OnceCell::new(), asked: RefCell::default(), replies: RefCell::default() }
    }

    /// The queries so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// What could be read of the messages that were accepted as replies.
    pub fn replies(&self) -> Vec<Response> {
        self.replies.borrow().iter().filter_map(|reply| Response::decode(reply).ok()).collect()
    }

    /// Records a query. Returns it, and its number.
    fn note(&self, server: SocketAddr, protocol: Protocol, query: &[u8]) -> (Asked, usize) {
        let message = Message::from_vec(query).expect("our own message");
        let [question] = message.queries.as_slice() else {
            panic!("one question, not {:?}", message.queries)
        };
        let now = Instant::now();
        let asked = Asked {
            server,
            protocol,
            question: Question { name: question.name().to_lowercase(), record_type: question.query_type() },
            edns: message.edns.is_some(),
            at: now - *self.first.get_or_init(|| now),
            query: query.to_vec(),
        };
        let mut all = self.asked.borrow_mut();
        all.push(asked.clone());
        (asked, all.len() - 1)
    }
}

impl<S: Servers> Transport for Script<S> {
    fn exchange(
        &self,
        server: SocketAddr,
        protocol: Protocol,
        query: Vec<u8>,
    ) -> impl Stream<Item = io::Result<Vec<u8>>> {
        let react = async move {
            let (asked, number) = self.note(server, protocol, &query);
            let reaction = self.servers.react(&asked, number);
            stream::unfold(Ok(Some(Box::new(reaction))), move |next: Result<Option<Box<Reaction>>, ()>| {
                let query = query.clone();
                async move {
                    // An error ends the exchange; after anything else that is the last, nothing ever comes.
                    let Some(reaction) = next.ok()? else { return std::future::pending().await };
                    let Reaction { delay, deed, then } = *reaction;
                    if !delay.is_zero() {
                        sleep(delay).await;
                    }
                    match deed {
                        Deed::Error(kind) => Some((Err(kind.into()), Err(()))),
                        Deed::Reply(reply) => {
                            if is_reply_to(&query, &reply) {
                                self.replies.borrow_mut().push(reply.clone());
                            }
                            Some((Ok(reply), Ok(then)))
                        }
                        Deed::Silence => std::future::pending().await,
                    }
                }
            })
        };
        react.flatten_stream()
    }
}

/// Runs a lookup on a simulated clock.
pub fn block_on<T>(lookup: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(lookup))
}
