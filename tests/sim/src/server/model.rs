//! A server that follows MQTT 3.1.1, written from its text.

use crate::agenda::Event;
use crate::faults::Fault;
use crate::payload::Content;
use crate::server::session::Out;
use crate::topics::{self, TOPICS};
use crate::wire::{self, Packet};
use crate::world::World;

/// How much the server keeps for one client.
const MOST_WAITING: usize = 32;

impl World {
    /// Bytes to the client.
    fn tell(&mut self, link: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let it = &mut self.links.all[link];
        if it.server_holds && !it.down.broken {
            write(it.down.writer());
            if !it.down.scheduled {
                it.down.scheduled = true;
                let later = self.chance.u64(..=self.weather.latency);
                let it = &self.links.all[link];
                self.agenda.after(later, Event::Down(link as u32, it.turn));
            }
        }
    }

    /// A connection is over.
    pub(crate) fn unlink(&mut self, p: usize, link: usize) {
        let session = &mut self.sessions[p];
        if session.link != Some(link) {
            return;
        }
        session.link = None;
        session.withheld = None;
        if session.clean || !(session.confirmed || self.weather.keeps_unconfirmed) {
            self.sessions[p].forget();
        }
    }

    pub(crate) fn packet(&mut self, link: usize, packet: &Packet<'_>) {
        let p = self.links.all[link].party;
        if let Packet::Connect { clean, keep_alive } = *packet {
            return self.log_in(link, p, clean, keep_alive);
        }
        self.sessions[p].confirmed = true;
        match *packet {
            Packet::Publish { .. } if self.links.all[link].conn.alone => {
                let later = self.chance.u64(1..200);
                self.agenda.after(later, Event::Alone(link as u32, self.links.all[link].turn));
            }
            Packet::Publish { qos, id, topic, payload, .. } => {
                let (Some(topic), Some(content)) = (topics::topic(topic), Content::read(payload)) else {
                    return;
                };
                match qos {
                    0 => {}
                    1 => self.tell(link, |out| wire::ack(out, wire::PUBACK, id)),
                    _ => {
                        self.links.all[link].conn.rels_due.push_back(id);
                        self.tell(link, |out| wire::ack(out, wire::PUBREC, id));
                        let unreleased = &mut self.sessions[p].unreleased;
                        if unreleased.iter().any(|(known, _)| *known == id) {
                            return;
                        }
                        unreleased.push((id, content.number));
                    }
                }
                self.route(content.sender, content.number, topic, qos);
            }
            Packet::Ack { kind, id } => self.answered(link, p, kind, id),
            Packet::Subscribe { id, entries } => {
                let mut codes = Vec::new();
                for (filter, qos) in wire::filters(entries, 1) {
                    // Now and then something is refused, but nothing that was granted before.
                    let refused = id != super::REPLAY && !self.settling && self.chance.u8(..32) == 0;
                    match topics::filter(filter) {
                        Some(filter) if !refused || self.sessions[p].subscriptions[filter].is_some() => {
                            let granted = if self.chance.u8(..8) == 0 { 0 } else { qos };
                            self.sessions[p].subscribe(filter, Some(granted));
                            codes.push(granted);
                        }
                        _ => codes.push(0x80),
                    }
                }
                self.tell(link, |out| wire::suback(out, id, &codes));
            }
            Packet::Unsubscribe { id, entries } => {
                for (filter, _) in wire::filters(entries, 0) {
                    if let Some(filter) = topics::filter(filter) {
                        self.sessions[p].subscribe(filter, None);
                    }
                }
                self.tell(link, |out| wire::ack(out, wire::UNSUBACK, id));
            }
            Packet::Ping => self.tell(link, wire::pong),
            Packet::Disconnect => self.server_closes(link),
            Packet::Connect { .. } => {}
        }
    }

