//! MQTT over WebSocket (§6), plain or over TLS: binary messages, each way cut into packets as one stream of bytes.

use futures_util::{SinkExt, StreamExt};
use mqtt_p2p_aliyun::limits::WS_PATH;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::link::Link;
use super::outbox::End;

/// The subprotocols of MQTT 3.1.1 and of 3.1.
const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, link: Link, max_packet_size: usize) {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .write_buffer_size(16 << 10)
        .max_message_size(Some(max_packet_size))
        .max_frame_size(Some(max_packet_size));
    let upgrade = accept_hdr_async_with_config(stream, Upgrade, Some(config));
    tokio::select! {
        // The end goes first: who is not let in is not upgraded either.
        biased;
        // The time for CONNECT is over, or no connections are let in.
        () = link.outbox().ended(End::Finish) => {}
        upgraded = upgrade => if let Ok(stream) = upgraded {
            exchange(stream, &link).await;
        }
    }
}

async fn exchange(stream: WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>, link: &Link) {
    let (mut sink, mut stream) = stream.split();
    let receive = async {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Binary(bytes) => link.received(&bytes),
                // Answered below.
                Message::Ping(_) | Message::Pong(_) => {}
                // MQTT goes in binary messages ([MQTT-6.0.0-1]).
                Message::Text(_) | Message::Close(_) | Message::Frame(_) => break,
            }
        }
    };
    let send = async {
        while let Some(packets) = link.outbox().next().await {
            for packet in packets {
                if sink.feed(Message::binary(packet)).await.is_err() {
                    return;
                }
            }
            if sink.flush().await.is_err() {
                return;
            }
        }
        let _ = sink.close().await;
    };
    link.run(receive, send).await;
}

/// Takes the service's path only, and echoes the first subprotocol offered that it knows. Who offers none gets none.
struct Upgrade;

impl Callback for Upgrade {
    fn on_request(self, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        if request.uri().path() != WS_PATH {
            let mut refusal = ErrorResponse::new(Some(format!("MQTT is at {WS_PATH}\n")));
            *refusal.status_mut() = StatusCode::NOT_FOUND;
            return Err(refusal);
        }
        let offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
        let known = offered
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(|name| SUBPROTOCOLS.into_iter().find(|known| *known == name.trim()));
        if let Some(name) = known {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
        }
        Ok(response)
    }
}
