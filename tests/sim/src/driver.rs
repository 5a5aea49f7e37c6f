//! Drives a client as the core's documentation asks, and checks each of its actions.

use mqtt_p2p_core::{Action, Event as Said, Instant, Login, QoS, TransportError};

use crate::agenda::Event;
use crate::down::Down;
use crate::party::Party;
use crate::payload::Content;
use crate::plan::ServerKind;
use crate::server::Session;
use crate::topics;
use crate::up::Kind;
use crate::violation::{Check, promise};
use crate::wire::{self, Packet};
use crate::world::{Chop, World, trace};

impl World {
    /// Polls until there is nothing to do.
    pub(crate) fn run(&mut self, p: usize) -> Check {
        let Self { plan, weather, chance, agenda, parties, links, sessions, trace, .. } = self;
        let party = &mut parties[p];
        let clock = party.clock(agenda.now);
        let Party { client: Some(client), up, down, store, config, .. } = party else {
            return Ok(());
        };
        let rx = std::mem::take(&mut party.rx);
        let mut rest = &rx[..];
        party.clock_seen = party.clock_seen.max(clock);
        party.due = u64::MAX;
        let most = 10_000 + 4 * rx.len() + 8 * up.live();
        let mut turns = 0;
        loop {
            turns += 1;
            promise!(turns < most, "poll does not spin", "client {p}: {turns} actions without a wait");
            let action = client.poll(Instant::from_millis(clock), &mut rest);
            if *trace && !matches!(action, Action::Wait(_)) {
                eprintln!("{:>9} client {p}: {action:?}", agenda.now);
            }
            match action {
                Action::OpenTransport { .. } => {
                    promise!(party.link.is_none(), "one transport at a time", "client {p} dials twice");
                    promise!(!party.attempt, "one terminal event per attempt", "client {p} dials again");
                    promise!(
                        party.wanted && !party.paused,
                        "dials only when asked to",
                        "client {p} dials: wanted {}, paused {}",
                        party.wanted,
                        party.paused
                    );
                    let link = links.dial(p);
                    party.link = Some(link);
                    party.written.clear();
                    party.attempt = true;
                    party.dials += 1;
                    let slow = std::mem::take(&mut party.bad_dial) && chance.bool();
                    let later = if slow { 15_000 } else { chance.u64(..=2 * weather.latency) };
                    links.all[link].conn.disturbed = slow;
                    agenda.after(later, Event::Dialled(link as u32, links.all[link].turn));
                }
                Action::Transmit(bytes) => {
                    promise!(!bytes.is_empty(), "what is transmitted is not empty", "client {p}");
                    if let Some(store) = store
                        && store.is_dirty()
                    {
                        store.make_durable();
                        up.trim();
                    }
                    let Some(link) = party.link else {
                        promise!(false, "bytes only with a transport", "client {p} writes {bytes:02x?}");
                        continue;
                    };
                    let it = &mut links.all[link];
                    promise!(it.open, "bytes only with a transport", "client {p} writes {bytes:02x?}");
                    let room = weather.capacity.saturating_sub(it.up.under_way());
                    let count = bytes.len().min(room).min(weather.write_at_most);
                    it.up.write(&bytes[..count]);
                    if store.is_some() {
                        party.written.extend_from_slice(&bytes[..count]);
                        note_confirmed(&mut party.written, &sessions[p], down);
                    }
                    if !it.up.scheduled {
                        it.up.scheduled = true;
                        agenda.after(chance.u64(..=weather.latency), Event::Up(link as u32, it.turn));
                    }
                    if count == 0 {
                        it.blocked = !it.up.broken;
                        // At once is in order if it leads to something: the end of a connection, after a jump of the clock.
                        let due = client.due_at().map(Instant::as_millis);
                        party.hurry =
                            if due.is_some_and(|due| due <= party.clock_seen) { party.hurry + 1 } else { 0 };
                        promise!(
                            party.hurry < 3,
                            "no deadline in the past",
                            "client {p} can't write and is due at {due:?}, its clock is {}",
                            party.clock_seen
                        );
                        party.due = due.map_or(u64::MAX, |due| agenda.now + due.saturating_sub(clock));
                        break;
                    }
                    client.transmitted(count);
                }
                Action::Store(change) => match store {
                    Some(store) => store.apply(change),
                    None => promise!(false, "stores only when asked to", "client {p}: {change:?}"),
                },
                Action::CloseTransport => {
                    let Some(link) = party.link.take() else {
                        promise!(false, "closes what is there", "client {p} closes nothing");
                        continue;
                    };
                    // DISCONNECT is to arrive; otherwise what is under way may be lost.
                    let gently = client.has_left() || chance.bool();
                    let it = &mut links.all[link];
                    it.client_holds = false;
                    it.down.clear();
                    if it.open {
                        if !gently {
                            it.up.cut(chance);
                        }
                        it.up.ended = true;
                        if !it.up.scheduled {
                            it.up.scheduled = true;
                            agenda.after(chance.u64(..=weather.latency), Event::Up(link as u32, it.turn));
                        }
                    }
                    links.release(link);
                    rest = &[];
                }
                Action::Event(said) => match said {
                    Said::Connected { session_present, .. } => {
                        promise!(
                            party.attempt,
                            "an attempt has one outcome",
                            "client {p} is connected twice"
                        );
                        promise!(
                            !(session_present && config.clean_session),
                            "no session is continued that was to be clean",
                            "client {p}"
                        );
                        party.full = None;
                    }
                    Said::Refused { retry_at, .. } | Said::Disconnected { retry_at, .. } => {
                        promise!(party.attempt, "one terminal event per attempt", "client {p}: {said:?}");
                        promise!(
                            party.link.is_none(),
                            "the end comes after the close",
                            "client {p}: {said:?}"
                        );
                        party.attempt = false;
                        // It is not sent over another connection.
                        party.alone = false;
                        party.to_acknowledge.retain(|(token, _)| token.to_bits() >> 16 & 3 == 2);
                        if retry_at.is_none() && party.wanted && !party.paused {
                            agenda.after(chance.u64(500..5_000), Event::Again(p as u32));
                        }
                    }
                    Said::Published { ticket, .. } => {
                        ended(up, store.is_none(), ticket, false)?;
                    }
                    Said::Subscribed { ticket, .. } | Said::Unsubscribed { ticket, .. } => {
                        ended(up, store.is_none(), ticket, false)?;
                    }
                    Said::Rejected { .. } => {
                        promise!(false, "MQTT 3.1.1 has no refusal of a publication", "client {p}: {said:?}");
                    }
                    Said::Dropped { ticket, .. } => {
                        let kind = ended(up, store.is_none(), ticket, true)?;
                        party.unsure |= matches!(kind, Kind::Subscribe | Kind::Unsubscribe);
                    }
                    Said::Message(message) => {
                        let Some(content) = Content::read(message.payload) else {
                            promise!(false, "payloads arrive whole", "client {p}: {:02x?}", message.payload);
                            continue;
                        };
                        let topic = message.topic.as_str();
                        delivered(plan.server, &mut party.expected, down, content, message.qos, topic)?;
                        if let Some(token) = message.ack
                            && config.manual_ack
                        {
                            party.to_acknowledge.push((token, content.copy));
                        }
                    }
                    Said::PublishedAlone => {
                        let alone = std::mem::take(&mut party.alone);
                        promise!(alone, "what goes alone ends once", "client {p} had none under way");
                    }
                    Said::MessageBegin { message, .. } => {
                        party.part.clear();
                        party.part_of = Some((message.topic.as_str().to_owned(), message.qos));
                    }
                    Said::MessagePart(part) => party.part.extend_from_slice(part),
                    Said::MessageEnd { ack } => {
                        let (Some(content), Some((topic, qos))) =
                            (Content::read(&party.part), party.part_of.take())
                        else {
                            promise!(false, "payloads arrive whole", "client {p}: {:02x?}", party.part);
                            continue;
                        };
                        delivered(plan.server, &mut party.expected, down, content, qos, &topic)?;
                        if let Some(token) = ack
                            && config.manual_ack
                        {
                            party.to_acknowledge.push((token, content.copy));
                        }
                    }
                    _ => {}
                },
                Action::Wait(until) => {
                    promise!(
                        until.is_none_or(|until| until.as_millis() > party.clock_seen),
                        "no deadline in the past",
                        "client {p} waits until {until:?}, its clock is {}",
                        party.clock_seen
                    );
                    promise!(
                        client.is_waiting(),
                        "a client that waits is quiescent",
                        "client {p} waits until {until:?}"
                    );
                    if chance.u8(..) == 0 {
                        let (held, listed) = (client.requests_in_use(), client.requests().count());
                        promise!(
                            held == listed,
                            "a request that has ended holds no memory",
                            "client {p} lists {listed} requests and holds {held}"
                        );
                        // Asked again, it says the same.
                        let again = match client.poll(Instant::from_millis(clock), &mut rest) {
                            Action::Wait(again) => again,
                            other => {
                                promise!(false, "a wait is a wait", "client {p} then says {other:?}");
                                None
                            }
                        };
                        promise!(again == until, "a wait is a wait", "client {p}: {until:?}, then {again:?}");
                        promise!(
                            client.in_flight() <= config.max_in_flight,
                            "the in-flight window holds",
                            "client {p}: {} under way",
                            client.in_flight()
                        );
                        if config.tell_qos_0 {
                            let listed = client.requests().count();
                            promise!(
                                listed == up.live(),
                                "one terminal event per ticket",
                                "client {p} lists {listed} requests, {} have not ended",
                                up.live()
                            );
                        }
                    }
                    party.due = until.map_or(u64::MAX, |until| agenda.now + (until.as_millis() - clock));
                    break;
                }
            }
        }
        // At rest, with time: the store is in no hurry, but it is not idle for ever.
        if let Some(store) = store
            && store.is_dirty()
            && chance.bool()
        {
            store.make_durable();
            up.trim();
        }
        down.trim(64 + sessions[p].waiting());
        let taken = rx.len() - rest.len();
        party.rx = rx;
        if taken == party.rx.len() {
            party.rx.clear();
        } else {
            party.rx.drain(..taken);
        }
        promise!(
            party.rx.len() <= config.max_packet_size as usize + 16 * 1024,
            "what arrives is taken",
            "client {p} leaves {} bytes",
            party.rx.len()
        );
        if party.due < party.timer_at {
            party.timer_at = party.due;
            agenda.at(party.due, Event::Timer(p as u32));
        }
        Ok(())
    }

