//! Sessions from outside: exported bytes, and records of a store.

use mqtt_p2p_core::{Client, Growing, Key, Storage};

use crate::driver::{Driver, Kept, Small, config, sealed, server};

/// The first byte says what the rest is: bytes of a session; what follows the version in a session of version 1 or 2, up to
/// the checksum; or records.
pub fn session_import(input: &[u8]) {
    let [kind, rest @ ..] = input else { return };
    match kind % 4 {
        0 => import(rest),
        1 => import(&sealed(&[b"MP2P\x01", rest].concat())),
        3 => import(&sealed(&[b"MP2P\x02", rest].concat())),
        _ => restore(rest),
    }
}

fn import(bytes: &[u8]) {
    let mut small = Client::new(config(), 1, Small::new());
    let fits = small.import_session(bytes);
    let mut large = Client::new(config(), 1, Growing::default());
    let is_session = large.import_session(bytes);
    if fits.is_ok() {
        assert_eq!(is_session, Ok(()), "memory that grows takes as much");
    }
    let exported = Driver::around(large).export();
    let mut large = Client::new(config(), 1, Growing::default());
    if is_session.is_ok() {
        assert_eq!(large.import_session(&exported), Ok(()), "what is exported is imported");
    }
    let mut large = Driver::around(large);
    assert_eq!(large.export(), exported, "and exported unchanged; a failed import leaves nothing");
    let large = large.client;
    drive(small);
    drive(large);
}

/// Records: each is a key, a length and a value.
fn restore(mut bytes: &[u8]) {
    let mut kept = Kept::default();
    while let [tag, a, b, c, d, len, rest @ ..] = bytes {
        let (value, behind) = rest.split_at(rest.len().min(usize::from(*len)));
        bytes = behind;
        let key = [*tag, *a, *b, *c, *d];
        if Key::from_bytes(&key).is_some() {
            kept.0.insert(key, value.to_vec());
        }
    }
    let config = config().with_keep_session(true);
    let mut small = Client::new(config, 1, Small::new());
    let before = kept.clone();
    let fits = small.restore(&mut kept);
    if fits.is_err() {
        assert_eq!(kept, before, "nothing has changed");
    }
    drive(small);
    let mut large = Client::new(config, 1, Growing::default());
    let is_session = large.restore(&mut before.clone());
    assert!(fits.is_err() || is_session.is_ok());
    drive(large);
}

/// Whatever was taken over can be used: over connections with and without the session, and to its end.
fn drive<S: Storage>(client: Client<S>) {
    let mut driver = Driver::around(client);
    let requests = driver.requests();
    driver.checks.live.extend(requests.iter().map(|ticket| ticket.to_bits()));
    driver.go_online(true);
    answer(&mut driver);
    driver.reconnect(false);
    answer(&mut driver);
    driver.lost();
    driver.abandon();
    assert_eq!(driver.requests(), []);
    assert!(driver.checks.live.is_empty());
    driver.go_online(true);
}

/// The server acknowledges a little of what was sent.
fn answer<S: Storage>(driver: &mut Driver<S>) {
    let sent = driver.take_sent();
    for words in
        sent.iter().filter(|words| words.starts_with("PUBLISH q1") || words.starts_with("PUBREL")).take(3)
    {
        let Some(id) = words.split('#').nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()) else {
            continue;
        };
        driver.receive(&if words.starts_with("PUBREL") { server::pubcomp(id) } else { server::puback(id) });
    }
}
