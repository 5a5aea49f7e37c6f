//! What a client does only if its configuration asks for it, reached through pointers: a program whose configuration is
//! settled when it is built has none of the code that it does not ask for. With a [`FixedConfig`](crate::FixedConfig) the
//! compiler knows where the pointers lead, and calls directly.
//!
//! Where a configuration is known only when the program runs, as behind an interface for another language, it leaves
//! these off, and the program calls the methods of [`Client`] below for what it wants.

use mqtt_p2p_packet::{PacketId, Protocol};

use crate::action::Action;
use crate::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::exactly_once::ExactlyOnce;
use crate::machine::Machine;
use crate::outbox::Request;
use crate::parts::Parts;
use crate::passing::Passing;
use crate::receive::Outcome;
use crate::settings::{Chosen, Settings};
use crate::storage::{Memory, Storage};
use crate::ticket::Ticket;
use crate::time::Moment;

/// `None` for what is not asked for.
#[derive(Debug)]
pub(crate) struct Optional<C: 'static> {
    /// [`Config::exactly_once`]
    pub(crate) exactly_once: Option<&'static ExactlyOnce<C>>,
    /// [`Config::pass_window`]
    pub(crate) passing: Option<&'static Passing>,
    /// [`Config::keep_session`]
    pub(crate) keeping: Option<TellChange<C>>,
    /// [`Config::max_requests_per_sec`]
    pub(crate) pacing: Option<&'static Pacing<C>>,
    /// [`Config::max_whole_message`]
    pub(crate) begin: Option<Begin<C>>,
    /// The same.
    pub(crate) go_on: Option<GoOn<C>>,
}

/// Requests have a pace.
#[derive(Debug)]
pub(crate) struct Pacing<C> {
    pub(crate) release: fn(&mut Machine<C>, &mut [Request]),
    pub(crate) next_turn: fn(&Machine<C>) -> Moment,
}

/// The session is kept as it changes.
pub(crate) type TellChange<C> = for<'a> fn(&mut Machine<C>, &mut Memory<'a>, &mut Action<'a, '_>) -> bool;
pub(crate) type Unsubscribed<C> = fn(&mut Machine<C>, &mut Memory<'_>, PacketId, &mut Action<'_, '_>) -> bool;
pub(crate) type Begin<C> =
    for<'b> fn(&mut Machine<C>, &mut Memory<'_>, &mut &'b [u8], &mut Action<'_, 'b>) -> Outcome;
pub(crate) type GoOn<C> =
    for<'b> fn(&mut Machine<C>, &mut Memory<'_>, Parts, &mut &'b [u8], &mut Action<'_, 'b>) -> Outcome;

/// [`Client::cancel`] and [`Client::abandon`]
pub(crate) type DropNext<C> = fn(&mut Machine<C>, &mut Memory<'_>) -> Option<Ticket>;

impl<C: Settings> Optional<C> {
    #[inline(always)]
    pub(crate) const fn of(config: &Config) -> Self {
        let mut optional =
            Self { exactly_once: None, passing: None, keeping: None, pacing: None, begin: None, go_on: None };
        if config.exactly_once {
            optional.exactly_once = Some(&ExactlyOnce::ON);
        }
        if config.pass_window {
            optional.passing = Some(&Passing::ON);
        }
        if config.keep_session {
            optional.keep_session();
        }
        if config.max_requests_per_sec > 0 {
            optional.pace();
        }
        if config.max_whole_message != u32::MAX {
            optional.tell_in_parts();
        }
        optional
    }

    #[inline]
    const fn keep_session(&mut self) {
        self.keeping = Some(Machine::change);
    }

    #[inline]
    const fn pace(&mut self) {
        self.pacing = Some(&Pacing { release: Machine::release_paced, next_turn: Machine::next_turn });
    }

    #[inline]
    const fn tell_in_parts(&mut self) {
        self.begin = Some(Machine::begin);
        self.go_on = Some(Machine::go_on);
    }
}

/// What [`Config`] can ask for as well. A program that is made with a [`Config`] without these, and calls none of these
/// methods, does not link what they need: for interfaces whose callers choose when the program runs.
impl<S: Storage> Client<S> {
    /// Speaks another edition from the next CONNECT on, as after a refusal with
    /// [`ReasonCode::UnsupportedProtocolVersion`](crate::ReasonCode::UnsupportedProtocolVersion). The session lives
    /// on. `false`, and nothing has changed, if CONNECT has gone out already.
    pub const fn set_protocol(&mut self, protocol: Protocol) -> bool {
        let may_change = self.machine.is_before_connect();
        if may_change {
            self.machine.settings.config.protocol = protocol;
        }
        may_change
    }

    /// Keeps the session, as with [`Config::keep_session`]. To be called before anything else, also before
    /// [`restore`](Self::restore).
    ///
    /// # Errors
    /// [`Error::InUse`] after the first request, connect or import. Nothing has changed.
    pub fn keep_session(&mut self) -> Result<(), Error> {
        let machine = self.unused()?;
        machine.settings.config.keep_session = true;
        machine.settings.optional.keep_session();
        Ok(())
    }

    /// Sends at most so many requests in a second, as with [`Config::max_requests_per_sec`]; 0 for no bound. To be
    /// called before anything else.
    ///
    /// # Errors
    /// [`Error::InUse`] after the first request, connect or import. Nothing has changed.
    pub fn pace(&mut self, max_requests_per_sec: u16) -> Result<(), Error> {
        let machine = self.unused()?;
        machine.settings.config.max_requests_per_sec = max_requests_per_sec;
        machine.settings.optional.pacing = None;
        if max_requests_per_sec > 0 {
            machine.settings.optional.pace();
        }
        Ok(())
    }

    /// Tells messages in parts if their packets are longer than so many bytes, as with
    /// [`Config::max_whole_message`]; the largest number for never. To be called before anything else.
    ///
    /// ```
    /// use mqtt_p2p_core::{Client, Config, Inline};
    ///
    /// let mut client = Client::new(Config::new(), 42, Inline::<512>::new());
    /// client.tell_in_parts(1_024)?;
    /// assert_eq!(client.config().max_whole_message, 1_024);
    /// # Ok::<(), mqtt_p2p_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InUse`] after the first request, connect or import. Nothing has changed.
    pub fn tell_in_parts(&mut self, max_whole_message: u32) -> Result<(), Error> {
        let machine = self.unused()?;
        machine.settings.config.max_whole_message = max_whole_message;
        machine.settings.optional.begin = None;
        machine.settings.optional.go_on = None;
        if max_whole_message != u32::MAX {
            machine.settings.optional.tell_in_parts();
        }
        Ok(())
    }

    fn unused(&mut self) -> Result<&mut Machine<Chosen>, Error> {
        if self.machine.is_used() { Err(Error::InUse) } else { Ok(&mut self.machine) }
    }
}
