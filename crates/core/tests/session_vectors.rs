//! Sessions that earlier versions wrote are loaded with all their content. What is in the files, and who wrote them, is
//! described in `vectors/sessions/v1/README.md`; `vectors/sessions/v2` has the same sessions as version 2.

mod common;

use common::server::{self, puback, pubcomp, publish, pubrec, pubrel, suback, unsuback};
use common::{Driver, Kept, Seen, Small, config};
use mqtt_p2p_core::Client;
use mqtt_p2p_core::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};

/// A file, and what is in it.
struct Vector {
    name: &'static str,
    bytes: &'static [u8],
    /// The same session as exported bytes of version 2.
    version_2: Option<&'static [u8]>,
    /// What a client sends after CONNECT if the server has the session and does not answer.
    sent: &'static [u8],
    load: fn(&[u8], &mut Driver),
    content: Content,
}

struct Content {
    next_ticket: u32,
    incoming: &'static [u16],
    subscriptions: &'static [(&'static str, QoS)],
    requests: &'static [u32],
    /// The same as `Vector::sent`, in words; runs of one character as `x*200`.
    words: &'static [&'static str],
}

const NOTHING: Content =
    Content { next_ticket: 1, incoming: &[], subscriptions: &[], requests: &[], words: &[] };

/// One request, with the ticket 1.
const fn one(words: &'static [&'static str]) -> Content {
    Content { next_ticket: 2, requests: &[1], words, ..NOTHING }
}

macro_rules! vector {
    ($name:literal, $kind:literal, $load:expr, $version_2:expr, $content:expr) => {
        Vector {
            name: concat!($name, ".", $kind),
            bytes: include_bytes!(concat!("vectors/sessions/v1/", $name, ".", $kind)),
            sent: include_bytes!(concat!("vectors/sessions/v1/", $name, ".", $kind, ".sent")),
            version_2: $version_2,
            load: $load,
            content: $content,
        }
    };
}

macro_rules! session {
    ($name:literal, $content:expr) => {
        vector!(
            $name,
            "session",
            import,
            Some(include_bytes!(concat!("vectors/sessions/v2/", $name, ".session"))),
            $content
        )
    };
}

macro_rules! records {
    ($name:literal, $content:expr) => {
        vector!($name, "records", restore, None, $content)
    };
}

fn import(bytes: &[u8], driver: &mut Driver) {
    driver.client.import_session(bytes).expect("the session is imported");
}

fn restore(bytes: &[u8], driver: &mut Driver) {
    driver.kept = records(bytes);
    driver.client.restore(&mut driver.kept).expect("the records are restored");
}

fn records(mut bytes: &[u8]) -> Kept {
    fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
        bytes.split_off(..len).expect("a whole record")
    }
    let mut kept = Kept::default();
    while !bytes.is_empty() {
        assert_eq!(take(&mut bytes, 2), [0, 5], "the length of a key");
        let key = take(&mut bytes, 5).try_into().expect("five bytes");
        let len = u32::from_be_bytes(take(&mut bytes, 4).try_into().expect("four bytes"));
        kept.0.insert(key, take(&mut bytes, len as usize).into());
    }
    kept
}

const GRANTED: &[(&str, QoS)] = &[("kept/#", ExactlyOnce), ("温度/+", AtLeastOnce), ("plain", AtMostOnce)];
const REPLAY: &[&str] = &["SUBSCRIBE #65535 kept/#:2 温度/+:1 plain:0"];
const GAP: Content = Content {
    next_ticket: 4,
    requests: &[1, 3],
    words: &["PUBLISH q1 #1 dup t=1", "PUBLISH q1 #3 dup t=3"],
    ..NOTHING
};
const GENERATION_WRAP: Content = Content {
    next_ticket: 0x1_0003,
    requests: &[65_531, 65_532, 65_533, 0x1_0001, 0x1_0002],
    words: &[
        "PUBLISH q1 #65531 dup t=0",
        "PUBREL #65532",
        "PUBLISH q1 #65533 dup t=2",
        "PUBREL #1",
        "PUBLISH q1 #2 dup t=4",
    ],
    ..NOTHING
};
const NUMBER_WRAP: Content = Content {
    next_ticket: 3,
    requests: &[0xffff_fffc, 0xffff_fffd, 1, 2],
    words: &[
        "PUBLISH q1 #65532 dup t=0",
        "PUBLISH q2 #65533 dup t=1",
        "PUBLISH q1 #1 dup t=2",
        "PUBLISH q2 #2 dup t=3",
    ],
    ..NOTHING
};

