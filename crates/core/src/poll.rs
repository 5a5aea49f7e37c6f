//! The order of actions: first what must end, then what came in, then what goes out, then the clock.

use core::mem::take;

use mqtt_p2p_packet::{Ack, Framed, PacketType, Publish, frame};

use crate::action::{Action, DropReason, Event};
use crate::client::Client;
use crate::constants::{ForSpeed, SIZE_OPTIMIZED};
use crate::disconnect::DisconnectReason;
use crate::error::Need;
use crate::keep_alive::Due;
use crate::machine::{Ending, Machine, Offered, Phase};
use crate::outbox::{Kind, Request};
use crate::receive::{ANSWER, Failed};
use crate::session::journal;
use crate::settings::Settings;
use crate::storage::{Memory, Storage};
use crate::ticket::Ticket;
use crate::time::{Instant, Millis, Moment};

const PINGREQ: [u8; 2] = [(PacketType::PingReq as u8) << 4, 0];
/// The first byte of a PUBLISH, with the flags left out that a message of QoS 0 or 1 may have.
const PUBLISH: u8 = (PacketType::Publish as u8) << 4;
const NOT_QOS_2: u8 = 0b1111_0100;
/// The first byte of a PUBACK.
const PUBACK: u8 = (PacketType::PubAck as u8) << 4;
const DISCONNECT: [u8; 2] = [(PacketType::Disconnect as u8) << 4, 0];

impl<S: Storage, C: Settings> Client<S, C> {
    /// The next thing to do. Call it until it says [`Action::Wait`], after every event, and when the time has come.
    ///
    /// `received` are the bytes that came in and were not taken yet; it is advanced past what is taken now. An
    /// event borrows from it, and from nothing else.
    #[inline(always)]
    pub fn poll<'a, 'b>(&'a mut self, now: Instant, received: &mut &'b [u8]) -> Action<'a, 'b> {
        self.machine.see(now);
        if self.machine.needs_attention() {
            self.poll_slow(received)
        } else if self.machine.outbox.has_reports() {
            self.poll_reports(received)
        } else {
            self.poll_traffic(received)
        }
    }

    /// Looks at everything.
    #[inline(never)]
    fn poll_slow<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        if self.machine.inbound.len() == self.storage.memory().inbound.len() {
            self.storage.grow(Need::Inbound);
        }
        let mut action = Action::Wait(None);
        self.machine.attend(&mut self.storage.memory(), received, &mut action);
        action
    }

    // The steps of a poll while nothing else needs attention. Rare cases are tail calls, so that these functions spill no
    // registers.

    #[inline(never)]
    fn poll_reports<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let (machine, requests) = (&mut self.machine, self.storage.memory().requests);
        if let Some((ticket, Kind::Once)) = machine.outbox.next_report(requests)
            && machine.config().tell_qos_0
        {
            machine.outbox.pass_reported(requests, Kind::Once);
            return Action::Event(Event::Published { ticket });
        }
        self.poll_other_reports(received)
    }

    #[inline(never)]
    fn poll_other_reports<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        match self.machine.report(self.storage.memory().requests) {
            Some(ticket) => Action::Event(Event::Published { ticket }),
            None => self.poll_traffic(received),
        }
    }

    #[inline(always)]
    fn poll_traffic<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        match received.first() {
            Some(&PUBACK) => self.poll_puback(received),
            Some(_) => self.poll_message(received),
            None if self.machine.outbox.release_due => self.poll_release(received),
            None => self.poll_output(),
        }
    }

    #[inline(never)]
    fn poll_message<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        if received.first().is_some_and(|first| *first & NOT_QOS_2 == PUBLISH)
            && let Ok(Framed::Complete(frame, rest)) = frame(received, self.machine.config().max_packet_size)
            && let Ok(publish) = Publish::decode(&frame)
            && let Some(event) = self.machine.take_message(self.storage.memory().control, &publish)
        {
            *received = rest;
            self.machine.keep_alive.received(self.machine.now());
            return Action::Event(event);
        }
        self.poll_slow(received)
    }

    #[inline(never)]
    fn poll_puback<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let (machine, requests) = (&mut self.machine, self.storage.memory().requests);
        if let Some((ack, rest)) = Ack::split_first(received, PacketType::PubAck)
            && let Some(oldest) = machine.outbox.oldest_awaiting(requests, ack.packet_id, Kind::AtLeastOnce)
            && let Some(ticket) = machine.end(requests, oldest)
        {
            *received = rest;
            machine.keep_alive.received(machine.now());
            return Action::Event(Event::Published { ticket });
        }
        self.poll_slow(received)
    }

    #[inline(never)]
    fn poll_release<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let (machine, requests) = (&mut self.machine, self.storage.memory().requests);
        let (window, passing) = (machine.config().max_in_flight, machine.optional().passing);
        machine.outbox.release(requests, window, usize::MAX, passing);
        if machine.outbox.has_reports() || machine.outbox.is_passing() {
            return self.poll_slow(received);
        }
        self.poll_output()
    }

    #[inline(always)]
    fn poll_output<'a, 'b>(&'a mut self) -> Action<'a, 'b> {
        let Memory { tx, requests, control, .. } = self.storage.memory();
        self.machine.output(tx, requests, control, true)
    }
}

