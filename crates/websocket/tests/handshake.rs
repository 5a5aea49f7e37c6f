//! The opening handshake.

use mqtt_p2p_websocket::{AnswerError, RequestError, WebSocket};

/// A connection, its request, and the answer that a good server gives to it.
fn begun() -> (WebSocket, String, String) {
    let socket = WebSocket::new([7; 16]);
    let mut buffer = [0; 512];
    let len = socket.request("broker.example", "/mqtt", &mut buffer).expect("host and path are good");
    let request = String::from_utf8(buffer[..len].to_vec()).expect("a request is text");
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    // The other library's idea of what belongs to the key.
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    (socket, request, answer)
}

fn answered(socket: &WebSocket, answer: &str) -> Result<bool, AnswerError> {
    socket.answer(&mut answer.as_bytes())
}

#[test]
fn the_request_asks_for_mqtt_by_version_13() {
    let (_, request, _) = begun();
    let lines: Vec<&str> = request.split("\r\n").collect();
    assert_eq!(
        lines[..4],
        ["GET /mqtt HTTP/1.1", "Host: broker.example", "Upgrade: websocket", "Connection: Upgrade"]
    );
    assert_eq!(lines[5..], ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: mqtt", "", ""]);
}

#[test]
fn two_seeds_make_two_keys() {
    let request = |seed| {
        let mut buffer = [0; 512];
        let len = WebSocket::new(seed).request("h", "/", &mut buffer).unwrap();
        buffer[..len].to_vec()
    };
    assert_ne!(request([1; 16]), request([2; 16]));
    assert_eq!(request([1; 16]), request([1; 16]));
}

#[test]
fn hosts_and_paths_that_would_break_the_request_are_refused() {
    let socket = WebSocket::new([7; 16]);
    let mut buffer = [0; 512];
    for host in ["", "a b", "a\r\nX: y", "h\u{e4}"] {
        assert_eq!(socket.request(host, "/", &mut buffer), Err(RequestError::Host));
    }
    for path in ["", "mqtt", "/a b", "/\r\n"] {
        assert_eq!(socket.request("h", path, &mut buffer), Err(RequestError::Path));
    }
}

#[test]
fn a_buffer_too_small_is_told_what_it_takes() {
    let (socket, request, _) = begun();
    let mut small = vec![0; request.len() - 1];
    let needed = request.len();
    assert_eq!(
        socket.request("broker.example", "/mqtt", &mut small),
        Err(RequestError::BufferTooSmall { needed })
    );
    assert_eq!(small, vec![0; needed - 1], "nothing was written");
}

#[test]
fn a_good_answer_is_read_however_it_is_cut_and_what_follows_stays() {
    let (socket, _, answer) = begun();
    for len in 0..answer.len() {
        let mut received = &answer.as_bytes()[..len];
        assert_eq!(socket.answer(&mut received), Ok(false));
        assert_eq!(received.len(), len, "nothing is taken before it is whole");
    }
    let more = [answer.as_bytes(), b"\x82\x00"].concat();
    let mut received = &more[..];
    assert_eq!(socket.answer(&mut received), Ok(true));
    assert_eq!(received, b"\x82\x00");
}

#[test]
fn names_and_values_may_be_in_any_case_and_have_company() {
    let (socket, _, answer) = begun();
    let answer = answer
        .replace("Upgrade: websocket", "UPGRADE:WebSocket ")
        .replace("Connection: Upgrade", "connection: keep-alive, UPGRADE\r\nServer: x")
        .replace("Sec-WebSocket-Accept", "sec-websocket-ACCEPT");
    assert_eq!(answered(&socket, &answer), Ok(true));
}

#[test]
fn an_answer_without_a_subprotocol_is_good() {
    let (socket, _, answer) = begun();
    assert_eq!(answered(&socket, &answer.replace("Sec-WebSocket-Protocol: mqtt\r\n", "")), Ok(true));
}

#[test]
fn what_is_wrong_with_an_answer_has_its_name() {
    let (socket, _, good) = begun();
    let other = WebSocket::new([8; 16]);
    let refused = |status| AnswerError::Refused { status };
    let long = format!("HTTP/1.1 101 X\r\nA: {}", "x".repeat(5000));
    let cases = [
        ("SSH-2.0-OpenSSH".to_owned(), AnswerError::NotHttp),
        ("HTTP/1.0 101 X\r\n\r\n".to_owned(), AnswerError::NotHttp),
        ("HTTP/1.1 1x1 X\r\n\r\n".to_owned(), AnswerError::NotHttp),
        ("HTTP/1.1 1011 X\r\n\r\n".to_owned(), AnswerError::NotHttp),
        ("HTTP/1.1 404 Not Found\r\n\r\n".to_owned(), refused(404)),
        ("HTTP/1.1 200\r\n\r\n".to_owned(), refused(200)),
        (good.replace("Upgrade: websocket", "no colon"), AnswerError::Malformed),
        (good.replace("Upgrade: websocket", "Upgrade : websocket"), AnswerError::Malformed),
        (good.replace("Upgrade: websocket", "Upgrade: websocket\r\n folded: x"), AnswerError::Malformed),
        (long, AnswerError::TooLong),
        (good.replace("Upgrade: websocket", "Upgrade: h2c"), AnswerError::NotUpgraded),
        (good.replace("Connection: Upgrade", "Connection: close"), AnswerError::NotUpgraded),
        (good.replace("Sec-WebSocket-Accept", "X-Accept"), AnswerError::WrongAccept),
        (good.replace(": mqtt", ": mqttv5"), AnswerError::WrongSubprotocol),
        (
            good.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
            AnswerError::UnknownExtension,
        ),
    ];
    for (answer, error) in cases {
        assert_eq!(answered(&socket, &answer), Err(error), "{answer}");
    }
    assert_eq!(answered(&other, &good), Err(AnswerError::WrongAccept), "an answer to another request");
}

#[test]
fn any_one_byte_changed_does_not_make_another_accept_good() {
    let (socket, _, good) = begun();
    let at = good.find("Accept: ").expect("it is there") + "Accept: ".len();
    for offset in 0..28 {
        let mut answer = good.clone().into_bytes();
        answer[at + offset] ^= 1;
        assert!(socket.answer(&mut &answer[..]).is_err());
    }
}
