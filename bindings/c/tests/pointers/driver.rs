//! What the tests share: a program with a client, whose server is the test and whose transport are two vectors of bytes.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{self, null, null_mut};

use mqttp2p::*;

/// A call as a C program makes it.
macro_rules! c {
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: each pointer is NULL, or good for what the header asks of it and as long.
        unsafe { $function($($argument),*) }
    };
}
pub(crate) use c;

/// A call that does what it should.
macro_rules! ok {
    ($($call:tt)*) => {
        assert_eq!($crate::driver::c!($($call)*), MQTTP2P_OK)
    };
}
pub(crate) use ok;

pub(crate) const NOTHING: mqttp2p_bytes_t = mqttp2p_bytes_t { ptr: null(), len: 0 };

pub(crate) fn bytes(bytes: &[u8]) -> mqttp2p_bytes_t {
    mqttp2p_bytes_t { ptr: bytes.as_ptr(), len: bytes.len() }
}

/// What a range holds, read as it would be by `memcpy`.
pub(crate) fn read(range: mqttp2p_bytes_t) -> Vec<u8> {
    let mut copy = vec![0; range.len];
    if range.len > 0 {
        // SAFETY: the library gave this range, and nothing has ended it since.
        unsafe { ptr::copy_nonoverlapping(range.ptr, copy.as_mut_ptr(), range.len) };
    }
    copy
}

/// Something of `malloc`: nothing is known of what it holds, and it ends where it ends.
pub(crate) struct Heap {
    start: *mut u8,
    len: usize,
}

impl Heap {
    pub(crate) fn new(len: usize) -> Self {
        let layout = Self::layout(len);
        // SAFETY: it is not of size 0.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        Self { start, len }
    }

    fn layout(len: usize) -> Layout {
        // What `malloc` aligns to; `alloc` does not give nothing.
        Layout::from_size_align(len.max(1), 16).expect("a small size")
    }

    /// A copy of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let heap = Self::new(bytes.len());
        // SAFETY: it was made for as many, just now.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), heap.start, bytes.len()) };
        heap
    }

    /// A copy of these values.
    pub(crate) fn array<T: Copy>(values: &[T]) -> Self {
        let heap = Self::new(size_of_val(values));
        // SAFETY: it was made for as many, just now, and is aligned for more.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), heap.start.cast(), values.len()) };
        heap
    }

    pub(crate) fn fill(&self, byte: u8) {
        // SAFETY: it is that long.
        unsafe { self.start.write_bytes(byte, self.len) };
    }

    pub(crate) fn at<T>(&self) -> *mut T {
        self.start.cast()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn range(&self) -> mqttp2p_bytes_t {
        mqttp2p_bytes_t { ptr: self.start, len: self.len() }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: `new` made it with this layout.
        unsafe { dealloc(self.start, Self::layout(self.len)) };
    }
}

pub(crate) fn config(change: impl FnOnce(&mut mqttp2p_config_t)) -> mqttp2p_config_t {
    let place = Heap::new(size_of::<mqttp2p_config_t>());
    ok!(mqttp2p_config_default(place.at()));
    // SAFETY: it was filled in just now.
    let mut config = unsafe { place.at::<mqttp2p_config_t>().read() };
    config.seed = 7;
    change(&mut config);
    config
}

pub(crate) fn login(client_id: &[u8]) -> mqttp2p_login_t {
    mqttp2p_login_t {
        struct_size: size_of::<mqttp2p_login_t>() as u32,
        will_qos: 0,
        will_retain: 0,
        reserved: 0,
        client_id: bytes(client_id),
        user_name: NOTHING,
        password: NOTHING,
        will_topic: NOTHING,
        will_payload: NOTHING,
    }
}

/// Where a client keeps what it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In the program's own memory, by `mqttp2p_client_init`.
    InProgram,
    /// On the heap, by `mqttp2p_client_new`.
    OnHeap,
}

/// All that a C program has, as one struct of `malloc`. What lies before and behind the client's memory is not the
/// library's.
#[repr(C)]
struct Program {
    before: [u64; 2],
    memory: [u64; MQTTP2P_CLIENT_SIZE_64 / 8],
    between: [u8; 4],
    /// Aligned to 4 and no more.
    buffer: [u32; 255],
    behind: [u64; 2],
    client: *mut mqttp2p_client_t,
    /// What came in and was not taken yet lies in `input`.
    rx: *const u8,
    rx_len: usize,
    action: mqttp2p_action_t,
    ticket: u32,
    input: [u8; 256],
}

