//! The exchange: first with itself, then with the host.

use crate::payload::{self, Damage, Origin};
use crate::seen::Seen;

/// So many messages may be on their way, sent and not come back: what a firmware's memory holds.
const WINDOW: u16 = 4;

/// Sends numbered messages, and checks what comes back.
///
/// The first part goes to itself; in the second one, the host answers each message of the firmware with one of its own.
/// If it is asked to [pause](Self::new), it does so in the middle of the first part: it waits until all it sent has come
/// back and is acknowledged, and then for the host to say [go on](payload::GO).
#[derive(Debug)]
pub struct Exchange {
    messages: u16,
    has_peer: bool,
    pause: Pause,
    own_sent: u16,
    own: Seen,
    peer_sent: u16,
    peer: Seen,
    unacknowledged: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    Never,
    Ahead,
    Now,
    Over,
}

/// A message to be sent, with QoS 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom.
    pub target: Target,
    /// Which.
    pub number: u16,
}

/// Who gets a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The firmware itself.
    Own,
    /// The host's client.
    Peer,
}

/// What is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many messages to itself came back.
    Own(u16),
    /// So many messages came from the host.
    Peer(u16),
    /// Nothing is under way, and the host is to say when to go on.
    Paused,
    /// The host said it.
    GoesOn,
}

/// What came is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A payload is not as it was sent.
    Damaged(Damage),
    /// A message that was never sent, or not to this firmware.
    Unexpected(Origin, u16),
    /// An acknowledgement too many.
    Acknowledged,
}

impl Outgoing {
    /// Its payload.
    pub fn payload(&self) -> [u8; payload::LEN] {
        let origin = match self.target {
            Target::Own => Origin::Own,
            Target::Peer => Origin::Firmware,
        };
        payload::of(origin, self.number)
    }
}

impl Exchange {
    /// So many messages each way, with the host as well if it is there, and a pause if it is wanted.
    pub const fn new(messages: u16, has_peer: bool, pause: bool) -> Self {
        Self {
            messages,
            has_peer,
            pause: if pause { Pause::Ahead } else { Pause::Never },
            own_sent: 0,
            own: Seen::new(),
            peer_sent: 0,
            peer: Seen::new(),
            unacknowledged: 0,
        }
    }

    /// What to send now, if anything. It is asked again until [`sent`](Self::sent) says that it was accepted.
    pub fn next(&self) -> Option<Outgoing> {
        let own_under_way = self.own_sent - self.own.count();
        let peer_under_way = self.peer_sent - self.peer.count();
        if own_under_way + peer_under_way >= WINDOW || self.is_pausing() {
            None
        } else if self.own_sent < self.messages {
            Some(Outgoing { target: Target::Own, number: self.own_sent })
        } else if self.has_peer && self.peer_sent < self.messages && own_under_way == 0 {
            Some(Outgoing { target: Target::Peer, number: self.peer_sent })
        } else {
            None
        }
    }

    /// The client has accepted what [`next`](Self::next) gave.
    pub fn sent(&mut self, outgoing: Outgoing) {
        self.unacknowledged += 1;
        match outgoing.target {
            Target::Own => self.own_sent += 1,
            Target::Peer => self.peer_sent += 1,
        }
    }

    /// The server has acknowledged one of the messages.
    ///
    /// # Errors
    /// There was none to acknowledge.
    pub fn acknowledged(&mut self) -> Result<Option<Progress>, Fault> {
        self.unacknowledged = self.unacknowledged.checked_sub(1).ok_or(Fault::Acknowledged)?;
        Ok(self.begin_pause())
    }

    /// A message came.
    ///
    /// # Errors
    /// It is not one that should have come.
    pub fn received(&mut self, payload: &[u8]) -> Result<Option<Progress>, Fault> {
        const TELL_EVERY: u16 = 50;
        if payload == payload::GO {
            let goes_on = self.pause == Pause::Now;
            if goes_on {
                self.pause = Pause::Over;
            }
            return Ok(goes_on.then_some(Progress::GoesOn));
        }
        let (origin, number) = payload::read(payload).map_err(Fault::Damaged)?;
        let (sent, seen) = match origin {
            Origin::Own => (self.own_sent, &mut self.own),
            Origin::Host => (self.peer_sent, &mut self.peer),
            Origin::Firmware => return Err(Fault::Unexpected(origin, number)),
        };
        if number >= sent {
            return Err(Fault::Unexpected(origin, number));
        }
        if !seen.note(number) {
            return Ok(None);
        }
        let count = seen.count();
        if let Some(paused) = self.begin_pause() {
            return Ok(Some(paused));
        }
        Ok((count % TELL_EVERY == 0).then_some(match origin {
            Origin::Own => Progress::Own(count),
            _ => Progress::Peer(count),
        }))
    }

    /// Whether all has come back and is acknowledged.
    pub fn is_done(&self) -> bool {
        let peer_done = !self.has_peer || self.peer.count() == self.messages;
        self.own.count() == self.messages && peer_done && self.unacknowledged == 0
    }

    /// The messages that came back.
    pub const fn own(&self) -> &Seen {
        &self.own
    }

    /// The messages that came from the host.
    pub const fn peer(&self) -> &Seen {
        &self.peer
    }

    /// Whether enough was sent for the pause, and it is not over.
    fn is_pausing(&self) -> bool {
        matches!(self.pause, Pause::Ahead | Pause::Now) && self.own_sent >= self.messages / 2
    }

    fn begin_pause(&mut self) -> Option<Progress> {
        let quiet = self.unacknowledged == 0 && self.own.count() == self.own_sent;
        if self.pause == Pause::Ahead && self.is_pausing() && quiet {
            self.pause = Pause::Now;
            return Some(Progress::Paused);
        }
        None
    }
}
