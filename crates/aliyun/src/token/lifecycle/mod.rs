//! The life of a client's tokens: when to get new ones, and which may still be sent.

use core::{fmt, time::Duration};

use crate::limits::{MAX_TOKEN_LIFETIME, TOKEN_EXPIRY_NOTICE};
use crate::token::kinds::TokenKinds;
use crate::token::notice::TokenNotice;
use crate::token::set::TokenKind;

/// How careful a [`TokenLife`] is. The defaults suit the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Margins {
    /// A token counts as expired so long before it does, since clocks differ and messages travel. 5 s.
    pub clock_skew: Duration,
    /// A new token is due so long before the old one expires, or after three quarters of its life if that is later.
    /// 5 minutes, which is when the service sends its notice.
    pub renew_before: Duration,
    /// The pause after a failure to get a token. It doubles with every further one. 5 s.
    pub first_pause: Duration,
    /// The longest pause. One minute.
    pub longest_pause: Duration,
    /// So long after the service accepted it, a token is young: a notice that it is not valid can be a late one about
    /// the token before, and that young tokens end must not make a client ask for one after the other. 30 s.
    pub youth: Duration,
}

impl Default for Margins {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_secs(5),
            renew_before: TOKEN_EXPIRY_NOTICE,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(60),
            youth: Duration::from_secs(30),
        }
    }
}

/// What a notice or a refusal means for the tokens at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Verdict {
    /// It is about no token that is in use: nothing is to be done.
    Stale,
    /// A new token is needed; [`TokenLife::due`] says of which types, and when.
    Renew,
    /// New tokens do not help: what they are issued for is wrong, or the log-in is. A person has to look. Nothing is
    /// due and no log-in allowed before [`TokenLife::start_over`].
    GiveUp,
}

/// A token that was expired, by the own clock, when it was obtained. Either who issued it is at fault, or the
/// own clock is ahead. It is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ExpiredToken {
    /// The token's type.
    pub kind: TokenKind,
    /// When it expires, in Unix milliseconds.
    pub expires_at_ms: u64,
    /// What the own clock said, in Unix milliseconds.
    pub now_ms: u64,
}

impl fmt::Display for ExpiredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the new {} token expires at {} ms since 1970, and this clock says {}: set the clock right, or have the \
             server issue tokens that live longer",
            self.kind, self.expires_at_ms, self.now_ms
        )
    }
}

impl core::error::Error for ExpiredToken {}

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
/// use mqtt_p2p_aliyun::{ExpiredToken, Margins, TokenKind, TokenLife, TokenNotice, Verdict};
///
/// const HOUR: u64 = 3_600_000;
/// let kind = TokenKind::RW;
/// let mut life = TokenLife::new(kind.into(), Margins::default());
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
/// assert_eq!(life.notice(&notice, now), Verdict::Renew);
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
/// assert_eq!(life.notice(&notice, now), Verdict::Stale);
/// # Ok::<(), ExpiredToken>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenLife {
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

/// What there is of one type.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    token: Token,
    expires_at: Option<u64>,
    renew_at: Option<u64>,
    /// A notice asks for a new one.
    asked_for: bool,
    /// The connection, or the last one while there is none, was given this token.
    sent: bool,
    /// Since when the service has accepted it.
    accepted_at: Option<u64>,
    /// It took the place of another one, which expires then, if that is known.
    replaced: Option<Option<u64>>,
    /// A notice that it is not valid was taken to be about the one before.
    doubt: Doubt,
    /// How many tokens in a row did not live long.
    short_lives: u8,
    /// The one before was not valid for a reason that a new token does not cure.
    incurable: bool,
    pause: Pause,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Token {
    #[default]
    Missing,
    Good,
    /// Expired, not valid or refused. Only a new token changes that, not the clock.
    Dead,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doubt {
    #[default]
    No,
    OnThisConnection,
    Earlier,
}

/// The time in which nobody is asked for a token.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u8,
    from: u64,
    millis: u64,
}

impl TokenLife {
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

    /// Nobody issued a token of this type: whoever is asked for it gets a pause.
    pub fn failed(&mut self, kind: TokenKind, now_ms: u64) {
        let margins = self.margins;
        let slot = self.slot(kind);
        let failures = slot.pause.failures.saturating_add(1);
        slot.pause = Pause::new(failures, now_ms, &margins);
    }

    /// The types of which whoever issues tokens should be asked for one now: those that are missing or no longer
    /// good, and those that will expire soon, unless a failure was a short while ago.
    ///
    /// An answer that is under way is not known here: ask again only when [`obtained`](Self::obtained) or
    /// [`failed`](Self::failed) was called.
    pub fn due(&mut self, now_ms: u64) -> TokenKinds {
        self.see(now_ms);
        if self.given_up {
            return TokenKinds::EMPTY;
        }
        let due = self.kinds.iter().filter(|kind| self.slot_ref(*kind).due_at(now_ms) <= now_ms);
        due.collect()
    }

