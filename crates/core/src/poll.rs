//! The order of actions: first what must end, then what came in, then what goes out, then the clock.

use core::ops::ControlFlow;

use mqtt_p2p_packet::{Filters, PacketType};

use crate::action::{Action, Event};
use crate::disconnect::DisconnectReason;
use crate::journal;
use crate::keep_alive::Due;
use crate::machine::{Ending, Machine, Offered, Phase};
use crate::outbox::{Kind, Request};
use crate::storage::Memory;
use crate::ticket::Ticket;
use crate::time::Instant;

const PINGREQ: [u8; 2] = [(PacketType::PingReq as u8) << 4, 0];
const DISCONNECT: [u8; 2] = [(PacketType::Disconnect as u8) << 4, 0];
/// An incoming packet is read only if its answer has room: an acknowledgement.
const ANSWER: usize = 4;

/// What comes before anything is written: an action, or nothing until this moment.
type First<'b> = ControlFlow<Action<'static, 'b>, Instant>;

impl Machine {
    /// A publication that was handed over just now: what there is to report most often, found without looking at
    /// anything else. A client whose session is kept looks at its changes first.
    #[inline]
    pub(crate) fn handed_over(&mut self, requests: &mut [Request]) -> Option<Ticket> {
        if !self.outbox.has_reports() || self.is_ending() || self.is_kept() {
            return None;
        }
        self.report(requests)
    }

    #[inline]
    fn report(&mut self, requests: &mut [Request]) -> Option<Ticket> {
        let (ticket, kind) = self.outbox.report(requests)?;
        if kind == Kind::Taken {
            self.note_change(journal::Due::Remove(ticket));
        }
        Some(ticket)
    }

    pub(crate) fn poll<'a, 'b>(
        &mut self,
        memory: Memory<'a>,
        now: Instant,
        received: &mut &'b [u8],
    ) -> Action<'a, 'b> {
        self.tick(now);
        // Nothing happened but that there may be something to write: kept apart since it is every other poll.
        if self.is_quiet()
            && received.is_empty()
            && let Due::Nothing(until) = self.keep_alive.due(self.now)
        {
            return self.offer(memory, until);
        }
        self.look_at_all(memory, received)
    }

    #[inline(never)]
    fn look_at_all<'a, 'b>(&mut self, mut memory: Memory<'a>, received: &mut &'b [u8]) -> Action<'a, 'b> {
        if self.is_kept() {
            if let Some(change) = self.next_change(&mut memory) {
                return Action::Store(change);
            }
            if !self.is_ending()
                && let Some(ticket) = self.report(memory.requests)
            {
                return Action::Event(Event::Published { ticket });
            }
        }
        if self.is_ending()
            && let Some(action) = self.unfinished(&mut memory)
        {
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
    #[inline]
    fn offer<'a, 'b>(&mut self, memory: Memory<'a>, until: Instant) -> Action<'a, 'b> {
        self.offered = self.waiting(&memory);
        if self.offered == Offered::Nothing && self.outbox.has_unreleased() {
            return self.offer_more(memory, until);
        }
        self.offering(memory, until)
    }

    /// Requests have ended without an answer, and what waited for their identifiers may go on.
    #[inline(never)]
    fn offer_more<'a, 'b>(&mut self, memory: Memory<'a>, until: Instant) -> Action<'a, 'b> {
        if self.phase == Phase::Online && !self.is_pacing() {
            self.release(&memory);
            if let Some(ticket) = self.report(memory.requests) {
                return Action::Event(Event::Published { ticket });
            }
            self.offered = self.waiting(&memory);
        }
        self.offering(memory, until)
    }

    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "the action borrows for as long as the memory is lent")]
    fn offering<'a, 'b>(&self, memory: Memory<'a>, until: Instant) -> Action<'a, 'b> {
        match self.offered {
            Offered::Outbox(end) => {
                Action::Transmit(memory.tx.get(self.outbox.cursor()..end).unwrap_or_default())
            }
            Offered::Control => Action::Transmit(self.lane.bytes(memory.control)),
            Offered::Nothing if until == Instant::NEVER => Action::Wait(None),
            Offered::Nothing => Action::Wait(Some(until)),
        }
    }

