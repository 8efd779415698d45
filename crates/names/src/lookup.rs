//! A lookup in two steps, so that a process can give up its rights in between.

use crate::answer::{Answer, answer};
use crate::dns::Transport;
use crate::host::Host;
use key::{Failure, Query};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio::runtime::Runtime;

/// A lookup on its way.
pub struct Lookup<'a> {
    answer: Pin<Box<dyn Future<Output = Result<Answer, Failure>> + 'a>>,
    runtime: Runtime,
}

impl<'a> Lookup<'a> {
    /// Opens what it takes to wait for name servers.
    ///
    /// # Errors
    /// [`Failure::Internal`] where the system refuses.
    pub fn open<T: Transport>(query: &'a Query, host: &'a Host<'a, T>) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // Room for so many at once; more come the next time. The usual room for 1,024 takes three pages of memory.
            .max_io_events_per_tick(64)
            .build();
        let runtime =
            runtime.map_err(|error| Failure::Internal(format!("can't start the event loop: {error}")))?;
        Ok(Self { answer: Box::pin(answer(query, host)), runtime })
    }

    /// Goes as far as it can without waiting: the host's files are searched, and the first questions are sent. Nothing
    /// that a name server or an NSS module says is read.
    ///
    /// Returns the answer, where none of them has to be asked.
    pub fn start(&mut self) -> Option<Result<Answer, Failure>> {
        let answer = &mut self.answer;
        // The event loop looks for what has come only when it waits, and for this it never does: a socket that it has
        // not looked at is never read from.
        self.runtime.block_on(poll_fn(|context| {
            Poll::Ready(match answer.as_mut().poll(context) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            })
        }))
    }

    /// Waits for the answer, within the deadline of the options.
    ///
    /// # Errors
    /// The failure that the kernel is to be told of.
    pub fn finish(self) -> Result<Answer, Failure> {
        self.runtime.block_on(self.answer)
    }
}

impl fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
