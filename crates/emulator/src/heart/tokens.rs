//! The life of tokens: issued, presented, replaced, expired, revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_aliyun::{TokenKind, TokenSet, limits};
use mqtt_p2p_packet::{Ack, Packet, PacketId, PacketType, Publish};
use serde::Deserialize;

use super::connection::Client;
use super::event::{CloseReason, Event};
use super::token_text::{Claims, SigningKey, TokenId, covers};
use super::{ConnectionId, Emulator, encode};
use crate::account::Account;
use crate::token::{InvalidToken, IssueError, IssuedToken, TokenUse};

/// Most topics of one token (documentation: ApplyToken).
const MAX_RESOURCES: usize = 100;

/// What the emulator remembers about tokens: nothing of those that it issued, as they say all themselves.
#[derive(Debug)]
pub(super) struct Registry {
    key: SigningKey,
    issued: u64,
    /// With the end of each, after which it need not be remembered.
    revoked: BTreeMap<TokenId, Duration>,
    /// Access keys that are not permitted now.
    forbidden: BTreeSet<String>,
}

impl Registry {
    pub(super) fn new(seed: u64) -> Self {
        Self { key: SigningKey::new(seed), issued: 0, revoked: BTreeMap::new(), forbidden: BTreeSet::new() }
    }
}

/// A valid token of a connection.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    id: TokenId,
    kind: TokenKind,
    access_key_id: String,
    resources: Vec<String>,
    /// Unix time.
    expires: Duration,
    /// Its client was told that it will expire.
    noticed: bool,
}

