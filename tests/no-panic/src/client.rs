//! `mqtt-p2p-core`: a client with everything that is optional, in memory of its own and in the caller's.

use mqtt_p2p_core::{
    AckToken, Action, Backoff, Change, Client, Config, Crc32, DisconnectReason, Event, FixedConfig,
    HeldEvent, InboundId, Inline, Instant, Key, Limits, Login, Memory, Message, Need, Offline, PacketId,
    Protocol, Publication, QoS, Request, Resubscribe, SessionStore, Settings, Storage, Ticket,
    TransportError,
};

use crate::packet::{subscribe_filters, topic_filters, topic_name, will};
use crate::{any, bytes, take, text};

pub fn all() {
    chosen(Inline::<64>::new());
    chosen(any(Inline::<64, 2, 80, 32, 2>::default()));
    chosen(
        Memory::new(any(&mut [0; 8]), any(&mut [Request::EMPTY; 2]), any(&mut [0; 8]))
            .with_subscriptions(any(&mut [0; 8]))
            .with_inbound(any(&mut [InboundId::EMPTY; 2]))
            .with_growable(any(false)),
    );
    chosen(More);
    client(any(Client::fixed(Fixed, any(0), Inline::<64>::new())));
    held();
    values();
    builders();
}

/// Memory that says that there is more.
struct More;

impl Storage for More {
    fn memory(&mut self) -> Memory<'_> {
        Memory::new(any(&mut []), any(&mut []), any(&mut []))
            .with_subscriptions(any(&mut []))
            .with_inbound(any(&mut []))
            .with_growable(any(true))
    }

    fn grow(&mut self, need: Need) -> bool {
        take(need);
        any(false)
    }
}

/// Shows any records at all.
struct Store;

impl SessionStore for Store {
    type Error = u8;

    fn put(&mut self, key: Key, value: &[u8]) -> Result<(), u8> {
        take((key, value));
        any(Ok(()))
    }

    fn remove(&mut self, key: Key) -> Result<(), u8> {
        take(key);
        any(Ok(()))
    }

    fn load(&mut self, show: &mut dyn FnMut(Key, &[u8])) -> Result<(), u8> {
        while any(true) {
            show(any(Key::Subscriptions), bytes());
        }
        any(Ok(()))
    }
}

fn now() -> Instant {
    any(Instant::from_millis(0))
}

/// All that can be left out, settled when this is built.
struct Fixed;

impl FixedConfig for Fixed {
    const CONFIG: Config =
        Config::new().with_keep_session(true).with_max_requests_per_sec(20).with_max_whole_message(1_000);
}

/// A client of any configuration.
fn chosen<S: Storage>(storage: S) {
    let mut chosen = any(Client::new(any(Config::new()), any(0), storage));
    take(Client::keep_session(any(&mut chosen)));
    take(Client::pace(any(&mut chosen), any(0)));
    take(Client::tell_in_parts(any(&mut chosen), any(0)));
    take(Client::set_protocol(any(&mut chosen), any(mqtt_p2p_core::Protocol::V31)));
    client(chosen);
}

/// A client in any state: nothing is known of it, but its type, between two calls.
fn client<S: Storage, C: Settings>(mut client: Client<S, C>) {
    let client = any(&mut client);
    take(Client::restore(any(&mut *client), any(&mut Store)));
    take(Client::import_session(any(&mut *client), bytes()));
    take(Client::export_session(any(&mut *client), crate::buffer!()));

    Client::connect(any(&mut *client), now());
    let mut login = any(Login::with_password(Login::new(text()), text(), bytes()));
    if let Some(will) = will() {
        login = Login::with_will(login, will);
    }
    Client::transport_opened(any(&mut *client), now(), &any(login));
    let mut received = bytes();
    loop {
        let action = Client::poll(any(&mut *client), now(), &mut received);
        if let Action::Transmit(bytes) = action {
            take(bytes);
            Client::transmitted(any(&mut *client), any(0));
        } else {
            take(action);
        }
        if any(false) {
            break;
        }
        received = bytes();
    }
    Client::transport_closed(any(&mut *client), now(), any(TransportError::ClosedByPeer));
    Client::disconnect(any(&mut *client), now());
    Client::ping(any(&mut *client));
    Client::pause(any(&mut *client), now());
    Client::resume(any(&mut *client), now());
    take(Client::is_waiting(any(&*client)));
    take(Client::requests_in_use(any(&mut *client)));
    Client::hold_reading(any(&mut *client), now(), any(false));

    if let Some(topic) = topic_name() {
        let publication =
            Publication::new(topic, bytes()).with_qos(any(QoS::AtMostOnce)).with_retain(any(false));
        take(Client::publish(any(&mut *client), &any(publication)));
        take(Client::publish_alone(any(&mut *client), topic, bytes()));
    }
    take(Client::subscribe(any(&mut *client), subscribe_filters()));
    take(Client::unsubscribe(any(&mut *client), topic_filters()));
    if let Some(token) = AckToken::from_bits(any(0)) {
        take(Client::acknowledge(any(&mut *client), token));
    }
    Client::abandon(any(&mut *client));
    if let Some(ticket) = Ticket::from_bits(any(0)) {
        take(Client::cancel(any(&mut *client), ticket));
    }

    take(Client::due_at(any(&*client)));
    take(Client::is_connected(any(&*client)));
    take(Client::awaits_ping(any(&*client)));
    take(Client::has_left(any(&*client)));
    take(Client::is_idle(any(&*client)));
    take(Client::config(any(&*client)));
    take(Client::stats(any(&*client)));
    take(Client::in_flight(any(&*client)));
    Client::requests(any(&mut *client)).for_each(take);
    Client::subscriptions(any(&mut *client)).for_each(take);
}

