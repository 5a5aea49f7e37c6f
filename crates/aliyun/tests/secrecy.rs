//! `Debug` and error texts never contain secrets, passwords or tokens.

use mqtt_p2p_aliyun::{Credentials, TokenKind, TokenSet, UserName, sign};
use proptest::prelude::*;

const ID: &str = "GID_Test@@@0001";

/// All credentials that a text can be planted in as the secret.
fn planted(secret: &str) -> [Credentials<'_>; 6] {
    let tokens = TokenSet::new(TokenKind::R, secret).and_then(|set| set.with(TokenKind::W, secret));
    [
        Credentials::Signature { access_key_id: "ak", access_key_secret: secret, instance_id: "inst" },
        Credentials::DeviceCredential {
            device_access_key_id: "DC.ak",
            device_access_key_secret: secret,
            instance_id: "inst",
        },
        Credentials::Token {
            access_key_id: "ak",
            instance_id: "inst",
            tokens: tokens.expect("the planted text can be a token"),
        },
        Credentials::CustomSigned { user_name: "alice", secret },
        Credentials::CustomOrigin { user_name: "alice", secret },
        Credentials::Precomputed { user_name: UserName::Other("alice"), password: secret.as_bytes() },
    ]
}

proptest! {
    #[test]
    fn debug_never_shows_a_planted_secret(secret in "SECRET[0-9A-Za-z+/=]{4,60}") {
        let signature = sign(secret.as_bytes(), ID);
        let bytes = format!("{:?}", secret.as_bytes());
        let mut shown = format!("{signature:?}");
        for credentials in planted(&secret) {
            let login = credentials.for_client(ID).expect("the credentials are complete");
            shown += &format!("{credentials:?} {credentials:#?} {login:?} {login:#?}");
            if let Credentials::Token { tokens, .. } = credentials {
                shown += &format!("{tokens:?} {tokens:#?}");
            }
        }
        for hidden in [secret.as_str(), signature.as_str(), bytes.trim_matches(['[', ']'])] {
            prop_assert!(!shown.contains(hidden), "{}", shown);
        }
    }

    #[test]
    fn no_error_shows_a_planted_secret(secret in "SECRET[0-9A-Za-z]{4,60} ") {
        let faulty = Credentials::DeviceCredential {
            device_access_key_id: "DC.ak",
            device_access_key_secret: &secret,
            instance_id: "inst",
        };
        let error = faulty.for_client(ID).expect_err("white space is not allowed in the secret");
        let token = TokenSet::new(TokenKind::R, &secret).expect_err("nor in a token");
        let kind = secret.parse::<TokenKind>().expect_err("it is no type");
        let shown = format!("{error} {error:?} {token} {token:?} {kind} {kind:?}");
        prop_assert!(!shown.contains(secret.trim()), "{}", shown);
    }
}

#[test]
fn debug_shows_who_logs_in() {
    let credentials =
        Credentials::Signature { access_key_id: "ak", access_key_secret: "s3cret", instance_id: "inst" };
    let shown = format!("{credentials:?}");
    assert!(shown.contains("\"ak\"") && shown.contains("<redacted>"), "{shown}");
}
