//! The order of actions: first what must end, then what came in, then what goes out, then the clock.

use core::mem::take;

use mqtt_p2p_packet::PacketType;

use crate::action::{Action, Event};
use crate::client::Client;
use crate::disconnect::DisconnectReason;
use crate::error::Need;
use crate::journal;
use crate::keep_alive::Due;
use crate::machine::{Abandoning, Ending, Machine, Offered, Phase};
use crate::outbox::{Kind, Request};
use crate::receive::{ANSWER, Failed};
use crate::settings::Settings;
use crate::storage::{Memory, Storage};
use crate::ticket::Ticket;
use crate::time::{Instant, Millis, Moment};
use crate::usual::SHORT_CUTS;

const PINGREQ: [u8; 2] = [(PacketType::PingReq as u8) << 4, 0];
const DISCONNECT: [u8; 2] = [(PacketType::Disconnect as u8) << 4, 0];

impl<S: Storage, C: Settings> Client<S, C> {
    /// The next thing to do. Call it until it says [`Action::Wait`], after every event, and when the time has come.
    ///
    /// `received` are the bytes that came in and were not taken yet; it is advanced past what is taken now. An
    /// event borrows from it, and from nothing else.
    #[inline]
    pub fn poll<'a, 'b>(&'a mut self, now: Instant, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let machine = &mut self.machine;
        machine.see(now);
        if !machine.is_usual() || machine.now() >= machine.quiet_until {
            return self.look_at_all(received);
        }
        self.usual(received)
    }

    /// Whatever a poll may lead to.
    #[inline(never)]
    pub(crate) fn look_at_all<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        if self.machine.inbound.len() == self.storage.memory().inbound.len() {
            self.storage.grow(Need::Inbound);
        }
        let mut action = Action::Wait(None);
        self.machine.look_at_all(&mut self.storage.memory(), received, &mut action);
        action
    }
}

impl<C: Settings> Machine<C> {
    /// Returns the next publication whose end is an event now that it has been handed over.
    pub(crate) fn report(&mut self, requests: &mut [Request]) -> Option<Ticket> {
        if !self.config().tell_qos_0 && self.outbox.has_reports() {
            self.outbox.end_silently(requests);
        }
        let (ticket, kind) = self.outbox.report(requests)?;
        if kind == Kind::Taken {
            self.note_change(journal::Due::Remove(ticket));
        }
        Some(ticket)
    }

    /// The same, as an action. As all that follows, it says whether there is one; an action is written once, where it
    /// is to lie, since moving it takes more than making it.
    fn tell_report(&mut self, requests: &mut [Request], action: &mut Action<'_, '_>) -> bool {
        let reported = self.report(requests);
        if let Some(ticket) = reported {
            *action = Action::Event(Event::Published { ticket });
        }
        reported.is_some()
    }

    /// Whatever a poll may lead to, in the order of this file.
    pub(crate) fn look_at_all<'a, 'b>(
        &mut self,
        memory: &mut Memory<'a>,
        received: &mut &'b [u8],
        action: &mut Action<'a, 'b>,
    ) {
        self.look();
        if self.tell_change(memory, action) || self.unfinished(memory, action) {
            return;
        }
        let acted = match self.phase {
            Phase::Online => self.online(memory, received, action),
            Phase::Handshake | Phase::Leaving | Phase::Left => self.passing(memory, received, action),
            Phase::Idle | Phase::Waiting | Phase::Opening => self.offline(received, action),
        };
        // A change comes before the bytes that depend on it.
        if !acted && !self.tell_change(memory, action) {
            self.offer(memory, action);
        }
    }