    fn log_in(&mut self, link: usize, p: usize, clean: bool, keep_alive: u16) {
        if let Some(code) = self.refusal.take() {
            self.tell(link, |out| wire::connack(out, false, code));
            return self.server_closes(link);
        }
        // Whoever was there under this client id goes ([MQTT-3.1.4-2]).
        if let Some(before) = self.sessions[p].link {
            self.server_closes(before);
        }
        let session = &mut self.sessions[p];
        let present = session.exists && !clean && !session.clean;
        if !present {
            self.sessions[p].forget();
            self.epochs += 1;
            let session = &mut self.sessions[p];
            session.exists = true;
            session.clean = clean;
            session.epoch = self.epochs;
        }
        let session = &mut self.sessions[p];
        for copy in session.lost.drain(..) {
            self.parties[p].down.done(copy);
        }
        session.link = Some(link);
        let (epoch, kicked) = (session.epoch, session.kicks > 0);
        session.kicks = session.kicks.saturating_sub(1);
        let it = &mut self.links.all[link];
        it.conn.accepted = true;
        it.conn.way.epoch = epoch;
        it.conn.way.session_present = present;
        it.conn.keep_alive = u64::from(keep_alive) * 1_500;
        if keep_alive > 0 {
            self.agenda.after(u64::from(keep_alive) * 1_500, Event::KeepAlive(link as u32, it.turn));
        }
        self.tell(link, |out| wire::connack(out, present, 0));
        for index in 0..self.sessions[p].sent {
            let out = self.sessions[p].outgoing[index];
            if out.released {
                self.tell(link, |bytes| wire::ack(bytes, wire::PUBREL, out.id));
            } else {
                self.send(link, out, true);
            }
        }
        self.pump(p);
        if kicked {
            self.server_closes(link);
        }
    }

    /// Sends a message.
    fn send(&mut self, link: usize, out: Out, dup: bool) {
        let content = Content { sender: out.sender, number: out.number, copy: out.copy };
        let topic = TOPICS[usize::from(out.topic)].as_bytes();
        let conn = &mut self.links.all[link].conn;
        match out.qos {
            1 => conn.acks_due.push_back(out.id),
            2 => conn.recs_due.push_back(out.id),
            _ => {}
        }
        self.tell(link, |bytes| {
            wire::publish(bytes, dup, out.qos, out.id, topic, content.len());
            content.write(bytes);
        });
    }

    /// Sends what the window has room for.
    fn pump(&mut self, p: usize) {
        let most_of_qos_2 = self.parties[p].qos_2_window();
        while let Some(link) = self.sessions[p].link {
            let session = &mut self.sessions[p];
            let under_way = session.outgoing.iter().take(session.sent);
            let of_qos_2 = under_way.filter(|out| out.qos == 2).count();
            let Some(next) = session.outgoing.get(session.sent) else { return };
            if session.sent >= self.weather.window || (next.qos == 2 && of_qos_2 >= most_of_qos_2) {
                return;
            }
            let Some(id) = session.free_id(self.weather.last_id, &self.links.all[link].conn) else { return };
            let sent = session.sent;
            session.sent += 1;
            session.outgoing[sent].id = id;
            let out = session.outgoing[sent];
            self.send(link, out, false);
        }
    }

    /// Passes a message on to whom it concerns.
    pub(crate) fn route(&mut self, sender: u16, number: u32, topic: u8, qos: u8) {
        for p in 0..self.sessions.len() {
            let Some(granted) = self.sessions[p].granted[usize::from(topic)] else { continue };
            let most = if self.weather.keeps_unconfirmed { 1 } else { 2 };
            let qos = qos.min(granted).min(most);
            let link = self.sessions[p].link;
            if qos == 0 {
                if let Some(link) = link
                    && self.links.all[link].down.len() < self.weather.unread
                {
                    let copy = self.parties[p].down.add(sender, number, topic, qos);
                    self.tally.deliveries += 1;
                    self.send(link, Out { copy, sender, number, topic, qos, id: 0, released: false }, false);
                }
                continue;
            }
            if self.sessions[p].outgoing.len() < MOST_WAITING {
                let copy = self.parties[p].down.add(sender, number, topic, qos);
                self.tally.deliveries += 1;
                let out = Out { copy, sender, number, topic, qos, id: 0, released: false };
                self.sessions[p].outgoing.push_back(out);
                self.pump(p);
            }
        }
    }