const VECTORS: &[Vector] = &[
    session!("empty", Content { next_ticket: 5, ..NOTHING }),
    session!("qos0-queued", one(&["PUBLISH q0 t=waits"])),
    session!("qos1-queued", one(&["PUBLISH q1 #1 t=waits"])),
    session!("qos1-sent", one(&["PUBLISH q1 #1 dup t=sent"])),
    session!("qos1-sent-again", one(&["PUBLISH q1 #1 dup t=sent"])),
    session!("qos2-queued", one(&["PUBLISH q2 #1 t=waits"])),
    session!("qos2-sent", one(&["PUBLISH q2 #1 dup t=sent"])),
    session!("qos2-released", one(&["PUBREL #1"])),
    session!(
        "qos2-taken",
        Content {
            next_ticket: 4,
            requests: &[1, 2, 3],
            words: &["PUBLISH q1 #1 t=before", "PUBLISH q2 #3 t=behind"],
            ..NOTHING
        }
    ),
    session!("subscribe-queued", one(&["SUBSCRIBE #1 a/#:2 b:0"])),
    session!("subscribe-sent", one(&["SUBSCRIBE #1 a/#:2 b:0"])),
    session!("unsubscribe-queued", one(&["UNSUBSCRIBE #1 a/# b"])),
    session!("unsubscribe-sent", one(&["UNSUBSCRIBE #1 a/# b"])),
    session!("incoming", Content { incoming: &[7, 300, 65_535], ..NOTHING }),
    session!("subscriptions", Content { next_ticket: 4, subscriptions: GRANTED, words: REPLAY, ..NOTHING }),
    session!("given-up", Content { next_ticket: 3, ..NOTHING }),
    session!("gap", GAP),
    session!(
        "long",
        Content {
            next_ticket: 6,
            requests: &[1, 2, 3, 4, 5],
            words: &[
                "PUBLISH q1 #1 dup long/t*150=x*200",
                "PUBLISH q2 #2 dup retain 温度/1=",
                "SUBSCRIBE #3 long/f*150:1",
                "UNSUBSCRIBE #4 long/f*150",
                "PUBREL #5",
            ],
            ..NOTHING
        }
    ),
    session!(
        "all",
        Content {
            next_ticket: 12,
            incoming: &[7, 300],
            subscriptions: &[("kept/#", ExactlyOnce)],
            requests: &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            words: &[
                "SUBSCRIBE #65535 kept/#:2",
                "PUBREL #2",
                "PUBLISH q1 #3 dup t=sent",
                "PUBLISH q2 #4 dup t=sent too",
                "PUBLISH q2 #5 t=not sent again",
                "PUBLISH q0 t=waits",
                "PUBLISH q1 #8 t=waits",
                "PUBLISH q2 #9 t=waits",
                "SUBSCRIBE #10 asked:1",
                "UNSUBSCRIBE #11 plain",
            ],
        }
    ),
    session!("generation-wrap", GENERATION_WRAP),
    session!("number-wrap", NUMBER_WRAP),
    records!("qos1-queued", one(&["PUBLISH q1 #1 dup t=waits"])),
    records!("qos1-sent", one(&["PUBLISH q1 #1 dup t=sent"])),
    records!("qos2-queued", one(&["PUBLISH q2 #1 dup t=waits"])),
    records!("qos2-sent", one(&["PUBLISH q2 #1 dup t=sent"])),
    records!("qos2-released", one(&["PUBREL #1"])),
    records!(
        "qos2-taken",
        Content {
            next_ticket: 4,
            requests: &[1, 2, 3],
            words: &["PUBLISH q1 #1 dup t=before", "PUBREL #2", "PUBLISH q2 #3 dup t=behind"],
            ..NOTHING
        }
    ),
    records!("incoming", Content { incoming: &[7, 300, 65_535], ..NOTHING }),
    records!("subscriptions", Content { subscriptions: GRANTED, words: REPLAY, ..NOTHING }),
    records!("given-up", Content { next_ticket: 3, ..NOTHING }),
    records!("gap", GAP),
    records!(
        "long",
        Content {
            next_ticket: 6,
            requests: &[1, 2, 5],
            words: &["PUBLISH q1 #1 dup long/t*150=x*200", "PUBLISH q2 #2 dup retain 温度/1=", "PUBREL #5",],
            ..NOTHING
        }
    ),
    records!(
        "all",
        Content {
            next_ticket: 10,
            incoming: &[7, 300],
            subscriptions: &[("kept/#", ExactlyOnce)],
            requests: &[2, 3, 4, 5, 6, 8, 9],
            words: &[
                "SUBSCRIBE #65535 kept/#:2",
                "PUBREL #2",
                "PUBLISH q1 #3 dup t=sent",
                "PUBLISH q2 #4 dup t=sent too",
                "PUBLISH q2 #5 dup t=not sent again",
                "PUBREL #6",
                "PUBLISH q1 #8 dup t=waits",
                "PUBLISH q2 #9 dup t=waits",
            ],
        }
    ),
    records!("generation-wrap", GENERATION_WRAP),
    records!("number-wrap", NUMBER_WRAP),
];

