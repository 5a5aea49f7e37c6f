//! What need not wait for the in-flight window goes out ahead of the publications that do: PUBREL, SUBSCRIBE, UNSUBSCRIBE
//! and publications of QoS 0, one at a time. Reached through pointers: a program that does not ask for it
//! ([`Config::pass_window`](crate::Config::pass_window)) has none of it.
//!
//! A request that went out ahead keeps its place in the outbox. When its turn comes, it is passed.

use crate::constants::ForSpeed;
use crate::outbox::{Ahead, Kind, Outbox, Request};
use crate::ticket::Ticket;

/// What going ahead takes.
#[derive(Debug)]
pub(crate) struct Passing {
    /// [`Outbox::find_ahead`]
    pub(crate) find: fn(&mut Outbox, &mut [Request]),
    /// [`Outbox::hop`]
    pub(crate) hop: fn(&mut Outbox, &mut [Request]) -> bool,
    /// [`Outbox::ahead_bytes`]
    pub(crate) bytes: for<'m> fn(&mut Outbox, &[Request], &'m [u8]) -> &'m [u8],
    /// [`Outbox::transmitted_ahead`]
    pub(crate) transmitted: fn(&mut Outbox, &mut [Request], usize),
    /// [`Outbox::report_ahead`]
    pub(crate) report: fn(&mut Outbox, &mut [Request]) -> Option<Ticket>,
}

impl Passing {
    pub(crate) const ON: Self = Self {
        find: Outbox::find_ahead,
        hop: Outbox::hop,
        bytes: Outbox::ahead_bytes,
        transmitted: Outbox::transmitted_ahead,
        report: Outbox::report_ahead,
    };
}

impl Outbox {
    /// Passes the next request, of which nothing is to be sent: it has ended, or went out ahead. `false` if something
    /// has to go out before.
    fn hop(&mut self, requests: &mut [Request]) -> bool {
        let index = self.released;
        let Some(entry) = requests.get_mut(index) else {
            return false;
        };
        if entry.ahead == Ahead::Going && entry.kind != Kind::Gap {
            // If it has not been begun, its own turn has come.
            if self.passed == 0 {
                entry.ahead = Ahead::No;
                self.passing = false;
            }
            return !self.passing;
        }
        if self.has_ready() || entry.kind == Kind::Once {
            // What is before it goes out first; or it is reported first.
            self.release_due = true;
            return false;
        }
        self.released = index.wrapping_add(1);
        self.sent = self.released;
        self.cursor = entry.end();
        self.limit = self.cursor;
        if self.reported == index {
            self.reported = self.released;
        }
        if self.head == index && entry.kind == Kind::Gap {
            self.head = self.released;
        }
        if self.head == self.tail {
            self.begin_anew();
        }
        true
    }

    /// The first request not released, from the next that may be one on, for which this holds.
    fn first_ahead(&mut self, requests: &[Request], is_it: impl Fn(&Request) -> bool) -> Option<usize> {
        let from = self.ahead_from.get(0).max(self.released);
        let waiting = requests.get(from..self.tail)?;
        let index = from.wrapping_add(waiting.iter().position(is_it)?);
        self.ahead_from = ForSpeed::new(index);
        Some(index)
    }

    /// Looks for a request that need not wait for the window, behind those that do.
    fn find_ahead(&mut self, requests: &mut [Request]) {
        let may_go = |entry: &Request| {
            entry.ahead == Ahead::No
                && matches!(entry.kind, Kind::Once | Kind::Release | Kind::Subscribe | Kind::Unsubscribe)
        };
        if !self.passing
            && !self.ahead_ended
            && let Some(index) = self.first_ahead(requests, may_go)
            && let Some(entry) = requests.get(index)
            && !self.is_late(requests, entry)
            && let Some(entry) = requests.get_mut(index)
        {
            entry.ahead = Ahead::Going;
            self.passing = true;
        }
    }

    fn going(&mut self, requests: &[Request]) -> Option<usize> {
        self.first_ahead(requests, |entry| entry.ahead == Ahead::Going)
    }

    /// What of the request that goes ahead may go out.
    fn ahead_bytes<'m>(&mut self, requests: &[Request], tx: &'m [u8]) -> &'m [u8] {
        let going = self.going(requests).and_then(|index| requests.get(index));
        let packet = going.map(|entry| entry.packet(tx)).unwrap_or_default();
        packet.get(self.passed as usize..).unwrap_or_default()
    }

    /// So many of those bytes went out.
    fn transmitted_ahead(&mut self, requests: &mut [Request], bytes: usize) {
        let going = self.going(requests);
        let Some(entry) = going.and_then(|index| requests.get_mut(index)) else {
            return;
        };
        self.passed = self.passed.saturating_add(bytes as u32);
        if self.passed < entry.len {
            return;
        }
        entry.ahead = Ahead::Gone;
        if entry.kind == Kind::Release {
            self.in_flight = self.in_flight.wrapping_add(1);
        }
        self.ahead_ended = entry.kind == Kind::Once;
        self.passed = 0;
        self.passing = false;
        self.release_due = true;
    }

    /// Ends the publication of QoS 0 that went out ahead, and returns it.
    fn report_ahead(&mut self, requests: &mut [Request]) -> Option<Ticket> {
        self.ahead_ended = false;
        let index =
            self.first_ahead(requests, |entry| entry.kind == Kind::Once && entry.ahead == Ahead::Gone)?;
        let ticket = requests.get(index)?.ticket;
        self.leave(requests, index);
        Some(ticket)
    }
}
