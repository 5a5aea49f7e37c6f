//! The driver for one task, over a network in memory.

mod ledger;
mod world;

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;

use ledger::{Ledger, config, logins};
use mqtt_p2p_aliyun::PublishP2p;
use mqtt_p2p_embedded::{
    Config, Dial, DisconnectReason, Driver, Inline, Login, Port, QoS, ReasonCode, SignedLogin, TransportError,
};
use world::{CLIENT_ID, Seen, Slow, World};

/// With room for as many messages of QoS 2 as one test sends.
type Memory = Inline<2048, 16, 256, 128, 16>;

/// Sends messages to itself, with futures that are dropped where `cut` says so.
fn exchange(world: &World, total: u32, cut: impl FnMut() -> bool) -> Ledger {
    exchange_with(world, Ledger::default(), total, cut)
}

fn exchange_with(world: &World, mut ledger: Ledger, total: u32, mut cut: impl FnMut() -> bool) -> Ledger {
    let (mut buffer, mut dialer, mut logins) = ([0; 512], world.dialer(), logins());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, world.clone());
    while !ledger.is_done(total) {
        while cut() {
            let mut open = pin!(driver.open(&mut dialer, &mut logins));
            // One that is ready is dropped as well, and with it its connection.
            let _ = world.poll(open.as_mut());
        }
        let mut link = world.run(driver.open(&mut dialer, &mut logins)).expect("a connection is wanted");
        loop {
            ledger.send(link.client(), total);
            let event = loop {
                let mut future = pin!(link.next());
                let event = loop {
                    match world.poll(future.as_mut()) {
                        Poll::Ready(event) => break Some(event.map(Seen::from)),
                        Poll::Pending if cut() => break None,
                        Poll::Pending => {}
                    }
                };
                if let Some(event) = event {
                    break event;
                }
            };
            match event {
                Some(event) => ledger.note(event),
                None => break,
            }
            if ledger.is_done(total) {
                break;
            }
        }
    }
    assert_eq!(driver.client().stats().unexpected_acks, 0);
    ledger
}

const NEVER: fn() -> bool = || false;

#[test]
fn two_hundred_messages_to_itself_come_once_each_over_a_good_network() {
    let world = World::new();
    let ledger = exchange(&world, 200, NEVER);
    assert_eq!(ledger.received, (0..200).collect::<Vec<_>>());
    assert_eq!((ledger.published, world.set(|world| world.dials)), (200, 1));
}

#[test]
fn what_a_port_still_holds_of_an_earlier_connection_is_not_read_in_the_next_one() {
    let world = World::new();
    let mut network = world.dialer();
    let pipe = world.run(Dial::dial(&mut network)).unwrap();
    // The end of a message, and an acknowledgement.
    world.set(|world| world.say(b"5.1\x40\x02\x00\x01"));
    let (mut buffer, mut dialer, mut logins) = ([0; 512], Port::new(pipe, &world), logins());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, &world);
    let mut link = world.run(driver.open(&mut dialer, &mut logins)).unwrap();
    assert_eq!(world.run(link.next()).map(Seen::from), Some(Seen::Connected));
}

#[test]
fn a_burst_that_fits_goes_out_in_one_write() {
    let world = World::new();
    let (mut buffer, mut dialer, mut logins) = ([0; 512], world.dialer(), logins());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, world.clone());
    let mut link = world.run(driver.open(&mut dialer, &mut logins)).unwrap();
    assert_eq!(world.run(async { link.next().await.map(Seen::from) }), Some(Seen::Connected));
    let before = world.set(|world| world.writes);
    let mut tickets = BTreeSet::new();
    for payload in [b"1", b"2", b"3"] {
        let ticket =
            link.client().publish_p2p("demo", "GID_demo@@@other", payload, QoS::AtLeastOnce).unwrap();
        tickets.insert(ticket.to_bits());
    }
    while !tickets.is_empty() {
        match world.run(async { link.next().await.map(Seen::from) }) {
            Some(Seen::Published(ticket)) => assert!(tickets.remove(&ticket.to_bits())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.set(|world| world.writes) - before, 1);
}

#[test]
fn partial_reads_and_writes_of_any_size_make_no_difference() {
    for chop in [1, 2, 3, 7, 64] {
        let world = World::new();
        world.set(|world| (world.chop, world.lazy) = (chop, 3));
        let ledger = exchange(&world, 30, NEVER);
        assert_eq!(ledger.received, (0..30).collect::<Vec<_>>(), "{chop}");
    }
}

#[test]
fn a_future_dropped_at_any_one_await_loses_nothing_and_repeats_nothing() {
    let count = |limit: Option<usize>| {
        let world = World::new();
        world.set(|world| (world.chop, world.lazy, world.flush_after) = (40, 2, 3));
        let mut awaits = 0;
        let ledger = exchange(&world, 8, || {
            awaits += 1;
            Some(awaits) == limit
        });
        assert_eq!(ledger.received, (0..8).collect::<Vec<_>>(), "{limit:?}");
        assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).published), 8, "{limit:?}");
        awaits
    };
    let awaits = count(None);
    assert!(awaits > 50);
    for cut in 1..=awaits {
        count(Some(cut));
    }
}

