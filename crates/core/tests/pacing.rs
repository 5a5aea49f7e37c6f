//! No more requests than so many in a second.

mod common;

use common::server::puback;
use common::{Driver, config};
use mqtt_p2p_core::Config;
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce};

fn paced(max_requests_per_sec: u16) -> Config {
    config().with_max_requests_per_sec(max_requests_per_sec)
}

/// Time passes as the client asks for it; gives what was sent, with its time since the start.
fn sent_within(driver: &mut Driver, millis: u64) -> Vec<(u64, String)> {
    let start = driver.now;
    let mut sent = Vec::new();
    loop {
        driver.run();
        sent.extend(driver.take_sent().into_iter().map(|packet| (driver.now - start, packet)));
        match driver.wait {
            Some(at) if at <= start + millis => driver.now = at,
            _ => return sent,
        }
    }
}

#[test]
fn after_a_few_at_once_one_goes_out_for_every_interval_and_in_order() {
    let mut driver = Driver::online(paced(20));
    for number in 0..10 {
        driver.client.publish(&common::message("t", &[b'0' + number], AtMostOnce)).expect("room");
    }
    driver.checks.live = driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
    let sent = sent_within(&mut driver, 1_000);
    let times: Vec<u64> = sent.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 0, 0, 0, 50, 100, 150, 200, 250, 300]);
    let payloads: Vec<&str> = sent.iter().filter_map(|(_, packet)| packet.split('=').nth(1)).collect();
    assert_eq!(payloads.concat(), "0123456789");
}

#[test]
fn over_a_long_time_it_is_no_more_than_the_rate() {
    let mut driver = Driver::online(paced(20));
    let mut sent = 0;
    for _ in 0..100 {
        for _ in 0..10 {
            let _ = driver.try_publish(&common::message("t", b"x", AtMostOnce));
        }
        driver.pass(100);
        sent += driver.take_sent().iter().filter(|packet| packet.starts_with("PUBLISH")).count();
    }
    assert!((200..=204).contains(&sent), "{sent} in 10 seconds");
}

#[test]
fn what_is_sent_again_after_a_reconnect_is_paced_too() {
    let mut driver = Driver::online(paced(20).with_max_in_flight(20));
    for _ in 0..8 {
        driver.publish("t", b"x", AtLeastOnce);
    }
    driver.pass(1_000);
    driver.reconnect(true);
    driver.forget();
    let times: Vec<u64> = sent_within(&mut driver, 1_000).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [50, 100, 150, 200, 250, 300, 350, 400]);
}

#[test]
fn what_the_window_holds_back_does_not_wake_the_client() {
    let mut driver = Driver::online(paced(20).with_max_in_flight(1).with_keep_alive_secs(0));
    driver.publish("t", b"1", AtLeastOnce);
    driver.publish("t", b"2", AtLeastOnce);
    assert_eq!(driver.wait, None);
    driver.forget();
    driver.receive(&puback(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=2"]);
}

#[test]
fn a_rate_of_nothing_is_no_bound() {
    let mut driver = Driver::online(paced(0));
    for _ in 0..16 {
        driver.try_publish(&common::message("t", b"x", AtMostOnce)).expect("room");
    }
    driver.run();
    assert_eq!(driver.take_sent().len(), 16);
}

#[test]
fn who_has_nothing_to_send_is_not_woken_by_the_pace() {
    let mut driver = Driver::online(paced(20).with_keep_alive_secs(0));
    for _ in 0..5 {
        driver.client.publish(&common::message("t", b"x", AtMostOnce)).expect("room");
    }
    driver.checks.live = driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
    driver.run();
    assert_eq!(driver.wait, Some(driver.now + 50), "one is left");
    driver.pass(50);
    assert_eq!(driver.take_sent().len(), 5);
    assert_eq!(driver.wait, None);
}
