//! Frames of a server.

mod common;

use common::{frame, opened, receive, server_reads, transmit};
use mqtt_p2p_websocket::{End, FrameError, Received};
use tokio_tungstenite::tungstenite::Message;

/// RFC 6455 §5.7, with binary messages in the place of text.
#[test]
fn the_examples_of_the_standard_are_read() {
    let bytes: Vec<u8> = (0..0x1_0000).map(|i: usize| (i % 251) as u8).collect();
    for (raw, payload) in [
        (b"\x82\x05Hello".to_vec(), &b"Hello"[..]),
        (b"\x02\x03Hel\x80\x02lo".to_vec(), b"Hello"),
        ([b"\x82\x7e\x01\x00", &bytes[..256]].concat(), &bytes[..256]),
        ([b"\x82\x7f\0\0\0\0\0\x01\0\0", &bytes[..]].concat(), &bytes),
        (b"\x8a\x05Hello".to_vec(), b""),
        (b"\x82\x00\x02\x00\x00\x00\x80\x00".to_vec(), b""),
    ] {
        assert_eq!(receive(&mut opened(), &raw), (payload.to_vec(), None));
    }
}

#[test]
fn a_payload_is_borrowed_as_far_as_it_has_come() {
    let mut socket = opened();
    for (raw, payload, left) in [
        (&b"\x82"[..], None, &b""[..]),
        (b"\x05He", Some(&b"He"[..]), b""),
        (b"l", Some(b"l"), b""),
        (b"lo\x82", Some(b"lo"), b"\x82"),
    ] {
        let mut rest = raw;
        let piece = socket.receive(&mut rest).unwrap();
        assert_eq!((piece, rest), (payload, left));
        assert!(piece.is_none_or(|piece| raw.as_ptr_range().contains(&piece.as_ptr())));
    }
}

#[test]
fn mqtt_bytes_stay_in_one_piece_behind_those_that_were_left() {
    let mut socket = opened();
    let mut buffer = *b"\x30\x05..\x82\x01a\x89\x00\x02\x02bc\x8a\x01x\x00\x03def\x80\x01g\x82\x04h";
    let left = 4;
    assert_eq!(socket.receive_in_place(&mut buffer[left..]), Received { len: 8, end: None });
    assert_eq!(buffer[..left + 8], *b"\x30\x05..abcdefgh");
    // The frame goes on.
    let mut more = *b"ijk";
    assert_eq!(socket.receive_in_place(&mut more), Received { len: 3, end: None });
    assert_eq!(more, *b"ijk");
    assert_eq!(socket.receive_in_place(&mut []), Received { len: 0, end: None });
}

#[test]
fn what_the_standard_forbids_ends_the_connection_behind_the_good_bytes() {
    use FrameError::{
        FragmentedControl, InvalidClose, LengthTooLarge, LongControl, Masked, NonMinimalLength, ReservedBits,
        Text, UnexpectedContinuation, UnfinishedMessage, UnknownOpcode,
    };
    let good = b"\x82\x02\xd0\x00";
    for (raw, error) in [
        (&b"\x82\x81"[..], Masked),
        (b"\x89\x80", Masked),
        (b"\xc2", ReservedBits),
        (b"\xa2", ReservedBits),
        (b"\x92", ReservedBits),
        (b"\xc9", ReservedBits),
        (b"\x83", UnknownOpcode(3)),
        (b"\x87", UnknownOpcode(7)),
        (b"\x8b", UnknownOpcode(11)),
        (b"\x8f", UnknownOpcode(15)),
        (b"\x03", UnknownOpcode(3)),
        (b"\x81", Text),
        (b"\x01", Text),
        (b"\x80", UnexpectedContinuation),
        (b"\x00", UnexpectedContinuation),
        (b"\x02\x01a\x80\x01b\x80", UnexpectedContinuation),
        (b"\x02\x00\x82", UnfinishedMessage),
        (b"\x02\x00\x00\x00\x89\x00\x02", UnfinishedMessage),
        (b"\x08", FragmentedControl),
        (b"\x09", FragmentedControl),
        (b"\x0a", FragmentedControl),
        (b"\x88\x7e", LongControl),
        (b"\x89\x7f", LongControl),
        (b"\x8a\x7e", LongControl),
        (b"\x82\x7e\x00\x7d", NonMinimalLength),
        (b"\x82\x7e\x00\x00", NonMinimalLength),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", NonMinimalLength),
        (b"\x82\x7f\0\0\0\0\0\0\0\0", NonMinimalLength),
        (b"\x82\x7f\x80", LengthTooLarge),
        (b"\x88\x01\x03", InvalidClose),
        (b"\x88\x02\x03\xe7", InvalidClose),
        (b"\x88\x03\x03\xe8\xff", InvalidClose),
    ] {
        let bad = [good, raw].concat();
        let mut socket = opened();
        let (mut bytes, end) = receive(&mut socket, &bad);
        bytes.truncate(2);
        assert_eq!((&bytes[..], end), (&[0xd0, 0][..], Some(End::Failed(error))), "{raw:x?}");
        // It stays ended, and says so to the server.
        assert!(!socket.is_open() && socket.wants_transmit());
        assert_eq!(receive(&mut socket, good), (vec![], end));
        let code = if error == Text { 1003_u16 } else { 1002 };
        let [Message::Close(Some(close))] = &server_reads(&transmit(&mut socket))[..] else {
            panic!("{raw:x?}")
        };
        assert_eq!(u16::from(close.code), code);
        // The same in place, cut anywhere.
        for cut in 0..bad.len() {
            let (mut socket, mut bad) = (opened(), bad.clone());
            let first = socket.receive_in_place(&mut bad[..cut]);
            let second = socket.receive_in_place(&mut bad[cut..]);
            assert_eq!((first.end, second.end), (None, end), "{raw:x?} cut at {cut}");
        }
    }
}

