//! Acknowledgements, within one connection.

use mqtt_p2p_emulator::{DropReason, Event};
use mqtt_p2p_packet::Packet;

use crate::world::{Seen, World, ack, message, secs, service};

#[test]
fn qos_2_comes_in_exactly_once_though_publish_is_repeated() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.publish(a, "t/p2p/b", "one", 2, 5);
    world.publish(a, "t/p2p/b", "one", 2, 5);
    assert_eq!(world.take(a), [Seen::PubRec(5), Seen::PubRec(5)]);
    assert_eq!(world.take(b), [message("t/p2p/b", "one", 2, 1)]);

    world.send(a, Packet::PubRel(ack(5)));
    world.publish(a, "t/p2p/b", "two", 2, 5);
    assert_eq!(world.take(a), [Seen::PubComp(5), Seen::PubRec(5)]);
    assert_eq!(world.take(b), [message("t/p2p/b", "two", 2, 2)]);
    assert_eq!(world.emulator.counters().duplicates, 1);
}

#[test]
fn qos_2_goes_out_with_its_whole_handshake_and_is_pushed_once() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 2, 5);
    world.take(a);
    world.pass_with_pings(secs(10), &[a]);
    assert_eq!(world.take(a), []);
    world.send(a, Packet::PubRec(ack(1)));
    world.send(a, Packet::PubRec(ack(1)));
    world.send(a, Packet::PubComp(ack(1)));
    assert_eq!(world.take(a), [Seen::PubRel(1), Seen::PubRel(1)]);
}

#[test]
fn qos_1_without_puback_is_pushed_again_under_its_id_and_without_dup() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 1, 5);
    world.take(a);
    for _ in 0..2 {
        world.pass(secs(2));
        assert_eq!(world.take(a), []);
        world.pass(secs(1));
        assert_eq!(world.take(a), [message("t/p2p/a", "x", 1, 1)]);
    }
    world.send(a, Packet::PubAck(ack(1)));
    world.pass(secs(10));
    assert_eq!(world.take(a), []);
}

#[test]
fn after_15_repeats_a_message_is_dropped() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 1, 5);
    world.take(a);
    world.pass_with_pings(secs(100), &[a]);
    assert_eq!(world.take(a).len(), 15);
    let dropped = |event| matches!(event, Event::Dropped { reason: DropReason::NotAcknowledged, .. });
    assert!(std::iter::from_fn(|| world.emulator.poll_event()).any(dropped));
}

#[test]
fn one_long_step_pushes_as_often_as_many_short_ones() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 1, 5);
    world.take(a);
    world.pass(secs(60));
    assert_eq!(world.take(a).len(), 20 - 5);
}

#[test]
fn too_many_messages_under_way_wait_for_an_acknowledgement() {
    let mut config = service();
    config.in_flight = 2;
    let mut world = World::new(config);
    let (a, b) = (world.join("a", true), world.join("b", true));
    for payload in ["1", "2", "3", "4"] {
        world.publish(a, "t/p2p/b", payload, 1, 1);
    }
    assert_eq!(world.take(b), [message("t/p2p/b", "1", 1, 1), message("t/p2p/b", "2", 1, 2)]);
    world.send(b, Packet::PubAck(ack(1)));
    assert_eq!(world.take(b), [message("t/p2p/b", "3", 1, 3)]);
    world.send(b, Packet::PubAck(ack(3)));
    assert_eq!(world.take(b), [message("t/p2p/b", "4", 1, 4)]);
}

#[test]
fn packet_ids_come_round_and_skip_those_under_way() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "stays", 2, 9);
    for _ in 0..65_535 {
        world.publish(a, "t/p2p/a", "", 1, 5);
        let seen = world.take(a);
        let Some(Seen::Message(message)) =
            seen.iter().find(|seen| matches!(seen, Seen::Message(m) if m.qos == 1))
        else {
            panic!("{seen:?}")
        };
        assert_ne!(message.id, 1);
        let id = message.id;
        world.send(a, Packet::PubAck(ack(id)));
    }
}
