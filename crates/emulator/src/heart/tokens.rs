//! Tokens of connections: presented, checked, replaced, expired.

use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_aliyun::{TokenKind, TokenSet};
use mqtt_p2p_packet::{Ack, Packet, PacketId, PacketType, Publish};
use serde::Deserialize;

use super::connection::Client;
use super::event::{CloseReason, Event};
use super::token_text::{TokenId, covers};
use super::{ConnectionId, Emulator, encode};
use crate::token::{InvalidToken, TokenUse};

/// A valid token of a connection.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) id: TokenId,
    pub(super) kind: TokenKind,
    pub(super) access_key_id: String,
    pub(super) resources: Vec<String>,
    /// Unix time.
    pub(super) expires: Duration,
    /// Its client was told that it will expire.
    pub(super) noticed: bool,
}

/// A token that was uploaded and takes effect with its PUBACK.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) due: Duration,
    packet_id: PacketId,
    pub(super) grant: Grant,
}

/// What a client wants to do with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Publish,
    Subscribe,
}

impl Action {
    const fn allowed_by(self, kind: TokenKind) -> bool {
        match self {
            Self::Publish => matches!(kind, TokenKind::W | TokenKind::RW),
            Self::Subscribe => matches!(kind, TokenKind::R | TokenKind::RW),
        }
    }
}

/// The payload of `$SYS/uploadToken`.
#[derive(Deserialize)]
struct UploadText {
    token: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Emulator {
    /// How many uploaded tokens of a connection may wait for their PUBACK at a time; one more, and the first does not
    /// wait.
    const MAX_UPLOADS: usize = 16;

    /// The tokens of a log-in. All must be good: one bad one spoils the connection (documentation: token
    /// authentication).
    pub(super) fn read_tokens(
        &mut self,
        id: ConnectionId,
        client_id: &str,
        access_key_id: &str,
        password: &[u8],
    ) -> Option<Vec<Grant>> {
        let set = TokenSet::parse(std::str::from_utf8(password).ok()?).ok()?;
        let mut grants = Some(Vec::new());
        for (kind, token) in set.iter() {
            match self.read_token(Some(access_key_id), kind.as_str(), token) {
                Ok(grant) => grants.iter_mut().for_each(|grants| grants.push(grant.clone())),
                Err(reason) => {
                    grants = None;
                    match reason {
                        InvalidToken::Expired => self.log.counters.log_ins_with_expired_token += 1,
                        InvalidToken::Revoked => self.log.counters.log_ins_with_revoked_token += 1,
                        _ => {}
                    }
                    self.log.event(Event::TokenRejected {
                        connection: id,
                        client_id: client_id.into(),
                        kind: Some(kind),
                        reason,
                        presented_for: TokenUse::LogIn,
                    });
                }
            }
        }
        grants
    }

    /// Whether the connection's tokens allow to use a topic. An upload that waits for its PUBACK does not count yet:
    /// the tokens before it decide (documentation: token authentication).
    pub(super) fn authorize(
        &mut self,
        id: ConnectionId,
        client: &Client,
        action: Action,
        topic: &str,
    ) -> Result<(), CloseReason> {
        let unix_time = self.unix_time();
        let Some(grants) = self.connections.get(&id).and_then(|connection| connection.tokens.as_ref()) else {
            return Ok(());
        };
        let mut reason = InvalidToken::ActionMismatch;
        let mut kind = grants.first().map(|grant| grant.kind);
        for grant in grants.iter().filter(|grant| action.allowed_by(grant.kind)) {
            let covered = grant.resources.iter().any(|resource| covers(resource, topic));
            let wrong = match covered {
                true if grant.expires > unix_time => return Ok(()),
                true => InvalidToken::Expired,
                false => InvalidToken::ResourceMismatch,
            };
            // Of two tokens, the one that covers the topic says what is wrong.
            if reason != InvalidToken::Expired {
                (reason, kind) = (wrong, Some(grant.kind));
            }
        }
        Err(self.token_invalid(id, client, kind, reason, TokenUse::Connection))
    }

    /// Records what came between an upload and its PUBACK, where the documentation allows nothing.
    pub(super) fn note_early(&mut self, id: ConnectionId, client: &Client, packet: PacketType) {
        if self.connections.get(&id).is_some_and(|connection| !connection.uploads.is_empty()) {
            self.log.counters.before_upload_ack += 1;
            let client_id = Arc::clone(&client.id);
            self.log.event(Event::BeforeUploadAck { connection: id, client_id, packet });
        }
    }

    /// `$SYS/uploadToken`: a token of a type replaces the one of the same type, when its PUBACK goes out.
    pub(super) fn upload(
        &mut self,
        id: ConnectionId,
        client: &Client,
        publish: &Publish<'_>,
        packet_id: PacketId,
    ) -> Result<(), CloseReason> {
        self.log.counters.published += 1;
        let Some(grants) = self.connections.get(&id).and_then(|connection| connection.tokens.as_ref()) else {
            // It logged in otherwise, and needs no token.
            self.send(id, encode(&Packet::PubAck(Ack::new(packet_id))));
            return Ok(());
        };
        let access_key_id = grants.first().map(|grant| grant.access_key_id.clone());
        let read = serde_json::from_slice::<UploadText>(publish.payload);
        let kind = read.as_ref().ok().and_then(|upload| upload.kind.parse().ok());
        let grant = read
            .map_err(|_| InvalidToken::Unparsable)
            .and_then(|upload| self.read_token(access_key_id.as_deref(), &upload.kind, &upload.token));
        match grant {
            Ok(grant) => {
                self.log.counters.uploads += 1;
                let due = self.now.saturating_add(self.config.quirks.upload_ack_delay);
                let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
                connection.uploads.push_back(Upload { due, packet_id, grant });
                if connection.uploads.len() > Self::MAX_UPLOADS
                    && let Some(first) = connection.uploads.front_mut()
                {
                    first.due = self.now;
                }
                self.finish_uploads(id);
                Ok(())
            }
            Err(reason) => {
                self.log.counters.uploads_refused += 1;
                Err(self.token_invalid(id, client, kind, reason, TokenUse::Upload))
            }
        }
    }

    /// Acknowledges the uploads whose time has come: from now on their tokens count.
    pub(super) fn finish_uploads(&mut self, id: ConnectionId) {
        while let Some(connection) = self.connections.get_mut(&id)
            && connection.uploads.front().is_some_and(|upload| upload.due <= self.now)
            && let Some(upload) = connection.uploads.pop_front()
        {
            let tokens = connection.tokens.get_or_insert_default();
            tokens.retain(|grant| grant.kind != upload.grant.kind);
            tokens.push(upload.grant);
            self.send(id, encode(&Packet::PubAck(Ack::new(upload.packet_id))));
        }
        self.schedule_tokens(id);
    }

    /// Sets the time of the next notice or expiry. A token whose successor is uploaded does not end the connection:
    /// only its use does.
    pub(super) fn schedule_tokens(&mut self, id: ConnectionId) {
        let notice = self.config.quirks.token_expire_notice;
        let Some(connection) = self.connections.get(&id) else { return };
        let next = connection
            .tokens
            .iter()
            .flatten()
            .filter(|grant| !connection.uploads.iter().any(|upload| upload.grant.kind == grant.kind))
            .map(|grant| match notice {
                Some(lead) if !grant.noticed => grant.expires.saturating_sub(lead),
                _ => grant.expires,
            })
            .min();
        let next = next.map(|unix_time| self.at_unix_time(unix_time));
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.token_at = next;
        }
    }

