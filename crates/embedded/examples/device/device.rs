//! What both boards do: sign in, tell another client id how warm the chip is, and switch the light as it says.

use core::fmt::{Arguments, Write};

use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Instant, Timer};
use mqtt_p2p_embedded::{Dial, Driver, EmbassyTimer, Event, Inline, Login, PublishP2p, QoS, profile};

/// What is set when this is built. A password is computed elsewhere (`mqtt-p2p sign`): the device never holds the secret.
pub mod settings {
    macro_rules! setting {
        ($name:literal, $example:literal) => {
            match option_env!($name) {
                Some(value) => value,
                None => $example,
            }
        };
    }

    /// The endpoint of the instance.
    pub const HOST: &str = setting!("MQTT_HOST", "post-cn-example.mqtt.aliyuncs.com");
    pub const CLIENT_ID: &str = setting!("MQTT_CLIENT_ID", "GID_example@@@board");
    pub const USER_NAME: &str = setting!("MQTT_USER_NAME", "Signature|example|post-cn-example");
    pub const PASSWORD: &str = setting!("MQTT_PASSWORD", "");
    /// The parent topic that the instance has.
    pub const PARENT: &str = setting!("MQTT_PARENT", "devices");
    /// Who is told the temperature.
    pub const RECEIVER: &str = setting!("MQTT_RECEIVER", "GID_example@@@desk");
}

use settings::{CLIENT_ID, PARENT, PASSWORD, RECEIVER, USER_NAME};

/// How often the temperature is told.
const PERIOD: Duration = Duration::from_secs(10);

/// The longest packet that comes in, in bytes.
const LONGEST: usize = 512;

/// What a board has.
pub trait Board {
    /// Switches the light.
    fn light(&mut self, on: bool);
    /// How warm the chip is, in tenths of a degree Celsius.
    fn temperature(&mut self) -> i32;
    /// Shows a line to whoever looks on.
    fn say(&mut self, line: Arguments<'_>);
}

/// Goes on for ever, through every loss of the connection; ends when the server refuses the log-in for good. `seed` is a
/// random number.
pub async fn run(board: &mut impl Board, dialer: &mut impl Dial, seed: u64) {
    let mut receive = [0; LONGEST];
    let mut driver = Driver::new(profile(), seed, Inline::<1024>::new(), &mut receive, EmbassyTimer);
    let mut login = Login::new(CLIENT_ID).with_password(USER_NAME, PASSWORD.as_bytes());
    let mut due = Instant::now();
    while let Some(mut link) = driver.open(dialer, &mut login).await {
        loop {
            match select(link.next(), Timer::at(due)).await {
                Either::First(Some(event)) => happened(board, &event),
                // The attempt is over; the driver waits, and dials again.
                Either::First(None) => break,
                Either::Second(()) => {
                    due = Instant::now() + PERIOD;
                    let mut text = heapless::String::<16>::new();
                    let tenths = board.temperature();
                    let sign = if tenths < 0 { "-" } else { "" };
                    let _ = write!(text, "{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10);
                    // It is kept until it is acknowledged, over any number of connections.
                    match link.client().publish_p2p(PARENT, RECEIVER, text.as_bytes(), QoS::AtLeastOnce) {
                        Ok(_) => board.say(format_args!("{text} degrees for {RECEIVER}")),
                        Err(error) => board.say(format_args!("not sent: {error}")),
                    }
                }
            }
        }
    }
    board.say(format_args!("the log-in is of no use; set another, and build again"));
}

fn happened(board: &mut impl Board, event: &Event<'_>) {
    match event {
        Event::Connected { .. } => board.say(format_args!("connected as {CLIENT_ID}")),
        // P2P messages come without a subscription.
        Event::Message(message) => {
            match message.payload {
                b"on" => board.light(true),
                b"off" => board.light(false),
                _ => {}
            }
            board.say(format_args!("{} bytes on {}", message.payload.len(), message.topic));
        }
        Event::Published { .. } => board.say(format_args!("acknowledged")),
        Event::Refused { reason, .. } => board.say(format_args!("refused: {reason}")),
        Event::Disconnected { reason, .. } => {
            board.say(format_args!("disconnected: {reason}: {}", reason.advice()));
        }
        _ => {}
    }
}
