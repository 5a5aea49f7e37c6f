//! The order of actions: first what must end, then what came in, then what goes out, then the clock.

use core::ops::ControlFlow;

use mqtt_p2p_packet::PacketType;

use crate::action::{Action, Event};
use crate::client::Client;
use crate::disconnect::DisconnectReason;
use crate::error::Need;
use crate::journal;
use crate::keep_alive::Due;
use crate::machine::{Abandoning, Ending, Machine, Offered, Phase};
use crate::outbox::{Kind, Request};
use crate::receive::ANSWER;
use crate::storage::{Memory, Storage};
use crate::ticket::Ticket;
use crate::time::Instant;
use crate::usual::SHORT_CUTS;

const PINGREQ: [u8; 2] = [(PacketType::PingReq as u8) << 4, 0];
const DISCONNECT: [u8; 2] = [(PacketType::Disconnect as u8) << 4, 0];

/// What comes before anything is written: an action, or nothing until this moment.
type Early<'b> = ControlFlow<Action<'static, 'b>, Instant>;

impl<S: Storage> Client<S> {
    /// The next thing to do. Call it until it says [`Action::Wait`], after every event, and when the time has come.
    ///
    /// `received` are the bytes that came in and were not taken yet; it is advanced past what is taken now. An
    /// event borrows from it, and from nothing else.
    #[inline]
    pub fn poll<'a, 'b>(&'a mut self, now: Instant, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let machine = &mut self.machine;
        machine.now = machine.now.max(now);
        if !machine.is_usual() || machine.now >= machine.quiet_until {
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
        self.machine.look_at_all(self.storage.memory(), received)
    }
}

impl Machine {
    pub(crate) fn report(&mut self, requests: &mut [Request]) -> Option<Ticket> {
        while let Some((ticket, kind)) = self.outbox.report(requests) {
            if kind == Kind::Taken {
                self.note_change(journal::Due::Remove(ticket));
                return Some(ticket);
            }
            if self.config.tell_qos_0 {
                return Some(ticket);
            }
        }
        None
    }

    /// Whatever a poll may lead to, in the order of this file.
    pub(crate) fn look_at_all<'a, 'b>(
        &mut self,
        mut memory: Memory<'a>,
        received: &mut &'b [u8],
    ) -> Action<'a, 'b> {
        self.quiet_until = Instant::START;
        if let Some(change) = self.next_change(&mut memory) {
            return Action::Store(change);
        }
        if !self.is_ending() {
            if self.outbox.has_reports()
                && let Some(ticket) = self.report(memory.requests)
            {
                return Action::Event(Event::Published { ticket });
            }
        } else if let Some(action) = self.unfinished(&mut memory) {
            return action;
        }
        let first = match self.phase {
            Phase::Online => self.online(&mut memory, received),
            Phase::Handshake | Phase::Leaving | Phase::Left => self.passing(&mut memory, received),
            Phase::Idle | Phase::Waiting | Phase::Opening => self.offline(received),
        };
        match first {
            ControlFlow::Break(action) => action,
            // Before the bytes that depend on it.
            ControlFlow::Continue(until) => match self.next_change(&mut memory) {
                Some(change) => Action::Store(change),
                None => self.offer(memory, until),
            },
        }
    }

    /// What may be written, or until when to wait.
    #[expect(clippy::needless_pass_by_value, reason = "the action borrows for as long as the memory is lent")]
    fn offer<'a, 'b>(&mut self, memory: Memory<'a>, until: Instant) -> Action<'a, 'b> {
        self.offered = self.waiting(&memory);
        // Requests have ended without an answer, and what waited for their identifiers may go on.
        if self.offered == Offered::Nothing
            && self.outbox.has_unreleased()
            && self.phase == Phase::Online
            && !self.is_pacing()
        {
            self.release(memory.requests);
            if let Some(ticket) = self.report(memory.requests) {
                return Action::Event(Event::Published { ticket });
            }
            self.offered = self.waiting(&memory);
        }
        if SHORT_CUTS && self.is_quiet() {
            self.quiet_until = until;
        }
        match self.offered {
            Offered::Requests => Action::Transmit(self.outbox.ready(memory.tx)),
            Offered::Begun => Action::Transmit(self.outbox.begun(memory.requests, memory.tx)),
            Offered::Control => Action::Transmit(self.lane.bytes(memory.control)),
            Offered::Nothing => Action::wait(until),
        }
    }

    /// Whether an attempt, or everything, is about to end.
    #[inline]
    const fn is_ending(&self) -> bool {
        self.close_due || self.ending.is_some() || self.abandoning.is_some()
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
            && self.optional.release_paced.is_none()
            && !self.is_ending()
            && self.keep_alive.is_quiet()
    }

    /// What has to be done or reported before anything new.
    #[cold]
    fn unfinished<'b>(&mut self, memory: &mut Memory<'_>) -> Option<Action<'static, 'b>> {
        if self.close_due {
            self.close_due = false;
            return Some(Action::CloseTransport);
        }
        if let Some(ending) = self.ending.take() {
            let retry_at = self.retry_at();
            return Some(Action::Event(match ending {
                Ending::Refused(reason) => Event::Refused { reason, retry_at },
                Ending::Disconnected(reason) => Event::Disconnected { reason, retry_at },
            }));
        }
        if let Some(ticket) = self.report(memory.requests) {
            return Some(Action::Event(Event::Published { ticket }));
        }
        if let Some(Abandoning { until, next }) = self.abandoning {
            if let Some(ticket) = next(self, memory, until) {
                return Some(Action::Event(Event::Dropped { ticket }));
            }
            self.abandoning = None;
        }
        None
    }

