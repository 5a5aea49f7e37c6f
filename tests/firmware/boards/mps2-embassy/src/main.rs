//! Firmware on Embassy: QEMU's mps2-an385, embassy-net over its Ethernet with DHCP, and tasks that share one client: some
//! send, one receives, one watches the connection, one runs the client. Or it all runs in one task, if it is told so.
#![no_std]
#![no_main]

mod ethernet;
mod one_task;
mod tasks;
mod time;

use core::cell::RefCell;

use embassy_executor::{SpawnToken, Spawner, main, task};
use embassy_net::tcp::client::{TcpClient, TcpClientState};
use embassy_net::{Runner, StackResources};
use firmware_support::{Arguments, Firmware, Outcome, Room, finish, memory};
use mqtt_p2p_embedded::{QoS, TcpDialer};
use static_cell::{ConstStaticCell, StaticCell};

use ethernet::Ethernet;
use tasks::{Client, Network, SENDERS};

/// Locally administered.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

const SEED: u64 = 0x5eed;

#[task]
async fn network(mut runner: Runner<'static, Ethernet>) -> ! {
    runner.run().await
}

#[main]
async fn main(spawner: Spawner) {
    /// Sockets: one of DHCP's, one of ours, and one that may still be closing.
    static SOCKETS: ConstStaticCell<StackResources<3>> = ConstStaticCell::new(StackResources::new());
    static CONNECTIONS: StaticCell<TcpClientState<2, 2_048, 2_048>> = StaticCell::new();
    static TCP: StaticCell<Network> = StaticCell::new();
    static ARGUMENTS: StaticCell<Arguments> = StaticCell::new();
    static SETTINGS: StaticCell<firmware_scenario::Settings<'static>> = StaticCell::new();
    static FIRMWARE: StaticCell<RefCell<Firmware<'static>>> = StaticCell::new();
    static CLIENT: StaticCell<Client> = StaticCell::new();
    /// What goes out in one write. Packets are longer.
    static TRANSMIT: ConstStaticCell<[u8; 512]> = ConstStaticCell::new([0; 512]);
    /// The frames of it, over WebSocket.
    static FRAMES: ConstStaticCell<[u8; 1_024]> = ConstStaticCell::new([0; 1_024]);

    time::start();
    let settings =
        &*SETTINGS.init(ARGUMENTS.init_with(Arguments::of_host).settings("GID_demo@@@mps2-embassy"));
    let Some(ethernet) = Ethernet::start(MAC) else {
        finish(Outcome::Unusable(&"there is no Ethernet controller"));
    };
    let config = embassy_net::Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(ethernet, config, SOCKETS.take(), SEED);
    spawn(spawner, network(runner));
    stack.wait_config_up().await;

    let tcp = &*TCP.init(TcpClient::new(stack, CONNECTIONS.init_with(TcpClientState::new)));
    let dialer = TcpDialer::new(tcp, settings.server.into());
    let firmware = Firmware::new(settings);
    let (receive, room) = Room::take();
    if settings.one_task {
        one_task::run(settings, dialer, firmware, receive, room).await;
    }
    let firmware = &*FIRMWARE.init(RefCell::new(firmware));
    let client = &*CLIENT.init_with(|| Client::new(Firmware::config(), SEED, room, receive, TRANSMIT.take()));
    let Ok(receiver) = client.receiver(None) else {
        finish(Outcome::Unusable(&"there is no room for a receiver"));
    };
    memory::paint_stack();
    spawn(spawner, tasks::receive(client, receiver, firmware));
    spawn(spawner, tasks::watch(client, firmware));
    spawn(spawner, tasks::run(client, settings, dialer, FRAMES.take(), firmware));
    let filter = firmware.borrow().filter();
    if let Some(filter) = filter
        && let Err(error) = client.subscribe(filter, QoS::AtLeastOnce).await
    {
        finish(Outcome::Unusable(&error));
    }
    for number in 0..SENDERS {
        spawn(spawner, tasks::send(client, firmware, settings, number));
    }
}

fn spawn<S, E>(spawner: Spawner, task: Result<SpawnToken<S>, E>) {
    match task {
        Ok(task) => spawner.spawn(task),
        Err(_) => finish(Outcome::Unusable(&"there is no room for a task")),
    }
}