#[test]
fn nothing_that_came_is_read_twice_when_the_answer_has_to_wait() {
    let world = World::new();
    world.set(|world| (world.chop, world.lazy) = (3, 2));
    let ledger = Ledger { exactly_once: true, ..Ledger::default() };
    let mut turn = 0;
    let ledger = exchange_with(&world, ledger, 10, || {
        turn += 1;
        turn % 3 == 0
    });
    assert_eq!(ledger.received, (0..10).collect::<Vec<_>>());
}

#[test]
fn futures_dropped_at_random_with_links_that_break_at_random_lose_nothing() {
    for seed in 1..=100 {
        let world = World::new();
        world.set(|world| (world.chop, world.lazy, world.flush_after) = (90, 3, seed % 5));
        let random = world.clone();
        let mut rest = 60;
        let ledger = exchange(&world, 40, move || {
            for _ in 0..seed {
                random.random(2);
            }
            let breaks = rest > 0 && random.random(40) == 0;
            if breaks {
                rest -= 1;
                random.set(world::State::cut);
            }
            random.random(3) == 0
        });
        assert!(ledger.is_done(40), "{seed}");
    }
}

#[test]
fn an_error_at_any_operation_ends_the_link_once_and_the_next_one_goes_on() {
    let mut broken = 0;
    for fail_at in 1..60 {
        let world = World::new();
        world.set(|world| (world.chop, world.fail_at) = (60, Some(fail_at)));
        let ledger = exchange(&world, 10, NEVER);
        assert!(ledger.is_done(10), "{fail_at}");
        let ends: Vec<_> =
            ledger.ends.iter().filter(|end| matches!(end, Seen::Disconnected(_, true))).collect();
        assert_eq!(ends.len(), world.set(|world| world.dials) - 1, "{fail_at}");
        broken += ends.len();
    }
    assert!(broken > 40, "{broken} links broke");
}

/// What the attempts come to, up to so many events.
fn ends(
    world: &World,
    config: Config,
    logins: &mut impl mqtt_p2p_embedded::LoginSource,
    most: usize,
) -> Vec<Seen> {
    let (mut buffer, mut dialer) = ([0; 512], world.dialer());
    let mut driver = Driver::new(config, 1, Memory::new(), &mut buffer, world.clone());
    let mut events = Vec::new();
    world.run(async {
        while events.len() < most
            && let Some(mut link) = driver.open(&mut dialer, logins).await
        {
            while let Some(event) = link.next().await {
                events.push(Seen::from(event));
            }
        }
    });
    events
}

#[test]
fn a_wrong_password_ends_in_a_refusal_and_no_further_attempt() {
    let world = World::new();
    let mut logins = Login::new(CLIENT_ID).with_password("Signature|demo-key|post-cn-demo", b"wrong");
    assert_eq!(
        ends(&world, config(), &mut logins, 9),
        [Seen::Refused(ReasonCode::BadUserNameOrPassword, false)]
    );
    assert_eq!(world.set(|world| world.dials), 1);
}

#[test]
fn every_dial_that_fails_is_reported_and_followed_by_another_after_the_back_off() {
    let world = World::new();
    world
        .set(|world| world.refuse = [TransportError::ConnectionRefused, TransportError::NameNotFound].into());
    let start = world.set(|world| world.now);
    let expected = [TransportError::ConnectionRefused, TransportError::NameNotFound]
        .map(|error| Seen::Disconnected(DisconnectReason::Transport(error), true));
    assert_eq!(ends(&world, config(), &mut logins(), 2), expected);
    assert_eq!(world.set(|world| world.now) - start, 500);
}

