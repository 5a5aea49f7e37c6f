//! ApsaraMQ with its quirks: the emulator's heart, driven like any server.

use std::time::Duration;

use mqtt_p2p_emulator::{Config, ConnectionId, Emulator, Event as Said, Output, Quirks};

use crate::agenda::Event;
use crate::payload::Content;
use crate::violation::{Check, promise};
use crate::world::World;

pub(crate) fn emulator(seed: u64) -> Box<Emulator> {
    let mut quirks = Quirks::service();
    // The service's 5 s would take a backlog beyond the deadline.
    if let Some(batch) = &mut quirks.offline_batch {
        batch.interval = Duration::from_millis(200);
    }
    let mut config = Config::default().anonymous().quirks(quirks);
    config.in_flight = 4;
    Box::new(Emulator::new(config, seed))
}

/// The topic of a P2P message to a client.
pub(crate) fn p2p_topic(target: u16) -> String {
    format!("t/p2p/GID_s@@@{target}")
}

fn target(topic: &[u8]) -> Option<usize> {
    std::str::from_utf8(topic).ok()?.strip_prefix("t/p2p/GID_s@@@")?.parse().ok()
}

impl World {
    const fn emulator_now(&self) -> Duration {
        Duration::from_millis(self.agenda.now)
    }

    pub(crate) fn emulator_accepts(&mut self, link: usize) {
        let now = self.emulator_now();
        if let Some(emulator) = &mut self.emulator {
            self.links.all[link].emulated = Some(emulator.connection_opened(now));
        }
    }

    pub(crate) fn emulator_loses(&mut self, id: ConnectionId) {
        let now = self.emulator_now();
        if let Some(emulator) = &mut self.emulator {
            emulator.connection_closed(now, id);
        }
    }

    pub(super) fn feed_emulator(&mut self, id: ConnectionId, bytes: &[u8]) {
        let now = self.emulator_now();
        if let Some(emulator) = &mut self.emulator {
            emulator.bytes_received(now, id, bytes);
        }
    }

    /// A message that ApsaraMQ owes somebody: P2P of QoS 1 from a sender with a kept session.
    pub(super) fn expect(&mut self, topic: &[u8], content: Content, qos: u8, first: bool, sender: usize) {
        if let Some(target) = target(topic)
            && target < self.parties.len()
        {
            self.tally.deliveries += 1;
            let kept =
                !self.parties[sender].config.clean_session && !self.parties[target].config.clean_session;
            if qos == 1 && first && kept {
                self.parties[target].expected.insert((content.sender, content.number));
            }
        }
    }

    pub(crate) fn advance_emulator(&mut self) -> Check {
        let now = self.emulator_now();
        self.emulator_due = u64::MAX;
        if let Some(emulator) = &mut self.emulator {
            emulator.advance(now);
        }
        self.collect()
    }

    /// Does what the emulator wants done.
    pub(crate) fn collect(&mut self) -> Check {
        while let Some(output) = self.emulator.as_mut().and_then(|emulator| emulator.poll_output()) {
            let (Output::Send { id, .. } | Output::Close { id }) = &output;
            let Some(link) = self.links.all.iter().position(|link| link.emulated == Some(*id)) else {
                continue;
            };
            match output {
                Output::Send { bytes, .. } => {
                    let it = &mut self.links.all[link];
                    if let [0x20, 2, present, code] = bytes[..] {
                        promise!(present == 0, "ApsaraMQ knows no session", "{bytes:02x?}");
                        self.epochs += 1;
                        it.conn.way.epoch = self.epochs;
                        it.conn.accepted = code == 0;
                    }
                    it.down.write(&bytes);
                    self.move_soon(link);
                }
                Output::Close { .. } => self.server_closes(link),
            }
        }
        while let Some(said) = self.emulator.as_mut().and_then(|emulator| emulator.poll_event()) {
            if let Said::Dropped { client_id, .. } = said
                && let Some(party) = self.parties.iter_mut().find(|party| party.client_id == *client_id)
            {
                party.dropped += 1;
            }
        }
        if let Some(due) = self.emulator.as_ref().and_then(|emulator| emulator.next_deadline()) {
            // Not a moment too early.
            let due = due.as_nanos().div_ceil(1_000_000) as u64;
            if due < self.emulator_due {
                self.emulator_due = due;
                self.agenda.at(due, Event::Emulator);
            }
        }
        Ok(())
    }
}
