//! Bytes and the packets they are, both directions. The bytes come from the examples and figures of the OASIS
//! standard MQTT 3.1.1 (by section), from the MQTT 3.1 specification, and are what Mosquitto's broker and tools
//! send; never from this crate's own encoder.

mod common;

use common::{V31, V311, decoded, encoded, filter, id, topic};
use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, Connect, Decoded, EncodeError, Filters, Framed, MAX_REMAINING_LENGTH, Options,
    Packet, PacketType, Protocol, Publish, QoS, ReasonCode, ReturnCodes, SubAck, Subscribe, SubscribeFilter,
    Unsubscribe, Will, decode, frame, packet_len,
};

/// `bytes` are read as `packet`, and `packet` is written as `bytes`.
#[track_caller]
fn both_ways(bytes: &[u8], options: &Options, packet: Packet<'_>) {
    assert_eq!(decoded(bytes, options), packet);
    assert_eq!(encoded(&packet).as_deref(), Ok(bytes));
    assert_eq!(packet_len(bytes), Some(bytes.len()));
    assert_eq!(Packet::packet_type(&packet) as u8, bytes[0] >> 4);
}

fn ack(packet_id: u16) -> Ack {
    Ack::new(id(packet_id))
}

fn asks<'a>(text: &'a str, qos: QoS) -> SubscribeFilter<'a> {
    SubscribeFilter::new(filter(text), qos)
}

// §1.5, §2.2: text and remaining length.

#[test]
fn text_beyond_the_basic_plane_is_utf8_as_in_the_example_of_1_5_3() {
    let a_and_u_2a6d4 = b"\x00\x05\x41\xf0\xaa\x9b\x94";
    both_ways(
        &[b"\x30\x07", &a_and_u_2a6d4[..]].concat(),
        &V311,
        Packet::Publish(Publish::new(topic("A\u{2A6D4}"), b"")),
    );
}

#[test]
fn a_zero_width_no_break_space_is_kept_wherever_it_is() {
    // §1.5.3, [MQTT-1.5.3-3]: EF BB BF is U+FEFF, and never to be skipped over or stripped off.
    both_ways(
        b"\x30\x09\x00\x07\xef\xbb\xbfa\xef\xbb\xbf",
        &V311,
        Packet::Publish(Publish::new(topic("\u{FEFF}a\u{FEFF}"), b"")),
    );
}

