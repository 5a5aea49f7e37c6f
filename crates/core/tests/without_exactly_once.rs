//! A client that was made without QoS 2: `Config::exactly_once` is off.

mod common;

use common::server::{publish, pubrec, pubrel};
use common::{Driver, config, message};
use mqtt_p2p_core::QoS::{AtLeastOnce, ExactlyOnce};
use mqtt_p2p_core::{Config, Error, SessionError};

fn without() -> Config {
    config().with_exactly_once(false)
}

#[test]
fn publishing_at_qos_2_is_an_error_and_nothing_is_sent() {
    let mut driver = Driver::online(without());
    assert_eq!(driver.try_publish(&message("t", b"x", ExactlyOnce)), Err(Error::ExactlyOnceOff));
    driver.run();
    assert_eq!(driver.take_sent(), [""; 0]);
}

#[test]
fn a_message_of_qos_2_takes_its_four_packets_and_is_told() {
    let mut driver = Driver::online(without());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    assert_eq!((driver.take_payloads(), driver.take_sent()), (vec!["x".into()], vec!["PUBREC #5".into()]));
    driver.receive(&pubrel(5));
    assert_eq!(driver.take_sent(), ["PUBCOMP #5"]);
}

#[test]
fn a_message_of_qos_2_is_told_as_often_as_it_comes() {
    let mut driver = Driver::online(without());
    for _ in 0..9 {
        driver.receive(&publish(5, ExactlyOnce, true, b"x"));
    }
    assert_eq!(driver.take_payloads(), ["x"; 9]);
}

#[test]
fn a_message_of_qos_2_that_is_acknowledged_by_hand_is_answered_then() {
    let mut driver = Driver::online(without().with_manual_ack(true));
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    assert_eq!(driver.take_sent(), [""; 0]);
    let token = driver.take_messages()[0].ack.expect("QoS 2");
    driver.acknowledge(token).expect("the connection is the same");
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBREC #5"]);
}

#[test]
fn a_session_with_publications_of_qos_2_is_not_taken_over() {
    let mut before = Driver::new(config());
    before.publish("t", b"x", AtLeastOnce);
    let mut after = Driver::new(without());
    assert_eq!(after.client.import_session(&before.export()), Ok(()));
    before.publish("t", b"y", ExactlyOnce);
    let mut after = Driver::new(without());
    assert_eq!(
        after.client.import_session(&before.export()),
        Err(SessionError::NotTaken(Error::ExactlyOnceOff))
    );
    assert_eq!(after.requests(), []);
}

#[test]
fn what_the_server_keeps_of_another_programs_publications_comes_to_its_end() {
    let mut driver = Driver::online(without());
    driver.receive(&pubrec(9));
    assert_eq!(driver.take_sent(), ["PUBREL #9"]);
}
