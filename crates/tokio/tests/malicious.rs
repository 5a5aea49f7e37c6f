//! A server that does everything wrong, at every state, over real sockets: each misdeed ends in its own reason or does
//! no harm, in bounded memory, and the next connection works.

mod common;
#[path = "malicious/misdeeds.rs"]
mod misdeeds;

use common::{CONNACK, Raw, event, next, packet, upgrade_request, within};
use misdeeds::{At, Do, End, MISDEEDS, Misdeed, publish};
use mqtt_p2p_tokio::{
    Client, ConnectionEvent, DisconnectReason, Events, Messages, Options, QoS, TransportError,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Notices silence quickly where that is what is to be seen, and takes its time otherwise: no ping is answered here.
fn options(raw: &Raw, at: At, expected: End) -> Options {
    let mut options = raw.options();
    options.config.keep_alive_secs = 0;
    match expected {
        End::Ends(DisconnectReason::ConnectTimeout) => options.config.connect_timeout_ms = 1_000,
        End::Ends(DisconnectReason::KeepAliveTimeout) => {
            options.config = options.config.with_keep_alive_secs(1).with_ping_timeout_ms(100);
        }
        _ => {}
    }
    if is_websocket(at) {
        options.endpoint = raw.ws();
    }
    options
}

const fn is_websocket(at: At) -> bool {
    matches!(at, At::Upgrade | At::OnlineWebSocket)
}

/// Bytes of MQTT as they go to the client: over WebSocket in one frame.
fn wrapped(at: At, packets: &[u8]) -> Vec<u8> {
    if is_websocket(at) {
        let len = u8::try_from(packets.len()).ok().filter(|len| *len < 126).expect("a short packet");
        [&[0x82, len], packets].concat()
    } else {
        packets.to_vec()
    }
}

/// An answer to the upgrade that is right.
async fn upgrade(stream: &mut TcpStream) {
    let request = upgrade_request(stream).await;
    stream.write_all(answer(&request, "").as_bytes()).await.unwrap();
}

fn answer(request: &str, more: &str) -> String {
    let key = request
        .lines()
        .find_map(|line| {
            line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        })
        .map(|(_, key)| derive_accept_key(key.trim().as_bytes()))
        .expect("a key");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {key}\r\n{more}Sec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
}

/// A frame of the client, which is short.
async fn frame(stream: &mut TcpStream) {
    let mut header = [0; 2];
    within("a frame", stream.read_exact(&mut header)).await.unwrap();
    let mut rest = vec![0; 4 + usize::from(header[1] & 0x7f)];
    within("its rest", stream.read_exact(&mut rest)).await.unwrap();
}

/// The next connection, as far as this.
async fn reached(raw: &Raw, at: At) -> TcpStream {
    let mut stream = raw.accept().await;
    match at {
        At::Upgrade => {
            let request = upgrade_request(&mut stream).await.to_lowercase();
            assert!(request.contains("\r\nsec-websocket-protocol: mqtt\r\n"), "{request}");
        }
        At::Connect => drop(packet(&mut stream).await),
        At::Online | At::Subscribe => {
            packet(&mut stream).await;
            stream.write_all(&CONNACK).await.unwrap();
            if at == At::Subscribe {
                packet(&mut stream).await;
            }
        }
        At::OnlineWebSocket => {
            upgrade(&mut stream).await;
            frame(&mut stream).await;
            stream.write_all(&wrapped(at, &CONNACK)).await.unwrap();
        }
    }
    stream
}

/// The next connection, online, whatever the state was that the misdeed belonged to.
async fn online(raw: &Raw, at: At) -> TcpStream {
    reached(raw, if is_websocket(at) { At::OnlineWebSocket } else { At::Online }).await
}

/// Reads what the client says, so that it never has to wait, until it closes.
async fn drain(mut from: impl AsyncRead + Unpin) {
    let mut rest = vec![0; 64 * 1024];
    while from.read(&mut rest).await.is_ok_and(|len| len > 0) {}
}

/// Does one thing. `Err` once the client has closed.
async fn perform(to: &mut (impl AsyncWrite + Unpin), deed: Do) -> std::io::Result<()> {
    match deed {
        Do::Say(bytes) => to.write_all(bytes).await?,
        Do::Make(make) => to.write_all(&make()).await?,
        Do::Flood(bytes, times) => {
            let piece = bytes.repeat(1_000);
            for _ in 0..times / 1_000 {
                to.write_all(&piece).await?;
            }
        }
        Do::Drip(make) => {
            for byte in make() {
                to.write_all(&[byte]).await?;
                tokio::task::yield_now().await;
            }
        }
        Do::DripForEver(byte) => loop {
            to.write_all(&[byte]).await?;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        },
        Do::Pour(bytes) => {
            let piece = bytes.repeat(100);
            loop {
                to.write_all(&piece).await?;
            }
        }
        Do::Wait | Do::Close | Do::Reset => {}
    }
    Ok(())
}

/// Misbehaves on a connection until it is over, or until all is done and the client was sent a message.
async fn misbehave(stream: TcpStream, at: At, deeds: &[Do], end: End) {
    if deeds.iter().any(|deed| matches!(deed, Do::Reset)) {
        stream.set_zero_linger().unwrap();
        return;
    }
    let (from, mut to) = stream.into_split();
    let over = tokio::spawn(drain(from));
    for deed in deeds {
        if perform(&mut to, *deed).await.is_err() {
            break;
        }
    }
    match end {
        End::Lives => to.write_all(&wrapped(at, &publish("alive", b""))).await.unwrap(),
        _ if deeds.iter().any(|deed| matches!(deed, Do::Close)) => to.shutdown().await.unwrap(),
        _ => {}
    }
    within("the end of the connection", over).await.unwrap();
}

async fn alive(messages: &mut Messages) {
    assert_eq!(next(messages).await.topic(), "alive");
}

/// Why the connection, or the attempt, ended.
async fn end(events: &mut Events) -> DisconnectReason {
    loop {
        match event(events).await {
            ConnectionEvent::Disconnected { reason, retry_in, .. } => {
                assert!(retry_in.is_some(), "it comes back");
                return reason;
            }
            ConnectionEvent::Connected { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The most memory that this process ever had, in bytes; 0 where that can't be known.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok()).unwrap_or_default() << 10
}

/// One misdeed, and a good connection after it.
async fn check((what, at, deeds, expected): Misdeed) {
    let raw = Raw::start().await;
    let (client, messages) = Client::start(options(&raw, at, expected));
    drop(messages);
    let (mut events, mut messages) = (client.events(), client.messages_matching("alive").unwrap());
    let subscribing = (at == At::Subscribe).then(|| {
        let client = client.clone();
        tokio::spawn(async move { client.subscribe("f", QoS::ExactlyOnce).await })
    });

    let stream = reached(&raw, at).await;
    let misbehaving = tokio::spawn(misbehave(stream, at, deeds, expected));
    match expected {
        End::Ends(reason) => assert_eq!(end(&mut events).await, reason, "{at:?}: {what}"),
        End::Lost => {
            let reason = end(&mut events).await;
            let lost =
                [TransportError::ClosedByPeer, TransportError::Broken].map(DisconnectReason::Transport);
            assert!(lost.contains(&reason), "{at:?}: {what}: {reason:?}");
        }
        End::Lives => {
            alive(&mut messages).await;
            assert!(client.is_connected(), "{at:?}: {what}");
            misbehaving.abort();
        }
    }
    // The transport is closed, not left to the server.
    if let Err(error) = within("the end of the misdeed", misbehaving).await {
        assert!(error.is_cancelled(), "{at:?}: {what}: {error}");
    }

    let mut good = online(&raw, at).await;
    good.write_all(&wrapped(at, &publish("alive", b""))).await.unwrap();
    alive(&mut messages).await;
    if let Some(subscribing) = subscribing {
        assert!(!subscribing.is_finished(), "{at:?}: {what}: nobody has answered the SUBSCRIBE");
        subscribing.abort();
    }
    drop(good);
    within("close", client.close()).await;
    println!("{at:?}: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misdeed_ends_in_its_reason_and_the_next_connection_works() {
    let before = peak();
    // A few at a time, since some of them take a while to be found out.
    let mut rows = MISDEEDS.iter();
    let mut running = JoinSet::new();
    for misdeed in rows.by_ref().take(6) {
        running.spawn(check(*misdeed));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
        if let Some(misdeed) = rows.next() {
            running.spawn(check(*misdeed));
        }
    }
    let grown = peak() - before;
    println!("{} misdeeds; the process grew by {} KiB", MISDEEDS.len(), grown >> 10);
    assert!(grown < 64 << 20, "{grown} bytes");
}

/// Answers to the upgrade that are right but for one line.
#[tokio::test]
async fn an_upgrade_that_is_right_but_for_one_line_is_refused() {
    for more in [
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Protocol: chat\r\n",
        "no colon\r\n",
        "bad name: x\r\n",
    ] {
        let raw = Raw::start().await;
        let (client, _messages) = Client::start(options(&raw, At::Upgrade, End::Lives));
        let mut events = client.events();
        let mut stream = raw.accept().await;
        let request = upgrade_request(&mut stream).await;
        stream.write_all(answer(&request, more).as_bytes()).await.unwrap();
        let reason = end(&mut events).await;
        assert_eq!(reason, DisconnectReason::Transport(TransportError::Upgrade), "{more}");
        drop(stream);
        within("close", client.close()).await;
    }
}

#[tokio::test]
async fn packets_may_lie_anyhow_in_frames_and_segments() {
    // [MQTT-6.0.0-2]: CONNACK and messages, cut into frames without a look at where packets end, and frames into segments.
    let packets: Vec<u8> = [&CONNACK[..]]
        .into_iter()
        .map(<[u8]>::to_vec)
        .chain((0..20).map(|_| publish("alive", b"x")))
        .flatten()
        .collect();
    for (cut, segment) in [(1, 1), (3, 1), (7, 5), (packets.len() / 2, 64)] {
        let raw = Raw::start().await;
        let (client, mut messages) = Client::start(options(&raw, At::OnlineWebSocket, End::Lives));
        let mut stream = raw.accept().await;
        upgrade(&mut stream).await;
        frame(&mut stream).await;
        let frames: Vec<u8> =
            packets.chunks(cut.min(125)).flat_map(|piece| wrapped(At::OnlineWebSocket, piece)).collect();
        for piece in frames.chunks(segment) {
            stream.write_all(piece).await.unwrap();
        }
        for _ in 0..20 {
            alive(&mut messages).await;
        }
        drop(stream);
        within("close", client.close()).await;
    }
}
