//! `mqtt-p2p-aliyun`: ids, every kind of credentials, tokens and their notices, P2P topics, the limits.

use core::hash::{Hash, Hasher};
use core::str::FromStr;
use core::time::Duration;

use mqtt_p2p_aliyun::{
    Cause, ClientId, ConnectCredentials, Credentials, Deduplicator, Diagnosis, ExpiredToken, InvalidReason,
    Margins, P2pTopic, Password, PublishP2p, SubscriptionCount, TokenKind, TokenKinds, TokenLifecycle,
    TokenNotice, TokenSet, UserName, parse_p2p, profile, same_topic, sign, topic_warning, upload_len,
    verify_signature, write_upload,
};
use mqtt_p2p_core::{Client, DisconnectReason, Inline, Instant, QoS};

use crate::{any, buffer, bytes, take, text};

pub fn all() {
    ids();
    signatures();
    credentials();
    token_sets();
    token_lifecycles();
    notices();
    topics();
    diagnosis();
}

fn kind() -> TokenKind {
    any(TokenKind::R)
}

/// A client id of any length and content.
pub fn client_id() -> Option<ClientId> {
    ClientId::new(text(), text()).ok().map(any)
}

/// Takes a hash without making one.
struct Nothing;

impl Hasher for Nothing {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        take(bytes);
    }
}

fn ids() {
    take(ClientId::parse(text()));
    take(ClientId::custom(text()));
    take(ClientId::from_str(text()));
    if let Some(id) = client_id() {
        take(ClientId::group(&id));
        take(ClientId::device(&id));
        take(ClientId::as_str(&id));
        take(<ClientId as AsRef<str>>::as_ref(&id));
        take(id.cmp(&any(id.clone())));
        id.hash(&mut Nothing);
    }
}

fn signatures() {
    let password = any(sign(bytes(), text()));
    take(Password::as_bytes(&password));
    take(Password::as_str(&password));
    take(verify_signature(bytes(), text(), bytes()));
}

/// Credentials of a kind that is known only when it runs.
pub fn any_credentials() -> Credentials<'static> {
    let (id, secret, instance) = (text(), text(), text());
    let tokens = TokenSet::new(kind(), text()).and_then(|set| set.with(kind(), text()));
    let credentials = match (any(0), tokens) {
        (0, Ok(tokens)) => Credentials::Token { access_key_id: id, instance_id: instance, tokens },
        (1, _) => Credentials::DeviceCredential {
            device_access_key_id: id,
            device_access_key_secret: secret,
            instance_id: instance,
        },
        (2, _) => Credentials::CustomSigned { user_name: id, secret },
        (3, _) => Credentials::CustomOrigin { user_name: id, secret },
        (4, _) => Credentials::Precomputed { user_name: UserName::parse(id), password: bytes() },
        _ => Credentials::Signature { access_key_id: id, access_key_secret: secret, instance_id: instance },
    };
    any(credentials)
}

fn credentials() {
    let credentials = any_credentials();
    take(Credentials::user_name(&credentials));
    take(Credentials::user_name_len(&credentials));
    take(Credentials::password_len(&credentials));
    take(Credentials::write_user_name(&credentials, buffer!()));
    take(Credentials::write_password(&credentials, text(), buffer!()));
    take(Credentials::check(&credentials));
    if let Ok(login) = Credentials::for_client(&any_credentials(), text()) {
        take(login);
    }
    if let Ok(login) = ConnectCredentials::<16, 16>::new(&any_credentials(), text()) {
        let login = any(login);
        take(ConnectCredentials::user_name(&login));
        take(ConnectCredentials::password(&login));
        take(ConnectCredentials::login(&login, text()));
    }
    let user_name = any(UserName::parse(text()));
    take(UserName::encoded_len(&user_name));
    take(UserName::write(&user_name, buffer!()));
    take(UserName::check(&user_name));
}

fn token_sets() {
    take(TokenKind::as_str(kind()));
    take(TokenKind::from_str(text()));
    take(TokenSet::parse(text()));
    if let Ok(set) = TokenSet::new(kind(), text()).map(any) {
        take(TokenSet::with(set, kind(), text()));
        take(TokenSet::get(&set, kind()));
        TokenSet::iter(&set).for_each(take);
        take(TokenSet::password_len(&set));
        take(TokenSet::write_password(&set, buffer!()));
    }
    let kinds = any(TokenKinds::EMPTY);
    take(TokenKinds::with(kinds, kind()));
    take(TokenKinds::contains(kinds, kind()));
    take(TokenKinds::is_empty(kinds));
    TokenKinds::iter(kinds).for_each(take);
    take(TokenKinds::from(kind()));
    take(TokenKinds::from_iter(core::iter::repeat_with(kind).take(any(0))));
}

