//! Tokens of ApsaraMQ: which are at hand, which are to be got, and the messages that give them to the service.

use std::time::{SystemTime, UNIX_EPOCH};

use mqtt_p2p_aliyun::{
    Advice, Credentials, InvalidReason, Margins, TokenKind, TokenKinds, TokenLifecycle, TokenNotice,
    TokenSet, UPLOAD_TOPIC, upload_len, write_upload,
};
use mqtt_p2p_core::{Client, Growing, TopicName};
use zeroize::Zeroizing;

use crate::aliyun;
use crate::config::Login;
use crate::events::{TokenExpires, TokenFailed, TokenInvalid, TokenNeeded, TokenRenewed};
use crate::told::Told;

/// The tokens of one client. Their texts are wiped when they go.
pub(crate) struct Tokens {
    access_key_id: String,
    instance_id: String,
    life: TokenLifecycle,
    texts: Vec<(TokenKind, Zeroizing<String>)>,
    /// Somebody was asked, and has not answered.
    asking: bool,
    invalid: Option<InvalidReason>,
    /// The token that goes alone, until its acknowledgement.
    uploading: Option<TokenKind>,
}

impl Tokens {
    pub(crate) fn new(access_key_id: String, instance_id: String, kinds: TokenKinds) -> Self {
        Self {
            access_key_id,
            instance_id,
            life: TokenLifecycle::new(kinds, Margins::default()),
            texts: Vec::new(),
            asking: false,
            invalid: None,
            uploading: None,
        }
    }

    /// Asks for what is due, unless an answer is due already.
    pub(crate) fn ask(&mut self) -> Option<TokenNeeded> {
        if self.asking {
            return None;
        }
        let kinds: Vec<_> = self.life.due(now_ms()).iter().map(|kind| kind.to_string()).collect();
        if kinds.is_empty() {
            return None;
        }
        self.asking = true;
        Some(TokenNeeded { kinds, invalid: self.invalid.map(|reason| reason.to_string()) })
    }

    pub(crate) const fn is_asking(&self) -> bool {
        self.asking
    }

    pub(crate) fn may_log_in(&mut self) -> bool {
        self.life.may_log_in(now_ms())
    }

    /// A token came. Says what is wrong with it.
    pub(crate) fn obtained(
        &mut self,
        kind: TokenKind,
        text: String,
        expires_at: Option<f64>,
    ) -> Option<TokenFailed> {
        let text = Zeroizing::new(text);
        if TokenSet::new(kind, &text).is_err() {
            self.life.failed(kind, now_ms());
            return Some(TokenFailed { detail: format!("the text of the new {kind} token is none") });
        }
        let expires_at_ms = expires_at.map(|at| (at * 1000.0) as u64);
        if let Err(error) = self.life.obtained(kind, now_ms(), expires_at_ms) {
            return Some(TokenFailed { detail: error.to_string() });
        }
        self.texts.retain(|(old, _)| *old != kind);
        self.texts.push((kind, text));
        self.invalid = None;
        None
    }

    pub(crate) fn failed(&mut self, kind: TokenKind) {
        self.life.failed(kind, now_ms());
    }

    /// Whoever was asked has said all.
    pub(crate) const fn answered(&mut self) {
        self.asking = false;
    }

    /// Writes the log-in, for a CONNECT that goes out now. `false`: a token has expired meanwhile.
    pub(crate) fn log_in(&mut self, login: &mut Login) -> bool {
        if !self.life.log_in(now_ms()) {
            return false;
        }
        let mut tokens: Option<TokenSet<'_>> = None;
        for (kind, text) in &self.texts {
            let more = match tokens {
                Some(tokens) => tokens.with(*kind, text),
                None => TokenSet::new(*kind, text),
            };
            tokens = more.ok();
        }
        let (access_key_id, instance_id) = (&*self.access_key_id, &*self.instance_id);
        let Some(tokens) = tokens else {
            return false;
        };
        let credentials = Credentials::Token { access_key_id, instance_id, tokens };
        match aliyun::log_in(&credentials, &login.client_id) {
            Ok((user_name, password)) => {
                login.user_name = Some(user_name);
                login.password = Some(password);
                true
            }
            Err(_) => false,
        }
    }

    pub(crate) fn connected(&mut self) {
        self.uploading = None;
        self.life.logged_in(now_ms());
    }

    pub(crate) fn lost(&mut self) {
        self.uploading = None;
        self.life.lost();
    }

    /// The log-in was refused. Whether another one is to be tried at once.
    pub(crate) fn refused(&mut self) -> bool {
        self.uploading = None;
        self.life.refused(now_ms()) == Advice::Renew
    }

    pub(crate) const fn has_given_up(&self) -> bool {
        self.life.has_given_up()
    }

    pub(crate) fn start_over(&mut self) {
        self.life.start_over();
    }

    pub(crate) fn notice(&mut self, notice: &TokenNotice) {
        if let TokenNotice::Invalid { reason, .. } = notice {
            self.invalid = Some(*reason);
        }
        // What it means is asked of `life` where it matters.
        let _ = self.life.notice(notice, now_ms());
    }

    /// Gives the service the next token that it does not have yet, and nothing else until it has it.
    /// Whether there was one.
    pub(crate) fn upload(&mut self, client: &mut Client<Growing>) -> bool {
        if self.uploading.is_some() || !client.is_connected() {
            return false;
        }
        let now = now_ms();
        let Self { texts, life, .. } = self;
        let Some((kind, text)) = texts.iter().find(|(kind, _)| life.upload(*kind, now)) else {
            return false;
        };
        let mut payload = Zeroizing::new(vec![0; upload_len(*kind, text)]);
        let written = write_upload(*kind, text, &mut payload).is_ok();
        if let Ok(topic) = TopicName::new(UPLOAD_TOPIC)
            && written
            && client.publish_alone(topic, &payload).is_ok()
        {
            self.uploading = Some(*kind);
        }
        // Otherwise the next CONNECT carries it.
        self.uploading.is_some()
    }

    /// The service has taken it.
    pub(crate) fn uploaded(&mut self) -> Option<TokenRenewed> {
        let kind = self.uploading.take()?;
        self.life.uploaded(kind, now_ms());
        Some(TokenRenewed { kind: kind.as_str().into() })
    }

    /// Seconds until somebody has to be asked.
    pub(crate) fn due_in(&mut self) -> Option<f64> {
        /// The clock may be set.
        const AT_MOST: f64 = 60.0;
        if self.asking {
            return None;
        }
        let now = now_ms();
        let due_at = self.life.due_at(now)?;
        Some((due_at.saturating_sub(now) as f64 / 1000.0).min(AT_MOST))
    }
}

/// What the service says of a token, for who watches.
pub(crate) fn told<'b>(notice: &TokenNotice) -> Option<Told<'b>> {
    match *notice {
        TokenNotice::Expire { kind, expires_at_ms } => {
            Some(TokenExpires { kind: kind.as_str().into(), at: expires_at_ms as f64 / 1000.0 }.into())
        }
        TokenNotice::Invalid { kind, reason } => Some(
            TokenInvalid {
                kind: kind.as_str().into(),
                reason: reason.to_string(),
                advice: reason.advice().into(),
            }
            .into(),
        ),
        _ => None,
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
