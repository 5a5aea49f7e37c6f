//! The firmware with minimq, a client for MQTT 5: what is not acknowledged stays in its buffer, and it pings. Dialling
//! again, when, and subscribing again are the program's.
#![no_std]
#![no_main]

use core::task::{Poll, Waker};

use embassy_time_driver::Driver;
use minimq::{
    Buffers, ConfigBuilder, Connection, Publication, QoS, Session, SubscriptionOptions, TopicFilter,
};
use mqtt_p2p_sizes::{
    Button, Socket, block_on, button, clock, close, consume, facts, in_static, once, open, pause,
};

/// Its clock.
struct Clock;

impl Driver for Clock {
    fn now(&self) -> u64 {
        u64::from(clock()) * (embassy_time_driver::TICK_HZ / 1_000)
    }

    fn schedule_wake(&self, _at: u64, _waker: &Waker) {
        // All is polled again soon.
    }
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock);

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    let rx = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    let tx = in_static!(const [u8; facts::BUFFER], [0; facts::BUFFER]);
    let config = ConfigBuilder::new(Buffers::new(rx, tx))
        .keepalive_interval(facts::KEEP_ALIVE)
        .client_id(facts::CLIENT_ID)
        .and_then(|config| config.auth(facts::USER_NAME, facts::PASSWORD));
    let Ok(config) = config else { loop {} };
    let session = in_static!(Session<'static>, Session::new(config));
    block_on(|| device(session))
}

async fn device(session: &'static mut Session<'static>) {
    let mut subscribed = false;
    loop {
        if open() {
            if let Ok(mut connection) = session.connect(Socket).await {
                consume(b"on");
                let mut alive = !subscribed || subscribe(&mut connection).await;
                while alive {
                    alive = match button() {
                        Button::None => true,
                        Button::Subscribe => {
                            subscribed = true;
                            subscribe(&mut connection).await
                        }
                        Button::Publish => publish(&mut connection).await,
                    } && step(&mut connection).await;
                }
            }
            consume(b"off");
            close();
        }
        pause().await;
    }
}

async fn subscribe(connection: &mut Connection<'_, 'static, Socket>) -> bool {
    let options = SubscriptionOptions::default().maximum_qos(QoS::AtLeastOnce);
    connection.subscribe(&[TopicFilter::new(facts::COMMANDS).options(options)], &[]).await.is_ok()
}

async fn publish(connection: &mut Connection<'_, 'static, Socket>) -> bool {
    let reading = clock().to_be_bytes();
    let publication = Publication::bytes(facts::NEIGHBOUR, &reading).qos(QoS::AtLeastOnce);
    connection.publish(publication).await.is_ok()
}

/// Does what can be done now; `false` at the end of the connection.
async fn step(connection: &mut Connection<'_, 'static, Socket>) -> bool {
    match once(connection.poll()) {
        Poll::Ready(Ok(Some(message))) => {
            consume(message.topic().as_bytes());
            consume(message.payload());
        }
        Poll::Ready(Ok(None)) => {}
        Poll::Ready(Err(_)) => return false,
        Poll::Pending => pause().await,
    }
    true
}
