//! The emulator on real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use mqtt_p2p_aliyun::{TokenKind, sign};
use mqtt_p2p_emulator::{Account, CloseReason, Config, Event, Quirks, Server};
use mqtt_p2p_packet::{AckedQoS, Connect, Packet, PacketId, Publish, TopicName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const ALICE: &str = "GID_demo@@@alice";
const BOB: &str = "GID_demo@@@bob";
const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];

type WebSocket = WebSocketStream<TcpStream>;

async fn start() -> Server {
    let config = Config::new("post-cn-demo")
        .account(Account::access_key("AK", "SK"))
        .quirks(Quirks::service().without_delays());
    Server::start(config).await.unwrap()
}

fn bytes_of(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = vec![0; packet.encoded_len().unwrap()];
    packet.encode(&mut bytes).unwrap();
    bytes
}

fn connect(client_id: &str) -> Vec<u8> {
    let password = sign(b"SK", client_id);
    let mut connect = Connect::new(client_id);
    connect.user_name = Some("Signature|AK|post-cn-demo");
    connect.password = Some(password.as_bytes());
    bytes_of(&Packet::Connect(connect))
}

fn qos_1(topic: &str, payload: &str) -> Vec<u8> {
    let mut publish = Publish::new(TopicName::new(topic).unwrap(), payload.as_bytes());
    publish.delivery = Some((AckedQoS::AtLeastOnce, PacketId::new(1).unwrap()));
    bytes_of(&Packet::Publish(publish))
}

async fn expect(socket: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    socket.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

async fn expect_end(socket: &mut TcpStream) {
    assert!(matches!(socket.read(&mut [0; 9]).await, Ok(0) | Err(_)));
}

async fn tcp(server: &Server, client_id: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    socket.write_all(&connect(client_id)).await.unwrap();
    expect(&mut socket, &ACCEPTED).await;
    socket
}

async fn upgrade(
    addr: SocketAddr,
    path: &str,
    subprotocol: &str,
) -> Result<(WebSocket, Option<String>), Error> {
    let mut request = format!("ws://{addr}{path}").into_client_request().unwrap();
    let subprotocol = HeaderValue::from_str(subprotocol).unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol);
    let socket = TcpStream::connect(addr).await.unwrap();
    let (socket, response) = client_async(request, socket).await?;
    let chosen = response.headers().get("Sec-WebSocket-Protocol");
    Ok((socket, chosen.map(|chosen| chosen.to_str().unwrap().to_owned())))
}

async fn ws(server: &Server, client_id: &str) -> WebSocket {
    let (mut socket, _) = upgrade(server.ws_addr(), "/mqtt", "mqtt").await.unwrap();
    send(&mut socket, connect(client_id)).await;
    assert_eq!(received(&mut socket).await, ACCEPTED);
    socket
}

async fn send(socket: &mut WebSocket, bytes: Vec<u8>) {
    socket.send(Message::binary(bytes)).await.unwrap();
}

async fn received(socket: &mut WebSocket) -> Vec<u8> {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => return bytes.to_vec(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_goes_round_over_tcp() {
    let server = start().await;
    let mut alice = tcp(&server, ALICE).await;
    let message = qos_1("t/p2p/GID_demo@@@alice", "hello");
    alice.write_all(&message).await.unwrap();
    expect(&mut alice, &message).await;
    expect(&mut alice, &[0x40, 2, 0, 1]).await;
    assert_eq!(server.connected_clients(), [ALICE]);
    assert_eq!(server.counters().delivered, 1);
}

#[tokio::test]
async fn a_p2p_message_goes_from_tcp_to_websocket_and_back() {
    let server = start().await;
    let (mut alice, mut bob) = (ws(&server, ALICE).await, tcp(&server, BOB).await);
    let to_alice = qos_1("t/p2p/GID_demo@@@alice", "from bob");
    bob.write_all(&to_alice).await.unwrap();
    assert_eq!(received(&mut alice).await, to_alice);
    expect(&mut bob, &[0x40, 2, 0, 1]).await;

    let to_bob = qos_1("t/p2p/GID_demo@@@bob", "from alice");
    send(&mut alice, to_bob.clone()).await;
    expect(&mut bob, &to_bob).await;
    assert_eq!(received(&mut alice).await, [0x40, 2, 0, 1]);
}

#[tokio::test]
async fn packets_may_be_cut_anywhere_by_websocket_messages() {
    let server = start().await;
    let mut alice = ws(&server, ALICE).await;
    let message = qos_1("t/p2p/GID_demo@@@alice", "hello");
    let (head, tail) = message.split_at(7);
    send(&mut alice, head.to_vec()).await;
    send(&mut alice, [tail, &[0xc0, 0]].concat()).await;
    assert_eq!(received(&mut alice).await, message);
    assert_eq!(received(&mut alice).await, [0x40, 2, 0, 1]);
    assert_eq!(received(&mut alice).await, [0xd0, 0]);
}

#[tokio::test]
async fn a_websocket_upgrade_on_a_wrong_path_is_refused_with_404() {
    let server = start().await;
    let refused = upgrade(server.ws_addr(), "/mqt", "mqtt").await;
    assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 404));
}

