//! The task that drives the state machine: its only writer and reader, its clock, its dialler.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_p2p_core::{Action, Event, Instant, TransportError, packet_len};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::alone::Alone;
use crate::attempts::Attempts;
use crate::dial::{DialError, Dialler, Link};
use crate::event::ConnectionEvent;
use crate::journal;
use crate::keeper::Keeper;
use crate::news::{Attempt, News, notice};
use crate::options::{Login, Options};
use crate::shared::Shared;
use crate::step::Step;

/// So many bytes may wait for the socket; the rest waits in the state machine, whose memory is bounded.
const WRITE_AHEAD: usize = 64 * 1024;
/// How much is read at once: at least, while little comes, and at most.
const READ: Range<usize> = 1024..64 * 1024;
/// How long to wait before the session store is tried again.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How long a closed connection's last bytes, and the server's answer to the good-bye, may take.
const LINGER: Duration = Duration::from_secs(1);

/// A link, and the log-in as far as it is settled.
type Dialled = (Link, Option<Arc<Login>>);
type Dialling = Pin<Box<dyn Future<Output = Result<Dialled, DialError>> + Send>>;

/// The transport.
enum Connection {
    None,
    Dialling(Dialling),
    Open(Link),
}

struct Driver {
    shared: Arc<Shared>,
    connection: Connection,
    /// What came in and is not taken yet. Without memory while nothing comes: there may be thousands of clients.
    received: BytesMut,
    /// How much is read at once, by what came last.
    read: usize,
    /// What goes out.
    outgoing: BytesMut,
    /// Written, but perhaps not flushed.
    flush: bool,
    /// DISCONNECT is the last that goes out.
    good_bye: bool,
    /// The transport ended, which the state machine hears once it has taken all that came.
    ended: Option<DialError>,
    /// The last transport's end in the words of the operating system.
    detail: Option<Arc<str>>,
    attempts: Attempts,
    dialler: Arc<Dialler>,
    /// A stream has no room: nothing is read.
    held: bool,
    /// The session store.
    keeper: Option<Keeper>,
    alone: Alone,
    /// How many requests were accepted when it was last noted what to keep.
    noted: u64,
    news: News,
}

/// What the state machine wants after it was drained.
struct Wish {
    wake_at: Option<Instant>,
    /// A token will be due then.
    ask_in: Option<Duration>,
    dial: bool,
    close: bool,
    /// Drain it again: there is more, but first something has to be done without the lock.
    again: bool,
    /// The client has come to its end.
    finished: bool,
}

/// What the driver waited for.
enum Input {
    Work,
    Dialled(Result<Dialled, DialError>),
    Io(io::Result<usize>),
    Written,
}

/// Runs until the client is closed.
pub(crate) async fn run(shared: Arc<Shared>, options: Options, keeper: Option<Keeper>) {
    let attempts = Attempts::new(&options);
    let alone = Alone::new(options.uplink_order);
    let dialler = Arc::new(Dialler::new(&options));
    let mut driver = Driver {
        shared,
        connection: Connection::None,
        received: BytesMut::new(),
        read: READ.start,
        outgoing: BytesMut::new(),
        flush: false,
        good_bye: false,
        ended: None,
        detail: None,
        attempts,
        dialler,
        held: false,
        keeper,
        alone,
        noted: 0,
        news: News::default(),
    };
    loop {
        let wish = driver.drain();
        // Before anybody hears of it, and before a byte goes out.
        if !driver.keep().await {
            continue;
        }
        driver.news.tell(&driver.shared);
        if wish.finished {
            break;
        }
        if wish.close {
            driver.close().await;
        }
        if wish.dial {
            driver.attempts.dialling();
            let (endpoint, protocol) = (driver.attempts.endpoint(), driver.attempts.protocol());
            let (shared, dialler) = (Arc::clone(&driver.shared), Arc::clone(&driver.dialler));
            driver.connection = Connection::Dialling(Box::pin(async move {
                let login = shared.log_ins.prepare(&shared).await?;
                Ok((dialler.dial(endpoint, protocol).await?, login))
            }));
        }
        if !wish.again {
            driver.wait(wish).await;
        }
    }
}

