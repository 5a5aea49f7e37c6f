//! The outbound store: every accepted request, encoded, from acceptance to its terminal event.
//!
//! `tx` holds the packets one behind the other in the order of acceptance, `requests` one entry for each. Three
//! marks move through the entries from old to new:
//!
//! ```text
//!   head ........ reported ........ sent ........ released ........ tail
//!      under way,         handed over,    may be sent,     wait for the
//!      await answers      to be reported  being sent       in-flight window
//! ```
//!
//! What may be sent is always one run of bytes, so it goes out in one write. A publication of QoS 1 or 2 stays where
//! it is until its handshake ends; sending everything again after a reconnect is to close the gaps and to begin from
//! the front. An entry whose request has ended is a gap; gaps are closed when room is needed.

use mqtt_p2p_packet::{Ack, PacketId, PacketType, Publish, QoS};

use crate::constants::{ForSpeed, SIZE_OPTIMIZED};
use crate::copy::{copy, move_down};
use crate::error::{Error, Need};
use crate::passing::Passing;
use crate::storage::Memory;
use crate::ticket::Ticket;

/// The entry of one request in [`Memory::requests`]: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub(crate) ticket: Ticket,
    /// Where its packet begins in `tx`.
    start: u32,
    /// How long its packet is.
    pub(crate) len: u32,
    pub(crate) kind: Kind,
    pub(crate) ahead: Ahead,
    pub(crate) cancel: Cancel,
}

/// Whether a request goes out ahead of publications that wait for the in-flight window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ahead {
    No = 0,
    /// It is the next to go out.
    Going = 1,
    /// It went.
    Gone = 2,
}

/// Whether the caller gave a request up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cancel {
    No = 0,
    /// It did, and its end is to be reported.
    Due = 1,
    /// Its end has been reported; an answer is still awaited.
    Reported = 2,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// It has ended.
    Gap = 0,
    /// A publication of QoS 0, or one that the server has taken already: over once its bytes are handed over.
    Once = 1,
    /// A publication of QoS 1: waits for PUBACK.
    AtLeastOnce = 2,
    /// A publication of QoS 2: waits for PUBREC.
    ExactlyOnce = 3,
    /// The same after PUBREC: waits for PUBCOMP. Its packet is a PUBREL now.
    Release = 4,
    /// Waits for SUBACK.
    Subscribe = 5,
    /// Waits for UNSUBACK.
    Unsubscribe = 6,
    /// A publication of QoS 2 that a server has taken which has lost the session since: over at its turn.
    Taken = 7,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    /// The oldest request that has not ended.
    pub(crate) head: usize,
    /// The oldest whose hand-over may still have to be reported.
    pub(crate) reported: usize,
    /// No request from here on ends once it is handed over.
    ends_before: ForSpeed<usize>,
    /// The oldest that is not handed over to the transport entirely.
    pub(crate) sent: usize,
    /// The oldest that may not be sent yet.
    pub(crate) released: usize,
    /// A request goes out ahead of publications that wait for the in-flight window.
    pub(crate) passing: bool,
    /// A publication of QoS 0 that went ahead is to be reported.
    pub(crate) ahead_ended: bool,
    /// How many of its bytes were handed over.
    pub(crate) passed: u32,
    /// No request before this one that is not released goes ahead, or has to be reported since it did.
    pub(crate) ahead_from: ForSpeed<usize>,
    /// Behind the newest.
    pub(crate) tail: usize,
    /// The next byte to hand over.
    pub(crate) cursor: usize,
    /// Behind the last byte that may be sent.
    pub(crate) limit: usize,
    /// Behind the newest packet's last byte.
    end: usize,
    /// Publications of QoS 1 and 2 that are released and not ended.
    pub(crate) in_flight: u16,
    /// Something has happened since [`Self::release`] that may let more requests be sent.
    pub(crate) release_due: bool,
    /// The oldest that is not in the session that is kept.
    kept: usize,
    next: Ticket,
}

impl Request {
    /// An unused entry.
    pub const EMPTY: Self = Self::new(Ticket::NONE, 0, 0, Kind::Gap);

