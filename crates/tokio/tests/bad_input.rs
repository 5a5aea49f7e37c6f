//! Whatever is wrong ends in its own error with advice, within its deadline; nothing hangs, nothing accepted is lost.

mod common;

use std::time::Duration;

use common::{
    CONNACK, Raw, credentials, emulator, event, failure, next, options, packet, quick, tcp, upgrade_request,
    within, ws,
};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{
    Client, ClientId, ConnectError, ConnectionEvent, Credentials, DisconnectReason, Endpoint, Error, Options,
    PublishError, QoS, ReasonCode, SubscribeError, TransportError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why no connection came about.
async fn reason(options: Options) -> DisconnectReason {
    match failure(options).await {
        ConnectError::Failed { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

const fn is_lost(reason: DisconnectReason) -> bool {
    matches!(reason, DisconnectReason::Transport(TransportError::ClosedByPeer | TransportError::Broken))
}

fn impatient(options: Options) -> Options {
    let config = options.config.with_connect_timeout_ms(200);
    options.config(config)
}

#[tokio::test]
async fn a_server_that_accepts_and_stays_silent_meets_the_connect_deadline() {
    let raw = Raw::start().await;
    for endpoint in [raw.tcp(), raw.ws()] {
        let mut options = impatient(raw.options());
        options.endpoint = endpoint;
        let (reason, _silent) = tokio::join!(reason(options), raw.accept());
        assert_eq!(reason, DisconnectReason::ConnectTimeout);
    }
}

#[tokio::test]
async fn a_server_that_trickles_half_a_connack_meets_the_connect_deadline() {
    let raw = Raw::start().await;
    let server = async {
        let mut stream = raw.accept().await;
        packet(&mut stream).await;
        stream.write_all(&CONNACK[..3]).await.unwrap();
        stream
    };
    let (reason, _silent) = tokio::join!(reason(impatient(raw.options())), server);
    assert_eq!(reason, DisconnectReason::ConnectTimeout);
}

#[tokio::test]
async fn a_server_that_closes_at_any_step_of_the_handshake_is_reported_as_closing() {
    let raw = Raw::start().await;
    for step in 0..4 {
        let server = async {
            let mut stream = raw.accept().await;
            match step {
                0 => {}
                1 => drop(stream.read(&mut [0; 1]).await),
                2 => drop(packet(&mut stream).await),
                _ => {
                    packet(&mut stream).await;
                    stream.write_all(&CONNACK[..2]).await.unwrap();
                }
            }
        };
        let (reason, ()) = tokio::join!(reason(raw.options()), server);
        assert!(is_lost(reason), "step {step}: {reason:?}");
    }
}

#[tokio::test]
async fn a_server_that_closes_after_connack_is_reported_after_the_connection() {
    let raw = Raw::start().await;
    let (client, _) = Client::start(raw.options());
    let mut events = client.events();
    drop(raw.log_in().await);
    assert!(matches!(event(&mut events).await, ConnectionEvent::Connected { session_present: false, .. }));
    let end = event(&mut events).await;
    assert!(
        matches!(end, ConnectionEvent::Disconnected { reason, retry_in: Some(_), .. } if is_lost(reason)),
        "{end:?}"
    );
    assert!(end.advice().is_some());
}

/// Answers an upgrade request with these bytes, and closes.
async fn answer(raw: &Raw, answer: &[u8]) {
    let mut stream = raw.accept().await;
    upgrade_request(&mut stream).await;
    stream.write_all(answer).await.unwrap();
    stream.shutdown().await.unwrap();
    common::ended(&mut stream).await;
}

#[tokio::test]
async fn an_upgrade_that_is_not_granted_is_reported_with_what_the_server_said() {
    let raw = Raw::start().await;
    for (said, detail) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "404"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "200"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n", ""),
        ("HTTP/1.1 101 Switching", ""),
        ("", ""),
        // No subprotocol, and a wrong key as well.
        (
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: AAAA\r\n\r\n",
            "",
        ),
    ] {
        let mut options = raw.options();
        options.endpoint = raw.ws();
        let (error, ()) = tokio::join!(failure(options), answer(&raw, said.as_bytes()));
        let ConnectError::Failed {
            reason: DisconnectReason::Transport(TransportError::Upgrade),
            detail: Some(words),
        } = error
        else {
            panic!("{said}: {error:?}");
        };
        assert!(words.contains(detail), "{words}");
    }
}

#[tokio::test]
async fn an_upgrade_without_the_subprotocol_is_refused() {
    let raw = Raw::start().await;
    let mut options = raw.options();
    options.endpoint = raw.ws();
    let server = async {
        let stream = raw.accept().await;
        // It upgrades correctly, but chooses no subprotocol.
        let _ = within("an upgrade", tokio_tungstenite::accept_async(stream)).await;
    };
    let (reason, ()) = tokio::join!(reason(options), server);
    assert_eq!(reason, DisconnectReason::Transport(TransportError::Upgrade));
}

#[tokio::test]
async fn what_is_no_connack_ends_the_attempt() {
    let raw = Raw::start().await;
    for (bytes, malformed) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 11\r\n\r\nBad Request\
               and so on and so on"[..],
            false,
        ),
        (&[0x00, 0x00], true),
        (&[0xff; 16], true),
        (&[0x20, 2, 0, 6], true),
        (&[0x20, 2, 2, 0], true),
        (&[0x20, 3, 0, 0, 0], true),
        (&[0x21, 2, 0, 0], true),
        (&[0x90, 3, 0, 1, 0], false),
        (&[0xd0, 0], false),
        (&[0x30, 3, 0, 1, b't'], false),
    ] {
        let server = async {
            let mut stream = raw.accept().await;
            packet(&mut stream).await;
            stream.write_all(bytes).await.unwrap();
            common::ended(&mut stream).await;
        };
        let (reason, ()) = tokio::join!(reason(raw.options()), server);
        let expected = match reason {
            DisconnectReason::Malformed(_) => malformed,
            DisconnectReason::Unexpected(_) => !malformed,
            _ => false,
        };
        assert!(expected, "{bytes:x?}: {reason:?}");
    }
}

#[tokio::test]
async fn what_no_server_may_send_closes_the_connection() {
    let raw = Raw::start().await;
    for bytes in [
        &CONNACK[..],
        &[0x10, 0],
        &[0x36, 5, 0, 1, b't', 0, 1],
        &[0x30, 4, 0, 2, 0xff, 0xfe],
        &[0x32, 5, 0, 1, b't', 0, 0],
        &[0x62, 0],
        &[0xe0, 0],
    ] {
        let (client, _) = Client::start(raw.options());
        let mut events = client.events();
        let mut stream = raw.log_in().await;
        stream.write_all(bytes).await.unwrap();
        assert!(matches!(event(&mut events).await, ConnectionEvent::Connected { .. }));
        let end = event(&mut events).await;
        assert!(
            matches!(
                end,
                ConnectionEvent::Disconnected {
                    reason: DisconnectReason::Malformed(_) | DisconnectReason::Unexpected(_),
                    ..
                }
            ),
            "{bytes:x?}: {end:?}"
        );
        common::ended(&mut stream).await;
    }
}

/// Writes without end; says how much the other side let through before it closed.
async fn pour(stream: &mut TcpStream, most: usize) -> usize {
    let mut poured = 0;
    let piece = vec![b'x'; 64 * 1024];
    while poured < most {
        match within("room for a piece", stream.write(&piece)).await {
            Ok(len) => poured += len,
            Err(_) => break,
        }
    }
    poured
}

#[tokio::test]
async fn a_packet_that_claims_too_much_is_refused_at_its_header() {
    let raw = Raw::start().await;
    let claims: [(bool, &[u8]); 3] = [
        (true, &[0x30, 0xff, 0xff, 0xff, 0x7f]),
        (true, &[0x30, 0x81, 0x88, 0x04]),
        (false, &[0x20, 0xff, 0xff, 0xff, 0x7f]),
    ];
    for (logged_in, header) in claims {
        let (client, _) = Client::start(raw.options());
        let mut events = client.events();
        let mut stream = if logged_in { raw.log_in().await } else { raw.accept().await };
        stream.write_all(header).await.unwrap();
        let poured = pour(&mut stream, 256 << 20).await;
        assert!(poured < 64 << 20, "{poured} bytes were taken");
        let end = async {
            loop {
                if let ConnectionEvent::Disconnected { reason, .. } = event(&mut events).await {
                    return reason;
                }
            }
        };
        assert!(matches!(end.await, DisconnectReason::Malformed(_)));
    }
}

#[tokio::test]
async fn acknowledgements_that_the_server_does_not_take_stop_the_reading() {
    let raw = Raw::start().await;
    let mut options = raw.options();
    options.stream_capacity = 1 << 20;
    let (client, messages) = Client::start(options);
    let mut stream = raw.log_in().await;
    drop(messages);
    // Each asks for a PUBACK, and none is read here: at some moment nothing more must be taken.
    let piece: Vec<u8> = [0x32, 5, 0, 1, b't', 0, 1].repeat(10_000);
    let mut poured = 0;
    let stopped = async {
        while poured < 256 << 20 {
            let rest = &piece[poured % 7..];
            match tokio::time::timeout(Duration::from_millis(500), stream.write(rest)).await {
                Ok(written) => poured += written.unwrap(),
                Err(_) => return,
            }
        }
    };
    within("an end of the flood", stopped).await;
    println!("the client took {poured} bytes");
    assert!(poured < 128 << 20, "{poured} bytes were taken");
    drop(stream);
    within("close", client.close()).await;
}

#[tokio::test]
async fn log_ins_that_the_service_refuses_say_so_and_are_not_retried() {
    let server = emulator(Quirks::service()).await;
    let right = ClientId::new("GID_test", "1").unwrap();
    let wrong_secret = Credentials::Signature {
        access_key_id: "AK",
        access_key_secret: "wrong",
        instance_id: "post-cn-demo",
    };
    let wrong_instance = Credentials::Signature {
        access_key_id: "AK",
        access_key_secret: common::SECRET,
        instance_id: "post-cn-other",
    };
    for endpoint in [tcp(&server), ws(&server)] {
        let log_in = |credentials| Options::aliyun(endpoint.clone(), &right, &credentials).unwrap();
        let mut bad_client_id = log_in(credentials());
        bad_client_id.login.client_id = "no group".into();
        for (options, code, advice) in [
            (log_in(wrong_secret), 4, "secret"),
            (log_in(wrong_instance), 4, "instance"),
            (bad_client_id, 2, "client id"),
        ] {
            let error = failure(options.clone()).await;
            let ConnectError::Refused(reason) = error else {
                panic!("{error:?}");
            };
            assert_eq!(reason.connack_code(), Some(code));
            assert!(error.to_string().contains(&format!("return code {code}")));
            assert!(error.advice().contains(advice));

            let (client, _) = Client::start(options);
            let refused = event(&mut client.events()).await;
            let ConnectionEvent::Refused { retry_in, .. } = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(retry_in, None);
        }
    }
    assert_eq!(server.counters().refused, 12, "each tried once");
}

#[tokio::test]
async fn a_user_name_alone_goes_without_any_password() {
    let raw = Raw::start().await;
    let (client, _) = Client::start(raw.options().user_name("me"));
    let connect = packet(&mut raw.accept().await).await;
    // The flags of §3.1.2.3, and what is behind them: keep alive, client id, user name.
    assert_eq!(connect[9] & 0b1100_0000, 0b1000_0000);
    assert_eq!(connect[12..], *b"\x00\x06client\x00\x02me");
    drop(client);
}

#[tokio::test]
async fn a_will_against_the_service_is_refused_before_it_is_sent() {
    let raw = Raw::start().await;
    let options = options(raw.tcp(), "1").will("t", "gone", QoS::AtMostOnce, false).unwrap();
    let server = async {
        let (mut stream, mut sent) = (raw.accept().await, Vec::new());
        within("the end of the connection", stream.read_to_end(&mut sent)).await.unwrap();
        sent
    };
    let (reason, sent) = tokio::join!(reason(options), server);
    assert_eq!((reason, sent), (DisconnectReason::WillUnsupported, Vec::new()));
}

#[tokio::test]
async fn calls_with_bad_arguments_are_refused_and_nothing_of_them_is_sent() {
    let server = emulator(Quirks::service()).await;
    let (client, _messages) = common::connect(options(tcp(&server), "1")).await;
    let large = vec![0; 64 * 1024 + 1];
    assert!(matches!(
        client.publish("t", &large, QoS::AtLeastOnce).await,
        Err(PublishError::NotAccepted(Error::TooLarge { size: 65_537, max: 65_536 }))
    ));
    assert!(matches!(
        client.publish_retained("t", "", QoS::AtLeastOnce).await,
        Err(PublishError::NotAccepted(Error::RetainUnsupported))
    ));
    for topic in ["", "a/+", "#", "a\0b", &"x".repeat(65_536)] {
        let error = client.publish(topic, "", QoS::AtMostOnce).await.unwrap_err();
        assert!(matches!(error, PublishError::Topic(_)), "{error:?}");
        assert!(matches!(client.try_publish(topic, "", QoS::AtMostOnce), Err(PublishError::Topic(_))));
    }
    for filter in ["", "a/#/b", "a+", "a\0b"] {
        let error = client.subscribe(filter, QoS::AtMostOnce).await.unwrap_err();
        assert!(matches!(error, SubscribeError::Filter(_)), "{error:?}");
        assert!(matches!(client.unsubscribe(filter).await, Err(SubscribeError::Filter(_))));
        assert!(matches!(client.messages_matching(filter), Err(SubscribeError::Filter(_))));
    }
    for (parent, target) in [("a/b", "GID_test@@@1"), ("", "GID_test@@@1"), ("t", "a/b"), ("t", "")] {
        let error = client.send_p2p(parent, target, "", QoS::AtLeastOnce).await.unwrap_err();
        assert!(matches!(error, PublishError::P2p(_)), "{parent} {target}: {error:?}");
    }
    within("close", client.close()).await;
    assert_eq!(server.counters().published, 0);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_reported_as_refused() {
    let port = {
        let raw = Raw::start().await;
        raw.tcp().port()
    };
    for endpoint in [Endpoint::tcp("127.0.0.1", port), Endpoint::ws("127.0.0.1", port)] {
        let reason = reason(Options::new(endpoint, "client")).await;
        assert_eq!(reason, DisconnectReason::Transport(TransportError::ConnectionRefused));
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_reported_as_not_found() {
    let mut options = Options::new(Endpoint::ws("nonexistent.invalid", 80), "client");
    options.config.connect_timeout_ms = 25_000;
    let error = failure(options).await;
    assert!(error.to_string().contains("nonexistent.invalid"), "{error}");
    assert!(matches!(
        error,
        ConnectError::Failed { reason: DisconnectReason::Transport(TransportError::NameNotFound), .. }
    ));
}

#[tokio::test]
async fn tcp_to_a_websocket_port_and_the_reverse_end_in_an_error() {
    let server = emulator(Quirks::service()).await;
    let mut options = options(Endpoint::tcp("127.0.0.1", server.ws_addr().port()), "1");
    options.config.connect_timeout_ms = 1_000;
    let error = reason(options.clone()).await;
    assert!(
        is_lost(error)
            || matches!(
                error,
                DisconnectReason::Malformed(_)
                    | DisconnectReason::Unexpected(_)
                    | DisconnectReason::ConnectTimeout
            ),
        "{error:?}"
    );
    options.endpoint = Endpoint::ws("127.0.0.1", server.tcp_addr().port());
    let error = reason(options).await;
    assert!(
        matches!(error, DisconnectReason::Transport(TransportError::Upgrade | TransportError::Broken)),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_was_accepted_while_everything_failed_arrives_once_the_server_is_good() {
    let server = emulator(Quirks::standard()).await;
    let (receiver, mut messages) = common::connect(options(tcp(&server), "receiver")).await;
    receiver.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    let raw = Raw::start().await;
    let mut sending = options(raw.tcp(), "sender");
    sending.config = quick(sending.config).with_connect_timeout_ms(200);
    let (sender, _) = Client::start(sending);
    let mut accepted = 0;
    let mut deliveries = Vec::new();
    for step in 0..8 {
        let mut stream = raw.accept().await;
        for _ in 0..10 {
            let number = accepted.to_string();
            deliveries.push(sender.publish("n", number, QoS::AtLeastOnce).await.unwrap());
            accepted += 1;
        }
        match step {
            0 => {}
            1 => drop(packet(&mut stream).await),
            2 => {
                packet(&mut stream).await;
                stream.write_all(&CONNACK[..3]).await.unwrap();
            }
            3 => {
                packet(&mut stream).await;
                stream.write_all(b"garbage").await.unwrap();
            }
            4 => common::ended(&mut stream).await, // It stays silent.
            5 => {
                packet(&mut stream).await;
                stream.write_all(&[0x20, 2, 0, 3]).await.unwrap();
            }
            6 => {
                packet(&mut stream).await;
                stream.write_all(&CONNACK).await.unwrap();
            }
            _ => {
                packet(&mut stream).await;
                stream.write_all(&CONNACK).await.unwrap();
                packet(&mut stream).await;
                stream.write_all(&[0x30, 0xff, 0xff, 0xff, 0x7f]).await.unwrap();
            }
        }
    }
    // Now the server is good.
    let mut stream = raw.accept().await;
    let port = server.tcp_addr();
    tokio::spawn(async move {
        let mut good = TcpStream::connect(port).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut good).await;
    });
    for i in 0..accepted {
        assert_eq!(common::number(&next(&mut messages).await), i);
    }
    for delivery in deliveries {
        within("an acknowledgement", delivery).await.unwrap();
    }
    println!("accepted {accepted}, received {accepted}, lost 0");
}

#[tokio::test]
async fn a_server_that_is_unavailable_is_asked_again_and_a_wrong_version_is_not() {
    let raw = Raw::start().await;
    for (code, again) in [(1, false), (2, false), (3, true), (4, false), (5, false)] {
        let (client, _) = Client::start(raw.options());
        let mut events = client.events();
        let mut stream = raw.accept().await;
        packet(&mut stream).await;
        stream.write_all(&[0x20, 2, 0, code]).await.unwrap();
        let refused = event(&mut events).await;
        let ConnectionEvent::Refused { reason, retry_in } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((reason.connack_code(), retry_in.is_some()), (Some(code), again));
        assert_eq!(reason == ReasonCode::ServerUnavailable, again);
        assert!(refused.advice().is_some());
        within("close", client.close()).await;
    }
}
