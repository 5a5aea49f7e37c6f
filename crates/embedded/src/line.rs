//! An open transport: one reader and one writer in turns, and its end told once.

use core::pin::pin;

use embedded_io_async::{Read, Write};
use mqtt_p2p_core::{Instant, TransportError};

use crate::clock::Timer;
use crate::io::{Came, TURN_MS, Written, in_time, now_or_never, read, write};
use crate::receive::Receive;

/// How long the last bytes may take to go out, in milliseconds.
pub(crate) const LINGER_MS: u32 = 500;

/// A transport until it is closed.
pub(crate) struct Line<C> {
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
}

impl<C> Line<C> {
    pub(crate) const fn new(io: Option<C>) -> Self {
        Self { io, unflushed: false, stalled: false, left: false, parting: None, ended: None }
    }

    pub(crate) const fn io(&mut self) -> Option<&mut C> {
        self.io.as_mut()
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.io.is_some()
    }

    /// Whether there is no point in writing any more: nobody reads, or not in time.
    pub(crate) fn may_end(&self, until: Instant, now: Instant) -> bool {
        self.io.is_none() || self.ended.is_some() || now >= until
    }

    /// Whether it may take bytes. Whoever took none may have something to say; then the writing goes on.
    pub(crate) fn may_write(&mut self) -> bool {
        !core::mem::take(&mut self.stalled) && self.ended.is_none() && self.io.is_some()
    }

    /// The client has been told how many bytes were written, and says whether it has left with them.
    pub(crate) const fn note_left(&mut self, left: bool) {
        self.left = left;
    }

    /// Closes it, once the good-bye has gone out.
    pub(crate) fn close(&mut self, now: Instant) {
        if self.left && self.unflushed && self.ended.is_none() {
            self.parting = Some(now.after_millis(LINGER_MS));
        } else {
            self.io = None;
        }
    }
}

impl<C: Read + Write> Line<C> {
    /// Writes some of these bytes; says how many.
    pub(crate) async fn write(&mut self, bytes: &[u8], timer: &impl Timer, now: Instant) -> usize {
        let Some(io) = &mut self.io else { return 0 };
        match write(io, bytes, timer, now.after_millis(TURN_MS)).await {
            Written::Bytes(len) => {
                self.unflushed = true;
                return len;
            }
            Written::Stalled => self.stalled = true,
            Written::Failed => self.ended = Some(TransportError::Broken),
        }
        0
    }

    /// Waits for bytes. What is written is flushed first, and where that takes longer, again later. Gives how the
    /// transport ended; it is closed then.
    pub(crate) async fn read(
        &mut self,
        receive: &mut Receive<'_>,
        timer: &impl Timer,
        until: Option<Instant>,
    ) -> Option<TransportError> {
        let io = self.io.as_mut()?;
        if let Some(why) = self.ended {
            // What had come before is good: why the server closed, perhaps.
            let room = receive.room();
            let came = if room.is_empty() { None } else { now_or_never(io.read(room)).await };
            return match came {
                Some(Ok(len)) if len > 0 => {
                    receive.put(len);
                    None
                }
                _ => {
                    self.io = None;
                    Some(why)
                }
            };
        }
        let mut until = until;
        if self.unflushed {
            match now_or_never(io.flush()).await {
                Some(Ok(())) => self.unflushed = false,
                Some(Err(_)) => {
                    self.ended = Some(TransportError::Broken);
                    return None;
                }
                None => {
                    let turn = timer.now().after_millis(TURN_MS);
                    until = Some(until.map_or(turn, |until| until.min(turn)));
                }
            }
        }
        match read(io, receive.room(), timer, until).await {
            Came::Bytes(len) => receive.put(len),
            Came::End => self.ended = Some(TransportError::ClosedByPeer),
            Came::Broken => self.ended = Some(TransportError::Broken),
            Came::Time => {}
        }
        None
    }

    /// Lets the good-bye go out before the transport is closed, if there is one.
    pub(crate) async fn part(&mut self, timer: &impl Timer) {
        let Some(until) = self.parting else { return };
        if let Some(io) = &mut self.io {
            let mut flush = pin!(io.flush());
            in_time(flush.as_mut(), timer, Some(until)).await;
        }
        self.parting = None;
        self.io = None;
    }
}
