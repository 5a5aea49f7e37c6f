//! The order of actions: first what must end, then what came in, then what goes out, then the clock.

use mqtt_p2p_packet::PacketType;

use crate::action::{Action, Event};
use crate::disconnect::DisconnectReason;
use crate::keep_alive::Due;
use crate::machine::{Ending, Machine, Offered, Phase};
use crate::storage::Memory;
use crate::time::Instant;

const PINGREQ: [u8; 2] = [(PacketType::PingReq as u8) << 4, 0];
const DISCONNECT: [u8; 2] = [(PacketType::Disconnect as u8) << 4, 0];
/// An incoming packet is read only if its answer has room: an acknowledgement.
const ANSWER: usize = 4;

/// An action whose bytes are not borrowed yet.
enum Step<'b> {
    Open,
    Control(usize, usize),
    Outbox(usize, usize),
    Close,
    Event(Event<'b>),
    Wait(Instant),
}

impl Machine {
    #[inline]
    pub(crate) fn poll<'a, 'b>(
        &mut self,
        mut memory: Memory<'a>,
        now: Instant,
        received: &mut &'b [u8],
    ) -> Action<'a, 'b> {
        self.tick(now);
        match self.step(&mut memory, received) {
            Step::Event(event) => Action::Event(event),
            Step::Control(start, end) => {
                self.offered = Offered::Control;
                Action::Transmit(memory.control.get(start..end).unwrap_or_default())
            }
            Step::Outbox(start, end) => {
                self.offered = Offered::Outbox;
                Action::Transmit(memory.tx.get(start..end).unwrap_or_default())
            }
            Step::Wait(Instant::NEVER) => Action::Wait(None),
            Step::Wait(at) => Action::Wait(Some(at)),
            Step::Open => Action::OpenTransport {
                attempt: self.history.attempts,
            },
            Step::Close => Action::CloseTransport,
        }
    }

    #[inline]
    fn step<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Step<'b> {
        if let Some(step) = self.unfinished(memory) {
            return step;
        }
        match self.phase {
            Phase::Online => self.online(memory, received),
            Phase::Handshake | Phase::Leaving | Phase::Left => self.passing(memory, received),
            Phase::Idle | Phase::Waiting | Phase::Opening => {
                // Bytes of a connection that is gone.
                *received = &[];
                self.offline()
            }
        }
    }

    /// What has to be done or reported before anything new.
    #[inline]
    fn unfinished<'b>(&mut self, memory: &mut Memory<'_>) -> Option<Step<'b>> {
        if self.close_due {
            self.close_due = false;
            return Some(Step::Close);
        }
        if let Some(ending) = self.ending.take() {
            let retry_at = self.retry_at();
            return Some(Step::Event(match ending {
                Ending::Refused(reason) => Event::Refused { reason, retry_at },
                Ending::Disconnected(reason) => Event::Disconnected { reason, retry_at },
            }));
        }
        if let Some(ticket) = self.outbox.report(memory) {
            return Some(Step::Event(Event::Published { ticket }));
        }
        if self.abandoning {
            match self.outbox.abandon(memory) {
                Some(ticket) => return Some(Step::Event(Event::Dropped { ticket })),
                None => {
                    self.abandoning = false;
                    self.subscriptions.expect_no_more(usize::MAX, usize::MAX);
                }
            }
        }
        None
    }

    #[inline]
    fn online<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Step<'b> {
        if let Some(step) = self.input(memory, received) {
            return step;
        }
        self.subscriptions.replay(memory, &mut self.lane);
        // Before the output, since a peer that takes no bytes must not stop the clock.
        let mut until = Instant::NEVER;
        if !self.paused {
            match self.keep_alive.due(self.now) {
                Due::Nothing(at) => until = at,
                Due::Ping => until = self.ping(memory),
                Due::Dead => return self.lost(DisconnectReason::KeepAliveTimeout, received),
            }
        }
        self.output(memory).unwrap_or(Step::Wait(until))
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
    fn passing<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Step<'b> {
        let expired = self.deadline <= self.now;
        match self.phase {
            Phase::Left => *received = &[],
            Phase::Leaving if expired => {}
            _ => {
                if let Some(step) = self.input(memory, received) {
                    return step;
                }
            }
        }
        if expired {
            return self.timed_out(received);
        }
        if let Some(step) = self.output(memory) {
            return step;
        }
        match self.phase {
            Phase::Leaving if self.lane.push(memory, DISCONNECT) => {
                self.phase = Phase::Left;
                self.output(memory).unwrap_or(Step::Wait(self.deadline))
            }
            Phase::Left => self.lost(DisconnectReason::Requested, received),
            _ => Step::Wait(self.deadline),
        }
    }

    fn timed_out<'b>(&mut self, received: &mut &'b [u8]) -> Step<'b> {
        let reason = match self.phase {
            Phase::Opening | Phase::Handshake => DisconnectReason::ConnectTimeout,
            _ => DisconnectReason::Requested,
        };
        self.lost(reason, received)
    }

    fn offline<'b>(&mut self) -> Step<'b> {
        match self.phase {
            Phase::Waiting if self.paused => Step::Wait(Instant::NEVER),
            Phase::Waiting if self.deadline <= self.now => {
                self.phase = Phase::Opening;
                self.deadline = self.now.after_millis(self.config.connect_timeout_ms);
                self.history.attempts = self.history.attempts.saturating_add(1);
                Step::Open
            }
            Phase::Opening if self.deadline <= self.now => self.timed_out(&mut &[][..]),
            Phase::Waiting | Phase::Opening => Step::Wait(self.deadline),
            _ => Step::Wait(Instant::NEVER),
        }
    }

    /// Ends the connection from this side.
    pub(crate) fn fail(&mut self, reason: DisconnectReason, received: &mut &[u8]) {
        *received = &[];
        self.lose(reason);
    }

    fn lost<'b>(&mut self, reason: DisconnectReason, received: &mut &'b [u8]) -> Step<'b> {
        self.fail(reason, received);
        self.close_due = false;
        Step::Close
    }

    /// Reads what came, up to the next event.
    #[inline]
    fn input<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Option<Step<'b>> {
        if !self.acknowledge_taken(memory) {
            return None;
        }
        while !received.is_empty() && self.lane.has_room(memory, ANSWER) {
            let before = received.len();
            if let Some(event) = self.receive(memory, received) {
                return Some(Step::Event(event));
            }
            if self.close_due {
                self.close_due = false;
                return Some(Step::Close);
            }
            if received.len() == before {
                return None;
            }
        }
        None
    }

    /// What may be written: the rest of a packet that was begun, then control packets, then the outbound store.
    #[inline]
    fn output<'b>(&mut self, memory: &Memory<'_>) -> Option<Step<'b>> {
        let lane = self.lane.ready();
        if self.phase != Phase::Handshake
            && let Some((start, end)) = self.outbox.ready(memory, lane.is_some())
        {
            return Some(Step::Outbox(start, end));
        }
        lane.map(|(start, end)| Step::Control(start, end))
    }

    #[inline]
    pub(crate) fn transmitted(&mut self, memory: &Memory<'_>, bytes: usize) {
        match self.offered {
            Offered::Nothing => return,
            Offered::Control => self.lane.transmitted(bytes),
            Offered::Outbox => self.outbox.transmitted(memory, bytes),
        }
        if bytes > 0 {
            self.keep_alive.sent(self.now);
        }
    }
}
