//! Messages and subscriptions, both ways. The bytes are the standard's: MQTT 3.1.1, chapter 3.

use std::ptr::{null, null_mut};

use mqttp2p::*;

use crate::driver::{Driver, Heap, Kept, NOTHING, bytes, c, ok, read, with_each_memory};

#[test]
fn publications_of_every_qos_may_be_freed_as_soon_as_they_were_accepted() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            assert_eq!(driver.publish(b"t", b"x", 0), MQTTP2P_OK);
            let zero = driver.ticket();
            assert_eq!(driver.publish(b"t", b"y", 1), MQTTP2P_OK);
            let one = driver.ticket();
            assert_eq!(driver.publish(b"t", b"z", 2), MQTTP2P_OK);
            let two = driver.ticket();
            assert_eq!(driver.expect(MQTTP2P_EVENT_PUBLISHED).ticket, zero);
            driver.sends(b"\x30\x04\0\x01tx\x32\x06\0\x01t\0\x02y\x34\x06\0\x01t\0\x03z");
            driver.receive(b"\x50\x02\0\x03\x40\x02\0\x02");
            assert_eq!(driver.expect(MQTTP2P_EVENT_PUBLISHED).ticket, one);
            driver.sends(b"\x62\x02\0\x03");
            driver.receive(b"\x70\x02\0\x03");
            assert_eq!(driver.expect(MQTTP2P_EVENT_PUBLISHED).ticket, two);
            driver.sends(b"");
        },
    );
}

#[test]
fn what_can_not_be_published_gets_a_status_and_nothing_goes_out() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            let client = driver.client();
            let publish = |topic, payload, qos, retain| {
                c!(mqttp2p_publish(client, topic, payload, qos, retain, null_mut()))
            };
            let (t, nowhere) = (bytes(b"t"), mqttp2p_bytes_t { len: 1, ..NOTHING });
            let endless = mqttp2p_bytes_t { len: usize::MAX, ..t };
            assert_eq!(publish(nowhere, t, 0, 0), MQTTP2P_E_NULL);
            assert_eq!(publish(t, nowhere, 0, 0), MQTTP2P_E_NULL);
            assert_eq!(publish(endless, t, 0, 0), MQTTP2P_E_TOO_LARGE);
            assert_eq!(publish(t, endless, 0, 0), MQTTP2P_E_TOO_LARGE);
            assert_eq!(publish(NOTHING, t, 0, 0), MQTTP2P_E_TOPIC_NAME);
            assert_eq!(publish(bytes(b"\xc0\x80"), t, 0, 0), MQTTP2P_E_TEXT);
            assert_eq!(publish(t, t, 3, 0), MQTTP2P_E_INVALID_ARGUMENT);
            assert_eq!(publish(t, t, 0, 2), MQTTP2P_E_INVALID_ARGUMENT);
            driver.sends(b"");
            // No payload is a payload, and nobody need ask for the ticket.
            assert_eq!(publish(t, NOTHING, 0, 1), MQTTP2P_OK);
            driver.expect(MQTTP2P_EVENT_PUBLISHED);
            driver.sent(b"\x31\x03\0\x01t");
        },
    );
}

