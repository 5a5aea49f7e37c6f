//! Firmware on bare metal: QEMU's mps2-an385, smoltcp over its Ethernet, the blocking driver.
#![no_std]
#![no_main]

mod ethernet;
mod network;

use cortex_m_rt::entry;
use firmware_mps2::{HERTZ, Lan9118, clock};
use firmware_support::{Arguments, Outcome, blocking, finish, systick};
use smoltcp::iface::{SocketSet, SocketStorage};
use smoltcp::socket::tcp::{Socket, SocketBuffer};

use ethernet::Ethernet;
use network::{Dialer, Network};

/// Locally administered.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];

#[entry]
fn main() -> ! {
    clock::start();
    // What ends a sleep.
    systick::start(HERTZ);
    let arguments = Arguments::of_host();
    let settings = arguments.settings("GID_demo@@@mps2-smoltcp");
    let Some(controller) = Lan9118::start(MAC) else {
        finish(Outcome::Unusable(&"there is no Ethernet controller"));
    };
    let (mut receive, mut send) = ([0; 2_048], [0; 2_048]);
    let socket = Socket::new(SocketBuffer::new(&mut receive[..]), SocketBuffer::new(&mut send[..]));
    let mut storage = [SocketStorage::EMPTY];
    let network = Network::new(Ethernet(controller), MAC, SocketSet::new(&mut storage[..]), socket);
    let dialer = Dialer { network: &network, server: settings.server };
    blocking::run(&settings, &network, dialer, 0x5eed)
}
