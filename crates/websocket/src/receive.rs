//! Frames of the server, as their bytes come.

use crate::error::{End, FrameError};
use crate::frame::{Header, Kind, MAX_CONTROL};

/// What some bytes were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// So many have been read.
    pub(crate) taken: usize,
    /// Of these, so many at the end are MQTT's.
    pub(crate) payload: usize,
}

/// Reads frames. It keeps the payload of one control frame, and nothing of the data.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    header: Header,
    control: [u8; MAX_CONTROL],
    control_len: u8,
    /// `control` holds a ping that is to be answered. A later ping may take its place (§5.5.3), so that no flood of
    /// them makes more than one answer.
    pong_due: bool,
}

impl Receiver {
    pub(crate) const fn new() -> Self {
        Self { header: Header::new(), control: [0; MAX_CONTROL], control_len: 0, pong_due: false }
    }

    /// Reads on, up to the end of a piece of payload at most.
    pub(crate) fn read(&mut self, input: &[u8]) -> Result<Step, End> {
        let mut rest = input;
        while let [byte, behind @ ..] = rest {
            if let Some((Kind::Data, left)) = self.header.payload() {
                let payload = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                self.header.advance(payload as u64);
                let header = input.len().saturating_sub(rest.len());
                return Ok(Step { taken: header.saturating_add(payload), payload });
            }
            rest = behind;
            match self.header.payload() {
                Some((kind, _)) => self.control_byte(kind, *byte)?,
                None => self.header_byte(*byte)?,
            }
        }
        Ok(Step { taken: input.len(), payload: 0 })
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), End> {
        self.header.read(byte).map_err(End::Failed)?;
        let Some((kind, left)) = self.header.payload() else { return Ok(()) };
        if matches!(kind, Kind::Ping | Kind::Close) {
            self.control_len = 0;
            self.pong_due = false;
        }
        if left == 0 {
            self.header.advance(0);
            self.end_of_frame(kind)?;
        }
        Ok(())
    }

    fn control_byte(&mut self, kind: Kind, byte: u8) -> Result<(), End> {
        // Nobody asked for a pong: its payload says nothing.
        if kind != Kind::Pong {
            if let Some(place) = self.control.get_mut(usize::from(self.control_len)) {
                *place = byte;
            }
            self.control_len = self.control_len.wrapping_add(1);
        }
        self.header.advance(1);
        if self.header.payload().is_none() { self.end_of_frame(kind) } else { Ok(()) }
    }

    fn end_of_frame(&mut self, kind: Kind) -> Result<(), End> {
        match kind {
            Kind::Data | Kind::Pong => Ok(()),
            Kind::Ping => {
                self.pong_due = true;
                Ok(())
            }
            Kind::Close => Err(close(self.control())),
        }
    }

    /// What the pong that is due carries.
    pub(crate) fn pong(&self) -> Option<&[u8]> {
        self.pong_due.then(|| self.control())
    }

    /// The pong has been written.
    pub(crate) fn pong_written(&mut self) {
        self.pong_due = false;
    }

    /// The payload of the last ping or close frame.
    pub(crate) fn control(&self) -> &[u8] {
        self.control.get(..usize::from(self.control_len)).unwrap_or_default()
    }
}

/// What a close frame says (§5.5.1).
fn close(payload: &[u8]) -> End {
    let (code, reason) = match payload {
        [] => return End::Closed { code: None },
        [_] => return End::Failed(FrameError::InvalidClose),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    // Defined (§7.4.1, and later ones that IANA lists), for libraries or private (§7.4.2). 1004 to 1006 and 1015 are never sent.
    let valid = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    if valid && core::str::from_utf8(reason).is_ok() {
        End::Closed { code: Some(code) }
    } else {
        End::Failed(FrameError::InvalidClose)
    }
}