/// A new client that has loaded a session.
fn loaded(bytes: &[u8], load: fn(&[u8], &mut Driver)) -> Driver {
    let config = config().with_keep_session(true);
    let mut driver = Driver::around(Client::new(config, 7, Small::new()));
    load(bytes, &mut driver);
    driver
}

/// New clients that have loaded one vector each; `look` is called with each of them.
fn for_each_vector(look: impl Fn(&Vector, Driver)) {
    for vector in VECTORS {
        println!("{}", vector.name);
        let drivers =
            [Some(loaded(vector.bytes, vector.load)), vector.version_2.map(|bytes| loaded(bytes, import))];
        for mut driver in drivers.into_iter().flatten() {
            driver.checks.live = vector.content.requests.iter().copied().collect();
            look(vector, driver);
        }
    }
}

#[test]
fn a_session_of_either_version_is_exported_as_version_2() {
    for (vector, version_2) in VECTORS.iter().filter_map(|vector| Some((vector, vector.version_2?))) {
        let exported = loaded(vector.bytes, vector.load).export();
        assert_eq!(exported, version_2, "{}", vector.name);
        assert_eq!(loaded(version_2, import).export(), version_2, "{}", vector.name);
    }
}

fn requests(driver: &mut Driver) -> Vec<u32> {
    driver.requests().iter().map(|ticket| ticket.to_bits()).collect()
}

/// Longer runs of one character as `x*200`.
fn shortened(words: &str) -> String {
    let mut rest = words;
    let mut short = String::new();
    while let Some(first) = rest.chars().next() {
        let tail = rest.trim_start_matches(first);
        let count = rest[..rest.len() - tail.len()].chars().count();
        match count {
            0..10 => short.push_str(&rest[..rest.len() - tail.len()]),
            _ => short.push_str(&format!("{first}*{count}")),
        }
        rest = tail;
    }
    short
}