const GUARD: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// It is driven by raw pointers alone: there is no reference to it, as there is none in C.
pub(crate) struct Driver {
    heap: Heap,
    kept: Kept,
    pub(crate) now: u64,
    sent: Vec<u8>,
}

/// Does a test with a client in the program's memory, and again with one on the heap.
pub(crate) fn with_each_memory(change: impl Fn(&mut mqttp2p_config_t), test: impl Fn(&mut Driver)) {
    for kept in [Kept::InProgram, Kept::OnHeap] {
        test(&mut Driver::new(kept, &change));
    }
}

impl Driver {
    /// A program with a client that has not been used.
    pub(crate) fn new(kept: Kept, change: impl FnOnce(&mut mqttp2p_config_t)) -> Self {
        let heap = Heap::new(size_of::<Program>());
        let program = heap.at::<Program>();
        // SAFETY: it is the program's, and large enough.
        unsafe {
            (&raw mut (*program).before).write([GUARD; 2]);
            (&raw mut (*program).between).write([GUARD as u8; 4]);
            (&raw mut (*program).behind).write([GUARD; 2]);
            (&raw mut (*program).rx).write(null());
            (&raw mut (*program).rx_len).write(0);
            (&raw mut (*program).action).write_bytes(0, 1);
        }
        let driver = Self { heap, kept, now: 1000, sent: Vec::new() };
        driver.begin(change);
        driver
    }

    /// Makes the client.
    pub(crate) fn begin(&self, change: impl FnOnce(&mut mqttp2p_config_t)) {
        let (program, config) = (self.program(), Heap::array(&[config(change)]));
        match self.kept {
            Kept::InProgram => ok!(mqttp2p_client_init(
                (&raw mut (*program).memory).cast(),
                mqttp2p_client_size(),
                config.at(),
                (&raw mut (*program).buffer).cast(),
                size_of_val(&(*program).buffer),
                &raw mut (*program).client,
            )),
            Kept::OnHeap => ok!(mqttp2p_client_new(config.at(), 0, &raw mut (*program).client)),
        }
    }

    /// Ends the client.
    pub(crate) fn end(&self) -> mqttp2p_status_t {
        match self.kept {
            Kept::InProgram => c!(mqttp2p_client_deinit(self.client())),
            Kept::OnHeap => {
                let status = c!(mqttp2p_client_free(self.client()));
                // SAFETY: within the program.
                unsafe { (&raw mut (*self.program()).client).write(null_mut()) };
                status
            }
        }
    }

    fn program(&self) -> *mut Program {
        self.heap.at()
    }

    pub(crate) fn client(&self) -> *mut mqttp2p_client_t {
        // SAFETY: `begin` wrote it.
        unsafe { (*self.program()).client }
    }

    /// A place for a ticket.
    pub(crate) fn ticket_to(&self) -> *mut u32 {
        // SAFETY: within the program.
        unsafe { &raw mut (*self.program()).ticket }
    }

    pub(crate) fn ticket(&self) -> u32 {
        // SAFETY: a call wrote it.
        unsafe { self.ticket_to().read() }
    }

