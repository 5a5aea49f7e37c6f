//! The life of a client's tokens: when to get new ones, and which may still be sent.

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

/// The life of up to three tokens, one of each type. It holds no token, only times and what happened, so it suits
/// any adapter; which text belongs to which type, the adapter remembers, with the newest replacing the older.
///
/// It sees to it that a token that is known to be expired is neither logged in with nor uploaded, that a token is used
/// again by every reconnect as long as it serves (ApsaraMQ docs: token authentication), and that neither a notice
/// about an older token nor a server that never accepts makes a client ask for tokens without end.
///
/// Times are Unix milliseconds on the caller's clock, in any order: a clock that is set back makes a renewal late at
/// worst, and then the service's notice or its refusal brings it about. No life is believed to be longer than the
/// [30 days](MAX_TOKEN_LIFETIME) that the service grants.
///
/// ```
/// use mqtt_p2p_aliyun::{ExpiredToken, Margins, TokenKind, TokenLifecycle, TokenNotice, Advice};
///
/// const HOUR: u64 = 3_600_000;
/// let kind = TokenKind::RW;
/// let mut life = TokenLifecycle::new(kind.into(), Margins::default());
/// let mut now = 1_700_000_000_000;
///
/// // Before every CONNECT: whoever issues tokens is asked for those that are due. A failure there goes to
/// // `failed`; an old token that is still good serves meanwhile.
/// for kind in life.due(now).iter() {
///     life.obtained(kind, now, Some(now + HOUR))?;
/// }
/// assert!(life.log_in(now), "else wait until `due_at`");
/// // The answer was CONNACK 0; with 4 or 5 it would be `refused`.
/// life.logged_in(now);
///
/// // Online, a timer waits for `due_at`, and `$SYS/token…Notice` may come first.
/// let notice = TokenNotice::Expire { kind, expires_at_ms: now + HOUR };
/// now += HOUR - 300_000;
/// assert_eq!(life.due_at(now), Some(now));
/// assert_eq!(life.notice(&notice, now), Advice::Renew);
/// for kind in life.due(now).iter() {
///     life.obtained(kind, now, Some(now + HOUR))?;
///     if life.upload(kind, now) {
///         // PUBLISH to `UPLOAD_TOPIC`, nothing else until its PUBACK; then:
///         life.uploaded(kind, now);
///     }
/// }
///
/// // A reconnect uses the same token, and the notice about the first one comes again.
/// life.lost();
/// assert!(life.due(now).is_empty() && life.log_in(now));
/// life.logged_in(now);
/// assert_eq!(life.notice(&notice, now), Advice::Stale);
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
    /// Refusals since the last log-in that was accepted.
    refusals: u8,
    given_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    Offline,
    LoggingIn,
    Online,
}

impl TokenLifecycle {
    /// The life of tokens of these types, none of which is at hand.
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

    /// A token is at hand: new from whoever issues them, or kept from an earlier run. Without `expires_at_ms` it
    /// counts as good until the service says otherwise.
    ///
    /// # Errors
    ///
    /// [`ExpiredToken`]. What was at hand before stays, and it counts as a [failure](Self::failed).
    pub fn obtained(
        &mut self,
        kind: TokenKind,
        now_ms: u64,
        expires_at_ms: Option<u64>,
    ) -> Result<(), ExpiredToken> {
        let margins = self.margins;
        // The service cuts a longer life without a word.
        let longest = now_ms.saturating_add(millis(MAX_TOKEN_LIFETIME));
        let expires_at = expires_at_ms.map(|at| at.min(longest));
        self.kinds = self.kinds.with(kind);
        if let Some(expires_at_ms) = expires_at
            && is_expired(expires_at_ms, now_ms, &margins)
        {
            self.failed(kind, now_ms);
            return Err(ExpiredToken { kind, expires_at_ms, now_ms });
        }
        self.slot(kind).replace(now_ms, expires_at, &margins);
        Ok(())
    }

    /// Nobody issued a token of this type: whoever is asked for it gets a backoff.
    pub fn failed(&mut self, kind: TokenKind, now_ms: u64) {
        let margins = self.margins;
        let slot = self.slot(kind);
        let failures = slot.backoff.failures.saturating_add(1);
        slot.backoff = Backoff::new(failures, now_ms, &margins);
    }

