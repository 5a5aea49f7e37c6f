//! An attempt to connect, and the connection that it leads to.

use core::fmt;
use core::pin::pin;

use embedded_io_async::{Read, Write};
use mqtt_p2p_core::{Action, Client, Event, HeldEvent, Instant, Storage, TransportError};

use crate::clock::Timer;
use crate::driver::{Driver, Transport};
use crate::io::{Came, TURN_MS, Written, in_time, now_or_never, read, write};

/// How long the last bytes may take to go out, in milliseconds.
const LINGER_MS: u32 = 500;

/// One attempt to connect, and the connection if it succeeds: a stream of events that ends with the attempt. Opened by
/// [`Driver::open`]; to drop it closes the transport.
pub struct Link<'l, 'b, S, T, C> {
    driver: &'l mut Driver<'b, S, T>,
    io: Option<C>,
    /// Written, and perhaps not flushed.
    unflushed: bool,
    /// The transport takes nothing for now: time to read.
    stalled: bool,
    /// DISCONNECT is the last that was written.
    left: bool,
    /// Until when the good-bye may take.
    parting: Option<Instant>,
    /// How the transport ended, which the client hears once all that came has been read.
    ended: Option<TransportError>,
    /// The attempt has ended, and everybody knows.
    over: bool,
}

/// What there is to do next that is not the client's.
enum Next {
    Tell(HeldEvent),
    /// Until when to wait for bytes.
    Read(Option<Instant>),
    Again,
    Over,
}

impl<'l, 'b, S: Storage, T: Timer, C: Read + Write> Link<'l, 'b, S, T, C> {
    pub(crate) const fn new(driver: &'l mut Driver<'b, S, T>, io: Option<C>) -> Self {
        Self {
            driver,
            io,
            unflushed: false,
            stalled: false,
            left: false,
            parting: None,
            ended: None,
            over: false,
        }
    }

    /// The client: see [`Driver::client`].
    pub const fn client(&mut self) -> &mut Client<S> {
        self.driver.client()
    }

    /// The timer.
    pub const fn timer(&self) -> &T {
        &self.driver.timer
    }

    /// The transport, if it is open.
    pub const fn connection(&mut self) -> Option<&mut C> {
        self.io.as_mut()
    }

    /// The next event; a message lies in the driver's receive buffer until the next call. `None` when the attempt has
    /// ended, after its [`Event::Refused`] or [`Event::Disconnected`]: drop the link and
    /// [`open`](Driver::open) the next one.
    ///
    /// To drop the future loses nothing, at any moment.
    pub async fn next(&mut self) -> Option<Event<'_>> {
        let held = loop {
            match self.step().await {
                Next::Tell(held) => break held,
                Next::Read(until) => self.read(until).await,
                Next::Again => {}
                Next::Over => return None,
            }
        };
        held.event(self.driver.receive.whole())
    }

    /// Does one thing that the client says.
    async fn step(&mut self) -> Next {
        if let Some(until) = self.parting {
            self.part(until).await;
        }
        let driver = &mut *self.driver;
        if let Some(event) = driver.event.take() {
            self.over = is_last(&event);
            return Next::Tell(event.hold(&[]));
        }
        if self.over {
            return Next::Over;
        }
        let now = driver.timer.now();
        let mut received = driver.receive.bytes();
        let action = driver.client.poll(now, &mut received);
        let rest = received.len();
        match action {
            Action::Event(event) => {
                self.over = is_last(&event);
                let held = event.hold(driver.receive.whole());
                driver.receive.leave(rest);
                Next::Tell(held)
            }
            Action::Transmit(bytes) => {
                driver.receive.leave(rest);
                let Some(io) = self.io.as_mut().filter(|_| self.ended.is_none() && !self.stalled) else {
                    // Whoever takes nothing may have something to say; and then the writing goes on.
                    self.stalled = false;
                    return Next::Read(Some(now.after_millis(TURN_MS)));
                };
                match write(io, bytes, &driver.timer, now.after_millis(TURN_MS)).await {
                    Written::Bytes(len) => {
                        driver.client.transmitted(len);
                        self.unflushed = true;
                        self.left = driver.client.has_left();
                    }
                    Written::Stalled => self.stalled = true,
                    Written::Failed => self.ended = Some(TransportError::Broken),
                }
                Next::Again
            }
            Action::CloseTransport => {
                driver.receive.leave(rest);
                driver.transport = Transport::None;
                if self.left && self.unflushed && self.ended.is_none() {
                    self.parting = Some(now.after_millis(LINGER_MS));
                } else {
                    self.io = None;
                }
                Next::Again
            }
            Action::OpenTransport { attempt } => {
                // The next attempt. This link was there to tell of something else.
                driver.transport = Transport::Wanted(attempt);
                self.over = true;
                Next::Over
            }
            Action::Store(_) => Next::Again,
            Action::Wait(until) => {
                driver.receive.leave(rest);
                Next::Read(until)
            }
        }
    }

    /// Waits for bytes. What is written is flushed first, and where that takes longer, again later.
    async fn read(&mut self, until: Option<Instant>) {
        let driver = &mut *self.driver;
        let Some(io) = &mut self.io else {
            self.over = true;
            return;
        };
        if let Some(why) = self.ended {
            // What had come before is good: why the server closed, perhaps.
            let room = driver.receive.room();
            let came = if room.is_empty() { None } else { now_or_never(io.read(room)).await };
            match came {
                Some(Ok(len)) if len > 0 => driver.receive.put(len),
                _ => {
                    self.io = None;
                    driver.closed(why);
                }
            }
            return;
        }
        let mut until = until;
        if self.unflushed {
            match now_or_never(io.flush()).await {
                Some(Ok(())) => self.unflushed = false,
                Some(Err(_)) => {
                    self.ended = Some(TransportError::Broken);
                    return;
                }
                None => {
                    let turn = driver.timer.now().after_millis(TURN_MS);
                    until = Some(until.map_or(turn, |until| until.min(turn)));
                }
            }
        }
        match read(io, driver.receive.room(), &driver.timer, until).await {
            Came::Bytes(len) => driver.receive.put(len),
            Came::End => self.ended = Some(TransportError::ClosedByPeer),
            Came::Broken => self.ended = Some(TransportError::Broken),
            Came::Time => {}
        }
    }

    /// Lets the good-bye go out before the transport is closed.
    async fn part(&mut self, until: Instant) {
        if let Some(io) = &mut self.io {
            let mut flush = pin!(io.flush());
            in_time(flush.as_mut(), &self.driver.timer, Some(until)).await;
        }
        self.parting = None;
        self.io = None;
    }
}

/// Whether it ends the attempt.
const fn is_last(event: &Event<'_>) -> bool {
    matches!(event, Event::Refused { .. } | Event::Disconnected { .. })
}

/// Without bytes of the peer, which the receive buffer holds.
impl<S, T, C> fmt::Debug for Link<'_, '_, S, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("is_open", &self.io.is_some())
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
