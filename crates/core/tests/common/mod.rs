//! What the tests share: a driver with a clock of its own, which notes all that the client does and checks after
//! every step what must hold always.
#![allow(dead_code, reason = "every test file is a crate of its own and uses its own part of this")]

use std::collections::BTreeMap;

use mqtt_p2p_core::{
    AckToken, Action, Backoff, Change, Client, Config, DisconnectReason, Error, Event, Inline, Instant, Key,
    Login, Message, Publication, QoS, ReasonCode, SessionStore, Storage, SubscribeFilter, Ticket,
    TopicFilter, TopicName, TransportError,
};
use mqtt_p2p_packet::Packet;

mod checks;
pub(crate) mod model;
pub(crate) mod server;

pub(crate) use checks::Checks;

/// Memory for most tests.
pub(crate) type Small = Inline<2048, 16, 512, 256, 4>;

/// The delay between two attempts with [`config`].
pub(crate) const RETRY: u64 = 1_000;

pub(crate) const LOGIN: Login<'static> = Login::new("GID_test@@@1");

/// Reconnects after a known time; everything else as by default.
pub(crate) fn config() -> Config {
    Config::new().with_backoff(Backoff::Fixed { delay_ms: RETRY as u32 })
}

pub(crate) fn message<'a>(topic: &'a str, payload: &'a [u8], qos: QoS) -> Publication<'a> {
    Publication::new(TopicName::new(topic).expect("a valid topic name"), payload).with_qos(qos)
}

pub(crate) fn filter(filter: &str, qos: QoS) -> SubscribeFilter<'_> {
    SubscribeFilter::new(TopicFilter::new(filter).expect("a valid topic filter"), qos)
}

/// The bytes of a session with a checksum that fits: so the content is read.
pub(crate) fn sealed(content: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    [content, &(!crc).to_be_bytes()].concat()
}

/// What the client did, but for writing: an action or event that owns what it says. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Open(u32),
    Close,
    Connected { session_present: bool },
    Refused { reason: ReasonCode, retry_at: Option<u64> },
    Disconnected { reason: DisconnectReason, retry_at: Option<u64> },
    Message(Received),
    Published(Ticket),
    Subscribed(Ticket, Vec<u8>),
    Unsubscribed(Ticket),
    Rejected(Ticket, ReasonCode),
    Dropped(Ticket),
    Resubscribed(usize, Vec<u8>),
    Begin(Received, u32),
    Part(Vec<u8>),
    End(Option<AckToken>),
    PublishedAlone,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) dup: bool,
    pub(crate) ack: Option<AckToken>,
}

impl From<Message<'_>> for Received {
    fn from(message: Message<'_>) -> Self {
        Self {
            topic: message.topic.as_str().into(),
            payload: message.payload.into(),
            qos: message.qos,
            retain: message.retain,
            dup: message.dup,
            ack: message.ack,
        }
    }
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        let millis = |at: Option<Instant>| at.map(Instant::as_millis);
        match event {
            Event::Connected { session_present, .. } => Self::Connected { session_present },
            Event::Refused { reason, retry_at, .. } => Self::Refused { reason, retry_at: millis(retry_at) },
            Event::Disconnected { reason, retry_at, .. } => {
                Self::Disconnected { reason, retry_at: millis(retry_at) }
            }
            Event::Message(message) => Self::Message(message.into()),
            Event::Published { ticket, .. } => Self::Published(ticket),
            Event::Subscribed { ticket, return_codes, .. } => {
                Self::Subscribed(ticket, return_codes.as_bytes().into())
            }
            Event::Unsubscribed { ticket, .. } => Self::Unsubscribed(ticket),
            Event::Rejected { ticket, reason, .. } => Self::Rejected(ticket, reason),
            Event::Dropped { ticket, .. } => Self::Dropped(ticket),
            Event::Resubscribed { first, return_codes, .. } => {
                Self::Resubscribed(first, return_codes.as_bytes().into())
            }
            Event::MessageBegin { message, payload_len } => Self::Begin(message.into(), payload_len),
            Event::MessagePart(part) => Self::Part(part.into()),
            Event::MessageEnd { ack } => Self::End(ack),
            Event::PublishedAlone => Self::PublishedAlone,
            other => panic!("an event that the tests do not know: {other:?}"),
        }
    }
}

