//! A session as bytes: what must outlive the program, with a version and a checksum.
//!
//! All numbers are big-endian.
//!
//! ```text
//!   "MP2P"  version u8 = 1  next ticket u32
//!   incoming QoS 2:  count u16, each: packet identifier u16
//!   subscriptions:   bytes u32, then the entries as in SUBSCRIBE
//!   requests:        count u32, each: ticket u32, state u8, bytes u32, packet
//!   CRC-32 (IEEE) of all before it: u32
//! ```

pub(crate) mod journal;

use core::fmt;

use mqtt_p2p_packet::{
    Ack, Filters, Framed, PacketId, PacketType, Protocol, Publish, QoS, Subscribe, SubscribeFilter,
    Unsubscribe, frame,
};

use self::journal::Due;
use crate::copy::copy;
use crate::error::Error;
use crate::inbound::{Inbound, InboundId};
use crate::machine::{Machine, Phase};
use crate::outbox::{self, Kind, Outbox};
use crate::settings::Settings;
use crate::storage::Memory;
use crate::subscriptions::Subscriptions;
use crate::ticket::Ticket;

const MAGIC: [u8; 4] = *b"MP2P";
const VERSION: u8 = 1;
/// In a request's state: the server may have it already.
const SENT: u8 = 0x80;

/// Why a session can't be written or taken over. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SessionError {
    /// Caller: the buffer is too small to write the session.
    BufferTooSmall {
        /// How many bytes it takes.
        needed: usize,
    },
    /// These bytes are no session, or one of another version of this library.
    UnknownFormat,
    /// The bytes were damaged: length or checksum is wrong.
    Damaged,
    /// The checksum is right, but the content is not what this library writes.
    Invalid,
    /// Caller or resources: see there.
    NotTaken(Error),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => {
                write!(f, "the session takes {needed} bytes, more than the buffer has")
            }
            Self::UnknownFormat => {
                f.write_str("not a session of this version; keep the bytes for the version that wrote them")
            }
            Self::Damaged => {
                f.write_str("the session's bytes are damaged; restore an older copy, or begin a new session")
            }
            Self::Invalid => {
                f.write_str("the session's content is invalid; restore an older copy, or begin a new session")
            }
            Self::NotTaken(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for SessionError {}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self::NotTaken(error)
    }
}

/// Writes as far as the buffer goes, and counts on.
struct Sink<'a> {
    buffer: &'a mut [u8],
    len: usize,
    crc: Crc,
}

impl Sink<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.buffer.get_mut(self.len..end) {
            copy(place, bytes);
        }
        self.crc.add(bytes);
        self.len = end;
    }
}

/// What is left to read.
struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], SessionError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(SessionError::Invalid)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SessionError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(SessionError::Invalid)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u32(&mut self) -> Result<u32, SessionError> {
        self.array().map(u32::from_be_bytes)
    }
}

/// CRC-32 (IEEE 802.3), bit by bit: sessions are short, and a table would cost firmware a kilobyte.
struct Crc(u32);

impl Crc {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                self.0 = (self.0 >> 1) ^ (0xedb8_8320 & (self.0 & 1).wrapping_neg());
            }
        }
    }

    fn of(bytes: &[u8]) -> u32 {
        let mut crc = Self(!0);
        crc.add(bytes);
        !crc.0
    }
}

impl<C: Settings> Machine<C> {
    pub(crate) fn export(&self, memory: &Memory<'_>, buffer: &mut [u8]) -> Result<usize, SessionError> {
        let mut sink = Sink { buffer, len: 0, crc: Crc(!0) };
        sink.put(&MAGIC);
        sink.put(&[VERSION]);
        sink.put(&self.outbox.next_ticket().to_bits().to_be_bytes());
        // A message that the caller has not taken is not noted: nobody could acknowledge it after the import, so the
        // server has to deliver it again.
        let taken = || self.inbound.entries(memory).iter().filter(|entry| entry.taken);
        sink.put(&(taken().count() as u16).to_be_bytes());
        for entry in taken() {
            sink.put(&entry.id.to_be_bytes());
        }
        let subscriptions = self.subscriptions.entries(memory.subscriptions);
        sink.put(&(subscriptions.len() as u32).to_be_bytes());
        sink.put(subscriptions);
        sink.put(&(self.outbox.live(memory).count() as u32).to_be_bytes());
        for (request, packet, sent) in self.outbox.live(memory) {
            sink.put(&request.ticket.to_bits().to_be_bytes());
            sink.put(&[request.kind as u8 | if sent { SENT } else { 0 }]);
            sink.put(&(packet.len() as u32).to_be_bytes());
            sink.put(packet);
        }
        let crc = !sink.crc.0;
        sink.put(&crc.to_be_bytes());
        if sink.len <= sink.buffer.len() {
            Ok(sink.len)
        } else {
            Err(SessionError::BufferTooSmall { needed: sink.len })
        }
    }

