//! The session as bytes: out of one client and into the next.

mod common;

use common::server::{connack, puback, pubcomp, publish, pubrec, suback};
use common::{Driver, Seen, Small, config, message, sealed};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Client, DisconnectReason, Error, Inline, Need, SessionError, Storage, Ticket};
use proptest::prelude::*;

/// A client with something of everything under way, and its tickets.
fn under_way() -> (Driver, Vec<Ticket>) {
    let mut driver = Driver::online(config().with_max_in_flight(3));
    driver.subscribed(&[("kept/#", ExactlyOnce)]);
    driver.receive(&publish(7, ExactlyOnce, false, b"in"));
    let tickets = vec![
        driver.publish("t", b"sent", AtLeastOnce),
        driver.publish("t", b"received", ExactlyOnce),
        driver.publish("t", b"sent too", ExactlyOnce),
        driver.subscribe(&[("asked", AtLeastOnce)]),
        driver.unsubscribe(&["gone/#"]),
        driver.publish("t", b"waits", AtLeastOnce),
        {
            driver.writable = 0;
            driver.publish("t", b"behind", AtMostOnce)
        },
    ];
    driver.receive(&pubrec(3));
    (driver, tickets)
}

/// The same client after a restart of the program.
fn restarted(driver: &mut Driver) -> Driver {
    let bytes = driver.export();
    let mut client = Client::new(*driver.client.config(), 7, Small::new());
    assert_eq!(client.import_session(&bytes), Ok(()));
    let mut next = Driver::around(client);
    next.checks = std::mem::take(&mut driver.checks).restarted();
    next
}

/// Bytes of each version without their checksum, both with something of everything.
fn contents() -> [Vec<u8>; 2] {
    let version_1 = include_bytes!("vectors/sessions/v1/all.session").to_vec();
    [version_1, under_way().0.export()].map(|mut bytes| {
        bytes.truncate(bytes.len() - 4);
        bytes
    })
}

fn import(bytes: &[u8]) -> Result<(), SessionError> {
    Client::new(config(), 1, Small::new()).import_session(bytes)
}

/// A client that refused an import works as one that never saw it.
fn assert_usable<S: Storage>(client: Client<S>) {
    let mut driver = Driver::around(client);
    driver.go_online(false);
    let ticket = driver.publish("t", b"x", AtLeastOnce);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #1 t=x"]);
    driver.receive(&puback(1));
    assert_eq!(driver.take_seen().last(), Some(&Seen::Published(ticket)));
    assert_eq!(driver.subscriptions(), []);
}

// ---- round trip ----

#[test]
fn with_the_session_an_imported_client_goes_on_where_the_other_was() {
    let (mut old, tickets) = under_way();
    let mut driver = restarted(&mut old);
    assert_eq!(driver.requests(), tickets);
    assert_eq!(driver.subscriptions(), old.subscriptions());
    driver.go_online(true);
    assert_eq!(
        driver.take_sent(),
        [
            "CONNECT",
            "SUBSCRIBE #65535 kept/#:2",
            "PUBLISH q1 #2 dup t=sent",
            "PUBREL #3",
            "PUBLISH q2 #4 dup t=sent too",
            "SUBSCRIBE #5 asked:1",
            "UNSUBSCRIBE #6 gone/#",
            "PUBLISH q0 t=behind"
        ]
    );
    assert_eq!(driver.take_seen().last(), Some(&Seen::Published(tickets[6])));
    driver.receive(&publish(7, ExactlyOnce, true, b"in"));
    assert_eq!(driver.take_payloads(), [""; 0], "it was delivered before the restart");
    assert_eq!(driver.take_sent(), ["PUBREC #7"]);
    driver.receive(&pubcomp(3));
    assert_eq!(driver.take_seen(), [Seen::Published(tickets[1])]);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #7 t=waits"]);
}

#[test]
fn without_the_session_an_imported_client_sends_as_new_what_the_server_has_not_taken() {
    let (mut old, tickets) = under_way();
    let mut driver = restarted(&mut old);
    driver.go_online(false);
    assert_eq!(
        driver.take_sent(),
        [
            "CONNECT",
            "SUBSCRIBE #65535 kept/#:2",
            "PUBLISH q1 #2 t=sent",
            "PUBLISH q2 #4 t=sent too",
            "SUBSCRIBE #5 asked:1",
            "UNSUBSCRIBE #6 gone/#",
            "PUBLISH q1 #7 t=waits",
            "PUBLISH q0 t=behind"
        ]
    );
    assert!(driver.take_seen().contains(&Seen::Published(tickets[1])));
}

