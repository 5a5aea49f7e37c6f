//! The session under random commands, time and faults, against a small server that keeps or loses its session.
//!
//! After every step: what the driver checks anyway (one end for each ticket and attempt, no identifier in flight
//! twice, nothing after DISCONNECT, no wait for the past), and what a quality of service promises. Once the faults
//! stop, everything ends.
//!
//! `PROPTEST_CASES` asks for more cases. A case that fails is kept in `proptest-regressions`.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Serial, Server};
use common::{Driver, Seen, config, message, server};
use mqtt_p2p_core::{AckToken, Client, Config, Error, Inline, Key, QoS, Resubscribe, Ticket, TransportError};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

/// Small, so that it is full at times.
type Memory = Inline<256, 12, 128, 96, 4>;

const FILTERS: [&str; 4] = ["a", "b/+", "c/#", "d"];

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Command {
    Publish(QoS, u8),
    /// So many, before the client is polled.
    Burst(QoS, u8),
    Subscribe(usize, QoS),
    Unsubscribe(usize),
    Connect,
    Disconnect,
    Pause,
    Resume,
    Acknowledge(usize),
    Abandon,
    /// Cancels one of the requests.
    Cancel(usize),
    Pass(u64),
    Open,
    DialFails,
    /// An end that the client knows already is reported again.
    LateEnd,
    /// So many bytes arrive at the server, and then at the client.
    Flow(usize, usize),
    /// The link breaks, after so many bytes.
    Cut(usize),
    /// The server restarts without its session.
    Forget,
    ServerSends(QoS),
    ServerRepeats(usize),
    Stray(usize),
    Garbage,
    /// The transport takes so many bytes more, each time at most so many.
    Writable(usize, usize),
    /// The program ends and starts again with the session it exported.
    Restart,
    /// The program accepts a publication, does so many more steps, and crashes; so many bytes still reach the server.
    /// It starts again with the session that was kept.
    Crash(QoS, usize, usize),
}

fn qos() -> impl Strategy<Value = QoS> + Clone {
    select(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][..])
}

/// Mostly enough, sometimes in the middle of a packet.
fn bytes() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![3 => Just(usize::MAX), 1 => 0..40_usize]
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    prop_oneof![
        8 => (qos(), 0..20_u8).prop_map(|(qos, len)| Publish(qos, len)),
        2 => (qos(), 2..12_u8).prop_map(|(qos, count)| Burst(qos, count)),
        2 => (0..FILTERS.len(), qos()).prop_map(|(filter, qos)| Subscribe(filter, qos)),
        1 => (0..FILTERS.len()).prop_map(Unsubscribe),
        2 => Just(Connect),
        1 => Just(Disconnect),
        1 => Just(Pause),
        1 => Just(Resume),
        3 => any::<usize>().prop_map(Acknowledge),
        1 => prop_oneof![3 => Just(Connect), 1 => Just(Abandon)],
        1 => any::<usize>().prop_map(Cancel),
        3 => select(&[1, 999, 1_000, 9_000, 20_000, 40_000, 60_000][..]).prop_map(Pass),
        6 => Just(Open),
        1 => select(&[DialFails, LateEnd][..]),
        14 => (bytes(), bytes()).prop_map(|(up, down)| Flow(up, down)),
        2 => bytes().prop_map(Cut),
        1 => prop_oneof![1 => Just(Forget), 2 => Just(Connect)],
        6 => qos().prop_map(ServerSends),
        1 => any::<usize>().prop_map(ServerRepeats),
        1 => any::<usize>().prop_map(Stray),
        1 => prop_oneof![1 => Just(Garbage), 4 => Just(Open)],
        2 => (bytes(), bytes()).prop_map(|(all, once)| Writable(all, once.max(1))),
        1 => prop_oneof![1 => Just(Restart), 2 => Just(Connect)],
        2 => (qos(), 0..6_usize, bytes()).prop_map(|(qos, steps, bytes)| Crash(qos, steps, bytes)),
    ]
}