/// An event that is carried out of its loan.
fn held() {
    let event = any(Event::MessagePart(bytes()));
    let held = any(Event::hold(event, bytes()));
    take(HeldEvent::event(held, bytes()));
}

/// The builders, each by its name.
fn builders() {
    let config = any(Config::new());
    take(Config::with_protocol(config, any(Protocol::V31)));
    take(Config::with_clean_session(config, any(true)));
    take(Config::with_keep_alive_secs(config, any(30)));
    take(Config::with_ping_timeout_ms(config, any(1_000)));
    take(Config::with_connect_timeout_ms(config, any(1_000)));
    take(Config::with_backoff(config, any(Backoff::Fixed { delay_ms: 1 })));
    take(Config::with_stable_after_ms(config, any(0)));
    take(Config::with_takeover_delay_ms(config, any(0)));
    take(Config::with_max_in_flight(config, any(1)));
    take(Config::with_pass_window(config, any(true)));
    take(Config::with_max_packet_size(config, any(1_000)));
    take(Config::with_resubscribe(config, any(Resubscribe::Never)));
    take(Config::with_offline(config, any(Offline::Refuse)));
    take(Config::with_manual_ack(config, any(true)));
    take(Config::with_exactly_once(config, any(false)));
    take(Config::with_keep_session(config, any(true)));
    take(Config::with_max_requests_per_sec(config, any(20)));
    take(Config::with_max_whole_message(config, any(1_000)));
    take(Config::with_tell_qos_0(config, any(false)));
    take(Config::with_limits(config, any(Limits::none())));
    let limits = any(Limits::none());
    take(Limits::with_max_payload(limits, any(1)));
    take(Limits::with_max_subscriptions(limits, any(1)));
    take(Limits::with_retain(limits, any(false)));
    take(Limits::with_will(limits, any(false)));
    take(Limits::with_max_keep_alive_secs(limits, any(1)));
    let login = any(Login::new(text()));
    take(Login::with_user_name(login, text()));
    take(Login::with_password(login, text(), bytes()));
    if let Some(will) = will() {
        take(Login::with_will(login, will));
    }
    if let Some(topic) = topic_name() {
        let publication = any(Publication::new(topic, bytes()));
        take(Publication::with_qos(publication, any(QoS::ExactlyOnce)));
        take(Publication::with_retain(publication, any(true)));
        take(Message::new(topic, bytes()));
    }
    let memory = Memory::new(any(&mut []), any(&mut []), any(&mut []));
    let memory = Memory::with_subscriptions(memory, any(&mut []));
    let memory = Memory::with_inbound(memory, any(&mut []));
    take(Memory::with_growable(memory, any(true)).growable);
}

fn values() {
    take(SessionStore::commit(&mut Store));
    take(Memory::memory(&mut More.memory()).growable);
    take(Storage::grow(&mut Inline::<1>::new(), any(Need::Requests)));
    take(any(Inline::<64>::new()).clone());
    take(Config::default());
    take(Limits::none());
    take(DisconnectReason::advice(&any(DisconnectReason::Requested)));
    take(DisconnectReason::from(any(mqtt_p2p_core::DecodeError::InvalidText)));
    take(TransportError::advice(&any(TransportError::ClosedByPeer)));
    take(mqtt_p2p_core::Error::from(any(mqtt_p2p_core::EncodeError::PacketTooLarge)));
    take(mqtt_p2p_core::SessionError::from(any(mqtt_p2p_core::Error::Stale)));
    let mut crc = any(Crc32::new());
    Crc32::update(any(&mut crc), bytes());
    take(Crc32::value(any(&crc)));
    take(Key::to_bytes(any(Key::Received(PacketId::MIN))));
    take(Key::from_bytes(bytes()));
    take(any(Change::Remove { key: Key::Subscriptions }) == any(Change::Remove { key: Key::Subscriptions }));
    if let Some(token) = AckToken::from_bits(any(0)) {
        take(AckToken::to_bits(any(token)));
    }
    if let Some(ticket) = Ticket::from_bits(any(0)).map(any) {
        take(Ticket::packet_id(ticket));
        take(Ticket::generation(ticket));
        take(Ticket::index(ticket));
        take(Ticket::to_bits(ticket));
    }
    take(Instant::as_millis(now()));
    take(Instant::after_millis(now(), any(0)));
    take(Instant::millis_since(now(), now()));
}
