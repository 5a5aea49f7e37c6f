//! Incoming messages of QoS 2: which packet identifiers have been delivered and not yet been released.

use mqtt_p2p_packet::PacketId;

use crate::storage::Memory;

/// The entry of one incoming message of QoS 2 in [`Memory::inbound`]: 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundId {
    pub(crate) id: u16,
    /// The caller took it: PUBREC is due at every delivery.
    pub(crate) taken: bool,
}

impl InboundId {
    /// An unused entry.
    pub const EMPTY: Self = Self { id: 0, taken: false };
}

/// The set of them: by packet identifier, never by DUP ([MQTT-4.3.3-2]).
#[derive(Debug)]
pub(crate) struct Inbound {
    len: usize,
}

impl Inbound {
    pub(crate) const fn new() -> Self {
        Self { len: 0 }
    }

    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn entries<'m>(&self, memory: &'m Memory<'_>) -> &'m [InboundId] {
        memory.inbound.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn find<'m>(&self, memory: &'m mut Memory<'_>, id: PacketId) -> Option<&'m mut InboundId> {
        let entries = memory.inbound.get_mut(..self.len).unwrap_or_default();
        entries.iter_mut().find(|entry| entry.id == id.get())
    }

    /// `false` if there is no room.
    pub(crate) fn insert(&mut self, memory: &mut Memory<'_>, id: PacketId, taken: bool) -> bool {
        let Some(entry) = memory.inbound.get_mut(self.len) else {
            return false;
        };
        *entry = InboundId { id: id.get(), taken };
        self.len = self.len.wrapping_add(1);
        true
    }

    /// PUBREL came.
    pub(crate) fn remove(&mut self, memory: &mut Memory<'_>, id: PacketId) -> bool {
        let Some(last) = self.entries(memory).last().copied() else {
            return false;
        };
        let Some(entry) = self.find(memory, id) else {
            return false;
        };
        *entry = last;
        self.len = self.len.wrapping_sub(1);
        true
    }
}
