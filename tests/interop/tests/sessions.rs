//! Clean and kept sessions, and log-ins, at mosquitto.

use mqtt_p2p_interop::{Mosquitto, Settings, connect, next, nothing_more, options, within};
use mqtt_p2p_tokio::{Client, ConnectError, ConnectionEvent, Options, Protocol, QoS, ReasonCode};

/// Connects, and says whether the broker had a session.
async fn session_present(options: Options) -> bool {
    let (client, _) = Client::start(options);
    let mut events = client.events();
    let event = within("CONNACK", events.recv()).await;
    within("disconnect", client.close()).await;
    match event {
        Some(ConnectionEvent::Connected { session_present, .. }) => session_present,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_is_there_again_and_a_clean_one_is_not() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let kept = || options(endpoint.clone(), name);
        assert!(!session_present(kept()).await);
        assert!(session_present(kept()).await);
        assert!(!session_present(kept().clean_session(true)).await);
        assert!(!session_present(kept()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_gets_what_came_while_the_client_was_away() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, messages) = connect(options(endpoint.clone(), name)).await;
        client.subscribe("away", QoS::ExactlyOnce).await.unwrap();
        within("close", client.close()).await;
        drop(messages);
        let (sender, _) = connect(options(endpoint.clone(), &format!("sender-{name}"))).await;
        for (i, qos) in [QoS::AtLeastOnce, QoS::ExactlyOnce].iter().cycle().take(100).enumerate() {
            let delivery = sender.publish("away", i.to_string(), *qos).await.unwrap();
            within("an acknowledgement", delivery).await.unwrap();
        }
        // No subscription is asked for: the session has it.
        let (_client, mut messages) = connect(options(endpoint, name)).await;
        for i in 0..100 {
            assert_eq!(mqtt_p2p_interop::number(&next(&mut messages).await), i);
        }
        assert!(nothing_more(&mut messages).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_session_gets_nothing_of_what_came_while_the_client_was_away() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (client, mut messages) = connect(options(endpoint.clone(), name).clean_session(true)).await;
        client.subscribe("away", QoS::AtLeastOnce).await.unwrap();
        within("disconnect", client.disconnect()).await;
        let (sender, _) = connect(options(endpoint.clone(), &format!("sender-{name}"))).await;
        sender.publish("away", "lost", QoS::AtLeastOnce).await.unwrap().await.unwrap();
        // But the client asks for its subscriptions again by itself, and before anything else.
        client.reconnect();
        within("SUBACK", client.subscribe("behind them", QoS::AtMostOnce)).await.unwrap();
        sender.publish("away", "live", QoS::AtLeastOnce).await.unwrap().await.unwrap();
        assert_eq!(next(&mut messages).await.payload(), b"live");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_password_is_let_in_and_who_does_not_is_refused_with_5() {
    const NAME: &str = "Signature|AK|post-cn-demo";
    let broker =
        Mosquitto::with(Settings { users: vec![(NAME, "right"), ("plain", "p w")], ..Settings::default() })
            .await;
    for (name, endpoint) in broker.endpoints() {
        let log_in = |user: &str, password: &str| options(endpoint.clone(), name).password(user, password);
        for (user, password) in [(NAME, "right"), ("plain", "p w")] {
            let (client, _) = connect(log_in(user, password)).await;
            within("close", client.close()).await;
        }
        for refused in [log_in(NAME, "wrong"), log_in("nobody", "right"), options(endpoint.clone(), name)] {
            let error = within("a refusal", Client::connect(refused)).await.err();
            let Some(ConnectError::Refused(ReasonCode::NotAuthorized)) = &error else {
                panic!("{error:?}");
            };
            let error = error.unwrap();
            assert!(error.to_string().contains("return code 5"), "{error}");
            assert!(error.advice().contains("secret"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_3_1_works_over_both_transports() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let old = options(endpoint, name);
        let config = old.config.with_protocol(Protocol::V31);
        let (client, mut messages) = connect(old.config(config)).await;
        assert_eq!(client.subscribe("t", QoS::ExactlyOnce).await, Ok(QoS::ExactlyOnce));
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let delivery = client.publish("t", "old", qos).await.unwrap();
            within("an acknowledgement", delivery).await.unwrap();
            assert_eq!(next(&mut messages).await.qos(), qos);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_client_of_the_same_id_takes_over() {
    let broker = Mosquitto::start().await;
    for (name, endpoint) in broker.endpoints() {
        let (first, _) = connect(options(endpoint.clone(), name)).await;
        let mut events = first.events();
        let (second, _) = connect(options(endpoint, name)).await;
        let event = within("an event", events.recv()).await;
        assert!(matches!(event, Some(ConnectionEvent::Disconnected { .. })), "{event:?}");
        within("close", first.close()).await;
        within("close", second.close()).await;
    }
}
