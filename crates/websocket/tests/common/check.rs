//! What holds for any bytes, beside another library: shared with the fuzz target.

use mqtt_p2p_websocket::{End, FrameError, HandshakeError, WebSocket};
use tokio_tungstenite::tungstenite::client::client_with_config;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, HandshakeError as Interrupted, Message};

use crate::common::{Stream, answer, oracle, request, server_reads};

/// The first byte says whether the handshake is over, the second how the rest is cut; the rest is what the server sends.
pub(crate) fn check(input: &[u8]) {
    let [mode, cut, raw @ ..] = input else { return };
    let (mut socket, mut out) = (WebSocket::new([7; 16]), [0; 512]);
    let len = socket.open(&request(), &mut out).unwrap();
    let answer = answer(&out[..len]);
    if mode & 1 == 0 {
        let (bytes, end, open) = read_alike(&socket, raw, usize::from(*cut));
        assert!(open || bytes.is_empty() || end.is_some());
        // How far the head of the answer goes is for the frames to say.
        if raw.len() < 4096 && (open || matches!(end, Some(End::Refused(_)))) {
            check_handshake(&out[..len], raw, end);
        }
    } else {
        assert_eq!(socket.receive(&mut answer.as_bytes()), Ok(None));
        let (bytes, end, _) = read_alike(&socket, raw, usize::from(*cut));
        check_frames(raw, &bytes, end);
    }
}

/// Reads the same at once, in pieces, and in place; answers in between.
fn read_alike(socket: &WebSocket, raw: &[u8], cut: usize) -> (Vec<u8>, Option<End>, bool) {
    let mut whole = socket.clone();
    let (bytes, end) = crate::common::receive(&mut whole, raw);

    let (mut pieces, mut in_place, mut in_pieces, mut sent) =
        (socket.clone(), socket.clone(), Vec::new(), Vec::new());
    let mut buffer = Vec::new();
    let packets = [0xc0, 0, 0x30, 7, 0, 1, b'n', b'a', b'b', b'c', b'd'].repeat(8);
    let mut taken = 0;
    let mut last = None;
    for piece in raw.chunks(1 + cut % 32) {
        let (more, end) = crate::common::receive(&mut pieces, piece);
        in_pieces.extend(more);
        let left = buffer.len();
        buffer.extend_from_slice(piece);
        let received = in_place.receive_in_place(&mut buffer[left..]);
        assert_eq!(received.end, end);
        buffer.truncate(left + received.len);
        last = end;

        let mut out = [0; WebSocket::MIN_ROOM];
        let room = (1 + cut).min(out.len());
        if let Ok(done) = in_place.transmit(&packets[taken..], &mut out[..room]) {
            sent.extend_from_slice(&out[..done.written]);
            taken += done.taken;
        }
        assert!(in_place.close_reason().len() <= 123);
    }
    assert_eq!((&in_pieces, last), (&bytes, end));
    assert_eq!(buffer, bytes);
    assert_eq!((pieces.is_open(), in_place.is_open()), (whole.is_open(), whole.is_open()));

    // Whatever came in, what goes out is frames that a server takes.
    let mut out = [0; 1024];
    let done = in_place.transmit(&packets[taken..], &mut out).unwrap();
    sent.extend_from_slice(&out[..done.written]);
    let data: Vec<u8> = server_reads(&sent)
        .into_iter()
        .filter_map(|message| match message {
            Message::Binary(packet) => Some(packet),
            _ => None,
        })
        .inspect(|packet| assert!(matches!(packet.len(), 2 | 9)))
        .flatten()
        .collect();
    assert!(packets.starts_with(&data));
    (bytes, end, whole.is_open())
}

/// Who opens what the other refuses, and why that is meant.
fn check_handshake(request: &[u8], raw: &[u8], end: Option<End>) {
    let request = Request::get("ws://broker.example:8083/mqtt")
        .header("Host", "broker.example:8083")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Protocol", "mqtt")
        .header("Sec-WebSocket-Key", crate::common::key(request))
        .body(())
        .unwrap();
    let theirs = match client_with_config(request, Stream::new(raw), None) {
        Ok(_) => None,
        Err(Interrupted::Interrupted(_)) => return,
        Err(Interrupted::Failure(error)) => Some(error),
    };
    match (end, theirs) {
        (None | Some(End::Closed { .. } | End::Failed(_)), theirs) => assert!(
            matches!(
                theirs,
                None
                // It takes no list, no second header of the name, and no more than 124 headers.
                | Some(Error::Protocol(ProtocolError::MissingConnectionUpgradeHeader))
                | Some(Error::Capacity(CapacityError::TooManyHeaders))
            ),
            "{theirs:?}"
        ),
        (Some(End::Refused(ours)), None) => assert!(
            matches!(
                ours,
                // It does not look at extensions, at second headers and at the edition of HTTP, and takes odd lines.
                HandshakeError::Extension
                    | HandshakeError::Accept
                    | HandshakeError::Subprotocol
                    | HandshakeError::Upgrade
                    | HandshakeError::NotHttp
                    | HandshakeError::Malformed
                    | HandshakeError::TooLong
            ),
            "{ours:?}"
        ),
        _ => {}
    }
}

/// The other library knows whole messages only, and is milder in a few things.
fn check_frames(raw: &[u8], bytes: &[u8], end: Option<End>) {
    let (messages, theirs) = oracle(Role::Client, raw);
    let mut data = Vec::new();
    let mut close = None;
    let mut text = false;
    for message in messages {
        match message {
            Message::Binary(payload) if !text => data.extend(payload),
            Message::Text(_) => text = true,
            Message::Close(code) if !text => close = close.or(Some(code)),
            _ => {}
        }
    }
    match end {
        None => {
            assert!(bytes.starts_with(&data));
            assert!(close.is_none() && !text);
            // A frame of more than it takes waits here for the rest.
            assert!(matches!(theirs, None | Some(Error::Capacity(_))), "{theirs:?}");
        }
        Some(End::Closed { code }) => {
            assert_eq!(bytes[..data.len()], data);
            let close = close.unwrap_or_else(|| panic!("{theirs:?}"));
            let known = close.map(|close| u16::from(close.code));
            // It takes 1014 for one that may not be sent.
            assert!(known == code || code == Some(1014) && known == Some(1002));
        }
        Some(End::Failed(error)) => {
            let early = theirs.is_none();
            match error {
                FrameError::Text | FrameError::NonMinimalLength | FrameError::InvalidClose => {}
                // It takes a short control frame whose length is in more bytes than it need be, and reads on behind it.
                FrameError::LongControl if matches!(theirs, Some(Error::Utf8(_))) => {}
                // It reads the whole frame first, and stops at a close frame as this does.
                _ => assert!(
                    early || matches!(theirs, Some(Error::Protocol(_) | Error::Capacity(_))),
                    "{error:?} {theirs:?}"
                ),
            }
            let shared = data.len().min(bytes.len());
            assert_eq!(data[..shared], bytes[..shared]);
        }
        Some(other) => panic!("{other:?}"),
    }
}
