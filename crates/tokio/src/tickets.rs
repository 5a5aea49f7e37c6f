//! What has been accepted and has not ended, and who waits for it.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mqtt_p2p_core::{ReasonCode, Ticket};

use crate::error::PublishError;
use crate::shared::Shared;

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Published or unsubscribed.
    Done,
    /// Subscribed, with the server's answers.
    Answered(Vec<ReasonCode>),
    /// Refused by the server.
    Rejected(ReasonCode),
    Dropped,
}

/// So many tickets there are, before [`Ticket::index`] begins anew.
const ROUND: u64 = 65_533 << 16;

/// The requests in the order of their tickets, from the oldest that has not ended or whose end was not fetched.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    first: u32,
    entries: VecDeque<Entry>,
    /// How many of them somebody waits for.
    awaited: usize,
    /// How many have not ended, and their bytes.
    pub(crate) open: u64,
    pub(crate) open_bytes: u64,
    /// How many there have been.
    pub(crate) accepted: u64,
}

#[derive(Debug)]
struct Entry {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
    /// Nobody will ask.
    released: bool,
    /// The size of what was accepted.
    bytes: u32,
}

impl Tickets {
    /// A request of this size was accepted. Tickets come one by one.
    pub(crate) fn open(&mut self, ticket: Ticket, bytes: usize) {
        self.accepted += 1;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.open += 1;
        self.open_bytes += u64::from(bytes);
        if self.entries.is_empty() {
            self.first = ticket.index();
        }
        self.entries.push_back(Entry { outcome: None, waker: None, released: false, bytes });
    }

    fn entry(&mut self, ticket: Ticket) -> Option<&mut Entry> {
        let (index, first) = (ticket.index(), self.first);
        let behind = if index < first {
            ROUND - u64::from(first) + u64::from(index)
        } else {
            u64::from(index - first)
        };
        self.entries.get_mut(usize::try_from(behind).ok()?)
    }

    /// It ended. Gives who is to be woken, without the lock.
    pub(crate) fn close(&mut self, ticket: Ticket, outcome: Outcome) -> Option<Waker> {
        let entry = self.entry(ticket)?;
        entry.outcome = Some(outcome);
        let (waker, bytes) = (entry.waker.take(), entry.bytes);
        self.open -= 1;
        self.open_bytes -= u64::from(bytes);
        self.awaited -= usize::from(waker.is_some());
        self.forget_old();
        waker
    }

    /// The client is gone: what is open is dropped. Gives who is to be woken, without the lock.
    pub(crate) fn close_all(&mut self) -> Vec<Waker> {
        (self.awaited, self.open, self.open_bytes) = (0, 0, 0);
        let wakers = self.entries.iter_mut().filter_map(|entry| {
            entry.outcome.get_or_insert(Outcome::Dropped);
            entry.waker.take()
        });
        wakers.collect()
    }

    /// Its end; if that is yet to come, leaves the waker, and gives the one that was there.
    fn poll(&mut self, ticket: Ticket, waker: &Waker) -> Result<Outcome, Option<Waker>> {
        let Some(entry) = self.entry(ticket) else {
            return Ok(Outcome::Dropped);
        };
        match &entry.outcome {
            Some(outcome) => Ok(outcome.clone()),
            None => {
                let before = entry.waker.replace(waker.clone());
                self.awaited += usize::from(before.is_none());
                Err(before)
            }
        }
    }

    /// Whether somebody waits for the end of a request.
    pub(crate) const fn are_awaited(&self) -> bool {
        self.awaited > 0
    }

    /// Nobody will ask any more. Gives the waker that was there.
    fn release(&mut self, ticket: Ticket) -> Option<Waker> {
        let entry = self.entry(ticket)?;
        entry.released = true;
        let waker = entry.waker.take();
        self.awaited -= usize::from(waker.is_some());
        self.forget_old();
        waker
    }

    fn forget_old(&mut self) {
        while self.entries.front().is_some_and(|entry| entry.released && entry.outcome.is_some()) {
            self.entries.pop_front();
            self.first = ((u64::from(self.first) + 1) % ROUND) as u32;
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
        let polled = self.shared.lock().tickets.poll(self.ticket, context.waker());
        match polled {
            Ok(outcome) => Poll::Ready(outcome),
            // A waker may end a task when it is dropped, and that task may hold a client: not under the lock.
            Err(_) => {
                self.shared.room_in_a_stream();
                Poll::Pending
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let waker = self.shared.lock().tickets.release(self.ticket);
        drop(waker);
    }
}

/// The delivery of an accepted message: await it to know that the message is through, that is, written to the
/// connection (QoS 0) or acknowledged by the server (QoS 1 and 2); or drop it, which changes nothing. One that is kept
/// and not awaited keeps a few bytes for every later request.
///
/// It fails with [`PublishError::Closed`] if the client is closed first, and with [`PublishError::Rejected`] if the server
/// refuses the message.
///
/// Cancel safe.
#[must_use = "dropping it is fine, but says nothing about the message: await it, or drop it on purpose"]
pub struct Delivery(pub(crate) Pending);

impl Future for Delivery {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| match outcome {
            Outcome::Dropped => Err(PublishError::Closed),
            Outcome::Rejected(reason) => Err(PublishError::Rejected(reason)),
            Outcome::Done | Outcome::Answered(_) => Ok(()),
        })
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delivery").field(&self.0.ticket).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_when_the_tickets_go_round() {
        let [last, first] = [0xffff_fffd, 1].map(|bits| Ticket::from_bits(bits).unwrap());
        let mut tickets = Tickets::default();
        tickets.open(last, 1);
        tickets.open(first, 1);
        tickets.close(first, Outcome::Done);
        tickets.release(first);
        assert!(tickets.poll(last, Waker::noop()).is_err());
        tickets.close(last, Outcome::Done);
        assert_eq!(tickets.poll(last, Waker::noop()).ok(), Some(Outcome::Done));
        tickets.release(last);
        assert!(tickets.entries.is_empty());
    }
}
