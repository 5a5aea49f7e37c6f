//! What can't be written is refused, before a byte of it is; and what the values say of themselves.

mod common;

use common::{V311, encoded, filter, id, topic};
use mqtt_p2p_packet::{
    Ack, ConnAck, Connect, DecodeError, EncodeError, Filters, Options, Packet, PacketId, Publish, QoS,
    ReasonCode, ReturnCodes, Subscribe, SubscribeFilter, TopicError, TopicFilter, TopicName, Unsubscribe,
    Will,
};

/// Neither has a length nor is written.
#[track_caller]
fn refused(packet: Packet<'_>, error: EncodeError) {
    let mut buffer = vec![0xa5; 140_000];
    assert_eq!(packet.encode(&mut buffer), Err(error));
    assert!(buffer.iter().all(|byte| *byte == 0xa5), "nothing was written");
    assert!(error.to_string().len() > 4);
}

#[test]
fn a_field_of_connect_over_65_535_bytes_is_refused() {
    // §1.5.3.
    let text = "x".repeat(65_536);
    let will = Will::new(topic("w"), text.as_bytes());
    let user = Connect::new("c").with_user_name("u");
    for connect in [
        Connect::new(&text),
        user.with_will(will),
        user.with_user_name(&text),
        user.with_password(text.as_bytes()),
    ] {
        assert_eq!(connect.encoded_len(), Err(EncodeError::FieldTooLong));
        refused(Packet::Connect(connect), EncodeError::FieldTooLong);
    }
}

#[test]
fn a_field_of_65_535_bytes_is_written() {
    let text = "x".repeat(65_535);
    let connect = Connect::new(&text).with_user_name(&text).with_password(text.as_bytes());
    let size = 4 + 10 + 3 * (2 + 65_535);
    assert_eq!(encoded(&Packet::Connect(connect)).map(|bytes| bytes.len()), Ok(size));
}

#[test]
fn nul_in_client_identifier_or_user_name_is_refused() {
    // [MQTT-1.5.3-2]. Topics can't have it: their types check.
    let user_name = Connect::new("c").with_user_name("a\0");
    for connect in [Connect::new("\0"), user_name] {
        refused(Packet::Connect(connect), EncodeError::InvalidText);
    }
}

#[test]
fn a_password_without_a_user_name_is_refused() {
    // [MQTT-3.1.2-22].
    let connect = Connect::new("c").with_password(b"p");
    refused(Packet::Connect(connect), EncodeError::PasswordWithoutUserName);
}

#[test]
fn an_empty_client_identifier_is_refused_for_a_session_that_is_to_be_kept() {
    let connect = Connect::new("").with_clean_session(false);
    refused(Packet::Connect(connect), EncodeError::EmptyClientId);
    assert!(Packet::Connect(connect.with_clean_session(true)).encoded_len().is_ok());
}

#[test]
fn subscribe_and_unsubscribe_without_a_topic_filter_are_refused() {
    // [MQTT-3.8.3-3], [MQTT-3.10.3-2].
    refused(Packet::Subscribe(Subscribe::new(id(1), Filters::new(&[]))), EncodeError::EmptyList);
    refused(Packet::Unsubscribe(Unsubscribe::new(id(1), Filters::new(&[]))), EncodeError::EmptyList);
}

#[test]
fn connack_refuses_what_table_3_1_has_no_code_for() {
    // [MQTT-3.2.2-4] for the last.
    for (session_present, reason) in [
        (false, ReasonCode::GrantedQoS1),
        (false, ReasonCode::UnspecifiedError),
        (true, ReasonCode::NotAuthorized),
    ] {
        let connack = ConnAck::new(session_present, reason);
        assert_eq!(Packet::ConnAck(connack).encoded_len(), Err(EncodeError::InvalidConnAck));
        refused(Packet::ConnAck(connack), EncodeError::InvalidConnAck);
    }
}

#[test]
fn a_list_of_topic_filters_over_the_largest_packet_is_refused() {
    // 4,096 filters of 65,535 bytes and their lengths: 268,443,648 bytes.
    let text = "x".repeat(65_535);
    let filters = vec![filter(&text); 4_096];
    let unsubscribe = Unsubscribe::new(id(1), Filters::new(&filters));
    assert_eq!(unsubscribe.encoded_len(), Err(EncodeError::PacketTooLarge));
    refused(Packet::Unsubscribe(unsubscribe), EncodeError::PacketTooLarge);
}

#[test]
fn dup_is_left_out_of_qos_0() {
    // [MQTT-3.3.1-2].
    let publish = Publish::new(topic("t"), b"").with_dup(true);
    assert_eq!(encoded(&Packet::Publish(publish)).as_deref(), Ok(&b"\x30\x03\x00\x01t"[..]));
}

#[test]
fn a_longer_buffer_is_left_alone_behind_the_packet() {
    let mut buffer = [0xa5; 8];
    let ack = Ack::new(id(1));
    assert_eq!(Packet::PubAck(ack).encode(&mut buffer), Ok(4));
    assert_eq!(buffer, *b"\x40\x02\x00\x01\xa5\xa5\xa5\xa5");
}

