//! How far it is, on the terminal.

use std::io::{IsTerminal, Write, stderr};

/// One line of standard error, written over and over; nothing where that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { shown: stderr().is_terminal() }
    }

    pub(crate) fn at(&self, what: &str, done: usize, of: usize) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K{what}: {done} of {of}");
        }
    }

    /// Clears the line.
    pub(crate) fn done(&self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
