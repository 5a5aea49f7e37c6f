//! Where faults hit: packets on their way out, and links.

use std::time::Duration;

use mqtt_p2p_packet::{PacketType, ReasonCode};

use super::{ConnectionId, Emulator};
use crate::faults::Faults;

const PUBLISH: u8 = PacketType::Publish as u8;
const PUBACK: u8 = PacketType::PubAck as u8;
const PUBREC: u8 = PacketType::PubRec as u8;
const PUBREL: u8 = PacketType::PubRel as u8;
const PUBCOMP: u8 = PacketType::PubComp as u8;
const SUBACK: u8 = PacketType::SubAck as u8;
const UNSUBACK: u8 = PacketType::UnsubAck as u8;
const PINGRESP: u8 = PacketType::PingResp as u8;

impl Emulator {
    /// What goes wrong now.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes what goes wrong.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Sends bytes to a client that need not be a packet, or no packet that a server sends. Whether the client was
    /// connected. Shows what a client does when the stream makes no sense.
    pub fn send_raw(&mut self, now: Duration, client_id: &str, bytes: &[u8]) -> bool {
        self.advance(now);
        let Some(id) = self.connection_of(client_id) else {
            return false;
        };
        self.enqueue(id, bytes.to_vec());
        self.arm(id);
        true
    }

    pub(super) fn faults_hit(&self, client_id: &str) -> bool {
        self.faults.client_id.as_deref().is_none_or(|only| only == client_id)
    }

    /// The return code with which a log-in fails whatever it brings.
    pub(super) fn refusal(&self, client_id: &str) -> Option<ReasonCode> {
        let is_refusal = |reason: &ReasonCode| reason.is_error() && reason.connack_code().is_some();
        self.faults.refuse_log_ins.filter(is_refusal).filter(|_| self.faults_hit(client_id))
    }

    /// A link that is used while it is half open is dead from then on; whether it is.
    pub(super) fn is_stalled(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get(&id) else {
            return true;
        };
        let hit = match &connection.client {
            Some(client) => self.faults_hit(&client.id),
            None => self.faults.client_id.is_none(),
        };
        let stalled = connection.stalled || self.faults.half_open && hit;
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stalled = stalled;
        }
        stalled
    }

    /// How often a packet goes out: as a rule once.
    pub(super) fn copies(&mut self, id: ConnectionId, packet: &[u8]) -> usize {
        let client = self.connections.get(&id).and_then(|connection| connection.client.as_ref());
        if !client.is_some_and(|client| self.faults_hit(&client.id)) {
            return 1;
        }
        let Some(first) = packet.first() else { return 1 };
        let faults = &mut self.faults;
        let lose = match first >> 4 {
            PUBLISH => &mut faults.lose_publishes,
            PUBACK => &mut faults.lose_pubacks,
            PUBREC => &mut faults.lose_pubrecs,
            PUBREL => &mut faults.lose_pubrels,
            PUBCOMP => &mut faults.lose_pubcomps,
            SUBACK => &mut faults.lose_subacks,
            UNSUBACK => &mut faults.lose_unsubacks,
            PINGRESP => &mut faults.lose_pingresps,
            _ => return 1,
        };
        if take_one(lose) {
            return 0;
        }
        let acked = first >> 4 == PUBLISH && first & 0b110 != 0;
        if acked && take_one(&mut faults.duplicate_publishes) { 2 } else { 1 }
    }
}

fn take_one(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}
