//! What is wrong with a packet, by the standard's text alone: read slowly, field by field, without a look at any codec.

/// A rule that a packet breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    Flags,
    Truncated,
    TrailingBytes,
    ZeroPacketId,
    NotUtf8,
    Nul,
    EmptyTopic,
    WildcardInName,
    MisplacedWildcard,
    NoTopicFilter,
    NoReturnCode,
    PublishQoS3,
    DupWithQoS0,
    RequestedQoS,
    ProtocolName,
    ProtocolLevel,
    ReservedConnectFlag,
    WillBitsWithoutWill,
    WillQoS3,
    PasswordWithoutUserName,
    ConnAckFlags,
    SessionInRefusal,
    ConnAckCode,
    SubAckCode,
}

impl Fault {
    /// Where the standard says so.
    pub(crate) const fn statement(self) -> &'static str {
        match self {
            Self::Flags => "MQTT-2.2.2-2",
            Self::Truncated => "§2.2.3: the remaining length counts the fields",
            Self::TrailingBytes => "§2.2.3: the remaining length counts the fields",
            Self::ZeroPacketId => "MQTT-2.3.1-1",
            Self::NotUtf8 => "MQTT-1.5.3-1",
            Self::Nul => "MQTT-1.5.3-2",
            Self::EmptyTopic => "MQTT-4.7.3-1",
            Self::WildcardInName => "MQTT-3.3.2-2, MQTT-4.7.1-1",
            Self::MisplacedWildcard => "MQTT-4.7.1-2, MQTT-4.7.1-3",
            Self::NoTopicFilter => "MQTT-3.8.3-3, MQTT-3.10.3-2",
            Self::NoReturnCode => "MQTT-3.8.4-5",
            Self::PublishQoS3 => "MQTT-3.3.1-4",
            Self::DupWithQoS0 => "MQTT-3.3.1-2",
            Self::RequestedQoS => "MQTT-3.8.3-4",
            Self::ProtocolName => "MQTT-3.1.2-1",
            Self::ProtocolLevel => "MQTT-3.1.2-2",
            Self::ReservedConnectFlag => "MQTT-3.1.2-3",
            Self::WillBitsWithoutWill => "MQTT-3.1.2-11, MQTT-3.1.2-13, MQTT-3.1.2-15",
            Self::WillQoS3 => "MQTT-3.1.2-14",
            Self::PasswordWithoutUserName => "MQTT-3.1.2-22",
            Self::ConnAckFlags => "§3.2.2.1: bits 7 to 1 are reserved",
            Self::SessionInRefusal => "MQTT-3.2.2-4",
            Self::ConnAckCode => "§3.2.2.3: 6 to 255 are reserved",
            Self::SubAckCode => "MQTT-3.9.3-2",
        }
    }
}

/// What is left of a packet, and what was found wrong with it.
struct Fields<'a> {
    rest: &'a [u8],
    faults: Vec<Fault>,
}

/// The packet ended too early: nothing more can be said of it.
struct TooEarly;

/// All faults of a packet that is as long as its fixed header says, in the edition 3.1.1. For types 1 to 14.
pub(crate) fn faults(first: u8, body: &[u8]) -> Vec<Fault> {
    let mut fields = Fields { rest: body, faults: Vec::new() };
    if fields.packet(first).is_err() {
        fields.faults.push(Fault::Truncated);
    } else if !fields.rest.is_empty() {
        fields.faults.push(Fault::TrailingBytes);
    }
    fields.faults.sort_unstable();
    fields.faults.dedup();
    fields.faults
}

impl<'a> Fields<'a> {
    fn must(&mut self, holds: bool, fault: Fault) {
        if !holds {
            self.faults.push(fault);
        }
    }

    fn packet(&mut self, first: u8) -> Result<(), TooEarly> {
        let (kind, flags) = (first >> 4, first & 0x0f);
        match kind {
            3 => {}
            6 | 8 | 10 => self.must(flags == 2, Fault::Flags),
            _ => self.must(flags == 0, Fault::Flags),
        }
        match kind {
            1 => self.connect(),
            2 => self.connack(),
            3 => self.publish(flags),
            8 => self.subscribe(),
            9 => self.suback(),
            10 => self.unsubscribe(),
            12..=14 => Ok(()),
            _ => self.packet_id(),
        }
    }

    fn byte(&mut self) -> Result<u8, TooEarly> {
        let (byte, rest) = self.rest.split_first().ok_or(TooEarly)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<usize, TooEarly> {
        Ok(usize::from(self.byte()?) << 8 | usize::from(self.byte()?))
    }

    fn field(&mut self) -> Result<&'a [u8], TooEarly> {
        let len = self.number()?;
        let (field, rest) = self.rest.split_at_checked(len).ok_or(TooEarly)?;
        self.rest = rest;
        Ok(field)
    }

