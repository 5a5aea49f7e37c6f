//! The lifecycle of tokens: when to obtain new ones and which may still be sent.

mod advice;
mod backoff;
mod margins;
mod slot;

pub use advice::{Advice, ExpiredToken};
pub use margins::Margins;

use crate::limits::MAX_TOKEN_LIFETIME;
use crate::token::kind::TokenKind;
use crate::token::kinds::TokenKinds;
use crate::token::notice::TokenNotice;
use backoff::Backoff;
use margins::{is_expired, millis};
use slot::{Doubt, Slot, TokenState};

/// Decides when a client obtains new tokens and which tokens it may send.
///
/// It manages up to three tokens, one of each [type](TokenKind). It stores only times and events, never the text of a
/// token: the adapter keeps the newest text of each type.
///
/// It ensures the following:
///
/// - A token that is known to have expired is neither sent in a login nor uploaded.
/// - A reconnect uses the same tokens as long as they are valid (ApsaraMQ docs: token authentication).
/// - Neither a late notice about a replaced token nor a server that refuses every login causes endless requests for
///   tokens.
///
/// All times are Unix milliseconds on the caller's clock, and need not increase. If the clock is set back, a
/// renewal may be late; the service's notice or its refusal then triggers it. Lifetimes are capped at the
/// [30 days](MAX_TOKEN_LIFETIME) that the service grants.
///
/// ```
/// use mqtt_p2p_aliyun::{Advice, ExpiredToken, Margins, TokenKind, TokenLifecycle, TokenNotice};
///
/// const HOUR: u64 = 3_600_000;
/// let kind = TokenKind::RW;
/// let mut tokens = TokenLifecycle::new(kind.into(), Margins::default());
/// let mut now = 1_700_000_000_000;
///
/// // Before every CONNECT, request the tokens that are due from the server that issues them. Report a
/// // failure with `failed`; an old token that is still valid remains in use.
/// for kind in tokens.due(now).iter() {
///     tokens.obtained(kind, now, Some(now + HOUR))?;
/// }
/// assert!(tokens.log_in(now), "otherwise wait until `due_at`");
/// // The service answered with CONNACK 0. After 4 or 5, call `refused`.
/// tokens.logged_in(now);
///
/// // While connected, wait until `due_at`. A `$SYS/token…Notice` may arrive earlier.
/// let notice = TokenNotice::Expire { kind, expires_at_ms: now + HOUR };
/// now += HOUR - 300_000;
/// assert_eq!(tokens.due_at(now), Some(now));
/// assert_eq!(tokens.notice(&notice, now), Advice::Renew);
/// for kind in tokens.due(now).iter() {
///     tokens.obtained(kind, now, Some(now + HOUR))?;
///     if tokens.upload(kind, now) {
///         // Publish to `UPLOAD_TOPIC`, send nothing else until the PUBACK, then call `uploaded`.
///         tokens.uploaded(kind, now);
///     }
/// }
///
/// // A reconnect uses the same token, and a repeated notice about the first one has no effect.
/// tokens.lost();
/// assert!(tokens.due(now).is_empty() && tokens.log_in(now));
/// tokens.logged_in(now);
/// assert_eq!(tokens.notice(&notice, now), Advice::Stale);
/// # Ok::<(), ExpiredToken>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenLifecycle {
    kinds: TokenKinds,
    margins: Margins,
    r: Slot,
    w: Slot,
    rw: Slot,
    connection: Connection,
    /// The number of refused logins since the last accepted one.
    refusals: u8,
    given_up: bool,
}

/// The state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    Offline,
    LoggingIn,
    Online,
}

impl TokenLifecycle {
    /// Creates a lifecycle for tokens of these types, none of which has been obtained.
    pub fn new(kinds: TokenKinds, margins: Margins) -> Self {
        Self {
            kinds,
            margins,
            r: Slot::default(),
            w: Slot::default(),
            rw: Slot::default(),
            connection: Connection::Offline,
            refusals: 0,
            given_up: false,
        }
    }

