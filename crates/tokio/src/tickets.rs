//! What has been accepted and has not ended, and who waits for it.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mqtt_p2p_core::{ReasonCode, Ticket};

use crate::shared::Shared;

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Published or unsubscribed.
    Done,
    /// Subscribed, with the server's answers.
    Answered(Vec<ReasonCode>),
    Dropped,
}

/// The requests in the order of their tickets, from the oldest that has not ended or whose end was not fetched.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    first: u32,
    entries: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
    /// Nobody will ask.
    released: bool,
}

impl Tickets {
    /// A request was accepted. Tickets come one by one.
    pub(crate) fn open(&mut self, ticket: Ticket) {
        if self.entries.is_empty() {
            self.first = ticket.index();
        }
        self.entries.push_back(Entry {
            outcome: None,
            waker: None,
            released: false,
        });
    }

    fn entry(&mut self, ticket: Ticket) -> Option<&mut Entry> {
        self.entries
            .get_mut(ticket.index().wrapping_sub(self.first) as usize)
    }

    /// It ended.
    pub(crate) fn close(&mut self, ticket: Ticket, outcome: Outcome) {
        if let Some(entry) = self.entry(ticket) {
            entry.outcome = Some(outcome);
            if let Some(waker) = entry.waker.take() {
                waker.wake();
            }
        }
        self.forget_old();
    }

    /// The client is gone: what is open is dropped.
    pub(crate) fn close_all(&mut self) {
        for entry in &mut self.entries {
            entry.outcome.get_or_insert(Outcome::Dropped);
            if let Some(waker) = entry.waker.take() {
                waker.wake();
            }
        }
    }

    fn poll(&mut self, ticket: Ticket, context: &Context<'_>) -> Poll<Outcome> {
        let Some(entry) = self.entry(ticket) else {
            return Poll::Ready(Outcome::Dropped);
        };
        match &entry.outcome {
            Some(outcome) => Poll::Ready(outcome.clone()),
            None => {
                entry.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn release(&mut self, ticket: Ticket) {
        if let Some(entry) = self.entry(ticket) {
            entry.released = true;
            entry.waker = None;
        }
        self.forget_old();
    }

    fn forget_old(&mut self) {
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.released && entry.outcome.is_some())
        {
            self.entries.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }
}

/// The end of one request, to be awaited or dropped; the request goes on either way.
pub(crate) struct Pending {
    shared: Arc<Shared>,
    ticket: Ticket,
}

impl Pending {
    pub(crate) const fn new(shared: Arc<Shared>, ticket: Ticket) -> Self {
        Self { shared, ticket }
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.shared.lock().tickets.poll(self.ticket, context)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.shared.lock().tickets.release(self.ticket);
    }
}

/// The delivery of an accepted message: await it to know that the message is through, that is, written to the
/// connection (QoS 0) or acknowledged by the server (QoS 1 and 2); or drop it, which changes nothing.
///
/// Cancel safe.
#[must_use = "dropping it is fine, but says nothing about the message: await it, or drop it on purpose"]
pub struct Delivery(pub(crate) Pending);

/// The client was closed before the message was through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl Future for Delivery {
    type Output = Result<(), Dropped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| match outcome {
            Outcome::Dropped => Err(Dropped),
            Outcome::Done | Outcome::Answered(_) => Ok(()),
        })
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.0.ticket).finish()
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client was closed before the message was through")
    }
}

impl std::error::Error for Dropped {}
