//! What an emulator tells about itself: events of connections, counters of messages.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use mqtt_p2p_aliyun::TokenKind;
use mqtt_p2p_packet::{DecodeError, PacketType, ReasonCode};

use super::ConnectionId;
use crate::token::{InvalidToken, TokenUse};

/// Something that happened. It is for tests and for showing; no client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client logged in.
    Connected {
        /// Over this connection.
        connection: ConnectionId,
        /// With this client id.
        client_id: Arc<str>,
        /// And this cleanSession.
        clean_session: bool,
    },
    /// A subscription was granted and then ignored, because there are too many.
    SubscriptionIgnored {
        /// Whose.
        client_id: Arc<str>,
        /// Its topic filter.
        filter: String,
    },
    /// A token was no good. The log-in was refused, or the connection ends.
    TokenRejected {
        /// Over this connection.
        connection: ConnectionId,
        /// By this client.
        client_id: Arc<str>,
        /// The type that it was presented as, if that could be read.
        kind: Option<TokenKind>,
        /// Why it was no good.
        reason: InvalidToken,
        /// What it was for.
        presented_for: TokenUse,
    },
    /// A PUBLISH or SUBSCRIBE came between `$SYS/uploadToken` and its PUBACK. Clients must hold them back
    /// (documentation: token authentication); it was judged by the tokens of before.
    BeforeUploadAck {
        /// Over this connection.
        connection: ConnectionId,
        /// From this client.
        client_id: Arc<str>,
        /// What came.
        packet: PacketType,
    },
    /// A connection ended.
    Closed {
        /// Which.
        connection: ConnectionId,
        /// Of which client, if it had logged in.
        client_id: Option<Arc<str>>,
        /// Why.
        reason: CloseReason,
    },
    /// A payload over the limit was acknowledged and not passed on ([`Oversize::Drop`](crate::Oversize::Drop)).
    PayloadIgnored {
        /// From this client.
        client_id: Arc<str>,
        /// Its length in bytes.
        len: usize,
    },
    /// A client asked for its publications to stay in order, with `$SYS/enableOrderMsg`. It is recorded: one emulator
    /// keeps the order anyway.
    OrderEnabled {
        /// Over this connection.
        connection: ConnectionId,
        /// This client.
        client_id: Arc<str>,
    },
    /// A message will not reach a client.
    Dropped {
        /// Which client.
        client_id: Arc<str>,
        /// Why.
        reason: DropReason,
    },
}

/// Why a connection ended. The client sees a bare close, or CONNACK before it; the service's console has the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client sent DISCONNECT.
    Disconnected,
    /// The transport ended without DISCONNECT.
    LinkLost,
    /// A test or a demonstration cut it.
    Cut,
    /// No connections are let in now.
    Refusing,
    /// There are too many connections.
    TooManyConnections,
    /// CONNECT did not come in time.
    NoConnect,
    /// The first packet was another one.
    FirstPacket(PacketType),
    /// CONNECT was refused.
    Refused(ReasonCode),
    /// A client id against the rules, where the quirk closes instead of refusing.
    BadClientId,
    /// A will, where the quirk closes.
    WillNotSupported,
    /// A PUBLISH with RETAIN, where the quirk closes.
    RetainNotSupported,
    /// A fault asked for it.
    Fault,
    /// A second CONNECT came ([MQTT-3.1.0-2]).
    SecondConnect,
    /// A packet that only servers send.
    Unexpected(PacketType),
    /// Malformed, or over the limit for packets.
    Malformed(DecodeError),
    /// A payload over the limit.
    PayloadTooLarge,
    /// A topic over the limit.
    TopicTooLong,
    /// A parent topic that does not exist on this instance.
    ParentNotAuthorized,
    /// A token is no good, or no token allows what the client wanted.
    TokenInvalid(InvalidToken),
    /// Nothing came for one and a half times the keep alive, or what the quirk says.
    NoHeartbeat,
    /// Keep alive 0.
    NoKeepAlive,
    /// The client id connected again.
    TakenOver,
    /// The client id is connected already.
    ClientIdInUse,
    /// The client takes nothing, and too much waits for it.
    Overflow,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("the client disconnected"),
            Self::LinkLost => f.write_str("the link broke"),
            Self::Cut => f.write_str("the link was cut on purpose"),
            Self::Refusing => f.write_str("no connections are let in now"),
            Self::TooManyConnections => f.write_str("too many connections"),
            Self::NoConnect => f.write_str("no CONNECT came in time"),
            Self::FirstPacket(packet) => write!(f, "the first packet was {packet}"),
            Self::Refused(reason) => write!(f, "refused: {reason}"),
            Self::BadClientId => f.write_str("the client id is against the rules"),
            Self::WillNotSupported => f.write_str("wills are not supported"),
            Self::RetainNotSupported => f.write_str("RETAIN is not supported"),
            Self::Fault => f.write_str("a fault was asked for"),
            Self::SecondConnect => f.write_str("a second CONNECT"),
            Self::Unexpected(packet) => write!(f, "{packet} from a client"),
            Self::Malformed(error) => error.fmt(f),
            Self::PayloadTooLarge => f.write_str("the payload is too large"),
            Self::TopicTooLong => f.write_str("the topic is too long"),
            Self::ParentNotAuthorized => f.write_str("the parent topic does not exist on this instance"),
            Self::TokenInvalid(reason) => reason.fmt(f),
            Self::NoHeartbeat => f.write_str("nothing came for longer than the keep alive allows"),
            Self::NoKeepAlive => f.write_str("keep alive 0"),
            Self::TakenOver => f.write_str("the client id connected again"),
            Self::ClientIdInUse => f.write_str("the client id is connected already"),
            Self::Overflow => f.write_str("the client takes nothing, and too much waits for it"),
        }
    }
}

