//! Links that break, clients that leave and come back, and what is said of it.

mod common;

use std::time::Duration;

use common::{
    Raw, SECRET, closes, connect, emulator, event, next, number, options, packet, tcp, until, within, ws,
};
use mqtt_p2p_emulator::{CloseReason, Quirks};
use mqtt_p2p_tokio::{
    Backoff, Client, ConnectionEvent, DisconnectReason, Endpoint, Offline, Options, PublishError, QoS,
};
use tokio::io::AsyncWriteExt;

fn is_connected(event: &ConnectionEvent) -> bool {
    matches!(event, ConnectionEvent::Connected { .. })
}

async fn cuts_lose_nothing(sending: Endpoint, receiving: Endpoint, server: &mqtt_p2p_emulator::Server) {
    const COUNT: usize = 1_000;
    let (receiver, mut messages) = connect(options(receiving, "receiver")).await;
    receiver.subscribe("n/+", QoS::ExactlyOnce).await.unwrap();
    let (sender, _) = connect(options(sending, "sender")).await;
    let publishing = async {
        let mut deliveries = Vec::new();
        for i in 0..COUNT {
            for (topic, qos) in [("n/1", QoS::AtLeastOnce), ("n/2", QoS::ExactlyOnce)] {
                deliveries.push(sender.publish(topic, i.to_string(), qos).await.unwrap());
            }
            match i % 100 {
                20 => drop(server.drop_connection("GID_test@@@sender")),
                40 => drop(server.drop_connection("GID_test@@@receiver")),
                60 => drop(server.drop_all()),
                80 => tokio::time::sleep(Duration::from_millis(30)).await,
                _ => tokio::task::yield_now().await,
            }
        }
        for delivery in deliveries {
            within("an acknowledgement", delivery).await.unwrap();
        }
    };
    let reading = async {
        let mut arrived = [vec![0; COUNT], vec![0; COUNT]];
        let mut order: [Vec<usize>; 2] = Default::default();
        while order.iter().any(|order| order.len() < COUNT) {
            let message = next(&mut messages).await;
            let (level, i) = (usize::from(message.topic() == "n/2"), number(&message));
            arrived[level][i] += 1;
            if arrived[level][i] == 1 {
                order[level].push(i);
            }
        }
        (arrived, order)
    };
    let ((), (arrived, order)) = within("everything", async { tokio::join!(publishing, reading) }).await;
    let repeated = |level: usize| arrived[level].iter().map(|times| times - 1).sum::<i32>();
    println!(
        "{} connections; QoS 1: {COUNT} of {COUNT}, repeated {}; QoS 2: {COUNT} of {COUNT}, repeated {}",
        sender.stats().connections,
        repeated(0),
        repeated(1)
    );
    assert!(order.iter().all(|order| order.iter().copied().eq(0..COUNT)), "first arrivals in order");
    assert_eq!(repeated(1), 0, "QoS 2: exactly once");
    assert!(sender.stats().connections > 5);
    within("close", sender.close()).await;
    within("close", receiver.close()).await;
}

#[tokio::test]
async fn cuts_in_the_middle_of_a_thousand_messages_lose_nothing_and_double_no_qos_2() {
    let server = emulator(Quirks::standard()).await;
    cuts_lose_nothing(tcp(&server), ws(&server), &server).await;
    cuts_lose_nothing(ws(&server), tcp(&server), &server).await;
}

#[tokio::test]
async fn each_attempt_ends_in_exactly_one_event_and_the_order_is_kept() {
    let server = emulator(Quirks::service()).await;
    let (client, _messages) = connect(options(tcp(&server), "1")).await;
    let mut events = client.events();
    for _ in 0..10 {
        assert!(server.drop_connection("GID_test@@@1"));
        let end = event(&mut events).await;
        assert!(
            matches!(
                end,
                ConnectionEvent::Disconnected {
                    reason: DisconnectReason::Transport(_),
                    retry_in: Some(_),
                    ..
                }
            ),
            "{end:?}"
        );
        assert!(is_connected(&event(&mut events).await));
        assert!(client.is_connected());
    }
    server.set_refusing(true);
    server.drop_all();
    for _ in 0..5 {
        assert!(matches!(event(&mut events).await, ConnectionEvent::Disconnected { .. }));
        assert!(!client.is_connected());
    }
    server.set_refusing(false);
    let mut last = event(&mut events).await;
    while !is_connected(&last) {
        last = event(&mut events).await;
    }
    within("close", client.close()).await;
    assert!(matches!(
        event(&mut events).await,
        ConnectionEvent::Disconnected { reason: DisconnectReason::Requested, retry_in: None, .. }
    ));
    assert_eq!(within("the end", events.recv()).await, None);
}

