//! Packets from the server: each becomes an event, an answer, or the end of the connection.

use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, Filters, Frame, Framed, PacketId, PacketType, Publish, ReasonCode, SubAck, frame,
};

use crate::action::{Delivery, Event, Message};
use crate::disconnect::DisconnectReason;
use crate::inbound::InboundId;
use crate::journal::Due;
use crate::machine::{Machine, Phase};
use crate::outbox::{Kind, Outbox, Request};
use crate::stats::count;
use crate::storage::Memory;
use crate::ticket::Ticket;

/// What a packet leads to: an event, nothing to report, or the end.
pub(crate) type Outcome<'b> = Result<Option<Event<'b>>, DisconnectReason>;

/// An incoming packet is read only if its answer has room: an acknowledgement.
pub(crate) const ANSWER: usize = Ack::LEN;
impl Machine {
    /// Reads one packet, if it is whole.
    #[inline]
    pub(crate) fn packet<'b>(&mut self, memory: &mut Memory<'_>, received: &mut &'b [u8]) -> Outcome<'b> {
        if let (Some(parts), Some(go_on)) = (self.parts, self.optional.go_on) {
            return go_on(self, memory, parts, received);
        }
        let (frame, rest) = match frame(received, self.config.max_packet_size)? {
            Framed::Complete(frame, rest) => (frame, rest),
            Framed::Incomplete { .. } => {
                return match self.optional.begin {
                    Some(begin) if self.phase != Phase::Handshake => begin(self, memory, received),
                    _ => Ok(None),
                };
            }
        };
        *received = rest;
        if self.phase == Phase::Handshake {
            return self.handshake(memory, &frame);
        }
        self.keep_alive.received(self.now);
        match frame.packet_type {
            PacketType::Publish => {
                let publish = Publish::decode(&frame)?;
                if let Some((AckedQoS::ExactlyOnce, id)) = publish.delivery
                    && !self.first_seen(memory, id)?
                {
                    return Ok(None);
                }
                Ok(Some(self.message(memory.control, &publish)))
            }
            _ => self.other(memory, &frame),
        }
    }

    #[inline(never)]
    fn other<'b>(&mut self, memory: &mut Memory<'_>, frame: &Frame<'b>) -> Outcome<'b> {
        match frame.packet_type {
            PacketType::PubAck
            | PacketType::PubRec
            | PacketType::PubRel
            | PacketType::PubComp
            | PacketType::UnsubAck => {
                let ack = Ack::decode(frame, self.config.protocol)?;
                Ok(self.acked(memory, frame.packet_type, ack.packet_id))
            }
            PacketType::SubAck => self.suback(memory, frame),
            PacketType::PingResp => {
                self.keep_alive.answered();
                frame.empty(None).map_err(Into::into)
            }
            other => Err(DisconnectReason::Unexpected(other)),
        }
    }

