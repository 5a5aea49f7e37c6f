//! Quirks that have no better place.

use mqtt_p2p_aliyun::sign;
use mqtt_p2p_emulator::{
    Account, BadClientId, CloseReason, Config, Event, Oversize, P2pOffline, Quirks, Unsupported,
};
use mqtt_p2p_packet::{Connect, Packet, Publish, ReasonCode, TopicName, Will};

use crate::world::{Message, Seen, World, accepted, ack, message, refused, secs, service};

fn world(change: impl FnOnce(&mut Quirks)) -> World {
    let mut config = service();
    change(&mut config.quirks);
    World::new(config)
}

#[test]
fn re_push_goes_on_under_new_packet_ids_and_only_the_last_one_acknowledges() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 1, 5);
    world.take(a);
    world.pass(secs(15));
    let ids: Vec<_> = world
        .take(a)
        .into_iter()
        .map(|seen| match seen {
            Seen::Message(Message { id, dup: false, .. }) => id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [1, 1, 1, 2, 3]);
    world.send(a, Packet::PubAck(ack(1)));
    world.pass(secs(3));
    assert_eq!(world.take(a), [message("t/p2p/a", "x", 1, 4)]);
    world.send(a, Packet::PubAck(ack(4)));
    world.pass(secs(10));
    assert_eq!(world.take(a), []);
}

#[test]
fn the_keep_alive_can_be_checked_more_loosely_or_not_at_all() {
    for (percent, closed) in [(Some(150), true), (Some(300), false), (None, false)] {
        let mut world = world(|quirks| quirks.keep_alive_percent = percent);
        let a = world.join("a", true);
        world.pass(secs(90));
        assert_eq!(world.is_closed(a), closed, "{percent:?}");
    }
}

fn log_in(client_id: &str, bad_client_id: BadClientId) -> (Vec<Seen>, Option<CloseReason>) {
    let mut config =
        Config::new("post-cn-demo").account(Account::access_key("AK", "SK")).groups(["GID_demo", "GID_more"]);
    config.quirks = Quirks::service().without_delays();
    config.quirks.bad_client_id = bad_client_id;
    let mut world = World::new(config);
    let password = sign(b"SK", client_id);
    let mut connect = Connect::new(client_id);
    connect.user_name = Some("Signature|AK|post-cn-demo");
    connect.password = Some(password.as_bytes());
    let id = world.connect(connect);
    let seen = world.take(id);
    let closed = world.is_closed(id).then(|| world.why_closed(id)).flatten();
    (seen, closed)
}

#[test]
fn a_client_id_against_the_rules_is_refused_closed_or_let_in() {
    assert_eq!(log_in("GID_demo@@@1", BadClientId::Refuse), (vec![accepted()], None));
    for bad in ["GID_other@@@1", "plain", &format!("GID_demo@@@{}", "x".repeat(54))] {
        let refusal = CloseReason::Refused(ReasonCode::ClientIdentifierNotValid);
        assert_eq!(log_in(bad, BadClientId::Refuse), (vec![refused(2)], Some(refusal)));
        assert_eq!(log_in(bad, BadClientId::Close), (vec![], Some(CloseReason::BadClientId)));
        assert_eq!(log_in(bad, BadClientId::Accept), (vec![accepted()], None));
    }
    assert_eq!(log_in("", BadClientId::Accept).0, [refused(2)]);
}

#[test]
fn a_will_is_ignored_or_closes() {
    let mut connect = Connect::new("a");
    let topic = TopicName::new("t/p2p/b").unwrap();
    connect.will = Some(Will::new(topic, b"gone"));

    let mut ignoring = World::service();
    let b = ignoring.join("b", true);
    let a = ignoring.connect(connect);
    assert_eq!(ignoring.take(a), [accepted()]);
    ignoring.lose(a);
    assert_eq!(ignoring.take(b), []);

    let mut closing = world(|quirks| quirks.will = Unsupported::Close);
    let a = closing.connect(connect);
    assert_eq!(closing.take(a), []);
    assert_eq!(closing.why_closed(a), Some(CloseReason::WillNotSupported));
}

#[test]
fn retain_can_close() {
    let mut world = world(|quirks| quirks.retain = Unsupported::Close);
    let a = world.join("a", true);
    let mut publish = Publish::new(TopicName::new("t/x").unwrap(), b"");
    publish.retain = true;
    world.send(a, Packet::Publish(publish));
    assert_eq!(world.why_closed(a), Some(CloseReason::RetainNotSupported));
}

#[test]
fn a_payload_over_64_kb_can_be_acknowledged_and_dropped() {
    let mut world = world(|quirks| quirks.oversize = Oversize::Drop);
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", &"x".repeat(200_000), 1, 1);
    assert_eq!(world.take(a), [Seen::PubAck(1)]);
    let ignored = |event| matches!(event, Event::PayloadIgnored { len: 200_000, .. });
    assert!(std::iter::from_fn(|| world.emulator.poll_event()).any(ignored));
}

#[test]
fn without_implicit_p2p_a_p2p_topic_needs_a_subscription() {
    let mut world = world(|quirks| quirks.implicit_p2p = false);
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.follow(b, "t/p2p/+", 0);
    world.publish(b, "t/p2p/a", "x", 0, 0);
    assert_eq!((world.take(a), world.take(b)), (vec![], vec![message("t/p2p/a", "x", 0, 0)]));
}

#[test]
fn whose_clean_session_decides_what_waits_can_be_switched() {
    for (p2p_offline, clean_sender, waits) in [
        (P2pOffline::BySender, true, 0),
        (P2pOffline::BySender, false, 1),
        (P2pOffline::Always, true, 1),
        (P2pOffline::Never, false, 0),
    ] {
        let mut world = world(|quirks| quirks.p2p_offline = p2p_offline);
        let a = world.join("a", clean_sender);
        world.publish(a, "t/p2p/b", "x", 1, 1);
        assert_eq!(world.emulator.offline_messages("b"), waits, "{p2p_offline:?}");
    }
}

#[test]
fn a_request_for_order_is_recorded_for_its_connection() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.publish(a, "$SYS/enableOrderMsg", r#"{"order":"false"}"#, 1, 1);
    assert!(!world.emulator.is_ordered("a"));
    world.publish(a, "$SYS/enableOrderMsg", r#"{"order":"true"}"#, 1, 2);
    assert_eq!(world.take(a), [Seen::PubAck(1), Seen::PubAck(2)]);
    assert!(world.emulator.is_ordered("a"));
    let enabled = |event| matches!(event, Event::OrderEnabled { connection, .. } if connection == a);
    assert!(std::iter::from_fn(|| world.emulator.poll_event()).any(enabled));
    world.join("a", true);
    assert!(!world.emulator.is_ordered("a"));
}
