//! Packets from the server: each becomes an event, an answer, or the end of the connection.

use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, DecodeError, Frame, Framed, PacketId, PacketType, Publish, ReasonCode, SubAck,
    frame,
};

use crate::action::{AckToken, Action, Event, Message};
use crate::disconnect::DisconnectReason;
use crate::machine::{Machine, Phase};
use crate::outbox::{Kind, Outbox, Request};
use crate::session::journal::Due;
use crate::settings::Settings;
use crate::stats::count;
use crate::storage::Memory;
use crate::subscriptions::count_all;
use crate::ticket::Ticket;

/// What a packet leads to: an event, which is the action then, nothing to report, or the end.
pub(crate) type Outcome = Result<bool, Failed>;

/// What follows in the input is not to be read: the connection is lost, and why is noted, or the client leaves it. An error
/// that fits a register.
#[derive(Debug)]
pub(crate) struct Failed;

/// An incoming packet is read only if its answer has room: an acknowledgement.
pub(crate) const ANSWER: usize = Ack::LEN;

/// Makes an event the action.
#[inline]
pub(crate) const fn tell<'b>(action: &mut Action<'_, 'b>, event: Event<'b>) -> bool {
    *action = Action::Event(event);
    true
}

impl<C: Settings> Machine<C> {
    /// The connection can't go on.
    #[inline]
    pub(crate) fn failed(&mut self, reason: DisconnectReason) -> Failed {
        self.lose(reason);
        Failed
    }

    /// The peer sent what is no MQTT.
    #[cold]
    #[inline(never)]
    pub(crate) fn malformed(&mut self, error: DecodeError) -> Failed {
        self.failed(DisconnectReason::Malformed(error))
    }

