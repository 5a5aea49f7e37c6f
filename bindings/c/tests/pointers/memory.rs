//! Making and ending: whose memory it is, how much of it is touched, and what is wrong with it.

use std::mem::offset_of;
use std::ptr::{null, null_mut};
use std::thread;

use mqttp2p::*;

use crate::driver::{Driver, Heap, Kept, NOTHING, bytes, c, config, login, ok, with_each_memory};

#[test]
fn a_client_gives_its_memory_back_and_another_one_begins_there() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            assert_eq!(driver.publish(b"t", b"x", 1), MQTTP2P_OK);
            assert_eq!(driver.end(), MQTTP2P_OK);
            driver.begin(|config| config.clean_session = 1);
            ok!(mqttp2p_connect(driver.client(), 0));
            driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
            ok!(mqttp2p_transport_opened(driver.client(), 0, &raw const *Box::new(login(b"c"))));
            driver.now = 0;
            driver.sends(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c");
        },
    );
}

#[test]
fn a_client_that_has_ended_is_no_object_and_its_log_in_is_wiped() {
    let mut driver = Driver::new(Kept::InProgram, |_| {});
    ok!(mqttp2p_connect(driver.client(), driver.now));
    driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
    let login = mqttp2p_login_t { user_name: bytes(b"u"), password: bytes(b"Pa55word"), ..login(b"c") };
    ok!(mqttp2p_transport_opened(driver.client(), driver.now, &raw const login));
    driver.sends(b"\x10\x1a\0\x04MQTT\x04\xc0\0\x3c\0\x01c\0\x01u\0\x08Pa55word");
    assert_eq!(driver.publish(b"t", b"a secret too", 1), MQTTP2P_OK);
    assert_eq!(driver.end(), MQTTP2P_OK);
    for secret in [&b"Pa55word"[..], b"a secret too"] {
        assert!(!driver.kept().windows(secret.len()).any(|bytes| bytes == secret));
    }
    assert_eq!(c!(mqttp2p_ping(driver.client())), MQTTP2P_E_NO_OBJECT);
    assert_eq!(driver.end(), MQTTP2P_E_NO_OBJECT);
}

#[test]
fn memory_for_a_client_that_is_wrong_gets_a_status() {
    let size = mqttp2p_client_size();
    let least =
        usize::from(config(|_| {}).requests) * 16 + usize::from(config(|_| {}).inbound) * 4 + 256 + 128;
    let (memory, config, buffer) = (Heap::new(size), Heap::array(&[config(|_| {})]), Heap::new(least));
    let mut client = null_mut();
    let out = &raw mut client;
    let init = |memory: *mut u8, size, config, buffer: *mut u8, len, out| {
        c!(mqttp2p_client_init(memory.cast(), size, config, buffer.cast(), len, out))
    };
    let (m, b) = (memory.at::<u8>(), buffer.at::<u8>());
    assert_eq!(init(null_mut(), size, config.at(), b, least, out), MQTTP2P_E_NULL);
    assert_eq!(init(m, size, null(), b, least, out), MQTTP2P_E_NULL);
    assert_eq!(init(m, size, config.at(), null_mut(), least, out), MQTTP2P_E_NULL);
    assert_eq!(init(m, size, config.at(), b, least, null_mut()), MQTTP2P_E_NULL);
    assert_eq!(init(m.wrapping_add(1), size - 1, config.at(), b, least, out), MQTTP2P_E_MISALIGNED);
    assert_eq!(init(m, size - 1, config.at(), b, least, out), MQTTP2P_E_MEMORY_TOO_SMALL);
    assert_eq!(init(m, size, config.at(), b.wrapping_add(1), least - 1, out), MQTTP2P_E_MISALIGNED);
    for len in [0, 1, 127, 128, 200, least - 1, usize::MAX] {
        assert_eq!(init(m, size, config.at(), b, len, out), MQTTP2P_E_MEMORY_TOO_SMALL);
    }
    assert!(client.is_null());

    // Exactly so much is enough, but for a publication.
    assert_eq!(init(m, size, config.at(), b, least, out), MQTTP2P_OK);
    let publish = |payload| c!(mqttp2p_publish(client, bytes(b"t"), payload, 0, 0, null_mut()));
    assert_eq!(publish(NOTHING), MQTTP2P_E_TOO_LARGE);
    ok!(mqttp2p_client_deinit(client));

    assert!(mqttp2p_client_align() <= 8 && size <= size_of::<[u64; MQTTP2P_CLIENT_SIZE_64 / 8]>());
    assert_eq!(c!(mqttp2p_client_new(null(), 0, out)), MQTTP2P_E_NULL);
    assert_eq!(c!(mqttp2p_client_new(config.at(), 0, null_mut())), MQTTP2P_E_NULL);
    assert_eq!(c!(mqttp2p_config_default(null_mut())), MQTTP2P_E_NULL);
    assert_eq!(c!(mqttp2p_config_aliyun(null_mut())), MQTTP2P_E_NULL);
}

