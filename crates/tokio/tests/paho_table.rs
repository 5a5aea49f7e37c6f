//! The README's table for who comes from Paho JS: every name of Paho's has a row, and what the row names is there.

mod common;

use common::{emulator, event, next, within};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{
    Backoff, Client, ClientId, Config, ConnectError, ConnectionEvent, Credentials, Delivery,
    DisconnectReason, Endpoint, Error, Message, Messages, Offline, Options, Protocol, PublishError, QoS,
    SubscribeError, Tls, TopicError, TraceEntry, Transport, TransportError,
};

/// What Paho JS has, and an application uses.
const PAHO: [&str; 41] = [
    "host",
    "port",
    "path",
    "clientId",
    "timeout",
    "userName",
    "password",
    "willMessage",
    "keepAliveInterval",
    "cleanSession",
    "useSSL",
    "invocationContext",
    "onSuccess",
    "onFailure",
    "hosts",
    "ports",
    "uris",
    "reconnect",
    "mqttVersion",
    "mqttVersionExplicit",
    "onConnected",
    "onConnectionLost",
    "onMessageArrived",
    "onMessageDelivered",
    "disconnectedPublishing",
    "disconnectedBufferSize",
    "isConnected",
    "subscribe",
    "unsubscribe",
    "send",
    "publish",
    "disconnect",
    "startTrace",
    "stopTrace",
    "getTraceLog",
    "payloadString",
    "payloadBytes",
    "destinationName",
    "qos",
    "retained",
    "duplicate",
];

/// The two columns of the table.
fn rows() -> Vec<(&'static str, &'static str)> {
    let readme = include_str!("../../../README.md");
    let table = readme.split_once("| Paho JS | here |\n|---|---|\n").unwrap().1;
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split_once('|').unwrap())
        .map(|(paho, here)| (paho.trim().trim_matches('`'), here.trim()))
        .collect()
}

#[test]
fn every_name_of_pahos_has_a_row_that_is_not_empty() {
    let rows = rows();
    assert_eq!(rows.iter().map(|(paho, _)| *paho).collect::<Vec<_>>(), PAHO);
    for (paho, here) in rows {
        assert!(here.chars().filter(|c| c.is_alphabetic()).count() > 3, "{paho}: {here}");
    }
}

#[test]
fn every_api_that_the_table_names_is_used_below() {
    let used = include_str!("paho_table.rs").split_once("#[tokio::test]").unwrap().1;
    let words: Vec<_> = used.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut named = 0;
    for (paho, here) in rows() {
        // What is in backquotes, but for URLs, schemes and Paho's own names.
        for api in here.split('`').skip(1).step_by(2).filter(|api| {
            !api.contains('/')
                && !["wss", "mqtts"].contains(api)
                && (!PAHO.contains(api) || api.contains(':'))
        }) {
            named += 1;
            for word in api.split("::") {
                assert!(words.contains(&word), "{paho}: {word} of {api}");
            }
        }
    }
    assert!(named > 50, "{named}");
}