    pub(crate) fn timer(&mut self, p: usize) -> Check {
        let party = &mut self.parties[p];
        if party.timer_at > self.agenda.now {
            // An earlier one was here.
            return Ok(());
        }
        party.timer_at = u64::MAX;
        if party.due <= self.agenda.now {
            return self.run(p);
        }
        if party.due < u64::MAX {
            party.timer_at = party.due;
            self.agenda.at(party.due, Event::Timer(p as u32));
        }
        Ok(())
    }

    /// A dial has its outcome.
    pub(crate) fn dialled(&mut self, link: usize, turn: u32) -> Check {
        let it = &mut self.links.all[link];
        if it.turn != turn || !it.client_holds {
            return Ok(());
        }
        let p = it.party;
        let now = Instant::from_millis(self.parties[p].clock(self.agenda.now));
        let fails = self.server_down || it.conn.disturbed;
        let party = &mut self.parties[p];
        let Some(client) = &mut party.client else { return Ok(()) };
        if fails {
            trace!(self, "client {p} can't dial");
            it.client_holds = false;
            party.link = None;
            self.links.release(link);
            client.transport_closed(now, TransportError::ConnectionRefused);
        } else {
            trace!(self, "client {p} has dialled");
            it.open = true;
            it.server_holds = true;
            it.conn.way.dial = party.dials;
            client.transport_opened(now, &Login::new(&party.client_id));
            self.accept(link);
        }
        self.run(p)
    }

