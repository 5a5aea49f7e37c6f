//! WebSocket between a client and its transport, in place.

use std::ptr::{null, null_mut};

use mqttp2p::*;

use crate::driver::{Driver, Heap, NOTHING, bytes, c, login, ok, read, with_each_memory};

/// What another program's SHA-1 and Base64 make of the key that the seed below makes.
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: c4e9up53ccY2S2qxkPKAEC4W3LM=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

struct Socket {
    memory: Heap,
    socket: *mut mqttp2p_websocket_t,
}

impl Socket {
    fn opened() -> Self {
        let (memory, mut socket) = (Heap::new(MQTTP2P_WEBSOCKET_SIZE), null_mut());
        let mut begin = || {
            let mut seed = [0; 16];
            seed[0] = 7;
            let seed = Heap::of(&seed);
            ok!(mqttp2p_websocket_init(memory.at(), memory.len(), seed.at(), &raw mut socket));
            socket
        };
        let mut len = 0;
        let open = |socket, room: *mut u8, size, len| {
            let [host, path] = [&b"h"[..], b"/mqtt"].map(Heap::of);
            c!(mqttp2p_websocket_open(socket, host.range(), path.range(), 4, room, size, len))
        };
        assert_eq!(open(begin(), null_mut(), 0, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
        assert_eq!(open(begin(), null_mut(), len, null_mut()), MQTTP2P_E_NULL);
        // Once more from the start: each attempt takes a key of its own, and this one's answer is known.
        let (socket, request) = (begin(), Heap::new(len));
        assert_eq!(open(socket, request.at(), len, &raw mut len), MQTTP2P_OK);
        assert!(read(request.range()).starts_with(b"GET /mqtt HTTP/1.1\r\nHost: h\r\n"));
        Self { memory, socket }
    }

    /// What is MQTT of the bytes that came.
    fn receive(&self, raw: &[u8]) -> Vec<u8> {
        let (raw, mut len) = (Heap::of(raw), 0);
        ok!(mqttp2p_websocket_receive(self.socket, raw.at(), raw.len(), &raw mut len));
        read(mqttp2p_bytes_t { len, ..raw.range() })
    }

    /// The frames of these packets, and how many bytes of them they hold.
    fn transmit(&self, packets: mqttp2p_bytes_t) -> (Vec<u8>, usize) {
        let (out, mut taken, mut len) = (Heap::new(256), 0, 0);
        ok!(mqttp2p_websocket_transmit(
            self.socket,
            packets,
            out.at(),
            out.len(),
            &raw mut taken,
            &raw mut len,
        ));
        (read(mqttp2p_bytes_t { len, ..out.range() }), taken)
    }
}

/// Sends what the client wants to transmit through the socket; gives the payloads of the frames, their masks taken off
/// (RFC 6455, 5.2 and 5.3).
fn sent(driver: &mut Driver, socket: &Socket) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while driver.poll() == MQTTP2P_OK {
        let action = driver.action();
        assert_eq!(action.r#type, MQTTP2P_ACTION_TRANSMIT);
        // The packets lie in the client, and are framed from there.
        let (frames, taken) = socket.transmit(action.data);
        assert!(c!(mqttp2p_transmitted(driver.client(), taken)) >= 0);
        let mut rest = &frames[..];
        while let [0x82, head, a, b, c, d, behind @ ..] = rest {
            let len = usize::from(head ^ 0x80);
            let mask = [*a, *b, *c, *d];
            payloads.push(
                behind[..len].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect(),
            );
            rest = &behind[len..];
        }
        assert!(rest.is_empty());
    }
    payloads
}

#[test]
fn a_client_speaks_through_a_websocket() {
    with_each_memory(
        |_| {},
        |driver| {
            ok!(mqttp2p_connect(driver.client(), driver.now));
            driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
            let socket = Socket::opened();
            assert_eq!(c!(mqttp2p_websocket_is_open(socket.socket)), 0);
            for piece in ANSWER.chunks(50) {
                assert_eq!(socket.receive(piece), b"");
            }
            assert_eq!(c!(mqttp2p_websocket_is_open(socket.socket)), 1);
            ok!(mqttp2p_transport_opened(driver.client(), driver.now, &raw const *Box::new(login(b"c"))));
            assert_eq!(sent(driver, &socket), [b"\x10\x0d\0\x04MQTT\x04\0\0\x3c\0\x01c"]);

            // CONNACK in two frames, and a ping between them.
            driver.receive(&socket.receive(b"\x02\x01\x20\x89\x00\x80\x03\x02"));
            driver.expect(MQTTP2P_ACTION_WAIT);
            driver.receive(&socket.receive(b"\0\0"));
            driver.expect(MQTTP2P_EVENT_CONNECTED);
            assert_eq!(c!(mqttp2p_websocket_wants_transmit(socket.socket)), 1);
            let (pong, taken) = socket.transmit(NOTHING);
            assert_eq!((&pong[..2], pong.len(), taken), (&b"\x8a\x80"[..], 6, 0));

            // Two packets are two messages.
            assert_eq!(driver.publish(b"t", b"x", 1), MQTTP2P_OK);
            assert_eq!(driver.publish(b"t", b"y", 1), MQTTP2P_OK);
            assert_eq!(sent(driver, &socket), [b"\x32\x06\0\x01t\0\x01x", b"\x32\x06\0\x01t\0\x02y"]);
            driver.receive(&socket.receive(b"\x82\x08\x40\x02\0\x01\x40\x02\0\x02"));
            driver.expect(MQTTP2P_EVENT_PUBLISHED);
            driver.expect(MQTTP2P_EVENT_PUBLISHED);

            let (mut reason, mut detail) = (0, 0);
            let mut ended = || c!(mqttp2p_websocket_end(socket.socket, &raw mut reason, &raw mut detail));
            assert_eq!(ended(), MQTTP2P_NONE);
            assert_eq!(socket.receive(b"\x88\x02\x03\xe9"), b"");
            assert_eq!(ended(), MQTTP2P_OK);
            assert_eq!((reason, detail), (MQTTP2P_REASON_CLOSED_BY_PEER, 1001));
            ok!(mqttp2p_websocket_end(socket.socket, null_mut(), null_mut()));
            assert_eq!(socket.transmit(NOTHING).0[0], 0x88);
            ok!(mqttp2p_websocket_close(socket.socket));
        },
    );
}

#[test]
fn a_websocket_that_is_used_wrongly_gets_a_status() {
    let opened = Socket::opened();
    let socket = opened.socket;
    socket_memory_that_is_wrong(&opened.memory);
    let open = |host: &[u8], path: &[u8], edition| {
        let room = Heap::new(256);
        c!(mqttp2p_websocket_open(socket, bytes(host), bytes(path), edition, room.at(), 256, null_mut()))
    };
    assert_eq!(open(b"a b", b"/", 4), MQTTP2P_E_URL);
    assert_eq!(open(b"h", b"/", 5), MQTTP2P_E_INVALID_ARGUMENT);
    assert_eq!(open(b"\xff", b"/", 4), MQTTP2P_E_TEXT);

    let (room, mut len, mut taken) = (Heap::new(MQTTP2P_WEBSOCKET_MIN_ROOM), 0, 0);
    let receive = |raw, size, len| c!(mqttp2p_websocket_receive(socket, raw, size, len));
    assert_eq!(receive(null_mut(), 1, &raw mut len), MQTTP2P_E_NULL);
    assert_eq!(receive(room.at(), 1, null_mut()), MQTTP2P_E_NULL);
    assert_eq!(opened.receive(ANSWER), b"");
    let transmit = |packets, size, taken, len| {
        c!(mqttp2p_websocket_transmit(socket, packets, room.at(), size, taken, len))
    };
    let ping = bytes(b"\xc0\0");
    assert_eq!(transmit(ping, 5, &raw mut taken, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
    assert_eq!(transmit(ping, 131, null_mut(), &raw mut len), MQTTP2P_E_NULL);
    assert_eq!(transmit(ping, 131, &raw mut taken, null_mut()), MQTTP2P_E_NULL);
    assert_eq!(transmit(bytes(b"\xc0"), 131, &raw mut taken, &raw mut len), MQTTP2P_E_INVALID_ARGUMENT);
    assert_eq!(transmit(ping, 8, &raw mut taken, &raw mut len), MQTTP2P_OK);
    assert_eq!((taken, len), (2, 8));
    assert_eq!(c!(mqttp2p_websocket_close(null_mut())), MQTTP2P_E_NULL);
    assert_eq!(c!(mqttp2p_websocket_end(null_mut(), null_mut(), null_mut())), MQTTP2P_E_NULL);
}

/// It stays as it was.
fn socket_memory_that_is_wrong(memory: &Heap) {
    let (seed, mut out) = (Heap::of(&[7; 16]), null_mut());
    let init = |memory: *mut u8, len, seed, out| c!(mqttp2p_websocket_init(memory.cast(), len, seed, out));
    let (start, seed) = (memory.at::<u8>(), seed.at::<u8>().cast_const());
    assert_eq!(init(null_mut(), memory.len(), seed, &raw mut out), MQTTP2P_E_NULL);
    assert_eq!(init(start, memory.len(), null(), &raw mut out), MQTTP2P_E_NULL);
    assert_eq!(init(start, memory.len(), seed, null_mut()), MQTTP2P_E_NULL);
    assert_eq!(init(start.wrapping_add(1), memory.len() - 1, seed, &raw mut out), MQTTP2P_E_MISALIGNED);
    assert_eq!(init(start, 1, seed, &raw mut out), MQTTP2P_E_MEMORY_TOO_SMALL);
    assert!(out.is_null());
}

#[test]
fn an_upgrade_that_is_refused_tells_its_status() {
    let opened = Socket::opened();
    assert_eq!(opened.receive(b"HTTP/1.1 404 Not Found\r\n\r\n"), b"");
    let (mut reason, mut detail) = (0, 0);
    ok!(mqttp2p_websocket_end(opened.socket, &raw mut reason, &raw mut detail));
    assert_eq!((reason, detail), (MQTTP2P_REASON_UPGRADE, 404));
}
