//! The service's notices about tokens.

use mqtt_p2p_aliyun::{
    EXPIRE_NOTICE_TOPIC, INVALID_NOTICE_TOPIC, InvalidReason, NoticeError, TokenKind, TokenNotice,
};
use proptest::prelude::*;
use serde_json::{Map, Value};

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
fn the_documented_forms_are_read() {
    for kind in [TokenKind::R, TokenKind::W, TokenKind::RW] {
        assert_eq!(expire(&format!(r#"{{"expireTime":{EXPIRES},"type":"{kind}"}}"#)), expires(kind));
        assert_eq!(
            invalid(&format!(r#"{{"code":3,"type":"{kind}"}}"#)),
            Ok(TokenNotice::Invalid { kind, reason: InvalidReason::Revoked })
        );
    }
}

#[test]
fn each_documented_code_has_a_reason_with_its_own_words() {
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
fn fields_may_come_in_any_order_with_white_space_and_unknown_ones_between() {
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
fn numbers_may_stand_in_quotes() {
    assert_eq!(expire(r#"{"expireTime":"1700000000123","type":"W"}"#), expires(TokenKind::W));
    let reason = InvalidReason::AccountNotPermitted;
    assert_eq!(
        invalid(r#"{"code":"-1","type":"W"}"#),
        Ok(TokenNotice::Invalid { kind: TokenKind::W, reason })
    );
}

#[test]
fn one_slash_more_at_the_end_makes_no_other_topic() {
    let payload = br#"{"code":2,"type":"R"}"#;
    let notice = TokenNotice::Invalid { kind: TokenKind::R, reason: InvalidReason::Expired };
    assert_eq!(TokenNotice::parse("$SYS/tokenInvalidNotice/", payload), Some(Ok(notice)));
    for topic in ["$SYS/tokenInvalidNotice//", "$SYS/uploadToken", "tokenInvalidNotice", ""] {
        assert_eq!(TokenNotice::parse(topic, payload), None, "{topic}");
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
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
    ] {
        assert_eq!(expire(text), Err(NoticeError::NotJson), "{text}");
    }
    let deep = format!(r#"{{"x":{}1{},"type":"R","expireTime":1}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(expire(&deep), Err(NoticeError::NotJson));
    assert_eq!(
        TokenNotice::parse(EXPIRE_NOTICE_TOPIC, b"{\"type\":\"\xff\",\"expireTime\":1}"),
        Some(Err(NoticeError::NotJson))
    );
}

#[test]
fn each_missing_or_wrong_field_has_an_error_of_its_own() {
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

#[test]
fn half_a_character_in_an_escape_is_refused_and_a_whole_one_is_read() {
    for text in [r"\ud83d", r"\ud83dx", r"\ud83d\n", r"\ud83d\u0041", r"\ude00", r"\u12", r"\u12g4", r"\x"] {
        let text = format!(r#"{{"note":"{text}","type":"R","expireTime":1}}"#);
        assert_eq!(expire(&text), Err(NoticeError::NotJson), "{text}");
    }
    assert!(expire(r#"{"note":"\ud83d\ude00","type":"R","expireTime":1}"#).is_ok());
}

/// Any value, as JSON has it.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_what_another_library_takes_for_it(
        value in value(),
        pretty: bool,
        at: prop::sample::Index,
        change in prop::option::of("[\\[\\]{}:,\"\\\\u0-9a-fE+. \n\u{1}-]{0,2}"),
    ) {
        let fields = Map::from_iter([("x".to_owned(), value)]);
        let text = if pretty { serde_json::to_string_pretty(&fields) } else { serde_json::to_string(&fields) };
        let mut text: Vec<char> = text.expect("it is JSON").chars().collect();
        if let Some(change) = change {
            let at = at.index(text.len());
            text.splice(at..=at, change.chars());
        }
        let text = String::from_iter(text);
        let oracle = serde_json::from_str::<Map<String, Value>>(&text);
        // It has a largest number; JSON has none.
        prop_assume!(!matches!(&oracle, Err(error) if error.to_string().contains("number out of range")));
        prop_assert_eq!(expire(&text) != Err(NoticeError::NotJson), oracle.is_ok(), "{}", text);
    }

    #[test]
    fn any_payload_is_read_or_refused_without_a_panic(payload: Vec<u8>) {
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