#[test]
fn topics_are_refused_with_the_reason() {
    let long = "x".repeat(65_536);
    for (text, name, filter) in [
        ("", Err(TopicError::Empty), Err(TopicError::Empty)),
        (&long, Err(TopicError::TooLong), Err(TopicError::TooLong)),
        ("a\0", Err(TopicError::InvalidText), Err(TopicError::InvalidText)),
        ("a/+", Err(TopicError::WildcardInName), Ok(())),
        ("a/#", Err(TopicError::WildcardInName), Ok(())),
        ("a+", Err(TopicError::WildcardInName), Err(TopicError::MisplacedWildcard)),
        ("#/a", Err(TopicError::WildcardInName), Err(TopicError::MisplacedWildcard)),
        (&long[1..], Ok(()), Ok(())),
    ] {
        assert_eq!(TopicName::new(text).map(drop), name);
        assert_eq!(TopicFilter::new(text).map(drop), filter);
        for error in [name, filter].into_iter().filter_map(Result::err) {
            assert!(error.to_string().len() > 4);
        }
    }
    assert_eq!(TopicName::from_bytes(b"\xff"), Err(TopicError::InvalidText));
    assert_eq!(TopicFilter::from_bytes(b"\xff"), Err(TopicError::InvalidText));
}

#[test]
fn only_the_return_codes_of_suback_make_a_list() {
    // [MQTT-3.9.3-2].
    for code in 0..=0xff {
        let valid = matches!(code, 0 | 1 | 2 | 0x80);
        assert_eq!(ReturnCodes::new(&[code]).is_ok(), valid, "{code:#04x}");
        assert_eq!(ReasonCode::from_suback(code).is_some(), valid, "{code:#04x}");
    }
    assert_eq!(ReturnCodes::new(&[]), Err(DecodeError::EmptyList));
}

#[test]
fn only_0_to_5_are_return_codes_of_connack_and_come_back() {
    // Table 3.1.
    for code in 0..=0xff {
        let reason = ReasonCode::from_connack(code);
        assert_eq!(reason.is_some(), code <= 5);
        if let Some(reason) = reason {
            assert_eq!(reason.connack_code(), Some(code));
            assert_eq!(reason.is_error(), code != 0);
        }
    }
}

#[test]
fn neither_0_nor_3_get_where_they_do_not_belong() {
    assert_eq!(PacketId::new(0), None);
    assert_eq!(QoS::from_bits(3), None);
    assert_eq!(QoS::from_bits(2), Some(QoS::ExactlyOnce));
}

#[test]
fn debug_of_a_log_in_shows_no_credentials() {
    let connect = Connect::new("c").with_user_name("alice").with_password(b"secret");
    let shown = format!("{:?} {connect:#?}", Packet::Connect(connect));
    let secret_bytes = format!("{:?}", b"secret");
    assert!(!shown.contains("alice") && !shown.contains("secret") && !shown.contains(&secret_bytes));
    assert!(shown.contains("hidden"));
}

#[test]
fn debug_of_bytes_that_came_shows_no_credentials_in_them() {
    let connect = Connect::new("c").with_user_name("alice").with_password(b"secret");
    let mut bytes = [0; 64];
    let len = connect.encode(&mut bytes).unwrap();
    let framed = mqtt_p2p_packet::frame(&bytes[..len], u32::MAX).unwrap();
    assert_eq!(format!("{framed:?}"), "Complete(Frame(Connect, flags 0x0, 28 bytes), 0 bytes)");
    assert_eq!(
        format!("{:?}", mqtt_p2p_packet::frame(b"\x30\x05", u32::MAX).unwrap()),
        "Incomplete(5 bytes needed)"
    );
}

#[test]
fn lists_are_equal_by_their_entries_wherever_they_come_from() {
    let one = SubscribeFilter::new(filter("a"), QoS::AtMostOnce);
    let other_qos = SubscribeFilter::new(one.filter, QoS::AtLeastOnce);
    let encoded = Filters::from_encoded(b"\x00\x01a\x00").expect("one entry");
    assert_eq!(encoded, Filters::new(&[one]));
    assert_ne!(encoded, Filters::new(&[one, one]));
    assert_ne!(encoded, Filters::new(&[other_qos]));
    assert_eq!(format!("{encoded:?}"), format!("{:?}", [one]));
}

#[test]
fn an_encoded_list_is_checked_as_in_its_packet() {
    for (entries, error) in [
        (&b""[..], DecodeError::EmptyList),
        (b"\x00\x01a", DecodeError::Truncated),
        (b"\x00\x01a\x03", DecodeError::InvalidQoS),
        (b"\x00\x02a#\x00", DecodeError::InvalidTopicFilter),
    ] {
        assert_eq!(Filters::<SubscribeFilter<'_>>::from_encoded(entries), Err(error));
    }
    let unsubscribe = Filters::<TopicFilter<'_>>::from_encoded(b"\x00\x01a\x00\x01b");
    assert_eq!(unsubscribe, Ok(Filters::new(&[filter("a"), filter("b")])));
}

#[test]
fn the_default_options_are_mqtt_3_1_1_without_a_limit_of_their_own() {
    assert_eq!(Options::default(), V311);
    assert_eq!(Options::default().max_packet_size, 268_435_460);
}

#[test]
fn dup_is_set_and_cleared_in_place_where_it_has_one() {
    for (before, with, without) in [
        (0x32, 0x3a, 0x32),
        (0x35, 0x3d, 0x35),
        (0x3c, 0x3c, 0x34),
        // QoS 0, with RETAIN; and no PUBLISH.
        (0x31, 0x31, 0x31),
        (0x62, 0x62, 0x62),
        (0x82, 0x82, 0x82),
    ] {
        for (dup, after) in [(true, with), (false, without)] {
            let mut packet = [before, 0];
            Publish::set_dup(&mut packet, dup);
            assert_eq!(packet, [after, 0], "{before:#04x}, {dup}");
            assert_eq!(Publish::is_dup(&packet), after & 0xf8 == 0x38, "{after:#04x}");
        }
    }
    assert!(
        !Publish::is_dup(&[])
            && !Publish::is_dup(&[0x32])
            && Publish::is_dup(&[0x3a])
            && !Publish::is_dup(&[0x6a])
    );
}
