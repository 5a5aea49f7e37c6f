//! The subscriptions that the server granted, and their replay after a reconnect.

use mqtt_p2p_packet::{Filters, PacketId, Subscribe, SubscribeFilter, TopicFilter};

use crate::control::ControlLane;
use crate::copy::{copy, move_down};
use crate::error::{Error, Need};
use crate::storage::Memory;
use crate::ticket::Ticket;

/// The fixed header and the packet identifier of a SUBSCRIBE take at most so much.
const HEADER: usize = 7;

/// The list, in [`Memory::subscriptions`], as the entries of a SUBSCRIBE packet.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// Behind the last entry.
    end: usize,
    len: u16,
    /// Bytes and entries that SUBSCRIBEs under way may add.
    pending_bytes: usize,
    pending: u16,
    replay: Replay,
    /// Since it was kept.
    changed: bool,
}

/// How far the replay is: one SUBSCRIBE at a time, of as many entries as the control lane holds.
#[derive(Clone, Copy, Debug)]
enum Replay {
    Done,
    /// The next SUBSCRIBE begins with this byte.
    Next {
        at: usize,
    },
    /// A SUBSCRIBE with so many entries is under way. Those of them that have not been removed since are these bytes.
    Asked {
        from: usize,
        until: usize,
        count: usize,
    },
}

impl Subscriptions {
    pub(crate) const fn new() -> Self {
        Self { end: 0, len: 0, pending_bytes: 0, pending: 0, replay: Replay::Done, changed: false }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// The entries.
    pub(crate) fn entries<'m>(&self, list: &'m [u8]) -> &'m [u8] {
        list.get(..self.end).unwrap_or_default()
    }

    /// The list.
    pub(crate) fn iter<'m>(&self, list: &'m [u8]) -> impl Iterator<Item = SubscribeFilter<'m>> + use<'m> {
        listed(self.entries(list)).map(|(_, entry)| entry)
    }

    /// Whether the list changed since [`Self::take_changed`].
    #[inline]
    pub(crate) const fn is_changed(&self) -> bool {
        self.changed
    }

    /// The same, and it counts as kept from now on.
    pub(crate) const fn take_changed(&mut self) -> bool {
        core::mem::replace(&mut self.changed, false)
    }

    /// Keeps room for what a SUBSCRIBE may add.
    pub(crate) fn reserve(
        &mut self,
        memory: &Memory<'_>,
        filters: Filters<'_, SubscribeFilter<'_>>,
        max: u16,
    ) -> Result<(), Error> {
        let known = |filter| self.iter(memory.subscriptions).any(|entry| entry.filter == filter);
        let new = filters.iter().filter(|entry| !known(entry.filter)).count();
        let total = usize::from(self.len).saturating_add(usize::from(self.pending)).saturating_add(new);
        if total > usize::from(max) {
            return Err(Error::TooManySubscriptions { max });
        }
        check_replay(memory, filters.iter())?;
        let bytes = size(filters.iter());
        let total = self.end.saturating_add(self.pending_bytes).saturating_add(bytes);
        if total > memory.subscriptions.len() {
            return Err(Error::Full(Need::Subscriptions(total.saturating_sub(memory.subscriptions.len()))));
        }
        Ok(())
    }

    /// A SUBSCRIBE of this packet was accepted from the caller.
    pub(crate) fn expect(&mut self, filters: Filters<'_, SubscribeFilter<'_>>) {
        for entry in filters.iter() {
            self.pending = self.pending.saturating_add(1);
            self.pending_bytes = self.pending_bytes.saturating_add(entry_size(entry.filter));
        }
    }

    /// It ended.
    pub(crate) fn expect_no_more(&mut self, filters: Filters<'_, SubscribeFilter<'_>>) {
        for entry in filters.iter() {
            self.pending = self.pending.saturating_sub(1);
            self.pending_bytes = self.pending_bytes.saturating_sub(entry_size(entry.filter));
        }
    }

    /// The server granted a subscription. It takes the place of one with the same filter ([MQTT-3.8.4-3]).
    pub(crate) fn insert(&mut self, list: &mut [u8], entry: SubscribeFilter<'_>) {
        self.remove(list, entry.filter);
        let free = list.get_mut(self.end..).unwrap_or_default();
        let filter = entry.filter.as_bytes();
        let Some((len, free)) = free.split_first_chunk_mut() else {
            return;
        };
        let Some((text, free)) = free.split_at_mut_checked(filter.len()) else {
            return;
        };
        let Some(qos) = free.first_mut() else { return };
        *len = (filter.len() as u16).to_be_bytes();
        copy(text, filter);
        *qos = entry.qos as u8;
        self.end = self.end.wrapping_add(entry_size(entry.filter));
        self.len = self.len.saturating_add(1);
        self.changed = true;
    }

    /// The subscription is no more. A replay under way goes on behind it.
    pub(crate) fn remove(&mut self, list: &mut [u8], filter: TopicFilter<'_>) {
        let Some((at, _)) = listed(self.entries(list)).find(|(_, entry)| entry.filter == filter) else {
            return;
        };
        let size = entry_size(filter);
        let behind = at.saturating_add(size);
        if behind <= self.end && self.end <= list.len() {
            move_down(list, behind, self.end, at);
            self.end = self.end.wrapping_sub(size);
            self.len = self.len.saturating_sub(1);
            self.changed = true;
        }
        let shift = |mark: &mut usize| {
            if at < *mark {
                *mark = mark.saturating_sub(size);
            }
        };
        match &mut self.replay {
            Replay::Done => {}
            Replay::Next { at } => shift(at),
            Replay::Asked { from, until, .. } => {
                shift(from);
                shift(until);
            }
        }
    }

    /// A new connection: ask for everything again, or not.
    pub(crate) const fn start_replay(&mut self, wanted: bool) {
        self.replay = if wanted && self.end > 0 { Replay::Next { at: 0 } } else { Replay::Done };
    }

    /// Whether the server has not answered for all subscriptions that it was, or is to be, asked for again.
    pub(crate) const fn is_replaying(&self) -> bool {
        !matches!(self.replay, Replay::Done)
    }

    /// Whether [`Self::replay`] has something to do.
    #[inline]
    pub(crate) const fn has_replay(&self) -> bool {
        matches!(self.replay, Replay::Next { .. })
    }

    /// Puts the next SUBSCRIBE of the replay into the control lane, if it is time for it and there is room.
    pub(crate) fn replay(&mut self, memory: &mut Memory<'_>, lane: &mut ControlLane) {
        let Replay::Next { at } = self.replay else {
            return;
        };
        if !lane.is_empty() {
            return;
        }
        let entries = memory.subscriptions.get(at..self.end).unwrap_or_default();
        let room = memory.control.len().saturating_sub(HEADER);
        let (mut count, mut bytes) = (0_usize, 0);
        for (begin, entry) in listed(entries) {
            let end = begin.saturating_add(entry_size(entry.filter));
            if end > room {
                break;
            }
            count = count.wrapping_add(1);
            bytes = end;
        }
        let batch = entries.get(..bytes).unwrap_or_default();
        let Some(packet_id) = PacketId::new(Ticket::REPLAY_ID) else {
            return;
        };
        let filters = Filters::from_checked(batch);
        let Ok(written) = (Subscribe { packet_id, filters }).encode(memory.control) else {
            self.replay = Replay::Done;
            return;
        };
        lane.clear();
        lane.written(written);
        self.replay = Replay::Asked { from: at, until: at.saturating_add(bytes), count };
    }

    /// A SUBACK with the replay's identifier: says which entry its answers begin with, and how many there must be.
    /// `None` if none is awaited.
    pub(crate) fn replayed(&mut self, list: &[u8]) -> Option<(usize, usize)> {
        let Replay::Asked { from, until, count } = self.replay else {
            return None;
        };
        let first = listed(list.get(..from).unwrap_or_default()).count();
        self.replay = if until < self.end { Replay::Next { at: until } } else { Replay::Done };
        Some((first, count))
    }

    /// Takes over the entries of an imported session.
    pub(crate) fn restore(&mut self, memory: &mut Memory<'_>, entries: &[u8]) -> Result<(), Error> {
        check_replay(memory, listed(entries).map(|(_, entry)| entry))?;
        let missing = entries.len().saturating_sub(memory.subscriptions.len());
        let Some(place) = memory.subscriptions.get_mut(..entries.len()) else {
            return Err(Error::Full(Need::Subscriptions(missing)));
        };
        copy(place, entries);
        self.end = entries.len();
        self.len = listed(entries).count().min(usize::from(u16::MAX)) as u16;
        self.changed = true;
        Ok(())
    }
}

