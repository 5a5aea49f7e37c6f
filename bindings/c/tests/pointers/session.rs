//! The session as bytes, and kept change by change.

use std::ptr::{null, null_mut};

use mqttp2p::*;

use crate::driver::{Driver, Heap, Kept, NOTHING, bytes, c, ok, read, with_each_memory};

#[test]
fn a_session_goes_from_client_to_client_through_memory_of_just_its_length() {
    with_each_memory(
        |_| {},
        |first| {
            first.go_online(0);
            assert_eq!(first.publish(b"t", b"x", 1), MQTTP2P_OK);
            first.sends(b"\x32\x06\0\x01t\0\x01x");
            let mut len = 0;
            let export =
                |room: *mut u8, size, len| c!(mqttp2p_session_export(first.client(), room, size, len));
            assert_eq!(export(null_mut(), 0, &raw mut len), MQTTP2P_E_BUFFER_TOO_SMALL);
            let session = Heap::new(len);
            assert_eq!(export(null_mut(), len, null_mut()), MQTTP2P_E_NULL);
            assert_eq!(export(session.at(), len - 1, null_mut()), MQTTP2P_E_BUFFER_TOO_SMALL);
            assert_eq!(export(session.at(), len, &raw mut len), MQTTP2P_OK);
            assert_eq!(len, session.len());

            let mut second = Driver::new(Kept::InProgram, |_| {});
            let import = |session| c!(mqttp2p_session_import(second.client(), session));
            let mut damaged = read(session.range());
            damaged[len - 1] ^= 1;
            assert_eq!(import(Heap::of(&damaged).range()), MQTTP2P_E_SESSION_DAMAGED);
            assert_eq!(import(bytes(b"something else")), MQTTP2P_E_SESSION_FORMAT);
            assert_eq!(import(mqttp2p_bytes_t { len: 1, ..NOTHING }), MQTTP2P_E_NULL);
            assert_eq!(import(session.range()), MQTTP2P_OK);
            assert_eq!(import(session.range()), MQTTP2P_E_IN_USE);
            drop(session);

            let (tickets, mut count) = (Heap::array(&[0u32, 77]), 0);
            let list = |tickets, max, count| c!(mqttp2p_requests(second.client(), tickets, max, count));
            assert_eq!(list(null_mut(), 0, &raw mut count), MQTTP2P_E_BUFFER_TOO_SMALL);
            assert_eq!(list(null_mut(), 1, null_mut()), MQTTP2P_E_NULL);
            assert_eq!((count, list(tickets.at(), 2, &raw mut count)), (1, MQTTP2P_OK));
            // SAFETY: both were filled in.
            assert_eq!(unsafe { tickets.at::<[u32; 2]>().read() }, [first.ticket(), 77]);

            second.go_online(1);
            second.sends(b"\x3a\x06\0\x01t\0\x01x");
            second.receive(b"\x40\x02\0\x01");
            assert_eq!(second.expect(MQTTP2P_EVENT_PUBLISHED).ticket, first.ticket());
        },
    );
}

#[test]
fn a_session_is_kept_record_by_record_and_restored_from_a_copy() {
    with_each_memory(
        |_| {},
        |first| {
            ok!(mqttp2p_keep_session(first.client()));
            first.go_online(0);
            assert_eq!(c!(mqttp2p_keep_session(first.client())), MQTTP2P_E_IN_USE);
            assert_eq!(first.publish(b"t", b"x", 2), MQTTP2P_OK);
            let put = first.expect(MQTTP2P_ACTION_STORE_PUT);
            let value = Heap::of(&read(put.data));
            first.sends(b"\x34\x06\0\x01t\0\x01x");

            let mut second = Driver::new(Kept::InProgram, |_| {});
            let record = mqttp2p_record_t { key: put.key, value: value.range() };
            let restore = |records: &[mqttp2p_record_t]| {
                let records = Heap::array(records);
                c!(mqttp2p_session_restore(
                    second.client(),
                    records.at(),
                    records.len() / size_of::<mqttp2p_record_t>(),
                ))
            };
            assert_eq!(restore(&[record, record]), MQTTP2P_E_INVALID_ARGUMENT);
            let unknown = mqttp2p_record_t { key: [99; MQTTP2P_KEY_LEN], ..record };
            assert_eq!(restore(&[record, unknown]), MQTTP2P_E_SESSION_DAMAGED);
            let nowhere = mqttp2p_bytes_t { len: 1, ..NOTHING };
            assert_eq!(restore(&[mqttp2p_record_t { value: nowhere, ..record }]), MQTTP2P_E_NULL);
            assert_eq!(c!(mqttp2p_session_restore(second.client(), null(), 1)), MQTTP2P_E_NULL);
            assert_eq!(restore(&[record]), MQTTP2P_OK);
            drop(value);
            second.go_online(1);
            second.sends(b"\x3c\x06\0\x01t\0\x01x");

            first.receive(b"\x50\x02\0\x01");
            assert_eq!(first.expect(MQTTP2P_ACTION_STORE_PUT).key, put.key);
            first.sends(b"\x62\x02\0\x01");
            first.receive(b"\x70\x02\0\x01");
            first.expect(MQTTP2P_EVENT_PUBLISHED);
            assert_eq!(first.expect(MQTTP2P_ACTION_STORE_REMOVE).key, put.key);
        },
    );
}

#[test]
fn requests_are_paced_on_demand() {
    with_each_memory(
        |config| config.tell_qos_0 = 0,
        |driver| {
            ok!(mqttp2p_pace(driver.client(), 1));
            driver.go_online(0);
            assert_eq!(c!(mqttp2p_pace(driver.client(), 1)), MQTTP2P_E_IN_USE);
            for _ in 0..6 {
                assert_eq!(driver.publish(b"t", b"", 0), MQTTP2P_OK);
            }
            // Four at once after a pause, then one in a second.
            driver.sends(&b"\x30\x03\0\x01t".repeat(4));
            assert_eq!(driver.action().at_ms, driver.now + 1000);
            driver.now += 1000;
            driver.sends(b"\x30\x03\0\x01t");
        },
    );
}