/// However it ends, also with its runtime, nobody is left waiting.
impl Drop for Driver {
    fn drop(&mut self) {
        // The next client can have it as soon as this one is known to have ended.
        self.keeper = None;
        self.shared.end();
    }
}

impl Driver {
    /// Tells the state machine what happened, and does what it says as far as the lock allows.
    fn drain(&mut self) -> Wish {
        let shared = Arc::clone(&self.shared);
        let log_packets = journal::wants_packets();
        let mut guard = shared.lock();
        let state = &mut *guard;
        let now = shared.now();
        state.asked_at = None;
        state.meter.log = log_packets.then(|| std::mem::take(&mut self.news.packets));
        state.link_open = !matches!(self.connection, Connection::None);
        if state.closing && !state.is_attached() && self.keeper.is_none() {
            state.core.abandon();
        }
        let tokens = shared.log_ins.tokens();
        // Without a connection, the next attempt asks.
        if let Some(tokens) = tokens
            && state.core.is_connected()
        {
            tokens.ask(&shared);
        }
        self.alone.go_on(&mut state.core, tokens.map(Arc::as_ref));
        let before = self.received.len();
        let mut received = &self.received[..];
        let mut wish =
            Wish { wake_at: None, ask_in: None, dial: false, close: false, again: false, finished: false };
        // Nothing is left to do but to wait, or to write.
        let mut drained = false;
        loop {
            // Only what has room everywhere is read: a message that was taken is acknowledged, and must not be lost.
            // No message comes before CONNACK, which must be read in any case.
            let full = state.core.is_connected() && shared.is_full(state);
            if full != self.held {
                self.held = full;
                state.core.hold_reading(now, full);
                state.meter.round_trip.forget();
            }
            let input = if full { &mut &[][..] } else { &mut received };
            let waiting = *input;
            let action = state.core.poll(now, input);
            if input.len() < waiting.len() {
                state.meter.received(&waiting[..waiting.len() - input.len()]);
            }
            match action {
                Action::OpenTransport { attempt, .. } => {
                    self.detail = None;
                    wish.dial = true;
                    self.news.dialling = Some(attempt);
                }
                Action::CloseTransport => {
                    self.detail = self.answered_in().map(Into::into);
                    wish.dial = false;
                    wish.close = true;
                    wish.again = true;
                    break;
                }
                Action::Transmit(bytes) => {
                    if self.ended.is_some() || self.outgoing.len() >= WRITE_AHEAD {
                        wish.wake_at = state.core.due_at();
                        drained = true;
                        break;
                    }
                    let len = bytes.len();
                    self.outgoing.extend_from_slice(bytes);
                    state.meter.sent(bytes);
                    state.core.transmitted(len);
                    self.good_bye = state.core.has_left();
                }
                Action::Event(Event::Message(message)) => match notice(&message) {
                    Some(notice) => {
                        if let Some(tokens) = tokens {
                            tokens.notice(&notice);
                        }
                        self.news.events.extend(ConnectionEvent::of_notice(&notice));
                        // Nobody else gets it, so nobody else acknowledges it.
                        if let Some(token) = message.ack {
                            let _ = state.core.acknowledge(token);
                        }
                    }
                    None => state.deliver(&message, &shared),
                },
                Action::Event(Event::PublishedAlone) => {
                    if let (Some(kind), Some(tokens)) = (self.alone.acknowledged(), tokens) {
                        tokens.uploaded(kind);
                        self.news.events.push(ConnectionEvent::TokenRenewed { kind });
                    }
                    self.alone.go_on(&mut state.core, tokens.map(Arc::as_ref));
                }
                Action::Store(change) => {
                    if let Some(keeper) = &mut self.keeper {
                        keeper.note(&change);
                    }
                }
                Action::Event(event) => {
                    let attempt = Attempt {
                        attempts: &mut self.attempts,
                        dialler: &self.dialler,
                        tokens: tokens.map(Arc::as_ref),
                        detail: &self.detail,
                    };
                    let connection = matches!(
                        event,
                        Event::Connected { .. } | Event::Refused { .. } | Event::Disconnected { .. }
                    );
                    state.note(event, now, attempt, &mut self.news);
                    if connection {
                        self.alone.begin(state.core.is_connected());
                        self.alone.go_on(&mut state.core, tokens.map(Arc::as_ref));
                    }
                }
                Action::Wait(until) => {
                    wish.wake_at = until;
                    drained = true;
                    break;
                }
            }
        }
        if state.core.is_connected() {
            wish.ask_in = tokens.and_then(|tokens| tokens.due_in());
        }
        let taken = before - received.len();
        self.received.advance(taken);
        // All whole packets that came have been taken, or will never be.
        let taken_in = !self.held || self.received.is_empty() || state.closing;
        if drained
            && taken_in
            && let Some(end) = self.ended.take()
        {
            self.detail = Some(end.detail);
            self.forget_transport();
            state.link_open = false;
            state.core.transport_closed(now, end.reason);
            wish.again = true;
        }
        let over = state.closing && !state.is_attached() && !wish.close;
        // What is kept waits for the next client.
        wish.finished = over && (self.keeper.is_some() || state.core.requests().next().is_none());
        self.noted = state.tickets.accepted;
        if state.pinging && !(state.core.is_connected() && state.core.awaits_ping()) {
            state.pinging = false;
            self.news.room = true;
        }
        state.take_batches(&mut self.news);
        self.news.packets = state.meter.log.take().unwrap_or_default();
        drop(guard);
        wish
    }

