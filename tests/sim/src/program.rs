//! What the program around a client does.

use mqtt_p2p_core::{Error, Instant, Publication, QoS, SubscribeFilter, Ticket, TopicFilter, TopicName};

use crate::agenda::Event;
use crate::faults::Fault;
use crate::payload::{ALONE, BACKEND, Content};
use crate::topics::{FILTERS, TOPICS};
use crate::up::Kind;
use crate::violation::{Check, promise};
use crate::world::{World, trace};

impl World {
    fn client_now(&self, p: usize) -> Instant {
        Instant::from_millis(self.parties[p].clock(self.agenda.now))
    }

    pub(crate) fn connect(&mut self, p: usize) -> Check {
        let now = self.client_now(p);
        let party = &mut self.parties[p];
        party.wanted = true;
        if let Some(client) = &mut party.client {
            client.connect(now);
        }
        self.run(p)
    }

    pub(crate) fn resume(&mut self, p: usize) -> Check {
        let now = self.client_now(p);
        let party = &mut self.parties[p];
        if !std::mem::take(&mut party.paused) {
            return Ok(());
        }
        trace!(self, "client {p} is back in the foreground");
        if let Some(client) = &mut party.client {
            client.resume(now);
        }
        // Who was refused in the meantime has to ask again.
        self.connect(p)
    }

    pub(crate) fn pause(&mut self, p: usize) -> Check {
        let now = self.client_now(p);
        let party = &mut self.parties[p];
        if let Some(client) = &mut party.client {
            party.paused = true;
            client.pause(now);
        }
        self.run(p)
    }

    pub(crate) fn leave(&mut self, p: usize) -> Check {
        let now = self.client_now(p);
        let party = &mut self.parties[p];
        party.wanted = false;
        if let Some(client) = &mut party.client {
            client.disconnect(now);
        }
        self.run(p)
    }

    /// The program's turn.
    pub(crate) fn app(&mut self, p: usize) -> Check {
        let party = &mut self.parties[p];
        if party.app_at > self.agenda.now {
            return Ok(());
        }
        party.app_at = u64::MAX;
        if party.client.is_none() {
            return Ok(());
        }
        self.acknowledge(p);
        self.settle_if_late(p)?;
        if !self.settling {
            if self.chance.u8(..32) == 0 {
                self.subscribe(p)?;
            }
            if self.emulator.is_none() && self.chance.u8(..64) == 0 {
                self.publish_alone(p)?;
            }
            let party = &mut self.parties[p];
            if party.full.is_some_and(|live| party.up.live() <= live) {
                party.full = None;
            }
            let waits = party.full.is_some() && self.chance.u8(..8) > 0;
            let burst = if waits { 0 } else { self.chance.u32(1..=self.weather.burst) };
            for _ in 0..burst {
                if self.tally.publications >= u64::from(self.plan.messages) || !self.publish(p)? {
                    break;
                }
            }
            if self.emulator.is_none() && self.chance.bool() {
                let (topic, qos) = (self.chance.u8(..8), self.chance.u8(..3));
                self.backend = self.backend.wrapping_add(1);
                self.route(BACKEND, self.backend, topic, qos);
            }
        }
        let mut later = self.chance.u64(1..=2 * self.weather.tick);
        if self.parties[p].full.is_some() || self.settling {
            later = later.max(50);
        }
        self.plan_app(p, later);
        self.run(p)
    }

