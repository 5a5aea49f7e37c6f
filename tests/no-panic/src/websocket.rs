//! `mqtt-p2p-websocket`: handshake and frames.

use mqtt_p2p_websocket::{End, Protocol, Request, WebSocket};

use crate::{any, buffer, bytes, take, text};

pub fn all() {
    let request = Request::with_headers(Request::new(text(), text()), any(&[]));
    let request = any(Request::with_protocol(request, any(Protocol::V311)));
    let mut socket = any(WebSocket::new(any([0; 16])));
    let socket = any(&mut socket);
    take(WebSocket::open(any(&mut *socket), &request, buffer!()));
    take(WebSocket::is_open(any(&*socket)));
    let mut received = bytes();
    take(WebSocket::receive(any(&mut *socket), &mut received));
    take(WebSocket::receive_in_place(any(&mut *socket), buffer!()));
    take(WebSocket::transmit(any(&mut *socket), bytes(), buffer!()));
    take(WebSocket::wants_transmit(any(&*socket)));
    WebSocket::close(any(&mut *socket));
    take(WebSocket::close_reason(any(&*socket)));
    take(any(&*socket).clone());
    take(End::advice(&any(End::NotOpened)));
}
