//! Silence: who breaks it when, and how long an answer may take.

mod common;

use common::{Driver, RETRY, Seen, config, server};
use mqtt_p2p_core::QoS::AtMostOnce;
use mqtt_p2p_core::{Config, DisconnectReason};

/// With a keep alive of 60 s a ping is due an eighth early.
const PING: u64 = 52_500;
const TIMEOUT: u64 = 20_000;

fn keep_alive(keep_alive_secs: u16) -> Config {
    config().with_keep_alive_secs(keep_alive_secs)
}

fn assert_dead(driver: &mut Driver) {
    let disconnected =
        Seen::Disconnected { reason: DisconnectReason::KeepAliveTimeout, retry_at: Some(driver.now + RETRY) };
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected]);
}

#[test]
fn a_ping_is_due_an_eighth_before_the_keep_alive() {
    for secs in [1, 60, 90, u16::MAX] {
        let mut driver = Driver::online(keep_alive(secs));
        let due = u64::from(secs) * 875;
        assert_eq!(driver.wait, Some(driver.now + due));
        driver.pass(due - 1);
        assert_eq!(driver.take_sent(), [""; 0]);
        driver.pass(1);
        assert_eq!(driver.take_sent(), ["PINGREQ"]);
    }
}

#[test]
fn a_ping_is_due_from_the_last_byte_sent_even_if_much_is_received() {
    let mut driver = Driver::online(config());
    driver.pass(10_000);
    driver.publish("t", b"x", AtMostOnce);
    driver.forget();
    for _ in 0..5 {
        driver.pass(10_000);
        driver.receive(&server::publish(0, AtMostOnce, false, b"x"));
    }
    driver.pass(2_499);
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.pass(1);
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
}

#[test]
fn a_ping_is_due_from_the_last_packet_received_even_if_much_is_sent() {
    let mut driver = Driver::online(config());
    driver.pass(10_000);
    driver.receive(&server::publish(0, AtMostOnce, false, b"x"));
    for _ in 0..5 {
        driver.pass(10_000);
        driver.publish("t", b"x", AtMostOnce);
    }
    driver.forget();
    driver.pass(2_499);
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.pass(1);
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
}

#[test]
fn an_answered_ping_starts_the_silence_anew() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    driver.receive(&server::pingresp());
    driver.forget();
    assert_eq!(driver.wait, Some(driver.now + PING));
    driver.pass(PING);
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
}

#[test]
fn an_answer_that_does_not_come_in_its_time_closes() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    assert_eq!(driver.wait, Some(driver.now + TIMEOUT));
    driver.pass(TIMEOUT - 1);
    assert_eq!(driver.take_seen(), []);
    driver.pass(1);
    assert_dead(&mut driver);
}

#[test]
fn what_is_sent_meanwhile_does_not_help() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    for _ in 0..3 {
        driver.pass(5_000);
        driver.publish("t", b"x", AtMostOnce);
    }
    driver.forget();
    driver.pass(5_000);
    assert_dead(&mut driver);
}

#[test]
fn a_dead_link_that_takes_no_more_bytes_is_noticed() {
    let mut driver = Driver::online(config());
    driver.writable = 0;
    driver.publish("t", b"x", AtMostOnce);
    driver.pass(PING);
    assert_eq!(driver.take_seen(), []);
    driver.pass(TIMEOUT);
    assert_dead(&mut driver);
}

#[test]
fn any_whole_packet_gives_the_answer_more_time() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    driver.pass(TIMEOUT - 1);
    driver.receive(&server::publish(0, AtMostOnce, false, b"x"));
    driver.forget();
    driver.pass(TIMEOUT - 1);
    assert_eq!(driver.take_seen(), []);
    driver.pass(1);
    assert_dead(&mut driver);
}

#[test]
fn bytes_that_trickle_in_give_no_more_time() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    let packet = server::publish(0, AtMostOnce, false, &[0; 100]);
    for byte in &packet[..20] {
        assert_eq!(driver.take_seen(), []);
        driver.now += TIMEOUT / 20;
        driver.receive(&[*byte]);
    }
    assert_dead(&mut driver);
}

#[test]
fn the_answer_counts_at_the_very_moment_of_its_deadline() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    driver.now += TIMEOUT;
    driver.receive(&server::pingresp());
    assert_eq!(driver.take_seen(), []);
}

#[test]
fn while_the_caller_does_not_read_no_answer_is_expected_but_pings_go_on() {
    let mut driver = Driver::online(config());
    driver.client.hold_reading(driver.instant(), true);
    for _ in 0..10 {
        driver.pass(PING);
    }
    assert_eq!(driver.take_sent(), ["PINGREQ"; 10]);
    assert_eq!(driver.take_seen(), []);
    driver.client.hold_reading(driver.instant(), false);
    driver.pass(TIMEOUT - 1);
    assert_eq!(driver.take_seen(), []);
    driver.pass(1);
    assert_dead(&mut driver);
}

#[test]
fn held_reading_stays_held_over_a_reconnect() {
    let mut driver = Driver::online(config());
    driver.client.hold_reading(driver.instant(), true);
    driver.reconnect(true);
    driver.pass(PING);
    driver.forget();
    driver.pass(TIMEOUT);
    assert_eq!(driver.take_seen(), []);
}

#[test]
fn without_keep_alive_there_is_no_ping_and_no_deadline() {
    let mut driver = Driver::online(keep_alive(0));
    assert_eq!(driver.wait, None);
    driver.pass(1_000_000_000);
    assert_eq!(driver.take_sent(), [""; 0]);
    assert_eq!(driver.take_seen(), []);
}

#[test]
fn a_ping_of_the_last_connection_means_nothing_to_the_next() {
    let mut driver = Driver::online(config());
    driver.pass(PING);
    driver.reconnect(true);
    driver.forget();
    driver.pass(TIMEOUT + 1);
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.take_sent(), [""; 0]);
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut driver = Driver::online(config());
    driver.pass(1_000);
    let until = driver.wait;
    driver.now -= 900;
    driver.run();
    assert_eq!(driver.wait, until);
}

#[test]
fn a_ping_that_is_asked_for_goes_out_at_once_and_only_once() {
    let mut driver = Driver::online(config());
    assert!(!driver.client.awaits_ping());
    for _ in 0..2 {
        driver.client.ping();
        assert!(driver.client.awaits_ping());
        driver.run();
    }
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
    driver.receive(&server::pingresp());
    assert!(!driver.client.awaits_ping());
}

#[test]
fn asking_again_and_again_does_not_put_off_the_end_of_a_dead_connection() {
    let mut driver = Driver::online(config());
    for _ in 0..TIMEOUT / 1_000 {
        driver.client.ping();
        driver.run();
        driver.pass(1_000);
    }
    assert_dead(&mut driver);
}

#[test]
fn without_a_connection_nothing_is_pinged() {
    let mut driver = Driver::new(config());
    driver.client.ping();
    driver.run();
    assert!(!driver.client.awaits_ping());
    driver.go_online(false);
    assert!(!driver.client.awaits_ping());
}

#[test]
fn a_write_of_no_bytes_is_no_sign_of_life_for_the_server() {
    let mut driver = Driver::online(config());
    driver.pass(10_000);
    driver.receive(&server::publish(1, AtMostOnce, false, b"x"));
    driver.writable = 0;
    driver.publish("t", b"x", AtMostOnce);
    driver.pass(PING - 10_001);
    assert!(!driver.client.awaits_ping());
    driver.pass(1);
    assert!(driver.client.awaits_ping());
}