    /// What may be written, or until when to wait.
    fn offer<'a>(&mut self, memory: &mut Memory<'a>, action: &mut Action<'a, '_>) {
        self.offered = self.waiting(memory);
        // Their turn has come; or requests have ended without an answer, and what waited for their identifiers may go on.
        let is_held = self.paused && self.optional().pacing.is_some();
        if self.offered == Offered::Nothing && self.outbox.has_unreleased() && !is_held {
            self.release_more(memory.requests);
            if self.tell_report(memory.requests, action) {
                return;
            }
            self.offered = self.waiting(memory);
        }
        if SHORT_CUTS && self.is_quiet() {
            self.quiet_until = self.keep_alive.ping_at();
        }
        // The action borrows for as long as the memory is lent.
        let (tx, control): (&'a mut [u8], &'a mut [u8]) = (take(&mut memory.tx), take(&mut memory.control));
        *action = match self.offered {
            Offered::Requests => Action::Transmit(self.outbox.ready(tx)),
            Offered::Begun => Action::Transmit(self.outbox.begun(memory.requests, tx)),
            Offered::Control => Action::Transmit(self.lane.bytes(control)),
            Offered::Nothing => {
                self.resting = true;
                Action::Wait(self.to_instant(self.until()))
            }
        };
    }

    /// Whether there is a connection, and nothing of the client's own accord to do but a ping after a silence.
    pub(crate) fn is_quiet(&self) -> bool {
        self.phase == Phase::Online
            && self.untaken.is_none()
            && self.parts.is_none()
            && !self.paused
            && !self.alone
            && !self.subscriptions.has_replay()
            && !self.is_kept()
            && self.optional().pacing.is_none()
            && self.keep_alive.is_quiet()
    }

    /// What has to be done or reported before anything new.
    #[inline]
    fn unfinished(&mut self, memory: &mut Memory<'_>, action: &mut Action<'_, '_>) -> bool {
        if self.close_due {
            return self.close(action);
        }
        if let Some(ending) = self.ending.take() {
            let retry_at = self.retry_at();
            *action = Action::Event(match ending {
                Ending::Refused(reason) => Event::Refused { reason, retry_at },
                Ending::Disconnected(reason) => Event::Disconnected { reason, retry_at },
            });
            return true;
        }
        if self.outbox.has_reports() && self.tell_report(memory.requests, action) {
            return true;
        }
        if let Some(Abandoning { until, next }) = self.abandoning {
            if let Some(ticket) = next(self, memory, until) {
                *action = Action::Event(Event::Dropped { ticket });
                return true;
            }
            self.abandoning = None;
        }
        false
    }

    /// Closes the transport.
    #[inline]
    const fn close(&mut self, action: &mut Action<'_, '_>) -> bool {
        self.close_due = false;
        *action = Action::CloseTransport;
        true
    }

    #[inline]
    fn online<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        received: &mut &'b [u8],
        action: &mut Action<'_, 'b>,
    ) -> bool {
        if (self.has_input(received) || self.untaken().is_some()) && self.input(memory, received, action) {
            return true;
        }
        if self.subscriptions.has_replay() && !self.alone {
            self.subscriptions.replay(memory, &mut self.lane);
        }
        if self.paused {
            return false;
        }
        // Before the output, since a peer that takes no bytes must not stop the clock.
        match self.keep_alive.due(self.now()) {
            Due::Nothing => false,
            Due::Ping => {
                self.ping(memory);
                false
            }
            Due::Dead => self.lost(DisconnectReason::KeepAliveTimeout, received, action),
        }
    }

    /// Sends a ping. Where there is no room for it, other bytes wait for a peer that does not take them, and that has
    /// the same time to show a sign of life.
    fn ping(&mut self, memory: &mut Memory<'_>) {
        self.lane.push(memory.control, PINGREQ);
        self.keep_alive.pinged(self.now());
        self.keep_alive.sent(self.now());
    }

    /// When time alone makes something due.
    pub(crate) fn due_at(&self) -> Moment {
        match self.phase {
            Phase::Idle => Moment::NEVER,
            Phase::Waiting | Phase::Online if self.paused => Moment::NEVER,
            Phase::Online => self.keep_alive.due_at().max(self.now()),
            _ => self.deadline,
        }
    }

    /// When [`Client::poll`] must be called. The pace counts only while the transport is not busy.
    pub(crate) fn next_timeout(&self) -> Moment {
        if self.resting { self.until() } else { self.due_at() }
    }

    /// When there is something to do without input.
    fn until(&self) -> Moment {
        let at = self.due_at();
        match self.optional().pacing {
            Some(pacing) => at.min((pacing.next_turn)(self)),
            None => at,
        }
    }

    /// Before CONNACK, and on the way out: the deadline governs.
    fn passing<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        received: &mut &'b [u8],
        action: &mut Action<'_, 'b>,
    ) -> bool {
        let expired = self.deadline <= self.now();
        match self.phase {
            Phase::Left => *received = &[],
            Phase::Leaving if expired => {}
            _ => {
                if self.input(memory, received, action) {
                    return true;
                }
            }
        }
        if expired {
            return self.timed_out(received, action);
        }
        if self.waiting(memory) == Offered::Nothing {
            match self.phase {
                Phase::Leaving if self.lane.push(memory.control, DISCONNECT) => self.phase = Phase::Left,
                Phase::Left => return self.lost(DisconnectReason::Requested, received, action),
                _ => {}
            }
        }
        false
    }

    fn timed_out(&mut self, received: &mut &[u8], action: &mut Action<'_, '_>) -> bool {
        let reason = match self.phase {
            Phase::Opening | Phase::Handshake => DisconnectReason::ConnectTimeout,
            _ => DisconnectReason::Requested,
        };
        self.lost(reason, received, action)
    }

    fn offline(&mut self, received: &mut &[u8], action: &mut Action<'_, '_>) -> bool {
        // Bytes of a connection that is gone.
        *received = &[];
        match self.phase {
            Phase::Waiting if !self.paused && self.deadline <= self.now() => {
                self.phase = Phase::Opening;
                self.deadline = self.now().later(self.config().connect_timeout_ms as Millis);
                self.history.attempts = self.history.attempts.saturating_add(1);
                *action = Action::OpenTransport { attempt: self.history.attempts };
                true
            }
            Phase::Opening if self.deadline <= self.now() => self.timed_out(received, action),
            _ => false,
        }
    }

    /// Ends the connection from this side.
    fn lost(&mut self, reason: DisconnectReason, received: &mut &[u8], action: &mut Action<'_, '_>) -> bool {
        *received = &[];
        self.lose(reason);
        self.close(action)
    }

    /// Reads what came, up to the next event.
    #[inline(never)]
    fn input<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        received: &mut &'b [u8],
        action: &mut Action<'_, 'b>,
    ) -> bool {
        if !self.acknowledge_taken(memory) {
            return false;
        }
        while self.has_input(received) && self.due.is_none() && self.lane.has_room(memory.control, ANSWER) {
            let before = received.len();
            let ends = self.has_end_of_parts();
            match self.packet(memory, received, action) {
                Ok(true) => return true,
                Ok(false) => {}
                Err(Failed) => *received = &[],
            }
            if self.close_due {
                return self.close(action);
            }
            if received.len() == before && !ends {
                break;
            }
        }
        false
    }

    /// What may be written: the rest of a packet that was begun, then control packets, then the outbound store.
    #[inline]
    fn waiting(&self, memory: &Memory<'_>) -> Offered {
        let others_wait = !self.lane.is_empty();
        let may_send = matches!(self.phase, Phase::Online | Phase::Leaving | Phase::Left);
        if may_send && self.outbox.has_begun(memory.requests) && (others_wait || self.alone) {
            Offered::Begun
        } else if others_wait {
            Offered::Control
        } else if may_send && self.outbox.has_ready() && !self.alone {
            Offered::Requests
        } else {
            Offered::Nothing
        }
    }

    #[inline]
    pub(crate) fn transmitted(&mut self, requests: &mut [Request], bytes: usize) {
        match self.offered {
            Offered::Nothing => return,
            Offered::Control => self.lane.transmitted(bytes),
            Offered::Requests | Offered::Begun => self.outbox.transmitted(requests, bytes),
        }
        if bytes > 0 {
            self.keep_alive.sent(self.now());
        }
        // Without the short ways, the next poll does it.
        if SHORT_CUTS && !self.config().tell_qos_0 && self.outbox.has_reports() {
            self.outbox.end_silently(requests);
        }
    }
}
