//! Takes over a session, from a store or from exported bytes: record by record, and all of it or nothing.

use mqtt_p2p_packet::{
    Ack, Filters, Framed, PacketType, Protocol, Publish, QoS, Subscribe, SubscribeFilter, Unsubscribe, frame,
};

use crate::client::Client;
use crate::error::{Error, Need};
use crate::inbound::{Inbound, InboundId};
use crate::machine::{Machine, Phase};
use crate::outbox::{self, Kind, Outbox};
use crate::session::bytes::Reader;
use crate::session::error::{RestoreError, SessionError};
use crate::session::key::Key;
use crate::session::store::SessionStore;
use crate::settings::Settings;
use crate::storage::{Memory, Storage};
use crate::subscriptions::Subscriptions;
use crate::ticket::Ticket;

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A store. Nobody knows whether its packet was sent before the program ended.
    Store,
    /// Exported bytes. They say whether its packet was sent: here, or by DUP.
    Export { sent: bool },
}

/// The key of the record of a request in an export.
pub(super) const fn key_of(kind: Kind, ticket: Ticket) -> Key {
    if kind.is_acknowledged_publication() { Key::Publication(ticket) } else { Key::Request(ticket) }
}

/// What the request of this packet waits for; `None` if it can't be the packet of a request with this ticket.
pub(super) fn kind_of(packet: &[u8], ticket: Ticket) -> Option<Kind> {
    if packet.is_empty() {
        return Some(Kind::Taken);
    }
    let Ok(Framed::Complete(frame, [])) = frame(packet, u32::MAX) else {
        return None;
    };
    let (kind, id) = match frame.packet_type {
        PacketType::Publish => {
            let publish = Publish::decode(&frame).ok()?;
            let kind = match publish.qos() {
                QoS::AtMostOnce => return Some(Kind::Once),
                QoS::AtLeastOnce => Kind::AtLeastOnce,
                QoS::ExactlyOnce => Kind::ExactlyOnce,
            };
            (kind, publish.packet_id()?)
        }
        PacketType::PubRel => (Kind::Release, Ack::decode(&frame, Protocol::V311).ok()?.packet_id),
        PacketType::Subscribe => (Kind::Subscribe, Subscribe::decode(&frame, Protocol::V311).ok()?.packet_id),
        PacketType::Unsubscribe => {
            (Kind::Unsubscribe, Unsubscribe::decode(&frame, Protocol::V311).ok()?.packet_id)
        }
        _ => return None,
    };
    if id.get() == ticket.packet_id() { Some(kind) } else { None }
}

impl<C: Settings> Machine<C> {
    /// Whether it is too late to take over a session.
    pub(crate) fn is_used(&self) -> bool {
        self.phase != Phase::Idle || self.connection != 0 || self.has_session()
    }

    /// Whether there is a session that would be overwritten.
    fn has_session(&self) -> bool {
        self.outbox.next_ticket() != Ticket::FIRST || self.inbound.len() > 0 || !self.subscriptions.is_empty()
    }

    /// Removes what a failed attempt left.
    pub(super) const fn forget_session(&mut self) {
        self.outbox = Outbox::new();
        self.inbound = Inbound::new();
        self.subscriptions = Subscriptions::new();
        self.given_up = Ticket::NONE;
    }

    /// Takes over a record. After an error the client has part of a session, or none: see [`Self::forget_session`]. An
    /// error for memory that is too small has changed nothing.
    pub(super) fn restore_record(
        &mut self,
        memory: &mut Memory<'_>,
        key: Key,
        value: &[u8],
        origin: Origin,
    ) -> Result<(), SessionError> {
        match key {
            Key::Publication(ticket) | Key::Request(ticket) => {
                self.restore_request(memory, (key, ticket), value, origin)
            }
            Key::Received(id) => {
                if !value.is_empty() || self.inbound.find(memory, id).is_some() {
                    return Err(SessionError::Invalid);
                }
                if !self.inbound.insert(memory, InboundId::taken(id, origin == Origin::Store)) {
                    return Err(Error::Full(Need::Inbound).into());
                }
                Ok(())
            }
            Key::Subscriptions => {
                if !value.is_empty() {
                    Filters::<SubscribeFilter<'_>>::from_encoded(value).map_err(|_| SessionError::Invalid)?;
                }
                Ok(self.subscriptions.restore(memory, value)?)
            }
        }
    }