/// What one poll said.
enum Step {
    Write(Vec<u8>),
    Seen(Seen),
    Wait(Option<u64>),
    Keep(Key, Option<Vec<u8>>),
}

/// A session that is kept in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept(pub(crate) BTreeMap<[u8; 5], Vec<u8>>);

impl Kept {
    pub(crate) fn has(&self, key: Key) -> bool {
        self.0.contains_key(&key.to_bytes())
    }
}

impl SessionStore for Kept {
    type Error = ();

    fn put(&mut self, key: Key, value: &[u8]) -> Result<(), ()> {
        self.0.insert(key.to_bytes(), value.into());
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), ()> {
        self.0.remove(&key.to_bytes());
        Ok(())
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), ()> {
        for (key, value) in &self.0 {
            show(Key::from_bytes(key).expect("a key"), value);
        }
        Ok(())
    }
}

/// A client with a transport, a clock and a memory of what happened.
pub(crate) struct Driver<S = Small> {
    pub(crate) client: Client<S>,
    /// Milliseconds.
    pub(crate) now: u64,
    /// What came from the server and was not taken yet.
    pub(crate) input: Vec<u8>,
    /// The most that one write takes.
    pub(crate) write_at_most: usize,
    /// How much more the transport takes before it blocks.
    pub(crate) writable: usize,
    /// Until when the client waits, if it does.
    pub(crate) wait: Option<u64>,
    /// Every byte written, for each transport.
    pub(crate) written: Vec<Vec<u8>>,
    /// What the client had kept.
    pub(crate) kept: Kept,
    /// Some that were cancelled may still await their answers.
    cancelled: bool,
    seen: Vec<Seen>,
    sent: Vec<Vec<u8>>,
    pub(crate) checks: Checks,
}

impl Driver {
    pub(crate) fn new(config: Config) -> Self {
        Self::with(config, Small::new())
    }

    /// Connected, to a server that knows no session; what led there is forgotten.
    pub(crate) fn online(config: Config) -> Self {
        let mut driver = Self::new(config);
        driver.go_online(false);
        driver.forget();
        driver
    }
}

impl<S: Storage> Driver<S> {
    pub(crate) fn with(config: Config, storage: S) -> Self {
        Self::around(Client::new(config, 42, storage))
    }

    pub(crate) fn around(client: Client<S>) -> Self {
        Self {
            client,
            now: 1_000,
            input: Vec::new(),
            write_at_most: usize::MAX,
            writable: usize::MAX,
            wait: None,
            written: Vec::new(),
            kept: Kept::default(),
            cancelled: false,
            seen: Vec::new(),
            sent: Vec::new(),
            checks: Checks::default(),
        }
    }

    pub(crate) const fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    // ---- what the caller does ----

    pub(crate) fn connect(&mut self) {
        self.client.connect(self.instant());
        self.run();
    }

    pub(crate) fn disconnect(&mut self) {
        self.client.disconnect(self.instant());
        self.run();
    }

    pub(crate) fn pause(&mut self) {
        self.client.pause(self.instant());
        self.run();
    }

    pub(crate) fn resume(&mut self) {
        self.client.resume(self.instant());
        self.run();
    }

    pub(crate) fn opened(&mut self) {
        self.opened_as(&LOGIN);
    }

    pub(crate) fn opened_as(&mut self, login: &Login<'_>) {
        self.checks.opened();
        self.client.transport_opened(self.instant(), login);
        self.run();
    }

    /// The transport breaks; what was written and not read is lost.
    pub(crate) fn lost(&mut self) {
        self.closed(TransportError::Broken);
    }

    pub(crate) fn closed(&mut self, why: TransportError) {
        self.input.clear();
        self.checks.closed();
        self.client.transport_closed(self.instant(), why);
        self.run();
    }

    /// Dials and logs in.
    pub(crate) fn go_online(&mut self, session_present: bool) {
        self.connect();
        self.opened();
        self.receive(&server::connack(session_present));
        assert!(self.client.is_connected(), "{:?}", self.seen);
    }