#[tokio::test]
async fn a_takeover_is_suspected_and_backed_off_from() {
    let server = emulator(Quirks::service()).await;
    let mine = |backoff| {
        let mut options = options(tcp(&server), "shared");
        options.config = options
            .config
            .with_backoff(Backoff::Fixed { delay_ms: backoff })
            .with_stable_after_ms(30_000)
            .with_takeover_delay_ms(60_000);
        options
    };
    let (first, _) = connect(mine(10)).await;
    let mut events = first.events();
    let (second, _) = connect(mine(15)).await;
    let suspected = async {
        loop {
            if let ConnectionEvent::Disconnected {
                reason: DisconnectReason::TakeoverSuspected,
                retry_in,
                ..
            } = event(&mut events).await
            {
                return retry_in;
            }
        }
    };
    let retry_in = tokio::select! {
        retry_in = suspected => retry_in,
        // Either of the two gives way first.
        other = async {
            let mut events = second.events();
            loop {
                if let ConnectionEvent::Disconnected {
                    reason: DisconnectReason::TakeoverSuspected, retry_in, ..
                } = event(&mut events).await {
                    return retry_in;
                }
            }
        } => other,
    };
    assert!(retry_in.is_some_and(|wait| wait >= Duration::from_secs(30)), "{retry_in:?}");
    until("the other one stays", || first.is_connected() != second.is_connected()).await;
}

#[tokio::test]
async fn after_disconnect_nothing_happens_until_reconnect_and_what_waited_goes_out() {
    let server = emulator(Quirks::standard()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        let (client, mut messages) = connect(options(endpoint, "1")).await;
        client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
        let mut events = client.events();
        within("disconnect", client.disconnect()).await;
        assert!(!client.is_connected() && server.connected_clients().is_empty());
        assert!(matches!(
            event(&mut events).await,
            ConnectionEvent::Disconnected { reason: DisconnectReason::Requested, retry_in: None, .. }
        ));
        let delivery = client.publish("n", "0", QoS::AtLeastOnce).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(server.connected_clients().is_empty(), "it reconnected by itself");
        client.reconnect();
        assert!(is_connected(&event(&mut events).await));
        within("PUBACK", delivery).await.unwrap();
        assert_eq!(number(&next(&mut messages).await), 0);
        within("close", client.close()).await;
    }
    assert!(closes(&server).iter().all(|reason| *reason == CloseReason::Disconnected));
}

#[tokio::test]
async fn disconnect_ends_although_another_handle_reconnects() {
    let server = emulator(Quirks::service()).await;
    let (client, _messages) = connect(options(tcp(&server), "1")).await;
    let other = client.clone();
    for _ in 0..50 {
        let leaving = client.disconnect();
        let coming_back = async {
            tokio::task::yield_now().await;
            other.reconnect();
        };
        within("disconnect", async { tokio::join!(leaving, coming_back) }).await;
        until("it is back", || other.is_connected()).await;
    }
}

#[tokio::test]
async fn a_close_ends_although_another_handle_reconnects() {
    let server = emulator(Quirks::service()).await;
    for times in 0..10 {
        let (client, _messages) = connect(options(tcp(&server), "1")).await;
        let other = client.clone();
        let coming_back = async {
            for _ in 0..times {
                tokio::task::yield_now().await;
            }
            other.reconnect();
        };
        within("close", async { tokio::join!(client.close(), coming_back) }).await;
        until("nobody is there", || server.connected_clients().is_empty()).await;
    }
}

#[tokio::test]
async fn while_paused_no_attempt_begins_and_resume_brings_it_back() {
    let server = emulator(Quirks::service()).await;
    let (client, _messages) = connect(options(tcp(&server), "1")).await;
    let mut events = client.events();
    client.pause();
    server.drop_all();
    let lost = event(&mut events).await;
    assert!(matches!(lost, ConnectionEvent::Disconnected { retry_in: None, .. }), "{lost:?}");
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert!(server.connected_clients().is_empty());
    client.resume();
    assert!(is_connected(&event(&mut events).await));
    // With a live connection, it is asked about at once, and stays.
    client.pause();
    client.resume();
    within("PUBACK", client.publish("t", "", QoS::AtLeastOnce).await.unwrap()).await.unwrap();
    assert_eq!(client.stats().connections, 2);
}

#[tokio::test]
async fn dropping_the_last_handle_says_good_bye() {
    let server = emulator(Quirks::service()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        let (client, _messages) = connect(options(endpoint, "1")).await;
        let clone = client.clone();
        drop(client);
        assert!(clone.is_connected());
        drop(clone);
        until("the good-bye", || server.connected_clients().is_empty()).await;
    }
    assert_eq!(closes(&server), [CloseReason::Disconnected; 2]);
}