#[test]
fn what_is_no_client_gets_a_status() {
    let memory = Heap::new(mqttp2p_client_size());
    for byte in [0, 0xff] {
        memory.fill(byte);
        assert_eq!(c!(mqttp2p_connect(memory.at(), 0)), MQTTP2P_E_NO_OBJECT);
        assert_eq!(c!(mqttp2p_client_free(memory.at())), MQTTP2P_E_NO_OBJECT);
        assert_eq!(c!(mqttp2p_client_deinit(memory.at())), MQTTP2P_E_NO_OBJECT);
    }
    assert_eq!(c!(mqttp2p_connect(null_mut(), 0)), MQTTP2P_E_NULL);
    assert_eq!(c!(mqttp2p_client_deinit(null_mut())), MQTTP2P_E_NULL);
    ok!(mqttp2p_client_free(null_mut()));
    let astray = memory.at::<u8>().wrapping_add(1);
    assert_eq!(c!(mqttp2p_connect(astray.cast(), 0)), MQTTP2P_E_MISALIGNED);

    // An object of another kind.
    let (socket, seed, mut out) = (Heap::new(MQTTP2P_WEBSOCKET_SIZE), Heap::of(&[7; 16]), null_mut());
    ok!(mqttp2p_websocket_init(socket.at(), socket.len(), seed.at(), &raw mut out));
    assert_eq!(c!(mqttp2p_connect(socket.at(), 0)), MQTTP2P_E_NO_OBJECT);
    assert_eq!(c!(mqttp2p_websocket_is_open(out)), 0);
}

#[test]
fn each_kind_of_client_is_ended_by_its_own_call() {
    let (in_program, on_heap) = (Driver::new(Kept::InProgram, |_| {}), Driver::new(Kept::OnHeap, |_| {}));
    assert_eq!(c!(mqttp2p_client_free(in_program.client())), MQTTP2P_E_INVALID_ARGUMENT);
    assert_eq!(c!(mqttp2p_client_deinit(on_heap.client())), MQTTP2P_E_INVALID_ARGUMENT);
    ok!(mqttp2p_ping(in_program.client()));
    ok!(mqttp2p_ping(on_heap.client()));
}

/// An older header's struct is shorter, and ends there; any other size is the caller's mistake. Nothing behind it is read.
#[test]
fn structs_are_read_no_further_than_they_say() {
    let whole = Heap::array(&[config(|_| {})]);
    for size in 0..=size_of::<mqttp2p_config_t>() + 1 {
        let given = shortened(&whole, size);
        let mut client = null_mut();
        let status = c!(mqttp2p_client_new(given.at(), 0, &raw mut client));
        assert_eq!(status, expected(size, size_of::<mqttp2p_config_t>()));
        ok!(mqttp2p_client_free(client));
    }

    let margins = size_of::<mqttp2p_margins_t>();
    let memory = Heap::new(MQTTP2P_TOKEN_LIFECYCLE_SIZE);
    let whole = Heap::array(&[[margins as u32, 5_000, 300_000, 5_000, 60_000, 30_000]]);
    for size in 0..=margins + 1 {
        let (given, mut life) = (shortened(&whole, size), null_mut());
        let status =
            c!(mqttp2p_token_lifecycle_init(memory.at(), memory.len(), 1, given.at(), &raw mut life));
        assert_eq!(status, expected(size, margins));
    }
}