/// The server's answer to a packet in words.
fn answer(words: &str) -> Vec<u8> {
    let mut parts = words.split(' ');
    let name = parts.next();
    let id = words.split(' ').find_map(|part| part.strip_prefix('#')?.parse().ok()).unwrap_or(0);
    match (name, parts.next()) {
        (Some("PUBLISH"), Some("q1")) => puback(id),
        (Some("PUBLISH"), Some("q2")) => pubrec(id),
        (Some("PUBREL"), _) => pubcomp(id),
        (Some("UNSUBSCRIBE"), _) => unsuback(id),
        (Some("SUBSCRIBE"), _) => {
            let codes: Vec<u8> = parts.map(|entry| entry.as_bytes()[entry.len() - 1] - b'0').collect();
            suback(id, &codes)
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_vector_has_the_described_requests_and_subscriptions() {
    for_each_vector(|vector, mut driver| {
        assert_eq!(requests(&mut driver), vector.content.requests);
        let subscriptions = driver.subscriptions();
        let subscriptions: Vec<_> = subscriptions.iter().map(|(text, qos)| (text.as_str(), *qos)).collect();
        assert_eq!(subscriptions, vector.content.subscriptions);
    });
}

#[test]
fn the_next_request_gets_the_described_ticket() {
    for_each_vector(|vector, mut driver| {
        let next = driver.publish("t", b"next", AtLeastOnce);
        assert_eq!(next.to_bits(), vector.content.next_ticket);
    });
}

#[test]
fn with_the_session_present_a_client_sends_the_golden_bytes() {
    for_each_vector(|vector, mut driver| {
        driver.go_online(true);
        let words = driver.take_sent();
        let words: Vec<_> = words[1..].iter().map(|words| shortened(words)).collect();
        assert_eq!(words, vector.content.words);
        let connect = mqtt_p2p_core::packet_len(&driver.written[0]).expect("CONNECT");
        assert_eq!(driver.written[0][connect..], *vector.sent);
    });
}

#[test]
fn every_request_ends_once_the_server_has_answered() {
    for session_present in [true, false] {
        for_each_vector(|vector, mut driver| {
            driver.go_online(session_present);
            let mut ended = Vec::new();
            loop {
                let answers: Vec<u8> = driver.take_sent().iter().flat_map(|words| answer(words)).collect();
                for seen in driver.take_seen() {
                    match seen {
                        Seen::Published(ticket)
                        | Seen::Subscribed(ticket, _)
                        | Seen::Unsubscribed(ticket) => {
                            ended.push(ticket.to_bits());
                        }
                        Seen::Open(_) | Seen::Connected { .. } | Seen::Resubscribed(..) => {}
                        other => panic!("{other:?}"),
                    }
                }
                if answers.is_empty() {
                    break;
                }
                driver.receive(&answers);
            }
            ended.sort_unstable();
            let mut requests = vector.content.requests.to_vec();
            requests.sort_unstable();
            assert_eq!(ended, requests);
            assert_eq!(driver.requests(), []);
        });
    }
}

#[test]
fn incoming_identifiers_are_answered_as_duplicates() {
    for_each_vector(|vector, mut driver| {
        driver.go_online(true);
        driver.forget();
        for id in [7, 8, 300, 65_535] {
            let is_known = vector.content.incoming.contains(&id);
            driver.receive(&publish(id, ExactlyOnce, is_known, b"in"));
            let expected: &[&str] = if is_known { &[] } else { &["in"] };
            assert_eq!(driver.take_payloads(), expected, "{id}");
            assert_eq!(driver.take_sent(), [format!("PUBREC #{id}")]);
            driver.receive(&pubrel(id));
            assert_eq!(driver.take_sent(), [format!("PUBCOMP #{id}")]);
            driver.receive(&publish(id, ExactlyOnce, false, b"new"));
            assert_eq!(driver.take_payloads(), ["new"], "{id} is free again");
            driver.receive(&pubrel(id));
            driver.forget();
        }
    });
}

#[test]
fn a_loaded_session_is_in_the_store_of_its_client() {
    for_each_vector(|vector, mut driver| {
        driver.run();
        for key in vector.content.incoming {
            assert!(driver.kept.has(mqtt_p2p_core::Key::Received(server::id(*key))), "{key}");
        }
        let subscribed = driver.kept.has(mqtt_p2p_core::Key::Subscriptions);
        assert_eq!(subscribed, !vector.content.subscriptions.is_empty());
    });
}