/// A token that was uploaded and takes effect with its PUBACK.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) due: Duration,
    packet_id: PacketId,
    grant: Grant,
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

    /// Says what Unix time it is. Until then it is 1970: the expiry of tokens counts from there. To call it again
    /// later is to set the clock: tokens live longer or shorter.
    pub fn set_unix_time(&mut self, now: Duration, unix_time: Duration) {
        self.advance(now);
        self.unix_ahead = unix_time.as_nanos().cast_signed() - self.now.as_nanos().cast_signed();
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.schedule_tokens(id);
            self.arm(id);
        }
        self.advance(now);
    }

    /// Issues a token in the name of the instance's first access key, as ApplyToken of the service does.
    ///
    /// `resources` are 1 to 100 topics, wildcards allowed; a P2P topic needs one that covers it, such as `parent/#`.
    /// A lifetime over 30 days is cut to it.
    ///
    /// # Errors
    /// See [`IssueError`].
    pub fn issue_token<T: Into<String>>(
        &mut self,
        now: Duration,
        resources: impl IntoIterator<Item = T>,
        kind: TokenKind,
        lifetime: Duration,
    ) -> Result<IssuedToken, IssueError> {
        self.advance(now);
        let access_key_id = self
            .config
            .accounts
            .iter()
            .find_map(|account| match account {
                Account::AccessKey { id, .. } if !self.registry.forbidden.contains(id) => Some(id.clone()),
                _ => None,
            })
            .ok_or(IssueError::NoAccessKey)?;
        let mut resources: Vec<String> = resources.into_iter().map(Into::into).collect();
        if resources.is_empty() || resources.len() > MAX_RESOURCES {
            return Err(IssueError::Resources(resources.len()));
        }
        resources.sort();
        if lifetime < self.config.min_token_lifetime {
            return Err(IssueError::TooShort(self.config.min_token_lifetime));
        }
        let unix_time = self.unix_time();
        let expires = millis(unix_time.saturating_add(lifetime.min(limits::MAX_TOKEN_LIFETIME)));
        let claims = Claims {
            id: TokenId(millis(unix_time), self.registry.issued),
            expires,
            instance_id: self.config.instance_id.clone(),
            access_key_id,
            kind: kind.as_str().to_owned(),
            resources,
            salt: self.registry.key.salt(),
        };
        let text = self.registry.key.write(&claims).ok_or(IssueError::NoAccessKey)?;
        self.registry.issued += 1;
        self.log.counters.tokens_issued += 1;
        Ok(IssuedToken { text, kind, expire_time: expires })
    }

    /// Makes a token invalid, as RevokeToken of the service does: who is connected with it is told so and closed.
    ///
    /// # Errors
    /// [`InvalidToken::Unparsable`] or [`InvalidToken::BadSignature`] for a text that is no token of this emulator.
    pub fn revoke_token(&mut self, now: Duration, token: &str) -> Result<(), InvalidToken> {
        self.advance(now);
        let Claims { id, expires, .. } = self.registry.key.read(token)?;
        let unix_time = self.unix_time();
        self.registry.revoked.retain(|_, expires| *expires > unix_time);
        self.registry.revoked.insert(id, Duration::from_millis(expires));
        self.end_tokens(InvalidToken::Revoked, |grant| grant.id == id);
        Ok(())
    }

    /// Forbids an access key what its tokens allow, or no longer does: who is connected with such a token is told
    /// so, with code −1, and closed; log-ins with them are refused.
    pub fn set_access_key_permitted(&mut self, now: Duration, access_key_id: &str, permitted: bool) {
        self.advance(now);
        if permitted {
            self.registry.forbidden.remove(access_key_id);
        } else {
            self.registry.forbidden.insert(access_key_id.to_owned());
            self.end_tokens(InvalidToken::AccountNotPermitted, |grant| grant.access_key_id == access_key_id);
        }
    }

    /// Checks a token as a log-in would, as QueryToken of the service does.
    ///
    /// # Errors
    /// Why it is no good now.
    pub fn check_token(&mut self, now: Duration, kind: TokenKind, token: &str) -> Result<(), InvalidToken> {
        self.advance(now);
        self.read_token(None, kind.as_str(), token).map(|_| ())
    }

    pub(super) fn unix_time(&self) -> Duration {
        duration(self.now.as_nanos().cast_signed() + self.unix_ahead)
    }

    /// The own time at a Unix time.
    fn at_unix_time(&self, unix_time: Duration) -> Duration {
        duration(unix_time.as_nanos().cast_signed() - self.unix_ahead)
    }

    fn read_token(&self, presented_by: Option<&str>, kind: &str, text: &str) -> Result<Grant, InvalidToken> {
        let claims = self.registry.key.read(text)?;
        let claimed: TokenKind = claims.kind.parse().map_err(|_| InvalidToken::Unparsable)?;
        let permitted = claims.instance_id == self.config.instance_id
            && presented_by.is_none_or(|access_key_id| access_key_id == claims.access_key_id)
            && !self.registry.forbidden.contains(&claims.access_key_id)
            && self.config.accounts.iter().any(
                |account| matches!(account, Account::AccessKey { id, .. } if *id == claims.access_key_id),
            );
        let expires = Duration::from_millis(claims.expires);
        if !permitted {
            Err(InvalidToken::AccountNotPermitted)
        } else if self.registry.revoked.contains_key(&claims.id) {
            Err(InvalidToken::Revoked)
        } else if expires <= self.unix_time() {
            Err(InvalidToken::Expired)
        } else if claims.kind != kind {
            Err(InvalidToken::ActionMismatch)
        } else {
            Ok(Grant {
                id: claims.id,
                kind: claimed,
                access_key_id: claims.access_key_id,
                resources: claims.resources,
                expires,
                noticed: false,
            })
        }
    }

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
            self.send(id, encode(&Packet::PubAck(Ack { packet_id })));
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
            self.send(id, encode(&Packet::PubAck(Ack { packet_id: upload.packet_id })));
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

    /// Closes the connections of those whose token has become invalid.
    fn end_tokens(&mut self, reason: InvalidToken, ends: impl Fn(&Grant) -> bool) {
        let hit: Vec<_> = self
            .connections
            .iter()
            .filter_map(|(&id, connection)| {
                let uploads = connection.uploads.iter().map(|upload| &upload.grant);
                let grant = connection.tokens.iter().flatten().chain(uploads).find(|grant| ends(grant))?;
                Some((id, connection.client.clone()?, grant.kind))
            })
            .collect();
        for (id, client, kind) in hit {
            let reason = self.token_invalid(id, &client, Some(kind), reason, TokenUse::Connection);
            self.close(id, reason);
        }
    }

    /// Tells a client by the quirk that a token is no good. The caller closes the connection.
    fn token_invalid(
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

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time since 1970 or since the start; before it there is none.
fn duration(nanos: i128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}