    /// Bytes move to the client, and perhaps the end.
    pub(crate) fn move_down(&mut self, link: usize, turn: u32) -> Check {
        let Self { weather, chance, agenda, parties, links, .. } = self;
        let it = &mut links.all[link];
        if it.turn != turn {
            return Ok(());
        }
        it.down.scheduled = false;
        if !it.client_holds || it.down.hole {
            return Ok(());
        }
        if it.down.stalled_until > agenda.now {
            it.down.scheduled = true;
            agenda.at(it.down.stalled_until, Event::Down(link as u32, turn));
            return Ok(());
        }
        let p = it.party;
        let count = piece(weather.chop, chance, it.down.len());
        let party = &mut parties[p];
        party.rx.extend_from_slice(it.down.first(count));
        it.down.arrived = count;
        it.down.taken(count);
        if !it.down.is_empty() {
            it.down.scheduled = true;
            agenda.after(chance.u64(..=weather.latency), Event::Down(link as u32, turn));
        }
        if count > 0 {
            self.run(p)?;
        }
        let it = &self.links.all[link];
        if it.turn == turn && it.client_holds && it.down.ended && it.down.is_empty() {
            self.client_loses(link)?;
        }
        Ok(())
    }

    /// The client learns that its transport is gone.
    pub(crate) fn client_loses(&mut self, link: usize) -> Check {
        let it = &mut self.links.all[link];
        let p = it.party;
        it.client_holds = false;
        it.up.ended = true;
        self.move_soon(link);
        self.links.release(link);
        let party = &mut self.parties[p];
        party.link = None;
        let now = Instant::from_millis(party.clock(self.agenda.now));
        if let Some(client) = &mut party.client {
            client.transport_closed(now, TransportError::ClosedByPeer);
        }
        trace!(self, "client {p} has lost its connection");
        self.run(p)?;
        self.parties[p].rx.clear();
        Ok(())
    }
}

