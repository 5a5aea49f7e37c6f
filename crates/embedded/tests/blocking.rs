//! The blocking driver, over a network in memory.

mod ledger;
mod world;

use std::task::Poll;

use ledger::{Ledger, config, logins};
use mqtt_p2p_aliyun::PublishP2p;
use mqtt_p2p_embedded::blocking::{Driver, WithTimeouts};
use mqtt_p2p_embedded::{Clock, DisconnectReason, Inline, Instant, Port, QoS, TransportError, blocking};
use world::{CLIENT_ID, Seen, World};

type Memory = Inline<2048, 16>;

fn exchange<D: blocking::Dial>(world: &World, mut dialer: D, total: u32) -> Ledger {
    let (mut buffer, mut logins, mut ledger) = ([0; 512], logins(), Ledger::default());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, world);
    while let Some(mut link) = driver.open(&mut dialer, &mut logins) {
        loop {
            ledger.send(link.client(), total);
            match link.next().map(Seen::from) {
                Some(event) => ledger.note(event),
                None => break,
            }
            if ledger.is_done(total) {
                let now = world.now();
                link.client().disconnect(now);
            }
        }
    }
    ledger
}

#[test]
fn two_hundred_messages_to_itself_come_once_each() {
    for chop in [1, 13, usize::MAX] {
        let world = World::new();
        world.set(|world| world.chop = chop);
        assert_eq!(exchange(&world, world.dialer(), 200).received, (0..200).collect::<Vec<_>>());
    }
}

#[test]
fn an_error_at_any_operation_ends_the_link_and_the_next_one_goes_on() {
    let mut broken = 0;
    for fail_at in 1..60 {
        let world = World::new();
        world.set(|world| (world.chop, world.fail_at) = (60, Some(fail_at)));
        assert!(exchange(&world, world.dialer(), 10).is_done(10), "{fail_at}");
        broken += world.set(|world| world.dials) - 1;
    }
    assert!(broken > 40, "{broken} links broke");
}

/// A network whose reads and writes time out.
struct TimingOut(world::Network);

impl blocking::Dial for TimingOut {
    type Connection<'c> = WithTimeouts<world::Pipe>;

    fn dial(&mut self, deadline: Instant) -> Result<Self::Connection<'_>, TransportError> {
        self.0.dial(deadline).map(WithTimeouts)
    }
}

#[test]
fn reads_and_writes_that_time_out_are_tried_again() {
    let world = World::new();
    world.set(|world| world.lazy = 3);
    assert!(exchange(&world, TimingOut(world.dialer()), 20).is_done(20));
    assert_eq!(world.set(|world| world.dials), 1, "over the same connection");
}

#[test]
fn a_port_is_dialled_without_a_network() {
    let world = World::new();
    let pipe = blocking::Dial::dial(&mut world.dialer(), Instant::from_millis(0)).unwrap();
    assert!(exchange(&world, Port::new(pipe, &world), 5).is_done(5));
}

#[test]
fn what_a_port_still_holds_of_an_earlier_connection_is_not_read_in_the_next_one() {
    let world = World::new();
    let pipe = blocking::Dial::dial(&mut world.dialer(), Instant::from_millis(0)).unwrap();
    // The end of a message, and an acknowledgement.
    world.set(|world| world.say(b"5.1\x40\x02\x00\x01"));
    let (mut buffer, mut logins, mut dialer) = ([0; 512], logins(), Port::new(pipe, &world));
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, &world);
    let mut link = driver.open(&mut dialer, &mut logins).unwrap();
    assert_eq!(link.next().map(Seen::from), Some(Seen::Connected));
}

#[test]
fn a_port_that_is_never_silent_is_a_timeout() {
    let world = World::new();
    let (mut buffer, mut logins, mut dialer) = ([0; 512], logins(), Port::new(Babble, &world));
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, &world);
    let mut link = driver.open(&mut dialer, &mut logins).unwrap();
    let end = Seen::Disconnected(DisconnectReason::ConnectTimeout, true);
    assert_eq!(link.next().map(Seen::from), Some(end));
}

/// A line with noise on it.
struct Babble;

impl embedded_io::ErrorType for Babble {
    type Error = embedded_io::ErrorKind;
}

impl embedded_io::ReadReady for Babble {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl embedded_io::WriteReady for Babble {
    fn write_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl embedded_io::Read for Babble {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, Self::Error> {
        room.fill(0x55);
        Ok(room.len())
    }
}

impl embedded_io::Write for Babble {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn a_dial_that_takes_too_long_is_a_timeout() {
    let world = World::new();
    world.set(|world| world.dial_takes = 4_000);
    let (mut buffer, mut logins, mut dialer) = ([0; 512], logins(), world.dialer());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, &world);
    let mut link = driver.open(&mut dialer, &mut logins).unwrap();
    let end = Seen::Disconnected(DisconnectReason::ConnectTimeout, true);
    assert_eq!(link.next().map(Seen::from), Some(end));
    assert_eq!(link.next().map(Seen::from), None);
}

#[test]
fn polling_gives_what_is_there_and_never_waits() {
    let world = World::new();
    world.set(|world| world.refuse = [TransportError::ConnectionRefused].into());
    let (mut buffer, mut logins, mut dialer) = ([0; 512], logins(), world.dialer());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, &world);
    let Poll::Ready(Some(mut link)) = driver.poll_open(&mut dialer, &mut logins) else {
        panic!("it may dial")
    };
    let refused = DisconnectReason::Transport(TransportError::ConnectionRefused);
    assert_eq!(
        link.poll().map(|event| event.map(Seen::from)),
        Poll::Ready(Some(Seen::Disconnected(refused, true)))
    );
    drop(link);
    // The back-off lasts half a second.
    assert!(driver.poll_open(&mut dialer, &mut logins).is_pending());
    world.set(|world| world.now += 500);
    let Poll::Ready(Some(mut link)) = driver.poll_open(&mut dialer, &mut logins) else {
        panic!("it may dial")
    };
    while link.poll().map(|event| event.map(Seen::from)) != Poll::Ready(Some(Seen::Connected)) {
        blocking::Idle::idle(&world);
    }
    link.client().publish_p2p("demo", "GID_demo@@@other", b"x", QoS::AtLeastOnce).unwrap();
    let until = Instant::from_millis(world.now().as_millis() + 100);
    assert!(matches!(
        link.next_until(until).map(|event| event.map(Seen::from)),
        Poll::Ready(Some(Seen::Published(_)))
    ));
    assert!(link.next_until(until).is_pending());
    assert_eq!(world.now(), until);
    let published = world.set(|world| world.emulator.client_counters(CLIENT_ID).published);
    assert_eq!(published, 1);
}
