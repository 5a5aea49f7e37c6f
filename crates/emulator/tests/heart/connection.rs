//! How a connection lives and ends.

use mqtt_p2p_emulator::CloseReason;
use mqtt_p2p_packet::{Connect, Packet, PacketType, Publish, TopicName};

use crate::world::{Seen, World, ack, bytes_of, secs, service};

#[test]
fn a_first_packet_other_than_connect_closes() {
    let mut world = World::service();
    let id = world.open();
    world.send(id, Packet::PingReq);
    assert_eq!(world.take(id), []);
    assert_eq!(world.why_closed(id), Some(CloseReason::FirstPacket(PacketType::PingReq)));
}

#[test]
fn ten_seconds_without_connect_close() {
    let mut world = World::service();
    let id = world.open();
    world.raw(id, &[0x10]);
    world.pass(secs(9));
    assert!(!world.is_closed(id));
    world.pass(secs(1));
    assert_eq!(world.why_closed(id), Some(CloseReason::NoConnect));
}

#[test]
fn a_second_connect_closes() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.send(id, Packet::Connect(Connect::new("a")));
    assert_eq!(world.why_closed(id), Some(CloseReason::SecondConnect));
}

#[test]
fn a_malformed_packet_is_a_bare_close() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.raw(id, &[0x62, 0]);
    assert_eq!(world.take(id), []);
    assert!(matches!(world.why_closed(id), Some(CloseReason::Malformed(_))));
}

#[test]
fn a_packet_that_only_servers_send_closes() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.send(id, Packet::PingResp);
    assert_eq!(world.why_closed(id), Some(CloseReason::Unexpected(PacketType::PingResp)));
}

#[test]
fn a_payload_of_64_kb_passes_and_one_byte_more_closes() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.publish(id, "t/p2p/a", &"x".repeat(65_536), 1, 1);
    let seen = world.take(id);
    assert!(matches!(&seen[..], [Seen::Message(_), Seen::PubAck(1)]));
    world.publish(id, "t/p2p/a", &"x".repeat(65_537), 1, 2);
    assert_eq!(world.take(id), []);
    assert_eq!(world.why_closed(id), Some(CloseReason::PayloadTooLarge));
}

#[test]
fn a_header_that_promises_256_mb_closes_at_once() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.raw(id, &[0x30, 0xff, 0xff, 0xff, 0x7f]);
    assert!(matches!(world.why_closed(id), Some(CloseReason::Malformed(_))));
}

#[test]
fn a_parent_topic_that_is_not_configured_closes_on_publish_and_on_subscribe() {
    let mut world = World::new(service().parents(["devices"]));
    let id = world.join("a", true);
    world.publish(id, "devices/p2p/a", "", 0, 0);
    world.take(id);
    world.follow(id, "devices/#", 0);
    world.publish(id, "others/p2p/a", "", 0, 0);
    assert_eq!(world.why_closed(id), Some(CloseReason::ParentNotAuthorized));

    let id = world.join("a", true);
    world.subscribe(id, "#", 0);
    assert_eq!(world.take(id), []);
    assert_eq!(world.why_closed(id), Some(CloseReason::ParentNotAuthorized));
}

#[test]
fn a_topic_over_64_characters_closes_unless_it_is_p2p() {
    let mut world = World::service();
    let id = world.join("a", true);
    let long = "t".repeat(60);
    world.publish(id, &format!("{long}/p2p/GID_demo@@@1"), "", 0, 0);
    world.publish(id, &format!("{long}/abc"), "", 0, 0);
    assert!(!world.is_closed(id));
    world.publish(id, &format!("{long}/abcd"), "", 0, 0);
    assert_eq!(world.why_closed(id), Some(CloseReason::TopicTooLong));
}

#[test]
fn silence_is_cut_at_one_and_a_half_times_the_keep_alive() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.pass(secs(80));
    world.send(id, Packet::PingReq);
    assert_eq!(world.take(id), [Seen::PingResp]);
    world.pass(secs(89));
    assert!(!world.is_closed(id));
    world.pass(secs(1));
    assert_eq!(world.why_closed(id), Some(CloseReason::NoHeartbeat));
}

#[test]
fn keep_alive_0_is_cut_ten_seconds_after_connect() {
    let mut world = World::service();
    let mut connect = Connect::new("a");
    connect.keep_alive = 0;
    let id = world.connect(connect);
    world.pass_with_pings(secs(9), &[id]);
    assert!(!world.is_closed(id));
    world.pass(secs(1));
    assert_eq!(world.why_closed(id), Some(CloseReason::NoKeepAlive));
}

#[test]
fn keep_alive_0_can_be_left_alone() {
    let mut config = service();
    config.quirks.keep_alive_zero = None;
    let mut world = World::new(config);
    let mut connect = Connect::new("a");
    connect.keep_alive = 0;
    let id = world.connect(connect);
    world.pass(secs(1_000_000));
    assert!(!world.is_closed(id));
    assert_eq!(world.emulator.next_deadline(), None);
}

#[test]
fn disconnect_closes_and_what_follows_it_is_not_read() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    let mut bytes = bytes_of(&Packet::Disconnect);
    let topic = TopicName::new("t/p2p/b").unwrap();
    bytes.extend(bytes_of(&Packet::Publish(Publish::new(topic, b"late"))));
    world.raw(a, &bytes);
    assert_eq!(world.why_closed(a), Some(CloseReason::Disconnected));
    assert_eq!(world.take(b), []);
}

#[test]
fn bytes_may_come_one_at_a_time() {
    let mut world = World::service();
    let id = world.join("a", true);
    let topic = TopicName::new("t/p2p/a").unwrap();
    for byte in bytes_of(&Packet::Publish(Publish::new(topic, b"slow"))) {
        world.raw(id, &[byte]);
    }
    assert_eq!(world.take(id), [crate::world::message("t/p2p/a", "slow", 0, 0)]);
}

#[test]
fn acknowledgements_of_nothing_do_no_harm() {
    let mut world = World::service();
    let id = world.join("a", true);
    world.send(id, Packet::PubAck(ack(5)));
    world.send(id, Packet::PubComp(ack(5)));
    world.send(id, Packet::PubRec(ack(5)));
    world.send(id, Packet::PubRel(ack(5)));
    assert_eq!(world.take(id), [Seen::PubRel(5), Seen::PubComp(5)]);
}

#[test]
fn a_cut_loses_what_was_not_yet_sent() {
    let mut world = World::service();
    let id = world.join("a", true);
    let now = world.now;
    world.emulator.bytes_received(now, id, &bytes_of(&Packet::PingReq));
    assert!(world.emulator.cut(now, id));
    world.pass(secs(0));
    assert_eq!(world.take(id), []);
    assert_eq!(world.why_closed(id), Some(CloseReason::Cut));
}

#[test]
fn while_refusing_new_connections_are_closed_and_old_ones_stay() {
    let mut world = World::service();
    let old = world.join("a", true);
    world.emulator.set_refusing(true);
    let new = world.open();
    assert_eq!(world.why_closed(new), Some(CloseReason::Refusing));
    assert!(!world.is_closed(old));
    world.emulator.set_refusing(false);
    world.join("b", true);
}

#[test]
fn one_connection_too_many_is_closed() {
    let mut config = service();
    config.max_connections = 1;
    let mut world = World::new(config);
    world.open();
    let id = world.open();
    assert_eq!(world.why_closed(id), Some(CloseReason::TooManyConnections));
}
