//! What goes out: acceptance, order, window, partial writes, sending again, ends.

mod common;

use common::{Driver, RETRY, Seen, Small, config, message, server};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{
    Config, Error, InboundId, Inline, Limits, Memory, Need, Offline, Request, Storage, Ticket,
};

fn window(max_in_flight: u16) -> Config {
    config().with_max_in_flight(max_in_flight)
}

// ---- the three flows ----

#[test]
fn qos_0_is_published_once_it_is_handed_over() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", AtMostOnce);
    assert_eq!(driver.take_sent(), ["PUBLISH q0 t=x"]);
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

#[test]
fn a_packet_may_fill_the_memory_and_be_no_longer() {
    let mut driver = Driver::with(config(), Inline::<20, 2, 64, 16, 1>::new());
    assert!(driver.try_publish(&message("t", &[b'x'; 15], AtMostOnce)).is_ok());
    let mut driver = Driver::with(config(), Inline::<20, 2, 64, 16, 1>::new());
    let refused = driver.try_publish(&message("t", &[b'x'; 16], AtMostOnce));
    assert_eq!(refused, Err(Error::TooLarge { size: 21, max: 20 }));
}

#[test]
fn what_is_handed_over_and_needs_no_answer_is_no_request_any_more() {
    let mut driver = Driver::online(config());
    let ticket = driver.try_publish(&message("t", b"x", AtMostOnce)).expect("room");
    assert_eq!(driver.requests(), [ticket]);
    driver.step();
    assert_eq!((driver.take_sent(), driver.take_seen()), (vec!["PUBLISH q0 t=x".into()], vec![]));
    assert_eq!(driver.requests(), []);
}

#[test]
fn what_has_ended_is_no_request_any_more_whatever_lies_before_it() {
    let mut driver = Driver::online(config());
    let first = driver.publish("t", b"x", AtLeastOnce);
    let second = driver.publish("t", b"x", AtLeastOnce);
    driver.publish("t", b"x", AtMostOnce);
    driver.writable = 0;
    let waits = driver.publish("t", b"x", AtMostOnce);
    assert_eq!(driver.requests(), [first, second, waits]);
    driver.receive(&server::puback(second.packet_id()));
    assert_eq!(driver.requests(), [first, waits]);
}

#[test]
fn qos_0_is_not_published_before_its_last_byte_is_handed_over() {
    let mut driver = Driver::online(config());
    driver.writable = 5;
    let ticket = driver.publish("t", b"x", AtMostOnce);
    assert_eq!(driver.take_seen(), []);
    driver.writable = 1;
    driver.run();
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

#[test]
fn qos_0_that_is_not_to_be_told_ends_silently_and_only_once_it_is_handed_over() {
    let mut driver = Driver::online(config().with_tell_qos_0(false));
    driver.writable = 5;
    let tickets = [driver.publish("t", b"x", AtMostOnce), driver.publish("t", b"y", AtMostOnce)];
    assert_eq!(driver.requests(), tickets);
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q0 t=x", "PUBLISH q0 t=y"]);
    assert_eq!(driver.requests(), []);
    assert_eq!(driver.take_seen(), []);
}

#[test]
fn silent_publications_in_tens_leave_no_memory_behind() {
    let mut driver = Driver::with(config().with_tell_qos_0(false), Inline::<4096, 64>::new());
    driver.go_online(false);
    for _ in 0..200 {
        for _ in 0..10 {
            driver.try_publish(&message("t", b"x", AtMostOnce)).expect("there is room");
        }
        driver.run();
        assert_eq!(driver.client.requests_in_use(), 0);
    }
}

#[test]
fn qos_0_that_is_not_to_be_told_is_told_when_it_is_given_up() {
    let mut driver = Driver::new(config().with_tell_qos_0(false));
    let ticket = driver.publish("t", b"x", AtMostOnce);
    driver.abandon();
    assert_eq!(driver.take_seen(), [Seen::Dropped(ticket)]);
}

#[test]
fn other_publications_are_told_though_qos_0_is_not() {
    let mut driver = Driver::online(config().with_tell_qos_0(false));
    driver.publish("t", b"x", AtMostOnce);
    let ticket = driver.publish("t", b"y", AtLeastOnce);
    driver.publish("t", b"z", AtMostOnce);
    driver.receive(&server::puback(ticket.packet_id()));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
    assert_eq!(driver.requests(), []);
}

#[test]
fn a_driver_that_has_written_all_of_qos_0_that_is_not_told_need_not_poll() {
    let mut driver = Driver::online(config().with_tell_qos_0(false));
    driver.run();
    assert!(driver.client.is_waiting());
    driver.try_publish(&message("t", b"x", AtMostOnce)).expect("room");
    assert!(!driver.client.is_waiting());
    assert!(driver.step());
    // Firmware takes the closer look at the next poll.
    assert_eq!(driver.client.is_waiting(), cfg!(not(mqtt_p2p_as_firmware)));
    driver.client.ping();
    assert!(!driver.client.is_waiting());
}

#[test]
fn qos_1_is_published_at_puback() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=x"]);
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.client.in_flight(), 1);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
    assert_eq!(driver.client.in_flight(), 0);
}

