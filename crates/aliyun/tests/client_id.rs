//! Client ids.

use mqtt_p2p_aliyun::{ClientId, ClientIdError, limits::MAX_CLIENT_ID};
use proptest::prelude::*;

/// `GID_Test@@@` and as many more characters as make `length`.
fn id_of(length: usize) -> String {
    format!("GID_Test@@@{}", "d".repeat(length - "GID_Test@@@".len()))
}

#[test]
fn a_client_id_is_split_into_group_and_device() {
    let id = ClientId::parse("GID_Test@@@0001").expect("it is the documentation's example");
    assert_eq!((id.group(), id.device(), id.as_str()), (Some("GID_Test"), Some("0001"), "GID_Test@@@0001"));
}

#[test]
fn a_group_may_start_with_either_prefix() {
    assert_eq!(ClientId::new("GID-Test", "1").map(|id| id.to_string()), Ok("GID-Test@@@1".to_owned()));
    assert_eq!(ClientId::new("GID_Test", "1").map(|id| id.to_string()), Ok("GID_Test@@@1".to_owned()));
}

#[test]
fn a_client_id_of_64_characters_is_accepted() {
    assert!(ClientId::parse(&id_of(64)).is_ok());
}

#[test]
fn trap_a_64_byte_buffer_for_a_64_character_id() {
    let text = id_of(MAX_CLIENT_ID);
    let id = ClientId::parse(&text).expect("64 characters are legal");
    assert_eq!((id.as_str(), id.as_str().len()), (text.as_str(), 64));
}

#[test]
fn a_client_id_of_65_characters_is_refused() {
    assert_eq!(ClientId::parse(&id_of(65)), Err(ClientIdError::TooLong { length: 65 }));
}

#[test]
fn every_broken_rule_has_its_own_error() {
    use ClientIdError::*;
    let long = format!("GID_{}@@@d", "g".repeat(61));
    for (text, error) in [
        ("", Empty),
        ("GID_Test", NoSeparator),
        ("GID_Test@@0001", NoSeparator),
        ("GID_Test@@@1@@@2", SeveralSeparators),
        ("Test@@@0001", GroupPrefix),
        ("gid_Test@@@0001", GroupPrefix),
        ("@@@0001", GroupPrefix),
        ("GID_ab@@@0001", GroupTooShort { length: 6 }),
        (&long, GroupTooLong { length: 65 }),
        ("GID_Te st@@@0001", GroupCharacter(' ')),
        ("GID_温度计@@@0001", GroupCharacter('温')),
        ("GID_Test@@@", NoDevice),
        ("GID_Test@@@@1", DeviceCharacter('@')),
        ("GID_Test@@@a/b", DeviceCharacter('/')),
        ("GID_Test@@@a\0b", DeviceCharacter('\0')),
    ] {
        assert_eq!(ClientId::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_group_of_7_characters_is_accepted() {
    assert!(ClientId::new("GID_abc", "1").is_ok());
}

#[test]
fn a_group_without_room_for_a_device_is_refused_as_too_long() {
    let group = format!("GID_{}", "g".repeat(60));
    assert_eq!(ClientId::new(&group, "d"), Err(ClientIdError::TooLong { length: 68 }));
}

#[test]
fn a_separator_within_the_parts_is_refused() {
    assert_eq!(ClientId::new("GID_a@@@b", "c"), Err(ClientIdError::SeveralSeparators));
    assert_eq!(ClientId::new("GID_Test", "c@@@d"), Err(ClientIdError::SeveralSeparators));
}

#[test]
fn a_custom_id_needs_no_group() {
    let id = ClientId::custom("sensor/温度 1").expect("custom authentication waives the rules");
    assert_eq!((id.as_str(), id.group(), id.device()), ("sensor/温度 1", None, None));
}

#[test]
fn a_custom_id_has_1_to_64_bytes_without_nul() {
    assert_eq!(ClientId::custom(""), Err(ClientIdError::Empty));
    assert_eq!(ClientId::custom("a\0b"), Err(ClientIdError::Nul));
    assert!(ClientId::custom(&"x".repeat(64)).is_ok());
    assert_eq!(ClientId::custom(&"温".repeat(22)), Err(ClientIdError::TooLong { length: 66 }));
}

#[test]
fn an_error_names_an_invisible_character() {
    let text = |id| ClientId::parse(id).expect_err("the device id is not allowed").to_string();
    assert!(text("GID_Test@@@a\nb").contains("U+000A"));
    assert!(text("GID_Test@@@a/b").contains("'/'"));
    assert!(text("GID_Test@@@温").contains("'温' (U+6E29)"));
}

proptest! {
    #[test]
    fn a_client_id_survives_formatting_and_parsing(
        group in "GID[_-][0-9A-Za-z_-]{3,20}",
        device in "[0-9A-Za-z_-]{1,37}",
    ) {
        let id = ClientId::new(&group, &device).expect("it keeps the rules");
        prop_assert_eq!(id.to_string().parse(), Ok(id.clone()));
        prop_assert_eq!((id.group(), id.device()), (Some(group.as_str()), Some(device.as_str())));
    }

    #[test]
    fn any_text_is_refused_or_kept_unchanged(text: String) {
        for id in [ClientId::parse(&text), ClientId::custom(&text)].into_iter().flatten() {
            prop_assert_eq!(id.as_str(), &text);
        }
    }

    #[test]
    fn text_similar_to_a_client_id_is_refused_or_kept_unchanged(
        text in "(GID_?-?)?[a-z@温]{0,9}@{0,4}[a-z@温]{0,60}",
    ) {
        for id in [ClientId::parse(&text), ClientId::custom(&text)].into_iter().flatten() {
            prop_assert_eq!(id.as_str(), &text);
        }
    }
}