    /// Whether it was accepted.
    fn publish(&mut self, p: usize) -> Check<bool> {
        let Self { parties, chance, scratch, plan, tally, emulator, .. } = self;
        let clients = plan.clients;
        let party = &mut parties[p];
        let Some(client) = &mut party.client else { return Ok(false) };
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][chance.usize(..3)];
        let topic = chance.u8(..8);
        let number = party.up.next();
        let content = Content { sender: p as u16, number, copy: 0 };
        scratch.clear();
        content.write(scratch);
        let mut name = TOPICS[usize::from(topic)];
        let target;
        if emulator.is_some() && chance.u8(..4) > 0 {
            target = crate::server::p2p_topic(chance.u16(..clients));
            name = &target;
        }
        let topic_name = TopicName::new(name).expect("a valid topic name");
        let publication = Publication::new(topic_name, scratch).with_qos(qos);
        match client.publish(&publication) {
            Ok(ticket) => {
                let first_dial = party.dials + u32::from(party.link.is_none());
                let kind = Kind::Publish { qos: qos as u8, topic };
                let silent = qos == QoS::AtMostOnce && !party.config.tell_qos_0;
                party.up.accepted(ticket, kind, first_dial, silent)?;
                tally.publications += 1;
                tally.exactly_once += u64::from(qos == QoS::ExactlyOnce);
                Ok(true)
            }
            Err(error) => {
                promise!(
                    matches!(error, Error::Full(_) | Error::Offline),
                    "requests fail for a reason",
                    "client {p} can't publish: {error:?}"
                );
                party.full = Some(party.up.live() / 2);
                Ok(false)
            }
        }
    }

    /// Publishes what everything else has to wait for.
    fn publish_alone(&mut self, p: usize) -> Check {
        let Self { parties, scratch, .. } = self;
        let party = &mut parties[p];
        let Some(client) = &mut party.client else { return Ok(()) };
        scratch.clear();
        Content { sender: p as u16, number: ALONE, copy: 0 }.write(scratch);
        let topic = TopicName::new("alone").expect("a valid topic name");
        match client.publish_alone(topic, scratch) {
            Ok(()) => {
                promise!(!party.alone, "what goes alone is alone", "client {p} accepts two");
                party.alone = true;
            }
            Err(error) => promise!(
                matches!(error, Error::Full(_) | Error::Offline),
                "requests fail for a reason",
                "client {p} can't publish alone: {error:?}"
            ),
        }
        Ok(())
    }

    /// Asks for something, or asks for it no more.
    fn subscribe(&mut self, p: usize) -> Check {
        let index = self.chance.usize(..FILTERS.len());
        if self.chance.u8(..3) == 0 {
            return self.unsubscribe_from(p, &[index]);
        }
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][self.chance.usize(..3)];
        self.subscribe_to(p, index, qos)
    }

    fn subscribe_to(&mut self, p: usize, index: usize, qos: QoS) -> Check {
        let party = &mut self.parties[p];
        let Some(client) = &mut party.client else { return Ok(()) };
        let filter = TopicFilter::new(FILTERS[index].0).expect("a valid topic filter");
        let result = client.subscribe(&[SubscribeFilter::new(filter, qos)]);
        self.asked(p, result, Kind::Subscribe)
    }

    fn unsubscribe_from(&mut self, p: usize, indexes: &[usize]) -> Check {
        let Some(client) = &mut self.parties[p].client else { return Ok(()) };
        let filters: Vec<_> = indexes
            .iter()
            .map(|index| TopicFilter::new(FILTERS[*index].0).expect("a valid topic filter"))
            .collect();
        let result = client.unsubscribe(&filters);
        self.asked(p, result, Kind::Unsubscribe)
    }

    fn asked(&mut self, p: usize, result: Result<Ticket, Error>, kind: Kind) -> Check {
        let party = &mut self.parties[p];
        match result {
            Ok(ticket) => {
                let first_dial = party.dials + u32::from(party.link.is_none());
                party.up.accepted(ticket, kind, first_dial, false)
            }
            Err(error) => {
                promise!(
                    matches!(error, Error::Full(_) | Error::Offline),
                    "requests fail for a reason",
                    "client {p}: {kind:?} fails with {error:?}"
                );
                Ok(())
            }
        }
    }

    /// After what nobody knows, the program makes sure: it asks for nothing, and then for two things.
    pub(crate) fn settle_subscriptions(&mut self, p: usize) -> Check {
        if self.parties[p].unsure && self.parties[p].client.is_some() {
            let all: Vec<_> = (0..FILTERS.len()).collect();
            let live = self.parties[p].up.live();
            self.unsubscribe_from(p, &all)?;
            let accepted = self.parties[p].up.live() > live;
            self.parties[p].unsure = !accepted;
            if accepted {
                self.subscribe_to(p, 1, QoS::AtLeastOnce)?;
            }
        }
        Ok(())
    }

    /// Acknowledges some of what the program has, in any order.
    fn acknowledge(&mut self, p: usize) {
        let Self { parties, chance, settling, .. } = self;
        let party = &mut parties[p];
        let Some(client) = &mut party.client else { return };
        let count = party.to_acknowledge.len();
        let few = if *settling { count } else { chance.usize(..=count) };
        for _ in 0..few {
            let index = chance.usize(..party.to_acknowledge.len());
            let (token, copy) = party.to_acknowledge[index];
            match client.acknowledge(token) {
                Ok(()) => party.down.acknowledge(copy),
                Err(Error::Stale) => {}
                Err(_) => return,
            }
            party.to_acknowledge.swap_remove(index);
        }
    }

    /// The program crashes.
    pub(crate) fn crash(&mut self, p: usize) -> Check {
        let Self { parties, chance, links, sessions, .. } = self;
        let party = &mut parties[p];
        let Some(client) = party.client.take() else { return Ok(()) };
        self.tally.crashes += 1;
        party.resends += u64::from(client.stats().resends);
        party.connections += u64::from(client.stats().connections);
        party.attempt = false;
        party.alone = false;
        party.wanted = false;
        party.paused = false;
        party.to_acknowledge.clear();
        party.rx.clear();
        party.due = u64::MAX;
        // Requests about subscriptions are not kept, and changes of them may be lost.
        party.unsure = true;
        if let Some(store) = &mut party.store {
            store.crash(chance);
        }
        party.up.crashed(party.store.as_ref())?;
        for copy in sessions[p].unreleased_copies() {
            party.down.excuse(copy, true);
        }
        if let Some(link) = party.link.take() {
            let it = &mut links.all[link];
            it.client_holds = false;
            it.conn.disturbed = true;
            match chance.u8(..3) {
                0 => it.up.swallow(),
                1 => it.up.cut(chance),
                _ => it.up.ended = true,
            }
            if !it.open {
                it.server_holds = false;
            }
            self.move_soon(link);
            self.links.release(link);
        }
        let later = self.chance.u64(1..20_000);
        self.agenda.after(later, Event::Return(p as u32));
        trace!(self, "client {p} crashes");
        Ok(())
    }

    /// The program comes back from a crash.
    pub(crate) fn come_back(&mut self, p: usize) -> Check {
        let seed = self.chance.u64(..);
        let party = &mut self.parties[p];
        if party.client.is_some() {
            return Ok(());
        }
        let mut client = party.make(seed);
        party.clock_seen = 0;
        if let Some(store) = &mut party.store {
            let result = client.restore(store);
            promise!(result.is_ok(), "what was kept is restored", "client {p}: {result:?}");
            let listed: Vec<_> = client.requests().collect();
            let kept = party.up.crashed(Some(store))?;
            promise!(
                listed == kept,
                "what was kept is restored",
                "client {p} has {listed:?}, kept were {kept:?}"
            );
        }
        party.client = Some(client);
        trace!(self, "client {p} is back");
        self.connect(p)?;
        self.settle_if_late(p)?;
        self.plan_app(p, 1);
        Ok(())
    }

    fn settle_if_late(&mut self, p: usize) -> Check {
        if self.settling { self.settle_subscriptions(p) } else { Ok(()) }
    }

    /// The program ends in good order and starts again.
    pub(crate) fn restart(&mut self, p: usize) -> Check {
        let party = &mut self.parties[p];
        let Some(client) = &mut party.client else { return Ok(()) };
        // Who keeps the session as it changes has no need of exporting it.
        if party.attempt || party.store.is_some() {
            return Ok(());
        }
        party.resends += u64::from(client.stats().resends);
        party.connections += u64::from(client.stats().connections);
        let mut bytes = vec![0; 64];
        let len = loop {
            match client.export_session(&mut bytes) {
                Ok(len) => break len,
                Err(mqtt_p2p_core::SessionError::BufferTooSmall { needed }) => bytes.resize(needed, 0),
                Err(error) => {
                    promise!(false, "sessions are exported", "client {p}: {error:?}");
                    return Ok(());
                }
            }
        };
        let seed = self.chance.u64(..);
        let mut client = party.make(seed);
        let result = client.import_session(&bytes[..len]);
        promise!(result.is_ok(), "what was exported is imported", "client {p}: {result:?}");
        party.clock_seen = 0;
        party.paused = false;
        party.up.restarted();
        party.to_acknowledge.clear();
        for copy in self.sessions[p].unreleased_copies() {
            party.down.excuse(copy, false);
        }
        party.client = Some(client);
        trace!(self, "client {p} has restarted");
        self.connect(p)
    }

    pub(crate) fn abandon(&mut self, p: usize) -> Check {
        // Not where identifiers come round: a server that still has one of a message that was given up would take the
        // next one for it.
        if self.plan.messages < 60_000
            && self.has(Fault::Abandon)
            && let Some(client) = &mut self.parties[p].client
        {
            client.abandon();
        }
        self.run(p)
    }
}