#[test]
fn qos_2_is_published_at_pubcomp() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", ExactlyOnce);
    driver.receive(&server::pubrec(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q2 #1 t=x", "PUBREL #1"]);
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.client.in_flight(), 1);
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
    assert_eq!(driver.client.in_flight(), 0);
}

#[test]
fn retain_is_carried_unless_the_service_knows_none() {
    let retained = message("t", b"x", AtLeastOnce).with_retain(true);
    let mut driver = Driver::online(config());
    driver.try_publish(&retained).unwrap();
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 retain t=x"]);

    let mut driver = Driver::online(config().with_limits(Limits::none().with_retain(false)));
    assert_eq!(driver.try_publish(&retained), Err(Error::RetainUnsupported));
    assert_eq!(driver.requests(), []);
}

// ---- acks that fit nothing ----

#[test]
fn acks_that_answer_nothing_are_counted_and_never_fatal() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    driver.forget();
    // Unknown identifiers, and the wrong acks for the one that is known.
    for bytes in [
        server::puback(9),
        server::pubcomp(9),
        server::unsuback(9),
        server::suback(9, &[0]),
        server::suback(server::REPLAY, &[0]),
        server::puback(server::REPLAY),
        server::pubrec(1),
        server::pubcomp(1),
        server::suback(1, &[0]),
        server::unsuback(1),
    ] {
        driver.receive(&bytes);
    }
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.take_sent(), [""; 0]);
    assert_eq!(driver.client.stats().unexpected_acks, 10);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
    driver.receive(&server::puback(1));
    assert_eq!(driver.client.stats().unexpected_acks, 11);
}

#[test]
fn an_unknown_pubrec_is_answered_so_that_the_server_gets_rid_of_it() {
    let mut driver = Driver::online(config());
    driver.receive(&server::pubrec(9));
    assert_eq!(driver.take_sent(), ["PUBREL #9"]);
    assert_eq!(driver.client.stats().unexpected_acks, 1);
}

#[test]
fn so_is_one_for_what_has_ended_while_others_are_under_way() {
    let mut driver = Driver::online(config());
    driver.publish("t", b"waits", AtLeastOnce);
    driver.publish("t", b"x", ExactlyOnce);
    driver.publish("t", b"x", AtMostOnce);
    driver.receive(&server::pubrec(2));
    driver.receive(&server::pubcomp(2));
    driver.forget();
    for id in [2, 3] {
        driver.receive(&server::pubrec(id));
    }
    assert_eq!(driver.take_sent(), ["PUBREL #2", "PUBREL #3"]);
}

#[test]
fn a_puback_for_a_publication_of_qos_2_ends_nothing() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", ExactlyOnce);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.client.stats().unexpected_acks, 1);
    driver.receive(&server::pubrec(1));
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

#[test]
fn a_repeated_pubrec_is_answered_again_and_ends_nothing() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", ExactlyOnce);
    for _ in 0..3 {
        driver.receive(&server::pubrec(1));
    }
    assert_eq!(driver.take_sent()[1..], ["PUBREL #1"; 3]);
    assert_eq!(driver.take_seen(), []);
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

#[test]
fn an_ack_for_what_has_not_gone_out_yet_does_not_end_it() {
    let mut driver = Driver::online(config());
    driver.writable = 3;
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), []);
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=x"]);
    assert_eq!(driver.take_seen(), []);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

// ---- window, queue, order ----

