//! Sessions on disk: what is in the file and when, files that are not what they should be, and disks that fail.

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use common::{Raw, connect, ended, event, next, packet, until, within};
use mqtt_p2p_core::Ticket;
use mqtt_p2p_tokio::{
    Client, ConnectError, ConnectionEvent, FileStore, Key, Messages, Options, PublishError, QoS,
    SessionStore, StoreError,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn key(number: u32) -> Key {
    Key::Publication(Ticket::from_bits(number).unwrap())
}

/// A PUBLISH of QoS 1 to the topic `t`.
fn record(number: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let len = 5 + payload.len();
    assert!(len < 128);
    [&[0x32, len as u8, 0, 1, b't', high, low], payload].concat()
}

fn records(store: &mut FileStore) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
    let mut records = Vec::new();
    store.load(&mut |key, value| records.push((key, value.to_vec())))?;
    Ok(records)
}

fn kept(directory: &TempDir, client_id: &str) -> Vec<(Key, Vec<u8>)> {
    records(&mut FileStore::open(directory, client_id).unwrap()).unwrap()
}

/// A file with so many publications, which was closed in order.
fn session(directory: &TempDir, publications: u16) -> Vec<(Key, Vec<u8>)> {
    let mut store = FileStore::open(directory, "client").unwrap();
    for number in 1..=publications {
        store.put(key(number.into()), &record(number, &[b'x'; 100])).unwrap();
        store.commit().unwrap();
    }
    records(&mut store).unwrap()
}

/// A client of nobody.
fn offline(store: impl SessionStore<Error = StoreError> + Send + 'static) -> Options {
    Options::new("mqtt://127.0.0.1:9".parse().unwrap(), "client").session_store(store)
}

/// A store whose disk can be made to fail.
struct Fragile {
    store: FileStore,
    disk: Arc<Disk>,
}

#[derive(Default)]
struct Disk {
    /// So many commits fail.
    failures: AtomicUsize,
    panics: AtomicBool,
    commits: AtomicUsize,
}

impl Disk {
    fn open(directory: &TempDir) -> (Fragile, Arc<Self>) {
        let disk = Arc::new(Self::default());
        let store = FileStore::open(directory, "client").unwrap();
        (Fragile { store, disk: Arc::clone(&disk) }, disk)
    }
}

impl SessionStore for Fragile {
    type Error = StoreError;

    fn put(&mut self, key: Key, value: &[u8]) -> Result<(), StoreError> {
        self.store.put(key, value)
    }

    fn remove(&mut self, key: Key) -> Result<(), StoreError> {
        self.store.remove(key)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        assert!(!self.disk.panics.load(SeqCst), "the disk is on fire");
        if self.disk.failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(StoreError::Io(std::io::ErrorKind::StorageFull.into()));
        }
        self.store.commit()?;
        self.disk.commits.fetch_add(1, SeqCst);
        Ok(())
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), StoreError> {
        self.store.load(show)
    }
}

/// Whether nothing comes for a while.
async fn is_silent(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await.is_err()
}

// ---- what is in the file, and when ----

#[tokio::test]
async fn what_was_accepted_waits_in_the_file_for_the_next_client() {
    let directory = directory();
    let (client, _) = Client::start(offline(FileStore::open(&directory, "client").unwrap()));
    let delivery = client.publish("t", "kept", QoS::AtLeastOnce).await.unwrap();
    client.close().await;
    assert!(delivery.await.is_err());
    assert_eq!(kept(&directory, "client"), [(key(1), record(1, b"kept"))]);
}

#[tokio::test]
async fn subscriptions_outlive_the_program() {
    let (raw, directory) = (Raw::start().await, directory());
    let options = || raw.options().session_store(FileStore::open(&directory, "client").unwrap());
    let (client, _) = Client::start(options());
    let mut stream = raw.log_in().await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("f", QoS::AtLeastOnce).await }
    });
    let subscribe = packet(&mut stream).await;
    stream.write_all(&[0x90, 3, subscribe[2], subscribe[3], 1]).await.unwrap();
    within("SUBACK", subscribing).await.unwrap().unwrap();
    within("the end", client.close()).await;

    let (_client, _) = Client::start(options());
    let again = packet(&mut raw.log_in().await).await;
    assert_eq!((again[0], &again[4..]), (0x82, &[0, 1, b'f', 1][..]));
}

