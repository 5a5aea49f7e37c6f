//! The exchange of QoS 1 and 2 of the real client, explored exhaustively: everything that a link, a server and a crash
//! can do to a few messages, in every order, up to bounds.
//!
//! The client can't be copied, so a state is the way that leads to it, and is reached again by going that way. Two
//! states are the same if *all* that the client and its memory hold is the same (their `Debug`, but for counters that
//! nothing reads), and all that the rest of the world holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use mqtt_p2p_core::{
    Action, Backoff, Client, Config, Event, InboundId, Instant, Login, Memory, Publication, QoS, Request,
    Storage, Ticket, TopicName, TransportError,
};
use stateright::{Checker, Model, Property};

use crate::store::Store;
use crate::wire::{self, Packet};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The program publishes its next message.
    Publish,
    /// The server has its next message for the client.
    Send,
    /// The next packet arrives at the server, which answers at once.
    Up,
    /// The next packet arrives at the client, which does all that it has to do.
    Down,
    /// The connection breaks: what is on its way is lost.
    Break,
    /// The client connects again; the server has its session.
    Connect,
    /// The server loses its session while there is no connection.
    Forget,
    /// The server sends again what it has sent and what was not answered.
    Repeat,
    /// The next packet arrives, the client does so many actions, and the program crashes. Of what its store had not
    /// committed, all is kept or nothing.
    Crash {
        /// How many actions.
        actions: u8,
        /// All is kept.
        kept: bool,
    },
}

/// How much can happen.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// What the program publishes.
    pub publish: Vec<u8>,
    /// What the server sends.
    pub send: Vec<u8>,
    /// How often the connection breaks.
    pub breaks: u8,
    /// How often the server loses its session.
    pub forgets: u8,
    /// How often it sends again without need.
    pub repeats: u8,
    /// How often the program crashes; with a store then.
    pub crashes: u8,
    /// How many publications may be under way.
    pub window: u16,
    /// How many steps at most.
    pub depth: usize,
}

impl Bounds {
    const NOTHING: Self = Self {
        publish: Vec::new(),
        send: Vec::new(),
        breaks: 0,
        forgets: 0,
        repeats: 0,
        crashes: 0,
        window: 2,
        depth: 64,
    };

    /// What is explored, each with its name: little enough for a test, or as much as a soak has time for.
    pub fn scenes(deep: bool) -> Vec<(&'static str, Self)> {
        let more = u8::from(deep);
        let few = |messages: &[u8]| messages[..messages.len() - usize::from(!deep)].to_vec();
        vec![
            (
                "publications",
                Self { publish: few(&[1, 2, 2]), breaks: 2 + more, forgets: 1 + more, ..Self::NOTHING },
            ),
            (
                "publications of QoS 2, one at a time",
                Self {
                    publish: few(&[2, 2, 2]),
                    breaks: 3 + more,
                    forgets: 1 + more,
                    window: 1,
                    ..Self::NOTHING
                },
            ),
            (
                "messages",
                Self {
                    send: few(&[2, 1, 2]),
                    breaks: 2 + more,
                    forgets: 1 + more,
                    repeats: 1,
                    ..Self::NOTHING
                },
            ),
            (
                "both ways",
                Self {
                    publish: few(&[2, 1]),
                    send: few(&[2, 2]),
                    breaks: 2 + more,
                    forgets: 1,
                    repeats: 1,
                    ..Self::NOTHING
                },
            ),
            (
                "publications and crashes",
                Self { publish: few(&[2, 1, 2]), breaks: 1 + more, crashes: 2 + more, ..Self::NOTHING },
            ),
            (
                "messages and crashes",
                Self { send: few(&[2, 1, 2]), breaks: 1, repeats: 1, crashes: 2, ..Self::NOTHING },
            ),
        ]
    }
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// The longest way that was gone.
    pub depth: usize,
    /// Whether everything within the bounds was seen, not only what `depth` steps lead to.
    pub complete: bool,
    /// A way that breaks a promise, and which.
    pub broken: Option<(Vec<Step>, String)>,
}

// ---- the client's memory, to be seen entirely ----

struct Glass {
    tx: [u8; 64],
    requests: [Request; 4],
    control: [u8; 40],
    inbound: [InboundId; 3],
}

impl Storage for Glass {
    fn memory(&mut self) -> Memory<'_> {
        Memory::new(&mut self.tx, &mut self.requests, &mut self.control).with_inbound(&mut self.inbound)
    }
}

impl fmt::Debug for Glass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{:?}{:?}{:?}", self.tx, self.requests, self.control, self.inbound)
    }
}

