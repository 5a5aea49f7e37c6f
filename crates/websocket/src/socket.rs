//! The connection as its driver sees it.

use core::fmt;

use crate::error::{AnswerError, End, RequestError};
use crate::handshake::Key;
use crate::incoming::Incoming;
use crate::masks::Masks;
use crate::outgoing::Outgoing;

/// One WebSocket connection, of a client: about 300 bytes, and no buffer of its own. A new connection takes a new one.
///
/// See the [crate's page](crate) for how to drive it.
#[derive(Clone)]
pub struct WebSocket {
    masks: Masks,
    key: Key,
    incoming: Incoming,
    outgoing: Outgoing,
}

impl WebSocket {
    /// A connection that has not begun. The seed should come from the system's source of randomness, anew for each
    /// connection: it makes the masks, which nobody in between should foresee (RFC 6455, 10.3).
    pub fn new(seed: [u8; 16]) -> Self {
        let mut masks = Masks::new(&seed);
        let key = Key::new(masks.nonce());
        Self { masks, key, incoming: Incoming::new(), outgoing: Outgoing::new() }
    }

    /// Writes the request that begins the connection to `buffer`, and gives its length: about 180 bytes more than host
    /// and path. `host` is a name or address, in brackets if it is one of IPv6, with `:port` unless that is the
    /// scheme's. It asks for the subprotocol `mqtt` ([MQTT-6.0.0-3]).
    ///
    /// # Errors
    /// See [`RequestError`]. Nothing was written.
    pub fn request(&self, host: &str, path: &str, buffer: &mut [u8]) -> Result<usize, RequestError> {
        self.key.request(host, path, buffer)
    }

    /// Reads the server's answer. `true` if it is whole and good: then it is taken off `received`, and what follows is
    /// for [`unwrap`](Self::unwrap). `false` if more bytes are needed; call again with what came so far and more.
    ///
    /// An answer without a subprotocol is good: not every server that speaks MQTT names it.
    ///
    /// # Errors
    /// See [`AnswerError`]. The connection is to be closed.
    pub fn answer(&self, received: &mut &[u8]) -> Result<bool, AnswerError> {
        self.key.answer(received)
    }

    /// Takes bytes that came in, all of them, and leaves of them what is MQTT, at the front of `raw`: so many bytes. What
    /// is not whole is remembered. Nothing that came before the [end](Self::end) is lost.
    pub fn unwrap(&mut self, raw: &mut [u8]) -> usize {
        self.incoming.unwrap(raw)
    }

    /// How the connection ended, if it has. Nothing more is read then. A server that closed it is owed a
    /// [`close`](Self::close) before the transport is closed.
    pub const fn end(&self) -> Option<End> {
        self.incoming.end
    }

    /// Writes frames of `packets` to `out`, as much as there is room for, and gives how many bytes that is; takes off
    /// `packets` what is in them. `packets` are whole ones, or the rest of one that was begun and more; what is only
    /// the beginning of a packet stays. Pongs, and the close frame once no packet is left, come by themselves: call it
    /// with no packets as well while [`is_pending`](Self::is_pending).
    ///
    /// `out` must have at least 131 bytes free for control frames, 15 for packets.
    pub fn wrap(&mut self, packets: &mut &[u8], out: &mut [u8]) -> usize {
        let Self { masks, incoming, outgoing, .. } = self;
        outgoing.wrap(incoming, masks, packets, out)
    }

    /// Whether [`wrap`](Self::wrap) has something to write of its own accord.
    pub const fn is_pending(&self) -> bool {
        self.outgoing.is_pending(&self.incoming)
    }

    /// Ends the connection: a close frame with code 1000 follows what is still wrapped. Nothing more is wrapped after it.
    pub const fn close(&mut self) {
        self.outgoing.close();
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("end", &self.end()).finish_non_exhaustive()
    }
}
