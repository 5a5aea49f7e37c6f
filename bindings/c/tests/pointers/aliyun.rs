//! ApsaraMQ's rules. The signatures are those of the documentation and of RFC 2202.

use std::ptr::{null, null_mut};

use mqttp2p::*;

use crate::driver::{Heap, NOTHING, bytes, c, config, login, ok, read, with_each_memory};

const ID: &[u8] = b"GID_Test@@@0001";

#[test]
fn client_ids_and_p2p_topics_are_built_in_just_the_room_they_take_and_taken_apart_where_they_lie() {
    let mut len = 0;
    let (group, device) = (Heap::of(b"GID_Test"), Heap::of(b"0001"));
    let make = |room: *mut u8, size, len| {
        c!(mqttp2p_aliyun_client_id(group.range(), device.range(), room, size, len))
    };
    assert_eq!(make(null_mut(), 0, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
    assert_eq!(make(null_mut(), 15, null_mut()), MQTTP2P_E_NULL);
    let id = Heap::new(len);
    assert_eq!(make(id.at(), 14, null_mut()), MQTTP2P_E_BUFFER_TOO_SMALL);
    assert_eq!(make(id.at(), 15, &raw mut len), MQTTP2P_OK);
    assert_eq!((read(id.range()), len), (ID.to_vec(), 15));

    let (mut group, mut device) = (NOTHING, NOTHING);
    ok!(mqttp2p_aliyun_parse_client_id(id.range(), &raw mut group, &raw mut device));
    assert_eq!((read(group), read(device)), (b"GID_Test".to_vec(), b"0001".to_vec()));
    assert_eq!(
        (group.ptr, device.ptr),
        (id.at::<u8>().cast_const(), id.at::<u8>().wrapping_add(11).cast_const())
    );
    ok!(mqttp2p_aliyun_parse_client_id(id.range(), null_mut(), null_mut()));
    let mut parse = |id| c!(mqttp2p_aliyun_parse_client_id(id, &raw mut group, &raw mut device));
    assert_eq!(parse(bytes(b"GID_Test")), MQTTP2P_E_CLIENT_ID);
    assert_eq!(parse(NOTHING), MQTTP2P_E_CLIENT_ID);

    let topic = Heap::new(23);
    let mut build = |parent, size| {
        c!(mqttp2p_aliyun_p2p_topic(bytes(parent), id.range(), topic.at(), size, &raw mut len))
    };
    assert_eq!(build(b"dev", 22), MQTTP2P_E_BUFFER_TOO_SMALL);
    assert_eq!(build(b"d/e", 23), MQTTP2P_E_PARENT_TOPIC);
    assert_eq!(build(b"dev", 23), MQTTP2P_OK);
    assert_eq!((read(topic.range()), len), (b"dev/p2p/GID_Test@@@0001".to_vec(), 23));
    let mut parts = mqttp2p_p2p_t { parent: NOTHING, target: NOTHING, rest: bytes(b"?") };
    ok!(mqttp2p_aliyun_parse_p2p(topic.range(), &raw mut parts));
    assert_eq!((read(parts.parent), read(parts.target)), (b"dev".to_vec(), ID.to_vec()));
    assert!(parts.rest.ptr.is_null());
    assert_eq!(c!(mqttp2p_aliyun_parse_p2p(topic.range(), null_mut())), MQTTP2P_E_NULL);
    assert_eq!(c!(mqttp2p_aliyun_parse_p2p(bytes(b"t"), &raw mut parts)), MQTTP2P_NONE);
}

/// The program looks at the buffer before it passes the log-in on, and wipes it afterwards.
#[test]
fn a_log_in_lies_in_the_callers_buffer_until_connect_is_made_of_it() {
    with_each_memory(
        |_| {},
        |driver| {
            ok!(mqttp2p_connect(driver.client(), driver.now));
            driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
            let texts = [&b"AK"[..], b"XXXXX", b"post-cn"].map(Heap::of);
            let key = Heap::array(&[credentials(|key| {
                key.mode = MQTTP2P_ALIYUN_SIGNATURE;
                [key.access_key_id, key.secret, key.instance_id] = texts.each_ref().map(Heap::range);
            })]);
            let (id, room, told) = (Heap::of(ID), Heap::new(160), Heap::array(&[login(b"")]));
            let mut len = 0;
            let make = |room: &Heap, size, len| {
                c!(mqttp2p_aliyun_log_in(key.at(), id.range(), room.at(), size, len, told.at()))
            };
            assert_eq!(make(&room, 47, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
            assert_eq!((len, make(&room, 160, null_mut())), (48, MQTTP2P_OK));
            drop((key, texts));
            let written = read(mqttp2p_bytes_t { len, ..room.range() });
            assert_eq!(written, b"Signature|AK|post-cnvI009IZJZVGRwBwZvnbwjfuXxVM=");
            ok!(mqttp2p_transport_opened(driver.client(), driver.now, told.at()));
            room.fill(0);
            drop((id, room, told));
            driver.sends(
                b"\x10\x4f\0\x04MQTT\x04\xc0\0\x3c\0\x0fGID_Test@@@0001\0\x14Signature|AK|post-cn\0\x1c\
                  vI009IZJZVGRwBwZvnbwjfuXxVM=",
            );
        },
    );
}

#[test]
fn every_mode_makes_its_log_in_and_what_is_missing_gets_a_status() {
    const SIGNED: &[u8] = b"vI009IZJZVGRwBwZvnbwjfuXxVM=";
    let modes: [(_, &[u8], &[u8], &[u8]); _] = [
        (MQTTP2P_ALIYUN_SIGNATURE, b"AK", b"Signature|AK|i", SIGNED),
        (MQTTP2P_ALIYUN_TOKEN, b"AK", b"Token|AK|i", b"R|123|W|abcd"),
        (MQTTP2P_ALIYUN_DEVICE_CREDENTIAL, b"DC.k", b"DeviceCredential|DC.k|i", SIGNED),
        (MQTTP2P_ALIYUN_CUSTOM_SIGNED, b"", b"alice", SIGNED),
        (MQTTP2P_ALIYUN_CUSTOM_ORIGIN, b"", b"alice", b"XXXXX"),
        (MQTTP2P_ALIYUN_PRECOMPUTED, b"AK", b"Signature|AK|i", b"XXXXX"),
    ];
    for (mode, access_key_id, user_name, password) in modes {
        let room = Heap::new(user_name.len() + password.len());
        let told = Heap::array(&[login(b"")]);
        let key = credentials(|key| {
            (key.mode, key.access_key_id, key.instance_id) = (mode, bytes(access_key_id), bytes(b"i"));
            (key.secret, key.user_name) = (bytes(b"XXXXX"), bytes(b"alice"));
            (key.token_r, key.token_w) = (bytes(b"123"), bytes(b"abcd"));
        });
        let make = |key: *const _, room: *mut u8, size| {
            c!(mqttp2p_aliyun_log_in(key, bytes(ID), room, size, null_mut(), told.at()))
        };
        assert_eq!(make(null(), room.at(), room.len()), MQTTP2P_E_NULL);
        assert_eq!(make(&raw const key, null_mut(), room.len()), MQTTP2P_E_NULL);
        assert_eq!(make(&raw const key, room.at(), room.len()), MQTTP2P_OK);
        // SAFETY: filled in just now.
        let made = unsafe { told.at::<mqttp2p_login_t>().read() };
        assert_eq!((read(made.user_name), read(made.password)), (user_name.to_vec(), password.to_vec()));
        assert_eq!(read(made.client_id), ID);
        let nothing = credentials(|key| key.mode = mode);
        assert_eq!(make(&raw const nothing, room.at(), room.len()), MQTTP2P_E_CREDENTIALS_MISSING);
        let log_in = |key, out| c!(mqttp2p_aliyun_log_in(key, bytes(ID), room.at(), 1, null_mut(), out));
        assert_eq!(log_in(&raw const key, null_mut()), MQTTP2P_E_NULL);
        let unknown = credentials(|_| {});
        assert_eq!(log_in(&raw const unknown, told.at()), MQTTP2P_E_INVALID_ARGUMENT);
    }
}

fn credentials(set: impl FnOnce(&mut mqttp2p_credentials_t)) -> mqttp2p_credentials_t {
    let mut key = mqttp2p_credentials_t {
        struct_size: size_of::<mqttp2p_credentials_t>() as u32,
        mode: 0,
        access_key_id: NOTHING,
        secret: NOTHING,
        instance_id: NOTHING,
        user_name: NOTHING,
        token_r: NOTHING,
        token_w: NOTHING,
        token_rw: NOTHING,
    };
    set(&mut key);
    key
}

#[test]
fn signatures_are_those_of_the_vectors() {
    for (key, message, signature) in [
        (&b"XXXXX"[..], &b"GID_XXXX@@@00001"[..], b"wgBKFWmzyGosuT7IH6WkYVe/cZI="),
        (b"Jefe", b"what do ya want for nothing?", b"7/zfauXrL6LSdBbV8YTfnCWafHk="),
    ] {
        let (key, message, room) =
            (Heap::of(key), Heap::of(message), Heap::new(MQTTP2P_ALIYUN_SIGNATURE_LEN));
        ok!(mqttp2p_aliyun_sign(key.range(), message.range(), room.at()));
        assert_eq!(read(room.range()), signature);
        let verify = |given| c!(mqttp2p_aliyun_verify_signature(key.range(), message.range(), given));
        assert_eq!([verify(room.range()), verify(bytes(b"no")), verify(NOTHING)], [1, 0, 0]);
        assert_eq!(c!(mqttp2p_aliyun_sign(key.range(), message.range(), null_mut())), MQTTP2P_E_NULL);
    }
}

#[test]
fn notices_about_tokens_are_read_and_uploads_written() {
    let place = Heap::new(size_of::<mqttp2p_token_notice_t>());
    let take = |topic: &[u8], payload: &[u8], out| {
        let (topic, payload) = (Heap::of(topic), Heap::of(payload));
        c!(mqttp2p_aliyun_token_notice(topic.range(), payload.range(), out))
    };
    let (topic, payload) = (b"$SYS/tokenExpireNotice", b"{\"expireTime\":1700000000000,\"type\":\"RW\"}");
    assert_eq!(take(topic, payload, null_mut()), MQTTP2P_E_NULL);
    assert_eq!(take(b"t", payload, place.at()), MQTTP2P_NONE);
    assert_eq!(take(topic, b"{}", place.at()), MQTTP2P_E_NOTICE);
    assert_eq!(take(topic, payload, place.at()), MQTTP2P_OK);
    // SAFETY: filled in just now.
    let notice = unsafe { place.at::<mqttp2p_token_notice_t>().read() };
    assert_eq!((notice.r#type, notice.token), (MQTTP2P_NOTICE_EXPIRE, MQTTP2P_TOKEN_RW));
    assert_eq!(notice.expires_at_ms, 1_700_000_000_000);

    let (token, room, mut len) = (Heap::of(b"LzMT+XLFl5u="), Heap::new(36), 0);
    let write =
        |token, size, len| c!(mqttp2p_aliyun_write_upload(MQTTP2P_TOKEN_RW, token, room.at(), size, len));
    assert_eq!(write(token.range(), 35, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
    assert_eq!((len, write(token.range(), 36, null_mut())), (36, MQTTP2P_OK));
    assert_eq!(read(room.range()), b"{\"token\":\"LzMT+XLFl5u=\",\"type\":\"RW\"}");
    assert_eq!(write(bytes(b"a\""), 36, null_mut()), MQTTP2P_E_TOKEN);
}

#[test]
fn a_token_is_renewed_before_it_expires() {
    const HOUR: u64 = 3_600_000;
    let (memory, mut life, mut now) =
        (Heap::new(MQTTP2P_TOKEN_LIFECYCLE_SIZE), null_mut(), 1_700_000_000_000);
    let init = |memory: *mut u8, len, types, life| {
        c!(mqttp2p_token_lifecycle_init(memory.cast(), len, types, null(), life))
    };
    let start = memory.at::<u8>();
    assert_eq!(init(null_mut(), memory.len(), 4, &raw mut life), MQTTP2P_E_NULL);
    assert_eq!(init(start.wrapping_add(1), memory.len() - 1, 4, &raw mut life), MQTTP2P_E_MISALIGNED);
    assert_eq!(init(start, 8, 4, &raw mut life), MQTTP2P_E_MEMORY_TOO_SMALL);
    assert_eq!(init(start, memory.len(), 8, &raw mut life), MQTTP2P_E_INVALID_ARGUMENT);
    assert_eq!(init(start, memory.len(), MQTTP2P_TOKEN_RW, null_mut()), MQTTP2P_E_NULL);
    assert!(life.is_null());
    assert_eq!(init(start, memory.len(), MQTTP2P_TOKEN_RW, &raw mut life), MQTTP2P_OK);

    assert_eq!(c!(mqttp2p_token_lifecycle_due(life, now)), 4);
    assert_eq!(c!(mqttp2p_token_lifecycle_log_in(life, now)), 0);
    ok!(mqttp2p_token_lifecycle_failed(life, MQTTP2P_TOKEN_RW, now));
    ok!(mqttp2p_token_lifecycle_obtained(life, MQTTP2P_TOKEN_RW, now, now + HOUR));
    assert_eq!(c!(mqttp2p_token_lifecycle_log_in(life, now)), 1);
    ok!(mqttp2p_token_lifecycle_logged_in(life, now));
    let mut at = 0;
    ok!(mqttp2p_token_lifecycle_due_at(life, now, &raw mut at));
    assert_eq!(at, now + HOUR - 300_000);
    assert_eq!(c!(mqttp2p_token_lifecycle_due_at(life, now, null_mut())), MQTTP2P_E_NULL);

    now = at;
    let notice = Heap::array(&[mqttp2p_token_notice_t {
        r#type: MQTTP2P_NOTICE_EXPIRE,
        token: MQTTP2P_TOKEN_RW,
        expires_at_ms: now + 300_000,
        code: 0,
    }]);
    assert_eq!(c!(mqttp2p_token_lifecycle_notice(life, notice.at(), now)), MQTTP2P_ADVICE_RENEW);
    assert_eq!(c!(mqttp2p_token_lifecycle_notice(life, null(), now)), MQTTP2P_E_NULL);
    ok!(mqttp2p_token_lifecycle_obtained(life, MQTTP2P_TOKEN_RW, now, now + HOUR));
    assert_eq!(c!(mqttp2p_token_lifecycle_upload(life, MQTTP2P_TOKEN_RW, now)), 1);
    ok!(mqttp2p_token_lifecycle_uploaded(life, MQTTP2P_TOKEN_RW, now));
    ok!(mqttp2p_token_lifecycle_lost(life));
    assert_eq!(c!(mqttp2p_token_lifecycle_log_in(life, now)), 1);
    assert_eq!(c!(mqttp2p_token_lifecycle_refused(life, now)), MQTTP2P_ADVICE_RENEW);
    ok!(mqttp2p_token_lifecycle_start_over(life));
    assert_eq!(c!(mqttp2p_token_lifecycle_failed(life, 7, now)), MQTTP2P_E_INVALID_ARGUMENT);
    assert_eq!(c!(mqttp2p_token_lifecycle_lost(null_mut())), MQTTP2P_E_NULL);
}

#[test]
fn a_closed_connection_is_explained_with_a_topic_that_lies_in_the_evidence() {
    let (memory, mut diagnosis) = (Heap::new(MQTTP2P_DIAGNOSIS_SIZE), null_mut());
    assert_eq!(c!(mqttp2p_diagnosis_init(memory.at(), 16, &raw mut diagnosis)), MQTTP2P_E_MEMORY_TOO_SMALL);
    ok!(mqttp2p_diagnosis_init(memory.at(), memory.len(), &raw mut diagnosis));
    ok!(mqttp2p_diagnosis_connected(diagnosis, 0));
    let used = |topic, len| c!(mqttp2p_diagnosis_used(diagnosis, topic, len, 100));
    let topic = Heap::of(b"devcies/state");
    assert_eq!(used(topic.range(), 2), MQTTP2P_OK);
    drop(topic);
    assert_eq!(used(bytes(b"\xff"), 0), MQTTP2P_E_TEXT);
    let mut why = mqttp2p_cause_t { r#type: 0, length: 0, parent: NOTHING, advice: NOTHING };
    let closed = MQTTP2P_REASON_CLOSED_BY_PEER;
    ok!(mqttp2p_diagnosis_explain(diagnosis, closed, 300, &raw mut why));
    assert_eq!((why.r#type, read(why.parent)), (MQTTP2P_CAUSE_TOPIC_NOT_AUTHORISED, b"devcies".to_vec()));
    assert!(read(why.advice).len() > 20);
    let copy = Heap::of(&read(why.parent));
    ok!(mqttp2p_diagnosis_connected(diagnosis, 400));
    ok!(mqttp2p_diagnosis_confirmed(diagnosis, copy.range()));
    ok!(mqttp2p_diagnosis_answered(diagnosis));
    ok!(mqttp2p_diagnosis_explain(diagnosis, closed, 500, &raw mut why));
    assert_eq!(why.r#type, MQTTP2P_CAUSE_NONE);
    assert_eq!(c!(mqttp2p_diagnosis_explain(diagnosis, closed, 500, null_mut())), MQTTP2P_E_NULL);
}

#[test]
fn repeated_messages_are_let_through_once() {
    let (memory, mut seen) = (Heap::new(MQTTP2P_DEDUPLICATOR_SIZE), null_mut());
    let init = |seed, seen| c!(mqttp2p_deduplicator_init(memory.at(), memory.len(), seed, seen));
    assert_eq!(init(null(), &raw mut seen), MQTTP2P_E_NULL);
    assert_eq!(init(Heap::of(&[7; 16]).at::<u8>().cast_const(), &raw mut seen), MQTTP2P_OK);
    let key = Heap::of(b"order 1");
    let ask =
        |key| [c!(mqttp2p_deduplicator_has_seen(seen, key)), c!(mqttp2p_deduplicator_is_new(seen, key))];
    assert_eq!([ask(key.range()), ask(key.range()), ask(NOTHING)], [[0, 1], [1, 0], [0, 1]]);
    assert_eq!(ask(mqttp2p_bytes_t { len: 1, ..NOTHING }), [MQTTP2P_E_NULL; 2]);
}

#[test]
fn the_services_limits_are_warned_of() {
    let mut aliyun = config(|_| {});
    ok!(mqttp2p_config_aliyun(&raw mut aliyun));
    assert_eq!((aliyun.keep_alive_secs, aliyun.max_payload, aliyun.will), (90, 65_536, 0));
    ok!(mqttp2p_aliyun_topic_warning(bytes(b"devices/p2p/GID_test@@@1")));
    assert_eq!(c!(mqttp2p_aliyun_topic_warning(bytes(b"a b"))), MQTTP2P_WARNING_CHARACTER);
    assert_eq!(c!(mqttp2p_aliyun_topic_warning(bytes(&[b'a'; 65]))), MQTTP2P_WARNING_TOO_LONG);
    assert_eq!(c!(mqttp2p_aliyun_same_topic(bytes(b"a/b"), bytes(b"a/b/"))), 1);
    let texts = [&b"devices/+/state"[..], b"devices/#", b"site/alarms"].map(Heap::of);
    let filters = Heap::array(&texts.each_ref().map(Heap::range));
    let count = |filters: *const _, parent| c!(mqttp2p_aliyun_count_subscriptions(filters, 3, parent));
    assert_eq!(count(filters.at(), NOTHING), 3);
    assert_eq!(count(filters.at(), bytes(b"devices")), 2);
    assert_eq!(count(null(), NOTHING), MQTTP2P_E_NULL);
}
