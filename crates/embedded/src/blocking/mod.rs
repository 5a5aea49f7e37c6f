//! The same for boards without an executor: the driver is polled in a loop, over the blocking traits of `embedded-io`.
//!
//! # How time passes while nothing comes
//!
//! A transport must say whether it is ready, by [`ReadReady`] and [`WriteReady`]: a UART and its FIFO, a socket of
//! `smoltcp`. While neither is, the driver looks at the clock and calls [`Idle::idle`], again and again; there a board
//! sleeps until its next interrupt, polls its network stack, or just spins. A transport whose reads block with a
//! time-out instead goes into [`WithTimeouts`].

mod websocket;

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use mqtt_p2p_core::{Client, Config, Event, Instant, Storage, TransportError};

use crate::clock::{Clock, Timer};
use crate::dial::drain;
use crate::driver::Wanted;
use crate::io::{First, first};
use crate::login::LoginSource;

pub use websocket::{WebSocketConnection, WebSocketDialer};

/// A clock for loops that poll. Drivers take it by copy: a reference to it is one, too.
pub trait Idle: Clock {
    /// Nothing can be done now. Returns at the next interrupt, or at once; never so late that bytes are lost.
    fn idle(&self) {
        core::hint::spin_loop();
    }
}

impl<I: Idle + ?Sized> Idle for &I {
    fn idle(&self) {
        I::idle(self);
    }
}

/// Opens transports, one after the other. The [asynchronous one](crate::Dial) says what a connection must keep to.
pub trait Dial {
    /// An open transport. It may borrow from the dialer.
    type Connection<'c>: Read + Write + ReadReady + WriteReady
    where
        Self: 'c;

    /// Dials anew. It must come back by the deadline, with [`TransportError::Unreachable`] if nothing else is known.
    ///
    /// # Errors
    /// What failed, for [`Event::Disconnected`].
    fn dial(&mut self, deadline: Instant) -> Result<Self::Connection<'_>, TransportError>;
}

impl<D: Dial + ?Sized> Dial for &mut D {
    type Connection<'c>
        = D::Connection<'c>
    where
        Self: 'c;

    fn dial(&mut self, deadline: Instant) -> Result<Self::Connection<'_>, TransportError> {
        D::dial(self, deadline)
    }
}

impl<P: Read + Write + ReadReady + WriteReady, I: Idle + Copy> Dial for crate::Port<P, I> {
    type Connection<'c>
        = &'c mut P
    where
        Self: 'c;

    fn dial(&mut self, deadline: Instant) -> Result<&mut P, TransportError> {
        let clock = self.timer;
        until(clock, deadline, pin!(drain(&mut Ready(&mut self.port), &Polled(clock))))?;
        Ok(&mut self.port)
    }
}

/// A client with its receive buffer and its clock, in one loop. It lives over any number of connections; each of them is
/// a [`Link`].
#[derive(Debug)]
pub struct Driver<'b, S, I>(crate::Driver<'b, S, Polled<I>>);

/// An attempt to connect, and the connection if it succeeds.
#[derive(Debug)]
pub struct Link<'l, 'b, S, I, C>(crate::Link<'l, 'b, S, Polled<I>, Ready<C>>);

impl<'b, S: Storage, I: Idle + Copy> Driver<'b, S, I> {
    /// See [`crate::Driver::new`].
    pub fn new(config: Config, seed: u64, storage: S, receive: &'b mut [u8], clock: I) -> Self {
        Self(crate::Driver::new(config, seed, storage, receive, Polled(clock)))
    }

    /// See [`crate::Driver::client`].
    pub const fn client(&mut self) -> &mut Client<S> {
        self.0.client()
    }

    /// The clock.
    pub const fn clock(&self) -> I {
        self.0.timer.0
    }

    /// Waits out the back-off, asks for the log-in, dials, and gives the link. `None` when nobody wants a connection any
    /// more. See [`crate::Driver::open`].
    pub fn open<'l, D: Dial, L: LoginSource>(
        &'l mut self,
        dialer: &'l mut D,
        logins: &mut L,
    ) -> Option<Link<'l, 'b, S, I, D::Connection<'l>>> {
        let wanted = run(self.0.timer.0, self.0.wanted());
        self.go_on(wanted, dialer, logins)
    }

    /// The same without waiting: `Pending` while the back-off lasts. An attempt itself blocks, as its dialer does.
    pub fn poll_open<'l, D: Dial, L: LoginSource>(
        &'l mut self,
        dialer: &'l mut D,
        logins: &mut L,
    ) -> Poll<Option<Link<'l, 'b, S, I, D::Connection<'l>>>> {
        match once(self.0.wanted()) {
            Poll::Ready(wanted) => Poll::Ready(self.go_on(wanted, dialer, logins)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<'b, S: Storage, I: Idle + Copy> Driver<'b, S, I> {
    fn go_on<'l, D: Dial, L: LoginSource>(
        &'l mut self,
        wanted: Wanted,
        dialer: &'l mut D,
        logins: &mut L,
    ) -> Option<Link<'l, 'b, S, I, D::Connection<'l>>> {
        let connection = match wanted {
            Wanted::Nothing => return None,
            Wanted::Event => None,
            Wanted::Transport(attempt) => self.dial(attempt, dialer, logins).map(Ready),
        };
        Some(Link(crate::Link::new(&mut self.0, connection)))
    }

    /// Dials until the deadline, and logs in. What came of it the client knows. Not inlined: what it needs of the stack
    /// would be needed for as long as the loop around it runs.
    #[inline(never)]
    fn dial<'l, D: Dial, L: LoginSource>(
        &mut self,
        attempt: u32,
        dialer: &'l mut D,
        logins: &mut L,
    ) -> Option<D::Connection<'l>> {
        let clock = self.clock();
        let deadline = self.0.dialling()?.unwrap_or(Instant::from_millis(u64::MAX));
        let login = until(
            clock,
            deadline,
            pin!(async { logins.login(attempt).await.ok_or(TransportError::NoLogIn) }),
        );
        let result = login.and_then(|login| dialer.dial(deadline).map(|connection| (login, connection)));
        // The time that it took counts.
        self.0.dialling()?;
        match result {
            Ok((login, connection)) => {
                self.0.opened(&login);
                Some(connection)
            }
            Err(error) => {
                self.0.closed(error);
                None
            }
        }
    }
}

