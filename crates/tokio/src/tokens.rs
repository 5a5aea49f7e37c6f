//! Tokens of ApsaraMQ: asked for when they are needed, kept over reconnects, renewed before they expire.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use mqtt_p2p_aliyun::{
    Advice, Credentials, ExpiredToken, InvalidReason, Margins, TokenKind, TokenKinds, TokenLifecycle,
    TokenNotice, TokenSet, upload_len, write_upload,
};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::event::ConnectionEvent;
use crate::options::{Login, log_in};
use crate::shared::Shared;

/// A token of the service. Its text is wiped when dropped; Debug does not show it.
#[derive(Clone)]
pub struct Token {
    kind: TokenKind,
    text: Zeroizing<String>,
    expires_at: Option<SystemTime>,
}

/// What a [`TokenSource`] is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Tokens of these types.
    pub kinds: TokenKinds,
    /// What the service had against the last one, if it said so. [`InvalidReason::advice`] tells what to do.
    pub invalid: Option<InvalidReason>,
}

type Answer = Result<Vec<Token>, Box<dyn Error + Send + Sync>>;
type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Where a client's tokens come from: the program's own server, which asks ApplyToken of the service. A client must never
/// do that itself, since it takes the access key's secret.
///
/// It is asked when there is no token yet, some minutes before one expires, when the service says that one is about to
/// expire or no longer valid, and after a refused log-in; never because of a reconnect. If it fails, it is asked again
/// later, at growing intervals.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use mqtt_p2p_tokio::{Token, TokenKind, TokenRequest, TokenSource};
///
/// # async fn ask_my_server(kinds: mqtt_p2p_tokio::TokenKinds) -> std::io::Result<(String, Duration)> {
/// #     Ok(("token".into(), Duration::from_secs(3600)))
/// # }
/// let source = TokenSource::new(TokenKind::RW, |request: TokenRequest| async move {
///     let (text, life) = ask_my_server(request.kinds).await?;
///     Ok::<_, std::io::Error>(vec![Token::new(TokenKind::RW, text, SystemTime::now() + life)])
/// });
/// ```
#[derive(Clone)]
pub struct TokenSource {
    ask: Arc<dyn Fn(TokenRequest) -> Asking + Send + Sync>,
    kinds: TokenKinds,
    margins: Margins,
    at_hand: Vec<Token>,
}

impl Token {
    /// A token as the service issued it, and when it expires.
    pub fn new(kind: TokenKind, text: impl Into<String>, expires_at: SystemTime) -> Self {
        Self { kind, text: Zeroizing::new(text.into()), expires_at: Some(expires_at) }
    }

    /// The same for one whose end nobody knows: it counts as good until the service says otherwise.
    pub fn without_expiry(kind: TokenKind, text: impl Into<String>) -> Self {
        Self { kind, text: Zeroizing::new(text.into()), expires_at: None }
    }

    /// What it allows.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Its text: a secret.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// When it expires, if that is known.
    pub const fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

impl TokenSource {
    /// Tokens of these types, from an async closure that gives one of each that it is asked for.
    pub fn new<F, A, E>(kinds: impl Into<TokenKinds>, ask: F) -> Self
    where
        F: Fn(TokenRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Vec<Token>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let ask = move |request| -> Asking {
            let answer = ask(request);
            Box::pin(async move { answer.await.map_err(Into::into) })
        };
        Self { ask: Arc::new(ask), kinds: kinds.into(), margins: Margins::default(), at_hand: Vec::new() }
    }

    /// The same with a token of an earlier run of the program, which need not be asked for then.
    #[must_use]
    pub fn with(mut self, token: Token) -> Self {
        self.at_hand.push(token);
        self
    }