    /// Writes what changed to the session store. While that is not possible, nothing else happens. Says whether it is
    /// written: what is not must not go out, nor may anybody hear of it.
    async fn keep(&mut self) -> bool {
        let Some(keeper) = self.keeper.as_mut().filter(|keeper| !keeper.has_given_up()) else {
            return true;
        };
        while keeper.has_changes()
            && let Err(error) = keeper.write().await
        {
            let lost = keeper.is_lost();
            self.shared.report(ConnectionEvent::StoreFailed { detail: error.to_string().into() });
            if lost {
                self.shared.close();
            }
            if lost || self.shared.lock().closing {
                // As after a crash: without a good-bye, which could get into the middle of a packet.
                keeper.give_up();
                self.news.forget();
                self.forget_transport();
                let mut state = self.shared.lock();
                state.link_open = false;
                state.core.transport_closed(self.shared.now(), TransportError::Broken);
                return false;
            }
            tokio::time::sleep(STORE_RETRY).await;
        }
        let mut state = self.shared.lock();
        if state.kept != self.noted {
            state.kept = self.noted;
            drop(state);
            self.shared.room.notify_waiters();
        }
        true
    }

    /// Waits for the next thing to happen.
    async fn wait(&mut self, wish: Wish) {
        if let Some(words) = self.answered_in() {
            self.ended = Some(DialError::new(TransportError::NotMqtt, words));
            return;
        }
        let shared = Arc::clone(&self.shared);
        let ask_at = wish.ask_in.map(|wait| tokio::time::Instant::now() + wait);
        let wake_at = wish.wake_at.map(|at| shared.at(at)).into_iter().chain(ask_at).min();
        let timer = async {
            match wake_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        // What the state machine leaves there has to wait until the server takes the answers to what came before.
        let left = packet_len(&self.received).is_some_and(|len| len <= self.received.len());
        // What has no more room stops the reading, as does the end of the transport.
        let reading = !self.held && self.ended.is_none() && !left;
        let io = poll_fn(|context| self.poll_connection(context, reading));
        let input = tokio::select! {
            input = io => input,
            () = shared.work.notified() => Input::Work,
            () = timer => Input::Work,
        };
        match input {
            Input::Work | Input::Written => {}
            Input::Dialled(Ok((link, login))) => match shared.log_ins.settle(login) {
                Ok(login) => {
                    self.connection = Connection::Open(link);
                    self.attempts.opened();
                    self.dialler.steps.begin(Step::Connect);
                    shared.lock().core.transport_opened(shared.now(), &login.borrow());
                }
                Err(error) => {
                    self.connection = Connection::None;
                    self.ended = Some(error);
                }
            },
            Input::Dialled(Err(error)) => {
                self.connection = Connection::None;
                self.ended = Some(error);
            }
            Input::Io(Ok(0)) => {
                self.ended = Some(DialError::new(TransportError::ClosedByPeer, "end of stream"));
            }
            Input::Io(Ok(len)) => {
                shared.bytes_received.fetch_add(len as u64, Relaxed);
            }
            Input::Io(Err(error)) => self.ended = Some(DialError::broken(&error)),
        }
    }

    /// Dials, writes and reads; ready when something came of it.
    fn poll_connection(&mut self, context: &mut Context<'_>, reading: bool) -> Poll<Input> {
        let link = match &mut self.connection {
            Connection::None => return Poll::Pending,
            Connection::Dialling(dialling) => return dialling.as_mut().poll(context).map(Input::Dialled),
            Connection::Open(link) => link,
        };
        let mut link = Pin::new(link.as_mut());
        let full = self.outgoing.len() >= WRITE_AHEAD;
        // Once the other side has ended, what it would still take does not matter.
        while !self.outgoing.is_empty() && self.ended.is_none() {
            match link.as_mut().poll_write(context, &self.outgoing) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => {
                    self.outgoing.clear();
                    return Poll::Ready(Input::Io(Err(error)));
                }
                Poll::Ready(Ok(written)) => {
                    self.outgoing.advance(written);
                    self.shared.bytes_sent.fetch_add(written as u64, Relaxed);
                    self.flush = true;
                }
            }
        }
        if self.flush {
            match link.as_mut().poll_flush(context) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.flush = false,
                Poll::Ready(Err(error)) => {
                    self.flush = false;
                    if self.ended.is_none() {
                        return Poll::Ready(Input::Io(Err(error)));
                    }
                }
            }
        }
        if full && self.outgoing.len() < WRITE_AHEAD {
            return Poll::Ready(Input::Written);
        }
        if !reading {
            return Poll::Pending;
        }
        self.received.reserve(self.read);
        let read = pin!(link.read_buf(&mut self.received)).poll(context);
        match read {
            Poll::Ready(Ok(len)) if len >= self.read => self.read = READ.end.min(2 * self.read),
            Poll::Ready(_) => {}
            Poll::Pending => {
                self.read = READ.start.max(self.read / 2);
                if self.received.is_empty() {
                    self.received = BytesMut::new();
                }
            }
        }
        read.map(Input::Io)
    }

    /// The protocol of a server that answers CONNECT in another one, as far as it is easily known.
    fn answered_in(&self) -> Option<&'static str> {
        if !self.attempts.is_logging_in() {
            None
        } else if self.received.starts_with(b"HTTP/") {
            Some("the server answered in HTTP")
        } else if self.received.starts_with(&[0x15, 3]) {
            // An alert.
            Some("the server answered in TLS")
        } else {
            None
        }
    }

    /// Nothing of the last transport is left.
    fn forget_transport(&mut self) {
        self.connection = Connection::None;
        self.received.clear();
        self.outgoing.clear();
        self.flush = false;
        self.ended = None;
    }

    /// Closes the transport, after what has still to go out, such as DISCONNECT.
    async fn close(&mut self) {
        let good_bye = std::mem::take(&mut self.good_bye);
        if let Connection::Open(mut link) = std::mem::replace(&mut self.connection, Connection::None) {
            let outgoing = std::mem::take(&mut self.outgoing);
            let shared = &self.shared;
            let last_words = async move {
                let mut outgoing = outgoing;
                while !outgoing.is_empty() {
                    let written = link.write(&outgoing).await?;
                    shared.bytes_sent.fetch_add(written as u64, Relaxed);
                    outgoing.advance(written);
                }
                link.flush().await?;
                link.shutdown().await?;
                // To close a socket in which bytes are unread resets it, and the server may then miss the good-bye.
                let mut unread = Vec::with_capacity(READ.start);
                while good_bye && link.read_buf(&mut unread).await? > 0 {
                    unread.clear();
                }
                io::Result::Ok(())
            };
            // Whoever does not take them in time goes without.
            let _ = tokio::time::timeout(LINGER, last_words).await;
        }
        self.forget_transport();
        self.shared.lock().link_open = false;
        self.shared.room.notify_waiters();
    }
}
