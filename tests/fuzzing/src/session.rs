//! Whole sessions: programs of calls, time, faults and a server that answers well, badly and with anything.

use arbitrary::{Arbitrary, Unstructured};
use mqtt_p2p_core::{
    AckToken, Backoff, Client, Config, Error, Growing, Inline, Offline, QoS, Resubscribe, Storage, Ticket,
    TopicName, TransportError,
};
use mqtt_p2p_packet::PacketId;

use crate::driver::{Driver, Seen, filter, message, server};
use crate::qos;

/// The most steps of one program: a longer one finds nothing that two short ones do not.
const MAX_STEPS: usize = 200;
const TOPICS: [&str; 4] = ["a", "b/c", "温度/1", "$SYS/x"];
const FILTERS: [&str; 5] = ["a", "b/+", "#", "+/1", "$SYS/#"];

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Connect,
    Disconnect,
    Pause,
    Resume,
    Ping,
    Abandon,
    Hold(bool),
    Publish(u8, u8, &'a [u8]),
    PublishAlone(u8, &'a [u8]),
    Subscribe(u8, u8),
    Unsubscribe(u8),
    Acknowledge(u8),
    Open,
    DialFails,
    LateEnd,
    Lost,
    Pass(u16),
    Writable(u8, u8),
    Restart,
    /// CONNACK: with a session or without, or a refusal.
    Connack(u8),
    /// What a server may answer, to what was sent last.
    Answer,
    Suback(u16, &'a [u8]),
    Ack(u8, u16),
    Message(u8, u8, &'a [u8]),
    Bytes(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
struct Setting {
    growing: bool,
    keep_alive_secs: u8,
    max_in_flight: u8,
    flags: [bool; 5],
    resubscribe: u8,
    offline: u8,
    rate: u8,
}

impl Setting {
    fn config(&self) -> Config {
        let [manual_ack, keep_session, tell_qos_0, clean_session, in_parts] = self.flags;
        Config::new()
            .with_keep_alive_secs(self.keep_alive_secs.into())
            .with_max_in_flight(u16::from(self.max_in_flight % 5))
            .with_manual_ack(manual_ack)
            .with_keep_session(keep_session)
            .with_tell_qos_0(tell_qos_0)
            .with_clean_session(clean_session)
            .with_max_whole_message(if in_parts { 16 } else { u32::MAX })
            .with_max_packet_size(200)
            .with_max_requests_per_sec(u16::from(self.rate % 3))
            .with_resubscribe(
                [Resubscribe::WithoutSession, Resubscribe::Always, Resubscribe::Never]
                    [usize::from(self.resubscribe % 3)],
            )
            .with_offline(
                [Offline::QueueAll, Offline::QueueAcknowledged, Offline::Refuse]
                    [usize::from(self.offline % 3)],
            )
            .with_backoff(Backoff::Exponential { base_ms: 100, cap_ms: 5_000 })
    }
}

/// A program for a client, on memory of a fixed or a growing size. After each step the driver's checks hold: one end
/// for each ticket and attempt, no identifier in use twice, nothing behind DISCONNECT, no wait for the past.
pub fn session(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(setting) = Setting::arbitrary(&mut input) else { return };
    let config = setting.config();
    if setting.growing {
        run(&mut input, &|| Client::new(config, 42, Growing::new(4096)));
    } else {
        run(&mut input, &|| Client::new(config, 42, Inline::<256, 8, 128, 96, 4>::new()));
    }
}

fn run<S: Storage>(input: &mut Unstructured<'_>, make: &dyn Fn() -> Client<S>) {
    let mut world = World { driver: Driver::around(make()), tokens: Vec::new(), sent: Vec::new() };
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        let Ok(step) = Step::arbitrary(input) else { break };
        world.step(&step, make);
    }
    world.end();
}

struct World<S> {
    driver: Driver<S>,
    /// Messages that were not acknowledged, with `manual_ack`.
    tokens: Vec<AckToken>,
    /// Packets that the server has not answered, in words.
    sent: Vec<String>,
}

fn pick<'a>(list: &[&'a str], number: u8) -> &'a str {
    list[usize::from(number) % list.len()]
}

impl<S: Storage> World<S> {
    fn step(&mut self, step: &Step<'_>, make: &dyn Fn() -> Client<S>) {
        let driver = &mut self.driver;
        match *step {
            Step::Connect => driver.connect(),
            Step::Disconnect => driver.disconnect(),
            Step::Pause => driver.pause(),
            Step::Resume => driver.resume(),
            Step::Ping => driver.client.ping(),
            Step::Abandon => driver.abandon(),
            Step::Hold(held) => driver.client.hold_reading(driver.instant(), held),
            Step::Publish(topic, number, payload) => {
                let _ = driver.try_publish(&message(pick(&TOPICS, topic), payload, qos(number)));
            }
            Step::PublishAlone(topic, payload) => {
                let topic = TopicName::new(pick(&TOPICS, topic)).expect("a valid topic name");
                let _ = driver.client.publish_alone(topic, payload);
            }
            Step::Subscribe(topic, number) => {
                let _ = driver.try_subscribe(&[filter(pick(&FILTERS, topic), qos(number))]);
            }
            Step::Unsubscribe(topic) => {
                let filters = [filter(pick(&FILTERS, topic), QoS::AtMostOnce).filter];
                let _ = driver.client.unsubscribe(&filters).inspect(|ticket| driver.checks.accepted(*ticket));
            }
            Step::Acknowledge(number) if !self.tokens.is_empty() => {
                let at = usize::from(number) % self.tokens.len();
                let token = self.tokens[at];
                if !matches!(driver.acknowledge(token), Err(Error::Full(_))) {
                    self.tokens.swap_remove(at);
                }
            }
            Step::Acknowledge(_) => {}
            Step::Open => driver.opened(),
            Step::DialFails if driver.checks.is_dialling() => driver.closed(TransportError::Unreachable),
            Step::DialFails => {}
            Step::LateEnd if !driver.checks.is_open() && !driver.checks.is_dialling() => {
                driver.closed(TransportError::ClosedByPeer);
            }
            Step::LateEnd => {}
            Step::Lost if driver.checks.is_open() => driver.lost(),
            Step::Lost => {}
            Step::Pass(millis) => driver.pass(u64::from(millis) * 4),
            Step::Writable(all, once) => {
                driver.writable = if all == 0 { usize::MAX } else { usize::from(all) };
                driver.write_at_most = if once == 0 { usize::MAX } else { usize::from(once) };
            }
            Step::Restart => self.restart(make),
            Step::Connack(code) => self.receive(&[0x20, 2, code & 1, code >> 1 & 7]),
            Step::Answer => self.answer(),
            Step::Suback(id, codes) => {
                if let (Some(_), 1..=100) = (PacketId::new(id), codes.len()) {
                    let mut packet = vec![0x90, codes.len() as u8 + 2];
                    packet.extend(id.to_be_bytes());
                    packet.extend(codes);
                    self.receive(&packet);
                }
            }
            Step::Ack(kind, id) => {
                let first = [0x40, 0x50, 0x62, 0x70, 0xb0][usize::from(kind) % 5];
                let [high, low] = id.to_be_bytes();
                self.receive(&[first, 2, high, low]);
            }
            Step::Message(number, id, payload) => {
                let payload = &payload[..payload.len().min(100)];
                self.receive(&server::publish(u16::from(id % 7) + 1, qos(number), number & 8 != 0, payload));
            }
            Step::Bytes(bytes) => self.receive(bytes),
        }
        self.driver.run();
        self.sent.extend(self.driver.take_sent());
        let taken = self.driver.take_seen().into_iter().filter_map(|seen| match seen {
            Seen::Message(message) => message.ack,
            Seen::End(token) => token,
            _ => None,
        });
        let manual_ack = self.driver.client.config().manual_ack;
        self.tokens.extend(taken.filter(|_| manual_ack));
        assert!(self.driver.input.len() <= 2048, "input piles up");
    }

    fn receive(&mut self, bytes: &[u8]) {
        // A peer that is not read from has to stop writing some time.
        if self.driver.checks.is_open() && self.driver.input.len() + bytes.len() <= 2048 {
            self.driver.receive(bytes);
        }
    }

    /// Answers the oldest packet that can be answered.
    fn answer(&mut self) {
        while !self.sent.is_empty() {
            let words = self.sent.remove(0);
            let id = words.split('#').nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
            let answer = match (words.split(' ').next().unwrap_or_default(), id) {
                ("CONNECT", _) => server::connack(false),
                ("PINGREQ", _) => server::pingresp(),
                ("PUBLISH", Some(id)) if words.starts_with("PUBLISH q1") => server::puback(id),
                ("PUBLISH", Some(id)) => server::pubrec(id),
                ("PUBREL", Some(id)) => server::pubcomp(id),
                ("PUBREC", Some(id)) => server::pubrel(id),
                ("SUBSCRIBE", Some(id)) => {
                    let filters = words.split(' ').count() - 2;
                    server::suback(id, &vec![1; filters])
                }
                ("UNSUBSCRIBE", Some(id)) => server::unsuback(id),
                _ => continue,
            };
            return self.receive(&answer);
        }
    }

    /// The program ends and starts again with the session it exported.
    fn restart(&mut self, make: &dyn Fn() -> Client<S>) {
        let bytes = self.driver.export();
        let mut client = make();
        client.import_session(&bytes).expect("the same memory takes what it gave");
        let checks = std::mem::take(&mut self.driver.checks).restarted();
        let (now, kept) = (self.driver.now, std::mem::take(&mut self.driver.kept));
        self.driver = Driver::around(client);
        (self.driver.checks, self.driver.now, self.driver.kept) = (checks, now, kept);
        self.tokens.clear();
    }

    /// All that was accepted can be brought to its end.
    fn end(mut self) {
        let driver = &mut self.driver;
        (driver.writable, driver.write_at_most) = (usize::MAX, usize::MAX);
        driver.resume();
        driver.disconnect();
        if driver.checks.is_open() || driver.checks.is_dialling() {
            driver.closed(TransportError::Broken);
        }
        driver.abandon();
        assert_eq!(driver.requests(), [] as [Ticket; 0]);
        assert!(driver.checks.live.is_empty(), "{:?} never ended", driver.checks.live);
        assert!(driver.client.is_idle());
    }
}