fn token_lifecycles() {
    let margins = any(Margins::new());
    let margins = Margins::with_clock_skew(margins, any(Duration::ZERO));
    let margins = Margins::with_renew_before(margins, any(Duration::ZERO));
    let margins = Margins::with_initial_backoff(margins, any(Duration::ZERO));
    let margins = Margins::with_max_backoff(margins, any(Duration::ZERO));
    take(Margins::with_grace_period(margins, any(Duration::ZERO)));
    take(ExpiredToken::new(kind(), any(0), any(0)));
    let mut life = any(TokenLifecycle::new(any(TokenKinds::EMPTY), any(Margins::default())));
    let life = any(&mut life);
    take(TokenLifecycle::obtained(any(&mut *life), kind(), any(0), any(None)));
    TokenLifecycle::failed(any(&mut *life), kind(), any(0));
    take(TokenLifecycle::due(any(&mut *life), any(0)));
    take(TokenLifecycle::due_at(any(&mut *life), any(0)));
    take(TokenLifecycle::may_log_in(any(&mut *life), any(0)));
    take(TokenLifecycle::log_in(any(&mut *life), any(0)));
    TokenLifecycle::logged_in(any(&mut *life), any(0));
    take(TokenLifecycle::refused(any(&mut *life), any(0)));
    take(TokenLifecycle::upload(any(&mut *life), kind(), any(0)));
    TokenLifecycle::uploaded(any(&mut *life), kind(), any(0));
    TokenLifecycle::lost(any(&mut *life));
    let notice = any(TokenNotice::Expire { kind: kind(), expires_at_ms: any(0) });
    take(TokenLifecycle::notice(any(&mut *life), &notice, any(0)));
    take(TokenLifecycle::has_given_up(any(&*life)));
    TokenLifecycle::start_over(any(&mut *life));
    take(any(&*life).clone());
}

fn notices() {
    take(TokenNotice::parse(text(), bytes()));
    take(TokenNotice::kind(&any(TokenNotice::Expire { kind: kind(), expires_at_ms: any(0) })));
    let reason = any(InvalidReason::from_code(any(0)));
    take(InvalidReason::code(reason));
    take(InvalidReason::is_fixed_by_renewal(reason));
    take(InvalidReason::advice(reason));
    take(upload_len(kind(), text()));
    take(write_upload(kind(), text(), buffer!()));
}

fn topics() {
    if let Ok(topic) = P2pTopic::new(text(), text()).map(any) {
        take(P2pTopic::as_str(&topic));
        take(<P2pTopic as AsRef<str>>::as_ref(&topic));
        take(any(topic.clone()) == topic);
    }
    take(parse_p2p(text()));
    take(same_topic(text(), text()));
    take(topic_warning(text()));
    let count = SubscriptionCount::of(any(&[""][..]).iter().copied());
    take(SubscriptionCount::total(&count));
    take(SubscriptionCount::remaining(&count));
    take(SubscriptionCount::wildcards(&count, text()));
    take(SubscriptionCount::remaining_wildcards(&count, text()));
    let mut client = any(Client::new(any(profile()), any(0), Inline::<64>::new()));
    take(PublishP2p::publish_p2p(any(&mut client), text(), text(), bytes(), any(QoS::AtMostOnce)));
}

fn diagnosis() {
    let now = || any(Instant::from_millis(0));
    let mut diagnosis = any(Diagnosis::new());
    let diagnosis = any(&mut diagnosis);
    Diagnosis::connected(any(&mut *diagnosis), now());
    Diagnosis::used(any(&mut *diagnosis), text(), any(0), now());
    Diagnosis::confirmed(any(&mut *diagnosis), text());
    Diagnosis::answered(any(&mut *diagnosis));
    take(Diagnosis::explain(any(&mut *diagnosis), &any(DisconnectReason::Requested), now()));
    take(any(&*diagnosis).clone());
    take(Diagnosis::default());
    take(Cause::advice(&any(Cause::None)));

    let mut seen = any(Deduplicator::<4>::new(any([0; 16])));
    take(Deduplicator::is_new(any(&mut seen), bytes()));
    take(Deduplicator::has_seen(any(&seen), bytes()));
}
