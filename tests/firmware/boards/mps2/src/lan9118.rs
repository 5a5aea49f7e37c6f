//! The Ethernet controller LAN9118 as the mps2-an385 board has it: frames in, frames out, and an interrupt when one is
//! there. As much of its data sheet (SMSC LAN9118, revision 1.5) as that takes.

use core::ptr::{read_volatile, write_volatile};

/// Where the controller is (ARM application note AN385, memory map).
const BASE: usize = 0x4020_0000;

/// The number of its interrupt (AN385, interrupt assignments).
pub const INTERRUPT: u8 = 13;

/// What the longest frame takes, in bytes.
pub const MAX_FRAME: usize = 1_536;

/// The longest packet in a frame with its Ethernet header.
pub const MTU: usize = 1_514;

/// Registers by their offset (data sheet, 5.3).
#[derive(Clone, Copy)]
enum Register {
    RxData = 0x00,
    TxData = 0x20,
    RxStatus = 0x40,
    TxStatus = 0x48,
    InterruptConfig = 0x54,
    InterruptStatus = 0x58,
    InterruptEnable = 0x5c,
    ByteTest = 0x64,
    FifoInterrupt = 0x68,
    RxConfig = 0x6c,
    TxConfig = 0x70,
    HardwareConfig = 0x74,
    RxFifo = 0x7c,
    TxFifo = 0x80,
    MacCommand = 0xa4,
    MacData = 0xa8,
}

/// Registers of the MAC, which are reached through two of the above (data sheet, 5.4).
#[derive(Clone, Copy)]
enum Mac {
    Control = 1,
    AddressHigh = 2,
    AddressLow = 3,
}

/// `INT_STS` and `INT_EN`: a frame's status has come.
const RX_STATUS_LEVEL: u32 = 1 << 3;

/// The controller. There is one.
#[derive(Debug)]
pub struct Lan9118(());

impl Lan9118 {
    /// Resets the controller and starts it; `None` if there is none.
    pub fn start(address: [u8; 6]) -> Option<Self> {
        const RESET: u32 = 1;
        // Must be one; and a transmit FIFO of 5 KiB.
        const HARDWARE: u32 = 1 << 20 | 5 << 16;
        const TX_ON: u32 = 1 << 1;
        const FULL_DUPLEX_TX_RX: u32 = 1 << 20 | 1 << 3 | 1 << 2;
        if read(Register::ByteTest) != 0x8765_4321 {
            return None;
        }
        write(Register::HardwareConfig, RESET);
        while read(Register::HardwareConfig) & RESET != 0 {}
        write(Register::HardwareConfig, HARDWARE);
        write(Register::InterruptEnable, 0);
        write(Register::InterruptStatus, u32::MAX);
        // An interrupt for each frame, on a pin that is driven high.
        write(Register::FifoInterrupt, 0x4800_0000);
        write(Register::InterruptConfig, 0x111);
        let [a, b, c, d, e, f] = address;
        write_mac(Mac::AddressLow, u32::from_le_bytes([a, b, c, d]));
        write_mac(Mac::AddressHigh, u32::from_le_bytes([e, f, 0, 0]));
        write_mac(Mac::Control, FULL_DUPLEX_TX_RX);
        write(Register::TxConfig, TX_ON);
        write(Register::RxConfig, 0);
        Some(Self(()))
    }

    /// Whether a frame is there.
    pub fn has_frame(&self) -> bool {
        (read(Register::RxFifo) >> 16) & 0xff != 0
    }

    /// The next frame, without its checksum.
    pub fn receive(&mut self) -> Option<Frame> {
        const CHECKSUM: usize = 4;
        if !self.has_frame() {
            return None;
        }
        let len = (read(Register::RxStatus) >> 16 & 0x3fff) as usize;
        let mut frame = Frame { bytes: [0; MAX_FRAME], len: len.saturating_sub(CHECKSUM).min(MAX_FRAME) };
        // All of it has to be taken, whether there is room or not.
        for index in 0..len.div_ceil(4) {
            let word = read(Register::RxData).to_le_bytes();
            if let Some(room) = frame.bytes.get_mut(index * 4..index * 4 + 4) {
                room.copy_from_slice(&word);
            }
        }
        Some(frame)
    }

    /// Whether there is room for one more frame.
    pub fn can_transmit(&self) -> bool {
        (read(Register::TxFifo) & 0xffff) as usize >= MAX_FRAME + 64
    }

    /// Sends a frame.
    pub fn transmit(&mut self, frame: &[u8]) {
        const FIRST_AND_LAST: u32 = 1 << 13 | 1 << 12;
        let len = frame.len() as u32;
        write(Register::TxData, len | FIRST_AND_LAST);
        write(Register::TxData, len);
        for bytes in frame.chunks(4) {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            write(Register::TxData, u32::from_le_bytes(word));
        }
        // Nobody asks what became of it.
        while (read(Register::TxFifo) >> 16) & 0xff != 0 {
            read(Register::TxStatus);
        }
    }

    /// Asks for one interrupt, when a frame is there.
    pub fn arm(&mut self) {
        write(Register::InterruptStatus, u32::MAX);
        write(Register::InterruptEnable, RX_STATUS_LEVEL);
    }
}

/// Asks for no more interrupts: for the interrupt's handler.
pub fn disarm() {
    write(Register::InterruptEnable, 0);
}

/// A frame that came.
#[derive(Debug)]
pub struct Frame {
    bytes: [u8; MAX_FRAME],
    len: usize,
}

impl Frame {
    /// Its bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

fn write_mac(register: Mac, value: u32) {
    const BUSY: u32 = 1 << 31;
    write(Register::MacData, value);
    write(Register::MacCommand, BUSY | register as u32);
    while read(Register::MacCommand) & BUSY != 0 {}
}

fn read(register: Register) -> u32 {
    // SAFETY: this is a register of the board's, 32 bits wide; to read it has effects on the controller only.
    unsafe { read_volatile((BASE + register as usize) as *const u32) }
}

fn write(register: Register, value: u32) {
    // SAFETY: as above. The controller writes to no memory by itself.
    unsafe { write_volatile((BASE + register as usize) as *mut u32, value) }
}
