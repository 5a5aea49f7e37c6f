//! Clients' memory: fixed or growing, and watched.

use std::cell::Cell;
use std::rc::Rc;

use mqtt_p2p_core::{Growing, Inline, Memory, Need, Storage};

/// Small, so that it is full at times.
type Small = Inline<512, 12, 160, 96, 4>;

/// How many incoming messages of QoS 2 the small memory has room for.
pub(crate) const SMALL_INBOUND: usize = 4;

pub(crate) enum Kind {
    Small(Box<Small>),
    Growing(Growing),
}

/// A client's memory.
pub(crate) struct Room {
    kind: Kind,
    /// The most bytes that it took, for who watches.
    most: Rc<Cell<usize>>,
}

impl Room {
    pub(crate) fn new(max_tx: Option<usize>, most: Rc<Cell<usize>>) -> Self {
        let kind = match max_tx {
            None => Kind::Small(Box::new(Small::new())),
            Some(max) => Kind::Growing(Growing::new(max)),
        };
        Self { kind, most }
    }
}

impl Storage for Room {
    #[inline]
    fn memory(&mut self) -> Memory<'_> {
        match &mut self.kind {
            Kind::Small(small) => small.memory(),
            Kind::Growing(growing) => growing.memory(),
        }
    }

    fn grow(&mut self, need: Need) -> bool {
        let grown = match &mut self.kind {
            Kind::Small(small) => small.grow(need),
            Kind::Growing(growing) => growing.grow(need),
        };
        let memory = self.memory();
        let bytes = memory.tx.len()
            + size_of_val(memory.requests)
            + memory.control.len()
            + memory.subscriptions.len()
            + size_of_val(memory.inbound);
        self.most.set(self.most.get().max(bytes));
        grown
    }
}
