//! What a client does only on demand, asked for by a method instead of a configuration's field.

mod common;

use common::server::publish;
use common::{Driver, Seen, config, message};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce};
use mqtt_p2p_core::{Error, Key};

/// A client that was told so before its first use, online.
fn told(tell: impl FnOnce(&mut Driver) -> Result<(), Error>) -> Driver {
    let mut driver = Driver::new(config());
    tell(&mut driver).expect("the client has not been used");
    driver.connect();
    driver.go_online(false);
    driver.forget();
    driver
}

#[test]
fn a_session_is_kept_on_demand() {
    let mut driver = told(|driver| driver.client.keep_session());
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    assert!(driver.kept.has(Key::Publication(ticket)));
    assert!(driver.client.config().keep_session);
}

#[test]
fn requests_are_paced_on_demand_and_a_pace_of_0_is_taken_for_1() {
    for pace in [1, 0] {
        let mut driver = told(|driver| driver.client.pace(pace));
        for _ in 0..10 {
            driver.client.publish(&message("t", b"x", AtMostOnce)).expect("room");
        }
        driver.checks.live = driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
        driver.run();
        assert!(driver.take_sent().len() < 10, "the rest waits for its turn");
        assert_eq!(driver.client.config().max_requests_per_sec, 1);
    }
}

#[test]
fn messages_are_told_in_parts_on_demand() {
    let mut driver = told(|driver| driver.client.tell_in_parts(32));
    driver.receive(&publish(5, AtLeastOnce, false, &[7; 100])[..40]);
    assert!(matches!(driver.take_seen()[..], [Seen::Begin(..), Seen::Part(_)]));
    assert_eq!(driver.client.config().max_whole_message, 32);
}

#[test]
fn once_a_client_has_been_used_nothing_more_can_be_asked_for() {
    let mut driver = Driver::online(config());
    assert_eq!(driver.client.keep_session(), Err(Error::InUse));
    assert_eq!(driver.client.pace(1), Err(Error::InUse));
    assert_eq!(driver.client.tell_in_parts(32), Err(Error::InUse));
    assert_eq!(*driver.client.config(), config());
}
