//! The client, connected, over a transport in memory that takes all it is offered.

use std::hint::black_box;

use mqtt_p2p_core::{
    Action, Client, Config, Event, Growing, InboundId, Inline, Instant, Login, Memory, Publication, QoS,
    Request, Storage,
};

use crate::packet::{acked, encoded, small, topic};
use crate::{PAYLOAD, Row, repeat};

const NOW: Instant = Instant::from_millis(1_000);
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
/// How many messages the rows with many at once have.
const BATCH: u32 = 100;

type Fixed = Inline<65_536, 256, 1024, 128, 4>;

fn fixed() -> Client<Fixed> {
    connected(Fixed::new())
}

fn growing() -> Client<Growing> {
    connected(Growing::default())
}

/// Over the caller's slices, as other languages give them.
fn slices() -> Client<Memory<'static>> {
    connected(Memory {
        tx: vec![0; 65_536].leak(),
        requests: vec![Request::EMPTY; 256].leak(),
        control: vec![0; 1024].leak(),
        subscriptions: vec![0; 128].leak(),
        inbound: vec![InboundId::EMPTY; 4].leak(),
        growable: false,
    })
}

pub(crate) fn rows() -> Vec<Row> {
    const PUBLISH_0: &str = "publish; polls to Transmit, Published, Wait";
    const PUBLISH_1_ASKED: &str =
        "publish; polls to Transmit, Wait; PUBACK; poll to Published; nothing to wait for by is_waiting";
    const PUBLISH_0_NOT_TOLD: &str = "publish; poll to Transmit; nothing to wait for by is_waiting";
    const PUBLISH_1: &str = "publish; polls to Transmit, Wait; PUBACK; polls to Published, Wait";
    const PUBLISH_2: &str = "publish; polls to Transmit, Wait; PUBREC; polls to Transmit, Wait; PUBCOMP; \
                             polls to Published, Wait";
    const RECEIVE_0: &str = "polls to Message, Wait";
    const RECEIVE_1: &str = "polls to Message, Transmit, Wait";
    const RECEIVE_2: &str = "polls to Message, Transmit, Wait; PUBREL; polls to Transmit, Wait";
    const MANY_0: &str = "100 publish; poll to Transmit; 100 polls to Published; poll to Wait";
    const MANY_1: &str =
        "100 publish; polls to Transmit, Wait; 100 PUBACKs; 100 polls to Published; poll to Wait";
    const MANY_IN: &str = "4096 polls to Message, poll to Wait";
    vec![
        Row::new("client: publish QoS 0", PUBLISH_0, Some(300), |n| {
            publish_0(n, fixed());
        }),
        Row::new("client: publish QoS 0, not told", PUBLISH_0_NOT_TOLD, Some(300), |n| {
            publish_0_not_told(n, Fixed::new());
        }),
        Row::new("client: publish QoS 0, growing", PUBLISH_0, Some(300), |n| {
            publish_0(n, growing());
        }),
        Row::new("client: publish QoS 0, slices", PUBLISH_0, Some(300), |n| {
            publish_0(n, slices());
        }),
        Row::new("client: publish QoS 1 and PUBACK", PUBLISH_1, Some(500), |n| {
            publish_1(n, fixed());
        }),
        Row::new("client: publish QoS 1 and PUBACK, asked", PUBLISH_1_ASKED, Some(500), |n| {
            publish_1_asked(n, fixed());
        }),
        Row::new("client: publish QoS 1 and PUBACK, growing", PUBLISH_1, Some(500), |n| {
            publish_1(n, growing())
        }),
        Row::new("client: publish QoS 1 and PUBACK, slices", PUBLISH_1, Some(500), |n| {
            publish_1(n, slices());
        }),
        Row::new("client: publish QoS 2, whole", PUBLISH_2, None, |n| {
            publish_2(n, fixed());
        }),
        Row::new("client: publish QoS 2, whole, growing", PUBLISH_2, None, |n| {
            publish_2(n, growing());
        }),
        Row::new("client: receive QoS 0", RECEIVE_0, Some(300), |n| {
            receive_0(n, fixed());
        }),
        Row::new("client: receive QoS 0, growing", RECEIVE_0, Some(300), |n| {
            receive_0(n, growing());
        }),
        Row::new("client: receive QoS 0, slices", RECEIVE_0, Some(300), |n| {
            receive_0(n, slices());
        }),
        Row::new("client: receive QoS 1 and send PUBACK", RECEIVE_1, Some(450), |n| receive_1(n, fixed())),
        Row::new("client: receive QoS 1 and send PUBACK, growing", RECEIVE_1, Some(450), |n| {
            receive_1(n, growing())
        }),
        Row::new("client: receive QoS 2, whole", RECEIVE_2, None, |n| {
            receive_2(n, fixed());
        }),
        Row::new("client: receive QoS 2, whole, growing", RECEIVE_2, None, |n| {
            receive_2(n, growing());
        }),
        Row::new("client: publish QoS 0, 100 at once", MANY_0, Some(300), |n| {
            many_0(n, fixed());
        })
        .many(BATCH, 20),
        Row::new("client: publish QoS 1 and PUBACK, 100 at once", MANY_1, Some(500), |n| many_1(n, fixed()))
            .many(BATCH, 20),
        Row::new("client: publish QoS 1 and PUBACK, 100 at once, growing", MANY_1, Some(500), |n| {
            many_1(n, growing())
        })
        .many(BATCH, 20),
        Row::new("client: receive 64 KiB of 16-byte PUBLISHes", MANY_IN, Some(300), |n| many_in(n, fixed()))
            .many(4096, 2),
    ]
}