    /// The same with other margins of time.
    #[must_use]
    pub const fn margins(mut self, margins: Margins) -> Self {
        self.margins = margins;
        self
    }
}

/// The tokens of one client.
pub(crate) struct Tokens {
    source: TokenSource,
    access_key_id: String,
    instance_id: String,
    state: Mutex<State>,
    /// The source has answered.
    answered: Notify,
}

struct State {
    life: TokenLifecycle,
    texts: Vec<Token>,
    asking: bool,
    invalid: Option<InvalidReason>,
    failure: Option<String>,
}

impl Tokens {
    pub(crate) fn new(source: TokenSource, access_key_id: String, instance_id: String) -> Self {
        let life = TokenLifecycle::new(source.kinds, source.margins);
        let mut state = State { life, texts: Vec::new(), asking: false, invalid: None, failure: None };
        // One that has expired meanwhile is asked for as if it had never been.
        let now = SystemTime::now() + source.margins.clock_skew;
        for token in source.at_hand.iter().filter(|token| token.expires_at.is_none_or(|at| now < at)) {
            let _ = state.obtain(token.clone());
        }
        Self { source, access_key_id, instance_id, state: Mutex::new(state), answered: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for what is due, in a task of its own: a connection attempt that ends meanwhile does not end the asking.
    pub(crate) fn ask(self: &Arc<Self>, shared: &Arc<Shared>) {
        let request = {
            let mut state = self.lock();
            if state.asking {
                return;
            }
            let kinds = state.life.due(now_ms());
            if kinds.is_empty() {
                return;
            }
            state.asking = true;
            TokenRequest { kinds, invalid: state.invalid }
        };
        let (tokens, shared) = (Arc::clone(self), Arc::clone(shared));
        tokio::spawn(async move {
            // What the program's own code panics with must not leave the client without an answer.
            let answer = AssertUnwindSafe(async { (tokens.source.ask)(request).await }).catch_unwind().await;
            let answer = answer.unwrap_or_else(|_| Err("it panicked".into()));
            if let Some(detail) = tokens.lock().answer(request, answer) {
                shared.report(ConnectionEvent::TokenFailed { detail: detail.into() });
            }
            tokens.answered.notify_waiters();
            shared.work.notify_one();
        });
    }

    /// Waits until there is a log-in to be had.
    ///
    /// # Errors
    /// There is none for now.
    pub(crate) async fn ready(self: &Arc<Self>, shared: &Arc<Shared>) -> Result<(), String> {
        loop {
            let answered = self.answered.notified();
            let mut answered = std::pin::pin!(answered);
            answered.as_mut().enable();
            self.ask(shared);
            {
                let mut state = self.lock();
                if state.life.may_log_in(now_ms()) {
                    return Ok(());
                }
                if !state.asking {
                    let failure = state.failure.clone();
                    return Err(failure.unwrap_or_else(|| "no valid token".into()));
                }
            }
            answered.await;
        }
    }

    /// The log-in, for a CONNECT that goes out now.
    ///
    /// # Errors
    /// A token has expired meanwhile, or is none.
    pub(crate) fn log_in(&self, client_id: &str) -> Result<Login, String> {
        let mut state = self.lock();
        if !state.life.log_in(now_ms()) {
            return Err("the token expired while the connection was opened".into());
        }
        state.login(client_id, &self.access_key_id, &self.instance_id)
    }

    pub(crate) fn logged_in(&self) {
        self.lock().life.logged_in(now_ms());
    }

    pub(crate) fn lost(&self) {
        self.lock().life.lost();
    }

    /// The log-in was refused. Whether another one is to be tried at once.
    pub(crate) fn refused(&self) -> bool {
        let mut state = self.lock();
        let advice = state.life.refused(now_ms());
        state.judge(advice);
        advice == Advice::Renew
    }

    pub(crate) fn notice(&self, notice: &TokenNotice) {
        let mut state = self.lock();
        if let TokenNotice::Invalid { reason, .. } = notice {
            state.invalid = Some(*reason);
        }
        let advice = state.life.notice(notice, now_ms());
        state.judge(advice);
    }

    /// Whether new tokens don't help, so that nobody is asked for them.
    pub(crate) fn gave_up(&self) -> bool {
        self.lock().life.has_given_up()
    }

    pub(crate) fn start_over(&self) {
        self.lock().life.start_over();
    }

    /// A token that the service does not have yet, and the message that gives it.
    pub(crate) fn next_upload(&self) -> Option<(TokenKind, Zeroizing<Vec<u8>>)> {
        let mut state = self.lock();
        let now = now_ms();
        let State { texts, life, .. } = &mut *state;
        texts.iter().find(|token| life.upload(token.kind, now)).and_then(|token| {
            let mut payload = Zeroizing::new(vec![0; upload_len(token.kind, &token.text)]);
            write_upload(token.kind, &token.text, &mut payload).ok()?;
            Some((token.kind, payload))
        })
    }

    pub(crate) fn uploaded(&self, kind: TokenKind) {
        self.lock().life.uploaded(kind, now_ms());
    }

    /// How long until somebody has to be asked; `None` if only an event can make it so.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        /// The clock may be set.
        const AT_MOST: Duration = Duration::from_secs(60);
        let mut state = self.lock();
        if state.asking {
            return None;
        }
        let now = now_ms();
        let due_at = state.life.due_at(now)?;
        Some(Duration::from_millis(due_at.saturating_sub(now)).min(AT_MOST))
    }
}

impl State {
    fn obtain(&mut self, token: Token) -> Result<(), ExpiredToken> {
        self.life.obtained(token.kind, now_ms(), token.expires_at.map(unix_ms))?;
        self.texts.retain(|old| old.kind != token.kind);
        self.texts.push(token);
        Ok(())
    }

