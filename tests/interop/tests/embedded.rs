//! Firmware's driver against real peers, over the sockets of this machine.

#[path = "../../../crates/embedded/examples/tls/layer.rs"]
#[expect(unreachable_pub, reason = "it is there to be copied")]
mod tls;

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_adapters::tokio_1::FromTokio;
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use embedded_tls::pki::CertVerifier;
use embedded_tls::{
    Aes128GcmSha256, Certificate, CryptoProvider, MaxFragmentLength, TlsConfig, TlsError, TlsVerifier,
};
use mqtt_p2p_embedded::{
    AliyunLogin, Backoff, Clock, Config, Dial, DisconnectReason, Driver, Error, Event, Inline, Instant,
    Login, LoginSource, Message, Publication, PublishP2p, QoS, ReasonCode, Shared, Status, Storage,
    SubscribeFilter, TcpDialer, Timer, TopicFilter, TopicName, TransportError, WebSocketDialer, profile,
};
use mqtt_p2p_emulator::Server;
use mqtt_p2p_interop::{Authority, Fault, Mosquitto, Settings, within};
use tls::{TlsBuffers, TlsDialer};
use tokio::net::TcpStream;

/// tokio's sockets, names and clock, by the interfaces of firmware.
#[derive(Clone, Copy)]
struct Host(tokio::time::Instant);

impl Host {
    fn new() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl TcpConnect for Host {
    type Error = io::Error;
    type Connection<'a> = FromTokio<TcpStream>;

    async fn connect(&self, remote: SocketAddr) -> io::Result<FromTokio<TcpStream>> {
        let stream = TcpStream::connect(remote).await?;
        stream.set_nodelay(true)?;
        Ok(FromTokio::new(stream))
    }
}

impl Dns for Host {
    type Error = io::Error;

    async fn get_host_by_name(&self, host: &str, _addr_type: AddrType) -> io::Result<IpAddr> {
        let mut addresses = tokio::net::lookup_host((host, 0)).await?;
        let v4 = addresses.find(SocketAddr::is_ipv4);
        v4.map(|address| address.ip()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    async fn get_host_by_address(&self, _addr: IpAddr, _result: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Clock for Host {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.elapsed().as_millis() as u64)
    }
}

impl Timer for Host {
    async fn wait_until(&self, at: Instant) {
        tokio::time::sleep_until(self.0 + Duration::from_millis(at.as_millis())).await;
    }
}

fn config() -> Config {
    profile().with_backoff(Backoff::Fixed { delay_ms: 20 }).with_stable_after_ms(0)
}

const SIZE: usize = 1_000;

fn payload(number: u32) -> [u8; SIZE] {
    let mut payload = [0; SIZE];
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte = (index as u32).wrapping_mul(number + 1) as u8;
    }
    payload[..4].copy_from_slice(&number.to_be_bytes());
    payload
}

fn number(message: &Message<'_>) -> u32 {
    let number = u32::from_be_bytes(message.payload[..4].try_into().unwrap());
    assert_eq!(message.payload, payload(number));
    number
}

/// What is under way of an exchange with oneself.
#[derive(Default)]
struct Exchange {
    sent: u32,
    open: BTreeSet<u32>,
    received: BTreeSet<u32>,
    connections: u32,
}

impl Exchange {
    const TOTAL: u32 = 200;

    fn send<S: Storage>(&mut self, client: &mut mqtt_p2p_embedded::Client<S>, topic: TopicName<'_>) {
        while self.sent < Self::TOTAL {
            let payload = payload(self.sent);
            let publication = Publication::new(topic, &payload).with_qos(QoS::AtLeastOnce);
            match client.publish(&publication) {
                Ok(ticket) => assert!(self.open.insert(ticket.to_bits())),
                Err(Error::Full(_)) => return,
                Err(error) => panic!("{error}"),
            }
            self.sent += 1;
        }
    }

