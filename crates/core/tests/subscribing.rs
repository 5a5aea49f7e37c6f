//! Subscriptions: asking, answers, what is kept, what is asked for again.

mod common;

use common::server::{REPLAY, suback, unsuback};
use common::{Driver, RETRY, Seen, config, filter, server};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Config, DisconnectReason, EncodeError, Error, Inline, Limits, Need, QoS, Resubscribe};

fn resubscribe(resubscribe: Resubscribe) -> Config {
    config().with_resubscribe(resubscribe)
}

fn kept(list: &[(&str, QoS)]) -> Vec<(String, QoS)> {
    list.iter().map(|(text, qos)| ((*text).into(), *qos)).collect()
}

// ---- asking ----

#[test]
fn a_subscription_is_asked_for_answered_and_kept() {
    let mut driver = Driver::online(config());
    let ticket = driver.subscribe(&[("a", AtLeastOnce), ("b/#", ExactlyOnce)]);
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #1 a:1 b/#:2"]);
    assert_eq!(driver.subscriptions(), []);
    driver.receive(&suback(1, &[1, 0]));
    assert_eq!(driver.take_seen(), [Seen::Subscribed(ticket, vec![1, 0])]);
    assert_eq!(driver.subscriptions(), kept(&[("a", AtLeastOnce), ("b/#", ExactlyOnce)]));
}

#[test]
fn a_refused_subscription_is_reported_and_not_kept() {
    let mut driver = Driver::online(config());
    let ticket = driver.subscribe(&[("a", AtLeastOnce), ("b", AtLeastOnce), ("c", AtMostOnce)]);
    driver.receive(&suback(1, &[0x80, 1, 0x80]));
    assert_eq!(driver.take_seen(), [Seen::Subscribed(ticket, vec![0x80, 1, 0x80])]);
    assert_eq!(driver.subscriptions(), kept(&[("b", AtLeastOnce)]));
}

#[test]
fn an_unsubscription_is_asked_for_answered_and_no_longer_kept() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtLeastOnce), ("b", AtLeastOnce), ("c", AtLeastOnce)]);
    let ticket = driver.unsubscribe(&["b", "never"]);
    assert_eq!(driver.take_sent(), ["UNSUBSCRIBE #2 b never"]);
    driver.receive(&unsuback(2));
    assert_eq!(driver.take_seen(), [Seen::Unsubscribed(ticket)]);
    assert_eq!(driver.subscriptions(), kept(&[("a", AtLeastOnce), ("c", AtLeastOnce)]));
}

#[test]
fn the_same_filter_takes_the_place_of_the_old_one() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtMostOnce), ("b", AtMostOnce)]);
    driver.subscribed(&[("a", ExactlyOnce)]);
    assert_eq!(driver.subscriptions(), kept(&[("b", AtMostOnce), ("a", ExactlyOnce)]));
}

#[test]
fn a_refusal_leaves_the_subscription_that_was_there() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtMostOnce)]);
    driver.subscribe(&[("a", ExactlyOnce)]);
    driver.receive(&suback(2, &[0x80]));
    assert_eq!(driver.subscriptions(), kept(&[("a", AtMostOnce)]));
}

#[test]
fn a_suback_with_the_wrong_number_of_answers_closes_and_the_request_lives_on() {
    for codes in [&[1][..], &[1, 1, 1]] {
        let mut driver = Driver::online(config());
        let ticket = driver.subscribe(&[("a", AtLeastOnce), ("b", AtLeastOnce)]);
        driver.receive(&suback(1, codes));
        let disconnected = Seen::Disconnected {
            reason: DisconnectReason::Contradiction,
            retry_at: Some(driver.now + RETRY),
        };
        assert_eq!(driver.take_seen(), [Seen::Close, disconnected]);
        driver.go_online(false);
        driver.receive(&suback(1, &[1, 1]));
        assert_eq!(driver.take_seen().last(), Some(&Seen::Subscribed(ticket, vec![1, 1])));
    }
}

#[test]
fn an_empty_list_is_invalid() {
    let mut driver = Driver::online(config());
    assert_eq!(driver.try_subscribe(&[]), Err(Error::Invalid(EncodeError::EmptyList)));
    assert_eq!(driver.client.unsubscribe(&[]), Err(Error::Invalid(EncodeError::EmptyList)));
}

// ---- limits ----

#[test]
fn more_subscriptions_than_the_service_grants_are_refused() {
    let mut driver = Driver::online(config().with_limits(Limits::none().with_max_subscriptions(3)));
    driver.subscribed(&[("a", AtMostOnce)]);
    driver.subscribe(&[("b", AtMostOnce), ("c", AtMostOnce)]);
    let too_many = Err(Error::TooManySubscriptions { max: 3 });
    assert_eq!(driver.try_subscribe(&[filter("d", AtMostOnce)]), too_many, "those under way count");
    driver.receive(&suback(2, &[0, 0x80]));
    driver.subscribed(&[("d", AtMostOnce)]);
    assert_eq!(driver.try_subscribe(&[filter("e", AtMostOnce)]), too_many);
    driver.subscribed(&[("d", AtLeastOnce)]);
    driver.unsubscribe(&["a"]);
    driver.receive(&unsuback(5));
    driver.subscribed(&[("e", AtMostOnce)]);
}

