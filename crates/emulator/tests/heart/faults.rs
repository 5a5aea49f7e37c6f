//! Two clients with kept sessions and links that break at any moment: what their QoS promises holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mqtt_p2p_emulator::{Config, ConnectionId, Quirks};
use mqtt_p2p_packet::{Connect, Packet};
use proptest::prelude::*;

use crate::world::{Seen, World, ack};

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish,
    SenderReads,
    ReceiverReads,
    CutSender,
    CutReceiver,
    Pass,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Publish),
        2 => Just(Step::SenderReads),
        2 => Just(Step::ReceiverReads),
        1 => Just(Step::CutSender),
        1 => Just(Step::CutReceiver),
        1 => Just(Step::Pass),
    ];
    prop::collection::vec(step, 0..60)
}

/// A sender that repeats what is not acknowledged after each reconnect, and a receiver that tells repeats of QoS 2 apart
/// for as long as the session lasts.
struct Pair {
    world: World,
    sender: ConnectionId,
    receiver: ConnectionId,
    qos: u8,
    sent: u16,
    /// By packet identifier: whether PUBREC came.
    unfinished: BTreeMap<u16, bool>,
    /// Received with QoS 2 and not yet released.
    open: BTreeSet<u16>,
    got: BTreeMap<String, u32>,
}

impl Pair {
    fn new(quirks: Quirks, qos: u8) -> Self {
        let mut config = Config::default().anonymous().quirks(quirks.without_delays());
        config.in_flight = 3;
        let mut world = World::new(config);
        let (sender, receiver) = (world.join("sender", false), world.join("receiver", false));
        Self {
            world,
            sender,
            receiver,
            qos,
            sent: 0,
            unfinished: BTreeMap::new(),
            open: BTreeSet::new(),
            got: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish => {
                self.sent += 1;
                self.unfinished.insert(self.sent, false);
                self.publish(self.sent);
            }
            Step::SenderReads => self.sender_reads(),
            Step::ReceiverReads => self.receiver_reads(),
            Step::CutSender => {
                self.sender = self.cut(self.sender, "sender");
                for (id, released) in self.unfinished.clone() {
                    if released {
                        self.world.send(self.sender, Packet::PubRel(ack(id)));
                    } else {
                        self.publish(id);
                    }
                }
            }
            Step::CutReceiver => self.receiver = self.cut(self.receiver, "receiver"),
            Step::Pass => {
                let ids = [self.sender, self.receiver];
                self.world.pass_with_pings(Duration::from_secs(5), &ids);
            }
        }
    }

    fn publish(&mut self, id: u16) {
        self.world.publish(self.sender, "t/p2p/receiver", &id.to_string(), self.qos, id);
    }

    /// What the client has not read yet is lost with the link.
    fn cut(&mut self, id: ConnectionId, client_id: &str) -> ConnectionId {
        self.world.lose(id);
        self.world.take(id);
        let mut connect = Connect::new(client_id);
        connect.clean_session = false;
        self.world.connect(connect)
    }

    fn sender_reads(&mut self) {
        for seen in self.world.take(self.sender) {
            match seen {
                Seen::PubAck(id) | Seen::PubComp(id) => _ = self.unfinished.remove(&id),
                Seen::PubRec(id) => {
                    self.unfinished.insert(id, true);
                    self.world.send(self.sender, Packet::PubRel(ack(id)));
                }
                _ => {}
            }
        }
    }

    fn receiver_reads(&mut self) {
        for seen in self.world.take(self.receiver) {
            match seen {
                Seen::Message(message) if message.qos == 1 => {
                    *self.got.entry(message.payload).or_default() += 1;
                    self.world.send(self.receiver, Packet::PubAck(ack(message.id)));
                }
                Seen::Message(message) => {
                    if self.open.insert(message.id) {
                        *self.got.entry(message.payload).or_default() += 1;
                    }
                    self.world.send(self.receiver, Packet::PubRec(ack(message.id)));
                }
                Seen::PubRel(id) => {
                    self.open.remove(&id);
                    self.world.send(self.receiver, Packet::PubComp(ack(id)));
                }
                _ => {}
            }
        }
    }

    /// Lets both read until all is quiet; how often each message arrived.
    fn settle(mut self) -> Vec<u32> {
        for _ in 0..50 {
            for step in [Step::SenderReads, Step::ReceiverReads, Step::Pass] {
                self.step(step);
            }
        }
        assert!(self.unfinished.is_empty(), "{:?}", self.unfinished);
        (1..=self.sent).map(|id| self.got.get(&id.to_string()).copied().unwrap_or_default()).collect()
    }
}

proptest! {
    #[test]
    fn with_the_services_sessions_qos_1_arrives_at_least_once(steps in steps()) {
        let mut pair = Pair::new(Quirks::service(), 1);
        steps.into_iter().for_each(|step| pair.step(step));
        prop_assert!(pair.settle().iter().all(|&times| times >= 1));
    }

    #[test]
    fn with_standard_sessions_qos_1_arrives_at_least_once(steps in steps()) {
        let mut pair = Pair::new(Quirks::standard(), 1);
        steps.into_iter().for_each(|step| pair.step(step));
        prop_assert!(pair.settle().iter().all(|&times| times >= 1));
    }

    #[test]
    fn with_standard_sessions_qos_2_arrives_exactly_once(steps in steps()) {
        let mut pair = Pair::new(Quirks::standard(), 2);
        steps.into_iter().for_each(|step| pair.step(step));
        prop_assert!(pair.settle().iter().all(|&times| times == 1));
    }
}
