//! The heart behind a lock, and the way from its outputs to the sockets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::outbox::{End, Outbox};
use crate::heart::{ConnectionId, Emulator, Output};

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The next deadline came nearer.
    sooner: Notify,
    start: Instant,
}

#[derive(Debug)]
struct State {
    heart: Emulator,
    outboxes: HashMap<ConnectionId, Arc<Outbox>>,
    /// Until when the clock sleeps; `None`: until it is woken.
    asleep_until: Option<Duration>,
}

impl Shared {
    pub(super) fn new(mut heart: Emulator) -> Self {
        let unix_time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        heart.set_unix_time(Duration::ZERO, unix_time);
        Self {
            state: Mutex::new(State { heart, outboxes: HashMap::new(), asleep_until: None }),
            sooner: Notify::new(),
            start: Instant::now(),
        }
    }

    /// Looks at the heart without giving it input.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Emulator) -> T) -> T {
        look(&mut self.lock().heart)
    }

    /// Gives the heart an input, and passes on what it puts out.
    pub(super) fn input<T>(&self, input: impl FnOnce(&mut Emulator, Duration) -> T) -> T {
        let mut state = self.lock();
        let given = input(&mut state.heart, self.start.elapsed());
        self.pass_on(&mut state);
        given
    }

    pub(super) fn open(&self) -> (ConnectionId, Arc<Outbox>) {
        let mut state = self.lock();
        let id = state.heart.connection_opened(self.start.elapsed());
        let outbox = Arc::new(Outbox::new());
        state.outboxes.insert(id, Arc::clone(&outbox));
        self.pass_on(&mut state);
        (id, outbox)
    }

    pub(super) fn closed(&self, id: ConnectionId) {
        let mut state = self.lock();
        state.outboxes.remove(&id);
        state.heart.connection_closed(self.start.elapsed(), id);
        self.pass_on(&mut state);
    }

    /// Cuts the connection of a client, or all connections; how many there were.
    pub(super) fn cut(&self, client_id: Option<&str>) -> usize {
        let mut state = self.lock();
        let ids: Vec<_> = match client_id {
            Some(client_id) => state.heart.connection_of(client_id).into_iter().collect(),
            None => state.outboxes.keys().copied().collect(),
        };
        for &id in &ids {
            state.cut(self.start.elapsed(), id);
        }
        self.pass_on(&mut state);
        ids.len()
    }

    /// Lets the heart's time pass, for ever.
    pub(super) async fn run_clock(&self) {
        loop {
            let deadline = {
                let mut state = self.lock();
                state.heart.advance(self.start.elapsed());
                self.pass_on(&mut state);
                state.asleep_until = state.heart.next_deadline();
                state.asleep_until.and_then(|deadline| self.start.checked_add(deadline))
            };
            let sleep = async {
                match deadline {
                    // Timers have a resolution of a millisecond, and must not wake before the deadline.
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.sooner.notified() => {}
            }
        }
    }

    fn pass_on(&self, state: &mut State) {
        while let Some(output) = state.heart.poll_output() {
            match output {
                Output::Send { id, bytes } => {
                    let full = state.outboxes.get(&id).is_some_and(|outbox| !outbox.push(bytes));
                    if full {
                        state.cut(self.start.elapsed(), id);
                    }
                }
                Output::Close { id } => {
                    if let Some(outbox) = state.outboxes.remove(&id) {
                        outbox.end(End::Finish);
                    }
                }
            }
        }
        let next = state.heart.next_deadline();
        let earlier = match (next, state.asleep_until) {
            (Some(next), Some(asleep_until)) => next < asleep_until,
            (next, _) => next.is_some(),
        };
        if earlier {
            state.asleep_until = next;
            self.sooner.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn cut(&mut self, now: Duration, id: ConnectionId) {
        if let Some(outbox) = self.outboxes.remove(&id) {
            outbox.end(End::Cut);
        }
        self.heart.cut(now, id);
    }
}
