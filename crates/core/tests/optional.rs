//! What is optional, asked for by a call instead of the configuration.

mod common;

use common::server::{puback, publish};
use common::{Driver, Seen, Small, config};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce};
use mqtt_p2p_core::{Client, Error, Key};

fn unused() -> Client<Small> {
    Client::new(config(), 7, Small::new())
}

fn online(client: Client<Small>) -> Driver {
    let mut driver = Driver::around(client);
    driver.go_online(false);
    driver.forget();
    driver
}

#[test]
fn a_session_is_kept_once_that_is_asked_for() {
    let mut client = unused();
    client.keep_session().expect("not in use");
    assert!(client.config().keep_session);
    let mut driver = online(client);
    let key = Key::Publication(driver.publish("t", b"x", AtLeastOnce));
    driver.run();
    assert!(driver.kept.has(key));
    driver.receive(&puback(1));
    assert!(!driver.kept.has(key));
}

#[test]
fn requests_are_paced_once_that_is_asked_for_and_no_more_once_it_is_taken_back() {
    for (rate, at_once) in [(20, 4), (0, 6)] {
        let mut client = unused();
        client.pace(20).expect("not in use");
        client.pace(rate).expect("not in use");
        assert_eq!(client.config().max_requests_per_sec, rate);
        let mut driver = online(client);
        for _ in 0..6 {
            driver.publish("t", b"x", AtMostOnce);
        }
        driver.run();
        assert_eq!(driver.take_sent().len(), at_once);
    }
}

#[test]
fn messages_are_told_in_parts_once_that_is_asked_for_and_whole_once_it_is_taken_back() {
    for (longest, begins) in [(32, true), (u32::MAX, false)] {
        let mut client = unused();
        client.tell_in_parts(32).expect("not in use");
        client.tell_in_parts(longest).expect("not in use");
        assert_eq!(client.config().max_whole_message, longest);
        let mut driver = online(client);
        driver.receive(&publish(5, AtMostOnce, false, &[0; 200])[..32]);
        assert_eq!(matches!(driver.take_seen()[..], [Seen::Begin(..), ..]), begins);
    }
}

#[test]
fn a_client_in_use_takes_none_of_it() {
    let mut driver = online(unused());
    let before = *driver.client.config();
    assert_eq!(driver.client.keep_session(), Err(Error::InUse));
    assert_eq!(driver.client.pace(20), Err(Error::InUse));
    assert_eq!(driver.client.tell_in_parts(32), Err(Error::InUse));
    assert_eq!(*driver.client.config(), before);
}
