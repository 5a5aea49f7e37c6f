//! Sessions in flash: two slots that take turns, so that a power cut at any moment loses the newest save at most.
//!
//! [`SavedSession::save`] writes what [`Client::export_session`](crate::Client::export_session) gave into the older slot,
//! and its header last. Whatever a power cut leaves behind there does not match its checksum, and the other slot counts.
//!
//! ```
//! use embedded_storage_async::nor_flash::NorFlash;
//! use mqtt_p2p_embedded::flash::{FlashError, SavedSession};
//! use mqtt_p2p_embedded::{Client, Inline};
//!
//! /// At the start, before the client is used.
//! async fn restore<F: NorFlash>(saved: &mut SavedSession<F>, client: &mut Client<Inline<1024>>) {
//!     let mut buffer = [0; 2048];
//!     if let Ok(Some(session)) = saved.load(&mut buffer).await {
//!         // What can't be taken over, such as the session of a later version, is given up.
//!         let _ = client.import_session(session);
//!     }
//! }
//!
//! /// Now and then, and before a reset.
//! async fn save<F: NorFlash>(
//!     saved: &mut SavedSession<F>,
//!     client: &mut Client<Inline<1024>>,
//! ) -> Result<(), FlashError<F::Error>> {
//!     let mut buffer = [0; 2048];
//!     let Ok(len) = client.export_session(&mut buffer) else { return Ok(()) };
//!     saved.save(&mut buffer, len).await
//! }
//! ```
//!
//! # What a crash can lose
//!
//! A session that is restored is as it was when it was saved. What was accepted later is lost; what was acknowledged
//! later is sent once more; a message of QoS 2 that came later can come once more. Who must not lose a publication saves
//! after it was accepted, before anything relies on it. (Storing every change, as hosts with a disk do, would
//! cost an erase for every few messages; flash does not live long then.)
//!
//! # Wear
//!
//! A save erases one slot: half of the range. A session that has not changed is not written. Flash of 10,000 cycles
//! takes 20,000 saves: ten years of one save every four hours; of 100,000 cycles, one every 26 minutes.

use core::fmt;
use core::ops::Range;

use embedded_storage_async::nor_flash::NorFlash;
use mqtt_p2p_core::Crc32;

/// `MP2F` and the version of the layout.
const MAGIC: [u8; 4] = *b"MP2F";
/// Magic, sequence number, length, and the checksum of these two and of the session.
const HEADER: usize = 16;
/// Room for a header in words of the flash.
const MAX_WORD: usize = 64;

/// Two slots for sessions in a range of a flash.
#[derive(Debug)]
pub struct SavedSession<F> {
    flash: F,
    start: u32,
    slot_size: u32,
    /// The newest that is whole; `None` if that has not been looked for.
    newest: Option<Newest>,
}

#[derive(Clone, Copy, Debug)]
enum Newest {
    Nothing,
    Slot { second: bool, header: Header },
}

/// What stands before a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    sequence: u32,
    len: u32,
    crc: u32,
}

/// What can go wrong with a session in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FlashError<E> {
    /// The flash itself.
    Flash(E),
    /// Caller: the range is not in the flash, or its halves are not multiples of what is erased at once, or the flash
    /// has words of more than 64 bytes.
    Range,
    /// Caller: the session does not fit in half of the range, or not in the buffer; `needed` bytes would be enough there.
    TooLarge {
        /// So many bytes.
        needed: usize,
    },
}

impl<E: fmt::Debug> fmt::Display for FlashError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash can't be read or written: {error:?}"),
            Self::Range => f.write_str(
                "each half of the range must be a multiple of the flash's erase size, and lie in the flash",
            ),
            Self::TooLarge { needed } => {
                write!(f, "the session takes {needed} bytes, more than half of the range, or than the buffer")
            }
        }
    }
}

impl<E: fmt::Debug> core::error::Error for FlashError<E> {}

