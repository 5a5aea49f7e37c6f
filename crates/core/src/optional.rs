//! What a client does only if its configuration asks for it, reached through pointers: a program whose configuration is
//! settled when it is built, as that of firmware is, has none of the code that it does not ask for.

use crate::config::Config;
use crate::journal::Change;
use crate::machine::Machine;
use crate::parts::Parts;
use crate::receive::Outcome;
use crate::storage::Memory;

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
    #[inline]
    pub(crate) const fn of(config: &Config) -> Self {
        let mut optional = Self { change: None, release_paced: None, begin: None, go_on: None };
        if config.keep_session {
            optional.change = Some(Machine::change);
        }
        if config.max_requests_per_sec > 0 {
            optional.release_paced = Some(Machine::release_paced);
        }
        if config.max_whole_message < u32::MAX {
            optional.begin = Some(Machine::begin);
            optional.go_on = Some(Machine::go_on);
        }
        optional
    }
}
