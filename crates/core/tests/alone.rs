//! A publication that goes alone: ahead of all that waits, and nothing else of its kind until it is acknowledged.

mod common;

use common::server::{ALONE, REPLAY, puback, publish, suback};
use common::{Driver, Seen, config};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Error, Inline, Need, Resubscribe, TopicName};

fn publish_alone<S: mqtt_p2p_core::Storage>(driver: &mut Driver<S>, payload: &[u8]) -> Result<(), Error> {
    driver.client.publish_alone(TopicName::new("$SYS/uploadToken").expect("a topic name"), payload)
}

#[test]
fn it_overtakes_what_waits_and_holds_it_back_until_its_acknowledgement() {
    let mut driver = Driver::online(config());
    driver.writable = 0;
    driver.publish("t", b"waits", AtLeastOnce);
    publish_alone(&mut driver, b"token").expect("there is a connection");
    driver.publish("t", b"comes later", AtMostOnce);
    driver.subscribe(&[("f", AtMostOnce)]);
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #65534 $SYS/uploadToken=token"]);
    driver.receive(&puback(1));
    assert_eq!(driver.take_sent(), [""; 0], "another acknowledgement is not enough");
    driver.receive(&puback(ALONE));
    assert_eq!(driver.take_seen()[0], Seen::PublishedAlone);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=waits", "PUBLISH q0 t=comes later", "SUBSCRIBE #3 f:0"]);
}

#[test]
fn a_packet_that_has_been_begun_is_finished_first() {
    let mut driver = Driver::online(config());
    driver.writable = 3;
    driver.publish("t", b"begun", AtLeastOnce);
    driver.publish("t", b"not begun", AtLeastOnce);
    publish_alone(&mut driver, b"x").expect("there is a connection");
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=begun", "PUBLISH q1 #65534 $SYS/uploadToken=x"]);
}

#[test]
fn acknowledgements_and_pings_go_on() {
    let mut driver = Driver::online(config().with_keep_alive_secs(60));
    publish_alone(&mut driver, b"x").expect("there is a connection");
    driver.run();
    driver.forget();
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    driver.pass(55_000);
    assert_eq!(driver.take_sent(), ["PUBREC #5", "PINGREQ"]);
}

#[test]
fn subscriptions_are_asked_for_again_only_after_it() {
    let mut driver = Driver::online(config().with_resubscribe(Resubscribe::Always));
    driver.subscribed(&[("f", AtMostOnce)]);
    driver.lost();
    driver.connect();
    driver.opened();
    // What a driver does as soon as it hears of the connection.
    driver.input = common::server::connack(true);
    driver.step();
    driver.forget();
    publish_alone(&mut driver, b"x").expect("there is a connection");
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #65534 $SYS/uploadToken=x"]);
    driver.receive(&puback(ALONE));
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #65535 f:0"]);
    driver.receive(&suback(REPLAY, &[0]));
}

#[test]
fn it_ends_with_the_connection() {
    let mut driver = Driver::online(config());
    publish_alone(&mut driver, b"x").expect("there is a connection");
    driver.run();
    driver.reconnect(true);
    driver.publish("t", b"free", AtMostOnce);
    assert!(driver.take_sent().contains(&"PUBLISH q0 t=free".into()));
    let before = driver.client.stats().unexpected_acks;
    driver.receive(&puback(ALONE));
    assert_eq!(driver.client.stats().unexpected_acks, before + 1, "nobody waits for it any more");
    assert!(!driver.take_seen().contains(&Seen::PublishedAlone));
}

#[test]
fn one_at_a_time_and_only_with_a_connection() {
    let mut driver = Driver::new(config());
    assert_eq!(publish_alone(&mut driver, b"x"), Err(Error::Offline));
    driver.go_online(false);
    assert_eq!(publish_alone(&mut driver, b"x"), Ok(()));
    assert_eq!(publish_alone(&mut driver, b"y"), Err(Error::Full(Need::Requests)));
}

#[test]
fn one_that_has_no_room_is_refused_and_memory_that_grows_makes_room() {
    let mut driver = Driver::with(config(), Inline::<512, 8, 64, 64, 4>::new());
    driver.go_online(false);
    assert!(matches!(publish_alone(&mut driver, &[b'x'; 100]), Err(Error::TooLarge { max: 64, .. })));
    driver.publish("t", b"not held back", AtMostOnce);
    assert!(driver.take_sent().contains(&"PUBLISH q0 t=not held back".into()));
    #[cfg(feature = "alloc")]
    {
        let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::new(65_536));
        driver.go_online(false);
        assert_eq!(publish_alone(&mut driver, &[b'x'; 5_000]), Ok(()));
    }
}

#[cfg(feature = "alloc")]
#[test]
fn another_one_that_is_under_way_makes_no_memory_grow() {
    use mqtt_p2p_core::{Growing, Memory, Storage};

    struct Counted<'a>(Growing, &'a std::cell::Cell<u32>);

    impl Storage for Counted<'_> {
        fn memory(&mut self) -> Memory<'_> {
            self.0.memory()
        }

        fn grow(&mut self, need: Need) -> bool {
            self.1.set(self.1.get() + 1);
            self.0.grow(need)
        }
    }

    let grown = std::cell::Cell::new(0);
    let mut driver = Driver::with(config(), Counted(Growing::new(65_536), &grown));
    driver.go_online(false);
    publish_alone(&mut driver, b"x").expect("there is a connection");
    let before = grown.get();
    assert_eq!(publish_alone(&mut driver, b"y"), Err(Error::Full(Need::Requests)));
    assert_eq!(grown.get(), before);
}

#[test]
fn a_publication_that_goes_alone_waits_for_no_window() {
    let mut driver = Driver::online(config().with_max_in_flight(1).with_max_requests_per_sec(1));
    driver.publish("t", b"in flight", AtLeastOnce);
    driver.publish("t", b"waits", AtLeastOnce);
    driver.forget();
    publish_alone(&mut driver, b"x").expect("there is a connection");
    driver.run();
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #65534 $SYS/uploadToken=x"]);
}
