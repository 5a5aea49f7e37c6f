//! The task that drives the state machine: its only writer and reader, its clock, its dialler.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use mqtt_p2p_core::{Action, DisconnectReason, Event, Instant, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::dial::{DialError, Link, dial};
use crate::error::millis;
use crate::event::ConnectionEvent;
use crate::message::Message;
use crate::options::Options;
use crate::shared::{Shared, State};
use crate::tickets::Outcome;

/// So many bytes may wait for the socket; the rest waits in the state machine, whose memory is bounded.
const WRITE_AHEAD: usize = 64 * 1024;
/// How much is read at once.
const READ: usize = 16 * 1024;
/// How long a closed connection's last bytes may take.
const LINGER: Duration = Duration::from_secs(1);

type Dialling = Pin<Box<dyn Future<Output = Result<Box<dyn Link>, DialError>> + Send>>;

/// The transport.
enum Connection {
    None,
    Dialling(Dialling),
    Open(Box<dyn Link>),
}

struct Driver {
    shared: Arc<Shared>,
    options: Options,
    connection: Connection,
    /// What came in and is not taken yet.
    received: BytesMut,
    /// What goes out.
    outgoing: BytesMut,
    /// Written, but perhaps not flushed.
    flush: bool,
    /// The transport ended, which the state machine hears once it has taken all that came.
    ended: Option<DialError>,
    /// The last transport's end in the words of the operating system.
    detail: Option<Arc<str>>,
    /// A message that some streams have no room for.
    undelivered: Vec<(mpsc::Sender<Message>, Message)>,
}

/// What the state machine wants after it was drained.
struct Wish {
    wake_at: Option<Instant>,
    dial: bool,
    close: bool,
    /// Drain it again: there is more, but first something has to be done without the lock.
    again: bool,
}

/// What the driver waited for.
enum Input {
    Work,
    Dialled(Result<Box<dyn Link>, DialError>),
    Io(io::Result<usize>),
    Written,
    Room,
}

/// Runs until the client is closed.
pub(crate) async fn run(shared: Arc<Shared>, options: Options) {
    let mut driver = Driver {
        shared,
        options,
        connection: Connection::None,
        received: BytesMut::new(),
        outgoing: BytesMut::new(),
        flush: false,
        ended: None,
        detail: None,
        undelivered: Vec::new(),
    };
    while let Some(wish) = driver.drain() {
        if wish.close {
            driver.close().await;
        }
        if wish.dial {
            let Options { endpoint, config, .. } = &driver.options;
            let dialling = dial(endpoint.clone(), config.protocol, config.max_packet_size as usize);
            driver.connection = Connection::Dialling(Box::pin(dialling));
        }
        if !wish.again {
            driver.wait(wish.wake_at).await;
        }
    }
    driver.shared.end();
}

impl Driver {
    /// Tells the state machine what happened, and does what it says as far as the lock allows. `None`: the client
    /// has come to its end.
    fn drain(&mut self) -> Option<Wish> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let now = shared.now();
        state.link_open = !matches!(self.connection, Connection::None);
        if state.closing && !state.is_attached() {
            state.core.abandon();
        }
        let blocked = !self.undelivered.is_empty();
        let before = self.received.len();
        let mut received = if blocked { &[][..] } else { &self.received[..] };
        let mut wish = Wish {
            wake_at: None,
            dial: false,
            close: false,
            again: false,
        };
        let mut ended_requests = false;
        // Nothing is left to do but to wait, or to write.
        let mut drained = false;
        loop {
            match state.core.poll(now, &mut received) {
                Action::OpenTransport { .. } => {
                    self.detail = None;
                    wish.dial = true;
                }
                Action::CloseTransport => {
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
                    state.core.transmitted(len);
                }
                Action::Event(Event::Message(message)) => {
                    self.undelivered = state.deliver(&message);
                    if !self.undelivered.is_empty() {
                        state.core.hold_reading(now, true);
                        wish.again = true;
                        break;
                    }
                }
                Action::Event(event) => {
                    ended_requests |= state.note(event, now, &self.shared, &self.detail);
                }
                Action::Wait(until) => {
                    wish.wake_at = until;
                    drained = true;
                    break;
                }
            }
        }
        let taken = if blocked { 0 } else { before - received.len() };
        self.received.advance(taken);
        if drained
            && !blocked
            && let Some(end) = self.ended.take()
        {
            // All whole packets that came have been taken.
            self.detail = Some(end.detail);
            self.connection = Connection::None;
            self.received.clear();
            self.outgoing.clear();
            self.flush = false;
            state.link_open = false;
            state.core.transport_closed(now, end.reason);
            wish.again = true;
        }
        let finished =
            state.closing && !state.is_attached() && !wish.close && state.core.requests().next().is_none();
        drop(state);
        if ended_requests {
            shared.room.notify_waiters();
        }
        if finished { None } else { Some(wish) }
    }

    /// Waits for the next thing to happen.
    async fn wait(&mut self, wake_at: Option<Instant>) {
        let shared = Arc::clone(&self.shared);
        let timer = async {
            match wake_at {
                Some(at) => tokio::time::sleep_until(shared.at(at)).await,
                None => std::future::pending().await,
            }
        };
        let blocked = self.undelivered.first().map(|(queue, _)| queue.clone());
        let room = async {
            match &blocked {
                Some(queue) => drop(queue.reserve().await),
                None => std::future::pending().await,
            }
        };
        // What has no more room stops the reading, as does the end of the transport.
        let reading = blocked.is_none() && self.ended.is_none();
        let io = poll_fn(|context| self.poll_connection(context, reading));
        let input = tokio::select! {
            input = io => input,
            () = shared.work.notified() => Input::Work,
            () = timer => Input::Work,
            () = room => Input::Room,
        };
        match input {
            Input::Work | Input::Written => {}
            Input::Dialled(Ok(link)) => {
                self.connection = Connection::Open(link);
                let login = self.options.login.borrow();
                shared.lock().core.transport_opened(shared.now(), &login);
            }
            Input::Dialled(Err(error)) => {
                self.connection = Connection::None;
                self.ended = Some(error);
            }
            Input::Io(Ok(0)) => {
                self.ended = Some(DialError::new(TransportError::ClosedByPeer, "end of stream"));
            }
            Input::Io(Ok(_)) => {}
            Input::Io(Err(error)) => self.ended = Some(DialError::new(TransportError::Broken, error)),
            Input::Room => self.retry_delivery(),
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
        self.received.reserve(READ);
        pin!(link.read_buf(&mut self.received))
            .poll(context)
            .map(Input::Io)
    }

    /// Gives the message to the streams that had no room for it.
    fn retry_delivery(&mut self) {
        self.undelivered.retain(|(queue, message)| {
            matches!(
                queue.try_send(message.clone()),
                Err(mpsc::error::TrySendError::Full(_))
            )
        });
        if self.undelivered.is_empty() {
            self.shared.lock().core.hold_reading(self.shared.now(), false);
        }
    }

    /// Closes the transport, after what has still to go out, such as DISCONNECT.
    async fn close(&mut self) {
        if let Connection::Open(mut link) = std::mem::replace(&mut self.connection, Connection::None) {
            let outgoing = std::mem::take(&mut self.outgoing);
            let last_words = async move {
                let mut outgoing = outgoing;
                while !outgoing.is_empty() {
                    let written = link.write(&outgoing).await?;
                    outgoing.advance(written);
                }
                link.flush().await?;
                link.shutdown().await
            };
            // Whoever does not take them in time goes without.
            let _ = tokio::time::timeout(LINGER, last_words).await;
        }
        self.outgoing.clear();
        self.received.clear();
        self.ended = None;
        self.flush = false;
        self.shared.lock().link_open = false;
        self.shared.room.notify_waiters();
    }
}