#[test]
fn no_more_than_the_window_is_under_way_and_the_rest_follows_in_order() {
    let mut driver = Driver::online(window(2));
    let tickets: Vec<Ticket> = (b'a'..=b'e')
        .map(|letter| driver.publish("t", &[letter], if letter % 2 == 0 { AtLeastOnce } else { ExactlyOnce }))
        .collect();
    assert_eq!(driver.take_sent(), ["PUBLISH q2 #1 t=a", "PUBLISH q1 #2 t=b"]);
    assert_eq!(driver.client.in_flight(), 2);
    driver.receive(&server::pubrec(1));
    assert_eq!(driver.take_sent(), ["PUBREL #1"], "its place is not free yet");
    driver.receive(&server::puback(2));
    assert_eq!(driver.take_sent(), ["PUBLISH q2 #3 t=c"]);
    driver.receive(&server::pubcomp(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #4 t=d"]);
    assert_eq!(driver.take_seen(), [Seen::Published(tickets[1]), Seen::Published(tickets[0])]);
    assert_eq!(driver.requests(), tickets[2..]);
}

#[test]
fn messages_of_all_qualities_keep_their_order_while_the_window_is_open() {
    let mut driver = Driver::online(window(2));
    for (payload, qos) in [(b"a", AtLeastOnce), (b"b", AtMostOnce), (b"c", ExactlyOnce), (b"d", AtMostOnce)] {
        driver.try_publish(&message("t", payload, qos)).expect("room");
    }
    driver.run();
    assert_eq!(
        driver.take_sent(),
        ["PUBLISH q1 #1 t=a", "PUBLISH q0 t=b", "PUBLISH q2 #3 t=c", "PUBLISH q0 t=d"]
    );
}

#[test]
fn what_is_ready_goes_out_in_one_write() {
    let mut driver = Driver::online(config());
    for _ in 0..3 {
        driver.try_publish(&message("t", b"x", AtLeastOnce)).unwrap();
    }
    assert!(driver.step());
    assert_eq!(driver.take_sent().len(), 3);
}

#[test]
fn a_window_of_none_still_lets_one_through() {
    let mut driver = Driver::online(window(0));
    driver.publish("t", b"x", AtLeastOnce);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=x"]);
}

// ---- offline ----

#[test]
fn offline_everything_is_queued_by_default_and_goes_out_in_order() {
    let mut driver = Driver::new(config());
    driver.publish("t", b"a", AtMostOnce);
    driver.publish("t", b"b", ExactlyOnce);
    driver.subscribe(&[("f", AtLeastOnce)]);
    driver.unsubscribe(&["g"]);
    driver.go_online(false);
    assert_eq!(
        driver.take_sent(),
        ["CONNECT", "PUBLISH q0 t=a", "PUBLISH q2 #2 t=b", "SUBSCRIBE #3 f:1", "UNSUBSCRIBE #4 g"]
    );
}

#[test]
fn offline_policies_refuse_what_they_say() {
    let publish = |offline, qos| {
        let mut driver = Driver::new(config().with_offline(offline));
        driver.try_publish(&message("t", b"x", qos)).map(|_| ())
    };
    assert_eq!(publish(Offline::QueueAll, AtMostOnce), Ok(()));
    assert_eq!(publish(Offline::QueueAcknowledged, AtMostOnce), Err(Error::Offline));
    assert_eq!(publish(Offline::QueueAcknowledged, AtLeastOnce), Ok(()));
    assert_eq!(publish(Offline::QueueAcknowledged, ExactlyOnce), Ok(()));
    assert_eq!(publish(Offline::Refuse, AtMostOnce), Err(Error::Offline));
    assert_eq!(publish(Offline::Refuse, ExactlyOnce), Err(Error::Offline));
}

#[test]
fn offline_policies_do_not_touch_what_was_accepted_before() {
    let mut driver = Driver::online(config().with_offline(Offline::Refuse));
    driver.publish("t", b"x", AtLeastOnce);
    driver.forget();
    driver.reconnect(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #1 dup t=x"]);
}

// ---- partial writes ----

#[test]
fn written_byte_by_byte_it_is_the_same() {
    for write_at_most in [1, 2, 3, 7] {
        let mut driver = Driver::new(config());
        driver.write_at_most = write_at_most;
        for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce, AtMostOnce] {
            driver.publish("t", b"x", qos);
        }
        driver.go_online(false);
        assert_eq!(
            driver.take_sent(),
            ["CONNECT", "PUBLISH q0 t=x", "PUBLISH q1 #2 t=x", "PUBLISH q2 #3 t=x", "PUBLISH q0 t=x"]
        );
    }
}

#[test]
fn control_packets_go_between_packets_never_into_one() {
    for writable in 0..30 {
        let mut driver = Driver::online(config());
        driver.writable = writable;
        driver.publish("t", b"first", AtMostOnce);
        driver.publish("t", b"second", AtMostOnce);
        driver.receive(&server::publish(7, AtLeastOnce, false, b"in"));
        driver.writable = usize::MAX;
        driver.run();
        // The driver decodes what went out: a packet torn apart would fail there.
        let (publications, others): (Vec<_>, Vec<_>) =
            driver.take_sent().into_iter().partition(|packet| packet.starts_with("PUBLISH"));
        assert_eq!(publications, ["PUBLISH q0 t=first", "PUBLISH q0 t=second"]);
        assert_eq!(others, ["PUBACK #7"]);
    }
}

#[test]
fn what_is_accepted_right_after_connecting_goes_out_before_disconnect() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.input = server::connack(false);
    while !driver.client.is_connected() {
        driver.step();
    }
    driver.forget();
    driver.try_publish(&message("t", b"x", AtMostOnce)).expect("room");
    driver.disconnect();
    assert_eq!(driver.take_sent(), ["PUBLISH q0 t=x", "DISCONNECT"]);
}

#[test]
fn qos_0_that_was_begun_is_sent_whole_over_the_next_connection() {
    for written in 0..6 {
        let mut driver = Driver::online(config());
        driver.writable = written;
        let ticket = driver.publish("t", b"x", AtMostOnce);
        driver.writable = usize::MAX;
        driver.forget();
        driver.reconnect(true);
        assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q0 t=x"]);
        assert_eq!(driver.take_seen().last(), Some(&Seen::Published(ticket)));
    }
}

#[test]
fn qos_0_that_was_handed_over_is_never_sent_again() {
    let mut driver = Driver::online(config());
    driver.publish("t", b"x", AtLeastOnce);
    let ticket = driver.try_publish(&message("t", b"y", AtMostOnce)).unwrap();
    assert!(driver.step());
    driver.forget();
    driver.reconnect(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #1 dup t=x"]);
    assert_eq!(driver.take_seen().iter().filter(|seen| **seen == Seen::Published(ticket)).count(), 1);
}

// ---- sending again ----

/// Four publications: #1 acknowledged by nobody, #2 by PUBREC, #3 by nobody, #4 still waiting for the window.
fn under_way() -> (Driver, Vec<Ticket>) {
    let mut driver = Driver::online(window(3));
    let tickets = [AtLeastOnce, ExactlyOnce, ExactlyOnce, AtLeastOnce]
        .map(|qos| driver.publish("t", b"x", qos))
        .to_vec();
    driver.receive(&server::pubrec(2));
    driver.forget();
    (driver, tickets)
}

#[test]
fn with_the_session_all_is_sent_again_in_order_with_dup_and_pubrel_where_pubrec_was_seen() {
    let (mut driver, tickets) = under_way();
    for _ in 0..2 {
        driver.reconnect(true);
        assert_eq!(
            driver.take_sent(),
            ["CONNECT", "PUBLISH q1 #1 dup t=x", "PUBREL #2", "PUBLISH q2 #3 dup t=x"]
        );
        driver.forget();
    }
    for bytes in
        [server::pubcomp(2), server::puback(1), server::pubrec(3), server::pubcomp(3), server::puback(4)]
    {
        driver.receive(&bytes);
    }
    assert_eq!(driver.take_seen(), [1, 0, 2, 3].map(|index: usize| Seen::Published(tickets[index])));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #4 t=x", "PUBREL #3"]);
}

#[test]
fn without_the_session_what_the_server_has_not_taken_is_sent_as_new() {
    let (mut driver, tickets) = under_way();
    driver.reconnect(false);
    assert_eq!(
        driver.take_sent(),
        ["CONNECT", "PUBLISH q1 #1 t=x", "PUBLISH q2 #3 t=x", "PUBLISH q1 #4 t=x"]
    );
    assert_eq!(driver.take_seen().last(), Some(&Seen::Published(tickets[1])), "the server took it");
    assert_eq!(driver.client.stats().resends, 2, "what waited its turn goes out for the first time");
    driver.reconnect(true);
    assert_eq!(
        driver.take_sent(),
        ["CONNECT", "PUBLISH q1 #1 dup t=x", "PUBLISH q2 #3 dup t=x", "PUBLISH q1 #4 dup t=x"]
    );
}

#[test]
fn dup_is_set_only_on_what_went_out_at_least_in_part() {
    let packet = server::encoded(&mqtt_p2p_packet::Packet::Publish(
        mqtt_p2p_packet::Publish::new(message("t", b"", AtLeastOnce).topic, b"x")
            .with_delivery(Some((mqtt_p2p_packet::AckedQoS::AtLeastOnce, server::id(1)))),
    ));
    for written in 0..2 * packet.len() {
        let mut driver = Driver::online(config());
        driver.writable = written;
        driver.publish("t", b"x", AtLeastOnce);
        driver.publish("t", b"y", AtLeastOnce);
        driver.writable = usize::MAX;
        driver.forget();
        driver.reconnect(true);
        let dup = |begins: usize| if written > begins { " dup" } else { "" };
        assert_eq!(
            driver.take_sent()[1..],
            [format!("PUBLISH q1 #1{} t=x", dup(0)), format!("PUBLISH q1 #2{} t=y", dup(packet.len()))]
        );
        let resends = u32::from(written > 0) + u32::from(written > packet.len());
        assert_eq!(driver.client.stats().resends, resends);
    }
}

#[test]
fn a_second_loss_in_the_middle_of_sending_again_loses_nothing() {
    for written in 0..40 {
        let (mut driver, _) = under_way();
        driver.lost();
        driver.pass(RETRY);
        driver.opened();
        driver.writable = written;
        driver.receive(&server::connack(true));
        driver.writable = usize::MAX;
        driver.forget();
        driver.reconnect(true);
        assert_eq!(
            driver.take_sent(),
            ["CONNECT", "PUBLISH q1 #1 dup t=x", "PUBREL #2", "PUBLISH q2 #3 dup t=x"]
        );
    }
}

#[test]
fn requests_without_an_ack_are_sent_again_whatever_the_session() {
    for session_present in [false, true] {
        let mut driver = Driver::online(config());
        driver.subscribe(&[("f", AtLeastOnce)]);
        driver.unsubscribe(&["g"]);
        driver.forget();
        driver.reconnect(session_present);
        assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #1 f:1", "UNSUBSCRIBE #2 g"]);
    }
}

// ---- a full store ----

#[test]
fn a_full_store_is_an_error_that_goes_away() {
    let mut driver = Driver::with(config(), Inline::<64, 4, 64, 0, 1>::new());
    driver.go_online(false);
    let mut under_way = 0;
    let full = loop {
        match driver.try_publish(&message("t", &[0; 20], AtLeastOnce)) {
            Ok(_) => under_way += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((under_way, full), (2, Error::Full(Need::Bytes(27))));
    driver.run();
    for round in 0..1_000 {
        let ids: Vec<u16> = driver.requests().iter().map(|t| t.packet_id()).collect();
        driver.receive(&server::puback(ids[round % ids.len()]));
        driver.publish("t", &[0; 20], AtLeastOnce);
        assert!(driver.try_publish(&message("t", &[0; 20], AtLeastOnce)).is_err());
    }
}

#[test]
fn a_full_list_of_requests_is_an_error_that_goes_away() {
    let mut driver = Driver::with(config(), Inline::<2048, 3, 64, 0, 1>::new());
    driver.go_online(false);
    for _ in 0..3 {
        driver.publish("t", b"x", AtLeastOnce);
    }
    let more = message("t", b"x", AtMostOnce);
    assert_eq!(driver.try_publish(&more), Err(Error::Full(Need::Requests)));
    driver.receive(&server::puback(2));
    assert!(driver.try_publish(&more).is_ok());
}

#[test]
fn what_can_never_fit_is_too_large_and_nothing_is_lost_by_it() {
    let mut driver = Driver::with(config(), Inline::<64, 4, 64, 0, 1>::new());
    driver.go_online(false);
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    assert_eq!(
        driver.try_publish(&message("t", &[0; 58], AtLeastOnce)),
        Err(Error::TooLarge { size: 65, max: 64 })
    );
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen().last(), Some(&Seen::Published(ticket)));
    assert!(driver.try_publish(&message("t", &[0; 57], AtLeastOnce)).is_ok());
}

#[test]
fn a_payload_over_the_limit_of_the_service_is_too_large() {
    let mut driver = Driver::online(config().with_limits(Limits::none().with_max_payload(10)));
    assert!(driver.try_publish(&message("t", &[0; 10], AtMostOnce)).is_ok());
    assert_eq!(
        driver.try_publish(&message("t", &[0; 11], AtMostOnce)),
        Err(Error::TooLarge { size: 11, max: 10 })
    );
}

#[test]
fn room_that_is_exactly_enough_is_enough_after_closing_gaps_too() {
    let mut driver = Driver::with(config(), Inline::<54, 3, 64, 0, 1>::new());
    driver.go_online(false);
    for _ in 0..2 {
        driver.publish("t", &[0; 20], AtLeastOnce);
    }
    driver.receive(&server::puback(1));
    assert_eq!(driver.try_publish(&message("t", &[0; 21], AtLeastOnce)), Err(Error::Full(Need::Bytes(28))));
    driver.publish("t", &[0; 20], AtLeastOnce);
    assert_eq!(driver.requests().len(), 2);
}

/// Memory that can grow, and notes what it is asked for.
struct Asked(Small, Vec<Need>);

impl Storage for Asked {
    fn memory(&mut self) -> Memory<'_> {
        self.0.memory().with_growable(true)
    }

    fn grow(&mut self, need: Need) -> bool {
        self.1.push(need);
        false
    }
}

/// Memory that says that it can grow, and never does.
struct Stubborn(Small);

impl Storage for Stubborn {
    fn memory(&mut self) -> Memory<'_> {
        self.0.memory().with_growable(true)
    }
}

#[test]
fn memory_that_does_not_grow_though_it_said_so_is_full() {
    let mut driver = Driver::with(config(), Stubborn(Small::new()));
    driver.publish("t", &[0; 2_000], AtLeastOnce);
    assert_eq!(driver.try_publish(&message("t", &[0; 100], AtLeastOnce)), Err(Error::Full(Need::Bytes(107))));
}

#[test]
fn requests_grow_only_once_all_have_been_used_and_more_than_half_are_under_way() {
    let mut memory = Asked(Small::new(), Vec::new());
    let mut driver = Driver::with(config(), &mut memory);
    driver.go_online(false);
    let mut publish_until_full = |ended: std::ops::RangeInclusive<u16>, payload: &[u8]| {
        while driver.requests().len() < 16 {
            driver.publish("t", payload, AtLeastOnce);
        }
        for id in ended {
            driver.receive(&server::puback(id));
        }
        driver.publish("t", payload, AtLeastOnce);
    };
    // Of 16 requests, 7 are under way, and then 8.
    publish_until_full(1..=9, b"x");
    publish_until_full(10..=17, b"x");
    assert_eq!(memory.1, [Need::Requests]);
}

#[test]
fn bytes_grow_only_once_all_have_been_used_and_more_than_half_are_in_use() {
    let mut memory = Asked(Small::new(), Vec::new());
    let mut driver = Driver::with(config(), &mut memory);
    driver.go_online(false);
    // More than half of the requests, which is not what is full.
    for _ in 0..10 {
        driver.publish("t", b"x", AtLeastOnce);
    }
    let overhead = 8;
    let in_use = 10 * overhead;
    let long = driver.publish("t", &[0; 1_800], AtLeastOnce);
    driver.receive(&server::puback(long.packet_id()));
    // A half, exactly.
    driver.publish("t", &vec![0; 1_024 - in_use - overhead], AtLeastOnce);
    let long = driver.publish("t", &[0; 1_000], AtLeastOnce);
    driver.receive(&server::puback(long.packet_id()));
    driver.publish("t", &[0; 93], AtLeastOnce);
    assert_eq!(memory.1, [Need::Bytes(100)]);
}

#[test]
fn gaps_are_closed_while_a_packet_is_half_out() {
    for written in 0..28 {
        let mut driver = Driver::with(config(), Inline::<100, 8, 64, 0, 1>::new());
        driver.go_online(false);
        driver.publish("t", &[b'a'; 20], AtLeastOnce);
        driver.publish("t", &[b'b'; 20], AtLeastOnce);
        driver.forget();
        driver.writable = written;
        driver.publish("t", &[b'c'; 20], AtLeastOnce);
        driver.receive(&server::puback(1));
        // There is room for this only where the first one was.
        driver.publish("t", &[b'd'; 20], AtLeastOnce);
        driver.writable = usize::MAX;
        driver.run();
        assert_eq!(
            driver.take_sent(),
            ["PUBLISH q1 #3 t=cccccccccccccccccccc", "PUBLISH q1 #4 t=dddddddddddddddddddd"]
        );
    }
}

#[test]
fn what_waits_for_the_window_goes_on_waiting_when_gaps_are_closed() {
    let mut driver = Driver::with(window(2), Inline::<108, 8, 64, 0, 1>::new());
    driver.go_online(false);
    for letter in b'a'..=b'd' {
        driver.publish("t", &[letter; 20], AtLeastOnce);
    }
    driver.receive(&server::puback(2));
    driver.forget();
    driver.publish("t", &[b'e'; 20], AtLeastOnce);
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #4 t=dddddddddddddddddddd"]);
}

// ---- packet identifiers ----

#[test]
fn tickets_count_up_over_all_requests() {
    let mut driver = Driver::online(config());
    let tickets = [
        driver.publish("t", b"x", AtMostOnce),
        driver.publish("t", b"x", AtLeastOnce),
        driver.subscribe(&[("f", AtMostOnce)]),
        driver.unsubscribe(&["f"]),
    ];
    assert_eq!(tickets.map(Ticket::index), [0, 1, 2, 3]);
    assert_eq!(tickets.map(Ticket::packet_id), [1, 2, 3, 4]);
}

#[test]
fn an_identifier_under_way_is_not_used_again_when_the_others_have_gone_round() {
    let mut driver = Driver::online(config());
    let stuck = driver.publish("t", b"stuck", AtLeastOnce);
    // The driver checks that no identifier is in use twice.
    for _ in 0..65_532 {
        let ticket = driver.publish("t", b"x", AtLeastOnce);
        driver.receive(&server::puback(ticket.packet_id()));
    }
    driver.forget();
    let next = driver.publish("t", b"next", AtLeastOnce);
    assert_eq!((next.packet_id(), next.generation()), (1, 1));
    let behind = driver.publish("t", b"behind", ExactlyOnce);
    assert_eq!(driver.take_sent(), [""; 0], "it waits for its identifier");
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), [Seen::Published(stuck)]);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=next", "PUBLISH q2 #2 t=behind"]);
    driver.receive(&server::pubrec(2));
    driver.receive(&server::puback(1));
    driver.receive(&server::pubcomp(2));
    assert_eq!(driver.take_seen(), [Seen::Published(next), Seen::Published(behind)]);
}

