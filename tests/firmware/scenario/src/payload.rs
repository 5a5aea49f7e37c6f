//! Payloads that can be checked byte by byte: 1,000 bytes that follow from their sender and number alone.

/// The length of every payload in bytes.
pub const LEN: usize = 1_000;

/// How many different messages there may be of one origin.
pub const MAX_MESSAGES: u16 = 256;

/// The payload by which the host tells a firmware to go on.
pub const GO: &[u8] = b"go on";

/// Who made a payload, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Origin {
    /// The firmware, for itself.
    Own = b'O',
    /// The firmware, for the host.
    Firmware = b'F',
    /// The host, for the firmware.
    Host = b'H',
}

/// What is wrong with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It has another length.
    Length(usize),
    /// It begins with what nobody writes.
    Header,
    /// This byte, counted from 0, is another.
    Byte(usize),
}

/// The payload of a message.
pub fn of(origin: Origin, number: u16) -> [u8; LEN] {
    let [high, low] = number.to_be_bytes();
    let mut payload = [0; LEN];
    // xorshift32: every byte value, and no two messages alike.
    let mut state = u32::from_be_bytes([origin as u8, 0xa5, high, low]);
    for byte in &mut payload {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte = state as u8;
    }
    let [first, second, third, ..] = &mut payload;
    (*first, *second, *third) = (origin as u8, high, low);
    payload
}

/// Whose message this is, and which one, if every byte of it is right.
///
/// # Errors
/// What is wrong with it.
pub fn read(payload: &[u8]) -> Result<(Origin, u16), Damage> {
    if payload.len() != LEN {
        return Err(Damage::Length(payload.len()));
    }
    let [origin, high, low, ..] = *payload else { return Err(Damage::Header) };
    let origin = match origin {
        b'O' => Origin::Own,
        b'F' => Origin::Firmware,
        b'H' => Origin::Host,
        _ => return Err(Damage::Header),
    };
    let number = u16::from_be_bytes([high, low]);
    if number >= MAX_MESSAGES {
        return Err(Damage::Header);
    }
    match of(origin, number).iter().zip(payload).position(|(right, byte)| right != byte) {
        None => Ok((origin, number)),
        Some(at) => Err(Damage::Byte(at)),
    }
}
