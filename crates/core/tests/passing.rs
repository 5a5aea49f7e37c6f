//! What need not wait for the in-flight window passes the publications that do.

mod common;

use common::{Driver, Seen, Small, config, message, server};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Client, Config, Inline};

fn window(max_in_flight: u16) -> Config {
    config().with_max_in_flight(max_in_flight)
}

/// One publication is in flight, and another waits for the window.
fn full() -> Driver {
    let mut driver = Driver::online(window(1));
    driver.publish("t", b"1", AtLeastOnce);
    driver.publish("t", b"2", AtLeastOnce);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=1"]);
    driver
}

/// The same client after a restart of the program.
fn restarted(mut driver: Driver, config: Config) -> Driver {
    let mut client = Client::new(config, 7, Small::new());
    assert_eq!(client.import_session(&driver.export()), Ok(()));
    let mut next = Driver::around(client);
    next.checks = driver.checks.restarted();
    next
}

#[test]
fn subscribe_and_unsubscribe_pass_a_full_window() {
    let mut driver = full();
    let subscribe = driver.subscribe(&[("f", AtMostOnce)]);
    let unsubscribe = driver.unsubscribe(&["g"]);
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #3 f:0", "UNSUBSCRIBE #4 g"]);
    driver.receive(&server::suback(3, &[0]));
    driver.receive(&server::unsuback(4));
    let codes = vec![0];
    assert_eq!(driver.take_seen(), [Seen::Subscribed(subscribe, codes), Seen::Unsubscribed(unsubscribe)]);
    assert_eq!(driver.subscriptions(), [("f".into(), AtMostOnce)]);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=2"]);
}

#[test]
fn qos_0_passes_a_full_window_and_ends_once_it_is_handed_over() {
    let mut driver = full();
    let tickets = [b"a", b"b"].map(|payload| driver.publish("t", payload, AtMostOnce));
    assert_eq!(driver.take_sent(), ["PUBLISH q0 t=a", "PUBLISH q0 t=b"]);
    assert_eq!(driver.take_seen(), tickets.map(Seen::Published));
    assert_eq!(driver.client.requests_in_use(), 2);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=2"]);
}

#[test]
fn what_went_ahead_is_not_sent_again_when_its_turn_comes() {
    let mut driver = full();
    driver.subscribe(&[("f", AtMostOnce)]);
    driver.publish("t", b"3", AtLeastOnce);
    driver.publish("t", b"a", AtMostOnce);
    driver.publish("t", b"4", AtLeastOnce);
    driver.forget();
    for id in [1, 2, 4] {
        driver.receive(&server::puback(id));
    }
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=2", "PUBLISH q1 #4 t=3", "PUBLISH q1 #6 t=4"]);
    driver.receive(&server::suback(3, &[0]));
    driver.receive(&server::puback(6));
    assert_eq!(driver.requests(), []);
    assert_eq!(driver.client.requests_in_use(), 0);
}

#[test]
fn a_packet_that_goes_ahead_is_finished_before_anything_else() {
    let mut driver = full();
    driver.writable = 3;
    driver.subscribe(&[("f", AtMostOnce)]);
    driver.receive(&server::puback(1));
    driver.receive(&server::publish(9, AtLeastOnce, false, b"in"));
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #3 f:0", "PUBACK #9", "PUBLISH q1 #2 t=2"]);
}

#[test]
fn a_packet_that_was_to_go_ahead_goes_in_its_turn_if_the_window_opens_first() {
    let mut driver = full();
    driver.writable = 0;
    driver.subscribe(&[("f", AtMostOnce)]);
    driver.receive(&server::puback(1));
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=2", "SUBSCRIBE #3 f:0"]);
}

#[test]
fn what_went_ahead_goes_out_again_over_a_new_connection() {
    let mut driver = full();
    driver.subscribe(&[("f", AtMostOnce)]);
    driver.forget();
    driver.reconnect(true);
    let sent = driver.take_sent();
    assert_eq!(sent, ["CONNECT", "PUBLISH q1 #1 dup t=1", "SUBSCRIBE #3 f:0"]);
}

#[test]
fn every_pubrel_goes_out_again_whatever_the_window() {
    let mut driver = Driver::online(window(3));
    for payload in [b"1", b"2", b"3"] {
        driver.publish("t", payload, ExactlyOnce);
    }
    driver.receive(&server::pubrec(1));
    driver.receive(&server::pubrec(2));
    let mut driver = restarted(driver, window(1));
    driver.go_online(true);
    // The message waits, since the two before it count.
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBREL #1", "PUBREL #2"]);
    driver.receive(&server::pubcomp(2));
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q2 #3 dup t=3"]);
}

#[test]
fn pubrel_passes_publications_that_wait() {
    let mut driver = Driver::online(window(3));
    for payload in [b"1", b"2", b"3"] {
        driver.publish("t", payload, ExactlyOnce);
    }
    driver.receive(&server::pubrec(3));
    let mut driver = restarted(driver, window(1));
    driver.go_online(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q2 #1 dup t=1", "PUBREL #3"]);
    driver.receive(&server::pubcomp(3));
    driver.receive(&server::pubrec(1));
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_sent(), ["PUBREL #1", "PUBLISH q2 #2 dup t=2"]);
}

#[test]
fn many_that_pass_leave_no_memory_behind() {
    let mut driver = Driver::with(window(1).with_tell_qos_0(false), Inline::<512, 8>::new());
    driver.go_online(false);
    driver.publish("t", b"1", AtLeastOnce);
    driver.publish("t", b"2", AtLeastOnce);
    for _ in 0..1_000 {
        driver.try_publish(&message("t", b"x", AtMostOnce)).expect("room");
        driver.run();
    }
    assert_eq!(driver.client.requests_in_use(), 2);
    driver.receive(&server::puback(1));
    driver.receive(&server::puback(2));
    assert_eq!(driver.client.requests_in_use(), 0);
}
