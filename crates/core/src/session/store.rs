//! Where a session is stored while it changes.

use crate::session::key::Key;

/// Where sessions are kept: a file, a database, a flash. The client itself calls it for loading only; while it runs,
/// its driver carries out [`Action::Store`](crate::Action::Store) by these methods.
pub trait SessionStore {
    /// What can go wrong.
    type Error;

    /// Puts a record, in the place of one with the same key.
    ///
    /// # Errors
    /// It was not put.
    fn put(&mut self, key: Key, value: &[u8]) -> Result<(), Self::Error>;

    /// Removes a record, if there is one.
    ///
    /// # Errors
    /// It was not removed.
    fn remove(&mut self, key: Key) -> Result<(), Self::Error>;

    /// Makes what was put and removed since the last commit outlive a crash: all of it, or else a beginning of it. For
    /// stores that do so at once, nothing.
    ///
    /// # Errors
    /// It may not outlive a crash. It is not forgotten: another call tries again.
    fn commit(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Shows every record that is kept, in ascending order of [`Key::to_bytes`]. A client begins with it: what an
    /// earlier one put and removed after its last commit is forgotten, as after a crash.
    ///
    /// # Errors
    /// Not all could be read.
    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), Self::Error>;
}
