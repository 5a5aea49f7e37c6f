//! One transport connection: what came in and is no packet yet, what goes out later, and when something is due.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_packet::Protocol;

use super::event::CloseReason;
use super::tokens::{Grant, Upload};

#[derive(Debug)]
pub(super) struct Connection {
    /// The start of a packet whose rest is to come.
    pub(super) received: Vec<u8>,
    pub(super) protocol: Protocol,
    /// Who it is, after CONNECT.
    pub(super) client: Option<Client>,
    /// When the last packet came.
    pub(super) last_packet: Duration,
    /// How long a silence may last.
    pub(super) max_silence: Option<Duration>,
    /// When the connection will be closed, come what may.
    pub(super) doomed: Option<(Duration, CloseReason)>,
    /// CONNACK, and what may only follow it, with the time when they go out.
    pub(super) held: Option<Held>,
    /// SUBACKs that go out later.
    pub(super) delayed: Vec<(Duration, Vec<u8>)>,
    /// When a message without PUBACK is sent again.
    pub(super) re_push_at: Option<Duration>,
    /// Its tokens; `None` if it logged in otherwise and may do anything.
    pub(super) tokens: Option<Vec<Grant>>,
    /// Tokens that were uploaded and are not acknowledged yet.
    pub(super) uploads: VecDeque<Upload>,
    /// When a token expires, or the notice of it is due.
    pub(super) token_at: Option<Duration>,
    /// When the next messages from the offline store go out.
    pub(super) batch_at: Option<Duration>,
    /// Packets that are late by a fault, in order, with the time when they go out.
    pub(super) late: VecDeque<(Duration, Vec<u8>)>,
    pub(super) late_bytes: usize,
    /// The link is half open: nothing arrives any more, either way.
    pub(super) stalled: bool,
    /// The client asked for its publications to stay in order.
    pub(super) ordered: bool,
    /// The time under which the emulator looks at this connection next.
    pub(super) armed: Option<Duration>,
}

/// The log-in of a connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: Arc<str>,
    pub(super) clean_session: bool,
}

/// Packets that wait for the time of CONNACK, which is the first of them ([MQTT-3.2.0-1]).
#[derive(Debug)]
pub(super) struct Held {
    pub(super) until: Duration,
    pub(super) packets: Vec<Vec<u8>>,
    pub(super) bytes: usize,
}

impl Connection {
    pub(super) fn new(now: Duration, connect_timeout: Duration) -> Self {
        Self {
            received: Vec::new(),
            protocol: Protocol::V311,
            client: None,
            last_packet: now,
            max_silence: None,
            doomed: Some((now.saturating_add(connect_timeout), CloseReason::NoConnect)),
            held: None,
            delayed: Vec::new(),
            re_push_at: None,
            tokens: None,
            uploads: VecDeque::new(),
            token_at: None,
            batch_at: None,
            late: VecDeque::new(),
            late_bytes: 0,
            stalled: false,
            ordered: false,
            armed: None,
        }
    }

    /// When the keep alive ends the connection if nothing more comes.
    pub(super) fn silent_at(&self) -> Option<Duration> {
        Some(self.last_packet.saturating_add(self.max_silence?))
    }

    /// Sees to it that the connection is closed at a time, if it is not earlier.
    pub(super) fn doom(&mut self, at: Duration, reason: CloseReason) {
        if self.doomed.is_none_or(|(earlier, _)| at < earlier) {
            self.doomed = Some((at, reason));
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        if self.stalled {
            return None;
        }
        [
            self.doomed.map(|(at, _)| at),
            self.silent_at(),
            self.held.as_ref().map(|held| held.until),
            self.delayed.iter().map(|(at, _)| *at).min(),
            self.re_push_at,
            self.uploads.front().map(|upload| upload.due),
            self.token_at,
            self.late.front().map(|(at, _)| *at),
            self.batch_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