    /// Whether an attempt, or everything, is about to end.
    #[inline]
    const fn is_ending(&self) -> bool {
        self.close_due || self.ending.is_some() || self.abandoning.is_some()
    }

    /// Whether there is a connection, and nothing of its own accord to do.
    #[inline]
    const fn is_quiet(&self) -> bool {
        matches!(self.phase, Phase::Online)
            && self.unacknowledged.is_none()
            && self.parts.is_none()
            && !self.paused
            && !self.subscriptions.has_replay()
            && !self.is_kept()
            && !self.is_pacing()
            && !self.is_ending()
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
        if let Some(until) = self.abandoning {
            if let Some(request) = self.outbox.abandon(memory, until) {
                if request.kind == Kind::Subscribe {
                    let filters = Filters::from_checked(request.entries(memory.tx));
                    self.subscriptions.expect_no_more(filters);
                }
                let ticket = request.ticket;
                match request.kind {
                    Kind::ExactlyOnce => self.note_change(journal::Due::GiveUp(ticket)),
                    Kind::AtLeastOnce | Kind::Release | Kind::Taken => {
                        self.note_change(journal::Due::Remove(ticket));
                    }
                    _ => {}
                }
                return Some(Action::Event(Event::Dropped { ticket }));
            }
            self.abandoning = None;
        }
        None
    }

    #[inline]
    fn online<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> First<'b> {
        if self.has_input(received) || self.unacknowledged.is_some() {
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
            next = self.keep_pace(memory);
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
        self.lane.push(memory, PINGREQ);
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
    fn passing<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> First<'b> {
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
                Phase::Leaving if self.lane.push(memory, DISCONNECT) => self.phase = Phase::Left,
                Phase::Left => return self.lost(DisconnectReason::Requested, received),
                _ => {}
            }
        }
        ControlFlow::Continue(self.deadline)
    }

    fn timed_out<'b>(&mut self, received: &mut &'b [u8]) -> First<'b> {
        let reason = match self.phase {
            Phase::Opening | Phase::Handshake => DisconnectReason::ConnectTimeout,
            _ => DisconnectReason::Requested,
        };
        self.lost(reason, received)
    }

    #[inline(never)]
    fn offline<'b>(&mut self, received: &mut &'b [u8]) -> First<'b> {
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

    fn lost<'b>(&mut self, reason: DisconnectReason, received: &mut &'b [u8]) -> First<'b> {
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
        while self.has_input(received) && !self.has_changes() && self.lane.has_room(memory, ANSWER) {
            let before = received.len();
            if let Some(event) = self.receive(memory, received) {
                return ControlFlow::Break(Action::Event(event));
            }
            if self.close_due {
                self.close_due = false;
                return ControlFlow::Break(Action::CloseTransport);
            }
            if received.len() == before {
                break;
            }
        }
        ControlFlow::Continue(())
    }

    /// What may be written: the rest of a packet that was begun, then control packets, then the outbound store.
    #[inline]
    fn waiting(&self, memory: &Memory<'_>) -> Offered {
        let control = !self.lane.is_empty();
        if matches!(self.phase, Phase::Online | Phase::Leaving | Phase::Left)
            && let Some(end) = self.outbox.ready(memory, control || self.alone)
        {
            Offered::Outbox(end)
        } else if control {
            Offered::Control
        } else {
            Offered::Nothing
        }
    }

    #[inline]
    pub(crate) fn transmitted(&mut self, memory: &Memory<'_>, bytes: usize) {
        match self.offered {
            Offered::Nothing => return,
            Offered::Control => self.lane.transmitted(bytes),
            Offered::Outbox(_) => self.outbox.transmitted(memory, bytes),
        }
        if bytes > 0 {
            self.keep_alive.sent(self.now);
        }
    }
}
