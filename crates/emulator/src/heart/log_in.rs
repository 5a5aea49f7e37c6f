//! CONNECT: who is let in, and which session it gets.

use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_packet::{ConnAck, Connect, Packet, Protocol, ReasonCode};

use super::connection::{Client, Held};
use super::event::{CloseReason, DropReason, Event};
use super::session::Session;
use super::{ConnectionId, Emulator, encode};
use crate::quirks::{SessionPresent, Takeover, Unsupported};

impl Emulator {
    pub(super) fn log_in(&mut self, id: ConnectionId, connect: &Connect<'_>) -> Result<(), CloseReason> {
        if self.faults.silent_connack && self.faults_hit(connect.client_id) {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.stalled = true;
            }
            return Ok(());
        }
        if connect.will.is_some() && self.config.quirks.will == Unsupported::Close {
            return Err(CloseReason::WillNotSupported);
        }
        let admitted = match self.refusal(connect.client_id) {
            Some(reason) => Err(CloseReason::Refused(reason)),
            None => self.authenticate(id, connect),
        };
        let tokens = admitted.map_err(|reason| match reason {
            CloseReason::Refused(code) => {
                self.log.client(&connect.client_id.into()).refused += 1;
                self.refuse(id, code)
            }
            other => other,
        })?;
        let client_id: Arc<str> = match self.sessions.get_key_value(connect.client_id) {
            Some((known, _)) => Arc::clone(known),
            None if self.sessions.len() >= self.config.max_sessions => {
                return Err(self.refuse(id, ReasonCode::ServerUnavailable));
            }
            None => connect.client_id.into(),
        };
        if let Some(other) = self.connection_of(&client_id) {
            match self.config.quirks.takeover {
                Takeover::OldLoses => self.close(other, CloseReason::TakenOver),
                Takeover::NewLoses => {
                    self.log.client(&client_id).takeovers += 1;
                    return Err(CloseReason::ClientIdInUse);
                }
            }
        }
        self.start_keep_alive(id, connect);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.protocol = connect.protocol;
            connection.client =
                Some(Client { id: Arc::clone(&client_id), clean_session: connect.clean_session });
            connection.tokens = tokens;
        }
        let continued = self.open_session(id, &client_id, connect.clean_session);
        self.log.client(&client_id).log_ins += 1;
        self.log.event(Event::Connected {
            connection: id,
            client_id: Arc::clone(&client_id),
            clean_session: connect.clean_session,
        });
        // MQTT 3.1 has no session present: its place is reserved.
        let session_present = continued && connect.protocol != Protocol::V31;
        self.accept(id, &client_id, session_present);
        self.schedule_tokens(id);
        self.send_late_notice(id, &client_id);
        self.resume(id, &client_id);
        Ok(())
    }

    /// Answers with a return code other than 0.
    pub(super) fn refuse(&mut self, id: ConnectionId, reason: ReasonCode) -> CloseReason {
        self.log.counters.refused += 1;
        let refusal = ConnAck::new(false, reason);
        self.send(id, encode(&Packet::ConnAck(refusal)));
        CloseReason::Refused(reason)
    }

    /// A silence of one and a half times the keep alive, by default, ends the connection ([MQTT-3.1.2-24]).
    fn start_keep_alive(&mut self, id: ConnectionId, connect: &Connect<'_>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let keep_alive = Duration::from_secs(connect.keep_alive.into());
        connection.doomed = None;
        if keep_alive.is_zero() {
            connection.doomed = self
                .config
                .quirks
                .keep_alive_zero
                .map(|after| (self.now.saturating_add(after), CloseReason::NoKeepAlive));
        } else if let Some(percent) = self.config.quirks.keep_alive_percent {
            connection.max_silence = Some(keep_alive * percent / 100);
        }
    }

    /// Finds or makes the session; whether CONNACK may call it present.
    fn open_session(&mut self, id: ConnectionId, client_id: &Arc<str>, clean: bool) -> bool {
        if clean {
            // Also what others left for an offline client (kernel: messages older than the session's start).
            self.sessions.remove(client_id);
            for _ in self.offline.take_all(client_id) {
                self.log.dropped(client_id, DropReason::CleanSession);
            }
        }
        let existed = self.sessions.contains_key(client_id);
        let session = self.sessions.entry(Arc::clone(client_id)).or_insert_with(|| Session::new(clean));
        session.clean = clean;
        session.connection = Some(id);
        existed && self.config.quirks.session_present == SessionPresent::Standard
    }

    /// Sends CONNACK, or sets the time for it; what follows waits for it.
    fn accept(&mut self, id: ConnectionId, client_id: &str, session_present: bool) {
        let accepted = encode(&Packet::ConnAck(ConnAck::new(session_present, ReasonCode::Success)));
        let delay = self.random.delay(self.config.quirks.connack_delay);
        let until = self.now.saturating_add(delay);
        if delay.is_zero() {
            self.send(id, accepted);
        } else if let Some(connection) = self.connections.get_mut(&id) {
            connection.held = Some(Held { until, bytes: accepted.len(), packets: vec![accepted] });
        }
        if self.faults_hit(client_id)
            && let Some(connection) = self.connections.get_mut(&id)
        {
            if let Some(after) = self.faults.close_after_connack {
                connection.doom(until.saturating_add(after), CloseReason::Fault);
            }
            if let Some(after) = self.faults.take_over_after {
                connection.doom(until.saturating_add(after), CloseReason::TakenOver);
            }
        }
    }

    /// Ends a client's hold on its session: its connection is gone. What it has not acknowledged goes back to what
    /// waits, if it is to survive at all.
    pub(super) fn suspend_session(&mut self, id: ConnectionId, client_id: &Arc<str>) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        if session.connection != Some(id) {
            return;
        }
        session.connection = None;
        let standard = self.config.quirks.session_present == SessionPresent::Standard;
        let mut unfinished = Vec::new();
        if session.clean || !standard {
            session.received.clear();
            let under_way = session.in_flight.drain(..);
            // With PUBREC the client has taken the message.
            unfinished.extend(under_way.filter(|message| !message.released).map(|message| message.delivery));
        }
        if session.clean {
            self.sessions.remove(client_id);
        }
        unfinished.extend(self.waiting.take_all(client_id));
        self.log.counters.stored += unfinished.iter().filter(|delivery| delivery.keep).count() as u64;
        // In a standard session, messages that are not to be kept may have queued up behind those that are.
        unfinished.extend(self.offline.take_all(client_id));
        for delivery in unfinished {
            if delivery.keep {
                self.store_offline(client_id, delivery);
            } else {
                self.log.dropped(client_id, DropReason::Offline);
            }
        }
    }
}
