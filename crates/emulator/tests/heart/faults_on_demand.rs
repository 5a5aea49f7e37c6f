//! Faults that a test asks for.

use std::time::Duration;

use mqtt_p2p_emulator::{CloseReason, Faults, Output};
use mqtt_p2p_packet::{Connect, Packet, ReasonCode};

use crate::world::{Seen, World, accepted, ack, message, refused, secs};

fn world(change: impl FnOnce(&mut Faults)) -> World {
    let mut world = World::service();
    change(world.emulator.faults_mut());
    world
}

#[test]
fn log_ins_can_be_refused_whatever_they_bring() {
    let mut world = world(|faults| faults.refuse_log_ins = Some(ReasonCode::ServerUnavailable));
    let id = world.connect(Connect::new("a"));
    assert_eq!(world.take(id), [refused(3)]);
    assert_eq!(world.why_closed(id), Some(CloseReason::Refused(ReasonCode::ServerUnavailable)));
    assert_eq!(world.emulator.client_counters("a").refused, 1);

    *world.emulator.faults_mut() = Faults::default();
    world.join("a", true);
}

#[test]
fn a_code_that_connack_does_not_have_refuses_nobody() {
    for code in [ReasonCode::Success, ReasonCode::UnspecifiedError] {
        world(|faults| faults.refuse_log_ins = Some(code)).join("a", true);
    }
}

#[test]
fn a_fault_can_hit_one_client_only() {
    let mut world = world(|faults| {
        faults.refuse_log_ins = Some(ReasonCode::NotAuthorized);
        faults.client_id = Some("a".into());
    });
    let id = world.connect(Connect::new("a"));
    assert_eq!(world.take(id), [refused(5)]);
    world.join("b", true);
}

#[test]
fn connect_can_stay_without_an_answer_for_ever() {
    let mut world = world(|faults| faults.silent_connack = true);
    let id = world.connect(Connect::new("a"));
    world.pass(secs(100_000));
    assert_eq!((world.take(id), world.is_closed(id)), (vec![], false));
    assert_eq!(world.emulator.connected_clients().count(), 0);
}

#[test]
fn a_connection_can_close_some_time_after_connack() {
    let mut world = world(|faults| faults.close_after_connack = Some(secs(2)));
    let id = world.join("a", true);
    world.pass(Duration::from_millis(1999));
    assert!(!world.is_closed(id));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.why_closed(id), Some(CloseReason::Fault));
}

#[test]
fn a_client_id_can_be_taken_over_after_each_log_in() {
    let mut world = world(|faults| faults.take_over_after = Some(secs(1)));
    for takeovers in 1..=3 {
        let id = world.join("a", true);
        world.pass(secs(1));
        assert_eq!(world.why_closed(id), Some(CloseReason::TakenOver));
        assert_eq!(world.emulator.client_counters("a").takeovers, takeovers);
    }
    assert_eq!(world.emulator.client_counters("a").log_ins, 3);
}

#[test]
fn over_a_half_open_link_nothing_arrives_and_it_stays() {
    let mut world = World::service();
    let (a, b) = (world.join("a", true), world.join("b", true));
    world.emulator.faults_mut().half_open = true;
    world.emulator.faults_mut().client_id = Some("a".into());
    world.send(a, Packet::PingReq);
    world.publish(a, "t/p2p/b", "lost", 1, 1);
    world.publish(b, "t/p2p/a", "lost", 0, 0);
    world.pass_with_pings(secs(1000), &[b]);
    assert_eq!((world.take(a), world.take(b)), (vec![], vec![]));
    assert!(!world.is_closed(a));

    // It does not come back to life, and its client does not even see that it is taken over.
    *world.emulator.faults_mut() = Faults::default();
    world.send(a, Packet::PingReq);
    world.join("a", true);
    assert_eq!((world.take(a), world.is_closed(a)), (vec![], false));
}

#[test]
fn a_message_in_a_half_open_link_comes_after_the_reconnect() {
    let mut world = World::service();
    let (a, b) = (world.join("a", false), world.join("b", false));
    world.emulator.faults_mut().half_open = true;
    world.emulator.faults_mut().client_id = Some("a".into());
    world.publish(b, "t/p2p/a", "x", 1, 1);
    world.emulator.faults_mut().half_open = false;
    world.lose(a);
    let a = world.join("a", false);
    assert_eq!(world.take(a), [message("t/p2p/a", "x", 1, 2)]);
}

