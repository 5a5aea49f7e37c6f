//! The short ways: what nearly every poll leads to while there is a connection and nothing of the client's own accord to
//! do. It is what [`Machine::look_at_all`] would find, found by looking at little.
//!
//! [`Machine::quiet_until`] says whether the short ways are open. Whatever ends the quiet closes them
//! ([`Machine::tick`]), and a closer look that finds nothing to do opens them again. What is not the usual case goes on in
//! functions that are called last, so that these keep nothing.

use mqtt_p2p_packet::{Frame, Framed, PacketType, Publish, frame};

use crate::action::{Action, Event};
use crate::client::Client;
use crate::machine::{Machine, Offered};
use crate::outbox::{First, Request};
use crate::receive::ANSWER;
use crate::settings::Settings;
use crate::storage::Storage;
use crate::ticket::Ticket;
use crate::time::Moment;

/// Whether there are short ways for what is usual: the same behaviour for fewer instructions and more code. Firmware
/// saves its flash instead. `--cfg mqtt_p2p_as_firmware` lets the tests run what firmware does.
pub(crate) const SHORT_CUTS: bool = cfg!(not(any(target_os = "none", mqtt_p2p_as_firmware)));

/// The flag of a PUBLISH that QoS 1 has, and QoS 0 has not.
const QOS_1: u8 = 0b0010;
/// The flag of a message that was kept.
const RETAIN: u8 = 0b0001;
/// The first byte of a PUBLISH of QoS 0 and 1 without DUP: the least and the greatest.
const PUBLISH: u8 = (PacketType::Publish as u8) << 4;
const PUBLISH_LAST: u8 = PUBLISH | QOS_1 | RETAIN;
/// The first byte of a PUBACK.
const PUBACK: u8 = (PacketType::PubAck as u8) << 4;

impl<S: Storage, C: Settings> Client<S, C> {
    /// The next thing to do while all is quiet.
    #[inline(always)]
    pub(crate) fn usual<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let machine = &mut self.machine;
        debug_assert!(machine.is_quiet(), "whatever ends the quiet says so: Machine::tick");
        if machine.outbox.has_reports() {
            match machine.outbox.report_first(self.storage.memory().requests) {
                First::Ended(ticket) if machine.config().tell_qos_0 => {
                    return Action::Event(Event::Published { ticket });
                }
                First::Ended(_) | First::Waits => {}
                First::Others => return self.report_next(received),
            }
        }
        self.next(received)
    }

    /// What waits to be reported is not the only request.
    #[inline(never)]
    fn report_next<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        match self.machine.report(self.storage.memory().requests) {
            Some(ticket) => Action::Event(Event::Published { ticket }),
            None => self.next(received),
        }
    }

    /// All is quiet, and nothing waits to be reported.
    #[inline(always)]
    fn next<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let machine = &mut self.machine;
        match received.first() {
            None => {}
            Some(&PUBACK) => return self.read_ack(received),
            Some(_) => return self.read(received),
        }
        match (machine.lane.is_empty(), machine.outbox.has_ready()) {
            (true, true) => {
                machine.offered = Offered::Requests;
                Action::Transmit(machine.outbox.ready(self.storage.memory().tx))
            }
            (false, false) => {
                machine.offered = Offered::Control;
                Action::Transmit(machine.lane.bytes(self.storage.memory().control))
            }
            (true, false) if !machine.outbox.has_unreleased() => {
                machine.offered = Offered::Nothing;
                machine.quiet_until = machine.keep_alive.ping_at();
                Action::Wait(machine.to_instant(machine.quiet_until))
            }
            _ => self.look_at_all(received),
        }
    }

    /// What comes in: mostly messages.
    #[inline(never)]
    fn read<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        match self.machine.usual_message(self.storage.memory().control, received) {
            Some(event) => Action::Event(event),
            None => self.look_at_all(received),
        }
    }

    #[inline(never)]
    fn read_ack<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        match self.machine.usual_ack(self.storage.memory().requests, received) {
            Some((ticket, true)) => Action::Event(Event::Published { ticket }),
            Some((ticket, false)) => self.settle(ticket),
            None => self.look_at_all(received),
        }
    }

    /// Others are under way behind a publication that has ended.
    #[inline(never)]
    fn settle<'b>(&mut self, ticket: Ticket) -> Action<'_, 'b> {
        let requests = self.storage.memory().requests;
        self.machine.outbox.pass_gaps(requests);
        if self.machine.outbox.has_unreleased() {
            self.machine.release(requests);
        }
        Action::Event(Event::Published { ticket })
    }
}

impl<C: Settings> Machine<C> {
    /// Whether [`Self::quiet_until`] may lie ahead: there is a connection, and nothing holds requests back.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        SHORT_CUTS && self.quiet_until > Moment::START
    }

    /// Whether a poll would say to wait, without a closer look.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.now() < self.quiet_until
            && self.lane.is_empty()
            && !self.outbox.has_reports()
            && !self.outbox.has_ready()
            && !self.outbox.has_unreleased()
    }

    /// Reads a message of QoS 0 or 1, if that is what comes and nothing is wrong with it. Otherwise nothing happens. To
    /// be called while all is quiet.
    #[inline(always)]
    pub(crate) fn usual_message<'b>(
        &mut self,
        control: &mut [u8],
        received: &mut &'b [u8],
    ) -> Option<Event<'b>> {
        // Those without DUP: all that it says is in these two bits.
        let [first @ PUBLISH..=PUBLISH_LAST, length @ ..] = *received else {
            return None;
        };
        if first & QOS_1 != 0 && !self.lane.has_room(control, ANSWER) {
            return None;
        }
        let max = self.config().max_packet_size;
        let (body, rest) = match length {
            // Of a packet with a length of one byte, nothing more need be asked.
            [remaining @ 0..=0x7f, rest @ ..] if u32::from(*remaining).wrapping_add(2) <= max => {
                rest.split_at_checked(usize::from(*remaining))?
            }
            _ => match frame(received, max) {
                Ok(Framed::Complete(frame, rest)) => (frame.body, rest),
                _ => return None,
            },
        };
        let frame = Frame { packet_type: PacketType::Publish, flags: first & 0x0f, body };
        let publish = Publish::decode(&frame).ok()?;
        *received = rest;
        self.keep_alive.heard(self.now());
        Some(self.message(control, &publish))
    }

    /// Reads a PUBACK, if that is what comes and the oldest request waits for it, as nearly always. Otherwise nothing
    /// happens. To be called while all is quiet. Also says whether it was the only request.
    #[inline(always)]
    pub(crate) fn usual_ack(
        &mut self,
        requests: &mut [Request],
        received: &mut &[u8],
    ) -> Option<(Ticket, bool)> {
        let [PUBACK, 2, high, low, rest @ ..] = *received else {
            return None;
        };
        let ended = self.outbox.end_first(requests, u16::from_be_bytes([*high, *low]))?;
        *received = rest;
        self.keep_alive.heard(self.now());
        Some(ended)
    }
}