#[test]
fn a_full_list_is_an_error_that_goes_away() {
    let mut driver = Driver::with(config(), Inline::<256, 8, 128, 16>::new());
    driver.go_online(false);
    driver.subscribed(&[("seven77", AtMostOnce)]);
    assert_eq!(driver.try_subscribe(&[filter("1234", AtMostOnce)]), Err(Error::Full(Need::Subscriptions(1))));
    driver.unsubscribe(&["seven77"]);
    driver.receive(&unsuback(2));
    driver.subscribed(&[("1234", AtMostOnce)]);
}

#[test]
fn abandoned_subscriptions_give_their_room_back() {
    let mut driver = Driver::with(config(), Inline::<256, 8, 128, 16>::new());
    for _ in 0..10 {
        driver.subscribe(&[("thirteen char", AtMostOnce)]);
        driver.abandon();
    }
    driver.go_online(false);
    driver.subscribed(&[("thirteen char", AtMostOnce)]);
    assert_eq!(driver.subscriptions().len(), 1);
}

#[cfg(feature = "alloc")]
#[test]
fn growing_memory_takes_any_number_of_subscriptions() {
    let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::default());
    driver.go_online(false);
    for index in 0..500 {
        driver.subscribed(&[(&format!("topic/{index}"), AtLeastOnce)]);
    }
    let long = "x".repeat(5_000);
    driver.subscribed(&[(&long, AtLeastOnce)]);
    assert_eq!(driver.subscriptions().len(), 501);
    driver.reconnect(false);
    let mut answered = 0;
    while let Some(sent) = driver.take_sent().iter().find(|sent| sent.starts_with("SUBSCRIBE")) {
        let count = sent.split(' ').count() - 2;
        driver.receive(&suback(REPLAY, &vec![1; count]));
        answered += count;
    }
    assert_eq!(answered, 501);
}

// ---- replay ----

#[test]
fn subscriptions_are_asked_for_again_as_the_policy_says() {
    for (policy, session_present, again) in [
        (Resubscribe::WithoutSession, false, true),
        (Resubscribe::WithoutSession, true, false),
        (Resubscribe::Always, false, true),
        (Resubscribe::Always, true, true),
        (Resubscribe::Never, false, false),
        (Resubscribe::Never, true, false),
    ] {
        let mut driver = Driver::online(resubscribe(policy));
        driver.subscribed(&[("a", AtLeastOnce), ("b", AtMostOnce)]);
        driver.reconnect(session_present);
        let expected: &[&str] = if again { &["CONNECT", "SUBSCRIBE #65535 a:1 b:0"] } else { &["CONNECT"] };
        assert_eq!(driver.take_sent(), expected);
    }
}

#[test]
fn the_answers_to_a_replay_are_reported() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtLeastOnce), ("b", AtMostOnce)]);
    driver.reconnect(false);
    driver.forget();
    driver.receive(&suback(REPLAY, &[1, 0x80]));
    assert_eq!(driver.take_seen(), [Seen::Resubscribed(0, vec![1, 0x80])]);
    driver.receive(&suback(REPLAY, &[1, 0]));
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.client.stats().unexpected_acks, 1);
}

#[test]
fn a_replay_with_the_wrong_number_of_answers_closes() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtLeastOnce)]);
    driver.reconnect(false);
    driver.forget();
    driver.receive(&suback(REPLAY, &[1, 1]));
    assert_eq!(
        driver.take_seen()[1],
        Seen::Disconnected { reason: DisconnectReason::Contradiction, retry_at: Some(driver.now + RETRY) }
    );
}

#[test]
fn subscriptions_are_asked_for_again_before_what_waits_goes_out() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtLeastOnce)]);
    driver.publish("t", b"x", AtLeastOnce);
    driver.unsubscribe(&["b"]);
    driver.forget();
    driver.reconnect(false);
    assert_eq!(
        driver.take_sent(),
        ["CONNECT", "SUBSCRIBE #65535 a:1", "PUBLISH q1 #2 t=x", "UNSUBSCRIBE #3 b"]
    );
}

#[test]
fn what_is_being_unsubscribed_is_not_asked_for_again() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtLeastOnce)]);
    driver.unsubscribe(&["a"]);
    driver.forget();
    driver.reconnect(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "UNSUBSCRIBE #2 a"]);
}

#[test]
fn requests_that_are_under_way_are_sent_again_beside_the_replay() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", AtLeastOnce)]);
    let ticket = driver.subscribe(&[("b", AtLeastOnce)]);
    driver.forget();
    driver.reconnect(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #65535 a:1", "SUBSCRIBE #2 b:1"]);
    driver.forget();
    driver.receive(&suback(2, &[1]));
    driver.receive(&suback(REPLAY, &[1]));
    assert_eq!(driver.take_seen(), [Seen::Subscribed(ticket, vec![1]), Seen::Resubscribed(0, vec![1])]);
}

