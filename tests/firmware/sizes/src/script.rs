//! The machine that runs: its other end is a small server, for MQTT 3.1.1 and 5, that lets a client go through
//! everything. Its packets are as the standards have them.
//!
//! The first dial fails. On the first connection the client is asked to subscribe and to publish, is sent a message, and
//! has to ping; then it is asked to publish again, and the connection breaks before the acknowledgement. On the second
//! connection it has to subscribe, to publish, to take a message and to ping again.

use core::cell::Cell;

use crate::{Button, stack};

const PACKET: usize = 256;

/// What the server has seen on this connection.
#[derive(Clone, Copy)]
struct Seen {
    connected: bool,
    subscribed: bool,
    /// The user asked for a message.
    asked: u8,
    published: u8,
    acknowledged: bool,
    pinged: bool,
}

const NOTHING: Seen =
    Seen { connected: false, subscribed: false, asked: 0, published: 0, acknowledged: false, pinged: false };

struct Script {
    now: Cell<u32>,
    dials: Cell<u32>,
    sleeps: Cell<u32>,
    open: Cell<bool>,
    is_v5: Cell<bool>,
    asked_to_subscribe: Cell<bool>,
    seen: Cell<Seen>,
    /// The packet that the client is sending.
    packet: [Cell<u8>; PACKET],
    packet_len: Cell<usize>,
    /// What the client has still to read.
    answer: [Cell<u8>; PACKET],
    answer_start: Cell<usize>,
    answer_end: Cell<usize>,
}

// SAFETY: there is one thread.
unsafe impl Sync for Script {}

static SCRIPT: Script = Script {
    now: Cell::new(0),
    dials: Cell::new(0),
    sleeps: Cell::new(0),
    open: Cell::new(false),
    is_v5: Cell::new(false),
    asked_to_subscribe: Cell::new(false),
    seen: Cell::new(NOTHING),
    packet: [const { Cell::new(0) }; PACKET],
    packet_len: Cell::new(0),
    answer: [const { Cell::new(0) }; PACKET],
    answer_start: Cell::new(0),
    answer_end: Cell::new(0),
};

/// Longer than any client takes that gets on.
const MAX_SLEEPS: u32 = 100_000;

/// Opens the transport; says whether that worked.
#[inline(never)]
pub fn open() -> bool {
    let dials = SCRIPT.dials.get() + 1;
    SCRIPT.dials.set(dials);
    SCRIPT.seen.set(NOTHING);
    SCRIPT.packet_len.set(0);
    SCRIPT.answer_start.set(0);
    SCRIPT.answer_end.set(0);
    SCRIPT.open.set(dials > 1);
    dials > 1
}

/// Whether the transport is open.
#[inline(never)]
pub fn is_open() -> bool {
    SCRIPT.open.get()
}

/// Closes the transport.
#[inline(never)]
pub fn close() {
    SCRIPT.open.set(false);
}

/// Writes as much as the transport takes; says how much that was.
#[inline(never)]
pub fn transmit(bytes: &[u8]) -> usize {
    let mut sent = 0;
    for byte in bytes {
        if !SCRIPT.open.get() {
            break;
        }
        let len = SCRIPT.packet_len.get();
        if let Some(place) = SCRIPT.packet.get(len) {
            place.set(*byte);
        }
        SCRIPT.packet_len.set(len + 1);
        if is_whole(len + 1) {
            SCRIPT.packet_len.set(0);
            heed();
        }
        sent += 1;
    }
    sent
}

/// Whether so many bytes are a packet. None here is so long that its length takes more than two bytes.
fn is_whole(len: usize) -> bool {
    let low = usize::from(packet(1));
    match len {
        0 | 1 => false,
        _ if low < 0x80 => len == 2 + low,
        2 => false,
        _ => len == 3 + (low & 0x7f) + (usize::from(packet(2)) << 7),
    }
}

fn packet(at: usize) -> u8 {
    SCRIPT.packet.get(at).map_or(0, Cell::get)
}

