//! Credentials and the user name and password that follow from them.

use mqtt_p2p_aliyun::{
    ConnectCredentials, CredentialPart, Credentials, CredentialsError, Password, TokenKind, TokenSet,
    UserName, sign,
};

const ID: &str = "GID_Test@@@0001";

fn signature<'a>(
    access_key_id: &'a str,
    access_key_secret: &'a str,
    instance_id: &'a str,
) -> Credentials<'a> {
    Credentials::Signature { access_key_id, access_key_secret, instance_id }
}

fn token<'a>(token: &'a str) -> Credentials<'a> {
    let tokens = TokenSet::new(TokenKind::RW, token).expect("the token is well-formed");
    Credentials::Token { access_key_id: "ak", instance_id: "inst", tokens }
}

fn login(credentials: &Credentials<'_>) -> (String, String) {
    let login = credentials.for_client(ID).expect("the credentials are complete");
    (login.user_name().to_owned(), String::from_utf8_lossy(login.password()).into_owned())
}

fn pair(user_name: &str, password: &str) -> (String, String) {
    (user_name.to_owned(), password.to_owned())
}

#[test]
fn signature_mode_signs_the_client_id() {
    let expected = pair("Signature|ak|inst", "vI009IZJZVGRwBwZvnbwjfuXxVM=");
    assert_eq!(login(&signature("ak", "XXXXX", "inst")), expected);
}

#[test]
fn a_device_credential_signs_the_client_id() {
    let credentials = Credentials::DeviceCredential {
        device_access_key_id: "DC.Z5fX",
        device_access_key_secret: "XXXXX",
        instance_id: "inst",
    };
    let expected = pair("DeviceCredential|DC.Z5fX|inst", "vI009IZJZVGRwBwZvnbwjfuXxVM=");
    assert_eq!(login(&credentials), expected);
}

#[test]
fn token_mode_sends_the_tokens() {
    assert_eq!(login(&token("tok")), pair("Token|ak|inst", "RW|tok"));
}

#[test]
fn custom_signed_signs_the_client_id() {
    let credentials = Credentials::CustomSigned { user_name: "alice", secret: "XXXXX" };
    assert_eq!(login(&credentials), pair("alice", "vI009IZJZVGRwBwZvnbwjfuXxVM="));
}

#[test]
fn custom_origin_sends_the_secret_itself() {
    let credentials = Credentials::CustomOrigin { user_name: "alice", secret: "p|ss wörd" };
    assert_eq!(login(&credentials), pair("alice", "p|ss wörd"));
}

#[test]
fn a_precomputed_password_gives_the_same_login_as_the_secret() {
    let password = sign(b"XXXXX", ID);
    let user_name = UserName::Signature { access_key_id: "ak", instance_id: "inst" };
    let precomputed = Credentials::Precomputed { user_name, password: password.as_bytes() };
    assert_eq!(login(&precomputed), login(&signature("ak", "XXXXX", "inst")));
}

#[test]
fn each_faulty_part_is_named() {
    use {CredentialPart::*, CredentialsError::*};
    let device = |id, secret| Credentials::DeviceCredential {
        device_access_key_id: id,
        device_access_key_secret: secret,
        instance_id: "inst",
    };
    for (credentials, error) in [
        (signature("", "s", "inst"), Empty(AccessKeyId)),
        (signature("ak", "", "inst"), Empty(AccessKeySecret)),
        (signature("ak", "s", ""), Empty(InstanceId)),
        (signature("a|k", "s", "inst"), InvalidCharacter(AccessKeyId)),
        (signature("ak", "s\n", "inst"), InvalidCharacter(AccessKeySecret)),
        (signature("ak", "s", "in\0st"), InvalidCharacter(InstanceId)),
        (device("", "s"), Empty(DeviceAccessKeyId)),
        (device("ak", "|"), InvalidCharacter(DeviceAccessKeySecret)),
        (Credentials::CustomOrigin { user_name: "", secret: "s" }, Empty(UserName)),
        (Credentials::CustomOrigin { user_name: "a\0b", secret: "s" }, InvalidCharacter(UserName)),
        (Credentials::CustomSigned { user_name: "alice", secret: "" }, Empty(Secret)),
        (
            Credentials::Precomputed { user_name: mqtt_p2p_aliyun::UserName::Other("alice"), password: b"" },
            Empty(Password),
        ),
    ] {
        assert_eq!(credentials.for_client(ID).err(), Some(error));
        assert_eq!(credentials.check(), Err(error));
    }
}

#[test]
fn an_empty_client_id_is_not_signed() {
    let error = signature("ak", "s", "inst").for_client("").err();
    assert_eq!(error, Some(CredentialsError::Empty(CredentialPart::ClientId)));
}

#[test]
fn the_lengths_can_be_queried_before_writing() {
    let credentials = signature("ak", "XXXXX", "inst");
    let (mut user_name, mut password) = ([0; 17], [0; 28]);
    assert_eq!(credentials.write_user_name(&mut user_name), Ok(credentials.user_name_len()));
    assert_eq!(credentials.write_password(ID, &mut password), Ok(credentials.password_len()));
    assert_eq!((&user_name, &password), (b"Signature|ak|inst", b"vI009IZJZVGRwBwZvnbwjfuXxVM="));
}

#[test]
fn a_short_buffer_stays_unchanged_and_the_error_has_the_length() {
    let credentials = signature("ak", "XXXXX", "inst");
    let too_small = |part, needed| Err(CredentialsError::BufferTooSmall { part, needed });
    let mut buffer = [7; 16];
    assert_eq!(credentials.write_user_name(&mut buffer), too_small(CredentialPart::UserName, 17));
    assert_eq!(credentials.write_password(ID, &mut buffer), too_small(CredentialPart::Password, 28));
    assert_eq!(buffer, [7; 16]);
}

#[test]
fn two_tokens_of_the_documented_length_fit_the_default_capacity() {
    let text = "A".repeat(500);
    let tokens = TokenSet::new(TokenKind::R, &text).and_then(|set| set.with(TokenKind::W, &text));
    let tokens = tokens.expect("the tokens are well-formed");
    let credentials = Credentials::Token { access_key_id: "ak", instance_id: "inst", tokens };
    assert_eq!(login(&credentials).1.len(), 1005);
}

#[test]
fn the_error_of_a_capacity_that_is_too_small_has_the_length() {
    let long = "A".repeat(2000);
    let error = CredentialsError::BufferTooSmall { part: CredentialPart::Password, needed: 2003 };
    assert_eq!(token(&long).for_client(ID).err(), Some(error));
    assert!(ConnectCredentials::<32, 2003>::new(&token(&long), ID).is_ok());

    let error = CredentialsError::BufferTooSmall { part: CredentialPart::UserName, needed: 13 };
    assert_eq!(ConnectCredentials::<12, 2003>::new(&token(&long), ID).err(), Some(error));
}

#[test]
fn a_signature_fits_the_capacity_of_a_password() {
    assert!(ConnectCredentials::<128, { Password::LEN }>::new(&signature("ak", "s", "inst"), ID).is_ok());
}

#[test]
fn a_password_longer_than_mqtt_allows_is_refused() {
    let error = |length| Err(CredentialsError::TooLong { part: CredentialPart::Password, length });
    assert_eq!(token(&"A".repeat(65_532)).check(), Ok(()));
    assert_eq!(token(&"A".repeat(65_533)).check(), error(65_536));
}
