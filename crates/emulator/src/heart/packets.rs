//! Bytes from a client: cut into packets, and each sent where it belongs.

use mqtt_p2p_packet::{AckedQoS, DecodeError, Decoded, Options, Packet, ReasonCode, decode};

use super::event::CloseReason;
use super::{ConnectionId, Emulator, encode};

impl Emulator {
    /// Bytes came from a client, cut anywhere. Of a packet that is not complete they are kept, never more than the
    /// largest packet has.
    pub fn bytes_received(&mut self, now: std::time::Duration, id: ConnectionId, bytes: &[u8]) {
        self.advance(now);
        self.receive(id, bytes);
        // A log-in may have a token that is about to expire.
        self.advance(now);
    }

    fn receive(&mut self, id: ConnectionId, bytes: &[u8]) {
        if self.is_stalled(id) {
            return;
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let mut kept = std::mem::take(&mut connection.received);
        let input = if kept.is_empty() {
            bytes
        } else {
            kept.extend_from_slice(bytes);
            &kept
        };
        let Some(used) = self.read_packets(id, input) else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if kept.is_empty() {
            kept = bytes.get(used..).unwrap_or_default().to_vec();
        } else {
            kept.drain(..used);
        }
        if kept.is_empty() {
            // A large packet must not hold its memory for a connection's whole life.
            kept = Vec::new();
        }
        connection.received = kept;
        self.arm(id);
    }

    /// Handles all packets that are complete, and returns how many bytes they had; `None` if the connection is
    /// closed.
    fn read_packets(&mut self, id: ConnectionId, input: &[u8]) -> Option<usize> {
        let mut rest = input;
        loop {
            let connection = self.connections.get_mut(&id)?;
            let options =
                Options::new().protocol(connection.protocol).max_packet_size(self.config.max_packet_size());
            let outcome = match decode(rest, &options) {
                Ok(Decoded::Incomplete { .. }) => return Some(input.len() - rest.len()),
                Ok(Decoded::Packet { packet, len }) => {
                    rest = rest.get(len..).unwrap_or_default();
                    connection.last_packet = self.now;
                    self.packet(id, &packet)
                }
                Err(DecodeError::UnsupportedProtocolLevel(_)) if connection.client.is_none() => {
                    Err(self.refuse(id, ReasonCode::UnsupportedProtocolVersion))
                }
                Err(error) => Err(CloseReason::Malformed(error)),
            };
            if let Err(reason) = outcome {
                self.close(id, reason);
                return None;
            }
        }
    }

    fn packet(&mut self, id: ConnectionId, packet: &Packet<'_>) -> Result<(), CloseReason> {
        let Some(client) = self.connections.get(&id).and_then(|connection| connection.client.clone()) else {
            return match packet {
                Packet::Connect(connect) => self.log_in(id, connect),
                other => Err(CloseReason::FirstPacket(other.packet_type())),
            };
        };
        match packet {
            Packet::Connect(_) => return Err(CloseReason::SecondConnect),
            Packet::Publish(publish) => self.publish(id, &client, publish)?,
            Packet::PubAck(ack) => self.finish(id, &client, *ack, AckedQoS::AtLeastOnce),
            Packet::PubRec(ack) => self.on_pubrec(id, &client, *ack),
            Packet::PubRel(ack) => self.release(id, &client, *ack),
            Packet::PubComp(ack) => self.finish(id, &client, *ack, AckedQoS::ExactlyOnce),
            Packet::Subscribe(subscribe) => self.subscribe(id, &client, subscribe)?,
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(id, &client, unsubscribe),
            Packet::PingReq => {
                self.log.client(&client.id).pings += 1;
                self.send(id, encode(&Packet::PingResp));
            }
            Packet::Disconnect => return Err(CloseReason::Disconnected),
            // CONNACK, SUBACK, UNSUBACK and PINGRESP, which only a server sends.
            _ => return Err(CloseReason::Unexpected(packet.packet_type())),
        }
        Ok(())
    }
}
