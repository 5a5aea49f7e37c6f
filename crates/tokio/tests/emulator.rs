//! The client against the emulator.

mod common;

use common::{connect, emulator, next, options, tcp, within, ws};
use mqtt_p2p_emulator::{Quirks, TrailingSlash};
use mqtt_p2p_tokio::QoS;

#[tokio::test]
async fn a_p2p_message_travels_between_tcp_and_websocket_at_every_qos() {
    let server = emulator(Quirks::service()).await;
    let (alice, mut to_alice) = connect(options(ws(&server), "alice")).await;
    let (bob, mut to_bob) = connect(options(tcp(&server), "bob")).await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let to_bob_sent = alice.send_p2p("parent", "GID_test@@@bob", "to bob", qos).await.unwrap();
        let to_alice_sent = bob.send_p2p("parent", "GID_test@@@alice", "to alice", qos).await.unwrap();
        within("the delivery to bob", to_bob_sent).await.unwrap();
        within("the delivery to alice", to_alice_sent).await.unwrap();
        for (messages, text) in [(&mut to_bob, "to bob"), (&mut to_alice, "to alice")] {
            let message = next(messages).await;
            assert_eq!((message.payload(), message.qos()), (text.as_bytes(), qos));
            assert_eq!(message.p2p().unwrap().parent, "parent");
        }
    }
    within("close", alice.close()).await;
    within("close", bob.close()).await;
}

#[tokio::test]
async fn a_slash_that_the_service_adds_to_a_topic_hides_no_message_from_a_stream() {
    let mut quirks = Quirks::service();
    quirks.trailing_slash = TrailingSlash::Always;
    let server = emulator(quirks).await;
    let (client, mut all) = connect(options(tcp(&server), "alice")).await;
    let mut streams = ["demo/a", "demo/a/", "demo/+"].map(|filter| client.messages_matching(filter).unwrap());
    let mut other = client.messages_matching("demo").unwrap();
    client.subscribe("demo/a", QoS::AtLeastOnce).await.unwrap();
    client.publish("demo/a", "x", QoS::AtLeastOnce).await.unwrap().await.unwrap();
    assert_eq!(next(&mut all).await.topic(), "demo/a/");
    for stream in &mut streams {
        assert_eq!(next(stream).await.payload(), b"x");
    }
    assert_eq!(other.try_recv(), None);
}