// ---- the world of one client ----

#[derive(Debug)]
struct Out {
    message: u8,
    qos: u8,
    released: bool,
}

struct Exchange<'b> {
    bounds: &'b Bounds,
    client: Client<Glass>,
    store: Option<Store>,
    connected: bool,
    present: bool,
    up: Vec<Vec<u8>>,
    down: Vec<Vec<u8>>,
    /// Tickets that have not ended, and whose they are.
    live: BTreeMap<u32, u8>,
    published: u8,
    sent: u8,
    breaks: u8,
    forgets: u8,
    repeats: u8,
    crashes: u8,
    // The server's session.
    unreleased: BTreeMap<u16, u8>,
    outgoing: BTreeMap<u16, Out>,
    /// Publications that came in this session.
    seen: BTreeSet<u8>,
    /// How often each publication arrived, and may arrive with QoS 2.
    arrived: [u8; 8],
    may_arrive: [u8; 8],
    /// PUBREL came.
    through: BTreeSet<u8>,
    /// How often each message was delivered, and may be with QoS 2.
    delivered: [u8; 8],
    may_be_delivered: [u8; 8],
    /// Messages for which PUBREC went out: so a crash is no excuse any more.
    confirmed: BTreeSet<u8>,
    /// Messages that went with a session.
    lost: BTreeSet<u8>,
    broken: Option<String>,
}

const NOW: Instant = Instant::from_millis(1);

fn client(bounds: &Bounds) -> Client<Glass> {
    let config = Config::new()
        .with_keep_alive_secs(0)
        .with_backoff(Backoff::Fixed { delay_ms: 0 })
        // So that nothing ever is a takeover.
        .with_stable_after_ms(0)
        .with_max_in_flight(bounds.window)
        .with_keep_session(bounds.crashes > 0);
    let glass = Glass {
        tx: [0; 64],
        requests: [Request::EMPTY; 4],
        control: [0; 40],
        inbound: [InboundId::EMPTY; 3],
    };
    Client::new(config, 1, glass)
}

