//! The subscriptions that the server granted, and their replay after a reconnect.

use mqtt_p2p_packet::{Filters, PacketId, Subscribe, SubscribeFilter, TopicFilter};

use crate::control::ControlLane;
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
}

/// How far the replay is: one SUBSCRIBE at a time, of as many entries as the control lane holds.
#[derive(Clone, Copy, Debug)]
enum Replay {
    Done,
    /// The next SUBSCRIBE begins with this byte and entry.
    Next {
        at: usize,
        first: usize,
    },
    /// A SUBSCRIBE with entries from `first` up to this byte is under way.
    Asked {
        until: usize,
        first: usize,
        count: usize,
    },
}

impl Subscriptions {
    pub(crate) const fn new() -> Self {
        Self {
            end: 0,
            len: 0,
            pending_bytes: 0,
            pending: 0,
            replay: Replay::Done,
        }
    }

    /// The entries.
    pub(crate) fn entries<'m>(&self, list: &'m [u8]) -> &'m [u8] {
        list.get(..self.end).unwrap_or_default()
    }

    /// The list.
    pub(crate) fn iter<'m>(&self, list: &'m [u8]) -> impl Iterator<Item = SubscribeFilter<'m>> + use<'m> {
        listed(self.entries(list)).map(|(_, entry)| entry)
    }

    /// Keeps room for what a SUBSCRIBE may add.
    pub(crate) fn reserve(
        &mut self,
        memory: &Memory<'_>,
        filters: &[SubscribeFilter<'_>],
        max: u16,
    ) -> Result<(), Error> {
        let known = |filter| {
            self.iter(memory.subscriptions)
                .any(|entry| entry.filter == filter)
        };
        let new = filters.iter().filter(|entry| !known(entry.filter)).count();
        let total = usize::from(self.len)
            .saturating_add(usize::from(self.pending))
            .saturating_add(new);
        if total > usize::from(max) {
            return Err(Error::TooManySubscriptions { max });
        }
        // Each must fit a SUBSCRIBE of the replay.
        let longest = filters
            .iter()
            .map(|entry| entry_size(entry.filter))
            .max()
            .unwrap_or_default();
        let missing = longest
            .saturating_add(HEADER)
            .saturating_sub(memory.control.len());
        if missing > 0 {
            if memory.growable {
                return Err(Error::Full(Need::Control(missing)));
            }
            return Err(Error::TooLarge {
                size: longest,
                max: memory.control.len().saturating_sub(HEADER),
            });
        }
        let bytes = size(filters.iter().copied());
        let total = self.end.saturating_add(self.pending_bytes).saturating_add(bytes);
        if total > memory.subscriptions.len() {
            return Err(Error::Full(Need::Subscriptions(
                total.saturating_sub(memory.subscriptions.len()),
            )));
        }
        Ok(())
    }

    /// A SUBSCRIBE of this packet was accepted from the caller.
    pub(crate) fn expect<'f>(&mut self, filters: impl Iterator<Item = SubscribeFilter<'f>>) {
        for entry in filters {
            self.pending = self.pending.saturating_add(1);
            self.pending_bytes = self.pending_bytes.saturating_add(entry_size(entry.filter));
        }
    }

    /// It ended.
    pub(crate) fn expect_no_more(&mut self, count: usize, bytes: usize) {
        self.pending = self
            .pending
            .saturating_sub(count.min(usize::from(u16::MAX)) as u16);
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
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
        text.copy_from_slice(filter);
        *qos = entry.qos as u8;
        self.end = self.end.wrapping_add(entry_size(entry.filter));
        self.len = self.len.saturating_add(1);
    }

    /// The subscription is no more. A replay under way goes on behind it.
    pub(crate) fn remove(&mut self, list: &mut [u8], filter: TopicFilter<'_>) {
        let Some((at, _)) = listed(self.entries(list)).find(|(_, entry)| entry.filter == filter) else {
            return;
        };
        let size = entry_size(filter);
        let behind = at.saturating_add(size);
        if behind <= self.end && self.end <= list.len() {
            list.copy_within(behind..self.end, at);
            self.end = self.end.wrapping_sub(size);
            self.len = self.len.saturating_sub(1);
        }
        match &mut self.replay {
            Replay::Next { at: next, first } if at < *next => {
                *next = next.saturating_sub(size);
                *first = first.saturating_sub(1);
            }
            Replay::Asked { until, .. } if at < *until => *until = until.saturating_sub(size),
            _ => {}
        }
    }

    /// A new connection: ask for everything again, or not.
    pub(crate) const fn start_replay(&mut self, wanted: bool) {
        self.replay = if wanted && self.end > 0 {
            Replay::Next { at: 0, first: 0 }
        } else {
            Replay::Done
        };
    }

    /// Puts the next SUBSCRIBE of the replay into the control lane, if it is time for it and there is room.
    pub(crate) fn replay(&mut self, memory: &mut Memory<'_>, lane: &mut ControlLane) {
        let Replay::Next { at, first } = self.replay else {
            return;
        };
        if lane.ready().is_some() {
            return;
        }
        let entries = memory.subscriptions.get(at..self.end).unwrap_or_default();
        let room = memory.control.len().saturating_sub(HEADER);
        let (count, bytes) = listed(entries)
            .map(|(at, entry)| at.saturating_add(entry_size(entry.filter)))
            .take_while(|end| *end <= room)
            .fold((0_usize, 0), |(count, _), end| (count.wrapping_add(1), end));
        let batch = entries.get(..bytes).unwrap_or_default();
        let (Some(packet_id), Ok(filters)) =
            (PacketId::new(Ticket::RESERVED_ID), Filters::from_encoded(batch))
        else {
            self.replay = Replay::Done;
            return;
        };
        if let Ok(written) = (Subscribe { packet_id, filters }).encode(memory.control) {
            lane.clear();
            lane.written(written);
            self.replay = Replay::Asked {
                until: at.saturating_add(bytes),
                first,
                count,
            };
        }
    }

    /// A SUBACK with the replay's identifier: says which entry its answers begin with, and how many there must be.
    /// `None` if none is awaited.
    pub(crate) fn replayed(&mut self) -> Option<(usize, usize)> {
        let Replay::Asked { until, first, count } = self.replay else {
            return None;
        };
        let next = first.saturating_add(count);
        self.replay = if until < self.end {
            Replay::Next {
                at: until,
                first: next,
            }
        } else {
            Replay::Done
        };
        Some((first, count))
    }

    /// Takes over the entries of an imported session.
    pub(crate) fn restore(&mut self, list: &mut [u8], entries: &[u8]) -> Result<(), Error> {
        let missing = entries.len().saturating_sub(list.len());
        let Some(place) = list.get_mut(..entries.len()) else {
            return Err(Error::Full(Need::Subscriptions(missing)));
        };
        if place.len() == entries.len() {
            place.copy_from_slice(entries);
        }
        self.end = entries.len();
        self.len = listed(entries).count().min(usize::from(u16::MAX)) as u16;
        Ok(())
    }
}

/// What one entry takes: length, filter, QoS.
fn entry_size(filter: TopicFilter<'_>) -> usize {
    filter.as_bytes().len().saturating_add(3)
}

/// What these entries take.
pub(crate) fn size<'f>(filters: impl Iterator<Item = SubscribeFilter<'f>>) -> usize {
    filters.fold(0, |sum: usize, entry| {
        sum.saturating_add(entry_size(entry.filter))
    })
}

/// The entries, each with where it begins.
fn listed(entries: &[u8]) -> impl Iterator<Item = (usize, SubscribeFilter<'_>)> {
    let filters = Filters::<SubscribeFilter<'_>>::from_encoded(entries).ok();
    filters
        .into_iter()
        .flat_map(|filters| filters.iter())
        .scan(0_usize, |at, entry| {
            let begin = *at;
            *at = at.saturating_add(entry_size(entry.filter));
            Some((begin, entry))
        })
}