impl<S: Storage, I: Idle + Copy, C: Read + Write + ReadReady + WriteReady> Link<'_, '_, S, I, C> {
    /// See [`crate::Link::client`].
    pub const fn client(&mut self) -> &mut Client<S> {
        self.0.client()
    }

    /// The transport, if it is open.
    pub fn connection(&mut self) -> Option<&mut C> {
        self.0.connection().map(|ready| &mut ready.0)
    }

    /// Waits for the next event. `None` when the attempt has ended, after its [`Event::Refused`] or
    /// [`Event::Disconnected`]. See [`crate::Link::next`].
    #[expect(clippy::should_implement_trait, reason = "an event borrows from the link")]
    pub fn next(&mut self) -> Option<Event<'_>> {
        run(self.0.timer().0, self.0.next())
    }

    /// Does what can be done without waiting, up to the next event: for loops that have more to do.
    pub fn poll(&mut self) -> Poll<Option<Event<'_>>> {
        once(self.0.next())
    }

    /// Waits for the next event, or until this moment; then it is `Pending`.
    pub fn next_until(&mut self, at: Instant) -> Poll<Option<Event<'_>>> {
        let timer = Polled(self.0.timer().0);
        let mut next = pin!(self.0.next());
        let mut late = pin!(timer.wait_until(at));
        match run(timer.0, first(next.as_mut(), late.as_mut())) {
            First::Left(event) => Poll::Ready(event),
            First::Right(()) => Poll::Pending,
        }
    }
}

/// Polls a future until it is ready.
fn run<I: Idle, F: Future>(clock: I, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        clock.idle();
    }
}

/// Polls what is part of a dial until it is ready, or until the deadline.
fn until<I: Idle, T>(
    clock: I,
    deadline: Instant,
    dialling: Pin<&mut impl Future<Output = Result<T, TransportError>>>,
) -> Result<T, TransportError> {
    let timer = Polled(clock);
    let mut late = pin!(timer.wait_until(deadline));
    match run(&timer.0, first(dialling, late.as_mut())) {
        First::Left(result) => result,
        // The client knows that its time is over.
        First::Right(()) => Err(TransportError::Unreachable),
    }
}

/// Polls a future once, and drops it: all of them here may be dropped at any moment.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A clock that one polls.
#[derive(Clone, Copy, Debug)]
struct Polled<I>(I);

impl<I: Idle> Clock for Polled<I> {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl<I: Idle> Timer for Polled<I> {
    async fn wait_until(&self, at: Instant) {
        poll_fn(|_| if self.now() >= at { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// A transport whose reads and writes block with a time-out, and then give [`ErrorKind::TimedOut`] or
/// [`ErrorKind::Interrupted`]: nothing has come yet. The time-out is how late the client looks at its clock; 10 to 100 ms
/// are good.
#[derive(Debug)]
pub struct WithTimeouts<C>(pub C);

impl<C: ErrorType> ErrorType for WithTimeouts<C> {
    type Error = C::Error;
}

impl<C: Read> Read for WithTimeouts<C> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, C::Error> {
        self.0.read(buf)
    }
}

impl<C: Write> Write for WithTimeouts<C> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, C::Error> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> Result<(), C::Error> {
        self.0.flush()
    }
}

impl<C: Read> ReadReady for WithTimeouts<C> {
    fn read_ready(&mut self) -> Result<bool, C::Error> {
        Ok(true)
    }
}

impl<C: Write> WriteReady for WithTimeouts<C> {
    fn write_ready(&mut self) -> Result<bool, C::Error> {
        Ok(true)
    }
}

/// A blocking transport as an asynchronous one that is polled.
#[derive(Debug)]
struct Ready<C>(C);

/// What came of an operation that had something to do, or timed out.
fn outcome<T, E: Error>(result: Result<T, E>) -> Poll<Result<T, E>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

impl<C: ErrorType> ErrorType for Ready<C> {
    type Error = C::Error;
}

impl<C: Read + ReadReady> embedded_io_async::Read for Ready<C> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, C::Error> {
        poll_fn(|_| match self.0.read_ready() {
            Ok(true) => outcome(self.0.read(buf)),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        })
        .await
    }
}

impl<C: Write + WriteReady> embedded_io_async::Write for Ready<C> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, C::Error> {
        poll_fn(|_| match self.0.write_ready() {
            Ok(true) => outcome(self.0.write(buf)),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), C::Error> {
        poll_fn(|_| outcome(self.0.flush())).await
    }
}
