//! Keep alive (§3.1.2.10): when a ping is due, and when its answer is overdue.

use crate::time::{Millis, Moment};

/// The clock of one connection.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    /// The longest silence either way, in milliseconds; the largest number: no keep alive.
    interval: Millis,
    timeout: Millis,
    /// What is kept of the silence since something was sent, which must not be longer than the interval.
    send_by: Moment,
    /// The same since something came.
    hear_by: Moment,
    /// The answer to the ping under way is due then; `NEVER` if there is none.
    overdue: Moment,
    /// The caller does not read for now: no answer can be expected.
    held: bool,
    /// Ask at once.
    doubted: bool,
}

/// What is to be done now.
pub(crate) enum Due {
    Ping,
    Dead,
    Nothing,
}

impl KeepAlive {
    pub(crate) const fn new() -> Self {
        Self {
            interval: Millis::MAX,
            timeout: 0,
            send_by: Moment::START,
            hear_by: Moment::START,
            overdue: Moment::NEVER,
            held: false,
            doubted: false,
        }
    }

    /// A connection begins.
    pub(crate) const fn start(&mut self, now: Moment, keep_alive_secs: u16, timeout: u32) {
        // An eighth early, since a timer may be late and the network takes its time ([MQTT-3.1.2-23]).
        self.interval = match keep_alive_secs {
            0 => Millis::MAX,
            secs => (secs as Millis).wrapping_mul(875),
        };
        self.timeout = timeout as Millis;
        self.send_by = now.begin(self.interval);
        self.hear_by = self.send_by;
        self.overdue = Moment::NEVER;
        self.doubted = false;
    }

    /// Time goes by.
    pub(crate) const fn pass(&mut self, millis: u32) {
        self.send_by.pass(millis);
        self.hear_by.pass(millis);
        self.overdue.pass(millis);
    }

    #[inline]
    pub(crate) const fn sent(&mut self, now: Moment) {
        self.send_by = now.begin(self.interval);
    }

    /// A whole packet came: the peer lives. Bytes that trickle in prove nothing.
    #[inline]
    pub(crate) const fn received(&mut self, now: Moment) {
        self.hear_by = now.begin(self.interval);
        if self.is_asked() {
            self.overdue = now.later(self.timeout);
        }
    }

    pub(crate) const fn answered(&mut self) {
        self.overdue = Moment::NEVER;
    }

    /// A ping goes out. If one is under way, its deadline stays.
    pub(crate) fn pinged(&mut self, now: Moment) {
        self.doubted = false;
        self.overdue = self.overdue.min(now.later(self.timeout));
    }

    /// The caller stops reading, or goes on.
    pub(crate) const fn hold(&mut self, now: Moment, held: bool) {
        self.held = held;
        self.received(now);
    }

    /// Asks at once whether the peer is there. An older question does not count: its answer had no chance.
    pub(crate) const fn doubt(&mut self) {
        self.doubted = true;
        self.overdue = Moment::NEVER;
    }

    /// Asks at once, unless an answer is waited for already: its deadline stays.
    pub(crate) const fn ask(&mut self) {
        self.doubted = !self.awaits_answer() || self.doubted;
    }

    /// Whether a ping is under way.
    #[inline]
    const fn is_asked(&self) -> bool {
        !matches!(self.overdue, Moment::NEVER)
    }

    /// Whether a ping is under way, or about to be.
    pub(crate) const fn awaits_answer(&self) -> bool {
        self.doubted || self.is_asked()
    }

    /// Whether nothing but a ping after a silence comes next: see [`Self::ping_at`].
    pub(crate) const fn is_quiet(&self) -> bool {
        !self.held && !self.awaits_answer()
    }

    /// When a ping is due after a silence either way.
    #[inline]
    pub(crate) fn ping_at(&self) -> Moment {
        self.send_by.min(self.hear_by).end(self.interval)
    }

    /// When a ping is due, whatever its answer.
    #[inline]
    fn next_ping_at(&self) -> Moment {
        if self.doubted {
            Moment::START
        } else if self.held || self.is_asked() {
            self.send_by.end(self.interval)
        } else {
            self.ping_at()
        }
    }

    /// When something is due.
    pub(crate) fn due_at(&self) -> Moment {
        let ping_at = self.next_ping_at();
        if self.held { ping_at } else { ping_at.min(self.overdue) }
    }

    #[inline]
    pub(crate) fn due(&self, now: Moment) -> Due {
        if self.next_ping_at() <= now {
            Due::Ping
        } else if self.overdue <= now && !self.held {
            Due::Dead
        } else {
            Due::Nothing
        }
    }
}
