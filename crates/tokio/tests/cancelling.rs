//! Every future may be dropped at every await point: either nothing was accepted, or all of it was.

mod common;

use std::time::Duration;

use common::{closes, connect, emulator, number, options, polled, tcp, until, within, ws};
use mqtt_p2p_emulator::{CloseReason, Quirks};
use mqtt_p2p_tokio::{Client, QoS};

const COUNT: usize = 1_000;

#[tokio::test]
async fn a_dropped_connect_leaves_nobody_behind_wherever_it_was() {
    let server = emulator(Quirks::service()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        for times in 0..40 {
            let connected = polled(Client::connect(options(endpoint.clone(), "1")), times).await;
            drop(connected);
        }
        until("nobody is there", || server.connected_clients().is_empty()).await;
        // And whoever comes now is let in, and stays.
        let (client, _messages) = connect(options(endpoint, "1")).await;
        assert!(client.is_connected());
        within("close", client.close()).await;
    }
}

#[tokio::test]
async fn a_publish_that_is_dropped_while_it_waits_for_room_was_not_accepted() {
    let server = emulator(Quirks::standard()).await;
    let (receiver, mut messages) = connect(options(tcp(&server), "receiver")).await;
    receiver.subscribe("n", QoS::ExactlyOnce).await.unwrap();
    let mut small = options(tcp(&server), "sender");
    small.max_outgoing_bytes = 40;
    let (sender, _) = connect(small).await;
    let (mut dropped, mut accepted) = (0_usize, 0_usize);
    while accepted < COUNT {
        match polled(sender.publish("n", accepted.to_string(), QoS::ExactlyOnce), 1 + dropped % 3).await {
            Some(delivery) => {
                drop(delivery.unwrap());
                accepted += 1;
                // Every now and then the link breaks, and many have to wait.
                if accepted % 100 == 50 {
                    server.drop_connection("GID_test@@@sender");
                }
            }
            None => dropped += 1,
        }
    }
    println!("accepted {accepted}, dropped while waiting {dropped}");
    assert!(dropped > 0, "none had to wait");
    for i in 0..COUNT {
        assert_eq!(number(&common::next(&mut messages).await), i);
    }
    within("close", sender.close()).await;
    assert_eq!(server.counters().published, COUNT as u64);
}

#[tokio::test]
async fn a_dropped_delivery_changes_nothing() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut messages) = connect(options(ws(&server), "1")).await;
    client.subscribe("n", QoS::ExactlyOnce).await.unwrap();
    let mut through = 0;
    for i in 0..COUNT {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][i % 3];
        let delivery = client.publish("n", i.to_string(), qos).await.unwrap();
        through += usize::from(polled(delivery, i % 5).await.is_some());
    }
    let mut arrived: Vec<usize> = Vec::new();
    for _ in 0..COUNT {
        arrived.push(number(&common::next(&mut messages).await));
    }
    println!("published {COUNT}, ends seen {through}, received {}", arrived.len());
    arrived.sort_unstable();
    assert!(arrived.into_iter().eq(0..COUNT));
    // The end of a message can still be awaited when many were dropped before.
    let delivery = client.publish("n", "0", QoS::ExactlyOnce).await.unwrap();
    within("its end", delivery).await.unwrap();
}

#[tokio::test]
async fn a_dropped_recv_loses_no_message() {
    let server = emulator(Quirks::standard()).await;
    let mut small = options(tcp(&server), "1");
    small.stream_capacity = 1;
    let (client, mut messages) = connect(small).await;
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    let sending = tokio::spawn(async move {
        for i in 0..COUNT {
            drop(client.publish("n", i.to_string(), QoS::AtLeastOnce).await.unwrap());
            if i % 10 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        client
    });
    let mut dropped = 0;
    let receive = async {
        let mut expected = 0;
        while expected < COUNT {
            match tokio::time::timeout(Duration::ZERO, messages.recv()).await {
                Ok(message) => {
                    assert_eq!(number(&message.unwrap()), expected);
                    expected += 1;
                }
                Err(_) => {
                    dropped += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
    };
    within("all messages", receive).await;
    println!("received {COUNT}, dropped while waiting {dropped}");
    assert!(dropped > 0, "none had to wait");
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_dropped_subscribe_or_unsubscribe_happens_wholly_or_not_at_all() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut messages) = connect(options(tcp(&server), "1")).await;
    for i in 0..100 {
        let topic = format!("t/{i}");
        let _ = polled(client.subscribe(&topic, QoS::AtLeastOnce), i % 4).await;
        let _ = polled(client.unsubscribe(&topic), i % 3).await;
        // To ask again is always right.
        within("SUBACK", client.subscribe(&topic, QoS::AtLeastOnce)).await.unwrap();
        drop(client.publish(&topic, i.to_string(), QoS::AtLeastOnce).await.unwrap());
        assert_eq!(number(&common::next(&mut messages).await), i);
        within("UNSUBACK", client.unsubscribe(&topic)).await.unwrap();
        let delivery = client.publish(&topic, "too late", QoS::AtLeastOnce).await.unwrap();
        within("PUBACK", delivery).await.unwrap();
    }
    assert!(messages.try_recv().is_none());
}

#[tokio::test]
async fn a_dropped_disconnect_goes_on_and_keeps_what_waits() {
    let server = emulator(Quirks::standard()).await;
    let (receiver, mut messages) = connect(options(tcp(&server), "receiver")).await;
    receiver.subscribe("n", QoS::ExactlyOnce).await.unwrap();
    let (sender, _) = connect(options(ws(&server), "sender")).await;
    for i in 0..COUNT {
        drop(sender.publish("n", i.to_string(), QoS::ExactlyOnce).await.unwrap());
        if i % 100 == 50 {
            // Who leaves during the log-in says no good-bye.
            until("the connection", || sender.is_connected()).await;
            let _ = polled(sender.disconnect(), i / 100 % 4).await;
            sender.reconnect();
        }
    }
    let mut arrived = vec![0; COUNT];
    for _ in 0..COUNT {
        arrived[number(&common::next(&mut messages).await)] += 1;
    }
    assert!(arrived.iter().all(|times| *times == 1));
    let _ = polled(sender.disconnect(), 1).await;
    until("the good-bye", || server.connected_clients() == ["GID_test@@@receiver"]).await;
    assert!(closes(&server).iter().all(|reason| *reason == CloseReason::Disconnected));
}

#[tokio::test]
async fn a_dropped_close_goes_on() {
    let server = emulator(Quirks::service()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        for times in 0..4 {
            let (client, mut messages) = connect(options(endpoint.clone(), "1")).await;
            let other = client.clone();
            let _ = polled(client.close(), times).await;
            if times > 0 {
                assert!(within("the end of the stream", messages.recv()).await.is_none());
                assert!(other.publish("t", "", QoS::AtMostOnce).await.is_err());
            }
            drop(other);
            until("the good-bye", || server.connected_clients().is_empty()).await;
        }
    }
    assert!(closes(&server).iter().all(|reason| *reason == CloseReason::Disconnected));
}
