//! The servers' side of the links: what arrives is checked first, whoever answers it.

mod aliyun;
mod model;
mod session;

pub(crate) use aliyun::{emulator, p2p_topic};
pub(crate) use session::Session;

use crate::agenda::Event;
use crate::driver::piece;
use crate::payload::{ALONE, Content};
use crate::topics;
use crate::up::{Kind, Published};
use crate::violation::{Check, promise};
use crate::wire::{self, Packet};
use crate::world::{Chop, World, trace};

/// The packet identifier with which subscriptions are replayed; no ticket has it.
const REPLAY: u16 = 65_535;
/// That of what goes alone.
const ALONE_ID: u16 = 65_534;

impl World {
    /// Sees to it that what waits in either pipe moves.
    pub(crate) fn move_soon(&mut self, link: usize) {
        let Self { weather, chance, agenda, links, .. } = self;
        let it = &mut links.all[link];
        let (index, turn) = (link as u32, it.turn);
        if !it.up.scheduled && it.server_holds {
            it.up.scheduled = true;
            agenda.after(chance.u64(..=weather.latency), Event::Up(index, turn));
        }
        if !it.down.scheduled && it.client_holds && it.open {
            it.down.scheduled = true;
            agenda.after(chance.u64(..=weather.latency), Event::Down(index, turn));
        }
    }

    /// Bytes move to the server, and perhaps the end.
    pub(crate) fn move_up(&mut self, link: usize, turn: u32) -> Check {
        let Self { weather, chance, agenda, links, .. } = self;
        let it = &mut links.all[link];
        if it.turn != turn {
            return Ok(());
        }
        it.up.scheduled = false;
        if it.up.stalled_until > agenda.now && it.server_holds {
            it.up.scheduled = true;
            agenda.at(it.up.stalled_until, Event::Up(link as u32, turn));
            return Ok(());
        }
        if !it.server_holds {
            it.up.clear();
        } else if !it.up.hole {
            it.up.arrived += piece(weather.chop, chance, it.up.under_way());
            if it.up.under_way() > 0 {
                it.up.scheduled = true;
                agenda.after(chance.u64(..=weather.latency), Event::Up(link as u32, turn));
            }
            self.take(link)?;
        }
        let it = &mut self.links.all[link];
        let p = it.party;
        if it.turn == turn && it.server_holds && it.up.ended && !it.up.hole && it.up.under_way() == 0 {
            self.server_loses(link);
        }
        let it = &mut self.links.all[link];
        if it.turn == turn {
            let unblocked = it.client_holds && std::mem::take(&mut it.blocked);
            self.links.release(link);
            if unblocked && self.parties[p].link == Some(link) {
                self.run(p)?;
            }
        }
        Ok(())
    }

    /// Takes the packets that have arrived.
    fn take(&mut self, link: usize) -> Check {
        let it = &mut self.links.all[link];
        let (bytes, start) = it.up.lend();
        let arrived = start + it.up.arrived;
        let current = it.client_holds && self.parties[it.party].link == Some(link);
        let emulated = self.emulator.is_some();
        it.conn.way.current = current;
        it.conn.last_heard = self.agenda.now;
        let mut at = start;
        let mut result = Ok(());
        while result.is_ok() && self.links.all[link].server_holds {
            match wire::next(&bytes[at..arrived]) {
                Ok(None) => break,
                Ok(Some((packet, len))) => {
                    trace!(self, "server {}: {packet:02x?}", self.links.all[link].party);
                    at += len;
                    result = self.check(link, &packet);
                    if result.is_ok() && !emulated {
                        self.packet(link, &packet);
                    }
                }
                Err(what) => promise!(false, "what is sent is MQTT", "{what}: {:02x?}", &bytes[at..arrived]),
            }
        }
        let it = &mut self.links.all[link];
        if emulated && it.server_holds {
            let fed = std::mem::replace(&mut it.conn.fed, arrived - at);
            let raw = &bytes[start + fed..arrived];
            if let Some(id) = it.emulated {
                self.feed_emulator(id, raw);
            }
        }
        let it = &mut self.links.all[link];
        if it.server_holds {
            it.up.give_back(bytes);
            it.up.taken(at - start);
        } else {
            it.up.clear();
        }
        if emulated {
            self.collect()?;
        }
        result
    }

