//! The session kept change by change: what is kept, before which bytes, and what a restart makes of it.

mod common;

use common::server::{self, id, puback, pubcomp, publish, pubrec, pubrel};
use common::{Driver, Kept, Seen, Small, config};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Client, Config, Error, Inline, Key, Need, RestoreError, SessionStore, Ticket};

fn keeping() -> Config {
    config().with_keep_session(true)
}

fn ticket(bits: u32) -> Ticket {
    Ticket::from_bits(bits).expect("a ticket")
}

/// The program ends without a word, and starts again with what was kept.
fn restarted(driver: &mut Driver) -> Driver {
    let mut client = Client::new(*driver.client.config(), 7, Small::new());
    client.restore(&mut driver.kept).expect("what was kept is restored");
    let mut next = around(client);
    next.kept = std::mem::take(&mut driver.kept);
    next
}

/// A client that keeps its session has taken over that of another, and has kept all that is to be kept of it.
fn imported(old: &mut Driver) -> Driver {
    let mut client = Client::new(keeping(), 7, Small::new());
    client.import_session(&old.export()).expect("what was exported is imported");
    let mut driver = around(client);
    driver.run();
    driver
}

/// A driver that knows of the requests that its client took over.
fn around(client: Client<Small>) -> Driver {
    let mut driver = Driver::around(client);
    driver.checks.live = driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
    driver
}

#[test]
fn a_publication_is_kept_before_it_goes_out_and_until_it_ends() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut driver = Driver::online(keeping());
        let key = Key::Publication(driver.try_publish(&common::message("t", b"x", qos)).expect("room"));
        assert!(driver.step(), "something is to be done");
        assert!(driver.kept.has(key));
        assert_eq!(driver.take_sent(), [""; 0], "and it is not to write");
        driver.run();
        assert_eq!(driver.take_sent().len(), 1);
        if qos == ExactlyOnce {
            driver.receive(&pubrec(1));
            assert_eq!(driver.kept.0[&key.to_bytes()], pubrel(1), "PUBREL takes its place");
            driver.receive(&pubcomp(1));
        } else {
            driver.receive(&puback(1));
        }
        assert_eq!(driver.kept, Kept::default());
    }
}

#[test]
fn qos_0_and_a_client_that_does_not_keep_its_session_keep_nothing() {
    let mut driver = Driver::online(keeping());
    driver.publish("t", b"x", AtMostOnce);
    assert_eq!(driver.kept, Kept::default());
    let mut driver = Driver::online(config());
    driver.publish("t", b"x", AtLeastOnce);
    driver.subscribed(&[("f", AtLeastOnce)]);
    assert_eq!(driver.kept, Kept::default());
}

#[test]
fn the_phase_is_kept_before_pubrel_goes_out() {
    let mut driver = Driver::online(keeping());
    let key = Key::Publication(driver.publish("t", b"x", ExactlyOnce));
    driver.forget();
    driver.input = pubrec(1);
    driver.step();
    assert_eq!((driver.kept.0[&key.to_bytes()].clone(), driver.take_sent()), (pubrel(1), vec![]));
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBREL #1"]);
}

#[test]
fn of_acknowledgements_that_come_together_each_is_kept() {
    let mut driver = Driver::online(keeping());
    let keys = [(); 3].map(|()| Key::Publication(driver.publish("t", b"x", ExactlyOnce)));
    driver.receive(&[1, 2, 3].map(pubrec).concat());
    assert_eq!(keys.map(|key| driver.kept.0[&key.to_bytes()].clone()), [1, 2, 3].map(pubrel));
    driver.receive(&[1, 2, 3].map(pubcomp).concat());
    assert_eq!(driver.kept, Kept::default());
}

#[test]
fn an_incoming_message_of_qos_2_is_kept_before_pubrec_and_forgotten_before_pubcomp() {
    let mut driver = Driver::online(keeping());
    let key = Key::Received(id(5));
    driver.input = publish(5, ExactlyOnce, false, b"x");
    driver.step();
    assert!(!driver.kept.has(key), "the caller has not taken it yet");
    driver.step();
    assert!(driver.kept.has(key));
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBREC #5"]);
    driver.input = pubrel(5);
    driver.step();
    assert!(!driver.kept.has(key));
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBCOMP #5"]);
}

#[test]
fn with_manual_acknowledgement_all_that_were_taken_are_kept() {
    let mut driver = Driver::online(keeping().with_manual_ack(true));
    for number in [5, 6, 7] {
        driver.receive(&publish(number, ExactlyOnce, false, b"x"));
    }
    let messages = driver.take_messages();
    for message in &messages[..2] {
        driver.client.acknowledge(message.ack.expect("QoS 2")).expect("it was not acknowledged");
    }
    driver.run();
    assert_eq!([5, 6, 7].map(|number| driver.kept.has(Key::Received(id(number)))), [true, true, false]);
}

