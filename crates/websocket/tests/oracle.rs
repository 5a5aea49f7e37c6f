//! The same frames in another library's hands, cut anywhere.

use std::io::{self, Read, Write};

use mqtt_p2p_websocket::{End, WebSocket};
use proptest::prelude::*;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::protocol::{Message, Role, WebSocket as Peer};

/// A stream in memory: what the peer reads, and what it wrote.
#[derive(Default)]
struct Pipe {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = room.len().min(self.incoming.len());
        room[..len].copy_from_slice(&self.incoming[..len]);
        self.incoming.drain(..len);
        Ok(len)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn server() -> Peer<Pipe> {
    Peer::from_raw_socket(Pipe::default(), Role::Server, None)
}

/// A PUBLISH of QoS 0 with so much payload.
fn packet(payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut left = payload.len() + 3;
    while left > 127 {
        packet.push(left as u8 | 0x80);
        left >>= 7;
    }
    packet.push(left as u8);
    packet.extend([0, 1, b't']);
    packet.extend(payload);
    packet
}

/// Cuts at these places, one after the other, and again from the first.
fn pieces<'a>(bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    sizes.iter().cycle().map_while(move |size| {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What a server may send.
#[derive(Clone, Debug)]
enum Sent {
    Whole(Vec<u8>),
    Fragments(Vec<Vec<u8>>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..130),
        2 => prop::collection::vec(any::<u8>(), 120..400),
        1 => (65_530_usize..65_600).prop_map(|len| vec![0xa5; len]),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let control = || prop::collection::vec(any::<u8>(), 0..=125);
    prop_oneof![
        4 => payload().prop_map(Sent::Whole),
        2 => prop::collection::vec(payload(), 2..5).prop_map(Sent::Fragments),
        1 => control().prop_map(Sent::Ping),
        1 => control().prop_map(Sent::Pong),
    ]
}

fn send(server: &mut Peer<Pipe>, sent: &Sent) {
    let message = match sent.clone() {
        Sent::Whole(payload) => Message::Binary(payload.into()),
        Sent::Ping(payload) => Message::Ping(payload.into()),
        Sent::Pong(payload) => Message::Pong(payload.into()),
        Sent::Fragments(fragments) => {
            let last = fragments.len() - 1;
            for (at, fragment) in fragments.into_iter().enumerate() {
                let kind = if at == 0 { Data::Binary } else { Data::Continue };
                let frame = Frame::message(fragment, OpCode::Data(kind), at == last);
                server.send(Message::Frame(frame)).expect("memory takes it");
            }
            return;
        }
    };
    server.send(message).expect("memory takes it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_a_server_sends_arrives_however_it_is_cut(
        sent in prop::collection::vec(sent(), 0..8),
        sizes in prop::collection::vec(1_usize..300, 1..8),
    ) {
        let mut peer = server();
        let mut expected = Vec::new();
        for sent in &sent {
            send(&mut peer, sent);
            match sent {
                Sent::Whole(payload) => expected.extend(payload),
                Sent::Fragments(fragments) => expected.extend(fragments.concat()),
                Sent::Ping(_) | Sent::Pong(_) => {}
            }
        }
        peer.close(Some(CloseFrame { code: CloseCode::Away, reason: "bye".into() })).expect("memory takes it");
        peer.flush().expect("memory takes it");
        let mut socket = WebSocket::new([1; 16]);
        let mut stream = Vec::<u8>::new();
        for piece in pieces(&peer.get_ref().outgoing, &sizes) {
            let mut raw = piece.to_vec();
            let len = socket.unwrap(&mut raw);
            stream.extend(&raw[..len]);
        }
        prop_assert_eq!(stream, expected);
        prop_assert_eq!(socket.end(), Some(End::Closed { code: 1001 }));
    }

    #[test]
    fn whatever_is_sent_is_read_by_a_server_packet_by_packet(
        payloads in prop::collection::vec(payload(), 1..8),
        rooms in prop::collection::vec(16_usize..400, 1..8),
        seed: [u8; 16],
    ) {
        let packets: Vec<Vec<u8>> = payloads.iter().map(|payload| packet(payload)).collect();
        let all = packets.concat();
        let mut socket = WebSocket::new(seed);
        let mut peer = server();
        let mut rest = &all[..];
        let mut rooms = rooms.iter().cycle();
        while !rest.is_empty() {
            let mut out = vec![0; *rooms.next().expect("it goes on for ever")];
            let len = socket.wrap(&mut rest, &mut out);
            prop_assert!(len > 0, "every room is large enough for a header and a byte");
            peer.get_mut().incoming.extend(&out[..len]);
        }
        for packet in packets {
            prop_assert_eq!(peer.read().expect("a message").into_data(), packet);
        }
    }

    #[test]
    fn any_bytes_end_in_a_state_and_never_become_more(
        raw in prop::collection::vec(any::<u8>(), 0..200),
        sizes in prop::collection::vec(1_usize..20, 1..4),
    ) {
        let (mut whole, mut cut) = (WebSocket::new([1; 16]), WebSocket::new([1; 16]));
        let mut at_once = raw.clone();
        let len = whole.unwrap(&mut at_once);
        let mut stream = Vec::<u8>::new();
        for piece in pieces(&raw, &sizes) {
            let mut piece = piece.to_vec();
            let len = cut.unwrap(&mut piece);
            stream.extend(&piece[..len]);
        }
        prop_assert!(len <= raw.len());
        prop_assert_eq!(&at_once[..len], &stream[..]);
        prop_assert_eq!(whole.end(), cut.end());
        let mut out = [0; 400];
        prop_assert!(whole.wrap(&mut &[][..], &mut out) <= 131);
    }

    #[test]
    fn any_bytes_for_an_answer_are_judged(raw in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..17) {
        let good = b"HTTP/1.1 101 X\r\nA: b\r\n\r\n";
        let answer = [&good[..cut], &raw].concat();
        let mut received = &answer[..];
        let taken = WebSocket::new([1; 16]).answer(&mut received);
        prop_assert!(taken != Ok(true), "without the right accept nothing is good");
    }
}