#[cfg(feature = "alloc")]
#[test]
fn of_what_was_accepted_offline_no_two_with_the_same_identifier_are_under_way() {
    let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::new(1 << 30));
    driver.publish("t", b"before", AtMostOnce);
    driver.publish("t", b"stuck", AtLeastOnce);
    for _ in 0..65_531 {
        driver.try_publish(&message("t", b"x", AtMostOnce)).expect("room");
    }
    let last = [b"1", b"2"].map(|text| driver.publish("t", text, AtLeastOnce));
    assert_eq!(last.map(Ticket::packet_id), [1, 2]);
    driver.write_at_most = 4_096;
    driver.go_online(false);
    let sent = driver.take_sent();
    assert_eq!(sent[2], "PUBLISH q1 #2 t=stuck");
    assert_eq!(sent.last().unwrap(), "PUBLISH q1 #1 t=1");
    driver.receive(&server::puback(2));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=2"]);
}

#[cfg(feature = "alloc")]
#[test]
fn more_publications_than_there_are_identifiers_wait_and_all_go_out() {
    let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::new(1 << 30));
    driver.go_online(false);
    driver.forget();
    driver.write_at_most = 4_096;
    for number in 0..70_000_u32 {
        driver.try_publish(&message("t", &number.to_be_bytes(), AtMostOnce)).expect("room");
    }
    driver.run();
    assert_eq!(driver.take_sent().len(), 70_000);
    assert_eq!(driver.take_seen().len(), 70_000);
}

