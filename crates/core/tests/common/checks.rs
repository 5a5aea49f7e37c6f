//! What must hold after every step, whatever a test does.

use std::collections::{BTreeMap, BTreeSet};

use mqtt_p2p_core::Ticket;
use mqtt_p2p_packet::{Packet, Publish};

use super::{Seen, server};

/// The caller's view of the transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Transport {
    #[default]
    None,
    Dialling,
    Open,
}

/// A packet whose identifier is in use.
#[derive(Clone, Debug)]
struct Sent {
    /// Without DUP.
    packet: Vec<u8>,
    connection: u32,
}

/// The promises of the core's documentation, checked as things happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks {
    /// Tickets that have not ended.
    pub(crate) live: BTreeSet<u32>,
    /// Those of them that end without an event once they are handed over.
    pub(crate) silent: BTreeSet<u32>,
    /// Packet identifiers in use, with what was sent last under them.
    in_use: BTreeMap<u16, Sent>,
    transport: Transport,
    /// An attempt that has not had its terminal event.
    attempt: bool,
    connection: u32,
    /// What was written of a packet that is not whole yet.
    begun: Vec<u8>,
    left: bool,
}

impl Checks {
    pub(crate) fn accepted(&mut self, ticket: Ticket) {
        assert!(self.live.insert(ticket.to_bits()), "{ticket:?} was given out twice");
    }

    pub(crate) fn opened(&mut self) {
        if self.transport == Transport::Dialling {
            self.transport = Transport::Open;
        }
    }

    pub(crate) fn is_dialling(&self) -> bool {
        self.transport == Transport::Dialling
    }

    pub(crate) fn is_open(&self) -> bool {
        self.transport == Transport::Open
    }

    pub(crate) fn closed(&mut self) {
        self.transport = Transport::None;
    }

    /// The program starts anew, with what it exported: connections are gone, requests and identifiers stay.
    pub(crate) fn restarted(self) -> Self {
        Self {
            live: self.live,
            silent: self.silent,
            in_use: self.in_use,
            connection: self.connection,
            ..Self::default()
        }
    }

    /// The program crashed, and starts anew with these requests.
    pub(crate) fn crashed(self, requests: &BTreeSet<u32>) -> Self {
        let mut restarted = self.restarted();
        restarted.live.retain(|ticket| requests.contains(ticket));
        restarted.silent.retain(|ticket| requests.contains(ticket));
        restarted.in_use.retain(|id, _| requests.iter().any(|ticket| *ticket as u16 == *id));
        restarted
    }

    pub(crate) fn seen(&mut self, seen: &Seen) {
        match seen {
            Seen::Open(_) => {
                assert_eq!(self.transport, Transport::None, "one transport at a time");
                assert!(!self.attempt, "the attempt before has ended");
                self.transport = Transport::Dialling;
                self.attempt = true;
                self.left = false;
                self.begun.clear();
                self.connection += 1;
            }
            Seen::Close => {
                assert_ne!(self.transport, Transport::None, "there is a transport to close");
                self.transport = Transport::None;
            }
            Seen::Refused { .. } | Seen::Disconnected { .. } => {
                assert!(self.attempt, "{seen:?} without an attempt");
                assert_eq!(self.transport, Transport::None, "{seen:?} comes after the close");
                self.attempt = false;
            }
            Seen::Published(ticket)
            | Seen::Subscribed(ticket, _)
            | Seen::Unsubscribed(ticket)
            | Seen::Dropped(ticket) => self.ended(*ticket),
            Seen::Rejected(..) => panic!("MQTT 3.1.1 has no refusal of a publication: {seen:?}"),
            Seen::Connected { .. } => assert_eq!(self.transport, Transport::Open),
            Seen::Message(_)
            | Seen::Resubscribed(..)
            | Seen::Begin(..)
            | Seen::Part(_)
            | Seen::End(_)
            | Seen::PublishedAlone => {}
        }
    }

    /// Takes note of those that ended without an event: they are no request any more.
    pub(crate) fn note_silent(&mut self, requests: &[Ticket]) {
        let ended: Vec<u32> = self
            .silent
            .iter()
            .copied()
            .filter(|silent| requests.iter().all(|ticket| ticket.to_bits() != *silent))
            .collect();
        for ticket in ended {
            self.ended(Ticket::from_bits(ticket).expect("a ticket"));
        }
    }

    fn ended(&mut self, ticket: Ticket) {
        self.silent.remove(&ticket.to_bits());
        assert!(self.live.remove(&ticket.to_bits()), "{ticket:?} is not under way");
        self.in_use.remove(&ticket.packet_id());
    }

    /// Checks what is written; gives the packets that are whole now.
    pub(crate) fn written(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        assert_eq!(self.transport, Transport::Open, "written without a transport");
        assert!(bytes.is_empty() || !self.left, "nothing follows DISCONNECT");
        self.begun.extend_from_slice(bytes);
        let mut packets = Vec::new();
        while let Some(len) = mqtt_p2p_core::packet_len(&self.begun)
            && len <= self.begun.len()
        {
            let rest = self.begun.split_off(len);
            packets.push(std::mem::replace(&mut self.begun, rest));
        }
        for packet in &packets {
            self.packet(packet);
        }
        packets
    }

    fn packet(&mut self, bytes: &[u8]) {
        let id = match server::decoded(bytes) {
            Packet::Publish(publish) => publish.packet_id(),
            Packet::Subscribe(subscribe) => Some(subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.packet_id),
            Packet::Disconnect => {
                self.left = true;
                None
            }
            _ => None,
        };
        let Some(id) = id.filter(|id| id.get() < server::ALONE) else {
            return;
        };
        let mut packet = bytes.to_vec();
        Publish::set_dup(&mut packet, false);
        let connection = self.connection;
        if let Some(before) = self.in_use.insert(id.get(), Sent { packet: packet.clone(), connection }) {
            assert_eq!(before.packet, packet, "identifier {id} is in use");
            assert_ne!(
                before.connection,
                connection,
                "{} goes out twice over one connection",
                server::words(bytes)
            );
        }
    }
}