/// How many of so many bytes move at once.
pub(crate) fn piece(chop: Chop, chance: &mut fastrand::Rng, len: usize) -> usize {
    match chop {
        _ if len == 0 => 0,
        Chop::Whole => len,
        Chop::Pieces => chance.usize(1..=len),
        Chop::Bytes => 1,
    }
}

/// Once PUBREC goes out, a message must not be delivered again, come what may.
fn note_confirmed(written: &mut Vec<u8>, session: &Session, down: &mut Down) {
    let mut at = 0;
    while let Ok(Some((packet, len))) = wire::next(&written[at..]) {
        at += len;
        if let Packet::Ack { kind: wire::PUBREC, id } = packet
            && let Some(copy) = session.copy_of(id, 2)
        {
            down.confirmed(copy);
        }
    }
    written.drain(..at);
}

fn ended(up: &mut crate::up::Up, at_once: bool, ticket: mqtt_p2p_core::Ticket, dropped: bool) -> Check<Kind> {
    let kind = up.ended(ticket, dropped)?;
    if at_once {
        up.trim();
    }
    Ok(kind)
}

fn delivered(
    server: ServerKind,
    expected: &mut std::collections::HashSet<(u16, u32)>,
    down: &mut Down,
    content: Content,
    qos: QoS,
    topic: &str,
) -> Check {
    match server {
        ServerKind::Standard => down.delivered(content, qos as u8, topics::topic(topic.as_bytes())),
        ServerKind::Aliyun => {
            expected.remove(&(content.sender, content.number));
            Ok(())
        }
    }
}
