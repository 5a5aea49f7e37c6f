//! The upgrade: what is asked, and what is taken for an answer.

mod common;

use common::{answer, asked, key, receive, request};
use mqtt_p2p_websocket::{End, HandshakeError, Protocol, Request, RequestError, WebSocket};

fn opened_by(answer: &str) -> Result<(), HandshakeError> {
    let (mut socket, _) = asked();
    match receive(&mut socket, answer.as_bytes()) {
        (bytes, None) if bytes.is_empty() && socket.is_open() => Ok(()),
        (_, Some(End::Refused(error))) => {
            assert!(!socket.is_open() && !socket.wants_transmit());
            Err(error)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_has_what_the_standard_asks_for() {
    let (mut socket, mut out) = (WebSocket::new([7; 16]), [0; 512]);
    let request = request().with_headers(&[("Origin", "https://example.com")]);
    let len = socket.open(&request, &mut out).unwrap();
    let key = key(&out[..len]);
    // 16 bytes in Base64.
    assert!(key.len() == 24 && key.ends_with("=="));
    let expected = format!(
        "GET /mqtt HTTP/1.1\r\nHost: broker.example:8083\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: {key}\r\n\
         Origin: https://example.com\r\n\r\n"
    );
    assert_eq!(std::str::from_utf8(&out[..len]).unwrap(), expected);
}

#[test]
fn mqtt_3_1_asks_for_its_own_subprotocol_and_takes_no_other() {
    for (chosen, end) in [("mqttv3.1", None), ("mqtt", Some(End::Refused(HandshakeError::Subprotocol)))] {
        let (mut socket, mut out) = (WebSocket::new([7; 16]), [0; 512]);
        let len = socket.open(&request().with_protocol(Protocol::V31), &mut out).unwrap();
        assert!(String::from_utf8_lossy(&out[..len]).contains("\r\nSec-WebSocket-Protocol: mqttv3.1\r\n"));
        let answer = answer(&out[..len]).replace("Protocol: mqtt\r", &format!("Protocol: {chosen}\r"));
        assert_eq!(receive(&mut socket, answer.as_bytes()), (vec![], end));
    }
}

#[test]
fn every_connection_has_a_key_of_its_own() {
    let (mut socket, mut first, mut second) = (WebSocket::new([7; 16]), [0; 512], [0; 512]);
    let first_len = socket.open(&request(), &mut first).unwrap();
    let second_len = socket.open(&request(), &mut second).unwrap();
    assert_ne!(key(&first[..first_len]), key(&second[..second_len]));
    // The answer to the request before is none to this one.
    let (_, end) = receive(&mut socket, answer(&first[..first_len]).as_bytes());
    assert_eq!(end, Some(End::Refused(HandshakeError::Accept)));
}

#[test]
fn a_request_that_does_not_fit_says_what_it_needs() {
    let mut socket = WebSocket::new([7; 16]);
    let Err(RequestError::NoRoom { needed }) = socket.open(&request(), &mut []) else { panic!() };
    assert_eq!(socket.open(&request(), &mut vec![0; needed - 1]), Err(RequestError::NoRoom { needed }));
    assert_eq!(socket.open(&request(), &mut vec![0; needed]), Ok(needed));
}

#[test]
fn nothing_can_be_smuggled_into_the_request() {
    let open = |request: &Request<'_>| WebSocket::new([7; 16]).open(request, &mut [0; 512]);
    for host in ["", "a b", "a\r\nX: y", "a/b", "user@host", "a?b", "a#b", "h\u{f6}st", "a\0"] {
        assert_eq!(open(&Request::new(host, "/mqtt")), Err(RequestError::InvalidHost), "{host:?}");
    }
    for path in ["", "mqtt", "/a b", "/a\r\nX: y", "/a\n", "/a#b", "/\u{f6}", "/\t"] {
        assert_eq!(open(&Request::new("a", path)), Err(RequestError::InvalidPath), "{path:?}");
    }
    for (name, value) in [
        ("", ""),
        ("X Y", ""),
        ("X:", ""),
        ("X\r", ""),
        ("\u{f6}", ""),
        ("X", "a\r\nb"),
        ("X", "\n"),
        ("X", "\0"),
        ("X", "\x7f"),
    ] {
        let headers = [("Fine", "tab\tand \u{f6}"), (name, value)];
        let request = request().with_headers(&headers);
        assert_eq!(open(&request), Err(RequestError::InvalidHeader { index: 1 }), "{name:?}: {value:?}");
    }
    for name in ["Host", "UPGRADE", "connection", "Sec-WebSocket-Key", "sec-websocket-extensions"] {
        let headers = [(name, "x")];
        assert_eq!(
            open(&request().with_headers(&headers)),
            Err(RequestError::ReservedHeader { index: 0 }),
            "{name}"
        );
    }
}

#[test]
fn hosts_and_paths_of_all_kinds_are_taken() {
    for (host, path) in [("a", "/"), ("127.0.0.1:80", "/mqtt?token=a%20b&c=d"), ("[::1]:8083", "/ws/mqtt")] {
        assert!(
            WebSocket::new([7; 16]).open(&Request::new(host, path), &mut [0; 512]).is_ok(),
            "{host}{path}"
        );
    }
}

#[test]
fn debug_shows_no_credentials() {
    let headers = [("Authorization", "secret")];
    let request = Request::new("a", "/mqtt?token=secret").with_headers(&headers);
    let shown = format!("{request:?} {:?}", WebSocket::new(*b"secretsecretsecr"));
    assert!(!shown.contains("secret") && !shown.contains("115, 101"), "{shown}");
}

#[test]
fn an_answer_opens_however_it_is_cut_and_frames_may_follow_at_once() {
    let (socket, answer) = asked();
    let raw = [answer.as_bytes(), b"\x82\x02\xd0\x00"].concat();
    for first in 0..=raw.len() {
        for second in [first, first + 1, raw.len()].map(|second| second.min(raw.len())) {
            let mut socket = socket.clone();
            let mut bytes = Vec::new();
            for piece in [&raw[..first], &raw[first..second], &raw[second..]] {
                let (piece, end) = receive(&mut socket, piece);
                assert_eq!(end, None);
                bytes.extend(piece);
            }
            assert_eq!(bytes, [0xd0, 0], "{first}, {second}");
        }
    }
}

#[test]
fn what_the_standard_leaves_to_the_server_is_taken() {
    let (_, answer) = asked();
    assert_eq!(opened_by(&answer), Ok(()));
    for (from, to) in [
        ("Upgrade: websocket", "uPGRADE:WebSocket"),
        ("Connection: Upgrade", "Connection: keep-alive ,\tUPGRADE"),
        ("Connection: Upgrade", "Connection: keep-alive\r\nConnection: upgrade"),
        ("Protocol: mqtt", "Protocol:  \t mqtt \t "),
        ("101 Switching Protocols", "101"),
        ("101 Switching Protocols", "101 "),
        ("101 Switching Protocols", "101 \u{4f60}\u{597d}"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions:\r\nX-Empty:\r\nServer: a:b\r\n\r\n"),
        ("\r\n", "\n"),
    ] {
        let other = answer.replace(from, to);
        assert_ne!(other, answer);
        assert_eq!(opened_by(&other), Ok(()), "{to}");
    }
    let long = format!("\r\nX: {}\r\n\r\n", "y".repeat(5000));
    assert_eq!(opened_by(&answer.replace("\r\n\r\n", &long)), Ok(()));
}

#[test]
fn every_other_answer_is_refused_with_its_reason() {
    use HandshakeError::{
        Accept, Connection, Extension, Malformed, NotHttp, Status, Subprotocol, TooLong, Upgrade,
    };
    let (_, answer) = asked();
    let accept = answer.split("Accept: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let long_accept = format!("Accept: {}{accept}", " ".repeat(200));
    let twice = format!("Accept: {accept}\r\nSec-WebSocket-Accept: {accept}");
    let accept = format!("Accept: {accept}");
    let long_connection = format!("Connection: {},upgraded", "x".repeat(105));
    let long_upgrade = format!("Upgrade: websocket{}x", " ".repeat(200));
    let long_control = format!("\r\nX: {}\0\r\n\r\n", "y".repeat(500));
    let endless = format!("\r\n{}\r\n", "X: y\r\n".repeat(4000));
    for (from, to, error) in [
        ("HTTP/1.1 101", "HTTP/1.0 101", NotHttp),
        ("HTTP/1.1 101", "HTTP/1.1 1010", NotHttp),
        ("HTTP/1.1 101", "HTTP/1.1 10", NotHttp),
        ("HTTP/1.1 101", "HTTP/1.1  101", NotHttp),
        ("HTTP/1.1 101", "http/1.1 101", NotHttp),
        ("HTTP/1.1 101", "\r\nHTTP/1.1 101", NotHttp),
        ("101 Switching Protocols", "404 Not Found", Status(404)),
        ("101 Switching Protocols", "200", Status(200)),
        ("101 Switching Protocols", "100 Continue", Status(100)),
        ("101 Switching Protocols", "999 x", Status(999)),
        ("Upgrade: websocket", "Upgrade: h2c", Upgrade),
        ("Upgrade: websocket", "Upgrade: websocket, h2c", Upgrade),
        ("Upgrade: websocket\r\n", "", Upgrade),
        ("Connection: Upgrade", "Connection: upgrades, close", Connection),
        ("Connection: Upgrade\r\n", "", Connection),
        // The first 125 bytes of these lines would do.
        ("Connection: Upgrade", &long_connection, Connection),
        ("Upgrade: websocket", &long_upgrade, Upgrade),
        (&accept, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Accept),
        (&accept, "Accept:", Accept),
        (&accept, &accept.to_lowercase(), Accept),
        (&accept, &twice, Accept),
        (&accept, &long_accept, Accept),
        (&accept, "Nothing: x", Accept),
        ("Protocol: mqtt", "Protocol: MQTT", Subprotocol),
        ("Protocol: mqtt", "Protocol: mqttv5", Subprotocol),
        ("Protocol: mqtt", "Protocol: mqtt, mqtt", Subprotocol),
        ("Protocol: mqtt", "Protocol: mqtt\r\nSec-WebSocket-Protocol: mqtt", Subprotocol),
        ("Sec-WebSocket-Protocol: mqtt\r\n", "", Subprotocol),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", Extension),
        ("\r\n\r\n", "\r\n folded: x\r\n\r\n", Malformed),
        ("\r\n\r\n", "\r\nno colon\r\n\r\n", Malformed),
        ("\r\n\r\n", "\r\n: no name\r\n\r\n", Malformed),
        ("\r\n\r\n", "\r\nspace : x\r\n\r\n", Malformed),
        ("101 Switching", "101\x01Switching", Malformed),
        ("101 Switching", "101 \x01Switching", Malformed),
        ("\r\n", "\r\r\n", Malformed),
        ("\r\n\r\n", &long_control, Malformed),
        ("\r\n\r\n", "\r\nX: a\rb\r\n\r\n", Malformed),
        ("\r\n\r\n", "\r\nX: a\0\r\n\r\n", Malformed),
        ("\r\n\r\n", &endless, TooLong),
    ] {
        let other = answer.replacen(from, to, 1);
        assert_ne!(other, answer, "{from}");
        assert_eq!(opened_by(&other), Err(error), "{from} -> {to}");
    }
}

#[test]
fn what_is_no_http_is_noticed_at_its_first_byte() {
    // MQTT's CONNACK, and a TLS alert.
    for byte in [0x20, 0x15] {
        let (mut socket, _) = asked();
        assert_eq!(receive(&mut socket, &[byte]), (vec![], Some(End::Refused(HandshakeError::NotHttp))));
    }
}

#[test]
fn a_head_without_end_is_refused_at_16_kib() {
    let (mut socket, _) = asked();
    let start = b"HTTP/1.1 101 ";
    assert_eq!(receive(&mut socket, start), (vec![], None));
    assert_eq!(receive(&mut socket, &vec![b'x'; 16 * 1024 - start.len()]), (vec![], None));
    assert_eq!(receive(&mut socket, b"x"), (vec![], Some(End::Refused(HandshakeError::TooLong))));
}

#[test]
fn before_it_is_opened_there_is_nothing_to_receive_and_nothing_to_send() {
    let mut socket = WebSocket::new([7; 16]);
    assert_eq!(socket.transmit(&[0xc0, 0], &mut [0; 200]).map(|done| done.written), Ok(0));
    assert_eq!(receive(&mut socket, b"x"), (vec![], Some(End::NotOpened)));
    let (mut socket, _) = asked();
    assert_eq!(socket.transmit(&[0xc0, 0], &mut [0; 200]).map(|done| done.written), Ok(0));
    assert!(!socket.wants_transmit());
}