    pub(crate) fn import(&mut self, memory: &mut Memory<'_>, bytes: &[u8]) -> Result<(), SessionError> {
        if self.is_used() {
            return Err(Error::InUse.into());
        }
        // Not `split_last_chunk`, which has a panic in small code.
        let at = bytes.len().checked_sub(4).ok_or(SessionError::Damaged)?;
        let (content, crc) = bytes.split_at_checked(at).ok_or(SessionError::Damaged)?;
        let mut source = Source(content);
        if source.array() != Ok(MAGIC) || source.array() != Ok([VERSION]) {
            return Err(SessionError::UnknownFormat);
        }
        if Crc::of(content).to_be_bytes() != crc {
            return Err(SessionError::Damaged);
        }
        let result = self.read(memory, &mut source);
        if result.is_err() {
            self.forget_session();
        }
        self.look();
        // The bytes do not say whether the server had answered for all subscriptions.
        self.unanswered = result.is_ok();
        if result.is_ok() {
            self.keep_number(memory);
        }
        result
    }

    /// Numbers go on after a crash too: that of the last request has to be kept, whatever became of it.
    fn keep_number(&mut self, memory: &Memory<'_>) {
        let kept = self.outbox.live(memory).map(|(request, ..)| request);
        let last = kept.filter(|request| request.kind.is_acknowledged_publication()).last();
        if let Some(before) = self.outbox.next_ticket().before()
            && last.is_none_or(|last| last.ticket != before)
        {
            self.note_change(Due::GiveUp(before));
        }
    }

    /// Takes back what a failed import left.
    pub(crate) const fn forget_session(&mut self) {
        self.outbox = Outbox::new();
        self.inbound = Inbound::new();
        self.subscriptions = Subscriptions::new();
        self.given_up = Ticket::NONE;
    }

    /// Whether it is too late for an import.
    pub(crate) fn is_used(&self) -> bool {
        self.phase != Phase::Idle || self.connection != 0 || self.has_session()
    }

    /// Whether there is anything that an import would overwrite.
    fn has_session(&self) -> bool {
        self.outbox.next_ticket() != Ticket::FIRST || self.inbound.len() > 0 || !self.subscriptions.is_empty()
    }

    /// Takes over the list of subscriptions.
    pub(crate) fn restore_subscriptions(
        &mut self,
        memory: &mut Memory<'_>,
        entries: &[u8],
    ) -> Result<(), SessionError> {
        if !entries.is_empty() {
            Filters::<SubscribeFilter<'_>>::from_encoded(entries).map_err(|_| SessionError::Invalid)?;
        }
        self.subscriptions.restore(memory, entries)?;
        Ok(())
    }

    fn read(&mut self, memory: &mut Memory<'_>, source: &mut Source<'_>) -> Result<(), SessionError> {
        let next = Ticket::from_bits(source.u32()?).ok_or(SessionError::Invalid)?;
        for _ in 0..u16::from_be_bytes(source.array()?) {
            let id = PacketId::new(u16::from_be_bytes(source.array()?)).ok_or(SessionError::Invalid)?;
            if self.inbound.find(memory, id).is_some() {
                return Err(SessionError::Invalid);
            }
            if !self.inbound.insert(memory, InboundId::taken(id, false)) {
                return Err(Error::Full(crate::error::Need::Inbound).into());
            }
        }
        let len = source.u32()? as usize;
        self.restore_subscriptions(memory, source.take(len)?)?;
        for _ in 0..source.u32()? {
            let ticket = Ticket::from_bits(source.u32()?).ok_or(SessionError::Invalid)?;
            let [state] = source.array()?;
            let len = source.u32()? as usize;
            let packet = source.take(len)?;
            let kind = kind_of(packet, ticket).filter(|kind| *kind as u8 == state & !SENT);
            self.unsubscribed = Some(Self::unsubscribed);
            let (Some(kind), true) = (kind, self.outbox.may_follow(memory, ticket)) else {
                return Err(SessionError::Invalid);
            };
            self.may_take_over(kind)?;
            self.outbox.restore(memory, ticket, kind, packet, state & SENT != 0)?;
            if kind == Kind::Subscribe {
                let entries = outbox::entries(packet);
                self.subscriptions.check(memory, entries, u16::MAX)?;
                self.subscriptions.expect(entries);
            }
        }
        if !source.0.is_empty() || !self.outbox.may_follow(memory, next) {
            return Err(SessionError::Invalid);
        }
        self.outbox.restore_next(next);
        Ok(())
    }
}

impl SessionError {
    /// Which memory is short, if that is it.
    pub(crate) const fn need(&self) -> Option<crate::error::Need> {
        match self {
            Self::NotTaken(error) => error.need(),
            _ => None,
        }
    }
}

/// What the packet of a request waits for, if it is one.
pub(crate) fn kind_of(packet: &[u8], ticket: Ticket) -> Option<Kind> {
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

#[cfg(test)]
mod tests {
    use super::Crc;

    #[test]
    fn the_checksum_is_crc_32_of_ieee_802_3() {
        assert_eq!(Crc::of(b"123456789"), 0xcbf4_3926);
    }
}
