//! Sessions on disk.

mod common;

use mqtt_p2p_tokio::{Client, FileStore, Options, QoS, StoreError};

#[tokio::test]
async fn what_was_accepted_waits_in_the_file_for_the_next_client() {
    let directory = tempfile::tempdir().unwrap();
    let nobody = Options::new("mqtt://127.0.0.1:9".parse().unwrap(), "meter");
    let store = FileStore::open(&directory, "meter").unwrap();
    let (client, _) = Client::start(nobody.clone().session_store(store));
    let delivery = client.publish("t", "kept", QoS::AtLeastOnce).await.unwrap();
    assert!(matches!(FileStore::open(&directory, "meter"), Err(StoreError::InUse)));
    client.close().await;
    assert!(delivery.await.is_err());
    assert!(FileStore::open(&directory, "meter").is_ok());
}