#[test]
fn a_publication_goes_to_one_client_or_ahead_of_all_others() {
    with_each_memory(
        |_| {},
        |driver| {
            let client = driver.client();
            let alone = || {
                let (topic, payload) = (Heap::of(b"$SYS/uploadToken"), Heap::of(b"x"));
                c!(mqttp2p_publish_alone(client, topic.range(), payload.range()))
            };
            assert_eq!(alone(), MQTTP2P_E_OFFLINE);
            driver.go_online(0);
            assert_eq!(alone(), MQTTP2P_OK);
            assert_eq!(alone(), MQTTP2P_E_FULL);
            let to = |parent: &[u8], target: &[u8], qos| {
                let [parent, target, payload] = [parent, target, b"hi"].map(Heap::of);
                let (parent, target, payload) = (parent.range(), target.range(), payload.range());
                c!(mqttp2p_publish_p2p(client, parent, target, payload, qos, driver.ticket_to()))
            };
            assert_eq!(to(b"p", b"me", 0), MQTTP2P_E_PARENT_TOPIC);
            assert_eq!(to(b"par", b"m+", 0), MQTTP2P_E_P2P_TARGET);
            assert_eq!(to(b"par", b"me", 3), MQTTP2P_E_INVALID_ARGUMENT);
            assert_eq!(to(b"par", b"me", 0), MQTTP2P_OK);
            driver.sends(b"\x32\x15\0\x10$SYS/uploadToken\xff\xfex");
            driver.receive(b"\x40\x02\xff\xfe");
            driver.expect(MQTTP2P_EVENT_PUBLISHED_ALONE);
            assert_eq!(driver.expect(MQTTP2P_EVENT_PUBLISHED).ticket, driver.ticket());
            driver.sent(b"\x30\x0e\0\x0apar/p2p/mehi");
        },
    );
}

/// What is left of the packet is told anew after every write, and lies in the client until the next call.
#[test]
fn a_transport_that_takes_one_byte_at_a_time_gets_each_byte_once() {
    with_each_memory(
        |config| config.tell_qos_0 = 0,
        |driver| {
            driver.go_online(0);
            driver.sends(b"");
            assert_eq!(driver.publish(b"t", b"xyz", 0), MQTTP2P_OK);
            let mut out = Vec::new();
            while driver.poll() == MQTTP2P_OK {
                let action = driver.action();
                assert_eq!(action.r#type, MQTTP2P_ACTION_TRANSMIT);
                assert_eq!(action.data.len, 8 - out.len());
                out.push(read(action.data)[0]);
                let after = c!(mqttp2p_transmitted(driver.client(), 1));
                assert_eq!(after, if out.len() < 8 { MQTTP2P_OK } else { MQTTP2P_WAIT });
            }
            assert_eq!(out, b"\x30\x06\0\x01txyz");
        },
    );
}

#[test]
fn subscriptions_are_granted_listed_asked_for_again_and_ended() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            let texts = [Heap::of(b"a/#"), Heap::of(b"b/+")];
            let filters = Heap::array(&[
                mqttp2p_filter_t { filter: texts[0].range(), qos: 1 },
                mqttp2p_filter_t { filter: texts[1].range(), qos: 0 },
            ]);
            ok!(mqttp2p_subscribe(driver.client(), filters.at(), 2, driver.ticket_to()));
            drop((texts, filters));
            driver.sends(b"\x82\x0e\0\x01\0\x03a/#\x01\0\x03b/+\0");
            driver.receive(b"\x90\x04\0\x01\x01\x80");
            let subscribed = driver.expect(MQTTP2P_EVENT_SUBSCRIBED);
            assert_eq!((subscribed.ticket, read(subscribed.data)), (driver.ticket(), vec![1, 0x80]));

            let there = Heap::new(size_of::<mqttp2p_filter_t>());
            let number = |index| c!(mqttp2p_subscription(driver.client(), index, there.at()));
            assert_eq!((number(1), number(0)), (MQTTP2P_NONE, MQTTP2P_OK));
            // SAFETY: written just now.
            let one = unsafe { there.at::<mqttp2p_filter_t>().read() };
            let copy = Heap::of(&read(one.filter));
            assert_eq!((read(copy.range()), one.qos), (b"a/#".to_vec(), 1));
            assert_eq!(c!(mqttp2p_subscription(driver.client(), 0, null_mut())), MQTTP2P_E_NULL);

            driver.lose();
            driver.go_online(0);
            driver.sends(b"\x82\x08\xff\xff\0\x03a/#\x01");
            driver.receive(b"\x90\x03\xff\xff\x01");
            let again = driver.expect(MQTTP2P_EVENT_RESUBSCRIBED);
            assert_eq!((again.count, read(again.data)), (0, vec![1]));

            let ranges = Heap::array(&[copy.range()]);
            ok!(mqttp2p_unsubscribe(driver.client(), ranges.at(), 1, driver.ticket_to()));
            drop((ranges, copy));
            driver.sends(b"\xa2\x07\0\x02\0\x03a/#");
            driver.receive(b"\xb0\x02\0\x02");
            assert_eq!(driver.expect(MQTTP2P_EVENT_UNSUBSCRIBED).ticket, driver.ticket());
            assert_eq!(c!(mqttp2p_subscription(driver.client(), 0, there.at())), MQTTP2P_NONE);
        },
    );
}

