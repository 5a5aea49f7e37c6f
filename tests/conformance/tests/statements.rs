//! What the crates' own tests do not say of the standard's statements: by bytes that are written after its text.

#[path = "../../../crates/core/tests/common/mod.rs"]
mod driver;

use std::collections::BTreeSet;

use driver::{Driver, Seen, config, server};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Config, Login, TopicName, Will};

/// The bytes that the last transport got.
fn wire(driver: &Driver) -> &[u8] {
    driver.written.last().expect("there is a transport")
}

/// Online, and what led there is not on the wire.
fn online(config: Config) -> Driver {
    let mut driver = Driver::online(config);
    driver.written.last_mut().expect("there is a transport").clear();
    driver
}

// ---- text, flags, identifiers ----

#[test]
fn a_byte_order_mark_in_a_topic_goes_through_both_ways() {
    // [MQTT-1.5.3-3]
    let mut driver = online(config());
    driver.publish("\u{feff}t", b"", AtMostOnce);
    assert_eq!(wire(&driver), b"\x30\x06\x00\x04\xef\xbb\xbft");
    driver.receive(b"\x30\x06\x00\x04\xef\xbb\xbft");
    assert_eq!(driver.take_messages()[0].topic, "\u{feff}t");
}

#[test]
fn what_a_client_sends_has_the_flags_of_table_2_2() {
    // [MQTT-2.2.2-1], [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1]: the first byte of each packet.
    let mut driver = Driver::new(config());
    driver.go_online(false);
    let mut firsts = vec![(wire(&driver)[0], 0x10)];
    let mut expect = |driver: &mut Driver, first: u8| {
        let wire = driver.written.last_mut().expect("there is a transport");
        firsts.push((std::mem::take(wire)[0], first));
    };
    driver.written.last_mut().expect("there is a transport").clear();
    driver.subscribe(&[("a", AtLeastOnce)]);
    expect(&mut driver, 0x82);
    driver.unsubscribe(&["a"]);
    expect(&mut driver, 0xa2);
    driver.publish("t", b"", ExactlyOnce);
    expect(&mut driver, 0x34);
    driver.receive(b"\x50\x02\x00\x03");
    expect(&mut driver, 0x62);
    driver.receive(b"\x32\x05\x00\x01t\x00\x01");
    expect(&mut driver, 0x40);
    driver.receive(b"\x34\x05\x00\x01t\x00\x01");
    expect(&mut driver, 0x50);
    driver.receive(b"\x62\x02\x00\x01");
    expect(&mut driver, 0x70);
    driver.client.ping();
    driver.run();
    expect(&mut driver, 0xc0);
    driver.disconnect();
    expect(&mut driver, 0xe0);
    for (sent, table) in firsts {
        assert_eq!(sent, table, "{sent:#04x}");
    }
}

#[test]
fn identifiers_are_neither_0_nor_in_use_while_all_of_them_go_round() {
    // [MQTT-2.3.1-1], [MQTT-2.3.1-2]: one of each kind stays under way, while others take every identifier.
    let mut driver = online(config());
    let mut held = BTreeSet::new();
    held.insert(driver.publish("t", b"", AtLeastOnce).packet_id());
    held.insert(driver.publish("t", b"", AtLeastOnce).packet_id());
    held.insert(driver.publish("t", b"", ExactlyOnce).packet_id());
    held.insert(driver.subscribe(&[("a", AtMostOnce)]).packet_id());
    held.insert(driver.unsubscribe(&["a"]).packet_id());
    let released = driver.publish("t", b"", ExactlyOnce).packet_id();
    driver.receive(&server::pubrec(released));
    held.insert(released);
    assert_eq!(held.len(), 6);
    driver.written.last_mut().expect("there is a transport").clear();
    let mut sent = 0;
    let waits = loop {
        let ticket = driver.publish("t", b"", AtLeastOnce);
        let packet = std::mem::take(driver.written.last_mut().expect("there is a transport"));
        if packet.is_empty() {
            break ticket.packet_id();
        }
        let id = u16::from_be_bytes([packet[5], packet[6]]);
        assert!(id != 0 && !held.contains(&id), "{id}");
        driver.receive(&server::puback(id));
        driver.forget();
        sent += 1;
    };
    // The next one has to wait for its identifier, which is free once the oldest have ended.
    assert!(sent > 65_000 && held.contains(&waits), "{sent} {waits}");
    for id in [1, 2] {
        driver.receive(&server::puback(id));
    }
    assert_eq!(wire(&driver)[5..7], waits.to_be_bytes());
}