    fn text(&mut self) -> Result<&'a [u8], TooEarly> {
        let text = self.field()?;
        self.must(std::str::from_utf8(text).is_ok(), Fault::NotUtf8);
        self.must(!text.contains(&0), Fault::Nul);
        Ok(text)
    }

    fn packet_id(&mut self) -> Result<(), TooEarly> {
        let id = self.number()?;
        self.must(id != 0, Fault::ZeroPacketId);
        Ok(())
    }

    fn topic_name(&mut self) -> Result<(), TooEarly> {
        let name = self.text()?;
        self.must(!name.is_empty(), Fault::EmptyTopic);
        self.must(!name.iter().any(|byte| b"+#".contains(byte)), Fault::WildcardInName);
        Ok(())
    }

    fn topic_filter(&mut self) -> Result<(), TooEarly> {
        let filter = self.text()?;
        self.must(!filter.is_empty(), Fault::EmptyTopic);
        let levels: Vec<&[u8]> = filter.split(|byte| *byte == b'/').collect();
        for (index, level) in levels.iter().enumerate() {
            let alone = level.len() == 1 || !level.iter().any(|byte| b"+#".contains(byte));
            let last = *level != b"#" || index + 1 == levels.len();
            self.must(alone && last, Fault::MisplacedWildcard);
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), TooEarly> {
        let name = self.field()?;
        if name != b"MQTT" && name != b"MQIsdp" {
            self.faults.push(Fault::ProtocolName);
            self.rest = &[];
            return Ok(());
        }
        if self.byte()? != if name == b"MQTT" { 4 } else { 3 } {
            self.faults.push(Fault::ProtocolLevel);
            self.rest = &[];
            return Ok(());
        }
        let flags = self.byte()?;
        let has = |bit: u8| flags & bit != 0;
        self.must(!has(0x01), Fault::ReservedConnectFlag);
        self.must(has(0x04) || !has(0x38), Fault::WillBitsWithoutWill);
        self.must(!has(0x04) || flags & 0x18 != 0x18, Fault::WillQoS3);
        self.must(has(0x80) || !has(0x40), Fault::PasswordWithoutUserName);
        self.number()?;
        self.text()?;
        if has(0x04) {
            self.topic_name()?;
            self.field()?;
        }
        if has(0x80) {
            self.text()?;
        }
        if has(0x40) {
            self.field()?;
        }
        Ok(())
    }

    fn connack(&mut self) -> Result<(), TooEarly> {
        let (flags, code) = (self.byte()?, self.byte()?);
        self.must(flags <= 1, Fault::ConnAckFlags);
        self.must(flags & 1 == 0 || code == 0, Fault::SessionInRefusal);
        self.must(code <= 5, Fault::ConnAckCode);
        Ok(())
    }

    fn publish(&mut self, flags: u8) -> Result<(), TooEarly> {
        let qos = flags >> 1 & 3;
        self.must(qos != 3, Fault::PublishQoS3);
        self.must(qos != 0 || flags & 8 == 0, Fault::DupWithQoS0);
        self.topic_name()?;
        if qos > 0 {
            self.packet_id()?;
        }
        self.rest = &[];
        Ok(())
    }

    fn subscribe(&mut self) -> Result<(), TooEarly> {
        self.packet_id()?;
        self.must(!self.rest.is_empty(), Fault::NoTopicFilter);
        while !self.rest.is_empty() {
            self.topic_filter()?;
            let qos = self.byte()?;
            self.must(qos <= 2, Fault::RequestedQoS);
        }
        Ok(())
    }

    fn suback(&mut self) -> Result<(), TooEarly> {
        self.packet_id()?;
        self.must(!self.rest.is_empty(), Fault::NoReturnCode);
        while !self.rest.is_empty() {
            let code = self.byte()?;
            self.must(matches!(code, 0..=2 | 0x80), Fault::SubAckCode);
        }
        Ok(())
    }

    fn unsubscribe(&mut self) -> Result<(), TooEarly> {
        self.packet_id()?;
        self.must(!self.rest.is_empty(), Fault::NoTopicFilter);
        while !self.rest.is_empty() {
            self.topic_filter()?;
        }
        Ok(())
    }
}

/// User name and password of a good CONNECT that has a user name; without a password, another text stands for it.
pub(crate) fn log_in(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Fields { rest: body, faults: Vec::new() };
    let mut read = || {
        fields.field()?;
        fields.byte()?;
        let flags = fields.byte()?;
        fields.number()?;
        fields.field()?;
        if flags & 0x04 != 0 {
            fields.field()?;
            fields.field()?;
        }
        let user_name = (flags & 0x80 != 0).then(|| fields.field()).transpose()?;
        let password = (flags & 0x40 != 0).then(|| fields.field()).transpose()?;
        Ok::<_, TooEarly>(user_name.zip(password.or(Some(b"none"))))
    };
    read().ok().flatten()
}
