//! The task that runs the client: its only reader and writer, its dialler, its clock.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embassy_sync::blocking_mutex::raw::RawMutex;
use embedded_io_async::{Read, Write};
use mqtt_p2p_core::{Action, Error, Event, Instant, Storage, TransportError};

use super::Shared;
use super::state::{Lent, State, Wish};
use crate::clock::{Timer, wait_for};
use crate::dial::Dial;
use crate::io::{First, TURN_MS, first, in_time};
use crate::line::{LINGER_MS, Line};
use crate::login::LoginSource;
use crate::receive::{Receive, move_down};

/// The buffers while the client runs. They come back when its task is dropped.
struct Running<'s, 'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> {
    shared: &'s Shared<'b, M, S, TASKS, RECEIVERS>,
    /// `None` while a message in it is lent.
    receive: Option<Receive<'b>>,
    transmit: &'b mut [u8],
    /// What is to be written: this part of it.
    start: usize,
    end: usize,
    /// The client knows that nothing is read.
    held: bool,
}

/// What the client wants next.
enum Next {
    /// To be asked again.
    Again,
    /// To have written what is to be written, then to be asked again.
    Write,
    /// To wait: for bytes, for a task, for this moment.
    Wait(Option<Instant>),
    Close,
    /// A transport, at this attempt: what came before is over.
    Dial(u32),
    /// Nothing: nobody wants a connection.
    Nothing,
}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Shared<'b, M, S, TASKS, RECEIVERS>
{
    /// Runs the client: wants a connection, dials, reconnects, reads and writes, until nobody wants one any more: after
    /// [`disconnect`](Self::disconnect), or after a refusal that asking again does not cure ([`Status::Refused`] or
    /// [`Status::Disconnected`] without `retry_at`). It may run again then. A second run at the same time waits for the
    /// first one to end.
    ///
    /// To drop the future closes the connection; nothing accepted is lost, and the next run goes on.
    ///
    /// [`Status::Refused`]: crate::Status::Refused
    /// [`Status::Disconnected`]: crate::Status::Disconnected
    pub async fn run<D: Dial, L: LoginSource, T: Timer>(&self, dialer: &mut D, logins: &mut L, timer: &T) {
        let mut running = self.wait(|state| state.start(self)).await;
        let now = timer.now();
        self.with(|state| {
            // The run before may have been dropped with its connection.
            state.client.transport_closed(now, TransportError::Broken);
            state.client.connect(now);
        });
        let mut attempt = running.settle(None).await;
        loop {
            match attempt.take() {
                Some(number) => {
                    let connection = running.dial(number, &mut *dialer, &mut *logins, timer).await;
                    attempt = running.carry(Line::new(connection), timer).await;
                }
                None => match running.wanted(timer).await {
                    Some(number) => attempt = Some(number),
                    None => return,
                },
            }
        }
    }

    /// Waits for something to do, or for a future.
    async fn or_work<F: Future>(&self, future: Pin<&mut F>) -> Option<F::Output> {
        let mut work = pin!(poll_fn(|context| {
            match self.with(|state| state.has_work(context.waker())) {
                Some(true) => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
        match first(work.as_mut(), future).await {
            First::Left(()) => None,
            First::Right(output) => Some(output),
        }
    }
}

impl<'b, S: Storage, const TASKS: usize, const RECEIVERS: usize> State<'b, S, TASKS, RECEIVERS> {
    /// A run begins, unless there is one.
    fn start<'s, M: RawMutex>(
        &mut self,
        shared: &'s Shared<'b, M, S, TASKS, RECEIVERS>,
    ) -> Poll<Running<'s, 'b, M, S, TASKS, RECEIVERS>> {
        match self.transmit.take() {
            Some(transmit) => Poll::Ready(Running {
                shared,
                receive: self.receive.take(),
                transmit,
                start: 0,
                end: 0,
                held: false,
            }),
            None => Poll::Pending,
        }
    }
}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Running<'_, 'b, M, S, TASKS, RECEIVERS>
{
    fn with<R>(&self, work: impl FnOnce(&mut State<'b, S, TASKS, RECEIVERS>) -> R) -> Option<R> {
        self.shared.with(work)
    }

    /// Waits until the client wants a transport, without having one.
    async fn wanted(&mut self, timer: &impl Timer) -> Option<u32> {
        loop {
            match self.step(timer.now()) {
                Next::Dial(attempt) => return Some(attempt),
                Next::Nothing => return None,
                Next::Wait(until) => {
                    let mut wait = pin!(wait_for(timer, until));
                    self.shared.or_work(wait.as_mut()).await;
                }
                Next::Again | Next::Write | Next::Close => {}
            }
        }
    }

    /// Dials until the deadline, and logs in. What came of it the client knows.
    async fn dial<'d, D: Dial, L: LoginSource>(
        &mut self,
        attempt: u32,
        dialer: &'d mut D,
        logins: &mut L,
        timer: &impl Timer,
    ) -> Option<D::Connection<'d>> {
        let mut dialling = pin!(async {
            let login = logins.login(attempt).await.ok_or(TransportError::NoLogIn)?;
            Ok((login, dialer.dial().await?))
        });
        loop {
            let until = match self.step(timer.now()) {
                Next::Wait(until) => until,
                Next::Close => return None,
                _ => continue,
            };
            let mut dialled = pin!(in_time(dialling.as_mut(), timer, until));
            match self.shared.or_work(dialled.as_mut()).await {
                Some(First::Left(Ok((login, connection)))) => {
                    let now = timer.now();
                    self.with(|state| state.client.transport_opened(now, &login));
                    return Some(connection);
                }
                Some(First::Left(Err(error))) => {
                    self.closed(timer, error);
                    return None;
                }
                Some(First::Right(())) | None => {}
            }
        }
    }

    /// Carries bytes until the attempt is over. Gives the next one, if it begins at once.
    async fn carry<C: Read + Write>(&mut self, mut line: Line<C>, timer: &impl Timer) -> Option<u32> {
        // Until when what is still to be written may take.
        let mut closing: Option<Instant> = None;
        if let Some(receive) = &mut self.receive {
            receive.clear();
        }
        loop {
            line.part(timer).await;
            let now = timer.now();
            let next = if closing.is_some() { Next::Close } else { self.step(now) };
            let left = self.with(|state| state.client.has_left());
            match next {
                Next::Again => {}
                Next::Write => self.write(&mut line, timer, now).await,
                Next::Close => {
                    let until = *closing.get_or_insert(now.after_millis(LINGER_MS));
                    if line.may_end(until, now) || self.start == self.end {
                        closing = None;
                        (self.start, self.end) = (0, 0);
                        line.close(now);
                    } else {
                        self.write(&mut line, timer, now).await;
                    }
                }
                Next::Dial(attempt) => return self.settle(Some(attempt)).await,
                Next::Wait(_) | Next::Nothing if !line.is_open() => return self.settle(None).await,
                Next::Nothing => {}
                Next::Wait(until) => {
                    if let Some(why) = self.read(&mut line, timer, until).await {
                        self.closed(timer, why);
                    }
                }
            }
            if left == Some(true) {
                line.note_left(true);
            }
        }
    }

    /// The connection is over: a message that is lent comes back before the next one begins.
    async fn settle(&mut self, attempt: Option<u32>) -> Option<u32> {
        (self.start, self.end) = (0, 0);
        while self.receive.is_none() {
            self.take_back();
            if self.receive.is_none() {
                let mut never = pin!(core::future::pending::<()>());
                self.shared.or_work(never.as_mut()).await;
            }
        }
        attempt
    }

    /// Writes some of what is to be written, or reads for a while if the transport takes nothing.
    async fn write<C: Read + Write>(&mut self, line: &mut Line<C>, timer: &impl Timer, now: Instant) {
        if line.may_write() {
            let bytes = self.transmit.get(self.start..self.end).unwrap_or_default();
            let written = line.write(bytes, timer, now).await;
            self.start = self.start.saturating_add(written);
        } else if let Some(why) = self.read(line, timer, Some(now.after_millis(TURN_MS))).await {
            self.closed(timer, why);
        }
    }

    /// Waits for bytes, for a task, or for the moment. Gives how the transport ended.
    async fn read<C: Read + Write>(
        &mut self,
        line: &mut Line<C>,
        timer: &impl Timer,
        until: Option<Instant>,
    ) -> Option<TransportError> {
        let Some(receive) = &mut self.receive else {
            let mut wait = pin!(wait_for(timer, until));
            self.shared.or_work(wait.as_mut()).await;
            return None;
        };
        let mut read = pin!(line.read(receive, timer, until));
        self.shared.or_work(read.as_mut()).await.flatten()
    }

    /// The transport is gone, or did not come about; and with it what was still to be written.
    fn closed(&mut self, timer: &impl Timer, why: TransportError) {
        (self.start, self.end) = (0, 0);
        let now = timer.now();
        self.with(|state| state.client.transport_closed(now, why));
    }

    /// A message that all have taken is acknowledged.
    fn take_back(&mut self) {
        let lent = self.with(|state| {
            let lent = state.lent.take_if(|lent| lent.open == 0)?;
            state.acknowledge = lent.ack;
            Some(lent)
        });
        if let Some(Lent { receive, .. }) = lent.flatten() {
            self.receive = Some(receive);
        }
    }

    /// Asks the client for one thing, and does what needs no waiting.
    fn step(&mut self, now: Instant) -> Next {
        self.take_back();
        let Self { shared, receive, transmit, start, end, held } = self;
        if *start > 0 {
            // A layer that wants whole packets may have left the beginning of one.
            move_down(transmit, *start, *end);
            (*start, *end) = (0, end.saturating_sub(*start));
        }
        let mut lend = None;
        let next = shared.with(|state| {
            match state.wish.take() {
                Some(Wish::Connect) => state.client.connect(now),
                Some(Wish::Disconnect) => state.client.disconnect(now),
                None => {}
            }
            if let Some(token) = state.acknowledge
                && !matches!(state.client.acknowledge(token), Err(Error::Full(_)))
            {
                state.acknowledge = None;
            }
            // What came is read only if what came before has been taken, and acknowledged.
            let reading = receive.is_some() && state.acknowledge.is_none();
            if *held != receive.is_none() {
                *held = receive.is_none();
                state.client.hold_reading(now, *held);
            }
            let mut received = receive.as_ref().filter(|_| reading).map(Receive::bytes).unwrap_or_default();
            let action = state.client.poll(now, &mut received);
            let rest = received.len();
            let next = match action {
                Action::OpenTransport { attempt, .. } => return Next::Dial(attempt),
                Action::CloseTransport => Next::Close,
                Action::Store(_) => Next::Again,
                Action::Transmit(bytes) => {
                    let room = transmit.get_mut(*end..).unwrap_or_default();
                    let len = bytes.len().min(room.len());
                    for (place, byte) in room.iter_mut().zip(bytes) {
                        *place = *byte;
                    }
                    *end = end.saturating_add(len);
                    state.client.transmitted(len);
                    state.waiting.wake();
                    if len == 0 { Next::Write } else { Next::Again }
                }
                Action::Wait(until) => {
                    if start < end {
                        Next::Write
                    } else if state.client.is_idle() {
                        Next::Nothing
                    } else {
                        Next::Wait(until)
                    }
                }
                Action::Event(Event::Message(message)) => {
                    let open = state.receivers_of(message.topic);
                    if open == 0 {
                        state.unclaimed = state.unclaimed.saturating_add(1);
                        state.acknowledge = message.ack;
                    } else if let Some(receive) = &*receive {
                        let held = Event::Message(message).hold(receive.whole());
                        lend = Some((held, message.ack, open));
                    }
                    Next::Again
                }
                Action::Event(event) => {
                    state.note(&event);
                    Next::Again
                }
            };
            if reading && let Some(receive) = receive {
                receive.leave(rest);
            }
            if let Some((held, ack, open)) = lend
                && let Some(receive) = receive.take()
            {
                state.lent = Some(Lent { receive, held, ack, open });
            }
            next
        });
        next.unwrap_or(Next::Again)
    }
}

impl<M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> Drop
    for Running<'_, '_, M, S, TASKS, RECEIVERS>
{
    fn drop(&mut self) {
        let transmit = core::mem::take(&mut self.transmit);
        let receive = self.receive.take();
        self.shared.with(|state| {
            state.transmit = Some(transmit);
            // One that is lent comes back to the next run.
            state.receive = receive;
            state.waiting.wake();
        });
    }
}