#[test]
fn publish_of_qos_0_has_no_identifier_and_no_dup() {
    // [MQTT-2.3.1-5], [MQTT-3.3.1-2], [MQTT-4.3.1-1]
    let mut driver = online(config());
    driver.publish("t", b"xy", AtMostOnce);
    assert_eq!(wire(&driver), b"\x30\x05\x00\x01txy");
    // Begun on one connection, sent on the next.
    driver.writable = 3;
    driver.publish("t", b"xy", AtMostOnce);
    driver.writable = usize::MAX;
    driver.reconnect(true);
    assert!(wire(&driver).ends_with(b"\x30\x05\x00\x01txy"));
}

#[test]
fn acknowledgements_have_the_bytes_of_their_message() {
    // [MQTT-2.3.1-6], [MQTT-3.3.4-1]; table 3.4.
    for (publish, answer) in [
        (&b"\x30\x03\x00\x01t"[..], &b""[..]),
        (b"\x32\x05\x00\x01t\x12\x34", b"\x40\x02\x12\x34"),
        (b"\x34\x05\x00\x01t\x12\x34", b"\x50\x02\x12\x34"),
    ] {
        let mut driver = online(config());
        driver.receive(publish);
        assert_eq!(wire(&driver), answer);
    }
    let mut driver = online(config());
    driver.receive(b"\x62\x02\x12\x34");
    assert_eq!(wire(&driver), b"\x70\x02\x12\x34");
}

// ---- CONNECT ----

#[test]
fn connect_is_the_first_packet_and_goes_out_once() {
    // [MQTT-3.1.0-1], [MQTT-3.1.0-2]: whatever is asked for before CONNACK and after it.
    let mut driver = Driver::new(config());
    driver.publish("t", b"", AtLeastOnce);
    driver.connect();
    driver.opened();
    driver.connect();
    driver.opened();
    driver.client.ping();
    driver.publish("t", b"", AtMostOnce);
    assert_eq!(driver.take_sent(), ["CONNECT"]);
    driver.receive(&server::connack(false));
    driver.connect();
    driver.opened();
    driver.resume();
    assert!(driver.take_sent().iter().all(|words| !words.starts_with("CONNECT")));
    driver.reconnect(false);
    let sent = driver.take_sent();
    assert_eq!(sent[0], "CONNECT");
    assert_eq!(sent.iter().filter(|words| *words == "CONNECT").count(), 1);
}

/// CONNECT of this log-in, as it goes out.
fn connect(config: Config, login: &Login<'_>) -> Vec<u8> {
    let mut driver = Driver::new(config);
    driver.connect();
    driver.opened_as(login);
    wire(&driver).to_vec()
}

#[test]
fn connect_has_its_fields_in_their_order() {
    // The variable header of figure 3.6, with flags 1100 1110 and keep alive 10, and [MQTT-3.1.3-1].
    let topic = TopicName::new("will").expect("a valid topic name");
    let login = Login::new("client")
        .with_password("user", b"pass")
        .with_will(Will::new(topic, b"gone").with_qos(AtLeastOnce));
    let config = config().with_clean_session(true).with_keep_alive_secs(10);
    assert_eq!(
        connect(config, &login),
        b"\x10\x2a\x00\x04MQTT\x04\xce\x00\x0a\x00\x06client\x00\x04will\x00\x04gone\x00\x04user\x00\x04pass"
    );
}