#[cfg(feature = "alloc")]
#[test]
fn memory_that_lies_elsewhere_grows_there() {
    let mut memory = mqtt_p2p_core::Growing::default();
    let mut driver = Driver::with(config(), &mut memory);
    for _ in 0..1_000 {
        driver.try_publish(&message("t", &[0; 100], AtLeastOnce)).expect("room");
    }
    assert_eq!(driver.requests().len(), 1_000);
}

// ---- giving up ----

#[test]
fn abandon_drops_each_request_once() {
    let (mut driver, tickets) = under_way();
    let subscribe = driver.subscribe(&[("f", AtMostOnce)]);
    driver.lost();
    driver.forget();
    driver.abandon();
    let dropped: Vec<Seen> =
        tickets.iter().chain([&subscribe]).map(|ticket| Seen::Dropped(*ticket)).collect();
    assert_eq!(driver.take_seen(), dropped);
    assert_eq!(driver.client.in_flight(), 0);
    driver.pass(RETRY);
    driver.opened();
    driver.receive(&server::connack(true));
    assert_eq!(driver.take_sent(), ["CONNECT"]);
}

#[test]
fn what_is_accepted_after_abandon_goes_out_and_what_was_given_up_does_not_end_again() {
    let mut driver = Driver::new(config());
    let [first, second] = ["1", "2"].map(|text| driver.publish("t", text.as_bytes(), AtMostOnce));
    driver.client.abandon();
    let third = driver.try_publish(&message("t", b"3", AtMostOnce)).unwrap();
    driver.run();
    assert_eq!(driver.take_seen(), [Seen::Dropped(first), Seen::Dropped(second)]);
    driver.go_online(false);
    assert_eq!(driver.take_seen().last(), Some(&Seen::Published(third)));
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q0 t=3"]);
}

