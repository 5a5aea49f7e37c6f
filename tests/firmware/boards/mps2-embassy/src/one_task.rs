//! The client in one task: the asynchronous driver, without anything shared.

use firmware_scenario::Settings;
use firmware_support::{Firmware, LogIns, Room, memory};
use mqtt_p2p_embedded::{Clock, Dial, Driver, EmbassyTimer};

use crate::SEED;

/// Runs the firmware to its end.
pub(crate) async fn run(
    settings: &Settings<'_>,
    mut dialer: impl Dial,
    mut firmware: Firmware<'_>,
    receive: &'static mut [u8],
    room: Room,
) -> ! {
    let mut log_ins = LogIns::new(settings);
    let mut driver = Driver::new(Firmware::config(), SEED, room, receive, EmbassyTimer);
    memory::paint_stack();
    while let Some(mut link) = driver.open(&mut dialer, &mut log_ins).await {
        loop {
            firmware.feed(link.client(), EmbassyTimer.now());
            let Some(event) = link.next().await else { break };
            firmware.heed(&event, EmbassyTimer.now());
        }
    }
    firmware.end(size_of_val(&driver))
}