/// Why a message does not reach a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropReason {
    /// The client is offline, and the message's rules do not keep it.
    Offline,
    /// It was pushed as often as the quirk says, without PUBACK.
    NotAcknowledged,
    /// It was the oldest when there was no more room.
    NoRoom,
    /// It waited longer than messages are kept.
    Expired,
    /// The client connected with cleanSession=true, which drops what waited for it.
    CleanSession,
}

/// How many messages, log-ins and tokens there were since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// PUBLISH taken from clients, without QoS 2 duplicates.
    pub published: u64,
    /// QoS 2 publications that came again and were not passed on.
    pub duplicates: u64,
    /// PUBLISH sent to clients, repeats included.
    pub delivered: u64,
    /// Of those, the repeats: re-push and re-send with DUP.
    pub repeated: u64,
    /// Messages that were put aside for an offline client.
    pub stored: u64,
    /// Messages that did not reach a client.
    pub dropped: u64,
    /// Log-ins that were refused with CONNACK.
    pub refused: u64,
    /// Tokens that were issued.
    pub tokens_issued: u64,
    /// Tokens in log-ins that had expired. A client that knows the time sends none.
    pub log_ins_with_expired_token: u64,
    /// Tokens in log-ins that were revoked.
    pub log_ins_with_revoked_token: u64,
    /// Tokens that were uploaded and accepted.
    pub uploads: u64,
    /// Tokens that were uploaded and refused, which ended the connection.
    pub uploads_refused: u64,
    /// PUBLISH and SUBSCRIBE that came between an upload and its PUBACK. A client that waits as documented sends none.
    pub before_upload_ack: u64,
    /// Notices about tokens that were sent.
    pub token_notices: u64,
}

/// What one client id did and got since the start, over all its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCounters {
    /// Log-ins that were accepted, though CONNACK may have got lost.
    pub log_ins: u64,
    /// Log-ins that were refused with CONNACK.
    pub refused: u64,
    /// Connections that this client id lost to another one with the same id.
    pub takeovers: u64,
    /// PUBLISH from it, repeats and control messages included.
    pub published: u64,
    /// SUBSCRIBE from it.
    pub subscribes: u64,
    /// PINGREQ from it.
    pub pings: u64,
    /// PUBLISH to it, repeats and notices included.
    pub delivered: u64,
    /// Messages to it that its PUBACK or PUBCOMP ended.
    pub acknowledged: u64,
}

/// The events that nobody has fetched yet, bounded, and the counters.
#[derive(Debug)]
pub(super) struct Log {
    events: VecDeque<Event>,
    pub(super) counters: Counters,
    clients: BTreeMap<Arc<str>, ClientCounters>,
    max_clients: usize,
    /// Where client ids beyond `max_clients` count.
    others: ClientCounters,
}

impl Log {
    /// Who does not fetch them misses the oldest ones.
    const MAX_EVENTS: usize = 10_000;

    pub(super) fn new(max_clients: usize) -> Self {
        Self {
            events: VecDeque::new(),
            counters: Counters::default(),
            clients: BTreeMap::new(),
            max_clients,
            others: ClientCounters::default(),
        }
    }

    /// The counters of a client id. Of very many ids, the latest are not counted.
    pub(super) fn client(&mut self, client_id: &Arc<str>) -> &mut ClientCounters {
        if self.clients.len() >= self.max_clients && !self.clients.contains_key(client_id) {
            return &mut self.others;
        }
        self.clients.entry(Arc::clone(client_id)).or_default()
    }

    pub(super) fn client_counters(&self, client_id: &str) -> ClientCounters {
        self.clients.get(client_id).copied().unwrap_or_default()
    }

    pub(super) fn event(&mut self, event: Event) {
        if self.events.len() >= Self::MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(super) fn dropped(&mut self, client_id: &Arc<str>, reason: DropReason) {
        self.counters.dropped += 1;
        self.event(Event::Dropped { client_id: Arc::clone(client_id), reason });
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
