//! The client, connected, over a transport in memory that takes all it is offered.

use std::hint::black_box;
use std::time::Duration;

use mqtt_p2p_core::{
    Action, Client, Config, Event, Growing, InboundId, Inline, Instant, Login, Memory, Publication, QoS,
    Request, Storage, TopicName,
};

use super::codec::{publish as packet, small};
use super::machine::{
    PUBACK, PUBCOMP, PUBLISH_0, PUBLISH_1, PUBLISH_2, PUBREC, PUBREL, RECEIVE_0, RECEIVE_1, ack,
};
use super::row::{OURS, PAYLOAD, Row, TOPIC, repeat};

const RECEIVE_2: &str = "client: receive QoS 2, whole";

const NOW: Instant = Instant::from_millis(1_000);
/// How many messages the rows with many at once have, and those with some.
const BATCH: u32 = 100;
const SOME: u32 = 10;

type Fixed = Inline<65_536, 256, 1024, 128, 4>;

fn fixed() -> Client<Fixed> {
    connected(Fixed::new())
}

fn growing() -> Client<Growing> {
    connected(Growing::default())
}

/// Over the caller's slices, as other languages give them.
fn slices() -> Client<Memory<'static>> {
    connected(
        Memory::new(vec![0; 65_536].leak(), vec![Request::EMPTY; 256].leak(), vec![0; 1024].leak())
            .with_subscriptions(vec![0; 128].leak())
            .with_inbound(vec![InboundId::EMPTY; 4].leak()),
    )
}

pub(crate) fn rows() -> Vec<Row> {
    const PUBLISHES_0: &str = "publish; polls to Transmit, Published, Wait";
    const PUBLISHES_0_NOT_TOLD: &str = "publish; poll to Transmit; nothing to wait for by is_waiting";
    const PUBLISHES_1: &str = "publish; polls to Transmit, Wait; PUBACK; polls to Published, Wait";
    const PUBLISHES_1_ASKED: &str =
        "publish; polls to Transmit, Wait; PUBACK; poll to Published; nothing to wait for by is_waiting";
    const PUBLISHES_2: &str = "publish; polls to Transmit, Wait; PUBREC; polls to Transmit, Wait; PUBCOMP; \
                               polls to Published, Wait";
    const RECEIVES_0: &str = "polls to Message, Wait";
    const RECEIVES_1: &str = "polls to Message, Transmit, Wait";
    const RECEIVES_2: &str = "polls to Message, Transmit, Wait; PUBREL; polls to Transmit, Wait";
    const MANY_0: &str = "100 publish; poll to Transmit; 100 polls to Published; poll to Wait";
    const SOME_0: &str = "10 publish; poll to Transmit; 10 polls to Published; poll to Wait";
    const MANY_0_NOT_TOLD: &str = "100 publish; polls to Transmit, Wait";
    const SOME_0_NOT_TOLD: &str = "10 publish; polls to Transmit, Wait";
    const SOME_1: &str =
        "10 publish; polls to Transmit, Wait; 10 PUBACKs; 10 polls to Published; poll to Wait";
    const MANY_1: &str =
        "100 publish; polls to Transmit, Wait; 100 PUBACKs; 100 polls to Published; poll to Wait";
    const MANY_IN: &str = "4096 polls to Message, poll to Wait";
    let ours = |operation: &str, what, run: fn(u32) -> Duration| Row::new(OURS, operation, what, run);
    let with = |operation: &str, storage: &str, what, run: fn(u32) -> Duration| {
        Row::new(OURS, format!("{operation}, {storage}"), what, run)
    };
    vec![
        ours(PUBLISH_0, PUBLISHES_0, |n| publish_0(n, fixed())).budget(300),
        ours(PUBLISH_1, PUBLISHES_1, |n| publish_1(n, fixed())).budget(500),
        ours(PUBLISH_2, PUBLISHES_2, |n| publish_2(n, fixed())),
        ours(RECEIVE_0, RECEIVES_0, |n| receive_0(n, fixed())).budget(300),
        ours(RECEIVE_1, RECEIVES_1, |n| receive_1(n, fixed())).budget(450),
        ours(RECEIVE_2, RECEIVES_2, |n| receive_2(n, fixed())),
        with(PUBLISH_0, "not told", PUBLISHES_0_NOT_TOLD, |n| publish_0_not_told(n, Fixed::new()))
            .budget(300),
        with(PUBLISH_1, "asked", PUBLISHES_1_ASKED, |n| publish_1_asked(n, fixed())).budget(500),
        with(PUBLISH_0, "growing", PUBLISHES_0, |n| publish_0(n, growing())).budget(300),
        with(PUBLISH_1, "growing", PUBLISHES_1, |n| publish_1(n, growing())).budget(500),
        with(PUBLISH_2, "growing", PUBLISHES_2, |n| publish_2(n, growing())),
        with(RECEIVE_0, "growing", RECEIVES_0, |n| receive_0(n, growing())).budget(300),
        with(RECEIVE_1, "growing", RECEIVES_1, |n| receive_1(n, growing())).budget(450),
        with(RECEIVE_2, "growing", RECEIVES_2, |n| receive_2(n, growing())),
        with(PUBLISH_0, "slices", PUBLISHES_0, |n| publish_0(n, slices())).budget(300),
        with(PUBLISH_1, "slices", PUBLISHES_1, |n| publish_1(n, slices())).budget(500),
        with(RECEIVE_0, "slices", RECEIVES_0, |n| receive_0(n, slices())).budget(300),
        with(PUBLISH_0, "10 at once", SOME_0, |n| many_0(n, SOME, fixed())).budget(300).many(SOME, 20),
        with(PUBLISH_0, "100 at once", MANY_0, |n| many_0(n, BATCH, fixed())).budget(300).many(BATCH, 20),
        with(PUBLISH_0, "not told, 10 at once", SOME_0_NOT_TOLD, |n| many_0(n, SOME, silent(Fixed::new())))
            .budget(300)
            .many(SOME, 20),
        with(PUBLISH_0, "not told, 100 at once", MANY_0_NOT_TOLD, |n| many_0(n, BATCH, silent(Fixed::new())))
            .budget(300)
            .many(BATCH, 20),
        with(PUBLISH_0, "not told, 100 at once, growing", MANY_0_NOT_TOLD, |n| {
            many_0(n, BATCH, silent(Growing::default()))
        })
        .budget(300)
        .many(BATCH, 20),
        with(PUBLISH_1, "10 at once", SOME_1, |n| many_1(n, SOME, fixed())).budget(500).many(SOME, 20),
        with(PUBLISH_1, "100 at once", MANY_1, |n| many_1(n, BATCH, fixed())).budget(500).many(BATCH, 20),
        with(PUBLISH_1, "100 at once, growing", MANY_1, |n| many_1(n, BATCH, growing()))
            .budget(500)
            .many(BATCH, 20),
        ours("client: receive 64 KiB of 16-byte PUBLISHes", MANY_IN, |n| many_in(n, fixed()))
            .budget(300)
            .many(4096, 2),
    ]
}