    /// The types of which whoever issues tokens should be asked for one now: those that are missing or no longer
    /// good, and those that will expire soon, unless a failure was a short while ago.
    ///
    /// An answer that is under way is not known here: ask again only when [`obtained`](Self::obtained) or
    /// [`failed`](Self::failed) was called.
    pub fn due(&mut self, now_ms: u64) -> TokenKinds {
        self.advance_clock(now_ms);
        if self.given_up {
            return TokenKinds::EMPTY;
        }
        let due = self.kinds.iter().filter(|kind| self.slot_ref(*kind).due_at(now_ms) <= now_ms);
        due.collect()
    }

    /// When something will be [due](Self::due), as things are; at `now_ms` if it is already, `None` if only an event
    /// can make it. Where the clock may be set, ask again every minute or so.
    pub fn due_at(&mut self, now_ms: u64) -> Option<u64> {
        self.advance_clock(now_ms);
        if self.given_up {
            return None;
        }
        let first = self.kinds.iter().map(|kind| self.slot_ref(kind).due_at(now_ms)).min()?;
        (first != u64::MAX).then(|| first.max(now_ms))
    }

    /// Whether a log-in may be sent: a token of every type is at hand, and none is known to be expired or otherwise
    /// not valid.
    pub fn may_log_in(&mut self, now_ms: u64) -> bool {
        self.advance_clock(now_ms);
        !self.given_up && self.kinds.iter().all(|kind| self.slot_ref(kind).token == TokenState::Usable)
    }

    /// CONNECT is about to be sent, with the tokens at hand, if the answer is true. If it is false, it
    /// [may not be](Self::may_log_in).
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

    /// The service accepted the log-in.
    pub fn logged_in(&mut self, now_ms: u64) {
        self.connection = Connection::Online;
        self.refusals = 0;
        self.for_each_slot(|slot| slot.accept(now_ms));
    }

    /// The service refused the log-in, with CONNACK 4 or 5. It does not say which token was at fault, so all are given
    /// up. Once, new ones may help; if they are refused too, without a log-in that was accepted in between, more would
    /// be as well: [`Advice::GiveUp`].
    pub fn refused(&mut self, now_ms: u64) -> Advice {
        self.advance_clock(now_ms);
        // One that expired on the way says nothing about the others.
        let expired_on_the_way =
            self.kinds.iter().any(|kind| self.slot_ref(kind).token == TokenState::Unusable);
        let margins = self.margins;
        self.for_each_slot(|slot| {
            if slot.sent && slot.token == TokenState::Usable {
                slot.invalidate(now_ms, &margins);
            }
        });
        self.lost();
        if !expired_on_the_way {
            self.refusals = self.refusals.saturating_add(1);
        }
        if self.refusals > 1 { self.give_up() } else { Advice::Renew }
    }

    /// A token is about to be uploaded, if the answer is true: there is a connection, it has not been given this
    /// token, and the token is good. One upload at a time: the next one after [`uploaded`](Self::uploaded).
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

    /// The service acknowledged the upload.
    pub fn uploaded(&mut self, kind: TokenKind, now_ms: u64) {
        self.slot(kind).accept(now_ms);
    }

    /// The connection is gone, or the attempt to make one ended. Tokens stay: the next one uses them.
    pub fn lost(&mut self) {
        self.connection = Connection::Offline;
        self.for_each_slot(|slot| {
            if slot.doubt == Doubt::ThisConnection {
                slot.doubt = Doubt::EarlierConnection;
            }
        });
    }

    /// A notice of the service came, also if the connection is [lost](Self::lost) by now.
    ///
    /// That a token expires is believed unless one that lives longer is at hand. That one is not valid is believed
    /// at once if it is the first of its type. If it has just taken the place of another, the notice may be late and
    /// about that one: it counts when it comes again on another connection, and if it was true, a refusal will say
    /// so before. If a new token is not valid either, for a reason that new tokens do not cure, it is
    /// [`Advice::GiveUp`].
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
            TokenNotice::Expire { expires_at_ms, .. } => slot.will_expire(expires_at_ms, now_ms, &margins),
            TokenNotice::Invalid { reason, .. } => {
                let advice = slot.is_invalid(reason.is_fixed_by_renewal(), now_ms, &margins);
                if advice == Advice::GiveUp { self.give_up() } else { advice }
            }
        }
    }

    /// Whether it [gave up](Advice::GiveUp).
    pub const fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// Somebody saw to what made it [give up](Advice::GiveUp), and wants another try: with new tokens.
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

    /// Once a token was seen to be expired, a clock that is set back does not make it good again.
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