#[test]
fn a_lost_session_is_forgotten_where_it_is_kept() {
    let mut driver = Driver::online(keeping());
    driver.receive(&[publish(5, ExactlyOnce, false, b"x"), publish(6, ExactlyOnce, false, b"x")].concat());
    let publication = Key::Publication(driver.publish("t", b"x", ExactlyOnce));
    driver.receive(&pubrec(1));
    driver.reconnect(false);
    assert_eq!(driver.kept, Kept::default(), "the server took {publication:?}");
}

#[test]
fn after_a_crash_all_goes_on_in_its_order_with_dup() {
    let mut driver = Driver::online(keeping());
    let tickets = [("a", AtLeastOnce), ("b", ExactlyOnce), ("c", AtMostOnce), ("d", ExactlyOnce)]
        .map(|(topic, qos)| driver.publish(topic, b"", qos));
    driver.receive(&pubrec(2));
    let mut driver = restarted(&mut driver);
    assert_eq!(driver.requests(), [tickets[0], tickets[1], tickets[3]]);
    driver.go_online(true);
    assert_eq!(driver.take_sent()[1..], ["PUBLISH q1 #1 dup a=", "PUBREL #2", "PUBLISH q2 #4 dup d="]);
    driver.forget();
    driver.receive(&[puback(1), pubcomp(2), pubrec(4), pubcomp(4)].concat());
    assert_eq!(driver.take_seen(), [tickets[0], tickets[1], tickets[3]].map(Seen::Published));
    assert_eq!(driver.kept, Kept::default());
    assert!(driver.publish("e", b"", AtLeastOnce).index() > tickets[3].index());
}

#[test]
fn what_is_restored_is_kept_already() {
    let mut driver = Driver::online(keeping());
    driver.publish("t", b"1", AtLeastOnce);
    driver.publish("t", b"2", ExactlyOnce);
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    driver.subscribed(&[("f", AtLeastOnce)]);
    let mut driver = restarted(&mut driver);
    let kept = std::mem::take(&mut driver.kept);
    assert_eq!(kept.0.len(), 4);
    driver.go_online(true);
    assert_eq!(driver.kept, Kept::default(), "none of it is kept once more");
}

#[test]
fn after_a_crash_a_message_of_qos_2_that_was_taken_is_not_delivered_again() {
    let mut driver = Driver::online(keeping());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    let mut driver = restarted(&mut driver);
    driver.go_online(true);
    driver.forget();
    driver.receive(&publish(5, ExactlyOnce, true, b"x"));
    assert_eq!((driver.take_seen(), driver.take_sent()), (vec![], vec!["PUBREC #5".into()]));
}

#[test]
fn after_a_crash_the_subscriptions_are_asked_for_again() {
    let mut driver = Driver::online(keeping());
    driver.subscribed(&[("a", AtLeastOnce), ("b", AtMostOnce)]);
    let gone = driver.unsubscribe(&["b"]);
    driver.receive(&server::unsuback(gone.packet_id()));
    let mut driver = restarted(&mut driver);
    driver.go_online(false);
    assert_eq!(driver.take_sent()[1..], ["SUBSCRIBE #65535 a:1"]);
}

#[test]
fn a_session_may_have_begun_with_a_connect_whose_answer_the_crash_took() {
    let mut driver = Driver::online(keeping());
    driver.subscribed(&[("a", AtLeastOnce)]);
    let mut driver = restarted(&mut driver);
    driver.go_online(true);
    assert_eq!(driver.take_sent()[1..], ["SUBSCRIBE #65535 a:1"]);
    driver.receive(&server::suback(65_535, &[1]));
    driver.reconnect(true);
    assert_eq!(driver.take_sent().len(), 1, "there is no doubt any more");
}

#[test]
fn the_identifier_of_a_publication_that_was_given_up_is_not_given_to_the_next() {
    let mut driver = Driver::online(keeping());
    let given_up = driver.publish("t", b"x", ExactlyOnce);
    driver.disconnect();
    driver.abandon();
    let mut driver = restarted(&mut driver);
    assert_eq!(driver.requests(), []);
    assert_eq!(driver.publish("t", b"y", ExactlyOnce).index(), given_up.index() + 1);
}

#[test]
fn nor_that_of_one_that_was_given_up_after_its_pubrec() {
    let mut driver = Driver::online(keeping());
    let given_up = driver.publish("t", b"x", ExactlyOnce);
    driver.receive(&pubrec(given_up.packet_id()));
    driver.disconnect();
    driver.abandon();
    let mut driver = restarted(&mut driver);
    assert_eq!(driver.requests(), []);
    assert_eq!(driver.publish("t", b"y", ExactlyOnce).index(), given_up.index() + 1);
}

#[test]
fn of_those_that_were_given_up_only_the_last_is_kept() {
    let mut driver = Driver::online(keeping());
    for round in 1..=3 {
        let tickets = [(); 3].map(|()| driver.publish("t", b"x", ExactlyOnce));
        driver.disconnect();
        driver.abandon();
        let last = Key::Publication(tickets[2]);
        assert!(driver.kept.has(last) && driver.kept.0.len() == 1, "round {round}: {:?}", driver.kept);
        driver = restarted(&mut driver);
        driver.go_online(true);
    }
}

