//! The emulator without sockets: connections and bytes in, bytes and closes out; the time is passed in.

mod authenticate;
mod connection;
mod delivery;
mod event;
mod faults;
mod issue;
mod log_in;
mod message;
mod notices;
mod packets;
mod random;
mod routing;
mod session;
mod store;
mod subscriptions;
mod time;
mod token_text;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_packet::Packet;

pub use event::{ClientCounters, CloseReason, Counters, DropReason, Event};

use crate::config::Config;
use crate::faults::Faults;
use connection::{Client, Connection};
use event::Log;
use issue::Registry;
use random::Random;
use session::Session;
use store::Store;

/// A connection of one [`Emulator`]; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// What the transport has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send bytes: one whole packet, unless they come from [`Emulator::send_raw`].
    Send {
        /// Over this connection.
        id: ConnectionId,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Close a connection, after what was to be sent before. The emulator has forgotten it: there is no need to
    /// report it as closed.
    Close {
        /// Which.
        id: ConnectionId,
    },
}

/// A stand-in for an instance of the service, held in memory, as a state machine: it has no sockets, no clock and no
/// randomness of its own, so with the same inputs it does the same.
///
/// `now` is the time since any moment that the caller chooses. After each input, take the outputs with
/// [`poll_output`](Self::poll_output) until there is none, and call [`advance`](Self::advance) when
/// [`next_deadline`](Self::next_deadline) has come.
///
/// ```
/// use std::time::Duration;
///
/// use mqtt_p2p_emulator::{Config, Emulator, Output, Quirks};
/// use mqtt_p2p_packet::{Connect, Packet};
///
/// let config = Config::default().anonymous().quirks(Quirks::service().without_delays());
/// let mut emulator = Emulator::new(config, 1);
///
/// let mut connect = [0; 64];
/// let len = Packet::Connect(Connect::new("GID_demo@@@1")).encode(&mut connect)?;
/// let now = Duration::ZERO;
/// let id = emulator.connection_opened(now);
/// emulator.bytes_received(now, id, &connect[..len]);
///
/// // CONNACK: accepted, and no session is present.
/// assert_eq!(emulator.poll_output(), Some(Output::Send { id, bytes: vec![0x20, 2, 0, 0] }));
/// assert_eq!(emulator.connected_clients().collect::<Vec<_>>(), ["GID_demo@@@1"]);
///
/// // Nothing comes for one and a half times the keep alive of 60 s.
/// emulator.advance(Duration::from_secs(90));
/// assert_eq!(emulator.poll_output(), Some(Output::Close { id }));
/// # Ok::<(), mqtt_p2p_packet::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct Emulator {
    config: Config,
    random: Random,
    now: Duration,
    /// How far Unix time is ahead of the own, in nanoseconds.
    unix_ahead: i128,
    refusing: bool,
    last_connection: u64,
    last_message: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    /// One entry at most for each connection, the one that its `armed` names.
    deadlines: BTreeSet<(Duration, ConnectionId)>,
    sessions: BTreeMap<Arc<str>, Session>,
    /// Messages for clients that are away, or were.
    offline: Store,
    /// Messages for connected clients that have enough to acknowledge.
    waiting: Store,
    registry: Registry,
    faults: Faults,
    /// Notices that come after a reconnect, by client id.
    late_notices: BTreeMap<Arc<str>, String>,
    outputs: VecDeque<Output>,
    log: Log,
}

impl Emulator {
    /// What may wait for a late CONNACK, or be late by a fault, in bytes.
    const MAX_HELD: usize = 16 << 20;

    /// An instance to which nobody is connected. Random delays are drawn from the seed, and so is the key that signs
    /// tokens: with the same seed and instance id, an emulator takes the tokens of another.
    pub fn new(config: Config, seed: u64) -> Self {
        let max_clients = config.max_sessions;
        let store = || Store::new(config.max_waiting_messages, config.max_waiting_bytes);
        Self {
            offline: store(),
            waiting: store(),
            config,
            random: Random::new(seed),
            now: Duration::ZERO,
            unix_ahead: 0,
            refusing: false,
            last_connection: 0,
            last_message: 0,
            connections: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            sessions: BTreeMap::new(),
            registry: Registry::new(seed),
            faults: Faults::default(),
            late_notices: BTreeMap::new(),
            outputs: VecDeque::new(),
            log: Log::new(max_clients),
        }
    }

    /// A client's transport is there. It may be closed at once.
    pub fn connection_opened(&mut self, now: Duration) -> ConnectionId {
        self.advance(now);
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        let full = self.connections.len() >= self.config.max_connections;
        self.connections.insert(id, Connection::new(self.now, self.config.connect_timeout));
        self.arm(id);
        if self.refusing {
            self.close(id, CloseReason::Refusing);
        } else if full {
            self.close(id, CloseReason::TooManyConnections);
        }
        id
    }

    /// A client's transport is gone.
    pub fn connection_closed(&mut self, now: Duration, id: ConnectionId) {
        self.advance(now);
        self.forget(id, CloseReason::LinkLost);
    }

