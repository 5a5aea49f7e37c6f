//! Whatever a client went through, its session comes through export and import unchanged, from either version.

mod common;

use common::server::{self, puback, pubcomp, publish, pubrec, pubrel, suback, unsuback};
use common::{Driver, Small, config, filter, message, sealed};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Client, Config, Key, Protocol, SessionError, Ticket};
use proptest::prelude::*;

fn new_client(config: Config) -> Client<Small> {
    Client::new(config, 7, Small::new())
}

fn imported(bytes: &[u8], config: Config) -> Driver {
    let mut client = new_client(config);
    assert_eq!(client.import_session(bytes), Ok(()));
    let mut driver = Driver::around(client);
    driver.checks.live = driver.requests().iter().map(|ticket| ticket.to_bits()).collect();
    driver
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    bytes.split_off(..len).expect("the layout of version 2")
}

fn number(bytes: &mut &[u8]) -> u32 {
    u32::from_be_bytes(take(bytes, 4).try_into().expect("four bytes"))
}

/// The records of a session of version 2, and its next ticket.
fn records(bytes: &[u8]) -> (u32, Vec<(Key, &[u8])>) {
    let mut rest = &bytes[..bytes.len() - 4];
    assert_eq!(take(&mut rest, 5), b"MP2P\x02");
    assert!(matches!(take(&mut rest, 1), [3 | 4]));
    assert_eq!(number(&mut rest), u32::MAX);
    let (next, count) = (number(&mut rest), number(&mut rest));
    let records = (0..count).map(|_| {
        let key = Key::from_bytes(take(&mut rest, Key::LEN)).expect("a key");
        let len = number(&mut rest) as usize;
        (key, take(&mut rest, len))
    });
    let records = records.collect();
    assert_eq!(rest, []);
    (next, records)
}

/// The same session as version 1 had it.
fn as_version_1(bytes: &[u8]) -> Vec<u8> {
    let (next, records) = records(bytes);
    let (mut received, mut subscriptions, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in &records {
        match key {
            Key::Received(id) => received.extend(id.get().to_be_bytes()),
            Key::Subscriptions => subscriptions.extend_from_slice(value),
            Key::Publication(ticket) | Key::Request(ticket) => {
                let state: u8 = match value.first() {
                    None => 7,
                    Some(first) if first >> 4 == 6 => 4,
                    Some(first) if first >> 4 == 8 => 5,
                    Some(first) if first >> 4 == 10 => 6,
                    Some(first) => 1 + (first >> 1 & 3) + (first << 4 & 0x80),
                };
                requests.extend(ticket.to_bits().to_be_bytes());
                requests.push(state);
                requests.extend((value.len() as u32).to_be_bytes());
                requests.extend_from_slice(value);
            }
            other => panic!("{other:?}"),
        }
    }
    let lists = received.len() / 2 + usize::from(!subscriptions.is_empty());
    sealed(
        &[
            b"MP2P\x01",
            &next.to_be_bytes()[..],
            &(received.len() as u16 / 2).to_be_bytes(),
            &received,
            &(subscriptions.len() as u32).to_be_bytes(),
            &subscriptions,
            &((records.len() - lists) as u32).to_be_bytes(),
            &requests,
        ]
        .concat(),
    )
}

/// Something happens to a client.
fn happen(driver: &mut Driver, what: u8, number: u8) {
    let id = u16::from(number % 12) + 1;
    let online = driver.client.is_connected();
    if what > 8 {
        driver.writable = usize::MAX;
    }
    match what {
        0..3 => {
            let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][usize::from(what)];
            let _ = driver.try_publish(&message("t", &[number], qos));
        }
        3 => {
            let _ =
                driver.try_subscribe(&[filter(["a", "b/#", "c/+/d"][usize::from(number % 3)], ExactlyOnce)]);
        }
        4 if driver.requests().len() < 10 => {
            driver.unsubscribe(&[["a", "b/#", "c/+/d"][usize::from(number % 3)]]);
        }
        5 if online => driver.receive(&publish(id % 4 + 1, ExactlyOnce, false, b"in")),
        6 if online => driver.receive(&[puback(id), pubrec(id), suback(id, &[2]), unsuback(id)].concat()),
        7 if online => driver.receive(&[pubcomp(id), pubrel(id % 4 + 1)].concat()),
        8 => driver.writable = usize::from(number) * 2,
        9 if online => driver.lost(),
        10 if !online => driver.go_online(number.is_multiple_of(2)),
        11 if online => driver.reconnect(number.is_multiple_of(2)),
        _ => {}
    }
}