#[test]
fn nor_is_one_kept_that_was_given_up_before_the_last_number_of_an_imported_session() {
    let mut old = Driver::online(keeping());
    old.publish("t", b"waits", ExactlyOnce);
    old.publish("t", b"x", AtMostOnce);
    let mut driver = imported(&mut old);
    driver.abandon();
    assert_eq!(driver.kept, Kept([(Key::Publication(ticket(2)).to_bytes(), vec![])].into()));
}

#[test]
fn a_publication_of_qos_1_that_was_given_up_is_forgotten() {
    let mut driver = Driver::online(keeping());
    let given_up = driver.publish("t", b"x", AtLeastOnce);
    driver.disconnect();
    assert!(driver.kept.has(Key::Publication(given_up)));
    driver.abandon();
    assert_eq!(driver.kept, Kept::default());
}

#[test]
fn numbers_go_on_behind_the_last_of_an_imported_session_whatever_it_was() {
    let mut old = Driver::online(keeping());
    old.publish("t", b"waits", AtLeastOnce);
    old.publish("t", b"x", AtMostOnce);
    let mut driver = imported(&mut old);
    let mut driver = restarted(&mut driver);
    assert_eq!(driver.publish("t", b"y", AtLeastOnce), ticket(3));
}

#[test]
fn numbers_go_on_where_an_imported_session_is_kept_anew() {
    let mut old = Driver::online(keeping());
    old.publish("t", b"x", ExactlyOnce);
    old.closed(mqtt_p2p_core::TransportError::Broken);
    old.abandon();
    let mut driver = imported(&mut old);
    let mut driver = restarted(&mut driver);
    assert_eq!(driver.publish("t", b"y", ExactlyOnce), ticket(2), "the server may still have number 1");
}

#[test]
fn tickets_are_restored_in_their_order_also_when_they_have_gone_round() {
    for order in [[0xffff_fffc, 0xffff_fffd, 1, 2], [0x7fff_fffc, 0x7fff_fffd, 0x8000_0001, 0x8000_0002]] {
        let mut kept = Kept::default();
        for bits in order {
            let packet = publish(bits as u16, AtLeastOnce, false, b"x");
            kept.put(Key::Publication(ticket(bits)), &packet).expect("it is kept in memory");
        }
        let mut client = Client::new(keeping(), 1, Small::new());
        assert_eq!(client.restore(&mut kept), Ok(()));
        assert_eq!(client.requests().collect::<Vec<_>>(), order.map(ticket));
    }
}

#[test]
fn what_is_no_record_is_reported_and_changes_nothing() {
    let packet = publish(1, AtLeastOnce, false, b"x");
    let subscribe = b"\x82\x06\x00\x01\x00\x01a\x00";
    let records: [(Key, &[u8]); 10] = [
        (Key::Publication(ticket(2)), &packet),
        (Key::Publication(ticket(1)), &packet[..5]),
        (Key::Publication(ticket(1)), &publish(1, AtMostOnce, false, b"x")),
        (Key::Publication(ticket(1)), subscribe),
        // Only an export has these.
        (Key::Request(ticket(1)), subscribe),
        (Key::Request(ticket(1)), &publish(1, AtMostOnce, false, b"x")),
        (Key::Request(ticket(1)), b""),
        (Key::Request(ticket(1)), &packet),
        (Key::Received(id(5)), b"x"),
        (Key::Subscriptions, b"\x00\x05a"),
    ];
    for (key, value) in records {
        let mut kept = Kept::default();
        kept.put(key, value).expect("it is kept in memory");
        let mut client = Client::new(keeping(), 1, Small::new());
        assert_eq!(client.restore(&mut kept), Err(RestoreError::Invalid(key)));
        assert_eq!(client.requests().count(), 0);
        assert_eq!(client.restore(&mut Kept::default()), Ok(()), "the client can still be used");
    }
}

#[test]
fn a_session_without_room_and_a_client_in_use_are_refused() {
    let mut driver = Driver::online(keeping());
    driver.publish("t", &[0; 100], AtLeastOnce);
    let mut small = Client::new(keeping(), 1, Inline::<64>::new());
    let full = small.restore(&mut driver.kept);
    assert!(matches!(full, Err(RestoreError::NotTaken(Error::Full(Need::Bytes(_))))), "{full:?}");
    let mut kept = driver.kept.clone();
    assert_eq!(driver.client.restore(&mut kept), Err(RestoreError::NotTaken(Error::InUse)));
}

#[test]
fn keys_are_read_back_and_foreign_ones_are_not() {
    for key in [
        Key::Publication(ticket(0x0001_0002)),
        Key::Received(id(7)),
        Key::Subscriptions,
        Key::Request(ticket(0x0001_0002)),
    ] {
        assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key));
    }
    for bytes in [
        &[][..],
        &[1, 0, 0, 0, 0],
        &[2, 0, 1, 0, 0],
        &[4, 0, 0, 0, 0],
        &[7, 0, 0, 0, 0],
        &[8, 0, 0, 0, 1],
        &[3, 0, 0, 0],
        &[3, 0, 0, 0, 1],
    ] {
        assert_eq!(Key::from_bytes(bytes), None, "{bytes:?}");
    }
}
