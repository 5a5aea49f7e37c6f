//! The subscriptions that the server granted, and their replay after a reconnect.

use mqtt_p2p_packet::{Filters, PacketId, ReasonCode, ReturnCodes, Subscribe, SubscribeFilter};

use crate::constants::SIZE_OPTIMIZED;
use crate::control::ControlLane;
use crate::copy::{copy, move_down};
use crate::error::{Error, Need};
use crate::storage::Memory;
use crate::ticket::Ticket;

/// The fixed header and the packet identifier of a SUBSCRIBE take at most so much.
const HEADER: usize = 7;
/// What follows the topic filter in an entry of SUBSCRIBE.
pub(crate) const QOS: usize = 1;
/// A search walks through this many sections of the list side by side: where an entry begins is known only once the one
/// before it has been read, and the processor waits for one section while it reads the others.
const SECTIONS: usize = if SIZE_OPTIMIZED { 1 } else { 3 };

/// The list, in [`Memory::subscriptions`], as the entries of a SUBSCRIBE packet.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    /// Behind the last entry.
    end: usize,
    /// Where the sections after the first begin.
    sections: [usize; SECTIONS - 1],
    /// Bytes and entries that SUBSCRIBEs under way may add.
    pending_bytes: usize,
    pending: usize,
    replay: Replay,
    /// The entries that the last SUBSCRIBE of the replay asked for and that have not been removed since are these bytes;
    /// the next one begins behind them.
    asked_from: usize,
    asked_until: usize,
    /// How many there were.
    asked: usize,
    /// Since it was kept.
    changed: bool,
}

/// How far the replay is: one SUBSCRIBE at a time, of as many entries as the control lane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    Done,
    /// The next SUBSCRIBE is due.
    Next,
    /// A SUBSCRIBE is under way.
    Asked,
}

impl Subscriptions {
    pub(crate) const fn new() -> Self {
        Self {
            end: 0,
            sections: [0; SECTIONS - 1],
            pending_bytes: 0,
            pending: 0,
            replay: Replay::Done,
            asked_from: 0,
            asked_until: 0,
            asked: 0,
            changed: false,
        }
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
        Filters::from_checked(self.entries(list)).iter()
    }

    /// Whether the list changed since this was asked last: it counts as kept from now on.
    pub(crate) const fn take_changed(&mut self) -> bool {
        core::mem::replace(&mut self.changed, false)
    }

    /// The list, as it is, is not stored yet.
    pub(crate) const fn note_changed(&mut self) {
        self.changed = true;
    }

    /// Whether there is room for what a SUBSCRIBE with these entries may add.
    pub(crate) fn check(&self, memory: &Memory<'_>, entries: &[u8], max: u16) -> Result<(), Error> {
        if max != u16::MAX {
            let new = count(entries, |field| self.find(memory.subscriptions, field).is_none());
            let known = count_all(self.entries(memory.subscriptions));
            if known.saturating_add(self.pending).saturating_add(new) > usize::from(max) {
                return Err(Error::TooManySubscriptions { max });
            }
        }
        check_replay(memory, entries)?;
        let total = self.end.saturating_add(self.pending_bytes).saturating_add(entries.len());
        if total > memory.subscriptions.len() {
            return Err(Error::Full(Need::Subscriptions(total.saturating_sub(memory.subscriptions.len()))));
        }
        Ok(())
    }

    /// A SUBSCRIBE with these entries was accepted from the caller.
    pub(crate) fn expect(&mut self, entries: &[u8]) {
        self.pending = self.pending.wrapping_add(count_all(entries));
        self.pending_bytes = self.pending_bytes.wrapping_add(entries.len());
    }

    /// It ended.
    pub(crate) fn expect_no_more(&mut self, entries: &[u8]) {
        self.pending = self.pending.wrapping_sub(count_all(entries));
        self.pending_bytes = self.pending_bytes.wrapping_sub(entries.len());
    }

    /// A SUBSCRIBE was answered, with one code for each of its entries.
    pub(crate) fn granted(&mut self, list: &mut [u8], mut entries: &[u8], codes: ReturnCodes<'_>) {
        self.expect_no_more(entries);
        for code in codes.as_bytes() {
            let Some((field, entry, rest)) = split(entries, QOS) else { return };
            if *code < ReasonCode::UnspecifiedError as u8 {
                self.insert(list, field, entry);
            }
            entries = rest;
        }
    }

    /// The server granted a subscription. It takes the place of one with the same filter ([MQTT-3.8.4-3]).
    fn insert(&mut self, list: &mut [u8], field: &[u8], entry: &[u8]) {
        self.remove(list, field);
        let end = self.end.wrapping_add(entry.len());
        let Some(place) = list.get_mut(self.end..end) else { return };
        copy(place, entry);
        self.end = end;
        self.changed = true;
        self.divide(list);
    }

