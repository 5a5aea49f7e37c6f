//! What happens when nothing comes in: deadlines of connections.

use std::time::Duration;

use super::event::CloseReason;
use super::{ConnectionId, Emulator, Output};

impl Emulator {
    /// The shortest time between two repetitions, so that an interval of zero does not stop the clock.
    pub(super) const TICK: Duration = Duration::from_millis(1);

    /// When [`advance`](Self::advance) is due next; `None` if nothing will happen without input. Too early a call
    /// does no harm.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Lets time pass up to `now`, deadline by deadline, so that a long step has the effect of many short ones. Time
    /// never runs backwards: an earlier `now` is taken as the last one.
    pub fn advance(&mut self, now: Duration) {
        while let Some(&(at, id)) = self.deadlines.first()
            && at <= now
        {
            self.now = self.now.max(at);
            self.deadlines.pop_first();
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.armed = None;
            }
            self.look_at(id);
            self.arm(id);
        }
        self.now = self.now.max(now);
    }

    /// Sets the alarm for a connection. An alarm that is too early stays: [`Self::look_at`] finds nothing to do then.
    pub(super) fn arm(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let Some(due) = connection.deadline() else { return };
        match connection.armed {
            Some(armed) if armed <= due => return,
            Some(armed) => _ = self.deadlines.remove(&(armed, id)),
            None => {}
        }
        connection.armed = Some(due);
        self.deadlines.insert((due, id));
    }

    /// Does what is due for a connection.
    fn look_at(&mut self, id: ConnectionId) {
        let now = self.now;
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let Some(connection) = self.connections.get_mut(&id).filter(|connection| !connection.stalled) else {
            return;
        };
        if let Some((_, reason)) = connection.doomed.filter(|(at, _)| *at <= now) {
            return self.close(id, reason);
        }
        if is_due(connection.silent_at()) {
            return self.close(id, CloseReason::NoHeartbeat);
        }
        if let Some(held) = connection.held.take_if(|held| held.until <= now) {
            for packet in held.packets {
                self.enqueue(id, packet);
            }
        }
        self.send_late(id);
        self.send_delayed(id);
        self.finish_uploads(id);
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (batch, re_push) = (is_due(connection.batch_at), is_due(connection.re_push_at));
        let token = is_due(connection.token_at);
        let Some(client) = connection.client.clone() else {
            return;
        };
        if batch {
            self.send_offline(id, &client.id);
        }
        if re_push {
            self.re_push(id, &client.id);
        }
        if token {
            self.look_at_tokens(id, &client);
        }
    }

    /// Sends what a fault held back until now.
    fn send_late(&mut self, id: ConnectionId) {
        while let Some(connection) = self.connections.get_mut(&id)
            && connection.late.front().is_some_and(|(at, _)| *at <= self.now)
            && let Some((_, bytes)) = connection.late.pop_front()
        {
            connection.late_bytes -= bytes.len();
            self.outputs.push_back(Output::Send { id, bytes });
        }
    }

    /// Sends the SUBACKs whose time has come, in the order of their times.
    fn send_delayed(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let mut due: Vec<_> = connection.delayed.extract_if(.., |(at, _)| *at <= self.now).collect();
        due.sort_by_key(|(at, _)| *at);
        for (_, packet) in due {
            self.send(id, packet);
        }
    }
}