    /// Reports that a token was obtained: a new one from the server that issues tokens, or one kept from an
    /// earlier run.
    ///
    /// It replaces the previous token of its type. Without `expires_at_ms`, it counts as valid until the service
    /// reports otherwise.
    ///
    /// # Errors
    ///
    /// Returns [`ExpiredToken`] if the token has expired. Then the previous token stays in use, and the call
    /// counts as a [failure](Self::failed).
    pub fn obtained(
        &mut self,
        kind: TokenKind,
        now_ms: u64,
        expires_at_ms: Option<u64>,
    ) -> Result<(), ExpiredToken> {
        let margins = self.margins;
        // The service silently shortens a longer lifetime.
        let longest = now_ms.saturating_add(millis(MAX_TOKEN_LIFETIME));
        let expires_at = expires_at_ms.map(|at| at.min(longest));
        self.kinds = self.kinds.with(kind);
        if let Some(expires_at_ms) = expires_at
            && is_expired(expires_at_ms, now_ms, &margins)
        {
            self.failed(kind, now_ms);
            return Err(ExpiredToken::new(kind, expires_at_ms, now_ms));
        }
        self.slot(kind).replace(now_ms, expires_at, &margins);
        Ok(())
    }

    /// Reports that no token of this type could be obtained. Requests for that type back off exponentially.
    pub fn failed(&mut self, kind: TokenKind, now_ms: u64) {
        let margins = self.margins;
        let slot = self.slot(kind);
        let failures = slot.backoff.failures.saturating_add(1);
        slot.backoff = Backoff::new(failures, now_ms, &margins);
    }

    /// Returns the types for which a new token should be requested now.
    ///
    /// These are the types whose token is missing, no longer usable or about to expire, except during the backoff
    /// after a failure. Requests in flight are not tracked: call this again only after
    /// [`obtained`](Self::obtained) or [`failed`](Self::failed).
    pub fn due(&mut self, now_ms: u64) -> TokenKinds {
        self.advance_clock(now_ms);
        if self.given_up {
            return TokenKinds::EMPTY;
        }
        let due = self.kinds.iter().filter(|kind| self.slot_ref(*kind).due_at(now_ms) <= now_ms);
        due.collect()
    }

    /// Returns when the next token becomes [due](Self::due), in Unix milliseconds and not before `now_ms`.
    ///
    /// Returns `None` if no token becomes due without an event. If the clock may be adjusted, call this again
    /// about once a minute.
    pub fn due_at(&mut self, now_ms: u64) -> Option<u64> {
        self.advance_clock(now_ms);
        if self.given_up {
            return None;
        }
        let first = self.kinds.iter().map(|kind| self.slot_ref(kind).due_at(now_ms)).min()?;
        (first != u64::MAX).then(|| first.max(now_ms))
    }

    /// Returns whether a login is allowed: a token of every type is available and none is known to be expired or not
    /// valid.
    pub fn may_log_in(&mut self, now_ms: u64) -> bool {
        self.advance_clock(now_ms);
        !self.given_up && self.kinds.iter().all(|kind| self.slot_ref(kind).token == TokenState::Usable)
    }

    /// Starts a login with the current tokens, if it is [allowed](Self::may_log_in).
    ///
    /// Returns whether CONNECT may be sent.
    #[must_use]
    pub fn log_in(&mut self, now_ms: u64) -> bool {
        let allowed = self.may_log_in(now_ms);
        if allowed {
            self.lost();
            self.connection = Connection::LoggingIn;
            self.for_each_slot(|slot| slot.sent = slot.token == TokenState::Usable);
        }
        allowed
    }

    /// Reports that the service accepted the login.
    pub fn logged_in(&mut self, now_ms: u64) {
        self.connection = Connection::Online;
        self.refusals = 0;
        self.for_each_slot(|slot| slot.accept(now_ms));
    }

    /// Reports that the service refused the login with CONNACK 4 or 5.
    ///
    /// The service does not name the token at fault, so all tokens that were sent become unusable. After the first
    /// refusal the advice is [`Advice::Renew`]. After a second one without an accepted login in between, it is
    /// [`Advice::GiveUp`].
    pub fn refused(&mut self, now_ms: u64) -> Advice {
        self.advance_clock(now_ms);
        // If a token expired in flight, the refusal is explained and does not count.
        let expired_in_flight =
            self.kinds.iter().any(|kind| self.slot_ref(kind).token == TokenState::Unusable);
        let margins = self.margins;
        self.for_each_slot(|slot| {
            if slot.sent && slot.token == TokenState::Usable {
                slot.invalidate(now_ms, &margins);
            }
        });
        self.lost();
        if !expired_in_flight {
            self.refusals = self.refusals.saturating_add(1);
        }
        if self.refusals > 1 { self.give_up() } else { Advice::Renew }
    }