    /// Tells a client that a token will expire, or ends its connection because one has.
    pub(super) fn look_at_tokens(&mut self, id: ConnectionId, client: &Client) {
        let (unix_time, notice) = (self.unix_time(), self.config.quirks.token_expire_notice);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let uploads = &connection.uploads;
        let mut notices = Vec::new();
        let mut expired = None;
        for grant in connection.tokens.iter_mut().flatten() {
            if uploads.iter().any(|upload| upload.grant.kind == grant.kind) {
                continue;
            }
            if grant.expires <= unix_time {
                expired = Some(grant.kind);
            } else if let Some(lead) = notice
                && !grant.noticed
                && grant.expires.saturating_sub(lead) <= unix_time
            {
                grant.noticed = true;
                notices.push((grant.kind, grant.expires));
            }
        }
        for (kind, expires) in notices {
            self.expire_notice(id, client, kind, expires);
        }
        if let Some(kind) = expired {
            let reason =
                self.token_invalid(id, client, Some(kind), InvalidToken::Expired, TokenUse::Connection);
            return self.close(id, reason);
        }
        self.schedule_tokens(id);
    }

    /// Tells a client by the quirk that a token is no good. The caller closes the connection.
    pub(super) fn token_invalid(
        &mut self,
        id: ConnectionId,
        client: &Client,
        kind: Option<TokenKind>,
        reason: InvalidToken,
        presented_for: TokenUse,
    ) -> CloseReason {
        self.log.event(Event::TokenRejected {
            connection: id,
            client_id: Arc::clone(&client.id),
            kind,
            reason,
            presented_for,
        });
        self.invalid_notice(id, client, kind, reason);
        CloseReason::TokenInvalid(reason)
    }
}
