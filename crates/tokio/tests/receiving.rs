//! Acknowledgement by hand, and streams with a policy of their own.

mod common;

use common::{
    Raw, connect, emulator, event, next, number, options, packet, publish, quick, tcp, until, within,
};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{AcknowledgeError, Client, ConnectionEvent, Messages, QoS, SubscribeError, WhenFull};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// A message of QoS 1 or 2, to topic `t` with a payload of one byte.
const fn acknowledged(qos: QoS, id: u16, payload: u8) -> [u8; 8] {
    [0x30 | (qos as u8) << 1, 6, 0, 1, b't', (id >> 8) as u8, id as u8, payload]
}

/// A client that acknowledges by hand, and its server.
async fn by_hand(raw: &Raw) -> (Client, Messages, TcpStream) {
    let mut options = raw.options();
    options.config.manual_ack = true;
    let (client, messages) = Client::start(options);
    let stream = raw.log_in().await;
    (client, messages, stream)
}

/// Sends a message, which shows to the server that nothing was sent before it but what it has read.
async fn nothing_else_was_sent(client: &Client, stream: &mut TcpStream) {
    within("PUBLISH", client.publish("t", "", QoS::AtMostOnce).await.unwrap()).await.unwrap();
    assert_eq!(packet(stream).await, [0x30, 3, 0, 1, b't']);
}

#[tokio::test]
async fn by_hand_a_message_is_acknowledged_once_however_many_streams_and_clones_do_it() {
    for (qos, ack) in [(QoS::AtLeastOnce, 0x40), (QoS::ExactlyOnce, 0x50)] {
        let raw = Raw::start().await;
        let (client, mut first, mut stream) = by_hand(&raw).await;
        let mut second = client.messages();
        stream.write_all(&acknowledged(qos, 7, b'x')).await.unwrap();
        let (one, other) = (next(&mut first).await, next(&mut second).await);
        nothing_else_was_sent(&client, &mut stream).await;
        for message in [&one, &other, &one.clone(), &one] {
            assert_eq!(message.acknowledge(), Ok(()));
        }
        assert_eq!(packet(&mut stream).await, [ack, 2, 0, 7]);
        nothing_else_was_sent(&client, &mut stream).await;
        assert_eq!(one, other);
    }
}

#[tokio::test]
async fn by_hand_the_acknowledgement_goes_out_at_once() {
    let raw = Raw::start().await;
    let (_client, mut messages, mut stream) = by_hand(&raw).await;
    stream.write_all(&acknowledged(QoS::AtLeastOnce, 1, b'x')).await.unwrap();
    let message = next(&mut messages).await;
    // The driver sleeps by now, and there is nothing else that wakes it.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    message.acknowledge().unwrap();
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 1]);
}

#[tokio::test]
async fn by_hand_a_message_of_a_lost_connection_is_stale_and_comes_again() {
    let raw = Raw::start().await;
    let (client, mut messages, mut stream) = by_hand(&raw).await;
    stream.write_all(&acknowledged(QoS::AtLeastOnce, 1, b'x')).await.unwrap();
    let old = next(&mut messages).await;
    let mut events = client.events();
    drop(stream);
    assert!(matches!(event(&mut events).await, ConnectionEvent::Disconnected { .. }));
    assert_eq!(old.acknowledge(), Err(AcknowledgeError::Stale));
    let mut stream = raw.log_in().await;
    assert_eq!(old.acknowledge(), Err(AcknowledgeError::Stale));
    stream.write_all(&acknowledged(QoS::AtLeastOnce, 1, b'x')).await.unwrap();
    let new = next(&mut messages).await;
    assert_eq!(new.acknowledge(), Ok(()));
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 1]);
    nothing_else_was_sent(&client, &mut stream).await;
    assert_eq!(old.acknowledge(), Err(AcknowledgeError::Stale));
}

#[tokio::test]
async fn by_hand_a_message_that_outlives_its_client_says_so() {
    let raw = Raw::start().await;
    let (client, mut messages, mut stream) = by_hand(&raw).await;
    stream.write_all(&acknowledged(QoS::AtLeastOnce, 1, b'x')).await.unwrap();
    let message = next(&mut messages).await;
    drop(stream);
    within("close", client.close()).await;
    assert_eq!(message.acknowledge(), Err(AcknowledgeError::Closed));
    drop(messages);
    assert_eq!(message.acknowledge(), Err(AcknowledgeError::Closed));
}

#[tokio::test]
async fn by_hand_any_number_of_messages_can_be_acknowledged_at_once() {
    const COUNT: u16 = 1_000;
    let raw = Raw::start().await;
    let (_client, mut messages, mut stream) = by_hand(&raw).await;
    for id in 1..=COUNT {
        stream.write_all(&acknowledged(QoS::AtLeastOnce, id, b'x')).await.unwrap();
    }
    let mut all = Vec::new();
    for _ in 0..COUNT {
        all.push(next(&mut messages).await);
    }
    // No await in between: the driver can't send any of it.
    for message in &all {
        assert_eq!(message.acknowledge(), Ok(()));
    }
    for id in 1..=COUNT {
        assert_eq!(packet(&mut stream).await, [0x40, 2, (id >> 8) as u8, id as u8]);
    }
}

#[tokio::test]
async fn without_by_hand_there_is_nothing_to_acknowledge() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut messages) = connect(options(tcp(&server), "1")).await;
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        drop(client.publish("n", "1", qos).await.unwrap());
        assert_eq!(next(&mut messages).await.acknowledge(), Ok(()));
    }
    assert_eq!(client.stats().unexpected_acks, 0);
}

