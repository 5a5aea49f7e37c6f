//! An attempt to connect, and the connection that it leads to.

use core::fmt;

use embedded_io_async::{Read, Write};
use mqtt_p2p_core::{Action, Client, Event, HeldEvent, Instant, Storage};

use crate::clock::Timer;
use crate::driver::{Driver, Transport};
use crate::io::TURN_MS;
use crate::line::Line;

/// One attempt to connect, and the connection if it succeeds: a stream of events that ends with the attempt. Opened by
/// [`Driver::open`]; to drop it closes the transport.
pub struct Link<'l, 'b, S, T, C> {
    driver: &'l mut Driver<'b, S, T>,
    line: Line<C>,
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
        Self { driver, line: Line::new(io), over: false }
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
        self.line.io()
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
        let (driver, line) = (&mut *self.driver, &mut self.line);
        line.part(&driver.timer).await;
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
                return Next::Tell(held);
            }
            Action::Transmit(bytes) => {
                // Before any wait: what was taken must not be taken again.
                driver.receive.leave(rest);
                if !line.may_write() {
                    return Next::Read(Some(now.after_millis(TURN_MS)));
                }
                let len = line.write(bytes, &driver.timer, now).await;
                driver.client.transmitted(len);
                line.note_left(driver.client.has_left());
            }
            Action::CloseTransport => {
                driver.receive.leave(rest);
                driver.transport = Transport::None;
                line.close(now);
            }
            Action::OpenTransport { attempt, .. } => {
                // The next attempt. This link was there to tell of something else.
                driver.transport = Transport::Wanted(attempt);
                self.over = true;
            }
            Action::Store(_) => {}
            Action::Wait(until) => {
                driver.receive.leave(rest);
                return Next::Read(until);
            }
        }
        Next::Again
    }

    async fn read(&mut self, until: Option<Instant>) {
        let driver = &mut *self.driver;
        if !self.line.is_open() {
            self.over = true;
        } else if let Some(why) = self.line.read(&mut driver.receive, &driver.timer, until).await {
            driver.closed(why);
        }
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
            .field("is_open", &self.line.is_open())
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