/// Each entry must fit a SUBSCRIBE of the replay.
fn check_replay<'f>(
    memory: &Memory<'_>,
    filters: impl Iterator<Item = SubscribeFilter<'f>>,
) -> Result<(), Error> {
    let longest = filters.map(|entry| entry_size(entry.filter)).max().unwrap_or_default();
    let missing = longest.saturating_add(HEADER).saturating_sub(memory.control.len());
    if missing == 0 {
        Ok(())
    } else if memory.growable {
        Err(Error::Full(Need::Control(missing)))
    } else {
        Err(Error::TooLarge { size: longest, max: memory.control.len().saturating_sub(HEADER) })
    }
}

/// What one entry takes: length, filter, QoS.
fn entry_size(filter: TopicFilter<'_>) -> usize {
    filter.as_bytes().len().saturating_add(3)
}

/// What these entries take.
fn size<'f>(filters: impl Iterator<Item = SubscribeFilter<'f>>) -> usize {
    filters.fold(0, |sum: usize, entry| sum.saturating_add(entry_size(entry.filter)))
}

/// The entries, each with where it begins.
fn listed(entries: &[u8]) -> impl Iterator<Item = (usize, SubscribeFilter<'_>)> {
    let mut next = 0_usize;
    Filters::from_checked(entries).iter().map(move |entry: SubscribeFilter<'_>| {
        let begin = next;
        next = begin.saturating_add(entry_size(entry.filter));
        (begin, entry)
    })
}
