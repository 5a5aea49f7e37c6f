//! Messages in both directions, through mosquitto.

use std::process::Stdio;

use mqtt_p2p_interop::{Mosquitto, connect, next, nothing_more, options, within};
use mqtt_p2p_tokio::QoS;

const LEVELS: [(QoS, &str); 3] = [(QoS::AtMostOnce, "0"), (QoS::AtLeastOnce, "1"), (QoS::ExactlyOnce, "2")];

#[tokio::test(flavor = "multi_thread")]
async fn every_qos_goes_both_ways_between_tcp_and_ws() {
    let broker = Mosquitto::start().await;
    let (a, mut to_a) = connect(options(broker.tcp(), "a")).await;
    let (b, mut to_b) = connect(options(broker.ws(), "b")).await;
    assert_eq!(a.subscribe("to/a", QoS::ExactlyOnce).await, Ok(QoS::ExactlyOnce));
    assert_eq!(b.subscribe("to/b", QoS::ExactlyOnce).await, Ok(QoS::ExactlyOnce));
    for (qos, text) in LEVELS {
        for (from, topic, messages) in [(&a, "to/b", &mut to_b), (&b, "to/a", &mut to_a)] {
            within("an acknowledgement", from.publish(topic, text, qos).await.unwrap()).await.unwrap();
            let message = next(messages).await;
            assert_eq!((message.topic(), message.payload(), message.qos()), (topic, text.as_bytes(), qos));
        }
    }
    assert!(nothing_more(&mut to_a).await && nothing_more(&mut to_b).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mosquitto_pub_publishes_arrives_at_every_qos() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, mut messages) = connect(options(endpoint, name)).await;
        client.subscribe("from/them", QoS::ExactlyOnce).await.unwrap();
        for (qos, level) in LEVELS {
            let mut publish = broker.client("mosquitto_pub");
            publish.args(["-t", "from/them", "-m", level, "-q", level]);
            assert!(within("mosquitto_pub", publish.status()).await.unwrap().success());
            let message = next(&mut messages).await;
            assert_eq!((message.payload(), message.qos()), (level.as_bytes(), qos));
        }
        assert!(nothing_more(&mut messages).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_sub_gets_what_is_published_at_every_qos() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        // It subscribes, leaves, and comes back for what its session has kept: so nothing has to be timed.
        let subscriber = || {
            let mut command = broker.client("mosquitto_sub");
            command.args(["-c", "-i", "them", "-t", "to/them", "-q", "2"]);
            command
        };
        assert!(within("mosquitto_sub -E", subscriber().arg("-E").status()).await.unwrap().success());
        let (client, _) = connect(options(endpoint, name)).await;
        for (qos, level) in LEVELS {
            within("an acknowledgement", client.publish("to/them", level, qos).await.unwrap()).await.unwrap();
        }
        client.close().await;
        let output =
            subscriber().args(["-C", "3", "-W", "20", "-F", "%q %p"]).stderr(Stdio::inherit()).output();
        let output = within("mosquitto_sub", output).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0 0\n1 1\n2 2\n", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_of_every_size_arrive_unchanged() {
    let broker = Mosquitto::start().await;
    // Mosquitto writes 4 KiB to a WebSocket in each turn of its loop, and turns ten times a second unless there is
    // something to do: so there is.
    let (busy, _) = connect(options(broker.tcp(), "busy")).await;
    let busy = tokio::spawn(async move {
        while busy.publish("nobody", "", QoS::AtLeastOnce).await.unwrap().await.is_ok() {}
    });
    for (name, endpoint) in broker.endpoints() {
        let (client, mut messages) = connect(options(endpoint, name)).await;
        client.subscribe("size", QoS::ExactlyOnce).await.unwrap();
        // Around the steps of the remaining length, too: it counts 6 bytes of topic and 2 of the identifier.
        for size in [0, 1, 119, 120, 127, 128, 16_375, 16_376, 16_384, 65_536, 1 << 20] {
            let payload: Vec<u8> = (0..size).map(|i: usize| (i % 251) as u8).collect();
            for (qos, _) in LEVELS {
                let delivery = within("room", client.publish("size", &payload, qos)).await.unwrap();
                within("an acknowledgement", delivery).await.unwrap();
                let message = next(&mut messages).await;
                assert!(message.payload() == payload, "{name}: {size} bytes at {qos:?}");
            }
        }
    }
    busy.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_payloads_pass_through_mosquittos_own_clients() {
    let broker = Mosquitto::start().await;
    let payload: Vec<u8> = (0..=255).cycle().take(16 * 1024).collect();
    let (client, mut messages) = connect(options(broker.ws(), "we")).await;
    client.subscribe("to/us", QoS::AtLeastOnce).await.unwrap();
    let delivery = client.publish_retained("to/them", &payload, QoS::AtLeastOnce).await.unwrap();
    within("an acknowledgement", delivery).await.unwrap();
    let output = broker
        .client("mosquitto_sub")
        .args(["-t", "to/them", "-C", "1", "-N", "-W", "20"])
        .stderr(Stdio::inherit())
        .output();
    assert!(within("mosquitto_sub", output).await.unwrap().stdout == payload);

    let mut publish = broker.client("mosquitto_pub");
    publish.args(["-t", "to/us", "-s", "-q", "1"]).stdin(Stdio::piped());
    let mut publish = publish.spawn().unwrap();
    let mut stdin = publish.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, &payload).await.unwrap();
    drop(stdin);
    assert!(within("mosquitto_pub", publish.wait()).await.unwrap().success());
    assert!(next(&mut messages).await.payload() == payload);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_of_each_qos_from_four_clients_all_arrive() {
    const EACH: usize = 2_500;
    let broker = Mosquitto::start().await;
    for (qos, level) in LEVELS {
        let (receiver, mut messages) = connect(options(broker.tcp(), "receiver")).await;
        receiver.subscribe("in/+", qos).await.unwrap();
        let endpoints = [broker.tcp(), broker.ws(), broker.tcp(), broker.ws()];
        let senders = endpoints.into_iter().enumerate().map(|(sender, endpoint)| {
            tokio::spawn(async move {
                let (client, _) = connect(options(endpoint, &format!("sender{sender}"))).await;
                let mut last = None;
                for i in 0..EACH {
                    let topic = format!("in/{sender}");
                    last = Some(within("room", client.publish(&topic, i.to_string(), qos)).await.unwrap());
                }
                within("the last acknowledgement", last.unwrap()).await.unwrap();
                client.close().await;
            })
        });
        let senders: Vec<_> = senders.collect();
        let mut expected = [0; 4];
        for _ in 0..4 * EACH {
            let message = next(&mut messages).await;
            let sender: usize = message.topic()[3..].parse().unwrap();
            assert_eq!(mqtt_p2p_interop::number(&message), expected[sender]);
            expected[sender] += 1;
        }
        for sender in senders {
            sender.await.unwrap();
        }
        assert!(nothing_more(&mut messages).await);
        println!("QoS {level}: sent {}, received {}", 4 * EACH, expected.iter().sum::<usize>());
        within("close", receiver.close()).await;
    }
}
