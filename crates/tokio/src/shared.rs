//! What the handles and the driver share: the state machine under a short lock.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mqtt_p2p_core::{Client as Core, Growing, Instant, TopicFilter, TopicName};
use tokio::sync::{Notify, broadcast, mpsc};

use crate::event::ConnectionEvent;
use crate::message::{Level, Message, Messages};
use crate::options::Options;
use crate::tickets::Tickets;

/// No user code runs under the lock, not even that of a waker, and nothing is awaited under it.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The driver has something to do.
    pub(crate) work: Notify,
    /// A request has ended: there may be room for another.
    pub(crate) room: Notify,
    /// The driver reads nothing, because a stream is full.
    held: AtomicBool,
    start: tokio::time::Instant,
    stream_capacity: usize,
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
}

/// One reader's queue.
pub(crate) struct Stream {
    filter: Option<String>,
    pub(crate) queue: mpsc::UnboundedSender<Message>,
    pub(crate) level: Arc<Level>,
    /// What goes into the queue once the lock is released.
    pub(crate) batch: Vec<Message>,
}

impl Stream {
    pub(crate) fn wants(&self, topic: TopicName<'_>) -> bool {
        let filter = |text: &String| TopicFilter::new(text).is_ok_and(|filter| filter.matches(topic));
        self.filter.as_ref().is_none_or(filter)
    }
}

impl State {
    /// Whether there is a connection, or one is wanted.
    pub(crate) fn is_attached(&self) -> bool {
        self.link_open || !self.core.is_idle()
    }
}

impl Shared {
    pub(crate) fn new(options: &Options, seed: u64) -> Self {
        let core = Core::new(options.config, seed, Growing::new(options.max_outgoing_bytes));
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
        };
        Self {
            state: Mutex::new(state),
            work: Notify::new(),
            room: Notify::new(),
            held: AtomicBool::new(false),
            start: tokio::time::Instant::now(),
            stream_capacity: options.stream_capacity.max(1),
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

    pub(crate) fn add_stream(self: &Arc<Self>, filter: Option<String>) -> Messages {
        let (queue, receiver) = mpsc::unbounded_channel();
        let level = Arc::new(Level::default());
        let mut state = self.lock();
        // The streams of a closed client end at once.
        if !state.closed {
            state.streams.push(Stream { filter, queue, level: Arc::clone(&level), batch: Vec::new() });
        }
        Messages::new(receiver, level, Arc::clone(self))
    }

    /// Whether a stream has no room. Once the driver knows, [`Self::room_in_a_stream`] wakes it.
    pub(crate) fn is_full(&self, state: &State) -> bool {
        let answer_awaited = state.tickets.are_awaited();
        let full = || {
            state
                .streams
                .iter()
                .any(|s| s.level.is_full(self.stream_capacity, answer_awaited) && !s.queue.is_closed())
        };
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
