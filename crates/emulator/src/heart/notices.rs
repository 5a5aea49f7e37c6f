//! What the service says about tokens on its own: notices below `$SYS`, which need no subscription.

use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_aliyun::TokenKind;
use mqtt_p2p_packet::{AckedQoS, QoS};
use serde_json::json;

use super::connection::Client;
use super::message::{Delivery, Message};
use super::{ConnectionId, Emulator};
use crate::quirks::TokenInvalidNotice;
use crate::token::InvalidToken;

const EXPIRE: &str = "$SYS/tokenExpireNotice";
const INVALID: &str = "$SYS/tokenInvalidNotice";

impl Emulator {
    pub(super) fn expire_notice(
        &mut self,
        id: ConnectionId,
        client: &Client,
        kind: TokenKind,
        expires: Duration,
    ) {
        let payload = json!({ "expireTime": u64::try_from(expires.as_millis()).ok(), "type": kind.as_str() });
        self.send_notice(id, &client.id, EXPIRE, payload.to_string());
    }

    /// Now, after the client comes back, or never.
    pub(super) fn invalid_notice(
        &mut self,
        id: ConnectionId,
        client: &Client,
        kind: Option<TokenKind>,
        reason: InvalidToken,
    ) {
        let kind = kind.unwrap_or(TokenKind::RW).as_str();
        let payload = json!({ "code": reason.code(), "type": kind }).to_string();
        match self.config.quirks.token_invalid_notice {
            TokenInvalidNotice::BeforeClose => self.send_notice(id, &client.id, INVALID, payload),
            // No more of them than there may be sessions.
            TokenInvalidNotice::AfterReconnect if self.late_notices.len() < self.config.max_sessions => {
                self.late_notices.insert(Arc::clone(&client.id), payload);
            }
            TokenInvalidNotice::AfterReconnect | TokenInvalidNotice::Never => {}
        }
    }

    /// Sends the notice that should have come before the last connection ended.
    pub(super) fn send_late_notice(&mut self, id: ConnectionId, client_id: &Arc<str>) {
        if let Some(payload) = self.late_notices.remove(client_id) {
            self.send_notice(id, client_id, INVALID, payload);
        }
    }

    /// It neither waits for room among the messages under way nor for an absent client.
    fn send_notice(&mut self, id: ConnectionId, client_id: &Arc<str>, topic: &str, payload: String) {
        self.log.counters.token_notices += 1;
        self.last_message += 1;
        let message = Arc::new(Message {
            number: self.last_message,
            published: self.now,
            topic: topic.to_owned(),
            payload: payload.into_bytes(),
        });
        let qos = self.config.quirks.notice_qos;
        let delivery = Delivery { message, qos, keep: false };
        match qos {
            QoS::AtMostOnce => self.push(id, &delivery.message, None, false),
            QoS::AtLeastOnce => self.launch(id, client_id, AckedQoS::AtLeastOnce, delivery),
            QoS::ExactlyOnce => self.launch(id, client_id, AckedQoS::ExactlyOnce, delivery),
        }
    }
}