impl<'b> Exchange<'b> {
    fn new(bounds: &'b Bounds) -> Self {
        let mut new = Self {
            bounds,
            client: client(bounds),
            store: (bounds.crashes > 0).then(Store::default),
            connected: false,
            present: false,
            up: Vec::new(),
            down: Vec::new(),
            live: BTreeMap::new(),
            published: 0,
            sent: 0,
            breaks: 0,
            forgets: 0,
            repeats: 0,
            crashes: 0,
            unreleased: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            seen: BTreeSet::new(),
            arrived: [0; 8],
            may_arrive: [1; 8],
            through: BTreeSet::new(),
            delivered: [0; 8],
            may_be_delivered: [1; 8],
            confirmed: BTreeSet::new(),
            lost: BTreeSet::new(),
            broken: None,
        };
        new.connect();
        new
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(what());
        }
    }

    /// What can happen now.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut may = |condition: bool, step| {
            if condition {
                steps.push(step);
            }
        };
        may(usize::from(self.published) < self.bounds.publish.len(), Step::Publish);
        may(usize::from(self.sent) < self.bounds.send.len(), Step::Send);
        may(!self.up.is_empty(), Step::Up);
        may(!self.down.is_empty(), Step::Down);
        may(self.connected && self.breaks < self.bounds.breaks, Step::Break);
        may(!self.connected, Step::Connect);
        may(!self.connected && self.forgets < self.bounds.forgets, Step::Forget);
        may(self.connected && self.repeats < self.bounds.repeats && !self.outgoing.is_empty(), Step::Repeat);
        if self.crashes < self.bounds.crashes && !self.down.is_empty() {
            for actions in 0..5 {
                may(true, Step::Crash { actions, kept: false });
                may(true, Step::Crash { actions, kept: true });
            }
        }
        steps
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish => {
                let message = self.published;
                let qos = if self.bounds.publish[usize::from(message)] == 1 {
                    QoS::AtLeastOnce
                } else {
                    QoS::ExactlyOnce
                };
                let topic = TopicName::new("t").expect("a valid topic name");
                let payload = [message];
                match self.client.publish(&Publication::new(topic, &payload).with_qos(qos)) {
                    Ok(ticket) => {
                        self.published += 1;
                        let new = self.live.insert(ticket.to_bits(), message).is_none();
                        self.must(new, || format!("{ticket:?} is given out twice"));
                    }
                    Err(error) => self.must(false, || format!("there is room, but {error:?}")),
                }
                self.run(&[], usize::MAX);
            }
            Step::Send => {
                let message = self.sent;
                self.sent += 1;
                let qos = self.bounds.send[usize::from(message)];
                let id = u16::from(message) + 1;
                self.outgoing.insert(id, Out { message, qos, released: false });
                self.push(id, false);
            }
            Step::Up => {
                let packet = self.up.remove(0);
                self.serve(&packet);
            }
            Step::Down => {
                let packet = self.down.remove(0);
                self.run(&packet, usize::MAX);
            }
            Step::Break => {
                self.breaks += 1;
                self.cut();
                self.client.transport_closed(NOW, TransportError::Broken);
                self.run(&[], usize::MAX);
            }
            Step::Connect => self.connect(),
            Step::Forget => {
                self.forgets += 1;
                self.unreleased.clear();
                self.seen.clear();
                let gone = std::mem::take(&mut self.outgoing);
                self.lost.extend(gone.into_values().map(|out| out.message));
                for message in 0..self.published {
                    if !self.through.contains(&message) {
                        self.may_arrive[usize::from(message)] += 1;
                    }
                }
                self.present = false;
            }
            Step::Repeat => {
                self.repeats += 1;
                let ids: Vec<_> =
                    self.outgoing.iter().filter(|(_, out)| !out.released).map(|(id, _)| *id).collect();
                for id in ids {
                    self.push(id, true);
                }
            }
            Step::Crash { actions, kept } => self.crash(actions, kept),
        }
    }

    fn cut(&mut self) {
        self.connected = false;
        self.up.clear();
        self.down.clear();
    }

    fn connect(&mut self) {
        self.client.connect(NOW);
        self.run(&[], usize::MAX);
        self.client.transport_opened(NOW, &Login::new("x"));
        self.run(&[], usize::MAX);
        let connect = std::mem::take(&mut self.up).concat();
        let is_connect = matches!(wire::next(&connect), Ok(Some((Packet::Connect { clean: false, .. }, _))));
        self.must(is_connect, || format!("CONNECT comes first: {connect:02x?}"));
        self.connected = true;
        let mut answer = Vec::new();
        let present = std::mem::replace(&mut self.present, true);
        wire::connack(&mut answer, present, 0);
        let again: Vec<_> = self.outgoing.iter().map(|(id, out)| (*id, out.released)).collect();
        for (id, released) in again {
            if released {
                self.tell(wire::PUBREL, id);
            } else {
                self.push(id, true);
            }
        }
        self.run(&answer, usize::MAX);
    }

    // ---- the server ----

    fn tell(&mut self, kind: u8, id: u16) {
        let mut packet = Vec::new();
        wire::ack(&mut packet, kind, id);
        self.down.push(packet);
    }

    fn push(&mut self, id: u16, dup: bool) {
        if self.connected
            && let Some(out) = self.outgoing.get(&id)
        {
            let mut packet = Vec::new();
            wire::publish(&mut packet, dup, out.qos, id, b"t", 1);
            packet.push(out.message);
            self.down.push(packet);
        }
    }

    fn serve(&mut self, bytes: &[u8]) {
        let Ok(Some((packet, len))) = wire::next(bytes) else {
            return self.must(false, || format!("{bytes:02x?} is no MQTT"));
        };
        self.must(len == bytes.len(), || format!("{bytes:02x?} is more than a packet"));
        match packet {
            Packet::Publish { dup, qos, id, payload: &[message], .. } => {
                let index = usize::from(message);
                let again = !self.seen.insert(message);
                self.must(!again || dup, || format!("{message} comes again without DUP"));
                self.must(!self.through.contains(&message), || format!("{message} comes after its PUBREL"));
                self.must(self.bounds.publish.get(index) == Some(&qos), || {
                    format!("{message} has QoS {qos}")
                });
                if qos == 1 {
                    self.arrived[index] = self.arrived[index].saturating_add(1);
                    return self.tell(wire::PUBACK, id);
                }
                match self.unreleased.insert(id, message) {
                    Some(before) => self.must(before == message, || format!("{id} is in flight twice")),
                    None => {
                        self.arrived[index] += 1;
                        let (arrived, may) = (self.arrived[index], self.may_arrive[index]);
                        self.must(arrived <= may, || format!("{message} arrives {arrived} times, not {may}"));
                    }
                }
                self.tell(wire::PUBREC, id);
            }
            Packet::Ack { kind: wire::PUBREL, id } => {
                if let Some(message) = self.unreleased.remove(&id) {
                    self.through.insert(message);
                }
                self.tell(wire::PUBCOMP, id);
            }
            Packet::Ack { kind, id } => {
                let Some(out) = self.outgoing.get_mut(&id) else {
                    if kind == wire::PUBREC {
                        self.tell(wire::PUBREL, id);
                    }
                    return;
                };
                let message = out.message;
                let fits = (kind == wire::PUBACK) == (out.qos == 1);
                if kind == wire::PUBREC {
                    out.released = true;
                    self.tell(wire::PUBREL, id);
                } else if kind == wire::PUBACK || out.released {
                    self.outgoing.remove(&id);
                }
                self.must(fits, || format!("{message} is answered with {kind:02x}"));
                let delivered = self.delivered[usize::from(message)] > 0;
                self.must(delivered, || format!("{message} is acknowledged before it is delivered"));
            }
            other => self.must(false, || format!("nobody asked for {other:?}")),
        }
    }

    // ---- the client ----

    /// Does what the client says, at most so many actions.
    fn run(&mut self, input: &[u8], most: usize) {
        let mut rest = input;
        for _ in 0..most.min(100) {
            let mut broken = None;
            match self.client.poll(NOW, &mut rest) {
                Action::Transmit(bytes) => {
                    if let Some(store) = &mut self.store {
                        store.make_durable();
                    }
                    let mut packets = bytes;
                    while let Ok(Some((_, len))) = wire::next(packets) {
                        if let [wire::PUBREC, 2, high, low] = packets[..len]
                            && let Some(out) = self.outgoing.get(&u16::from_be_bytes([high, low]))
                        {
                            self.confirmed.insert(out.message);
                        }
                        self.up.push(packets[..len].to_vec());
                        packets = &packets[len..];
                    }
                    if !packets.is_empty() {
                        broken = Some(format!("{packets:02x?} is no packet"));
                    }
                    let len = bytes.len();
                    self.client.transmitted(len);
                }
                Action::Store(change) => match &mut self.store {
                    Some(store) => store.apply(change),
                    None => broken = Some(format!("{change:?} without a store")),
                },
                Action::Event(Event::Published { ticket, .. }) => match self.live.remove(&ticket.to_bits()) {
                    Some(message) if self.arrived[usize::from(message)] > 0 => {}
                    message => broken = Some(format!("{ticket:?} ends, which is {message:?}")),
                },
                Action::Event(Event::Rejected { ticket, .. }) => {
                    broken = Some(format!("{ticket:?} is rejected, which MQTT 3.1.1 does not know"));
                }
                Action::Event(Event::Message(message)) => {
                    let index = usize::from(message.payload[0]);
                    self.delivered[index] = self.delivered[index].saturating_add(1);
                    let (delivered, may) = (self.delivered[index], self.may_be_delivered[index]);
                    if message.qos == QoS::ExactlyOnce && delivered > may {
                        broken = Some(format!("{index} is delivered {delivered} times, not {may}"));
                    }
                }
                Action::Wait(_) => {
                    if let Some(store) = &mut self.store {
                        store.make_durable();
                    }
                    self.must(rest.is_empty(), || format!("{rest:02x?} is not taken"));
                    return;
                }
                Action::CloseTransport => broken = Some("the client closes".to_owned()),
                Action::OpenTransport { .. } => return,
                _ => {}
            }
            if broken.is_some() && self.broken.is_none() {
                self.broken = broken;
            }
        }
        if most > 100 {
            self.must(false, || "poll does not come to a wait".to_owned());
        }
    }

    fn crash(&mut self, actions: u8, kept: bool) {
        self.crashes += 1;
        let packet = self.down.remove(0);
        self.run(&packet, usize::from(actions));
        self.cut();
        let Some(store) = &mut self.store else { return };
        if kept {
            store.make_durable();
        } else {
            store.lose_pending();
        }
        let mut client = client(self.bounds);
        let restored = client.restore(store).is_ok();
        for out in self.outgoing.values() {
            if !out.released && !self.confirmed.contains(&out.message) {
                let index = usize::from(out.message);
                self.may_be_delivered[index] = self.delivered[index] + 1;
            }
        }
        let requests: BTreeSet<u32> = client.requests().map(Ticket::to_bits).collect();
        self.client = client;
        self.must(restored, || "what was kept is not restored".to_owned());
        // What is under way again although its end was told: the server has it, and the end was not kept.
        let again: Vec<u32> =
            requests.iter().copied().filter(|ticket| !self.live.contains_key(ticket)).collect();
        for ticket in again {
            // One request after the other, so the ticket tells which it is.
            self.live.insert(ticket, (ticket - 1) as u8);
        }
        let gone: Vec<(u32, u8)> = self
            .live
            .iter()
            .filter(|(ticket, _)| !requests.contains(ticket))
            .map(|(ticket, message)| (*ticket, *message))
            .collect();
        for (ticket, message) in gone {
            // The crash came before its end could be told.
            let through = self.arrived[usize::from(message)] > 0;
            self.must(through, || format!("{message} is lost by a crash"));
            self.live.remove(&ticket);
        }
    }

    // ---- what it all comes to ----

    fn digest(&self) -> u128 {
        let text = format!("{:?}", self.client);
        // Nothing reads the counters but who asks for them.
        let (before, behind) = text.split_once("stats: Stats").unwrap_or((&text, ""));
        let behind = behind.split_once('}').map_or("", |(_, behind)| behind);
        let mut digest = 0;
        for salt in 0..2_u64 {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            (before, behind, self.connected, self.present, &self.up, &self.down, &self.live)
                .hash(&mut hasher);
            (self.published, self.sent, self.breaks, self.forgets, self.repeats, self.crashes)
                .hash(&mut hasher);
            (&self.unreleased, &self.seen, self.arrived, self.may_arrive, &self.through).hash(&mut hasher);
            (
                self.delivered,
                self.may_be_delivered,
                &self.confirmed,
                &self.lost,
                format!("{:?}{:?}", self.outgoing, self.store),
            )
                .hash(&mut hasher);
            digest = digest << 64 | u128::from(hasher.finish());
        }
        digest
    }

    /// The faults stop: everything comes to its end.
    fn settle(&mut self) {
        if !self.connected {
            self.connect();
        }
        for _ in 0..200 {
            if !self.up.is_empty() {
                self.step(Step::Up);
            } else if !self.down.is_empty() {
                self.step(Step::Down);
            }
        }
        let quiet = self.up.is_empty() && self.down.is_empty();
        self.must(quiet, || "it goes on for ever".to_owned());
        let live = self.live.clone();
        self.must(live.is_empty(), || format!("{live:?} never end"));
        let waiting = format!("{:?}", self.outgoing);
        self.must(self.outgoing.is_empty(), || format!("{waiting} are never acknowledged"));
        for message in 0..self.published {
            let arrived = self.arrived[usize::from(message)];
            self.must(arrived > 0, || format!("publication {message} never arrives"));
        }
        for message in 0..self.sent {
            let delivered = self.delivered[usize::from(message)] > 0 || self.lost.contains(&message);
            self.must(delivered, || format!("message {message} is never delivered"));
        }
    }
}

