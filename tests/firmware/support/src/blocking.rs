//! The main loop with the blocking driver.

use firmware_scenario::Settings;
use mqtt_p2p_embedded::blocking::{Dial, Driver, Idle};

use crate::firmware::Firmware;
use crate::log_in::LogIns;
use crate::memory;
use crate::room::Room;

/// Runs the firmware to its end.
pub fn run(settings: &Settings<'_>, clock: impl Idle + Copy, mut dialer: impl Dial, seed: u64) -> ! {
    let (receive, room) = Room::take();
    let mut log_ins = LogIns::new(settings);
    let mut firmware = Firmware::new(settings);
    let mut driver = Driver::new(Firmware::config(), seed, room, receive, clock);
    memory::paint_stack();
    while let Some(mut link) = driver.open(&mut dialer, &mut log_ins) {
        loop {
            firmware.feed(link.client(), clock.now());
            let Some(event) = link.next() else { break };
            firmware.heed(&event, clock.now());
        }
    }
    firmware.end(size_of_val(&driver))
}