    /// Moves the beginnings of the sections on, as far as the list has grown.
    fn divide(&mut self, list: &[u8]) {
        if SIZE_OPTIMIZED {
            return;
        }
        let entries = self.entries(list);
        let section = self.end / SECTIONS;
        let mut target = 0_usize;
        for start in &mut self.sections {
            target = target.wrapping_add(section);
            while let Some((_, entry, _)) = split(entries.get(*start..).unwrap_or_default(), QOS)
                && start.wrapping_add(entry.len()) <= target
            {
                *start = start.wrapping_add(entry.len());
            }
        }
    }

    /// Where the entry with this topic filter begins.
    fn find(&self, list: &[u8], field: &[u8]) -> Option<usize> {
        let entries = self.entries(list);
        if SIZE_OPTIMIZED {
            let mut rest = entries;
            while let Some((known, _, behind)) = split(rest, QOS) {
                if known.iter().eq(field) {
                    return Some(self.end.wrapping_sub(rest.len()));
                }
                rest = behind;
            }
            return None;
        }
        let len = field.first_chunk()?;
        let mut sections = [(0, self.end); SECTIONS];
        let mut start = 0;
        for (section, end) in sections.iter_mut().zip(self.sections.into_iter().chain([self.end])) {
            *section = (start, end);
            start = end;
        }
        let mut walked = 0_usize;
        while walked < SECTIONS {
            walked = 0;
            for (at, end) in &mut sections {
                if let Some(rest) = entries.get(*at..*end)
                    && let Some(known) = rest.first_chunk()
                {
                    if known == len && is_same(rest, field) {
                        return Some(*at);
                    }
                    *at = at.wrapping_add(field_size(*known)).wrapping_add(QOS);
                } else {
                    walked = walked.wrapping_add(1);
                }
            }
        }
        None
    }

    /// The subscription to this topic filter, behind its length, is no more. A replay under way goes on behind it.
    pub(crate) fn remove(&mut self, list: &mut [u8], field: &[u8]) {
        let Some(at) = self.find(list, field) else { return };
        let size = field.len().wrapping_add(QOS);
        move_down(list, at.wrapping_add(size), self.end, at);
        self.end = self.end.wrapping_sub(size);
        self.changed = true;
        let moved = |mark: usize| if at < mark { mark.wrapping_sub(size) } else { mark };
        self.asked_from = moved(self.asked_from);
        self.asked_until = moved(self.asked_until);
        for start in &mut self.sections {
            *start = moved(*start);
        }
    }

    /// The same for all topic filters of an UNSUBSCRIBE.
    pub(crate) fn remove_all(&mut self, list: &mut [u8], mut entries: &[u8]) {
        while let Some((field, _, rest)) = split(entries, 0) {
            self.remove(list, field);
            entries = rest;
        }
    }

    /// A new connection: ask for everything again, or not.
    pub(crate) const fn start_replay(&mut self, wanted: bool) {
        self.replay = if wanted && !self.is_empty() { Replay::Next } else { Replay::Done };
        self.asked_until = 0;
    }

    /// Whether the server has not answered for all subscriptions that it was, or is to be, asked for again.
    pub(crate) const fn is_replaying(&self) -> bool {
        !matches!(self.replay, Replay::Done)
    }

    /// Whether [`Self::replay`] has something to do.
    #[inline]
    pub(crate) const fn has_replay(&self) -> bool {
        matches!(self.replay, Replay::Next)
    }

    /// Puts the next SUBSCRIBE of the replay into the control lane, if it is time for it and there is room.
    pub(crate) fn replay(&mut self, memory: &mut Memory<'_>, lane: &mut ControlLane) {
        if !self.has_replay() || !lane.is_empty() {
            return;
        }
        let at = self.asked_until;
        let entries = memory.subscriptions.get(at..self.end).unwrap_or_default();
        let room = memory.control.len().saturating_sub(HEADER);
        let (mut count, mut bytes, mut rest) = (0_usize, 0_usize, entries);
        while let Some((_, entry, behind)) = split(rest, QOS)
            && bytes.saturating_add(entry.len()) <= room
        {
            count = count.wrapping_add(1);
            bytes = bytes.wrapping_add(entry.len());
            rest = behind;
        }
        let batch = entries.get(..bytes).unwrap_or_default();
        let Some(packet_id) = PacketId::new(Ticket::REPLAY_ID) else {
            return;
        };
        let filters = Filters::<SubscribeFilter<'_>>::from_checked(batch);
        let Ok(written) = Subscribe::new(packet_id, filters).encode(memory.control) else {
            self.replay = Replay::Done;
            return;
        };
        lane.clear();
        lane.written(written);
        self.replay = Replay::Asked;
        self.asked_from = at;
        self.asked_until = at.wrapping_add(bytes);
        self.asked = count;
    }