    #[inline]
    const fn new(ticket: Ticket, start: usize, len: usize, kind: Kind) -> Self {
        Self { ticket, start: start as u32, len: len as u32, kind, ahead: Ahead::No, cancel: Cancel::No }
    }

    #[inline]
    pub(crate) fn end(&self) -> usize {
        (self.start as usize).wrapping_add(self.len as usize)
    }

    /// Whether it still has to end, given whether it is handed over.
    fn is_live(&self, sent: bool) -> bool {
        match self.kind {
            _ if self.cancel == Cancel::Reported => false,
            Kind::Gap => false,
            Kind::Once | Kind::Taken => !sent,
            _ => true,
        }
    }

    pub(crate) fn packet<'m>(&self, tx: &'m [u8]) -> &'m [u8] {
        tx.get(self.start as usize..self.end()).unwrap_or_default()
    }
}

/// The topic filters of a SUBSCRIBE or UNSUBSCRIBE, as they stand in its packet: behind the last byte of the remaining
/// length, and the packet identifier.
pub(crate) fn entries(mut packet: &[u8]) -> &[u8] {
    while let [_, last_of_header, rest @ ..] = packet {
        if *last_of_header <= 0x7f {
            return rest.get(2..).unwrap_or_default();
        }
        packet = packet.get(1..).unwrap_or_default();
    }
    &[]
}

impl Kind {
    #[inline]
    pub(crate) const fn of(qos: QoS) -> Self {
        match qos {
            QoS::AtMostOnce => Self::Once,
            QoS::AtLeastOnce => Self::AtLeastOnce,
            QoS::ExactlyOnce => Self::ExactlyOnce,
        }
    }

    /// Whether the request is over once its bytes are handed over.
    #[inline]
    const fn ends_when_sent(self) -> bool {
        matches!(self, Self::Once | Self::Taken)
    }

    /// Whether it waits for the in-flight window. PUBREL never does: its message counted when it went out.
    #[inline]
    const fn waits_for_the_window(self) -> bool {
        matches!(self, Self::AtLeastOnce | Self::ExactlyOnce)
    }