#[tokio::test]
async fn the_known_subprotocols_are_echoed() {
    let server = start().await;
    for (offered, chosen) in [("mqtt", "mqtt"), ("mqttv3.1", "mqttv3.1"), ("soap, mqtt", "mqtt")] {
        let (_, echoed) = upgrade(server.ws_addr(), "/mqtt", offered).await.unwrap();
        assert_eq!(echoed.as_deref(), Some(chosen));
    }
}

#[tokio::test]
async fn a_websocket_ping_is_answered() {
    let server = start().await;
    let mut alice = ws(&server, ALICE).await;
    alice.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(alice.next().await.unwrap().unwrap(), Message::Pong("x".into()));
}

#[tokio::test]
async fn a_text_message_ends_the_connection() {
    let server = start().await;
    let mut alice = ws(&server, ALICE).await;
    alice.send(Message::text("hello")).await.unwrap();
    while let Some(Ok(message)) = alice.next().await {
        assert!(message.is_close());
    }
}

#[tokio::test]
async fn a_refusal_arrives_before_the_close() {
    let server = start().await;
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    let mut wrong = connect(ALICE);
    *wrong.last_mut().unwrap() ^= 1;
    socket.write_all(&wrong).await.unwrap();
    expect(&mut socket, &[0x20, 2, 0, 4]).await;
    expect_end(&mut socket).await;
}

#[tokio::test]
async fn late_answers_come_by_the_servers_own_clock() {
    let mut config = Config::default().anonymous();
    config.quirks.connack_delay = Duration::from_millis(300);
    let server = Server::start(config).await.unwrap();
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    socket.write_all(&bytes_of(&Packet::Connect(Connect::new("a")))).await.unwrap();
    expect(&mut socket, &ACCEPTED).await;
}

#[tokio::test]
async fn a_dropped_link_ends_and_its_client_may_come_back() {
    let server = start().await;
    let (mut alice, mut bob) = (tcp(&server, ALICE).await, ws(&server, BOB).await);
    assert!(server.drop_connection(ALICE));
    assert!(!server.drop_connection(ALICE));
    expect_end(&mut alice).await;
    let cut = |event: &Event| matches!(event, Event::Closed { reason: CloseReason::Cut, .. });
    assert_eq!(server.events().iter().filter(|event| cut(event)).count(), 1);

    let _alice = tcp(&server, ALICE).await;
    assert_eq!(server.drop_all(), 2);
    assert!(!matches!(bob.next().await, Some(Ok(_))));
    assert!(server.connected_clients().is_empty());
}

#[tokio::test]
async fn while_it_refuses_connections_close_at_once() {
    let server = start().await;
    server.set_refusing(true);
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    expect_end(&mut socket).await;
    assert!(upgrade(server.ws_addr(), "/mqtt", "mqtt").await.is_err());
    server.set_refusing(false);
    tcp(&server, ALICE).await;
}

#[tokio::test]
async fn servers_in_one_process_know_nothing_of_each_other() {
    let (one, other) = (start().await, start().await);
    let _alice = tcp(&one, ALICE).await;
    let _also_alice = tcp(&other, ALICE).await;
    assert_eq!(one.connected_clients(), other.connected_clients());
    assert_ne!(one.tcp_addr(), other.tcp_addr());
}