    fn is_done(&self) -> bool {
        self.received.len() == Self::TOTAL as usize && self.open.is_empty()
    }
}

/// Polls a future, and drops it after some turns that had nothing to give.
async fn some_turns<F: Future>(turns: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), turns);
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Sends 200 messages of 1,000 bytes to itself; futures are dropped all the time. After each message `each` may cut the
/// link.
async fn exchange(
    mut dialer: impl Dial,
    mut logins: impl LoginSource,
    topic: &str,
    subscribe: bool,
    mut each: impl FnMut(usize),
) -> Exchange {
    let host = Host::new();
    let topic = TopicName::new(topic).unwrap();
    let mut receive = [0; 2048];
    let mut driver = Driver::new(config(), 1, Inline::<8192, 16>::new(), &mut receive, host);
    if subscribe {
        let filter = TopicFilter::new(topic.as_str()).unwrap();
        driver.client().subscribe(&[SubscribeFilter::new(filter, QoS::AtLeastOnce)]).unwrap();
    }
    let (mut exchange, mut turn) = (Exchange::default(), 0);
    while let Some(mut link) = driver.open(&mut dialer, &mut logins).await {
        loop {
            if exchange.is_done() {
                let now = host.now();
                link.client().disconnect(now);
            } else {
                exchange.send(link.client(), topic);
            }
            turn = (turn + 1) % 5;
            let Some(event) = some_turns(turn, link.next()).await else { continue };
            match event {
                Some(Event::Message(message)) => {
                    if exchange.received.insert(number(&message)) {
                        each(exchange.received.len());
                    }
                }
                Some(Event::Published { ticket, .. }) => assert!(exchange.open.remove(&ticket.to_bits())),
                Some(Event::Connected { .. }) => exchange.connections += 1,
                Some(Event::Disconnected { reason: DisconnectReason::Requested, .. }) => {}
                Some(Event::Disconnected { reason: DisconnectReason::Transport(_), retry_at, .. }) => {
                    assert!(retry_at.is_some());
                }
                Some(Event::Subscribed { .. } | Event::Resubscribed { .. }) => {}
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
    }
    exchange
}

/// A name of this machine that needs no name server.
const NAME: &str = "localhost";

#[tokio::test]
async fn messages_to_oneself_survive_cut_links_on_the_emulator_over_tcp() {
    let server = Server::demo().await.unwrap();
    let host = Host::new();
    let id = server.client_id("tcp");
    let dialer = TcpDialer::with_dns(&host, &host, NAME, server.tcp_addr().port());
    let logins: AliyunLogin<'_> = AliyunLogin::new(&id, server.credentials()).unwrap();
    let cut = |count: usize| {
        if count == 50 || count == 120 {
            server.drop_all();
        }
    };
    let done = within("the exchange", exchange(dialer, logins, &format!("demo/p2p/{id}"), false, cut)).await;
    assert_eq!(done.connections, 3);
}

#[tokio::test]
async fn messages_to_oneself_survive_cut_links_on_the_emulator_over_websocket() {
    let server = Server::demo().await.unwrap();
    let host = Host::new();
    let id = server.client_id("ws");
    // Room for a request; messages are longer, and go in several writes.
    let mut out = [0; 512];
    let address = server.ws_addr();
    let name = address.to_string();
    let dialer = WebSocketDialer::new(TcpDialer::new(&host, address), [9; 16], &name, "/mqtt", &mut out);
    let logins: AliyunLogin<'_> = AliyunLogin::new(&id, server.credentials()).unwrap();
    let cut = |count: usize| {
        if count == 50 || count == 120 {
            server.drop_all();
        }
    };
    let done = within("the exchange", exchange(dialer, logins, &format!("demo/p2p/{id}"), false, cut)).await;
    assert_eq!(done.connections, 3);
}

#[tokio::test]
async fn messages_to_oneself_come_on_mosquitto_over_tcp_and_websocket() {
    let broker = Mosquitto::start().await;
    let host = Host::new();
    let tcp = TcpDialer::with_dns(&host, &host, "127.0.0.1", broker.tcp().port());
    let done = within("over tcp", exchange(tcp, Login::new("device"), "t/device", true, |_| {})).await;
    assert_eq!(done.connections, 1);
    let mut out = [0; 2048];
    let tcp = TcpDialer::with_dns(&host, &host, "127.0.0.1", broker.ws().port());
    let name = format!("127.0.0.1:{}", broker.ws().port());
    let websocket = WebSocketDialer::new(tcp, [9; 16], &name, "/mqtt", &mut out);
    let done =
        within("over websocket", exchange(websocket, Login::new("device"), "t/device", true, |_| {})).await;
    assert_eq!(done.connections, 1);
}

/// The first thing that goes wrong.
async fn first_end(mut dialer: impl Dial, mut logins: impl LoginSource) -> String {
    let mut receive = [0; 512];
    let mut driver = Driver::new(config(), 1, Inline::<512>::new(), &mut receive, Host::new());
    let mut link = driver.open(&mut dialer, &mut logins).await.unwrap();
    match link.next().await {
        Some(Event::Disconnected { reason: DisconnectReason::Transport(error), .. }) => format!("{error:?}"),
        Some(Event::Refused { reason, retry_at: None, .. }) => format!("{reason:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_is_told_apart() {
    let server = Server::demo().await.unwrap();
    let host = Host::new();
    let id = server.client_id("wrong");
    let logins = || AliyunLogin::<'_, 128, 64>::new(&id, server.credentials()).unwrap();
    let nobody = TcpDialer::new(&host, "127.0.0.1:1".parse().unwrap());
    assert_eq!(first_end(nobody, logins()).await, format!("{:?}", TransportError::ConnectionRefused));
    let nowhere = TcpDialer::with_dns(&host, &host, "no-such-name.invalid", 1883);
    assert_eq!(first_end(nowhere, logins()).await, format!("{:?}", TransportError::NameNotFound));
    let mut out = [0; 512];
    let tcp = TcpDialer::new(&host, server.ws_addr());
    let path = WebSocketDialer::new(tcp, [9; 16], "127.0.0.1", "/no/such/path", &mut out);
    assert_eq!(first_end(path, logins()).await, format!("{:?}", TransportError::Upgrade));
    let tcp = TcpDialer::new(&host, server.tcp_addr());
    let wrong = Login::new(&id).with_password("Signature|demo-key|post-cn-demo", b"wrong");
    assert_eq!(first_end(tcp, wrong).await, format!("{:?}", ReasonCode::BadUserNameOrPassword));
}

#[tokio::test]
async fn tasks_share_a_client_on_the_emulator() {
    let server = Server::demo().await.unwrap();
    let host = Host::new();
    let id = server.client_id("shared");
    let mut dialer = TcpDialer::new(&host, server.tcp_addr());
    let mut logins: AliyunLogin<'_> = AliyunLogin::new(&id, server.credentials()).unwrap();
    let (mut receive, mut transmit) = ([0; 2048], [0; 1460]);
    let client: Shared<'_, NoopRawMutex, Inline<4096>> =
        Shared::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
    let mut receiver = client.receiver(None).unwrap();
    let publish = async |numbers: std::ops::Range<u32>| {
        for number in numbers {
            client.publish_p2p("demo", &id, &payload(number), QoS::AtLeastOnce).await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    let take = async {
        let mut received = BTreeSet::new();
        while received.len() < 200 {
            let is_new = received.insert(receiver.next(number).await);
            if is_new && received.len() == 77 {
                server.drop_all();
            }
        }
        client.disconnect();
        std::future::pending::<()>().await;
    };
    within("the exchange", async {
        tokio::select! {
            () = client.run(&mut dialer, &mut logins, &host) => {}
            () = publish(0..100) => {}
            () = publish(100..200) => {}
            () = take => {}
        }
    })
    .await;
    assert_eq!(client.status(), Status::Disconnected { reason: DisconnectReason::Requested, retry_at: None });
    // It had been there already, and P2P came by the trait of the client as well.
    let mut other = mqtt_p2p_embedded::Client::new(config(), 1, Inline::<512>::new());
    assert!(other.publish_p2p("demo", &id, b"x", QoS::AtLeastOnce).is_ok());
}

/// The system's clock for TLS.
struct Unix;

impl embedded_tls::TlsClock for Unix {
    fn now() -> Option<u64> {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
    }
}

/// Checks certificates by one authority.
struct Provider<'a> {
    rng: rand_core::OsRng,
    verifier: CertVerifier<'a, Aes128GcmSha256, Unix, 2048>,
}

impl CryptoProvider for Provider<'_> {
    type CipherSuite = Aes128GcmSha256;
    type Signature = &'static [u8];

    fn rng(&mut self) -> impl embedded_tls::CryptoRngCore {
        &mut self.rng
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Aes128GcmSha256>, TlsError> {
        Ok(&mut self.verifier)
    }
}

async fn secure(fault: Fault) -> Mosquitto {
    Mosquitto::with(Settings { secure: Some(fault), ..Settings::default() }).await
}

macro_rules! tls_dialer {
    ($dialer:ident, $host:expr, $port:expr, $authority:expr) => {
        let der = $authority.der();
        let config = TlsConfig::new()
            .with_server_name("127.0.0.1")
            .with_max_fragment_length(MaxFragmentLength::Bits12);
        let verifier = CertVerifier::new(Certificate::X509(&der[..]));
        let mut read = [[0; 4_608]; 2];
        // Shorter than a message: records are cut, and go on.
        let mut write = [[0; 1_024]; 2];
        let ([a, b], [c, d]) = (&mut read, &mut write);
        let tcp = TcpDialer::with_dns($host, $host, "127.0.0.1", $port);
        let $dialer = TlsDialer::new(
            tcp,
            &config,
            Provider { rng: rand_core::OsRng, verifier },
            TlsBuffers { read: [a, b], write: [c, d] },
        );
    };
}

#[tokio::test]
async fn messages_to_oneself_come_on_mosquitto_over_tls_by_embedded_tls() {
    let broker = secure(Fault::None).await;
    let host = Host::new();
    tls_dialer!(dialer, &host, broker.secure().tls().port(), &broker.secure().authority);
    let done = within("over tls", exchange(dialer, Login::new("device"), "t/device", true, |_| {})).await;
    assert_eq!(done.connections, 1);
}

#[tokio::test]
async fn a_certificate_of_another_authority_name_or_time_is_refused_by_embedded_tls() {
    let refused = format!("{:?}", TransportError::UnknownAuthority);
    let host = Host::new();
    let broker = secure(Fault::None).await;
    tls_dialer!(dialer, &host, broker.secure().tls().port(), &Authority::new("other"));
    assert_eq!(first_end(dialer, Login::new("device")).await, refused);
    for fault in [Fault::Expired, Fault::OtherName] {
        let broker = secure(fault).await;
        tls_dialer!(dialer, &host, broker.secure().tls().port(), &broker.secure().authority);
        assert_eq!(first_end(dialer, Login::new("device")).await, refused, "{fault:?}");
    }
}