fn connected<S: Storage>(storage: S) -> Client<S> {
    connected_with(storage, Config::new())
}

fn connected_with<S: Storage>(storage: S, config: Config) -> Client<S> {
    let mut client = Client::new(config.with_max_in_flight(BATCH as u16), 42, storage);
    connect(&mut client);
    client
}

/// With [`Config::tell_qos_0`] off.
fn silent<S: Storage>(storage: S) -> Client<S> {
    connected_with(storage, Config::new().with_tell_qos_0(false))
}

pub(crate) fn connect<S: Storage>(client: &mut Client<S>) {
    client.connect(NOW);
    assert!(matches!(client.poll(NOW, &mut &[][..]), Action::OpenTransport { .. }));
    client.transport_opened(NOW, &Login::new("GID_devices@@@000001"));
    drain(client, &[]);
    drain(client, &[0x20, 2, 0, 0]);
    assert!(client.is_connected());
}

/// Does what the client says, as a driver would, until there is nothing to do.
#[inline]
pub(crate) fn drain<S: Storage>(client: &mut Client<S>, mut received: &[u8]) {
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

pub(crate) fn publication(qos: QoS) -> Publication<'static> {
    Publication::new(TopicName::new(TOPIC).expect("a topic name"), &PAYLOAD).with_qos(qos)
}

#[inline]
pub(crate) fn publish<S: Storage>(client: &mut Client<S>, publication: &Publication<'_>) -> u16 {
    client.publish(black_box(publication)).expect("room").packet_id()
}

fn publish_0<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let publication = publication(QoS::AtMostOnce);
    let mut words = Vec::new();
    publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    assert_eq!(words, ["Transmit", "Published", "Wait"]);
    let took = repeat(times, || {
        publish(&mut client, &publication);
        drain(&mut client, &[]);
    });
    assert_eq!(client.requests().count(), 0);
    took
}

/// [`Config::tell_qos_0`] is off, and the driver asks [`Client::is_waiting`] before it polls again.
fn publish_0_not_told<S: Storage>(times: u32, storage: S) -> Duration {
    let mut client = silent(storage);
    let publication = publication(QoS::AtMostOnce);
    let mut words = Vec::new();
    publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    assert_eq!(words, ["Transmit", "Wait"]);
    let took = repeat(times, || {
        publish(&mut client, &publication);
        let Action::Transmit(bytes) = client.poll(black_box(NOW), &mut &[][..]) else {
            panic!("it goes out");
        };
        let len = black_box(bytes).len();
        client.transmitted(len);
        assert!(client.is_waiting());
    });
    assert_eq!(client.requests().count(), 0);
    took
}

