//! What the handles and the driver share: the state machine under a short lock.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use mqtt_p2p_aliyun::Diagnosis;
use mqtt_p2p_core::{Client as Core, DisconnectReason, Growing, Instant};
use tokio::sync::{Notify, broadcast};
use tracing::Span;

use crate::error::ConnectError;
use crate::event::ConnectionEvent;
use crate::file_store::StoreError;
use crate::journal;
use crate::keeper::Keeper;
use crate::log_ins::LogIns;
use crate::message::Message;
use crate::meter::Meter;
use crate::options::Options;
use crate::streams::Queue;
use crate::tickets::Tickets;

/// No user code runs under the lock, not even that of a waker, and nothing is awaited under it.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The driver has something to do.
    pub(crate) work: Notify,
    /// A request has ended: there may be room for another.
    pub(crate) room: Notify,
    /// The driver reads nothing, because a stream is full.
    pub(crate) held: AtomicBool,
    start: tokio::time::Instant,
    pub(crate) stream_capacity: usize,
    pub(crate) ignore_trailing_slash: bool,
    pub(crate) manual_ack: bool,
    /// There is a session store.
    pub(crate) keeps: bool,
    pub(crate) log_ins: LogIns,
    /// What the client logs is in it.
    pub(crate) span: Span,
    /// Bytes over the socket.
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
    /// Messages that streams dropped.
    pub(crate) dropped: AtomicU64,
}

pub(crate) struct State {
    pub(crate) core: Core<Growing>,
    pub(crate) tickets: Tickets,
    pub(crate) streams: Vec<Stream>,
    /// Who watches the connection; `None` when the driver has ended.
    pub(crate) events: Option<broadcast::Sender<ConnectionEvent>>,
    /// Counts the attempts that ended.
    pub(crate) ends: u32,
    /// Clones of the client.
    pub(crate) handles: usize,
    /// Closing was asked for, or nobody is left to use the client.
    pub(crate) closing: bool,
    /// The driver has ended.
    pub(crate) closed: bool,
    /// The driver has a transport, or dials.
    pub(crate) link_open: bool,
    /// Somebody waits for the answer to a ping.
    pub(crate) pinging: bool,
    /// The caller wants a connection.
    pub(crate) wanted: bool,
    /// Messages that came while there was no stream for them.
    pub(crate) unclaimed: u64,
    /// How the first round of attempts ended, once it has.
    pub(crate) first_round: Option<Result<(), ConnectError>>,
    /// What the service may have disconnected for.
    pub(crate) diagnosis: Diagnosis,
    /// When the driver was woken for requests that it has not seen yet.
    pub(crate) asked_at: Option<Instant>,
    /// How many of the requests are known to be in the session store.
    pub(crate) kept: u64,
    /// The client ends if it failed.
    pub(crate) one_round: bool,
    pub(crate) meter: Meter,
}

/// One reader's queue, and what goes into it once the lock is released.
pub(crate) struct Stream {
    pub(crate) queue: Arc<Queue>,
    pub(crate) batch: Vec<Message>,
}

impl Stream {
    pub(crate) fn push(&mut self, message: Message) {
        self.queue.expect(&message);
        self.batch.push(message);
    }
}

impl State {
    /// Whether the server has accepted the log-in and the connection has not ended; nor has the driver, whose end the
    /// state machine does not see.
    pub(crate) const fn is_connected(&self) -> bool {
        !self.closed && self.core.is_connected()
    }

    /// Whether there is a connection, or one is wanted.
    pub(crate) fn is_attached(&self) -> bool {
        self.link_open || !self.core.is_idle()
    }
}

