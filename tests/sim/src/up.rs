//! What one client's caller was promised: every request from acceptance to its one end, and what of it may arrive when.

use std::collections::VecDeque;

use mqtt_p2p_core::Ticket;

use crate::store::Store;
use crate::violation::{Check, promise};

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Publish { qos: u8, topic: u8 },
    Subscribe,
    Unsubscribe,
}

impl Kind {
    const fn qos(self) -> u8 {
        match self {
            Self::Publish { qos, .. } => qos,
            _ => 3,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Ended,
    /// The same, and no crash can undo it.
    Over,
    /// The program crashed, and it was not kept: nobody knows whether it went out, unless it had to be kept first.
    Gone,
    /// The same, and had to be kept first.
    Never,
}

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    kind: Kind,
    state: State,
    /// The first connection over which it can go.
    first_dial: u32,
    /// The server's session in which it arrived last; 0 for never.
    epoch: u32,
    /// PUBREL arrived: the server took it, and the client knows.
    released: bool,
    /// It went through a restart, which does not tell whether it had gone out.
    restored: bool,
}

/// How a connection looks to those who check what arrives over it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrival {
    pub(crate) dial: u32,
    pub(crate) epoch: u32,
    pub(crate) session_present: bool,
    /// The client has not left this connection.
    pub(crate) current: bool,
    /// The number of the last publication of QoS 1 or 2 that came over it: those of QoS 0 may pass them, and are not passed.
    pub(crate) last: Option<u32>,
}

/// What a PUBLISH says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    pub(crate) number: u32,
    pub(crate) qos: u8,
    pub(crate) id: u16,
    pub(crate) dup: bool,
    /// `None` for a topic that is checked elsewhere.
    pub(crate) topic: Option<u8>,
}

const RECENT: usize = 1024;

/// All requests of one client, over all its lives.
#[derive(Debug)]
pub(crate) struct Up {
    entries: VecDeque<Entry>,
    /// The number of the first of them.
    base: u32,
    /// Ticket and number of the first request of this life.
    first: Option<(Ticket, u32)>,
    /// Tickets of earlier lives, with their numbers.
    restored: Vec<(Ticket, u32)>,
    /// The latest number that arrived, for each QoS.
    high: [Option<u32>; 3],
    /// Who arrived last under a packet identifier, by its last bits.
    recent: Box<[u32; RECENT]>,
    live: usize,
}