    /// Takes in an answer; says what was wrong with it.
    fn answer(&mut self, request: TokenRequest, answer: Answer) -> Option<String> {
        self.asking = false;
        let mut missing = request.kinds;
        let mut failure = None;
        match answer {
            Ok(tokens) => {
                for token in tokens {
                    let kind = token.kind;
                    missing = missing.iter().filter(|other| *other != kind).collect();
                    if TokenSet::new(kind, &token.text).is_err() {
                        self.life.failed(kind, now_ms());
                        failure = Some(format!("the text of the new {kind} token is none"));
                    } else if let Err(error) = self.obtain(token) {
                        failure = Some(error.to_string());
                    }
                }
            }
            Err(error) => failure = Some(error.to_string()),
        }
        for kind in missing.iter() {
            self.life.failed(kind, now_ms());
            failure.get_or_insert_with(|| format!("the answer has no {kind} token"));
        }
        self.failure = failure.clone();
        if failure.is_none() {
            self.invalid = None;
        }
        failure
    }

    fn judge(&mut self, advice: Advice) {
        if advice == Advice::GiveUp {
            let reason = self.invalid.map(|reason| format!(": {reason}")).unwrap_or_default();
            self.failure = Some(format!("new tokens are refused as well{reason}"));
        }
    }

    fn login(&self, client_id: &str, access_key_id: &str, instance_id: &str) -> Result<Login, String> {
        let mut tokens: Option<TokenSet<'_>> = None;
        for Token { kind, text, .. } in &self.texts {
            let more = match tokens {
                Some(tokens) => tokens.with(*kind, text),
                None => TokenSet::new(*kind, text),
            };
            tokens = Some(more.map_err(|error| error.to_string())?);
        }
        let tokens = tokens.ok_or("there is no token")?;
        log_in(client_id, &Credentials::Token { access_key_id, instance_id, tokens })
            .map_err(|error| error.to_string())
    }
}

fn now_ms() -> u64 {
    unix_ms(SystemTime::now())
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("kind", &self.kind)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("kinds", &self.kinds)
            .field("margins", &self.margins)
            .field("at_hand", &self.at_hand)
            .finish_non_exhaustive()
    }
}
