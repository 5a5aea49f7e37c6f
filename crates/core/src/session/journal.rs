//! The session kept as it changes: each change is an action that comes before the bytes that depend on it.
//!
//! What has to be kept, and what must wait for it:
//!
//! | change | waits for it |
//! |---|---|
//! | a publication of QoS 1 or 2 was accepted | its PUBLISH |
//! | PUBREC came: its PUBREL takes its place | PUBREL: or else the PUBLISH could follow it |
//! | PUBACK or PUBCOMP came: it is no more | nothing; it would only be sent once more |
//! | it was given up: its number is no other's, nor are those before | nothing |
//! | the caller took a message of QoS 2 | PUBREC: or else it could be delivered again |
//! | PUBREL came for it: it is no more | PUBCOMP: or else a new message could be taken for it |
//! | the subscriptions changed | nothing |

use core::fmt;

use mqtt_p2p_packet::PacketId;

use crate::action::Action;
use crate::client::Client;
use crate::error::Error;
use crate::inbound::InboundId;
use crate::machine::Machine;
use crate::outbox::Kind;
use crate::session::SessionError;
use crate::settings::Settings;
use crate::storage::{Memory, Storage};
use crate::ticket::Ticket;

/// What a kept record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Key {
    /// A publication of QoS 1 or 2 that was accepted and has not ended: the packet that is sent again after a
    /// restart, PUBLISH or PUBREL. The record of the last one that was given up is empty.
    Publication(Ticket),
    /// A message of QoS 2 that the caller took and the server has not released. The record is empty.
    Received(PacketId),
    /// The subscriptions that the server granted, as the entries of a SUBSCRIBE packet.
    Subscriptions,
}

impl Key {
    /// The length of [`Self::to_bytes`].
    pub const LEN: usize = 5;

    /// The key as bytes, to be kept.
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let (tag, [a, b, c, d]) = match self {
            Self::Publication(ticket) => (1, ticket.to_bits().to_be_bytes()),
            Self::Received(id) => (2, (id.get() as u32).to_be_bytes()),
            Self::Subscriptions => (3, [0; 4]),
        };
        [tag, a, b, c, d]
    }

    /// The reverse; `None` for bytes that are no key of this version.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, number) = bytes.split_first()?;
        let number = u32::from_be_bytes(number.try_into().ok()?);
        match (tag, number) {
            (1, bits) => Ticket::from_bits(bits).map(Self::Publication),
            (2, id) => u16::try_from(id).ok().and_then(PacketId::new).map(Self::Received),
            (3, 0) => Some(Self::Subscriptions),
            _ => None,
        }
    }
}

/// A change of the session, to be kept: see [`Action::Store`](crate::Action::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Change<'a> {
    /// Keep this record, in the place of one with the same key.
    Put {
        /// What it is about.
        key: Key,
        /// The record.
        value: &'a [u8],
    },
    /// Forget the record with this key, if there is one.
    Remove {
        /// What it was about.
        key: Key,
    },
}

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

/// Why a kept session can't be taken over. Nothing has changed then, neither client nor store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError<E> {
    /// Resources: the store can't be read.
    Store(E),
    /// The record with this key is not what this library writes.
    Invalid(Key),
    /// Caller or resources: see there.
    NotTaken(Error),
}

impl<E: fmt::Display> fmt::Display for RestoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the kept session can't be read: {error}"),
            Self::Invalid(key) => {
                write!(
                    f,
                    "the kept session has an invalid record ({key:?}); restore an older copy, or begin anew"
                )
            }
            Self::NotTaken(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for RestoreError<E> {}

/// A change that has to be told next. There is at most one, since no packet is read before it is told; changes of
/// which there can be more are marked where they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Put(Ticket),
    Remove(Ticket),
    GiveUp(Ticket),
    Release(PacketId),
}