impl Shared {
    pub(crate) fn new(options: &Options, seed: u64) -> Self {
        let keeps = options.session.is_some();
        // Whoever waits for a publication waits for its event.
        let config = options.config.with_keep_session(keeps).with_tell_qos_0(true);
        let core = Core::new(config, seed, Growing::new(options.max_outgoing_bytes));
        let state = State {
            core,
            tickets: Tickets::default(),
            streams: Vec::new(),
            events: Some(broadcast::Sender::new(64)),
            ends: 0,
            handles: 1,
            closing: false,
            closed: false,
            link_open: false,
            pinging: false,
            wanted: true,
            unclaimed: 0,
            first_round: None,
            diagnosis: Diagnosis::new(),
            asked_at: None,
            kept: 0,
            one_round: false,
            meter: Meter::default(),
        };
        Self {
            state: Mutex::new(state),
            work: Notify::new(),
            room: Notify::new(),
            held: AtomicBool::new(false),
            start: tokio::time::Instant::now(),
            stream_capacity: options.stream_capacity.max(1),
            ignore_trailing_slash: options.ignore_trailing_slash,
            manual_ack: options.config.manual_ack,
            keeps,
            log_ins: LogIns::new(options.source.clone(), options.login.clone()),
            span: journal::span(&options.login.client_id),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The core's clock.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_millis(self.start.elapsed().as_millis().try_into().unwrap_or(u64::MAX))
    }

    /// A moment of the core's clock on tokio's.
    pub(crate) fn at(&self, instant: Instant) -> tokio::time::Instant {
        // Rounded up, so that the moment has come for the core when the timer fires.
        self.start
            + Duration::from_millis(instant.as_millis().saturating_add(1).min(u64::from(u32::MAX) * 1000))
    }

    pub(crate) fn add_stream(&self, queue: Arc<Queue>) {
        let mut state = self.lock();
        if !state.closed {
            state.streams.push(Stream { queue, batch: Vec::new() });
            return;
        }
        drop(state);
        // The streams of a closed client end at once.
        queue.end();
    }

    /// Whether a stream has no room. Once the driver knows, [`Self::room_in_a_stream`] wakes it.
    pub(crate) fn is_full(&self, state: &State) -> bool {
        let answer_awaited = state.tickets.are_awaited();
        let full = || state.streams.iter().any(|stream| stream.queue.is_full(answer_awaited));
        if !full() {
            self.held.store(false, SeqCst);
            return false;
        }
        // A reader that has made room in between may not have seen that it is waited for.
        self.held.store(true, SeqCst);
        full()
    }

    /// A stream has room, or needs it no more, or may take more than before.
    pub(crate) fn room_in_a_stream(&self) {
        if self.held.load(SeqCst) {
            self.work.notify_one();
        }
    }

    /// Tells an event of the connection. Not under the lock.
    pub(crate) fn report(&self, event: ConnectionEvent) {
        journal::connection(&event);
        let events = self.lock().events.clone();
        // Nobody has to listen.
        let _ = events.map(|events| events.send(event));
    }

    /// Asks the driver to come to its end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.core.disconnect(self.now());
        drop(state);
        self.work.notify_one();
    }

    /// The driver has come to its end.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.closed = true;
        state.link_open = false;
        let streams = std::mem::take(&mut state.streams);
        let events = state.events.take();
        let wakers = state.tickets.close_all();
        drop(state);
        drop(events);
        streams.iter().for_each(|stream| stream.queue.end());
        wakers.into_iter().for_each(Waker::wake);
        self.room.notify_waiters();
    }

    /// Waits for the end of the first round of attempts. If it failed, and the client wanted no more than one, then
    /// nothing goes on.
    pub(crate) async fn first_round(&self) -> Result<(), ConnectError> {
        loop {
            let ended = self.room.notified();
            let mut ended = std::pin::pin!(ended);
            ended.as_mut().enable();
            let (result, one_round, closed) = {
                let state = self.lock();
                (state.first_round.clone(), state.one_round, state.closed)
            };
            match result {
                Some(Err(error)) => {
                    if one_round {
                        self.closed().await;
                    }
                    return Err(error);
                }
                Some(Ok(())) => return Ok(()),
                None if closed => {
                    return Err(ConnectError::Failed { reason: DisconnectReason::Requested, detail: None });
                }
                None => ended.await,
            }
        }
    }

    /// Takes over the session that is kept, if one is.
    pub(crate) fn restore(&self, options: &Options) -> Result<Option<Keeper>, ConnectError> {
        let Some(place) = &options.session else {
            return Ok(None);
        };
        let unusable = |error: &dyn fmt::Display| ConnectError::Store { detail: format!("{error}").into() };
        let mut keeper = place.take().ok_or_else(|| unusable(&StoreError::InUse))?;
        if let Some(store) = keeper.store() {
            self.lock().core.restore(&mut **store).map_err(|error| unusable(&error))?;
        }
        Ok(Some(keeper))
    }

    /// Waits until all that was accepted so far is in the session store; says whether it is.
    pub(crate) async fn is_kept(&self) -> bool {
        if !self.keeps {
            return true;
        }
        let accepted = self.lock().tickets.accepted;
        loop {
            let kept = self.room.notified();
            let mut kept = std::pin::pin!(kept);
            kept.as_mut().enable();
            {
                let state = self.lock();
                if state.kept >= accepted {
                    return true;
                }
                if state.closed {
                    return false;
                }
            }
            kept.await;
        }
    }

    /// Waits until the driver has come to its end.
    pub(crate) async fn closed(&self) {
        loop {
            let closed = self.room.notified();
            let mut closed = std::pin::pin!(closed);
            closed.as_mut().enable();
            if self.lock().closed {
                return;
            }
            closed.await;
        }
    }

    pub(crate) fn add_watcher(&self) -> broadcast::Receiver<ConnectionEvent> {
        match &self.lock().events {
            Some(events) => events.subscribe(),
            // It ends at once.
            None => broadcast::channel(1).1,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