#[test]
fn what_went_out_in_part_before_the_export_carries_dup_and_what_did_not_go_out_does_not() {
    let mut old = Driver::online(config());
    old.writable = 3;
    old.publish("t", b"1", AtLeastOnce);
    old.publish("t", b"2", AtLeastOnce);
    let mut driver = restarted(&mut old);
    driver.go_online(true);
    assert_eq!(driver.take_sent()[1..], ["PUBLISH q1 #1 dup t=1", "PUBLISH q1 #2 t=2"]);
}

#[test]
fn tickets_count_on_after_an_import() {
    let (mut old, tickets) = under_way();
    let mut driver = restarted(&mut old);
    let next = driver.publish("t", b"x", AtLeastOnce);
    assert_eq!(next.index(), tickets[6].index() + 1);
}

#[test]
fn an_imported_session_is_exported_unchanged() {
    let (mut driver, _) = under_way();
    let mut second = restarted(&mut driver);
    assert_eq!(restarted(&mut second).export(), second.export());
}

#[test]
fn a_subscription_under_way_at_the_export_is_kept_once_it_is_granted() {
    let mut old = Driver::online(config());
    old.subscribe(&[("a", AtLeastOnce)]);
    let mut driver = restarted(&mut old);
    driver.go_online(true);
    driver.receive(&suback(1, &[1]));
    driver.forget();
    driver.reconnect(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "SUBSCRIBE #65535 a:1"]);
}

#[test]
fn a_message_that_was_not_taken_before_the_export_is_delivered_again() {
    let mut old = Driver::online(config().with_manual_ack(true));
    old.receive(&publish(7, ExactlyOnce, false, b"x"));
    let mut driver = restarted(&mut old);
    driver.go_online(true);
    driver.receive(&publish(7, ExactlyOnce, true, b"x"));
    let messages = driver.take_messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(driver.acknowledge(messages[0].ack.unwrap()), Ok(()));
}

#[test]
fn a_message_that_the_caller_did_not_come_back_for_is_delivered_again_after_an_import() {
    let mut old = Driver::online(config());
    old.input = publish(7, ExactlyOnce, false, b"x");
    assert!(old.step());
    assert_eq!(old.take_payloads(), ["x"]);
    let mut driver = restarted(&mut old);
    driver.go_online(true);
    driver.receive(&publish(7, ExactlyOnce, true, b"x"));
    assert_eq!(driver.take_payloads(), ["x"]);
}

#[test]
fn what_was_exported_can_be_abandoned_after_the_import() {
    let (mut old, tickets) = under_way();
    let mut driver = restarted(&mut old);
    driver.abandon();
    let dropped: Vec<Seen> = tickets.into_iter().map(Seen::Dropped).collect();
    assert_eq!(driver.take_seen(), dropped);
}

#[test]
fn an_import_leaves_pause_and_held_reading_as_they_are() {
    let (mut old, _) = under_way();
    let bytes = old.export();
    let mut driver = Driver::new(config());
    driver.pause();
    driver.client.hold_reading(driver.instant(), true);
    assert_eq!(driver.client.import_session(&bytes), Ok(()));
    driver.connect();
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.wait, None);
    driver.resume();
    assert_eq!(driver.take_seen(), [Seen::Open(1)]);
}

#[test]
fn an_import_swallows_no_end_that_has_to_be_reported() {
    let (mut old, _) = under_way();
    let bytes = old.export();
    let mut driver = Driver::new(config());
    driver.connect();
    driver.forget();
    driver.client.disconnect(driver.instant());
    assert_eq!(driver.client.import_session(&bytes), Ok(()));
    driver.run();
    let requested = DisconnectReason::Requested;
    assert_eq!(driver.take_seen(), [Seen::Close, Seen::Disconnected { reason: requested, retry_at: None }]);
}