    /// Whether it counts for the in-flight window.
    #[inline]
    pub(crate) const fn is_acknowledged_publication(self) -> bool {
        matches!(self, Self::AtLeastOnce | Self::ExactlyOnce | Self::Release)
    }
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            head: 0,
            reported: 0,
            ends_before: ForSpeed::new(0),
            sent: 0,
            released: 0,
            passing: false,
            ahead_ended: false,
            passed: 0,
            ahead_from: ForSpeed::new(0),
            tail: 0,
            cursor: 0,
            limit: 0,
            end: 0,
            in_flight: 0,
            release_due: false,
            kept: 0,
            next: Ticket::FIRST,
        }
    }

    /// The packet identifier of the next request.
    #[inline]
    pub(crate) fn next_id(&self) -> PacketId {
        // Every ticket has one.
        self.next.id().unwrap_or(PacketId::MIN)
    }

    /// Where the next packet begins.
    #[inline]
    pub(crate) const fn end(&self) -> usize {
        self.end
    }

    /// Room for a packet, as there is without moving anything, which [`Self::accept`] takes in once it is written.
    #[inline]
    pub(crate) fn free<'m>(&self, tx: &'m mut [u8]) -> &'m mut [u8] {
        tx.get_mut(self.end..).unwrap_or_default()
    }

    /// The packet of this length that was written there.
    pub(crate) fn written<'m>(&self, tx: &'m [u8], len: usize) -> &'m [u8] {
        tx.get(self.end..).and_then(|free| free.get(..len)).unwrap_or_default()
    }

    /// Takes in the request whose packet was written to the room, and lets it be sent if that is allowed now and no other
    /// waits before it.
    ///
    /// # Errors
    /// There is no place for its entry.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn accept(
        &mut self,
        requests: &mut [Request],
        kind: Kind,
        len: usize,
        window: Option<u16>,
    ) -> Result<Ticket, Error> {
        let Some(entry) = requests.get_mut(self.tail) else {
            return Err(Error::Full(Need::Requests));
        };
        let ticket = self.next;
        let request = Request::new(ticket, self.end, len, kind);
        *entry = request;
        let is_next = self.released == self.tail;
        self.tail = self.tail.wrapping_add(1);
        if !SIZE_OPTIMIZED && kind.ends_when_sent() {
            self.ends_before = ForSpeed::new(self.tail);
        }
        self.end = self.end.wrapping_add(len);
        self.next = ticket.next();
        let released = match window {
            Some(window) if !SIZE_OPTIMIZED && is_next => self.release_next(requests, &request, window),
            _ => false,
        };
        if !released {
            self.release_due = true;
        }
        Ok(ticket)
    }

    /// Makes room for a packet of this length and its entry. Memory that can grow is asked to once half of it is in use: so
    /// that what moves costs little for each request, however many are under way.
    #[inline(never)]
    pub(crate) fn make_room(&mut self, memory: &mut Memory<'_>, len: usize) -> Result<(), Error> {
        if len > memory.tx.len() && !memory.growable {
            return Err(Error::TooLarge { size: len, max: memory.tx.len() });
        }
        let is_full = |size: usize, used: usize, more: usize| used.saturating_add(more) > size;
        // What is full, as far as it goes without closing the gaps, is what must have room afterwards.
        let lacks_entry = is_full(memory.requests.len(), self.tail, 1);
        let lacks_bytes = is_full(memory.tx.len(), self.end, len);
        if !lacks_entry && !lacks_bytes {
            return Ok(());
        }
        self.close_gaps(memory);
        let share = u32::from(memory.growable);
        if lacks_entry && is_full(memory.requests.len() >> share, self.tail, 1) {
            return Err(Error::Full(Need::Requests));
        }
        if lacks_bytes && is_full(memory.tx.len() >> share, self.end, len) {
            return Err(Error::Full(Need::Bytes(len)));
        }
        Ok(())
    }

    /// Lets more requests be sent, in order, as far as the in-flight window reaches. Returns how many.
    #[cfg_attr(target_os = "none", inline(always))]
    pub(crate) fn release(
        &mut self,
        requests: &mut [Request],
        window: u16,
        at_most: usize,
        passing: Option<&'static Passing>,
    ) -> usize {
        self.release_due = false;
        let mut count = 0_usize;
        while count < at_most
            && self.has_unreleased()
            && let Some(entry) = requests.get(self.released)
        {
            if let Some(passing) = passing
                && (entry.ahead != Ahead::No || entry.kind == Kind::Gap)
            {
                if !(passing.hop)(self, requests) {
                    break;
                }
                continue;
            }
            // A window of 0 would hold everything back for ever.
            if !self.release_next(requests, entry, window.max(1)) {
                if let Some(passing) = passing {
                    (passing.find)(self, requests);
                    count = count.wrapping_add(usize::from(self.passing));
                }
                break;
            }
            count = count.wrapping_add(1);
        }
        if !self.has_ready() {
            // A request without bytes is passed here, since no write passes it.
            self.pass_sent(requests);
        }
        count
    }

    /// Lets the next request be sent, which is `entry`, unless the in-flight window is full or a packet identifier in
    /// flight could come round again.
    #[inline(always)]
    fn release_next(&mut self, requests: &[Request], entry: &Request, window: u16) -> bool {
        if self.released != self.head && self.is_late(requests, entry) {
            return false;
        }
        if entry.kind.waits_for_the_window() && self.in_flight >= window {
            return false;
        }
        if entry.kind.is_acknowledged_publication() {
            self.in_flight = self.in_flight.wrapping_add(1);
        }
        self.released = self.released.wrapping_add(1);
        self.limit = entry.end();
        true
    }

    /// Whether the packet identifier of this request may be in flight.
    #[inline]
    pub(crate) fn is_late(&self, requests: &[Request], entry: &Request) -> bool {
        let is_far = |oldest: &Request| entry.ticket.distance(oldest.ticket) >= Ticket::ROUND;
        requests.get(self.head).is_none_or(is_far)
    }

    /// Whether a request goes out ahead: see [`Passing`].
    #[inline]
    pub(crate) const fn is_passing(&self) -> bool {
        self.passing
    }

    /// Whether some of that request's bytes are out: the rest goes before anything else.
    pub(crate) const fn has_begun_ahead(&self) -> bool {
        self.passed > 0
    }

    /// Nothing may be sent for now: there is no connection.
    pub(crate) const fn hold_back(&mut self) {
        self.limit = self.cursor;
        self.passing = false;
        self.passed = 0;
    }

    /// Takes back what was released and has not been begun.
    pub(crate) fn withdraw(&mut self, requests: &mut [Request]) {
        if self.passing && self.passed == 0 {
            // It would pass those that are taken back.
            self.passing = false;
            let waiting = requests.get_mut(self.released..self.tail).unwrap_or_default();
            if let Some(entry) = waiting.iter_mut().find(|entry| entry.ahead == Ahead::Going) {
                entry.ahead = Ahead::No;
            }
        }
        while self.sent < self.released
            && let Some(entry) = requests.get(self.released.wrapping_sub(1))
            && entry.start as usize >= self.cursor
        {
            self.released = self.released.wrapping_sub(1);
            self.limit = entry.start as usize;
            if entry.kind.is_acknowledged_publication() {
                self.in_flight = self.in_flight.wrapping_sub(1);
            }
        }
    }

    /// Whether something may not be sent yet.
    #[inline]
    pub(crate) const fn has_unreleased(&self) -> bool {
        self.released < self.tail
    }

    fn entry<'m>(&self, memory: &'m Memory<'_>, index: usize) -> Option<&'m Request> {
        if index < self.tail { memory.requests.get(index) } else { None }
    }

    /// Whether something may go out: the bytes of [`Self::ready`].
    #[inline]
    pub(crate) const fn has_ready(&self) -> bool {
        self.cursor < self.limit
    }

    /// What may go out.
    #[inline]
    pub(crate) fn ready<'m>(&self, tx: &'m [u8]) -> &'m [u8] {
        tx.get(self.cursor..self.limit).unwrap_or_default()
    }

    /// Whether a packet has been begun: its rest, which is [`Self::begun`], goes out before anything else.
    pub(crate) fn has_begun(&self, requests: &[Request]) -> bool {
        self.has_ready() && requests.get(self.sent).is_some_and(|first| self.cursor > first.start as usize)
    }

    /// That rest.
    pub(crate) fn begun<'m>(&self, requests: &[Request], tx: &'m [u8]) -> &'m [u8] {
        let end = requests.get(self.sent).map_or(0, Request::end);
        tx.get(self.cursor..end).unwrap_or_default()
    }

    /// So many of those bytes went out.
    #[inline]
    pub(crate) fn transmitted(&mut self, requests: &[Request], bytes: usize) {
        if bytes < self.limit.saturating_sub(self.cursor) {
            self.cursor = self.cursor.wrapping_add(bytes);
            self.pass_sent(requests);
        } else {
            self.cursor = self.limit;
            self.sent = self.released;
            self.pass_awaiting();
        }
    }

    /// Passes what is handed over entirely; also what has no bytes to hand over.
    #[inline(never)]
    fn pass_sent(&mut self, requests: &[Request]) {
        while self.sent < self.released
            && let Some(entry) = requests.get(self.sent)
            && entry.end() <= self.cursor
        {
            self.sent = self.sent.wrapping_add(1);
        }
        self.pass_awaiting();
    }

    /// Whether [`Self::report`] may find something.
    #[inline]
    pub(crate) const fn has_reports(&self) -> bool {
        self.reported < self.sent
    }

    /// The next request that was handed over and has not been passed.
    #[inline]
    pub(crate) fn next_report(&self, requests: &[Request]) -> Option<(Ticket, Kind)> {
        if !self.has_reports() {
            return None;
        }
        requests.get(self.reported).map(|entry| (entry.ticket, entry.kind))
    }

    /// Ends the publications of QoS 0 that were handed over, up to a request whose end is always an event.
    #[inline(never)]
    pub(crate) fn end_silently(&mut self, requests: &mut [Request]) {
        while let Some((_, kind)) = self.next_report(requests)
            && kind != Kind::Taken
        {
            self.pass_reported(requests, kind);
        }
    }

    /// Passes the next request that was handed over, and ends it if it needs no answer.
    #[inline(always)]
    pub(crate) fn pass_reported(&mut self, requests: &mut [Request], kind: Kind) {
        let index = self.reported;
        self.reported = index.wrapping_add(1);
        if kind.ends_when_sent() {
            self.leave(requests, index);
            self.pass_awaiting();
        }
    }

    /// Passes the requests that were handed over if all of them wait for an answer.
    #[inline]
    const fn pass_awaiting(&mut self) {
        if !SIZE_OPTIMIZED && self.ends_before.get(usize::MAX) <= self.reported {
            self.reported = self.sent;
        }
    }

    /// The request in flight that has this packet identifier, if an answer may be for it.
    pub(crate) fn find(&self, requests: &[Request], id: PacketId) -> Option<usize> {
        let index = self.search(requests, id)?;
        match requests.get(index)?.kind {
            Kind::Gap | Kind::Once | Kind::Taken => None,
            _ => Some(index),
        }
    }

    #[cfg_attr(not(target_os = "none"), inline(never))]
    fn search(&self, requests: &[Request], id: PacketId) -> Option<usize> {
        let pending = requests.get(self.head..self.tail)?;
        let index = if SIZE_OPTIMIZED {
            pending.iter().position(|entry| entry.ticket.packet_id() == id.get())?
        } else {
            let first = pending.first()?.ticket;
            let distance = first.next_with_id(id).distance(first);
            pending.binary_search_by_key(&distance, |entry| entry.ticket.distance(first)).ok()?
        };
        Some(self.head.wrapping_add(index))
    }

    /// The request of this kind that awaits an answer with this packet identifier: the transport has had all of it.
    #[inline]
    pub(crate) fn awaiting(&self, requests: &[Request], id: PacketId, kind: Kind) -> Option<usize> {
        // Answers come in order, nearly always.
        if !SIZE_OPTIMIZED && let Some(oldest) = self.oldest_awaiting(requests, id, kind) {
            return Some(oldest);
        }
        let index = self.search(requests, id)?;
        let entry = requests.get(index)?;
        if entry.kind == kind && (entry.ahead == Ahead::Gone || index < self.sent) {
            Some(index)
        } else {
            None
        }
    }

    /// The same, if it is the oldest of all.
    #[inline(always)]
    pub(crate) fn oldest_awaiting(&self, requests: &[Request], id: PacketId, kind: Kind) -> Option<usize> {
        let oldest = requests.get(self.head)?;
        let is_it = self.head < self.sent
            && oldest.ticket.packet_id() == id.get()
            && oldest.kind == kind
            && oldest.cancel == Cancel::No;
        is_it.then_some(self.head)
    }

    /// Ends a request. `None` if its end has been reported already.
    #[inline]
    pub(crate) fn end_request(&mut self, requests: &mut [Request], index: usize) -> Option<Ticket> {
        let Request { ticket, kind, cancel, .. } = *requests.get(index)?;
        if kind.is_acknowledged_publication() {
            self.in_flight = self.in_flight.wrapping_sub(1);
        }
        self.leave(requests, index);
        if cancel == Cancel::Reported { None } else { Some(ticket) }
    }

    /// PUBREC came: the message is no longer needed, the PUBREL takes its place.
    pub(crate) fn received(&mut self, memory: &mut Memory<'_>, index: usize, packet_id: PacketId) {
        let Some(entry) = memory.requests.get_mut(index) else {
            return;
        };
        let Some(place) = memory.tx.get_mut(entry.start as usize..).and_then(|tx| tx.first_chunk_mut())
        else {
            return;
        };
        *place = Ack::new(packet_id).to_bytes(PacketType::PubRel);
        entry.len = Ack::LEN as u32;
        entry.kind = Kind::Release;
    }

    /// The topic filters of a request: [`entries`].
    pub(crate) fn entries<'m>(requests: &[Request], tx: &'m [u8], index: usize) -> &'m [u8] {
        requests.get(index).map(|request| entries(request.packet(tx))).unwrap_or_default()
    }

    /// A request has ended: its entry becomes a gap, and the oldest gaps are left behind.
    #[inline]
    pub(crate) fn leave(&mut self, requests: &mut [Request], index: usize) {
        if SIZE_OPTIMIZED || index != self.head || index >= self.reported {
            if let Some(entry) = requests.get_mut(index) {
                entry.kind = Kind::Gap;
            }
        } else {
            // No mark looks back behind the head.
            self.head = index.wrapping_add(1);
            if self.head == self.tail {
                return self.begin_anew();
            }
            let is_gap = |entry: &Request| entry.kind == Kind::Gap;
            if self.head < self.reported && requests.get(self.head).is_some_and(is_gap) {
                self.pass_gaps(requests);
            }
        }
        if self.has_unreleased() {
            self.release_due = true;
        }
        if SIZE_OPTIMIZED {
            self.pass_gaps(requests);
        }
    }

    /// Leaves the oldest gaps behind.
    #[cfg_attr(not(target_os = "none"), inline(never))]
    fn pass_gaps(&mut self, requests: &[Request]) {
        // What is not reported is no gap, so that the head stays behind the other marks.
        while self.head < self.reported
            && requests.get(self.head).is_some_and(|entry| entry.kind == Kind::Gap)
        {
            self.head = self.head.wrapping_add(1);
        }
        if self.head == self.tail {
            self.begin_anew();
        }
    }

    /// Every request has ended.
    #[inline]
    pub(crate) const fn begin_anew(&mut self) {
        *self = Self { next: self.next, ..Self::new() };
    }

    /// Prepares to send everything again over a new connection, in its order.
    ///
    /// With the session: publications that were sent carry DUP ([MQTT-3.3.1-1]), and PUBREL where PUBREC was seen
    /// ([MQTT-4.4.0-1]). Without it: as new ones, but for those whose PUBREC was seen: the server took them. Counts the
    /// publications that were sent and are sent again.
    pub(crate) fn rewind(&mut self, memory: &mut Memory<'_>, session_present: bool) -> u32 {
        let cursor = self.cursor;
        let mut resends = 0_u32;
        for entry in memory.requests.get_mut(self.head..self.tail).unwrap_or_default() {
            let begun = (entry.start as usize) < cursor;
            entry.ahead = Ahead::No;
            match entry.kind {
                // Nothing more is asked of the server, but to forget a message that it has taken.
                kind if entry.cancel == Cancel::Reported && !(session_present && kind == Kind::Release) => {
                    entry.kind = Kind::Gap;
                }
                Kind::Release if !session_present => {
                    entry.kind = Kind::Taken;
                    entry.len = 0;
                }
                Kind::AtLeastOnce | Kind::ExactlyOnce if !session_present || begun => {
                    resends = resends.wrapping_add(u32::from(begun));
                    let packet = memory.tx.get_mut(entry.start as usize..).unwrap_or_default();
                    Publish::set_dup(packet, session_present);
                }
                _ => {}
            }
        }
        self.begin_from_the_front(memory);
        resends
    }

    /// Nothing has been sent of all that there is.
    fn begin_from_the_front(&mut self, memory: &mut Memory<'_>) {
        self.close_gaps(memory);
        self.reported = 0;
        self.sent = 0;
        self.released = 0;
        self.cursor = 0;
        self.limit = 0;
        self.in_flight = 0;
        self.passed = 0;
        self.passing = false;
        self.release_due = true;
        self.ends_before = ForSpeed::new(self.tail);
    }

    /// Moves everything to the front.
    pub(crate) fn close_gaps(&mut self, memory: &mut Memory<'_>) {
        let within =
            self.entry(memory, self.sent).map_or(0, |entry| self.cursor.saturating_sub(entry.start as usize));
        let had_ready = self.has_ready();
        (self.cursor, self.limit, self.end) = (0, 0, 0);
        let mut marks = [self.reported, self.sent, self.released, self.kept, self.tail];
        let (mut from, mut to) = (0_usize, 0_usize);
        while let [_, sent, released, _, tail] = marks
            && to < tail
            && let Some(&request) = memory.requests.get(from)
        {
            if from < self.head || request.kind == Kind::Gap {
                // All marks behind it move up.
                for mark in &mut marks {
                    *mark = mark.wrapping_sub(usize::from(to < *mark));
                }
            } else {
                let start = request.start as usize;
                let mut moved = Request { start: self.end as u32, ..request };
                if request.kind == Kind::Once && to < sent {
                    moved.len = 0;
                }
                move_down(memory.tx, start, start.wrapping_add(moved.len as usize), self.end);
                self.end = moved.end();
                if to < sent {
                    self.cursor = self.end;
                }
                if to < released {
                    self.limit = self.end;
                }
                if let Some(place) = memory.requests.get_mut(to) {
                    *place = moved;
                }
                to = to.wrapping_add(1);
            }
            from = from.wrapping_add(1);
        }
        self.head = 0;
        self.ahead_from = ForSpeed::new(0);
        [self.reported, self.sent, self.released, self.kept, self.tail] = marks;
        self.cursor = self.cursor.wrapping_add(within);
        if !had_ready {
            self.limit = self.cursor;
        }
    }

    /// Gives up the request with this ticket. `false` if it is not pending, or is over once the write in progress is.
    pub(crate) fn cancel(&mut self, requests: &mut [Request], ticket: Ticket) -> bool {
        let index = ticket.id().and_then(|id| self.search(requests, id));
        let Some((index, entry)) = index.and_then(|index| Some((index, requests.get(index)?))) else {
            return false;
        };
        let may_end =
            !entry.kind.ends_when_sent() || (entry.kind == Kind::Once && !self.is_begun(index, entry));
        let is_pending = entry.ticket == ticket && entry.kind != Kind::Gap && entry.cancel == Cancel::No;
        if may_end
            && is_pending
            && let Some(entry) = requests.get_mut(index)
        {
            entry.cancel = Cancel::Due;
            return true;
        }
        false
    }

    /// Whether the end of a request in flight has been reported: the caller gave it up.
    pub(crate) fn is_cancelled(&self, requests: &[Request], index: usize) -> bool {
        requests.get(index).is_some_and(|entry| entry.cancel == Cancel::Reported)
    }

    /// Gives up all requests.
    pub(crate) fn cancel_all(&self, requests: &mut [Request]) {
        for entry in requests.get_mut(self.head..self.tail).unwrap_or_default() {
            if entry.cancel == Cancel::No {
                entry.cancel = Cancel::Due;
            }
        }
    }

    /// Whether the transport has had some of a request's packet.
    fn is_begun(&self, index: usize, entry: &Request) -> bool {
        index < self.sent
            || entry.ahead == Ahead::Gone
            || (index == self.sent && index < self.released && self.cursor > entry.start as usize)
            || (entry.ahead == Ahead::Going && self.passed > 0)
    }

    /// Takes the next request that was given up, and returns it. If the transport has had some of it, its answer is still
    /// awaited.
    pub(crate) fn drop_next(&mut self, requests: &mut [Request], connected: bool) -> Option<Request> {
        let pending = requests.get(self.head..self.tail)?;
        let is_due = |entry: &Request| entry.cancel == Cancel::Due && entry.kind != Kind::Gap;
        let index = self.head.wrapping_add(pending.iter().position(is_due)?);
        let request = *requests.get(index)?;
        let is_begun = self.is_begun(index, &request);
        if connected && !is_begun {
            self.withdraw(requests);
        }
        let counts = request.kind.is_acknowledged_publication()
            && (request.ahead == Ahead::Gone || index < self.released);
        let entry = requests.get_mut(index)?;
        if connected && is_begun {
            entry.cancel = Cancel::Reported;
            return Some(request);
        }
        entry.kind = Kind::Gap;
        if entry.ahead == Ahead::Going {
            entry.ahead = Ahead::No;
            self.passing = false;
        }
        if counts {
            self.in_flight = self.in_flight.wrapping_sub(1);
        }
        if !connected && index == self.head {
            // Without a connection the marks behind the head mean nothing.
            self.head = index.wrapping_add(1);
            if self.head == self.tail {
                self.begin_anew();
            }
        }
        self.release_due = true;
        Some(request)
    }

    /// The requests that have not ended, in their order: each with its packet, and whether the transport had any of
    /// it.
    pub(crate) fn live<'m>(
        &self,
        memory: &'m Memory<'_>,
    ) -> impl Iterator<Item = (&'m Request, &'m [u8], bool)> + use<'m> {
        let cursor = self.cursor;
        let tx: &'m [u8] = memory.tx;
        self.live_entries(memory.requests).map(move |entry| {
            let packet = entry.packet(tx);
            (
                entry,
                packet,
                entry.ahead == Ahead::Gone || (entry.start as usize) < cursor || Publish::is_dup(packet),
            )
        })
    }

    /// The next publication that is not in the session that is kept.
    pub(crate) fn next_unkept(&mut self, requests: &[Request]) -> Option<Ticket> {
        while self.kept < self.tail
            && let Some(entry) = requests.get(self.kept)
        {
            self.kept = self.kept.wrapping_add(1);
            if entry.kind.is_acknowledged_publication() {
                return Some(entry.ticket);
            }
        }
        None
    }

    /// All that there is comes from what is kept.
    pub(crate) const fn note_kept(&mut self) {
        self.kept = self.tail;
    }

    /// Their tickets.
    pub(crate) fn tickets<'m>(&self, requests: &'m [Request]) -> impl Iterator<Item = Ticket> + use<'m> {
        self.live_entries(requests).map(|entry| entry.ticket)
    }

    /// How many entries are no gaps.
    pub(crate) fn in_use(&self, requests: &[Request]) -> usize {
        let entries = requests.get(self.head..self.tail).unwrap_or_default();
        entries.iter().filter(|entry| entry.kind != Kind::Gap).count()
    }

    fn live_entries<'m>(&self, requests: &'m [Request]) -> impl Iterator<Item = &'m Request> + use<'m> {
        let (head, sent) = (self.head, self.sent);
        let entries = requests.get(head..self.tail).unwrap_or_default();
        (head..)
            .zip(entries)
            .filter(move |(index, entry)| entry.is_live(*index < sent))
            .map(|(_, entry)| entry)
    }

    pub(crate) const fn next_ticket(&self) -> Ticket {
        self.next
    }

    /// Publications of QoS 1 and 2 under way.
    pub(crate) const fn in_flight(&self) -> u16 {
        self.in_flight
    }

    /// Whether a ticket may come next in a session: later than all, and not so late that it seems to be earlier.
    pub(crate) fn may_follow(&self, memory: &Memory<'_>, ticket: Ticket) -> bool {
        let entries = memory.requests.get(..self.tail).unwrap_or_default();
        [entries.first(), entries.last()].into_iter().flatten().all(|entry| ticket.follows(entry.ticket))
    }

    /// Takes in a request of an imported session, behind those that are there.
    pub(crate) fn restore(
        &mut self,
        memory: &mut Memory<'_>,
        ticket: Ticket,
        kind: Kind,
        packet: &[u8],
        sent: bool,
    ) -> Result<(), Error> {
        let end = self.end.saturating_add(packet.len());
        let Some(place) = memory.tx.get_mut(self.end..end) else {
            return Err(Error::Full(Need::Bytes(packet.len())));
        };
        let Some(entry) = memory.requests.get_mut(self.tail) else {
            return Err(Error::Full(Need::Requests));
        };
        copy(place, packet);
        if sent {
            Publish::set_dup(place, true);
        }
        *entry = Request::new(ticket, self.end, packet.len(), kind);
        self.tail = self.tail.wrapping_add(1);
        self.end = end;
        Ok(())
    }

    /// The ticket that the next request gets, after an import.
    pub(crate) const fn restore_next(&mut self, next: Ticket) {
        self.next = next;
    }
}
