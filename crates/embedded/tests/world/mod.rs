//! A world for one device: a clock that jumps, a network that chops, stalls and breaks, and the emulator behind it.
#![allow(dead_code, reason = "each test needs some of it")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use embedded_io::{ErrorKind, ErrorType};
use mqtt_p2p_aliyun::Credentials;
use mqtt_p2p_embedded::{Clock, Dial, Event, Instant, LoginSource, QoS, Ticket, Timer, TransportError};
use mqtt_p2p_emulator::{Config, ConnectionId, Emulator, Output};

pub(crate) const CLIENT_ID: &str = "GID_demo@@@device";

pub(crate) const CREDENTIALS: Credentials<'static> = Credentials::Signature {
    access_key_id: "demo-key",
    access_key_secret: "demo-secret",
    instance_id: "post-cn-demo",
};

/// Shared by all that belongs to one world.
#[derive(Clone)]
pub(crate) struct World(Rc<RefCell<State>>);

pub(crate) struct State {
    pub(crate) now: u64,
    pub(crate) emulator: Emulator,
    timers: Vec<(u64, Waker)>,
    io: Vec<Waker>,
    connection: Option<ConnectionId>,
    to_client: VecDeque<u8>,
    closed: bool,
    random: u64,
    /// The most bytes in one read or write.
    pub(crate) chop: usize,
    /// One operation in so many has to be polled again; 0: none.
    pub(crate) lazy: u64,
    /// The network takes so many bytes more.
    pub(crate) window: usize,
    /// `flush` is ready only so many milliseconds after the write.
    pub(crate) flush_after: u64,
    last_write: u64,
    /// Fails this read, write or flush, counted from 1.
    pub(crate) fail_at: Option<usize>,
    pub(crate) operations: usize,
    pub(crate) writes: usize,
    pub(crate) dials: usize,
    /// What the next dials answer.
    pub(crate) refuse: VecDeque<TransportError>,
    /// The server gets nothing of what is written.
    pub(crate) deaf: bool,
    /// Dials take so long.
    pub(crate) dial_takes: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::demo())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self(Rc::new(RefCell::new(State {
            now: 1,
            emulator: Emulator::new(config, 7),
            timers: Vec::new(),
            io: Vec::new(),
            connection: None,
            to_client: VecDeque::new(),
            closed: false,
            random: 1,
            chop: usize::MAX,
            lazy: 0,
            window: usize::MAX,
            flush_after: 0,
            last_write: 0,
            fail_at: None,
            operations: 0,
            writes: 0,
            dials: 0,
            refuse: VecDeque::new(),
            deaf: false,
            dial_takes: 0,
        })))
    }

    pub(crate) fn set<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.0.borrow_mut();
        let result = change(&mut state);
        state.collect();
        result
    }

    pub(crate) fn random(&self, below: u64) -> u64 {
        self.set(|state| state.random(below))
    }

    /// Runs until the future is ready; when it waits, time jumps to whatever comes next.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = self.poll(future.as_mut()) {
                return output;
            }
        }
    }

    /// Polls once, and lets time pass if nothing was ready.
    pub(crate) fn poll<F: Future>(&self, future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(flag.clone());
        let result = future.poll(&mut Context::from_waker(&waker));
        if result.is_pending() && !flag.0.load(Ordering::Relaxed) {
            self.set(State::pass);
        }
        result
    }

    pub(crate) fn dialer(&self) -> Network {
        Network(self.clone())
    }
}

impl State {
    pub(crate) fn random(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    pub(crate) fn time(&self) -> Duration {
        Duration::from_millis(self.now)
    }

    /// The server sees that the link is gone.
    pub(crate) fn cut(&mut self) {
        if let Some(id) = self.connection.take() {
            let now = self.time();
            self.emulator.connection_closed(now, id);
        }
        self.closed = true;
        self.wake();
    }

    /// The server sends this.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.to_client.extend(bytes);
        self.wake();
    }

    fn wake(&mut self) {
        self.io.drain(..).for_each(Waker::wake);
    }

    fn collect(&mut self) {
        while let Some(output) = self.emulator.poll_output() {
            match output {
                Output::Send { id, bytes } if Some(id) == self.connection => self.to_client.extend(bytes),
                Output::Close { id } if Some(id) == self.connection => {
                    self.connection = None;
                    self.closed = true;
                }
                _ => {}
            }
            self.wake();
        }
    }

