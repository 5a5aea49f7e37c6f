//! MQTT's bytes as a server sees them, written from the standard alone: this file and the core must not share mistakes.

/// A packet from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    Connect { clean: bool, keep_alive: u16 },
    Publish { dup: bool, qos: u8, id: u16, topic: &'a [u8], payload: &'a [u8] },
    Ack { kind: u8, id: u16 },
    Subscribe { id: u16, entries: &'a [u8] },
    Unsubscribe { id: u16, entries: &'a [u8] },
    Ping,
    Disconnect,
}

pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;
pub(crate) const UNSUBACK: u8 = 0xb0;

/// The first packet and its length; `Ok(None)` if it is not whole.
pub(crate) fn next(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, &'static str> {
    let Some((&first, mut rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let (mut len, mut shift) = (0_usize, 0);
    loop {
        let Some((&byte, behind)) = rest.split_first() else {
            return Ok(None);
        };
        rest = behind;
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
        if shift == 28 {
            return Err("a remaining length of more than four bytes");
        }
    }
    let Some(body) = rest.get(..len) else {
        return Ok(None);
    };
    let total = bytes.len() - rest.len() + len;
    Ok(Some((packet(first, body).ok_or("a malformed packet")?, total)))
}

fn packet(first: u8, body: &[u8]) -> Option<Packet<'_>> {
    Some(match first {
        0x10 => {
            let (name, rest) = text(body)?;
            let [level, flags, high, low, rest @ ..] = rest else { return None };
            if (name, *level) != (b"MQTT", 4) || flags & 1 != 0 {
                return None;
            }
            text(rest)?;
            Packet::Connect { clean: flags & 2 != 0, keep_alive: u16::from_be_bytes([*high, *low]) }
        }
        0x30..=0x3f => {
            let qos = first >> 1 & 3;
            let dup = first & 8 != 0;
            let (topic, rest) = text(body)?;
            if qos == 3 || (qos == 0 && dup) || topic.is_empty() {
                return None;
            }
            let (id, payload) = if qos == 0 { (0, rest) } else { number(rest)? };
            Packet::Publish { dup, qos, id, topic, payload }
        }
        PUBACK | PUBREC | PUBREL | PUBCOMP => match number(body)? {
            (id, []) => Packet::Ack { kind: first, id },
            _ => return None,
        },
        0x82 => {
            let (id, entries) = number(body)?;
            filters(entries, 1).next()?;
            Packet::Subscribe { id, entries }
        }
        0xa2 => {
            let (id, entries) = number(body)?;
            filters(entries, 0).next()?;
            Packet::Unsubscribe { id, entries }
        }
        0xc0 if body.is_empty() => Packet::Ping,
        0xe0 if body.is_empty() => Packet::Disconnect,
        _ => return None,
    })
}

/// A packet identifier, which is not 0.
fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    let number = u16::from_be_bytes(*number);
    if number == 0 { None } else { Some((number, rest)) }
}

fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}

/// The topic filters of a SUBSCRIBE or UNSUBSCRIBE, each with what follows it, which is so many bytes long.
pub(crate) fn filters(mut entries: &[u8], tail: usize) -> impl Iterator<Item = (&[u8], u8)> {
    std::iter::from_fn(move || {
        let (filter, rest) = text(entries)?;
        let (qos, rest) = rest.split_at_checked(tail)?;
        entries = rest;
        Some((filter, qos.first().copied().unwrap_or_default()))
    })
}

// ---- what a server sends ----

pub(crate) fn connack(out: &mut Vec<u8>, session_present: bool, code: u8) {
    out.extend_from_slice(&[0x20, 2, u8::from(session_present), code]);
}

pub(crate) fn ack(out: &mut Vec<u8>, kind: u8, id: u16) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[kind, 2, high, low]);
}

pub(crate) fn suback(out: &mut Vec<u8>, id: u16, codes: &[u8]) {
    out.extend_from_slice(&[0x90, codes.len() as u8 + 2]);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(codes);
}

pub(crate) fn pong(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xd0, 0]);
}

/// The head of a PUBLISH with a payload of this length.
pub(crate) fn publish(out: &mut Vec<u8>, dup: bool, qos: u8, id: u16, topic: &[u8], payload: usize) {
    out.push(0x30 | u8::from(dup) << 3 | qos << 1);
    let mut len = 2 + topic.len() + if qos > 0 { 2 } else { 0 } + payload;
    while len > 0x7f {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(&(topic.len() as u16).to_be_bytes());
    out.extend_from_slice(topic);
    if qos > 0 {
        out.extend_from_slice(&id.to_be_bytes());
    }
}