#[test]
fn acknowledgements_can_get_lost() {
    let mut world = World::service();
    let a = world.join("a", true);
    *world.emulator.faults_mut() = {
        let mut faults = Faults::default();
        faults.lose_pubacks = 1;
        faults.lose_pubrecs = 1;
        faults.lose_pubcomps = 1;
        faults.lose_subacks = 1;
        faults.lose_unsubacks = 1;
        faults.lose_pingresps = 1;
        faults
    };
    for round in 0..2 {
        world.publish(a, "t/x", "", 1, 1);
        world.publish(a, "t/x", "", 2, 2);
        world.send(a, Packet::PubRel(ack(2)));
        world.subscribe(a, "t/y", 1);
        world.unsubscribe(a, "t/y");
        world.send(a, Packet::PingReq);
        let all = vec![
            Seen::PubAck(1),
            Seen::PubRec(2),
            Seen::PubComp(2),
            Seen::SubAck(99, vec![1]),
            Seen::UnsubAck(98),
            Seen::PingResp,
        ];
        assert_eq!(world.take(a), if round == 0 { vec![] } else { all });
    }
    assert_eq!(world.emulator.counters().published, 4);
}

#[test]
fn messages_and_their_pubrel_can_get_lost() {
    let mut world = world(|faults| {
        faults.lose_publishes = 1;
        faults.lose_pubrels = 1;
    });
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "x", 1, 1);
    assert_eq!(world.take(a), [Seen::PubAck(1)]);
    world.pass(secs(3));
    assert_eq!(world.take(a), [message("t/p2p/a", "x", 1, 1)]);
    world.send(a, Packet::PubRec(ack(7)));
    world.send(a, Packet::PubRec(ack(7)));
    assert_eq!(world.take(a), [Seen::PubRel(7)]);
}

#[test]
fn acknowledged_messages_can_come_twice_under_one_id() {
    let mut world = world(|faults| faults.duplicate_publishes = 2);
    let a = world.join("a", true);
    world.publish(a, "t/p2p/a", "zero", 0, 0);
    assert_eq!(world.take(a), [message("t/p2p/a", "zero", 0, 0)]);
    for (qos, id) in [(1, 1), (2, 2)] {
        world.publish(a, "t/p2p/a", "x", qos, 9);
        let x = message("t/p2p/a", "x", qos, id);
        let answer = if qos == 1 { Seen::PubAck(9) } else { Seen::PubRec(9) };
        assert_eq!(world.take(a), [x.clone(), x, answer]);
    }
}

#[test]
fn all_can_be_late_and_stays_in_order() {
    let mut world = world(|faults| faults.delay = secs(5));
    let id = world.connect(Connect::new("a"));
    world.pass(secs(1));
    world.publish(id, "t/p2p/a", "x", 0, 0);
    world.emulator.faults_mut().delay = Duration::ZERO;
    world.send(id, Packet::PingReq);
    world.pass(secs(3));
    assert_eq!(world.take(id), []);
    world.pass(secs(1));
    assert_eq!(world.take(id), [accepted()]);
    world.pass(secs(1));
    assert_eq!(world.take(id), [message("t/p2p/a", "x", 0, 0), Seen::PingResp]);
    world.send(id, Packet::PingReq);
    assert_eq!(world.take(id), [Seen::PingResp]);
}

#[test]
fn what_is_late_goes_out_before_the_emulator_closes_but_not_when_the_link_is_cut() {
    for cut in [false, true] {
        let mut world = world(|faults| faults.delay = secs(5));
        let id = world.connect(Connect::new("a"));
        if cut {
            assert!(world.emulator.cut(world.now, id));
            world.pass(Duration::ZERO);
        } else {
            world.connect(Connect::new("a"));
        }
        assert!(world.is_closed(id));
        assert_eq!(world.take(id), if cut { vec![] } else { vec![accepted()] });
    }
}

#[test]
fn bytes_that_are_no_packet_can_be_sent() {
    let mut world = World::service();
    let id = world.join("a", true);
    assert!(world.emulator.send_raw(world.now, "a", &[0xff, 0xff]));
    assert_eq!(world.emulator.poll_output(), Some(Output::Send { id, bytes: vec![0xff, 0xff] }));
    assert!(!world.emulator.send_raw(world.now, "b", &[0]));
}

#[test]
fn what_a_client_did_and_got_is_counted() {
    let mut world = World::service();
    let a = world.join("a", true);
    world.follow(a, "t/x", 1);
    world.publish(a, "t/x", "", 1, 1);
    world.publish(a, "t/x", "", 0, 0);
    world.send(a, Packet::PubAck(ack(1)));
    world.send(a, Packet::PubAck(ack(1)));
    world.send(a, Packet::PingReq);
    world.join("a", true);
    let counters = world.emulator.client_counters("a");
    assert_eq!((counters.log_ins, counters.takeovers, counters.refused), (2, 1, 0));
    assert_eq!((counters.published, counters.subscribes, counters.pings), (2, 1, 1));
    assert_eq!((counters.delivered, counters.acknowledged), (2, 1));
    assert_eq!(world.emulator.client_counters("b"), Default::default());
}