impl Header {
    fn of(sequence: u32, session: &[u8]) -> Self {
        let header = Self { sequence, len: session.len() as u32, crc: 0 };
        let mut crc = header.crc();
        crc.update(session);
        Self { crc: crc.value(), ..header }
    }

    /// The beginning of the checksum.
    fn crc(&self) -> Crc32 {
        let mut crc = Crc32::new();
        crc.update(&self.sequence.to_le_bytes());
        crc.update(&self.len.to_le_bytes());
        crc
    }

    fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let fields = [MAGIC, self.sequence.to_le_bytes(), self.len.to_le_bytes(), self.crc.to_le_bytes()];
        for (place, byte) in bytes.iter_mut().zip(fields.iter().flatten()) {
            *place = *byte;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (crc, _) = rest.split_first_chunk()?;
        let number = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        (*magic == MAGIC).then(|| Self { sequence: number(sequence), len: number(len), crc: number(crc) })
    }

    /// Whether it is the later one of two: in the half of all numbers that follows.
    const fn follows(&self, other: &Self) -> bool {
        matches!(self.sequence.wrapping_sub(other.sequence), 1..=0x7fff_ffff)
    }
}

impl<F: NorFlash> SavedSession<F> {
    /// The flash's word: what is read and written begins and ends at multiples of it.
    const WORD: usize = if F::WRITE_SIZE > F::READ_SIZE { F::WRITE_SIZE } else { F::READ_SIZE };
    const HEADER: usize = round_up(HEADER, Self::WORD);