fn publish_1<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let publication = publication(QoS::AtLeastOnce);
    let mut words = Vec::new();
    let id = publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    trace(&mut client, &ack(PUBACK, id), &mut words);
    assert_eq!(words, ["Transmit", "Wait", "Published", "Wait"]);
    // One place in the code for both, as in a driver.
    let took = repeat(times, || {
        let id = publish(&mut client, &publication);
        let answer = ack(PUBACK, id);
        for received in [&[][..], &answer] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.requests().count(), 0);
    took
}

/// The driver asks [`Client::is_waiting`] before it polls again.
fn publish_1_asked<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let publication = publication(QoS::AtLeastOnce);
    let took = repeat(times, || {
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
    took
}

fn publish_2<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let publication = publication(QoS::ExactlyOnce);
    let mut words = Vec::new();
    let id = publish(&mut client, &publication);
    trace(&mut client, &[], &mut words);
    trace(&mut client, &ack(PUBREC, id), &mut words);
    trace(&mut client, &ack(PUBCOMP, id), &mut words);
    assert_eq!(words, ["Transmit", "Wait", "Transmit", "Wait", "Published", "Wait"]);
    let took = repeat(times, || {
        let id = publish(&mut client, &publication);
        let (pubrec, pubcomp) = (ack(PUBREC, id), ack(PUBCOMP, id));
        for received in [&[][..], &pubrec, &pubcomp] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.requests().count(), 0);
    took
}

fn receive_0<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let packet = packet(PAYLOAD.len(), None);
    let mut words = Vec::new();
    trace(&mut client, &packet, &mut words);
    assert_eq!(words, ["Message", "Wait"]);
    repeat(times, || drain(&mut client, black_box(&packet)))
}

fn receive_1<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let packet = packet(PAYLOAD.len(), Some(10));
    let mut words = Vec::new();
    trace(&mut client, &packet, &mut words);
    assert_eq!(words, ["Message", "Transmit", "Wait"]);
    repeat(times, || drain(&mut client, black_box(&packet)))
}

fn receive_2<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let mut packet = packet(PAYLOAD.len(), Some(10));
    packet[0] = 0x34;
    let pubrel = ack(PUBREL, 10);
    let mut words = Vec::new();
    trace(&mut client, &packet, &mut words);
    trace(&mut client, &pubrel, &mut words);
    assert_eq!(words, ["Message", "Transmit", "Wait", "Transmit", "Wait"]);
    let took = repeat(times, || {
        for received in [packet.as_slice(), &pubrel] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.stats().duplicates, 0);
    took
}

fn many_0<S: Storage>(times: u32, batch: u32, mut client: Client<S>) -> Duration {
    let publication = publication(QoS::AtMostOnce);
    let mut words = Vec::new();
    for _ in 0..batch {
        publish(&mut client, &publication);
    }
    trace(&mut client, &[], &mut words);
    let told = if client.config().tell_qos_0 { batch as usize } else { 0 };
    assert_eq!(words, [&["Transmit"][..], &vec!["Published"; told], &["Wait"]].concat());
    let took = repeat(times, || {
        repeat(batch, || {
            publish(&mut client, &publication);
        });
        drain(&mut client, &[]);
    });
    assert_eq!(client.requests_in_use(), 0);
    took
}

fn many_1<S: Storage>(times: u32, batch: u32, mut client: Client<S>) -> Duration {
    let publication = publication(QoS::AtLeastOnce);
    let mut answers = Vec::with_capacity(4 * batch as usize);
    let mut words = Vec::new();
    answers.extend((0..batch).flat_map(|_| ack(PUBACK, publish(&mut client, &publication))));
    trace(&mut client, &[], &mut words);
    trace(&mut client, &answers, &mut words);
    assert_eq!(words, [&["Transmit", "Wait"][..], &vec!["Published"; batch as usize], &["Wait"]].concat());
    let took = repeat(times, || {
        answers.clear();
        repeat(batch, || {
            let id = publish(&mut client, &publication);
            answers.extend_from_slice(&ack(PUBACK, id));
        });
        for received in [&[][..], &answers] {
            drain(&mut client, black_box(received));
        }
    });
    assert_eq!(client.requests().count(), 0);
    took
}

fn many_in<S: Storage>(times: u32, mut client: Client<S>) -> Duration {
    let packets = small().repeat(4096);
    let mut words = Vec::new();
    trace(&mut client, &packets, &mut words);
    assert_eq!(words, [&["Message"; 4096][..], &["Wait"]].concat());
    repeat(times, || drain(&mut client, black_box(&packets)))
}