    /// A SUBACK with the replay's identifier: says which entry its answers begin with, and how many there must be.
    /// `None` if none is awaited.
    pub(crate) fn replayed(&mut self, list: &[u8]) -> Option<(usize, usize)> {
        if self.replay != Replay::Asked {
            return None;
        }
        let first = count_all(list.get(..self.asked_from).unwrap_or_default());
        self.replay = if self.asked_until < self.end { Replay::Next } else { Replay::Done };
        Some((first, self.asked))
    }

    /// Takes over the entries of an imported session.
    pub(crate) fn restore(&mut self, memory: &mut Memory<'_>, entries: &[u8]) -> Result<(), Error> {
        check_replay(memory, entries)?;
        let missing = entries.len().saturating_sub(memory.subscriptions.len());
        let Some(place) = memory.subscriptions.get_mut(..entries.len()) else {
            return Err(Error::Full(Need::Subscriptions(missing)));
        };
        copy(place, entries);
        self.end = entries.len();
        self.divide(memory.subscriptions);
        Ok(())
    }
}

/// Each entry must fit a SUBSCRIBE of the replay.
fn check_replay(memory: &Memory<'_>, entries: &[u8]) -> Result<(), Error> {
    let mut longest = 0;
    let mut rest = entries;
    while let Some((_, entry, behind)) = split(rest, QOS) {
        longest = entry.len().max(longest);
        rest = behind;
    }
    let missing = longest.saturating_add(HEADER).saturating_sub(memory.control.len());
    if missing == 0 {
        Ok(())
    } else if memory.growable {
        Err(Error::Full(Need::Control(missing)))
    } else {
        Err(Error::TooLarge { size: longest, max: memory.control.len().saturating_sub(HEADER) })
    }
}

/// The first entry: its topic filter behind two bytes of length, with what so many bytes say of it, and what follows.
pub(crate) fn split(entries: &[u8], more: usize) -> Option<(&[u8], &[u8], &[u8])> {
    let [high, low, ..] = entries else { return None };
    let field = field_size([*high, *low]);
    let (entry, rest) = entries.split_at_checked(field.wrapping_add(more))?;
    Some((entry.get(..field)?, entry, rest))
}

/// The size of a topic filter behind its length, which is this.
const fn field_size(len: [u8; 2]) -> usize {
    (u16::from_be_bytes(len) as usize).wrapping_add(2)
}

/// Whether the bytes begin with this topic filter behind its length: compared word by word, since most differ early.
#[inline(never)]
fn is_same(rest: &[u8], field: &[u8]) -> bool {
    let Some(known) = rest.get(..field.len()) else { return false };
    let (known, known_rest) = known.as_chunks::<8>();
    let (field, field_rest) = field.as_chunks();
    known.iter().eq(field) && known_rest == field_rest
}

/// How many there are of a kind.
fn count(mut entries: &[u8], is_one: impl Fn(&[u8]) -> bool) -> usize {
    let mut count = 0_usize;
    while let Some((field, _, rest)) = split(entries, QOS) {
        count = count.wrapping_add(usize::from(is_one(field)));
        entries = rest;
    }
    count
}

/// How many there are.
pub(crate) fn count_all(entries: &[u8]) -> usize {
    count(entries, |_| true)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::vec::Vec;

    use super::Subscriptions;

    fn entry(number: usize) -> Vec<u8> {
        let text = format!("topic/{}/{number}", "x".repeat(number % 13));
        let mut entry = (text.len() as u16).to_be_bytes().to_vec();
        entry.extend(text.bytes().chain([1]));
        entry
    }

    #[test]
    fn each_entry_is_found_whatever_was_added_and_removed() {
        let mut list = [0; 2048];
        let mut subscriptions = Subscriptions::new();
        let mut known: Vec<usize> = Vec::new();
        let mut random = 1_u32;
        for _ in 0..5_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (random >> 16) as usize % 60;
            let entry = entry(number);
            let (field, _) = entry.split_at(entry.len() - 1);
            known.retain(|known| *known != number);
            if random & 0x8000 == 0 {
                subscriptions.insert(&mut list, field, &entry);
                known.push(number);
            } else {
                subscriptions.remove(&mut list, field);
            }
            let mut at = 0;
            for number in 0..60 {
                let entry = self::entry(number);
                let found = subscriptions.find(&list, &entry[..entry.len() - 1]);
                assert_eq!(found.is_some(), known.contains(&number));
            }
            for number in &known {
                let entry = self::entry(*number);
                assert_eq!(subscriptions.find(&list, &entry[..entry.len() - 1]), Some(at));
                at += entry.len();
            }
            assert_eq!(subscriptions.end, at);
        }
    }
}
