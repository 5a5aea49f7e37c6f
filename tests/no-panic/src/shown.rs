//! What is written for people: `Display` of all that has it.

use core::fmt::{self, Write};

use mqtt_p2p_aliyun::{
    Cause, ClientIdError, CredentialPart, CredentialsError, ExpiredToken, InvalidReason, NoticeError,
    P2pTopic, P2pTopicError, PublishP2pError, TokenError, TokenKind, TokenNotice, TopicWarning, UploadError,
    UserName,
};
use mqtt_p2p_core::{
    DecodeError, DisconnectReason, DropReason, EncodeError, Error, Key, PacketType, QoS, ReasonCode,
    RestoreError, SessionError, TopicError, TopicFilter, TransportError,
};
use mqtt_p2p_packet::PacketId;
use mqtt_p2p_websocket::{End, FrameError, HandshakeError, RequestError, TransmitError};

use crate::aliyun::client_id;
use crate::packet::topic_name;
use crate::{any, take, text};

struct Page;

impl Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        take(text);
        any(Ok(()))
    }
}

/// Shows a value of these types, whichever it is.
macro_rules! shown {
    ($($type:ty => $value:expr),+ $(,)?) => {
        $({
            let value: $type = any($value);
            take(write!(Page, "{value}"));
            // With every option that a user may write.
            take(write!(Page, "{value:>width$.precision$}", width = any(0) & 0xff, precision = any(0) & 0xff));
        })+
    };
}

pub fn all() {
    #[cfg(feature = "embedded")]
    embedded();
    if let (Some(name), Some(id), Ok(topic)) = (topic_name(), client_id(), P2pTopic::new(text(), text())) {
        shown! {
            mqtt_p2p_core::TopicName<'_> => name,
            mqtt_p2p_aliyun::ClientId => id,
            P2pTopic => topic,
        }
    }
    shown! {
        DecodeError => DecodeError::InvalidText,
        EncodeError => EncodeError::PacketTooLarge,
        TopicError => TopicError::Empty,
        PacketType => PacketType::Connect,
        ReasonCode => ReasonCode::Success,
        TopicFilter<'_> => TopicFilter::ALL,
        QoS => QoS::AtMostOnce,
        PacketId => PacketId::MIN,

        DisconnectReason => DisconnectReason::Requested,
        DropReason => DropReason::Cancelled,
        TransportError => TransportError::Tls,
        Error => Error::Offline,
        SessionError => SessionError::Damaged,
        RestoreError<Error> => RestoreError::Invalid(Key::Subscriptions),

        ClientIdError => ClientIdError::Empty,
        CredentialPart => CredentialPart::Secret,
        CredentialsError => CredentialsError::Empty(CredentialPart::Secret),
        Cause<'_> => Cause::None,
        P2pTopicError => P2pTopicError::NoTarget,
        PublishP2pError => PublishP2pError::Topic(P2pTopicError::NoTarget),
        TokenKind => TokenKind::R,
        TokenError => TokenError::NoToken,
        ExpiredToken => ExpiredToken::new(TokenKind::R, 0, 0),
        TokenNotice => TokenNotice::Expire { kind: TokenKind::R, expires_at_ms: 0 },
        InvalidReason => InvalidReason::Forged,
        NoticeError => NoticeError::NotJson,
        UploadError => UploadError::BufferTooSmall { needed: 0 },
        TopicWarning => TopicWarning::TooLong { length: 0 },
        UserName<'_> => UserName::parse(text()),

        RequestError => RequestError::InvalidHost,
        TransmitError => TransmitError::NotAPacket,
        End => End::NotOpened,
        HandshakeError => HandshakeError::NotHttp,
        FrameError => FrameError::Text,
    }
}

#[cfg(feature = "embedded")]
fn embedded() {
    use mqtt_p2p_embedded::flash::FlashError;
    use mqtt_p2p_embedded::{NoReceiver, SubscribeError, UploadError, WebSocketError};

    shown! {
        NoReceiver => NoReceiver,
        SubscribeError => SubscribeError::Refused(ReasonCode::UnspecifiedError),
        UploadError => UploadError::NotAccepted(Error::Offline),
        FlashError<()> => FlashError::Range,
        WebSocketError<Error> => WebSocketError::Ended(End::NotOpened),
    }
}
