//! What a client does only if its configuration asks for it, reached through pointers: a program whose configuration is
//! settled when it is built, as that of firmware is, has none of the code that it does not ask for. Where a compiler
//! can't see the configuration, as across the border to C, the same is asked for by a method of its own.

use crate::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::journal::Change;
use crate::machine::Machine;
use crate::parts::Parts;
use crate::receive::Outcome;
use crate::storage::{Memory, Storage};

/// `None` for what is not asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Optional {
    /// [`Config::keep_session`]
    pub(crate) change: Option<NextChange>,
    /// [`Config::max_requests_per_sec`]
    pub(crate) release_paced: Option<Release>,
    /// [`Config::max_whole_message`]
    pub(crate) begin: Option<Begin>,
    /// The same.
    pub(crate) go_on: Option<GoOn>,
}

pub(crate) type NextChange = for<'a> fn(&mut Machine, &mut Memory<'a>) -> Option<Change<'a>>;
pub(crate) type Release = fn(&mut Machine, &Memory<'_>);
pub(crate) type Begin = for<'b> fn(&mut Machine, &mut Memory<'_>, &mut &'b [u8]) -> Outcome<'b>;
pub(crate) type GoOn = for<'b> fn(&mut Machine, &mut Memory<'_>, Parts, &mut &'b [u8]) -> Outcome<'b>;

impl Optional {
    #[inline(always)]
    pub(crate) const fn of(config: &Config) -> Self {
        let mut optional = Self { change: None, release_paced: None, begin: None, go_on: None };
        if config.keep_session {
            optional.keep_session();
        }
        if config.max_requests_per_sec > 0 {
            optional.pace();
        }
        if config.max_whole_message < u32::MAX {
            optional.tell_in_parts();
        }
        optional
    }

    const fn keep_session(&mut self) {
        self.change = Some(Machine::change);
    }

    const fn pace(&mut self) {
        self.release_paced = Some(Machine::release_paced);
    }

    const fn tell_in_parts(&mut self) {
        self.begin = Some(Machine::begin);
        self.go_on = Some(Machine::go_on);
    }
}

impl<S: Storage> Client<S> {
    /// Sets [`Config::keep_session`] in a client that has not been used.
    ///
    /// This and the two that follow are for who makes clients of a configuration that is not known when the program is
    /// built, and wants to link nothing that is not asked for: another language's border, for instance.
    ///
    /// # Errors
    /// [`Error::InUse`].
    pub fn keep_session(&mut self) -> Result<(), Error> {
        self.machine.unused()?;
        self.machine.config.keep_session = true;
        self.machine.optional.keep_session();
        Ok(())
    }

    /// Sets [`Config::max_requests_per_sec`], to at least 1, in a client that has not been used.
    ///
    /// # Errors
    /// [`Error::InUse`].
    pub fn pace(&mut self, max_requests_per_sec: u16) -> Result<(), Error> {
        self.machine.unused()?;
        self.machine.config.max_requests_per_sec = max_requests_per_sec.max(1);
        self.machine.optional.pace();
        Ok(())
    }

    /// Sets [`Config::max_whole_message`] in a client that has not been used.
    ///
    /// # Errors
    /// [`Error::InUse`].
    pub fn tell_in_parts(&mut self, max_whole_message: u32) -> Result<(), Error> {
        self.machine.unused()?;
        self.machine.config.max_whole_message = max_whole_message;
        self.machine.optional.tell_in_parts();
        Ok(())
    }
}

impl Machine {
    fn unused(&self) -> Result<(), Error> {
        if self.is_used() { Err(Error::InUse) } else { Ok(()) }
    }
}