#[test]
fn filters_that_are_wrong_get_a_status_and_nothing_goes_out() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            let filter = |filter: &'static [u8], qos| mqttp2p_filter_t { filter: bytes(filter), qos };
            let client = driver.client();
            let subscribe =
                |filters: *const _, count| c!(mqttp2p_subscribe(client, filters, count, null_mut()));
            assert_eq!(subscribe(null(), 0), MQTTP2P_E_NO_FILTER);
            assert_eq!(subscribe(null(), 1), MQTTP2P_E_NULL);
            let many = Heap::array(&[filter(b"a", 0); MQTTP2P_MAX_FILTERS + 1]);
            assert_eq!(subscribe(many.at(), MQTTP2P_MAX_FILTERS + 1), MQTTP2P_E_TOO_MANY_FILTERS);
            assert_eq!(subscribe(many.at(), usize::MAX / 2), MQTTP2P_E_TOO_LARGE);
            assert_eq!(subscribe(many.at::<u8>().wrapping_add(1).cast(), 1), MQTTP2P_E_MISALIGNED);
            for (wrong, status) in [
                (filter(b"a", 3), MQTTP2P_E_INVALID_ARGUMENT),
                (filter(b"a#", 0), MQTTP2P_E_TOPIC_FILTER),
                (filter(b"\xff", 0), MQTTP2P_E_TEXT),
                (mqttp2p_filter_t { filter: mqttp2p_bytes_t { len: 1, ..NOTHING }, qos: 0 }, MQTTP2P_E_NULL),
            ] {
                // What is right before it is not accepted either.
                assert_eq!(subscribe(Heap::array(&[filter(b"a", 0), wrong]).at(), 2), status);
            }
            assert_eq!(c!(mqttp2p_unsubscribe(client, null(), 0, null_mut())), MQTTP2P_E_NO_FILTER);
            assert_eq!(c!(mqttp2p_unsubscribe(client, null(), 1, null_mut())), MQTTP2P_E_NULL);
            driver.sends(b"");
        },
    );
}

/// Whatever else is called, and also while more comes in behind it.
#[test]
fn a_message_lies_in_the_input_as_long_as_the_program_leaves_it_there() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            driver.receive(b"\x3b\x07\0\x01t\0\x07hi\x30\x04\0\x01uz");
            let first = driver.expect(MQTTP2P_EVENT_MESSAGE);
            assert_eq!((first.qos, first.retain, first.dup), (1, 1, 1));
            assert!(first.ack != 0);
            assert_eq!(driver.left(), 6);
            let second = driver.expect(MQTTP2P_EVENT_MESSAGE);
            assert_eq!((second.qos, second.retain, second.dup, second.ack), (0, 0, 0, 0));
            // An echo, from where they lie.
            for message in [&first, &second] {
                let (topic, payload) = (message.topic, message.data);
                ok!(mqttp2p_publish(driver.client(), topic, payload, 1, 0, null_mut()));
            }
            driver.sends(b"\x40\x02\0\x07\x32\x07\0\x01t\0\x01hi\x32\x06\0\x01u\0\x02z");
            assert_eq!((read(first.topic), read(first.data)), (b"t".to_vec(), b"hi".to_vec()));
            assert_eq!((read(second.topic), read(second.data)), (b"u".to_vec(), b"z".to_vec()));
            driver.receive(b"\x40\x02\0\x01\x40\x02\0\x02");
            driver.expect(MQTTP2P_EVENT_PUBLISHED);
            driver.expect(MQTTP2P_EVENT_PUBLISHED);
        },
    );
}

