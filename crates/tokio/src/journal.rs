//! What the program's log gets, through `tracing`: the events of the connection, and each packet at TRACE. Never a
//! password, a token or a payload. Whoever reads the log is user code: none of this is called under a lock.

use std::fmt::Display;

use mqtt_p2p_core::DisconnectReason;
use tracing::{Span, debug, error, info, info_span, trace, warn};

use crate::event::ConnectionEvent;
use crate::trace::{Direction, TraceEntry};

const PACKETS: &str = "mqtt_p2p::packets";

/// What all that a client logs is in.
pub(crate) fn span(client_id: &str) -> Span {
    info_span!(target: "mqtt_p2p", "mqtt", client_id)
}

/// Whether anybody wants to read of each packet.
pub(crate) fn wants_packets() -> bool {
    tracing::enabled!(target: PACKETS, tracing::Level::TRACE)
}

pub(crate) fn packet(entry: &TraceEntry) {
    let TraceEntry { direction, packet_type, packet_id, qos, dup, retain, topic, length, .. } = entry;
    let direction = match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    };
    let qos = qos.map(|qos| qos as u8);
    let (return_code, topic) = (entry.return_code, topic.as_deref());
    trace!(
        target: PACKETS,
        direction, %packet_type, packet_id, qos, dup, retain, topic, return_code, length, "packet"
    );
}

pub(crate) fn dialling(attempt: u32) {
    debug!(target: "mqtt_p2p", attempt, "dialling");
}

pub(crate) fn first_drop(filter: Option<&str>) {
    warn!(target: "mqtt_p2p", filter, "a stream is full and drops messages");
}

pub(crate) fn not_acknowledged(why: &dyn Display) {
    debug!(target: "mqtt_p2p", %why, "a handled message was not acknowledged");
}

/// A message to the service itself could not be sent.
pub(crate) fn not_sent(why: &dyn Display) {
    warn!(target: "mqtt_p2p", %why, "a control message was not sent");
}

/// An event, in the words that the program's own watchers get.
pub(crate) fn connection(event: &ConnectionEvent) {
    let advice = event.advice();
    match event {
        ConnectionEvent::Connected { endpoint, again, session_present } => {
            info!(target: "mqtt_p2p", %endpoint, again, session_present, "connected");
        }
        ConnectionEvent::Refused { reason, retry_in } => {
            warn!(target: "mqtt_p2p", %reason, advice, ?retry_in, "log-in refused");
        }
        ConnectionEvent::Disconnected {
            reason: reason @ (DisconnectReason::Requested | DisconnectReason::Paused),
            ..
        } => {
            info!(target: "mqtt_p2p", %reason, "disconnected");
        }
        ConnectionEvent::Disconnected { reason: DisconnectReason::TakeoverSuspected, retry_in, .. } => {
            warn!(target: "mqtt_p2p", advice, ?retry_in, "takeover suspected");
        }
        ConnectionEvent::Disconnected { reason, detail, likely_cause, retry_in } => {
            let (detail, likely_cause) =
                (detail.as_deref(), likely_cause.as_ref().map(tracing::field::display));
            warn!(target: "mqtt_p2p", %reason, detail, likely_cause, advice, ?retry_in, "disconnected");
        }
        ConnectionEvent::TokenExpires { .. } | ConnectionEvent::TokenRenewed { .. } => {
            info!(target: "mqtt_p2p", "{event}");
        }
        ConnectionEvent::TokenInvalid { .. } | ConnectionEvent::TokenFailed { .. } => {
            warn!(target: "mqtt_p2p", advice, "{event}");
        }
        ConnectionEvent::StoreFailed { detail } => {
            error!(target: "mqtt_p2p", %detail, "session store failed");
        }
        ConnectionEvent::SubscriptionLost { filter } => {
            warn!(target: "mqtt_p2p", filter, advice, "subscription lost");
        }
        ConnectionEvent::HandlerFailed { filter, detail } => {
            error!(target: "mqtt_p2p", filter = filter.as_deref(), detail = &**detail, advice, "handler failed");
        }
    }
}