impl<C: Settings> Machine<C> {
    /// Returns the next publication whose end is an event now that it has been handed over. To be called while
    /// [`Outbox::has_reports`](crate::outbox::Outbox::has_reports).
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn report(&mut self, requests: &mut [Request]) -> Option<Ticket> {
        while let Some((ticket, kind)) = self.outbox.next_report(requests) {
            self.outbox.pass_reported(requests, kind);
            match kind {
                Kind::Once if self.config().tell_qos_0 => return Some(ticket),
                Kind::Taken => {
                    self.note_change(journal::Due::Remove(ticket));
                    return Some(ticket);
                }
                _ => {}
            }
        }
        None
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

    /// Does what is due, in the order of this file.
    fn attend<'a, 'b>(
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
        if acted || self.tell_change(memory, action) {
            return;
        }
        if self.is_release_due() {
            self.release(memory.requests);
            // What has no bytes has been passed.
            if self.outbox.has_reports() && self.tell_report(memory.requests, action) {
                return;
            }
        }
        if let Some(passing) = self.optional().passing
            && self.outbox.is_passing()
            && (self.outbox.has_begun_ahead()
                || (self.lane.is_empty() && !self.outbox.has_ready() && !self.alone))
        {
            self.offered = Offered::Ahead;
            let tx: &'a mut [u8] = take(&mut memory.tx);
            *action = Action::Transmit((passing.bytes)(&mut self.outbox, memory.requests, tx));
            return;
        }
        let undisturbed = !SIZE_OPTIMIZED && self.is_undisturbed();
        if undisturbed {
            self.attention_at = ForSpeed::new(self.keep_alive.ping_at());
        }
        // The action borrows for as long as the memory is lent.
        let (tx, control): (&'a mut [u8], &'a mut [u8]) = (take(&mut memory.tx), take(&mut memory.control));
        *action = self.output(tx, memory.requests, control, undisturbed);
    }

    /// Offers what may be written, or waits.
    #[inline(always)]
    fn output<'a>(
        &mut self,
        tx: &'a [u8],
        requests: &[Request],
        control: &'a [u8],
        undisturbed: bool,
    ) -> Action<'a, 'static> {
        match (self.lane.is_empty(), self.outbox.has_ready()) {
            (true, true) => {
                self.offered = Offered::Requests;
                Action::Transmit(self.outbox.ready(tx))
            }
            (false, false) => {
                self.offered = Offered::Control;
                Action::Transmit(self.lane.bytes(control))
            }
            (true, false) => {
                self.offered = Offered::Nothing;
                if undisturbed {
                    let until = self.keep_alive.ping_at();
                    self.attention_at = ForSpeed::new(until);
                    return Action::Wait(self.to_instant(until));
                }
                self.resting = true;
                Action::Wait(self.to_instant(self.until()))
            }
            (false, true) => self.output_of_both(tx, requests, control),
        }
    }