/// Where a size cuts through a pointer or a length, no byte is read that the whole one does not cover.
#[test]
fn structs_with_pointers_may_be_cut_anywhere() {
    let texts = [Heap::of(b"id"), Heap::of(b"user"), Heap::of(b"secret"), Heap::of(b"will")];
    let [id, user, secret, will] = texts.each_ref().map(Heap::range);
    let login = mqttp2p_login_t {
        user_name: user,
        password: secret,
        will_topic: will,
        will_payload: secret,
        ..login(b"")
    };
    let whole = Heap::array(&[mqttp2p_login_t { client_id: id, ..login }]);
    let driver = Driver::new(Kept::InProgram, |_| {});
    ok!(mqttp2p_connect(driver.client(), driver.now));
    for size in 0..=size_of::<mqttp2p_login_t>() + 1 {
        let given = shortened(&whole, size);
        let status = c!(mqttp2p_transport_opened(driver.client(), driver.now, given.at()));
        // A will of which only the place is known has an empty topic.
        let will_begins = offset_of!(mqttp2p_login_t, will_topic);
        if !(will_begins..will_begins + 2 * size_of::<usize>()).contains(&size) {
            assert_eq!(status, expected(size, size_of::<mqttp2p_login_t>()));
        } else {
            assert!([MQTTP2P_OK, MQTTP2P_E_TOPIC_NAME].contains(&status));
        }
    }

    let whole = Heap::array(&[mqttp2p_credentials_t {
        struct_size: size_of::<mqttp2p_credentials_t>() as u32,
        mode: MQTTP2P_ALIYUN_CUSTOM_ORIGIN,
        access_key_id: id,
        secret,
        instance_id: user,
        user_name: user,
        token_r: secret,
        token_w: secret,
        token_rw: secret,
    }]);
    let (room, out) = (Heap::new(64), Heap::array(&[login]));
    for size in 0..=size_of::<mqttp2p_credentials_t>() + 1 {
        let given = shortened(&whole, size);
        let status = c!(mqttp2p_aliyun_log_in(given.at(), id, room.at(), room.len(), null_mut(), out.at()));
        let possible = [MQTTP2P_OK, MQTTP2P_E_CREDENTIALS_MISSING, MQTTP2P_E_INVALID_ARGUMENT];
        assert!(possible.contains(&status), "{size}: {status}");
    }
}

/// The first bytes of a struct, which say that they are all.
fn shortened(whole: &Heap, size: usize) -> Heap {
    let given = Heap::new(size.max(4));
    given.fill(0);
    // SAFETY: within both; the size is the first field of each of them.
    unsafe {
        whole.at::<u8>().copy_to(given.at(), size.min(whole.len()));
        given.at::<u32>().write(size as u32);
    }
    given
}

fn expected(size: usize, whole: usize) -> mqttp2p_status_t {
    if (4..=whole).contains(&size) { MQTTP2P_OK } else { MQTTP2P_E_INVALID_ARGUMENT }
}

/// It is used by one of them at a time: whoever comes second is told so, and what the first one did is seen by the next.
#[test]
fn threads_that_share_a_client_never_use_it_at_the_same_time() {
    struct Shared(*mut mqttp2p_client_t);
    // SAFETY: a client's word keeps a second thread out.
    unsafe impl Sync for Shared {}

    let each = if cfg!(miri) { 5 } else { 500 };
    with_each_memory(
        |_| {},
        |driver| {
            let shared = &Shared(driver.client());
            let publish = || {
                let once = || c!(mqttp2p_publish(shared.0, bytes(b"t"), bytes(b"x"), 1, 0, null_mut()));
                let patiently = |_: &i32| loop {
                    match once() {
                        MQTTP2P_E_BUSY => thread::yield_now(),
                        status => break status == MQTTP2P_OK,
                    }
                };
                (0..each).filter(patiently).count()
            };
            let accepted = thread::scope(|scope| {
                [scope.spawn(publish), scope.spawn(publish)]
                    .map(|thread| thread.join().expect("it ends"))
                    .iter()
                    .sum()
            });
            let mut count = 0;
            let status = c!(mqttp2p_requests(driver.client(), null_mut(), 0, &raw mut count));
            assert_eq!((status, count), (MQTTP2P_E_BUFFER_TOO_SMALL, accepted));
        },
    );
}
