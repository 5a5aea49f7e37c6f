//! A client's bytes over WebSocket.

use mqtt_p2p_core::TransportError;
use mqtt_p2p_websocket::{End, Request, RequestError, Transmitted, WebSocket};

/// One WebSocket connection.
pub(crate) struct Wrapped {
    socket: WebSocket,
    /// The server has accepted the upgrade, and the core was told.
    opened: bool,
    end: Option<End>,
    /// Packets that were not framed yet: the end of one may be missing.
    packets: Vec<u8>,
}

/// Why, and in words.
pub(crate) type Ended = (TransportError, String);

impl Wrapped {
    /// The connection, and the request that begins it.
    ///
    /// # Errors
    /// Host or path can't be in one.
    pub(crate) fn new(host: &str, path: &str, seed: [u8; 16]) -> Result<(Self, Vec<u8>), RequestError> {
        let mut socket = WebSocket::new(seed);
        let mut bytes = vec![0; 512];
        let request = Request::new(host, path);
        let len = match socket.open(&request, &mut bytes) {
            Err(RequestError::NoRoom { needed }) => {
                bytes.resize(needed, 0);
                socket.open(&request, &mut bytes)
            }
            result => result,
        }?;
        bytes.truncate(len);
        Ok((Self { socket, opened: false, end: None, packets: Vec::new() }, bytes))
    }

    /// Leaves of `data` what is MQTT. Whether the connection is there from now on.
    ///
    /// # Errors
    /// The server did not upgrade it.
    pub(crate) fn unwrap(&mut self, data: &mut Vec<u8>) -> Result<bool, Ended> {
        let received = self.socket.receive_in_place(data);
        data.truncate(received.len);
        self.end = received.end;
        if let Some(end @ End::Refused(_)) = received.end {
            return Err((TransportError::Upgrade, end.to_string()));
        }
        // It may have been opened and ended at once.
        let is_open = self.socket.is_open() || received.end.is_some();
        Ok(is_open && !std::mem::replace(&mut self.opened, is_open))
    }

    /// How the connection ended, if it did.
    pub(crate) fn ended(&self) -> Option<Ended> {
        let end = self.end?;
        let why = match end {
            End::Closed { .. } => TransportError::ClosedByPeer,
            _ => TransportError::NotMqtt,
        };
        Some((why, end.to_string()))
    }

    /// Whether the server has still to answer the request.
    pub(crate) const fn is_opening(&self) -> bool {
        !self.opened
    }

    /// What is framed next is the last.
    pub(crate) fn close(&mut self) {
        self.socket.close();
    }

    /// Frames these packets, and says what WebSocket itself has to say.
    pub(crate) fn wrap(&mut self, packets: &[u8], out: &mut Vec<u8>) {
        if !self.opened {
            return;
        }
        self.packets.extend_from_slice(packets);
        let mut taken = 0;
        loop {
            let rest = &self.packets[taken..];
            let begin = out.len();
            out.resize(begin + rest.len() + rest.len() / 4 + WebSocket::MIN_ROOM, 0);
            let done = self.socket.transmit(rest, &mut out[begin..]).unwrap_or_default();
            out.truncate(begin + done.written);
            taken += done.taken;
            // The beginning of a packet waits for the rest.
            if done == Transmitted::default() {
                break;
            }
        }
        self.packets.drain(..taken);
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.socket.wants_transmit()
    }
}
