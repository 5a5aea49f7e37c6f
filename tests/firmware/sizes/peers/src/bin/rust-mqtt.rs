//! The firmware with rust-mqtt, a client for MQTT 5 that keeps track of what is acknowledged. Pings, dialling again and
//! when, subscribing again, and the publication that is sent again are the program's.
#![no_std]
#![no_main]

use core::num::NonZero;
use core::task::Poll;

use mqtt_p2p_sizes::{
    Button, Socket, block_on, button, clock, close, consume, facts, in_static, once, open, pause,
};
use rust_mqtt::Bytes;
use rust_mqtt::buffer::BumpBuffer;
use rust_mqtt::client::event::Event;
use rust_mqtt::client::options::{ConnectOptions, PublicationOptions, SubscriptionOptions, TopicReference};
use rust_mqtt::config::KeepAlive;
use rust_mqtt::types::{MqttBinary, MqttString, PacketIdentifier, TopicFilter, TopicName};

type Client = rust_mqtt::client::Client<'static, 'static, Socket, BumpBuffer<'static>, 1, 4, 4, 0, 0, 0, 0>;

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let memory = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    let buffer = in_static!(BumpBuffer<'static>, BumpBuffer::new(memory));
    let client = in_static!(Client, Client::new(buffer));
    block_on(|| device(client))
}

/// What the program keeps for the next connection.
struct Kept {
    subscribed: bool,
    reading: [u8; 4],
    /// Of the reading, while it is not acknowledged.
    id: Option<PacketIdentifier>,
}

async fn device(client: &'static mut Client) {
    let mut kept = Kept { subscribed: false, reading: [0; 4], id: None };
    loop {
        if open() {
            let mut alive = connect(client, &mut kept).await;
            let mut ping_at = next_ping();
            while alive {
                alive = match button() {
                    Button::None => true,
                    Button::Subscribe => {
                        kept.subscribed = true;
                        subscribe(client).await
                    }
                    Button::Publish => publish(client, &mut kept).await,
                };
                if alive && clock().wrapping_sub(ping_at) as i32 >= 0 {
                    ping_at = next_ping();
                    alive = client.ping().await.is_ok();
                }
                alive = alive && step(client, &mut kept).await;
            }
            let _ = client.abort().await;
            consume(b"off");
            close();
        }
        pause().await;
    }
}

fn next_ping() -> u32 {
    clock().wrapping_add(u32::from(facts::KEEP_ALIVE) * 1_000 / 2)
}

async fn connect(client: &mut Client, kept: &mut Kept) -> bool {
    let keep_alive = NonZero::new(facts::KEEP_ALIVE).map_or(KeepAlive::Infinite, KeepAlive::Seconds);
    let mut options = ConnectOptions::new().keep_alive(keep_alive);
    let (Ok(name), Ok(password), Ok(id)) = (
        MqttString::from_str(facts::USER_NAME),
        MqttBinary::from_slice(facts::PASSWORD),
        MqttString::from_str(facts::CLIENT_ID),
    ) else {
        return false;
    };
    options = options.user_name(name).password(password);
    let present = match client.connect(Socket, &options, Some(id)).await {
        Ok(connected) => connected.session_present,
        Err(_) => return false,
    };
    forget(client);
    consume(b"on");
    if !present && kept.subscribed && !subscribe(client).await {
        return false;
    }
    match kept.id {
        Some(id) if present => match publication() {
            Some(options) => client.republish(id, &options, Bytes::from(&kept.reading[..])).await.is_ok(),
            None => false,
        },
        Some(_) => publish(client, kept).await,
        None => true,
    }
}

/// What the client has borrowed of its buffer is given back.
fn forget(client: &mut Client) {
    // SAFETY: what borrows from it, events and answers, is gone.
    unsafe { client.buffer_mut().reset() }
}

async fn subscribe(client: &mut Client) -> bool {
    let Some(filter) = MqttString::from_str(facts::COMMANDS).ok().and_then(TopicFilter::new) else {
        return false;
    };
    client.subscribe(filter, &SubscriptionOptions::new().at_least_once()).await.is_ok()
}

fn publication() -> Option<PublicationOptions<'static>> {
    let topic = TopicName::new(MqttString::from_str(facts::NEIGHBOUR).ok()?)?;
    Some(PublicationOptions::new(TopicReference::Name(topic)).at_least_once())
}

async fn publish(client: &mut Client, kept: &mut Kept) -> bool {
    let Some(options) = publication() else { return false };
    kept.reading = clock().to_be_bytes();
    match client.publish(&options, Bytes::from(&kept.reading[..])).await {
        Ok(id) => {
            kept.id = id;
            true
        }
        Err(_) => false,
    }
}

/// Does what can be done now; `false` at the end of the connection.
async fn step(client: &mut Client, kept: &mut Kept) -> bool {
    let header = match once(client.poll_header()) {
        Poll::Ready(Ok(header)) => header,
        Poll::Ready(Err(_)) => return false,
        Poll::Pending => {
            pause().await;
            return true;
        }
    };
    match client.poll_body(header).await {
        Ok(Event::Publish(message)) => {
            if let Some(topic) = message.topic.name() {
                consume(topic.as_ref().as_str().as_bytes());
            }
            consume(&message.message);
        }
        Ok(Event::PublishAcknowledged(_) | Event::PublishRejected(_)) => kept.id = None,
        Ok(_) => {}
        Err(_) => return false,
    }
    forget(client);
    true
}