    fn restore_request(
        &mut self,
        memory: &mut Memory<'_>,
        (key, ticket): (Key, Ticket),
        packet: &[u8],
        origin: Origin,
    ) -> Result<(), SessionError> {
        let is_next = self.outbox.may_follow(memory, ticket);
        let kind = kind_of(packet, ticket).filter(|_| is_next).ok_or(SessionError::Invalid)?;
        self.may_take_over(kind)?;
        let sent = match (key, origin) {
            (Key::Publication(_), Origin::Store) if kind == Kind::Taken => {
                self.given_up = ticket;
                self.restored(ticket, origin);
                return Ok(());
            }
            _ if key != key_of(kind, ticket) => return Err(SessionError::Invalid),
            (Key::Publication(_), Origin::Store) => true,
            (_, Origin::Store) => return Err(SessionError::Invalid),
            (_, Origin::Export { sent }) => sent,
        };
        if kind == Kind::Subscribe {
            self.subscriptions.check(memory, outbox::entries(packet), u16::MAX)?;
        }
        self.outbox.restore(memory, ticket, kind, packet, sent)?;
        match kind {
            Kind::Subscribe => self.subscriptions.expect(outbox::entries(packet)),
            Kind::Unsubscribe => self.unsubscribed = Some(Self::unsubscribed),
            _ => {}
        }
        self.restored(ticket, origin);
        Ok(())
    }

    /// A request was taken over, or its number.
    const fn restored(&mut self, ticket: Ticket, origin: Origin) {
        self.outbox.restore_next(ticket.next());
        if matches!(origin, Origin::Store) {
            self.outbox.note_kept();
        }
    }

    /// All records of an export are taken over: nothing may follow, and the next ticket comes after all of them.
    pub(super) fn restore_end(
        &mut self,
        memory: &Memory<'_>,
        reader: &Reader<'_>,
        next: Ticket,
    ) -> Result<(), SessionError> {
        if !reader.0.is_empty() || !self.outbox.may_follow(memory, next) {
            return Err(SessionError::Invalid);
        }
        self.outbox.restore_next(next);
        Ok(())
    }
}

impl<S: Storage, C: Settings> Client<S, C> {
    /// Takes over a session that was kept change by change, into a client that has not been used. Of its requests,
    /// publications of QoS 1 and 2 go on, with their tickets: see [`requests`](Self::requests).
    ///
    /// # Errors
    /// The store can't be read; a record is invalid; a client in use; memory too small. The client is as it was.
    pub fn restore<T: SessionStore + ?Sized>(&mut self, store: &mut T) -> Result<(), RestoreError<T::Error>> {
        if self.machine.is_used() {
            return Err(RestoreError::NotTaken(Error::InUse));
        }
        let result = self.restore_all(store);
        if result.is_ok() {
            // The program may have ended between a CONNECT, with which the server began a new session, and its answer.
            self.machine.unanswered = true;
        } else {
            self.machine.forget_session();
        }
        self.machine.look();
        result
    }

    fn restore_all<T: SessionStore + ?Sized>(&mut self, store: &mut T) -> Result<(), RestoreError<T::Error>> {
        // Tickets are numbered modulo 2^32. If they lie on both ends, then those of the upper half are older.
        let (mut least, mut greatest) = (u32::MAX, 0);
        store
            .load(&mut |key, _| {
                if let Key::Publication(ticket) = key {
                    least = least.min(ticket.to_bits());
                    greatest = greatest.max(ticket.to_bits());
                }
            })
            .map_err(RestoreError::Store)?;
        let turns = greatest.saturating_sub(least) >= 1 << 31;
        let is_upper = |key| matches!(key, Key::Publication(ticket) if ticket.to_bits() >= 1 << 31);
        if turns {
            self.restore_some(store, is_upper)?;
        }
        self.restore_some(store, |key| !(turns && is_upper(key)))
    }

    fn restore_some<T: SessionStore + ?Sized>(
        &mut self,
        store: &mut T,
        wanted: impl Fn(Key) -> bool,
    ) -> Result<(), RestoreError<T::Error>> {
        let mut result = Ok(());
        let mut show = |key, value: &[u8]| {
            if result.is_ok() && wanted(key) {
                result = self
                    .growing(
                        |machine, memory| machine.restore_record(memory, key, value, Origin::Store),
                        SessionError::need,
                    )
                    .map_err(|error| match error {
                        SessionError::NotTaken(error) => RestoreError::NotTaken(error),
                        _ => RestoreError::Invalid(key),
                    });
            }
        };
        store.load(&mut show).map_err(RestoreError::Store)?;
        result
    }
}
