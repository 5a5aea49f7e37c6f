//! The last few hashes. It stands for `heapless::HistoryBuf`, which has a panic path.

#[derive(Clone, Debug)]
pub(crate) struct Ring<T, const N: usize> {
    items: [T; N],
    len: usize,
    /// Where the next one goes.
    next: usize,
}

impl<T: Copy + PartialEq, const N: usize> Ring<T, N> {
    /// An empty one; what it is filled with does not count.
    pub(crate) const fn new(fill: T) -> Self {
        const { assert!(N > 0, "there must be room for one") };
        Self { items: [fill; N], len: 0, next: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, item: T) -> bool {
        self.items.iter().take(self.len).any(|known| *known == item)
    }

    /// Adds one, in place of the oldest if it is full.
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