#[test]
fn nothing_of_what_was_given_up_counts_as_in_flight() {
    let mut driver = Driver::online(config());
    driver.publish("t", b"1", AtLeastOnce);
    driver.lost();
    driver.client.abandon();
    driver.try_publish(&message("t", b"2", AtLeastOnce)).unwrap();
    driver.run();
    assert_eq!(driver.client.in_flight(), 0);
}

#[test]
fn tickets_go_on_after_abandon() {
    let mut driver = Driver::new(config());
    let given_up = driver.publish("t", b"1", AtLeastOnce);
    driver.abandon();
    assert_eq!(driver.publish("t", b"2", AtLeastOnce).index(), given_up.index() + 1);
}

#[test]
fn abandon_reports_what_was_handed_over_as_published() {
    let mut driver = Driver::online(config());
    let ticket = driver.try_publish(&message("t", b"x", AtMostOnce)).unwrap();
    assert!(driver.step());
    driver.lost();
    driver.abandon();
    assert_eq!(
        driver
            .take_seen()
            .into_iter()
            .filter(|seen| !matches!(seen, Seen::Disconnected { .. }))
            .collect::<Vec<_>>(),
        [Seen::Published(ticket)]
    );
}

#[test]
fn abandon_does_nothing_while_there_is_a_connection() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    driver.abandon();
    driver.receive(&server::puback(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

#[test]
fn abandon_leaves_what_is_accepted_after_it() {
    let mut driver = Driver::new(config());
    let before = driver.publish("t", b"before", AtLeastOnce);
    driver.client.abandon();
    let after = driver.publish("t", b"after", AtLeastOnce);
    assert_eq!(driver.take_seen(), [Seen::Dropped(before)]);
    assert_eq!(driver.requests(), [after]);
    driver.go_online(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #2 t=after"]);
}

// ---- storages ----

/// A run that uses all five parts of the memory, and what was seen and sent.
fn story<S: Storage>(storage: S) -> (Vec<Seen>, Vec<String>) {
    let mut driver = Driver::with(window(3), storage);
    driver.go_online(false);
    for round in 0..50_u8 {
        let ticket =
            driver.publish("t", &[round; 30], [AtMostOnce, AtLeastOnce, ExactlyOnce][usize::from(round % 3)]);
        driver.receive(&server::publish(u16::from(round) + 1, ExactlyOnce, false, &[round]));
        driver.receive(&server::puback(ticket.packet_id()));
        driver.receive(&server::pubrec(ticket.packet_id()));
        driver.receive(&server::pubcomp(ticket.packet_id()));
        driver.receive(&server::pubrel(u16::from(round) + 1));
        if round % 16 == 7 {
            driver.subscribed(&[("filter", AtLeastOnce)]);
            driver.publish("t", b"again", AtLeastOnce);
            driver.reconnect(round % 32 == 7);
        }
    }
    (driver.take_seen(), driver.take_sent())
}

#[test]
fn inline_borrowed_and_growing_memory_behave_the_same() {
    let inline = story(Small::new());
    let borrowed = story(
        Memory::new(&mut [0; 2048], &mut [Request::EMPTY; 16], &mut [0; 512])
            .with_subscriptions(&mut [0; 256])
            .with_inbound(&mut [InboundId::EMPTY; 4]),
    );
    assert_eq!(inline, borrowed);
    #[cfg(feature = "alloc")]
    assert_eq!(inline, story(mqtt_p2p_core::Growing::default()));
}

#[cfg(feature = "alloc")]
mod growing {
    use super::*;
    use mqtt_p2p_core::{Client, Growing};

    #[test]
    fn growing_memory_takes_messages_up_to_its_bound_and_says_full_beyond() {
        const MAX: usize = 20_000;
        let mut client = Client::new(config(), 1, Growing::new(MAX));
        let mut accepted = 0;
        let error = loop {
            match client.publish(&message("t", &[0; 93], AtLeastOnce)) {
                Ok(_) => accepted += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((accepted, error), (MAX / 100, Error::Full(Need::Bytes(100))));
    }

    #[test]
    fn growing_memory_takes_one_message_as_large_as_its_bound() {
        let packet = |payload: usize| vec![0; payload];
        for max in [64, 5_000, 10_000, 100_000] {
            let mut driver = Driver::with(config(), Growing::new(max));
            let size = |payload: usize| {
                payload
                    + if payload + 5 > 16_383 {
                        9
                    } else if payload + 5 > 127 {
                        8
                    } else {
                        7
                    }
            };
            let largest = (0..max).rev().find(|payload| size(*payload) <= max).unwrap();
            assert_eq!(
                driver.try_publish(&message("t", &packet(largest + 1), AtLeastOnce)),
                Err(Error::TooLarge { size: max + 1, max })
            );
            driver.publish("t", &packet(largest), AtLeastOnce);
            driver.go_online(false);
            driver.receive(&server::puback(1));
            driver.publish("t", &packet(largest), AtLeastOnce);
        }
    }

    #[test]
    fn growing_memory_takes_more_requests_than_it_starts_with() {
        let mut driver = Driver::with(window(u16::MAX), Growing::default());
        driver.go_online(false);
        let tickets: Vec<Ticket> = (0..1_000).map(|_| driver.publish("t", b"x", AtLeastOnce)).collect();
        driver.forget();
        for ticket in &tickets {
            driver.receive(&server::puback(ticket.packet_id()));
        }
        assert_eq!(driver.take_seen().len(), 1_000);
    }
}

#[test]
fn what_waits_for_the_window_does_not_go_out_between_a_disconnect_and_its_packet() {
    let mut driver = Driver::online(config().with_max_in_flight(1));
    let first = driver.publish("t", b"1", AtLeastOnce);
    driver.publish("t", b"2", AtLeastOnce);
    driver.writable = 0;
    driver.receive(&server::publish(7, AtLeastOnce, false, b"x"));
    driver.disconnect();
    driver.receive(&server::puback(first.packet_id()));
    driver.forget();
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBACK #7", "DISCONNECT"]);
}