#[test]
fn connect_without_will_and_log_in_has_neither_their_flags_nor_their_fields() {
    // [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15], [MQTT-3.1.2-18], [MQTT-3.1.2-20]
    let config = config().with_keep_alive_secs(10);
    assert_eq!(connect(config, &Login::new("c")), b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x0a\x00\x01c");
    let named = Login::new("c").with_user_name("u");
    assert_eq!(connect(config, &named), b"\x10\x10\x00\x04MQTT\x04\x80\x00\x0a\x00\x01c\x00\x01u");
}

// ---- sessions ----

#[test]
fn nothing_of_a_clean_session_is_used_in_the_next() {
    // [MQTT-3.1.2-6]
    let mut driver = Driver::online(config().with_clean_session(true));
    driver.subscribed(&[("a", AtLeastOnce)]);
    driver.publish("t", b"sent", AtLeastOnce);
    let taken = driver.publish("t", b"taken", ExactlyOnce);
    driver.receive(&server::pubrec(taken.packet_id()));
    driver.receive(&server::publish(9, ExactlyOnce, false, b"in"));
    driver.forget();
    driver.reconnect(false);
    let sent = driver.take_sent();
    // Neither DUP nor PUBREL; the subscription is a request anew.
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert_eq!(sent[..2], ["CONNECT", "SUBSCRIBE #65535 a:1"]);
    assert!(sent[2].starts_with("PUBLISH q1 #") && sent[2].ends_with(" t=sent") && !sent[2].contains("dup"));
    // The identifier of an incoming message means nothing any more.
    driver.forget();
    driver.receive(&server::publish(9, ExactlyOnce, false, b"another"));
    assert_eq!(driver.take_payloads(), ["another"]);
}

#[test]
fn nothing_follows_disconnect_and_the_connection_is_closed() {
    // [MQTT-3.14.4-1], [MQTT-3.14.4-2]: though messages come and requests wait.
    let mut driver = online(config());
    driver.writable = 1;
    driver.client.disconnect(driver.instant());
    driver.run();
    assert_eq!(wire(&driver), b"\xe0");
    driver.receive(b"\x32\x05\x00\x01t\x00\x01");
    driver.publish("t", b"later", AtLeastOnce);
    driver.client.ping();
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(wire(&driver), b"\xe0\x00");
    assert!(driver.take_seen().contains(&Seen::Close));
    driver.receive(b"\x32\x05\x00\x01t\x00\x01");
    driver.pass(100_000);
    assert_eq!(wire(&driver), b"\xe0\x00");
}

// ---- quality of service ----

#[test]
fn a_first_publish_has_no_dup_and_an_identifier_of_its_own() {
    // [MQTT-4.3.2-1], [MQTT-4.3.3-1]
    let mut driver = online(config());
    driver.publish("t", b"", AtLeastOnce);
    driver.publish("t", b"", ExactlyOnce);
    assert_eq!(wire(&driver), b"\x32\x05\x00\x01t\x00\x01\x34\x05\x00\x01t\x00\x02");
}

#[test]
fn after_puback_an_identifier_names_a_new_message_whatever_dup_says() {
    // [MQTT-4.3.2-2]
    let mut driver = online(config());
    driver.receive(b"\x32\x06\x00\x01t\x00\x01a\x32\x06\x00\x01t\x00\x01b\x3a\x06\x00\x01t\x00\x01c");
    assert_eq!(driver.take_payloads(), ["a", "b", "c"]);
    assert_eq!(wire(&driver), b"\x40\x02\x00\x01".repeat(3));
}

#[test]
fn publish_is_never_sent_after_its_pubrel() {
    // [MQTT-4.3.3-1]: over many connections, with the session and without it, until PUBCOMP.
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"once", ExactlyOnce);
    driver.receive(&server::pubrec(ticket.packet_id()));
    driver.receive(&server::pubrec(ticket.packet_id()));
    assert_eq!(driver.take_sent(), ["PUBLISH q2 #1 t=once", "PUBREL #1", "PUBREL #1"]);
    for _ in 0..3 {
        driver.reconnect(true);
        assert_eq!(driver.take_sent(), ["CONNECT", "PUBREL #1"]);
    }
    driver.receive(&server::pubcomp(ticket.packet_id()));
    driver.reconnect(true);
    assert_eq!(driver.take_sent(), ["CONNECT"]);
    // A server without the session has taken what it has answered with PUBREC.
    let ticket = driver.publish("t", b"once", ExactlyOnce);
    driver.receive(&server::pubrec(ticket.packet_id()));
    driver.forget();
    for session_present in [false, true] {
        driver.reconnect(session_present);
        assert_eq!(driver.take_sent(), ["CONNECT"]);
    }
}

#[test]
fn acknowledgements_go_out_in_the_order_of_their_messages() {
    // [MQTT-4.6.0-2], [MQTT-4.6.0-3]: also if the transport takes a byte at a time, and if all come at once.
    for (qos, answer) in [(AtLeastOnce, "PUBACK"), (ExactlyOnce, "PUBREC")] {
        for write_at_most in [1, usize::MAX] {
            let mut driver = Driver::online(config());
            driver.write_at_most = write_at_most;
            let ids = [7, 3, 65_535, 1];
            let all: Vec<u8> = ids.iter().flat_map(|id| server::publish(*id, qos, false, b"")).collect();
            driver.receive(&all);
            assert_eq!(driver.take_sent(), ids.map(|id| format!("{answer} #{id}")));
        }
    }
}

#[test]
fn pubrel_packets_go_out_in_the_order_of_pubrec() {
    // [MQTT-4.6.0-4]
    for write_at_most in [1, usize::MAX] {
        let mut driver = Driver::online(config());
        driver.write_at_most = write_at_most;
        let ids = [(); 4].map(|()| driver.publish("t", b"", ExactlyOnce).packet_id());
        driver.forget();
        let order = [ids[2], ids[0], ids[3], ids[1]];
        driver.receive(&order.map(server::pubrec).concat());
        assert_eq!(driver.take_sent(), order.map(|id| format!("PUBREL #{id}")));
    }
}