#[cfg(feature = "alloc")]
#[test]
fn growing_memory_takes_any_session_that_growing_memory_gave() {
    let mut old = Driver::with(config(), mqtt_p2p_core::Growing::default());
    old.go_online(false);
    let long = "x".repeat(3_000);
    old.subscribed(&[(&long, AtLeastOnce)]);
    old.subscribe(&[(&format!("{long}/asked"), AtLeastOnce)]);
    for id in 1..=100 {
        old.receive(&publish(id, ExactlyOnce, false, b"x"));
        old.publish("t", &[0; 1_000], AtLeastOnce);
    }
    let mut client = Client::new(config(), 1, mqtt_p2p_core::Growing::default());
    assert_eq!(client.import_session(&old.export()), Ok(()));
    let mut driver = Driver::around(client);
    assert_eq!(driver.requests(), old.requests());
    assert_eq!(driver.subscriptions(), old.subscriptions());
    driver.checks.live = old.checks.live.clone();
    driver.go_online(false);
    assert!(driver.take_sent()[1].starts_with("SUBSCRIBE #65535"));
    driver.receive(&suback(2, &[1]));
    assert_eq!(driver.subscriptions().len(), 2);
}

// ---- refusals ----

#[test]
fn a_buffer_that_is_too_small_is_told_how_much_it_takes() {
    let (mut driver, _) = under_way();
    let bytes = driver.export();
    for len in 0..bytes.len() {
        assert_eq!(
            driver.client.export_session(&mut vec![0; len]),
            Err(SessionError::BufferTooSmall { needed: bytes.len() })
        );
    }
}

#[test]
fn damage_at_any_place_is_noticed() {
    for bytes in contents().map(|content| sealed(&content)) {
        for at in 0..bytes.len() {
            for bit in [1, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= bit;
                let expected = if at < 5 { SessionError::UnknownFormat } else { SessionError::Damaged };
                assert_eq!(import(&damaged), Err(expected), "byte {at}");
            }
        }
        let mut exchanged = bytes.clone();
        exchanged[4] ^= 3;
        assert_eq!(import(&exchanged), Err(SessionError::Damaged), "of the other version");
    }
}

#[test]
fn a_session_that_is_cut_off_or_too_long_is_noticed() {
    for mut bytes in contents().map(|content| sealed(&content)) {
        for len in 0..bytes.len() {
            assert!(import(&bytes[..len]).is_err(), "{len} bytes");
        }
        bytes.push(0);
        assert_eq!(import(&bytes), Err(SessionError::Damaged));
    }
}

#[test]
fn a_session_of_an_unknown_version_is_not_read() {
    for mut content in contents() {
        for version in (0..=u8::MAX).filter(|version| !matches!(version, 1 | 2)) {
            content[4] = version;
            assert_eq!(import(&sealed(&content)), Err(SessionError::UnknownFormat), "version {version}");
        }
    }
    assert_eq!(import(b"not a session"), Err(SessionError::UnknownFormat));
}

#[test]
fn content_that_contradicts_itself_is_invalid() {
    for content in contents() {
        let mut refused = 0;
        for at in 5..content.len() {
            let mut changed = content.clone();
            changed[at] = !changed[at];
            match import(&sealed(&changed)) {
                Ok(()) | Err(SessionError::NotTaken(_)) => {}
                Err(SessionError::Invalid) => refused += 1,
                // The tag of a key, or the protocol level.
                Err(SessionError::UnknownFormat) if content[4] == 2 => refused += 1,
                other => panic!("byte {at}: {other:?}"),
            }
            assert_eq!(import(&sealed(&content[..at])), Err(SessionError::Invalid), "cut off at {at}");
        }
        assert!(refused > content.len() / 2, "{refused} of {}", content.len());
    }
}

#[test]
fn a_session_with_bytes_behind_its_end_or_whose_next_ticket_is_under_way_is_invalid() {
    for (content, next) in contents().into_iter().zip([5, 10]) {
        assert_eq!(import(&sealed(&content)), Ok(()));
        assert_eq!(import(&sealed(&[&content[..], &[0]].concat())), Err(SessionError::Invalid));
        let mut changed = content;
        let last = u32::from_be_bytes(changed[next..next + 4].try_into().expect("a ticket")) - 1;
        changed[next..next + 4].copy_from_slice(&last.to_be_bytes());
        assert_eq!(import(&sealed(&changed)), Err(SessionError::Invalid));
    }
}

#[test]
fn a_client_in_use_takes_no_session() {
    let (mut driver, _) = under_way();
    let bytes = driver.export();
    let in_use = Err(SessionError::NotTaken(Error::InUse));
    assert_eq!(driver.client.import_session(&bytes), in_use, "connected");

    let mut driver = Driver::new(config());
    driver.publish("t", b"x", AtLeastOnce);
    assert_eq!(driver.client.import_session(&bytes), in_use, "has accepted something");

    let mut driver = Driver::new(config());
    driver.connect();
    assert_eq!(driver.client.import_session(&bytes), in_use, "is connecting");

    let mut driver = Driver::new(config());
    assert_eq!(driver.client.import_session(&bytes), Ok(()));
    assert_eq!(driver.client.import_session(&bytes), in_use, "has imported one");
}

