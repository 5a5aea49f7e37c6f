//! Incoming messages of QoS 2: which packet identifiers have been delivered and not yet been released.

use mqtt_p2p_packet::PacketId;

use crate::constants::SIZE_OPTIMIZED;
use crate::copy::move_down;
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
///
/// The entries lie at `start..start + len` of [`Memory::inbound`], in ascending order of how far their identifiers are
/// from the first one's, modulo 2^16. A server counts up and starts over, so a new message goes to the end and PUBREL
/// removes the first one: neither moves anything.
#[derive(Debug)]
pub(crate) struct Inbound {
    start: usize,
    len: u16,
    /// All are to be forgotten, also where they are kept.
    forgetting: bool,
}

impl Inbound {
    pub(crate) const fn new() -> Self {
        Self { start: 0, len: 0, forgetting: false }
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
        let next = self.entries_mut(memory).iter_mut().find(|entry| entry.taken && !entry.kept)?;
        next.kept = true;
        Some((PacketId::new(next.id)?, true))
    }

    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn entries<'m>(&self, memory: &'m Memory<'_>) -> &'m [InboundId] {
        memory.inbound.get(self.start..self.end()).unwrap_or_default()
    }

    fn entries_mut<'m>(&self, memory: &'m mut Memory<'_>) -> &'m mut [InboundId] {
        memory.inbound.get_mut(self.start..self.end()).unwrap_or_default()
    }

    const fn end(&self) -> usize {
        self.start.wrapping_add(self.len())
    }

    pub(crate) fn find<'m>(&self, memory: &'m mut Memory<'_>, id: PacketId) -> Option<&'m mut InboundId> {
        let entries = self.entries_mut(memory);
        let index = position(entries, id.get()).ok()?;
        entries.get_mut(index)
    }

    /// Adds an entry whose identifier is not in the set. Returns `false` if there is no room.
    pub(crate) fn insert(&mut self, memory: &mut Memory<'_>, new: InboundId) -> bool {
        let (Ok(index) | Err(index)) = position(self.entries(memory), new.id);
        if self.end() >= memory.inbound.len() {
            if self.start == 0 {
                return false;
            }
            move_down(memory.inbound, self.start, self.end(), 0);
            self.start = 0;
        }
        self.len = self.len.wrapping_add(1);
        // Each entry from there on takes the place of the next one.
        let mut moved = new;
        for entry in self.entries_mut(memory).iter_mut().skip(index) {
            core::mem::swap(entry, &mut moved);
        }
        true
    }

    /// PUBREL came.
    pub(crate) fn remove(&mut self, memory: &mut Memory<'_>, id: PacketId) -> bool {
        let entries = self.entries_mut(memory);
        let Ok(index) = position(entries, id.get()) else {
            return false;
        };
        let mut moved = InboundId::EMPTY;
        if SIZE_OPTIMIZED || index < entries.len() / 2 {
            for entry in entries.iter_mut().take(index.wrapping_add(1)) {
                core::mem::swap(entry, &mut moved);
            }
            self.start = self.start.wrapping_add(1);
        } else {
            for entry in entries.iter_mut().skip(index).rev() {
                core::mem::swap(entry, &mut moved);
            }
        }
        self.len = self.len.wrapping_sub(1);
        true
    }
}

/// Where the entry with this identifier is, or else belongs.
fn position(entries: &[InboundId], id: u16) -> Result<usize, usize> {
    let first = entries.first().map_or(id, |entry| entry.id);
    entries.binary_search_by_key(&id.wrapping_sub(first), |entry| entry.id.wrapping_sub(first))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::vec;
    use std::vec::Vec;

    use mqtt_p2p_packet::PacketId;

    use super::{Inbound, InboundId};
    use crate::storage::Memory;

    fn with_memory<R>(inbound: &mut [InboundId], test: impl FnOnce(&mut Memory<'_>) -> R) -> R {
        test(&mut Memory {
            tx: &mut [],
            requests: &mut [],
            control: &mut [],
            subscriptions: &mut [],
            inbound,
            growable: false,
        })
    }

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    /// A server with `in_flight` messages that are released in order, from identifier 1 through two rounds.
    fn two_rounds(room: usize, in_flight: u16) {
        with_memory(&mut vec![InboundId::EMPTY; room], |memory| {
            let mut inbound = Inbound::new();
            let ids = || (1..=u16::MAX).cycle().take(2 * usize::from(u16::MAX));
            let mut oldest = ids();
            for (count, new) in ids().enumerate() {
                if count >= usize::from(in_flight) {
                    assert!(inbound.remove(memory, id(oldest.next().unwrap())));
                }
                assert!(inbound.find(memory, id(new)).is_none());
                assert!(inbound.insert(memory, InboundId::new(id(new))));
                assert!(inbound.find(memory, id(new)).is_some());
            }
            assert_eq!(inbound.len(), usize::from(in_flight));
        });
    }

    #[test]
    fn identifiers_start_over_behind_the_last_one() {
        two_rounds(4, 4);
        two_rounds(5, 4);
        two_rounds(65_535, 65_535);
    }

    #[test]
    fn any_order_is_that_of_a_set() {
        let mut random = 1_u32;
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 8) % below
        };
        for room in 1..9 {
            let mut known = BTreeSet::new();
            with_memory(&mut vec![InboundId::EMPTY; room], |memory| {
                let mut inbound = Inbound::new();
                for _ in 0..5_000 {
                    // Near both ends of the identifiers.
                    let number = (65_530 + next(12)) as u16;
                    let Some(id) = PacketId::new(number) else { continue };
                    assert_eq!(inbound.find(memory, id).is_some(), known.contains(&number));
                    if next(2) == 0 {
                        assert_eq!(inbound.remove(memory, id), known.remove(&number));
                    } else if !known.contains(&number) {
                        let has_room = known.len() < room;
                        assert_eq!(inbound.insert(memory, InboundId::new(id)), has_room);
                        if has_room {
                            known.insert(number);
                        }
                    }
                    let mut listed: Vec<_> = inbound.entries(memory).iter().map(|entry| entry.id).collect();
                    listed.sort_unstable();
                    assert!(listed.iter().eq(&known), "{listed:?} {known:?}");
                }
            });
        }
    }
}
