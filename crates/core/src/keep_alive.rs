//! Keep alive (§3.1.2.10): when a ping is due, and when its answer is overdue.

use crate::time::Instant;

/// The clock of one connection.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    /// The longest silence either way, in milliseconds; the largest number: no keep alive.
    interval: u64,
    timeout: u32,
    last_sent: Instant,
    last_received: Instant,
    /// The answer to the ping under way is due then; `NEVER` if there is none.
    overdue: Instant,
    /// The caller does not read for now: no answer can be expected.
    held: bool,
    /// Ask at once.
    doubted: bool,
}

/// What is to be done now.
pub(crate) enum Due {
    Ping,
    Dead,
    Nothing(Instant),
}

impl KeepAlive {
    pub(crate) const fn new() -> Self {
        Self {
            interval: u64::MAX,
            timeout: 0,
            last_sent: Instant::START,
            last_received: Instant::START,
            overdue: Instant::NEVER,
            held: false,
            doubted: false,
        }
    }

    /// A connection begins.
    pub(crate) fn start(&mut self, now: Instant, keep_alive_secs: u16, timeout: u32) {
        // An eighth early, since a timer may be late and the network takes its time ([MQTT-3.1.2-23]).
        let interval = match keep_alive_secs {
            0 => u64::MAX,
            secs => u64::from(secs).saturating_mul(875),
        };
        let held = self.held;
        *self = Self { interval, timeout, last_sent: now, last_received: now, held, ..Self::new() };
    }

    #[inline]
    pub(crate) const fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// A whole packet came: the peer lives. Bytes that trickle in prove nothing.
    #[inline]
    pub(crate) fn received(&mut self, now: Instant) {
        self.heard(now);
        if self.overdue != Instant::NEVER {
            self.overdue = now.after_millis(self.timeout);
        }
    }

    /// The same while no answer is waited for.
    #[inline]
    pub(crate) const fn heard(&mut self, now: Instant) {
        self.last_received = now;
    }

    pub(crate) const fn answered(&mut self) {
        self.overdue = Instant::NEVER;
    }

    /// A ping goes out. If one is under way, its deadline stays.
    pub(crate) fn pinged(&mut self, now: Instant) {
        self.doubted = false;
        self.overdue = self.overdue.min(now.after_millis(self.timeout));
    }

    /// The caller stops reading, or goes on.
    pub(crate) fn hold(&mut self, now: Instant, held: bool) {
        self.held = held;
        self.received(now);
    }

    /// Asks at once whether the peer is there. An older question does not count: its answer had no chance.
    pub(crate) const fn doubt(&mut self) {
        self.doubted = true;
        self.overdue = Instant::NEVER;
    }

    /// Asks at once, unless an answer is waited for already: its deadline stays.
    pub(crate) const fn ask(&mut self) {
        self.doubted = !self.awaits_answer() || self.doubted;
    }

    /// Whether a ping is under way, or about to be.
    pub(crate) const fn awaits_answer(&self) -> bool {
        self.doubted || self.overdue.as_millis() != Instant::NEVER.as_millis()
    }

    /// Whether nothing but a ping after a silence comes next: see [`Self::ping_at`].
    pub(crate) fn is_quiet(&self) -> bool {
        !self.held && !self.doubted && self.overdue == Instant::NEVER
    }

    /// When a ping is due after a silence either way.
    #[inline]
    pub(crate) fn ping_at(&self) -> Instant {
        self.last_sent.min(self.last_received).saturating_add(self.interval)
    }

    pub(crate) fn due(&self, now: Instant) -> Due {
        let last = if self.held || self.overdue != Instant::NEVER {
            self.last_sent
        } else {
            self.last_sent.min(self.last_received)
        };
        let ping_at = last.saturating_add(self.interval);
        let dead_at = if self.held { Instant::NEVER } else { self.overdue };
        if self.doubted || ping_at <= now {
            Due::Ping
        } else if dead_at <= now {
            Due::Dead
        } else {
            Due::Nothing(ping_at.min(dead_at))
        }
    }
}
