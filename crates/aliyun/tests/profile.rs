//! The profile makes the client follow the service's rules.

use mqtt_p2p_aliyun::{ConnectCredentials, Credentials, PublishP2p, PublishP2pError, profile};
use mqtt_p2p_core::{
    Action, Client, DisconnectReason, Error, Event, Growing, Instant, Login, Publication, QoS,
    SubscribeFilter, TopicFilter, TopicName, Will,
};

const NOW: Instant = Instant::from_millis(0);

fn client() -> Client<Growing> {
    Client::new(profile(), 1, Growing::default())
}

/// The bytes of CONNECT with this login.
fn connect(client: &mut Client<Growing>, login: &Login<'_>) -> Vec<u8> {
    client.connect(NOW);
    assert!(matches!(client.poll(NOW, &mut &[][..]), Action::OpenTransport { .. }));
    client.transport_opened(NOW, login);
    match client.poll(NOW, &mut &[][..]) {
        Action::Transmit(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn publication(payload: &[u8], retain: bool) -> Publication<'_> {
    Publication::new(TopicName::new("parent").unwrap(), payload).with_retain(retain)
}

#[test]
fn connect_carries_a_keep_alive_of_90_seconds_and_the_signature() {
    let credentials = Credentials::Signature {
        access_key_id: "AK",
        access_key_secret: "XXXXX",
        instance_id: "post-cn-demo",
    };
    let login: ConnectCredentials = credentials.for_client("GID_XXXX@@@00001").unwrap();
    let packet = connect(&mut client(), &login.login("GID_XXXX@@@00001"));
    assert_eq!(packet[10..12], [0, 90]);
    let text = String::from_utf8_lossy(&packet);
    assert!(
        text.contains("Signature|AK|post-cn-demo") && text.ends_with("wgBKFWmzyGosuT7IH6WkYVe/cZI="),
        "{text:?}"
    );
}

#[test]
fn a_keep_alive_of_zero_becomes_the_longest_allowed() {
    let config = profile().with_keep_alive_secs(0);
    let packet = connect(&mut Client::new(config, 1, Growing::default()), &Login::new("c"));
    assert_eq!(packet[10..12], 480_u16.to_be_bytes());
}

#[test]
fn a_retained_message_is_refused_with_an_explanation() {
    let error = client().publish(&publication(b"", true)).unwrap_err();
    assert_eq!(error, Error::RetainUnsupported);
    assert!(error.to_string().contains("publish without retain"), "{error}");
}

#[test]
fn a_payload_of_64_kb_is_accepted_and_one_byte_more_is_not() {
    assert!(client().publish(&publication(&[0; 65_536], false)).is_ok());
    let refused = client().publish(&publication(&[0; 65_537], false));
    assert_eq!(refused, Err(Error::TooLarge { size: 65_537, max: 65_536 }));
}

#[test]
fn a_will_ends_the_attempt_with_an_explanation() {
    let mut client = client();
    client.connect(NOW);
    assert!(matches!(client.poll(NOW, &mut &[][..]), Action::OpenTransport { .. }));
    let will = Will::new(TopicName::new("parent").unwrap(), b"");
    client.transport_opened(NOW, &Login::new("c").with_will(will));
    assert_eq!(client.poll(NOW, &mut &[][..]), Action::CloseTransport);
    let Action::Event(Event::Disconnected { reason, retry_at: None, .. }) = client.poll(NOW, &mut &[][..])
    else {
        panic!("the attempt has ended")
    };
    assert_eq!(reason, DisconnectReason::WillUnsupported);
}

#[test]
fn the_31st_subscription_is_refused_instead_of_ignored() {
    let mut client = client();
    for n in 0..30 {
        let filter = format!("parent/{n}");
        let entry = SubscribeFilter::new(TopicFilter::new(&filter).unwrap(), QoS::AtLeastOnce);
        assert!(client.subscribe(&[entry]).is_ok());
    }
    let entry = SubscribeFilter::new(TopicFilter::new("parent/30").unwrap(), QoS::AtLeastOnce);
    assert_eq!(client.subscribe(&[entry]), Err(Error::TooManySubscriptions { max: 30 }));
}

#[test]
fn a_p2p_message_is_published_to_the_targets_topic() {
    let mut client = client();
    client.publish_p2p("parent", "GID_Test@@@2", b"hello", QoS::AtMostOnce).unwrap();
    connect(&mut client, &Login::new("GID_Test@@@1"));
    client.transmitted(usize::MAX);
    assert!(matches!(client.poll(NOW, &mut &[0x20, 2, 0, 0][..]), Action::Event(Event::Connected { .. })));
    let Action::Transmit(packet) = client.poll(NOW, &mut &[][..]) else { panic!("it goes out now") };
    assert_eq!(packet, b"\x30\x1e\x00\x17parent/p2p/GID_Test@@@2hello");
}

#[test]
fn a_p2p_message_to_a_bad_target_is_not_queued() {
    let mut client = client();
    let refused = client.publish_p2p("parent", "", b"hello", QoS::AtMostOnce);
    assert!(matches!(refused, Err(PublishP2pError::Topic(_))));
    assert_eq!(client.requests().count(), 0);
}