#[tokio::test]
async fn an_incoming_message_of_qos_2_is_delivered_once_over_a_restart() {
    let (raw, directory) = (Raw::start().await, directory());
    let options = || raw.options().session_store(FileStore::open(&directory, "client").unwrap());
    let (client, mut messages) = Client::start(options());
    let mut stream = raw.log_in().await;
    stream.write_all(&[0x34, 6, 0, 1, b't', 0, 7, b'x']).await.unwrap();
    assert_eq!(next(&mut messages).await.payload(), b"x");
    assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 7]);
    within("the end", client.close()).await;

    let (_client, mut messages) = Client::start(options());
    let mut stream = raw.accept().await;
    packet(&mut stream).await;
    // The session is present.
    stream.write_all(&[0x20, 2, 1, 0]).await.unwrap();
    stream.write_all(&[0x3c, 6, 0, 1, b't', 0, 7, b'x']).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 7]);
    stream.write_all(&[0x62, 2, 0, 7]).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x70, 2, 0, 7]);
    stream.write_all(&[0x34, 6, 0, 1, b't', 0, 7, b'y']).await.unwrap();
    assert_eq!(next(&mut messages).await.payload(), b"y", "the number is another's now");
}

#[tokio::test]
async fn the_same_options_serve_again_once_the_client_has_ended() {
    let directory = directory();
    let options = offline(FileStore::open(&directory, "client").unwrap());
    for _ in 1..=3 {
        let (client, _) = Client::start(options.clone());
        drop(client.publish("t", "x", QoS::AtLeastOnce).await.unwrap());
        client.close().await;
        // Nobody is left who could have it, but the options.
        assert!(matches!(FileStore::open(&directory, "client"), Err(StoreError::InUse)));
    }
    drop(options);
    assert_eq!(kept(&directory, "client").len(), 3);
}

// ---- who may have it ----

#[tokio::test]
async fn one_session_is_for_one_client_at_a_time() {
    let directory = directory();
    let options = offline(FileStore::open(&directory, "client").unwrap());
    assert!(matches!(FileStore::open(&directory, "client"), Err(StoreError::InUse)));
    assert!(FileStore::open(&directory, "another").is_ok());

    let (_client, _) = Client::start(options.clone());
    let in_use = |error: ConnectError| {
        assert!(matches!(&error, ConnectError::Store { detail } if detail.contains("in use")), "{error}");
    };
    in_use(within("connect", Client::connect(options.clone())).await.unwrap_err());
    let (second, _) = Client::start(options);
    in_use(within("the first round", second.first_round()).await.unwrap_err());
    assert_eq!(second.publish("t", "x", QoS::AtLeastOnce).await.unwrap_err(), PublishError::Closed);
}

#[test]
fn a_session_of_another_client_id_is_refused() {
    let directory = directory();
    session(&directory, 1);
    fs::copy(FileStore::path(&directory, "client"), FileStore::path(&directory, "other")).unwrap();
    refuses(&directory, "other", |error| matches!(error, StoreError::Foreign(_)));
}

#[test]
fn client_ids_of_any_length_and_kind_have_a_file_each() {
    let directory = directory();
    let long = "GID_very@@@long/".repeat(4095);
    let ids = [&long, &long[1..], "../up", "温度", "", ".", "A b", "A%20b"];
    for id in ids {
        let path = FileStore::path(&directory, id);
        assert_eq!(path.parent(), Some(directory.path()), "{id}");
        let _store = FileStore::open(&directory, id).unwrap();
        assert!(path.is_file());
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), ids.len());
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = directory();
    let _store = FileStore::open(directory.path().join("new/er"), "client").unwrap();
    let file = FileStore::path(directory.path().join("new/er"), "client");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

// ---- files that are not what they should be ----

/// Opening fails in that way, and leaves the file as it is.
fn refuses(directory: &TempDir, client_id: &str, how: impl FnOnce(&StoreError) -> bool) {
    let path = FileStore::path(directory, client_id);
    let before = fs::read(&path).unwrap();
    let error = FileStore::open(directory, client_id).unwrap_err();
    assert!(how(&error), "{error:?}");
    assert!(fs::read(&path).unwrap() == before, "it was changed: {error}");
}