#[tokio::test]
async fn shutdown_ends_the_links_and_frees_the_ports() {
    let server = start().await;
    let addr = server.tcp_addr();
    let mut alice = tcp(&server, ALICE).await;
    server.shutdown().await;
    expect_end(&mut alice).await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_qos_0_and_keeps_nobody_waiting() {
    let server = start().await;
    let (_alice, mut bob) = (tcp(&server, ALICE).await, tcp(&server, BOB).await);
    let payload = "x".repeat(60_000);
    let topic = TopicName::new("t/p2p/GID_demo@@@alice").unwrap();
    let message = bytes_of(&Packet::Publish(Publish::new(topic, payload.as_bytes())));
    for _ in 0..500 {
        bob.write_all(&message).await.unwrap();
    }
    bob.write_all(&[0xc0, 0]).await.unwrap();
    expect(&mut bob, &[0xd0, 0]).await;
    assert_eq!(server.connected_clients(), [ALICE, BOB]);
}

#[tokio::test]
async fn the_demo_lets_its_own_credentials_in_and_tells_secrets_to_nobody() {
    let server = Server::demo().await.unwrap();
    let alice = server.client_id("alice");
    let login: mqtt_p2p_aliyun::ConnectCredentials = server.credentials().for_client(&alice).unwrap();
    let mut connect = Connect::new(&alice);
    connect.user_name = Some(login.user_name());
    connect.password = Some(login.password());
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    socket.write_all(&bytes_of(&Packet::Connect(connect))).await.unwrap();
    expect(&mut socket, &ACCEPTED).await;
    assert_eq!(server.client_counters(&alice).log_ins, 1);
    assert!(!format!("{server:?}").contains("demo-secret"));

    let message = qos_1(&format!("{}/p2p/{alice}", server.parent_topic()), "hello");
    socket.write_all(&message).await.unwrap();
    expect(&mut socket, &message).await;
}

#[tokio::test]
async fn the_credentials_and_names_are_those_of_the_configuration() {
    let config = Config::new("post-cn-other")
        .account(Account::custom("bob", "secret", mqtt_p2p_emulator::SignMode::Origin))
        .account(Account::access_key("AK", "SK"))
        .groups(["GID_b", "GID_a"])
        .parents(["devices"]);
    let server = Server::start(config).await.unwrap();
    let login: mqtt_p2p_aliyun::ConnectCredentials = server.credentials().for_client("GID_a@@@1").unwrap();
    assert_eq!(login.user_name(), "Signature|AK|post-cn-other");
    assert_eq!(login.password(), sign(b"SK", "GID_a@@@1").as_bytes());
    assert_eq!((server.client_id("1"), server.parent_topic()), ("GID_a@@@1".to_owned(), "devices"));
}

#[tokio::test]
async fn urls_name_the_transport_the_port_and_the_path() {
    let server = start().await;
    assert_eq!(server.url(), format!("mqtt://{}", server.tcp_addr()));
    assert_eq!(server.tls_url(), format!("mqtts://{}", server.tls_addr()));
    assert_eq!(server.ws_url(), format!("ws://{}/mqtt", server.ws_addr()));
    assert_eq!(server.wss_url(), format!("wss://{}/mqtt", server.wss_addr()));
}

#[tokio::test]
async fn a_token_of_two_seconds_ends_its_connection_by_the_servers_own_clock() {
    let mut config = Config::demo();
    config.min_token_lifetime = Duration::ZERO;
    config.quirks.token_expire_notice = None;
    let server = Server::start(config).await.unwrap();
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let token = server.issue_token(["t/#"], TokenKind::RW, Duration::from_secs(2)).unwrap();
    assert!(u128::from(token.expire_time) >= before + 1900);
    assert_eq!(server.check_token(TokenKind::RW, &token.text), Ok(()));

    let password = format!("RW|{}", token.text);
    let mut connect = Connect::new(ALICE);
    connect.user_name = Some("Token|demo-key|post-cn-demo");
    connect.password = Some(password.as_bytes());
    let connect = bytes_of(&Packet::Connect(connect));
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    socket.write_all(&connect).await.unwrap();
    expect(&mut socket, &ACCEPTED).await;
    let payload = r#"{"code":2,"type":"RW"}"#;
    let topic = TopicName::new("$SYS/tokenInvalidNotice").unwrap();
    expect(&mut socket, &bytes_of(&Packet::Publish(Publish::new(topic, payload.as_bytes())))).await;
    expect_end(&mut socket).await;
    assert_eq!(server.counters().log_ins_with_expired_token, 0);

    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    socket.write_all(&connect).await.unwrap();
    expect(&mut socket, &[0x20, 2, 0, 4]).await;
    assert_eq!(server.counters().log_ins_with_expired_token, 1);
}

#[tokio::test]
async fn revoking_a_token_and_sending_nonsense_reach_a_client_at_once() {
    let server = Server::demo().await.unwrap();
    let token = server.issue_token(["t/#"], TokenKind::RW, Duration::from_secs(600)).unwrap();
    let password = format!("RW|{}", token.text);
    let mut connect = Connect::new(ALICE);
    connect.user_name = Some("Token|demo-key|post-cn-demo");
    connect.password = Some(password.as_bytes());
    let mut socket = TcpStream::connect(server.tcp_addr()).await.unwrap();
    socket.write_all(&bytes_of(&Packet::Connect(connect))).await.unwrap();
    expect(&mut socket, &ACCEPTED).await;
    assert!(server.send_raw(ALICE, &[0xf0, 0]));
    expect(&mut socket, &[0xf0, 0]).await;
    server.revoke_token(&token.text).unwrap();
    expect_end_after(&mut socket, r#"{"code":3,"type":"RW"}"#).await;
}

#[tokio::test]
async fn a_half_open_link_stays_silent_and_up_when_its_client_id_connects_again() {
    let server = start().await;
    let mut old = tcp(&server, ALICE).await;
    server.set_faults(|faults| faults.half_open = true);
    // To use it is what ends it.
    assert!(server.send_raw(ALICE, &[0xd0, 0]));
    old.write_all(&[0xc0, 0]).await.unwrap();
    server.set_faults(|faults| faults.half_open = false);
    let _new = tcp(&server, ALICE).await;
    let silent = tokio::time::timeout(Duration::from_millis(200), old.read(&mut [0; 9])).await;
    assert!(silent.is_err());
}

/// The last message ends with this payload, and then the connection ends.
async fn expect_end_after(socket: &mut TcpStream, payload: &str) {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.ends_with(payload.as_bytes()), "{bytes:02x?}");
}
