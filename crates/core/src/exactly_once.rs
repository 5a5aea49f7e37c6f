//! QoS 2, both ways (§4.3.3), reached through pointers: a program that does not ask for it
//! ([`Config::exactly_once`](crate::Config::exactly_once)) has none of it.

use mqtt_p2p_packet::{AckedQoS, PacketId, PacketType};

use crate::action::Action;
use crate::constants::SIZE_OPTIMIZED;
use crate::disconnect::DisconnectReason;
use crate::error::Error;
use crate::inbound::InboundId;
use crate::machine::Machine;
use crate::outbox::Kind;
use crate::receive::Outcome;
use crate::session::journal::Due;
use crate::settings::Settings;
use crate::stats::count;
use crate::storage::Memory;

/// What QoS 2 takes more than QoS 1 does.
#[derive(Debug)]
pub(crate) struct ExactlyOnce<C> {
    /// [`Machine::first_seen`]
    pub(crate) first_seen: fn(&mut Machine<C>, &mut Memory<'_>, PacketId) -> Outcome,
    /// [`Machine::note_taken`]
    taken: fn(&mut Machine<C>, &mut Memory<'_>, PacketId),
    /// PUBREC, PUBREL or PUBCOMP came.
    acked: fn(&mut Machine<C>, &mut Memory<'_>, PacketType, PacketId, &mut Action<'_, '_>) -> bool,
}

impl<C: Settings> ExactlyOnce<C> {
    pub(crate) const ON: Self =
        Self { first_seen: Machine::first_seen, taken: Machine::note_taken_as, acked: Machine::stepped };
}

impl<C: Settings> Machine<C> {
    /// Whether a message of QoS 2 is to be delivered. If not, it is answered as the first time.
    pub(crate) fn first_seen(&mut self, memory: &mut Memory<'_>, id: PacketId) -> Outcome {
        if let Some(entry) = self.inbound.find(memory, id) {
            if entry.taken {
                self.push_ack(memory.control, AckedQoS::ExactlyOnce, id);
            }
            count(&mut self.stats.duplicates);
            return Ok(false);
        }
        if self.inbound.insert(memory, InboundId::new(id)) {
            // The acknowledgement comes once the caller has it; and the memory may have to grow for the next.
            self.look();
            Ok(true)
        } else {
            Err(self.failed(DisconnectReason::InboundFull))
        }
    }

    /// Whether a request of a session may be taken over.
    pub(crate) fn may_take_over(&self, kind: Kind) -> Result<(), Error> {
        match kind {
            Kind::ExactlyOnce | Kind::Release if self.optional().exactly_once.is_none() => {
                Err(Error::ExactlyOnceOff)
            }
            _ => Ok(()),
        }
    }

    /// The message of QoS 2 that the caller has, and that counts as taken once it comes back.
    #[inline]
    pub(crate) fn untaken(&self) -> Option<PacketId> {
        self.untaken.filter(|_| self.optional().exactly_once.is_some())
    }

    /// Sends the acknowledgement of the message of QoS 2 that the caller was given last. `false` if there is no room
    /// yet.
    #[inline]
    pub(crate) fn acknowledge_taken(&mut self, memory: &mut Memory<'_>) -> bool {
        let Some(id) = self.untaken() else {
            return true;
        };
        if !self.push_ack(memory.control, AckedQoS::ExactlyOnce, id) {
            return false;
        }
        self.note_taken(memory);
        true
    }

    /// The caller has the message that it was given last.
    #[inline]
    pub(crate) fn note_taken(&mut self, memory: &mut Memory<'_>) {
        if let (Some(id), Some(exactly_once)) = (self.untaken(), self.optional().exactly_once) {
            self.untaken = None;
            (exactly_once.taken)(self, memory, id);
        }
    }

    fn note_taken_as(&mut self, memory: &mut Memory<'_>, id: PacketId) {
        self.inbound.take(memory, id);
    }

    /// PUBREC, PUBREL or PUBCOMP came.
    #[inline]
    pub(crate) fn step(
        &mut self,
        memory: &mut Memory<'_>,
        packet_type: PacketType,
        id: PacketId,
        action: &mut Action<'_, '_>,
    ) -> bool {
        match self.optional().exactly_once {
            // It is linked anyway, and this way it may be inlined.
            Some(_) if !SIZE_OPTIMIZED => return self.stepped(memory, packet_type, id, action),
            Some(exactly_once) => return (exactly_once.acked)(self, memory, packet_type, id, action),
            None => {}
        }
        // What the server still has of the session of another program ends here, and so does what it sent at QoS 2 to this
        // one, which does not note it.
        match packet_type {
            PacketType::PubRec => self.push(memory, PacketType::PubRel, id),
            PacketType::PubRel => self.push(memory, PacketType::PubComp, id),
            _ => count(&mut self.stats.unexpected_acks),
        }
        false
    }

    #[inline]
    fn stepped(
        &mut self,
        memory: &mut Memory<'_>,
        packet_type: PacketType,
        id: PacketId,
        action: &mut Action<'_, '_>,
    ) -> bool {
        match packet_type {
            PacketType::PubRec => self.pubrec(memory, id),
            PacketType::PubRel => self.pubrel(memory, id),
            _ => match self.outbox.awaiting(memory.requests, id, Kind::Release) {
                Some(index) => return self.published(memory.requests, index, action),
                None => count(&mut self.stats.unexpected_acks),
            },
        }
        false
    }

    #[inline]
    fn pubrec(&mut self, memory: &mut Memory<'_>, id: PacketId) {
        if let Some(index) = self.outbox.awaiting(memory.requests, id, Kind::ExactlyOnce) {
            self.outbox.received(memory, index, id);
            if let Some(entry) = memory.requests.get(index)
                && !self.outbox.is_cancelled(memory.requests, index)
            {
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
        self.push(memory, PacketType::PubRel, id);
    }

    #[inline]
    fn pubrel(&mut self, memory: &mut Memory<'_>, id: PacketId) {
        if self.inbound.remove(memory, id) {
            self.note_change(Due::Release(id));
        } else {
            count(&mut self.stats.unexpected_acks);
        }
        self.push(memory, PacketType::PubComp, id);
    }

    /// Answers; there is room, or else nothing would have been read.
    #[inline]
    fn push(&mut self, memory: &mut Memory<'_>, packet_type: PacketType, id: PacketId) {
        self.answer(memory.control, packet_type, id);
    }
}