/// The input moves from poll to poll, so nothing may be remembered of where it was.
#[test]
fn a_message_that_comes_in_pieces_comes_once() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            let packets = b"\xd0\0\x34\x06\0\x01t\0\x09x";
            for byte in &packets[..packets.len() - 1] {
                driver.receive(&[*byte]);
                driver.sends(b"");
            }
            assert_eq!(driver.left(), packets.len() - 3);
            driver.receive(b"x\x34\x06");
            let message = driver.expect(MQTTP2P_EVENT_MESSAGE);
            assert_eq!((read(message.topic), read(message.data)), (b"t".to_vec(), b"x".to_vec()));
            driver.sends(b"\x50\x02\0\x09");
            // Again, but for what came already: it was delivered. And its end.
            driver.receive(b"\0\x01t\0\x09x\x62\x02\0\x09");
            driver.sends(b"\x50\x02\0\x09\x70\x02\0\x09");
            assert_eq!(driver.left(), 0);
        },
    );
}

#[test]
fn a_message_may_be_acknowledged_when_it_is_long_gone() {
    with_each_memory(
        |config| config.manual_ack = 1,
        |driver| {
            driver.go_online(0);
            driver.receive(b"\x32\x05\0\x01t\0\x07");
            let ack = driver.expect(MQTTP2P_EVENT_MESSAGE).ack;
            driver.forget_input();
            driver.sends(b"");
            for stale in [0, u64::MAX] {
                assert_eq!(c!(mqttp2p_acknowledge(driver.client(), stale)), MQTTP2P_E_STALE);
            }
            ok!(mqttp2p_acknowledge(driver.client(), ack));
            driver.sends(b"\x40\x02\0\x07");
        },
    );
}

#[test]
fn a_long_message_comes_in_parts_through_input_that_is_overwritten() {
    with_each_memory(
        |_| {},
        |driver| {
            ok!(mqttp2p_tell_in_parts(driver.client(), 16));
            driver.go_online(0);
            assert_eq!(c!(mqttp2p_tell_in_parts(driver.client(), 16)), MQTTP2P_E_IN_USE);
            driver.receive(b"\x32\x19\0\x01t\0\x0712345678");
            let begin = driver.expect(MQTTP2P_EVENT_MESSAGE_BEGIN);
            assert_eq!((begin.count, read(begin.topic)), (20, b"t".to_vec()));
            let mut payload = read(driver.expect(MQTTP2P_EVENT_MESSAGE_PART).data);
            for part in [&b"abc"[..], b"defghijk", b"l"] {
                driver.sends(b"");
                driver.forget_input();
                driver.receive(part);
                payload.extend(read(driver.expect(MQTTP2P_EVENT_MESSAGE_PART).data));
            }
            assert_eq!(payload, b"12345678abcdefghijkl");
            assert!(driver.expect(MQTTP2P_EVENT_MESSAGE_END).ack != 0);
            driver.sends(b"\x40\x02\0\x07");
        },
    );
}