    /// Starts the upload of a token, if the client is connected, the token is usable and was not yet sent on this
    /// connection.
    ///
    /// Returns whether the token may be uploaded. Upload one token at a time: start the next one after
    /// [`uploaded`](Self::uploaded).
    #[must_use]
    pub fn upload(&mut self, kind: TokenKind, now_ms: u64) -> bool {
        self.advance_clock(now_ms);
        let online = self.connection == Connection::Online && !self.given_up;
        let slot = self.slot(kind);
        let allowed = online && slot.token == TokenState::Usable && !slot.sent;
        if allowed {
            slot.sent = true;
        }
        allowed
    }

    /// Reports that the service acknowledged the upload of a token.
    pub fn uploaded(&mut self, kind: TokenKind, now_ms: u64) {
        self.slot(kind).accept(now_ms);
    }

    /// Reports that the connection was lost or a connection attempt ended. The next connection uses the same tokens.
    pub fn lost(&mut self) {
        self.connection = Connection::Offline;
        self.for_each_slot(|slot| {
            if slot.doubt == Doubt::ThisConnection {
                slot.doubt = Doubt::EarlierConnection;
            }
        });
    }

    /// Handles a notice of the service, which may also arrive after the connection was [lost](Self::lost).
    ///
    /// - A notice that a token expires is stale if the current token expires later. Otherwise the advice is
    ///   [`Advice::Renew`].
    /// - A notice that a token is not valid takes effect at once, unless the current token has just replaced
    ///   another one: then the notice may refer to that one, and takes effect only if it is repeated on another
    ///   connection. If the current token really is not valid, the next login is refused before that.
    /// - If a renewed token is not valid either, for a reason that renewal does not fix, the advice is
    ///   [`Advice::GiveUp`].
    pub fn notice(&mut self, notice: &TokenNotice, now_ms: u64) -> Advice {
        self.advance_clock(now_ms);
        if self.given_up {
            return Advice::Stale;
        }
        let margins = self.margins;
        let slot = self.slot(notice.kind());
        if !slot.sent {
            return Advice::Stale;
        }
        match *notice {
            TokenNotice::Expire { expires_at_ms, .. } => {
                slot.on_expire_notice(expires_at_ms, now_ms, &margins)
            }
            TokenNotice::Invalid { reason, .. } => {
                let advice = slot.on_invalid_notice(reason.is_fixed_by_renewal(), now_ms, &margins);
                if advice == Advice::GiveUp { self.give_up() } else { advice }
            }
        }
    }

    /// Returns whether the lifecycle has stopped with [`Advice::GiveUp`].
    pub const fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// Resumes after [`Advice::GiveUp`], once the cause has been fixed.
    pub fn start_over(&mut self) {
        self.given_up = false;
        self.refusals = 0;
        self.for_each_slot(|slot| {
            slot.backoff = Backoff::default();
            slot.short_lived = 0;
            slot.not_fixed_by_renewal = false;
        });
    }

    fn give_up(&mut self) -> Advice {
        self.given_up = true;
        Advice::GiveUp
    }

    /// Marks tokens that have expired as unusable. Setting the clock back later does not change that.
    fn advance_clock(&mut self, now: u64) {
        let margins = self.margins;
        self.for_each_slot(|slot| {
            if slot.token == TokenState::Usable
                && slot.expires_at.is_some_and(|at| is_expired(at, now, &margins))
            {
                slot.invalidate(now, &margins);
            }
        });
    }

    /// Applies a change to the slots of all types.
    fn for_each_slot(&mut self, mut change: impl FnMut(&mut Slot)) {
        [&mut self.r, &mut self.w, &mut self.rw].into_iter().for_each(&mut change);
    }

    fn slot(&mut self, kind: TokenKind) -> &mut Slot {
        match kind {
            TokenKind::R => &mut self.r,
            TokenKind::W => &mut self.w,
            TokenKind::RW => &mut self.rw,
        }
    }

    fn slot_ref(&self, kind: TokenKind) -> &Slot {
        match kind {
            TokenKind::R => &self.r,
            TokenKind::W => &self.w,
            TokenKind::RW => &self.rw,
        }
    }
}
