//! What people read: each reason says what happened, and what to do next.

use std::collections::BTreeSet;
use std::fmt::Display;

use mqtt_p2p_core::{
    Action, Change, DecodeError, DisconnectReason, EncodeError, Error, Event, Instant, Key, Need, PacketType,
    RestoreError, SessionError, Ticket, TransportError,
};

const TRANSPORT: [TransportError; 17] = [
    TransportError::NameNotFound,
    TransportError::ConnectionRefused,
    TransportError::Unreachable,
    TransportError::NoLogIn,
    TransportError::Tls,
    TransportError::NotTls,
    TransportError::UnknownAuthority,
    TransportError::AuthorityAsServer,
    TransportError::CertificateExpired,
    TransportError::CertificateNotYetValid,
    TransportError::WrongName,
    TransportError::ClientCertificate,
    TransportError::Proxy,
    TransportError::NotMqtt,
    TransportError::Upgrade,
    TransportError::ClosedByPeer,
    TransportError::Broken,
];

const OTHERS: [DisconnectReason; 11] = [
    DisconnectReason::Requested,
    DisconnectReason::Paused,
    DisconnectReason::ConnectTimeout,
    DisconnectReason::KeepAliveTimeout,
    DisconnectReason::TakeoverSuspected,
    DisconnectReason::Malformed(DecodeError::InvalidQoS),
    DisconnectReason::Unexpected(PacketType::Connect),
    DisconnectReason::Contradiction,
    DisconnectReason::InboundFull,
    DisconnectReason::InvalidLogin(EncodeError::PasswordWithoutUserName),
    DisconnectReason::WillUnsupported,
];

fn reasons() -> impl Iterator<Item = DisconnectReason> {
    TRANSPORT.map(DisconnectReason::Transport).into_iter().chain(OTHERS)
}

/// Each is a phrase of its own.
#[track_caller]
fn are_told_apart(texts: impl IntoIterator<Item = impl Display>) {
    let mut seen = BTreeSet::new();
    for text in texts {
        let text = text.to_string();
        assert!(text.contains(' ') && !text.ends_with(['.', ' ']), "{text:?}");
        assert!(seen.insert(text.clone()), "{text:?} is said twice");
    }
}

#[test]
fn every_way_to_end_is_told_apart_from_the_others() {
    are_told_apart(reasons());
    are_told_apart(TRANSPORT);
}

#[test]
fn every_way_to_end_comes_with_advice() {
    for reason in reasons() {
        let advice = reason.advice();
        assert!(advice.contains(' ') && !advice.ends_with(['.', ' ']), "{reason}: {advice:?}");
    }
    for error in TRANSPORT {
        assert_eq!(error.advice(), DisconnectReason::Transport(error).advice());
    }
    // A few that must not be mixed up.
    assert!(DisconnectReason::TakeoverSuspected.advice().contains("client id"));
    assert!(DisconnectReason::InvalidLogin(EncodeError::InvalidText).advice().contains("password"));
    assert!(TransportError::CertificateExpired.advice().contains("renewed"));
    assert!(TransportError::NameNotFound.advice().contains("name server"));
}

#[test]
fn what_a_reason_is_made_of_is_said_with_it() {
    assert!(DisconnectReason::Malformed(DecodeError::InvalidQoS).to_string().contains("QoS 3"));
    assert!(DisconnectReason::Unexpected(PacketType::SubAck).to_string().contains("SUBACK"));
    let login = DisconnectReason::InvalidLogin(EncodeError::PasswordWithoutUserName).to_string();
    assert!(login.contains("user name"), "{login}");
    for error in TRANSPORT {
        assert_eq!(DisconnectReason::Transport(error).to_string(), error.to_string());
    }
    assert_eq!(
        DisconnectReason::from(DecodeError::Truncated),
        DisconnectReason::Malformed(DecodeError::Truncated)
    );
}

#[test]
fn of_a_ticket_generation_and_packet_identifier_are_shown() {
    assert_eq!(Ticket::from_bits(0x2_0007).map(|ticket| format!("{ticket:?}")), Some("Ticket(2.7)".into()));
}

#[test]
fn every_refusal_of_a_request_is_told_apart_and_has_its_figures() {
    let full = [Need::Bytes(17), Need::Requests, Need::Control(18), Need::Subscriptions(19), Need::Inbound]
        .map(Error::Full);
    let others = [
        Error::TooLarge { size: 300, max: 256 },
        Error::Offline,
        Error::RetainUnsupported,
        Error::ExactlyOnceOff,
        Error::TooManySubscriptions { max: 30 },
        Error::Invalid(EncodeError::EmptyList),
        Error::Stale,
        Error::InUse,
    ];
    are_told_apart(full.into_iter().chain(others));
    for (error, figures) in [
        (full[0], &["17"][..]),
        (full[2], &["18"]),
        (full[3], &["19"]),
        (others[0], &["300", "256"]),
        (others[4], &["30"]),
    ] {
        assert!(figures.iter().all(|figure| error.to_string().contains(figure)), "{error}");
    }
    for error in full {
        assert!(error.to_string().ends_with("try again when an earlier request has ended"), "{error}");
    }
}

#[test]
fn a_session_that_is_not_taken_over_says_why() {
    let not_taken = SessionError::NotTaken(Error::InUse);
    assert_eq!(not_taken.to_string(), Error::InUse.to_string());
    are_told_apart([
        SessionError::BufferTooSmall { needed: 70 },
        SessionError::UnknownFormat,
        SessionError::Damaged,
        SessionError::Invalid,
        not_taken,
    ]);
    assert!(SessionError::BufferTooSmall { needed: 70 }.to_string().contains("70"));

    let kept = RestoreError::<&str>::NotTaken(Error::InUse);
    assert_eq!(kept.to_string(), Error::InUse.to_string());
    assert!(RestoreError::Store("no such file").to_string().contains("no such file"));
    are_told_apart([kept, RestoreError::Store("no such file"), RestoreError::Invalid(Key::Subscriptions)]);
}

#[test]
fn actions_are_shown_without_the_bytes_that_go_out() {
    for (action, shown) in [
        (Action::Transmit(b"secret"), "Transmit(6 bytes)"),
        (Action::CloseTransport, "CloseTransport"),
        (Action::Event(Event::PublishedAlone), "Event(PublishedAlone)"),
        (Action::Wait(None), "Wait(None)"),
        (Action::Store(Change::Remove { key: Key::Subscriptions }), "Store(Remove { key: Subscriptions })"),
    ] {
        assert_eq!(format!("{action:?}"), shown);
    }
}

#[test]
fn a_moment_is_counted_from_another_and_never_runs_over() {
    let at = Instant::from_millis(1_000);
    assert_eq!(at.after_millis(500).as_millis(), 1_500);
    assert_eq!((at.after_millis(500).millis_since(at), at.millis_since(at.after_millis(500))), (500, 0));
    assert_eq!(Instant::from_millis(u64::MAX).after_millis(1).as_millis(), u64::MAX);
}

#[cfg(feature = "alloc")]
#[test]
fn memory_is_shown_by_its_sizes() {
    let shown = format!("{:?}", mqtt_p2p_core::Growing::new(4_321));
    assert!(shown.contains("Growing") && shown.contains("max_tx: 4321"), "{shown}");
}
