//! ApsaraMQ's texts: notices about tokens, passwords made of tokens, client ids, P2P topics.

use mqtt_p2p_aliyun::{
    ClientId, EXPIRE_NOTICE_TOPIC, INVALID_NOTICE_TOPIC, TokenKind, TokenNotice, TokenSet, parse_p2p,
    same_topic, topic_warning,
};
use serde_json::Value;

/// The first byte says what the rest is.
pub fn token_notices(input: &[u8]) {
    let [kind, rest @ ..] = input else { return };
    match kind % 4 {
        0 => notice(EXPIRE_NOTICE_TOPIC, rest),
        1 => notice(INVALID_NOTICE_TOPIC, rest),
        2 => str::from_utf8(rest).map(password).unwrap_or_default(),
        _ => str::from_utf8(rest).map(names).unwrap_or_default(),
    }
}

/// What is taken for a notice is JSON to another library as well, with the same values.
fn notice(topic: &str, payload: &[u8]) {
    let slash = format!("{topic}/");
    assert_eq!(TokenNotice::parse(&slash, payload), TokenNotice::parse(topic, payload));
    let Some(Ok(notice)) = TokenNotice::parse(topic, payload) else { return };
    let json: Value = match serde_json::from_slice(payload) {
        Ok(json) => json,
        // It takes no more than 128 levels.
        Err(error) if error.to_string().contains("recursion limit") => return,
        // RFC 8259, §6: which numbers are too large is for each reader to say.
        Err(error) if error.to_string().contains("number out of range") => return,
        // RFC 8259, §8.2, lets a surrogate be escaped without its other half; this one does not.
        Err(_) if escapes_surrogate(payload) => return,
        Err(error) => panic!("{}: {notice:?}, but {error}", String::from_utf8_lossy(payload)),
    };
    let text = |key: &str| match &json[key] {
        Value::String(text) => text.clone(),
        // It makes a fraction of this number.
        Value::Number(number) if number.as_f64() == Some(0.0) => "0".into(),
        other => other.to_string(),
    };
    let kind = match notice {
        TokenNotice::Expire { kind, expires_at_ms } => {
            assert_eq!(text("expireTime").parse(), Ok(expires_at_ms));
            kind
        }
        TokenNotice::Invalid { kind, reason } => {
            assert_eq!(text("code").parse(), Ok(reason.code()));
            assert!(!reason.advice().is_empty() && !reason.to_string().is_empty());
            kind
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(text("type"), kind.as_str());
}

fn escapes_surrogate(json: &[u8]) -> bool {
    json.windows(4)
        .any(|escape| matches!(escape, [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F']))
}

/// A password of tokens that is read can be written, and read again.
fn password(text: &str) {
    let tokens = match TokenSet::parse(text) {
        Ok(tokens) => tokens,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut buffer = vec![0; tokens.password_len()];
    assert_eq!(tokens.write_password(&mut buffer), Ok(buffer.len()));
    let written = str::from_utf8(&buffer).expect("tokens are text");
    let again = TokenSet::parse(written).expect("what was written can be read");
    for kind in [TokenKind::R, TokenKind::W, TokenKind::RW] {
        assert_eq!(tokens.get(kind), again.get(kind));
        if let Some(token) = tokens.get(kind).filter(|token| token.len() > 8) {
            assert!(!format!("{tokens:?}").contains(token), "Debug shows a token");
        }
    }
}

fn names(text: &str) {
    match ClientId::parse(text) {
        Ok(id) => {
            assert_eq!(id.as_str(), text);
            let (group, device) = (id.group().unwrap_or_default(), id.device().unwrap_or_default());
            assert_eq!(ClientId::new(group, device).as_ref(), Ok(&id));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = ClientId::custom(text).map(|id| assert_eq!(id.as_str(), text));
    let _ = parse_p2p(text);
    let _ = topic_warning(text);
    assert!(same_topic(text, text));
}
