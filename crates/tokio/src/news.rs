//! What the driver learns, and for whom: messages for streams, ends for who awaits them, events for who watches.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::time::Duration;

use mqtt_p2p_aliyun::TokenNotice;
use mqtt_p2p_core::{DisconnectReason, Event, Instant, ReasonCode, Ticket};

use crate::attempts::Attempts;
use crate::dial::Dialler;
use crate::error::ConnectError;
use crate::event::{Cause, ConnectionEvent};
use crate::journal;
use crate::message::Message;
use crate::shared::{Shared, State, Stream};
use crate::streams::Queue;
use crate::tickets::Outcome;
use crate::tokens::Tokens;
use crate::trace::TraceEntry;

/// What is told only once the lock is released: who is woken may run anything.
#[derive(Default)]
pub(crate) struct News {
    batches: Vec<(Arc<Queue>, Vec<Message>)>,
    /// Empty, to be used again.
    spare: Vec<Vec<Message>>,
    pub(crate) events: Vec<ConnectionEvent>,
    /// Requests that ended, of a client whose session is kept.
    ends: Vec<(Ticket, Outcome)>,
    wakers: Vec<Waker>,
    /// There may be room for a request.
    pub(crate) room: bool,
    /// An attempt begins: which.
    pub(crate) dialling: Option<u32>,
    /// The packets that went by, if the program's log wants them.
    pub(crate) packets: Vec<TraceEntry>,
}

/// What an event of the connection has to do with.
pub(crate) struct Attempt<'a> {
    pub(crate) attempts: &'a mut Attempts,
    pub(crate) dialler: &'a Dialler,
    pub(crate) tokens: Option<&'a Tokens>,
    /// The transport's end in the words of the operating system.
    pub(crate) detail: &'a Option<Arc<str>>,
}

/// What the service says of a token.
pub(crate) fn notice(message: &mqtt_p2p_core::Message<'_>) -> Option<TokenNotice> {
    // All but very few messages end here.
    if !message.topic.as_bytes().starts_with(b"$SYS/token") {
        return None;
    }
    TokenNotice::parse(message.topic.as_str(), message.payload)?.ok()
}

impl News {
    /// A request ended. What a crash could still take back, nobody hears of before it is kept.
    fn end(&mut self, state: &mut State, ticket: Ticket, outcome: Outcome) {
        if state.core.config().keep_session {
            self.ends.push((ticket, outcome));
        } else {
            self.wakers.extend(state.close_ticket(ticket, outcome));
        }
        self.room = true;
    }

    /// What was not kept has not happened.
    pub(crate) fn forget(&mut self) {
        self.batches.clear();
        self.ends.clear();
    }

    /// Tells the news, without the lock.
    pub(crate) fn tell(&mut self, shared: &Shared) {
        let Self { batches, spare, events, ends, wakers, room, dialling, packets } = self;
        if !ends.is_empty() {
            let mut state = shared.lock();
            wakers.extend(ends.drain(..).filter_map(|(ticket, outcome)| state.close_ticket(ticket, outcome)));
        }
        packets.drain(..).for_each(|packet| journal::packet(&packet));
        if let Some(attempt) = dialling.take() {
            journal::dialling(attempt);
        }
        for (queue, mut batch) in batches.drain(..) {
            let (first, lost) = queue.fill(&mut batch);
            if first {
                journal::first_drop(queue.filter());
            }
            shared.dropped.fetch_add(lost, Relaxed);
            spare.push(batch);
        }
        events.drain(..).for_each(|event| shared.report(event));
        wakers.drain(..).for_each(Waker::wake);
        if mem::take(room) {
            shared.room.notify_waiters();
        }
    }
}

impl State {
    /// Gives a message to every stream that wants it.
    pub(crate) fn deliver(&mut self, message: &mqtt_p2p_core::Message<'_>, shared: &Arc<Shared>) {
        self.streams.retain(|stream| !stream.queue.is_abandoned());
        let mut owned = None;
        let mut last: Option<&mut Stream> = None;
        for stream in self.streams.iter_mut().filter(|stream| stream.queue.wants(message.topic)) {
            if let Some(before) = last.replace(stream) {
                before.push(owned.get_or_insert_with(|| Message::new(message, shared)).clone());
            }
        }
        // A message that one stream wants, as is usual, is not cloned.
        match last {
            Some(stream) => stream.push(owned.unwrap_or_else(|| Message::new(message, shared))),
            None => self.unclaimed += 1,
        }
    }