fn connected<S: Storage>(storage: S) -> Client<S> {
    connected_with(storage, Config::new())
}

fn connected_with<S: Storage>(storage: S, config: Config) -> Client<S> {
    let config = Config { max_in_flight: BATCH as u16, ..config };
    let mut client = Client::new(config, 42, storage);
    client.connect(NOW);
    assert!(matches!(client.poll(NOW, &mut &[][..]), Action::OpenTransport { .. }));
    client.transport_opened(NOW, &Login::new("GID_devices@@@000001"));
    drain(&mut client, &[]);
    drain(&mut client, &[0x20, 2, 0, 0]);
    assert!(client.is_connected());
    client
}

/// Does what the client says, as a driver would, until there is nothing to do.
#[inline]
fn drain<S: Storage>(client: &mut Client<S>, mut received: &[u8]) {
    loop {
        match client.poll(black_box(NOW), &mut received) {
            Action::Transmit(bytes) => {
                let len = black_box(bytes).len();
                client.transmitted(len);
            }
            Action::Event(event) => {
                black_box(&event);
            }
            Action::Wait(until) => {
                black_box(until);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What a single pass of [`drain`] does, as words, to make sure that a row measures what it says.
fn trace<S: Storage>(client: &mut Client<S>, mut received: &[u8], words: &mut Vec<&'static str>) {
    loop {
        match client.poll(NOW, &mut received) {
            Action::Transmit(bytes) => {
                let len = bytes.len();
                client.transmitted(len);
                words.push("Transmit");
            }
            Action::Event(Event::Published { .. }) => words.push("Published"),
            Action::Event(Event::Message(_)) => words.push("Message"),
            Action::Wait(_) => return words.push("Wait"),
            other => panic!("{other:?}"),
        }
    }
}

fn publication(qos: QoS) -> Publication<'static> {
    Publication { topic: topic(), payload: &PAYLOAD, qos, retain: false }
}

#[inline]
fn publish<S: Storage>(client: &mut Client<S>, publication: &Publication<'_>) -> u16 {
    client.publish(black_box(publication)).expect("room").packet_id()
}

#[inline]
fn ack(first: u8, id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [first, 2, high, low]
}

fn publish_0<S: Storage>(times: u32, mut client: Client<S>) {
    let publication = publication(QoS::AtMostOnce);
    let mut words = Vec::new();
    publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    assert_eq!(words, ["Transmit", "Published", "Wait"]);
    repeat(times, || {
        publish(&mut client, &publication);
        drain(&mut client, &[]);
    });
    assert_eq!(client.requests().count(), 0);
}

/// [`Config::tell_qos_0`] is off, and the driver asks [`Client::is_waiting`] before it polls again.
fn publish_0_not_told<S: Storage>(times: u32, storage: S) {
    let mut client = connected_with(storage, Config { tell_qos_0: false, ..Config::new() });
    let publication = publication(QoS::AtMostOnce);
    let mut words = Vec::new();
    publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    assert_eq!(words, ["Transmit", "Wait"]);
    repeat(times, || {
        publish(&mut client, &publication);
        let Action::Transmit(bytes) = client.poll(black_box(NOW), &mut &[][..]) else {
            panic!("it goes out");
        };
        let len = black_box(bytes).len();
        client.transmitted(len);
        assert!(client.is_waiting());
    });
    assert_eq!(client.requests().count(), 0);
}

fn publish_1<S: Storage>(times: u32, mut client: Client<S>) {
    let publication = publication(QoS::AtLeastOnce);
    let mut words = Vec::new();
    let id = publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    trace(&mut client, &ack(PUBACK, id), &mut words);
    assert_eq!(words, ["Transmit", "Wait", "Published", "Wait"]);
    // One place in the code for both, as in a driver.
    repeat(times, || {
        let id = publish(&mut client, &publication);
        let answer = ack(PUBACK, id);
        for received in [&[][..], &answer] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.requests().count(), 0);
}

/// The driver asks [`Client::is_waiting`] before it polls again.
fn publish_1_asked<S: Storage>(times: u32, mut client: Client<S>) {
    let publication = publication(QoS::AtLeastOnce);
    repeat(times, || {
        let id = publish(&mut client, &publication);
        drain(&mut client, &[]);
        let answer = ack(PUBACK, id);
        let mut received = black_box(&answer[..]);
        let Action::Event(event) = client.poll(black_box(NOW), &mut received) else {
            panic!("it is acknowledged");
        };
        black_box(&event);
        assert!(client.is_waiting());
    });
    assert_eq!(client.requests().count(), 0);
}

fn publish_2<S: Storage>(times: u32, mut client: Client<S>) {
    let publication = publication(QoS::ExactlyOnce);
    let mut words = Vec::new();
    let id = publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    trace(&mut client, &ack(PUBREC, id), &mut words);
    trace(&mut client, &ack(PUBCOMP, id), &mut words);
    assert_eq!(words, ["Transmit", "Wait", "Transmit", "Wait", "Published", "Wait"]);
    repeat(times, || {
        let id = publish(&mut client, &publication);
        let (pubrec, pubcomp) = (ack(PUBREC, id), ack(PUBCOMP, id));
        for received in [&[][..], &pubrec, &pubcomp] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.requests().count(), 0);
}

fn receive_0<S: Storage>(times: u32, mut client: Client<S>) {
    let packet = encoded(None);
    let mut words = Vec::new();
    trace(&mut client, &packet, &mut words);
    assert_eq!(words, ["Message", "Wait"]);
    repeat(times, || drain(&mut client, black_box(&packet)));
}

fn receive_1<S: Storage>(times: u32, mut client: Client<S>) {
    let packet = encoded(acked());
    let mut words = Vec::new();
    trace(&mut client, &packet, &mut words);
    assert_eq!(words, ["Message", "Transmit", "Wait"]);
    repeat(times, || drain(&mut client, black_box(&packet)));
}

fn receive_2<S: Storage>(times: u32, mut client: Client<S>) {
    let mut packet = encoded(acked());
    packet[0] = 0x34;
    let pubrel = ack(PUBREL, 10);
    let mut words = Vec::new();
    trace(&mut client, &packet, &mut words);
    trace(&mut client, &pubrel, &mut words);
    assert_eq!(words, ["Message", "Transmit", "Wait", "Transmit", "Wait"]);
    repeat(times, || {
        for received in [packet.as_slice(), &pubrel] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.stats().duplicates, 0);
}

fn many_0<S: Storage>(times: u32, mut client: Client<S>) {
    let publication = publication(QoS::AtMostOnce);
    repeat(times, || {
        repeat(BATCH, || {
            publish(&mut client, &publication);
        });
        drain(&mut client, &[]);
    });
    assert_eq!(client.requests().count(), 0);
}

fn many_1<S: Storage>(times: u32, mut client: Client<S>) {
    let publication = publication(QoS::AtLeastOnce);
    let mut answers = Vec::with_capacity(4 * BATCH as usize);
    repeat(times, || {
        answers.clear();
        repeat(BATCH, || {
            let id = publish(&mut client, &publication);
            answers.extend_from_slice(&ack(PUBACK, id));
        });
        for received in [&[][..], &answers] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.requests().count(), 0);
}

fn many_in<S: Storage>(times: u32, mut client: Client<S>) {
    let packets = small("topic/01");
    repeat(times, || drain(&mut client, black_box(&packets)));
}
