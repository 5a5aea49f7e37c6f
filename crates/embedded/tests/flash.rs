//! Sessions in flash, with the power cut at every step.
#![cfg(feature = "flash")]

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use mqtt_p2p_embedded::flash::{FlashError, SavedSession};
use mqtt_p2p_embedded::{Client, Config, Inline, Publication, QoS, TopicName};

/// What is ready at once.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("this flash never waits"),
    }
}

const SECTOR: usize = 256;

/// A NOR flash: bits are cleared by writing and set by erasing. After `budget` bytes written or erased the power is cut.
#[derive(Clone)]
struct Flash<const WORD: usize> {
    bytes: Vec<u8>,
    budget: Rc<Cell<usize>>,
    /// Words that a cut left half written can't be read.
    ecc: bool,
    half_written: Option<usize>,
    erases: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    PowerCut,
    Ecc,
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const WORD: usize> Flash<WORD> {
    fn new(ecc: bool) -> Self {
        // Whatever was there before.
        let bytes = (0..4 * SECTOR).map(|index| (index * 7) as u8).collect();
        Self { bytes, budget: Rc::new(Cell::new(usize::MAX)), ecc, half_written: None, erases: 0 }
    }

    fn spend(&mut self, at: usize) -> Result<(), Fault> {
        if self.budget.get() == 0 {
            self.half_written = Some(at);
            return Err(Fault::PowerCut);
        }
        self.budget.set(self.budget.get() - 1);
        Ok(())
    }
}

impl<const WORD: usize> ErrorType for Flash<WORD> {
    type Error = Fault;
}

impl<const WORD: usize> ReadNorFlash for Flash<WORD> {
    const READ_SIZE: usize = WORD;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        let range = offset as usize..offset as usize + bytes.len();
        assert_eq!((range.start % WORD, range.end % WORD), (0, 0));
        if self.ecc && self.half_written.is_some_and(|at| range.contains(&at)) {
            return Err(Fault::Ecc);
        }
        bytes.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const WORD: usize> NorFlash for Flash<WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        assert_eq!((from as usize % SECTOR, to as usize % SECTOR), (0, 0));
        self.half_written = self.half_written.filter(|at| !(from as usize..to as usize).contains(at));
        self.erases += 1;
        for at in from as usize..to as usize {
            self.spend(at)?;
            self.bytes[at] = 0xff;
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        assert_eq!((offset as usize % WORD, bytes.len() % WORD), (0, 0));
        for (at, byte) in (offset as usize..).zip(bytes) {
            self.spend(at)?;
            assert_eq!(self.bytes[at], 0xff, "written without an erase, or twice");
            self.bytes[at] = *byte;
        }
        Ok(())
    }
}

const RANGE: std::ops::Range<u32> = 256..768;

fn save<const WORD: usize>(flash: &mut Flash<WORD>, session: &[u8]) -> Result<(), FlashError<Fault>> {
    let mut buffer = [0; 256];
    buffer[..session.len()].copy_from_slice(session);
    now(SavedSession::new(flash, RANGE).unwrap().save(&mut buffer, session.len()))
}

fn load<const WORD: usize>(flash: &mut Flash<WORD>) -> Option<Vec<u8>> {
    let mut buffer = [0; 256];
    now(SavedSession::new(flash, RANGE).unwrap().load(&mut buffer)).unwrap().map(Vec::from)
}

fn session(number: u8) -> Vec<u8> {
    (0..100 + number).map(|index| index ^ number).collect()
}

fn cut_everywhere<const WORD: usize>(ecc: bool) {
    for saves in 0..4 {
        let mut flash = Flash::<WORD>::new(ecc);
        for number in 0..saves {
            save(&mut flash, &session(number)).unwrap();
        }
        let before = (saves > 0).then(|| session(saves - 1));
        assert_eq!(load(&mut flash), before);
        let mut cuts = 0;
        loop {
            let mut flash = flash.clone();
            flash.budget = Rc::new(Cell::new(cuts));
            let result = save(&mut flash, &session(saves));
            flash.budget.set(usize::MAX);
            if result.is_ok() {
                assert_eq!(load(&mut flash), Some(session(saves)));
                break;
            }
            // The last byte of a header may be its padding: then it is whole.
            let found = load(&mut flash);
            assert!(found == before || found == Some(session(saves)), "{saves} saves, cut at {cuts}");
            assert!(found == before || cuts + WORD > SECTOR + 128, "{saves} saves, cut at {cuts}");
            // And it goes on from there.
            save(&mut flash, &session(60)).unwrap();
            assert_eq!(load(&mut flash), Some(session(60)));
            cuts += 1;
        }
        assert!(cuts > SECTOR, "{cuts}");
    }
}

#[test]
fn a_power_cut_at_any_byte_leaves_the_session_before_or_the_new_one() {
    cut_everywhere::<1>(false);
    cut_everywhere::<4>(false);
    cut_everywhere::<32>(false);
}

#[test]
fn the_same_holds_where_a_half_written_word_cant_be_read() {
    cut_everywhere::<8>(true);
    cut_everywhere::<64>(true);
}

#[test]
fn a_session_that_has_not_changed_is_not_written() {
    let mut flash = Flash::<4>::new(false);
    for _ in 0..5 {
        save(&mut flash, &session(1)).unwrap();
    }
    assert_eq!(flash.erases, 1);
}

#[test]
fn saves_wear_both_halves_alike_and_nothing_outside() {
    let mut flash = Flash::<4>::new(false);
    let before = flash.bytes.clone();
    for number in 0..20 {
        save(&mut flash, &session(number)).unwrap();
        assert_eq!(load(&mut flash), Some(session(number)));
    }
    assert_eq!(flash.erases, 20);
    assert_eq!((&flash.bytes[..256], &flash.bytes[768..]), (&before[..256], &before[768..]));
}

#[test]
fn what_does_not_fit_is_refused_and_the_session_before_stays() {
    let mut flash = Flash::<4>::new(false);
    save(&mut flash, &session(1)).unwrap();
    assert_eq!(save(&mut flash, &[1; 241]), Err(FlashError::TooLarge { needed: 260 }));
    assert_eq!(load(&mut flash), Some(session(1)));
    let mut small = [0; 50];
    let mut saved = SavedSession::new(&mut flash, RANGE).unwrap();
    assert_eq!(now(saved.load(&mut small)), Err(FlashError::TooLarge { needed: 104 }));
    now(saved.clear()).unwrap();
    assert_eq!(now(saved.load(&mut small)), Ok(None));
}

#[test]
fn ranges_that_the_flash_cant_erase_are_refused() {
    for range in [0..255, 0..256, 128..640, 0..768, 512..1536, 0..0] {
        assert!(
            matches!(SavedSession::new(Flash::<4>::new(false), range.clone()), Err(FlashError::Range)),
            "{range:?}"
        );
    }
}

#[test]
fn a_clients_session_comes_back_with_what_was_accepted() {
    let mut client = Client::new(Config::new(), 1, Inline::<512>::new());
    let topic = TopicName::new("demo/x").unwrap();
    let publication = Publication::new(topic, b"kept").with_qos(QoS::AtLeastOnce);
    let ticket = client.publish(&publication).unwrap();
    let mut flash = Flash::<4>::new(false);
    let mut buffer = [0; 256];
    let len = client.export_session(&mut buffer).unwrap();
    now(SavedSession::new(&mut flash, RANGE).unwrap().save(&mut buffer, len)).unwrap();
    let mut other = Client::new(Config::new(), 2, Inline::<512>::new());
    other.import_session(&load(&mut flash).unwrap()).unwrap();
    assert_eq!(other.requests().collect::<Vec<_>>(), [ticket]);
}
