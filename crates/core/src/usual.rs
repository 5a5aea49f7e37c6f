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
use crate::outbox::Request;
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
/// The first byte of a PUBLISH of QoS 0 and 1 without DUP: the least and the greatest.
const PUBLISH: u8 = (PacketType::Publish as u8) << 4;
const PUBLISH_LAST: u8 = PUBLISH | 0b0011;
/// The first byte of a PUBACK.
const PUBACK: u8 = (PacketType::PubAck as u8) << 4;

impl<S: Storage, C: Settings> Client<S, C> {
    /// The next thing to do while all is quiet.
    #[inline(always)]
    pub(crate) fn usual<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
        let machine = &mut self.machine;
        debug_assert!(machine.is_quiet(), "whatever ends the quiet says so: Machine::tick");
        if machine.outbox.has_reports() {
            match machine.outbox.report_simple(self.storage.memory().requests) {
                Some(Some(ticket)) if machine.config().tell_qos_0 => {
                    return Action::Event(Event::Published { ticket });
                }
                Some(None) => {}
                _ => return self.report_rest(received),
            }
        }
        self.next(received)
    }

    #[inline(never)]
    fn report_rest<'a, 'b>(&'a mut self, received: &mut &'b [u8]) -> Action<'a, 'b> {
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
        self.machine.release_more(requests);
        Action::Event(Event::Published { ticket })
    }
}

