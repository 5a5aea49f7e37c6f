//! What the tests share: the emulator, a server made by hand, and waiting that always ends.
#![allow(dead_code, reason = "every test file is a crate of its own and uses its own part of this")]

pub(crate) mod proxy;
pub(crate) mod tls;

use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use mqtt_p2p_emulator::{Account, CloseReason, Event, Quirks, Server};
use mqtt_p2p_tokio::{
    Backoff, Client, ClientId, Config, ConnectError, ConnectionEvent, Credentials, DisconnectReason,
    Endpoint, Events, Message, Messages, Options, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The secret of every log-in. No text that anybody may see contains it.
pub(crate) const SECRET: &str = "planted-SECRET-7x";

/// Waits, but not for ever. Long, since a loaded machine is no failure.
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not in time"),
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    within(what, waiting).await;
}

/// Polls a future at most so often, with time for others in between, and drops it.
pub(crate) async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// The emulator, which answers at once.
pub(crate) async fn emulator(quirks: Quirks) -> Server {
    let config = mqtt_p2p_emulator::Config::new("post-cn-demo")
        .account(Account::access_key("AK", SECRET))
        .quirks(quirks.without_delays());
    Server::start(config).await.unwrap()
}

pub(crate) fn tcp(server: &Server) -> Endpoint {
    Endpoint::tcp("127.0.0.1", server.tcp_addr().port())
}

pub(crate) fn ws(server: &Server) -> Endpoint {
    Endpoint::ws("127.0.0.1", server.ws_addr().port())
}

pub(crate) const fn credentials() -> Credentials<'static> {
    Credentials::Signature { access_key_id: "AK", access_key_secret: SECRET, instance_id: "post-cn-demo" }
}

/// A client of the emulator that comes back quickly.
pub(crate) fn options(endpoint: Endpoint, device: &str) -> Options {
    let options =
        Options::aliyun(endpoint, &ClientId::new("GID_test", device).unwrap(), &credentials()).unwrap();
    let config = quick(options.config);
    options.config(config)
}

/// Comes back quickly, and never suspects a takeover: the tests close many young connections.
pub(crate) fn quick(config: Config) -> Config {
    config
        .with_backoff(Backoff::Fixed { delay_ms: 20 })
        .with_stable_after_ms(0)
        .with_connect_timeout_ms(10_000)
}

pub(crate) async fn connect(options: Options) -> (Client, Messages) {
    within("connect", Client::connect(options)).await.unwrap()
}

pub(crate) async fn next(messages: &mut Messages) -> Message {
    within("a message", messages.recv()).await.expect("an open stream")
}

pub(crate) async fn event(events: &mut Events) -> ConnectionEvent {
    within("an event", events.recv()).await.expect("an open stream")
}

/// The error of the first attempt, whose words and advice are there.
pub(crate) async fn failure(options: Options) -> ConnectError {
    let endpoint = options.endpoint.to_string();
    let Err(error) = within("the first attempt", Client::connect(options)).await else {
        panic!("{endpoint}: connected");
    };
    println!("{endpoint}: {error}; {}", error.advice());
    assert!(!error.to_string().is_empty() && !error.advice().is_empty());
    error
}

/// Why the transport did not come about, and what there is to say of it.
pub(crate) async fn transport_failure(options: Options) -> (TransportError, String) {
    match failure(options).await {
        ConnectError::Failed { reason: DisconnectReason::Transport(why), detail } => {
            (why, detail.map(|detail| detail.to_string()).unwrap_or_default())
        }
        other => panic!("{other:?}"),
    }
}

/// Sends itself a message at every QoS.
pub(crate) async fn talks_to_itself(client: &Client, messages: &mut Messages) {
    use mqtt_p2p_tokio::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
    within("SUBACK", client.subscribe("echo", ExactlyOnce)).await.unwrap();
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let delivery = within("room", client.publish("echo", "hello", qos)).await.unwrap();
        within("the delivery", delivery).await.unwrap();
        let message = next(messages).await;
        assert_eq!((message.payload(), message.qos()), (&b"hello"[..], qos));
    }
}

/// The number that a message has for its payload.
pub(crate) fn number(message: &Message) -> usize {
    std::str::from_utf8(message.payload()).unwrap().parse().unwrap()
}

/// Why connections ended, as the emulator saw it.
pub(crate) fn closes(server: &Server) -> Vec<CloseReason> {
    let closes = server.events().into_iter().filter_map(|event| match event {
        Event::Closed { reason, .. } => Some(reason),
        _ => None,
    });
    closes.collect()
}

/// A server made by hand.
pub(crate) struct Raw(TcpListener);

impl Raw {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap())
    }

    pub(crate) fn tcp(&self) -> Endpoint {
        Endpoint::tcp("127.0.0.1", self.0.local_addr().unwrap().port())
    }

    pub(crate) fn ws(&self) -> Endpoint {
        Endpoint::ws("127.0.0.1", self.0.local_addr().unwrap().port())
    }

    /// A client of this server, of any broker's kind.
    pub(crate) fn options(&self) -> Options {
        let options = Options::new(self.tcp(), "client");
        let config = quick(options.config);
        options.config(config)
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> TcpStream {
        let (stream, _) = within("a connection", self.0.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The next connection, logged in.
    pub(crate) async fn log_in(&self) -> TcpStream {
        let mut stream = self.accept().await;
        assert_eq!(packet(&mut stream).await[0], 0x10);
        stream.write_all(&CONNACK).await.unwrap();
        stream
    }
}

pub(crate) const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

/// The next packet that comes, of at most 127 bytes behind its header.
pub(crate) async fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut packet = vec![0; 2];
    within("a packet", stream.read_exact(&mut packet)).await.unwrap();
    packet.resize(2 + usize::from(packet[1]), 0);
    within("its rest", stream.read_exact(&mut packet[2..])).await.unwrap();
    packet
}

/// The request for an upgrade to WebSocket.
pub(crate) async fn upgrade_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let len = within("the request", stream.read_buf(&mut request)).await.unwrap();
        assert!(len > 0, "it ends in the middle");
    }
    String::from_utf8(request).unwrap()
}

/// Reads until the other side ends.
pub(crate) async fn ended(stream: &mut TcpStream) {
    let mut rest = vec![0; 4096];
    let end = async { while stream.read(&mut rest).await.is_ok_and(|len| len > 0) {} };
    within("the end of the connection", end).await;
}

/// A PUBLISH of QoS 0 with the topic `t`.
pub(crate) fn publish(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut rest = payload.len() + 3;
    loop {
        let more = rest > 127;
        packet.push((rest % 128) as u8 | u8::from(more) << 7);
        rest /= 128;
        if !more {
            break;
        }
    }
    packet.extend_from_slice(&[0, 1, b't']);
    packet.extend_from_slice(payload);
    packet
}