    /// What is to be done next, in the order in which it must happen.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What happened next. The oldest events are lost if nobody fetches them.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.log.poll()
    }

    /// How many messages went which way.
    pub fn counters(&self) -> Counters {
        self.log.counters
    }

    /// The same for one client id, over all its connections.
    pub fn client_counters(&self, client_id: &str) -> ClientCounters {
        self.log.client_counters(client_id)
    }

    /// Whether a client is connected and has asked for its publications to stay in order, with
    /// `$SYS/enableOrderMsg`.
    pub fn is_ordered(&self, client_id: &str) -> bool {
        let connection = self.connection_of(client_id).and_then(|id| self.connections.get(&id));
        connection.is_some_and(|connection| connection.ordered)
    }

    /// The client ids of who is logged in, in alphabetical order.
    pub fn connected_clients(&self) -> impl Iterator<Item = &str> {
        self.sessions
            .iter()
            .filter(|(_, session)| session.connection.is_some())
            .map(|(client_id, _)| &**client_id)
    }

    /// The connection over which a client is logged in.
    pub fn connection_of(&self, client_id: &str) -> Option<ConnectionId> {
        self.sessions.get(client_id)?.connection
    }

    /// How many messages wait for a client that is away, or was.
    pub fn offline_messages(&self, client_id: &str) -> usize {
        self.offline.len_of(client_id)
    }

    /// Cuts a connection, as a broken link does: what was not fetched for it with
    /// [`poll_output`](Self::poll_output) yet is lost. Whether there was such a connection.
    pub fn cut(&mut self, now: Duration, id: ConnectionId) -> bool {
        self.advance(now);
        self.outputs.retain(|output| !matches!(output, Output::Send { id: to, .. } if *to == id));
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.late.clear();
            connection.stalled = false;
        }
        let known = self.connections.contains_key(&id);
        self.close(id, CloseReason::Cut);
        known
    }

    /// Cuts all connections.
    pub fn cut_all(&mut self, now: Duration) {
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.cut(now, id);
        }
    }

    /// Closes every new connection as soon as it is there, or no longer does.
    pub fn set_refusing(&mut self, refusing: bool) {
        self.refusing = refusing;
    }

    /// Closes a connection after what was to be sent before.
    fn close(&mut self, id: ConnectionId, reason: CloseReason) {
        let mut stalled = false;
        if let Some(connection) = self.connections.get_mut(&id) {
            // Over a half-open link the client does not learn of the close either.
            stalled = connection.stalled;
            // No other fault holds back what is to be sent before.
            let late = std::mem::take(&mut connection.late);
            self.outputs.extend(late.into_iter().map(|(_, bytes)| Output::Send { id, bytes }));
        }
        if self.forget(id, reason) && !stalled {
            self.outputs.push_back(Output::Close { id });
        }
    }

    fn forget(&mut self, id: ConnectionId, reason: CloseReason) -> bool {
        let Some(connection) = self.connections.remove(&id) else {
            return false;
        };
        if let Some(armed) = connection.armed {
            self.deadlines.remove(&(armed, id));
        }
        let client_id = connection.client.map(|client| client.id);
        if let Some(client_id) = &client_id {
            if reason == CloseReason::TakenOver {
                self.log.client(client_id).takeovers += 1;
            }
            self.suspend_session(id, client_id);
        }
        self.log.event(Event::Closed { connection: id, client_id, reason });
        true
    }

    /// Sends a packet, as far as faults let it through.
    fn send(&mut self, id: ConnectionId, packet: Vec<u8>) {
        let copies = self.copies(id, &packet);
        for _ in 1..copies {
            self.enqueue(id, packet.clone());
        }
        if copies > 0 {
            self.enqueue(id, packet);
        }
    }

    /// Sends bytes, behind CONNACK if that is late, and behind what else is late.
    fn enqueue(&mut self, id: ConnectionId, bytes: Vec<u8>) {
        if self.is_stalled(id) {
            return;
        }
        let hit = |client: &Client| self.faults_hit(&client.id);
        let delayed =
            self.connections.get(&id).is_some_and(|connection| connection.client.as_ref().is_some_and(hit));
        let due = self.now.saturating_add(if delayed { self.faults.delay } else { Duration::ZERO });
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let waiting = if let Some(held) = &mut connection.held {
            held.bytes += bytes.len();
            held.packets.push(bytes);
            held.bytes
        } else if due > self.now || !connection.late.is_empty() {
            connection.late_bytes += bytes.len();
            // What came first goes first, even if the fault became less since.
            connection.late.push_back((due, bytes));
            connection.late_bytes
        } else {
            return self.outputs.push_back(Output::Send { id, bytes });
        };
        if waiting > Self::MAX_HELD {
            connection.doom(self.now, CloseReason::Overflow);
        }
        self.arm(id);
    }
}

/// A packet's bytes. Those that the emulator makes can all be encoded: their texts and sizes came in in packets.
fn encode(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = vec![0; packet.encoded_len().unwrap_or_default()];
    match packet.encode(&mut bytes) {
        Ok(_) => bytes,
        Err(_) => Vec::new(),
    }
}
