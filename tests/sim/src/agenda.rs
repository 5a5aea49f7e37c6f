//! Time, and what happens when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that happens by itself at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// Bytes move to the server, over the link in this place, if it is still the one of this turn.
    Up(u32, u32),
    /// The same to the client.
    Down(u32, u32),
    Dialled(u32, u32),
    /// The server looks whether a client has been silent for too long.
    KeepAlive(u32, u32),
    /// A client has to be polled.
    Timer(u32),
    /// A program does something.
    App(u32),
    /// A program comes back from a crash, from the background, or wants to be connected again.
    Return(u32),
    Resume(u32),
    Again(u32),
    /// The server answers what it held back for a client.
    Withheld(u32),
    /// The server answers what goes alone.
    Alone(u32, u32),
    /// The emulator's time.
    Emulator,
    Fault,
    ServerUp,
    /// Looks whether all is settled.
    Look,
}

#[derive(Debug, Default)]
pub(crate) struct Agenda {
    pub(crate) now: u64,
    count: u64,
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
}

impl Agenda {
    pub(crate) fn at(&mut self, time: u64, event: Event) {
        self.count += 1;
        self.heap.push(Reverse((time.max(self.now), self.count, event)));
    }

    pub(crate) fn after(&mut self, millis: u64, event: Event) {
        self.at(self.now + millis, event);
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        let Reverse((time, _, event)) = self.heap.pop()?;
        self.now = time;
        Some(event)
    }
}