impl State {
    /// Gives a message to every stream that wants it; what is left are those without room.
    fn deliver(&mut self, message: &mqtt_p2p_core::Message<'_>) -> Vec<(mpsc::Sender<Message>, Message)> {
        self.streams.retain(|stream| !stream.queue.is_closed());
        let mut without_room = Vec::new();
        let mut owned = None;
        for stream in self.streams.iter().filter(|stream| stream.wants(message.topic)) {
            let message = owned.get_or_insert_with(|| Message::new(message));
            if let Err(mpsc::error::TrySendError::Full(message)) = stream.queue.try_send(message.clone()) {
                without_room.push((stream.queue.clone(), message));
            }
        }
        if owned.is_none() {
            self.unclaimed += 1;
        }
        without_room
    }

    /// Notes an event; says whether a request has ended.
    fn note(&mut self, event: Event<'_>, now: Instant, shared: &Shared, detail: &Option<Arc<str>>) -> bool {
        let wait = |at: Option<Instant>| at.map(|at| millis(at.millis_since(now)));
        let connection = match event {
            Event::Published { ticket } | Event::Unsubscribed { ticket } => {
                self.tickets.close(ticket, Outcome::Done);
                return true;
            }
            Event::Subscribed { ticket, return_codes } => {
                self.tickets
                    .close(ticket, Outcome::Answered(return_codes.iter().collect()));
                return true;
            }
            Event::Dropped { ticket } => {
                self.tickets.close(ticket, Outcome::Dropped);
                return true;
            }
            Event::Resubscribed { first, return_codes } => {
                let asked = self.core.subscriptions().skip(first);
                for (entry, _) in asked
                    .zip(return_codes.iter())
                    .filter(|(_, answer)| answer.is_error())
                {
                    let filter = entry.filter.to_string();
                    let _ = shared.events.send(ConnectionEvent::SubscriptionLost { filter });
                }
                return false;
            }
            Event::Connected { session_present } => ConnectionEvent::Connected { session_present },
            Event::Refused { reason, retry_at } => ConnectionEvent::Refused {
                reason,
                retry_in: wait(retry_at),
            },
            Event::Disconnected { reason, retry_at } => {
                let detail = match reason {
                    DisconnectReason::Transport(_) => detail.clone(),
                    _ => None,
                };
                ConnectionEvent::Disconnected {
                    reason,
                    detail,
                    retry_in: wait(retry_at),
                }
            }
            _ => return false,
        };
        // Nobody has to listen.
        let _ = shared.events.send(connection);
        true
    }
}

impl Shared {
    /// Asks the driver to come to its end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.core.disconnect(self.now());
        drop(state);
        self.work.notify_one();
    }

    /// The driver has come to its end.
    fn end(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.link_open = false;
        state.streams.clear();
        state.tickets.close_all();
        drop(state);
        self.room.notify_waiters();
    }
}