    /// What must hold for every packet, whoever answers it.
    fn check(&mut self, link: usize, packet: &Packet<'_>) -> Check {
        let Self { links, parties, sessions, emulator, .. } = self;
        let it = &mut links.all[link];
        let p = it.party;
        let party = &mut parties[p];
        let conn = &mut it.conn;
        promise!(
            conn.accepted != matches!(packet, Packet::Connect { .. }),
            "CONNECT comes first, and once",
            "client {p} sends {packet:02x?}"
        );
        let holds_back =
            matches!(packet, Packet::Publish { .. } | Packet::Subscribe { .. } | Packet::Unsubscribe { .. });
        promise!(
            !(conn.alone && holds_back),
            "what goes alone is alone",
            "client {p} sends {packet:02x?} before the answer"
        );
        promise!(!conn.left, "nothing follows DISCONNECT", "client {p} sends {packet:02x?}");
        match *packet {
            Packet::Publish { dup, qos, id, topic, payload } => {
                let Some(content) = Content::read(payload) else {
                    promise!(false, "payloads arrive whole", "client {p} sends {payload:02x?}");
                    return Ok(());
                };
                promise!(usize::from(content.sender) == p, "payloads arrive whole", "{content:?} from {p}");
                if content.number == ALONE {
                    promise!(
                        (qos, id, dup) == (1, ALONE_ID, false),
                        "what goes alone is alone",
                        "{packet:02x?}"
                    );
                    conn.alone = true;
                    return Ok(());
                }
                let known = topics::topic(topic);
                promise!(known.is_some() || emulator.is_some(), "topics arrive whole", "{topic:02x?}");
                let number = content.number;
                let publish = Published { number, qos, id, dup, topic: known };
                let first = party.up.arrived(publish, &mut conn.way)?;
                if emulator.is_some() {
                    self.expect(topic, content, qos, first, p);
                } else if qos == 2 {
                    let known = sessions[p].unreleased.iter().find(|(known, _)| *known == id);
                    promise!(
                        known.is_none_or(|(_, owner)| *owner == number),
                        "no identifier in flight twice",
                        "{id} comes with {number} and is that of {known:?}"
                    );
                    promise!(
                        known.is_some() != first || !conn.way.current,
                        "QoS 2 exactly once",
                        "{publish:?}: known {known:?}, first {first}"
                    );
                }
            }
            Packet::Ack { kind: wire::PUBREL, id } => {
                party.up.released(id);
                if let Some(place) = conn.rels_due.iter().position(|due| *due == id) {
                    promise!(
                        place == 0,
                        "PUBREL in the order of PUBREC",
                        "{id} comes before {:?}",
                        conn.rels_due
                    );
                    conn.rels_due.pop_front();
                }
            }
            Packet::Ack { kind: kind @ (wire::PUBACK | wire::PUBREC), id } if emulator.is_none() => {
                let due = if kind == wire::PUBACK { &mut conn.acks_due } else { &mut conn.recs_due };
                let place = due.iter().position(|due| *due == id);
                let Some(place) = place else {
                    // QoS 2 can be acknowledged by hand over another connection of the session.
                    let late = kind == wire::PUBREC && party.config.manual_ack;
                    promise!(late, "only what came is acknowledged", "client {p}: {kind:02x} {id}");
                    return Ok(());
                };
                promise!(
                    place == 0 || party.config.manual_ack,
                    "acknowledgements in the order of the messages",
                    "client {p}: {id} comes before {due:?}"
                );
                due.remove(place);
                let qos = if kind == wire::PUBACK { 1 } else { 2 };
                if let Some(copy) = sessions[p].copy_of(id, qos) {
                    party.down.answered(copy, party.config.manual_ack)?;
                }
            }
            Packet::Subscribe { id, .. } if id != REPLAY => party.up.requested(id, Kind::Subscribe)?,
            Packet::Unsubscribe { id, .. } => party.up.requested(id, Kind::Unsubscribe)?,
            Packet::Disconnect => conn.left = true,
            _ => {}
        }
        Ok(())
    }

    /// The server learns that a connection is gone.
    pub(crate) fn server_loses(&mut self, link: usize) {
        let it = &mut self.links.all[link];
        it.server_holds = false;
        it.up.clear();
        let (p, emulated) = (it.party, it.emulated.take());
        trace!(self, "server: the connection of {p} is gone");
        if let Some(id) = emulated {
            self.emulator_loses(id);
        } else {
            self.unlink(p, link);
        }
        self.links.release(link);
    }

    /// The server ends a connection.
    pub(crate) fn server_closes(&mut self, link: usize) {
        let it = &mut self.links.all[link];
        if !it.server_holds {
            return;
        }
        it.server_holds = false;
        it.emulated = None;
        it.down.ended = true;
        let p = it.party;
        trace!(self, "server closes the connection of {p}");
        self.unlink(p, link);
        self.move_soon(link);
        self.links.release(link);
    }

    /// A transport is there.
    pub(crate) fn accept(&mut self, link: usize) {
        self.links.all[link].conn.last_heard = self.agenda.now;
        self.emulator_accepts(link);
    }

    /// A connection breaks: what is on its way is lost, or some of it; both ends learn of it.
    pub(crate) fn reset(&mut self, link: usize) {
        let it = &mut self.links.all[link];
        if it.open {
            it.up.cut(&mut self.chance);
            it.down.cut(&mut self.chance);
            it.conn.disturbed = true;
            // At different times.
            let later = self.agenda.now + self.chance.u64(..500);
            let it = &mut self.links.all[link];
            if self.chance.bool() {
                it.up.stalled_until = later;
            } else {
                it.down.stalled_until = later;
            }
            self.move_soon(link);
        }
    }

    /// The server looks whether a client is silent.
    pub(crate) fn check_keep_alive(&mut self, link: usize, turn: u32) -> Check {
        let it = &self.links.all[link];
        if it.turn != turn || !it.server_holds {
            return Ok(());
        }
        let until = it.conn.last_heard + it.conn.keep_alive;
        if self.agenda.now < until {
            self.agenda.at(until, Event::KeepAlive(link as u32, turn));
            return Ok(());
        }
        let p = it.party;
        promise!(
            it.conn.disturbed
                || self.weather.chop == Chop::Bytes
                || self.weather.capacity < 512
                || self.settling,
            "no silence longer than one and a half times the keep alive",
            "client {p} is silent since {}",
            it.conn.last_heard
        );
        self.server_closes(link);
        Ok(())
    }
}