#[test]
fn a_poll_that_is_wrong_gets_a_status_and_changes_nothing() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            driver.sends(b"");
            let (client, now) = (driver.client(), driver.now);
            let (input, action) = (Heap::of(b"\xd0\0"), Heap::new(size_of::<mqttp2p_action_t>() + 8));
            let (mut rx, mut len) = (input.at::<u8>().cast_const(), 2);
            let poll = |client, rx, len, action| c!(mqttp2p_poll(client, now, rx, len, action));
            let (to_rx, to_len) = (&raw mut rx, &raw mut len);
            assert_eq!(poll(null_mut(), to_rx, to_len, action.at()), MQTTP2P_E_NULL);
            assert_eq!(poll(client, to_rx, to_len, null_mut()), MQTTP2P_E_NULL);
            assert_eq!(poll(client, null_mut(), to_len, action.at()), MQTTP2P_E_NULL);
            assert_eq!(poll(client, to_rx, null_mut(), action.at()), MQTTP2P_E_NULL);
            let astray = action.at::<u8>().wrapping_add(1).cast();
            assert_eq!(poll(client, to_rx, to_len, astray), MQTTP2P_E_MISALIGNED);
            let mut nothing = null();
            assert_eq!(poll(client, &raw mut nothing, to_len, action.at()), MQTTP2P_E_NULL);
            // SAFETY: they are the test's.
            unsafe { to_len.write(usize::MAX) };
            assert_eq!(poll(client, to_rx, to_len, action.at()), MQTTP2P_E_TOO_LARGE);
            // SAFETY: they are the test's.
            unsafe { to_len.write(2) };
            assert_eq!(poll(client, to_rx, to_len, action.at()), MQTTP2P_WAIT);
            assert_eq!((rx, len), (input.at::<u8>().wrapping_add(2).cast_const(), 0));
            assert_eq!(poll(client, null_mut(), null_mut(), action.at()), MQTTP2P_WAIT);
        },
    );
}

#[test]
fn a_server_that_breaks_the_rules_is_left() {
    with_each_memory(
        |_| {},
        |driver| {
            for (wrong, reason, detail) in [
                (&b"\x30\x03\0\x01+"[..], MQTTP2P_REASON_MALFORMED, 0),
                (b"\x20\x02\0\0", MQTTP2P_REASON_UNEXPECTED, 2),
                (b"\x30\xff\xff\xff\x7f", MQTTP2P_REASON_PACKET_TOO_LARGE, 268_435_460),
            ] {
                driver.go_online(0);
                driver.receive(wrong);
                driver.expect(MQTTP2P_ACTION_CLOSE_TRANSPORT);
                let ended = driver.expect(MQTTP2P_EVENT_DISCONNECTED);
                assert_eq!((ended.reason, ended.detail), (reason, detail));
            }
        },
    );
}

#[test]
fn a_client_without_room_says_so_and_takes_more_later() {
    let mut driver = Driver::new(Kept::InProgram, |config| (config.requests, config.inbound) = (2, 1));
    driver.go_online(0);
    assert_eq!(driver.publish(b"t", b"1", 1), MQTTP2P_OK);
    assert_eq!(driver.publish(b"t", b"2", 1), MQTTP2P_OK);
    assert_eq!(driver.publish(b"t", b"3", 1), MQTTP2P_E_FULL);
    assert_eq!(driver.publish(b"t", &[0; 2000], 1), MQTTP2P_E_TOO_LARGE);
    driver.sends(b"\x32\x06\0\x01t\0\x011\x32\x06\0\x01t\0\x022");
    driver.receive(b"\x40\x02\0\x01");
    driver.expect(MQTTP2P_EVENT_PUBLISHED);
    assert_eq!(driver.publish(b"t", b"3", 1), MQTTP2P_OK);
    driver.sends(b"\x32\x06\0\x01t\0\x033");
    // Two messages of QoS 2, where there is room for one.
    driver.receive(b"\x34\x05\0\x01t\0\x01\x34\x05\0\x01t\0\x02");
    driver.expect(MQTTP2P_EVENT_MESSAGE);
    driver.expect(MQTTP2P_ACTION_CLOSE_TRANSPORT);
    assert_eq!(driver.expect(MQTTP2P_EVENT_DISCONNECTED).reason, MQTTP2P_REASON_INBOUND_FULL);
}