    /// What the client kept in the buffer that was lent to it, when it has ended: all behind the
    /// requests, which have padding.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let requests = 16 * usize::from(config(|_| {}).requests);
        // SAFETY: within the program, and filled by the library.
        read(unsafe {
            let buffer = &raw const (*self.program()).buffer;
            let ptr = buffer.cast::<u8>().add(requests);
            mqttp2p_bytes_t { ptr, len: size_of::<[u32; 255]>() - requests }
        })
    }

    /// How many bytes of the input have not been taken.
    pub(crate) fn left(&self) -> usize {
        // SAFETY: within the program.
        unsafe { (*self.program()).rx_len }
    }

    pub(crate) fn action(&self) -> mqttp2p_action_t {
        // SAFETY: it was filled with zeros at first.
        unsafe { (*self.program()).action }
    }

    /// Bytes come in behind what is left, which moves to the front of the input: over what was there.
    pub(crate) fn receive(&mut self, came: &[u8]) {
        let program = self.program();
        // SAFETY: `rx` points to `rx_len` bytes of `input`, unless that is 0.
        unsafe {
            let (input, left) = ((&raw mut (*program).input).cast::<u8>(), (*program).rx_len);
            if left > 0 {
                ptr::copy((*program).rx, input, left);
            }
            assert!(left + came.len() <= 256);
            ptr::copy_nonoverlapping(came.as_ptr(), input.add(left), came.len());
            (&raw mut (*program).rx).write(input);
            (&raw mut (*program).rx_len).write(left + came.len());
        }
    }

    /// A new connection has nothing of the last one's input.
    pub(crate) fn forget_input(&mut self) {
        let program = self.program();
        // SAFETY: within the program.
        unsafe {
            (&raw mut (*program).input).write_bytes(0xee, 1);
            (&raw mut (*program).rx_len).write(0);
        }
    }

    /// One poll.
    pub(crate) fn poll(&mut self) -> mqttp2p_status_t {
        let program = self.program();
        c!(mqttp2p_poll(
            self.client(),
            self.now,
            &raw mut (*program).rx,
            &raw mut (*program).rx_len,
            &raw mut (*program).action,
        ))
    }

    /// Polls up to the next action that is not a transmission, and writes those.
    pub(crate) fn step(&mut self) -> mqttp2p_status_t {
        loop {
            let status = self.poll();
            let action = self.action();
            if status != MQTTP2P_OK || action.r#type != MQTTP2P_ACTION_TRANSMIT {
                return status;
            }
            self.sent.extend(read(action.data));
            assert!(c!(mqttp2p_transmitted(self.client(), action.data.len)) >= 0);
        }
    }

    /// The next thing that happens is of this type.
    #[track_caller]
    pub(crate) fn expect(&mut self, r#type: u32) -> mqttp2p_action_t {
        let expected = if r#type == MQTTP2P_ACTION_WAIT { MQTTP2P_WAIT } else { MQTTP2P_OK };
        let status = self.step();
        assert_eq!((status, self.action().r#type), (expected, r#type));
        self.action()
    }

    /// Exactly these bytes went out since this was asked last.
    #[track_caller]
    pub(crate) fn sent(&mut self, expected: &[u8]) {
        assert_eq!(
            std::mem::take(&mut self.sent).escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }

    /// Polls until there is nothing to do; exactly these bytes went out.
    #[track_caller]
    pub(crate) fn sends(&mut self, expected: &[u8]) {
        self.expect(MQTTP2P_ACTION_WAIT);
        self.sent(expected);
    }

    /// From the wish to be connected to CONNACK.
    #[track_caller]
    pub(crate) fn go_online(&mut self, session_present: u8) {
        ok!(mqttp2p_connect(self.client(), self.now));
        self.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
        self.forget_input();
        let login = Heap::array(&[login(b"c")]);
        ok!(mqttp2p_transport_opened(self.client(), self.now, login.at()));
        self.sends(b"\x10\x0d\0\x04MQTT\x04\0\0\x3c\0\x01c");
        self.receive(&[0x20, 2, session_present, 0]);
        assert_eq!(self.expect(MQTTP2P_EVENT_CONNECTED).flag, session_present);
    }

    /// The connection breaks, and what the input holds is nothing any more.
    #[track_caller]
    pub(crate) fn lose(&mut self) {
        ok!(mqttp2p_transport_closed(self.client(), self.now, MQTTP2P_REASON_BROKEN));
        self.forget_input();
        assert_eq!(self.expect(MQTTP2P_EVENT_DISCONNECTED).reason, MQTTP2P_REASON_BROKEN);
    }

    /// Publishes from memory that is gone when the call has returned.
    #[track_caller]
    pub(crate) fn publish(&self, topic: &[u8], payload: &[u8], qos: u8) -> mqttp2p_status_t {
        let (topic, payload) = (Heap::of(topic), Heap::of(payload));
        c!(mqttp2p_publish(self.client(), topic.range(), payload.range(), qos, 0, self.ticket_to()))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!([MQTTP2P_OK, MQTTP2P_E_NO_OBJECT].contains(&self.end()));
        let program = self.program();
        // SAFETY: `new` wrote these.
        unsafe {
            assert_eq!((*program).before, [GUARD; 2]);
            assert_eq!((*program).between, [GUARD as u8; 4]);
            assert_eq!((*program).behind, [GUARD; 2]);
        }
    }
}
