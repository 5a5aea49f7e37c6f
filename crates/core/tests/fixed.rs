//! A configuration that is settled when the program is built does what the same one does that is chosen when it runs.

mod common;

use mqtt_p2p_core::{Action, Chosen, Client, Config, FixedConfig, Instant, QoS, Settings, TransportError};

use common::{LOGIN, Small, config, filter, message};

/// Nothing that can be left out.
#[derive(Debug)]
struct Least;

impl FixedConfig for Least {
    const CONFIG: Config = Config::new().with_exactly_once(false).with_keep_alive_secs(30);
}

/// All that can be left out.
#[derive(Debug)]
struct Most;

impl FixedConfig for Most {
    const CONFIG: Config = Config::new()
        .with_keep_session(true)
        .with_max_requests_per_sec(2)
        .with_max_whole_message(16)
        .with_manual_ack(true)
        .with_tell_qos_0(false);
}

/// What comes in at each step: whatever a server says, in order and out of it.
const INPUT: &[&[u8]] = &[
    b"\x20\x02\x00\x00",
    b"\x90\x03\x00\x01\x01",
    b"\x32\x07\x00\x01a\x00\x05hi\x34\x07\x00\x01b\x00\x06ho",
    b"\x40\x02\x00\x02\x50\x02\x00\x03\x62\x02\x00\x06\x70\x02\x00\x03",
    b"\x30\x20\x00\x01long",
    b"1234567890123456789012345",
    b"\xb0\x02\x00\x04\xd0\x00",
    b"\x36\x00",
    b"\x20\x02\x01\x00\x90\x03\xff\xff\x01",
    b"\x90\x04\xff\xff\x01\x01",
];

/// Leads a client through two connections and more, and notes all that it does.
fn life<C: Settings>(mut client: Client<Small, C>) -> Vec<String> {
    let mut seen = Vec::new();
    let mut now = 0;
    client.connect(Instant::from_millis(now));
    for input in INPUT {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
        seen.push(format!("{:?}", client.subscribe(&[filter("a/#", QoS::AtLeastOnce)])));
        for qos in qos {
            seen.push(format!("{:?}", client.publish(&message("t", b"payload", qos))));
        }
        seen.push(format!("{:?}", client.unsubscribe(&[filter("a/#", QoS::AtLeastOnce).filter])));
        for mut received in [&[][..], input] {
            let at = Instant::from_millis(now);
            loop {
                let action = client.poll(at, &mut received);
                seen.push(format!("{action:?}"));
                match action {
                    Action::OpenTransport { .. } => client.transport_opened(at, &LOGIN),
                    Action::Transmit(bytes) => {
                        let len = bytes.len();
                        client.transmitted(len);
                    }
                    Action::Wait(_) => break,
                    _ => {}
                }
            }
        }
        now += 5_000;
    }
    client.transport_closed(Instant::from_millis(now), TransportError::Broken);
    client.disconnect(Instant::from_millis(now));
    client.abandon();
    while seen.last().is_some_and(|last| last != "Wait(None)") {
        seen.push(format!("{:?}", client.poll(Instant::from_millis(now), &mut &[][..])));
    }
    seen
}

fn chosen(config: Config) -> Client<Small, Chosen> {
    Client::new(config, 7, Small::new())
}

#[test]
fn with_the_least_and_with_the_most_it_does_what_the_chosen_one_does() {
    let least = life(Client::fixed(Least, 7, Small::new()));
    assert_eq!(least, life(chosen(Least::CONFIG)));
    let most = life(Client::fixed(Most, 7, Small::new()));
    assert_eq!(most, life(chosen(Most::CONFIG)));
    let saw = |what: &str| most.iter().any(|seen| seen.contains(what));
    assert!(saw("Store(") && saw("MessageBegin") && saw("MessageEnd") && saw("Dropped"), "{most:#?}");
    assert_ne!(least, most);
}

#[test]
fn it_takes_no_memory() {
    let chosen = size_of::<Client<Small>>();
    assert!(size_of::<Client<Small, Least>>() + size_of_val(&config()) <= chosen);
}
