//! The firmware without the client: it moves bytes between the same registers.
#![no_std]
#![no_main]

use mqtt_p2p_sizes::{Button, button, clock, close, consume, is_open, open, receive, sleep, transmit};

/// It lies beside the stack.
static mut BUFFER: [u8; 512] = [0; 512];

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    // SAFETY: this runs once, and nothing else names it.
    let buffer = unsafe { &mut *&raw mut BUFFER };
    let mut filled = 0;
    loop {
        let now = clock();
        if !is_open() && !open() {
            close();
        }
        filled += receive(buffer.get_mut(filled..).unwrap_or_default());
        let sent = match button() {
            Button::None => 0,
            Button::Subscribe => transmit(b"site/GID_devices@@@000001/#"),
            Button::Publish => transmit(buffer.get(..filled).unwrap_or_default()),
        };
        consume(buffer.get(..filled).unwrap_or_default());
        if sent <= filled && filled <= buffer.len() {
            buffer.copy_within(sent..filled, 0);
            filled -= sent;
        }
        sleep(now.wrapping_add(1000));
    }
}
