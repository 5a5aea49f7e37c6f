//! Start-up, and the measure of the stack: painted at the start, looked at when all is over. QEMU is told of it by
//! semihosting (ARM IHI 0100), and ends.

use core::arch::asm;
use core::cell::Cell;

const PAINT: u32 = 0x5ac3_5ac3;
/// How much is painted. QEMU's memory is larger; nothing here reaches so deep.
const DEPTH: usize = 32 * 1024;

unsafe extern "C" {
    static mut _data: u32;
    static mut _data_end: u32;
    static _data_from: u32;
    static mut _stack_top: u32;
    fn start() -> !;
}

/// Where a Cortex-M finds its stack and its first instruction.
#[repr(C)]
struct Vectors {
    stack: *const u32,
    reset: unsafe extern "C" fn() -> !,
    faults: [unsafe extern "C" fn() -> !; 14],
}

// SAFETY: nobody writes to it.
unsafe impl Sync for Vectors {}

#[used]
#[unsafe(link_section = ".vectors")]
static VECTORS: Vectors = Vectors { stack: &raw const _stack_top, reset, faults: [fault; 14] };

unsafe extern "C" fn fault() -> ! {
    end("fault")
}

unsafe extern "C" fn reset() -> ! {
    // SAFETY: this is the first thing that runs, so that nobody uses the statics, nor what lies under this function's own
    // stack. The linker's symbols are aligned, and so far apart. QEMU's memory is zero where nothing was loaded.
    unsafe {
        let (mut to, mut from) = (&raw mut _data, &raw const _data_from);
        while to < &raw mut _data_end {
            to.write_volatile(from.read());
            (to, from) = (to.add(1), from.add(1));
        }
        paint();
        start()
    }
}

/// Paints what lies under the stack of its caller.
#[inline(always)]
fn paint() {
    // SAFETY: nothing is there, and no function is called meanwhile.
    unsafe {
        let mut top: *mut u32;
        asm!("mov {}, sp", out(reg) top);
        let mut place = (&raw mut _stack_top).byte_sub(DEPTH);
        while place < top {
            place.write_volatile(PAINT);
            place = place.add(1);
        }
    }
}

/// A number that is told at the end.
struct Fact(Cell<usize>);

// SAFETY: there is one thread.
unsafe impl Sync for Fact {}

/// The stack's depth until all was made.
static MADE: Fact = Fact(Cell::new(0));
/// The size of the program's future.
static FUTURE: Fact = Fact(Cell::new(0));

#[cfg(feature = "async")]
pub(crate) fn note_future(bytes: usize) {
    FUTURE.0.set(bytes);
}

/// The stack is measured anew from here on.
#[inline(never)]
pub(crate) fn begin() {
    MADE.0.set(deepest());
    paint();
}

/// The bytes of stack that were ever in use.
fn deepest() -> usize {
    // SAFETY: this is memory up to the stack's top.
    unsafe {
        let mut place = (&raw const _stack_top).byte_sub(DEPTH);
        while place < &raw const _stack_top && place.read_volatile() == PAINT {
            place = place.add(1);
        }
        (&raw const _stack_top).byte_offset_from_unsigned(place)
    }
}

/// Ends QEMU, having said how deep the stack was while all was made and afterwards, and how it went: `done`, or what did
/// not.
pub(crate) fn end(how: &str) -> ! {
    let (made, ran) = (MADE.0.get(), deepest());
    write(b"made ");
    write_number(made);
    write(b" ran ");
    write_number(ran);
    write(b" future ");
    write_number(FUTURE.0.get());
    write(b": ");
    write(how.as_bytes());
    write(b"\n");
    // SYS_EXIT with ADP_Stopped_ApplicationExit.
    semihosting(0x18, 0x2_0026);
    loop {}
}

fn write_number(number: usize) {
    let mut divisor = 100_000;
    while divisor > 0 {
        write(&[b'0' + (number / divisor % 10) as u8]);
        divisor /= 10;
    }
}

/// SYS_WRITEC.
fn write(bytes: &[u8]) {
    for byte in bytes {
        semihosting(0x03, (&raw const *byte).expose_provenance());
    }
}

fn semihosting(operation: usize, argument: usize) {
    // SAFETY: QEMU reads a byte at most, of one that lives.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument) }
}
