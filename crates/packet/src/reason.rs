//! Reason codes: why the peer accepted or refused a request, or closed the connection.

use core::fmt;

/// Declares [`ReasonCode`]: each code is written once, with its value and its text.
macro_rules! reason_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:literal, $text:literal;)+) => {
        /// The reason for an answer or a disconnect, with the values of MQTT 5 (OASIS MQTT 5, §2.4).
        ///
        /// The return codes of MQTT 3.1.1 map to the values of the same meaning, so an application handles one type,
        /// whichever version the connection uses. Values from 0x80 are errors: see [`ReasonCode::is_error`].
        ///
        /// The type is `#[non_exhaustive]`, because later versions of the standard may assign more values. `as u8`
        /// gives the value, and [`ReasonCode::from_u8`] or `TryFrom` converts it back.
        ///
        /// ```
        /// use mqtt_p2p_packet::ReasonCode;
        ///
        /// let reason = ReasonCode::from_u8(0x8e).ok_or("not a reason code")?;
        /// assert_eq!(reason, ReasonCode::SessionTakenOver);
        /// assert!(reason.is_error());
        /// assert_eq!(reason.to_string(), "session taken over");
        /// assert_eq!(reason as u8, 0x8e);
        /// # Ok::<(), &str>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[doc = $doc])+ $name = $value,)+
        }

        const fn parse(value: u8) -> Option<ReasonCode> {
            match value {
                $($value => Some(ReasonCode::$name),)+
                _ => None,
            }
        }

        const fn text(reason: ReasonCode) -> &'static str {
            match reason {
                $(ReasonCode::$name => $text,)+
            }
        }
    };
}

reason_codes! {
    /// Success, normal disconnection, or a subscription granted with QoS 0. MQTT 3.1.1: CONNACK 0 and SUBACK 0.
    Success = 0x00, "success";
    /// The subscription is granted with QoS 1. MQTT 3.1.1: SUBACK 1.
    GrantedQoS1 = 0x01, "granted QoS 1";
    /// The subscription is granted with QoS 2. MQTT 3.1.1: SUBACK 2.
    GrantedQoS2 = 0x02, "granted QoS 2";
    /// The client disconnects, and the server is to publish the will message.
    DisconnectWithWillMessage = 0x04, "disconnect with will message";
    /// The message is accepted, but no subscription matches its topic.
    NoMatchingSubscribers = 0x10, "no matching subscribers";
    /// The client unsubscribes from a topic filter to which it was not subscribed.
    NoSubscriptionExisted = 0x11, "no subscription existed";
    /// The authentication continues with another step.
    ContinueAuthentication = 0x18, "continue authentication";
    /// The client starts a new authentication on an open connection.
    ReAuthenticate = 0x19, "re-authenticate";
    /// The peer gives no reason for the error. MQTT 3.1.1: SUBACK 0x80, a refused subscription.
    UnspecifiedError = 0x80, "refused";
    /// A received packet does not follow the standard's format.
    MalformedPacket = 0x81, "malformed packet";
    /// A received packet is well-formed but not allowed in the present state.
    ProtocolError = 0x82, "protocol error";
    /// The packet is valid, but the receiver's implementation does not accept it.
    ImplementationSpecificError = 0x83, "implementation specific error";
    /// The server does not support the client's protocol version. MQTT 3.1.1: CONNACK 1.
    UnsupportedProtocolVersion = 0x84, "unacceptable protocol version";
    /// The server does not allow the client identifier. MQTT 3.1.1: CONNACK 2.
    ClientIdentifierNotValid = 0x85, "client identifier rejected";
    /// The server does not accept the user name or password. MQTT 3.1.1: CONNACK 4.
    BadUserNameOrPassword = 0x86, "bad user name or password";
    /// The client is not authorized for the operation. MQTT 3.1.1: CONNACK 5.
    NotAuthorized = 0x87, "not authorized";
    /// The MQTT service is not available. MQTT 3.1.1: CONNACK 3.
    ServerUnavailable = 0x88, "server unavailable";
    /// The server is busy.
    ServerBusy = 0x89, "server busy";
    /// The server has banned the client.
    Banned = 0x8a, "banned";
    /// The server is shutting down.
    ServerShuttingDown = 0x8b, "server shutting down";
    /// The authentication method is not supported, or is not the one in use.
    BadAuthenticationMethod = 0x8c, "bad authentication method";
    /// The server received nothing for one and a half times the keep alive.
    KeepAliveTimeout = 0x8d, "keep alive timeout";
    /// Another connection uses the same client identifier.
    SessionTakenOver = 0x8e, "session taken over";
    /// The server does not accept a well-formed topic filter.
    TopicFilterInvalid = 0x8f, "topic filter invalid";
    /// The peer does not accept a well-formed topic name.
    TopicNameInvalid = 0x90, "topic name invalid";
    /// The packet identifier is already in use.
    PacketIdentifierInUse = 0x91, "packet identifier in use";
    /// The packet identifier is not known to the receiver.
    PacketIdentifierNotFound = 0x92, "packet identifier not found";
    /// More QoS 1 and QoS 2 messages are in flight than the receiver allows.
    ReceiveMaximumExceeded = 0x93, "receive maximum exceeded";
    /// The topic alias is 0 or above the receiver's maximum.
    TopicAliasInvalid = 0x94, "topic alias invalid";
    /// The packet is longer than the receiver's maximum packet size.
    PacketTooLarge = 0x95, "packet too large";
    /// The client sends data at too high a rate.
    MessageRateTooHigh = 0x96, "message rate too high";
    /// A limit that the implementation or the administrator sets is exceeded.
    QuotaExceeded = 0x97, "quota exceeded";
    /// An administrator closed the connection.
    AdministrativeAction = 0x98, "administrative action";
    /// The payload does not match its payload format indicator.
    PayloadFormatInvalid = 0x99, "payload format invalid";
    /// The server does not support retained messages.
    RetainNotSupported = 0x9a, "retain not supported";
    /// The server does not support the QoS of the message or will.
    QoSNotSupported = 0x9b, "QoS not supported";
    /// The client should use another server for now.
    UseAnotherServer = 0x9c, "use another server";
    /// The server has moved; the client should use another one from now on.
    ServerMoved = 0x9d, "server moved";
    /// The server does not support shared subscriptions for this client.
    SharedSubscriptionsNotSupported = 0x9e, "shared subscriptions not supported";
    /// The client connects too often.
    ConnectionRateExceeded = 0x9f, "connection rate exceeded";
    /// The longest time that the server allows for a connection is over.
    MaximumConnectTime = 0xa0, "maximum connect time";
    /// The server does not support subscription identifiers.
    SubscriptionIdentifiersNotSupported = 0xa1, "subscription identifiers not supported";
    /// The server does not support wildcard subscriptions for this client.
    WildcardSubscriptionsNotSupported = 0xa2, "wildcard subscriptions not supported";
}