    /// Slots in this range of the flash, in bytes: each half of it a multiple of
    /// [`ERASE_SIZE`](NorFlash::ERASE_SIZE), and 16 bytes longer than the longest session. Nothing else may use it.
    ///
    /// # Errors
    /// [`FlashError::Range`].
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        let erase = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError::Range)?;
        let slot_size = range.end.saturating_sub(range.start) / 2;
        let aligned = |number: u32| number.is_multiple_of(erase);
        let whole = range.end.saturating_sub(range.start).is_multiple_of(2);
        let inside = usize::try_from(range.end).is_ok_and(|end| end <= flash.capacity());
        let words = Self::WORD <= MAX_WORD && MAX_WORD.is_multiple_of(Self::WORD);
        if slot_size == 0 || !aligned(slot_size) || !aligned(range.start) || !whole || !inside || !words {
            return Err(FlashError::Range);
        }
        Ok(Self { flash, start: range.start, slot_size, newest: None })
    }

    /// The flash.
    pub fn release(self) -> F {
        self.flash
    }

    /// The newest session that is whole, in the front of `buffer`; `None` if there is none. The buffer must take the
    /// longest session, and up to 63 bytes more where the flash has long words.
    ///
    /// # Errors
    /// The flash can't be read, or the buffer is too small for the session.
    pub async fn load<'m>(&mut self, buffer: &'m mut [u8]) -> Result<Option<&'m [u8]>, FlashError<F::Error>> {
        let newest = self.find().await?;
        self.newest = Some(newest);
        let Newest::Slot { second, header } = newest else { return Ok(None) };
        let padded = round_up(header.len as usize, Self::WORD);
        let place = buffer.get_mut(..padded).ok_or(FlashError::TooLarge { needed: padded })?;
        let body = self.slot(second).saturating_add(Self::HEADER as u32);
        self.flash.read(body, place).await.map_err(FlashError::Flash)?;
        Ok(buffer.get(..header.len as usize))
    }

    /// Saves the session in the first `len` bytes of `buffer`, unless it is the newest one already. The rest of the buffer,
    /// up to 63 bytes where the flash has long words, pads it. Drop the future, and it is as if the power had been cut.
    ///
    /// # Errors
    /// The flash can't be written; the session does not fit. What was saved before is still there.
    pub async fn save(&mut self, buffer: &mut [u8], len: usize) -> Result<(), FlashError<F::Error>> {
        let padded = round_up(len, Self::WORD);
        let needed = padded.saturating_add(Self::HEADER);
        if needed > self.slot_size as usize || padded > buffer.len() {
            return Err(FlashError::TooLarge { needed });
        }
        let newest = match self.newest {
            Some(newest) => newest,
            None => self.find().await?,
        };
        let session = buffer.get(..len).unwrap_or_default();
        let (second, sequence) = match newest {
            Newest::Nothing => (false, 1),
            Newest::Slot { header, .. } if header == Header::of(header.sequence, session) => return Ok(()),
            Newest::Slot { second, header } => (!second, header.sequence.wrapping_add(1)),
        };
        let header = Header::of(sequence, session);
        for byte in buffer.get_mut(len..padded).unwrap_or_default() {
            *byte = 0xff;
        }
        let slot = self.slot(second);
        let end = slot.saturating_add(self.slot_size);
        self.flash.erase(slot, end).await.map_err(FlashError::Flash)?;
        let body = slot.saturating_add(Self::HEADER as u32);
        let padded = buffer.get(..padded).unwrap_or_default();
        self.flash.write(body, padded).await.map_err(FlashError::Flash)?;
        // Last: only with it the slot counts.
        let mut word = [0xff; MAX_WORD];
        for (place, byte) in word.iter_mut().zip(header.to_bytes()) {
            *place = byte;
        }
        let word = word.get(..Self::HEADER).unwrap_or_default();
        self.flash.write(slot, word).await.map_err(FlashError::Flash)?;
        self.newest = Some(Newest::Slot { second, header });
        Ok(())
    }

    /// Forgets the sessions.
    ///
    /// # Errors
    /// The flash can't be erased.
    pub async fn clear(&mut self) -> Result<(), FlashError<F::Error>> {
        self.newest = None;
        let end = self.start.saturating_add(self.slot_size.saturating_mul(2));
        self.flash.erase(self.start, end).await.map_err(FlashError::Flash)?;
        self.newest = Some(Newest::Nothing);
        Ok(())
    }

    const fn slot(&self, second: bool) -> u32 {
        if second { self.start.saturating_add(self.slot_size) } else { self.start }
    }

    /// The newest session that is whole.
    async fn find(&mut self) -> Result<Newest, FlashError<F::Error>> {
        let (first, second) = (self.header(false).await, self.header(true).await);
        let newest = match (first, second) {
            (Ok(Some(first)), Ok(Some(second))) if second.follows(&first) => Some((true, second)),
            (Ok(Some(first)), _) => Some((false, first)),
            (_, Ok(Some(second))) => Some((true, second)),
            (Err(error), Err(_)) => return Err(error),
            // Words that a power cut left half written may be unreadable.
            _ => None,
        };
        Ok(newest.map_or(Newest::Nothing, |(second, header)| Newest::Slot { second, header }))
    }

    /// The header of a slot, if its session is whole.
    async fn header(&mut self, second: bool) -> Result<Option<Header>, FlashError<F::Error>> {
        let slot = self.slot(second);
        let mut word = [0; MAX_WORD];
        let head = word.get_mut(..Self::HEADER).unwrap_or_default();
        self.flash.read(slot, head).await.map_err(FlashError::Flash)?;
        let longest = self.slot_size.saturating_sub(Self::HEADER as u32);
        let Some(header) = Header::from_bytes(head).filter(|header| header.len <= longest) else {
            return Ok(None);
        };
        let mut crc = header.crc();
        let (mut at, mut left) = (slot.saturating_add(Self::HEADER as u32), header.len as usize);
        while left > 0 {
            let len = left.min(MAX_WORD);
            let part = word.get_mut(..round_up(len, Self::WORD)).unwrap_or_default();
            self.flash.read(at, part).await.map_err(FlashError::Flash)?;
            crc.update(part.get(..len).unwrap_or_default());
            at = at.saturating_add(len as u32);
            left = left.saturating_sub(len);
        }
        Ok((crc.value() == header.crc).then_some(header))
    }
}

const fn round_up(len: usize, word: usize) -> usize {
    match len.checked_next_multiple_of(word) {
        Some(len) => len,
        None => usize::MAX,
    }
}