    /// One of the four packets that acknowledge.
    fn answered(&mut self, link: usize, p: usize, kind: u8, id: u16) {
        match kind {
            wire::PUBACK | wire::PUBCOMP => {
                let qos = if kind == wire::PUBACK { 1 } else { 2 };
                let session = &mut self.sessions[p];
                if let Some(index) = session.position(id, qos)
                    && (qos == 1 || session.outgoing[index].released)
                    && let Some(out) = session.outgoing.remove(index)
                {
                    session.sent -= 1;
                    self.parties[p].down.done(out.copy);
                    self.pump(p);
                }
            }
            wire::PUBREC => {
                let session = &mut self.sessions[p];
                if let Some(index) = session.position(id, 2) {
                    session.outgoing[index].released = true;
                }
                self.tell(link, |out| wire::ack(out, wire::PUBREL, id));
            }
            _ => {
                self.sessions[p].unreleased.retain(|(known, _)| *known != id);
                if self.has(Fault::Withhold)
                    && self.sessions[p].withheld.is_none()
                    && std::mem::take(&mut self.sessions[p].withholds)
                {
                    let turn = self.links.all[link].turn;
                    self.sessions[p].withheld = Some((link, turn, id));
                    let later = self.chance.u64(1_000..600_000);
                    return self.agenda.after(later, Event::Withheld(p as u32));
                }
                self.tell(link, |out| wire::ack(out, wire::PUBCOMP, id));
            }
        }
    }

    /// What was held back is answered, if the connection still is the same.
    pub(crate) fn answer_withheld(&mut self, p: usize) {
        if let Some((link, turn, id)) = self.sessions[p].withheld.take()
            && self.links.all[link].turn == turn
        {
            self.tell(link, |out| wire::ack(out, wire::PUBCOMP, id));
        }
    }

    /// What goes alone is answered, if the connection still is the same.
    pub(crate) fn answer_alone(&mut self, link: usize, turn: u32) {
        if self.links.all[link].turn == turn {
            self.links.all[link].conn.alone = false;
            self.tell(link, |out| wire::ack(out, wire::PUBACK, super::ALONE_ID));
        }
    }

    /// Sends everything under way to a client again, without need.
    pub(crate) fn repeat(&mut self, p: usize) {
        let Some(link) = self.sessions[p].link else { return };
        for index in 0..self.sessions[p].sent {
            let out = self.sessions[p].outgoing[index];
            if !out.released {
                self.send(link, out, true);
            }
        }
    }

    /// Answers what was never asked.
    pub(crate) fn stray(&mut self, p: usize) {
        const NOBODYS: u16 = 65_001;
        let Some(link) = self.sessions[p].link else { return };
        let kinds = [wire::PUBACK, wire::PUBREC, wire::PUBREL, wire::PUBCOMP, wire::UNSUBACK];
        let kind = kinds[self.chance.usize(..kinds.len())];
        self.tell(link, |out| wire::ack(out, kind, NOBODYS));
    }

    /// Sends what is no MQTT.
    pub(crate) fn garbage(&mut self, p: usize) {
        let Some(link) = self.sessions[p].link else { return };
        let nonsense: [&[u8]; 6] = [
            &[0xff, 0, 0x30],
            &[0x30, 0xff, 0xff, 0xff, 0xff],
            &[0x36, 4, 0, 1, b'a', 0],
            &[0x40, 2, 0, 0],
            &[0x30, 3, 0, 1, b'#'],
            &[0x20, 2, 0, 0],
        ];
        let bytes = nonsense[self.chance.usize(..nonsense.len())];
        self.links.all[link].conn.disturbed = true;
        self.tell(link, |out| out.extend_from_slice(bytes));
        // Nothing that follows counts: the client closes.
        self.links.all[link].down.broken = true;
    }
}