/// Opening gives all that was there, or fails and leaves the file as it is; says which.
fn is_right_or_refused(directory: &TempDir, expected: &[(Key, Vec<u8>)], what: &str) -> bool {
    let path = FileStore::path(directory, "client");
    let before = fs::read(&path).unwrap();
    match FileStore::open(directory, "client") {
        Ok(mut store) => {
            assert_eq!(records(&mut store).unwrap(), expected, "{what}");
            true
        }
        Err(StoreError::Damaged(_) | StoreError::Foreign(_)) => {
            assert!(fs::read(&path).unwrap() == before, "{what}: refused and changed");
            false
        }
        Err(error) => panic!("{what}: {error:?}"),
    }
}

#[test]
fn a_file_that_is_no_session_is_refused_and_stays_as_it_is() {
    for content in [&b"Dear diary"[..], &[0; 100_000], &[0xff; 100_000], b""] {
        let directory = directory();
        fs::write(FileStore::path(&directory, "client"), content).unwrap();
        let refused = |error: &StoreError| matches!(error, StoreError::Damaged(_) | StoreError::Foreign(_));
        refuses(&directory, "client", refused);
    }
}

#[test]
fn a_beginning_that_was_cut_short_is_made_good() {
    let directory = directory();
    let path = FileStore::path(&directory, "client");
    fs::write(format!("{}.new", path.display()), [7; 100_000]).unwrap();
    assert_eq!(kept(&directory, "client"), []);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
}

#[test]
fn a_damaged_file_is_refused_and_stays_as_it_is_or_the_damage_does_not_matter() {
    let directory = directory();
    let expected = session(&directory, 40);
    let path = FileStore::path(&directory, "client");
    let sound = fs::read(&path).unwrap();
    let (mut right, mut refused) = (0, 0);
    let mut meets = |content: &[u8], what: &str| {
        fs::write(&path, content).unwrap();
        *(if is_right_or_refused(&directory, &expected, what) { &mut right } else { &mut refused }) += 1;
    };
    // The first page is the header, where each byte matters.
    let places = (0..320).step_by(3).chain((320..sound.len()).step_by(509));
    for at in places {
        let mut content = sound.clone();
        content[at] ^= 0x41;
        meets(&content, &format!("byte {at}"));
    }
    for page in 0..sound.len() / 4096 {
        let mut content = sound.clone();
        content[page * 4096..(page + 1) * 4096].fill(0);
        meets(&content, &format!("page {page}"));
    }
    for len in (1..sound.len()).step_by(sound.len() / 40) {
        meets(&sound[..len], &format!("{len} bytes"));
    }
    println!("of {} bytes: {right} damages do not matter, {refused} are refused", sound.len());
    assert!(right > 0 && refused > 20);
}

