//! Bounded memory in both directions, without loss.

mod common;

use std::time::Duration;

use common::{Raw, connect, emulator, event, next, number, options, packet, publish, tcp, until, within, ws};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{Client, ConnectionEvent, Error, PublishError, QoS};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_reader_that_sleeps_stops_the_server_and_gets_everything_later() {
    const PAYLOAD: usize = 1024;
    let raw = Raw::start().await;
    let mut options = raw.options();
    options.stream_capacity = 16;
    let (_client, mut messages) = Client::start(options);
    let mut stream = raw.log_in().await;
    let message = publish(&[b'x'; PAYLOAD]);
    let mut sent = 0_usize;
    // The socket's own buffers take some; the client must not take the rest.
    let stopped = async {
        while sent < 256 << 20 {
            let rest = &message[sent % message.len()..];
            match tokio::time::timeout(Duration::from_millis(500), stream.write(rest)).await {
                Ok(written) => sent += written.unwrap(),
                Err(_) => return,
            }
        }
    };
    within("an end of the flood", stopped).await;
    println!("the sleeping reader's client took {} KiB", sent >> 10);
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    let rest = message[sent % message.len()..].to_vec();
    tokio::spawn(async move {
        stream.write_all(&rest).await.unwrap();
        stream.shutdown().await.unwrap();
        common::ended(&mut stream).await;
    });
    for _ in 0..sent.div_ceil(message.len()) {
        assert_eq!(next(&mut messages).await.payload().len(), PAYLOAD);
    }
    assert!(messages.try_recv().is_none());
}

#[tokio::test]
async fn thousands_of_messages_for_a_sleeping_reader_are_all_there_when_it_wakes() {
    const COUNT: usize = 5_000;
    let server = emulator(Quirks::standard()).await;
    for (endpoint, qos) in
        [(tcp(&server), QoS::AtMostOnce), (ws(&server), QoS::AtLeastOnce), (tcp(&server), QoS::ExactlyOnce)]
    {
        let mut small = options(endpoint, "receiver");
        small.stream_capacity = 8;
        let (receiver, mut messages) = connect(small.clean_session(true)).await;
        receiver.subscribe("n", qos).await.unwrap();
        let (sender, _) = connect(options(tcp(&server), "sender")).await;
        let mut last = None;
        for i in 0..COUNT {
            last = Some(sender.publish("n", i.to_string(), qos).await.unwrap());
        }
        within("the last acknowledgement", last.unwrap()).await.unwrap();
        until("the reading stops", || receiver.stats().held).await;
        for i in 0..COUNT {
            assert_eq!(number(&next(&mut messages).await), i);
        }
        println!("{qos:?}: sent {COUNT}, received {COUNT}, lost 0");
        within("close", receiver.close()).await;
    }
}

