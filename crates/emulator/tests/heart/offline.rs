//! What waits for a client that is away, with the service's sessions.

use std::time::Duration;

use mqtt_p2p_emulator::{ConnectionId, DropReason, Event};
use mqtt_p2p_packet::Packet;

use crate::world::{Seen, World, ack, message, secs, service};

fn payloads(seen: Vec<Seen>) -> Vec<String> {
    seen.into_iter()
        .filter_map(|seen| match seen {
            Seen::Message(message) => Some(message.payload),
            _ => None,
        })
        .collect()
}

/// Publishes a P2P message to "b", which is offline, and lets "b" connect.
fn later(sender_clean: bool, receiver_clean: bool, qos: u8) -> Vec<String> {
    let mut world = World::service();
    let a = world.join("a", sender_clean);
    world.publish(a, "t/p2p/b", "x", qos, 1);
    let b = world.join("b", receiver_clean);
    payloads(world.take(b))
}

#[test]
fn a_p2p_message_waits_if_its_sender_is_connected_without_clean_session() {
    assert_eq!(later(false, false, 1), ["x"]);
}

#[test]
fn a_p2p_message_does_not_wait_if_its_sender_has_a_clean_session() {
    assert!(later(true, false, 1).is_empty());
}

#[test]
fn a_receiver_with_a_clean_session_loses_what_waited() {
    assert!(later(false, true, 1).is_empty());
}

#[test]
fn neither_qos_0_nor_qos_2_waits() {
    assert!(later(false, false, 0).is_empty());
    assert!(later(false, false, 2).is_empty());
}

#[test]
fn what_a_clean_session_dropped_does_not_come_later() {
    let mut world = World::service();
    let a = world.join("a", false);
    world.publish(a, "t/p2p/b", "x", 1, 1);
    let b = world.join("b", true);
    world.lose(b);
    let b = world.join("b", false);
    assert_eq!(world.take(b), []);
}

#[test]
fn a_subscriber_without_clean_session_gets_qos_1_later() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", false));
    world.follow(b, "t/x", 2);
    world.lose(b);
    for qos in 0..=2 {
        world.publish(a, "t/x", &qos.to_string(), qos, 1);
    }
    assert_eq!(world.emulator.offline_messages("b"), 1);
    let b = world.join("b", false);
    assert_eq!(world.take(b), [message("t/x", "1", 1, 1)]);
}

#[test]
fn offline_messages_come_in_batches_of_30_every_5_seconds() {
    let mut world = World::service();
    let a = world.join("a", false);
    for index in 0..70 {
        world.publish(a, "t/p2p/b", &index.to_string(), 1, 1);
    }
    let b = world.join("b", false);
    let mut got = acknowledge_all(&mut world, b);
    assert_eq!(got.len(), 30);
    world.pass(Duration::from_millis(4999));
    assert!(acknowledge_all(&mut world, b).is_empty());
    world.pass(Duration::from_millis(1));
    got.extend(acknowledge_all(&mut world, b));
    world.publish(a, "t/p2p/b", "live", 1, 1);
    assert_eq!(acknowledge_all(&mut world, b), ["live"], "live messages overtake");
    world.pass(secs(5));
    got.extend(acknowledge_all(&mut world, b));
    assert_eq!(got, (0..70).map(|index| index.to_string()).collect::<Vec<_>>());
}

fn acknowledge_all(world: &mut World, id: ConnectionId) -> Vec<String> {
    let seen = world.take(id);
    for seen in &seen {
        if let Seen::Message(message) = seen {
            world.send(id, Packet::PubAck(ack(message.id)));
        }
    }
    payloads(seen)
}

#[test]
fn what_was_under_way_when_the_link_broke_comes_again_as_new_in_its_order() {
    let mut world = World::service();
    let (a, b) = (world.join("a", false), world.join("b", false));
    for (payload, qos) in [("acked", 1), ("one", 1), ("two", 2), ("taken", 2)] {
        world.publish(a, "t/p2p/b", payload, qos, 5);
        world.send(a, Packet::PubRel(ack(5)));
    }
    world.take(b);
    world.send(b, Packet::PubAck(ack(1)));
    world.send(b, Packet::PubRec(ack(4)));
    world.lose(b);
    world.publish(a, "t/p2p/b", "three", 1, 5);
    let b = world.join("b", false);
    let expected =
        [message("t/p2p/b", "one", 1, 5), message("t/p2p/b", "two", 2, 6), message("t/p2p/b", "three", 1, 7)];
    assert_eq!(world.take(b), expected);
}

#[test]
fn what_is_under_way_to_a_clean_session_ends_with_it_unless_the_sender_keeps_it() {
    let mut world = World::service();
    let (kept, clean) = (world.join("kept", false), world.join("clean", true));
    let b = world.join("b", true);
    world.publish(kept, "t/p2p/b", "stays", 1, 1);
    world.publish(clean, "t/p2p/b", "goes", 1, 1);
    world.lose(b);
    let b = world.join("b", false);
    assert_eq!(payloads(world.take(b)), ["stays"]);
}

#[test]
fn a_repeated_qos_2_publication_counts_as_new_after_a_reconnect() {
    let mut world = World::service();
    let (a, b) = (world.join("a", false), world.join("b", true));
    world.publish(a, "t/p2p/b", "x", 2, 5);
    world.lose(a);
    let a = world.join("a", false);
    world.publish(a, "t/p2p/b", "x", 2, 5);
    assert_eq!(payloads(world.take(b)), ["x", "x"]);
}

#[test]
fn over_the_capacity_the_oldest_is_dropped() {
    let mut config = service();
    config.max_waiting_messages = 2;
    let mut world = World::new(config);
    let a = world.join("a", false);
    for payload in ["1", "2", "3"] {
        world.publish(a, "t/p2p/b", payload, 1, 1);
    }
    let dropped = |event| matches!(event, Event::Dropped { reason: DropReason::NoRoom, .. });
    assert!(std::iter::from_fn(|| world.emulator.poll_event()).any(dropped));
    let b = world.join("b", false);
    assert_eq!(payloads(world.take(b)), ["2", "3"]);
}

#[test]
fn after_three_days_a_message_expires() {
    let mut world = World::service();
    let a = world.join("a", false);
    world.publish(a, "t/p2p/b", "old", 1, 1);
    world.pass(secs(3 * 24 * 3600 + 1));
    let b = world.join("b", false);
    assert_eq!(world.take(b), []);
    assert_eq!(world.emulator.offline_messages("b"), 0);
}

#[test]
fn a_takeover_passes_on_what_was_not_acknowledged() {
    let mut world = World::service();
    let (a, old) = (world.join("a", false), world.join("b", false));
    world.publish(a, "t/p2p/b", "x", 1, 1);
    assert_eq!(payloads(world.take(old)), ["x"]);
    let new = world.join("b", false);
    assert_eq!(payloads(world.take(new)), ["x"]);
}