    #[inline]
    fn online<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Early<'b> {
        if self.has_input(received) || self.untaken.is_some() {
            self.input(memory, received)?;
        }
        if self.subscriptions.has_replay() && !self.alone {
            self.subscriptions.replay(memory, &mut self.lane);
        }
        if self.paused {
            return ControlFlow::Continue(Instant::NEVER);
        }
        let mut next = Instant::NEVER;
        if self.is_pacing() {
            next = self.keep_pace(memory.requests);
            if let Some(ticket) = self.report(memory.requests) {
                return ControlFlow::Break(Action::Event(Event::Published { ticket }));
            }
        }
        // Before the output, since a peer that takes no bytes must not stop the clock.
        match self.keep_alive.due(self.now) {
            Due::Nothing(at) => ControlFlow::Continue(at.min(next)),
            Due::Ping => ControlFlow::Continue(self.ping(memory).min(next)),
            Due::Dead => self.lost(DisconnectReason::KeepAliveTimeout, received),
        }
    }

    /// Sends a ping; says when its answer is due. Where there is no room for it, other bytes wait for a peer that
    /// does not take them, and that has the same time to show a sign of life.
    #[inline(never)]
    fn ping(&mut self, memory: &mut Memory<'_>) -> Instant {
        self.lane.push(memory.control, PINGREQ);
        self.keep_alive.pinged(self.now);
        self.keep_alive.sent(self.now);
        match self.keep_alive.due(self.now) {
            Due::Nothing(at) => at,
            _ => self.now,
        }
    }

    /// When time alone makes something due.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        let at = match self.phase {
            Phase::Idle => Instant::NEVER,
            Phase::Waiting if self.paused => Instant::NEVER,
            Phase::Online if self.paused => Instant::NEVER,
            Phase::Online => match self.keep_alive.due(self.now) {
                Due::Nothing(at) => at,
                Due::Ping | Due::Dead => self.now,
            },
            _ => self.deadline,
        };
        if at == Instant::NEVER { None } else { Some(at) }
    }

    /// Before CONNACK, and on the way out: the deadline governs.
    #[inline(never)]
    fn passing<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Early<'b> {
        let expired = self.deadline <= self.now;
        match self.phase {
            Phase::Left => *received = &[],
            Phase::Leaving if expired => {}
            _ => {
                self.input(memory, received)?;
            }
        }
        if expired {
            return self.timed_out(received);
        }
        if self.waiting(memory) == Offered::Nothing {
            match self.phase {
                Phase::Leaving if self.lane.push(memory.control, DISCONNECT) => self.phase = Phase::Left,
                Phase::Left => return self.lost(DisconnectReason::Requested, received),
                _ => {}
            }
        }
        ControlFlow::Continue(self.deadline)
    }

    fn timed_out<'b>(&mut self, received: &mut &'b [u8]) -> Early<'b> {
        let reason = match self.phase {
            Phase::Opening | Phase::Handshake => DisconnectReason::ConnectTimeout,
            _ => DisconnectReason::Requested,
        };
        self.lost(reason, received)
    }

    #[inline(never)]
    fn offline<'b>(&mut self, received: &mut &'b [u8]) -> Early<'b> {
        // Bytes of a connection that is gone.
        *received = &[];
        match self.phase {
            Phase::Waiting if self.paused => ControlFlow::Continue(Instant::NEVER),
            Phase::Waiting if self.deadline <= self.now => {
                self.phase = Phase::Opening;
                self.deadline = self.now.after_millis(self.config.connect_timeout_ms);
                self.history.attempts = self.history.attempts.saturating_add(1);
                ControlFlow::Break(Action::OpenTransport { attempt: self.history.attempts })
            }
            Phase::Opening if self.deadline <= self.now => self.timed_out(received),
            Phase::Waiting | Phase::Opening => ControlFlow::Continue(self.deadline),
            _ => ControlFlow::Continue(Instant::NEVER),
        }
    }

    /// Ends the connection from this side.
    pub(crate) fn fail(&mut self, reason: DisconnectReason, received: &mut &[u8]) {
        *received = &[];
        self.lose(reason);
    }

    fn lost<'b>(&mut self, reason: DisconnectReason, received: &mut &'b [u8]) -> Early<'b> {
        self.fail(reason, received);
        self.close_due = false;
        ControlFlow::Break(Action::CloseTransport)
    }

    /// Reads what came, up to the next event.
    #[inline(never)]
    fn input<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        received: &mut &'b [u8],
    ) -> ControlFlow<Action<'static, 'b>> {
        if !self.acknowledge_taken(memory) {
            return ControlFlow::Continue(());
        }
        while self.has_input(received) && !self.has_changes() && self.lane.has_room(memory.control, ANSWER) {
            let before = received.len();
            let ends = self.has_end_of_parts();
            match self.packet(memory, received) {
                Ok(Some(event)) => return ControlFlow::Break(Action::Event(event)),
                Ok(None) => {}
                Err(reason) => self.fail(reason, received),
            }
            if self.close_due {
                self.close_due = false;
                return ControlFlow::Break(Action::CloseTransport);
            }
            if received.len() == before && !ends {
                break;
            }
        }
        ControlFlow::Continue(())
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
    pub(crate) fn transmitted(&mut self, requests: &[Request], bytes: usize) {
        match self.offered {
            Offered::Nothing => return,
            Offered::Control => self.lane.transmitted(bytes),
            Offered::Requests | Offered::Begun => self.outbox.transmitted(requests, bytes),
        }
        if bytes > 0 {
            self.keep_alive.sent(self.now);
        }
        if !self.config.tell_qos_0 && self.outbox.has_reports() {
            // What this does not settle, the next poll does.
            self.outbox.report_first(requests);
        }
    }
}