#[tokio::test]
async fn close_sends_what_may_be_sent_and_ends_the_rest() {
    let server = emulator(Quirks::standard()).await;
    let (receiver, mut messages) = connect(options(tcp(&server), "receiver")).await;
    receiver.subscribe("n", QoS::AtMostOnce).await.unwrap();
    let (sender, _) = connect(options(ws(&server), "sender")).await;
    for i in 0..500 {
        drop(sender.publish("n", i.to_string(), QoS::AtMostOnce).await.unwrap());
    }
    within("close", sender.close()).await;
    for i in 0..500 {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    let (sender, _) = connect(options(ws(&server), "sender")).await;
    server.set_refusing(true);
    server.drop_connection("GID_test@@@sender");
    until("it knows", || !sender.is_connected()).await;
    let waiting = sender.publish("n", "", QoS::AtLeastOnce).await.unwrap();
    let other = sender.clone();
    within("close", sender.close()).await;
    assert_eq!(within("its end", waiting).await, Err(PublishError::Closed));
    assert!(matches!(other.publish("n", "", QoS::AtLeastOnce).await, Err(PublishError::Closed)));
    // A closed client stays closed, and says so at once.
    other.reconnect();
    assert!(within("no message", other.messages().recv()).await.is_none());
    assert!(within("no event", other.events().recv()).await.is_none());
    within("close", other.close()).await;
}

#[tokio::test]
async fn a_good_bye_waits_for_a_server_that_is_slow_to_take_it() {
    let raw = Raw::start().await;
    let (client, _messages) = Client::start(raw.options());
    let mut stream = raw.log_in().await;
    until("the connection", || client.is_connected()).await;
    // Unread at the client's end when it leaves: its socket must not be reset for that.
    for _ in 0..100 {
        stream.write_all(&common::publish(&[0; 1000])).await.unwrap();
    }
    let closing = tokio::spawn(client.close());
    assert_eq!(packet(&mut stream).await, [0xe0, 0]);
    stream.write_all(&common::publish(&[0; 1000])).await.unwrap();
    common::ended(&mut stream).await;
    drop(stream);
    within("close", closing).await.unwrap();
}

#[tokio::test]
async fn a_client_whose_runtime_ended_leaves_nobody_waiting() {
    let server = emulator(Quirks::service()).await;
    let endpoint = tcp(&server);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, mut messages) =
        runtime.spawn(async move { connect(options(endpoint, "1")).await }).await.unwrap();
    server.set_refusing(true);
    server.drop_all();
    until("it knows", || !client.is_connected()).await;
    let delivery = client.publish("t", "", QoS::AtLeastOnce).await.unwrap();
    let mut events = client.events();
    runtime.shutdown_background();
    assert_eq!(within("the delivery", delivery).await, Err(PublishError::Closed));
    assert!(within("the stream", messages.recv()).await.is_none());
    let end = async { while events.recv().await.is_some() {} };
    within("the events", end).await;
    within("close", client.close()).await;
}

#[tokio::test]
async fn offline_publishing_is_refused_if_so_configured() {
    let raw = Raw::start().await;
    for (offline, qos0, qos1) in [
        (Offline::QueueAll, true, true),
        (Offline::QueueAcknowledged, false, true),
        (Offline::Refuse, false, false),
    ] {
        let options = raw.options();
        let config = options.config.with_offline(offline);
        let (client, _) = Client::start(options.config(config));
        assert_eq!(client.publish("t", "", QoS::AtMostOnce).await.is_ok(), qos0);
        assert_eq!(client.publish("t", "", QoS::AtLeastOnce).await.is_ok(), qos1);
    }
}

#[tokio::test]
async fn no_text_that_anybody_may_see_contains_the_secret() {
    let server = emulator(Quirks::service()).await;
    let mine = options(tcp(&server), "1");
    let (_, password) = mine.login.credentials.clone().unwrap();
    let password = String::from_utf8(password.unwrap().to_vec()).unwrap();
    let planted = Options::new(tcp(&server), "1").password("user", SECRET);
    let mut texts = vec![
        format!("{mine:?} {mine:#?} {:?} {:?}", mine.login, mine.endpoint),
        format!("{planted:?} {planted:#?} {:?}", planted.login),
        format!("{:?}", common::credentials()),
    ];
    let error = within("a refusal", Client::connect(planted)).await.err().unwrap();
    texts.push(format!("{error:?} {error} {}", error.advice()));
    let (client, mut messages) = connect(mine).await;
    let mut events = client.events();
    let delivery = client.publish("t", SECRET, QoS::AtLeastOnce).await.unwrap();
    texts.push(format!("{client:?} {messages:?} {events:?} {delivery:?} {:?}", client.stats()));
    within("PUBACK", delivery).await.unwrap();
    client.send_p2p("parent", "GID_test@@@1", SECRET, QoS::AtLeastOnce).await.unwrap().await.unwrap();
    texts.push(format!("{:?}", next(&mut messages).await));
    server.drop_all();
    let lost = event(&mut events).await;
    texts.push(format!("{lost:?} {lost} {:?}", lost.advice()));
    for text in texts {
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains(&password), "{text}");
    }
}
