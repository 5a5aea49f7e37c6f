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

use mqtt_p2p_packet::PacketId;

use crate::action::Action;
use crate::machine::Machine;
use crate::session::key::Key;
use crate::settings::Settings;
use crate::storage::Memory;
use crate::ticket::Ticket;

/// A change of the session, to be kept: see [`Action::Store`](crate::Action::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(clippy::exhaustive_enums, reason = "a store must carry out every change")]
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
}