/// The reasons for the CONNACK return codes 0 to 5 of MQTT 3.1.1 (table 3.1).
const CONNACK: [ReasonCode; 6] = [
    ReasonCode::Success,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::ServerUnavailable,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
];

impl ReasonCode {
    /// Returns the reason code with this MQTT 5 value, or `None` if the standard does not assign the value.
    pub const fn from_u8(value: u8) -> Option<Self> {
        parse(value)
    }

    /// Converts a CONNACK return code of MQTT 3.1.1; returns `None` for the reserved codes above 5 (§3.2.2.3).
    ///
    /// ```
    /// use mqtt_p2p_packet::ReasonCode;
    ///
    /// assert_eq!(ReasonCode::from_connack(5), Some(ReasonCode::NotAuthorized));
    /// assert_eq!(ReasonCode::from_connack(6), None);
    /// ```
    pub fn from_connack(code: u8) -> Option<Self> {
        CONNACK.get(usize::from(code)).copied()
    }

    /// Returns the CONNACK return code of MQTT 3.1.1, 0 to 5, or `None` if 3.1.1 has no code for this reason.
    pub fn connack_code(self) -> Option<u8> {
        (0..).zip(CONNACK).find(|&(_, reason)| reason == self).map(|(code, _)| code)
    }

    /// Converts a SUBACK return code of MQTT 3.1.1; returns `None` unless it is 0, 1, 2 or 0x80 ([MQTT-3.9.3-2]).
    pub const fn from_suback(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Success),
            1 => Some(Self::GrantedQoS1),
            2 => Some(Self::GrantedQoS2),
            0x80 => Some(Self::UnspecifiedError),
            _ => None,
        }
    }

    /// Returns whether the reason is an error, which all values from 0x80 are.
    pub const fn is_error(self) -> bool {
        self as u8 >= 0x80
    }
}

/// Converts an MQTT 5 value. The error is the value itself, if the standard does not assign it.
impl TryFrom<u8> for ReasonCode {
    type Error = u8;

    fn try_from(value: u8) -> Result<Self, u8> {
        Self::from_u8(value).ok_or(value)
    }
}

impl From<ReasonCode> for u8 {
    fn from(reason: ReasonCode) -> Self {
        reason as u8
    }
}

/// Writes a few words in lower case, such as `not authorized`.
impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text(*self))
    }
}
