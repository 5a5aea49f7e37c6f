//! Keep alive (§3.1.2.10): when a ping is due, and when its answer is overdue.

use crate::time::Instant;

/// The clock of one connection.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    /// The longest silence either way, in milliseconds; `None`: no keep alive.
    interval: Option<u32>,
    timeout: u32,
    last_sent: Instant,
    last_received: Instant,
    /// A ping is under way, and its answer is due then.
    overdue: Option<Instant>,
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
            interval: None,
            timeout: 0,
            last_sent: Instant::NEVER,
            last_received: Instant::NEVER,
            overdue: None,
            held: false,
            doubted: false,
        }
    }

    /// A connection begins.
    pub(crate) fn start(&mut self, now: Instant, keep_alive_secs: u16, timeout: u32) {
        // An eighth early, since a timer may be late and the network takes its time ([MQTT-3.1.2-23]).
        let millis = u32::from(keep_alive_secs).saturating_mul(875);
        let interval = if keep_alive_secs == 0 { None } else { Some(millis) };
        let held = self.held;
        *self = Self {
            interval,
            timeout,
            last_sent: now,
            last_received: now,
            held,
            ..Self::new()
        };
    }

    #[inline]
    pub(crate) const fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// A whole packet came: the peer lives. Bytes that trickle in prove nothing.
    #[inline]
    pub(crate) fn received(&mut self, now: Instant) {
        self.last_received = now;
        if self.overdue.is_some() {
            self.overdue = Some(now.after_millis(self.timeout));
        }
    }

    pub(crate) const fn answered(&mut self) {
        self.overdue = None;
    }

    /// A ping goes out. If one is under way, its deadline stays.
    pub(crate) fn pinged(&mut self, now: Instant) {
        self.doubted = false;
        self.overdue.get_or_insert(now.after_millis(self.timeout));
    }

    /// The caller stops reading, or goes on.
    pub(crate) fn hold(&mut self, now: Instant, held: bool) {
        self.held = held;
        self.received(now);
    }

    /// Asks at once whether the peer is there. An older question does not count: its answer had no chance.
    pub(crate) const fn doubt(&mut self) {
        self.doubted = true;
        self.overdue = None;
    }

    #[inline]
    pub(crate) fn due(&self, now: Instant) -> Due {
        if self.doubted {
            return Due::Ping;
        }
        let Some(interval) = self.interval else {
            return self.answer_due(now, Instant::NEVER);
        };
        let last = if self.held || self.overdue.is_some() {
            self.last_sent
        } else {
            self.last_sent.min(self.last_received)
        };
        let at = last.after_millis(interval);
        if at <= now {
            Due::Ping
        } else {
            self.answer_due(now, at)
        }
    }

    #[inline]
    fn answer_due(&self, now: Instant, ping_at: Instant) -> Due {
        match self.overdue {
            Some(at) if !self.held => {
                if at <= now {
                    Due::Dead
                } else {
                    Due::Nothing(at.min(ping_at))
                }
            }
            _ => Due::Nothing(ping_at),
        }
    }
}