/// Five subscriptions, and room for two of them in one SUBSCRIBE; the first two are asked for again.
fn replaying_in_batches() -> Driver<Inline<256, 8, 36, 128>> {
    let mut driver = Driver::with(config(), Inline::<256, 8, 36, 128>::new());
    driver.go_online(false);
    for text in ["filter/1", "filter/2", "filter/3", "filter/4", "filter/5"] {
        driver.subscribed(&[(text, AtLeastOnce)]);
    }
    driver.reconnect(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #65535 filter/1:1 filter/2:1"]);
    driver.forget();
    driver
}

#[test]
fn a_long_list_is_asked_for_in_batches_and_each_answer_says_where_it_belongs() {
    let mut driver = replaying_in_batches();
    driver.receive(&suback(REPLAY, &[1, 1]));
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #65535 filter/3:1 filter/4:1"]);
    driver.receive(&suback(REPLAY, &[1, 1]));
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #65535 filter/5:1"]);
    driver.receive(&suback(REPLAY, &[1]));
    assert_eq!(
        driver.take_seen(),
        [
            Seen::Resubscribed(0, vec![1, 1]),
            Seen::Resubscribed(2, vec![1, 1]),
            Seen::Resubscribed(4, vec![1])
        ]
    );
    assert_eq!(driver.take_sent(), [""; 0]);
}

#[test]
fn an_unsubscription_in_the_middle_of_a_replay_keeps_the_rest_in_step() {
    for gone in ["filter/1", "filter/2"] {
        let mut driver = replaying_in_batches();
        let ticket = driver.unsubscribe(&[gone]);
        driver.receive(&unsuback(ticket.packet_id()));
        driver.receive(&suback(REPLAY, &[1, 1]));
        driver.receive(&suback(REPLAY, &[1, 1]));
        driver.receive(&suback(REPLAY, &[1]));
        assert_eq!(
            driver.take_seen(),
            [
                Seen::Unsubscribed(ticket),
                Seen::Resubscribed(0, vec![1, 1]),
                Seen::Resubscribed(1, vec![1, 1]),
                Seen::Resubscribed(3, vec![1])
            ]
        );
        let sent = driver.take_sent();
        assert_eq!(sent[1..], ["SUBSCRIBE #65535 filter/3:1 filter/4:1", "SUBSCRIBE #65535 filter/5:1"]);
    }
}

#[test]
fn a_replay_that_is_cut_off_begins_anew() {
    let mut driver = replaying_in_batches();
    driver.receive(&suback(REPLAY, &[1, 1]));
    driver.forget();
    driver.reconnect(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #65535 filter/1:1 filter/2:1"]);
}

#[test]
fn a_replay_that_is_cut_off_begins_anew_in_the_session_that_began_with_it() {
    let mut driver = replaying_in_batches();
    driver.forget();
    driver.reconnect(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #65535 filter/1:1 filter/2:1"]);
}

#[test]
fn a_replay_goes_on_beside_messages_and_their_acknowledgements() {
    let mut driver = replaying_in_batches();
    driver.input = server::publish(1, AtLeastOnce, false, b"x");
    driver.receive(&suback(REPLAY, &[1, 1]));
    let sent = driver.take_sent();
    assert_eq!(sent, ["PUBACK #1", "SUBSCRIBE #65535 filter/3:1 filter/4:1"]);
}

#[test]
fn an_unsubscription_under_way_is_not_undone_by_a_later_batch_of_the_replay() {
    let mut driver = replaying_in_batches();
    driver.unsubscribe(&["filter/3"]);
    driver.forget();
    // The server has read UNSUBSCRIBE by now, or will before it reads the next batch.
    driver.receive(&suback(REPLAY, &[1, 1]));
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #65535 filter/4:1 filter/5:1"]);
}

#[test]
fn a_replay_whose_last_answer_came_is_not_begun_anew_though_the_connection_ends_right_then() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("kept", AtLeastOnce)]);
    driver.reconnect(false);
    driver.input = suback(REPLAY, &[1]);
    driver.step();
    driver.lost();
    driver.forget();
    driver.go_online(true);
    assert_eq!(driver.take_sent(), ["CONNECT"]);
}

#[test]
fn a_lost_connack_makes_the_session_doubtful_so_that_subscriptions_are_asked_for_again() {
    let mut driver = Driver::online(resubscribe(Resubscribe::WithoutSession));
    driver.subscribed(&[("kept", AtLeastOnce)]);
    driver.lost();
    driver.connect();
    driver.opened();
    // The server may have answered here that it has no session, and begun a new one.
    driver.lost();
    driver.take_sent();
    driver.go_online(true);
    assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #65535 kept:1"]);
}

#[cfg(feature = "alloc")]
#[test]
fn memory_that_grows_takes_megabytes_of_subscriptions() {
    let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::new(1 << 30));
    for number in 0..20 {
        let filter = format!("{number}/{}", "x".repeat(60_000));
        assert!(driver.try_subscribe(&[common::filter(&filter, AtMostOnce)]).is_ok(), "{number}");
    }
}
