//! Requests that the caller gives up, one by one.

mod common;

use common::{Driver, Seen, Small, config, server};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Client, Ticket};

/// Two publications fit the window.
fn online() -> Driver {
    Driver::online(config().with_max_in_flight(2))
}

fn cancel(driver: &mut Driver, ticket: Ticket) -> Vec<Seen> {
    assert!(driver.cancel(ticket), "it is pending");
    assert!(!driver.cancel(ticket), "it is given up already");
    driver.take_seen()
}

#[test]
fn a_publication_that_is_queued_is_dropped_and_never_sent() {
    let mut driver = online();
    let tickets = [b"1", b"2", b"3", b"4"].map(|payload| driver.publish("t", payload, AtLeastOnce));
    driver.forget();
    assert_eq!(cancel(&mut driver, tickets[2]), [Seen::Dropped(tickets[2])]);
    assert_eq!(driver.requests(), [tickets[0], tickets[1], tickets[3]]);
    driver.receive(&server::puback(1));
    driver.receive(&server::puback(2));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #4 t=4"]);
    driver.receive(&server::puback(4));
    assert_eq!(driver.client.requests_in_use(), 0);
}

#[test]
fn a_publication_that_is_queued_without_a_connection_is_dropped() {
    let mut driver = Driver::new(config());
    let tickets = [b"1", b"2", b"3"].map(|payload| driver.publish("t", payload, AtLeastOnce));
    assert_eq!(cancel(&mut driver, tickets[0]), [Seen::Dropped(tickets[0])]);
    assert_eq!(cancel(&mut driver, tickets[1]), [Seen::Dropped(tickets[1])]);
    driver.go_online(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #3 t=3"]);
}

#[test]
fn the_server_may_still_acknowledge_what_is_in_flight() {
    let mut driver = online();
    let tickets = [b"1", b"2", b"3"].map(|payload| driver.publish("t", payload, AtLeastOnce));
    driver.forget();
    assert_eq!(cancel(&mut driver, tickets[0]), [Seen::Dropped(tickets[0])]);
    assert_eq!(driver.requests(), tickets[1..]);
    // It keeps its place in the window until then.
    assert_eq!(driver.client.in_flight(), 2);
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.receive(&server::puback(1));
    assert_eq!((driver.take_seen(), driver.take_sent()), (vec![], vec!["PUBLISH q1 #3 t=3".into()]));
    driver.receive(&server::puback(2));
    driver.receive(&server::puback(3));
    assert_eq!(driver.take_seen(), [Seen::Published(tickets[1]), Seen::Published(tickets[2])]);
    assert_eq!(driver.client.requests_in_use(), 0);
    assert_eq!(driver.client.stats().unexpected_acks, 0);
}

#[test]
fn what_was_cancelled_in_flight_is_not_sent_again() {
    for session_present in [true, false] {
        let mut driver = online();
        let ticket = driver.publish("t", b"1", AtLeastOnce);
        let next = driver.publish("t", b"2", ExactlyOnce);
        cancel(&mut driver, ticket);
        driver.forget();
        driver.reconnect(session_present);
        let dup = if session_present { " dup" } else { "" };
        assert_eq!(driver.take_sent(), ["CONNECT".to_owned(), format!("PUBLISH q2 #2{dup} t=2")]);
        assert_eq!(driver.requests(), [next]);
        assert_eq!(driver.client.requests_in_use(), 1);
    }
}

#[test]
fn the_handshake_of_qos_2_goes_on_without_an_event() {
    let mut driver = online();
    let ticket = driver.publish("t", b"1", ExactlyOnce);
    assert_eq!(cancel(&mut driver, ticket), [Seen::Dropped(ticket)]);
    driver.forget();
    driver.receive(&server::pubrec(1));
    driver.receive(&server::pubcomp(1));
    assert_eq!((driver.take_sent(), driver.take_seen()), (vec!["PUBREL #1".into()], vec![]));
    assert_eq!(driver.client.requests_in_use(), 0);
}

#[test]
fn after_pubrec_the_server_is_still_told_to_forget_the_identifier() {
    let mut driver = online();
    let ticket = driver.publish("t", b"1", ExactlyOnce);
    driver.receive(&server::pubrec(1));
    assert_eq!(cancel(&mut driver, ticket), [Seen::Dropped(ticket)]);
    driver.forget();
    driver.reconnect(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBREL #1"]);
    driver.forget();
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.client.requests_in_use(), 0);
}

#[test]
fn what_a_session_restored_is_cancelled_by_its_ticket() {
    let mut driver = online();
    let tickets = [AtLeastOnce, ExactlyOnce, AtLeastOnce].map(|qos| driver.publish("t", b"x", qos));
    let bytes = driver.export();
    let mut client = Client::new(config(), 7, Small::new());
    assert_eq!(client.import_session(&bytes), Ok(()));
    let mut next = Driver::around(client);
    next.checks = driver.checks.restarted();
    let mut driver = next;
    for ticket in &tickets[..2] {
        assert_eq!(cancel(&mut driver, *ticket), [Seen::Dropped(*ticket)]);
    }
    driver.go_online(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #3 t=x"]);
}

#[test]
fn a_subscription_that_was_cancelled_is_not_asked_for_again() {
    let mut driver = online();
    let ticket = driver.subscribe(&[("f", AtMostOnce)]);
    assert_eq!(cancel(&mut driver, ticket), [Seen::Dropped(ticket)]);
    driver.receive(&server::suback(1, &[0]));
    assert_eq!((driver.take_seen(), driver.subscriptions()), (vec![], vec![]));
    assert_eq!(driver.client.requests_in_use(), 0);
}

#[test]
fn qos_0_is_dropped_unless_it_is_being_written() {
    let mut driver = online();
    driver.writable = 4;
    let begun = driver.publish("t", b"1", AtMostOnce);
    let queued = driver.publish("t", b"2", AtMostOnce);
    assert!(!driver.cancel(begun));
    assert_eq!(cancel(&mut driver, queued), [Seen::Dropped(queued)]);
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(
        (driver.take_sent(), driver.take_seen()),
        (vec!["PUBLISH q0 t=1".into()], vec![Seen::Published(begun)])
    );
    assert!(!driver.cancel(begun));
    assert_eq!(driver.client.requests_in_use(), 0);
}

#[test]
fn what_went_ahead_of_the_window_can_be_cancelled() {
    let mut driver = Driver::online(config().with_max_in_flight(1));
    let [first, second] = [b"1", b"2"].map(|payload| driver.publish("t", payload, AtLeastOnce));
    let ahead = driver.subscribe(&[("f", AtMostOnce)]);
    driver.forget();
    assert_eq!(cancel(&mut driver, ahead), [Seen::Dropped(ahead)]);
    assert_eq!(cancel(&mut driver, second), [Seen::Dropped(second)]);
    driver.receive(&server::suback(3, &[0]));
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), [Seen::Published(first)]);
    assert_eq!(driver.client.requests_in_use(), 0);
    assert_eq!(driver.take_sent(), [""; 0]);
}
