//! A ring buffer of the last few values. It replaces `heapless::HistoryBuf`, which has a panic path.

/// Holds the last `N` values.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T, const N: usize> {
    items: [T; N],
    len: usize,
    /// The index of the slot that is written next.
    next: usize,
}

impl<T: Copy + PartialEq, const N: usize> Ring<T, N> {
    /// Creates an empty ring. `fill` only initializes the memory; it is never reported as contained.
    pub(crate) const fn new(fill: T) -> Self {
        const { assert!(N > 0, "a ring needs at least one slot") };
        Self { items: [fill; N], len: 0, next: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, item: T) -> bool {
        self.items.iter().take(self.len).any(|known| *known == item)
    }

    /// Adds a value. If the ring is full, it replaces the oldest one.
    pub(crate) fn push(&mut self, item: T) {
        if let Some(slot) = self.items.get_mut(self.next) {
            *slot = item;
        }
        self.len = self.len.saturating_add(1).min(N);
        self.next = self.next.saturating_add(1);
        if self.next >= N {
            self.next = 0;
        }
    }
}