    /// Time jumps to the next moment at which something happens.
    fn pass(&mut self) {
        let timer = self.timers.iter().map(|(at, _)| *at).min();
        let server = self.emulator.next_deadline().map(|at| at.as_millis() as u64 + 1);
        let next = timer.into_iter().chain(server).min().expect("something is waited for");
        self.now = self.now.max(next);
        let now = self.time();
        self.emulator.advance(now);
        let (due, later) = std::mem::take(&mut self.timers).into_iter().partition(|(at, _)| *at <= self.now);
        self.timers = later;
        let due: Vec<(u64, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Whether an operation is to be polled once more; or fails.
    fn begins(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ErrorKind>> {
        if self.lazy > 0 && self.random(self.lazy) == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.operations += 1;
        if self.fail_at == Some(self.operations) {
            self.cut();
            return Poll::Ready(Err(ErrorKind::ConnectionReset));
        }
        Poll::Ready(Ok(()))
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock for World {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.borrow().now)
    }
}

impl Timer for World {
    async fn wait_until(&self, at: Instant) {
        poll_fn(|context| {
            let mut state = self.0.borrow_mut();
            if state.now >= at.as_millis() {
                return Poll::Ready(());
            }
            state.timers.push((at.as_millis(), context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Dials the emulator.
pub(crate) struct Network(World);

impl Network {
    pub(crate) fn world(&self) -> &World {
        &self.0
    }
}

impl Dial for Network {
    type Connection<'c> = Pipe;

    async fn dial(&mut self) -> Result<Pipe, TransportError> {
        let until = self.0.set(|state| {
            state.dials += 1;
            state.now + state.dial_takes
        });
        self.0.wait_until(Instant::from_millis(until)).await;
        self.0.set(|state| {
            if let Some(error) = state.refuse.pop_front() {
                return Err(error);
            }
            state.cut();
            state.to_client.clear();
            state.closed = false;
            let now = state.time();
            let id = state.emulator.connection_opened(now);
            state.connection = Some(id);
            Ok(Pipe { world: self.0.clone(), id })
        })
    }
}

/// A connection to the emulator.
pub(crate) struct Pipe {
    world: World,
    id: ConnectionId,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.world.set(|state| {
            if state.connection == Some(self.id) {
                state.cut();
            }
        });
    }
}

impl ErrorType for Pipe {
    type Error = ErrorKind;
}

impl embedded_io_async::Read for Pipe {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            self.world.set(|state| {
                if state.to_client.is_empty() && !state.closed {
                    state.io.push(context.waker().clone());
                    return Poll::Pending;
                }
                std::task::ready!(state.begins(context))?;
                let chop = state.chop.min(buf.len());
                let len = state.to_client.len().min(if chop > 1 {
                    1 + state.random(chop as u64) as usize
                } else {
                    chop
                });
                for (place, byte) in buf.iter_mut().zip(state.to_client.drain(..len)) {
                    *place = byte;
                }
                Poll::Ready(Ok(len))
            })
        })
        .await
    }
}

impl embedded_io_async::Write for Pipe {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            self.world.set(|state| {
                if state.window == 0 {
                    state.io.push(context.waker().clone());
                    return Poll::Pending;
                }
                std::task::ready!(state.begins(context))?;
                if state.connection != Some(self.id) {
                    return Poll::Ready(Err(ErrorKind::BrokenPipe));
                }
                let chop = state.chop.min(buf.len()).min(state.window);
                let len = if chop < buf.len() { 1 + state.random(chop as u64) as usize } else { chop };
                state.window -= if state.window == usize::MAX { 0 } else { len };
                let now = state.time();
                state.last_write = state.now;
                state.writes += 1;
                if !state.deaf {
                    state.emulator.bytes_received(now, self.id, &buf[..len]);
                }
                Poll::Ready(Ok(len))
            })
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        poll_fn(|context| {
            self.world.set(|state| {
                std::task::ready!(state.begins(context))?;
                let at = state.last_write + state.flush_after;
                if state.now >= at {
                    return Poll::Ready(Ok(()));
                }
                state.timers.push((at, context.waker().clone()));
                Poll::Pending
            })
        })
        .await
    }
}

/// An event that borrows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Connected,
    Message {
        topic: String,
        payload: Vec<u8>,
        qos: QoS,
    },
    Published(Ticket),
    /// `true`: another attempt follows.
    Disconnected(mqtt_p2p_embedded::DisconnectReason, bool),
    Refused(mqtt_p2p_embedded::ReasonCode, bool),
    Other(String),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Connected { .. } => Self::Connected,
            Event::Message(message) => Self::Message {
                topic: message.topic.as_str().into(),
                payload: message.payload.into(),
                qos: message.qos,
            },
            Event::Published { ticket, .. } => Self::Published(ticket),
            Event::Disconnected { reason, retry_at, .. } => Self::Disconnected(reason, retry_at.is_some()),
            Event::Refused { reason, retry_at, .. } => Self::Refused(reason, retry_at.is_some()),
            other => Self::Other(format!("{other:?}")),
        }
    }
}

/// A log-in that takes its time, or never comes.
pub(crate) struct Slow<L>(pub(crate) World, pub(crate) u64, pub(crate) Option<L>);

impl<L: LoginSource> LoginSource for Slow<L> {
    async fn login(&mut self, attempt: u32) -> Option<mqtt_p2p_embedded::Login<'_>> {
        let at = Instant::from_millis(self.0.now().as_millis() + self.1);
        self.0.wait_until(at).await;
        match &mut self.2 {
            Some(logins) => logins.login(attempt).await,
            None => None,
        }
    }
}

// ---- the same for loops without an executor ----

impl mqtt_p2p_embedded::blocking::Idle for World {
    fn idle(&self) {
        self.set(|state| {
            state.now += 1;
            let now = state.time();
            state.emulator.advance(now);
        });
    }
}

impl mqtt_p2p_embedded::blocking::Dial for Network {
    type Connection<'c> = Pipe;

    fn dial(&mut self, deadline: Instant) -> Result<Pipe, TransportError> {
        let until = self.0.set(|state| state.now + state.dial_takes);
        while self.0.now().as_millis() < until {
            if self.0.now() >= deadline {
                return Err(TransportError::Unreachable);
            }
            mqtt_p2p_embedded::blocking::Idle::idle(&self.0);
        }
        now(Dial::dial(self)).expect("it has waited")
    }
}

/// What is ready at once.
fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl embedded_io::ReadReady for Pipe {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.world.set(|state| !state.to_client.is_empty() || state.closed))
    }
}

impl embedded_io::WriteReady for Pipe {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.world.set(|state| state.window > 0))
    }
}

impl embedded_io::Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorKind> {
        now(embedded_io_async::Read::read(self, buf)).unwrap_or(Err(ErrorKind::TimedOut))
    }
}

impl embedded_io::Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
        now(embedded_io_async::Write::write(self, buf)).unwrap_or(Err(ErrorKind::TimedOut))
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        now(embedded_io_async::Write::flush(self)).unwrap_or(Err(ErrorKind::TimedOut))
    }
}
