//! The machine that is weighed: each of its parts is a register that the compiler can't see through. Nothing of this
//! ever runs.

use core::ptr::{read_volatile, write_volatile};

use crate::Button;

/// The registers, 4 bytes each.
#[derive(Clone, Copy)]
enum Register {
    Status = 0x4000_0000,
    Control = 0x4000_0004,
    Data = 0x4000_0008,
    Clock = 0x4000_000c,
    Alarm = 0x4000_0010,
    Consumer = 0x4000_0014,
    Button = 0x4000_0018,
}

fn read(register: Register) -> u32 {
    // SAFETY: on this made-up machine, every register may be read at any time.
    unsafe { read_volatile(register as usize as *const u32) }
}

fn write(register: Register, value: u32) {
    // SAFETY: on this made-up machine, every register may be written at any time.
    unsafe { write_volatile(register as usize as *mut u32, value) }
}

/// Opens the transport; says whether that worked.
pub fn open() -> bool {
    write(Register::Control, 1);
    is_open()
}

/// Whether the transport is open.
pub fn is_open() -> bool {
    read(Register::Status) & 1 != 0
}

/// Closes the transport.
pub fn close() {
    write(Register::Control, 0);
}

/// Writes as much as the transport takes; says how much that was.
pub fn transmit(bytes: &[u8]) -> usize {
    let mut sent = 0;
    for byte in bytes {
        if read(Register::Status) & 2 == 0 {
            break;
        }
        write(Register::Data, u32::from(*byte));
        sent += 1;
    }
    sent
}

/// Reads what has come, as far as there is room; says how much that was.
pub fn receive(room: &mut [u8]) -> usize {
    let mut received = 0;
    for place in room {
        if read(Register::Status) & 4 == 0 {
            break;
        }
        *place = read(Register::Data) as u8;
        received += 1;
    }
    received
}

/// Milliseconds.
pub fn clock() -> u32 {
    read(Register::Clock)
}

/// Sleeps until then, or until something happens.
pub fn sleep(until: u32) {
    write(Register::Alarm, until);
}

/// Gives bytes to whoever wants them.
pub fn consume(bytes: &[u8]) {
    for byte in bytes {
        write(Register::Consumer, u32::from(*byte));
    }
}

/// What the user wants.
pub fn button() -> Button {
    match read(Register::Button) {
        1 => Button::Subscribe,
        2 => Button::Publish,
        _ => Button::None,
    }
}