impl<C: Settings> Machine<C> {
    /// Whether the session is kept as it changes.
    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.optional().keeping.is_some()
    }

    /// A publication changed or ended.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn note_change(&mut self, due: Due) {
        if self.is_kept() {
            self.due = Some(due);
        }
    }

    /// Tells the next change to be kept, if there is one.
    #[inline]
    pub(crate) fn tell_change<'a>(&mut self, memory: &mut Memory<'a>, action: &mut Action<'a, '_>) -> bool {
        self.optional().keeping.is_some_and(|tell| tell(self, memory, action))
    }

    /// [`Self::tell_change`], where the session is kept.
    pub(crate) fn change<'a>(&mut self, memory: &mut Memory<'a>, action: &mut Action<'a, '_>) -> bool {
        let change = self.next_change(memory);
        if let Some(change) = change {
            *action = Action::Store(change);
        }
        change.is_some()
    }

    fn next_change<'a>(&mut self, memory: &mut Memory<'a>) -> Option<Change<'a>> {
        match self.due.take() {
            Some(Due::Put(ticket)) => return Some(self.put(memory, ticket)),
            Some(Due::Remove(ticket)) => return Some(Change::Remove { key: Key::Publication(ticket) }),
            Some(Due::GiveUp(ticket)) => return Some(self.keep_given_up(ticket)),
            Some(Due::Release(id)) => return Some(Change::Remove { key: Key::Received(id) }),
            None => {}
        }
        if let Some(ticket) = self.outbox.next_unkept(memory.requests) {
            return Some(self.put(memory, ticket));
        }
        if let Some((id, is_there)) = self.inbound.next_unkept(memory) {
            let key = Key::Received(id);
            return Some(if is_there { Change::Put { key, value: &[] } } else { Change::Remove { key } });
        }
        if self.subscriptions.take_changed() {
            let key = Key::Subscriptions;
            let list: &'a mut [u8] = core::mem::take(&mut memory.subscriptions);
            let value = self.subscriptions.entries(list);
            return Some(if value.is_empty() { Change::Remove { key } } else { Change::Put { key, value } });
        }
        None
    }

    /// Its number stays: the server may have it, and would take another message with it for the same. Numbers go on
    /// behind the last of these, so that the others need not be kept.
    const fn keep_given_up(&mut self, ticket: Ticket) -> Change<'static> {
        let known = self.given_up;
        if !matches!(known, Ticket::NONE) {
            if known.follows(ticket) {
                return Change::Remove { key: Key::Publication(ticket) };
            }
            self.due = Some(Due::Remove(known));
        }
        self.given_up = ticket;
        Change::Put { key: Key::Publication(ticket), value: &[] }
    }

    fn put<'a>(&self, memory: &mut Memory<'a>, ticket: Ticket) -> Change<'a> {
        let key = Key::Publication(ticket);
        let index = ticket.id().and_then(|id| self.outbox.find(memory.requests, id));
        let entry = index.and_then(|index| memory.requests.get(index)).copied();
        let tx: &'a mut [u8] = core::mem::take(&mut memory.tx);
        match entry {
            Some(entry) => Change::Put { key, value: entry.packet(tx) },
            None => Change::Remove { key },
        }
    }

    /// Takes over a record.
    fn restore(&mut self, memory: &mut Memory<'_>, key: Key, value: &[u8]) -> Result<(), SessionError> {
        match key {
            Key::Publication(ticket) => {
                let kind = crate::session::kind_of(value, ticket)
                    .filter(|_| self.outbox.may_follow(memory, ticket))
                    .ok_or(SessionError::Invalid)?;
                self.may_take_over(kind)?;
                match kind {
                    // Nobody knows whether it went out.
                    Kind::AtLeastOnce | Kind::ExactlyOnce | Kind::Release => {
                        self.outbox.restore(memory, ticket, kind, value, true)?;
                    }
                    Kind::Taken => self.given_up = ticket,
                    _ => return Err(SessionError::Invalid),
                }
                self.outbox.restore_next(ticket.next());
                self.outbox.note_kept();
            }
            Key::Received(id) => {
                if !value.is_empty() || self.inbound.find(memory, id).is_some() {
                    return Err(SessionError::Invalid);
                }
                if !self.inbound.insert(memory, InboundId::taken(id, true)) {
                    return Err(Error::Full(crate::error::Need::Inbound).into());
                }
            }
            Key::Subscriptions => {
                self.restore_subscriptions(memory, value)?;
                self.subscriptions.take_changed();
            }
        }
        Ok(())
    }
}

impl<S: Storage, C: Settings> Client<S, C> {
    /// Takes over a session that was kept change by change, into a client that has not been used. Of its requests,
    /// publications of QoS 1 and 2 go on, with their tickets: see [`requests`](Self::requests).
    ///
    /// # Errors
    /// The store can't be read; a record is invalid; a client in use; memory too small. The client is as it was.
    pub fn restore<T: SessionStore + ?Sized>(&mut self, store: &mut T) -> Result<(), RestoreError<T::Error>> {
        if self.machine.is_used() {
            return Err(RestoreError::NotTaken(Error::InUse));
        }
        let result = self.restore_all(store);
        if result.is_err() {
            self.machine.forget_session();
        }
        self.machine.look();
        // The program may have ended between a CONNECT, with which the server began a new session, and its answer.
        self.machine.unanswered = result.is_ok();
        result
    }

    fn restore_all<T: SessionStore + ?Sized>(&mut self, store: &mut T) -> Result<(), RestoreError<T::Error>> {
        // Tickets are numbered modulo 2^32. If they lie on both ends, then those of the upper half are older.
        let (mut least, mut greatest) = (u32::MAX, 0);
        store
            .load(&mut |key, _| {
                if let Key::Publication(ticket) = key {
                    least = least.min(ticket.to_bits());
                    greatest = greatest.max(ticket.to_bits());
                }
            })
            .map_err(RestoreError::Store)?;
        let turns = greatest.saturating_sub(least) >= 1 << 31;
        let is_upper = |key| matches!(key, Key::Publication(ticket) if ticket.to_bits() >= 1 << 31);
        if turns {
            self.restore_some(store, is_upper)?;
        }
        self.restore_some(store, |key| !(turns && is_upper(key)))
    }

    fn restore_some<T: SessionStore + ?Sized>(
        &mut self,
        store: &mut T,
        wanted: impl Fn(Key) -> bool,
    ) -> Result<(), RestoreError<T::Error>> {
        let mut result = Ok(());
        let mut show = |key, value: &[u8]| {
            if result.is_ok() && wanted(key) {
                result = self
                    .growing(|machine, memory| machine.restore(memory, key, value), SessionError::need)
                    .map_err(|error| match error {
                        SessionError::NotTaken(error) => RestoreError::NotTaken(error),
                        _ => RestoreError::Invalid(key),
                    });
            }
        };
        store.load(&mut show).map_err(RestoreError::Store)?;
        result
    }
}
