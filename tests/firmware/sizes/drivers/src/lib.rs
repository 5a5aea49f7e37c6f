//! What the programs of this directory share: the machine as the drivers want it, and what the application does.
#![no_std]

use mqtt_p2p_embedded::{
    Client, Clock, Config, Dial, Event, Inline, Instant, Login, Publication, QoS, SubscribeFilter, Timer,
    TopicFilter, TopicName, TransportError, blocking,
};
use mqtt_p2p_sizes::{Button, Socket, clock, consume, facts, open, sleep};

/// The client's memory, as in the firmware without a driver.
pub type Memory = Inline<{ facts::BUFFER }>;

/// Nobody publishes to it at QoS 2, nor does it.
pub const CONFIG: Config = Config::new().with_exactly_once(false);

/// Checked when the program is built, as what does not change can be.
const COMMANDS: TopicFilter<'_> = match TopicFilter::from_static(facts::COMMANDS) {
    Ok(filter) => filter,
    Err(_) => panic!("no topic filter"),
};
/// The same.
const NEIGHBOUR: TopicName<'_> = match TopicName::from_static(facts::NEIGHBOUR) {
    Ok(topic) => topic,
    Err(_) => panic!("no topic name"),
};

/// The log-in.
pub const fn login() -> Login<'static> {
    Login::new(facts::CLIENT_ID).with_password(facts::USER_NAME, facts::PASSWORD)
}

/// Does what the user wants.
pub fn act(client: &mut Client<Memory>, button: Button) {
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

/// Makes something of an event.
pub fn heed(event: &Event<'_>) {
    match event {
        Event::Message(message) => {
            consume(message.topic.as_bytes());
            consume(message.payload);
        }
        Event::Published { ticket, .. } => consume(&ticket.to_bits().to_be_bytes()),
        Event::Connected { .. } => consume(b"on"),
        Event::Refused { .. } | Event::Disconnected { .. } => consume(b"off"),
        _ => {}
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Time;

impl Clock for Time {
    fn now(&self) -> Instant {
        Instant::from_millis(u64::from(clock()))
    }
}

impl Timer for Time {
    async fn wait_until(&self, at: Instant) {
        core::future::poll_fn(|_| {
            if self.now() >= at { core::task::Poll::Ready(()) } else { core::task::Poll::Pending }
        })
        .await;
    }
}

impl blocking::Idle for Time {
    fn idle(&self) {
        sleep(clock().wrapping_add(100));
    }
}

/// The machine's transport.
#[derive(Clone, Copy, Debug)]
pub struct Line;

impl Dial for Line {
    type Connection<'c> = Socket;

    async fn dial(&mut self) -> Result<Socket, TransportError> {
        if open() { Ok(Socket) } else { Err(TransportError::Unreachable) }
    }
}
