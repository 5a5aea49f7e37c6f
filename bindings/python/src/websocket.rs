//! A client's bytes over WebSocket.

use mqtt_p2p_core::TransportError;
use mqtt_p2p_websocket::{End, RequestError, WebSocket};

/// One WebSocket connection.
pub(crate) struct Wrapped {
    socket: WebSocket,
    /// The server's answer, until it is whole; `None`: the connection is there.
    head: Option<Vec<u8>>,
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
        let socket = WebSocket::new(seed);
        let mut request = vec![0; 512];
        let len = match socket.request(host, path, &mut request) {
            Err(RequestError::BufferTooSmall { needed }) => {
                request.resize(needed, 0);
                socket.request(host, path, &mut request)
            }
            result => result,
        }?;
        request.truncate(len);
        Ok((Self { socket, head: Some(Vec::new()), packets: Vec::new() }, request))
    }

    /// Leaves of `data` what is MQTT. Whether the connection is there from now on.
    ///
    /// # Errors
    /// The server did not upgrade it.
    pub(crate) fn unwrap(&mut self, data: &mut Vec<u8>) -> Result<bool, Ended> {
        let mut opened = false;
        if let Some(head) = &mut self.head {
            head.append(data);
            let mut rest = &**head;
            match self.socket.answer(&mut rest) {
                Ok(true) => *data = rest.to_vec(),
                Ok(false) => {
                    data.clear();
                    return Ok(false);
                }
                Err(error) => return Err((TransportError::Upgrade, error.to_string())),
            }
            self.head = None;
            opened = true;
        }
        let len = self.socket.unwrap(data);
        data.truncate(len);
        Ok(opened)
    }

    /// How the connection ended, if it did.
    pub(crate) fn ended(&self) -> Option<Ended> {
        let end = self.socket.end()?;
        let why = match end {
            End::Closed { .. } => TransportError::ClosedByPeer,
            _ => TransportError::NotMqtt,
        };
        Some((why, end.to_string()))
    }

    /// Whether the server has still to answer the request.
    pub(crate) const fn is_opening(&self) -> bool {
        self.head.is_some()
    }

    /// What is framed next is the last.
    pub(crate) const fn close(&mut self) {
        self.socket.close();
    }

    /// Frames these packets, and says what WebSocket itself has to say.
    pub(crate) fn wrap(&mut self, packets: &[u8], out: &mut Vec<u8>) {
        /// At least what a control frame takes, and a header on the packets.
        const ROOM: usize = 256;
        if self.head.is_some() {
            return;
        }
        self.packets.extend_from_slice(packets);
        let mut rest = &*self.packets;
        loop {
            let begin = out.len();
            out.resize(begin + rest.len() + rest.len() / 4 + ROOM, 0);
            let written = self.socket.wrap(&mut rest, &mut out[begin..]);
            out.truncate(begin + written);
            if written == 0 {
                break;
            }
        }
        let taken = self.packets.len() - rest.len();
        self.packets.drain(..taken);
    }

    pub(crate) const fn is_pending(&self) -> bool {
        self.head.is_none() && self.socket.is_pending()
    }
}