fn after(history: &[(u8, u8)], config: Config) -> Driver {
    let mut driver = Driver::new(config);
    for (what, number) in history {
        happen(&mut driver, *what, *number);
    }
    driver
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_comes_through_export_and_import_unchanged(
        history in prop::collection::vec((0..12_u8, any::<u8>()), 0..40),
        v31 in any::<bool>(),
    ) {
        let protocol = if v31 { Protocol::V31 } else { Protocol::V311 };
        let config = config().with_max_in_flight(3).with_protocol(protocol);
        let mut old = after(&history, config);
        let version_2 = old.export();
        prop_assert_eq!(version_2[5], if v31 { 3 } else { 4 });
        let version_1 = as_version_1(&version_2);
        let mut new = [&version_2, &version_1].map(|bytes| imported(bytes, config));
        for driver in &mut new {
            prop_assert_eq!(driver.export(), version_2.clone());
            prop_assert_eq!(driver.requests(), old.requests());
            prop_assert_eq!(driver.subscriptions(), old.subscriptions());
        }
        for session_present in [true, false] {
            let [first, second] = [&version_2, &version_1].map(|bytes| {
                let mut driver = imported(bytes, config);
                driver.go_online(session_present);
                driver.written.concat()
            });
            prop_assert_eq!(first, second);
        }
    }

    #[test]
    fn a_failed_import_changes_nothing(
        history in prop::collection::vec((0..12_u8, any::<u8>()), 0..30),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut old = after(&history, config());
        let version_2 = old.export();
        for bytes in [as_version_1(&version_2), version_2] {
            let content = &bytes[5..bytes.len() - 4];
            let mut client = new_client(config());
            let empty = client.export_session(&mut [0; 64]);
            let cut = cut.index(content.len());
            let damaged = sealed(&bytes[..5 + cut]);
            prop_assert_eq!(client.import_session(&damaged), Err(SessionError::Invalid));
            prop_assert_eq!(client.requests().count(), 0);
            prop_assert_eq!(client.subscriptions().count(), 0);
            prop_assert_eq!(client.export_session(&mut [0; 64]), empty);
            prop_assert_eq!(client.import_session(&bytes), Ok(()));
            prop_assert_eq!(Driver::around(client).export(), old.export());
        }
    }
}

// ---- the layout ----

fn content(next: u32, records: &[(Key, &[u8])]) -> Vec<u8> {
    let mut content = b"MP2P\x02\x04\xff\xff\xff\xff".to_vec();
    content.extend(next.to_be_bytes());
    content.extend((records.len() as u32).to_be_bytes());
    for (key, value) in records {
        content.extend(key.to_bytes());
        content.extend((value.len() as u32).to_be_bytes());
        content.extend_from_slice(value);
    }
    content
}

fn import(content: &[u8]) -> Result<(), SessionError> {
    new_client(config()).import_session(&sealed(content))
}

fn ticket(bits: u32) -> Ticket {
    Ticket::from_bits(bits).expect("a ticket")
}

const ENTRIES: &[u8] = b"\x00\x01a\x02";
const SUBSCRIBE: &[u8] = b"\x82\x06\x00\x02\x00\x01b\x00";

#[test]
fn an_export_has_the_documented_layout() {
    let mut driver = Driver::online(config());
    driver.subscribed(&[("a", ExactlyOnce)]);
    driver.receive(&publish(7, ExactlyOnce, false, b"in"));
    driver.subscribe(&[("b", AtMostOnce)]);
    driver.publish("t", b"x", AtLeastOnce);
    let expected = content(
        4,
        &[
            (Key::Received(server::id(7)), b""),
            (Key::Subscriptions, ENTRIES),
            (Key::Request(ticket(2)), SUBSCRIBE),
            (Key::Publication(ticket(3)), b"\x3a\x06\x00\x01t\x00\x03x"),
        ],
    );
    assert_eq!(driver.export(), sealed(&expected));
}

#[test]
fn records_out_of_order_or_doubled_are_invalid() {
    let first = publish(1, AtLeastOnce, false, b"x");
    let received: (Key, &[u8]) = (Key::Received(server::id(7)), b"");
    let list = (Key::Subscriptions, ENTRIES);
    let one = (Key::Publication(ticket(1)), &first[..]);
    let two = (Key::Request(ticket(2)), SUBSCRIBE);
    assert_eq!(import(&content(3, &[received, list, one, two])), Ok(()));
    for records in [
        &[list, received][..],
        &[one, received],
        &[one, list],
        &[two, one],
        &[received, received],
        &[list, list],
        &[one, one],
    ] {
        assert_eq!(import(&content(3, records)), Err(SessionError::Invalid), "{records:?}");
    }
}

#[test]
fn a_packet_under_the_key_of_others_is_invalid() {
    let qos_0 = publish(1, AtMostOnce, false, b"x");
    let qos_1 = publish(1, AtLeastOnce, false, b"x");
    let unsubscribe = b"\xa2\x05\x00\x01\x00\x01f";
    let publication = Key::Publication(ticket(1));
    let request = Key::Request(ticket(1));
    let valid: [(Key, &[u8]); 5] = [
        (publication, &qos_1),
        (publication, &pubrel(1)),
        (request, &qos_0),
        (request, unsubscribe),
        (request, b""),
    ];
    for (key, value) in valid {
        assert_eq!(import(&content(2, &[(key, value)])), Ok(()), "{key:?} {value:?}");
        let other = if key == publication { request } else { publication };
        assert_eq!(import(&content(2, &[(other, value)])), Err(SessionError::Invalid), "{other:?} {value:?}");
    }
    let received = Key::Received(server::id(1));
    assert_eq!(import(&content(1, &[(received, b"x")])), Err(SessionError::Invalid));
}

#[test]
fn what_a_later_version_may_write_is_an_unknown_format() {
    let valid = content(2, &[(Key::Request(ticket(1)), b"")]);
    for (at, values) in [(5, &[0, 2, 5, 255][..]), (18, &[0, 4, 5, 6, 8, 255])] {
        for value in values {
            let mut changed = valid.clone();
            changed[at] = *value;
            assert_eq!(import(&changed), Err(SessionError::UnknownFormat), "{value} at {at}");
        }
    }
    let mut expires = valid;
    expires[9] = 0;
    assert_eq!(import(&expires), Err(SessionError::Invalid), "no session expires before MQTT 5");
}

#[test]
fn a_session_may_change_between_3_1_and_3_1_1() {
    let mut old = Driver::new(config().with_protocol(Protocol::V31));
    old.publish("t", b"x", AtLeastOnce);
    let mut new = imported(&old.export(), config());
    assert_eq!(new.requests(), old.requests());
    assert_eq!(new.export()[5], 4);
}
