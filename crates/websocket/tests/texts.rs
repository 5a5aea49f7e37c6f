//! What people read: each reason says what happened, and what to do next.

use std::collections::BTreeSet;
use std::fmt::Display;

use mqtt_p2p_websocket::{End, FrameError, HandshakeError, RequestError, TransmitError};

const HANDSHAKE: [HandshakeError; 9] = [
    HandshakeError::NotHttp,
    HandshakeError::Status(404),
    HandshakeError::Malformed,
    HandshakeError::TooLong,
    HandshakeError::Upgrade,
    HandshakeError::Connection,
    HandshakeError::Accept,
    HandshakeError::Subprotocol,
    HandshakeError::Extension,
];

const FRAME: [FrameError; 11] = [
    FrameError::Masked,
    FrameError::ReservedBits,
    FrameError::UnknownOpcode(3),
    FrameError::Text,
    FrameError::UnexpectedContinuation,
    FrameError::UnfinishedMessage,
    FrameError::FragmentedControl,
    FrameError::LongControl,
    FrameError::NonMinimalLength,
    FrameError::LengthTooLarge,
    FrameError::InvalidClose,
];

/// Each is a phrase of its own.
#[track_caller]
fn are_told_apart(texts: impl IntoIterator<Item = impl Display>) {
    let mut seen = BTreeSet::new();
    for text in texts {
        let text = text.to_string();
        assert!(text.contains(' ') && !text.ends_with(['.', ' ']), "{text:?}");
        assert!(seen.insert(text.clone()), "{text:?} is said twice");
    }
}

#[test]
fn every_way_to_end_is_told_apart_from_the_others() {
    let closed = [End::Closed { code: None }, End::Closed { code: Some(1001) }, End::NotOpened];
    are_told_apart(HANDSHAKE.map(End::Refused).into_iter().chain(FRAME.map(End::Failed)).chain(closed));
    assert!(End::Closed { code: Some(1008) }.to_string().contains("1008"));
    assert!(HandshakeError::Status(418).to_string().contains("418"));
}

#[test]
fn the_advice_fits_what_the_server_answered() {
    let advice = |status| End::Refused(HandshakeError::Status(status)).advice();
    for (statuses, word) in [
        (&[300, 301, 399][..], "points"),
        (&[401, 403], "credentials"),
        (&[400, 404, 405, 426], "/mqtt"),
        (&[429, 500, 503, 599], "later"),
        (&[200, 402, 418], "WebSocket endpoint"),
    ] {
        for status in statuses {
            assert!(advice(*status).contains(word), "{status}: {}", advice(*status));
        }
    }
    assert!(End::Refused(HandshakeError::NotHttp).advice().contains("port"));
    assert!(End::Refused(HandshakeError::Subprotocol).advice().contains("MQTT"));
    assert!(End::Refused(HandshakeError::Accept).advice().contains("WebSocket endpoint"));
}

#[test]
fn who_closes_in_order_is_connected_to_again() {
    for code in [None, Some(1000), Some(1001)] {
        assert_eq!(End::Closed { code }.advice(), "connect again");
    }
    assert!(End::Closed { code: Some(1008) }.advice().contains("status code"));
    assert!(End::Failed(FrameError::Text).advice().contains("path"));
    assert!(End::Failed(FrameError::Masked).advice().contains("on the way"));
    assert!(End::NotOpened.advice().contains("open"));
}

#[test]
fn what_a_caller_does_wrong_is_said_with_its_figures() {
    let request = [
        RequestError::NoRoom { needed: 300 },
        RequestError::InvalidHost,
        RequestError::InvalidPath,
        RequestError::InvalidHeader { index: 4 },
        RequestError::ReservedHeader { index: 5 },
    ];
    are_told_apart(request);
    for (index, figure) in [(0, "300"), (3, "4"), (4, "5")] {
        assert!(request[index].to_string().contains(figure));
    }
    are_told_apart([TransmitError::NoRoom { needed: 14 }, TransmitError::NotAPacket]);
    assert!(TransmitError::NoRoom { needed: 14 }.to_string().contains("14"));
}
