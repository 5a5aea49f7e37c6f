//! The tasks that share the client.

use core::cell::RefCell;

use embassy_executor::task;
use embassy_net::tcp::client::TcpClient;
use embassy_sync::blocking_mutex::raw::{CriticalSectionRawMutex, NoopRawMutex};
use embassy_sync::signal::Signal;
use firmware_scenario::Settings;
use firmware_support::{Firmware, LogIns, Outcome, Room, finish};
use mqtt_p2p_embedded::{Clock, EmbassyTimer, QoS, Receiver, Shared, Status, TcpDialer, WebSocketDialer};

pub(crate) type Network = TcpClient<'static, 2, 2_048, 2_048>;

/// All tasks run on one executor.
pub(crate) type Client = Shared<'static, NoopRawMutex, Room>;

/// How many tasks send. Each waits for the acknowledgement of its message.
pub(crate) const SENDERS: usize = 3;

/// Raised when there may be something to send.
static PROGRESS: [Signal<CriticalSectionRawMutex, ()>; SENDERS] = [const { Signal::new() }; SENDERS];

type State = &'static RefCell<Firmware<'static>>;

#[task]
pub(crate) async fn run(
    client: &'static Client,
    settings: &'static Settings<'static>,
    mut dialer: TcpDialer<'static, Network>,
    frames: &'static mut [u8],
    firmware: State,
) {
    let mut log_ins = LogIns::new(settings);
    if settings.websocket {
        // The masks are for real networks with real proxies; a seed for them has to come from a source of entropy.
        let mut dialer = WebSocketDialer::new(dialer, [0x5e; 16], "emulator", "/mqtt", frames);
        client.run(&mut dialer, &mut log_ins, &EmbassyTimer).await;
    } else {
        client.run(&mut dialer, &mut log_ins, &EmbassyTimer).await;
    }
    // That it was refused for good may not be told yet.
    heed(client.status(), firmware);
    firmware.borrow().end(size_of::<Client>());
}

#[task]
pub(crate) async fn watch(client: &'static Client, firmware: State) {
    let mut watcher = client.watch();
    loop {
        heed(watcher.next().await, firmware);
    }
}

fn heed(status: Status, firmware: State) {
    let (now, mut firmware) = (EmbassyTimer.now(), firmware.borrow_mut());
    match status {
        Status::Connected { session_present } => firmware.connected(session_present, now),
        Status::Refused { reason, retry_at } => firmware.refused(reason, retry_at),
        Status::Disconnected { reason, retry_at } => firmware.disconnected(reason, retry_at, now),
        _ => {}
    }
}

#[task(pool_size = SENDERS)]
pub(crate) async fn send(
    client: &'static Client,
    firmware: State,
    settings: &'static Settings<'static>,
    number: usize,
) {
    loop {
        let next = firmware.borrow_mut().take_next();
        let Some(outgoing) = next else {
            PROGRESS[number].wait().await;
            continue;
        };
        let target = firmware.borrow().target(outgoing);
        let sent = client.publish_p2p(settings.parent, target, &outgoing.payload(), QoS::AtLeastOnce).await;
        match sent {
            Ok(ticket) => client.acknowledged(ticket).await,
            Err(error) => finish(Outcome::Unusable(&error)),
        }
        firmware.borrow_mut().acknowledged();
        go_on(client, firmware);
    }
}

#[task]
pub(crate) async fn receive(
    client: &'static Client,
    mut receiver: Receiver<'static, 'static, NoopRawMutex, Room, 8, 4>,
    firmware: State,
) {
    loop {
        receiver.next(|message| firmware.borrow_mut().received(message)).await;
        go_on(client, firmware);
    }
}

/// After each step: there may be more to send, or nothing any more.
fn go_on(client: &Client, firmware: State) {
    if firmware.borrow_mut().is_done() {
        client.disconnect();
    }
    for signal in &PROGRESS {
        signal.signal(());
    }
}
