//! Firmware on Embassy: QEMU's mps2-an385, embassy-net over its Ethernet with DHCP, the asynchronous driver.
#![no_std]
#![no_main]

mod ethernet;
mod time;

use embassy_executor::{Spawner, main, task};
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_net::{Runner, StackResources};
use firmware_support::{Arguments, Firmware, LogIns, Outcome, Room, finish, memory, say};
use mqtt_p2p_embedded::{Clock, Driver, EmbassyTimer, TcpDialer};
use static_cell::{ConstStaticCell, StaticCell};

use ethernet::Ethernet;

/// Locally administered.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

const SEED: u64 = 0x5eed;

/// Sockets: one of DHCP's, one of ours, and one that may still be closing.
static SOCKETS: ConstStaticCell<StackResources<3>> = ConstStaticCell::new(StackResources::new());
static CONNECTIONS: StaticCell<TcpClientState<2, 2_048, 2_048>> = StaticCell::new();

#[task]
async fn network(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

#[main]
async fn main(spawner: Spawner) {
    time::start(25_000_000);
    let Some(ethernet) = Ethernet::start(MAC) else {
        finish(Outcome::Unusable(&"there is no Ethernet controller"));
    };
    let config = embassy_net::Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(ethernet, config, SOCKETS.take(), SEED);
    match network(runner) {
        Ok(task) => spawner.spawn(task),
        Err(_) => finish(Outcome::Unusable(&"there is no room for a task")),
    }
    stack.wait_config_up().await;
    say!("has an address");

    let arguments = Arguments::of_host();
    let settings = arguments.settings("GID_demo@@@mps2-embassy");
    let (receive, room) = Room::take();
    let tcp = TcpClient::new(stack, CONNECTIONS.init_with(TcpClientState::new));
    let mut dialer = TcpDialer::new(&tcp, settings.server.into());
    let mut log_ins = LogIns::new(&settings);
    let mut firmware = Firmware::new(&settings);
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
