//! Incoming messages of QoS 2: which packet identifiers have been delivered and not yet been released.

use mqtt_p2p_packet::PacketId;

use crate::storage::Memory;

/// The entry of one incoming message of QoS 2 in [`Memory::inbound`]: 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundId {
    pub(crate) id: u16,
    /// The caller took it: PUBREC is due at every delivery.
    pub(crate) taken: bool,
    /// It is in the session that is kept.
    kept: bool,
}

impl InboundId {
    /// An unused entry.
    pub const EMPTY: Self = Self { id: 0, taken: false, kept: false };

    /// A message that the caller has still to take.
    pub(crate) const fn new(id: PacketId) -> Self {
        Self { id: id.get(), ..Self::EMPTY }
    }

    /// One that the caller took before a restart, and whether it is kept already.
    pub(crate) const fn taken(id: PacketId, kept: bool) -> Self {
        Self { id: id.get(), taken: true, kept }
    }
}

/// The set of them: by packet identifier, never by DUP ([MQTT-4.3.3-2]).
#[derive(Debug)]
pub(crate) struct Inbound {
    len: usize,
    /// All are to be forgotten, also where they are kept.
    forgetting: bool,
}

impl Inbound {
    pub(crate) const fn new() -> Self {
        Self { len: 0, forgetting: false }
    }

    /// The session is gone. What is kept of it is told one by one, before any packet is read.
    pub(crate) const fn clear(&mut self, kept: bool) {
        if kept {
            self.forgetting = true;
        } else {
            self.len = 0;
        }
    }

    /// The caller took a message.
    pub(crate) fn take(&self, memory: &mut Memory<'_>, id: PacketId) {
        if let Some(entry) = self.find(memory, id) {
            entry.taken = true;
        }
    }

    /// A message that was taken or forgotten, and whether it is there.
    pub(crate) fn next_unkept(&mut self, memory: &mut Memory<'_>) -> Option<(PacketId, bool)> {
        while self.forgetting
            && let Some(entry) = self.entries(memory).last().copied()
        {
            self.len = self.len.saturating_sub(1);
            if entry.kept {
                return Some((PacketId::new(entry.id)?, false));
            }
        }
        self.forgetting = false;
        let entries = memory.inbound.get_mut(..self.len).unwrap_or_default();
        let next = entries.iter_mut().find(|entry| entry.taken && !entry.kept)?;
        next.kept = true;
        Some((PacketId::new(next.id)?, true))
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
    pub(crate) fn insert(&mut self, memory: &mut Memory<'_>, new: InboundId) -> bool {
        let Some(entry) = memory.inbound.get_mut(self.len) else {
            return false;
        };
        *entry = new;
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