// ---- the exploration ----

/// A state: the way to it, and what it comes to.
#[derive(Clone, Debug)]
struct Reached {
    way: Vec<Step>,
    digest: u128,
    steps: Vec<Step>,
    broken: Option<String>,
}

impl PartialEq for Reached {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Reached {}

impl Hash for Reached {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

struct Space(Bounds);

impl Space {
    fn reach(&self, way: Vec<Step>) -> Reached {
        let mut exchange = Exchange::new(&self.0);
        for step in &way {
            exchange.step(*step);
        }
        let digest = exchange.digest();
        let steps = exchange.steps();
        exchange.settle();
        Reached { way, digest, steps, broken: exchange.broken }
    }
}

impl Model for Space {
    type State = Reached;
    type Action = Step;

    fn init_states(&self) -> Vec<Reached> {
        vec![self.reach(Vec::new())]
    }

    fn actions(&self, state: &Reached, actions: &mut Vec<Step>) {
        if state.way.len() < self.0.depth && state.broken.is_none() {
            actions.extend(&state.steps);
        }
    }

    fn next_state(&self, state: &Reached, action: Step) -> Option<Reached> {
        let mut way = state.way.clone();
        way.push(action);
        Some(self.reach(way))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("the promises are kept", |_, state: &Reached| state.broken.is_none()),
            // Not a promise, but how the bound on depth shows.
            Property::sometimes("the depth is reached", |model: &Self, state: &Reached| {
                state.way.len() >= model.0.depth
            }),
        ]
    }
}

/// Explores everything within the bounds.
pub fn explore(bounds: Bounds, threads: usize) -> Explored {
    let checker = Space(bounds).checker().threads(threads).spawn_bfs().join();
    let broken = checker
        .discovery("the promises are kept")
        .and_then(|path| path.into_states().pop())
        .map(|state| (state.way, state.broken.unwrap_or_default()));
    Explored {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        complete: checker.discovery("the depth is reached").is_none(),
        broken,
    }
}
