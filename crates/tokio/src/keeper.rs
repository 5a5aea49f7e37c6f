//! The session store at work: what changed is written down before anybody hears of it, and before a byte goes out.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mqtt_p2p_core::{Change, Key, SessionStore};

use crate::file_store::StoreError;

type Store = Box<dyn SessionStore<Error = StoreError> + Send>;

/// A store that waits for a client: [`Options`](crate::Options) can be cloned, a store can't.
#[derive(Clone)]
pub(crate) struct Place(Arc<Mutex<Option<Store>>>);

impl Place {
    pub(crate) fn new(store: impl SessionStore<Error = StoreError> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(store)))))
    }

    /// `None` while a client has it.
    pub(crate) fn take(&self) -> Option<Keeper> {
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Keeper {
            store: Some(store),
            place: self.clone(),
            changes: VecDeque::new(),
            unwritten: false,
            given_up: false,
        })
    }
}

/// The store of one client, and what it has still to write.
pub(crate) struct Keeper {
    /// `None` while it is being written to, and after it has panicked.
    store: Option<Store>,
    place: Place,
    changes: VecDeque<(Key, Option<Vec<u8>>)>,
    /// Something was noted since the last commit.
    unwritten: bool,
    /// Nothing more is written: it would leave a gap.
    given_up: bool,
}

impl Keeper {
    /// What a client takes over.
    pub(crate) fn store(&mut self) -> Option<&mut Store> {
        self.store.as_mut()
    }

    /// To be written at the next [`Self::write`].
    pub(crate) fn note(&mut self, change: &Change<'_>) {
        if self.given_up {
            return;
        }
        self.unwritten = true;
        self.changes.push_back(match *change {
            Change::Put { key, value } => (key, Some(value.to_vec())),
            Change::Remove { key } => (key, None),
        });
    }

    /// Whether there is something to write, or to commit.
    pub(crate) const fn has_changes(&self) -> bool {
        self.unwritten
    }

    /// Writes what was noted. After a failure, it is still noted.
    ///
    /// Not cancel safe: the store is lost to the client, and goes back to its place.
    pub(crate) async fn write(&mut self) -> Result<(), StoreError> {
        let Some(mut store) = self.store.take() else {
            return Err(StoreError::Damaged("it panicked".into()));
        };
        let mut changes = std::mem::take(&mut self.changes);
        let place = self.place.clone();
        let written = tokio::task::spawn_blocking(move || {
            let result = write(&mut store, &mut changes);
            (Lent { store: Some(store), place }, changes, result)
        });
        let Ok((mut lent, changes, result)) = written.await else {
            return Err(StoreError::Damaged("it panicked".into()));
        };
        self.store = lent.store.take();
        self.changes = changes;
        self.unwritten = result.is_err();
        result
    }

    /// Whether there is nothing to be hoped for from another try.
    pub(crate) const fn is_lost(&self) -> bool {
        self.store.is_none()
    }

    /// Whether [`Self::give_up`] was called.
    pub(crate) const fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// What could not be written is given up, and all that follows: the next client goes on from the last commit.
    pub(crate) fn give_up(&mut self) {
        self.changes.clear();
        self.unwritten = false;
        self.given_up = true;
    }
}

fn write(store: &mut Store, changes: &mut VecDeque<(Key, Option<Vec<u8>>)>) -> Result<(), StoreError> {
    while let Some((key, value)) = changes.front() {
        match value {
            Some(value) => store.put(*key, value)?,
            None => store.remove(*key)?,
        }
        changes.pop_front();
    }
    // What was put and not committed, the store remembers.
    store.commit()
}

/// The next client gets it.
impl Drop for Keeper {
    fn drop(&mut self) {
        drop(Lent { store: self.store.take(), place: self.place.clone() });
    }
}

/// A store that goes back to its place, whoever has it when the client ends.
struct Lent {
    store: Option<Store>,
    place: Place,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            *self.place.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(store);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("session store")
    }
}
