//! The client against the emulator.

use std::time::Duration;

use mqtt_p2p_emulator::{Account, Config, Quirks, Server};
use mqtt_p2p_tokio::{Client, ClientId, Credentials, Endpoint, Messages, Options, QoS};

async fn server() -> Server {
    let config = Config::new("post-cn-demo")
        .account(Account::access_key("AK", "SK"))
        .quirks(Quirks::service().without_delays());
    Server::start(config).await.unwrap()
}

fn options(endpoint: Endpoint, device: &str) -> Options {
    let credentials =
        Credentials::Signature { access_key_id: "AK", access_key_secret: "SK", instance_id: "post-cn-demo" };
    Options::aliyun(endpoint, &ClientId::new("GID_test", device).unwrap(), &credentials).unwrap()
}

async fn next(messages: &mut Messages) -> mqtt_p2p_tokio::Message {
    tokio::time::timeout(Duration::from_secs(5), messages.recv())
        .await
        .expect("a message in time")
        .expect("an open stream")
}

#[tokio::test]
async fn a_p2p_message_travels_between_tcp_and_websocket_at_every_qos() {
    let server = server().await;
    let (alice, mut to_alice) =
        Client::connect(options(Endpoint::ws("127.0.0.1", server.ws_addr().port()), "alice")).await.unwrap();
    let (bob, mut to_bob) =
        Client::connect(options(Endpoint::tcp("127.0.0.1", server.tcp_addr().port()), "bob")).await.unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        alice.send_p2p("parent", "GID_test@@@bob", "to bob", qos).await.unwrap().await.unwrap();
        bob.send_p2p("parent", "GID_test@@@alice", "to alice", qos).await.unwrap().await.unwrap();
        for (messages, text) in [(&mut to_bob, "to bob"), (&mut to_alice, "to alice")] {
            let message = next(messages).await;
            assert_eq!((message.payload(), message.qos()), (text.as_bytes(), qos));
            assert_eq!(message.p2p().unwrap().parent, "parent");
        }
    }
    alice.close().await;
    bob.close().await;
}
