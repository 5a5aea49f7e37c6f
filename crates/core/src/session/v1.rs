//! Reads exported sessions of version 1, which are no longer written.
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

use mqtt_p2p_packet::PacketId;

use crate::machine::Machine;
use crate::outbox::Kind;
use crate::session::bytes::Reader;
use crate::session::error::SessionError;
use crate::session::key::Key;
use crate::session::restore::{Origin, key_of, kind_of};
use crate::settings::Settings;
use crate::storage::Memory;

/// In the state of a request: some of its packet may have been sent.
const SENT: u8 = 0x80;

/// What a request waits for, by its state without [`SENT`].
const fn kind_of_state(state: u8) -> Option<Kind> {
    Some(match state {
        1 => Kind::Once,
        2 => Kind::AtLeastOnce,
        3 => Kind::ExactlyOnce,
        4 => Kind::Release,
        5 => Kind::Subscribe,
        6 => Kind::Unsubscribe,
        7 => Kind::Taken,
        _ => return None,
    })
}

impl<C: Settings> Machine<C> {
    /// Reads what follows the version, up to the checksum.
    pub(super) fn read_v1(
        &mut self,
        memory: &mut Memory<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<(), SessionError> {
        let next = reader.ticket()?;
        let unsent = Origin::Export { sent: false };
        for _ in 0..reader.u16()? {
            let id = PacketId::new(reader.u16()?).ok_or(SessionError::Invalid)?;
            self.restore_record(memory, Key::Received(id), &[], unsent)?;
        }
        self.restore_record(memory, Key::Subscriptions, reader.block()?, unsent)?;
        for _ in 0..reader.u32()? {
            let ticket = reader.ticket()?;
            let [state] = reader.array()?;
            let packet = reader.block()?;
            let kind = kind_of_state(state & !SENT).filter(|kind| kind_of(packet, ticket) == Some(*kind));
            let key = key_of(kind.ok_or(SessionError::Invalid)?, ticket);
            self.restore_record(memory, key, packet, Origin::Export { sent: state & SENT != 0 })?;
        }
        self.restore_end(memory, reader, next)
    }
}