    /// Reads one packet, if it is whole.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn packet<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        received: &mut &'b [u8],
        action: &mut Action<'_, 'b>,
    ) -> Outcome {
        let (frame, rest) = match frame(received, self.config().max_packet_size) {
            Ok(Framed::Complete(frame, rest)) => (frame, rest),
            Ok(Framed::Incomplete { .. }) => {
                return match self.optional().begin {
                    Some(begin) if self.phase != Phase::Handshake => begin(self, memory, received, action),
                    _ => Ok(false),
                };
            }
            Err(error) => return Err(self.malformed(error)),
        };
        *received = rest;
        if self.phase == Phase::Handshake {
            return self.handshake(memory, &frame, action);
        }
        self.keep_alive.received(self.now());
        if frame.packet_type != PacketType::Publish {
            return self.other(memory, &frame, action);
        }
        let publish = Publish::decode(&frame).map_err(|error| self.malformed(error))?;
        if let Some((AckedQoS::ExactlyOnce, id)) = publish.delivery
            && let Some(exactly_once) = self.optional().exactly_once
            && !(exactly_once.first_seen)(self, memory, id)?
        {
            return Ok(false);
        }
        let event = self.message(memory.control, &publish);
        Ok(tell(action, event))
    }

    /// Takes in a message of QoS 0 or 1. Nothing has happened if it is of QoS 2, or if there is no room for its answer.
    #[inline(always)]
    pub(crate) fn take_message<'b>(
        &mut self,
        control: &mut [u8],
        publish: &Publish<'b>,
    ) -> Option<Event<'b>> {
        match publish.delivery {
            None => {}
            Some((AckedQoS::AtLeastOnce, _)) if self.lane.has_room(control, ANSWER) => {}
            Some(_) => return None,
        }
        Some(self.message(control, publish))
    }

    /// Reads any other packet.
    #[inline(never)]
    fn other<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        frame: &Frame<'b>,
        action: &mut Action<'_, 'b>,
    ) -> Outcome {
        match frame.packet_type {
            PacketType::PubAck
            | PacketType::PubRec
            | PacketType::PubRel
            | PacketType::PubComp
            | PacketType::UnsubAck => {
                let ack =
                    Ack::decode(frame, self.config().protocol).map_err(|error| self.malformed(error))?;
                Ok(self.acked(memory, frame.packet_type, ack.packet_id, action))
            }
            PacketType::SubAck => self.suback(memory, frame, action),
            PacketType::PingResp => {
                self.keep_alive.answered();
                frame.empty(false).map_err(|error| self.malformed(error))
            }
            other => Err(self.failed(DisconnectReason::Unexpected(other))),
        }
    }

    /// One of the five packets that say nothing but a packet identifier.
    fn acked(
        &mut self,
        memory: &mut Memory<'_>,
        packet_type: PacketType,
        id: PacketId,
        action: &mut Action<'_, '_>,
    ) -> bool {
        match packet_type {
            PacketType::PubAck => match self.outbox.awaiting(memory.requests, id, Kind::AtLeastOnce) {
                Some(index) => self.published(memory.requests, index, action),
                None => self.published_alone(id, action),
            },
            PacketType::UnsubAck => match self.unsubscribed {
                Some(unsubscribed) => unsubscribed(self, memory, id, action),
                None => {
                    count(&mut self.stats.unexpected_acks);
                    false
                }
            },
            _ => self.step(memory, packet_type, id, action),
        }
    }

    #[inline(never)]
    fn handshake(
        &mut self,
        memory: &mut Memory<'_>,
        frame: &Frame<'_>,
        action: &mut Action<'_, '_>,
    ) -> Outcome {
        // Nor is an answer to a CONNECT that has not even gone out.
        if frame.packet_type != PacketType::ConnAck || !self.lane.is_empty() {
            return Err(self.failed(DisconnectReason::Unexpected(frame.packet_type)));
        }
        let ConnAck { session_present, reason, .. } =
            ConnAck::decode(frame, self.config().protocol).map_err(|error| self.malformed(error))?;
        if reason != ReasonCode::Success {
            self.refused(reason);
            return Ok(false);
        }
        if session_present && self.config().clean_session {
            return Err(self.failed(DisconnectReason::Contradiction));
        }
        self.accepted(memory, session_present);
        if !self.wanted {
            // The caller has left since, and the server is told. What follows CONNACK is not for this client, and its
            // session may have to be forgotten first.
            self.phase = Phase::Leaving;
            return Err(Failed);
        }
        Ok(tell(action, Event::Connected { session_present }))
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn message<'b>(&mut self, control: &mut [u8], publish: &Publish<'b>) -> Event<'b> {
        if let Some((qos, id)) = publish.delivery {
            self.note_given(control, qos, id);
        }
        Event::Message(self.told(publish))
    }

    /// The caller is given a message, and takes it with the next poll. Nothing is sent before that: so the
    /// acknowledgement may wait in the control lane right now. Only QoS 2 has more to do then.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn note_given(&mut self, control: &mut [u8], qos: AckedQoS, id: PacketId) {
        match qos {
            _ if self.config().manual_ack => {}
            AckedQoS::ExactlyOnce if self.optional().exactly_once.is_some() => {
                self.untaken = Some(id);
            }
            AckedQoS::ExactlyOnce => {
                self.push_ack(control, AckedQoS::ExactlyOnce, id);
            }
            AckedQoS::AtLeastOnce => {
                self.push_ack(control, AckedQoS::AtLeastOnce, id);
            }
        }
    }

    /// A message in the caller's words.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn told<'b>(&self, publish: &Publish<'b>) -> Message<'b> {
        let token = |(qos, id)| AckToken { id, qos, connection: self.connection };
        Message {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos(),
            retain: publish.retain,
            dup: publish.dup,
            ack: publish.delivery.map(token),
        }
    }

    /// PUBACK and PUBCOMP end a publication.
    #[inline]
    pub(crate) fn published(
        &mut self,
        requests: &mut [Request],
        index: usize,
        action: &mut Action<'_, '_>,
    ) -> bool {
        self.end(requests, index).is_some_and(|ticket| tell(action, Event::Published { ticket }))
    }

    /// The acknowledgement of the publication that goes alone, or of none.
    #[inline(never)]
    pub(crate) fn published_alone(&mut self, id: PacketId, action: &mut Action<'_, '_>) -> bool {
        if self.alone && id.get() == Ticket::ALONE_ID {
            self.alone = false;
            self.outbox.release_due = true;
            return tell(action, Event::PublishedAlone);
        }
        count(&mut self.stats.unexpected_acks);
        false
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

    /// Ends a request: the next may be sent. `None` if its end has been reported already.
    #[inline]
    pub(crate) fn end(&mut self, requests: &mut [Request], index: usize) -> Option<Ticket> {
        let ticket = self.outbox.end_request(requests, index)?;
        self.note_change(Due::Remove(ticket));
        Some(ticket)
    }

    fn suback<'b>(
        &mut self,
        memory: &mut Memory<'_>,
        frame: &Frame<'b>,
        action: &mut Action<'_, 'b>,
    ) -> Outcome {
        let SubAck { packet_id, return_codes, .. } =
            SubAck::decode(frame).map_err(|error| self.malformed(error))?;
        if packet_id.get() == Ticket::REPLAY_ID {
            return match self.subscriptions.replayed(memory.subscriptions) {
                Some((first, asked)) if asked == return_codes.len() => {
                    Ok(tell(action, Event::Resubscribed { first, return_codes }))
                }
                Some(_) => Err(self.failed(DisconnectReason::Contradiction)),
                None => {
                    count(&mut self.stats.unexpected_acks);
                    Ok(false)
                }
            };
        }
        let Some(index) = self.answered(memory, packet_id, Kind::Subscribe) else {
            return Ok(false);
        };
        let entries = Outbox::entries(memory.requests, memory.tx, index);
        if count_all(entries) != return_codes.len() {
            return Err(self.failed(DisconnectReason::Contradiction));
        }
        if !self.outbox.is_cancelled(memory.requests, index) {
            self.subscriptions.granted(memory.subscriptions, entries, return_codes);
        }
        Ok(match self.end(memory.requests, index) {
            Some(ticket) => tell(action, Event::Subscribed { ticket, return_codes }),
            None => false,
        })
    }

    pub(crate) fn unsubscribed(
        &mut self,
        memory: &mut Memory<'_>,
        id: PacketId,
        action: &mut Action<'_, '_>,
    ) -> bool {
        let Some(index) = self.answered(memory, id, Kind::Unsubscribe) else {
            return false;
        };
        let entries = Outbox::entries(memory.requests, memory.tx, index);
        self.subscriptions.remove_all(memory.subscriptions, entries);
        match self.end(memory.requests, index) {
            Some(ticket) => tell(action, Event::Unsubscribed { ticket }),
            None => false,
        }
    }
}
