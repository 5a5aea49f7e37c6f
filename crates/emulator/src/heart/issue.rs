//! Tokens as the service's API sees them: issued, revoked, checked; and the Unix time that they go by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mqtt_p2p_aliyun::{TokenKind, limits};

use super::Emulator;
use super::token_text::{Claims, SigningKey, TokenId};
use super::tokens::Grant;
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

impl Emulator {
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
    pub(super) fn at_unix_time(&self, unix_time: Duration) -> Duration {
        duration(unix_time.as_nanos().cast_signed() - self.unix_ahead)
    }

    pub(super) fn read_token(
        &self,
        presented_by: Option<&str>,
        kind: &str,
        text: &str,
    ) -> Result<Grant, InvalidToken> {
        let claims = self.registry.key.read(text)?;
        let claimed: TokenKind = claims.kind.parse().map_err(|_| InvalidToken::Unparsable)?;
        let permitted = claims.instance_id == self.config.instance_id
            && presented_by.is_none_or(|access_key_id| access_key_id == claims.access_key_id)
            && !self.registry.forbidden.contains(&claims.access_key_id)
            && self.config.accounts.iter().any(
                |account| matches!(account, Account::AccessKey { id, .. } if *id == claims.access_key_id),
            );
        let expires = Duration::from_millis(claims.expires);
        // Expiry goes first: a client can know of it by itself, and tests count on every such token being noticed.
        if expires <= self.unix_time() {
            Err(InvalidToken::Expired)
        } else if !permitted {
            Err(InvalidToken::AccountNotPermitted)
        } else if self.registry.revoked.contains_key(&claims.id) {
            Err(InvalidToken::Revoked)
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
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time since 1970 or since the start; before it there is none.
fn duration(nanos: i128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}
