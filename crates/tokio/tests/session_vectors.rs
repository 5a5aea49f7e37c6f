//! Session files that earlier versions wrote are opened with all their content. What is in them, and who wrote them, is
//! described in `vectors/sessions/v1/README.md`.

mod common;

use common::{Raw, next, packet, within};
use mqtt_p2p_tokio::{Client, FileStore, Key, QoS, SessionStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FILES: [(&str, &[u8]); 2] = [
    ("closed", include_bytes!("vectors/sessions/v1/closed.session")),
    ("killed", include_bytes!("vectors/sessions/v1/killed.session")),
];

/// A directory with the file, under the name that it had.
fn directory(content: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(FileStore::path(&directory, "client"), content).unwrap();
    directory
}

#[test]
fn a_file_of_an_earlier_version_has_the_described_records() {
    for (name, content) in FILES {
        let directory = directory(content);
        let mut store = FileStore::open(&directory, "client").unwrap();
        let mut records = Vec::new();
        store.load(&mut |key: Key, value| records.push((key.to_bytes(), value.to_vec()))).unwrap();
        let expected: [([u8; 5], &[u8]); 5] = [
            ([1, 0, 0, 0, 2], b"\x32\x09\x00\x01t\x00\x02sent"),
            ([1, 0, 0, 0, 3], b"\x62\x02\x00\x03"),
            ([1, 0, 0, 0, 4], b"\x34\x0d\x00\x01t\x00\x04sent too"),
            ([2, 0, 0, 0, 7], b""),
            ([3, 0, 0, 0, 0], b"\x00\x06kept/#\x02"),
        ];
        let records: Vec<_> = records.iter().map(|(key, value)| (*key, value.as_slice())).collect();
        assert_eq!(records, expected, "{name}");
    }
}

#[tokio::test]
async fn a_client_goes_on_with_a_file_of_an_earlier_version() {
    for (name, content) in FILES {
        println!("{name}");
        let (raw, directory) = (Raw::start().await, directory(content));
        let store = FileStore::open(&directory, "client").unwrap();
        let (client, mut messages) = Client::start(raw.options().session_store(store));
        let mut stream = raw.accept().await;
        assert_eq!(packet(&mut stream).await[0], 0x10);
        // The session is present.
        stream.write_all(&[0x20, 2, 1, 0]).await.unwrap();
        let sent: [&[u8]; 4] = [
            b"\x82\x0b\xff\xff\x00\x06kept/#\x02",
            b"\x3a\x09\x00\x01t\x00\x02sent",
            b"\x62\x02\x00\x03",
            b"\x3c\x0d\x00\x01t\x00\x04sent too",
        ];
        for expected in sent {
            assert_eq!(packet(&mut stream).await, expected);
        }
        stream.write_all(&[0x90, 3, 0xff, 0xff, 2]).await.unwrap();

        // The message with identifier 7 was delivered before; after its PUBREL, the identifier is another message's.
        stream.write_all(b"\x3c\x07\x00\x01t\x00\x07in").await.unwrap();
        assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 7]);
        stream.write_all(&[0x62, 2, 0, 7]).await.unwrap();
        assert_eq!(packet(&mut stream).await, [0x70, 2, 0, 7]);
        stream.write_all(b"\x34\x08\x00\x01t\x00\x07new").await.unwrap();
        assert_eq!(next(&mut messages).await.payload(), b"new");
        assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 7]);

        // PUBACK, PUBCOMP and PUBREC end the three publications. The next one gets the next identifier.
        stream.write_all(&[0x40, 2, 0, 2, 0x70, 2, 0, 3, 0x50, 2, 0, 4]).await.unwrap();
        assert_eq!(packet(&mut stream).await, [0x62, 2, 0, 4]);
        stream.write_all(&[0x70, 2, 0, 4]).await.unwrap();
        let delivery = within("room", client.publish("t", "next", QoS::AtLeastOnce)).await.unwrap();
        assert_eq!(packet(&mut stream).await, b"\x32\x09\x00\x01t\x00\x05next");
        stream.write_all(&[0x40, 2, 0, 5]).await.unwrap();
        within("the delivery", delivery).await.unwrap();

        let mut rest = Vec::new();
        within("the end", client.close()).await;
        within("the end", stream.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(rest, [0xe0, 0], "nothing but DISCONNECT");
    }
}
