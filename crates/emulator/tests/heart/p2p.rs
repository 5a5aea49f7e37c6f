//! Peer-to-peer messages.

use mqtt_p2p_emulator::TrailingSlash;

use crate::world::{Seen, World, message, service};

#[test]
fn a_p2p_message_arrives_without_a_subscription_at_its_own_qos() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    for qos in 0..=2 {
        world.publish(a, "t/p2p/b", "hello", qos, 1);
        assert_eq!(world.take(b), [message("t/p2p/b", "hello", qos, qos.into())]);
    }
}

#[test]
fn a_client_can_write_to_itself() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "me", 1, 5);
    assert_eq!(world.take(a), [message("t/p2p/a", "me", 1, 1), Seen::PubAck(5)]);
}

#[test]
fn a_p2p_message_is_never_shown_to_other_subscribers() {
    let mut world = World::service();
    let (a, b, spy) = (world.join("a", true), world.join("b", true), world.join("spy", true));
    for filter in ["#", "t/#", "t/p2p/+", "t/p2p/b"] {
        world.follow(spy, filter, 1);
    }
    world.publish(a, "t/p2p/b", "secret", 0, 0);
    assert_eq!(world.take(spy), []);
    assert_eq!(world.take(b), [message("t/p2p/b", "secret", 0, 0)]);
}

#[test]
fn a_target_that_also_subscribed_gets_it_once() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.follow(b, "t/p2p/b", 0);
    world.follow(b, "#", 0);
    world.publish(a, "t/p2p/b", "once", 1, 1);
    assert_eq!(world.take(b), [message("t/p2p/b", "once", 1, 1)]);
}

#[test]
fn levels_behind_the_target_stay_in_the_topic() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.publish(a, "t/p2p/b/cmd/1", "go", 0, 0);
    assert_eq!(world.take(b), [message("t/p2p/b/cmd/1", "go", 0, 0)]);
}

#[test]
fn a_topic_without_a_target_is_an_ordinary_one() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.follow(a, "t/p2p", 0);
    world.publish(a, "t/p2p", "all", 0, 0);
    assert_eq!(world.take(a), [message("t/p2p", "all", 0, 0)]);
}

#[test]
fn delivered_topics_can_get_a_slash_at_the_end() {
    let delivered = |trailing_slash| {
        let mut config = service();
        config.quirks.trailing_slash = trailing_slash;
        let mut world = World::new(config);
        let a = world.join("a", true);
        world.follow(a, "t/x", 0);
        world.publish(a, "t/p2p/a", "", 0, 0);
        world.publish(a, "t/x", "", 0, 0);
        world.publish(a, "t/x/", "", 0, 0);
        let topics = world.take(a).into_iter().map(|seen| match seen {
            Seen::Message(message) => message.topic,
            other => panic!("{other:?}"),
        });
        topics.collect::<Vec<_>>()
    };
    assert_eq!(delivered(TrailingSlash::Never), ["t/p2p/a", "t/x"]);
    assert_eq!(delivered(TrailingSlash::ButP2p), ["t/p2p/a", "t/x/", "t/x/"]);
    assert_eq!(delivered(TrailingSlash::Always), ["t/p2p/a/", "t/x/", "t/x/"]);
}
