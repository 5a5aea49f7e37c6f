//! The functions over memory that the compiler calls, made small: those that come with the compiler are made for speed, and
//! alone take as much flash as a third of a client. Every program of this directory has these; the feature
//! `compiler-memory` leaves them out.
//!
//! The names call functions of other names: of one name the compiler knows what it does, and makes the call of another
//! one of these names of it, perhaps of the very one that it is in.

use core::sync::atomic::{Ordering, compiler_fence};

/// Or else the compiler would see what the loop does, and make it a call of the function that it is in.
fn one_by_one() {
    compiler_fence(Ordering::SeqCst);
}

#[inline(never)]
unsafe fn copy_upwards(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: both are so long, as the caller promises.
        unsafe { to.add(at).write(from.add(at).read()) }
        one_by_one();
    }
    to
}

#[inline(never)]
unsafe fn copy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if to.addr() <= from.addr() {
        // SAFETY: what is read was not written before.
        return unsafe { copy_upwards(to, from, len) };
    }
    for at in (0..len).rev() {
        // SAFETY: both are so long, as the caller promises.
        unsafe { to.add(at).write(from.add(at).read()) }
        one_by_one();
    }
    to
}

#[inline(never)]
unsafe fn fill(to: *mut u8, value: i32, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: it is so long, as the caller promises.
        unsafe { to.add(at).write(value as u8) }
        one_by_one();
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the same promises.
    unsafe { copy_upwards(to, from, len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the same promises.
    unsafe { copy(to, from, len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, len: usize) -> *mut u8 {
    // SAFETY: the same promises.
    unsafe { fill(to, value, len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    for at in 0..len {
        // SAFETY: both are so long, as the caller promises.
        let (one, other) = unsafe { (one.add(at).read(), other.add(at).read()) };
        if one != other {
            return i32::from(one) - i32::from(other);
        }
        one_by_one();
    }
    0
}

/// The names of the ARM ABI for the same.
#[cfg(target_arch = "arm")]
mod eabi {
    macro_rules! copies {
        ($($name:ident => $does:ident),*) => { $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(to: *mut u8, from: *const u8, len: usize) {
                // SAFETY: the same promises.
                unsafe { super::$does(to, from, len); }
            }
        )* };
    }
    copies!(
        __aeabi_memcpy => copy_upwards, __aeabi_memcpy4 => copy_upwards, __aeabi_memcpy8 => copy_upwards,
        __aeabi_memmove => copy, __aeabi_memmove4 => copy, __aeabi_memmove8 => copy
    );

    macro_rules! sets {
        ($($name:ident),*) => { $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(to: *mut u8, len: usize, value: i32) {
                // SAFETY: the same promises.
                unsafe { super::fill(to, value, len); }
            }
        )* };
    }
    sets!(__aeabi_memset, __aeabi_memset4, __aeabi_memset8);

    macro_rules! clears {
        ($($name:ident),*) => { $(
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(to: *mut u8, len: usize) {
                // SAFETY: the same promises.
                unsafe { super::fill(to, 0, len); }
            }
        )* };
    }
    clears!(__aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8);
}
