//! A store as weak as [`SessionStore`] allows: of what was not committed, a crash leaves any beginning.

use std::collections::BTreeMap;
use std::convert::Infallible;

use mqtt_p2p_core::{Change, Key, SessionStore, Ticket};

type Record = (Key, Option<Vec<u8>>);

/// A client's store, which outlives the client.
#[derive(Debug, Default)]
pub(crate) struct Store {
    kept: BTreeMap<[u8; Key::LEN], Vec<u8>>,
    pending: Vec<Record>,
}

impl Store {
    pub(crate) fn apply(&mut self, change: Change<'_>) {
        self.pending.push(match change {
            Change::Put { key, value } => (key, Some(value.to_vec())),
            Change::Remove { key } => (key, None),
        });
    }

    /// Whether something would not outlive a crash.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.pending.is_empty()
    }

    fn keep(&mut self, count: usize) {
        for (key, value) in self.pending.drain(..count) {
            match value {
                Some(value) => self.kept.insert(key.to_bytes(), value),
                None => self.kept.remove(&key.to_bytes()),
            };
        }
    }

    pub(crate) fn make_durable(&mut self) {
        self.keep(self.pending.len());
    }

    pub(crate) fn lose_pending(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn crash(&mut self, chance: &mut fastrand::Rng) {
        self.keep(chance.usize(..=self.pending.len()));
        self.pending.clear();
    }

    pub(crate) fn publication(&self, ticket: Ticket) -> Option<&[u8]> {
        self.kept.get(&Key::Publication(ticket).to_bytes()).map(Vec::as_slice)
    }
}

impl SessionStore for Store {
    type Error = Infallible;

    fn put(&mut self, key: Key, value: &[u8]) -> Result<(), Infallible> {
        self.apply(Change::Put { key, value });
        Ok(())
    }

    fn remove(&mut self, key: Key) -> Result<(), Infallible> {
        self.apply(Change::Remove { key });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Infallible> {
        self.make_durable();
        Ok(())
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), Infallible> {
        for (key, value) in &self.kept {
            show(Key::from_bytes(key).expect("what was kept is a key"), value);
        }
        Ok(())
    }
}
