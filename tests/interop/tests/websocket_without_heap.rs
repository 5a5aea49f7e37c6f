//! The core through `mqtt-p2p-websocket` over a blocking socket, as a C program or a firmware drives it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant as Clock};

use mqtt_p2p_core::{
    Action, Client, Config, Event, Growing, Instant, Login, Publication, QoS, SubscribeFilter, TopicFilter,
    TopicName, TransportError,
};
use mqtt_p2p_emulator::Server;
use mqtt_p2p_interop::Mosquitto;
use mqtt_p2p_websocket::{End, HandshakeError, Request, WebSocket};

/// Who logs in, where.
#[derive(Clone)]
struct Peer {
    address: SocketAddr,
    client_id: String,
    user: Option<(String, Vec<u8>)>,
    topic: String,
}

/// What a test wants to know of an event.
#[derive(Debug, PartialEq)]
enum Seen {
    Connected,
    Subscribed,
    Published,
    Message(Vec<u8>, QoS),
    Other(String),
}

/// The whole loop: one buffer for what comes in, one for what goes out.
struct Driver {
    peer: Peer,
    client: Client<Growing>,
    socket: WebSocket,
    stream: Option<TcpStream>,
    /// MQTT's bytes that the client has left, and room.
    buffer: Vec<u8>,
    filled: usize,
    /// How much is read at once, at most.
    chunk: usize,
    /// How the connection ended; the client is told once it has seen all that came before.
    ended: Option<TransportError>,
    out: [u8; 512],
    started: Clock,
}

impl Driver {
    fn new(peer: &Peer, chunk: usize) -> Self {
        let seed = *b"not secret: test";
        let (client, socket) = (Client::new(Config::new(), 42, Growing::new(1 << 20)), WebSocket::new(seed));
        Self {
            peer: peer.clone(),
            client,
            socket,
            stream: None,
            buffer: vec![0; 70_000],
            filled: 0,
            chunk,
            ended: None,
            out: [0; 512],
            started: Clock::now(),
        }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.started.elapsed().as_millis() as u64)
    }

    fn connect(&mut self) {
        self.client.connect(self.now());
        assert_eq!(self.next(), Seen::Connected);
    }

    fn publish(&mut self, payload: &[u8], qos: QoS) {
        let topic = TopicName::new(&self.peer.topic).unwrap();
        self.client.publish(&Publication::new(topic, payload).with_qos(qos)).unwrap();
    }

    fn next(&mut self) -> Seen {
        loop {
            assert!(self.started.elapsed() < Duration::from_secs(60), "nothing happens");
            let now = self.now();
            let mut received = &self.buffer[..self.filled];
            let mut event = None;
            let (mut waits, mut closes) = (false, false);
            match self.client.poll(now, &mut received) {
                Action::OpenTransport { .. } => {
                    let stream = TcpStream::connect(self.peer.address).unwrap();
                    stream.set_nodelay(true).unwrap();
                    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
                    let host = self.peer.address.to_string();
                    let len = self.socket.open(&Request::new(&host, "/mqtt"), &mut self.out).unwrap();
                    self.stream.insert(stream).write_all(&self.out[..len]).unwrap();
                }
                Action::Transmit(packets) => {
                    let done = self.socket.transmit(packets, &mut self.out).unwrap();
                    self.stream.as_mut().unwrap().write_all(&self.out[..done.written]).unwrap();
                    self.client.transmitted(done.taken);
                }
                Action::CloseTransport => closes = true,
                Action::Event(Event::Message(message)) => {
                    event = Some(Seen::Message(message.payload.into(), message.qos))
                }
                Action::Event(Event::Connected { .. }) => event = Some(Seen::Connected),
                Action::Event(Event::Subscribed { .. }) => event = Some(Seen::Subscribed),
                Action::Event(Event::Published { .. }) => event = Some(Seen::Published),
                Action::Event(other) => event = Some(Seen::Other(format!("{other:?}"))),
                Action::Wait(_) => waits = true,
                other => panic!("{other:?}"),
            }
            let left = received.len();
            self.buffer.copy_within(self.filled - left..self.filled, 0);
            self.filled = left;
            if let Some(event) = event {
                return event;
            }
            if closes {
                self.close();
            }
            if waits {
                match self.ended.take() {
                    Some(why) => self.client.transport_closed(now, why),
                    None => self.receive(),
                }
            }
        }
    }

    /// Reads what comes in a short time.
    fn receive(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let room = &mut self.buffer[self.filled..];
        let len = room.len().min(self.chunk);
        let end = match stream.read(&mut room[..len]) {
            Ok(0) => Some(TransportError::ClosedByPeer),
            Ok(len) => {
                let was_open = self.socket.is_open();
                let received = self.socket.receive_in_place(&mut room[..len]);
                self.filled += received.len;
                if self.socket.wants_transmit() {
                    let done = self.socket.transmit(&[], &mut self.out).unwrap();
                    stream.write_all(&self.out[..done.written]).unwrap();
                }
                if self.socket.is_open() && !was_open {
                    let mut login = Login::new(&self.peer.client_id);
                    if let Some((user, password)) = &self.peer.user {
                        login = login.with_password(user, password);
                    }
                    self.client.transport_opened(
                        Instant::from_millis(self.started.elapsed().as_millis() as u64),
                        &login,
                    );
                }
                received.end.map(|end| match end {
                    End::Closed { .. } => TransportError::ClosedByPeer,
                    End::Refused(_) => TransportError::Upgrade,
                    _ => TransportError::Broken,
                })
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) => panic!("{error}"),
        };
        if end.is_some() {
            self.stream = None;
            self.ended = end;
        }
    }

    fn close(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        self.socket.close();
        let done = self.socket.transmit(&[], &mut self.out).unwrap();
        // The peer may have gone already.
        let _ = stream.write_all(&self.out[..done.written]);
    }
}

