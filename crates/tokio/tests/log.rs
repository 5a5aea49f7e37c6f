//! What the program's log gets, and the trace of packets: everything but secrets and payloads.

mod common;

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use common::{
    Raw, SECRET, connect, credentials, emulator, event, next, options, packet, publish, tcp, until, within,
    ws,
};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{Client, ConnectionEvent, Direction, PacketType, QoS, WhenFull};
use tokio::io::AsyncWriteExt;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

const PAYLOAD: &str = "planted-PAYLOAD-9y";

/// Writes every span and event at every level, with all fields, and calls the client at each event.
#[derive(Clone, Default)]
struct Capture {
    lines: Arc<Mutex<Vec<String>>>,
    client: Arc<Mutex<Option<Client>>>,
}

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, span: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        let mut line = format!("span {}", span.metadata().name());
        span.record(&mut Fields(&mut line));
        self.lines.lock().unwrap().push(line);
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let meta = event.metadata();
        let mut line = format!("{} {}", meta.level(), meta.target());
        if let Some(span) = context.event_span(event) {
            write!(line, " in {}", span.name()).unwrap();
        }
        event.record(&mut Fields(&mut line));
        self.lines.lock().unwrap().push(line);
        // User code: it finds no lock held.
        let client = self.client.lock().unwrap().clone();
        let _ = client.map(|client| (client.stats(), client.is_connected()));
    }
}

impl Capture {
    /// Captures all that this thread logs, which is all, since the tests' runtimes have one thread.
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let capture = Self::default();
        let subscriber = tracing_subscriber::registry().with(capture.clone());
        (capture, tracing::subscriber::set_default(subscriber))
    }

    fn has(&self, parts: &[&str]) -> bool {
        self.lines.lock().unwrap().iter().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    fn check(&self, parts: &[&str]) {
        assert!(self.has(parts), "{parts:?} not in {:#?}", self.lines.lock().unwrap());
    }
}