#[test]
fn a_session_of_received_messages_alone_is_not_overwritten() {
    let mut old = Driver::online(config());
    old.receive(&publish(5, ExactlyOnce, false, b"x"));
    let mut driver = restarted(&mut old);
    let (mut other, _) = under_way();
    assert_eq!(driver.client.import_session(&other.export()), Err(SessionError::NotTaken(Error::InUse)));
}

#[test]
fn a_session_of_subscriptions_alone_is_not_overwritten() {
    let mut old = Driver::online(config());
    old.subscribed(&[("kept", AtLeastOnce)]);
    let bytes = old.export();
    let mut content = bytes[..bytes.len() - 4].to_vec();
    content[10..14].copy_from_slice(&[0, 0, 0, 1]);
    let mut client = Client::new(config(), 1, Small::new());
    assert_eq!(client.import_session(&sealed(&content)), Ok(()), "as if nothing had been asked for");
    let (mut other, _) = under_way();
    assert_eq!(client.import_session(&other.export()), Err(SessionError::NotTaken(Error::InUse)));
    assert_eq!(client.subscriptions().count(), 1);
}

#[test]
fn memory_that_is_too_small_takes_nothing_of_a_session() {
    let (mut driver, _) = under_way();
    let bytes = driver.export();
    let full = |need| Err(SessionError::NotTaken(Error::Full(need)));

    let mut client = Client::new(config(), 1, Inline::<60, 16, 512, 256, 4>::new());
    assert!(matches!(
        client.import_session(&bytes),
        Err(SessionError::NotTaken(Error::Full(Need::Bytes(_))))
    ));
    assert_usable(client);
    let mut client = Client::new(config(), 1, Inline::<2048, 6, 512, 256, 4>::new());
    assert_eq!(client.import_session(&bytes), full(Need::Requests));
    assert_usable(client);
    let mut client = Client::new(config(), 1, Inline::<2048, 16, 512, 8, 4>::new());
    assert_eq!(client.import_session(&bytes), full(Need::Subscriptions(1)));
    assert_usable(client);
    let mut client = Client::new(config(), 1, Inline::<2048, 16, 512, 16, 4>::new());
    assert_eq!(
        client.import_session(&bytes),
        full(Need::Subscriptions(1)),
        "nor for the subscription under way"
    );
    assert_usable(client);
    let mut client = Client::new(config(), 1, Inline::<2048, 16, 512, 256, 0>::new());
    assert_eq!(client.import_session(&bytes), full(Need::Inbound));
    assert_usable(client);
}

#[test]
fn a_failed_import_leaves_the_client_as_it_was() {
    for content in contents() {
        for len in 5..content.len() {
            let mut client = Client::new(config(), 1, Small::new());
            assert!(client.import_session(&sealed(&content[..len])).is_err());
            assert_eq!(client.requests().count(), 0);
            assert_eq!(client.import_session(&sealed(&content)), Ok(()), "it still takes a session");
            let mut client = Client::new(config(), 1, Small::new());
            assert!(client.import_session(&sealed(&content[..len])).is_err());
            assert_usable(client);
        }
    }
}

/// Whatever was imported, the client can be driven.
fn drive(client: Client<Small>) {
    let mut driver = Driver::around(client);
    driver.checks.live = driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
    let _ = driver.try_publish(&message("t", b"x", AtLeastOnce));
    driver.go_online(true);
    for id in 1..=8 {
        driver.receive(&[puback(id), pubrec(id), pubcomp(id), suback(id, &[0])].concat());
        if !driver.client.is_connected() {
            return;
        }
    }
    driver.lost();
    driver.abandon();
    assert_eq!(driver.requests(), []);
    driver.receive(&connack(true));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = import(&bytes);
        let _ = import(&sealed(&[b"MP2P\x01", &bytes[..]].concat()));
        let _ = import(&sealed(&[b"MP2P\x02", &bytes[..]].concat()));
    }

    #[test]
    fn a_session_with_changes_is_refused_or_can_be_driven(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for mut content in contents() {
            for (at, byte) in &changes {
                let at = 5 + at.index(content.len() - 5);
                content[at] = *byte;
            }
            let mut client = Client::new(config(), 1, Small::new());
            if client.import_session(&sealed(&content)).is_ok() {
                drive(client);
            }
        }
    }
}