impl Up {
    pub(crate) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            base: 0,
            first: None,
            restored: Vec::new(),
            high: [None; 3],
            recent: Box::new([u32::MAX; RECENT]),
            live: 0,
        }
    }

    /// The number of the next request.
    pub(crate) fn next(&self) -> u32 {
        self.base + self.entries.len() as u32
    }

    /// Requests that have not ended.
    pub(crate) const fn live(&self) -> usize {
        self.live
    }

    /// The client accepted the next request. `silent`: no event will tell its end.
    pub(crate) fn accepted(&mut self, ticket: Ticket, kind: Kind, first_dial: u32, silent: bool) -> Check {
        let number = self.next();
        let (first, first_number) = *self.first.get_or_insert((ticket, number));
        promise!(
            ticket.index().wrapping_sub(first.index()) == number - first_number,
            "tickets count up by one",
            "{ticket:?} is number {number}, {first:?} was {first_number}"
        );
        let state = if silent { State::Ended } else { State::Live };
        self.live += usize::from(!silent);
        let entry = Entry { ticket, kind, state, first_dial, epoch: 0, released: false, restored: false };
        self.entries.push_back(entry);
        Ok(())
    }

    fn number(&self, ticket: Ticket) -> Option<u32> {
        if let Some((first, number)) = self.first {
            let distance = ticket.index().wrapping_sub(first.index());
            if distance < self.next() - number {
                return Some(number + distance);
            }
        }
        self.restored.iter().find(|(restored, _)| *restored == ticket).map(|(_, number)| *number)
    }

    fn entry(&mut self, number: u32) -> Option<&mut Entry> {
        self.entries.get_mut(number.checked_sub(self.base)? as usize)
    }

    /// A ticket had its terminal event.
    pub(crate) fn ended(&mut self, ticket: Ticket, dropped: bool) -> Check<Kind> {
        let number = self.number(ticket);
        if dropped && number.is_some_and(|number| number < self.base) {
            // One of QoS 0 whose end would not have been told.
            return Ok(Kind::Publish { qos: 0, topic: 0 });
        }
        let Some(entry) = number.and_then(|number| self.entry(number)) else {
            promise!(false, "one terminal event per ticket", "{ticket:?} is not under way");
            unreachable!("a promise that does not hold breaks off");
        };
        let kind = entry.kind;
        if kind.qos() == 0 && entry.state == State::Ended && dropped {
            return Ok(kind);
        }
        promise!(entry.state == State::Live, "one terminal event per ticket", "{ticket:?} is {entry:?}");
        promise!(
            dropped || !matches!(kind.qos(), 1 | 2) || entry.epoch > 0,
            "at least once",
            "{ticket:?} ends as published and never arrived: {entry:?}"
        );
        entry.state = State::Ended;
        self.live -= 1;
        Ok(kind)
    }

    /// Forgets those at the front that have ended. To be called when that can't be undone by a crash.
    pub(crate) fn trim(&mut self) {
        while let Some(entry) = self.entries.front()
            && match entry.state {
                State::Live => false,
                State::Never => self.entries.len() > 500,
                State::Ended | State::Over | State::Gone => true,
            }
        {
            self.entries.pop_front();
            self.base += 1;
        }
    }

    /// A PUBLISH arrived. Says whether it is the first time in the session.
    pub(crate) fn arrived(&mut self, publish: Published, way: &mut Arrival) -> Check<bool> {
        let Published { number, qos, id, dup, topic } = publish;
        promise!(
            way.last.is_none_or(|last| last < number),
            "order within a connection",
            "{publish:?} comes after {way:?}"
        );
        if qos > 0 {
            way.last = Some(number);
        }
        promise!(!dup || way.session_present, "DUP only for what is sent again", "{publish:?}, {way:?}");
        promise!(number < self.next(), "nothing is made up", "{publish:?} was never published");
        let high = &mut self.high[usize::from(qos)];
        let first = high.is_none_or(|high| high < number);
        if qos == 0 {
            promise!(first, "QoS 0 at most once, in order", "{publish:?} comes after {high:?}");
            *high = Some(number);
            return Ok(true);
        }
        if first {
            *high = Some(number);
        }
        let current = way.current;
        let Some(entry) = self.entries.get_mut(number.wrapping_sub(self.base) as usize) else {
            promise!(!current, "nothing is sent after its end", "{publish:?} over {way:?}");
            return Ok(false);
        };
        promise!(
            entry.kind.qos() == qos && topic.is_none_or(|topic| entry.kind == Kind::Publish { qos, topic }),
            "what is sent is what was published",
            "{publish:?} against {entry:?}"
        );
        promise!(
            entry.ticket.packet_id() == id,
            "the identifier is the ticket's",
            "{publish:?} against {entry:?}"
        );
        promise!(
            entry.state != State::Never,
            "nothing goes out before it is kept",
            "{publish:?} against {entry:?}"
        );
        promise!(
            !(current && matches!(entry.state, State::Ended | State::Over | State::Gone)),
            "nothing is sent after its end",
            "{publish:?} against {entry:?}"
        );
        promise!(!entry.released, "no PUBLISH after its PUBREL", "{publish:?} against {entry:?}");
        let again = entry.epoch == way.epoch;
        promise!(!again || dup, "DUP on what is sent again", "{publish:?} against {entry:?}, {way:?}");
        promise!(
            !dup || entry.restored || way.dial > entry.first_dial,
            "no DUP on what is sent for the first time",
            "{publish:?} against {entry:?}, {way:?}"
        );
        promise!(
            first || entry.epoch > 0,
            "order of what arrives first",
            "{publish:?} comes after a later one"
        );
        entry.epoch = way.epoch;
        self.takes_identifier(number, id)?;
        Ok(!again)
    }

    /// A request other than PUBLISH arrived.
    pub(crate) fn requested(&mut self, id: u16, kind: Kind) -> Check {
        let found = self.entries.iter().position(|entry| {
            entry.state == State::Live && entry.kind == kind && entry.ticket.packet_id() == id
        });
        match found {
            Some(index) => self.takes_identifier(self.base + index as u32, id),
            None => Ok(()),
        }
    }

    fn takes_identifier(&mut self, number: u32, id: u16) -> Check {
        let place = usize::from(id) % RECENT;
        let before = self.recent[place];
        if before != number
            && let Some(entry) = self.entries.get(before.wrapping_sub(self.base) as usize)
        {
            promise!(
                entry.state != State::Live || entry.ticket.packet_id() != id,
                "no identifier in flight twice",
                "{id} is taken by {number} while it is that of {entry:?}"
            );
        }
        self.recent[place] = number;
        Ok(())
    }

    /// PUBREL arrived under this identifier.
    pub(crate) fn released(&mut self, id: u16) {
        let number = self.recent[usize::from(id) % RECENT];
        if let Some(entry) = self.entries.get_mut(number.wrapping_sub(self.base) as usize)
            && entry.ticket.packet_id() == id
            && entry.kind.qos() == 2
        {
            entry.released = true;
        }
    }

    /// The program ends in good order and goes on: all that has not ended goes on with it.
    pub(crate) fn restarted(&mut self) {
        for entry in &mut self.entries {
            entry.restored = true;
        }
    }

    /// The program crashed; this is what was kept, if anything is. Gives the tickets that go on.
    pub(crate) fn crashed(&mut self, store: Option<&Store>) -> Check<Vec<Ticket>> {
        self.first = None;
        self.restored.clear();
        self.live = 0;
        for (number, entry) in (self.base..).zip(&mut self.entries) {
            entry.restored = true;
            let kept = matches!(entry.kind.qos(), 1 | 2) && matches!(entry.state, State::Live | State::Ended);
            let record = store.filter(|_| kept).and_then(|store| store.publication(entry.ticket));
            entry.state = match (entry.state, record) {
                // An empty record: it was given up.
                (_, Some(record)) if !record.is_empty() => {
                    self.live += 1;
                    self.restored.push((entry.ticket, number));
                    State::Live
                }
                (State::Live, None) if store.is_some() && kept => {
                    promise!(entry.epoch == 0, "nothing goes out before it is kept", "{entry:?}");
                    State::Never
                }
                (State::Live, _) => State::Gone,
                (State::Ended, _) => State::Over,
                (state, _) => state,
            };
        }
        Ok(self.restored.iter().map(|(ticket, _)| *ticket).collect())
    }
}