/// No line has a secret, a signature or a payload.
fn is_discreet(texts: impl IntoIterator<Item = String>) {
    let mut signature = [0; 28];
    let len = credentials().password_len();
    credentials().write_password("GID_test@@@1", &mut signature[..len]).unwrap();
    let signature = std::str::from_utf8(&signature[..len]).unwrap();
    for text in texts {
        for secret in [SECRET, signature, PAYLOAD] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn the_log_tells_what_happens_and_never_a_secret_or_a_payload() {
    let (capture, _guard) = Capture::start();
    let server = emulator(Quirks::standard()).await;
    for endpoint in [tcp(&server), ws(&server)] {
        let (client, mut messages) = connect(options(endpoint, "1")).await;
        *capture.client.lock().unwrap() = Some(client.clone());
        client.start_trace(100);
        let mut events = client.events();
        client.subscribe("n", QoS::ExactlyOnce).await.unwrap();
        let _full = client.stream().matching("n").unwrap().capacity(1).when_full(WhenFull::DropNewest).open();
        let failing = client.on_message("n", |_| async { Err::<(), _>("no such order") }).unwrap();
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            within("it is through", client.publish("n", PAYLOAD, qos).await.unwrap()).await.unwrap();
            assert_eq!(next(&mut messages).await.payload(), PAYLOAD.as_bytes());
            assert!(matches!(event(&mut events).await, ConnectionEvent::HandlerFailed { .. }));
        }
        server.drop_all();
        while !matches!(event(&mut events).await, ConnectionEvent::Connected { .. }) {}
        failing.stop().await;
        is_discreet(client.trace_log().iter().map(ToString::to_string));
        is_discreet(client.trace_log().iter().map(|entry| format!("{entry:?}")));
        capture.client.lock().unwrap().take();
        within("close", client.close()).await;
    }
    capture.check(&["span mqtt", "client_id=\"GID_test@@@1\""]);
    for parts in [
        &["DEBUG mqtt_p2p in mqtt", "dialling", "attempt=1"][..],
        &["INFO mqtt_p2p in mqtt", "=connected", "session_present=false"],
        &["WARN mqtt_p2p in mqtt", "disconnected", "reason=", "advice=", "retry_in=Some("],
        &["INFO mqtt_p2p in mqtt", "disconnected", "on request"],
        &["ERROR mqtt_p2p in mqtt", "handler failed", "filter=\"n\"", "no such order"],
        &["WARN mqtt_p2p in mqtt", "filter=\"n\"", "drops messages"],
        &["TRACE mqtt_p2p::packets in mqtt", "CONNECT", "sent"],
        &["TRACE mqtt_p2p::packets in mqtt", "PUBLISH", "received", "topic=\"n\"", "qos=2"],
        &["TRACE mqtt_p2p::packets in mqtt", "DISCONNECT", "sent"],
    ] {
        capture.check(parts);
    }
    is_discreet(capture.lines.lock().unwrap().drain(..));
}

#[tokio::test]
async fn refusals_lost_subscriptions_and_takeovers_are_logged() {
    let (capture, _guard) = Capture::start();
    let server = emulator(Quirks::service()).await;
    let wrong = options(tcp(&server), "1").password("Signature|AK|post-cn-demo", SECRET);
    within("an answer", Client::connect(wrong)).await.unwrap_err();
    capture.check(&["WARN mqtt_p2p", "log-in refused", "reason=", "advice="]);

    let raw = Raw::start().await;
    let mut options = raw.options();
    options.config.stable_after_ms = 30_000;
    options.config.takeover_delay_ms = 20;
    let (client, _messages) = Client::start(options);
    let mut stream = raw.log_in().await;
    let subscribing = client.subscribe("gone", QoS::AtMostOnce);
    let granting = async {
        packet(&mut stream).await;
        stream.write_all(&[0x90, 3, 0, 1, 0]).await.unwrap();
    };
    within("SUBACK", async { tokio::join!(subscribing, granting) }).await.0.unwrap();
    drop(stream);
    let mut stream = raw.log_in().await;
    assert_eq!(packet(&mut stream).await[..4], [0x82, 9, 0xff, 0xff]);
    stream.write_all(&[0x90, 3, 0xff, 0xff, 0x80]).await.unwrap();
    until("the log", || capture.has(&["WARN mqtt_p2p", "subscription lost", "filter=\"gone\""])).await;
    drop(stream);
    while !capture.has(&["WARN mqtt_p2p", "takeover suspected", "retry_in=Some("]) {
        drop(raw.log_in().await);
    }
    is_discreet(capture.lines.lock().unwrap().drain(..));
}

#[tokio::test]
async fn the_trace_has_the_last_packets_in_the_order_in_which_they_went_by() {
    let raw = Raw::start().await;
    let (client, mut messages) = Client::start(raw.options());
    client.start_trace(100);
    let mut stream = raw.log_in().await;
    stream.write_all(&[0x3d, 6, 0, 1, b't', 0, 7, b'x']).await.unwrap();
    next(&mut messages).await;
    assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 7]);
    drop(client.publish("温/1", "1234", QoS::AtLeastOnce).await.unwrap());
    packet(&mut stream).await;
    let unsubscribing = tokio::spawn({
        let client = client.clone();
        async move { client.unsubscribe("a/+").await }
    });
    packet(&mut stream).await;
    let log = client.trace_log();
    let lines: Vec<_> =
        log.iter().map(|entry| entry.to_string().split_off("00:00:00.000000 ".len())).collect();
    assert_eq!(
        lines,
        [
            "> CONNECT, 20 bytes",
            "< CONNACK return code 0, 4 bytes",
            "< PUBLISH #7 QoS 2 dup retain t, 8 bytes",
            "> PUBREC #7, 4 bytes",
            "> PUBLISH #1 QoS 1 温/1, 15 bytes",
            "> UNSUBSCRIBE #2 a/+, 9 bytes",
        ]
    );
    let entry = &log[2];
    assert_eq!((entry.direction, entry.packet_type), (Direction::Received, PacketType::Publish));
    assert!(log.is_sorted_by_key(|entry| entry.at));
    // Stopped, it stays as it is.
    client.stop_trace();
    stream.write_all(&publish(b"")).await.unwrap();
    next(&mut messages).await;
    assert_eq!(client.trace_log(), log);
    // Begun anew, it has the last ones only.
    client.start_trace(2);
    assert_eq!(client.trace_log(), []);
    for _ in 0..5 {
        stream.write_all(&publish(b"")).await.unwrap();
        next(&mut messages).await;
    }
    stream.write_all(&[0xb0, 2, 0, 2]).await.unwrap();
    within("UNSUBACK", unsubscribing).await.unwrap().unwrap();
    let types: Vec<_> = client.trace_log().iter().map(|entry| entry.packet_type).collect();
    assert_eq!(types, [PacketType::Publish, PacketType::UnsubAck]);
}

#[tokio::test]
async fn a_topic_that_is_made_to_look_like_a_line_of_the_trace_is_none() {
    let raw = Raw::start().await;
    let (client, mut messages) = Client::start(raw.options());
    client.start_trace(1);
    let mut stream = raw.log_in().await;
    stream.write_all(b"\x30\x06\x00\x04a\n\x1bb").await.unwrap();
    next(&mut messages).await;
    let line = client.trace_log()[0].to_string();
    assert!(line.ends_with("< PUBLISH QoS 0 a\\n\\u{1b}b, 8 bytes"), "{line}");
}