    /// Moves the messages of [`Self::deliver`] on their way to the queues.
    pub(crate) fn take_batches(&mut self, news: &mut News) {
        for stream in &mut self.streams {
            if !stream.batch.is_empty() {
                let empty = news.spare.pop().unwrap_or_default();
                let batch = mem::replace(&mut stream.batch, empty);
                news.batches.push((Arc::clone(&stream.queue), batch));
            }
        }
    }

    /// Notes an event.
    pub(crate) fn note(&mut self, event: Event<'_>, now: Instant, mut attempt: Attempt<'_>, news: &mut News) {
        let wait = |at: Option<Instant>| at.map(|at| Duration::from_millis(at.millis_since(now)));
        let connection = match event {
            Event::Published { ticket, .. } | Event::Unsubscribed { ticket, .. } => {
                return news.end(self, ticket, Outcome::Done);
            }
            Event::Subscribed { ticket, return_codes, .. } => {
                return news.end(self, ticket, Outcome::Answered(return_codes.iter().collect()));
            }
            Event::Rejected { ticket, reason, .. } => {
                return news.end(self, ticket, Outcome::Rejected(reason));
            }
            Event::Dropped { ticket, .. } => {
                return news.end(self, ticket, Outcome::Dropped);
            }
            Event::Resubscribed { first, return_codes, .. } => {
                let asked = self.core.subscriptions().skip(first);
                for (entry, _) in asked.zip(return_codes.iter()).filter(|(_, answer)| answer.is_error()) {
                    let filter = entry.filter.to_string();
                    news.events.push(ConnectionEvent::SubscriptionLost { filter });
                }
                return;
            }
            Event::Connected { session_present, .. } => {
                attempt.attempts.connected();
                attempt.dialler.steps.done(String::new);
                if let Some(tokens) = attempt.tokens {
                    tokens.logged_in();
                }
                self.diagnosis.connected(now);
                self.first_round_ended(Ok(()), now);
                let again = self.core.stats().connections > 1;
                ConnectionEvent::Connected { endpoint: attempt.attempts.endpoint(), again, session_present }
            }
            Event::Refused { reason, retry_at, .. } => {
                self.ends = self.ends.wrapping_add(1);
                ConnectionEvent::Refused { reason, retry_in: wait(retry_at) }
            }
            Event::Disconnected { reason, retry_at, .. } => {
                self.ends = self.ends.wrapping_add(1);
                let likely_cause = Cause::of(self.diagnosis.explain(&reason, now));
                let detail = match (reason, attempt.dialler.steps.under_way()) {
                    (DisconnectReason::ConnectTimeout, Some(step)) => {
                        Some(format!("stuck at: {step}").into())
                    }
                    _ => attempt.detail.clone(),
                };
                ConnectionEvent::Disconnected { reason, detail, likely_cause, retry_in: wait(retry_at) }
            }
            _ => return,
        };
        let connection = self.after_attempt(connection, now, &mut attempt);
        news.events.push(connection);
        news.room = true;
    }

    /// Goes on at once, if there is something else to try; otherwise tells who waits that there is not.
    fn after_attempt(
        &mut self,
        event: ConnectionEvent,
        now: Instant,
        attempt: &mut Attempt<'_>,
    ) -> ConnectionEvent {
        let Some(error) = event.failure() else {
            return event;
        };
        attempt.dialler.steps.failed(&error);
        let wanted = self.wanted && !self.closing;
        let mut goes_on = attempt.attempts.ended(&error, wanted);
        self.core.set_protocol(attempt.attempts.protocol());
        if let Some(tokens) = attempt.tokens {
            let is_refused = matches!(
                error,
                ConnectError::Refused(ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized)
            );
            if is_refused {
                // Once, with new ones.
                goes_on = tokens.refused() && wanted;
            } else {
                tokens.lost();
            }
            if tokens.gave_up() {
                self.core.disconnect(now);
                self.first_round_ended(Err(error), now);
                return event.for_good();
            }
        }
        if !goes_on {
            self.first_round_ended(Err(error), now);
            return event;
        }
        self.core.connect(now);
        event.at_once()
    }

    /// The first round of attempts has ended. Who wanted no more than one need not close the client.
    fn first_round_ended(&mut self, result: Result<(), ConnectError>, now: Instant) {
        if self.first_round.is_none() && result.is_err() && self.one_round {
            self.closing = true;
            self.core.disconnect(now);
        }
        self.first_round.get_or_insert(result);
    }

    /// A request ended. Gives who is to be woken, without the lock.
    fn close_ticket(&mut self, ticket: Ticket, outcome: Outcome) -> Option<Waker> {
        let answered = !matches!(outcome, Outcome::Dropped);
        let waker = self.tickets.close(ticket, outcome);
        if answered && self.tickets.open == 0 {
            self.diagnosis.answered();
        }
        waker
    }
}