fn messages_of_all_sizes_go_there_and_back(peer: &Peer, sizes: &[usize], chunk: usize) {
    let mut driver = Driver::new(peer, chunk);
    driver.connect();
    let filter = TopicFilter::new(&peer.topic).unwrap();
    driver.client.subscribe(&[SubscribeFilter::new(filter, QoS::ExactlyOnce)]).unwrap();
    assert_eq!(driver.next(), Seen::Subscribed);
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for &size in sizes {
            let payload: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            driver.publish(&payload, qos);
            let both = [driver.next(), driver.next()];
            assert!(both.contains(&Seen::Published), "{size} {qos:?}: {both:?}");
            let delivered = both.iter().find_map(|seen| match seen {
                Seen::Message(payload, _) => Some(payload),
                _ => None,
            });
            assert!(delivered == Some(&payload), "{size} {qos:?}");
        }
    }
    // Many packets in one piece, each in a message of its own.
    for i in 0..200_u8 {
        driver.publish(&[i], QoS::AtMostOnce);
    }
    let mut next = 0;
    while next < 200 {
        match driver.next() {
            Seen::Message(payload, _) => {
                assert_eq!(payload, [next]);
                next += 1;
            }
            other => assert_eq!(other, Seen::Published),
        }
    }
    driver.client.disconnect(driver.now());
    let mut last = driver.next();
    while last == Seen::Published {
        last = driver.next();
    }
    assert!(matches!(&last, Seen::Other(text) if text.contains("Requested")), "{last:?}");
}

/// Runs what blocks.
async fn blocking(test: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(test).await.unwrap();
}

const SIZES: &[usize] = &[0, 1, 100, 125, 126, 200, 5_000, 60_000];

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_all_sizes_go_to_mosquitto_and_back() {
    let broker = Mosquitto::start().await;
    let address = SocketAddr::from(([127, 0, 0, 1], broker.ws().port()));
    for chunk in [1, 7, 70_000] {
        let peer = Peer { address, client_id: format!("heapless{chunk}"), user: None, topic: "n".into() };
        // Mosquitto writes large messages slowly to WebSockets: see the sizes in messages.rs.
        let sizes = if chunk < 100 { &SIZES[..6] } else { SIZES };
        blocking(move || messages_of_all_sizes_go_there_and_back(&peer, sizes, chunk)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_all_sizes_go_to_the_emulator_and_back() {
    let server = Server::demo().await.unwrap();
    let client_id = server.client_id("heapless");
    let login = server.credentials().for_client(&client_id).unwrap();
    let peer = Peer {
        address: server.ws_addr(),
        user: Some((login.user_name().into(), login.password().to_vec())),
        client_id,
        topic: format!("{}/n", server.parent_topic()),
    };
    blocking(move || messages_of_all_sizes_go_there_and_back(&peer, SIZES, 1000)).await;
}

/// What the server says to an upgrade.
fn upgrade(address: SocketAddr, path: &str) -> Option<End> {
    let (mut socket, mut buffer) = (WebSocket::new([1; 16]), [0; 512]);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let len = socket.open(&Request::new(&address.to_string(), path), &mut buffer).unwrap();
    stream.write_all(&buffer[..len]).unwrap();
    while !socket.is_open() {
        let len = stream.read(&mut buffer).unwrap();
        assert!(len > 0, "it closed without a word");
        if let Some(end) = socket.receive_in_place(&mut buffer[..len]).end {
            return Some(end);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_path_is_told_with_the_status_of_the_server() {
    let server = Server::demo().await.unwrap();
    let address = server.ws_addr();
    blocking(move || {
        assert_eq!(upgrade(address, "/mqtt"), None);
        assert_eq!(upgrade(address, "/elsewhere"), Some(End::Refused(HandshakeError::Status(404))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_is_refused_is_told_though_the_server_closes_at_once() {
    let server = Server::demo().await.unwrap();
    let client_id = server.client_id("heapless");
    let peer = Peer {
        address: server.ws_addr(),
        user: Some(("Signature|nobody|nothing".into(), b"wrong".to_vec())),
        client_id,
        topic: String::new(),
    };
    blocking(move || {
        let mut driver = Driver::new(&peer, 1000);
        driver.client.connect(driver.now());
        let seen = driver.next();
        assert!(matches!(&seen, Seen::Other(text) if text.starts_with("Refused")), "{seen:?}");
    })
    .await;
}