#[tokio::test]
async fn the_table_is_true() {
    let server = emulator(Quirks::standard()).await;

    // Before the connection.
    let endpoint: Endpoint = server.ws_url().parse().unwrap();
    assert_eq!(
        (Endpoint::host(&endpoint), Endpoint::port(&endpoint)),
        ("127.0.0.1", server.ws_addr().port())
    );
    assert_eq!(Endpoint::transport(&endpoint), &Transport::WebSocket { path: "/mqtt".into() });
    let me = ClientId::new("GID_test", "me").unwrap();
    let credentials: Credentials<'_> = common::credentials();
    let log_in: fn(_, &_, &_) -> _ = Options::aliyun;
    let options: Options = log_in(endpoint.clone(), &me, &credentials).unwrap();
    assert_eq!((options.config.connect_timeout_ms, Config::new().connect_timeout_ms), (3_000, 10_000));
    let any = Options::new(endpoint.clone(), "me");
    assert!(!any.config.clean_session && !any.fall_back_to_v31);
    assert_eq!((any.config.protocol, any.config.offline), (Protocol::V311, Offline::QueueAll));
    let any = Options::password(any, "me", "secret");
    let any = Options::user_name(any, "me");
    let any = Options::will(any, "gone", "me", QoS::AtMostOnce, false).unwrap();
    let any = Options::fall_back_to_v31(Options::clean_session(any, true));
    let any = Options::tls(any, Tls::new());
    assert!(any.login.will.is_some());
    let options = Options::or_endpoint(options, server.url().parse().unwrap());
    let config = options
        .config
        .with_keep_alive_secs(30)
        .with_protocol(Protocol::V31)
        .with_backoff(Backoff::Fixed { delay_ms: 20 })
        .with_offline(Offline::Refuse);

    // onSuccess and onFailure.
    let connected: Result<(Client, Messages), ConnectError> =
        within("a connection", Client::connect(options.clone())).await;
    let (client, mut messages) = connected.ok().unwrap();
    let mut nobody = Options::new(Endpoint::tcp("127.0.0.1", 1), "me");
    nobody.config = config;
    let failed = within("a failure", Client::connect(nobody)).await.err().unwrap();
    assert!(!ConnectError::advice(&failed).is_empty());

    // Messages.
    let mut events = Client::events(&client);
    Client::start_trace(&client, 100);
    let granted: Result<QoS, SubscribeError> = Client::subscribe(&client, "a/+", QoS::ExactlyOnce).await;
    assert_eq!(granted, Ok(QoS::ExactlyOnce));
    let refused = Client::subscribe(&client, "", QoS::AtMostOnce).await;
    assert_eq!(refused, Err(SubscribeError::Filter(TopicError::Empty)));
    let (seen, mut handled) = tokio::sync::mpsc::unbounded_channel();
    let handler = Client::on_message(&client, "a/+", move |message| {
        // What the closure keeps is its context.
        let seen = seen.clone();
        async move { seen.send(message).map_err(|_| "nobody is there") }
    });
    let delivery: Delivery = Client::publish(&client, "a/b", "hello", QoS::AtLeastOnce).await.unwrap();
    within("the delivery", delivery).await.unwrap();
    let message = within("a message", Messages::recv(&mut messages)).await.unwrap();
    assert_eq!(within("the handler", handled.recv()).await.as_ref(), Some(&message));
    handler.unwrap().stop().await;
    assert_eq!(Message::payload_str(&message), Ok("hello"));
    assert_eq!((Message::payload(&message), Message::topic(&message)), (&b"hello"[..], "a/b"));
    assert_eq!((Message::qos(&message), Message::retain(&message)), (QoS::AtLeastOnce, false));
    assert!(!Message::dup(&message));
    assert_eq!(Message::into_payload(message), "hello");
    Client::unsubscribe(&client, "a/+").await.unwrap();
    let retained = Client::publish_retained(&client, "a/b", "x", QoS::AtMostOnce).await.err();
    assert_eq!(retained, Some(PublishError::NotAccepted(Error::RetainUnsupported)));
    let sent = Client::send_p2p(&client, "parent", me.as_str(), "to me", QoS::AtLeastOnce).await.unwrap();
    within("the delivery", sent).await.unwrap();
    assert_eq!(next(&mut messages).await.payload_str(), Ok("to me"));
    Client::stop_trace(&client);
    let trace: Vec<TraceEntry> = Client::trace_log(&client);
    assert!(trace.iter().any(|entry| entry.topic.as_deref() == Some("a/b")));

    // The connection.
    assert!(Client::is_connected(&client));
    server.drop_all();
    let lost = event(&mut events).await;
    let closed = DisconnectReason::Transport(TransportError::ClosedByPeer);
    let broken = DisconnectReason::Transport(TransportError::Broken);
    assert_ne!(DisconnectReason::KeepAliveTimeout, closed);
    let ConnectionEvent::Disconnected { reason, .. } = &lost else { panic!("{lost:?}") };
    assert!([closed, broken].contains(reason), "{reason:?}");
    let back = event(&mut events).await;
    let ConnectionEvent::Connected { again, endpoint, .. } = &back else { panic!("{back:?}") };
    assert!(*again && **endpoint == options.endpoint);
    Client::disconnect(&client).await;
    let left = event(&mut events).await;
    let ConnectionEvent::Disconnected { reason, .. } = &left else { panic!("{left:?}") };
    assert_eq!(*reason, DisconnectReason::Requested);
    within("close", Client::close(client)).await;

    // No room.
    let mut small = options;
    small.max_outgoing_bytes = 2_000;
    let (client, _) = Client::start(small);
    let mut full = None;
    while full.is_none() {
        full = Client::try_publish(&client, "t", [0; 500], QoS::AtLeastOnce).err();
    }
    assert!(matches!(full, Some(PublishError::NotAccepted(Error::Full(_)))), "{full:?}");
    within("close", client.close()).await;
}
