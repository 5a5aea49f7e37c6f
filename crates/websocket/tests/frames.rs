//! Frames, one by one: golden bytes of RFC 6455, 5.7, where it has them.

use mqtt_p2p_websocket::{End, FrameError, WebSocket};

fn socket() -> WebSocket {
    WebSocket::new([7; 16])
}

/// What comes of frames that come in at once.
fn unwrapped(socket: &mut WebSocket, raw: &[u8]) -> Vec<u8> {
    let mut raw = raw.to_vec();
    let len = socket.unwrap(&mut raw);
    raw.truncate(len);
    raw
}

/// A frame to the server: first byte, and payload without its mask.
fn unmasked(frame: &[u8]) -> (u8, Vec<u8>) {
    let (len, mask) = match frame[1] & 0x7f {
        126 => (usize::from(u16::from_be_bytes([frame[2], frame[3]])), 4),
        127 => (u64::from_be_bytes(frame[2..10].try_into().unwrap()) as usize, 10),
        len => (usize::from(len), 2),
    };
    assert_eq!(frame[1] & 0x80, 0x80, "it is masked");
    assert_eq!(frame.len(), mask + 4 + len);
    let payload = frame[mask + 4..].iter().zip(frame[mask..mask + 4].iter().cycle());
    (frame[0], payload.map(|(byte, mask)| byte ^ mask).collect())
}

fn wrapped(socket: &mut WebSocket, mut packets: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 70_000];
    let len = socket.wrap(&mut packets, &mut out);
    assert!(packets.is_empty());
    out.truncate(len);
    out
}

#[test]
fn lengths_of_every_form_are_read() {
    // RFC 6455, 5.7: 256 bytes of binary data, and 64 KiB of it.
    let header_256: &[u8] = &[0x82, 0x7e, 0x01, 0x00];
    let header_64k: &[u8] = &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
    for (header, len) in [(&[0x82, 5][..], 5), (header_256, 256), (header_64k, 65_536)] {
        let payload = vec![0x55; len];
        let mut socket = socket();
        assert_eq!(unwrapped(&mut socket, &[header, &payload].concat()), payload);
        assert_eq!(socket.end(), None);
    }
}

#[test]
fn fragments_and_control_frames_between_them_leave_one_stream() {
    // RFC 6455, 5.7: a fragmented message, here binary, with a ping in between.
    let raw = [&[0x02, 3][..], b"Hel", &[0x89, 5], b"Hello", &[0x80, 2], b"lo"].concat();
    let mut socket = socket();
    assert_eq!(unwrapped(&mut socket, &raw), b"Hello");
    assert!(socket.is_pending());
    assert_eq!(unmasked(&wrapped(&mut socket, &[])), (0x8a, b"Hello".to_vec()));
    assert!(!socket.is_pending());
}

#[test]
fn several_packets_in_one_message_are_one_stream() {
    assert_eq!(unwrapped(&mut socket(), &[0x82, 4, 0xd0, 0, 0xd0, 0]), [0xd0, 0, 0xd0, 0]);
}

#[test]
fn of_many_pings_the_last_is_answered_once() {
    let mut socket = socket();
    for byte in 0..=255 {
        unwrapped(&mut socket, &[0x89, 1, byte]);
    }
    assert_eq!(unmasked(&wrapped(&mut socket, &[])), (0x8a, vec![255]));
    assert_eq!(wrapped(&mut socket, &[]), [0; 0]);
}

#[test]
fn every_packet_is_a_message_of_its_own() {
    let publish: Vec<u8> = [&[0x30, 0x80, 0x01][..], &[0, 1, b't'], &[b'x'; 125]].concat();
    let mut socket = socket();
    let out = wrapped(&mut socket, &[&[0xc0, 0][..], &publish].concat());
    assert_eq!(unmasked(&out[..8]), (0x82, vec![0xc0, 0]));
    assert_eq!(unmasked(&out[8..]), (0x82, publish));
}

#[test]
fn masks_differ_from_frame_to_frame_and_from_seed_to_seed() {
    let mask = |socket: &mut WebSocket| wrapped(socket, &[0xc0, 0])[2..6].to_vec();
    let mut one = socket();
    assert_ne!(mask(&mut one), mask(&mut one));
    assert_ne!(mask(&mut socket()), mask(&mut WebSocket::new([8; 16])));
}

