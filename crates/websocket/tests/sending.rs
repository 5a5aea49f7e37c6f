//! Frames of the client, as another library's server reads them.

mod common;

use common::{asked, frame, opened, receive, server_reads};
use mqtt_p2p_websocket::{End, TransmitError, Transmitted, WebSocket};
use tokio_tungstenite::tungstenite::Message;

/// PUBLISH of QoS 0 with so many bytes behind its fixed header, which is as long as it has to be.
fn publish(remaining: usize) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut rest = remaining;
    while rest > 0x7f {
        packet.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    packet.push(rest as u8);
    packet.extend([0, 1, b'n']);
    packet.extend((3..remaining).map(|i| (i % 251) as u8));
    packet
}

/// Sends packets with buffers of `room` bytes; says what went out.
fn send(socket: &mut WebSocket, mut packets: &[u8], room: usize) -> Vec<u8> {
    let (mut sent, mut out) = (Vec::new(), vec![0; room]);
    while !packets.is_empty() || socket.wants_transmit() {
        let done = socket.transmit(packets, &mut out).unwrap();
        assert!(done.written > 0);
        sent.extend_from_slice(&out[..done.written]);
        packets = &packets[done.taken..];
    }
    sent
}

#[test]
fn every_packet_is_one_message_whatever_the_room() {
    let packets = [vec![0xc0, 0], publish(40), publish(200), vec![0xe0, 0]];
    let expected: Vec<_> = packets.iter().map(|packet| Message::Binary(packet.clone().into())).collect();
    for room in 14..600 {
        assert_eq!(server_reads(&send(&mut opened(), &packets.concat(), room)), expected, "{room}");
    }
}

#[test]
fn packets_of_every_length_go_in_one_frame_each() {
    for remaining in [3, 121, 122, 123, 124, 125, 126, 127, 128, 0xfffb, 0xfffc, 0xfffd, 0x1_0000] {
        let packet = publish(remaining);
        let sent = send(&mut opened(), &packet, 1000);
        let header = match packet.len() {
            0..=125 => 6,
            126..=0xffff => 8,
            _ => 14,
        };
        // FIN, binary, masked.
        assert_eq!((sent.len(), sent[0], sent[1] & 0x80), (header + packet.len(), 0x82, 0x80));
        assert_eq!(server_reads(&sent), [Message::Binary(packet.into())]);
    }
}

#[test]
fn a_packet_may_be_passed_in_pieces_once_it_has_begun() {
    let (mut socket, packet, mut out, mut sent) = (opened(), publish(100), [0; 50], Vec::new());
    let first = socket.transmit(&packet, &mut out).unwrap();
    assert_eq!(first, Transmitted { taken: 44, written: 50 });
    sent.extend(out);
    for piece in [&packet[44..44], &packet[44..60], &packet[60..]] {
        let done = socket.transmit(piece, &mut out).unwrap();
        assert_eq!(done.taken, done.written);
        sent.extend_from_slice(&out[..done.written]);
        let left = socket.transmit(&piece[done.taken..], &mut out).unwrap();
        sent.extend_from_slice(&out[..left.written]);
    }
    assert_eq!(server_reads(&sent), [Message::Binary(packet.into())]);
}

#[test]
fn a_packet_may_begin_when_only_its_fixed_header_is_there() {
    let (mut socket, packet, mut out, mut sent) = (opened(), publish(300), [0; 50], Vec::new());
    // In pieces of 3 bytes, the longest header.
    for piece in packet.chunks(3) {
        let done = socket.transmit(piece, &mut out).unwrap();
        assert_eq!(done.taken, piece.len());
        sent.extend_from_slice(&out[..done.written]);
    }
    assert_eq!(server_reads(&sent), [Message::Binary(packet.into())]);
}

#[test]
fn no_two_messages_have_the_same_mask() {
    let sent = send(&mut opened(), &[0xc0, 0].repeat(100), 800);
    let mut keys: Vec<_> = sent.chunks(8).map(|frame| &frame[2..6]).collect();
    assert_eq!(keys.len(), 100);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100);
}

