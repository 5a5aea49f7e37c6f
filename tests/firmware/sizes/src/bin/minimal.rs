//! The firmware with a client: connect, subscribe, publish at QoS 1, receive, keep alive, reconnect.
#![no_std]
#![no_main]

use mqtt_p2p_core::{
    Action, Client, Config, Event, FixedConfig, Inline, Instant, Login, Publication, QoS, SubscribeFilter,
    TopicFilter, TopicName, TransportError,
};
use mqtt_p2p_sizes::{
    Button, begin, button, clock, close, consume, facts, in_static, is_open, open, receive, sleep, transmit,
};

/// What goes out, what is under way, and the rest that is not the client's own.
type Memory = &'static mut Inline<{ facts::BUFFER }>;

/// Nobody publishes to it at QoS 2, nor does it.
struct Device;

impl FixedConfig for Device {
    // Its memory holds fewer requests than the in-flight window: none has to pass others that wait for it.
    const CONFIG: Config = Config::new().with_exactly_once(false).with_pass_window(false);
}

/// Sizes on this target: each type's is the length of its symbol. They take no flash.
mod types {
    #[used]
    #[unsafe(link_section = ".types")]
    static CLIENT_WITHOUT_BUFFERS: [u8; size_of::<
        mqtt_p2p_core::Client<mqtt_p2p_core::Inline<0, 0, 0, 0, 0>, super::Device>,
    >()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static CLIENT: [u8; size_of::<mqtt_p2p_core::Client<super::Memory, super::Device>>()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static ACTION: [u8; size_of::<mqtt_p2p_core::Action<'_, '_>>()] = [1; _];
    #[used]
    #[unsafe(link_section = ".types")]
    static REQUEST: [u8; size_of::<mqtt_p2p_core::Request>()] = [1; _];
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let memory = in_static!(const Inline<{ facts::BUFFER }>, Inline::new());
    let client = in_static!(Client<Memory, Device>, Client::fixed(Device, u64::from(clock()), memory));
    let buffer = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    begin();
    let mut filled = 0;
    client.connect(now());
    loop {
        if !is_open() {
            client.transport_closed(now(), TransportError::ClosedByPeer);
        }
        filled += receive(buffer.get_mut(filled..).unwrap_or_default());
        act(client, button());
        let mut received = buffer.get(..filled).unwrap_or_default();
        while perform(client, &mut received) {}
        let taken = filled.saturating_sub(received.len());
        if taken <= filled && filled <= buffer.len() {
            buffer.copy_within(taken..filled, 0);
            filled -= taken;
        }
    }
}

fn now() -> Instant {
    Instant::from_millis(u64::from(clock()))
}

/// Checked when the program is built, as what does not change can be.
const COMMANDS: TopicFilter<'_> = match TopicFilter::from_static(facts::COMMANDS) {
    Ok(filter) => filter,
    Err(_) => panic!("no topic filter"),
};
const NEIGHBOUR: TopicName<'_> = match TopicName::from_static(facts::NEIGHBOUR) {
    Ok(topic) => topic,
    Err(_) => panic!("no topic name"),
};

/// Does what the user wants.
fn act(client: &mut Client<Memory, Device>, button: Button) {
    let accepted = match button {
        Button::None => return,
        Button::Subscribe => client.subscribe(&[SubscribeFilter::new(COMMANDS, QoS::AtLeastOnce)]),
        Button::Publish => {
            client.publish(&Publication::new(NEIGHBOUR, &clock().to_be_bytes()).with_qos(QoS::AtLeastOnce))
        }
    };
    if accepted.is_err() {
        consume(b"full");
    }
}

/// Does what the client wants; `false` when it waits.
fn perform(client: &mut Client<Memory, Device>, received: &mut &[u8]) -> bool {
    match client.poll(now(), received) {
        Action::OpenTransport { .. } => {
            if open() {
                let login = Login::new(facts::CLIENT_ID).with_password(facts::USER_NAME, facts::PASSWORD);
                client.transport_opened(now(), &login);
            } else {
                client.transport_closed(now(), TransportError::Unreachable);
            }
        }
        Action::Transmit(bytes) => {
            let sent = transmit(bytes);
            client.transmitted(sent);
            return sent > 0;
        }
        Action::CloseTransport => close(),
        Action::Event(Event::Message(message)) => {
            consume(message.topic.as_bytes());
            consume(message.payload);
        }
        Action::Event(Event::Published { ticket, .. }) => consume(&ticket.to_bits().to_be_bytes()),
        Action::Event(Event::Connected { .. }) => consume(b"on"),
        Action::Event(Event::Refused { .. } | Event::Disconnected { .. }) => consume(b"off"),
        // Nothing is kept over a restart.
        Action::Event(_) | Action::Store(_) => {}
        Action::Wait(until) => {
            sleep(until.map_or(u32::MAX, |until| until.as_millis() as u32));
            return false;
        }
    }
    true
}
