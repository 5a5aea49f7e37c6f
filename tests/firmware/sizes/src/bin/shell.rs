//! The firmware without the client: it moves bytes between the same registers.
#![no_std]
#![no_main]

use mqtt_p2p_sizes::{
    Button, begin, button, clock, close, consume, facts, in_static, is_open, open, receive, sleep, transmit,
};

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let buffer = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    begin();
    let mut filled = 0;
    loop {
        let now = clock();
        if !is_open() && !open() {
            close();
        }
        filled += receive(buffer.get_mut(filled..).unwrap_or_default());
        let sent = match button() {
            Button::None => 0,
            Button::Subscribe => transmit(facts::COMMANDS.as_bytes()),
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
