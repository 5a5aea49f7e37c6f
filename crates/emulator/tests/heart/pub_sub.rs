//! Publish and subscribe.

use mqtt_p2p_packet::{Packet, Publish, TopicName};

use mqtt_p2p_emulator::Event;

use crate::world::{Seen, World, message, secs, service};

#[test]
fn a_subscriber_gets_what_its_filters_cover_once_and_nothing_else() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    for filter in ["t/+/温度", "t/#"] {
        world.follow(b, filter, 0);
    }
    world.publish(a, "t/1/温度", "21", 0, 0);
    world.publish(a, "u/1/温度", "22", 0, 0);
    assert_eq!(world.take(b), [message("t/1/温度", "21", 0, 0)]);
}

#[test]
fn the_lower_qos_of_message_and_subscription_counts() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.follow(b, "t/0", 0);
    world.follow(b, "t/1", 1);
    world.follow(b, "t/2", 2);
    world.publish(a, "t/0", "", 2, 1);
    world.publish(a, "t/1", "", 2, 2);
    world.publish(a, "t/2", "", 1, 3);
    let expected = [message("t/0", "", 0, 0), message("t/1", "", 1, 1), message("t/2", "", 1, 2)];
    assert_eq!(world.take(b), expected);
}

#[test]
fn retain_is_ignored() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.follow(b, "t/x", 0);
    let mut publish = Publish::new(TopicName::new("t/x").unwrap(), b"1");
    publish.retain = true;
    world.send(a, Packet::Publish(publish));
    assert_eq!(world.take(b), [message("t/x", "1", 0, 0)]);
    let late = world.join("late", true);
    world.follow(late, "t/x", 0);
    assert_eq!(world.take(late), []);
}

#[test]
fn control_messages_are_acknowledged_and_shown_to_nobody() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.follow(a, "$SYS/#", 1);
    world.publish(a, "$SYS/uploadToken", "{}", 1, 1);
    assert_eq!(world.take(a), [Seen::PubAck(1)]);
}

#[test]
fn after_unsubscribe_nothing_comes() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.follow(a, "t/x", 0);
    world.unsubscribe(a, "t/x");
    world.publish(a, "t/x", "", 0, 0);
    assert_eq!(world.take(a), [Seen::UnsubAck(98)]);
}

#[test]
fn a_message_may_overtake_suback() {
    let mut config = service();
    config.quirks.suback_delay = secs(1);
    let mut world = World::new(config);
    let a = world.join("a", true);
    world.subscribe(a, "t/x", 1);
    world.publish(a, "t/x", "first", 0, 0);
    world.pass(secs(1));
    assert_eq!(world.take(a), [message("t/x", "first", 0, 0), Seen::SubAck(99, vec![1])]);
}

#[test]
fn the_31st_subscription_is_granted_and_has_no_effect() {
    let mut world = World::service();
    let a = world.join("a", true);
    for topic in 0..31 {
        world.follow(a, &format!("t/{topic}"), 1);
    }
    world.publish(a, "t/29", "", 0, 0);
    world.publish(a, "t/30", "", 0, 0);
    assert_eq!(world.take(a), [message("t/29", "", 0, 0)]);
    let ignored = |event| matches!(event, Event::SubscriptionIgnored { filter, .. } if filter == "t/30");
    assert!(std::iter::from_fn(|| world.emulator.poll_event()).any(ignored));
    // To subscribe again to one that is there has effect all the same.
    world.follow(a, "t/29", 0);
}

#[test]
fn the_101st_wildcard_below_one_parent_has_no_effect() {
    let mut world = World::service();
    let clients: Vec<_> = (0..5).map(|client| world.join(&format!("c{client}"), true)).collect();
    for (index, filter) in (0..101).map(|index| (index, format!("t/{index}/+"))) {
        world.follow(clients[index / 25], &filter, 0);
    }
    world.follow(clients[4], "u/100/+", 0);
    world.publish(clients[0], "t/99/x", "", 0, 0);
    world.publish(clients[0], "t/100/x", "", 0, 0);
    world.publish(clients[0], "u/100/x", "", 0, 0);
    assert_eq!(world.take(clients[3]), [message("t/99/x", "", 0, 0)]);
    assert_eq!(world.take(clients[4]), [message("u/100/x", "", 0, 0)]);
}

#[test]
fn a_kept_session_keeps_its_subscriptions_though_connack_says_0() {
    let mut world = World::service();
    let a = world.join("a", false);
    world.follow(a, "t/x", 1);
    world.lose(a);
    let a = world.join("a", false);
    world.publish(a, "t/x", "", 0, 0);
    assert_eq!(world.take(a), [message("t/x", "", 0, 0)]);
}

#[test]
fn a_clean_session_ends_with_its_connection() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.follow(a, "t/x", 1);
    world.lose(a);
    let a = world.join("a", false);
    world.publish(a, "t/x", "", 0, 0);
    assert_eq!(world.take(a), []);
}