/// Each of the five parts, while bytes that lie in them are under way.
#[test]
fn memory_that_grows_keeps_what_it_holds() {
    let mut driver = Driver::new(Kept::OnHeap, |config| config.max_in_flight = 100);
    driver.go_online(0);
    // Outgoing bytes, when one has been written of the first packet.
    assert_eq!(driver.publish(b"t", &[b'a'; 3000], 1), MQTTP2P_OK);
    assert_eq!(driver.poll(), MQTTP2P_OK);
    let mut out = read(driver.action().data)[..1].to_vec();
    ok!(mqttp2p_transmitted(driver.client(), 1));
    assert_eq!(driver.publish(b"t", &[b'b'; 3000], 1), MQTTP2P_OK);
    while driver.poll() == MQTTP2P_OK {
        let data = driver.action().data;
        out.extend(read(data));
        assert!(c!(mqttp2p_transmitted(driver.client(), data.len)) >= 0);
    }
    let mut expected = b"\x32\xbd\x17\0\x01t\0\x01".to_vec();
    expected.extend([b'a'; 3000]);
    expected.extend(b"\x32\xbd\x17\0\x01t\0\x02");
    expected.extend([b'b'; 3000]);
    assert!(out == expected);
    driver.receive(b"\x40\x02\0\x01\x40\x02\0\x02");
    driver.expect(MQTTP2P_EVENT_PUBLISHED);
    driver.expect(MQTTP2P_EVENT_PUBLISHED);

    // Requests: there are 64 at first.
    let mut expected = Vec::new();
    for id in 3..73 {
        assert_eq!(driver.publish(b"t", b"", 1), MQTTP2P_OK);
        expected.extend([0x32, 5, 0, 1, b't', 0, id]);
    }
    driver.sends(&expected);
    for id in 3..73 {
        driver.receive(&[0x40, 2, 0, id]);
        driver.expect(MQTTP2P_EVENT_PUBLISHED);
    }

    // Subscriptions: there is room for none at first. What grows is listed from its new place.
    for (number, name) in [b"a/1", b"a/2", b"a/3"].into_iter().enumerate() {
        let text = Heap::of(name);
        let filter = Heap::array(&[mqttp2p_filter_t { filter: text.range(), qos: 1 }]);
        ok!(mqttp2p_subscribe(driver.client(), filter.at(), 1, null_mut()));
        driver.sends(&[&[0x82, 8, 0, 73 + number as u8, 0, 3], &name[..], &[1]].concat());
        driver.receive(&[0x90, 3, 0, 73 + number as u8, 1]);
        driver.expect(MQTTP2P_EVENT_SUBSCRIBED);
    }
    for (number, name) in [b"a/1", b"a/2", b"a/3"].into_iter().enumerate() {
        let mut there = mqttp2p_filter_t { filter: NOTHING, qos: 9 };
        ok!(mqttp2p_subscription(driver.client(), number, &raw mut there));
        assert_eq!(read(there.filter), name);
    }

    // Incoming messages of QoS 2, while one of them is looked at; and their acknowledgements.
    for id in 1..9 {
        driver.receive(&[0x34, 6, 0, 1, b't', 0, id, b'0' + id]);
        assert_eq!(read(driver.expect(MQTTP2P_EVENT_MESSAGE).data), [b'0' + id]);
    }
    driver.expect(MQTTP2P_ACTION_WAIT);

    // The log-in.
    driver.lose();
    ok!(mqttp2p_connect(driver.client(), driver.now));
    driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
    let (user, password) = (Heap::of(b"u"), Heap::of(&[b'p'; 2000]));
    let login = Heap::array(&[mqttp2p_login_t {
        user_name: user.range(),
        password: password.range(),
        ..crate::driver::login(b"c")
    }]);
    ok!(mqttp2p_transport_opened(driver.client(), driver.now, login.at()));
    drop((user, password, login));
    assert_eq!(driver.poll(), MQTTP2P_OK);
    let connect = read(driver.action().data);
    assert!(connect.starts_with(b"\x10\xe2\x0f\0\x04MQTT\x04\xc0\0\x3c\0\x01c\0\x01u\x07\xd0ppp"));
    assert_eq!(connect.len(), 3 + 10 + 3 + 3 + 2 + 2000);
}