    /// When something will be [due](Self::due), as things are; at `now_ms` if it is already, `None` if only an event
    /// can make it. Where the clock may be set, ask again every minute or so.
    pub fn due_at(&mut self, now_ms: u64) -> Option<u64> {
        self.see(now_ms);
        if self.given_up {
            return None;
        }
        let first = self.kinds.iter().map(|kind| self.slot_ref(kind).due_at(now_ms)).min()?;
        (first != u64::MAX).then(|| first.max(now_ms))
    }

    /// Whether a log-in may be sent: a token of every type is at hand, and none is known to be expired or otherwise
    /// not valid.
    pub fn may_log_in(&mut self, now_ms: u64) -> bool {
        self.see(now_ms);
        !self.given_up && self.kinds.iter().all(|kind| self.slot_ref(kind).token == Token::Good)
    }

    /// CONNECT is about to be sent, with the tokens at hand, if the answer is true. If it is false, it
    /// [may not be](Self::may_log_in).
    #[must_use]
    pub fn log_in(&mut self, now_ms: u64) -> bool {
        let allowed = self.may_log_in(now_ms);
        if allowed {
            self.lost();
            self.connection = Connection::LoggingIn;
            self.each(|slot| slot.sent = slot.token == Token::Good);
        }
        allowed
    }

    /// The service accepted the log-in.
    pub fn logged_in(&mut self, now_ms: u64) {
        self.connection = Connection::Online;
        self.refusals = 0;
        self.each(|slot| slot.accept(now_ms));
    }

    /// The service refused the log-in, with CONNACK 4 or 5. It does not say which token was at fault, so all are given
    /// up. Once, new ones may help; if they are refused too, without a log-in that was accepted in between, more would
    /// be as well: [`Verdict::GiveUp`].
    pub fn refused(&mut self, now_ms: u64) -> Verdict {
        self.see(now_ms);
        // One that expired on the way says nothing about the others.
        let expired_on_the_way = self.kinds.iter().any(|kind| self.slot_ref(kind).token == Token::Dead);
        let margins = self.margins;
        self.each(|slot| {
            if slot.sent && slot.token == Token::Good {
                slot.die(now_ms, &margins);
            }
        });
        self.lost();
        if !expired_on_the_way {
            self.refusals = self.refusals.saturating_add(1);
        }
        if self.refusals > 1 { self.give_up() } else { Verdict::Renew }
    }

    /// A token is about to be uploaded, if the answer is true: there is a connection, it has not been given this
    /// token, and the token is good. One upload at a time: the next one after [`uploaded`](Self::uploaded).
    #[must_use]
    pub fn upload(&mut self, kind: TokenKind, now_ms: u64) -> bool {
        self.see(now_ms);
        let online = self.connection == Connection::Online && !self.given_up;
        let slot = self.slot(kind);
        let allowed = online && slot.token == Token::Good && !slot.sent;
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
        self.each(|slot| {
            if slot.doubt == Doubt::OnThisConnection {
                slot.doubt = Doubt::Earlier;
            }
        });
    }

    /// A notice of the service came, also if the connection is [lost](Self::lost) by now.
    ///
    /// That a token expires is believed unless one that lives longer is at hand. That one is not valid is believed
    /// at once if it is the first of its type. If it has just taken the place of another, the notice may be late and
    /// about that one: it counts when it comes again on another connection, and if it was true, a refusal will say
    /// so before. If a new token is not valid either, for a reason that new tokens do not cure, it is
    /// [`Verdict::GiveUp`].
    pub fn notice(&mut self, notice: &TokenNotice, now_ms: u64) -> Verdict {
        self.see(now_ms);
        if self.given_up {
            return Verdict::Stale;
        }
        let margins = self.margins;
        let slot = self.slot(notice.kind());
        if !slot.sent {
            return Verdict::Stale;
        }
        match *notice {
            TokenNotice::Expire { expires_at_ms, .. } => slot.will_expire(expires_at_ms, now_ms, &margins),
            TokenNotice::Invalid { reason, .. } => {
                let verdict = slot.is_invalid(reason.is_cured_by_a_new_token(), now_ms, &margins);
                if verdict == Verdict::GiveUp { self.give_up() } else { verdict }
            }
        }
    }

    /// Whether it [gave up](Verdict::GiveUp).
    pub const fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// Somebody saw to what made it [give up](Verdict::GiveUp), and wants another try: with new tokens.
    pub fn start_over(&mut self) {
        self.given_up = false;
        self.refusals = 0;
        self.each(|slot| {
            slot.pause = Pause::default();
            slot.short_lives = 0;
            slot.incurable = false;
        });
    }

