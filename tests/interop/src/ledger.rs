//! What the program that is killed writes down.

use std::io;
use std::path::Path;

use mqtt_p2p_tokio::{FileStore, Key, SessionStore, StoreError};

/// The numbers of a ledger, each in ascending order.
#[derive(Debug, Default)]
pub struct Ledger {
    /// They were about to be published.
    pub intended: Vec<u32>,
    /// The call returned.
    pub accepted: Vec<u32>,
}

impl Ledger {
    /// Reads it; an empty one, if there is none.
    ///
    /// # Errors
    /// It can't be read.
    ///
    /// # Panics
    /// It is no ledger.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut ledger = Self::default();
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        for line in text.lines() {
            let (list, number) = match line.split_at(1) {
                ("i", number) => (&mut ledger.intended, number),
                ("a", number) => (&mut ledger.accepted, number),
                _ => panic!("no line of a ledger: {line}"),
            };
            list.push(number.parse().expect("a number"));
        }
        Ok(ledger)
    }

    /// A line: `i` for a number that is about to be published, `a` for one that was accepted. Every line has eight bytes,
    /// so that none lies across two pages of the file, where a kill can cut a write in two.
    pub fn line(list: char, number: u32) -> String {
        format!("{list}{number:06}\n")
    }

    /// Numbers in doubt: about to be published, and the call did not return.
    pub fn in_doubt(&self) -> Vec<u32> {
        self.intended.iter().filter(|number| self.accepted.binary_search(number).is_err()).copied().collect()
    }

    /// How many publications wait in the session of a client that does not run.
    ///
    /// # Errors
    /// It can't be read.
    pub fn waiting(directory: impl AsRef<Path>, client_id: &str) -> Result<usize, StoreError> {
        let mut waiting = 0;
        FileStore::open(directory, client_id)?.load(&mut |key, _| {
            waiting += usize::from(matches!(key, Key::Publication(_)));
        })?;
        Ok(waiting)
    }
}
