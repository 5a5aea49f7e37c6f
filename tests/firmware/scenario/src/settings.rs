//! What a firmware is told when it starts: words such as `secret=SK`, from QEMU's `-append`.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddrV4};

use crate::payload::MAX_MESSAGES;

/// What a firmware is told. Without a word about it, each is as `mqtt-p2p emulator` expects it.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// `server=ADDRESS:PORT`, for boards with a network. Default: port 1883 of the host, as QEMU shows it to its guest.
    pub server: SocketAddrV4,
    /// `id=…`, the client id. Each board has one by default.
    pub client_id: &'a str,
    /// `key=…`, the access key id. Default: `AK`.
    pub access_key: &'a str,
    /// `secret=…`, its secret. Default: `SK`, with which the emulator starts unless it is told another.
    pub secret: &'a str,
    /// `instance=…`, the instance id. Default: `post-cn-demo`.
    pub instance: &'a str,
    /// `parent=…`, the parent topic. Default: `parent`.
    pub parent: &'a str,
    /// `peer=…`, the client id of the host's client. Default: none, so messages go to the firmware itself only.
    pub peer: Option<&'a str>,
    /// `plain`: the server knows neither accounts nor P2P, as any MQTT broker. The firmware subscribes to its topic.
    pub plain: bool,
    /// `websocket`: MQTT over WebSocket, for boards that know it.
    pub websocket: bool,
    /// `one-task`: all in one task, for boards that have several.
    pub one_task: bool,
    /// `pause`: wait for the host to go on, in the middle.
    pub pause: bool,
    /// `messages=…`: how many to each. Default: 200.
    pub messages: u16,
    /// `attempts=…`: give up after so many attempts to connect without success. Default: 3.
    pub attempts: u16,
}

/// A word that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSetting<'a>(pub &'a str);

impl<'a> Settings<'a> {
    /// The defaults for a board.
    pub const fn new(client_id: &'a str) -> Self {
        Self {
            server: SocketAddrV4::new(Ipv4Addr::new(10, 0, 2, 2), 1883),
            client_id,
            access_key: "AK",
            secret: "SK",
            instance: "post-cn-demo",
            parent: "parent",
            peer: None,
            plain: false,
            websocket: false,
            one_task: false,
            pause: false,
            messages: 200,
            attempts: 3,
        }
    }

    /// The same with one word heeded.
    ///
    /// # Errors
    /// The word, if it is none of those.
    pub fn heed(&mut self, word: &'a str) -> Result<(), BadSetting<'a>> {
        let bad = BadSetting(word);
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "server" => self.server = value.parse().map_err(|_| bad)?,
            "id" => self.client_id = value,
            "key" => self.access_key = value,
            "secret" => self.secret = value,
            "instance" => self.instance = value,
            "parent" => self.parent = value,
            "peer" => self.peer = Some(value),
            "plain" => self.plain = true,
            "websocket" => self.websocket = true,
            "one-task" => self.one_task = true,
            "pause" => self.pause = true,
            "messages" => {
                self.messages =
                    value.parse().ok().filter(|count| (1..=MAX_MESSAGES).contains(count)).ok_or(bad)?;
            }
            "attempts" => self.attempts = value.parse().map_err(|_| bad)?,
            _ => return Err(bad),
        }
        Ok(())
    }
}

impl fmt::Display for BadSetting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no setting, or no value of it", self.0)
    }
}