    /// Loses the transport and gets the next one, without waiting.
    pub(crate) fn reconnect(&mut self, session_present: bool) {
        self.lost();
        self.go_online(session_present);
    }

    /// Accepted or not; nothing goes out before the next [`Self::run`].
    pub(crate) fn try_publish(&mut self, publication: &Publication<'_>) -> Result<Ticket, Error> {
        let ticket = self.client.publish(publication)?;
        self.checks.accepted(ticket);
        if publication.qos == QoS::AtMostOnce && !self.client.config().tell_qos_0 {
            self.checks.silent.insert(ticket.to_bits());
        }
        Ok(ticket)
    }

    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8], qos: QoS) -> Ticket {
        let ticket = self.try_publish(&message(topic, payload, qos)).expect("the publication is accepted");
        self.run();
        ticket
    }

    pub(crate) fn try_subscribe(&mut self, filters: &[SubscribeFilter<'_>]) -> Result<Ticket, Error> {
        self.client.subscribe(filters).inspect(|ticket| self.checks.accepted(*ticket))
    }

    pub(crate) fn subscribe(&mut self, filters: &[(&str, QoS)]) -> Ticket {
        let filters: Vec<_> = filters.iter().map(|(text, qos)| filter(text, *qos)).collect();
        let ticket = self.try_subscribe(&filters).expect("the SUBSCRIBE is accepted");
        self.run();
        ticket
    }

    pub(crate) fn unsubscribe(&mut self, filters: &[&str]) -> Ticket {
        let filters: Vec<_> =
            filters.iter().map(|text| TopicFilter::new(text).expect("a valid topic filter")).collect();
        let ticket = self.client.unsubscribe(&filters).expect("the UNSUBSCRIBE is accepted");
        self.checks.accepted(ticket);
        self.run();
        ticket
    }

    /// Subscribes, and the server grants it.
    pub(crate) fn subscribed(&mut self, filters: &[(&str, QoS)]) {
        let ticket = self.subscribe(filters);
        let codes: Vec<u8> = filters.iter().map(|(_, qos)| *qos as u8).collect();
        self.receive(&server::suback(ticket.packet_id(), &codes));
        self.forget();
    }

    pub(crate) fn acknowledge(&mut self, token: AckToken) -> Result<(), Error> {
        let result = self.client.acknowledge(token);
        self.run();
        result
    }

    pub(crate) fn cancel(&mut self, ticket: Ticket) -> bool {
        let is_pending = self.client.cancel(ticket);
        self.cancelled |= is_pending;
        self.run();
        is_pending
    }

    pub(crate) fn abandon(&mut self) {
        self.client.abandon();
        self.run();
    }

    // ---- what the world does ----

    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.run();
    }

    /// Time passes, in one leap.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += millis;
        self.run();
    }

    // ---- the loop ----

    /// Polls until there is nothing to do, or the transport blocks.
    pub(crate) fn run(&mut self) {
        for _ in 0..100_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the client is never done");
    }

    /// One poll, and what it asks for. `false` if there was nothing to do.
    pub(crate) fn step(&mut self) -> bool {
        let waiting = self.client.is_waiting().then(|| self.client.due_at()).filter(|at| self.is_before(*at));
        let more = self.perform();
        if let Some(at) = waiting.filter(|_| self.input.is_empty()) {
            assert!(!more, "it said that it has nothing to do");
            assert_eq!(self.wait, at.map(Instant::as_millis));
        }
        if !self.checks.silent.is_empty() {
            let requests = self.requests();
            self.checks.note_silent(&requests);
        }
        more
    }

    fn is_before(&self, at: Option<Instant>) -> bool {
        self.input.is_empty() && at.is_none_or(|at| self.instant() < at)
    }

    fn perform(&mut self) -> bool {
        self.wait = None;
        match self.poll() {
            Step::Write(bytes) => return self.write(&bytes),
            Step::Seen(seen) => {
                self.checks.seen(&seen);
                if matches!(seen, Seen::Open(_)) {
                    self.written.push(Vec::new());
                }
                if seen == Seen::Close {
                    self.input.clear();
                }
                self.seen.push(seen);
            }
            Step::Keep(key, Some(value)) => self.kept.put(key, &value).unwrap_or_default(),
            Step::Keep(key, None) => self.kept.remove(key).unwrap_or_default(),
            Step::Wait(until) => {
                assert!(
                    until.is_none_or(|until| until > self.now),
                    "waits for {until:?}, which is no later than {}",
                    self.now
                );
                let due = self.client.due_at().map(Instant::as_millis);
                assert_eq!(due, until, "all that it waits for is due");
                self.wait = until;
                assert!(self.client.is_waiting(), "it waits, and says that it has something to do");
                let (held, listed) = (self.client.requests_in_use(), self.client.requests().count());
                assert!(
                    held == listed || (self.cancelled && held > listed),
                    "a request that has ended holds memory"
                );
                return false;
            }
        }
        true
    }

    fn poll(&mut self) -> Step {
        let mut rest = self.input.as_slice();
        let action = self.client.poll(Instant::from_millis(self.now), &mut rest);
        let step = match action {
            Action::OpenTransport { attempt, .. } => Step::Seen(Seen::Open(attempt)),
            Action::Transmit(bytes) => Step::Write(bytes.to_vec()),
            Action::CloseTransport => Step::Seen(Seen::Close),
            Action::Event(event) => {
                assert_eq!(
                    event.hold(&self.input).event(&self.input),
                    Some(event),
                    "a loan that is given back"
                );
                Step::Seen(event.into())
            }
            Action::Store(Change::Put { key, value }) => Step::Keep(key, Some(value.to_vec())),
            Action::Store(Change::Remove { key }) => Step::Keep(key, None),
            Action::Wait(until) => Step::Wait(until.map(Instant::as_millis)),
        };
        let taken = self.input.len() - rest.len();
        assert!(self.input.ends_with(rest), "input is taken from its front");
        self.input.drain(..taken);
        step
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        assert!(!bytes.is_empty(), "an empty write");
        let count = bytes.len().min(self.write_at_most).min(self.writable);
        let written = &bytes[..count];
        self.writable -= count;
        let link = self.written.last_mut().expect("there is a transport");
        link.extend_from_slice(written);
        self.sent.extend(self.checks.written(written));
        self.client.transmitted(count);
        count > 0
    }

    // ---- what there is to see ----

    /// Forgets what was sent and seen.
    pub(crate) fn forget(&mut self) {
        self.sent.clear();
        self.seen.clear();
    }

    /// What happened since the last look.
    pub(crate) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    /// The packets sent since the last look, in words: see [`server::words`].
    pub(crate) fn take_sent(&mut self) -> Vec<String> {
        let sent = std::mem::take(&mut self.sent);
        sent.iter().map(|bytes| server::words(bytes)).collect()
    }

    /// Looks at the only packet sent since the last look.
    pub(crate) fn only_sent<R>(&mut self, look: impl FnOnce(Packet<'_>) -> R) -> R {
        let sent = std::mem::take(&mut self.sent);
        assert_eq!(sent.len(), 1, "one packet is sent");
        look(server::decoded(&sent[0]))
    }

    /// The messages among what happened since the last look.
    pub(crate) fn take_messages(&mut self) -> Vec<Received> {
        self.take_seen()
            .into_iter()
            .filter_map(|seen| match seen {
                Seen::Message(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    /// Their payloads, as text.
    pub(crate) fn take_payloads(&mut self) -> Vec<String> {
        self.take_messages()
            .into_iter()
            .map(|message| String::from_utf8(message.payload).expect("payloads here are text"))
            .collect()
    }

    /// The subscriptions that the client keeps.
    pub(crate) fn subscriptions(&mut self) -> Vec<(String, QoS)> {
        let list = self.client.subscriptions();
        list.map(|entry| (entry.filter.as_str().into(), entry.qos)).collect()
    }

    pub(crate) fn requests(&mut self) -> Vec<Ticket> {
        self.client.requests().collect()
    }

    pub(crate) fn export(&mut self) -> Vec<u8> {
        let needed = match self.client.export_session(&mut []) {
            Err(mqtt_p2p_core::SessionError::BufferTooSmall { needed }) => needed,
            other => panic!("an empty buffer gave {other:?}"),
        };
        let mut bytes = vec![0; needed];
        assert_eq!(self.client.export_session(&mut bytes), Ok(needed));
        bytes
    }
}
