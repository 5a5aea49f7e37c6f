//! Sessions as the standard wants them, on demand.

use mqtt_p2p_emulator::{Config, ConnectionId, Quirks};
use mqtt_p2p_packet::{Connect, Packet};

use crate::world::{Message, Seen, World, ack, message, secs};

fn standard() -> World {
    World::new(Config::default().anonymous().quirks(Quirks::standard()))
}

fn rejoin(world: &mut World, client_id: &str, session_present: bool) -> ConnectionId {
    let mut connect = Connect::new(client_id);
    connect.clean_session = false;
    let id = world.connect(connect);
    world.inbox_starts_with(id, &Seen::ConnAck { code: 0, session_present });
    id
}

fn again(message: Seen) -> Seen {
    match message {
        Seen::Message(message) => Seen::Message(Message { dup: true, ..message }),
        other => other,
    }
}

#[test]
fn session_present_tells_the_truth() {
    let mut world = standard();
    let a = rejoin(&mut world, "a", false);
    world.lose(a);
    rejoin(&mut world, "a", true);
    world.join("a", true);
    rejoin(&mut world, "a", false);
}

#[test]
fn messages_under_way_come_again_with_dup_in_their_order() {
    let mut world = standard();
    let (a, b) = (world.join("a", false), rejoin(&mut world, "b", false));
    for (payload, qos) in [("one", 1), ("two", 2), ("taken", 2)] {
        world.publish(a, "t/p2p/b", payload, qos, u16::from(qos));
        world.send(a, Packet::PubRel(ack(2)));
    }
    world.take(b);
    world.send(b, Packet::PubRec(ack(3)));
    world.take(b);
    world.lose(b);
    world.publish(a, "t/p2p/b", "new", 2, 2);
    let b = rejoin(&mut world, "b", true);
    let expected = [
        again(message("t/p2p/b", "one", 1, 1)),
        again(message("t/p2p/b", "two", 2, 2)),
        Seen::PubRel(3),
        message("t/p2p/b", "new", 2, 4),
    ];
    assert_eq!(world.take(b), expected);
}

#[test]
fn qos_2_is_exactly_once_across_connections() {
    let mut world = standard();
    let (a, b) = (rejoin(&mut world, "a", false), world.join("b", true));
    world.publish(a, "t/p2p/b", "x", 2, 5);
    world.lose(a);
    let a = rejoin(&mut world, "a", true);
    world.publish(a, "t/p2p/b", "x", 2, 5);
    assert_eq!(world.take(a), [Seen::PubRec(5)]);
    assert_eq!(world.take(b), [message("t/p2p/b", "x", 2, 1)]);
}

#[test]
fn there_is_no_re_push_within_a_connection() {
    let mut world = standard();
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 1, 1);
    world.take(a);
    world.pass(secs(60));
    assert_eq!(world.take(a), []);
}

#[test]
fn more_messages_than_may_be_under_way_keep_their_order_over_a_reconnect() {
    let mut config = Config::default().anonymous().quirks(Quirks::standard());
    config.in_flight = 2;
    let mut world = World::new(config);
    let (a, b) = (world.join("a", false), rejoin(&mut world, "b", false));
    for index in 0..5 {
        world.publish(a, "t/p2p/b", &index.to_string(), 1, 1);
    }
    world.take(b);
    world.lose(b);
    let b = rejoin(&mut world, "b", true);
    world.publish(a, "t/p2p/b", "5", 1, 1);
    let mut got = Vec::new();
    loop {
        let seen = world.take(b);
        if seen.is_empty() {
            break;
        }
        for seen in seen {
            let Seen::Message(message) = seen else { panic!("{seen:?}") };
            got.push(message.payload);
            world.send(b, Packet::PubAck(ack(message.id)));
        }
    }
    assert_eq!(got, ["0", "1", "2", "3", "4", "5"]);
}