#[test]
fn a_pong_does_not_cut_a_message_in_two() {
    let mut socket = socket();
    let mut packets: &[u8] = &[0x30, 4, 0, 1, b't', b'x'];
    let mut out = [0; 256];
    let first = socket.wrap(&mut packets, &mut out[..8]);
    assert_eq!((first, packets.len()), (8, 4));
    unwrapped(&mut socket, &[0x89, 0]);
    let second = socket.wrap(&mut packets, &mut out[8..]);
    assert_eq!(unmasked(&out[..12]), (0x82, vec![0x30, 4, 0, 1, b't', b'x']));
    assert_eq!(unmasked(&out[12..8 + second]), (0x8a, vec![]));
}

#[test]
fn the_beginning_of_a_packet_stays_with_the_caller() {
    let mut packets: &[u8] = &[0xc0, 0, 0x30, 4, 0];
    let mut out = [0; 256];
    assert_eq!(socket().wrap(&mut packets, &mut out), 8);
    assert_eq!(packets, [0x30, 4, 0]);
}

#[test]
fn closing_sends_its_frame_behind_the_last_packet_and_nothing_more() {
    let mut socket = socket();
    socket.close();
    let out = wrapped(&mut socket, &[0xe0, 0]);
    assert_eq!(unmasked(&out[8..]), (0x88, vec![0x03, 0xe8]));
    let mut packets: &[u8] = &[0xc0, 0];
    assert_eq!((socket.wrap(&mut packets, &mut [0; 99]), packets.len(), socket.is_pending()), (0, 2, false));
}

#[test]
fn the_close_frame_waits_for_the_rest_of_a_packet() {
    let mut socket = socket();
    socket.close();
    let mut packets: &[u8] = &[0x30, 4, 0];
    assert_eq!((socket.wrap(&mut packets, &mut [0; 99]), packets.len(), socket.is_pending()), (0, 3, true));
}

#[test]
fn a_close_frame_ends_the_connection_after_what_came_before() {
    for (close, code) in
        [(&[0x88, 2, 0x03, 0xe9][..], 1001), (&[0x88, 0], 1005), (&[0x88, 4, 0x03, 0xea, b'h', b'i'], 1002)]
    {
        let mut socket = socket();
        let raw = [&[0x82, 2, 0xd0, 0][..], close, &[0x82, 2, 0xd0, 0]].concat();
        assert_eq!(unwrapped(&mut socket, &raw), [0xd0, 0]);
        assert_eq!(socket.end(), Some(End::Closed { code }));
        assert_eq!(unwrapped(&mut socket, &[0x82, 1, 0]), [0; 0]);
    }
}

#[test]
fn what_a_server_may_not_send_ends_the_connection_at_once() {
    use FrameError::{InvalidControl, InvalidLength, Masked, OutOfPlace, ReservedBits, Text, UnknownOpcode};
    let cases: &[(&[u8], FrameError)] = &[
        (&[0xc2], ReservedBits),
        (&[0xa2], ReservedBits),
        (&[0x92], ReservedBits),
        (&[0x83], UnknownOpcode(3)),
        (&[0x8b], UnknownOpcode(11)),
        (&[0x82, 0x81], Masked),
        (&[0x81], Text),
        (&[0x01], Text),
        (&[0x82, 126, 0, 125], InvalidLength),
        (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], InvalidLength),
        (&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], InvalidLength),
        (&[0x09], InvalidControl),
        (&[0x89, 126], InvalidControl),
        (&[0x88, 127], InvalidControl),
        (&[0x88, 1, 3], InvalidControl),
        (&[0x80], OutOfPlace),
        (&[0x00], OutOfPlace),
        (&[0x02, 0, 0x82], OutOfPlace),
        (&[0x02, 0, 0x80, 0, 0x80], OutOfPlace),
    ];
    for (raw, error) in cases {
        let mut socket = socket();
        let all = [&[0x82, 1, 0xd0][..], raw].concat();
        assert_eq!(unwrapped(&mut socket, &all), [0xd0], "what came before is not lost");
        assert_eq!(socket.end(), Some(End::Failed(*error)), "{raw:02x?}");
    }
}
