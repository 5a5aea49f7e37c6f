//! The service's notices about tokens.

use mqtt_p2p_aliyun::{
    EXPIRE_NOTICE_TOPIC, INVALID_NOTICE_TOPIC, InvalidReason, NoticeError, TokenKind, TokenNotice,
};
use proptest::prelude::*;

const EXPIRES: u64 = 1_700_000_000_123;

fn expire(payload: &str) -> Result<TokenNotice, NoticeError> {
    TokenNotice::parse(EXPIRE_NOTICE_TOPIC, payload.as_bytes()).expect("the topic is a notice's")
}

fn invalid(payload: &str) -> Result<TokenNotice, NoticeError> {
    TokenNotice::parse(INVALID_NOTICE_TOPIC, payload.as_bytes()).expect("the topic is a notice's")
}

fn expires(kind: TokenKind) -> Result<TokenNotice, NoticeError> {
    Ok(TokenNotice::Expire { kind, expires_at_ms: EXPIRES })
}

#[test]
fn the_documented_forms_are_parsed() {
    for kind in [TokenKind::R, TokenKind::W, TokenKind::RW] {
        assert_eq!(expire(&format!(r#"{{"expireTime":{EXPIRES},"type":"{kind}"}}"#)), expires(kind));
        assert_eq!(
            invalid(&format!(r#"{{"code":3,"type":"{kind}"}}"#)),
            Ok(TokenNotice::Invalid { kind, reason: InvalidReason::Revoked })
        );
    }
}

#[test]
fn every_documented_code_has_a_reason_with_its_own_text() {
    let codes = [1, 2, 3, 4, 5, 8, -1, 77];
    let mut words = codes
        .map(|code| match invalid(&format!(r#"{{"code":{code},"type":"R"}}"#)) {
            Ok(TokenNotice::Invalid { reason, .. }) => {
                assert_eq!(reason.code(), code);
                assert!(!reason.advice().is_empty());
                reason.to_string()
            }
            other => panic!("{other:?}"),
        })
        .to_vec();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), codes.len(), "{words:?}");
}

#[test]
fn order_white_space_and_unknown_fields_do_not_matter() {
    for text in [
        r#"{"type":"RW","expireTime":1700000000123}"#,
        " { \"type\" : \"RW\" ,\r\n\t\"expireTime\" : 1700000000123 } \n",
        r#"{"v":1.5e3,"type":"RW","x":{"type":"R","a":[{"expireTime":1},null]},"expireTime":1700000000123,"y":true}"#,
        r#"{"note":"it \"expires\" \u6e29","expireTime":1700000000123,"type":"RW","温":"度"}"#,
        r#"{"\u0074ype":"\u0052W","expireTime":1700000000123}"#,
    ] {
        assert_eq!(expire(text), expires(TokenKind::RW), "{text}");
    }
}

#[test]
fn numbers_may_be_quoted() {
    assert_eq!(expire(r#"{"expireTime":"1700000000123","type":"W"}"#), expires(TokenKind::W));
    let reason = InvalidReason::AccountNotPermitted;
    assert_eq!(
        invalid(r#"{"code":"-1","type":"W"}"#),
        Ok(TokenNotice::Invalid { kind: TokenKind::W, reason })
    );
}

#[test]
fn the_last_occurrence_of_a_key_counts_whatever_its_value() {
    let twice = |value| expire(&format!(r#"{{"type":"R","expireTime":{EXPIRES},"type":{value}}}"#));
    assert_eq!(twice(r#""W""#), expires(TokenKind::W));
    for other in ["null", "true", "[0]", r#"{"type":"R"}"#, r#""X""#] {
        assert_eq!(twice(other), Err(NoticeError::Kind), "{other}");
    }
}

#[test]
fn one_slash_at_the_end_of_the_topic_is_ignored() {
    let payload = br#"{"code":2,"type":"R"}"#;
    let notice = TokenNotice::Invalid { kind: TokenKind::R, reason: InvalidReason::Expired };
    assert_eq!(TokenNotice::parse("$SYS/tokenInvalidNotice/", payload), Some(Ok(notice)));
    for topic in ["$SYS/tokenInvalidNotice//", "$SYS/uploadToken", "tokenInvalidNotice", ""] {
        assert_eq!(TokenNotice::parse(topic, payload), None, "{topic}");
    }
}

#[test]
fn a_payload_that_is_not_a_json_object_is_refused() {
    for text in [
        "",
        "null",
        "7",
        "\"type\"",
        "[{\"type\":\"R\",\"expireTime\":1}]",
        r#"{"type":"R","expireTime":1"#,
        r#"{"type":"R","expireTime":1}}"#,
        r#"{"type":"R","expireTime":1} x"#,
        r#"{"type":"R",}"#,
        r#"{type:"R"}"#,
        // What ends otherwise than it began.
        r#"{"type":"R","expireTime":1]"#,
        r#"{"type":"R","expireTime":1,"x":[1}}"#,
        r#"{"x":{"a":1],"type":"R","expireTime":1}"#,
        r#"{"type":"R","expireTime":1,"x":[[1]}]}"#,
    ] {
        assert_eq!(expire(text), Err(NoticeError::NotJson), "{text}");
    }
    let nested =
        format!(r#"{{"x":{}1{},"type":"R","expireTime":1}}"#, "[{\"x\":".repeat(10), "}]".repeat(10));
    assert!(expire(&nested).is_ok(), "{nested}");
    let deep = format!(r#"{{"x":{}1{},"type":"R","expireTime":1}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(expire(&deep), Err(NoticeError::NotJson));
    assert_eq!(
        TokenNotice::parse(EXPIRE_NOTICE_TOPIC, b"{\"type\":\"\xff\",\"expireTime\":1}"),
        Some(Err(NoticeError::NotJson))
    );
}

#[test]
fn every_missing_or_wrong_field_has_its_own_error() {
    for text in [r#"{"expireTime":1}"#, r#"{"expireTime":1,"type":"X"}"#, r#"{"expireTime":1,"type":null}"#] {
        assert_eq!(expire(text), Err(NoticeError::Kind), "{text}");
    }
    for value in ["null", "-1", "1.5", "\"soon\"", "{}", "[1]", "18446744073709551616"] {
        let text = format!(r#"{{"type":"R","expireTime":{value}}}"#);
        assert_eq!(expire(&text), Err(NoticeError::ExpireTime), "{text}");
    }
    assert_eq!(expire(r#"{"type":"R"}"#), Err(NoticeError::ExpireTime));
    for text in [r#"{"type":"R"}"#, r#"{"type":"R","code":2147483648}"#, r#"{"type":"R","code":true}"#] {
        assert_eq!(invalid(text), Err(NoticeError::Code), "{text}");
    }
}

proptest! {
    #[test]
    fn any_payload_is_parsed_or_refused_without_a_panic(payload: Vec<u8>) {
        prop_assert!(TokenNotice::parse(EXPIRE_NOTICE_TOPIC, &payload).is_some());
    }

    #[test]
    fn any_piece_of_a_notice_is_refused(length in 0_usize..44) {
        let whole = br#"{"expireTime":1700000000123,"type":"RW"}"#;
        let piece = &whole[..length.min(whole.len() - 1)];
        prop_assert_eq!(TokenNotice::parse(EXPIRE_NOTICE_TOPIC, piece), Some(Err(NoticeError::NotJson)));
    }

    #[test]
    fn any_text_of_json_characters_does_no_harm(text in r#"[\[\]{}:,"\\u0-9a-etypx .-]{0,60}"#) {
        let _ = invalid(&text);
    }
}