#[test]
fn bytes_in_front_of_the_end_are_given_with_it() {
    let mut raw = *b"\x82\x04\x20\x02\x00\x05\x88\x02\x03\xf0";
    let received = opened().receive_in_place(&mut raw);
    assert_eq!(received, Received { len: 4, end: Some(End::Closed { code: Some(1008) }) });
    assert_eq!(raw[..4], [0x20, 2, 0, 5]);
}

#[test]
fn lengths_at_the_borders_are_read() {
    for len in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 0x1_0001] {
        let payload = vec![0xa5; len];
        assert_eq!(receive(&mut opened(), &frame(0x82, &payload)), (payload, None));
    }
}

#[test]
fn a_frame_of_more_bytes_than_there_will_ever_be_is_read_as_it_comes() {
    let mut socket = opened();
    assert_eq!(
        receive(&mut socket, b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffHello"),
        (b"Hello".to_vec(), None)
    );
    let more = vec![1; 100_000];
    assert_eq!(receive(&mut socket, &more), (more, None));
}

#[test]
fn a_close_frame_is_answered_with_its_own_code() {
    for code in [1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4000, 4999] {
        let mut socket = opened();
        let payload = [&code.to_be_bytes()[..], "ver\u{e4}rgert".as_bytes()].concat();
        assert_eq!(
            receive(&mut socket, &frame(0x88, &payload)),
            (vec![], Some(End::Closed { code: Some(code) }))
        );
        assert_eq!(socket.close_reason(), "ver\u{e4}rgert");
        let reply = transmit(&mut socket);
        let [Message::Close(Some(close))] = &server_reads(&reply)[..] else { panic!("{code}") };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (code, ""));
        // Nothing more is sent.
        assert_eq!(socket.transmit(&[0xc0, 0], &mut [0; 200]).map(|done| done.written), Ok(0));
    }
    // The oracle does not know this one, which IANA lists.
    assert_eq!(receive(&mut opened(), b"\x88\x02\x03\xf6").1, Some(End::Closed { code: Some(1014) }));
    let mut socket = opened();
    assert_eq!(receive(&mut socket, b"\x88\x00"), (vec![], Some(End::Closed { code: None })));
    assert_eq!(server_reads(&transmit(&mut socket)), [Message::Close(None)]);
}

#[test]
fn codes_that_may_not_be_sent_are_refused() {
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
        let (_, end) = receive(&mut opened(), &frame(0x88, &code.to_be_bytes()));
        assert_eq!(end, Some(End::Failed(FrameError::InvalidClose)), "{code}");
    }
}

#[test]
fn a_ping_between_fragments_is_answered_with_its_payload() {
    let longest = [b'x'; 125];
    for payload in [&b""[..], b"Hello", &longest] {
        let mut socket = opened();
        let raw = [b"\x02\x01a".to_vec(), frame(0x89, payload), b"\x80\x01b".to_vec()].concat();
        assert_eq!(receive(&mut socket, &raw), (b"ab".to_vec(), None));
        assert!(socket.wants_transmit());
        assert_eq!(server_reads(&transmit(&mut socket)), [Message::Pong(payload.to_vec().into())]);
    }
}

#[test]
fn a_flood_of_pings_has_one_answer_to_the_last() {
    let mut socket = opened();
    for i in 0..10_000_u32 {
        assert_eq!(receive(&mut socket, &frame(0x89, &i.to_be_bytes())), (vec![], None));
    }
    let pongs = server_reads(&transmit(&mut socket));
    assert_eq!(pongs, [Message::Pong(9_999_u32.to_be_bytes().to_vec().into())]);
}

#[test]
fn pongs_are_not_answered() {
    let mut socket = opened();
    assert_eq!(receive(&mut socket, &frame(0x8a, b"Hello")), (vec![], None));
    assert!(!socket.wants_transmit());
    // Nor do they change the answer to a ping.
    assert_eq!(receive(&mut socket, b"\x89\x02ab\x8a\x03xyz"), (vec![], None));
    assert_eq!(server_reads(&transmit(&mut socket)), [Message::Pong("ab".into())]);
}