#[test]
fn what_a_writer_leaves_at_any_moment_is_a_state_that_was_committed() {
    let (directory, copies) = (directory(), directory());
    let path = FileStore::path(&directory, "client");
    let copy = FileStore::path(&copies, "client");
    let stop = Arc::new(AtomicBool::new(false));
    let mut store = FileStore::open(&directory, "client").unwrap();
    let writer = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            // All records tell the same in each commit.
            for round in 0.. {
                let payload = format!("{round:090}");
                (1..=20).for_each(|n| store.put(key(n.into()), &record(n, payload.as_bytes())).unwrap());
                store.commit().unwrap();
                if stop.load(SeqCst) {
                    return;
                }
            }
        }
    });
    let (mut right, mut refused, mut last) = (0, 0, Vec::new());
    for number in 0..120_u64 {
        // Read at one go: what is torn is torn as by the death of the process, or worse.
        let mut content = fs::read(&path).unwrap();
        if number % 4 == 3 {
            content.truncate(content.len() - (number as usize * 97) % content.len());
        }
        fs::write(&copy, &content).unwrap();
        match FileStore::open(&copies, "client") {
            Ok(mut store) => {
                let now: Vec<_> =
                    records(&mut store).unwrap().into_iter().map(|(_, value)| value[7..].to_vec()).collect();
                assert!(now.iter().all(|payload| *payload == now[0]), "half a commit");
                assert!(now >= last, "an older state than before");
                last = now;
                right += 1;
            }
            Err(StoreError::Damaged(_)) => {
                assert!(fs::read(&copy).unwrap() == content);
                refused += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    stop.store(true, SeqCst);
    writer.join().unwrap();
    println!("{right} are right, {refused} are refused");
    assert!(right > 60);
}

#[tokio::test]
async fn a_client_says_what_is_wrong_with_its_store() {
    struct Broken;
    impl SessionStore for Broken {
        type Error = StoreError;
        fn put(&mut self, _: Key, _: &[u8]) -> Result<(), StoreError> {
            Ok(())
        }
        fn remove(&mut self, _: Key) -> Result<(), StoreError> {
            Ok(())
        }
        fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), StoreError> {
            show(key(1), b"no packet");
            Ok(())
        }
    }
    let expect = |error: ConnectError| {
        assert!(
            matches!(&error, ConnectError::Store { detail } if detail.contains("invalid record")),
            "{error}"
        );
    };
    expect(within("connect", Client::connect(offline(Broken))).await.unwrap_err());
    let (client, mut messages) = Client::start(offline(Broken));
    expect(within("the first round", client.first_round()).await.unwrap_err());
    assert!(within("the end", messages.recv()).await.is_none());
}

// ---- disks that fail ----

/// A client with a store that can be made to fail, connected to a server in the test's hands.
async fn online(raw: &Raw, directory: &TempDir) -> (Arc<Disk>, Client, Messages, TcpStream) {
    let (store, disk) = Disk::open(directory);
    let (client, messages) = Client::start(raw.options().session_store(store));
    let stream = raw.log_in().await;
    until("connected", || client.is_connected()).await;
    (disk, client, messages, stream)
}

#[tokio::test]
async fn while_the_disk_is_full_nothing_goes_out_and_then_all_goes_on() {
    let (raw, directory) = (Raw::start().await, directory());
    let (disk, client, mut messages, mut stream) = online(&raw, &directory).await;
    let mut events = client.events();
    disk.failures.store(usize::MAX, SeqCst);
    let publishing = tokio::spawn({
        let client = client.clone();
        async move { client.publish("t", "x", QoS::ExactlyOnce).await }
    });
    let failed = async { while !matches!(event(&mut events).await, ConnectionEvent::StoreFailed { .. }) {} };
    within("the failure is told", failed).await;
    stream.write_all(&[0x34, 6, 0, 1, b't', 0, 7, b'y']).await.unwrap();
    assert!(is_silent(&mut stream).await, "nothing is sent");
    assert!(!publishing.is_finished(), "nothing is accepted");
    assert_eq!(disk.commits.load(SeqCst), 0);

    disk.failures.store(0, SeqCst);
    let delivery = within("room on the disk", publishing).await.unwrap().unwrap();
    assert!(disk.commits.load(SeqCst) > 0);
    assert_eq!(packet(&mut stream).await[0], 0x34);
    assert_eq!(next(&mut messages).await.payload(), b"y");
    assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 7]);
    // The same in the middle of the handshake.
    disk.failures.store(1, SeqCst);
    stream.write_all(&[0x50, 2, 0, 1]).await.unwrap();
    assert!(is_silent(&mut stream).await);
    assert_eq!(packet(&mut stream).await, [0x62, 2, 0, 1]);
    stream.write_all(&[0x70, 2, 0, 1]).await.unwrap();
    within("the delivery", delivery).await.unwrap();
}

/// Waits on another thread than the driver's, so that it can look at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_not_there_before_it_is_kept() {
    let directory = directory();
    let (store, disk) = Disk::open(&directory);
    let server = common::emulator(mqtt_p2p_emulator::Quirks::service()).await;
    let (client, _) = connect(common::options(common::tcp(&server), "a").session_store(store)).await;
    for number in 0..50 {
        let before = disk.commits.load(SeqCst);
        let filter = format!("demo/{}", number % 25);
        // Looks again and again, and not only when it is woken.
        let mut subscribing = std::pin::pin!(client.subscribe(&filter, QoS::AtLeastOnce));
        let granted = async {
            loop {
                tokio::select! {
                    biased;
                    granted = &mut subscribing => return granted,
                    () = tokio::task::yield_now() => {}
                }
            }
        };
        within("SUBACK", granted).await.unwrap();
        assert!(disk.commits.load(SeqCst) > before, "{filter}");
    }
}

