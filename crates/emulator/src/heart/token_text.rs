//! The text of a token: what it says in JSON, and the emulator's signature, in Base64.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use mqtt_p2p_aliyun::{sign, verify_signature};
use serde::{Deserialize, Serialize};

use super::random::Random;
use crate::token::InvalidToken;

/// The length of a signature: HMAC-SHA1 in Base64.
const SIGNATURE: usize = 28;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) id: TokenId,
    /// Unix time in milliseconds.
    pub(super) expires: u64,
    pub(super) instance_id: String,
    pub(super) access_key_id: String,
    /// `R`, `W` or `RW`.
    pub(super) kind: String,
    pub(super) resources: Vec<String>,
    /// So that tokens are as long as the service's.
    pub(super) salt: String,
}

/// Which token: when it was issued, in milliseconds of Unix time, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct TokenId(pub(super) u64, pub(super) u64);

/// What tokens are signed with. It comes from the seed, so tokens outlive the emulator that issued them.
pub(super) struct SigningKey {
    key: [u8; 16],
    salt: Random,
}

impl SigningKey {
    pub(super) fn new(seed: u64) -> Self {
        // Not the numbers that delays are drawn from.
        let mut random = Random::new(!seed);
        let mut key = [0; 16];
        let (head, tail) = key.split_at_mut(8);
        head.copy_from_slice(&random.next().to_le_bytes());
        tail.copy_from_slice(&random.next().to_le_bytes());
        Self { key, salt: random }
    }

    pub(super) fn salt(&mut self) -> String {
        std::iter::repeat_with(|| format!("{:016x}", self.salt.next())).take(4).collect()
    }

    /// A token's text; `None` if its claims can't be written, which no text does.
    pub(super) fn write(&self, claims: &Claims) -> Option<String> {
        let mut text = serde_json::to_string(claims).ok()?;
        let signature = sign(&self.key, &text);
        text.push_str(std::str::from_utf8(signature.as_bytes()).ok()?);
        Some(STANDARD.encode(text))
    }

    pub(super) fn read(&self, text: &str) -> Result<Claims, InvalidToken> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidToken::Unparsable)?;
        let (claims, signature) = bytes.split_last_chunk::<SIGNATURE>().ok_or(InvalidToken::Unparsable)?;
        let claims = std::str::from_utf8(claims).map_err(|_| InvalidToken::Unparsable)?;
        let parsed = serde_json::from_str(claims).map_err(|_| InvalidToken::Unparsable)?;
        if verify_signature(&self.key, claims, signature) {
            Ok(parsed)
        } else {
            Err(InvalidToken::BadSignature)
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// Whether a resource, which may have wildcards, covers all that a topic name or a filter stands for. One `/` at the
/// end does not count.
pub(super) fn covers(resource: &str, filter: &str) -> bool {
    let trim = |topic: &str| topic.strip_suffix('/').unwrap_or(topic).to_owned();
    let (resource, filter) = (trim(resource), trim(filter));
    let mut levels = filter.split('/');
    for level in resource.split('/') {
        match (level, levels.next()) {
            ("#", _) => return true,
            ("+", Some(asked)) if asked != "#" => {}
            (level, Some(asked)) if level == asked => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            id: TokenId(1, 2),
            expires: 3,
            instance_id: "post-cn-demo".into(),
            access_key_id: "AK".into(),
            kind: "RW".into(),
            resources: vec!["t/#".into()],
            salt: SigningKey::new(0).salt(),
        }
    }

    #[test]
    fn a_token_is_long_base64_without_bars() {
        let text = SigningKey::new(0).write(&claims()).unwrap();
        assert!(text.len() > 240, "{}", text.len());
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)), "{text}");
    }

    #[test]
    fn a_token_is_read_by_who_signed_it_only() {
        let text = SigningKey::new(0).write(&claims()).unwrap();
        assert_eq!(SigningKey::new(0).read(&text).unwrap().id, TokenId(1, 2));
        assert_eq!(SigningKey::new(1).read(&text).unwrap_err(), InvalidToken::BadSignature);
    }

    #[test]
    fn a_changed_token_has_a_bad_signature_and_another_text_is_none() {
        let key = SigningKey::new(0);
        let text = key.write(&claims()).unwrap();
        let json = String::from_utf8(STANDARD.decode(&text).unwrap()).unwrap();
        let forged = STANDARD.encode(json.replace("\"R\"", "\"RW\"").replace("t/#", "u/#"));
        assert_eq!(key.read(&forged).unwrap_err(), InvalidToken::BadSignature);
        for text in ["", "abc", "LzMT+XLFl5u=", &text[..text.len() - 4]] {
            assert_eq!(key.read(text).unwrap_err(), InvalidToken::Unparsable, "{text}");
        }
    }

    #[test]
    fn a_resource_covers_no_filter_that_is_wider() {
        for (resource, covered) in [
            ("a/b", "a/b"),
            ("a/b", "a/b/"),
            ("a/+", "a/b"),
            ("a/+", "a/+"),
            ("a/#", "a"),
            ("a/#", "a/+/#"),
            ("#", "a"),
        ] {
            assert!(covers(resource, covered), "{resource} {covered}");
        }
        for (resource, refused) in [
            ("a/b", "a"),
            ("a/b", "a/b/c"),
            ("a/b", "a/+"),
            ("a/+", "a/#"),
            ("a/+", "a/b/c"),
            ("a/b/#", "a/#"),
            ("a", "b"),
        ] {
            assert!(!covers(resource, refused), "{resource} {refused}");
        }
    }
}