fn any_config() -> impl Strategy<Value = Config> {
    let resubscribe = select(&[Resubscribe::WithoutSession, Resubscribe::Always, Resubscribe::Never][..]);
    let rate = select(&[0, 0, 1, 20][..]);
    (1..5_u16, any::<[bool; 3]>(), resubscribe, rate).prop_map(
        |(max_in_flight, [manual_ack, keep_session, tell_qos_0], resubscribe, max_requests_per_sec)| {
            config()
                .with_max_in_flight(max_in_flight)
                .with_manual_ack(manual_ack)
                .with_keep_session(keep_session)
                .with_resubscribe(resubscribe)
                .with_max_requests_per_sec(max_requests_per_sec)
                .with_tell_qos_0(tell_qos_0)
        },
    )
}

/// A publication that was accepted.
struct Accepted {
    /// `None` after a crash, if it had ended before: the ticket may be given out again.
    ticket: Option<Ticket>,
    qos: QoS,
    /// How many sessions were lost before.
    losses: u32,
}

/// A message that the server sent.
struct Sent {
    qos: QoS,
    losses: u32,
    delivered: usize,
    /// How often it may be delivered, with QoS 2.
    allowed: usize,
    ack: Option<AckToken>,
}

/// Client, link and server.
struct World {
    driver: Driver<Memory>,
    server: Server,
    /// The transport that the server sees the other end of, and how much of it has arrived there.
    link: usize,
    arrived: usize,
    published: BTreeMap<Serial, Accepted>,
    sent: BTreeMap<Serial, Sent>,
    next_serial: Serial,
    /// The caller wants a connection, and is in the foreground.
    wanted: bool,
    paused: bool,
    /// A request about subscriptions was given up: nobody knows what the server made of it.
    unsure: bool,
    checked: usize,
    arrivals: BTreeMap<Serial, u32>,
    last_arrival: [Serial; 3],
}

impl World {
    fn new(config: Config) -> Self {
        Self {
            driver: Driver::with(config, Memory::new()),
            server: Server::default(),
            link: 0,
            arrived: 0,
            published: BTreeMap::new(),
            sent: BTreeMap::new(),
            next_serial: 1,
            wanted: false,
            paused: false,
            unsure: false,
            checked: 0,
            arrivals: BTreeMap::new(),
            last_arrival: [0; 3],
        }
    }