#[tokio::test]
async fn keep_alive_does_not_mistake_a_full_stream_for_a_dead_server() {
    let server = emulator(Quirks::standard()).await;
    let mut small = options(tcp(&server), "1");
    small.stream_capacity = 1;
    small.config = small.config.with_keep_alive_secs(1).with_ping_timeout_ms(300);
    let (client, mut messages) = connect(small).await;
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    for i in 0..100 {
        drop(client.publish("n", i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    // Longer than both sides' patience.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    for i in 0..100 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    assert_eq!(client.stats().connections, 1);
    assert!(client.is_connected());
}

#[tokio::test]
async fn what_is_published_goes_out_while_a_stream_is_full() {
    let server = emulator(Quirks::standard()).await;
    let (other, mut to_other) = connect(options(tcp(&server), "other")).await;
    other.subscribe("out", QoS::AtMostOnce).await.unwrap();
    let mut small = options(tcp(&server), "1");
    small.stream_capacity = 1;
    let (client, mut messages) = connect(small).await;
    client.subscribe("in", QoS::AtMostOnce).await.unwrap();
    for i in 0..10 {
        within("PUBLISH", other.publish("in", i.to_string(), QoS::AtMostOnce).await.unwrap()).await.unwrap();
    }
    until("the reading stops", || client.stats().held).await;
    for i in 0..10 {
        drop(client.publish("out", i.to_string(), QoS::AtLeastOnce).await.unwrap());
        assert_eq!(number(&next(&mut to_other).await), i);
    }
    // Its acknowledgement lies behind the messages, and comes when they are read.
    let delivery = client.publish("out", "last", QoS::AtLeastOnce).await.unwrap();
    for i in 0..10 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    within("PUBACK", delivery).await.unwrap();
}

#[tokio::test]
async fn dropping_a_full_stream_lets_the_others_go_on() {
    let server = emulator(Quirks::standard()).await;
    let mut small = options(tcp(&server), "1");
    small.stream_capacity = 4;
    let (client, mut read) = connect(small).await;
    let unread = client.messages();
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    for i in 0..100 {
        drop(client.publish("n", i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    for i in 0..4 {
        assert_eq!(number(&next(&mut read).await), i);
    }
    drop(unread);
    for i in 4..100 {
        assert_eq!(number(&next(&mut read).await), i);
    }
}

#[tokio::test]
async fn every_stream_gets_every_message_that_its_filter_matches() {
    let server = emulator(Quirks::standard()).await;
    let mut small = options(ws(&server), "1");
    small.stream_capacity = 3;
    let (client, mut all) = connect(small).await;
    let mut even = client.messages_matching("n/0/#").unwrap();
    let mut odd = client.messages_matching("n/1/+").unwrap();
    let mut none = client.messages_matching("m/#").unwrap();
    client.subscribe("n/#", QoS::ExactlyOnce).await.unwrap();
    let sending = async {
        for i in 0..300 {
            let topic = format!("n/{}/x", i % 2);
            drop(client.publish(&topic, i.to_string(), QoS::ExactlyOnce).await.unwrap());
        }
    };
    let reading_all = async {
        for i in 0..300 {
            assert_eq!(number(&next(&mut all).await), i);
        }
    };
    let reading_even = async {
        for i in (0..300).step_by(2) {
            assert_eq!(number(&next(&mut even).await), i);
            tokio::task::yield_now().await;
        }
    };
    let reading_odd = async {
        for i in (1..300).step_by(2) {
            assert_eq!(number(&next(&mut odd).await), i);
        }
    };
    within("all", async { tokio::join!(sending, reading_all, reading_even, reading_odd) }).await;
    assert!(none.try_recv().is_none());
    assert_eq!(client.unclaimed_messages(), 0);
}

#[tokio::test]
async fn messages_without_a_stream_are_counted_and_hold_up_nothing() {
    let server = emulator(Quirks::standard()).await;
    let (client, messages) = connect(options(tcp(&server), "1")).await;
    drop(messages);
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    for i in 0..3_000 {
        drop(client.publish("n", i.to_string(), QoS::AtLeastOnce).await.unwrap());
    }
    until("all were there", || client.unclaimed_messages() == 3_000).await;
}

#[tokio::test]
async fn publish_waits_for_room_while_the_server_is_away_and_goes_on_when_it_is_back() {
    let server = emulator(Quirks::standard()).await;
    let (receiver, mut messages) = connect(options(tcp(&server), "receiver")).await;
    receiver.subscribe("n", QoS::ExactlyOnce).await.unwrap();
    let mut small = options(tcp(&server), "sender");
    small.max_outgoing_bytes = 1_000;
    let (sender, _) = connect(small).await;
    let mut events = sender.events();
    server.set_refusing(true);
    server.drop_connection("GID_test@@@sender");
    assert!(matches!(event(&mut events).await, ConnectionEvent::Disconnected { .. }));
    let mut accepted = 0;
    let full = loop {
        match sender.try_publish("n", accepted.to_string(), QoS::ExactlyOnce) {
            Ok(delivery) => drop(delivery),
            Err(error) => break error,
        }
        accepted += 1;
    };
    assert!(matches!(full, PublishError::NotAccepted(Error::Full(_))), "{full:?}");
    assert!(accepted < 1_000);
    let waiting = tokio::spawn(async move {
        for i in accepted..1_000 {
            drop(sender.publish("n", i.to_string(), QoS::ExactlyOnce).await.unwrap());
        }
        sender
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "there is no room");
    server.set_refusing(false);
    for i in 0..1_000 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    drop(within("the publisher", waiting).await.unwrap());
}

#[tokio::test]
async fn a_waiting_publish_ends_when_the_client_is_closed() {
    let raw = Raw::start().await;
    let mut small = raw.options();
    small.max_outgoing_bytes = 100;
    let (client, _) = Client::start(small);
    while client.try_publish("n", [0; 20], QoS::AtLeastOnce).is_ok() {}
    let waiting = client.clone();
    let waiting = tokio::spawn(async move { waiting.publish("n", [0; 20], QoS::AtLeastOnce).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    within("close", client.close()).await;
    let ended = within("the publish", waiting).await.unwrap();
    assert!(matches!(ended, Err(PublishError::Closed)));
}

#[tokio::test]
async fn a_message_that_fits_the_memory_at_all_is_accepted() {
    let raw = Raw::start().await;
    let mut small = raw.options();
    small.max_outgoing_bytes = 10_000;
    let (client, _) = Client::start(small);
    drop(client.try_publish("n", [0; 9_000], QoS::AtLeastOnce).unwrap());
    let error = client.try_publish("n", [0; 10_001], QoS::AtLeastOnce).unwrap_err();
    assert!(matches!(error, PublishError::NotAccepted(Error::TooLarge { .. })), "{error:?}");
}

#[tokio::test]
async fn a_message_is_acknowledged_only_once_every_stream_has_room_for_it() {
    let raw = Raw::start().await;
    let mut small = raw.options();
    small.stream_capacity = 1;
    let (client, mut messages) = Client::start(small);
    let mut stream = raw.log_in().await;
    for id in 1..=2 {
        stream.write_all(&[0x32, 5, 0, 1, b't', 0, id]).await.unwrap();
    }
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 1]);
    // What is published goes out and shows that the second message's acknowledgement did not go before it.
    let published = client.publish("t", "", QoS::AtMostOnce).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x30, 3, 0, 1, b't']);
    within("PUBLISH", published).await.unwrap();
    assert_eq!(next(&mut messages).await.topic(), "t");
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 2]);
    drop(stream);
    within("close", client.close()).await;
    assert_eq!(next(&mut messages).await.topic(), "t");
    assert!(within("the end", messages.recv()).await.is_none());
}

#[tokio::test]
async fn what_came_before_the_link_broke_is_delivered_after_it() {
    let raw = Raw::start().await;
    let mut small = raw.options();
    small.stream_capacity = 1;
    let (client, mut messages) = Client::start(small);
    let mut stream = raw.log_in().await;
    let all: Vec<u8> = (0..50).flat_map(|i: i32| publish(i.to_string().as_bytes())).collect();
    stream.write_all(&all).await.unwrap();
    // Never read at the other end, so that closing resets the connection.
    within("PUBLISH", client.publish("t", "", QoS::AtMostOnce).await.unwrap()).await.unwrap();
    until("the reading stops", || client.stats().held).await;
    drop(stream);
    // These fail to be written.
    for _ in 0..5 {
        drop(client.publish("t", "", QoS::AtMostOnce).await.unwrap());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for i in 0..50 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    raw.log_in().await;
}

#[tokio::test]
async fn a_full_stream_does_not_keep_the_client_from_coming_back() {
    let raw = Raw::start().await;
    let mut small = raw.options();
    small.stream_capacity = 1;
    small.config.connect_timeout_ms = 500;
    let (client, mut messages) = Client::start(small);
    let mut stream = raw.log_in().await;
    stream.write_all(&publish(b"0")).await.unwrap();
    until("the reading stops", || client.stats().held).await;
    drop(stream);
    // Who does not read sees the end when something can't be written.
    let lost = async {
        while client.is_connected() {
            drop(client.publish("t", "", QoS::AtMostOnce).await.unwrap());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the client knows", lost).await;
    let mut stream = raw.log_in().await;
    stream.write_all(&publish(b"1")).await.unwrap();
    until("it is back", || client.stats().connections == 2).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(client.stats().connections, 2);
    assert!(client.is_connected());
    for i in 0..2 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
}