    /// One of the five packets that say nothing but a packet identifier.
    fn acked<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        packet_type: PacketType,
        id: PacketId,
    ) -> Option<Event<'b>> {
        match packet_type {
            PacketType::PubAck => self.published(memory, id, Kind::AtLeastOnce),
            PacketType::PubComp => self.published(memory, id, Kind::Release),
            PacketType::PubRec => {
                self.pubrec(memory, id);
                None
            }
            PacketType::PubRel => {
                self.pubrel(memory, id);
                None
            }
            _ => self.unsuback(memory, id),
        }
    }

    #[inline(never)]
    fn handshake<'b>(&mut self, memory: &mut Memory<'_>, frame: &Frame<'b>) -> Outcome<'b> {
        if frame.packet_type != PacketType::ConnAck {
            return Err(DisconnectReason::Unexpected(frame.packet_type));
        }
        if !self.lane.is_empty() {
            // An answer to a CONNECT that has not even gone out.
            return Err(DisconnectReason::Unexpected(frame.packet_type));
        }
        let ConnAck { session_present, reason } = ConnAck::decode(frame, self.config.protocol)?;
        if reason != ReasonCode::Success {
            self.refused(reason);
            return Ok(None);
        }
        if session_present && self.config.clean_session {
            return Err(DisconnectReason::Contradiction);
        }
        self.accepted(memory, session_present);
        Ok(Some(Event::Connected { session_present }))
    }

    #[inline]
    pub(crate) fn message<'b>(&mut self, control: &mut [u8], publish: &Publish<'b>) -> Event<'b> {
        if let Some((qos, id)) = publish.delivery {
            self.note_given(control, qos, id);
        }
        Event::Message(self.told(publish))
    }

    /// The caller is given a message, and takes it with the next poll. Nothing is sent before that: so the
    /// acknowledgement may wait in the control lane right now. Only QoS 2 has more to do then.
    #[inline]
    pub(crate) fn note_given(&mut self, control: &mut [u8], qos: AckedQoS, id: PacketId) {
        match qos {
            _ if self.config.manual_ack => {}
            AckedQoS::AtLeastOnce => {
                self.push_ack(control, qos, id);
            }
            AckedQoS::ExactlyOnce => self.untaken = Some(id),
        }
    }

    /// A message in the caller's words.
    #[inline]
    pub(crate) fn told<'b>(&self, publish: &Publish<'b>) -> Message<'b> {
        let delivery = |(qos, id)| Delivery { id, qos, connection: self.connection };
        Message {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos(),
            retain: publish.retain,
            dup: publish.dup,
            delivery: publish.delivery.map(delivery),
        }
    }

    /// Whether a message of QoS 2 is to be delivered. If not, it is answered as the first time.
    pub(crate) fn first_seen(
        &mut self,
        memory: &mut Memory<'_>,
        id: PacketId,
    ) -> Result<bool, DisconnectReason> {
        if let Some(entry) = self.inbound.find(memory, id) {
            if entry.taken {
                self.lane.push(memory.control, Ack { packet_id: id }.to_bytes(PacketType::PubRec));
            }
            count(&mut self.stats.duplicates);
            return Ok(false);
        }
        if self.inbound.insert(memory, InboundId::new(id)) {
            Ok(true)
        } else {
            Err(DisconnectReason::InboundFull)
        }
    }

    /// PUBACK and PUBCOMP end a publication.
    fn published<'b>(&mut self, memory: &mut Memory<'_>, id: PacketId, kind: Kind) -> Option<Event<'b>> {
        match self.outbox.awaiting(memory.requests, id, kind) {
            Some(index) => self.end(memory.requests, index).map(|ticket| Event::Published { ticket }),
            None => self.published_alone(id, kind),
        }
    }

    /// The acknowledgement of the publication that goes alone, or of none.
    #[inline(never)]
    fn published_alone<'b>(&mut self, id: PacketId, kind: Kind) -> Option<Event<'b>> {
        if self.alone && kind == Kind::AtLeastOnce && id.get() == Ticket::ALONE_ID {
            self.alone = false;
            return Some(Event::PublishedAlone);
        }
        count(&mut self.stats.unexpected_acks);
        None
    }

    /// The request that an answer is for. One that answers nothing under way is counted.
    #[inline]
    fn answered(&mut self, memory: &Memory<'_>, id: PacketId, kind: Kind) -> Option<usize> {
        let index = self.outbox.awaiting(memory.requests, id, kind);
        if index.is_none() {
            count(&mut self.stats.unexpected_acks);
        }
        index
    }

    /// Ends a request: the next may be sent.
    #[inline]
    fn end(&mut self, requests: &mut [Request], index: usize) -> Option<Ticket> {
        let ticket = self.outbox.end_request(requests, index)?;
        self.note_change(Due::Remove(ticket));
        if self.outbox.has_unreleased() && self.phase == Phase::Online {
            self.release(requests);
        }
        Some(ticket)
    }

    fn pubrec(&mut self, memory: &mut Memory<'_>, id: PacketId) {
        if let Some(index) = self.outbox.awaiting(memory.requests, id, Kind::ExactlyOnce) {
            self.outbox.received(memory, index, id);
            if let Some(entry) = memory.requests.get(index) {
                self.note_change(Due::Put(entry.ticket));
            }
        } else if self.outbox.awaiting(memory.requests, id, Kind::Release).is_none() {
            count(&mut self.stats.unexpected_acks);
            // The identifier of another request, or of one that has still to be sent again: its own turn will come.
            // One that means nothing here is answered, so that the server gets rid of it.
            if self.outbox.find(memory.requests, id).is_some() {
                return;
            }
        }
        self.lane.push(memory.control, Ack { packet_id: id }.to_bytes(PacketType::PubRel));
    }

    fn pubrel(&mut self, memory: &mut Memory<'_>, id: PacketId) {
        if self.inbound.remove(memory, id) {
            self.note_change(Due::Release(id));
        } else {
            count(&mut self.stats.unexpected_acks);
        }
        self.lane.push(memory.control, Ack { packet_id: id }.to_bytes(PacketType::PubComp));
    }

    fn suback<'b>(&mut self, memory: &mut Memory<'_>, frame: &Frame<'b>) -> Outcome<'b> {
        let SubAck { packet_id, return_codes } = SubAck::decode(frame)?;
        if packet_id.get() == Ticket::REPLAY_ID {
            return match self.subscriptions.replayed(memory.subscriptions) {
                Some((first, asked)) if asked == return_codes.len() => {
                    Ok(Some(Event::Resubscribed { first, return_codes }))
                }
                Some(_) => Err(DisconnectReason::Contradiction),
                None => {
                    count(&mut self.stats.unexpected_acks);
                    Ok(None)
                }
            };
        }
        let Some(index) = self.answered(memory, packet_id, Kind::Subscribe) else {
            return Ok(None);
        };
        let entries = Outbox::entries(memory.requests, memory.tx, index);
        let filters = Filters::from_checked(entries);
        if filters.iter().count() != return_codes.len() {
            return Err(DisconnectReason::Contradiction);
        }
        self.subscriptions.expect_no_more(filters);
        for (entry, answer) in filters.iter().zip(return_codes.iter()) {
            if !answer.is_error() {
                self.subscriptions.insert(memory.subscriptions, entry);
            }
        }
        let ended = self.end(memory.requests, index);
        Ok(ended.map(|ticket| Event::Subscribed { ticket, return_codes }))
    }

    fn unsuback<'b>(&mut self, memory: &mut Memory<'_>, id: PacketId) -> Option<Event<'b>> {
        let index = self.answered(memory, id, Kind::Unsubscribe)?;
        let entries = Outbox::entries(memory.requests, memory.tx, index);
        for filter in Filters::from_checked(entries).iter() {
            self.subscriptions.remove(memory.subscriptions, filter);
        }
        let ended = self.end(memory.requests, index);
        ended.map(|ticket| Event::Unsubscribed { ticket })
    }
}