#[test]
fn a_pong_waits_for_the_end_of_the_message_that_has_begun() {
    let (mut socket, packet, mut out) = (opened(), publish(100), [0; 50]);
    let first = socket.transmit(&packet, &mut out).unwrap();
    let mut sent = out.to_vec();
    assert_eq!(receive(&mut socket, &frame(0x89, b"?")), (vec![], None));
    assert!(!socket.wants_transmit());
    sent.extend(send(&mut socket, &[&packet[first.taken..], &[0xc0, 0]].concat(), 200));
    assert_eq!(
        server_reads(&sent),
        [Message::Binary(packet.into()), Message::Pong("?".into()), Message::Binary(vec![0xc0, 0].into())]
    );
}

#[test]
fn a_ping_that_comes_in_pieces_keeps_no_half_a_pong() {
    let mut socket = opened();
    assert_eq!(receive(&mut socket, b"\x89\x02ab\x89\x02c"), (vec![], None));
    assert!(!socket.wants_transmit());
    assert_eq!(receive(&mut socket, b"d"), (vec![], None));
    assert_eq!(server_reads(&send(&mut socket, &[], 200)), [Message::Pong("cd".into())]);
}

#[test]
fn close_goes_behind_the_last_packet_and_nothing_behind_close() {
    let mut socket = opened();
    socket.close();
    assert!(socket.wants_transmit());
    let sent = send(&mut socket, &[0xe0, 0], 200);
    let messages = server_reads(&sent);
    let [Message::Binary(packet), Message::Close(Some(close))] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!((&packet[..], u16::from(close.code)), (&[0xe0, 0][..], 1000));
    // What still comes is read; a ping is not answered any more (§5.5.1), nor the peer's own close frame.
    assert_eq!(receive(&mut socket, b"\x82\x01a\x89\x00"), (b"a".to_vec(), None));
    assert!(!socket.wants_transmit());
    assert_eq!(receive(&mut socket, b"\x88\x02\x03\xe8"), (vec![], Some(End::Closed { code: Some(1000) })));
    assert!(!socket.wants_transmit());
    assert_eq!(socket.transmit(&[0xc0, 0], &mut [0; 200]), Ok(Transmitted::default()));
}

#[test]
fn what_is_no_packet_is_refused_and_takes_nothing_with_it() {
    let (mut socket, mut out) = (opened(), [0; 200]);
    // Half a fixed header, and a reserved type.
    for bytes in [&[0x30, 0x85][..], &[0x00, 0]] {
        assert_eq!(socket.transmit(bytes, &mut out), Err(TransmitError::NotAPacket));
        // Behind a good packet it is told at the next call.
        let both = [&[0xc0, 0], bytes].concat();
        assert_eq!(socket.transmit(&both, &mut out), Ok(Transmitted { taken: 2, written: 8 }));
        assert_eq!(socket.transmit(&both[2..], &mut out), Err(TransmitError::NotAPacket));
    }
}

#[test]
fn a_buffer_without_room_is_told_what_is_needed() {
    let mut socket = opened();
    assert_eq!(socket.transmit(&[0xc0, 0], &mut [0; 5]), Err(TransmitError::NoRoom { needed: 14 }));
    assert_eq!(receive(&mut socket, &frame(0x89, &[0; 125])), (vec![], None));
    let needed = WebSocket::MIN_ROOM;
    assert_eq!(
        socket.transmit(&[0xc0, 0], &mut [0; WebSocket::MIN_ROOM - 1]),
        Err(TransmitError::NoRoom { needed })
    );
    assert_eq!(
        socket.transmit(&[0xc0, 0], &mut [0; WebSocket::MIN_ROOM]),
        Ok(Transmitted { taken: 0, written: needed })
    );
}

#[test]
fn a_new_connection_forgets_what_the_last_one_left() {
    let mut socket = opened();
    let first = socket.transmit(&publish(100), &mut [0; 50]).unwrap();
    assert!(first.taken < 100);
    receive(&mut socket, b"\x89\x01a\x02\x01b\x88\x00");
    socket.close();
    let (_, answer) = asked();
    let mut out = [0; 512];
    let len = socket.open(&common::request(), &mut out).unwrap();
    assert_ne!(common::answer(&out[..len]), answer);
    assert_eq!(receive(&mut socket, common::answer(&out[..len]).as_bytes()), (vec![], None));
    assert!(socket.is_open() && !socket.wants_transmit());
    assert_eq!(receive(&mut socket, b"\x82\x01c"), (b"c".to_vec(), None));
    assert_eq!(server_reads(&send(&mut socket, &[0xc0, 0], 200)), [Message::Binary(vec![0xc0, 0].into())]);
}