    fn give_up(&mut self) -> Verdict {
        self.given_up = true;
        Verdict::GiveUp
    }

    /// Once a token was seen to be expired, a clock that is set back does not make it good again.
    fn see(&mut self, now: u64) {
        let margins = self.margins;
        self.each(|slot| {
            if slot.token == Token::Good && slot.expires_at.is_some_and(|at| is_expired(at, now, &margins)) {
                slot.die(now, &margins);
            }
        });
    }

    fn each(&mut self, mut change: impl FnMut(&mut Slot)) {
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

impl Slot {
    fn replace(&mut self, now: u64, expires_at: Option<u64>, margins: &Margins) {
        let renewed_in_time = self.token == Token::Good && !self.is_young(now, margins);
        let (short_lives, incurable) =
            if renewed_in_time { (0, false) } else { (self.short_lives, self.incurable) };
        *self = Self {
            token: Token::Good,
            replaced: (self.token != Token::Missing).then_some(self.expires_at),
            short_lives,
            incurable,
            ..Self::default()
        };
        if let Some(at) = expires_at {
            self.expires_at(at, now, margins);
        }
    }

    fn expires_at(&mut self, at: u64, now: u64, margins: &Margins) {
        let ahead = millis(margins.renew_before).min(at.saturating_sub(now) / 4);
        self.expires_at = Some(at);
        self.renew_at = Some(at.saturating_sub(ahead));
    }

    /// In the past: at once. [`u64::MAX`]: not by the clock.
    fn due_at(&self, now: u64) -> u64 {
        let needed_at = match self.token {
            Token::Good if !self.asked_for => self.renew_at.unwrap_or(u64::MAX),
            _ => 0,
        };
        needed_at.max(self.pause.end(now))
    }

    fn accept(&mut self, now: u64) {
        if self.sent && self.token == Token::Good && self.accepted_at.is_none() {
            self.accepted_at = Some(now);
        }
    }

    fn will_expire(&mut self, at: u64, now: u64, margins: &Margins) -> Verdict {
        let slack = millis(margins.clock_skew);
        let is_older = match (self.expires_at, self.replaced) {
            (Some(own), _) => at.saturating_add(slack) < own,
            (None, Some(Some(before))) => at.abs_diff(before) <= slack,
            (None, _) => false,
        };
        if is_older {
            return Verdict::Stale;
        }
        if self.expires_at.is_none() {
            self.expires_at(at, now, margins);
        }
        // Of a token that lives for minutes only, it is said as soon as it is used: that makes none due before its time.
        self.asked_for |= !self.is_young(now, margins);
        Verdict::Renew
    }

    fn is_invalid(&mut self, curable: bool, now: u64, margins: &Margins) -> Verdict {
        if self.token == Token::Dead {
            // It is known already: the notice comes twice, or after the clock said so.
            return Verdict::Renew;
        }
        if self.replaced.is_some() && self.is_young(now, margins) && self.doubt != Doubt::Earlier {
            self.doubt = Doubt::OnThisConnection;
            return Verdict::Stale;
        }
        self.die(now, margins);
        if !curable && self.incurable {
            return Verdict::GiveUp;
        }
        self.incurable = !curable;
        Verdict::Renew
    }

    /// Whoever issues tokens gets a pause if it is not the first one in a row that did not live long, for instance
    /// because this clock is far ahead of the service's.
    fn die(&mut self, now: u64, margins: &Margins) {
        self.short_lives = if self.is_young(now, margins) { self.short_lives.saturating_add(1) } else { 0 };
        self.token = Token::Dead;
        // The first one may be an accident.
        self.pause = Pause::new(self.short_lives.saturating_sub(1), now, margins);
    }

    /// A clock that was set back means no.
    fn is_young(&self, now: u64, margins: &Margins) -> bool {
        self.accepted_at.is_none_or(|at| at <= now && now.saturating_sub(at) < millis(margins.youth))
    }
}

impl Pause {
    fn new(failures: u8, now: u64, margins: &Margins) -> Self {
        let Some(doublings) = failures.checked_sub(1) else { return Self::default() };
        let factor = 1_u64.checked_shl(u32::from(doublings)).unwrap_or(u64::MAX);
        let pause = millis(margins.first_pause).saturating_mul(factor).min(millis(margins.longest_pause));
        Self { failures, from: now, millis: pause }
    }

    /// A clock that was set back ends it.
    fn end(&self, now: u64) -> u64 {
        if now < self.from { 0 } else { self.from.saturating_add(self.millis) }
    }
}

fn is_expired(at: u64, now: u64, margins: &Margins) -> bool {
    now.saturating_add(millis(margins.clock_skew)) >= at
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