    fn serial(&mut self) -> Serial {
        self.next_serial += 1;
        self.next_serial
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Publish(qos, len) => self.publish(qos, len),
            Command::Burst(qos, count) => (0..count).for_each(|_| self.publish(qos, 0)),
            Command::Subscribe(index, qos) => {
                let result = self.driver.try_subscribe(&[common::filter(FILTERS[index], qos)]);
                assert!(matches!(result, Ok(_) | Err(Error::Full(_))), "{result:?}");
            }
            Command::Unsubscribe(index) => self.unsubscribe(FILTERS[index]),
            Command::Connect => self.connect(),
            Command::Disconnect => {
                self.wanted = false;
                self.driver.disconnect();
            }
            Command::Pause => {
                self.paused = true;
                self.driver.pause();
            }
            Command::Resume => self.resume(),
            Command::Acknowledge(choice) => self.acknowledge(choice),
            Command::Abandon => self.driver.abandon(),
            Command::Cancel(choice) => self.cancel(choice),
            Command::Pass(millis) => self.driver.pass(millis),
            Command::Open => self.open(),
            Command::DialFails => {
                if self.driver.checks.is_dialling() {
                    self.driver.closed(TransportError::ConnectionRefused);
                }
            }
            Command::LateEnd => {
                if !self.driver.checks.is_dialling() && !self.driver.checks.is_open() {
                    self.driver.closed(TransportError::ClosedByPeer);
                }
            }
            Command::Flow(up, down) => {
                self.up(up);
                self.down(down);
            }
            Command::Cut(after) => self.cut(after),
            Command::Forget => {
                self.cut(usize::MAX);
                self.server.forget();
            }
            Command::ServerSends(qos) => self.server_sends(qos),
            Command::ServerRepeats(choice) => self.server.repeat(choice),
            Command::Stray(choice) => self.stray(choice),
            Command::Garbage => self.garbage(),
            Command::Writable(all, once) => {
                self.driver.writable = all;
                self.driver.write_at_most = once;
            }
            Command::Restart => self.restart(),
            Command::Crash(qos, steps, bytes) => self.crash(qos, steps, bytes),
        }
        self.driver.run();
        self.look();
    }

    fn connect(&mut self) {
        self.wanted = true;
        self.driver.connect();
    }

    fn resume(&mut self) {
        self.paused = false;
        self.driver.resume();
    }

    fn publish(&mut self, qos: QoS, len: u8) {
        let serial = self.serial();
        let mut payload = serial.to_be_bytes().to_vec();
        payload.resize(4 + usize::from(len), 0);
        match self.driver.try_publish(&message("t", &payload, qos)) {
            Ok(ticket) => {
                let losses = self.server.losses;
                self.published.insert(serial, Accepted { ticket: Some(ticket), qos, losses });
            }
            Err(error) => assert!(matches!(error, Error::Full(_)), "{error:?}"),
        }
    }

    fn unsubscribe(&mut self, filter: &str) {
        let filter = common::filter(filter, QoS::AtMostOnce).filter;
        if let Ok(ticket) = self.driver.client.unsubscribe(&[filter]) {
            self.driver.checks.accepted(ticket);
        }
    }

    fn cancel(&mut self, choice: usize) {
        let requests = self.driver.requests();
        if !requests.is_empty() {
            self.driver.cancel(requests[choice % requests.len()]);
        }
    }

    fn acknowledge(&mut self, choice: usize) {
        let count = self.sent.values().filter(|sent| sent.ack.is_some()).count();
        let Some(sent) = self.sent.values_mut().filter(|sent| sent.ack.is_some()).nth(choice % count.max(1))
        else {
            return;
        };
        if let Some(token) = sent.ack {
            match self.driver.client.acknowledge(token) {
                Ok(()) | Err(Error::Stale) => sent.ack = None,
                Err(error) => assert!(matches!(error, Error::Full(_)), "{error:?}"),
            }
        }
    }

    fn open(&mut self) {
        if self.driver.checks.is_dialling() {
            self.driver.opened();
        }
    }

    // ---- the link ----

    /// So many bytes arrive at the server.
    fn up(&mut self, most: usize) {
        if let Some(link) = self.link.checked_sub(1)
            && self.driver.checks.is_open()
        {
            self.deliver(link, most);
        }
    }

    fn deliver(&mut self, link: usize, most: usize) {
        let rest = &self.driver.written[link][self.arrived..];
        let bytes = &rest[..rest.len().min(most)];
        self.server.receive(bytes);
        self.arrived += bytes.len();
    }

    /// So many bytes arrive at the client.
    fn down(&mut self, most: usize) {
        if self.driver.checks.is_open() {
            let count = self.server.out.len().min(most);
            let bytes: Vec<u8> = self.server.out.drain(..count).collect();
            self.driver.receive(&bytes);
        }
    }

    fn cut(&mut self, after: usize) {
        if self.driver.checks.is_open() {
            self.up(after);
            self.server.cut();
            self.driver.lost();
        }
    }

    /// The client closed: what it wrote before arrives.
    fn closed(&mut self) {
        if let Some(link) = self.link.checked_sub(1) {
            self.deliver(link, usize::MAX);
        }
        self.server.cut();
    }

    // ---- the server's side ----

    fn server_sends(&mut self, qos: QoS) {
        let serial = self.serial();
        if self.server.send(serial, qos) {
            let sent = Sent { qos, losses: self.server.losses, delivered: 0, allowed: 1, ack: None };
            self.sent.insert(serial, sent);
        }
    }

    /// An answer to what was never asked.
    fn stray(&mut self, choice: usize) {
        const NOBODYS: u16 = 60_001;
        let kinds = [server::puback, server::pubrec, server::pubrel, server::pubcomp, server::unsuback];
        if self.server.is_connected() {
            let packet = kinds[choice % kinds.len()](NOBODYS);
            self.server.out.extend(packet);
        }
    }

    fn garbage(&mut self) {
        if self.server.is_connected() && self.driver.checks.is_open() {
            self.down(usize::MAX);
            self.driver.receive(&[0xff, 0, 0x30]);
        }
    }

    // ---- the program ----

    fn restart(&mut self) {
        self.cut(usize::MAX);
        self.look();
        let bytes = self.driver.export();
        let mut client =
            Client::new(*self.driver.client.config(), u64::from(self.next_serial), Memory::new());
        client.import_session(&bytes).expect("what was exported is imported");
        let checks = std::mem::take(&mut self.driver.checks).restarted();
        self.start(client, checks);
        // The session is kept anew, and what was kept of the one before is not there.
        self.driver.kept = common::Kept::default();
        self.driver.run();
        // Nobody can acknowledge what was delivered before: it comes again.
        for sent in self.sent.values_mut() {
            if sent.ack.take().is_some() {
                sent.allowed += 1;
            }
        }
        let requests: Vec<u32> = self.driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
        let live: Vec<u32> = self.driver.checks.live.iter().copied().collect();
        assert_eq!(requests, live, "every request is in the session");
    }

    /// Begins anew with this client.
    fn start(&mut self, client: Client<Memory>, checks: common::Checks) {
        let (now, kept) = (self.driver.now, std::mem::take(&mut self.driver.kept));
        self.driver = Driver::around(client);
        self.driver.now = now;
        self.driver.kept = kept;
        self.driver.checks = checks;
        self.wanted = false;
        self.paused = false;
        self.link = 0;
        self.arrived = 0;
    }

    fn crash(&mut self, qos: QoS, steps: usize, bytes: usize) {
        if !self.driver.client.config().keep_session {
            return;
        }
        self.publish(qos, 0);
        for _ in 0..steps {
            self.driver.step();
        }
        // Whether the link breaks as well or not: the server sees its end.
        self.up(bytes);
        self.server.cut();
        self.look();
        let mut client =
            Client::new(*self.driver.client.config(), u64::from(self.next_serial), Memory::new());
        client.restore(&mut self.driver.kept).expect("what was kept is restored");
        // A change that was reported, but not kept yet.
        let listed: Vec<_> =
            client.subscriptions().map(|entry| (entry.filter.to_string(), entry.qos)).collect();
        self.unsure |= listed != self.driver.subscriptions();
        let requests: BTreeSet<u32> = client.requests().map(Ticket::to_bits).collect();
        let gone: BTreeSet<u32> = self.driver.checks.live.difference(&requests).copied().collect();
        for ticket in &gone {
            let is_it = |accepted: &Accepted| accepted.ticket.is_some_and(|it| it.to_bits() == *ticket);
            match self.published.iter().find(|(_, accepted)| is_it(accepted)) {
                // It was not kept: as if the call had never returned.
                Some((serial, accepted)) => assert!(
                    accepted.qos == QoS::AtMostOnce || !self.sent_out(*serial),
                    "{serial} goes out before it is kept"
                ),
                None => self.unsure = true,
            }
        }
        for accepted in self.published.values_mut() {
            accepted.ticket = accepted.ticket.filter(|ticket| requests.contains(&ticket.to_bits()));
        }
        let checks = std::mem::take(&mut self.driver.checks).crashed(&requests);
        assert!(requests.iter().all(|ticket| checks.live.contains(ticket)), "what ended is not there again");
        self.start(client, checks);
        for (serial, sent) in &mut self.sent {
            // Whether the message was taken is known by what was kept.
            let kept = |id| self.driver.kept.has(Key::Received(server::id(id)));
            if self.server.unreceived(*serial).is_some_and(|id| !kept(id)) {
                sent.allowed += 1;
            }
            sent.ack = None;
        }
    }

    /// Whether a publication was written to the link.
    fn sent_out(&self, serial: Serial) -> bool {
        let payload = serial.to_be_bytes();
        self.driver.written.iter().any(|link| {
            let mut rest = &link[..];
            while let Some(packet) = mqtt_p2p_core::packet_len(rest).and_then(|len| rest.get(..len)) {
                if let mqtt_p2p_packet::Packet::Publish(publish) = server::decoded(packet)
                    && publish.payload.starts_with(&payload)
                {
                    return true;
                }
                rest = &rest[packet.len()..];
            }
            false
        })
    }

    // ---- what must hold ----

    /// Looks at what the client said and at what the server got.
    fn look(&mut self) {
        for seen in self.driver.take_seen() {
            match seen {
                Seen::Open(_) => {
                    assert!(self.wanted && !self.paused, "dials without being asked to");
                    self.link += 1;
                    self.arrived = 0;
                }
                Seen::Close => self.closed(),
                Seen::Message(message) => self.delivered(&message),
                Seen::Published(ticket) => self.assert_arrived(ticket),
                Seen::Dropped(ticket) => {
                    let publication = self.published.values().any(|accepted| accepted.ticket == Some(ticket));
                    self.unsure |= !publication;
                }
                _ => {}
            }
        }
        let window = self.driver.client.config().max_in_flight;
        assert!(self.driver.client.in_flight() <= window, "more than the window is under way");
        for index in self.checked..self.server.log.len() {
            let (serial, qos) = self.server.log[index];
            self.assert_expected(serial, qos);
        }
        self.checked = self.server.log.len();
    }

    fn delivered(&mut self, message: &common::Received) {
        let serial = Serial::from_be_bytes(message.payload[..].try_into().expect("a serial number"));
        let sent = self.sent.get_mut(&serial).expect("the server sent it");
        sent.delivered += 1;
        if self.driver.client.config().manual_ack {
            sent.ack = message.ack;
        }
        assert!(
            sent.qos == QoS::AtLeastOnce || sent.delivered <= sent.allowed,
            "{serial} is delivered {} times with QoS {}",
            sent.delivered,
            sent.qos
        );
    }

    fn assert_arrived(&self, ticket: Ticket) {
        let found = self.published.iter().find(|(_, accepted)| accepted.ticket == Some(ticket));
        let (serial, accepted) = found.expect("a publication");
        assert!(
            accepted.qos == QoS::AtMostOnce || self.server.log.contains(&(*serial, accepted.qos)),
            "{serial} ended as published and did not arrive"
        );
    }

    /// What arrives at the server was published with this quality, comes in order and no more often than promised.
    fn assert_expected(&mut self, serial: Serial, qos: QoS) {
        let accepted = &self.published[&serial];
        assert_eq!(accepted.qos, qos);
        let times = self.arrivals.entry(serial).or_default();
        *times += 1;
        let most = match qos {
            QoS::AtMostOnce => 1,
            QoS::AtLeastOnce => u32::MAX,
            QoS::ExactlyOnce => 1 + self.server.losses - accepted.losses,
        };
        assert!(*times <= most, "{serial} arrives {times} times with QoS {qos}");
        if *times == 1 {
            let last = &mut self.last_arrival[qos as usize];
            assert!(*last < serial, "{serial} arrives after {last}");
            *last = serial;
        }
    }

    /// The faults stop: all ends, and nothing is missing.
    fn settle(&mut self) {
        self.driver.writable = usize::MAX;
        self.driver.write_at_most = usize::MAX;
        self.resume();
        self.connect();
        for _ in 0..1_000 {
            self.look();
            self.open();
            self.up(usize::MAX);
            self.down(usize::MAX);
            self.acknowledge(0);
            self.driver.run();
            self.look();
            if self.is_settled() {
                return self.assert_complete();
            }
            if self.driver.client.config().max_requests_per_sec > 0 && self.driver.client.is_connected() {
                // The next request's turn comes.
                self.driver.pass(1_000);
            }
            if let Some(wait) = self.driver.wait
                && self.server.out.is_empty()
                && !self.driver.client.is_connected()
                && !self.driver.checks.is_dialling()
                && !self.driver.checks.is_open()
            {
                self.driver.pass(wait - self.driver.now);
            }
        }
        panic!("it never ends: {:?} are open, {:?}", self.driver.requests(), self.server);
    }

    fn is_settled(&self) -> bool {
        self.driver.client.is_connected()
            && self.driver.checks.live.is_empty()
            && self.server.is_settled()
            && self.driver.written[self.link - 1].len() == self.arrived
            && self.sent.values().all(|sent| sent.ack.is_none())
    }

    fn assert_complete(&mut self) {
        for (serial, sent) in &self.sent {
            assert!(
                sent.qos == QoS::AtMostOnce || sent.losses != self.server.losses || sent.delivered > 0,
                "{serial} was never delivered"
            );
        }
        assert_eq!(self.driver.client.in_flight(), 0);
        if !self.unsure && self.driver.client.config().resubscribe != Resubscribe::Never {
            let mut kept = self.driver.subscriptions();
            kept.sort();
            assert_eq!(kept, self.server.subscriptions(), "both sides agree on subscriptions");
        }
    }
}

fn cases() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 10_000;
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/proptest-regressions/session_model.txt"
    ))));
    config
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_session_keeps_its_promises_under_any_faults(
        config in any_config(),
        commands in prop::collection::vec(command(), 1..80),
    ) {
        let mut world = World::new(config);
        world.obey(Command::Connect);
        for command in commands {
            world.obey(command);
        }
        world.settle();
    }
}
