//! The drivers over WebSocket.

mod ledger;
mod upgraded;
mod world;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use ledger::{Ledger, config, logins};
use mqtt_p2p_embedded::Clock as _;
use mqtt_p2p_embedded::{
    DisconnectReason, Driver, Inline, QoS, Shared, TransportError, WebSocketDialer, blocking,
};
use upgraded::{Lengths, Upgraded};
use world::{CLIENT_ID, Network, Seen, World};

const SEED: [u8; 16] = [7; 16];

fn dialer<'a>(world: &World, lengths: &Lengths, out: &'a mut [u8]) -> WebSocketDialer<'a, Upgraded<Network>> {
    WebSocketDialer::new(Upgraded(world.dialer(), lengths.clone()), SEED, "broker.example", "/mqtt", out)
}

#[test]
fn a_shared_client_sends_packets_that_are_longer_than_its_buffer_for_writing() {
    // The least that it may be, one that holds some packets, one that holds all.
    for transmit_size in [5, 64, 1024] {
        let (world, lengths) = (World::new(), Lengths::default());
        let (mut receive, mut transmit, mut out) = ([0; 1024], vec![0; transmit_size], [0; 300]);
        let client: Shared<'_, NoopRawMutex, Inline<2048>> =
            Shared::new(config(), 1, Inline::new(), &mut receive, &mut transmit);
        let mut receiver = client.receiver(None).unwrap();
        let payloads = [400, 0, 13, 700].map(|len| vec![0x5a; len]);
        let exchange = async {
            for payload in &payloads {
                client.publish_p2p("demo", CLIENT_ID, payload, QoS::AtLeastOnce).await.unwrap();
            }
            for payload in &payloads {
                assert_eq!(&receiver.next(|message| message.payload.to_vec()).await, payload);
            }
        };
        let (mut dialer, mut logins) = (dialer(&world, &lengths, &mut out), logins());
        let mut exchange = pin!(exchange);
        let mut run = pin!(client.run(&mut dialer, &mut logins, &world));
        world.run(poll_fn(|context| {
            assert!(run.as_mut().poll(context).is_pending());
            assert!(world.set(|world| world.dials) <= 1, "the connection of {transmit_size} ended");
            exchange.as_mut().poll(context)
        }));
        // One packet a message: CONNECT and four PUBLISH beside acknowledgements.
        let long: Vec<usize> = lengths.borrow().iter().copied().filter(|len| *len > 4).collect();
        assert_eq!(long.len(), 5);
        assert!(long[1] > 400 && long[4] > 700);
    }
}

#[test]
fn the_driver_for_one_task_exchanges_messages_in_frames() {
    let (world, lengths, mut out) = (World::new(), Lengths::default(), [0; 300]);
    let (mut buffer, mut logins, mut ledger) = ([0; 512], logins(), Ledger::default());
    let mut dialer = dialer(&world, &lengths, &mut out);
    let mut driver = Driver::new(config(), 1, Inline::<2048, 16>::new(), &mut buffer, &world);
    let mut link = world.run(driver.open(&mut dialer, &mut logins)).unwrap();
    while !ledger.is_done(50) {
        ledger.send(link.client(), 50);
        ledger.note(world.run(link.next()).map(Seen::from).unwrap());
    }
    assert_eq!(ledger.received, (0..50).collect::<Vec<_>>());
}

#[test]
fn the_blocking_driver_exchanges_messages_in_frames_over_connections_that_break() {
    for fail_at in [None, Some(3), Some(20), Some(41)] {
        let (world, lengths, mut out) = (World::new(), Lengths::default(), [0; 300]);
        world.set(|world| world.fail_at = fail_at);
        let (mut buffer, mut logins, mut ledger) = ([0; 512], logins(), Ledger::default());
        let mut dialer = blocking::WebSocketDialer::new(dialer(&world, &lengths, &mut out), &world);
        let mut driver = blocking::Driver::new(config(), 1, Inline::<2048, 16>::new(), &mut buffer, &world);
        while let Some(mut link) = driver.open(&mut dialer, &mut logins) {
            loop {
                ledger.send(link.client(), 50);
                match link.next().map(Seen::from) {
                    Some(event) => ledger.note(event),
                    None => break,
                }
                if ledger.is_done(50) {
                    let now = world.now();
                    link.client().disconnect(now);
                }
            }
        }
        assert!(ledger.is_done(50), "{fail_at:?}");
        assert_eq!(world.set(|world| world.dials), if fail_at.is_some() { 2 } else { 1 });
    }
}

/// Its connections answer no request for an upgrade.
struct Silent(Network);

impl blocking::Dial for Silent {
    type Connection<'c> = world::Pipe;

    fn dial(&mut self, deadline: mqtt_p2p_embedded::Instant) -> Result<world::Pipe, TransportError> {
        let pipe = blocking::Dial::dial(&mut self.0, deadline)?;
        self.0.world().set(|world| world.deaf = true);
        Ok(pipe)
    }
}

#[test]
fn an_upgrade_that_nobody_answers_is_a_timeout_for_the_blocking_driver_too() {
    let (world, mut out) = (World::new(), [0; 300]);
    let (mut buffer, mut logins) = ([0; 512], logins());
    let inner = WebSocketDialer::new(Silent(world.dialer()), SEED, "broker.example", "/mqtt", &mut out);
    let mut dialer = blocking::WebSocketDialer::new(inner, &world);
    let mut driver = blocking::Driver::new(config(), 1, Inline::<2048>::new(), &mut buffer, &world);
    let mut link = driver.open(&mut dialer, &mut logins).unwrap();
    let end = Seen::Disconnected(DisconnectReason::ConnectTimeout, true);
    assert_eq!(link.poll().map(|event| event.map(Seen::from)), Poll::Ready(Some(end)));
}