#[tokio::test]
async fn closing_ends_while_the_disk_fails_and_what_was_not_accepted_never_was() {
    let (raw, directory) = (Raw::start().await, directory());
    let (store, disk) = Disk::open(&directory);
    let options = raw.options().session_store(store);
    let (client, mut messages) = Client::start(options.clone());
    let mut events = client.events();
    let mut stream = raw.log_in().await;
    until("connected", || client.is_connected()).await;
    disk.failures.store(usize::MAX, SeqCst);
    let publishing = tokio::spawn({
        let client = client.clone();
        let publish = async move |payload| client.publish("t", payload, QoS::AtLeastOnce).await.map(drop);
        async move { tokio::join!(publish("never"), publish("nor this")) }
    });
    let failed = async { while !matches!(event(&mut events).await, ConnectionEvent::StoreFailed { .. }) {} };
    within("the failure is told", failed).await;
    stream.write_all(&[0x34, 6, 0, 1, b't', 0, 7, b'y']).await.unwrap();
    within("the end", client.close()).await;
    let never = Err(PublishError::Closed);
    assert_eq!(within("its end", publishing).await.unwrap(), (never.clone(), never));
    assert!(within("the end", messages.recv()).await.is_none(), "it was not acknowledged");
    assert!(within("the end", stream.read_u8()).await.is_err(), "not even a good-bye");

    // The next client goes on from what was committed.
    disk.failures.store(0, SeqCst);
    let (client, mut messages) = Client::start(options);
    let mut stream = raw.log_in().await;
    let delivery = within("room", client.publish("t", "then", QoS::AtLeastOnce)).await.unwrap();
    assert_eq!(packet(&mut stream).await, record(1, b"then"));
    stream.write_all(&[0x3c, 6, 0, 1, b't', 0, 7, b'y']).await.unwrap();
    assert_eq!(next(&mut messages).await.payload(), b"y");
    within("the end", client.close()).await;
    drop(delivery);
    let publications: Vec<_> = kept_after(&directory).await;
    assert_eq!(publications, [(key(1), record(1, b"then"))]);
}

/// The publications in the file, once nobody has it.
async fn kept_after(directory: &TempDir) -> Vec<(Key, Vec<u8>)> {
    until("the file is free", || !matches!(FileStore::open(directory, "client"), Err(StoreError::InUse)))
        .await;
    let all = kept(directory, "client").into_iter();
    all.filter(|(key, _)| matches!(key, Key::Publication(_))).collect()
}

#[tokio::test]
async fn a_store_that_panics_ends_the_client_and_is_told() {
    let (raw, directory) = (Raw::start().await, directory());
    let (disk, client, mut messages, mut stream) = online(&raw, &directory).await;
    let mut events = client.events();
    disk.panics.store(true, SeqCst);
    let refused = within("its end", client.publish("t", "x", QoS::AtLeastOnce)).await;
    assert_eq!(refused.unwrap_err(), PublishError::Closed);
    let told = async {
        let mut failed = false;
        while let Some(event) = events.recv().await {
            failed |= matches!(event, ConnectionEvent::StoreFailed { .. });
        }
        failed
    };
    assert!(within("the end", told).await);
    assert!(within("the end", messages.recv()).await.is_none());
    ended(&mut stream).await;
    assert_eq!(kept(&directory, "client"), []);
}

// ---- what it costs ----

#[test]
fn the_file_does_not_grow_with_what_went_through_it() {
    let directory = directory();
    let path = FileStore::path(&directory, "client");
    let mut store = FileStore::open(&directory, "client").unwrap();
    let first = fs::metadata(&path).unwrap().len();
    let start = Instant::now();
    let (mut largest, rounds) = (first, 1_000);
    for round in 0..rounds {
        for change in 0..100 {
            let number = round * 100 + change;
            let ticket = number % 65_533 + 1;
            store.put(key(ticket), &record(ticket as u16, &[b'x'; 64])).unwrap();
            if number >= 50 {
                store.remove(key((number - 50) % 65_533 + 1)).unwrap();
            }
        }
        store.commit().unwrap();
        largest = largest.max(fs::metadata(&path).unwrap().len());
    }
    let each = start.elapsed().as_micros() / u128::from(rounds);
    println!(
        "100,000 publications: {first} bytes at first, {largest} at most; a commit of 100 takes {each} µs"
    );
    let start = Instant::now();
    for number in 0..200 {
        store.put(key(number + 1), &record(number as u16 + 1, &[b'x'; 64])).unwrap();
        store.commit().unwrap();
    }
    println!("a commit of one takes {} µs", start.elapsed().as_micros() / 200);
    assert!(largest < 2 * 1024 * 1024, "{largest} bytes");
}
