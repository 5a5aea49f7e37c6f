//! The connection, for who wants to watch.

use core::future::poll_fn;
use core::task::Poll;

use embassy_sync::blocking_mutex::raw::RawMutex;
use mqtt_p2p_core::{DisconnectReason, Instant, ReasonCode, Storage};

use super::Shared;

/// How the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Status {
    /// There was no attempt yet.
    Starting,
    /// The server accepted the log-in.
    Connected {
        /// Whether it continues a session.
        session_present: bool,
    },
    /// The server refused the log-in.
    Refused {
        /// Its reason.
        reason: ReasonCode,
        /// When the next attempt follows; `None`: not before [`Shared::reconnect`].
        retry_at: Option<Instant>,
    },
    /// The connection ended, or an attempt failed.
    Disconnected {
        /// Why, as far as the evidence goes.
        reason: DisconnectReason,
        /// When the next attempt follows; `None`: not before [`Shared::reconnect`].
        retry_at: Option<Instant>,
    },
}

impl Status {
    /// Whether there is a connection.
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }
}

/// Watches the connection: see [`Shared::watch`].
pub struct Watcher<'s, 'b, M: RawMutex, S, const TASKS: usize, const RECEIVERS: usize> {
    shared: &'s Shared<'b, M, S, TASKS, RECEIVERS>,
    seen: u32,
}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Shared<'b, M, S, TASKS, RECEIVERS>
{
    /// How the connection is now.
    pub fn status(&self) -> Status {
        self.with(|state| state.status).unwrap_or(Status::Starting)
    }

    /// Watches the connection, from its present state on.
    pub fn watch(&self) -> Watcher<'_, 'b, M, S, TASKS, RECEIVERS> {
        let seen = self.with(|state| state.changes).unwrap_or_default();
        Watcher { shared: self, seen }
    }

    /// Waits until there is a connection.
    pub async fn connected(&self) {
        self.wait(|state| if state.status.is_connected() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Waits for something of the shared state.
    pub(super) async fn wait<R>(
        &self,
        mut look: impl FnMut(&mut super::state::State<'b, S, TASKS, RECEIVERS>) -> Poll<R>,
    ) -> R {
        poll_fn(|context| {
            let looked = self.with(|state| {
                let result = look(state);
                if result.is_pending() {
                    state.waiting.register(context.waker());
                }
                result
            });
            looked.unwrap_or(Poll::Pending)
        })
        .await
    }
}

impl<M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Watcher<'_, '_, M, S, TASKS, RECEIVERS>
{
    /// Waits for a change, and gives the newest state: changes that follow one another quickly may be one.
    pub async fn next(&mut self) -> Status {
        let seen = self.seen;
        let (status, changes) = self
            .shared
            .wait(|state| {
                if state.changes == seen { Poll::Pending } else { Poll::Ready((state.status, state.changes)) }
            })
            .await;
        self.seen = changes;
        status
    }
}

impl<M: RawMutex, S, const TASKS: usize, const RECEIVERS: usize> core::fmt::Debug
    for Watcher<'_, '_, M, S, TASKS, RECEIVERS>
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}
