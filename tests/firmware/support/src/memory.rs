//! How much RAM a firmware has taken: what is static, by the linker's word, and the stack's deepest point, by paint.

use core::ptr::{read_volatile, with_exposed_provenance_mut, write_volatile};

unsafe extern "C" {
    static __sdata: u32;
    static __edata: u32;
    static __sbss: u32;
    static __ebss: u32;
    static __sheap: u32;
    static _stack_start: u32;
}

const PAINT: u32 = 0xc0de_cafe;

/// Static RAM in bytes.
pub fn statics() -> usize {
    // The linker's symbols are addresses; what lies there is not looked at.
    let len = |start: *const u32, end: *const u32| end.addr() - start.addr();
    len(&raw const __sdata, &raw const __edata) + len(&raw const __sbss, &raw const __ebss)
}

/// Paints the stack that is not in use. To be called first.
#[inline(never)]
pub fn paint_stack() {
    /// What this function itself may need.
    const MARGIN: usize = 256;
    let here = 0_u32;
    for word in words((&raw const here).addr() - MARGIN) {
        // SAFETY: between the end of the static memory and the stack's lower end there is only RAM that nobody uses:
        // there is no heap, and interrupts push below this frame only for a moment, and pop before this goes on.
        unsafe { write_volatile(word, PAINT) };
    }
}

/// How many bytes of stack were in use at the deepest point since [`paint_stack`].
pub fn deepest_stack() -> usize {
    let end = (&raw const _stack_start).addr();
    // SAFETY: up to the stack's upper end it is RAM, and it may be read at any time.
    let deepest = words(end).find(|word| unsafe { read_volatile(*word) } != PAINT);
    deepest.map_or(0, |word| end - word.addr())
}

/// The words from the end of the static memory to this address.
fn words(end: usize) -> impl Iterator<Item = *mut u32> {
    ((&raw const __sheap).addr()..end).step_by(size_of::<u32>()).map(with_exposed_provenance_mut)
}