    /// A packet of the outbox that has been begun comes first, then the control lane.
    #[cfg_attr(not(target_os = "none"), inline(never))]
    fn output_of_both<'a>(
        &mut self,
        tx: &'a [u8],
        requests: &[Request],
        control: &'a [u8],
    ) -> Action<'a, 'static> {
        if self.outbox.has_begun(requests) {
            self.offered = Offered::Requests;
            Action::Transmit(self.outbox.begun(requests, tx))
        } else {
            self.offered = Offered::Control;
            Action::Transmit(self.lane.bytes(control))
        }
    }

    /// Whether more requests may be released.
    #[inline]
    fn is_release_due(&self) -> bool {
        self.outbox.release_due || (self.optional().pacing.is_some() && self.outbox.has_unreleased())
    }

    /// Whether [`Client::poll`] has to look at everything.
    #[inline]
    pub(crate) fn needs_attention(&self) -> bool {
        SIZE_OPTIMIZED || self.now() >= self.attention_at.get(Moment::START)
    }

    /// Whether a poll without input would say to wait.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.lane.is_empty()
            && !self.outbox.release_due
            && !self.outbox.has_ready()
            && !self.outbox.has_reports()
            && (!self.needs_attention() || (self.resting && self.now() < self.next_timeout()))
    }

    /// Whether there is a connection, and nothing of the client's own accord to do but a ping after a silence.
    fn is_undisturbed(&self) -> bool {
        self.phase == Phase::Online
            && self.untaken.is_none()
            && self.parts.is_none()
            && !self.paused
            && !self.alone
            && !self.subscriptions.has_replay()
            && !self.is_kept()
            && self.optional().pacing.is_none()
            && self.keep_alive.is_quiet()
            && !self.outbox.is_passing()
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
        if let Some(passing) = self.optional().passing
            && self.outbox.ahead_ended
            && let Some(ticket) = (passing.report)(&mut self.outbox, memory.requests)
            && self.config().tell_qos_0
        {
            *action = Action::Event(Event::Published { ticket });
            return true;
        }
        if let Some(next) = self.dropping {
            if let Some(ticket) = next(self, memory) {
                *action = Action::Event(Event::Dropped { ticket, reason: DropReason::Cancelled });
                return true;
            }
            self.dropping = None;
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
        if self.lane.is_empty() && !self.outbox.has_ready() && !self.outbox.has_begun_ahead() {
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
            Phase::Opening | Phase::Handshake if self.wanted => DisconnectReason::ConnectTimeout,
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
            let outcome = match (self.parts, self.optional().go_on) {
                (Some(parts), Some(go_on)) => go_on(self, memory, parts, received, action),
                _ => self.packet(memory, received, action),
            };
            match outcome {
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

    #[inline]
    pub(crate) fn transmitted(&mut self, requests: &mut [Request], bytes: usize) {
        match self.offered {
            Offered::Nothing => return,
            Offered::Control => self.lane.transmitted(bytes),
            Offered::Requests => self.outbox.transmitted(requests, bytes),
            Offered::Ahead => {
                self.look();
                if let Some(passing) = self.optional().passing {
                    (passing.transmitted)(&mut self.outbox, requests, bytes);
                }
            }
        }
        if bytes > 0 {
            self.keep_alive.sent(self.now());
        }
        // In small code, the next poll does it.
        if !SIZE_OPTIMIZED && !self.config().tell_qos_0 && self.outbox.has_reports() {
            self.outbox.end_silently(requests);
        }
    }
}