/// Answers a packet.
fn heed() {
    let mut seen = SCRIPT.seen.get();
    // Behind the fixed header.
    let body = if packet(1) < 0x80 { 2 } else { 3 };
    match packet(0) & 0xf0 {
        0x10 => {
            SCRIPT.is_v5.set(packet(body + 6) == 5);
            if SCRIPT.is_v5.get() {
                say(&[0x20, 3, 0, 0, 0])
            } else {
                say(&[0x20, 2, 0, 0])
            }
            seen.connected = true;
        }
        0x80 => {
            let (high, low) = (packet(body), packet(body + 1));
            if SCRIPT.is_v5.get() {
                say(&[0x90, 4, high, low, 0, 1])
            } else {
                say(&[0x90, 3, high, low, 1])
            }
            seen.subscribed = true;
        }
        0x30 => {
            seen.published += 1;
            if SCRIPT.dials.get() == 2 && seen.published == 2 {
                SCRIPT.open.set(false);
            } else {
                let id = body + 2 + usize::from(packet(body + 1));
                say(&[0x40, 2, packet(id), packet(id + 1)]);
                if seen.published == 1 {
                    message();
                }
            }
        }
        0x40 => seen.acknowledged = true,
        0xc0 => {
            say(&[0xd0, 0]);
            seen.pinged = true;
        }
        _ => {}
    }
    SCRIPT.seen.set(seen);
}

/// A message of QoS 1 for the client.
fn message() {
    const TOPIC: &[u8] = b"site/GID_devices@@@000001/set";
    const PAYLOAD: &[u8] = b"21.5";
    let properties: &[u8] = if SCRIPT.is_v5.get() { &[0] } else { &[] };
    let len = 2 + TOPIC.len() + 2 + properties.len() + PAYLOAD.len();
    say(&[0x32, len as u8, 0, TOPIC.len() as u8]);
    say(TOPIC);
    say(&[0, 10]);
    say(properties);
    say(PAYLOAD);
}

fn say(bytes: &[u8]) {
    let end = SCRIPT.answer_end.get();
    for (place, byte) in SCRIPT.answer.iter().skip(end).zip(bytes) {
        place.set(*byte);
    }
    SCRIPT.answer_end.set(end + bytes.len());
}

/// Reads what has come, as far as there is room; says how much that was.
#[inline(never)]
pub fn receive(room: &mut [u8]) -> usize {
    let (start, end) = (SCRIPT.answer_start.get(), SCRIPT.answer_end.get());
    let mut received = 0;
    for (place, byte) in room.iter_mut().zip(SCRIPT.answer.get(start..end).unwrap_or_default()) {
        *place = byte.get();
        received += 1;
    }
    SCRIPT.answer_start.set(start + received);
    if start + received == end {
        SCRIPT.answer_start.set(0);
        SCRIPT.answer_end.set(0);
    }
    received
}

/// Milliseconds.
#[inline(never)]
pub fn clock() -> u32 {
    SCRIPT.now.get()
}

/// Time passes: until then, but for a second at most.
#[inline(never)]
pub fn sleep(until: u32) {
    let now = SCRIPT.now.get();
    SCRIPT.now.set(until.min(now + 1_000).max(now + 1));
    let seen = SCRIPT.seen.get();
    let all = seen.subscribed && seen.published > 0 && seen.acknowledged && seen.pinged;
    if SCRIPT.dials.get() > 2 && all {
        stack::end("done");
    }
    SCRIPT.sleeps.set(SCRIPT.sleeps.get() + 1);
    if SCRIPT.sleeps.get() > MAX_SLEEPS {
        stack::end(stuck(&seen));
    }
}

/// What a client that does not get on has not done.
fn stuck(seen: &Seen) -> &'static str {
    match (SCRIPT.dials.get() > 2, seen) {
        (_, Seen { connected: false, .. }) => "not connected",
        (_, Seen { subscribed: false, .. }) => "not subscribed",
        (_, Seen { published: 0, .. }) => "not published",
        (_, Seen { acknowledged: false, .. }) => "not acknowledged",
        (_, Seen { pinged: false, .. }) => "not pinged",
        (false, _) => "not reconnected",
        (true, _) => "stuck",
    }
}

/// Gives bytes to whoever wants them.
#[inline(never)]
pub fn consume(bytes: &[u8]) {
    core::hint::black_box(bytes);
}

/// What the user wants.
#[inline(never)]
pub fn button() -> Button {
    let mut seen = SCRIPT.seen.get();
    if !is_open() || !seen.connected || SCRIPT.answer_end.get() > 0 {
        return Button::None;
    }
    if !SCRIPT.asked_to_subscribe.replace(true) {
        return Button::Subscribe;
    }
    let wanted = if seen.pinged && SCRIPT.dials.get() == 2 { 2 } else { 1 };
    if seen.subscribed && seen.asked < wanted {
        seen.asked += 1;
        SCRIPT.seen.set(seen);
        return Button::Publish;
    }
    Button::None
}
