//! The hot path takes nothing from the heap: with memory of a fixed size from the first call on, with memory that grows
//! once it is large enough.

use allocation_counter::measure;
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{
    Action, Client, Config, Event, Growing, Inline, Instant, Login, Publication, QoS, Storage,
    SubscribeFilter, TopicFilter, TopicName,
};

const NOW: Instant = Instant::from_millis(0);

/// Does what the client says until there is nothing to do; gives how many packets' bytes went out and how many events
/// came.
fn drain<S: Storage>(client: &mut Client<S>, mut received: &[u8]) -> (usize, usize) {
    let (mut sent, mut events) = (0, 0);
    loop {
        match client.poll(NOW, &mut received) {
            Action::OpenTransport { .. } => client.transport_opened(NOW, &Login::new("GID_a@@@1")),
            Action::Transmit(bytes) => {
                let len = bytes.len();
                sent += len;
                client.transmitted(len);
            }
            Action::Event(Event::Disconnected { reason, .. }) => panic!("{reason}"),
            Action::Event(_) => events += 1,
            Action::Wait(_) => return (sent, events),
            other => panic!("{other:?}"),
        }
    }
}

fn publish<S: Storage>(client: &mut Client<S>, qos: QoS) -> [u8; 2] {
    let topic = TopicName::new("site/p2p/GID_a@@@1").expect("a valid topic name");
    let publication = Publication::new(topic, b"hello").with_qos(qos);
    client.publish(&publication).expect("there is room").packet_id().to_be_bytes()
}

/// A message of each QoS in each direction, a subscription, a ping; their answers.
fn everything<S: Storage>(client: &mut Client<S>) {
    publish(client, AtMostOnce);
    assert_eq!(drain(client, &[]).1, 1);

    let [high, low] = publish(client, AtLeastOnce);
    drain(client, &[]);
    assert_eq!(drain(client, &[0x40, 2, high, low]).1, 1);

    let [high, low] = publish(client, ExactlyOnce);
    drain(client, &[]);
    assert_eq!(drain(client, &[0x50, 2, high, low]), (4, 0));
    assert_eq!(drain(client, &[0x70, 2, high, low]).1, 1);

    assert_eq!(drain(client, b"\x30\x04\x00\x01tx"), (0, 1));
    assert_eq!(drain(client, b"\x32\x06\x00\x01t\x00\x07x"), (4, 1));
    assert_eq!(drain(client, b"\x34\x06\x00\x01t\x00\x07x"), (4, 1));
    assert_eq!(drain(client, b"\x62\x02\x00\x07"), (4, 0));

    let filter = TopicFilter::new("a/+").expect("a valid topic filter");
    let ticket = client.subscribe(&[SubscribeFilter::new(filter, AtLeastOnce)]).expect("there is room");
    let [high, low] = ticket.packet_id().to_be_bytes();
    drain(client, &[]);
    assert_eq!(drain(client, &[0x90, 3, high, low, 1]).1, 1);

    client.ping();
    assert_eq!(drain(client, &[]), (2, 0));
    assert_eq!(drain(client, b"\xd0\x00"), (0, 0));
}

fn connect<S: Storage>(client: &mut Client<S>) {
    client.connect(NOW);
    drain(client, &[]);
    assert_eq!(drain(client, b"\x20\x02\x00\x00").1, 1);
}

#[test]
fn a_client_in_memory_of_a_fixed_size_takes_nothing_from_the_heap() {
    let taken = measure(|| {
        let mut client = Client::new(Config::new(), 42, Inline::<512>::new());
        connect(&mut client);
        for _ in 0..1_000 {
            everything(&mut client);
        }
    });
    assert_eq!((taken.count_total, taken.bytes_total), (0, 0));
}

#[test]
fn a_client_in_memory_that_grows_takes_nothing_more_once_it_is_large_enough() {
    let mut client = Client::new(Config::new(), 42, Growing::default());
    connect(&mut client);
    (0..2).for_each(|_| everything(&mut client));
    let taken = measure(|| (0..1_000).for_each(|_| everything(&mut client)));
    assert_eq!((taken.count_total, taken.bytes_total), (0, 0));
}

#[test]
fn the_heap_is_looked_at() {
    assert!(measure(|| drop(std::hint::black_box(Box::new(1)))).count_total > 0);
}
