//! User names.

use mqtt_p2p_aliyun::UserName;
use proptest::prelude::*;

#[test]
fn each_mode_has_its_prefix() {
    let (access_key_id, instance_id) = ("ak", "inst");
    assert_eq!(UserName::Signature { access_key_id, instance_id }.to_string(), "Signature|ak|inst");
    assert_eq!(UserName::Token { access_key_id, instance_id }.to_string(), "Token|ak|inst");
    let device = UserName::DeviceCredential { device_access_key_id: "DC.a", instance_id };
    assert_eq!(device.to_string(), "DeviceCredential|DC.a|inst");
}

#[test]
fn a_text_without_the_three_parts_of_a_mode_is_a_custom_user_name() {
    for text in
        ["", "alice", "Signature", "Signature|ak", "Signature|ak|inst|", "signature|ak|inst", "X|ak|inst"]
    {
        assert_eq!(UserName::parse(text), UserName::Other(text));
    }
}

#[test]
fn empty_parts_are_parsed_and_then_refused() {
    let user_name = UserName::parse("Token||inst");
    assert_eq!(user_name, UserName::Token { access_key_id: "", instance_id: "inst" });
    assert!(user_name.check().is_err());
}

proptest! {
    #[test]
    fn any_text_is_written_as_it_was_parsed(
        text in "((Signature|Token|DeviceCredential)(\\|.{0,9}){0,3}|.{0,40})",
    ) {
        prop_assert_eq!(UserName::parse(&text).to_string(), text.as_str());
        prop_assert_eq!(UserName::parse(&text).encoded_len(), text.len());
    }
}
