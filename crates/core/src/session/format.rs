//! An exported session: all records of a session behind one header, with a checksum.
//!
//! This is version 2, the only one that is written. Version 1 is still read: see [`v1`](super::v1). All numbers are
//! big-endian.
//!
//! ```text
//!   magic             4 bytes  "MP2P"
//!   version           u8       2
//!   protocol level    u8       3: MQTT 3.1, 4: MQTT 3.1.1
//!   session expiry    u32      seconds; 0xFFFFFFFF: does not expire, always so before MQTT 5
//!   next ticket       u32
//!   records           u32      how many follow
//!   each record:
//!     key             5 bytes  Key::to_bytes: tag u8, number u32
//!     length          u32
//!     value           as many bytes
//!   checksum          u32      CRC-32 (IEEE 802.3) of everything before it
//! ```
//!
//! Records come in this order:
//!
//! | tag | number | value |
//! |---|---|---|
//! | 2, received | packet identifier | none |
//! | 3, subscriptions; at most once, absent if there are none | 0 | the entries as in SUBSCRIBE |
//! | 1, publication | ticket | PUBLISH of QoS 1 or 2, with DUP if any of it was sent; or PUBREL |
//! | 7, request | ticket | PUBLISH of QoS 0, SUBSCRIBE or UNSUBSCRIBE; none for a publication of QoS 2 that a server received before it lost the session |
//!
//! Tags 1 and 7 are one list, oldest ticket first; tickets are counted modulo 2^32. Records with the tags 1 to 3 are those
//! that a [`SessionStore`](crate::SessionStore) has, apart from DUP: a packet in a store counts as sent.
//!
//! A version of this library that finds a protocol level or a tag that it does not know refuses the session with
//! [`SessionError::UnknownFormat`].

use mqtt_p2p_packet::{PacketId, Protocol, Publish};

use crate::error::Error;
use crate::machine::Machine;
use crate::session::bytes::{Reader, Writer};
use crate::session::crc32::Crc32;
use crate::session::error::SessionError;
use crate::session::journal::Due;
use crate::session::key::Key;
use crate::session::restore::{Origin, key_of};
use crate::settings::Settings;
use crate::storage::Memory;

const MAGIC: [u8; 4] = *b"MP2P";
const VERSION: u8 = 2;
/// The protocol levels of MQTT 3.1 and 3.1.1, between which a session may change.
const V31: u8 = 3;
const V311: u8 = 4;
const NEVER_EXPIRES: u32 = u32::MAX;

/// Writes a record. In a packet that may have been sent, DUP says so.
fn put_record(writer: &mut Writer<'_>, key: Key, value: &[u8], sent: bool) {
    writer.put(&key.to_bytes());
    writer.u32(value.len() as u32);
    if let [first, rest @ ..] = value {
        let mut first = [*first];
        if sent {
            Publish::set_dup(&mut first, true);
        }
        writer.put(&first);
        writer.put(rest);
    }
}

impl<C: Settings> Machine<C> {
    pub(crate) fn export(&self, memory: &Memory<'_>, buffer: &mut [u8]) -> Result<usize, SessionError> {
        // A message that the caller has not taken is left out: nobody could acknowledge it after the import, so the
        // server has to deliver it again.
        let taken = || self.inbound.entries(memory).iter().filter(|entry| entry.taken);
        let received = || taken().filter_map(|entry| PacketId::new(entry.id));
        let subscriptions = self.subscriptions.entries(memory.subscriptions);
        let lists = usize::from(!subscriptions.is_empty());
        let requests = self.outbox.live(memory).count();
        let records = received().count().saturating_add(lists).saturating_add(requests);

        let mut writer = Writer::new(buffer);
        writer.put(&MAGIC);
        writer.put(&[VERSION, if self.config().protocol == Protocol::V31 { V31 } else { V311 }]);
        writer.u32(NEVER_EXPIRES);
        writer.u32(self.outbox.next_ticket().to_bits());
        writer.u32(records as u32);
        for id in received() {
            put_record(&mut writer, Key::Received(id), &[], false);
        }
        if !subscriptions.is_empty() {
            put_record(&mut writer, Key::Subscriptions, subscriptions, false);
        }
        for (request, packet, sent) in self.outbox.live(memory) {
            put_record(&mut writer, key_of(request.kind, request.ticket), packet, sent);
        }
        writer.finish()
    }

    pub(crate) fn import(&mut self, memory: &mut Memory<'_>, bytes: &[u8]) -> Result<(), SessionError> {
        if self.is_used() {
            return Err(Error::InUse.into());
        }
        // Not `split_last_chunk`, which has a panic in small code.
        let at = bytes.len().checked_sub(4).ok_or(SessionError::Damaged)?;
        let (content, checksum) = bytes.split_at_checked(at).ok_or(SessionError::Damaged)?;
        let mut reader = Reader(content);
        let is_session = reader.array() == Ok(MAGIC);
        let read = match reader.array() {
            Ok([1]) if is_session => Self::read_v1,
            Ok([VERSION]) if is_session => Self::read_v2,
            _ => return Err(SessionError::UnknownFormat),
        };
        let mut crc = Crc32::new();
        crc.update(content);
        if crc.value().to_be_bytes() != checksum {
            return Err(SessionError::Damaged);
        }
        let result = read(self, memory, &mut reader);
        if result.is_ok() {
            // The bytes do not say whether the server had answered for all subscriptions.
            self.unanswered = true;
            self.subscriptions.note_changed();
            self.keep_number(memory);
        } else {
            self.forget_session();
        }
        self.look();
        result
    }

    /// Reads what follows the version, up to the checksum.
    fn read_v2(&mut self, memory: &mut Memory<'_>, reader: &mut Reader<'_>) -> Result<(), SessionError> {
        let [level] = reader.array()?;
        if !matches!(level, V31 | V311) {
            return Err(SessionError::UnknownFormat);
        }
        if reader.u32()? != NEVER_EXPIRES {
            return Err(SessionError::Invalid);
        }
        let next = reader.ticket()?;
        // Only messages received may come before the subscriptions, and requests come last.
        let mut begins = true;
        for _ in 0..reader.u32()? {
            let key: [u8; Key::LEN] = reader.array()?;
            let value = reader.block()?;
            let [tag, ..] = key;
            if Key::is_unknown_tag(tag) {
                return Err(SessionError::UnknownFormat);
            }
            let key = Key::from_bytes(&key).ok_or(SessionError::Invalid)?;
            if !begins && matches!(key, Key::Received(_) | Key::Subscriptions) {
                return Err(SessionError::Invalid);
            }
            begins = matches!(key, Key::Received(_));
            self.restore_record(memory, key, value, Origin::Export { sent: false })?;
        }
        self.restore_end(memory, reader, next)
    }

    /// Has the number of the last request stored, whatever became of it: after a crash too, numbers go on behind it.
    fn keep_number(&mut self, memory: &Memory<'_>) {
        let kept = self.outbox.live(memory).map(|(request, ..)| request);
        let last = kept.filter(|request| request.kind.is_acknowledged_publication()).last();
        if let Some(before) = self.outbox.next_ticket().before()
            && last.is_none_or(|last| last.ticket != before)
        {
            self.note_change(Due::GiveUp(before));
        }
    }
}
