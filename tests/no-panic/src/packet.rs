//! `mqtt-p2p-packet`: every packet both ways, topics, text, and the small values.

use core::num::NonZeroU16;

use mqtt_p2p_packet::{
    Ack, AckedQoS, ConnAck, Connect, Filters, Frame, Options, Packet, PacketId, PacketType, Protocol,
    Publish, QoS, ReasonCode, ReturnCodes, SubAck, Subscribe, SubscribeFilter, TopicFilter, TopicName,
    Unsubscribe, Will, decode, frame, is_text, packet_len,
};

use crate::{any, buffer, bytes, take, text};

pub fn all() {
    framing();
    topics();
    log_in();
    publications();
    subscriptions();
    acknowledgements();
    any_packet();
    values();
}

/// Any name at all, even one that no check has let through.
pub fn topic_name() -> Option<TopicName<'static>> {
    TopicName::new(text()).ok().map(any)
}

pub fn subscribe_filters() -> &'static [SubscribeFilter<'static>] {
    any(&[const { SubscribeFilter::new(TopicFilter::ALL, QoS::AtMostOnce) }])
}

pub fn topic_filters() -> &'static [TopicFilter<'static>] {
    any(&[TopicFilter::ALL])
}

pub fn will() -> Option<Will<'static>> {
    let will = Will::with_qos(Will::new(topic_name()?, bytes()), any(QoS::AtMostOnce));
    Some(Will::with_retain(will, any(false)))
}

fn any_frame() -> Frame<'static> {
    Frame { packet_type: any(PacketType::Publish), flags: any(0), body: bytes() }
}

fn protocol() -> Protocol {
    any(Protocol::V311)
}

fn packet_id() -> PacketId {
    any(PacketId::MIN)
}

fn framing() {
    take(frame(bytes(), any(0)));
    take(packet_len(bytes()));
    take(Frame::empty(&any_frame(), any(0_u8)));
    take(is_text(bytes()));
}

fn topics() {
    take(TopicName::new(text()));
    take(TopicName::from_static(text()));
    take(TopicName::from_bytes(bytes()));
    take(TopicFilter::new(text()));
    take(TopicFilter::from_static(text()));
    take(TopicFilter::from_bytes(bytes()));
    let filter = any(TopicFilter::ALL);
    take(TopicFilter::as_str(&filter));
    take(TopicFilter::as_bytes(&filter));
    take(TopicFilter::has_wildcards(&filter));
    if let Some(name) = topic_name() {
        take(TopicName::as_str(&name));
        take(TopicName::as_bytes(&name));
        take(TopicFilter::matches(&filter, name));
    }
}

fn log_in() {
    take(Connect::decode(&any_frame()));
    let connect = Connect::with_protocol(any(Connect::new(text())), protocol());
    let connect = Connect::with_keep_alive(Connect::with_clean_session(connect, any(false)), any(0));
    let mut connect = Connect::with_password(Connect::with_user_name(connect, text()), bytes());
    if let Some(will) = will() {
        connect = Connect::with_will(connect, will);
    }
    let connect = any(connect);
    take(Connect::encoded_len(&connect));
    take(Connect::encode(&connect, buffer!()));
    take(ConnAck::decode(&any_frame(), protocol()));
    take(ConnAck::new(any(false), any(ReasonCode::Success)));
}

fn publications() {
    take(Publish::decode(&any_frame()));
    take(Publish::decode_head(bytes(), any(0)));
    take(Publish::is_dup(bytes()));
    Publish::set_dup(buffer!(), any(false));
    if let Some(topic) = topic_name() {
        let delivery = any(Some((AckedQoS::AtLeastOnce, packet_id())));
        let publish = Publish::with_delivery(Publish::new(topic, bytes()), delivery);
        let publish = any(Publish::with_retain(Publish::with_dup(publish, any(false)), any(false)));
        take(Publish::qos(&publish));
        take(Publish::packet_id(&publish));
        take(Publish::encoded_len(&publish));
        take(Publish::encode(&publish, buffer!()));
    }
}

fn subscriptions() {
    let (filters, topics) = (subscribe_filters(), topic_filters());
    take(Filters::<SubscribeFilter<'_>>::from_encoded(bytes()));
    take(Filters::<TopicFilter<'_>>::from_encoded(bytes()));
    for filters in [Filters::new(filters), Filters::from_checked(bytes())].map(any) {
        Filters::iter(&filters).for_each(take);
        let subscribe = any(Subscribe::new(packet_id(), filters));
        take(Subscribe::encoded_len(&subscribe));
        take(Subscribe::encode(&subscribe, buffer!()));
        take(subscribe == any(subscribe));
    }
    for filters in [Filters::new(topics), Filters::from_checked(bytes())].map(any) {
        Filters::iter(&filters).for_each(take);
        let unsubscribe = any(Unsubscribe::new(packet_id(), filters));
        take(Unsubscribe::encoded_len(&unsubscribe));
        take(Unsubscribe::encode(&unsubscribe, buffer!()));
        take(unsubscribe == any(unsubscribe));
    }
    take(Subscribe::decode(&any_frame(), protocol()));
    take(Unsubscribe::decode(&any_frame(), protocol()));
}

fn acknowledgements() {
    take(Ack::decode(&any_frame(), protocol()));
    take(Ack::split_first(bytes(), any(PacketType::PubAck)));
    take(Ack::to_bytes(Ack::new(packet_id()), any(PacketType::PubAck)));
    take(SubAck::decode(&any_frame()));
    if let Ok(codes) = ReturnCodes::new(bytes()) {
        ReturnCodes::iter(&any(codes)).for_each(take);
        take(SubAck::new(packet_id(), any(codes)));
        take(ReturnCodes::len(&any(codes)));
        take(ReturnCodes::as_bytes(&any(codes)));
        take(ReturnCodes::all_granted(&any(codes)));
    }
}

fn any_packet() {
    let options = Options::max_packet_size(Options::protocol(Options::new(), protocol()), any(0));
    take(decode(bytes(), &any(options)));
    take(Packet::decode(&any_frame(), protocol()));
    // Of a type that is known only when it runs.
    let packet = any(Packet::PingReq);
    take(Packet::packet_type(&packet));
    take(Packet::encoded_len(&packet));
    take(Packet::encode(&packet, buffer!()));
}

fn values() {
    take(PacketId::new(any(0)));
    take(PacketId::get(packet_id()));
    take(PacketId::from(any(NonZeroU16::MIN)));
    take(QoS::from_bits(any(0)));
    take(Options::default());
    take(ReasonCode::from_u8(any(0)));
    take(ReasonCode::try_from(any(0_u8)));
    take(u8::from(any(ReasonCode::Success)));
    take(ReasonCode::from_connack(any(0)));
    take(ReasonCode::from_suback(any(0)));
    take(ReasonCode::connack_code(any(ReasonCode::Success)));
    take(ReasonCode::is_error(any(ReasonCode::Success)));
}
