//! Topics, filters, retained messages and wills, at mosquitto.

use mqtt_p2p_interop::{Mosquitto, Proxy, connect, next, nothing_more, options, within};
use mqtt_p2p_tokio::{ConnectionEvent, DisconnectReason, QoS};

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_match_as_the_broker_says_and_streams_sort_the_same_way() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, mut all) = connect(options(endpoint, name)).await;
        let mut plus = client.messages_matching("a/+/c").unwrap();
        let mut deep = client.messages_matching("a/b/#").unwrap();
        client.subscribe("a/+/c", QoS::AtLeastOnce).await.unwrap();
        client.subscribe("a/b/#", QoS::AtLeastOnce).await.unwrap();
        for topic in ["a/x/c", "a/b", "a/b/d", "a/x/d", "z"] {
            let delivery = client.publish(topic, topic, QoS::AtLeastOnce).await.unwrap();
            within("an acknowledgement", delivery).await.unwrap();
        }
        for topic in ["a/x/c", "a/b", "a/b/d"] {
            assert_eq!(next(&mut all).await.topic(), topic);
        }
        assert_eq!(next(&mut plus).await.topic(), "a/x/c");
        assert_eq!(next(&mut deep).await.topic(), "a/b");
        assert_eq!(next(&mut deep).await.topic(), "a/b/d");
        assert!(nothing_more(&mut all).await);
        assert!(plus.try_recv().is_none() && deep.try_recv().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sys_topics_come_through_their_subscription_and_match_a_stream() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, _) = connect(options(endpoint, name)).await;
        let mut sys = client.messages_matching("$SYS/#").unwrap();
        let mut others = client.messages_matching("#").unwrap();
        client.subscribe("$SYS/broker/version", QoS::AtMostOnce).await.unwrap();
        let message = next(&mut sys).await;
        assert_eq!(message.topic(), "$SYS/broker/version");
        assert!(message.payload().starts_with(b"mosquitto version"));
        assert!(others.try_recv().is_none(), "a filter that begins with # leaves out $SYS");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_may_be_in_any_script() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, mut messages) = connect(options(endpoint, name)).await;
        let mut matching = client.messages_matching("温度/+").unwrap();
        for filter in ["温度/+", "дом/#", "🚀"] {
            client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        }
        for topic in ["温度/1", "дом/кухня/свет", "🚀"] {
            client.publish(topic, topic, QoS::AtLeastOnce).await.unwrap().await.unwrap();
            let message = next(&mut messages).await;
            assert_eq!((message.topic(), message.payload()), (topic, topic.as_bytes()));
        }
        assert_eq!(next(&mut matching).await.topic(), "温度/1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_unsubscribe_nothing_comes() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, mut messages) = connect(options(endpoint, name)).await;
        client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
        client.publish("t", "1", QoS::AtLeastOnce).await.unwrap().await.unwrap();
        assert_eq!(next(&mut messages).await.payload(), b"1");
        within("UNSUBACK", client.unsubscribe("t")).await.unwrap();
        client.publish("t", "2", QoS::AtLeastOnce).await.unwrap().await.unwrap();
        assert!(nothing_more(&mut messages).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_message_waits_for_subscribers_until_it_is_cleared() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let topic = format!("kept/{name}");
        let (client, _) = connect(options(endpoint.clone(), name)).await;
        let delivery = client.publish_retained(&topic, "state", QoS::AtLeastOnce).await.unwrap();
        within("an acknowledgement", delivery).await.unwrap();
        let (late, mut messages) = connect(options(endpoint.clone(), &format!("late-{name}"))).await;
        late.subscribe(&topic, QoS::AtLeastOnce).await.unwrap();
        let message = next(&mut messages).await;
        assert!(message.retain() && message.payload() == b"state");
        client.publish_retained(&topic, "", QoS::AtLeastOnce).await.unwrap().await.unwrap();
        let cleared = next(&mut messages).await;
        assert!(!cleared.retain() && cleared.payload().is_empty());
        let (later, mut messages) = connect(options(endpoint, &format!("later-{name}"))).await;
        later.subscribe(&topic, QoS::AtLeastOnce).await.unwrap();
        assert!(nothing_more(&mut messages).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_will_is_published_when_the_link_breaks() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (watcher, mut messages) = connect(options(broker.tcp(), &format!("watcher-{name}"))).await;
        watcher.subscribe("wills", QoS::ExactlyOnce).await.unwrap();
        let proxy = Proxy::to(&endpoint).await;
        let mortal =
            options(proxy.endpoint(&endpoint), name).will("wills", "gone", QoS::ExactlyOnce, false).unwrap();
        let (client, _) = connect(mortal).await;
        let mut events = client.events();
        proxy.cut();
        let message = next(&mut messages).await;
        assert_eq!((message.payload(), message.qos()), (&b"gone"[..], QoS::ExactlyOnce));
        let event = within("an event", events.recv()).await;
        assert!(
            matches!(
                event,
                Some(ConnectionEvent::Disconnected { reason: DisconnectReason::Transport(_), .. })
            ),
            "{event:?}"
        );
        within("close", client.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_will_is_not_published_after_a_good_bye() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (watcher, mut messages) = connect(options(broker.tcp(), &format!("watcher-{name}"))).await;
        watcher.subscribe("wills", QoS::AtLeastOnce).await.unwrap();
        let with_will =
            || options(endpoint.clone(), name).will("wills", "gone", QoS::AtLeastOnce, false).unwrap();
        let (client, _) = connect(with_will()).await;
        within("disconnect", client.disconnect()).await;
        let (client, _) = connect(with_will()).await;
        within("close", client.close()).await;
        let (client, _) = connect(with_will()).await;
        drop(client);
        assert!(nothing_more(&mut messages).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_bye_amid_incoming_messages_is_not_lost() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (watcher, mut messages) = connect(options(broker.tcp(), &format!("watcher-{name}"))).await;
        watcher.subscribe("wills", QoS::AtLeastOnce).await.unwrap();
        let (sender, _) = connect(options(broker.tcp(), &format!("sender-{name}"))).await;
        let flood = tokio::spawn(async move {
            while sender.publish("flood", [0; 1024], QoS::AtMostOnce).await.unwrap().await.is_ok() {}
        });
        for _ in 0..10 {
            let mut options =
                options(endpoint.clone(), name).will("wills", "gone", QoS::AtLeastOnce, false).unwrap();
            options.stream_capacity = 1;
            let (client, mut flooded) = connect(options.clean_session(true)).await;
            client.subscribe("flood", QoS::AtMostOnce).await.unwrap();
            next(&mut flooded).await;
            within("close", client.close()).await;
        }
        flood.abort();
        assert!(nothing_more(&mut messages).await, "a will was published: {name}");
    }
}
