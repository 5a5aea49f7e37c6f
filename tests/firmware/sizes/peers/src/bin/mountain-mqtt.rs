//! The firmware with mountain-mqtt, a client for MQTT 5 that waits for every answer and keeps nothing for later. Pings,
//! dialling again and when, subscribing again and publishing again are the program's. It has no log-in with a password.
#![no_std]
#![no_main]

use mountain_mqtt::client::{
    Client, ClientNoQueue, ClientReceivedEvent, ConnectionSettings, Delay, EventHandler, EventHandlerError,
};
use mountain_mqtt::data::quality_of_service::QualityOfService;
use mountain_mqtt::error::{PacketReadError, PacketWriteError};
use mountain_mqtt::packet_client::Connection;
use mqtt_p2p_sizes::{
    Button, block_on, button, clock, close, consume, facts, in_static, is_open, open, pause, receive,
    transmit,
};

struct Line;

impl Line {
    /// Waits until the room is full, from the first byte on.
    async fn fill(&mut self, room: &mut [u8], mut filled: usize) -> Result<(), PacketReadError> {
        while let Some(rest @ [_, ..]) = room.get_mut(filled..) {
            match receive(rest) {
                0 if !is_open() => return Err(PacketReadError::ConnectionReceive),
                0 => pause().await,
                len => filled += len,
            }
        }
        Ok(())
    }
}

impl Connection for Line {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), PacketWriteError> {
        let mut sent = 0;
        while let Some(rest @ [_, ..]) = bytes.get(sent..) {
            match transmit(rest) {
                0 if !is_open() => return Err(PacketWriteError::ConnectionSend),
                0 => pause().await,
                len => sent += len,
            }
        }
        Ok(())
    }

    async fn receive(&mut self, room: &mut [u8]) -> Result<(), PacketReadError> {
        self.fill(room, 0).await
    }

    async fn receive_if_ready(&mut self, room: &mut [u8]) -> Result<bool, PacketReadError> {
        match receive(room) {
            0 if !is_open() => Err(PacketReadError::ConnectionReceive),
            0 => Ok(false),
            len => self.fill(room, len).await.map(|()| true),
        }
    }
}

struct Sleep;

impl Delay for Sleep {
    async fn delay_us(&mut self, _us: u32) {
        pause().await;
    }
}

struct Consumer;

/// As many properties as its example has room for.
const PROPERTIES: usize = 16;

impl EventHandler<PROPERTIES> for Consumer {
    async fn handle_event(
        &mut self,
        event: ClientReceivedEvent<'_, PROPERTIES>,
    ) -> Result<(), EventHandlerError> {
        if let ClientReceivedEvent::ApplicationMessage(message) = event {
            consume(message.topic_name.as_bytes());
            consume(message.payload);
        }
        Ok(())
    }
}

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let buffer = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    block_on(|| device(buffer))
}

async fn device(buffer: &'static mut [u8]) {
    let mut subscribed = false;
    // The reading that is not acknowledged.
    let mut reading = None;
    loop {
        if open() {
            let mut client = ClientNoQueue::new(Line, &mut *buffer, Sleep, 5_000, Consumer);
            let settings = ConnectionSettings::unauthenticated(facts::CLIENT_ID);
            let mut alive = client.connect(&settings).await.is_ok();
            if alive {
                consume(b"on");
            }
            let mut subscribing = subscribed;
            let mut ping_at = clock().wrapping_add(u32::from(facts::KEEP_ALIVE) * 1_000 / 2);
            while alive {
                match button() {
                    Button::None => {}
                    Button::Subscribe => (subscribed, subscribing) = (true, true),
                    Button::Publish => reading = Some(clock().to_be_bytes()),
                }
                if core::mem::take(&mut subscribing) {
                    alive = client.subscribe(facts::COMMANDS, QualityOfService::Qos1).await.is_ok();
                }
                if alive && let Some(bytes) = &reading {
                    alive =
                        client.publish(facts::NEIGHBOUR, bytes, QualityOfService::Qos1, false).await.is_ok();
                    if alive {
                        reading = None;
                    }
                }
                if alive && clock().wrapping_sub(ping_at) as i32 >= 0 {
                    ping_at = clock().wrapping_add(u32::from(facts::KEEP_ALIVE) * 1_000 / 2);
                    alive = client.send_ping().await.is_ok();
                }
                alive = alive && client.poll(false).await.is_ok();
                pause().await;
            }
            consume(b"off");
            close();
        }
        pause().await;
    }
}
