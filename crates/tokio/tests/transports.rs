//! Ways to the server: proxies, Unix sockets, streams of the caller's, lists of endpoints, an older edition.

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::proxy::{Rule, TestProxy};
use common::tls::{Authority, TlsFront};
use common::{
    CONNACK, Raw, connect, emulator, event, failure, options, packet, quick, talks_to_itself, tcp,
    transport_failure, until, upgrade_request, within, ws,
};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{
    Client, ConnectError, ConnectionEvent, Connector, DisconnectReason, Endpoint, HeaderError, Options,
    Protocol, Proxy, ReasonCode, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};

/// A name that only a proxy knows.
const NAME: &str = "broker.invalid";

// ---- proxies ----

async fn start(kind: &str, server: SocketAddr, rule: Rule) -> (TestProxy, Proxy) {
    let proxy = match kind {
        "http" => TestProxy::http(server, rule).await,
        _ => TestProxy::socks5(server, rule).await,
    };
    let url = format!("{kind}://127.0.0.1:{}", proxy.port);
    (proxy, url.parse().unwrap())
}

#[tokio::test]
async fn through_either_proxy_every_transport_reaches_a_server_that_only_the_proxy_can_name() {
    let server = emulator(Quirks::standard()).await;
    let authority = Authority::new("ours");
    let certificate = authority.issue_for(&[NAME], 2020, 2200);
    let tls = TlsFront::start(server.tcp_addr(), &certificate).await;
    let wss = TlsFront::start(server.ws_addr(), &certificate).await;
    let front = |endpoint: Endpoint| SocketAddr::from((Ipv4Addr::LOCALHOST, endpoint.port()));
    for kind in ["http", "socks5"] {
        for (endpoint, address) in [
            (Endpoint::tcp(NAME, 7), server.tcp_addr()),
            (Endpoint::ws(NAME, 7), server.ws_addr()),
            (Endpoint::tls(NAME, 7), front(tls.tls())),
            (Endpoint::wss(NAME, 7), front(wss.wss())),
        ] {
            let (running, proxy) = start(kind, address, Rule::Everybody).await;
            let options = options(endpoint, "1").proxy(proxy).tls(authority.trusted());
            let (client, mut messages) = connect(options).await;
            talks_to_itself(&client, &mut messages).await;
            assert_eq!(running.asked(), ["broker.invalid:7"]);
            within("close", client.close()).await;
        }
    }
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_gets_it() {
    let server = emulator(Quirks::standard()).await;
    for kind in ["http", "socks5"] {
        let (_running, proxy) = start(kind, server.tcp_addr(), Rule::Password).await;
        let known = proxy.clone().credentials("user", "p@ss").unwrap();
        let (client, _) = connect(options(tcp(&server), "1").proxy(known)).await;
        within("close", client.close()).await;
        for wrong in [proxy.clone(), proxy.credentials("user", "planted").unwrap()] {
            let options = options(tcp(&server), "1").proxy(wrong);
            assert!(!format!("{options:?}").contains("planted"));
            let (why, detail) = transport_failure(options).await;
            assert_eq!(why, TransportError::Proxy);
            assert!(detail.starts_with(kind) && !detail.contains("planted"), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_proxy_at_fault_is_told_from_a_server_at_fault() {
    let server = emulator(Quirks::standard()).await;
    for kind in ["http", "socks5"] {
        let (_running, refusing) = start(kind, server.tcp_addr(), Rule::Nobody).await;
        let closed = format!("{kind}://127.0.0.1:{}", closed_port().await).parse().unwrap();
        let unknown = format!("{kind}://proxy.invalid").parse().unwrap();
        for proxy in [refusing, closed, unknown] {
            let (why, detail) = transport_failure(options(tcp(&server), "1").proxy(proxy)).await;
            assert_eq!(why, TransportError::Proxy);
            assert!(detail.starts_with(kind), "{detail}");
        }
    }
    let (_running, proxy) = start("http", server.tcp_addr(), Rule::Everybody).await;
    let refused = options(tcp(&server), "1").password("user", "wrong").proxy(proxy);
    assert!(matches!(failure(refused).await, ConnectError::Refused(_)));
}

#[tokio::test]
async fn a_proxy_that_does_not_answer_meets_the_connect_deadline() {
    let raw = Raw::start().await;
    for proxy in [Proxy::http("127.0.0.1", raw.tcp().port()), Proxy::socks5("127.0.0.1", raw.tcp().port())] {
        let mut options = raw.options().proxy(proxy);
        options.config.connect_timeout_ms = 200;
        let (error, _silent) = tokio::join!(failure(options), raw.accept());
        let ConnectError::Failed { reason: DisconnectReason::ConnectTimeout, detail: Some(detail) } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(&*detail, "stuck at: proxy");
    }
}

async fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
}

// ---- Unix sockets and streams of the caller's ----

#[tokio::test]
async fn a_unix_socket_carries_messages_at_every_qos() {
    let server = emulator(Quirks::standard()).await;
    let address = server.tcp_addr();
    let file = std::env::temp_dir().join(format!("mqtt-p2p-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&file).unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(address).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    let endpoint: Endpoint = format!("unix://{}", file.display()).parse().unwrap();
    let (client, mut messages) = connect(options(endpoint.clone(), "1")).await;
    talks_to_itself(&client, &mut messages).await;
    within("close", client.close()).await;
    serving.abort();
    std::fs::remove_file(&file).unwrap();
    let (why, detail) = transport_failure(options(endpoint, "1")).await;
    assert_eq!(why, TransportError::Unreachable);
    assert!(detail.contains(".sock"), "{detail}");
}

#[tokio::test]
async fn a_stream_of_the_callers_is_asked_for_at_each_attempt_and_carries_every_transport() {
    let server = emulator(Quirks::standard()).await;
    let authority = Authority::new("ours");
    let certificate = authority.issue_for(&[NAME], 2020, 2200);
    let tls = TlsFront::start(server.tcp_addr(), &certificate).await;
    let wss = TlsFront::start(server.ws_addr(), &certificate).await;
    for (endpoint, port) in [
        (Endpoint::tcp(NAME, 7), server.tcp_addr().port()),
        (Endpoint::ws(NAME, 7), server.ws_addr().port()),
        (Endpoint::tls(NAME, 7), tls.tls().port()),
        (Endpoint::wss(NAME, 7), wss.wss().port()),
        (Endpoint::unix("/no/such/file"), server.tcp_addr().port()),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let expected = endpoint.clone();
        let connector = Connector::new(move |endpoint: Arc<Endpoint>| {
            assert_eq!(*endpoint, expected);
            counter.fetch_add(1, Ordering::SeqCst);
            async move {
                // A stream in memory, with somebody at its other end.
                let (ours, mut theirs) = tokio::io::duplex(64);
                let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut theirs, &mut server).await });
                Ok(ours)
            }
        });
        let options = options(endpoint, "1").connector(connector).tls(authority.trusted());
        let (client, mut messages) = connect(options).await;
        talks_to_itself(&client, &mut messages).await;
        server.drop_all();
        until("another connection", || client.stats().connections == 2).await;
        talks_to_itself(&client, &mut messages).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        within("close", client.close()).await;
    }
}

#[tokio::test]
async fn a_connector_that_fails_is_reported_in_its_own_words() {
    let connector =
        Connector::new(|_| async { Err::<tokio::io::DuplexStream, _>(std::io::Error::other("no carrier")) });
    let (why, detail) = transport_failure(options(Endpoint::tcp("h", 1), "1").connector(connector)).await;
    assert_eq!((why, detail.as_str()), (TransportError::Unreachable, "no carrier"));
}

// ---- several endpoints ----

#[tokio::test]
async fn the_next_endpoint_is_tried_at_once_when_one_fails() {
    let server = emulator(Quirks::standard()).await;
    let closed = Endpoint::tcp("127.0.0.1", closed_port().await);
    let mut options = options(closed.clone(), "1").or_endpoint(tcp(&server)).or_endpoint(closed);
    // Nobody would wait for that.
    options.config.backoff = mqtt_p2p_tokio::Backoff::Fixed { delay_ms: 3_600_000 };
    let (client, _) = Client::start(options.clone());
    let mut events = client.events();
    let first = event(&mut events).await;
    assert!(
        matches!(&first, ConnectionEvent::Disconnected { retry_in: Some(wait), .. } if wait.is_zero()),
        "{first:?}"
    );
    let second = event(&mut events).await;
    let ConnectionEvent::Connected { endpoint, again: false, .. } = &second else {
        panic!("{second:?}");
    };
    assert_eq!(**endpoint, tcp(&server));
    within("close", client.close()).await;
    // For who waits for the first connection, all of that is one attempt.
    let (client, _) = connect(options).await;
    within("close", client.close()).await;
}

#[tokio::test]
async fn after_a_loss_the_endpoint_that_worked_comes_first() {
    let server = emulator(Quirks::standard()).await;
    let closed = Endpoint::tcp("127.0.0.1", closed_port().await);
    let (client, _) = connect(options(closed, "1").or_endpoint(ws(&server))).await;
    let mut events = client.events();
    server.drop_all();
    let lost = event(&mut events).await;
    assert!(matches!(lost, ConnectionEvent::Disconnected { .. }), "{lost:?}");
    let back = event(&mut events).await;
    assert!(
        matches!(&back, ConnectionEvent::Connected { endpoint, again: true, .. } if **endpoint == ws(&server)),
        "{back:?}"
    );
}

#[tokio::test]
async fn connect_fails_only_when_all_endpoints_have_failed() {
    let raw = Raw::start().await;
    let other = Raw::start().await;
    let options = raw.options().or_endpoint(other.tcp()).or_endpoint(Endpoint::tcp("host.invalid", 1));
    let servers = async {
        for server in [&raw, &other] {
            drop(server.accept().await);
        }
    };
    let ((why, _), ()) = tokio::join!(transport_failure(options), servers);
    assert_eq!(why, TransportError::NameNotFound);
}

#[tokio::test]
async fn after_a_round_without_success_the_client_waits_and_begins_again() {
    let raw = Raw::start().await;
    let other = Raw::start().await;
    let (client, _) = Client::start(raw.options().or_endpoint(other.tcp()));
    let mut events = client.events();
    for _ in 0..3 {
        for (server, last) in [(&raw, false), (&other, true)] {
            drop(server.accept().await);
            let end = event(&mut events).await;
            let ConnectionEvent::Disconnected { retry_in: Some(wait), .. } = end else {
                panic!("{end:?}");
            };
            assert_eq!(wait.is_zero(), !last);
        }
    }
}

#[tokio::test]
async fn a_refused_log_in_is_not_carried_to_other_servers() {
    let server = emulator(Quirks::standard()).await;
    let raw = Raw::start().await;
    let refused = options(tcp(&server), "1").password("user", "wrong").or_endpoint(raw.tcp());
    tokio::select! {
        error = failure(refused) => assert!(matches!(error, ConnectError::Refused(_)), "{error:?}"),
        _ = raw.accept() => panic!("the other server was asked"),
    }
}

// ---- WebSocket headers ----

#[tokio::test]
async fn headers_of_the_callers_go_into_the_upgrade_and_nowhere_else() {
    let raw = Raw::start().await;
    let mut options = raw.options();
    options.endpoint = raw.ws();
    let options = options
        .websocket_header("X-Gateway", "planted")
        .and_then(|options| options.websocket_header("authorization", "Bearer planted"))
        .unwrap();
    assert!(!format!("{options:?}").contains("planted"));
    let server = async { upgrade_request(&mut raw.accept().await).await };
    let (error, request) = tokio::join!(failure(options), server);
    assert!(!format!("{error:?}").contains("planted"));
    assert!(request.contains("x-gateway: planted\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer planted\r\n"), "{request}");
}

#[test]
fn headers_that_can_not_be_sent_say_why() {
    let header = |name, value| Options::new(Endpoint::ws("h", 1), "1").websocket_header(name, value).err();
    assert_eq!(header("a b", ""), Some(HeaderError::Name));
    assert_eq!(header("a", "b\r\nc: d"), Some(HeaderError::Value));
    assert_eq!(header("Sec-WebSocket-Protocol", "x"), Some(HeaderError::Reserved));
    assert_eq!(header("Host", "x"), Some(HeaderError::Reserved));
}

// ---- MQTT 3.1 for servers that know no other ----

/// The protocol name that CONNECT begins with.
async fn edition(stream: &mut TcpStream) -> Protocol {
    let connect = packet(stream).await;
    if connect[4..].starts_with(b"MQIsdp") { Protocol::V31 } else { Protocol::V311 }
}

#[tokio::test]
async fn a_server_that_refuses_3_1_1_or_hangs_up_is_asked_in_3_1() {
    for says_why in [true, false] {
        let raw = Raw::start().await;
        let (client, _) = Client::start(raw.options().fall_back_to_v31());
        let mut events = client.events();
        let mut stream = raw.accept().await;
        assert_eq!(edition(&mut stream).await, Protocol::V311);
        if says_why {
            stream.write_all(&[0x20, 2, 0, 1]).await.unwrap();
        }
        drop(stream);
        let mut stream = raw.accept().await;
        assert_eq!(edition(&mut stream).await, Protocol::V31);
        stream.write_all(&CONNACK).await.unwrap();
        // Each attempt has its own event.
        let end = event(&mut events).await;
        match end {
            ConnectionEvent::Refused { reason: ReasonCode::UnsupportedProtocolVersion, retry_in }
                if says_why =>
            {
                assert!(retry_in.is_some_and(|wait| wait.is_zero()));
            }
            ConnectionEvent::Disconnected { retry_in: Some(wait), .. } if !says_why => {
                assert!(wait.is_zero())
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(event(&mut events).await, ConnectionEvent::Connected { .. }));
        // What worked is spoken again.
        drop(stream);
        assert_eq!(edition(&mut raw.accept().await).await, Protocol::V31);
    }
}

#[tokio::test]
async fn both_editions_are_one_attempt_for_who_waits_for_the_connection() {
    let raw = Raw::start().await;
    let server = async {
        drop(raw.accept().await);
        let mut stream = raw.accept().await;
        assert_eq!(edition(&mut stream).await, Protocol::V31);
        stream.write_all(&CONNACK).await.unwrap();
        stream
    };
    let (_client, _stream) = tokio::join!(connect(raw.options().fall_back_to_v31()), server);
}

#[tokio::test]
async fn over_websocket_the_older_edition_has_its_own_subprotocol() {
    let raw = Raw::start().await;
    let mut options = raw.options().fall_back_to_v31();
    options.endpoint = raw.ws();
    let server = async {
        let mut requests = Vec::new();
        for _ in 0..2 {
            requests.push(upgrade_request(&mut raw.accept().await).await.to_ascii_lowercase());
        }
        requests
    };
    let (_, requests) = tokio::join!(failure(options), server);
    assert!(requests[0].contains("sec-websocket-protocol: mqtt\r\n"), "{}", requests[0]);
    assert!(requests[1].contains("sec-websocket-protocol: mqttv3.1\r\n"), "{}", requests[1]);
}

#[tokio::test]
async fn nothing_falls_back_unasked_or_for_other_reasons() {
    let raw = Raw::start().await;
    for (options, code) in [(raw.options(), 1), (raw.options().fall_back_to_v31(), 5)] {
        let server = async {
            let mut stream = raw.accept().await;
            packet(&mut stream).await;
            stream.write_all(&[0x20, 2, 0, code]).await.unwrap();
            common::ended(&mut stream).await;
        };
        let (error, ()) = tokio::join!(failure(options), server);
        assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_not_taken_for_an_old_one() {
    let closed = Endpoint::tcp("127.0.0.1", closed_port().await);
    let (client, _) = Client::start(options(closed, "1").fall_back_to_v31());
    let mut events = client.events();
    let end = event(&mut events).await;
    assert!(
        matches!(&end, ConnectionEvent::Disconnected { retry_in: Some(wait), .. } if !wait.is_zero()),
        "{end:?}"
    );
}

// ---- links that stop ----

#[tokio::test]
async fn a_half_open_link_is_found_by_keep_alive_over_tcp_and_tls() {
    let server = emulator(Quirks::standard()).await;
    let authority = Authority::new("ours");
    let front = TlsFront::start(server.tcp_addr(), &authority.issue()).await;
    for endpoint in [tcp(&server), front.tls()] {
        let stopped = Arc::new(AtomicBool::new(false));
        let link = HalfOpen { port: endpoint.port(), stopped: Arc::clone(&stopped) };
        let mut options = options(endpoint, "1").tls(authority.trusted()).connector(link.connector());
        options.config = quick(options.config).with_keep_alive_secs(1).with_ping_timeout_ms(200);
        let (client, _) = connect(options).await;
        let mut events = client.events();
        stopped.store(true, Ordering::SeqCst);
        let end = event(&mut events).await;
        assert!(
            matches!(end, ConnectionEvent::Disconnected { reason: DisconnectReason::KeepAliveTimeout, .. }),
            "{end:?}"
        );
    }
}

/// A link that takes everything and, once it is stopped, passes nothing on.
struct HalfOpen {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl HalfOpen {
    fn connector(self) -> Connector {
        Connector::new(move |_| {
            let stopped = Arc::clone(&self.stopped);
            let port = self.port;
            async move {
                let (ours, theirs) = tokio::io::duplex(64 * 1024);
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                let (from_client, to_client) = tokio::io::split(theirs);
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, Arc::clone(&stopped)));
                tokio::spawn(pass(from_server, to_client, stopped));
                Ok(ours)
            }
        })
    }
}

async fn pass(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    stopped: Arc<AtomicBool>,
) {
    let mut bytes = [0; 4096];
    while let Ok(len @ 1..) = from.read(&mut bytes).await {
        if !stopped.load(Ordering::SeqCst) && to.write_all(&bytes[..len]).await.is_err() {
            break;
        }
    }
}

// ---- other protocols ----

#[tokio::test]
async fn a_short_answer_in_http_ends_the_attempt_at_once() {
    let raw = Raw::start().await;
    let server = async {
        let mut stream = raw.accept().await;
        packet(&mut stream).await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        // It does not even close.
        common::ended(&mut stream).await;
    };
    let ((why, detail), ()) = tokio::join!(transport_failure(raw.options()), server);
    assert_eq!((why, detail.as_str()), (TransportError::NotMqtt, "the server answered in HTTP"));
}

#[tokio::test]
async fn websocket_to_a_port_of_plain_mqtt_says_that_there_was_no_answer() {
    let server = emulator(Quirks::service()).await;
    let endpoint = Endpoint::ws("127.0.0.1", server.tcp_addr().port());
    let (why, detail) = transport_failure(options(endpoint, "1")).await;
    assert_eq!(why, TransportError::Upgrade);
    assert!(detail.contains("may not speak WebSocket"), "{detail}");
}