#[test]
fn the_deadline_covers_log_in_and_dial_together() {
    let world = World::new();
    world.set(|world| world.dial_takes = 2_000);
    let mut slow = Slow(world.clone(), 1_500, Some(logins()));
    let start = world.set(|world| world.now);
    assert_eq!(
        ends(&world, config(), &mut slow, 1),
        [Seen::Disconnected(DisconnectReason::ConnectTimeout, true)]
    );
    assert_eq!(world.set(|world| world.now) - start, 3_000);
}

#[test]
fn without_a_log_in_nothing_is_dialled() {
    let world = World::new();
    let mut none = Slow::<SignedLogin<'_>>(world.clone(), 10, None);
    let reason = DisconnectReason::Transport(TransportError::NoLogIn);
    assert_eq!(ends(&world, config(), &mut none, 1), [Seen::Disconnected(reason, true)]);
    assert_eq!(world.set(|world| world.dials), 0);
}

#[test]
fn a_network_that_takes_nothing_does_not_stop_the_reading() {
    let world = World::new();
    let (mut buffer, mut dialer, mut logins) = ([0; 512], world.dialer(), logins());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, world.clone());
    let mut link = world.run(driver.open(&mut dialer, &mut logins)).unwrap();
    assert_eq!(world.run(async { link.next().await.map(Seen::from) }), Some(Seen::Connected));
    world.set(|world| world.window = 0);
    link.client().publish_p2p("demo", CLIENT_ID, b"waits", QoS::AtLeastOnce).unwrap();
    world.set(|world| {
        let now = world.time();
        // PUBLISH, QoS 0, topic "t", payload "x".
        assert!(world.emulator.send_raw(now, CLIENT_ID, &[0x30, 4, 0, 1, b't', b'x']));
    });
    let message = Seen::Message { topic: "t".into(), payload: b"x".into(), qos: QoS::AtMostOnce };
    assert_eq!(world.run(async { link.next().await.map(Seen::from) }), Some(message));
    assert_eq!(world.set(|world| world.emulator.client_counters(CLIENT_ID).published), 0);
}

#[test]
fn a_flush_that_waits_for_the_peer_does_not_stop_the_reading() {
    let world = World::new();
    // As with TCP stacks whose flush waits for the acknowledgement, here one that comes very late.
    world.set(|world| world.flush_after = 1_000_000);
    let start = world.set(|world| world.now);
    let ledger = exchange(&world, 20, NEVER);
    assert!(ledger.is_done(20));
    assert!(world.set(|world| world.now) - start < 1_000);
}

#[test]
fn disconnect_says_good_bye_and_ends_the_attempts() {
    let world = World::new();
    let (mut buffer, mut dialer, mut logins) = ([0; 512], world.dialer(), logins());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, world.clone());
    let events = world.run(async {
        let mut events = Vec::new();
        while let Some(mut link) = driver.open(&mut dialer, &mut logins).await {
            while let Some(event) = link.next().await.map(Seen::from) {
                if event == Seen::Connected {
                    let now = mqtt_p2p_embedded::Clock::now(&world);
                    link.client().disconnect(now);
                }
                events.push(event);
            }
        }
        events
    });
    assert_eq!(events, [Seen::Connected, Seen::Disconnected(DisconnectReason::Requested, false)]);
    let closed = world.set(|world| std::iter::from_fn(|| world.emulator.poll_event()).last());
    assert!(format!("{closed:?}").contains("Disconnect"), "{closed:?}");
}

#[test]
fn a_packet_longer_than_the_buffer_is_refused_at_its_header() {
    let world = World::new();
    let (mut buffer, mut dialer, mut logins) = ([0; 256], world.dialer(), logins());
    let mut driver = Driver::new(config(), 1, Memory::new(), &mut buffer, world.clone());
    let mut link = world.run(driver.open(&mut dialer, &mut logins)).unwrap();
    assert_eq!(world.run(async { link.next().await.map(Seen::from) }), Some(Seen::Connected));
    world.set(|world| {
        let now = world.time();
        assert!(world.emulator.send_raw(now, CLIENT_ID, &[0x30, 0xff, 2]));
    });
    match world.run(async { link.next().await.map(Seen::from) }) {
        Some(Seen::Disconnected(DisconnectReason::Malformed(_), true)) => {}
        other => panic!("{other:?}"),
    }
}