impl<C: Settings> Machine<C> {
    /// Whether [`Self::quiet_until`] may lie ahead: there is a connection, and nothing holds requests back.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        SHORT_CUTS && self.quiet_until > Moment::START
    }

    /// Whether a poll without input would say to wait.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_quiescent(!self.outbox.has_unreleased()) || self.is_resting()
    }

    /// Whether all is quiet and nothing is left to do, given whether anything is held back.
    #[inline]
    fn is_quiescent(&self, none_is_held_back: bool) -> bool {
        self.now() < self.quiet_until
            && self.lane.is_empty()
            && !self.outbox.has_reports()
            && !self.outbox.has_ready()
            && none_is_held_back
    }

    #[inline(never)]
    fn is_resting(&self) -> bool {
        self.resting
            && if self.is_usual() { self.is_quiescent(true) } else { self.now() < self.next_timeout() }
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

#[cfg(all(test, not(mqtt_p2p_as_firmware)))]
#[allow(clippy::expect_used, clippy::panic, reason = "tests fail this way")]
mod tests {
    use mqtt_p2p_packet::{QoS, TopicName};

    use super::*;
    use crate::client::Publication;
    use crate::config::Config;
    use crate::login::Login;
    use crate::outbox::Kind;
    use crate::storage::Inline;
    use crate::time::Instant;

    const NOW: Instant = Instant::from_millis(1);
    const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

    type Quiet = Client<Inline<256>>;

    fn poll<'a, 'b>(client: &'a mut Quiet, mut received: &'b [u8]) -> Action<'a, 'b> {
        client.poll(NOW, &mut received)
    }

    /// Writes what there is to write, which has to be found in a short way.
    fn write(client: &mut Quiet) {
        let Action::Transmit(bytes) = poll(client, &[]) else { panic!("there is something to write") };
        let len = bytes.len();
        assert!(client.machine.is_usual(), "a closer look was taken");
        client.transmitted(len);
    }

    fn publish(client: &mut Quiet, qos: QoS) -> Ticket {
        let topic = TopicName::new("t").expect("a topic name");
        client.publish(&Publication { topic, payload: b"x", qos, retain: false }).expect("there is room")
    }

    /// Connected, with nothing to do.
    fn quiet() -> Quiet {
        let mut client = Client::new(Config::new(), 1, Inline::new());
        client.connect(NOW);
        assert!(matches!(poll(&mut client, &[]), Action::OpenTransport { .. }));
        client.transport_opened(NOW, &Login::new("id"));
        let Action::Transmit(connect) = poll(&mut client, &[]) else { panic!("CONNECT goes out") };
        let len = connect.len();
        client.transmitted(len);
        assert!(matches!(poll(&mut client, &CONNACK), Action::Event(Event::Connected { .. })));
        assert!(!client.machine.is_usual());
        assert!(matches!(poll(&mut client, &[]), Action::Wait(_)));
        assert!(client.machine.is_usual());
        client
    }

    #[test]
    fn messages_of_qos_0_and_1_that_come_for_the_first_time_go_the_short_way() {
        for first in 0..=u8::MAX {
            // At QoS 0 all behind the topic is payload.
            let packet = [first, 6, 0, 1, b't', 0, 7, b'x'];
            let mut client = quiet();
            let (control, mut received) = (client.storage.memory().control, packet.as_slice());
            let event = client.machine.usual_message(control, &mut received);
            assert_eq!(event.is_some(), matches!(first, 0x30..=0x33), "{first:#04x}");
            assert_eq!(received.is_empty(), event.is_some());
        }
    }

    #[test]
    fn so_does_one_whose_length_takes_more_than_a_byte() {
        let packet = [&[0x30, 0x80, 1, 0, 1, b't'][..], &[0; 125]].concat();
        let mut received = packet.as_slice();
        let event = quiet().machine.usual_message(&mut [], &mut received);
        assert!(matches!(event, Some(Event::Message(message)) if message.payload.len() == 125));
        assert!(received.is_empty());
    }

    #[test]
    fn a_message_that_is_longer_than_is_allowed_does_not() {
        let mut client = quiet();
        client.machine.settings.config.max_packet_size = 7;
        let mut received = [0x30, 6, 0, 1, b't', 0, 7, b'x'].as_slice();
        assert!(client.machine.usual_message(&mut [], &mut received).is_none());
        client.machine.settings.config.max_packet_size = 8;
        assert!(client.machine.usual_message(&mut [], &mut received).is_some());
    }

    #[test]
    fn what_there_is_to_write_is_found_without_a_closer_look() {
        let mut client = quiet();
        publish(&mut client, QoS::AtMostOnce);
        write(&mut client);
        assert!(matches!(poll(&mut client, &[]), Action::Event(Event::Published { .. })));
        assert!(matches!(
            poll(&mut client, &[0x32, 6, 0, 1, b't', 0, 7, b'x']),
            Action::Event(Event::Message(_))
        ));
        write(&mut client);
    }

    #[test]
    fn a_publication_of_qos_1_and_the_acknowledgement_of_the_oldest_go_the_short_way() {
        let mut client = quiet();
        let tickets = [(); 2].map(|()| publish(&mut client, QoS::AtLeastOnce));
        write(&mut client);
        let (machine, requests) = (&mut client.machine, client.storage.memory().requests);
        assert_eq!(machine.outbox.report_simple(requests), None);
        assert_eq!(machine.outbox.report(requests), None);
        assert_eq!(machine.usual_ack(requests, &mut [PUBACK, 2, 0, 2].as_slice()), None);
        for (ticket, is_only) in tickets.into_iter().zip([false, true]) {
            let ack = [0x40, 2, 0, ticket.packet_id() as u8];
            assert_eq!(machine.usual_ack(requests, &mut ack.as_slice()), Some((ticket, is_only)));
            machine.outbox.pass_gaps(requests);
        }
    }

    #[test]
    fn the_last_that_was_handed_over_and_waits_for_its_answer_needs_no_report() {
        let mut client = quiet();
        publish(&mut client, QoS::AtLeastOnce);
        write(&mut client);
        let requests = client.storage.memory().requests;
        assert_eq!(client.machine.outbox.report_simple(requests), Some(None));
        assert!(!client.machine.outbox.has_reports());
    }

    #[test]
    fn the_newest_request_is_released_without_a_look_at_the_others_if_they_are() {
        let mut client = quiet();
        let requests = client.storage.memory().requests;
        let outbox = &mut client.machine.outbox;
        let mut accepted = |ticket: u32, window: u16| {
            outbox.restore_next(Ticket::from_bits(ticket).expect("a ticket"));
            outbox.accept(requests, Kind::AtLeastOnce, 8).expect("there is room");
            outbox.release_newest(requests, Kind::AtLeastOnce, window)
        };
        assert!(accepted(2, 1));
        // The last identifier before that of the first comes round, and that of the first.
        assert!(accepted(0x1_0001, 2));
        assert!(!accepted(0x1_0002, 3));
        assert!(!accepted(0x1_0003, 4), "another waits before it");
    }
}