#[tokio::test]
async fn by_hand_more_messages_than_the_servers_window_come_as_they_are_acknowledged() {
    const COUNT: usize = 2_000;
    let server = emulator(Quirks::standard()).await;
    let mut careful = options(tcp(&server), "careful");
    careful.config = quick(careful.config).with_manual_ack(true);
    let (receiver, mut messages) = connect(careful).await;
    receiver.subscribe("n", QoS::ExactlyOnce).await.unwrap();
    let (sender, _) = connect(options(tcp(&server), "sender")).await;
    for i in 0..COUNT {
        let qos = [QoS::AtLeastOnce, QoS::ExactlyOnce][i % 2];
        drop(sender.publish("n", i.to_string(), qos).await.unwrap());
    }
    let mut arrived = Vec::new();
    for _ in 0..COUNT {
        let message = next(&mut messages).await;
        arrived.push(number(&message));
        message.acknowledge().unwrap();
    }
    arrived.sort_unstable();
    assert!(arrived.into_iter().eq(0..COUNT));
}

/// The numbers that wait in a stream.
fn numbers(messages: &mut Messages) -> Vec<usize> {
    std::iter::from_fn(|| messages.try_recv()).map(|message| number(&message)).collect()
}

#[tokio::test]
async fn each_stream_keeps_what_its_own_policy_says_and_disturbs_no_other() {
    let raw = Raw::start().await;
    let (client, mut all) = Client::start(raw.options());
    let mut newest = client.stream().capacity(3).when_full(WhenFull::DropOldest).open();
    let mut oldest = client.stream().capacity(4).when_full(WhenFull::DropNewest).open();
    let mut stream = raw.log_in().await;
    let everything: Vec<u8> = (0..500).flat_map(|i: i32| publish(i.to_string().as_bytes())).collect();
    stream.write_all(&everything).await.unwrap();
    // This one is read, and so nothing stops.
    for i in 0..500 {
        assert_eq!(number(&next(&mut all).await), i);
    }
    assert_eq!((newest.len(), newest.queued_bytes(), newest.dropped()), (3, 3 * 4, 497));
    assert_eq!((oldest.len(), oldest.queued_bytes(), oldest.dropped()), (4, 4 * 2, 496));
    assert_eq!(numbers(&mut newest), [497, 498, 499]);
    assert_eq!(numbers(&mut oldest), [0, 1, 2, 3]);
    assert_eq!(client.stats().dropped, 497 + 496);
    assert_eq!((all.dropped(), all.len(), newest.len(), newest.queued_bytes()), (0, 0, 0, 0));
    // There is room again.
    stream.write_all(&publish(b"500")).await.unwrap();
    for messages in [&mut all, &mut newest, &mut oldest] {
        assert_eq!(number(&next(messages).await), 500);
    }
}

#[tokio::test]
async fn a_stream_presses_back_at_its_own_capacity() {
    let raw = Raw::start().await;
    let (client, mut all) = Client::start(raw.options());
    let mut narrow = client.stream().capacity(2).when_full(WhenFull::Wait).open();
    let mut stream = raw.log_in().await;
    for i in 0..10 {
        stream.write_all(&publish(i.to_string().as_bytes())).await.unwrap();
    }
    until("the reading stops", || client.stats().held).await;
    assert_eq!((all.len(), narrow.len()), (2, 2));
    for i in 0..10 {
        assert_eq!(number(&next(&mut narrow).await), i);
        assert_eq!(number(&next(&mut all).await), i);
    }
    until("the reading goes on", || !client.stats().held).await;
}

#[tokio::test]
async fn by_hand_what_a_stream_drops_is_not_acknowledged() {
    let raw = Raw::start().await;
    let (client, all, mut stream) = by_hand(&raw).await;
    drop(all);
    let mut newest = client.stream().capacity(1).when_full(WhenFull::DropOldest).open();
    for id in 1..=3 {
        stream.write_all(&acknowledged(QoS::AtLeastOnce, id, b'0' + id as u8)).await.unwrap();
    }
    until("the third is there", || newest.dropped() == 2).await;
    let third = next(&mut newest).await;
    assert_eq!(number(&third), 3);
    third.acknowledge().unwrap();
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 3]);
    nothing_else_was_sent(&client, &mut stream).await;
}

#[tokio::test]
async fn a_stream_gets_only_what_its_filter_matches_and_no_filter_is_invented() {
    let server = emulator(Quirks::standard()).await;
    let (client, _all) = connect(options(tcp(&server), "1")).await;
    assert!(matches!(client.stream().matching("a/#/b"), Err(SubscribeError::Filter(_))));
    let mut some = client.stream().matching("a/+").unwrap().capacity(1).open();
    client.subscribe("#", QoS::AtMostOnce).await.unwrap();
    for topic in ["b/1", "a/1", "a/1/2", "a/2"] {
        drop(client.publish(topic, "", QoS::AtMostOnce).await.unwrap());
    }
    assert_eq!(next(&mut some).await.topic(), "a/1");
    assert_eq!(next(&mut some).await.topic(), "a/2");
}

#[tokio::test]
async fn a_stream_of_a_closed_client_ends() {
    let raw = Raw::start().await;
    let (client, _) = Client::start(raw.options());
    let builder = client.stream();
    within("close", client.close()).await;
    assert!(within("the end", builder.open().recv()).await.is_none());
}