#[test]
fn the_remaining_length_has_as_many_digits_as_table_2_4_gives_it() {
    // §2.2.3: table 2.4, and 64 and 321 from the text above it.
    let table: [(usize, &[u8]); 9] = [
        (64, &[0x40]),
        (127, &[0x7f]),
        (128, &[0x80, 0x01]),
        (321, &[193, 2]),
        (16_383, &[0xff, 0x7f]),
        (16_384, &[0x80, 0x80, 0x01]),
        (2_097_151, &[0xff, 0xff, 0x7f]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (2_097_153, &[0x81, 0x80, 0x80, 0x01]),
    ];
    for (remaining, digits) in table {
        let payload = vec![0xa5; remaining - 3];
        let bytes = [b"\x30", digits, b"\x00\x01t", &payload].concat();
        both_ways(&bytes, &V311, Packet::Publish(Publish::new(topic("t"), &payload)));
    }
}

#[test]
fn the_largest_remaining_length_can_be_announced_and_one_more_can_not() {
    // §2.2.3: 268,435,455 (FF FF FF 7F) is the end of table 2.4. The payload's pages are never touched.
    let payload = vec![0; MAX_REMAINING_LENGTH - 2];
    let publish = |len: usize| Publish::new(topic("t"), &payload[..len]);
    assert_eq!(publish(MAX_REMAINING_LENGTH - 3).encoded_len(), Ok(268_435_460));
    assert_eq!(publish(MAX_REMAINING_LENGTH - 2).encoded_len(), Err(EncodeError::PacketTooLarge));
    assert_eq!(
        decode(b"\x30\xff\xff\xff\x7f", &V311),
        Ok(Decoded::Incomplete { needed: MAX_REMAINING_LENGTH })
    );
}

#[test]
fn a_remaining_length_with_more_digits_than_it_takes_is_read() {
    // MQTT 3.1.1 does not forbid it; MQTT 5 was the first to. It is never written.
    assert_eq!(decoded(b"\xc0\x80\x00", &V311), Packet::PingReq);
    assert_eq!(decoded(b"\x40\x82\x80\x80\x00\x00\x01", &V311), Packet::PubAck(ack(1)));
}

// §3.1: CONNECT.

#[test]
fn connect_has_the_variable_header_of_figure_3_6() {
    // §3.1.2: name MQTT, level 4, flags 1100 1110, keep alive 10; §3.1.3: the payload that these flags ask for.
    let bytes = b"\x10\x24\
        \x00\x04MQTT\x04\xce\x00\x0a\
        \x00\x04sn-1\x00\x03a/b\x00\x04gone\x00\x04user\x00\x01\xff";
    both_ways(
        bytes,
        &V311,
        Packet::Connect(
            Connect::new("sn-1")
                .with_keep_alive(10)
                .with_will(Will::new(topic("a/b"), b"gone").with_qos(QoS::AtLeastOnce))
                .with_user_name("user")
                .with_password(b"\xff"),
        ),
    );
}

#[test]
fn each_connect_flag_has_the_bit_of_section_3_1_2_3() {
    let plain = Connect::new("c").with_clean_session(false).with_keep_alive(0);
    let will = Will::new(topic("w"), b"");
    let with_will = |will| plain.with_will(will);
    let user = plain.with_user_name("u");
    let table: [(u8, Connect<'_>, &[u8]); 8] = [
        (0b0000_0000, plain, b""),
        (0b0000_0010, plain.with_clean_session(true), b""),
        (0b0000_0100, with_will(will), b"\x00\x01w\x00\x00"),
        (0b0000_1100, with_will(will.with_qos(QoS::AtLeastOnce)), b"\x00\x01w\x00\x00"),
        (0b0001_0100, with_will(will.with_qos(QoS::ExactlyOnce)), b"\x00\x01w\x00\x00"),
        (0b0010_0100, with_will(will.with_retain(true)), b"\x00\x01w\x00\x00"),
        (0b1000_0000, user, b"\x00\x01u"),
        (0b1100_0000, user.with_password(b"p"), b"\x00\x01u\x00\x01p"),
    ];
    for (flags, connect, payload) in table {
        let body = [b"\x00\x04MQTT\x04", &[flags][..], b"\x00\x00\x00\x01c", payload].concat();
        let bytes = [&[0x10, body.len() as u8][..], &body].concat();
        both_ways(&bytes, &V311, Packet::Connect(connect));
    }
}

#[test]
fn connect_of_mqtt_3_1_says_mqisdp_and_level_3() {
    // MQTT 3.1 §3.1, its example of a variable header: flags 1100 1110, keep alive 10.
    let bytes = b"\x10\x1d\
        \x00\x06MQIsdp\x03\xce\x00\x0a\
        \x00\x01c\x00\x03a/b\x00\x01w\x00\x01u\x00\x01p";
    let connect = Packet::Connect(
        Connect::new("c")
            .with_protocol(Protocol::V31)
            .with_keep_alive(10)
            .with_will(Will::new(topic("a/b"), b"w").with_qos(QoS::AtLeastOnce))
            .with_user_name("u")
            .with_password(b"p"),
    );
    both_ways(bytes, &V31, connect);
    // A server learns the edition from this packet, so it can't have set it before.
    both_ways(bytes, &V311, connect);
}

#[test]
fn connect_may_have_an_empty_client_identifier() {
    // §3.1.3.1, [MQTT-3.1.3-6].
    both_ways(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", &V311, Packet::Connect(Connect::new("")));
}

#[test]
fn an_empty_user_name_or_password_is_not_the_same_as_none() {
    // §3.1.3.4, §3.1.3.5: the flags say what is there; nothing says that it has a byte.
    both_ways(
        b"\x10\x10\x00\x04MQTT\x04\xc2\x00\x3c\x00\x00\x00\x00\x00\x00",
        &V311,
        Packet::Connect(Connect::new("").with_user_name("").with_password(b"")),
    );
}

#[test]
fn connect_from_mosquitto_pub_is_read() {
    // mosquitto_pub -V mqttv311 -i probe -u user -P secret
    both_ways(
        b"\x10\x1f\x00\x04MQTT\x04\xc2\x00\x3c\x00\x05probe\x00\x04user\x00\x06secret",
        &V311,
        Packet::Connect(Connect::new("probe").with_user_name("user").with_password(b"secret")),
    );
    // mosquitto_pub -V mqttv31 -i probe
    both_ways(
        b"\x10\x13\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x05probe",
        &V31,
        Packet::Connect(Connect::new("probe").with_protocol(Protocol::V31)),
    );
}

// §3.2: CONNACK.

#[test]
fn connack_has_the_return_codes_of_table_3_1() {
    let codes = [
        ReasonCode::Success,
        ReasonCode::UnsupportedProtocolVersion,
        ReasonCode::ClientIdentifierNotValid,
        ReasonCode::ServerUnavailable,
        ReasonCode::BadUserNameOrPassword,
        ReasonCode::NotAuthorized,
    ];
    for (code, reason) in (0..).zip(codes) {
        let connack = Packet::ConnAck(ConnAck::new(false, reason));
        both_ways(&[0x20, 0x02, 0x00, code], &V311, connack);
        both_ways(&[0x20, 0x02, 0x00, code], &V31, connack);
    }
}

#[test]
fn connack_of_mosquitto_with_a_session_says_session_present() {
    // §3.2.2.2.
    both_ways(b"\x20\x02\x01\x00", &V311, Packet::ConnAck(ConnAck::new(true, ReasonCode::Success)));
}

// §3.3: PUBLISH.

#[test]
fn publish_has_the_variable_header_of_figure_3_11() {
    // §3.3.2.3: topic a/b, packet identifier 10.
    let publish = Publish::new(topic("a/b"), b"").with_delivery(Some((AckedQoS::AtLeastOnce, id(10))));
    both_ways(b"\x32\x07\x00\x03a/b\x00\x0a", &V311, Packet::Publish(publish));
}

#[test]
fn each_flag_of_publish_has_the_bit_of_section_3_3_1() {
    let at_most_once = Publish::new(topic("a/b"), b"hi");
    let at_least_once = at_most_once.with_delivery(Some((AckedQoS::AtLeastOnce, id(10))));
    let exactly_once = at_most_once.with_delivery(Some((AckedQoS::ExactlyOnce, id(10))));
    let dup = |publish: Publish<'static>| publish.with_dup(true);
    let retain = |publish: Publish<'static>| publish.with_retain(true);
    for (first, publish) in [
        (0x30, at_most_once),
        (0x31, retain(at_most_once)),
        (0x32, at_least_once),
        (0x33, retain(at_least_once)),
        (0x34, exactly_once),
        (0x35, retain(exactly_once)),
        (0x3a, dup(at_least_once)),
        (0x3b, dup(retain(at_least_once))),
        (0x3c, dup(exactly_once)),
        (0x3d, dup(retain(exactly_once))),
    ] {
        let rest: &[u8] = match publish.qos() {
            QoS::AtMostOnce => b"\x07\x00\x03a/bhi",
            _ => b"\x09\x00\x03a/b\x00\x0ahi",
        };
        both_ways(&[&[first][..], rest].concat(), &V311, Packet::Publish(publish));
    }
}

#[test]
fn a_zero_byte_payload_is_valid() {
    // §3.3.3.
    both_ways(
        b"\x31\x05\x00\x03a/b",
        &V311,
        Packet::Publish(Publish::new(topic("a/b"), b"").with_retain(true)),
    );
}

// §3.4 to §3.7, §3.11: the acknowledgements.

#[test]
fn the_acknowledgements_have_the_fixed_headers_of_their_figures() {
    let both_editions = |bytes: &[u8], packet| {
        both_ways(bytes, &V311, packet);
        both_ways(bytes, &V31, packet);
    };
    both_editions(b"\x40\x02\x00\x0a", Packet::PubAck(ack(10)));
    both_editions(b"\x50\x02\x00\x0a", Packet::PubRec(ack(10)));
    both_editions(b"\x62\x02\x00\x0a", Packet::PubRel(ack(10)));
    both_editions(b"\x70\x02\x00\x0a", Packet::PubComp(ack(10)));
    both_editions(b"\xb0\x02\x00\x0a", Packet::UnsubAck(ack(10)));
}

#[test]
fn the_four_bytes_of_an_acknowledgement_are_those_of_its_packet() {
    for (packet_type, bytes) in [
        (PacketType::PubAck, *b"\x40\x02\x12\x34"),
        (PacketType::PubRec, *b"\x50\x02\x12\x34"),
        (PacketType::PubRel, *b"\x62\x02\x12\x34"),
        (PacketType::PubComp, *b"\x70\x02\x12\x34"),
        (PacketType::UnsubAck, *b"\xb0\x02\x12\x34"),
    ] {
        assert_eq!(ack(0x1234).to_bytes(packet_type), bytes);
    }
}

#[test]
fn a_packet_identifier_is_big_endian_and_goes_up_to_65_535() {
    // §2.3.1.
    both_ways(b"\x40\x02\x01\x02", &V311, Packet::PubAck(ack(258)));
    both_ways(b"\x40\x02\xff\xff", &V311, Packet::PubAck(ack(65_535)));
}

// §3.8, §3.9: SUBSCRIBE, SUBACK.

#[test]
fn subscribe_has_the_payload_of_the_example_of_3_8_3() {
    // §3.8.2: packet identifier 10; §3.8.3: a/b with QoS 1, c/d with QoS 2.
    both_ways(
        b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/d\x02",
        &V311,
        Packet::Subscribe(Subscribe::new(
            id(10),
            Filters::new(&[asks("a/b", QoS::AtLeastOnce), asks("c/d", QoS::ExactlyOnce)]),
        )),
    );
}

#[test]
fn suback_has_the_payload_of_the_example_of_3_9_3() {
    // §3.9.3: maximum QoS 0, maximum QoS 2, failure.
    let suback = SubAck::new(id(10), ReturnCodes::new(&[0x00, 0x02, 0x80]).expect("three return codes"));
    both_ways(b"\x90\x05\x00\x0a\x00\x02\x80", &V311, Packet::SubAck(suback));
    assert!(suback.return_codes.iter().eq([
        ReasonCode::Success,
        ReasonCode::GrantedQoS2,
        ReasonCode::UnspecifiedError
    ]));
    assert_eq!(suback.return_codes.len(), 3);
    assert!(!suback.return_codes.all_granted());
}

#[test]
fn suback_of_mosquitto_that_refuses_is_read_in_both_editions() {
    // MQTT 3.1 has no 0x80; Mosquitto sends it there too.
    let suback = Packet::SubAck(SubAck::new(id(1), ReturnCodes::new(&[0x80]).expect("a return code")));
    both_ways(b"\x90\x03\x00\x01\x80", &V311, suback);
    both_ways(b"\x90\x03\x00\x01\x80", &V31, suback);
}

#[test]
fn suback_of_mosquitto_that_grants_is_all_granted() {
    let Packet::SubAck(suback) = decoded(b"\x90\x03\x00\x01\x01", &V311) else { panic!("0x90 is SUBACK") };
    assert!(suback.return_codes.all_granted());
    assert!(suback.return_codes.iter().eq([ReasonCode::GrantedQoS1]));
}

// §3.10: UNSUBSCRIBE.

#[test]
fn unsubscribe_has_the_payload_of_the_example_of_3_10_3() {
    both_ways(
        b"\xa2\x0c\x00\x0a\x00\x03a/b\x00\x03c/d",
        &V311,
        Packet::Unsubscribe(Unsubscribe::new(id(10), Filters::new(&[filter("a/b"), filter("c/d")]))),
    );
}

// §3.12 to §3.14.

#[test]
fn pingreq_pingresp_and_disconnect_are_their_fixed_headers() {
    for options in [V31, V311] {
        both_ways(b"\xc0\x00", &options, Packet::PingReq);
        both_ways(b"\xd0\x00", &options, Packet::PingResp);
        both_ways(b"\xe0\x00", &options, Packet::Disconnect);
    }
}

// MQTT 3.1, where it differs.

#[test]
fn mqtt_3_1_lets_pubrel_subscribe_and_unsubscribe_carry_dup() {
    // MQTT 3.1 §3.6, §3.8, §3.10.
    assert_eq!(decoded(b"\x6a\x02\x00\x0a", &V31), Packet::PubRel(ack(10)));
    for (bytes, packet_type) in [
        (&b"\x8a\x08\x00\x0a\x00\x03a/b\x01"[..], PacketType::Subscribe),
        (b"\xaa\x07\x00\x0a\x00\x03a/b", PacketType::Unsubscribe),
    ] {
        assert_eq!(decoded(bytes, &V31).packet_type(), packet_type);
    }
}

#[test]
fn mqtt_3_1_leaves_the_first_byte_of_connack_unused() {
    // MQTT 3.1 §3.2: "reserved values. Not used."
    for first in 0..=0xff {
        assert_eq!(
            decoded(&[0x20, 0x02, first, 0x00], &V31),
            Packet::ConnAck(ConnAck::new(false, ReasonCode::Success))
        );
    }
}

// Packets one after the other.

#[test]
fn packets_of_one_read_come_apart_at_their_own_ends() {
    let mut rest = &b"\x20\x02\x00\x00\x90\x03\x00\x01\x01\x30\x07\x00\x03a/bhi\xd0\x00"[..];
    let mut types = Vec::new();
    while !rest.is_empty() {
        let Ok(Framed::Complete(found, behind)) = frame(rest, u32::MAX) else {
            panic!("{rest:02x?} starts with a whole packet")
        };
        assert_eq!(packet_len(rest), Some(rest.len() - behind.len()));
        types.push(found.packet_type);
        rest = behind;
    }
    assert_eq!(types, [PacketType::ConnAck, PacketType::SubAck, PacketType::Publish, PacketType::PingResp]);
}

#[test]
fn the_length_of_a_packet_is_known_from_its_fixed_header_on() {
    let packet = b"\x30\x80\x01".iter().copied().chain([0; 128]).collect::<Vec<_>>();
    for there in 0..=packet.len() {
        assert_eq!(packet_len(&packet[..there]), if there < 3 { None } else { Some(131) });
    }
    assert_eq!(packet_len(b"\xf0\x00"), None);
    assert_eq!(packet_len(b"\x30\x80\x80\x80\x80"), None);
}
