//! Transports: two pipes, and who still holds which end.

use std::collections::VecDeque;

use mqtt_p2p_emulator::ConnectionId;

use crate::up::Arrival;

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// From `start` on: the first `arrived` of them are at the other end, and not taken yet; the rest is under way.
    bytes: Vec<u8>,
    start: usize,
    pub(crate) arrived: usize,
    /// The writer has closed: the end follows the bytes.
    pub(crate) ended: bool,
    /// What is written now goes nowhere.
    pub(crate) broken: bool,
    /// Nothing moves, and no end comes.
    pub(crate) hole: bool,
    pub(crate) stalled_until: u64,
    /// There is an event that moves it.
    pub(crate) scheduled: bool,
}

impl Pipe {
    /// How many bytes have not been taken.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) const fn under_way(&self) -> usize {
        self.len() - self.arrived
    }

    /// The first so many bytes.
    pub(crate) fn first(&self, count: usize) -> &[u8] {
        &self.bytes[self.start..self.start + count]
    }

    /// Lends out the bytes that have arrived, until [`Self::give_back`].
    pub(crate) fn lend(&mut self) -> (Vec<u8>, usize) {
        (std::mem::take(&mut self.bytes), self.start)
    }

    pub(crate) fn give_back(&mut self, bytes: Vec<u8>) {
        self.bytes = bytes;
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
        self.arrived = 0;
    }

    /// Where bytes are written to.
    pub(crate) fn writer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The reader took so many bytes of those that arrived.
    pub(crate) fn taken(&mut self, count: usize) {
        self.start += count;
        self.arrived -= count;
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// Breaks: of what is under way, any beginning still arrives.
    pub(crate) fn cut(&mut self, chance: &mut fastrand::Rng) {
        let keep = if chance.bool() { self.arrived } else { chance.usize(self.arrived..=self.len()) };
        self.bytes.truncate(self.start + keep);
        self.broken = true;
        self.ended = true;
    }

    pub(crate) fn swallow(&mut self) {
        self.bytes.truncate(self.start + self.arrived);
        self.broken = true;
        self.hole = true;
    }
}

/// The server's view of a connection.
#[derive(Debug, Default)]
pub(crate) struct Conn {
    /// CONNECT came and was accepted.
    pub(crate) accepted: bool,
    pub(crate) way: Arrival,
    pub(crate) keep_alive: u64,
    pub(crate) last_heard: u64,
    /// Identifiers under which PUBACK is due, in their order; the same for PUBREC.
    pub(crate) acks_due: VecDeque<u16>,
    pub(crate) recs_due: VecDeque<u16>,
    /// Identifiers that were answered with PUBREC over this connection: PUBREL comes in this order.
    pub(crate) rels_due: VecDeque<u16>,
    /// What goes alone came, and is not answered.
    pub(crate) alone: bool,
    /// DISCONNECT came.
    pub(crate) left: bool,
    /// What was passed on to the emulator of the bytes that wait.
    pub(crate) fed: usize,
    /// Something happened to the link or a clock that can make the client look silent.
    pub(crate) disturbed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Counts who had this place.
    pub(crate) turn: u32,
    pub(crate) party: usize,
    /// To the server.
    pub(crate) up: Pipe,
    /// To the client.
    pub(crate) down: Pipe,
    pub(crate) open: bool,
    pub(crate) client_holds: bool,
    pub(crate) server_holds: bool,
    /// The client waits for room.
    pub(crate) blocked: bool,
    pub(crate) emulated: Option<ConnectionId>,
    pub(crate) conn: Conn,
}

/// All links; places are used again.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) all: Vec<Link>,
    free: Vec<usize>,
}

impl Links {
    /// A new link that a client dials.
    pub(crate) fn dial(&mut self, party: usize) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            self.all.push(Link::default());
            self.all.len() - 1
        });
        let link = &mut self.all[index];
        let [up, down] = [&mut link.up, &mut link.down].map(|pipe| {
            pipe.clear();
            Pipe { bytes: std::mem::take(&mut pipe.bytes), ..Pipe::default() }
        });
        *link = Link { turn: link.turn + 1, party, up, down, client_holds: true, ..Link::default() };
        index
    }

    /// Gives the place back once nobody holds an end.
    pub(crate) fn release(&mut self, index: usize) {
        let link = &mut self.all[index];
        if !link.client_holds && !link.server_holds && link.party != usize::MAX {
            link.party = usize::MAX;
            link.turn += 1;
            self.free.push(index);
        }
    }
}
